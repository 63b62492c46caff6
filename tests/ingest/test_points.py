import re
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import line_protocol, points
from ingest.reading import Batch, Flag
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.ingest.registry_text import BRIDGE, REACHES, RIVER
from tests.naive import line_protocol as naive

MORE = """
[[station.device]]
id = "mt-02"
expected_s = 600
measures = ["ec_ms_cm"]
levels = [{ id = "surface", depth_m = 1.0 }, { id = "bottom", depth_m = 6.0 }]
[[station.device]]
id = "mt-03"
expected_s = 600
measures = ["ec_ms_cm"]
replaces = "mt-01"
"""
TABLE = SeriesTable.of(parse_registry(f"{REACHES}{RIVER}{MORE}{BRIDGE}", "stations.toml"))
T_MS = 1_767_000_000_000


def _series(key: str, table: SeriesTable = TABLE) -> int:
    return table.by_key[key]


def _read(key: str, table: SeriesTable = TABLE) -> str:
    batch = Batch.of([_series(key, table)], [T_MS], [1.5], 1)
    (line,) = points.lines(batch, table)
    return line.decode()


def test_a_point_has_each_quantity_and_its_flag() -> None:
    keys = ["mt-01/temperature_c", "mt-01/salinity_g_l", "mt-01/battery_v"]
    batch = Batch.of([_series(key) for key in keys], [T_MS] * 3, [28.0, 3.21, 12.6], [3, 1, 2])
    (line,) = points.lines(batch, TABLE)
    assert line == (
        b"salinity,device=mt-01 "
        b"salinity_g_l=3.21,salinity_g_l_q=1i,temperature_c=28,temperature_c_q=3i,"
        b'battery_v=12.6,battery_v_q=2i,station="my-tho" 1767000000000'
    )


def test_direction_and_level_are_tags() -> None:
    assert _read("cam-01/southbound/flow_pcu_h") == (
        "traffic,device=cam-01,dir=southbound "
        'flow_pcu_h=1.5,flow_pcu_h_q=1i,station="cau" 1767000000000'
    )
    assert _read("mt-02/bottom/salinity_g_l") == (
        "salinity,device=mt-02,level=bottom "
        'salinity_g_l=1.5,salinity_g_l_q=1i,station="my-tho" 1767000000000'
    )


def test_a_device_that_replaces_another_goes_on_with_its_points() -> None:
    assert "mt-03/salinity_g_l" not in TABLE.by_key
    assert _read("mt-01/salinity_g_l").startswith("salinity,device=mt-01 ")


def test_a_device_that_has_moved_keeps_its_tags() -> None:
    there = f"{REACHES}{RIVER}{MORE}{BRIDGE}".replace('"my-tho"', '"elsewhere"')
    table = SeriesTable.of(parse_registry(there, "stations.toml"), list(TABLE.by_key))
    here, moved = (_read("mt-02/bottom/salinity_g_l", each) for each in (TABLE, table))
    assert here != moved == here.replace("my-tho", "elsewhere")
    assert here.partition(" ")[0] == moved.partition(" ")[0]


def test_a_device_that_has_left_keeps_its_tags_and_is_at_no_station() -> None:
    table = SeriesTable.of(parse_registry(f"{REACHES}{RIVER}", "stations.toml"), list(TABLE.by_key))
    assert table.entries[_series("mt-02/bottom/salinity_g_l", table)].retired
    assert _read("mt-02/bottom/salinity_g_l", table) == (
        "salinity,device=mt-02,level=bottom salinity_g_l=1.5,salinity_g_l_q=1i 1767000000000"
    )
    assert _read("mt-02/surface/salinity_g_l", table).startswith(
        "salinity,device=mt-02,level=surface "
    )
    assert _read("cam-01/northbound/flow_pcu_h", table).startswith(
        "traffic,device=cam-01,dir=northbound "
    )


def test_a_device_that_was_of_another_kind_has_points_of_both() -> None:
    keys = ["x/salinity_g_l", "x/flow_veh_h"]
    table = SeriesTable.of(parse_registry(f"{REACHES}{RIVER}", "stations.toml"), keys)
    written = points.lines(Batch.of([0, 1], [5, 5], [1.0, 2.0], 1), table)
    assert sorted(written) == [
        b"salinity,device=x salinity_g_l=1,salinity_g_l_q=1i 5",
        b"traffic,device=x flow_veh_h=2,flow_veh_h_q=1i 5",
    ]


READINGS = st.dictionaries(
    st.tuples(st.integers(0, len(TABLE) - 1), st.integers(T_MS, T_MS + 3)),
    st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1, 2, 3, 4, 9])),
    max_size=60,
)


@given(READINGS, st.randoms(use_true_random=False))
def test_equals_its_slow_twin_in_any_order(
    readings: dict[tuple[int, int], tuple[float, int]], chance: Random
) -> None:
    slow: dict[tuple[str, int], dict[str, line_protocol.Scalar]] = {}
    heads, stations = {}, {}
    for (number, t), (value, flag) in sorted(readings.items()):
        series = TABLE.entries[number]
        fields = slow.setdefault((series.stream, t), {})
        fields[series.quantity], fields[f"{series.quantity}_q"] = value, flag
        heads[series.stream] = (series.kind, points.tags(series))
        stations[series.stream] = {"station": series.station}
    wanted = [
        line_protocol.line(*heads[s], fields | stations[s], t) for (s, t), fields in slow.items()
    ]

    rows = list(readings.items())
    chance.shuffle(rows)
    batch = Batch.of(
        [key[0] for key, _ in rows],
        [key[1] for key, _ in rows],
        [value for _, (value, _) in rows],
        [flag for _, (_, flag) in rows],
    )
    found = points.lines(batch, TABLE)
    assert sorted(found) == sorted(wanted)
    assert found == points.lines(batch.take(np.arange(len(batch))[::-1]), TABLE)
    for line in found:
        naive.parse(line)


def test_nothing_but_series_time_value_and_flag_is_in_a_point() -> None:
    batch = Batch.of([0, 1], [T_MS, T_MS], [1.0, 2.0], 1, 0)
    late = replace(batch, why=batch.why + np.uint16(1024))
    assert points.lines(batch, TABLE) == points.lines(late, TABLE)


def test_fields_have_one_type_whatever_their_value() -> None:
    for value in (0.0, 1.0, -0.5, 1e-4, 1e16, 1e300):
        (line,) = points.lines(Batch.of([0], [T_MS], [value], 9), TABLE)
        fields = naive.parse(line).fields
        name, station = TABLE.entries[0].quantity, TABLE.entries[0].station
        assert fields == {name: value, f"{name}_q": 9, "station": station}
        assert [type(each) for each in fields.values()] == [float, int, str]


def test_what_no_store_gives_is_refused() -> None:
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            points.lines(Batch.of([0, 1], [T_MS, T_MS], [1.0, value]), TABLE)
    with pytest.raises(ValueError, match="twice"):
        points.lines(Batch.of([0, 0], [T_MS, T_MS], [1.0, 2.0]), TABLE)


def test_no_readings_are_no_lines() -> None:
    assert points.lines(Batch.empty(), TABLE) == []


def test_times_beyond_those_of_influxdb_are_known() -> None:
    latest = line_protocol.LATEST_MS
    batch = Batch.of([0] * 4, [0, latest, latest + 1, 253_402_300_799_999], [1.0] * 4, Flag.PASS)
    assert points.storable(batch).tolist() == [True, True, False, False]
    assert latest * 1_000_000 <= line_protocol.TIME_MAX


def test_shapes_are_forgotten_above_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "SHAPES_MAX", 2)
    table = SeriesTable(TABLE.entries)
    for number in [*range(len(table)), *range(len(table))]:
        (line,) = points.lines(Batch.of([number], [T_MS], [1.0]), table)
        assert table.entries[number].quantity in naive.parse(line).fields
    assert len(points._shapes(table)._known) <= 2


def test_the_points_in_the_document_are_points_of_ours() -> None:
    root = Path(__file__).parents[2]
    document = (root / "docs/historian.md").read_text(encoding="utf-8")
    registry = (root / "songtien/defaults/stations.toml").read_text(encoding="utf-8")
    table = SeriesTable.of(parse_registry(registry, "stations.toml"))
    examples = re.findall(r"^(?:salinity|traffic),.*\d$", document, re.MULTILINE)
    assert len(examples) == 2
    for example in examples:
        said = naive.parse(example.encode())
        stream = "/".join([said.tags["device"], *filter(None, [said.tags.get("dir")])])
        names = [name for name in said.fields if f"{name}_q" in said.fields]
        batch = Batch.of(
            [table.by_key[f"{stream}/{name}"] for name in names],
            [said.time] * len(names),
            [said.fields[name] for name in names],
            [said.fields[f"{name}_q"] for name in names],
        )
        assert points.lines(batch, table) == [example.encode()]
