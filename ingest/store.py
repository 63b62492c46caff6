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

from ingest.journal import SchemaError
from ingest.reading import Batch

SCHEMA_VERSION = 1
DEAD_LETTERS_MAX = 100_000
DEAD_LETTERS_MAX_BYTES = 200_000_000
DEAD_LETTER_HEAD_BYTES = 4096
DEAD_LETTER_TOPIC_CHARS = 1024

_TABLES = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS reading(
  series INTEGER NOT NULL, t INTEGER NOT NULL, value REAL NOT NULL,
  flag INTEGER NOT NULL, why INTEGER NOT NULL, pos INTEGER NOT NULL,
  PRIMARY KEY(series, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lane_interval(
  stream TEXT NOT NULL, lane INTEGER NOT NULL, t1 INTEGER NOT NULL, t0 INTEGER NOT NULL,
  body BLOB NOT NULL, pos INTEGER NOT NULL,
  PRIMARY KEY(stream, lane, t1, t0, pos)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lane_interval_by_end ON lane_interval(t1);
CREATE TABLE IF NOT EXISTS dead_letter(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, topic TEXT NOT NULL,
  reason TEXT NOT NULL, detail TEXT NOT NULL, size INTEGER NOT NULL, head BLOB NOT NULL,
  bytes_before INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hour(at_ms INTEGER PRIMARY KEY, pos INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS device(id TEXT PRIMARY KEY, link TEXT, meta TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint(id INTEGER PRIMARY KEY CHECK(id = 1),
  pos INTEGER NOT NULL, body BLOB NOT NULL);
"""

HOUR_MS = 3_600_000
READING_COLUMNS = 6
ROWS_AT_ONCE = 500
"""Rows of one statement: sqlite3 lets go of the interpreter's lock for each statement, and
between other busy threads it is long until it has it back."""

CACHE_KIB = 65_536
"""Each series grows on a page of its own: the newest pages of all should stay in memory."""

CHECKPOINT_PAGES = 16_384
"""Pages in SQLite's log before they are copied to their places: each is copied once, however
often it was written since."""


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
        self.connection = _open(path)

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
        readings do. Up to `limit` readings go, and as many intervals of lanes.
        """
        with self.transaction() as connection:
            gone = 0
            for (series,) in connection.execute("SELECT id FROM series").fetchall():
                if gone >= limit:
                    break
                gone += connection.execute(
                    "DELETE FROM reading WHERE series = ? AND t IN "
                    "(SELECT t FROM reading WHERE series = ? AND t < ? AND pos <= ? LIMIT ?)",
                    (series, series, t_ms, position, limit - gone),
                ).rowcount
            gone += connection.execute(
                "DELETE FROM lane_interval WHERE (stream, lane, t1, t0, pos) IN "
                "(SELECT stream, lane, t1, t0, pos FROM lane_interval "
                "WHERE t1 < ? AND pos <= ? LIMIT ?)",
                (t_ms, position, limit),
            ).rowcount
            return gone

    def close(self) -> None:
        self.connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        connection.close()
        raise SchemaError(path, version, SCHEMA_VERSION)
    connection.executescript(_TABLES)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    return connection
