"""The store's file: its tables, their version, and how older files are brought forward."""

import sqlite3
from pathlib import Path

from ingest import changes, hours
from ingest.journal import SchemaError

SCHEMA_VERSION = 2

_TABLES = """CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
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
  pos INTEGER NOT NULL, body BLOB NOT NULL)"""

CACHE_KIB = 65_536
"""Each series grows on a page of its own: the newest pages of all should stay in memory."""

CHECKPOINT_PAGES = 16_384
"""Pages in SQLite's log before they are copied to their places: each is copied once, however
often it was written since."""


def opened(path: Path) -> sqlite3.Connection:
    """The writer's connection, with all tables there.

    Raises SchemaError where a newer version of the service has written the file.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    try:
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, and bring forward a file of an older version: all, or nothing."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise SchemaError(path, version, SCHEMA_VERSION)
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES.split(";"), *changes.TABLES, *hours.TABLES):
        connection.execute(statement)
    if version == 1:
        _from_1(connection)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _from_1(connection: sqlite3.Connection) -> None:
    """Readings of before hours were summed up; the first mark of an hour tells the beginning."""
    (begun_ms,) = connection.execute("SELECT min(at_ms) FROM hour").fetchone()
    if begun_ms is not None:
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('begun_ms', ?)", (begun_ms,))
    changes.put_everything(connection, begun_ms or 0)
