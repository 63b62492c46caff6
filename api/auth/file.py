"""`auth.sqlite`: its tables, and files of older versions brought forward.

Every use is one short transaction on a file of its own, so that what the command line does
(a token revoked, an officer removed) holds at the service's next request.
"""

import sqlite3
from pathlib import Path
from typing import Final

from api.auth import passwords
from api.private_file import PrivateFile

SCHEMA_VERSION: Final = 1

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


class AuthFile(PrivateFile):
    """See `api.private_file`."""

    def __init__(self, path: Path) -> None:
        """Raises SchemaError where a newer version has written the file."""
        super().__init__(path, SCHEMA_VERSION, _TABLES, _from_scrypt)


def _from_scrypt(connection: sqlite3.Connection) -> None:
    """Officers of before there were sessions: salt and scrypt become one text."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'user'").fetchone() is None:
        return
    officers = connection.execute("SELECT name, role, salt, scrypt, created_ms FROM user")
    connection.executemany(
        "INSERT INTO officer VALUES (?, ?, ?, ?, ?)",
        [
            (name, role, passwords.of_scrypt(salt, digest), at_ms, at_ms)
            for name, role, salt, digest, at_ms in officers.fetchall()
        ],
    )
    connection.execute("DROP TABLE user")
