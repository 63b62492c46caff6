"""The hours of each series in the store, kept up with what is written and what is forgotten.

`hour_rollup` holds an hour's readings summed up; `forgotten_hour` what retention has removed
of it. An hour is always made anew from what is kept and what was noted of the rest, so late
and revised readings stand in it once, and no order of events makes a difference.
"""

import sqlite3
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ingest import changes
from ingest.reading import Batch, IntArray
from ingest.rollups import HOUR_MS, Sums

_COLUMNS = (
    "series INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL, "
    "n_good INTEGER NOT NULL, total REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, "
    "last REAL NOT NULL, last_ms INTEGER NOT NULL, PRIMARY KEY(series, start)"
)
TABLES = tuple(
    f"CREATE TABLE IF NOT EXISTS {table}({_COLUMNS}) WITHOUT ROWID"
    for table in ("hour_rollup", "forgotten_hour")
)
PENDING_MAX_BYTES = 2_000_000
"""Of the log of changes, looked through for hours that are not summed up yet; where there is
more, readings are read instead."""

PENDING_HOURS_MAX = 200


_ROLL_UP = """
WITH part AS (
  SELECT due.series AS series, due.start AS start, 1 AS n, r.flag = 1 AS n_good,
    r.value AS total, r.value AS low, r.value AS high, r.t AS last_ms
  FROM due CROSS JOIN reading AS r
    ON r.series = due.series AND r.t >= due.start AND r.t < due.start + 3600000
  WHERE r.flag <= 3
  UNION ALL
  SELECT f.series, f.start, f.n, f.n_good, f.total, f.low, f.high, f.last_ms
  FROM due CROSS JOIN forgotten_hour AS f ON f.series = due.series AND f.start = due.start),
hour AS (
  SELECT series, start, sum(n) AS n, sum(n_good) AS n_good, sum(total) AS total,
    min(low) AS low, max(high) AS high, max(last_ms) AS last_ms
  FROM part GROUP BY series, start)
INSERT INTO hour_rollup
SELECT series, start, n, n_good, total, low, high, coalesce(
  (SELECT value FROM reading WHERE reading.series = hour.series AND reading.t = hour.last_ms),
  (SELECT last FROM forgotten_hour AS f WHERE f.series = hour.series AND f.start = hour.start)),
  last_ms
FROM hour
"""


def roll_up(connection: sqlite3.Connection, after: int, limit: int) -> int:
    """Sum up the hours that about `limit` changed readings are in; returns how far it came."""
    position, series, t_ms = changes.pairs_after(connection, after, limit)
    hours = np.unique(np.stack((series, t_ms // HOUR_MS * HOUR_MS)), axis=1)
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS due(series INTEGER, start INTEGER)")
    connection.execute("DELETE FROM due")
    connection.executemany("INSERT INTO due VALUES (?, ?)", hours.T.tolist())
    connection.execute(
        "DELETE FROM hour_rollup WHERE (series, start) IN (SELECT series, start FROM due)"
    )
    connection.execute(_ROLL_UP)
    return position


def _runs(series: IntArray, hour_ms: IntArray) -> Iterator[tuple[int, int, int]]:
    """Neighbouring hours of a series in one: (series, begin, end), from sorted columns."""
    if not len(series):
        return
    apart = (np.diff(series) != 0) | (np.diff(hour_ms) != HOUR_MS)
    for begin, end in pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(series)]):
        yield int(series[begin]), int(hour_ms[begin]), int(hour_ms[end - 1]) + HOUR_MS


def note_forgotten(connection: sqlite3.Connection, series: int, gone: Batch) -> None:
    """Keep the sums of readings that are about to be removed."""
    sums = Sums.of_readings(gone, HOUR_MS, 0)
    if len(sums):
        begin_ms, end_ms = int(sums.start_ms[0]), int(sums.start_ms[-1]) + HOUR_MS
        before = of_table(connection, "forgotten_hour", series, begin_ms, end_ms)
        _put(connection, "forgotten_hour", series, Sums.concat([before, sums]).merged())


def of_readings(
    connection: sqlite3.Connection,
    series: int,
    from_ms: int,
    to_ms: int,
    step_ms: int,
    offset_ms: int,
) -> Sums:
    """Readings in [from, to) by windows that begin at `offset_ms` + k steps."""
    # SQLite's division cuts towards zero; times after 1970 are positive. A column beside a
    # lone max() is of the row that holds it (SQLite's "bare columns"), hence two queries.
    start = "((t - :off) / :step) * :step + :off"
    chosen = "FROM reading WHERE series = :s AND t >= :from AND t < :to AND flag <= 3"
    asked = {
        "s": series,
        "from": from_ms,
        "to": to_ms,
        "step": step_ms,
        "off": offset_ms % step_ms,
    }
    rows = connection.execute(
        f"SELECT {start} AS start, count(*), sum(flag = 1), sum(value), min(value), max(value) "
        f"{chosen} GROUP BY start ORDER BY start",
        asked,
    ).fetchall()
    last = connection.execute(
        f"SELECT {start} AS start, value, max(t) {chosen} GROUP BY start ORDER BY start", asked
    ).fetchall()
    return Sums.of_rows([(*row, *end[1:]) for row, end in zip(rows, last, strict=True)])


def of_table(
    connection: sqlite3.Connection, table: str, series: int, from_ms: int, to_ms: int
) -> Sums:
    """Hours of `hour_rollup` or `forgotten_hour` that begin in [from, to)."""
    return Sums.of_rows(
        connection.execute(
            "SELECT start, n, n_good, total, low, high, last, last_ms "  # noqa: S608 - constants
            f"FROM {table} WHERE series = ? AND start >= ? AND start < ? ORDER BY start",
            (series, from_ms, to_ms),
        ).fetchall()
    )


def in_hours(
    connection: sqlite3.Connection, series: int, from_ms: int, to_ms: int, rolled: int
) -> Sums:
    """Whole hours in [from, to), from the rollups and, where those wait, from readings."""
    pending = _pending(connection, series, from_ms, to_ms, rolled)
    if pending is None:
        kept = of_readings(connection, series, from_ms, to_ms, HOUR_MS, 0)
        noted = of_table(connection, "forgotten_hour", series, from_ms, to_ms)
        return Sums.concat([kept, noted])
    hours = of_table(connection, "hour_rollup", series, from_ms, to_ms)
    ready = ~np.isin(hours.start_ms, pending)
    parts = [Sums(*(getattr(hours, name)[ready] for name in Sums.__slots__))]
    for _, begin_ms, end_ms in _runs(np.full(len(pending), series), pending):
        parts.append(of_readings(connection, series, begin_ms, end_ms, HOUR_MS, 0))
        parts.append(of_table(connection, "forgotten_hour", series, begin_ms, end_ms))
    return Sums.concat(parts)


def _pending(
    connection: sqlite3.Connection, series: int, from_ms: int, to_ms: int, rolled: int
) -> IntArray | None:
    """Hours of a series that have changed since they were summed up; None where too many."""
    (size,) = connection.execute(
        "SELECT sum(length(body)) FROM change WHERE id > ?", (rolled,)
    ).fetchone()
    if (size or 0) > PENDING_MAX_BYTES:
        return None
    _, changed, t_ms = changes.pairs_after(connection, rolled, PENDING_MAX_BYTES)
    asked = (changed == series) & (t_ms >= from_ms) & (t_ms < to_ms)
    hours: IntArray = np.unique(t_ms[asked] // HOUR_MS * HOUR_MS)
    return hours if len(hours) <= PENDING_HOURS_MAX else None


def _put(connection: sqlite3.Connection, table: str, series: int, sums: Sums) -> None:
    columns = (getattr(sums, name).tolist() for name in Sums.__slots__)
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
        [(series, *row) for row in zip(*columns, strict=True)],
    )
