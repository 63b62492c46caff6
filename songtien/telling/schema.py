"""The tables of `telling.sqlite`, and the counts that are kept of its rows.

Rows go after some months, their counts stay: each delivery that is settled and each message that
is dropped is counted under a day, channel, place, kind, state and why, and wherever it moves,
its count moves with it.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ingest.faults import ConfigError, Fault

VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS position (done INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    place TEXT NOT NULL,
    level_mg_l INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS notice_by_event ON notice (event);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact INTEGER NOT NULL,
    notice INTEGER NOT NULL,
    channel TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    why TEXT NOT NULL DEFAULT 'new',
    until_ms INTEGER NOT NULL DEFAULT 0,
    released INTEGER NOT NULL DEFAULT 0,
    delivery INTEGER,
    UNIQUE (notice, contact)
);
CREATE INDEX IF NOT EXISTS message_due ON message (until_ms, contact)
    WHERE state IN ('waiting', 'held');
CREATE INDEX IF NOT EXISTS message_open ON message (contact)
    WHERE state IN ('waiting', 'held');
CREATE INDEX IF NOT EXISTS message_held ON message (id) WHERE state = 'held';
CREATE INDEX IF NOT EXISTS message_dropped ON message (id) WHERE state = 'dropped';
CREATE INDEX IF NOT EXISTS message_of_contact ON message (contact, asked_ms);
CREATE INDEX IF NOT EXISTS message_by_delivery ON message (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_by_time ON message (asked_ms);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    contact INTEGER NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    rank INTEGER NOT NULL,
    said BLOB NOT NULL DEFAULT '{}',
    state TEXT NOT NULL DEFAULT 'waiting',
    why TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    due_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    permits INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    parts INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    ref TEXT,
    day INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    told_ms INTEGER
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (channel, rank, id, due_ms, expires_ms)
    WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS delivery_welcomes ON delivery (channel)
    WHERE state = 'waiting' AND kind = 'welcome';
CREATE INDEX IF NOT EXISTS delivery_running_out ON delivery (expires_ms) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS delivery_undelivered ON delivery (id) WHERE state = 'undelivered';
CREATE INDEX IF NOT EXISTS delivery_of_contact ON delivery (contact, created_ms);
CREATE INDEX IF NOT EXISTS delivery_by_ref ON delivery (channel, ref) WHERE ref IS NOT NULL;
CREATE INDEX IF NOT EXISTS delivery_by_time ON delivery (created_ms);
CREATE TABLE IF NOT EXISTS counted (
    day INTEGER NOT NULL,
    channel TEXT NOT NULL,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    number INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (day, channel, place, kind, state, why)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    channel TEXT NOT NULL,
    month INTEGER NOT NULL,
    number INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (channel, month)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS report (
    channel TEXT NOT NULL,
    ref TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (channel, ref)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS report_by_time ON report (at_ms);
CREATE TABLE IF NOT EXISTS breaker (
    channel TEXT PRIMARY KEY,
    way TEXT NOT NULL,
    failures INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    why TEXT NOT NULL
) WITHOUT ROWID;
"""

BUSY_S: Final = 1.0

Counted = tuple[int, str, str, str, str, str, int, int, int]
"""(day, channel, place, kind, state, why, number, parts, cost)"""


def opened(path: Path) -> sqlite3.Connection:
    """The file, made where it is missing. Raises ConfigError for one of a later version."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_S
    )
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode=WAL")
    # A power cut may take the last answers with it: these are then sent again with the same
    # keys. A process that dies loses nothing: what is committed is in the kernel's hands.
    connection.execute("PRAGMA synchronous=NORMAL")
    # What a code was must not be read off the pages that its row has left.
    connection.execute("PRAGMA secure_delete=ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        connection.close()
        accepted = f"a file of version {VERSION} or older; a newer songtien has written this one"
        raise ConfigError([Fault("data", "dir", str(path), accepted)])
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    return connection


def count(connection: sqlite3.Connection, rows: Iterable[Counted]) -> None:
    """Add to the counts; negative figures take away. A count of nothing does not stay."""
    rows = list(rows)
    connection.executemany(
        "INSERT INTO counted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET number = number + excluded.number,"
        " parts = parts + excluded.parts, cost = cost + excluded.cost",
        rows,
    )
    connection.executemany(
        "DELETE FROM counted WHERE day = ? AND channel = ? AND place = ? AND kind = ?"
        " AND state = ? AND why = ? AND number = 0",
        [row[:6] for row in rows if row[6] < 0],
    )


def spend(connection: sqlite3.Connection, channel: str, month: int, parts: int, cost: int) -> None:
    """One message more was taken by a gateway."""
    connection.execute(
        "INSERT INTO spent VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET"
        " number = number + 1, parts = parts + excluded.parts, cost = cost + excluded.cost",
        (channel, month, parts, cost),
    )
