import json
from typing import Any

import numpy as np
import pytest

from ingest.influxql import (
    QueryError,
    identifier,
    literal,
    read_rows,
    select,
    select_series,
)
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.ingest.registry_text import BRIDGE, REACHES, RIVER

TABLE = SeriesTable.of(parse_registry(f"{REACHES}{RIVER}{BRIDGE}", "stations.toml"))


def _answer(*values: list[Any], **more: Any) -> bytes:
    series = {"name": "m", "columns": ["time", "v", "v_q"], "values": values, **more}
    return json.dumps({"results": [{"statement_id": 0, "series": [series]}]}).encode()


def test_names_are_quoted_and_texts_escaped() -> None:
    assert identifier("độ mặn") == '"độ mặn"'
    assert identifier('a"b\\c') == '"a\\"b\\\\c"'
    assert literal("it's \\ it") == "'it\\'s \\\\ it'"
    assert literal("") == "''"


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\x7f", "\x85", "\u2028", "\ud800"])
def test_what_cannot_stand_in_a_query_is_refused(text: str) -> None:
    for quoted in (identifier, literal):
        with pytest.raises(ValueError, match="cannot stand in a query"):
            quoted(text)
    with pytest.raises(ValueError, match="empty"):
        identifier("")


def test_a_query_names_series_time_and_number() -> None:
    series = TABLE.entries[TABLE.by_key["cam-01/southbound/flow_pcu_h"]]
    assert select_series(series, 1000, 2000, 50) == (
        'SELECT "flow_pcu_h", "flow_pcu_h_q" FROM "traffic" '
        "WHERE \"device\" = 'cam-01' AND \"dir\" = 'southbound' AND time >= 1000ms AND time < 2000ms "
        "ORDER BY time ASC LIMIT 50"
    )


def test_a_device_without_levels_is_not_the_levels_of_its_name() -> None:
    series = TABLE.entries[TABLE.by_key["mt-01/salinity_g_l"]]
    assert "\"device\" = 'mt-01' AND \"level\" = ''" in select_series(series, 0, 1, 1)


def test_a_query_stays_within_the_times_that_there_are() -> None:
    asked = select("m", "v", {}, -(2**62), 2**62, 1)
    assert "time >= -9223372036854ms AND time < 9223372036854ms" in asked


def test_nothing_that_is_asked_for_leaves_its_quotes() -> None:
    asked = select("m", "v", {"device": "x' OR '1'='1"}, 0, 1, 1)
    assert "\"device\" = 'x\\' OR \\'1\\'=\\'1'" in asked


def test_rows_by_rising_time_each_once() -> None:
    rows = read_rows(_answer([3, 1.5, 1], [1, 2, 3], [3, 2.5, 4], [2, None, 1]), "v")
    assert rows.t_ms.tolist() == [1, 3]
    assert rows.value.tolist() == [2.0, 1.5]
    assert rows.flag.tolist() == [3, 1]
    assert rows.flag.dtype == np.uint8
    assert (rows.n_read, rows.last_ms, rows.cut) == (4, 3, False)
    assert read_rows(_answer([1, 1, 1], partial=True), "v").cut


@pytest.mark.parametrize("flag", [None, 0, 5, 300, -1, 1.5])
def test_a_flag_that_is_none_is_not_evaluated(flag: float | None) -> None:
    assert read_rows(_answer([1, 1.0, flag]), "v").flag.tolist() == [2]


def test_nothing_found() -> None:
    for body in (b'{"results":[{"statement_id":0}]}', b'{"results":[]}'):
        rows = read_rows(body, "v")
        assert (len(rows.t_ms), rows.n_read, rows.last_ms) == (0, 0, None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error":"error parsing query"}', "parsing query"),
        (b'{"results":[{"error":"database not found: x"}]}', "database not found"),
        (b"<html>", "no answer of InfluxDB"),
        (b"", "no answer of InfluxDB"),
        (b"{}", "no answer of InfluxDB"),
        (_answer(["x", 1, 1]), "no answer of InfluxDB"),
        (_answer([1, "x", 1]), "no answer of InfluxDB"),
        (_answer([1, 1, 1]).replace(b'"v_q"', b'"w_q"'), "other columns"),
        (b'\xff{"results":[]}', "no answer of InfluxDB"),
    ],
)
def test_what_gives_no_rows_says_why(body: bytes, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        read_rows(body, "v")
