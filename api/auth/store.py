"""The accounts of a service: tokens, officers, their sessions, and the audit.

Tokens are 256 random bits and only their SHA-256 is kept: a slow hash protects secrets that
people invent, and nobody can guess 256 bits. Nothing here knows of HTTP or of the live socket.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.auth.file import AuthFile
from api.auth.officers import Officers
from api.auth.principal import AuthError, Principal, check_role, checked_name
from api.auth.sessions import Sessions, credential_of

AUDIT_PAGE_MAX: Final = 1000
TTL_MAX_S: Final = 36_525 * 86_400
WHAT_MAX: Final = 500
AUDIT_KEPT_MIN: Final = 100_000
"""So many lines are kept, however old they are."""

AUDIT_SWEPT_EVERY: Final = 1000
"""Lines after which those go that are too old: at most twice as many at a time."""

DAY_MS: Final = 86_400_000
_TOKEN_PREFIX: Final = "st"  # noqa: S105 - a mark by which scanners find leaked tokens
_TOKEN_LENGTH_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of a token, apart from the token. `expires_ms` None: until revoked."""

    id: str
    name: str
    role: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, when, and what came of it. `id` rises."""

    id: int
    at_ms: int
    who: str
    role: str
    what: str
    outcome: str


class AuthStore:
    """`auth.sqlite`. Thread-safe; shared with the command line."""

    def __init__(self, path: Path, *, audit_days: int | None = None) -> None:
        """Raises SchemaError where a newer version has written the file.

        audit_days : lines of the audit that are older go; None leaves that to others
        """
        self._audit_days = audit_days
        self._file = AuthFile(path)
        self.officers = Officers(self._file)
        self.sessions = Sessions(self._file)

    def close(self) -> None:
        self._file.close()

    def create(
        self, name: str, role: str, now_ms: int, *, ttl_s: int | None = None
    ) -> tuple[str, TokenRecord]:
        """A new token, in clear for the only time, and its record.

        Raises
        ------
        AuthError
            For a name, role or `ttl_s` that isn't accepted.
        """
        name = checked_name(name)
        check_role(role)
        if ttl_s is not None and not 0 < ttl_s <= TTL_MAX_S:
            raise AuthError(f"ttl = {ttl_s} s: more than 0 s, and at most 100 years")
        expires_ms = None if ttl_s is None else now_ms + ttl_s * 1000
        token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = f"{_TOKEN_PREFIX}_{token_id}_{secret}"
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (token_id, name, role, _sha256(token), now_ms, expires_ms),
            )
        return token, TokenRecord(token_id, name, role, now_ms, expires_ms, None)

    def verify(self, token: str, now_ms: int) -> Principal | None:
        """Whose token it is; None for one that is unknown, expired or revoked."""
        parts = token.split("_", 2)
        if len(token) > _TOKEN_LENGTH_MAX or not token.isascii():
            return None
        if len(parts) != 3 or parts[0] != _TOKEN_PREFIX:
            return None
        rows = self._file.rows(
            "SELECT name, role, sha256, expires_ms, revoked_ms FROM token WHERE id = ?",
            (parts[1],),
        )
        # An unknown id is compared too, so that time tells nothing about which ids exist.
        known = hmac.compare_digest(_sha256(token), rows[0][2] if rows else bytes(32))
        if not rows or not known or rows[0][4] is not None:
            return None
        name, role, _, expires_ms, _ = rows[0]
        if expires_ms is not None and now_ms >= expires_ms:
            return None
        return Principal(name, role, f"token {parts[1]}")

    def list(self) -> tuple[TokenRecord, ...]:
        """All tokens, revoked and expired ones too, oldest first."""
        rows = self._file.rows(
            "SELECT id, name, role, created_ms, expires_ms, revoked_ms FROM token ORDER BY rowid"
        )
        return tuple(TokenRecord(*row) for row in rows)

    def revoke(self, token_id: str, now_ms: int) -> bool:
        """End a token for good; False where no living token has this id."""
        with self._file.transaction() as connection:
            cursor = connection.execute(
                "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL",
                (now_ms, token_id),
            )
            return cursor.rowcount == 1

    def ended(self, credentials: Iterable[str], now_ms: int) -> frozenset[str]:
        """Those of `Principal.credential` that are good no longer."""
        living = {credential_of(session.id) for session in self.sessions.list(now_ms)}
        living |= {
            f"token {token.id}"
            for token in self.list()
            if token.revoked_ms is None and (token.expires_ms is None or now_ms < token.expires_ms)
        }
        return frozenset(credentials) - living - {""}

    def record(self, principal: Principal, what: str, outcome: str, now_ms: int) -> None:
        """Write one line of the audit, durable on return.

        What cannot be printed is replaced in it: part of it is what people typed, and nobody
        writes a second line that way, or on the terminal of whoever reads the first.
        """
        what = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in what)
        with self._file.transaction() as connection:
            line = connection.execute(
                "INSERT INTO audit (at_ms, who, role, what, outcome) VALUES (?, ?, ?, ?, ?)",
                (now_ms, principal.name, principal.role, what[:WHAT_MAX], outcome),
            ).lastrowid
            assert line is not None
            if self._audit_days is not None and line % AUDIT_SWEPT_EVERY == 0:
                # By their age, so that nobody washes a line away with a flood of others; and
                # never the newest, so that a clock that is years ahead does not either.
                connection.execute(
                    "DELETE FROM audit WHERE at_ms < ? AND id IN"
                    " (SELECT id FROM audit WHERE id <= ? ORDER BY id LIMIT ?)",
                    (
                        now_ms - self._audit_days * DAY_MS,
                        line - AUDIT_KEPT_MIN,
                        2 * AUDIT_SWEPT_EVERY,
                    ),
                )

    def audit(
        self, limit: int = AUDIT_PAGE_MAX, before: int | None = None
    ) -> tuple[AuditRecord, ...]:
        """The newest lines of the audit with an id below `before`, newest first."""
        rows = self._file.rows(
            "SELECT id, at_ms, who, role, what, outcome FROM audit WHERE id < ?"
            " ORDER BY id DESC LIMIT ?",
            (2**63 - 1 if before is None else before, min(limit, AUDIT_PAGE_MAX)),
        )
        return tuple(AuditRecord(*row) for row in rows)


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
