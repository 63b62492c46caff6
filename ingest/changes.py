"""Which readings each commit has written: what rollups and the historian go by.

A row of the log holds the (series, t) that one entry of the journal has touched, not their
values: whoever reads it takes the values as they now stand, so that many words about one
reading are told once. Each consumer goes at its own pace, by the number of the row that it
is through with; a row is kept until all are.
"""

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from ingest.reading import Batch, IntArray
from ingest.series import SeriesTable

TABLES = (
    """CREATE TABLE IF NOT EXISTS change(id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL, oldest_ms INTEGER NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS change_by_oldest ON change(oldest_ms)",
)

PAIRS_MAX = 20_000
"""(series, t) of one row: a consumer takes rows whole."""

PAIRS_AT_ONCE = 500
"""(series, t) asked of the store by one statement."""

_PAIR = np.dtype([("series", "<i4"), ("t_ms", "<i8")])
_Pairs = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Changes:
    """Readings of a stretch of the log, as they now stand.

    position : what it holds reaches up to here, inclusive
    readings : all quantities of each stream at each time that was touched, sorted by series
        within time within stream, so that a point can be written whole
    """

    position: int
    readings: Batch


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: rows of the log, and when the oldest of them was committed."""

    entries: int
    oldest_at_ms: int | None


def put(connection: sqlite3.Connection, readings: Batch, at_ms: int) -> None:
    """Note readings that this transaction writes."""
    pairs = np.empty(len(readings), dtype=_PAIR)
    pairs["series"], pairs["t_ms"] = readings.series, readings.t_ms
    _put_pairs(connection, pairs, at_ms)


def _put_pairs(connection: sqlite3.Connection, pairs: _Pairs, at_ms: int) -> None:
    for begin in range(0, len(pairs), PAIRS_MAX):
        part = pairs[begin : begin + PAIRS_MAX]
        connection.execute(
            "INSERT INTO change(at_ms, oldest_ms, body) VALUES (?, ?, ?)",
            (at_ms, int(part["t_ms"].min()), part.tobytes()),
        )


def put_everything(connection: sqlite3.Connection, at_ms: int) -> None:
    """Note all that is stored, for a consumer that begins: stream by stream, by time.

    So what belongs to one point stands together, and is taken as one.
    """
    known = connection.execute("SELECT key, id FROM series").fetchall()
    streams = sorted((key.rpartition("/")[0], number) for key, number in known)
    for _, members in groupby(streams, key=itemgetter(0)):
        found = connection.execute(
            "SELECT series, t FROM reading WHERE series IN (SELECT value FROM json_each(?)) "
            "ORDER BY t",
            (json.dumps([number for _, number in members]),),
        )
        while rows := found.fetchmany(PAIRS_MAX):
            _put_pairs(connection, np.array(rows, dtype=_PAIR), at_ms)


def last(connection: sqlite3.Connection) -> int:
    """The number of the newest row that ever was."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change'").fetchone()
    return int(row[0]) if row else 0


def prune(connection: sqlite3.Connection, up_to: int) -> None:
    """Let go of rows that all consumers are through with."""
    connection.execute("DELETE FROM change WHERE id <= ?", (up_to,))


def oldest_ms(connection: sqlite3.Connection) -> int | None:
    """The oldest observed time in the log: nothing from there on may be forgotten."""
    row = connection.execute("SELECT min(oldest_ms) FROM change").fetchone()
    return None if row[0] is None else int(row[0])


def backlog(connection: sqlite3.Connection, after: int) -> Backlog:
    """What a consumer that is through with `after` has before it."""
    # Rows go from the oldest end alone, so they need not be counted one by one: after a day
    # without the historian that would be long, and it is asked each second.
    row = connection.execute(
        "SELECT id, at_ms FROM change WHERE id > ? ORDER BY id LIMIT 1", (after,)
    ).fetchone()
    if row is None:
        return Backlog(0, None)
    (newest,) = connection.execute("SELECT max(id) FROM change").fetchone()
    return Backlog(int(newest) - int(row[0]) + 1, int(row[1]))


def pairs_after(
    connection: sqlite3.Connection, after: int, limit: int
) -> tuple[int, IntArray, IntArray]:
    """The next rows, of at least one and about `limit` pairs: (position, series, t_ms)."""
    parts: list[_Pairs] = []
    position, size = after, 0
    for number, body in connection.execute(
        "SELECT id, body FROM change WHERE id > ? ORDER BY id", (after,)
    ):
        part = np.frombuffer(body, dtype=_PAIR)
        if parts and size + len(part) > limit:
            break
        parts.append(part)
        position, size = number, size + len(part)
    pairs = np.concatenate(parts) if parts else np.empty(0, dtype=_PAIR)
    return position, pairs["series"].astype(np.int64), pairs["t_ms"].astype(np.int64)


def take(connection: sqlite3.Connection, after: int, limit: int, table: SeriesTable) -> Changes:
    """The next stretch of the log with the readings as they now stand.

    Nothing where it holds series that the table does not know yet: its holder is about to
    hear of them.
    """
    position, series, t_ms = pairs_after(connection, after, limit)
    if not len(series) or series.max() >= len(table):
        return Changes(after, Batch.empty())
    series, t_ms = _whole_points(series, t_ms, table)
    asked = np.stack((series, t_ms), axis=1)
    # One flat list: thousands of rows that stay alive would set the collector of cycles to work,
    # over all that the process has, for a third of the time of this.
    found: list[float | None] = []
    for at in range(0, len(asked), PAIRS_AT_ONCE):
        part = asked[at : at + PAIRS_AT_ONCE]
        rows = connection.execute(_select(len(part)), part.ravel().tolist())
        found.extend(chain.from_iterable(rows))
    value = np.array(found[0::2], dtype=np.float64)  # None, where nothing is, becomes NaN
    there = np.flatnonzero(~np.isnan(value))
    flag = np.array([one or 0 for one in found[1::2]], dtype=np.uint8)
    return Changes(position, Batch.of(series, t_ms, value, flag).take(there))


def _whole_points(
    series: IntArray, t_ms: IntArray, table: SeriesTable
) -> tuple[IntArray, IntArray]:
    """(series, t) of all quantities of each stream at each time that was touched, once each.

    By series within time within stream.
    """
    columns = [sorted(numbers.values()) for numbers in table.columns.values()]
    stream_of = np.empty(len(table), dtype=np.int64)
    for number, own in enumerate(columns):
        stream_of[own] = number
    stream = stream_of[series]
    order = np.lexsort((t_ms, stream))
    stream, t_ms = stream[order], t_ms[order]
    first = np.r_[True, (stream[1:] != stream[:-1]) | (t_ms[1:] != t_ms[:-1])]
    stream, t_ms = stream[first], t_ms[first]
    # The k-th row of a point is the k-th series of its stream.
    widths = np.array([len(own) for own in columns], dtype=np.int64)
    begins = np.cumsum(widths) - widths
    width = widths[stream]
    rank = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width)
    numbers = np.array(list(chain.from_iterable(columns)), dtype=np.int64)
    return numbers[np.repeat(begins[stream], width) + rank], np.repeat(t_ms, width)


@lru_cache(maxsize=8)
def _select(pairs: int) -> str:
    # One statement for many: each is little work beside its own overhead. A row for each that
    # was asked, in that order.
    return (
        "WITH asked(series, t) AS (VALUES "  # noqa: S608 - constants
        + ", ".join(["(?, ?)"] * pairs)
        + ") SELECT r.value, r.flag FROM asked "
        "LEFT JOIN reading AS r ON r.series = asked.series AND r.t = asked.t"
    )
