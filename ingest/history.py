"""The reading side of the embedded store: history, aggregates, dead letters.

Connections are read-only and see one consistent moment; they never hold the writer up.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.reading import Batch, FloatArray, IntArray
from ingest.store import DeadLetter


@dataclass(frozen=True, slots=True)
class Windows:
    """Aggregates of one series: columns of equal length, one row a window with readings.

    start_ms : int64[W]; n, n_good : int64[W], counts of flags 1 to 3 and of flag 1;
    mean, low, high, last : float64[W]
    """

    start_ms: IntArray
    n: IntArray
    n_good: IntArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    last: FloatArray


class StoreReader:
    """The reading side: any number of threads, with as many connections as ask at one time.

    Connections are handed on, not tied to threads: pools of threads come and go.
    """

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=ro"
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection of the caller's own, inside one consistent view."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5
            )
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
            with self._lock:
                self._idle.append(connection)

    def points(self, series: int, from_ms: int, to_ms: int, limit: int) -> Batch:
        """Readings of one series in [from, to), oldest first."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT t, value, flag, why FROM reading "
                "WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT ?",
                (series, from_ms, to_ms, limit),
            ).fetchall()
        if not rows:
            return Batch.empty()
        t_ms, value, flag, why = zip(*rows, strict=True)
        return Batch.of([series] * len(rows), t_ms, value, flag, why)

    def windows(
        self, series: int, from_ms: int, to_ms: int, step_ms: int, offset_ms: int = 0
    ) -> Windows:
        """Aggregates over windows of `step_ms` whose borders lie at `offset_ms` + k steps.

        Flags 1 to 3 count; a window without any is absent.
        """
        # SQLite's division cuts towards zero; times after 1970 are positive.
        start = "((t - :off) / :step) * :step + :off"
        chosen = "FROM reading WHERE series = :s AND t >= :from AND t < :to AND flag <= 3"
        asked = {
            "s": series,
            "from": from_ms,
            "to": to_ms,
            "step": step_ms,
            "off": offset_ms % step_ms,
        }
        with self.connection() as connection:
            rows = connection.execute(
                f"SELECT {start} AS start, count(*), sum(flag = 1), avg(value), min(value), "
                f"max(value) {chosen} GROUP BY start ORDER BY start",
                asked,
            ).fetchall()
            # A column beside a lone max() is of the row that holds it (SQLite's "bare columns").
            last = [
                value
                for _, value, _ in connection.execute(
                    f"SELECT {start} AS start, value, max(t) {chosen} "
                    "GROUP BY start ORDER BY start",
                    asked,
                )
            ]
        columns = list(zip(*rows, strict=True)) if rows else [()] * 6
        start_ms, n, n_good = (np.array(columns[i], dtype=np.int64) for i in (0, 1, 2))
        mean, low, high = (np.array(columns[i], dtype=np.float64) for i in (3, 4, 5))
        return Windows(start_ms, n, n_good, mean, low, high, np.array(last, dtype=np.float64))

    def dead_letters(self, limit: int, before: int | None = None) -> list[tuple[int, DeadLetter]]:
        """The newest refused messages, newest first, older than the id `before`."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT id, at_ms, topic, reason, detail, size, head FROM dead_letter "
                "WHERE id < ? ORDER BY id DESC LIMIT ?",
                (before if before is not None else 2**62, limit),
            ).fetchall()
        return [(row[0], DeadLetter(*row[1:])) for row in rows]

    def close(self) -> None:
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()
