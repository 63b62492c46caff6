"""`farmers.sqlite`: its tables, and what is needed so that what is erased is gone.

The senders' outbox reads `contact` and `follow` over a connection of its own that only reads.
An id of a contact is never given to anybody else (AUTOINCREMENT).
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ingest.journal import SchemaError

SCHEMA_VERSION: Final = 1
BUSY_S: Final = 5.0
CHECKPOINT_BUSY_MS: Final = 100

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS contact (
        id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, kind TEXT NOT NULL,
        state TEXT NOT NULL, finger BLOB NOT NULL, address BLOB NOT NULL,
        token BLOB, token_sha256 BLOB UNIQUE,
        lang TEXT NOT NULL, quiet_from INTEGER, quiet_to INTEGER, quiet_urgent INTEGER,
        origin TEXT NOT NULL, officer TEXT NOT NULL, consent TEXT NOT NULL,
        created_ms INTEGER NOT NULL, confirmed_ms INTEGER, until_ms INTEGER,
        owed TEXT NOT NULL
    ) STRICT""",
    """CREATE UNIQUE INDEX IF NOT EXISTS contact_once ON contact (channel, finger)
        WHERE state = 'active'""",
    "CREATE INDEX IF NOT EXISTS contact_finger ON contact (finger)",
    "CREATE INDEX IF NOT EXISTS contact_until ON contact (until_ms) WHERE until_ms IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS contact_owed ON contact (id) WHERE owed <> ''",
    """CREATE TABLE IF NOT EXISTS follow (
        intake TEXT NOT NULL, side TEXT NOT NULL, level_mg_l INTEGER NOT NULL,
        contact INTEGER NOT NULL, crop TEXT NOT NULL, wants INTEGER NOT NULL,
        active INTEGER NOT NULL,
        PRIMARY KEY (intake, side, level_mg_l, contact, crop)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS follow_contact ON follow (contact)",
    """CREATE TABLE IF NOT EXISTS code (
        contact INTEGER PRIMARY KEY, request_sha256 BLOB NOT NULL UNIQUE, salt BLOB NOT NULL,
        hash BLOB NOT NULL, until_ms INTEGER NOT NULL, tries_left INTEGER NOT NULL
    ) STRICT""",
    "CREATE TABLE IF NOT EXISTS asked (finger BLOB NOT NULL, at_ms INTEGER NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS asked_finger ON asked (finger, at_ms)",
    "CREATE INDEX IF NOT EXISTS asked_at ON asked (at_ms)",
    """CREATE TABLE IF NOT EXISTS stopped (
        finger BLOB PRIMARY KEY, at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS ever (what TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT",
)


class PeopleFile:
    """One connection that writes and one that reads, each for several threads."""

    def __init__(self, path: Path) -> None:
        """Raises SchemaError where a newer version has written the file."""
        # Made before SQLite opens it, so that no moment exists in which others can read it;
        # SQLite gives its -wal and -shm files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self.path = path
        self._lock, self._reading_lock = threading.Lock(), threading.Lock()
        self._connection = _connected(path)
        self._reading = _connected(path)
        self._unswept = True
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            for connection in (self._connection, self._reading):
                # What is erased is overwritten; what SQLite sorts on the way stays in memory.
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute("PRAGMA temp_store=MEMORY")
            with self.transaction() as connection:
                _make_tables(connection, path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock, self._reading_lock:
            self._reading.close()
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[sqlite3.Connection]:
        """All of it, or nothing; durable when the block is left.

        keep : False takes it all back at the end, for those who want to know what would be
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT" if keep else "ROLLBACK")
            self._unswept = True

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a question gives."""
        with self._reading_lock:
            return self._reading.execute(sql, values).fetchall()

    def begin_after(self, contact: int) -> None:
        """Give no id up to this one to anybody: other files may still know a person by it."""
        with self.transaction() as connection:
            changed = connection.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'contact'", (contact,)
            )
            if not changed.rowcount:
                connection.execute("INSERT INTO sqlite_sequence VALUES ('contact', ?)", (contact,))

    def sweep_log(self) -> bool:
        """Empty the write-ahead log, in which the bytes of what was erased still stand.

        False where somebody reads at this moment; the next call tries again.
        """
        with self._lock:
            if not self._unswept:
                return True
            self._connection.execute(f"PRAGMA busy_timeout={CHECKPOINT_BUSY_MS}")
            try:
                (busy, _, _) = self._connection.execute(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                ).fetchone()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={round(BUSY_S * 1000)}")
            self._unswept = bool(busy)
            return not busy


def carry_stops(older: Path, newer: Path) -> None:
    """Have who has stopped by one file stopped in another, which may know less of it.

    Both files are nobody's at this moment. Raises sqlite3.DatabaseError.
    """
    with contextlib.closing(_connected(newer)) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("ATTACH ? AS older", (str(older),))
        connection.execute("BEGIN IMMEDIATE")
        gone = "SELECT id FROM main.contact WHERE finger IN (SELECT finger FROM older.stopped)"
        for table in ("code", "follow"):
            connection.execute(f"DELETE FROM main.{table} WHERE contact IN ({gone})")  # noqa: S608 - constants
        connection.execute(f"DELETE FROM main.contact WHERE id IN ({gone})")  # noqa: S608 - a constant
        connection.execute("INSERT OR IGNORE INTO main.stopped SELECT * FROM older.stopped")
        connection.execute("COMMIT")


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > SCHEMA_VERSION:
        raise SchemaError(path, found, SCHEMA_VERSION)
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
