"""Who may do what: roles, bearer tokens, officers, one-use tickets, and the audit.

Tokens are 256 random bits and only their SHA-256 is kept: a slow hash protects secrets that
people invent, and nobody can guess 256 bits. Passwords do get a slow hash, scrypt from the
standard library; argon2id takes its place together with the sign-in form. Nothing here
knows of HTTP or of the live socket: both doors ask the same `Doorkeeper`.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROLES: Final = ("viewer", "operator", "admin")
"""From least to most; each role may do all that the ones before it may."""

TICKET_TTL_MS: Final = 30_000
TICKETS_MAX: Final = 10_000
NAME_LENGTH_MAX: Final = 80
PASSWORD_LENGTH_MIN: Final = 10
AUDIT_PAGE_MAX: Final = 1000
_TOKEN_PREFIX: Final = "st"  # noqa: S105 - a mark by which scanners find leaked tokens
_TOKEN_LENGTH_MAX: Final = 128
_SCRYPT: Final = {"n": 2**15, "r": 8, "p": 3, "maxmem": 64 * 2**20, "dklen": 32}

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, sha256 BLOB NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS user (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, salt BLOB NOT NULL, scrypt BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL,
    what TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
"""


class AuthError(ValueError):
    """A name, role, password or lifetime that isn't accepted; the message says what is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is empty for somebody who has not said who they are."""

    name: str
    role: str

    @property
    def anonymous(self) -> bool:
        return not self.name

    def may(self, role: str) -> bool:
        """Whether this principal has at least `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


ANONYMOUS: Final = Principal("", "viewer")


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
class UserRecord:
    name: str
    role: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, when, and what came of it."""

    at_ms: int
    who: str
    role: str
    what: str
    outcome: str


class AuthStore:
    """`auth.sqlite`: tokens, officers, audit. Thread-safe; shared with the command line.

    Every call is one short transaction on its own file, so that a token revoked by
    `songtien token revoke` is dead at the service's next request.
    """

    def __init__(self, path: Path) -> None:
        # Made before SQLite opens it, so that no moment exists in which others can read it;
        # SQLite gives its -wal and -shm files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def create(
        self, name: str, role: str, now_ms: int, *, ttl_s: int | None = None
    ) -> tuple[str, TokenRecord]:
        """A new token, in clear for the only time, and its record.

        Raises
        ------
        AuthError
            For a name, role or `ttl_s` that isn't accepted.
        """
        name = _checked_name(name)
        _check_role(role)
        if ttl_s is not None and ttl_s <= 0:
            raise AuthError(f"ttl = {ttl_s} s: a token lives longer than 0 s")
        expires_ms = None if ttl_s is None else now_ms + ttl_s * 1000
        token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = f"{_TOKEN_PREFIX}_{token_id}_{secret}"
        with self._transaction() as connection:
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
        with self._lock:
            row = self._connection.execute(
                "SELECT name, role, sha256, expires_ms, revoked_ms FROM token WHERE id = ?",
                (parts[1],),
            ).fetchone()
        # An unknown id is compared too, so that time tells nothing about which ids exist.
        known = hmac.compare_digest(_sha256(token), row[2] if row else bytes(32))
        if row is None or not known or row[4] is not None:
            return None
        if row[3] is not None and now_ms >= row[3]:
            return None
        return Principal(row[0], row[1])

    def list(self) -> tuple[TokenRecord, ...]:
        """All tokens, revoked and expired ones too, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, name, role, created_ms, expires_ms, revoked_ms FROM token"
                " ORDER BY rowid"
            ).fetchall()
        return tuple(TokenRecord(*row) for row in rows)

    def revoke(self, token_id: str, now_ms: int) -> bool:
        """End a token for good; False where no living token has this id."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL",
                (now_ms, token_id),
            )
            return cursor.rowcount == 1

    def add_user(self, name: str, role: str, password: str, now_ms: int) -> None:
        """Add an officer.

        Raises
        ------
        AuthError
            For a name that is taken, or a name, role or password that isn't accepted.
        """
        name = _checked_name(name)
        _check_role(role)
        if len(password) < PASSWORD_LENGTH_MIN:
            raise AuthError(f"password: at least {PASSWORD_LENGTH_MIN} characters")
        salt = secrets.token_bytes(16)
        row = (name, role, salt, _scrypt(password, salt), now_ms)
        with self._transaction() as connection:
            cursor = connection.execute("INSERT OR IGNORE INTO user VALUES (?, ?, ?, ?, ?)", row)
            if cursor.rowcount == 0:
                raise AuthError(f"name = {name!r}: there is an officer of that name already")

    def verify_user(self, name: str, password: str) -> Principal | None:
        """The officer of that name and password. Takes about 0.2 s, on purpose."""
        with self._lock:
            row = self._connection.execute(
                "SELECT name, role, salt, scrypt FROM user WHERE name = ?", (_normal(name),)
            ).fetchone()
        # The work is done for an unknown name too, so that time does not tell who exists.
        digest = _scrypt(password, row[2] if row else bytes(16))
        if row is None or not hmac.compare_digest(digest, row[3]):
            return None
        return Principal(row[0], row[1])

    def users(self) -> tuple[UserRecord, ...]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, role, created_ms FROM user ORDER BY name"
            ).fetchall()
        return tuple(UserRecord(*row) for row in rows)

    def record(self, principal: Principal, what: str, outcome: str, now_ms: int) -> None:
        """Write one line of the audit, durable on return."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO audit (at_ms, who, role, what, outcome) VALUES (?, ?, ?, ?, ?)",
                (now_ms, principal.name, principal.role, what, outcome),
            )

    def audit(self, limit: int = AUDIT_PAGE_MAX) -> tuple[AuditRecord, ...]:
        """The newest lines of the audit, newest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT at_ms, who, role, what, outcome FROM audit ORDER BY id DESC LIMIT ?",
                (min(limit, AUDIT_PAGE_MAX),),
            ).fetchall()
        return tuple(AuditRecord(*row) for row in rows)


class TicketOffice:
    """One-use tickets of 30 s, which let a browser open the live socket.

    A browser can't set a header on a WebSocket, and a token in a URL ends in log files.
    In memory alone: a ticket that a restart loses is asked for again. At most
    `TICKETS_MAX` are out; beyond that none is given until some have run out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: dict[str, tuple[Principal, int]] = {}

    def issue(self, principal: Principal, now_ms: int) -> str | None:
        """A new ticket, or None while too many are out."""
        with self._lock:
            if len(self._out) >= TICKETS_MAX:
                self._out = {k: held for k, held in self._out.items() if now_ms < held[1]}
            if len(self._out) >= TICKETS_MAX:
                return None
            ticket = f"ticket_{secrets.token_urlsafe(32)}"
            self._out[ticket] = (principal, now_ms + TICKET_TTL_MS)
            return ticket

    def redeem(self, ticket: str, now_ms: int) -> Principal | None:
        """Whose ticket it is; it is void from here on, whatever the answer."""
        with self._lock:
            principal, until_ms = self._out.pop(ticket, (None, 0))
        return principal if now_ms < until_ms else None


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Who comes in, at either door.

    `anonymous` is `[auth] anonymous = "viewer"`: people who show nothing may look.
    """

    tokens: AuthStore
    tickets: TicketOffice
    anonymous: bool

    def by_token(self, token: str | None, now_ms: int) -> Principal | None:
        """For HTTP: a bearer token, or nothing. A wrong token is refused, not anonymous."""
        if token is None:
            return ANONYMOUS if self.anonymous else None
        return self.tokens.verify(token, now_ms)

    def by_token_or_ticket(self, shown: str | None, now_ms: int) -> Principal | None:
        """For the live socket: a bearer token, a ticket, or nothing."""
        if shown is not None and shown.startswith("ticket_"):
            return self.tickets.redeem(shown, now_ms)
        return self.by_token(shown, now_ms)


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _scrypt(password: str, salt: bytes) -> bytes:
    # NFC first: the same password typed on a phone and on a desk has the same letters but,
    # with Vietnamese input methods, not always the same code points.
    return hashlib.scrypt(_normal(password).encode(), salt=salt, **_SCRYPT)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _checked_name(name: str) -> str:
    name = _normal(name).strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise AuthError(f"name = {name!r}: 1 to {NAME_LENGTH_MAX} printable characters")
    return name


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AuthError(f"role = {role!r}: one of {', '.join(ROLES)}")
