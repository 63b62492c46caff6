"""A simulated afternoon on Rạch Miễu from cameras' messages to the series of the bridge."""

from collections import defaultdict
from dataclasses import replace
from importlib.resources import files

import pytest

from ingest.journal import Config
from ingest.reading import Flag, Why
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from simulators.scenario import SCENARIOS, messages
from songtien.offline import outcomes

HOUR_MS = 3_600_000
STATIONS = files("songtien").joinpath("defaults/stations.toml").read_text("utf-8")
RULES = """
[[rule]]
id = "jam"
quantity = "traffic_state"
severity = "major"
raise_above = 2.5
clear_below = 1.5
"""


Afternoon = tuple[dict[str, dict[int, tuple[float, int, int]]], list[str], int]
"""Series -> t -> (value, flag, why); keys of alerts; the beginning."""


@pytest.fixture(scope="module")
def afternoon() -> Afternoon:
    """From 14:00 to 17:00 of the bad day: 420 an hour get through from 15:00 on."""
    registry = parse_registry(STATIONS, "stations.toml")
    scenario = SCENARIOS["bad-day"]
    kept = {name: registry.devices[name] for name in ("cam-01", "cam-02")}
    world = scenario.world(replace(registry, devices=kept), 1, scenario.start_ms)
    start_ms = scenario.start_ms + 14 * HOUR_MS
    feed = [
        (each.publish_ms, each.topic, each.payload)
        for each in messages(world, root="r", start_ms=start_ms, duration_ms=3 * HOUR_MS)
    ]
    keys = [each.key for each in SeriesTable.of(registry).entries]
    found: dict[str, dict[int, tuple[float, int, int]]] = defaultdict(dict)
    raised = []
    for outcome in outcomes(feed, Config(STATIONS, RULES, 30.0), root="r"):
        rows = outcome.rows
        for number, t_ms, value, flag, why in zip(
            rows.series.tolist(),
            rows.t_ms.tolist(),
            rows.value.tolist(),
            rows.flag.tolist(),
            rows.why.tolist(),
            strict=True,
        ):
            found[keys[number]][t_ms] = (value, flag, why)
        raised += [str(event.alert["k"]) for event in outcome.events]
    return found, raised, start_ms


SOUTH = "rach-mieu-1/southbound"


def test_the_queue_grows_over_the_bridge_and_then_beyond(
    afternoon: Afternoon,
) -> None:
    found, _, start_ms = afternoon
    km = found[f"{SOUTH}/queue_length_km"]
    free = [value for t_ms, (value, _, _) in km.items() if t_ms < start_ms + 55 * 60_000]
    assert free
    assert max(free) < 0.3, "a few cars more than usual"
    growing = [v for t, (v, flag, _) in sorted(km.items()) if t > start_ms + HOUR_MS and flag == 1]
    assert len(growing) > 5
    assert max(growing) > 1.5
    value, flag, why = km[max(km)]
    assert (value, flag) == (2.868, Flag.SUSPECT)
    assert why & Why.BOUND


def test_minutes_rise_with_it(
    afternoon: Afternoon,
) -> None:
    found, _, start_ms = afternoon
    minutes = found[f"{SOUTH}/crossing_time_min"]
    assert minutes[start_ms + 50 * 60_000][0] == pytest.approx(2.868 / 45 * 60, abs=0.3)
    assert minutes[max(minutes)][0] > 30.0


def test_a_rule_on_the_state_is_told_once(
    afternoon: Afternoon,
) -> None:
    found, raised, _ = afternoon
    assert max(value for value, _, _ in found[f"{SOUTH}/traffic_state"].values()) == 3.0
    assert raised == [f"{SOUTH}/traffic_state"]


def test_cars_are_told_apart_at_each_camera(
    afternoon: Afternoon,
) -> None:
    found, _, _ = afternoon
    for camera in ("cam-01", "cam-02"):
        for quantity in ("flow_car_veh_h", "speed_car_km_h", "occupancy_car"):
            assert len(found[f"{camera}/southbound/{quantity}"]) > 150
