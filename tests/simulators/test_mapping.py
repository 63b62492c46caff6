"""A mapping says in one go everything that is wrong with it."""

from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.faults import ConfigError
from ingest.registry import Registry, parse_registry
from simulators.mapping import (
    DEFAULT_NULL,
    KEYS,
    UNITS,
    CsvMapping,
    missing_columns,
    parse_mapping,
)
from simulators.mapping_options import mapping_of_options

ROOT = Path(__file__).parent.parent.parent
PROBE = """
[time]
column = "when"
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
columns.temp_c = "T"
"""
CAMERA = """
[time]
column = "when"
zone = "Asia/Ho_Chi_Minh"
at = "start"
[[device]]
kind = "traffic"
station = "rach-mieu-1"
device = "cam-01"
interval_s = 300
[[device.lane]]
direction = "southbound"
lane = 2
count = { car = "cars", motorbike = { column = "bikes", scale = 2 } }
occupancy = { column = "occ", unit = "%" }
speed_km_h = { column = "v", unit = "mph" }
"""


def test_a_probe_and_its_defaults() -> None:
    mapping = parse_mapping(PROBE, "m.toml")
    target = mapping.targets[0]
    assert (target.kind, target.station, target.device) == ("salinity", "vam-kenh", "vk-01")
    source = target.columns["temp_c"]
    assert (source.column, source.scale, source.offset) == ("T", 1.0, 0.0)
    assert (source.low, source.high) == (-5.0, 60.0)  # what the payload's type accepts
    assert mapping.null == DEFAULT_NULL
    assert (mapping.delimiter, mapping.decimal, mapping.time.format) == (",", ".", "iso")


def test_a_camera() -> None:
    mapping = parse_mapping(CAMERA, "m.toml")
    assert mapping.time.at_start
    assert mapping.time.zone == ZoneInfo("Asia/Ho_Chi_Minh")
    target = mapping.targets[0]
    assert target.interval_ms == 300_000
    lane = target.lanes[0]
    assert (lane.direction, lane.lane) == ("southbound", 2)
    assert lane.count["motorbike"].scale == 2.0
    assert lane.fields["occupancy"].scale == 0.01
    assert lane.fields["speed_km_h"].scale == pytest.approx(1.609344)


@pytest.mark.parametrize(
    ("unit", "field", "scale", "offset"),
    [
        ("uS/cm", "ec_ms_cm", 1e-3, 0.0),
        ("µS/cm", "ec25_ms_cm", 1e-3, 0.0),
        ("S/m", "ec_ms_cm", 10.0, 0.0),
        ("psu", "sal_g_l", 1.0, 0.0),
        ("degF", "temp_c", 5 / 9, -160 / 9),
        ("ft", "level_m", 0.3048, 0.0),
    ],
)
def test_units(unit: str, field: str, scale: float, offset: float) -> None:
    text = PROBE.replace('columns.temp_c = "T"', f'columns.{field} = {{column="c", unit="{unit}"}}')
    source = parse_mapping(text, "m.toml").targets[0].columns[field]
    assert (source.scale, source.offset) == pytest.approx((scale, offset))


def _changed() -> Iterator[tuple[str, str, str]]:
    """(text, key, part of what is accepted)."""
    yield PROBE.replace("columns.temp_c", "columns.temp"), "columns.temp", "temp_c"
    yield PROBE.replace("vam-kenh", "Vàm Kênh"), "station", "a-z, 0-9"
    yield PROBE.replace('"salinity"', '"rain"'), "kind", "salinity, traffic"
    yield PROBE.replace('columns.temp_c = "T"', ""), "columns", "one or more are needed"
    yield PROBE.replace('"T"', '{column="T", unit="K"}'), "temp_c.unit", "degC, degF"
    yield PROBE.replace('"T"', '{column="T", unit="degF", scale=2}'), "temp_c.unit", "either"
    yield PROBE.replace('"T"', "3"), "columns.temp_c", "table"
    yield PROBE.replace('column = "when"', ""), "time.column", "missing"
    yield PROBE.replace('"when"', '"when"\nformat = "unix"'), "time.format", "epoch_ms"
    yield PROBE.replace('"when"', '"when"\nformat = "%Q"'), "time.format", "bad directive"
    yield PROBE.replace('"when"', '"when"\nformat = "%d %d"'), "time.format", "redefinition"
    yield PROBE.replace('"when"', '"when"\nzone = "Mekong"'), "time.zone", "Asia/Ho_Chi_Minh"
    yield PROBE.replace('"when"', '"when"\nzone_names = {ICT = "+7"}'), "zone_names.ICT", "+07:00"
    yield PROBE.replace("[[device]]", 'delimeter = ";"\n[[device]]'), "delimeter", "known"
    yield 'delimiter = "::"\n' + PROBE, "delimiter", "one character"
    yield 'decimal = ";"\n' + PROBE, "decimal", "one of ., ,"
    yield "null = 5\n" + PROBE, "null", "list of texts"
    yield PROBE + "where = {a = 1}\n", "where.a", "list of texts"
    yield PROBE + 'above = {a = "x"}\n', "above.a", "a number"
    yield CAMERA.replace("interval_s = 300", ""), "interval_s", "missing"
    yield CAMERA.replace("car =", "cars ="), "count.cars", "did you mean 'car'"
    yield CAMERA.replace("[[device.lane]]", "[device.x]"), "lane", "one or more tables"
    yield '[time]\ncolumn = "t"\n', "device", "at least one"
    yield "[[device]]\n", "time", "missing"


@pytest.mark.parametrize(("text", "key", "accepted"), list(_changed()))
def test_a_fault_names_file_key_value_and_what_is_accepted(
    text: str, key: str, accepted: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mapping(text, "m.toml")
    told = [fault for fault in caught.value.faults if key in fault.key and accepted in str(fault)]
    assert told, str(caught.value)
    assert told[0].file == "m.toml"


def test_faults_come_all_at_once() -> None:
    text = PROBE.replace("vam-kenh", "V K").replace('"when"', '""')
    with pytest.raises(ConfigError) as caught:
        parse_mapping(text, "m.toml")
    assert {fault.key for fault in caught.value.faults} == {
        "time.column",
        "device[vk-01].station",
    }


def test_options_make_the_same_mapping_as_a_file() -> None:
    text = """
[time]
column = "t"
format = "%d/%m/%Y %H:%M"
zone = "+07:00"
[[device]]
kind = "salinity"
station = "xuan-hoa"
device = "xh-01"
where = { site = "A" }
columns.ec25_ms_cm = { column = "cond", unit = "uS/cm" }
columns.temp_c = "temp"
"""
    made: CsvMapping = mapping_of_options(
        kind="salinity",
        station="xuan-hoa",
        device="xh-01",
        time_column="t",
        time_format="%d/%m/%Y %H:%M",
        zone="+07:00",
        columns=["ec25_ms_cm=cond:uS/cm", "temp_c=temp"],
        where=["site=A"],
    )
    assert made == parse_mapping(text, "m.toml")
    assert made.time.zone == timezone(timedelta(hours=7))


def test_an_option_without_equals_is_told() -> None:
    with pytest.raises(ConfigError, match="FIELD=COLUMN"):
        mapping_of_options(
            kind="salinity", station="a", device="b", time_column="t", columns=["temp_c"]
        )


def test_columns_that_the_file_has_not_are_named_with_those_it_has() -> None:
    fault = missing_columns(parse_mapping(CAMERA, "m.toml"), ["when", "cars", "occ"], "f.csv")
    assert fault is not None
    assert {f.value for f in fault.faults} == {"bikes", "v"}
    assert "when, cars, occ" in str(fault)
    assert missing_columns(parse_mapping(PROBE, "m"), ["T", "when"], "f.csv") is None


EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def _registry_of(example: Path) -> Registry:
    """Its own, `PLACE-stations.toml` beside it, or the one that comes with the program."""
    path = ROOT / "songtien" / "defaults" / "stations.toml"
    for each in EXAMPLES:
        place = each.stem.removesuffix("-stations")
        if place != each.stem and example.stem.startswith(place):
            path = each
    return parse_registry(path.read_text("utf-8"), path.name)


@pytest.mark.parametrize(
    "file", [e for e in EXAMPLES if not e.stem.endswith("-stations")], ids=lambda path: path.stem
)
def test_the_examples_name_devices_of_a_registry(file: Path) -> None:
    registry = _registry_of(file)
    for target in parse_mapping(file.read_text("utf-8"), file.name).targets:
        device = registry.devices[target.device]
        assert (device.station, device.kind) == (target.station, target.kind)
        lanes = {(lane.direction, lane.lane) for lane in device.lanes}
        assert {(lane.direction, lane.lane) for lane in target.lanes} <= lanes


def _toml_in(page: str) -> list[str]:
    blocks = (ROOT / "docs" / page).read_text().split("```toml\n")[1:]
    return [block.split("```")[0] for block in blocks]


def test_the_page_on_replay_shows_mappings_that_can_be_read() -> None:
    probe, camera = _toml_in("replay.md")
    mapping = parse_mapping(probe, "docs")
    assert (mapping.delimiter, mapping.decimal) == (";", ",")
    assert mapping.time.at_start
    assert mapping.targets[0].columns["ec25_ms_cm"].scale == 1e-3
    whole = parse_mapping('[time]\ncolumn = "t"\n' + camera, "docs")
    assert set(whole.targets[0].lanes[0].count) == {"car", "motorbike", "truck"}


def test_the_page_on_replay_names_every_field_and_unit() -> None:
    page = (ROOT / "docs" / "replay.md").read_text()
    for field, units in UNITS.items():
        assert f"`{field}`" in page
        for unit in units:
            assert unit.replace("µ", "u") in page
    for keys in KEYS.values():
        for key in keys:
            assert key in page
