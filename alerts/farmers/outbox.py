"""Notices and whom to tell, on disk, in SQLite: written with the readings that caused them.

One row for a notice, one for each person who hears of it. Nothing here commits but `create`:
the rows belong to the transaction of whoever owns the connection. They never change afterwards;
what became of each stands with the senders, in a file of their own (ADR 0021).

Who follows what is read from the file of people, over a connection that only reads: what is
being entered there holds up no reading. A row knows a person by a number and nothing else.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from alerts.farmers.notice import ANY_LEVEL, WANTED, Notice

KEPT_MS: Final = 90 * 86_400_000
"""What is older has been told or given up long ago."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    level_mg_l INTEGER NOT NULL,
    event TEXT NOT NULL,
    people INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS notice_by_time ON notice (at_ms);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notice INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    channel TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_by_notice ON message (notice);
"""

Follower = tuple[int, str]
"""(contact, channel)"""


class Audience:
    """Who follows what, as the file of people says at the moment. One thread."""

    def __init__(self, path: Path) -> None:
        # What it reads is written by other connections of this process, which made the file.
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )

    def of(self, notice: Notice) -> list[Follower]:
        """Each person once, however many crops of his it is about; in the order of numbers."""
        level = "" if notice.level_mg_l == ANY_LEVEL else " AND f.level_mg_l = :level"
        rows = self._connection.execute(
            "SELECT DISTINCT f.contact, c.channel FROM follow f JOIN contact c"  # noqa: S608 - constants
            " ON c.id = f.contact WHERE f.intake = :intake AND f.side = :side"
            f"{level} AND f.wants & :wants AND f.active ORDER BY f.contact",
            {
                "intake": notice.place.intake,
                "side": notice.place.side,
                "level": notice.level_mg_l,
                "wants": int(WANTED[notice.kind]),
            },
        )
        return rows.fetchall()

    def close(self) -> None:
        self._connection.close()


def create(conn: sqlite3.Connection) -> None:
    """Make the tables where they are missing. Commits."""
    conn.executescript(SCHEMA)


def write(conn: sqlite3.Connection, told: Iterable[tuple[Notice, Sequence[Follower]]]) -> int:
    """Store notices in order with a row for each follower, within the caller's transaction.

    A notice that is there already (stepped again, by a bug or an older file) is passed over.
    Returns how many messages there are to send.
    """
    messages = 0
    for notice, followers in told:
        cursor = conn.execute(
            "INSERT OR IGNORE INTO notice (key, at_ms, kind, place, level_mg_l, event, people,"
            " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                notice.key,
                notice.at_ms,
                notice.kind.value,
                str(notice.place),
                notice.level_mg_l,
                notice.event,
                len(followers),
                msgspec.json.encode(notice.stored()),
            ),
        )
        if cursor.rowcount == 0:
            continue
        number = cursor.lastrowid
        conn.executemany(
            "INSERT INTO message (notice, contact, channel) VALUES (?, ?, ?)",
            [(number, contact, channel) for contact, channel in followers],
        )
        messages += len(followers)
    return messages


def forget_before(conn: sqlite3.Connection, at_ms: int, limit: int) -> int:
    """Let go of up to so many messages of older notices, within the caller's transaction.

    Returns how many rows went; fewer than `limit`: there is nothing left.
    """
    gone = conn.execute(
        "DELETE FROM message WHERE id IN (SELECT m.id FROM message m JOIN notice n"
        " ON n.id = m.notice WHERE n.at_ms < ? LIMIT ?)",
        (at_ms, limit),
    ).rowcount
    if gone < limit:
        gone += conn.execute(
            "DELETE FROM notice WHERE id IN (SELECT id FROM notice n WHERE at_ms < ? AND NOT"
            " EXISTS (SELECT 1 FROM message m WHERE m.notice = n.id) LIMIT ?)",
            (at_ms, limit - gone),
        ).rowcount
    return gone


@dataclass(frozen=True, slots=True)
class Told:
    """One person to be told of one notice: a row of the outbox."""

    id: int
    notice: Notice
    contact: int
    channel: str

    @property
    def at_ms(self) -> int:
        return self.notice.at_ms


def after(conn: sqlite3.Connection, id: int, limit: int) -> list[Told]:  # noqa: A002 - of the row
    """The rows behind one, in order."""
    rows = conn.execute(
        "SELECT m.id, m.notice, m.contact, m.channel, n.body FROM message m JOIN notice n"
        " ON n.id = m.notice WHERE m.id > ? ORDER BY m.id LIMIT ?",
        (id, limit),
    )
    notices: dict[int, Notice] = {}
    found = []
    for message, number, contact, channel, body in rows:
        notice = notices.get(number)
        if notice is None:
            notice = notices[number] = Notice.of(msgspec.json.decode(body))
        found.append(Told(message, notice, contact, channel))
    return found


def last_id(conn: sqlite3.Connection) -> int:
    """The last row that ever was, also where it has been let go of; 0 before the first."""
    row = conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
    return 0 if row is None else int(row[0])


def waiting(conn: sqlite3.Connection, id: int) -> int:  # noqa: A002 - of the row
    """How many rows there are behind one."""
    row = conn.execute("SELECT count(*) FROM message WHERE id > ?", (id,)).fetchone()
    return int(row[0])
