"""How far each webhook is in the log of alert events, and what it could not deliver, on disk.

A file of its own beside the store: what is sent onward must never hold up, nor be held up by,
the one writer of readings. Any thread may call; one connection serves all, one at a time.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alerts.webhook import Undelivered

UNDELIVERED_MAX: Final = 1_000
"""Kept of one receiver; the oldest go."""

BUSY_S: Final = 1.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS place (webhook TEXT PRIMARY KEY, pos INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS undelivered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL,
    pos INTEGER NOT NULL,
    key TEXT NOT NULL,
    alert TEXT NOT NULL,
    type TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    given_up_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    why TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS undelivered_by_webhook ON undelivered (webhook, id);
"""


class DeliveryLog:
    """The file. What it is told after `close` is not kept: it is then sent once more.

    Raises sqlite3.OperationalError where the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_S
        )
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # A power cut may take the last place with it: the same is then sent with the same key.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def begin(self, names: Sequence[str], last: int) -> dict[str, int]:
        """Where each receiver goes on; a new one at `last`, the log's last position.

        Receivers that are no longer named are forgotten with all that they did not get. No
        place is behind the end of the log, which an older store that was restored has moved.
        """
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(names))
            for table in ("place", "undelivered"):
                connection.execute(
                    f"DELETE FROM {table} WHERE webhook NOT IN ({marks})",  # noqa: S608 - marks
                    tuple(names),
                )
            connection.execute("UPDATE place SET pos = min(pos, ?)", (last,))
            connection.executemany(
                "INSERT OR IGNORE INTO place VALUES (?, ?)", [(name, last) for name in names]
            )
            return dict(connection.execute("SELECT webhook, pos FROM place").fetchall())

    def move(self, webhook: str, pos: int, undelivered: Undelivered | None = None) -> None:
        """All up to `pos` is done with; what could not be delivered goes on the list with it."""
        with self._lock:
            if self._closed:
                return
            with self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE place SET pos = ? WHERE webhook = ?", (pos, webhook))
                if undelivered is not None:
                    _put(connection, webhook, undelivered)

    def undelivered(self, webhook: str, limit: int) -> tuple[int, tuple[Undelivered, ...]]:
        """How many are on the list, and the newest of them, newest first."""
        with self._lock:
            if self._closed:
                return 0, ()
            (count,) = self._connection.execute(
                "SELECT count(*) FROM undelivered WHERE webhook = ?", (webhook,)
            ).fetchone()
            rows = self._connection.execute(
                "SELECT pos, key, alert, type, at_ms, given_up_ms, tries, why FROM undelivered"
                " WHERE webhook = ? ORDER BY id DESC LIMIT ?",
                (webhook, limit),
            ).fetchall()
        return int(count), tuple(Undelivered(*row) for row in rows)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()


def _put(connection: sqlite3.Connection, webhook: str, one: Undelivered) -> None:
    connection.execute(
        "INSERT INTO undelivered"
        " (webhook, pos, key, alert, type, at_ms, given_up_ms, tries, why)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            webhook,
            one.pos,
            one.key,
            one.alert,
            one.type,
            one.at_ms,
            one.given_up_ms,
            one.tries,
            one.why,
        ),
    )
    connection.execute(
        "DELETE FROM undelivered WHERE webhook = ? AND id <="
        " (SELECT id FROM undelivered WHERE webhook = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (webhook, webhook, UNDELIVERED_MAX),
    )
