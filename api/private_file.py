"""A file of SQLite that its owner alone can read: secrets of officers, addresses of people."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ingest.journal import SchemaError

BUSY_S: Final = 5.0

Forward = Callable[[sqlite3.Connection], None]


class PrivateFile:
    """One connection that writes and one that reads, each for several threads."""

    def __init__(
        self,
        path: Path,
        version: int,
        tables: Sequence[str],
        bring_forward: Forward = lambda _: None,
    ) -> None:
        """Made where there is none; one of an older version is brought forward: all, or nothing.

        tables : statements, each of which leaves what is there already
        bring_forward : what an older version wrote, once the tables are there

        Raises SchemaError where a newer version has written the file.
        """
        # Made before SQLite opens it, so that no moment exists in which others can read it;
        # SQLite gives its -wal and -shm files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self.path = path
        self._lock, self._reading_lock = threading.Lock(), threading.Lock()
        self._connection = connected(path)
        # Who asks waits for no disk and for no command line that writes.
        self._reading = connected(path)
        self._logged = True  # whether the write-ahead log may hold anything
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            for connection in (self._connection, self._reading):
                # What is erased is overwritten; what SQLite sorts on the way stays in memory.
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute("PRAGMA temp_store=MEMORY")
            self._make_tables(version, tables, bring_forward)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock, self._reading_lock:
            self._reading.close()
            self._connection.close()

    @contextmanager
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
            self._logged = True

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a question gives."""
        with self._reading_lock:
            return self._reading.execute(sql, values).fetchall()

    def _make_tables(self, version: int, tables: Sequence[str], bring_forward: Forward) -> None:
        with self.transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > version:
                raise SchemaError(self.path, found, version)
            for statement in tables:
                connection.execute(statement)
            if found < version:
                bring_forward(connection)
                connection.execute(f"PRAGMA user_version={version}")


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
