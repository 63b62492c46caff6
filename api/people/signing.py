"""Signing up: a code to the address, and what is told from there on. Thread-safe by the file."""

import hmac
import secrets
import sqlite3
import unicodedata
from collections.abc import Sequence
from typing import Final

from api.people.addresses import AddressKind, NoAddress, reached
from api.people.limits import HOUR_MS, Clients, wait_ms
from api.people.store import (
    Newcomer,
    Row,
    Store,
    any_of,
    count,
    put_follows,
    put_quiet,
    remove,
    sha256,
    together,
)
from api.people.terms import (
    FOLLOWS_MAX,
    Confirmed,
    ConfirmWhy,
    Direct,
    SignedUp,
    SignupWhy,
    Wish,
)

CODE_MS: Final = 10 * 60_000
CODE_TRIES: Final = 5
LINK_MS: Final = 60 * 60_000
"""So long the link to a chat is good."""

NOBODY: Final = 0
"""No contact has this id: what is sent to it goes nowhere."""


class SigningUp:
    """Who has asked for a code, and who has shown it."""

    def __init__(self, store: Store, direct: Direct, codes_per_hour: int) -> None:
        self._store = store
        self._direct = direct
        self._codes_per_hour = codes_per_hour
        self._clients = Clients()

    def signup(self, wish: Wish, client: str, now_ms: int) -> SignedUp:  # noqa: PLR0911 - one for each refusal
        """See `api.people.people.People.signup`."""
        by_link = self._store.channels.kinds.get(wish.channel) is AddressKind.TELEGRAM
        by_link = by_link and not wish.address.strip()
        try:
            if by_link:
                kind, address = AddressKind.TELEGRAM, f"?{secrets.token_hex(16)}"
            else:
                kind, address = self._store.channels.parsed(wish.channel, wish.address)
        except KeyError:
            known = ", ".join(sorted(self._store.channels.kinds)) or "none"
            vi = f"xin chọn một trong: {known}"
            return SignedUp(SignupWhy.NO_CHANNEL, detail=f"accepted are {known}", detail_vi=vi)
        except NoAddress as error:
            return SignedUp(SignupWhy.BAD_ADDRESS, detail=str(error), detail_vi=error.vi)
        if not wish.follows:
            return SignedUp(SignupWhy.NO_FOLLOWS)
        if len(together((), wish.follows)) > FOLLOWS_MAX:
            return SignedUp(SignupWhy.TOO_MANY_FOLLOWS)
        fingers = self._store.fingers(kind, address)
        counted = self._store.fingers(kind, reached(kind, address))
        with self._store.file.transaction() as connection:
            refused = self._too_soon(connection, counted, client, now_ms)
            if refused is not None:
                return refused
            self._clients.count(client, now_ms)
            left_alone = self._left_alone(connection, fingers, counted)
            connection.execute("INSERT INTO asked VALUES (?, ?)", (counted[0], now_ms))
            for old in self._store.of(fingers, "pending", connection):
                if old.channel == wish.channel:
                    remove(connection, old.id)
            until_ms = now_ms + (LINK_MS if by_link else CODE_MS)
            new = Newcomer(
                wish.channel, kind, address, "pending", wish.lang, wish.quiet, now_ms, until_ms
            )
            contact = self._store.insert(connection, new)
            put_follows(connection, contact, wish.follows, active=False)
            request, code = self._new_code(connection, contact, until_ms)
            count(connection, "signed-up")
        if by_link:
            return SignedUp(SignupWhy.START, request, until_ms)
        said = {"code": code, "lang": wish.lang}
        # Neither the answer nor its time tells who has stopped.
        to = NOBODY if left_alone else contact
        self._direct(to, wish.channel, "code", said, f"code-{contact}", now_ms)
        return SignedUp(SignupWhy.SENT, request, until_ms)

    def confirm(self, request: str, code: str, now_ms: int) -> Confirmed:
        """See `api.people.people.People.confirm`."""
        with self._store.file.transaction() as connection:
            found = connection.execute(
                "SELECT contact FROM code WHERE request_sha256 = ?", (sha256(request[:64]),)
            ).fetchone()
            if found is None:
                return Confirmed(ConfirmWhy.OVER)
            done = self._confirm(connection, found[0], code, now_ms)
        return self._welcomed(done, now_ms)

    def confirm_from(self, channel: str, address: str, code: str, now_ms: int) -> Confirmed:
        """See `api.people.people.People.confirm_from`."""
        fingers = self._store.fingers_of(channel, address)
        with self._store.file.transaction() as connection:
            pending = self._store.of(fingers, "pending", connection)
            if not pending:
                return Confirmed(ConfirmWhy.OVER)
            done = self._confirm(connection, pending[-1].id, code, now_ms)
        return self._welcomed(done, now_ms)

    def start_from(self, channel: str, address: str, request: str, now_ms: int) -> Confirmed:
        """See `api.people.people.People.start_from`."""
        try:
            kind, parsed = self._store.channels.parsed(channel, address)
        except (KeyError, NoAddress):
            return Confirmed(ConfirmWhy.OVER)
        with self._store.file.transaction() as connection:
            row = self._store.row(
                "channel = ? AND state = 'pending' AND until_ms > ? AND id IN"
                " (SELECT contact FROM code WHERE request_sha256 = ?)",
                (channel, now_ms, sha256(request[:64])),
                connection,
            )
            if row is None or not self._store.address(row).startswith("?"):
                return Confirmed(ConfirmWhy.OVER)
            follows = self._store.follows(row.id, connection)
            remove(connection, row.id)
            new = Newcomer(
                channel, kind, parsed, "pending", row.lang, row.quiet, now_ms, now_ms + 1
            )
            contact = self._store.insert(connection, new)
            put_follows(connection, contact, follows, active=False)
            found = self._store.row("id = ?", (contact,), connection)
            assert found is not None
            done = self._activated(connection, found, now_ms)
        return self._welcomed(done, now_ms)

    def _new_code(
        self, connection: sqlite3.Connection, contact: int, until_ms: int
    ) -> tuple[str, str]:
        """The request that it answers, and the code; only hashes of both are kept."""
        request, code = secrets.token_urlsafe(16), f"{secrets.randbelow(10**6):06}"
        salt = secrets.token_bytes(16)
        hashed = self._store.vault.code_hash(code, salt)
        connection.execute(
            "INSERT INTO code VALUES (?, ?, ?, ?, ?, ?)",
            (contact, sha256(request), salt, hashed, until_ms, CODE_TRIES),
        )
        return request, code

    def _too_soon(
        self, connection: sqlite3.Connection, fingers: Sequence[bytes], client: str, now_ms: int
    ) -> SignedUp | None:
        waits = self._clients.wait_ms(client, now_ms) if client else 0
        asked = connection.execute(
            f"SELECT at_ms FROM asked WHERE finger IN {any_of(fingers)}",  # noqa: S608
            fingers,
        ).fetchall()
        waits = max(waits, wait_ms([at_ms for (at_ms,) in asked], now_ms))
        if waits > 0:
            return SignedUp(SignupWhy.TOO_SOON, retry_after_s=-(-waits // 1000))
        (n,) = connection.execute(
            "SELECT count(*) FROM asked WHERE at_ms > ? AND at_ms <= ?", (now_ms - HOUR_MS, now_ms)
        ).fetchone()
        if n >= self._codes_per_hour:
            return SignedUp(SignupWhy.BUSY, retry_after_s=HOUR_MS // 4000)
        return None

    def _left_alone(
        self, connection: sqlite3.Connection, fingers: Sequence[bytes], counted: Sequence[bytes]
    ) -> bool:
        """Whether its owner has stopped, and has been sent a code within the day since then.

        One he may have: it is the only way back. More would be somebody else who pesters him.
        """
        found = connection.execute(
            f"SELECT 1 FROM asked WHERE finger IN {any_of(counted)} AND at_ms >"  # noqa: S608 - marks
            f" (SELECT min(at_ms) FROM stopped WHERE finger IN {any_of(fingers)})",
            (*counted, *fingers),
        ).fetchone()
        return found is not None

    def _confirm(
        self, connection: sqlite3.Connection, contact: int, code: str, now_ms: int
    ) -> tuple[Confirmed, int]:
        """What came of it, and who is to be welcomed (0: nobody)."""
        row = self._store.row("id = ?", (contact,), connection)
        found = connection.execute(
            "SELECT salt, hash, until_ms, tries_left FROM code WHERE contact = ?", (contact,)
        ).fetchone()
        if row is None or found is None or now_ms >= found[2]:
            return Confirmed(ConfirmWhy.OVER), 0
        if self._store.address(row).startswith("?"):  # waits for a chat; its code is nobody's
            return Confirmed(ConfirmWhy.OVER), 0
        salt, known, _, tries_left = found
        typed = "".join(c for c in unicodedata.normalize("NFKC", code[:32]) if c.isdecimal())
        if not hmac.compare_digest(self._store.vault.code_hash(typed, salt), known):
            if tries_left <= 1:
                remove(connection, contact)
                return Confirmed(ConfirmWhy.OVER), 0
            connection.execute(
                "UPDATE code SET tries_left = ? WHERE contact = ?", (tries_left - 1, contact)
            )
            return Confirmed(ConfirmWhy.WRONG, tries_left=tries_left - 1), 0
        return self._activated(connection, row, now_ms)

    def _activated(
        self, connection: sqlite3.Connection, row: Row, now_ms: int
    ) -> tuple[Confirmed, int]:
        address = self._store.address(row)
        fingers = self._store.fingers(row.kind, address)
        known = [
            one
            for one in self._store.of(fingers, "active", connection)
            if one.channel == row.channel
        ]
        follows = self._store.follows(row.id, connection)
        had = self._store.follows(known[0].id, connection) if known else ()
        if known:
            follows = together(had, follows)
            if len(follows) > FOLLOWS_MAX:
                return Confirmed(ConfirmWhy.TOO_MANY_FOLLOWS), 0
            remove(connection, row.id)
            put_quiet(connection, known[0].id, row.quiet)
            lang, row = row.lang, known[0]
            connection.execute("UPDATE contact SET lang = ? WHERE id = ?", (lang, row.id))
        connection.execute(
            "UPDATE contact SET state = 'active', until_ms = NULL, origin = 'self',"
            " confirmed_ms = ? WHERE id = ?",
            (now_ms, row.id),
        )
        put_follows(connection, row.id, follows, active=True)
        connection.execute("DELETE FROM code WHERE contact = ?", (row.id,))
        # Whoever shows the code wants to be told: what kept lists away is void.
        connection.execute(
            f"DELETE FROM stopped WHERE finger IN {any_of(fingers)}",  # noqa: S608
            fingers,
        )
        count(connection, "confirmed")
        token = self._store.give_token(connection, row)
        # Of a place that is added in the middle of a salt spell nobody would hear otherwise: its
        # begin was told before, and a silence is taken for fresh water.
        more = set(follows) != set(had)
        return Confirmed(ConfirmWhy.DONE, token), row.id if more else 0

    def _welcomed(self, done: tuple[Confirmed, int], now_ms: int) -> Confirmed:
        confirmed, contact = done
        row = self._store.row("id = ?", (contact,)) if contact else None
        if row is not None:
            said = {"lang": row.lang}
            key = f"welcome-{row.id}-{now_ms}"
            self._direct(row.id, row.channel, "welcome", said, key, now_ms)
        return confirmed
