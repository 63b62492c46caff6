"""Parquet gives what a CSV of the same rows gives."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.faults import ConfigError
from simulators.mapping import parse_mapping
from simulators.recorded import Recorded, read_table

pa = pytest.importorskip(
    "pyarrow", reason="pyarrow is not installed: pip install songtien[parquet]"
)

MAPPING = """
decimal = "."
[time]
column = "t"
{time}
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
where = {{ site = "7" }}
columns.sal_g_l = "s"
columns.temp_c = {{ column = "temp", unit = "degF" }}
labels = {{ column = "f", not_in = ["good"] }}
[[device]]
kind = "traffic"
station = "rach-mieu-1"
device = "cam-01"
interval_s = 300
where = {{ site = "8" }}
[[device.lane]]
direction = "southbound"
count.car = "cars"
"""
BEGIN = datetime(2024, 3, 12, 2, 30, tzinfo=UTC)
N = 500


def _columns() -> dict[str, list[Any]]:
    return {
        "t": [BEGIN + timedelta(minutes=15 * (i * 7 % N), milliseconds=i) for i in range(N)],
        "s": [None if i % 11 == 0 else i / 10 for i in range(N)],
        "temp": [80.5 if i % 3 else None for i in range(N)],
        "site": [7 + i % 3 for i in range(N)],
        "cars": list(range(N)),
        "f": ["good" if i % 5 else "bad" for i in range(N)],
        "other": [[1, 2]] * N,
    }


def _write(path: Path, columns: dict[str, Any]) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - behind the skip

    parquet.write_table(pa.table(columns), path, row_group_size=77)


def _as_csv(path: Path, columns: dict[str, list[Any]]) -> None:
    names = [name for name in columns if name != "other"]
    rows = zip(*(columns[name] for name in names), strict=True)
    lines = [",".join("" if v is None else str(v) for v in row) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


def _same(one: Recorded, other: Recorded) -> None:
    assert (one.rows, one.skipped, one.left_out) == (other.rows, other.skipped, other.left_out)
    for mine, its in zip(one.tracks, other.tracks, strict=True):
        assert len(mine.t_ms) > 100
        assert mine.t_ms.tolist() == its.t_ms.tolist()
        for name, values in mine.columns.items():
            assert str(values.tolist()) == str(its.columns[name].tolist())
        marks = (mine.labelled, its.labelled)
        assert str(marks[0]) == str(marks[1])


@pytest.mark.parametrize("kind", ["us, UTC", "ns, zone", "ns, local", "text", "epoch"])
def test_equals_the_csv(tmp_path: Path, kind: str) -> None:
    columns = _columns()
    times: list[datetime] = columns["t"]
    time = ""
    if kind == "epoch":
        time = 'format = "epoch_s"'
        columns["t"] = [t.timestamp() for t in times]
        table = dict(columns)
    elif kind == "text":
        columns["t"] = [t.isoformat() for t in times]
        table = dict(columns)
    elif kind == "ns, local":
        time = 'zone = "+07:00"'
        columns["t"] = [t.replace(tzinfo=None) for t in times]
        table = {**columns, "t": pa.array(columns["t"], pa.timestamp("ns"))}
    else:
        zone = {"us, UTC": "UTC", "ns, zone": "Asia/Ho_Chi_Minh"}[kind]
        table = {**columns, "t": pa.array(times, pa.timestamp(kind[:2], zone))}
    _write(tmp_path / "a.parquet", table)
    _as_csv(tmp_path / "a.csv", columns)
    mapping = parse_mapping(MAPPING.format(time=time), "m.toml")
    _same(read_table(tmp_path / "a.parquet", mapping), read_table(tmp_path / "a.csv", mapping))


def test_rows_are_numbered_and_absent_is_not_bad(tmp_path: Path) -> None:
    columns = {**_columns(), "s": [float("nan")] * (N - 1) + [1e9], "temp": [None] * N}
    columns["site"] = [7] * N
    _write(tmp_path / "a.parquet", columns)
    how = MAPPING.format(time="").replace("decimal", 'null = ["x"]\ndecimal')
    found = read_table(tmp_path / "a.parquet", parse_mapping(how, "m.toml"))
    assert found.left_out == {"s: out of range": 1}
    assert f"row {N}, column s" in str(found.examples[0])


def test_of_two_columns_of_one_name_the_first_is_read(tmp_path: Path) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - behind the skip

    mapping = '[time]\ncolumn = "t"\n[[device]]\nkind = "salinity"\nstation = "a"\n'
    mapping += 'device = "b"\ncolumns.sal_g_l = "s"\n'
    path, table = tmp_path / "a.parquet", tmp_path / "a.csv"
    cells = [pa.array([BEGIN]), pa.array([1.5]), pa.array([2.5])]
    parquet.write_table(pa.Table.from_arrays(cells, ["t", "s", "s"]), path)
    table.write_text(f"t,s,s\n{BEGIN.isoformat()},1.5,2.5\n")
    for file in (path, table):
        (track,) = read_table(file, parse_mapping(mapping, "m.toml")).tracks
        assert track.columns["sal_g_l"].tolist() == [1.5]


def test_what_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = parse_mapping(MAPPING.format(time=""), "m.toml")
    path = tmp_path / "a.parquet"
    with pytest.raises(ConfigError, match="a file that exists"):
        read_table(path, mapping)
    path.write_bytes(b"t,s\n1,2\n")
    with pytest.raises(ConfigError, match="accepted is a whole Parquet file"):
        read_table(path, mapping)
    _write(path, {"t": [BEGIN], "s": [1.0]})
    with pytest.raises(ConfigError, match="accepted are this file's columns: t, s"):
        read_table(path, mapping)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"install songtien\[parquet\]"):
        read_table(path, mapping)
