"""Which readings each commit has written: what rollups and the historian go by.

A row of the log holds the (series, t) that one entry of the journal has touched, not their
values: whoever reads it takes the values as they now stand, so that many words about one
reading are told once. Each consumer goes at its own pace, by the number of the row that it
is through with; a row is kept until all are.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
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
    """Note all that is stored, series by series: for a consumer that begins."""
    for (series,) in connection.execute("SELECT id FROM series ORDER BY id").fetchall():
        found = connection.execute("SELECT t FROM reading WHERE series = ? ORDER BY t", (series,))
        while times := found.fetchmany(PAIRS_MAX):
            pairs = np.empty(len(times), dtype=_PAIR)
            pairs["series"], pairs["t_ms"] = series, [t for (t,) in times]
            _put_pairs(connection, pairs, at_ms)


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
    count, oldest = connection.execute(
        "SELECT count(*), min(at_ms) FROM change WHERE id > ?", (after,)
    ).fetchone()
    return Backlog(int(count), None if oldest is None else int(oldest))


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
    streams = {key: number for number, key in enumerate(table.columns)}
    stream_of = np.array([streams[one.stream] for one in table.entries], dtype=np.int64)
    touched = np.unique(np.stack((stream_of[series], t_ms)), axis=1)
    columns = list(table.columns.values())
    rows: list[tuple[int, int, int, float, int]] = []
    for stream, group in groupby(touched.T.tolist(), key=itemgetter(0)):
        times = json.dumps([t for _, t in group])
        for number in columns[stream].values():
            found = connection.execute(
                "SELECT t, value, flag FROM reading WHERE series = ? AND t IN "
                "(SELECT value FROM json_each(?))",
                (number, times),
            )
            rows.extend([(stream, t, number, value, flag) for t, value, flag in found])
    rows.sort()
    return Changes(position, _batch(rows))


def _batch(rows: Sequence[tuple[int, int, int, float, int]]) -> Batch:
    if not rows:
        return Batch.empty()
    _, t_ms, series, value, flag = zip(*rows, strict=True)
    return Batch.of(series, t_ms, value, flag)
