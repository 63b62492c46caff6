"""Sessions of officers who have signed in: 256 random bits in a cookie, their SHA-256 here."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from api.auth.file import AuthFile
from api.auth.officers import Proven
from api.auth.principal import Principal, as_kept

SESSIONS_MAX: Final = 20
"""Of one officer at a time: beyond it the one that was unused for longest ends."""

SECRET_LENGTH: Final = 43
"""32 bytes in base64url, without padding."""

USE_NOTED_MS: Final = 60_000
"""The last use is written down once in this time, not at every request."""

_HOUR_MS: Final = 3_600_000
_ALIVE: Final = "? < min(until_ms, used_ms + idle_ms)"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A session ends when it was unused for `idle_ms`, and `longest_ms` after it began."""

    idle_ms: int = 12 * _HOUR_MS
    longest_ms: int = 168 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What is known of a session, apart from its secret.

    address : from where the officer signed in
    expires_ms : when it ends unless it is used
    """

    id: str
    name: str
    role: str
    address: str
    begun_ms: int
    used_ms: int
    expires_ms: int

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role, credential_of(self.id))


def credential_of(session_id: str) -> str:
    return f"session {session_id}"


class Sessions:
    """Sessions in `auth.sqlite`. Thread-safe."""

    def __init__(self, file: AuthFile) -> None:
        self._file = file

    def begin(
        self, proven: Proven, lifetime: Lifetime, now_ms: int, *, address: str
    ) -> tuple[str, SessionRecord] | None:
        """A new session: its secret, in clear for the only time, and its record.

        None where password or role were changed, or the officer removed, since they were
        proven.
        """
        name, secret, session_id = (
            proven.principal.name,
            secrets.token_urlsafe(32),
            secrets.token_hex(6),
        )
        row = (session_id, _sha256(secret), address[:64], now_ms, now_ms)
        with self._file.transaction() as connection:
            connection.execute(f"DELETE FROM session WHERE NOT {_ALIVE}", (now_ms,))  # noqa: S608
            connection.execute(
                "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE name = ?"
                " ORDER BY used_ms DESC LIMIT -1 OFFSET ?)",
                (name, SESSIONS_MAX - 1),
            )
            done = connection.execute(
                "INSERT INTO session (id, sha256, name, address, begun_ms, used_ms, idle_ms,"
                " until_ms) SELECT ?, ?, name, ?, ?, ?, ?, ? FROM officer"
                " WHERE name = ? AND changed_ms = ?",
                (*row, lifetime.idle_ms, now_ms + lifetime.longest_ms, name, proven.changed_ms),
            )
            if done.rowcount == 0:
                return None
        found = self.of(secret, now_ms)
        return None if found is None else (secret, found)

    def of(self, secret: str, now_ms: int) -> SessionRecord | None:
        """The session of this secret, and note its use; None for one that is over or unknown.

        It is looked up by its hash, so time tells nothing about which secrets exist.
        """
        if len(secret) != SECRET_LENGTH or not secret.isascii():
            return None
        found = self._records(f"s.sha256 = ? AND {_ALIVE}", (_sha256(secret), now_ms))
        if not found:
            return None
        if now_ms - found[0].used_ms < USE_NOTED_MS:
            return found[0]
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE session SET used_ms = ? WHERE id = ? AND used_ms < ?",
                (now_ms, found[0].id, now_ms),
            )
        return next(iter(self._records("s.id = ?", (found[0].id,))), None)

    def list(self, now_ms: int) -> tuple[SessionRecord, ...]:
        """Those that live, the newest first."""
        return self._records(_ALIVE, (now_ms,))

    def end(self, session_id: str) -> SessionRecord | None:
        """End a session; None where there is none of this id."""
        found = self._records("s.id = ?", (session_id,))
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM session WHERE id = ?", (session_id,))
        return found[0] if found else None

    def end_all(self, name: str) -> int:
        """End all sessions of an officer; how many there were."""
        with self._file.transaction() as connection:
            ended = connection.execute("DELETE FROM session WHERE name = ?", (as_kept(name),))
            return ended.rowcount

    def _records(self, where: str, values: tuple[object, ...]) -> tuple[SessionRecord, ...]:
        rows = self._file.rows(
            "SELECT s.id, s.name, o.role, s.address, s.begun_ms, s.used_ms,"  # noqa: S608
            " min(s.until_ms, s.used_ms + s.idle_ms)"
            f" FROM session s JOIN officer o ON o.name = s.name WHERE {where}"
            " ORDER BY s.begun_ms DESC, s.id",
            values,
        )
        return tuple(SessionRecord(*row) for row in rows)


def _sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
