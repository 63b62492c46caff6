"""The registry's file: what it says, and how replaced probes join."""

from pathlib import Path

import pytest

from ingest.registry import KEYS, Lane, Level, parse_registry
from tests.ingest.registry_text import BRIDGE, GOOD, REACHES, RIVER, changed, faults_of

REPOSITORY = Path(__file__).parents[2]


def test_the_file_that_the_cases_change_is_good() -> None:
    registry = parse_registry(GOOD, "stations.toml")
    assert registry.stations["my-tho"].km_from_mouth == {"cua-tieu": 46.0, "cua-dai": 51.0}
    assert registry.stations["my-tho"].branches == ("cua-tieu", "cua-dai")
    assert registry.stations["my-tho"].side == "river"
    assert registry.stations["cau"].side == "bridge"
    assert registry.stations["cau"].directions["northbound"] == {"vi": "Đi bắc", "en": "North"}
    assert registry.devices["cam-01"].lanes[1] == Lane("southbound", 2, "mixed")
    assert registry.devices["mt-01"].station == "my-tho"


def test_a_probe_with_levels_sends_one_stream_per_level() -> None:
    levels = 'levels = [{ id = "top", depth_m = 0.5 }, { id = "bottom", depth_m = 8 }]\n'
    registry = parse_registry(changed('measures = ["ec', levels + 'measures = ["ec'), "f")
    device = registry.devices["mt-01"]
    assert device.levels == (Level("top", 0.5), Level("bottom", 8.0))
    assert device.streams() == [("mt-01/top", None, "top"), ("mt-01/bottom", None, "bottom")]


def second_probe(lines: str, number: str = "02") -> str:
    device = f'[[station.device]]\nid = "mt-{number}"\nexpected_s = 600\nmeasures = ["sal_g_l"]\n'
    return RIVER + device + lines


def test_replaces_joins_a_chain() -> None:
    text = REACHES + second_probe('replaces = "mt-01"\n')
    text += '[[station.device]]\nid = "mt-03"\nexpected_s = 600\nmeasures = ["sal_g_l"]\n'
    registry = parse_registry(text + 'replaces = "mt-02"\n', "f")
    assert {registry.root_device(each).id for each in registry.devices} == {"mt-01"}
    assert {registry.current_device(each).id for each in registry.devices} == {"mt-03"}


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (second_probe('replaces = "mt-00"\n'), "did you mean 'mt-01'?"),
        (second_probe('replaces = "mt-02"\n'), "older device"),
        (
            second_probe('replaces = "mt-01"\n').replace(
                "expected_s = 600", 'expected_s = 600\nreplaces = "mt-02"', 1
            ),
            "replace each other",
        ),
        (
            second_probe('replaces = "mt-01"\n')
            + second_probe('replaces = "mt-01"\n', "03").removeprefix(RIVER),
            "mt-02 replaces it already",
        ),
        (
            RIVER + BRIDGE.replace("expected_s = 60", 'expected_s = 60\nreplaces = "mt-01"'),
            "same station; it is at my-tho",
        ),
        (
            second_probe('replaces = "mt-01"\nlevels = [{ id = "top", depth_m = 1 }]\n'),
            "hasn't the level top",
        ),
    ],
)
def test_a_replacement_that_could_not_join_is_a_fault(text: str, accepted: str) -> None:
    found = faults_of(REACHES + text)
    assert {fault.key.rpartition(".")[2] for fault in found} == {"replaces"}
    assert accepted in found[-1].accepted


@pytest.mark.parametrize(
    ("measures", "announced"),
    [
        ('["ec_ms_cm", "temp_c"]', {"conductivity_ms_cm", "temperature_c", "salinity_g_l"}),
        ('["ec_ms_cm"]', {"conductivity_ms_cm"}),
        ('["ec25_ms_cm"]', {"conductivity_25_ms_cm", "salinity_g_l"}),
        ('["sal_g_l", "battery_v"]', {"salinity_g_l", "battery_v"}),
        (
            '["sal_g_l", "ec25_ms_cm", "level_m", "depth_m"]',
            {
                "salinity_g_l",
                "salinity_probe_g_l",
                "conductivity_25_ms_cm",
                "water_level_m",
                "depth_m",
            },
        ),
    ],
)
def test_what_a_probe_announces_follows_from_what_it_measures(
    measures: str, announced: set[str]
) -> None:
    text = changed('["ec_ms_cm", "temp_c"]', measures)
    assert parse_registry(text, "f").devices["mt-01"].announced == announced


def test_what_a_camera_announces() -> None:
    counts = {"flow_veh_h", "flow_pcu_h"}
    assert parse_registry(GOOD, "f").devices["cam-01"].announced == counts
    text = changed('["count"]', '["count", "speed_km_h", "occupancy", "queue_m"]')
    assert parse_registry(text, "f").devices["cam-01"].announced == counts | {
        "speed_km_h",
        "occupancy",
        "queue_m",
        "density_pcu_km",
        "level_of_service",
    }


def test_the_page_for_operators_names_every_key() -> None:
    page = (REPOSITORY / "docs" / "stations.md").read_text("utf-8")
    missing = sorted({key for keys in KEYS.values() for key in keys if f"`{key}`" not in page})
    assert missing == []
