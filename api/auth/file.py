"""`auth.sqlite`: its tables, and files of older versions brought forward.

Every use is one short transaction on a file of its own, so that what the command line does
(a token revoked, an officer removed) holds at the service's next request.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from api.auth import passwords
from ingest.journal import SchemaError

SCHEMA_VERSION: Final = 1
BUSY_S: Final = 5.0

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS token (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, sha256 BLOB NOT NULL,
        created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS officer (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL,
        created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS session (
        id TEXT PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL REFERENCES officer (name), address TEXT NOT NULL,
        begun_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, idle_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS session_name ON session (name)",
    """CREATE TABLE IF NOT EXISTS audit (
        id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL,
        what TEXT NOT NULL, outcome TEXT NOT NULL
    ) STRICT""",
)


class AuthFile:
    """One connection that writes and one that reads, each for several threads."""

    def __init__(self, path: Path) -> None:
        """Raises SchemaError where a newer version has written the file."""
        # Made before SQLite opens it, so that no moment exists in which others can read it;
        # SQLite gives its -wal and -shm files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._lock, self._reading_lock = threading.Lock(), threading.Lock()
        self._connection = _connected(path)
        # Who asks who somebody is waits for no disk and for no command line that writes.
        self._reading = _connected(path)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            # What is removed is gone from the file too: hashes of passwords among it.
            self._connection.execute("PRAGMA secure_delete=ON")
            with self.transaction() as connection:
                _bring_up_to_date(connection, path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock, self._reading_lock:
            self._reading.close()
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it, or nothing; durable when the block is left."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a question gives."""
        with self._reading_lock:
            return self._reading.execute(sql, values).fetchall()


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, and bring forward a file of an older version: all, or nothing."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > SCHEMA_VERSION:
        raise SchemaError(path, found, SCHEMA_VERSION)
    for statement in _TABLES:
        connection.execute(statement)
    if found == SCHEMA_VERSION:
        return
    old = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'user'").fetchone()
    if old is not None:
        _from_scrypt(connection)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _from_scrypt(connection: sqlite3.Connection) -> None:
    """Officers of before there were sessions: salt and scrypt become one text."""
    officers = connection.execute("SELECT name, role, salt, scrypt, created_ms FROM user")
    connection.executemany(
        "INSERT INTO officer VALUES (?, ?, ?, ?, ?)",
        [
            (name, role, passwords.of_scrypt(salt, digest), at_ms, at_ms)
            for name, role, salt, digest, at_ms in officers.fetchall()
        ],
    )
    connection.execute("DROP TABLE user")
