"""Intakes in the registry's file."""

import pytest

from ingest.faults import ConfigError
from ingest.registry import Registry, parse_registry

STATIONS = """
[[reach]]
id = "cua-tieu"
name = "Cửa Tiểu"

[[station]]
id = "xuan-hoa"
name = "Xuân Hòa"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = { cua-tieu = 42.0 }
lat = 10.3366
lon = 106.4103

[[station]]
id = "bridge"
name = "Cầu"
kind = "traffic"
lat = 10.3
lon = 106.3
directions = { south = { vi = "Nam", en = "South" } }
"""


def registry(intake: str) -> Registry:
    return parse_registry(
        f"{STATIONS}\n[[intake]]\nid = 'a'\nname = 'A'\n{intake}", "stations.toml"
    )


def fault(intake: str) -> str:
    with pytest.raises(ConfigError) as error:
        registry(intake)
    return str(error.value)


def test_a_crop_gives_the_limit() -> None:
    intake = registry("stations = ['xuan-hoa']\ncrop = 'durian'").intakes["a"]
    assert (intake.limit_g_l, intake.side, intake.lift) == (0.5, "river", "gravity")


def test_a_stated_limit_counts_before_the_crop() -> None:
    intake = registry("stations = ['xuan-hoa']\ncrop = 'rice'\nlimit_g_l = 0.8").intakes["a"]
    assert intake.limit_g_l == 0.8


def test_the_usual_rise_is_that_of_the_distance() -> None:
    assert registry("stations = ['xuan-hoa']\ncrop = 'rice'").intakes["a"].rise_g_l_h == 1.0
    given = registry("stations = ['xuan-hoa']\ncrop = 'rice'\nrise_g_l_h = 0.6")
    assert given.intakes["a"].rise_g_l_h == 0.6


def test_without_crop_and_limit_it_is_a_fault() -> None:
    assert "limit_g_l" in fault("stations = ['xuan-hoa']")


def test_stations_must_be_known_and_of_salinity() -> None:
    assert "did you mean 'xuan-hoa'" in fault("stations = ['xuan-ho']\ncrop = 'rice'")
    assert "salinity station" in fault("stations = ['bridge']\ncrop = 'rice'")
    assert "no such station" in fault("stations = []\ninside = 'nowhere'\ncrop = 'rice'")


def test_an_id_stands_once() -> None:
    assert "stands twice" in fault("crop = 'rice'\n[[intake]]\nid = 'a'\nname = 'B'\ncrop = 'rice'")


def risk(text: str) -> tuple[float, ...]:
    return parse_registry(f"{STATIONS}\n[risk]\n{text}", "stations.toml").risk_from_km


def test_levels_of_risk_are_distances_that_rise() -> None:
    assert risk("from_km = [25, 50.5]\nunverified = true\nsource = 'a'") == (25.0, 50.5)
    assert parse_registry(STATIONS, "stations.toml").risk_from_km == ()
    for wrong in ("[50, 25]", "[0, 5]", "'far'", "[1, 2, 3, 4, 5, 6]", "[true]"):
        with pytest.raises(ConfigError):
            risk(f"from_km = {wrong}")
