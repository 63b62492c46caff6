"""`farmers.sqlite`: its tables, and what is needed so that what is erased is gone.

The senders' outbox reads `contact` and `follow` over a connection of its own that only reads.
An id of a contact is never given to anybody else (AUTOINCREMENT).
"""

import contextlib
from pathlib import Path
from typing import Final

from api.private_file import BUSY_S, PrivateFile, connected

SCHEMA_VERSION: Final = 1
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


class PeopleFile(PrivateFile):
    """See `api.private_file`."""

    def __init__(self, path: Path) -> None:
        """Raises SchemaError where a newer version has written the file."""
        super().__init__(path, SCHEMA_VERSION, _TABLES)

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
            if not self._logged:
                return True
            self._connection.execute(f"PRAGMA busy_timeout={CHECKPOINT_BUSY_MS}")
            try:
                (busy, _, _) = self._connection.execute(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                ).fetchone()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={round(BUSY_S * 1000)}")
            self._logged = bool(busy)
            return not busy


def carry_stops(older: Path, newer: Path) -> None:
    """Have who has stopped by one file stopped in another, which may know less of it.

    Both files are nobody's at this moment. Raises sqlite3.DatabaseError.
    """
    with contextlib.closing(connected(newer)) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("ATTACH ? AS older", (str(older),))
        connection.execute("BEGIN IMMEDIATE")
        gone = "SELECT id FROM main.contact WHERE finger IN (SELECT finger FROM older.stopped)"
        for table in ("code", "follow"):
            connection.execute(f"DELETE FROM main.{table} WHERE contact IN ({gone})")  # noqa: S608 - constants
        connection.execute(f"DELETE FROM main.contact WHERE id IN ({gone})")  # noqa: S608 - a constant
        connection.execute("INSERT OR IGNORE INTO main.stopped SELECT * FROM older.stopped")
        connection.execute("COMMIT")
