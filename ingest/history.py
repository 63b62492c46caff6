"""The reading side of the embedded store: history, aggregates, dead letters.

Connections are read-only and see one consistent moment; they never hold the writer up.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest import changes, hours
from ingest.changes import Backlog, Changes
from ingest.reading import Batch
from ingest.rollups import HOUR_MS, Sums, Windows
from ingest.series import SeriesTable
from ingest.store import DeadLetter


@dataclass(frozen=True, slots=True)
class Reach:
    """From which observed times on the store has everything: readings, and whole hours."""

    readings_ms: int
    hours_ms: int


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

    def sums(self, series: int, from_ms: int, to_ms: int, step_ms: int, offset_ms: int = 0) -> Sums:
        """Sums over windows of `step_ms` whose borders lie at `offset_ms` + k steps.

        Flags 1 to 3 count; a window without any is absent. Windows of whole hours are made of
        the hours' rollups, which reach back beyond the readings.
        """
        with self.connection() as connection:
            if step_ms % HOUR_MS or offset_ms % HOUR_MS:
                found = hours.of_readings(connection, series, from_ms, to_ms, step_ms, offset_ms)
                return found.merged()
            rolled = _meta(connection, "rolled_up")
            first_ms = min(-(-from_ms // HOUR_MS) * HOUR_MS, to_ms)
            last_ms = max(to_ms // HOUR_MS * HOUR_MS, first_ms)
            parts = [
                hours.of_readings(connection, series, from_ms, first_ms, HOUR_MS, 0),
                hours.in_hours(connection, series, first_ms, last_ms, rolled),
                hours.of_readings(connection, series, last_ms, to_ms, HOUR_MS, 0),
            ]
        return Sums.concat(parts).merged(step_ms, offset_ms)

    def windows(
        self, series: int, from_ms: int, to_ms: int, step_ms: int, offset_ms: int = 0
    ) -> Windows:
        """The aggregates of `sums`."""
        return self.sums(series, from_ms, to_ms, step_ms, offset_ms).windows()

    def reach(self) -> Reach:
        """How far back the store itself reaches."""
        with self.connection() as connection:
            begun_ms = _meta(connection, "begun_ms")
            return Reach(max(begun_ms, _meta(connection, "forgotten_ms")), begun_ms)

    def changes(self, after: int, limit: int, table: SeriesTable) -> Changes:
        """The next stretch of the log of changes, of about `limit` readings."""
        with self.connection() as connection:
            return changes.take(connection, after, limit, table)

    def change_backlog(self, after: int) -> Backlog:
        """What waits in the log of changes behind a place."""
        with self.connection() as connection:
            return changes.backlog(connection, after)

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


def _meta(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(row[0] or 0) if row else 0
