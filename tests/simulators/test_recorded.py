"""A CSV: what is good is taken, what is bad is told with its file, line, column and value."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from ingest.faults import ConfigError
from simulators.mapping import parse_mapping
from simulators.recorded import EXAMPLES_MAX, Recorded, read_csv

MAPPING = """
null = ["", "NA", "7999", "-9999"]
[time]
column = "when"
{time}
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
{device}
columns.temp_c = "T"
columns.ec25_ms_cm = {{ column = "cond", unit = "uS/cm" }}
"""
T0 = 1_709_251_200_000  # 2024-03-01T00:00Z


def _read(tmp_path: Path, text: str, time: str = "", device: str = "", head: str = "") -> Recorded:
    file = tmp_path / "gauge.csv"
    file.write_text(text, encoding="utf-8")
    return read_csv(file, parse_mapping(head + MAPPING.format(time=time, device=device), "m.toml"))


def test_good_rows_come_in_units_and_order_of_time(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "when,T,cond\n2024-03-01T00:15Z,28.5,1500\n2024-03-01T00:00Z,28.4,1400\n\n",
    )
    track = found.tracks[0]
    assert track.t_ms.tolist() == [T0, T0 + 900_000]
    assert track.columns["temp_c"].tolist() == [28.4, 28.5]
    assert track.columns["ec25_ms_cm"] == pytest.approx([1.4, 1.5])
    assert (found.rows, found.skipped, found.left_out, found.examples) == (2, {}, {}, ())


def test_sentinels_and_empty_cells_are_absent_and_no_fault(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "when,T,cond\n"
        "2024-03-01T00:00Z,28.4,7999\n"
        "2024-03-01T00:15Z,,7999.0\n"
        "2024-03-01T00:30Z,-9999, NA \n"
        "2024-03-01T00:45Z,,12\n",
    )
    track = found.tracks[0]
    assert track.t_ms.tolist() == [T0, T0 + 2_700_000]
    assert np.isnan(track.columns["ec25_ms_cm"][0])
    assert np.isnan(track.columns["temp_c"][1])
    assert found.skipped == {"no value": 2}
    assert found.examples == ()


@pytest.mark.parametrize(
    ("row", "skipped", "left_out", "example"),
    [
        (
            "2024-03-01T00:15Z,abc,12",
            {},
            {"T: not a number": 1},
            "line 3, column T = 'abc': accepted is a finite number",
        ),
        (
            "2024-03-01T00:15Z,nan,12",
            {},
            {"T: not a number": 1},
            "line 3, column T = 'nan': accepted is a finite number",
        ),
        (
            "2024-03-01T00:15Z,88,12",
            {},
            {"T: out of range": 1},
            "line 3, column T = '88': accepted is -5 to 60 after scaling",
        ),
        (
            "2024-03-01T00:15Z,x,y",
            {"no value": 1},
            {"T: not a number": 1, "cond: not a number": 1},
            "line 3, column cond = 'y'",
        ),
        (
            "yesterday,28,12",
            {"bad time": 1},
            {},
            "line 3, column when = 'yesterday': accepted is a time as ISO 8601",
        ),
        (
            "2024-03-01T00:15,28,12",
            {"bad time": 1},
            {},
            "line 3, column when = '2024-03-01T00:15': it has no offset",
        ),
        (
            "1970-01-01T00:15Z,28,12",
            {"bad time": 1},
            {},
            "column when = '1970-01-01T00:15Z': accepted is a time from 2000",
        ),
        (
            "2024-03-01T00:15Z,28",
            {"wrong number of cells": 1},
            {},
            "line 3, the row = 2: accepted are 3 cells",
        ),
    ],
)
def test_what_is_bad_is_left_out_counted_and_told(
    tmp_path: Path, row: str, skipped: dict[str, int], left_out: dict[str, int], example: str
) -> None:
    good = "2024-03-01T00:00Z,28.4,1400", "2024-03-01T00:30Z,28.6,1500"
    found = _read(tmp_path, "\n".join(["when,T,cond", good[0], row, good[1], ""]))
    assert found.skipped == skipped
    assert found.left_out == left_out
    assert example in str(found.examples[0])
    assert str(found.examples[0]).startswith(str(tmp_path / "gauge.csv"))
    assert {T0, T0 + 1_800_000} <= set(found.tracks[0].t_ms.tolist())
    assert len(found.tracks[0].t_ms) == found.rows - sum(skipped.values())


def test_examples_are_bounded_counts_are_not(tmp_path: Path) -> None:
    rows = "".join(f"2024-03-01T{i // 60:02}:{i % 60:02}Z,x,1\n" for i in range(300))
    found = _read(tmp_path, "when,T,cond\n" + rows)
    assert found.left_out == {"T: not a number": 300}
    assert len(found.examples) == EXAMPLES_MAX


@pytest.mark.parametrize(
    ("time", "cell"),
    [
        ('format = "epoch_s"', "1709251200"),
        ('format = "epoch_s"', "1709251200.0"),
        ('format = "epoch_ms"', "1709251200000"),
        ('zone = "Asia/Ho_Chi_Minh"', "2024-03-01 07:00:00"),
        ('zone = "+07:00"', "2024-03-01T07:00"),
        ('format = "%d/%m/%Y %H:%M"\nzone = "+07:00"', "01/03/2024 07:00"),
        ('zone_names = { ICT = "+07:00" }', "2024-03-01 07:00 ICT"),
        ('zone = "UTC"', "2024-03-01T07:00+07:00"),  # its own offset stands
    ],
)
def test_formats_of_time(tmp_path: Path, time: str, cell: str) -> None:
    found = _read(tmp_path, f"when,T,cond\n{cell},28,1\n", time)
    assert found.tracks[0].t_ms.tolist() == [T0]


@pytest.mark.parametrize("cell", ["1709251200000000", "soon", "nan", "1e400"])
def test_epochs_in_the_wrong_unit_are_told(tmp_path: Path, cell: str) -> None:
    found = _read(tmp_path, f"when,T,cond\n{cell},28,1\n", 'format = "epoch_s"')
    assert found.skipped == {"bad time": 1}


@pytest.mark.parametrize(
    ("zone", "cell"),
    [("Asia/Ho_Chi_Minh", "0001-01-01 00:00"), ("America/New_York", "9999-12-31 23:59")],
)
def test_a_placeholder_for_no_time_is_one_bad_row(tmp_path: Path, zone: str, cell: str) -> None:
    rows = f"when,T,cond\n{cell},28,1\n2024-03-01 07:00,28,1\n"
    found = _read(tmp_path, rows, f'zone = "{zone}"')
    assert (found.skipped, len(found.tracks[0].t_ms)) == ({"bad time": 1}, 1)


def test_clocks_put_back_and_forward(tmp_path: Path) -> None:
    hours = ["01:30", "02:30", "02:30", "03:30"]
    back = "".join(f"2022-10-30 {hour},1,1\n" for hour in hours)
    found = _read(tmp_path, "when,T,cond\n" + back, 'zone = "Europe/Paris"')
    assert np.diff(found.tracks[0].t_ms).tolist() == [3_600_000] * 3
    forward = "when,T,cond\n2022-03-27 02:30,1,1\n"
    gone = _read(tmp_path, forward, 'zone = "Europe/Paris"')
    assert gone.skipped == {"bad time": 1}
    assert "left out in Europe/Paris" in str(gone.examples[0])


def test_rows_are_chosen_by_column_and_by_limit(tmp_path: Path) -> None:
    text = "site,up,when,T,cond\n" + "".join(
        f"{site},{up},2024-03-01T0{hour}:00Z,28,1\n"
        for hour, (site, up) in enumerate([("A", 1), ("B", 1), ("A", 0), ("A", ""), ("C", 2)])
    )
    found = _read(tmp_path, text, device='where = { site = ["A", "C"] }\nabove = { up = 0.0 }')
    assert found.tracks[0].t_ms.tolist() == [T0, T0 + 4 * 3_600_000]
    assert found.skipped == {"of no device": 1, "up not above 0": 2}


def test_a_file_of_a_spreadsheet_in_vietnam(tmp_path: Path) -> None:
    text = "\ufeffwhen;T;cond\r\n2024-03-01T00:00Z;28,4;1400,5\r\n"
    head = 'delimiter = ";"\ndecimal = ","\n'
    found = _read(tmp_path, text, head=head)
    assert found.tracks[0].columns["temp_c"].tolist() == [28.4]
    assert found.tracks[0].columns["ec25_ms_cm"] == pytest.approx([1.4005])


CAMERA = """
[time]
column = "when"
at = "{at}"
[[device]]
kind = "traffic"
station = "rach-mieu-1"
device = "cam-01"
interval_s = 3600
[[device.lane]]
direction = "southbound"
count.car = "cars"
"""


@pytest.mark.parametrize(("at", "start_ms"), [("start", T0), ("end", T0 - 3_600_000)])
def test_a_camera_tells_the_start_or_the_end_of_its_interval(
    tmp_path: Path, at: str, start_ms: int
) -> None:
    file = tmp_path / "camera.csv"
    file.write_text("when,cars\n2024-03-01T00:00Z,12.4\n")
    found = read_csv(file, parse_mapping(CAMERA.format(at=at), "m.toml"))
    assert found.tracks[0].t_ms.tolist() == [start_ms]
    assert found.tracks[0].columns["0/count/car"].tolist() == [12.4]


def _broken(tmp_path: Path) -> list[tuple[Path, str]]:
    cut = tmp_path / "cut.csv.gz"
    whole = gzip.compress(b"when,T,cond\n" + b"2024-03-01T00:00Z,28,1\n" * 5000)
    cut.write_bytes(whole[: len(whole) // 2])
    plain = tmp_path / "plain.csv.gz"
    plain.write_text("when,T,cond\n")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("when,T,cond\n2024-03-01T00:00Z,28°,1\n".encode("latin-1"))
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    return [
        (tmp_path / "absent.csv", "a file that exists"),
        (tmp_path, "a whole CSV"),
        (cut, "a whole CSV"),
        (plain, "a whole CSV"),
        (latin, "UTF-8"),
        (empty, "time.column"),
    ]


def test_a_file_that_is_no_csv_is_a_fault_of_the_caller(tmp_path: Path) -> None:
    mapping = parse_mapping(MAPPING.format(time="", device=""), "m.toml")
    for path, accepted in _broken(tmp_path):
        with pytest.raises(ConfigError, match=accepted) as caught:
            read_csv(path, mapping)
        assert path.name in str(caught.value)


LABELLED = """
[time]
column = "t"
format = "epoch_s"
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
columns.sal_g_l = "s"
[device.labels]
column = "f"
"""


def _marked(tmp_path: Path, rule: str) -> list[bool]:
    file = tmp_path / "a.csv"
    flags = ["<0>", "<-3> (CAF)", "<1>", "", "<0>"]
    # Times fall, so that marks have to be put in order with their rows.
    rows = [f"{1_700_000_000 - i},{i},{flag}\n" for i, flag in enumerate(flags)]
    file.write_text("t,s,f\n" + "".join(rows) + "1700000009,NA,<1>\n")
    (track,) = read_csv(file, parse_mapping(LABELLED + rule, "m.toml")).tracks
    assert track.labelled is not None
    assert track.columns["sal_g_l"].tolist() == [4.0, 3.0, 2.0, 1.0, 0.0]
    marks: list[bool] = track.labelled.tolist()
    return marks


def test_rows_that_people_have_marked(tmp_path: Path) -> None:
    assert _marked(tmp_path, 'starts_with = ["<-3>", "<1>"]') == [False, False, True, True, False]
    assert _marked(tmp_path, 'not_in = ["<0>"]') == [False, True, True, True, False]
    for wrong in ("", 'starts_with = ["a"]\nnot_in = ["b"]', "starts_with = []"):
        with pytest.raises(ConfigError, match="one of starts_with and not_in"):
            parse_mapping(LABELLED + wrong, "m.toml")
    (tmp_path / "b.csv").write_text("t,s\n")
    with pytest.raises(ConfigError, match=r"device\[vk-01\].labels = 'f'"):
        read_csv(tmp_path / "b.csv", parse_mapping(LABELLED + 'not_in = ["a"]', "m.toml"))


def test_where_nobody_has_looked_nothing_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("t,s\n1700000000,1\n")
    mapping = parse_mapping(LABELLED.partition("[device.labels]")[0], "m.toml")
    assert read_csv(file, mapping).tracks[0].labelled is None
