"""InfluxQL: the one query language that InfluxDB 1.x, 2.x and 3 share. Asking and reading.

What is asked is a value and its flag, bound by time and number. Names are quoted, texts are
escaped, numbers are numbers: nothing from outside is part of a query as it came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from ingest import line_protocol
from ingest.points import flag_field, part_tag, tags
from ingest.reading import Flag, FlagArray, FloatArray, IntArray
from ingest.series import Series

_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")


def identifier(name: str) -> str:
    """A name in double quotes. Raises `ValueError` for what cannot stand in one."""
    if not name:
        raise ValueError("an empty name cannot stand in a query")
    return f'"{_escaped(name, chr(34))}"'


def literal(text: str) -> str:
    """A text in single quotes. Raises `ValueError` for what cannot stand in one."""
    return f"'{_escaped(text, chr(39))}'"


def _escaped(text: str, quote: str) -> str:
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a query")
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote)


def select(
    measurement: str, field: str, tagged: Mapping[str, str], from_ms: int, to_ms: int, limit: int
) -> str:
    """A field and its flag in [from, to), by rising time. A tag of "" is absent."""
    latest = line_protocol.LATEST_MS
    where = [f"{identifier(key)} = {literal(value)}" for key, value in tagged.items()]
    where.append(f"time >= {max(-latest, min(latest, from_ms)):d}ms")
    where.append(f"time < {max(-latest, min(latest, to_ms)):d}ms")
    chosen = f"{identifier(field)}, {identifier(flag_field(field))}"
    return " ".join(
        [
            *("SELECT", chosen, "FROM", identifier(measurement), "WHERE", " AND ".join(where)),
            f"ORDER BY time ASC LIMIT {limit:d}",
        ]
    )


def select_series(series: Series, from_ms: int, to_ms: int, limit: int) -> str:
    """The points of one series."""
    known = tags(series)
    tagged = {key: known.get(key, "") for key in ("device", part_tag(series.kind))}
    return select(series.kind, series.quantity, tagged, from_ms, to_ms, limit)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a `select` gave, by rising time, each time once.

    t_ms : int64[N]; value : float64[N]; flag : uint8[N], see `Flag`
    n_read : rows that the server sent, before any were left out
    last_ms : time of the last of them, None where there was none
    cut : whether the server says that there is more than it sent
    """

    t_ms: IntArray
    value: FloatArray
    flag: FlagArray
    n_read: int
    last_ms: int | None
    cut: bool


class _Series(msgspec.Struct):
    columns: list[str]
    values: list[tuple[int, float | None, float | None]]
    partial: bool = False


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Results(msgspec.Struct):
    results: list[_Result] | None = None
    error: str = ""


_RESULTS = msgspec.json.Decoder(_Results)
_FLAGS = np.array([int(flag) for flag in Flag], dtype=np.float64)


class QueryError(ValueError):
    """An answer that gives no rows: an error of the server, or nothing of InfluxDB's."""


def read_rows(body: bytes, field: str) -> Rows:
    """The rows of an answer to `select`. Raises `QueryError` with what the server says.

    A flag that is none becomes "not evaluated".
    """
    try:
        said = _RESULTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise QueryError(f"this is no answer of InfluxDB: {error}") from error
    results = said.results or []
    failed = said.error or next((each.error for each in results if each.error), "")
    if failed or said.results is None:
        raise QueryError(failed or "this is no answer of InfluxDB: it has no results")
    found = [series for result in results for series in result.series]
    if any(series.columns != ["time", field, flag_field(field)] for series in found):
        raise QueryError("other columns came than were asked for")
    sent = [row for series in found for row in series.values]
    kept = [row for row in sent if row[1] is not None]
    # Only points with tags that are not ours could be two at one time.
    t_ms, at = np.unique(np.array([row[0] for row in kept], dtype=np.int64), return_index=True)
    value = np.array([row[1] for row in kept], dtype=np.float64)
    flag = np.array([row[2] if row[2] is not None else 0 for row in kept], dtype=np.float64)
    flag = np.where(np.isin(flag, _FLAGS), flag, float(Flag.NOT_EVALUATED))
    return Rows(
        t_ms,
        value[at],
        flag[at].astype(np.uint8),
        n_read=len(sent),
        last_ms=max((row[0] for row in sent), default=None),
        cut=any(series.partial for series in found),
    )
