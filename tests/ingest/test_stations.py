"""Limits put together, chains of replaced probes, the network, and what is warned of."""

from collections.abc import Mapping

import pytest

from ingest.stations import (
    Device,
    Lane,
    QualityBand,
    QualityLimits,
    Reach,
    Registry,
    Station,
    chord_km,
)

REACHES = {
    "tien": Reach("tien", "Tiền", ("cua-tieu", "cua-dai")),
    "cua-tieu": Reach("cua-tieu", "Cửa Tiểu", ()),
    "cua-dai": Reach("cua-dai", "Cửa Đại", ()),
}


def station(
    name: str,
    *,
    km: Mapping[str, float] | None = None,
    reach: str | None = "cua-tieu",
    at: tuple[float, float] = (10.3, 106.5),
    side: str = "river",
) -> Station:
    distances = {"cua-tieu": 10.0} if km is None else km
    return Station(
        id=name,
        name=name,
        kind="salinity",
        branches=tuple(distances),
        km_from_mouth=distances,
        reach=reach,
        lat=at[0],
        lon=at[1],
        side=side,
        gate=None,
    )


def network(*stations: Station, **more: Device) -> Registry:
    probes = {
        f"{each.id}-01": Device(f"{each.id}-01", each.id, "salinity", 900) for each in stations
    }
    return Registry(REACHES, {each.id: each for each in stations}, probes | more)


def test_limits_go_from_quantity_to_distance_to_station() -> None:
    registry = Registry(
        REACHES,
        {"a": station("a", km={"cua-tieu": 10.0}), "b": station("b", km={"cua-tieu": 40.0})},
        {},
        defaults={"salinity_g_l": {"fail_max": 40.0, "spike_suspect": 2.0, "gap_s": 9.0}},
        bands=(
            QualityBand(0, 40, {"salinity_g_l": {"spike_suspect": 5.0}}),
            QualityBand(40, 50, {"salinity_g_l": {"spike_suspect": 1.0, "suspect_max": 20.0}}),
        ),
        overrides={"b": {"salinity_g_l": {"suspect_max": 12.0, "gap_s": None}}},
    )
    assert registry.limits("a", "salinity_g_l") == QualityLimits(
        fail_max=40.0, spike_suspect=5.0, gap_s=9.0
    )
    assert registry.limits("b", "salinity_g_l") == QualityLimits(
        fail_max=40.0, spike_suspect=1.0, suspect_max=12.0
    )
    assert registry.limits("a", "temperature_c") == QualityLimits()
    gone = registry.limits("gone", "salinity_g_l")
    assert gone == QualityLimits(fail_max=40.0, spike_suspect=2.0, gap_s=9.0)


def test_the_nearest_mouth_counts_and_the_coast_is_at_zero() -> None:
    assert station("a", km={"cua-tieu": 42.0, "cua-dai": 47.0}).nearest_km == 42.0
    assert station("a", km={}, side="coast").nearest_km == 0.0
    assert station("a", km={}).nearest_km is None


def test_streams_of_a_camera_stand_once_per_direction() -> None:
    lanes = (Lane("south", 1, "car"), Lane("north", 1, "car"), Lane("south", 2, "mixed"))
    camera = Device("cam-01", "cau", "traffic", 60, lanes=lanes)
    assert camera.streams() == [("cam-01/south", "south", None), ("cam-01/north", "north", None)]


def test_water_comes_to_the_mouths_below() -> None:
    registry = network()
    assert registry.mouths_below("tien") == ("cua-tieu", "cua-dai")
    assert registry.mouths_below("cua-dai") == ("cua-dai",)
    assert registry.mouths_below("unknown") == ()


def test_a_chord_is_a_great_circle() -> None:
    # A degree of latitude on the mean sphere, and the published places of Xuân Hòa and Mỹ Tho.
    south, north = station("a", at=(10.0, 106.0)), station("b", at=(11.0, 106.0))
    assert chord_km(south, north) == pytest.approx(111.195, abs=1e-3)
    xuan_hoa = station("xuan-hoa", at=(10.3366, 106.4103))
    my_tho = station("my-tho", at=(10.3469, 106.347))
    assert chord_km(xuan_hoa, my_tho) == pytest.approx(7.0, abs=0.05)


def warned(registry: Registry) -> list[str]:
    quality = "no quality limit is stated"
    return [warning for warning in registry.warnings() if not warning.startswith(quality)]


def test_neighbours_nearer_by_water_than_in_a_straight_line() -> None:
    low = station("low", km={"cua-tieu": 42.0}, at=(10.3366, 106.4103))
    high = station("high", km={"cua-tieu": 46.0}, reach="tien", at=(10.3469, 106.347))
    (told,) = warned(network(low, high))
    assert told.startswith("low and high are 4.0 km apart by their distances from cua-tieu")
    assert told.endswith("but 7.0 km in a straight line")
    right = station("high", km={"cua-tieu": 49.5}, reach="tien", at=(10.3469, 106.347))
    assert warned(network(low, right)) == []


def test_stations_on_different_arms_are_no_neighbours() -> None:
    tieu = station("tieu", km={"cua-dai": 30.0}, reach="cua-tieu", at=(10.30, 106.5))
    dai = station("dai", km={"cua-dai": 31.0}, reach="cua-dai", at=(10.20, 106.6))
    assert warned(network(tieu, dai)) == []


@pytest.mark.parametrize("at", [(12.0, 106.5), (10.3, 10.3), (106.5, 10.3)])
def test_a_place_outside_the_delta(at: tuple[float, float]) -> None:
    (told,) = warned(network(station("far", at=at)))
    assert told.startswith("station far at (")
    assert "outside the Mekong delta" in told


def test_two_stations_at_one_place_but_not_on_both_sides_of_a_gate() -> None:
    outside, inside = station("outside"), station("inside", side="field")
    assert warned(network(outside, inside)) == []
    told = warned(network(outside, station("twin")))
    assert "stations outside and twin stand at one place, (10.3, 106.5)" in told


def test_what_stands_without_effect() -> None:
    registry = Registry(REACHES, {"a": station("a", km={})}, {})
    assert warned(registry) == [
        "station a has no device",
        "station a has no distance: limits and rules by km pass it by",
    ]
    assert Registry({}, {}, {}).warnings() == [
        "no station is registered: every reading will be refused"
    ]


def test_a_direction_that_nobody_counts() -> None:
    bridge = Station(
        id="cau",
        name="Cầu",
        kind="traffic",
        branches=(),
        km_from_mouth={},
        reach=None,
        lat=10.3,
        lon=106.3,
        side="bridge",
        gate=None,
        directions={"south": {"vi": "", "en": ""}, "north": {"vi": "", "en": ""}},
    )
    camera = Device("cam-01", "cau", "traffic", 60, lanes=(Lane("south", 1, "car"),))
    registry = Registry({}, {"cau": bridge}, {"cam-01": camera})
    assert warned(registry) == ["no lane of station cau counts its direction north"]


def test_conductivity_without_temperature() -> None:
    bare = Device("b-01", "a", "salinity", 900, announced=frozenset({"conductivity_ms_cm"}))
    told = warned(network(station("a"), **{"b-01": bare}))
    assert told == ["device b-01 sends conductivity without temperature, which gives no salinity"]


def test_salinity_without_any_limit() -> None:
    probe = Device("b-01", "a", "salinity", 900, announced=frozenset({"salinity_g_l"}))
    registry = network(station("a"), **{"b-01": probe})
    (told,) = registry.warnings()
    assert told.startswith("no quality limit is stated for salinity_g_l")
    limited = Registry(
        registry.reaches,
        registry.stations,
        registry.devices,
        overrides={"a": {"salinity_g_l": {"fail_max": 40.0}}},
    )
    assert limited.warnings() == []
