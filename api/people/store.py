"""Rows of `farmers.sqlite` as what they mean: sealed on the way in, opened on the way out.

Functions that take a connection belong to the caller's transaction.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from alerts.farmers.notice import Wants
from alerts.farmers.person import Follow, Person, Quiet
from alerts.farmers.place import Place
from api.people.addresses import PUSH_HOSTS, AddressKind, NoAddress, masked, parse_address
from api.people.file import PeopleFile
from api.people.terms import Stored
from api.people.vault import Vault, VaultError, key_id_of

TOKEN_BYTES: Final = 32
TOKEN_LENGTH: Final = 43
"""In base64url, without padding."""

_COLUMNS: Final = (
    "id, channel, kind, state, finger, address, token, lang, quiet_from, quiet_to, quiet_urgent,"
    " origin, officer, consent, created_ms, confirmed_ms, until_ms"
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A contact to be stored. `until_ms` None: until it is stopped or erased.

    owed : how the key of the welcome begins that he is still to be sent; "" for none
    """

    channel: str
    kind: AddressKind
    address: str = field(repr=False)
    state: str
    lang: str
    quiet: Quiet | None
    created_ms: int
    until_ms: int | None = None
    origin: str = "self"
    officer: str = ""
    consent: str = ""
    owed: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A contact as stored, its secrets still sealed."""

    id: int
    channel: str
    kind: AddressKind
    state: str
    finger: bytes = field(repr=False)
    address: bytes = field(repr=False)
    token: bytes | None = field(repr=False)
    lang: str
    quiet: Quiet | None
    origin: str
    officer: str
    consent: str
    created_ms: int
    confirmed_ms: int | None
    until_ms: int | None

    def holds(self, now_ms: int) -> bool:
        """Whether it has not run out."""
        return self.until_ms is None or now_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class Channels:
    """The configured channels that take part.

    kinds : name -> what address it takes
    push_hosts : of push services, see `api.people.addresses.PUSH_HOSTS`
    """

    kinds: Mapping[str, AddressKind]
    push_hosts: tuple[str, ...] = PUSH_HOSTS

    def parsed(self, channel: str, typed: str) -> tuple[AddressKind, str]:
        """The kind and the one form of an address. Raises KeyError, NoAddress."""
        kind = self.kinds[channel]
        return kind, parse_address(kind, typed, self.push_hosts)


class Store:
    """What is read and written of people. Thread-safe by its file."""

    def __init__(self, file: PeopleFile, vault: Vault, channels: Channels) -> None:
        """Raises VaultError where something is stored that the vault does not open."""
        self.file = file
        self.vault = vault
        self.channels = channels
        rows = file.rows("SELECT DISTINCT substr(address, 2, 4) FROM contact")
        used = {bytes(kept) for (kept,) in rows}
        if used - vault.key_ids:
            raise VaultError(
                f"{file.path}: addresses are stored that no key of the key file opens; "
                "the key that it had must stay in it, below the new one"
            )
        if used - {vault.key_id}:
            self._seal_anew()

    def fingers(self, kind: AddressKind, address: str) -> tuple[bytes, ...]:
        """What an address is found by, the one of new rows first."""
        return self.vault.fingers(f"{kind.value}:{address}")

    def fingers_of(self, channel: str, typed: str) -> tuple[bytes, ...]:
        """Of who wrote to a channel; of what can be no address, those of nobody."""
        try:
            return self.fingers(*self.channels.parsed(channel, typed))
        except (KeyError, NoAddress):
            return self.vault.fingers("")

    def of(self, fingers: Sequence[bytes], state: str, connection: sqlite3.Connection) -> list[Row]:
        """Contacts of one address, on whatever channel, the oldest first."""
        where = f"state = ? AND finger IN {any_of(fingers)} ORDER BY id"
        return self.contacts(where, (state, *fingers), connection)

    def by_token(
        self, token: str, now_ms: int, connection: sqlite3.Connection | None = None
    ) -> Row | None:
        """Looked up by its hash, so time tells nothing about which tokens exist."""
        if len(token) != TOKEN_LENGTH or not token.isascii():
            return None
        row = self.row("token_sha256 = ?", (sha256(token),), connection)
        return row if row is not None and row.holds(now_ms) else None

    def insert(self, connection: sqlite3.Connection, new: Newcomer) -> int:
        """Store a contact; its id."""
        finger = self.fingers(new.kind, new.address)[0]
        quiet = _quiet_columns(new.quiet)
        found = connection.execute(
            "INSERT INTO contact (channel, kind, state, finger, address, lang, quiet_from,"
            " quiet_to, quiet_urgent, origin, officer, consent, created_ms, until_ms, owed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.channel,
                new.kind.value,
                new.state,
                finger,
                self.vault.sealed(new.address, _address(finger)),
                new.lang,
                *quiet,
                new.origin,
                new.officer,
                new.consent,
                new.created_ms,
                new.until_ms,
                new.owed,
            ),
        ).lastrowid
        assert found is not None
        return found

    def give_token(self, connection: sqlite3.Connection, row: Row) -> str:
        """The token of a contact: the one that it has, or a new one.

        Stored encrypted, beside its hash by which it is found. Derived from the key it would
        change with the key, and the links in messages that people have kept would be dead.
        """
        if row.token is not None:
            return self.vault.opened(row.token, _token(row.finger))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        connection.execute(
            "UPDATE contact SET token = ?, token_sha256 = ? WHERE id = ?",
            (self.vault.sealed(token, _token(row.finger)), sha256(token), row.id),
        )
        return token

    def row(
        self, where: str, values: Sequence[Any], connection: sqlite3.Connection | None = None
    ) -> Row | None:
        """The first contact of which `where` (constant text) holds."""
        return next(iter(self.contacts(f"{where} LIMIT 1", values, connection)), None)

    def contacts(
        self, where: str, values: Sequence[Any], connection: sqlite3.Connection | None = None
    ) -> list[Row]:
        """Contacts of which `where` (constant text) holds, as the transaction sees them."""
        sql = f"SELECT {_COLUMNS} FROM contact WHERE {where}"  # noqa: S608
        return [_row(columns) for columns in self._asked(connection, sql, values)]

    def follows(
        self, contact: int, connection: sqlite3.Connection | None = None
    ) -> tuple[Follow, ...]:
        """What a contact follows, confirmed or not, by place and crop."""
        sql = (
            "SELECT intake, side, crop, level_mg_l, wants FROM follow WHERE contact = ?"
            " ORDER BY intake, side, crop, level_mg_l"
        )
        return tuple(
            Follow(Place(intake, side), crop, level, Wants(wants))
            for intake, side, crop, level, wants in self._asked(connection, sql, (contact,))
        )

    def address(self, row: Row) -> str:
        """In clear. Raises VaultError."""
        return self.vault.opened(row.address, _address(row.finger))

    def stored(self, row: Row) -> Stored:
        """What is stored of somebody, to be shown."""
        return Stored(
            id=row.id,
            channel=row.channel,
            masked=masked(row.kind, self.address(row)),
            lang=row.lang,
            quiet=row.quiet,
            follows=self.follows(row.id),
            state=row.state,
            origin=row.origin,
            officer=row.officer,
            consent=row.consent,
            created_ms=row.created_ms,
            confirmed_ms=row.confirmed_ms,
        )

    def person(self, row: Row) -> Person:
        """Somebody as the senders need him."""
        active = row.state == "active"
        token = "" if row.token is None else self.vault.opened(row.token, _token(row.finger))
        return Person(
            id=row.id,
            channel=row.channel,
            address=self.address(row),
            lang=row.lang,
            stop_token=token,
            quiet=row.quiet,
            follows=self.follows(row.id) if active else (),
        )

    def _asked(
        self, connection: sqlite3.Connection | None, sql: str, values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        if connection is None:
            return self.file.rows(sql, values)
        return connection.execute(sql, values).fetchall()

    def _seal_anew(self) -> None:
        """After a rotation: all with the first key, all or nothing."""
        with self.file.transaction() as connection:
            for row in self.contacts("1 = 1", (), connection):
                if key_id_of(row.address) == self.vault.key_id:
                    continue
                address = self.address(row)
                finger = self.fingers(row.kind, address)[0]
                token = row.token
                if token is not None:
                    clear = self.vault.opened(token, _token(row.finger))
                    token = self.vault.sealed(clear, _token(finger))
                connection.execute(
                    "UPDATE contact SET finger = ?, address = ?, token = ? WHERE id = ?",
                    (finger, self.vault.sealed(address, _address(finger)), token, row.id),
                )
        self.file.sweep_log()


def put_follows(
    connection: sqlite3.Connection, contact: int, follows: Iterable[Follow], *, active: bool
) -> None:
    """Store these in place of all that the contact follows."""
    connection.execute("DELETE FROM follow WHERE contact = ?", (contact,))
    connection.executemany(
        "INSERT INTO follow (intake, side, level_mg_l, contact, crop, wants, active)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.place.intake,
                one.place.side,
                one.level_mg_l,
                contact,
                one.crop,
                int(one.wants),
                int(active),
            )
            for one in together((), follows)
        ],
    )


def together(had: Iterable[Follow], new: Iterable[Follow]) -> tuple[Follow, ...]:
    """Both; of the same place and crop the newer one."""
    found = {(one.place, one.crop): one for one in had}
    found.update({(one.place, one.crop): one for one in new})
    return tuple(found.values())


def put_quiet(connection: sqlite3.Connection, contact: int, quiet: Quiet | None) -> None:
    connection.execute(
        "UPDATE contact SET quiet_from = ?, quiet_to = ?, quiet_urgent = ? WHERE id = ?",
        (*_quiet_columns(quiet), contact),
    )


def owe_welcome(connection: sqlite3.Connection, contact: int, now_ms: int) -> None:
    """One more, over what he follows from now on: another than that which he had at first."""
    owed = f"welcome-{now_ms}"
    connection.execute("UPDATE contact SET owed = ? WHERE id = ?", (owed, contact))


def remove(connection: sqlite3.Connection, contact: int) -> None:
    """All rows of a contact."""
    connection.execute("DELETE FROM code WHERE contact = ?", (contact,))
    connection.execute("DELETE FROM follow WHERE contact = ?", (contact,))
    connection.execute("DELETE FROM contact WHERE id = ?", (contact,))


def forget(
    connection: sqlite3.Connection,
    fingers: Sequence[bytes],
    now_ms: int,
    what: str,
    *,
    remembered: bool,
) -> None:
    """Erase all contacts of an address. `remembered`: no list brings it back, and the first
    time that it was said is kept.
    """
    where = f"finger IN {any_of(fingers)}"
    known = f"SELECT min(at_ms) FROM stopped WHERE {where}"  # noqa: S608
    (since_ms,) = connection.execute(known, fingers).fetchone()
    found = connection.execute(f"SELECT id FROM contact WHERE {where}", fingers)  # noqa: S608
    for (contact,) in found.fetchall():
        remove(connection, contact)
    connection.execute(f"DELETE FROM stopped WHERE {where}", fingers)  # noqa: S608
    if remembered:
        since_ms = now_ms if since_ms is None else min(since_ms, now_ms)
        connection.execute("INSERT INTO stopped VALUES (?, ?)", (fingers[0], since_ms))
    count(connection, what)


def count(connection: sqlite3.Connection, what: str, n: int = 1) -> None:
    """So many more have done it; who is not kept."""
    connection.execute(
        "INSERT INTO ever VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET n = n + excluded.n",
        (what, n),
    )


def sha256(secret: str) -> bytes:
    """Of a secret of 128 random bits or more, which nobody can guess."""
    return hashlib.sha256(secret.encode()).digest()


def any_of(values: Sequence[Any]) -> str:
    """Placeholders for `IN`."""
    return f"({', '.join('?' * len(values))})"


def _row(columns: tuple[Any, ...]) -> Row:
    head, (start, end, urgent), tail = columns[:8], columns[8:11], columns[11:]
    quiet = None if start is None else Quiet(start, end, bool(urgent))
    contact, channel, kind, state, finger, address, token, lang = head
    return Row(
        contact, channel, AddressKind(kind), state, finger, address, token, lang, quiet, *tail
    )


def _quiet_columns(quiet: Quiet | None) -> tuple[int | None, int | None, int | None]:
    if quiet is None:
        return None, None, None
    return quiet.from_min, quiet.to_min, int(quiet.urgent_passes)


def _address(finger: bytes) -> str:
    """Bound to the row, so that nobody gives one person's address to another by the file."""
    return f"address {finger.hex()}"


def _token(finger: bytes) -> str:
    return f"token {finger.hex()}"
