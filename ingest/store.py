"""The embedded store: readings with their flags, and what must be committed with them.

One writer, the processor, puts a step's whole outcome down in one transaction together
with the position in the journal. Readers have connections of their own (SQLite's WAL).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ingest import changes, hours
from ingest.reading import Batch
from ingest.rollups import HOUR_MS
from ingest.store_file import opened

DEAD_LETTERS_MAX = 100_000
DEAD_LETTERS_MAX_BYTES = 200_000_000
DEAD_LETTER_HEAD_BYTES = 4096
DEAD_LETTER_TOPIC_CHARS = 1024

READING_COLUMNS = 6
ROWS_AT_ONCE = 500
"""Rows of one statement: sqlite3 lets go of the interpreter's lock for each statement, and
between other busy threads it is long until it has it back."""


def _upsert_readings(rows: int) -> str:
    # A row's `pos` names the entry that first brought it, and stays. An entry that is stepped
    # again after a crash must not see what it wrote the first time.
    return (
        "INSERT INTO reading(series, t, value, flag, why, pos) VALUES "  # noqa: S608 - constants
        + ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)
        + " ON CONFLICT(series, t) DO UPDATE SET "
        "value = excluded.value, flag = excluded.flag, why = excluded.why"
    )


_UPSERT_READING, _UPSERT_MANY = _upsert_readings(1), _upsert_readings(ROWS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What was refused. `head` is the beginning of the payload."""

    at_ms: int
    topic: str
    reason: str
    detail: str
    size: int
    head: bytes


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane's interval as the device sent it; `body` is its msgpack."""

    stream: str
    lane: int
    t1_ms: int
    t0_ms: int
    body: bytes


class Store:
    """The writing side. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.connection = opened(path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable on exit."""
        self.begin()
        try:
            yield self.connection
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """On return what was written since `begin` survives a power cut."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was written since `begin`; a full disk may have done it already."""
        if self.in_transaction:
            self.connection.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def prepare(self, create: Callable[[sqlite3.Connection], None]) -> None:
        """Let another part make its tables in this file, to be written with the readings."""
        create(self.connection)

    @property
    def position(self) -> int:
        """The position of the newest journal entry whose outcome is stored."""
        return int(self.meta("position") or 0)

    def meta(self, key: str) -> Any:
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: object) -> None:
        """Within a transaction, or by itself."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put_series(self, keys: Sequence[str]) -> None:
        self.connection.executemany(
            "INSERT OR IGNORE INTO series(id, key) VALUES (?, ?)", enumerate(keys)
        )

    def put_readings(self, rows: Batch, position: int) -> None:
        """Store rows; of several for one (series, t) the last stands."""
        if len(rows) >= ROWS_AT_ONCE:
            # Neighbours on the disk one after the other; a stable order keeps the last word last.
            rows = rows.take(np.lexsort((rows.t_ms, rows.series)))
        columns = zip(
            rows.series.tolist(),
            rows.t_ms.tolist(),
            rows.value.tolist(),
            rows.flag.tolist(),
            rows.why.tolist(),
            (position,) * len(rows),
            strict=True,
        )
        values = list(chain.from_iterable(columns))
        whole = len(rows) // ROWS_AT_ONCE * ROWS_AT_ONCE * READING_COLUMNS
        width = ROWS_AT_ONCE * READING_COLUMNS
        for at in range(0, whole, width):
            self.connection.execute(_UPSERT_MANY, values[at : at + width])
        self.connection.executemany(
            _UPSERT_READING,
            (
                values[at : at + READING_COLUMNS]
                for at in range(whole, len(values), READING_COLUMNS)
            ),
        )

    def put_change(self, rows: Batch, at_ms: int) -> None:
        """Note for rollups and the historian which readings this transaction writes."""
        changes.put(self.connection, rows, at_ms)

    def drain_to(self, target: str | None, at_ms: int) -> None:
        """Name the historian that readings are copied to; None where there is none.

        Another than before begins with everything that is stored.
        """
        if target == self.meta("drain_target"):
            return
        with self.transaction():
            if target is not None:
                last = changes.last(self.connection)
                rolled_up = self.rolled_up == last
                changes.put_everything(self.connection, at_ms)
                self.set_meta("drained", last)
                if rolled_up:
                    self.set_meta("rolled_up", changes.last(self.connection))
            self.set_meta("drain_target", target)
            self._prune()

    @property
    def drained(self) -> int:
        """The place in the log of changes up to which the historian has everything."""
        return int(self.meta("drained") or 0)

    @property
    def rolled_up(self) -> int:
        """The place in the log of changes up to which hours are summed up."""
        return int(self.meta("rolled_up") or 0)

    def set_drained(self, position: int, letters: Sequence[DeadLetter]) -> None:
        """The historian has everything up to a place, but for what it refused."""
        with self.transaction():
            self.set_meta("drained", position)
            if letters:
                self.put_dead_letters(letters)
            self._prune()

    def roll_up(self, limit: int) -> bool:
        """Sum up the hours of about `limit` changed readings; whether there were any."""
        before = self.rolled_up
        if changes.last(self.connection) == before:
            return False
        with self.transaction() as connection:
            self.set_meta("rolled_up", hours.roll_up(connection, before, limit))
            self._prune()
        return True

    def _prune(self) -> None:
        through = self.rolled_up
        if self.meta("drain_target") is not None:
            through = min(through, self.drained)
        changes.prune(self.connection, through)

    def put_lane_intervals(self, rows: Iterable[LaneRow], position: int) -> None:
        self.connection.executemany(
            # What an interval gains later is a row of its own: an entry that is stepped again
            # must see it as it was.
            "INSERT INTO lane_interval(stream, lane, t1, t0, body, pos) VALUES (?, ?, ?, ?, ?, ?)",
            [(r.stream, r.lane, r.t1_ms, r.t0_ms, r.body, position) for r in rows],
        )

    def put_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Keep what was refused, in a ring bounded by number and by bytes."""
        newest = self.connection.execute(
            "SELECT bytes_before + length(head) + length(topic) FROM dead_letter "
            "ORDER BY id DESC LIMIT 1"
        ).fetchone()
        kept_bytes: int = newest[0] if newest else 0
        for letter in letters:
            topic = letter.topic[:DEAD_LETTER_TOPIC_CHARS]
            head = letter.head[:DEAD_LETTER_HEAD_BYTES]
            self.connection.execute(
                "INSERT INTO dead_letter(at_ms, topic, reason, detail, size, head, bytes_before)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    letter.at_ms,
                    topic,
                    letter.reason,
                    letter.detail,
                    letter.size,
                    head,
                    kept_bytes,
                ),
            )
            kept_bytes += len(head) + len(topic)
        # Both bounds are found from the oldest end: the whole ring is never looked through.
        self.connection.execute(
            "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?",
            (DEAD_LETTERS_MAX,),
        )
        self.connection.execute(
            "DELETE FROM dead_letter WHERE id < "
            "(SELECT id FROM dead_letter WHERE bytes_before >= ? ORDER BY id LIMIT 1)",
            (kept_bytes - DEAD_LETTERS_MAX_BYTES,),
        )

    def put_device(self, device: str, *, link: str | None = None, meta: str | None = None) -> None:
        self.connection.execute(
            "INSERT INTO device(id, link, meta) VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
            "link = coalesce(excluded.link, link), meta = coalesce(excluded.meta, meta)",
            (device, link, meta),
        )

    def put_checkpoint(self, position: int, body: bytes) -> None:
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)", (position, body)
            )

    def checkpoint(self) -> tuple[int, bytes] | None:
        row = self.connection.execute("SELECT pos, body FROM checkpoint").fetchone()
        return (int(row[0]), bytes(row[1])) if row else None

    def value_at(self, series: int, t_ms: int, before: int) -> float | None:
        """The value of a series at a time, as it stood before a journal position."""
        row = self.connection.execute(
            "SELECT value FROM reading WHERE series = ? AND t = ? AND pos < ?",
            (series, t_ms, before),
        ).fetchone()
        return float(row[0]) if row else None

    def lane_rows(self, stream: str, t1_ms: int, before: int) -> list[LaneRow]:
        """The intervals of all lanes of a stream that end at a time; a later row completes."""
        found = self.connection.execute(
            "SELECT stream, lane, t1, t0, body FROM lane_interval "
            "WHERE stream = ? AND t1 = ? AND pos < ? ORDER BY pos",
            (stream, t1_ms, before),
        )
        return [LaneRow(*row) for row in found]

    def lane_neighbour(
        self, stream: str, lane: int, t1_ms: int, before: int, *, later: bool
    ) -> LaneRow | None:
        """The nearest interval of a lane that ends earlier (or later) than a time.

        Of several to the same end the longest, as it was last completed.
        """
        sign, order = (">", "ASC") if later else ("<", "DESC")
        row = self.connection.execute(
            "SELECT stream, lane, t1, t0, body FROM lane_interval "  # noqa: S608 - constants
            f"WHERE stream = ? AND lane = ? AND t1 {sign} ? AND pos < ? "
            f"ORDER BY t1 {order}, t0, pos DESC LIMIT 1",
            (stream, lane, t1_ms, before),
        ).fetchone()
        return LaneRow(*row) if row else None

    def mark_hour(self, now_ms: int, position: int) -> None:
        """Note the journal's position at the beginning of this hour, by which age is told."""
        hour_ms = now_ms - now_ms % HOUR_MS
        self.connection.execute("INSERT OR IGNORE INTO hour VALUES (?, ?)", (hour_ms, position))

    def position_at(self, t_ms: int) -> int:
        """A position of the journal that had been reached by a time; 0 where none is known."""
        row = self.connection.execute(
            "SELECT pos FROM hour WHERE at_ms <= ? ORDER BY at_ms DESC LIMIT 1", (t_ms,)
        ).fetchone()
        return int(row[0]) if row else 0

    def forget_before(self, t_ms: int, position: int, limit: int) -> int:
        """Remove what was observed before a time and came up to a position; returns how many.

        Both must be past: last year's recording, replayed today, stays for as long as today's
        readings do. Nothing goes that the historian has not got, or that is not summed up.
        Up to `limit` readings go, and as many intervals of lanes.
        """
        waiting_ms = changes.oldest_ms(self.connection)
        t_ms = t_ms if waiting_ms is None else min(t_ms, waiting_ms)
        with self.transaction() as connection:
            gone = 0
            for (series,) in connection.execute("SELECT id FROM series").fetchall():
                if gone >= limit:
                    break
                gone += _forget(connection, series, t_ms, position, limit - gone)
            if gone:
                self.set_meta("forgotten_ms", max(t_ms, self.meta("forgotten_ms") or 0))
            gone += connection.execute(
                "DELETE FROM lane_interval WHERE (stream, lane, t1, t0, pos) IN "
                "(SELECT stream, lane, t1, t0, pos FROM lane_interval "
                "WHERE t1 < ? AND pos <= ? LIMIT ?)",
                (t_ms, position, limit),
            ).rowcount
            return gone

    def begun(self, now_ms: int) -> None:
        """Note, once, since when this store has taken readings."""
        self.connection.execute("INSERT OR IGNORE INTO meta VALUES ('begun_ms', ?)", (now_ms,))

    def close(self) -> None:
        self.connection.close()


def _forget(
    connection: sqlite3.Connection, series: int, t_ms: int, position: int, limit: int
) -> int:
    """Remove the oldest readings of a series, keeping the sums of their hours."""
    rows = connection.execute(
        "SELECT t, value, flag FROM reading WHERE series = ? AND t < ? AND pos <= ? "
        "ORDER BY t LIMIT ?",
        (series, t_ms, position, limit),
    ).fetchall()
    if not rows:
        return 0
    times, value, flag = zip(*rows, strict=True)
    hours.note_forgotten(connection, series, Batch.of([series] * len(rows), times, value, flag))
    return connection.execute(
        "DELETE FROM reading WHERE series = ? AND t <= ? AND pos <= ?",
        (series, times[-1], position),
    ).rowcount
