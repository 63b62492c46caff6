"""What officers entered beside alerts, for good, in SQLite: the desk forgets what is over.

Written in the transaction of the entry, by whoever owns the connection; nothing here commits.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.entries import Logged, What

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    t_ms INTEGER NOT NULL,
    name TEXT,
    replaces TEXT,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entered_by_time ON entered (at_ms);
CREATE INDEX IF NOT EXISTS entered_by_subject ON entered (what, subject, at_ms);
CREATE INDEX IF NOT EXISTS entered_by_t ON entered (what, t_ms, id);
CREATE UNIQUE INDEX IF NOT EXISTS entered_name ON entered (what, name) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS entered_replaces ON entered (what, replaces)
    WHERE replaces IS NOT NULL;
"""
SINCE: Final = "entered_since_ms"
"""Of the store's meta: from when on entries were kept."""


ChecksKey = tuple[int, int]
"""Where a page of checks ended: (t_ms, row) of its last."""


@dataclass(frozen=True, slots=True)
class ChecksPage:
    """Checks, newest measured first, with `replaced_by`; `after` of the next page."""

    items: list[dict[str, Any]]
    after: ChecksKey | None


def create(connection: sqlite3.Connection, now_ms: int) -> None:
    """Make the table where it is missing, in the store's file. Commits."""
    connection.executescript(SCHEMA)
    connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (SINCE, now_ms))


def since_ms(connection: sqlite3.Connection) -> int:
    """From when on entries were kept."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (SINCE,)).fetchone()
    return int(row[0])


def write(connection: sqlite3.Connection, entry: Logged) -> None:
    """Store an entry, within the caller's transaction."""
    of_check = entry.what == What.CHECK
    connection.execute(
        "INSERT INTO entered (at_ms, what, subject, t_ms, name, replaces, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry.at_ms,
            entry.what,
            entry.subject,
            entry.item["t"] if of_check else entry.at_ms,
            entry.item["id"] if of_check else None,
            entry.item["replaces"] if of_check else None,
            msgspec.json.encode(entry.item),
        ),
    )


def between(connection: sqlite3.Connection, from_ms: int, to_ms: int, limit: int) -> list[Logged]:
    """Entries of any kind made in [from, to), oldest first."""
    rows = connection.execute(
        "SELECT at_ms, what, subject, body FROM entered"
        " WHERE at_ms >= ? AND at_ms < ? ORDER BY id LIMIT ?",
        (from_ms, to_ms, limit),
    )
    return _logged(rows.fetchall())


def last_before(connection: sqlite3.Connection, what: str, t_ms: int) -> list[Logged]:
    """Of each subject of a kind the last entry made before a time."""
    rows = connection.execute(
        "SELECT at_ms, what, subject, body FROM entered WHERE id IN"
        " (SELECT max(id) FROM entered WHERE what = ? AND at_ms < ? GROUP BY subject)"
        " ORDER BY subject",
        (what, t_ms),
    )
    return _logged(rows.fetchall())


def checks(
    connection: sqlite3.Connection,
    station: str | None,
    from_ms: int,
    to_ms: int,
    after: ChecksKey | None,
    limit: int,
) -> ChecksPage:
    """Hand checks measured in [from, to), the newest first, corrected ones among them."""
    assert limit > 0
    where, values = ["what = ? AND t_ms >= ? AND t_ms < ?"], [What.CHECK.value, from_ms, to_ms]
    if station is not None:
        where.append("subject = ?")
        values.append(station)
    if after is not None:
        where.append("(t_ms, id) < (?, ?)")
        values.extend(after)
    rows = connection.execute(
        "SELECT t_ms, id, body, (SELECT r.name FROM entered AS r"  # noqa: S608 - constants only
        " WHERE r.what = entered.what AND r.replaces = entered.name) AS replaced_by FROM entered"
        f" WHERE {' AND '.join(where)} ORDER BY t_ms DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    more, rows = len(rows) > limit, rows[:limit]
    items = [
        msgspec.json.decode(body, type=dict[str, Any]) | {"replaced_by": replaced_by}
        for _, _, body, replaced_by in rows
    ]
    return ChecksPage(items, (rows[-1][0], rows[-1][1]) if more else None)


def _logged(rows: Sequence[tuple[int, str, str, bytes]]) -> list[Logged]:
    return [Logged(at_ms, what, s, msgspec.json.decode(body)) for at_ms, what, s, body in rows]
