"""People who asked to be told: signing up, confirming, changing, stopping, erasing. Thread-safe.

What a person does for himself, and what the senders ask. What officers do stands in
`api.people.roster`. Nothing here logs, and no exception holds an address, a code or a token.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from alerts.farmers.person import Follow, Person
from alerts.farmers.place import Place
from api.people.adding import Adding
from api.people.addresses import PUSH_HOSTS, AddressKind
from api.people.export import exported
from api.people.file import PeopleFile
from api.people.limits import CODES_PER_HOUR, DAY_MS, Answers
from api.people.replies import StopAt
from api.people.roster import Roster
from api.people.signing import SigningUp
from api.people.store import (
    Channels,
    Newcomer,
    Row,
    Store,
    any_of,
    count,
    forget,
    put_follows,
    put_quiet,
    remove,
    together,
)
from api.people.terms import (
    Changes,
    ChangeWhy,
    Confirmed,
    Counts,
    Direct,
    SignedUp,
    Stored,
    Wish,
)
from api.people.vault import open_vault

TRIAL_MS: Final = 60 * 60_000
"""So long an address is kept to which an officer sends a trial message: as long as it is tried."""

LEAVING_MS: Final = 15 * 60_000
"""So long an address is kept for the last message, which says that all has stopped."""

OWED_AT_ONCE: Final = 500
"""Welcomes that one sweep hands over: an imported list is told in the course of minutes."""

Kept = Callable[[int], Sequence[Mapping[str, Any]]]
"""What the senders keep about a contact: JSON types, for the export."""

_Left = tuple[Row, tuple[Place, ...]]
"""A contact, and what it has stopped to follow."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said to who sent a stop word."""

    contact: int
    channel: str
    said: Mapping[str, Any]
    key: str


class People:
    """`farmers.sqlite` and its key."""

    def __init__(
        self,
        directory: Path,
        channels: Mapping[str, AddressKind],
        direct: Direct,
        *,
        key_file: Path | None = None,
        codes_per_hour: int = CODES_PER_HOUR,
        push_hosts: tuple[str, ...] = PUSH_HOSTS,
        kept: Kept = lambda _contact: (),
        ids_after: int = 0,
    ) -> None:
        """`channels`: the configured ones that take part, and what address each takes.

        direct : see `api.people.terms.Direct`
        ids_after : the highest number that another file knows of anybody; a file of people that
            is begun anew beside it gives it to nobody else
        key_file : of `api.people.vault`; without it `farmers.key` in the directory, made once

        Raises
        ------
        VaultError
            The key is missing or is not the one of the file.
        SchemaError
            A newer version has written the file.
        """
        file = PeopleFile(directory / "farmers.sqlite")
        try:
            path = key_file or directory / "farmers.key"
            file.begin_after(ids_after)
            known = file.rows("SELECT 1 FROM contact UNION ALL SELECT 1 FROM stopped LIMIT 1")
            vault = open_vault(path, may_make=key_file is None and not known)
            if key_file is None:  # an editor with which a key was added may have opened it to all
                path.chmod(0o600)
            self._store = Store(file, vault, Channels(dict(channels), push_hosts))
        except BaseException:
            file.close()
            raise
        self._file = file
        self._direct = direct
        self._kept = kept
        self._adding = Adding(self._store)
        self._answers = Answers()
        self._signing = SigningUp(self._store, direct, codes_per_hour)
        self.roster = Roster(self._store)

    def close(self) -> None:
        self._file.close()

    @property
    def path(self) -> Path:
        """The file, for those who read who follows what (`alerts.farmers.outbox`)."""
        return self._file.path

    @property
    def channels(self) -> Mapping[str, AddressKind]:
        """By which people can be told, and what address each takes."""
        return self._store.channels.kinds

    def signup(self, wish: Wish, client: str, now_ms: int) -> SignedUp:
        """Send a code to where somebody wants to be told.

        client : the caller's network address
        """
        return self._signing.signup(wish, client, now_ms)

    def confirm(self, request: str, code: str, now_ms: int) -> Confirmed:
        """Begin to tell somebody who shows the code that was sent to him.

        Where he is told already, what he asks for now comes beside what he follows.
        """
        return self._signing.confirm(request, code, now_ms)

    def start_from(self, channel: str, address: str, request: str, now_ms: int) -> Confirmed:
        """Begin to tell a chat whose owner pressed the link that carries a request of `signup`.

        That is proof enough that the chat is his, so it takes no code.
        """
        return self._signing.start_from(channel, address, request, now_ms)

    def confirm_from(self, channel: str, address: str, code: str, now_ms: int) -> Confirmed:
        """The same for a code that came back as a message: `address` is who sent it."""
        return self._signing.confirm_from(channel, address, code, now_ms)

    def by_token(self, token: str, now_ms: int) -> Stored | None:
        """What is stored of the one to whom this token was given."""
        row = self._store.by_token(token, now_ms)
        return None if row is None else self._store.stored(row)

    def change(self, token: str, changes: Changes, now_ms: int) -> ChangeWhy:
        """Follow something else, or be told otherwise."""
        follows = None if changes.follows is None else together((), changes.follows)
        with self._file.transaction() as connection:
            row = self._store.by_token(token, now_ms, connection)
            if row is None:
                return ChangeWhy.UNKNOWN
            if follows is not None:
                why = self._adding.put(connection, row, follows, now_ms)
                if why is not ChangeWhy.DONE:
                    return why
            if changes.quiet is not None or changes.quiet_off:
                put_quiet(connection, row.id, changes.quiet)
            lang = row.lang if changes.lang is None else changes.lang
            # Who chooses for himself is changed by no list any more.
            connection.execute(
                "UPDATE contact SET lang = ?, origin = 'self' WHERE id = ?", (lang, row.id)
            )
        return ChangeWhy.DONE

    def add(self, token: str, more: Sequence[Follow], now_ms: int) -> ChangeWhy:
        """Follow more beside what is followed, at once: the token shows who wishes it. Of a place
        and crop that is followed already the newer limit and notices count.
        """
        return self._adding.add(token, more, now_ms)

    def add_wait_s(self, token: str, now_ms: int) -> int:
        """After TOO_SOON, until more can be added; 0: now."""
        return self._adding.wait_s(token, now_ms)

    def stop(self, token: str, now_ms: int) -> bool:
        """Tell nobody at this address anything more, and erase it. What stays is a keyed hash
        with the date, so that no list brings the address back. False: nobody has this token.
        """
        return self._leave(token, now_ms, "stopped", remembered=True)

    def erase(self, token: str, now_ms: int) -> bool:
        """The same, and nothing stays: not even what keeps a list from bringing it back."""
        return self._leave(token, now_ms, "erased", remembered=False)

    def export(self, token: str, now_ms: int) -> dict[str, Any] | None:
        """Everything that is stored about a person, in words; JSON types. The address is masked,
        and which officer brought a list is left out.
        """
        row = self._store.by_token(token, now_ms)
        if row is None:
            return None
        stored = self._store.stored(row)
        # Who has the link may not be who has the number; and officers' names are officers' matter.
        return exported(replace(stored, officer=""), stored.masked, self._kept(row.id))

    def export_of(self, id: int, now_ms: int) -> dict[str, Any] | None:  # noqa: A002
        """The same with the address in full, for an officer who answers a request on paper."""
        row = self._store.row("id = ?", (id,))
        if row is None or not row.holds(now_ms):
            return None
        return exported(self._store.stored(row), self._store.address(row), self._kept(row.id))

    def stop_from(self, channel: str, address: str, at: StopAt | None, now_ms: int) -> int:
        """Stop for who sent a stop word, all or at one intake; how many subscriptions it ended.

        Who has stopped all is told so by one last message, who names a place what stopped, or
        that nothing did, and what goes on. Who is not known is sent nothing: that would cost
        money, and pester whoever has that number.
        """
        fingers = self._store.fingers_of(channel, address)
        answer: _Answer | None = None
        with self._file.transaction() as connection:
            rows = self._store.of(fingers, "active", connection)
            left = self._left_place(connection, rows, at)
            ended = len(left)
            if at is None or (left and not self._any_follow(connection, rows)):
                ended = len(rows) + len(self._store.of(fingers, "pending", connection))
                if ended or self._was_asked(connection, fingers):
                    forget(connection, fingers, now_ms, "stopped", remembered=True)
                if rows:
                    lang = rows[0].lang
                    contact = self._leaving(connection, channel, address, lang, now_ms)
                    answer = _Answer(contact, channel, {"lang": lang}, f"stopped-{contact}")
            elif rows:
                answer = self._of_one_place(rows, left, at, channel, now_ms)
        self._file.sweep_log()
        if answer is not None:
            self._direct(answer.contact, answer.channel, "stopped", answer.said, answer.key, now_ms)
        return ended

    def person(self, id: int, now_ms: int) -> Person | None:  # noqa: A002
        """For the senders; None once stopped or erased. Who has not confirmed yet, or is only
        told that all has stopped, follows nothing: an id of his has direct messages alone.

        Raises VaultError where what is stored of him does not open.
        """
        row = self._store.row("id = ?", (id,))
        return None if row is None or not row.holds(now_ms) else self._store.person(row)

    def trial(self, channel: str, typed: str, lang: str, now_ms: int) -> int | None:
        """A contact for one trial message, which goes by itself; None where its owner has stopped.

        Raises
        ------
        KeyError
            There is no such channel.
        NoAddress
            Nothing can be sent there.
        """
        kind, address = self._store.channels.parsed(channel, typed)
        fingers = self._store.fingers(kind, address)
        stopped = f"SELECT 1 FROM stopped WHERE finger IN {any_of(fingers)}"  # noqa: S608
        with self._file.transaction() as connection:
            if connection.execute(stopped, fingers).fetchone() is not None:
                return None
            until_ms = now_ms + TRIAL_MS
            new = Newcomer(channel, kind, address, "trial", lang, None, now_ms, until_ms)
            return self._store.insert(connection, new)

    def gone(self, id: int, now_ms: int) -> None:  # noqa: A002
        """His address does not exist any more, as who sends there says: all of it is erased."""
        del now_ms
        with self._file.transaction() as connection:
            remove(connection, id)
            count(connection, "gone")
        self._file.sweep_log()

    def counts(self, now_ms: int) -> Counts:
        """For the operator: how many, never who."""
        return self.roster.counts(now_ms)

    def welcome_owed(self, now_ms: int) -> int:
        """Hand over welcomes that are owed, some hundred at a time; how many it were."""
        owed = self._file.rows(
            "SELECT id, channel, lang, owed FROM contact WHERE owed <> '' ORDER BY id LIMIT ?",
            (OWED_AT_ONCE,),
        )
        for contact, channel, lang, key in owed:
            # The key makes it one message, wherever a death falls between the two.
            self._direct(contact, channel, "welcome", {"lang": lang}, f"{key}-{contact}", now_ms)
        if owed:
            with self._file.transaction() as connection:
                connection.executemany(
                    # What a list has added since then is owed still.
                    "UPDATE contact SET owed = '' WHERE id = ? AND owed = ?",
                    [(contact, key) for contact, _, _, key in owed],
                )
        return len(owed)

    def sweep(self, now_ms: int) -> None:
        """Erase what has run out, and hand over welcomes. To be called once a minute."""
        gone = self._file.rows("SELECT id FROM contact WHERE until_ms <= ?", (now_ms,))
        old = self._file.rows("SELECT 1 FROM asked WHERE at_ms <= ? LIMIT 1", (now_ms - DAY_MS,))
        if gone or old:
            with self._file.transaction() as connection:
                for (contact,) in gone:
                    remove(connection, contact)
                connection.execute("DELETE FROM asked WHERE at_ms <= ?", (now_ms - DAY_MS,))
        self.welcome_owed(now_ms)
        self._file.sweep_log()

    def _left_place(
        self, connection: sqlite3.Connection, rows: Sequence[Row], at: StopAt | None
    ) -> list[_Left]:
        """Take an intake from what these contacts follow; of whom it took what."""
        left = []
        for row in rows if at is not None else ():
            had = self._store.follows(row.id, connection)
            still = [one for one in had if not _is_at(one.place, at)]
            if len(still) < len(had):
                put_follows(connection, row.id, still, active=True)
                # As in `change`: else the next list would bring back what he has stopped.
                connection.execute("UPDATE contact SET origin = 'self' WHERE id = ?", (row.id,))
                left.append((row, tuple(one.place for one in had if _is_at(one.place, at))))
        return left

    def _of_one_place(
        self, rows: Sequence[Row], left: Sequence[_Left], at: StopAt, channel: str, now_ms: int
    ) -> _Answer | None:
        """To a known person's reply that names a place and leaves him others."""
        reply = f"{at.intake}/{at.side}"
        owed = bool(left) or self._answers.owed(rows[0].id, reply, now_ms)
        if not owed:
            return None
        self._answers.given(rows[0].id, reply, now_ms)
        return _goes_on(left, channel, now_ms) if left else _nothing(rows, at, channel, now_ms)

    def _was_asked(self, connection: sqlite3.Connection, fingers: Sequence[bytes]) -> bool:
        """Whether a code went there within the day, which somebody else may have asked for."""
        found = f"SELECT 1 FROM asked WHERE finger IN {any_of(fingers)}"  # noqa: S608
        return connection.execute(found, fingers).fetchone() is not None

    def _any_follow(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> bool:
        return any(self._store.follows(row.id, connection) for row in rows)

    def _leaving(
        self, connection: sqlite3.Connection, channel: str, address: str, lang: str, now_ms: int
    ) -> int:
        """A contact that is sent one message and no other, and goes by itself: under a new id,
        so that nothing that still waits for the old one is sent any more.
        """
        kind, parsed = self._store.channels.parsed(channel, address)
        until_ms = now_ms + LEAVING_MS
        return self._store.insert(
            connection,
            Newcomer(channel, kind, parsed, "leaving", lang, None, now_ms, until_ms),
        )

    def _leave(self, token: str, now_ms: int, what: str, *, remembered: bool) -> bool:
        with self._file.transaction() as connection:
            row = self._store.by_token(token, now_ms, connection)
            if row is None:
                return False
            fingers = self._store.fingers(row.kind, self._store.address(row))
            forget(connection, fingers, now_ms, what, remembered=remembered)
        self._file.sweep_log()
        return True


def _nothing(rows: Sequence[Row], at: StopAt, channel: str, now_ms: int) -> _Answer:
    """To who does not follow the place that he named: silence would be taken for a stop."""
    row = next((row for row in rows if row.channel == channel), rows[0])
    said = {"lang": row.lang, "asked": at.intake, "side": at.side}
    return _Answer(row.id, row.channel, said, f"stopped-{row.id}-{now_ms}")


def _goes_on(left: Sequence[_Left], channel: str, now_ms: int) -> _Answer:
    """To who has stopped a place and follows others: over the channel that he wrote to, if he is
    told by it. Each reply that stops something is answered, so the key has its time.
    """
    row = next((row for row, _ in left if row.channel == channel), left[0][0])
    places = sorted({place for _, had in left for place in had})
    said = {"lang": row.lang, "left": [str(place) for place in places]}
    return _Answer(row.id, row.channel, said, f"stopped-{row.id}-{now_ms}")


def _is_at(place: Place, at: StopAt | None) -> bool:
    return at is not None and place.intake == at.intake and at.side in ("", place.side)
