"""Directions of a bridge in the registry: figures, dated bans of trucks, and every fault told."""

from datetime import UTC, datetime

import pytest

from ingest.bridges import Crossing
from ingest.faults import ConfigError
from ingest.registry import parse_registry

STATION = """
[[station]]
id = "rach-mieu-1"
name = "Cầu Rạch Miễu"
kind = "traffic"
lat = 10.334
lon = 106.342
side = "bridge"
length_m = 2868
directions.southbound = { vi = "Mỹ Tho → Bến Tre", en = "Mỹ Tho → Bến Tre" }

[[station.bridge]]
direction = "southbound"
entry = "north"
exit = "south"
free_km_h = 45
capacity_veh_h = 900
spacing_m = { car = 7.0, bus = 13.0, truck = 11.0, trailer = 18.0 }
mix = { car = 0.60, bus = 0.10, truck = 0.25, trailer = 0.05 }
approach = [{ device = "cam-02", km = 5.0 }, { device = "cam-01", km = 2.0 }]

[[station.bridge.truck_ban]]
from = 2024-06-10
until = 2026-01-02
hours = [[9, 11], [15, 19]]
axles = 3

[[station.device]]
id = "cam-01"
position = "north"
expected_s = 60
measures = ["count"]
lanes = [{ direction = "southbound", lane = 1, use = "car" }]

[[station.device]]
id = "cam-02"
position = "south"
expected_s = 60
measures = ["count"]
lanes = [{ direction = "southbound", lane = 1, use = "car" }]
"""


def local_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - 25_200_000


def crossing(text: str = STATION) -> Crossing:
    return parse_registry(text, "stations.toml").stations["rach-mieu-1"].crossings["southbound"]


def test_a_crossing_worked_by_hand() -> None:
    """0.6 x 7 + 0.1 x 13 + 0.25 x 11 + 0.05 x 18 = 9.15 m from vehicle to vehicle."""
    found = crossing()
    assert found.mean_spacing_m(local_ms("2024-06-09T10:00")) == pytest.approx(9.15)
    assert (found.entry, found.exit) == ("north", "south")
    assert [(each.device, each.km) for each in found.approach] == [("cam-01", 2.0), ("cam-02", 5.0)]


def test_a_baseline_begins_at_midnight_in_vietnam() -> None:
    text = STATION.replace("free_km_h = 45", "free_km_h = 45\nbaseline_from = 2025-08-19")
    assert crossing(text).baseline_from_ms == local_ms("2025-08-19T00:00")
    assert crossing().baseline_from_ms is None


def test_while_trucks_are_banned_no_trailers_stand_in_the_queue() -> None:
    spacing_m = crossing().mean_spacing_m(local_ms("2024-06-10T10:00"))
    assert spacing_m == pytest.approx((0.6 * 7 + 0.1 * 13 + 0.25 * 11) / 0.95)


@pytest.mark.parametrize(
    ("at", "banned"),
    [
        ("2024-06-09T16:00", False),
        ("2024-06-10T08:59:59", False),
        ("2024-06-10T09:00", True),
        ("2024-06-10T11:00", False),
        ("2024-06-10T18:59:59", True),
        ("2024-06-10T19:00", False),
        ("2026-01-02T15:00", True),
        ("2026-01-03T15:00", False),
    ],
)
def test_a_ban_holds_in_its_hours_of_its_days_in_vietnam(at: str, banned: bool) -> None:
    assert (crossing().ban(local_ms(at)) is not None) == banned


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('entry = "north"', 'entry = "west"', "entry = 'west': no camera at this end"),
        ('exit = "south"', 'exit = "north"', "leaves at the other"),
        ("free_km_h = 45", "", "free_km_h"),
        (", trailer = 18.0 }", " }", "spacing_m.trailer"),
        ("mix = { car = 0.60, bus = 0.10, truck = 0.25, trailer = 0.05 }", "", "mix"),
        (
            "mix = { car = 0.60, bus = 0.10, truck = 0.25, trailer = 0.05 }",
            "mix = { car = 0, bus = 0, truck = 0, trailer = 1 }",
            "a class other than trailer",
        ),
        ('device = "cam-02", km', 'device = "cam-09", km', "no camera of this id counts"),
        ("from = 2024-06-10", 'from = "10/6/2024"', "accepted is a date"),
        ("until = 2026-01-02", "until = 2023-01-01", "must not be before"),
        ("hours = [[9, 11], [15, 19]]", "hours = [[19, 15]]", "a list of [from, to]"),
        ('direction = "southbound"\nentry', 'direction = "north"\nentry', "southbound"),
    ],
)
def test_each_fault_is_told(old: str, new: str, told: str) -> None:
    assert old in STATION
    with pytest.raises(ConfigError) as caught:
        crossing(STATION.replace(old, new))
    assert told in str(caught.value)


def test_a_salinity_station_has_no_bridge() -> None:
    text = STATION.replace('kind = "traffic"', 'kind = "salinity"').replace('"bridge"', '"river"')
    with pytest.raises(ConfigError, match="accepted at a traffic station alone"):
        parse_registry(text, "stations.toml")
