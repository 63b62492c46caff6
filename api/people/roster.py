"""What officers do with people: count them, look at pages of them, bring in a list, erase."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerts.farmers import reasons
from alerts.farmers.crops import CROPS
from alerts.farmers.place import Place
from alerts.farmers.reasons import Reason, figure
from alerts.farmers.roll import Done, Entry, Line
from api.people.addresses import masked
from api.people.store import (
    Newcomer,
    Row,
    Store,
    any_of,
    count,
    forget,
    owe_welcome,
    put_follows,
    put_quiet,
    together,
)
from api.people.terms import FOLLOWS_MAX, Counts, Stored

PAGE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """Which people a page shows; None: all."""

    place: Place | None = None
    channel: str | None = None
    state: str | None = None


class Roster:
    """People as officers see them, addresses masked. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, filters: Filters, after: int, limit: int, now_ms: int) -> list[Stored]:
        """People with an id above `after`, by rising id, at most `limit`."""
        where, values = ["id > ?", "(until_ms IS NULL OR until_ms > ?)"], [after, now_ms]
        found: list[object] = list(values)
        if filters.place is not None:
            where.append("id IN (SELECT contact FROM follow WHERE intake = ? AND side = ?)")
            found += [filters.place.intake, filters.place.side]
        for column, value in (("channel", filters.channel), ("state", filters.state)):
            if value is not None:
                where.append(f"{column} = ?")
                found.append(value)
        found.append(min(limit, PAGE_MAX))
        rows = self._store.contacts(f"{' AND '.join(where)} ORDER BY id LIMIT ?", found)
        return [self._store.stored(row) for row in rows]

    def one(self, id: int, now_ms: int) -> Stored | None:  # noqa: A002
        """What is stored of somebody."""
        row = self._store.row("id = ?", (id,))
        return None if row is None or not row.holds(now_ms) else self._store.stored(row)

    def erase(self, id: int, now_ms: int, *, remembered: bool) -> bool:  # noqa: A002
        """Erase somebody, and all of the same address; False where there is nobody.

        remembered : no list brings the address back
        """
        file = self._store.file
        with file.transaction() as connection:
            row = self._store.row("id = ?", (id,), connection)
            if row is None:
                return False
            fingers = self._store.fingers(row.kind, self._store.address(row))
            forget(connection, fingers, now_ms, "erased", remembered=remembered)
        file.sweep_log()
        return True

    def counts(self, now_ms: int) -> Counts:
        """How many, never who."""
        rows = self._store.file.rows
        places = rows(
            "SELECT intake || '/' || side, count(DISTINCT contact) FROM follow WHERE active"
            " GROUP BY intake, side ORDER BY 1"
        )
        channels = rows(
            "SELECT channel, count(*) FROM contact WHERE state = 'active' GROUP BY channel"
        )
        pending = rows(
            "SELECT count(*) FROM contact WHERE state = 'pending' AND until_ms > ?", (now_ms,)
        )
        return Counts(
            active=sum(n for _, n in channels),
            pending=pending[0][0],
            by_place=dict(places),
            by_channel=dict(channels),
            ever=dict(rows("SELECT what, n FROM ever ORDER BY what")),
            do_not_contact=rows("SELECT count(*) FROM stopped")[0][0],
        )

    def take(
        self, entries: Sequence[Entry], channel: str, officer: str, now_ms: int, *, dry_run: bool
    ) -> list[Line]:
        """Bring in the people of a list, all or none; what came of each line.

        Raises
        ------
        KeyError
            There is no such channel.
        """
        with self._store.file.transaction(keep=not dry_run) as connection:
            return [self._taken(connection, one, channel, officer, now_ms) for one in entries]

    def _taken(
        self, connection: sqlite3.Connection, entry: Entry, channel: str, officer: str, now_ms: int
    ) -> Line:
        kind = self._store.channels.kinds[channel]
        shown = masked(kind, entry.phone)
        line = Line(entry.line, Done.DONE, shown, repaired=entry.repaired)
        fingers = self._store.fingers(kind, entry.phone)
        if self._has_stopped(connection, fingers):
            return replace(line, done=Done.REFUSED, field="phone", reason=reasons.STOPPED)
        known = [
            one for one in self._store.of(fingers, "active", connection) if one.channel == channel
        ]
        if known:
            return self._known(connection, line, entry, known[0], now_ms)
        contact = self._store.insert(
            connection,
            Newcomer(
                channel,
                kind,
                entry.phone,
                "active",
                entry.lang,
                entry.quiet,
                now_ms,
                origin="list",
                officer=officer,
                consent=entry.consent,
                owed="welcome",
            ),
        )
        connection.execute("UPDATE contact SET confirmed_ms = ? WHERE id = ?", (now_ms, contact))
        put_follows(connection, contact, entry.follows, active=True)
        row = self._store.row("id = ?", (contact,), connection)
        assert row is not None
        self._store.give_token(connection, row)
        count(connection, "imported")
        return _pointed(line, entry)

    def _known(
        self, connection: sqlite3.Connection, line: Line, entry: Entry, row: Row, now_ms: int
    ) -> Line:
        """Somebody who is told already: a list changes what lists brought, and nothing else."""
        had = self._store.follows(row.id, connection)
        follows = together(had, entry.follows)
        same = set(follows) == set(had)
        # What the list leaves empty stays as it is.
        quiet = row.quiet if entry.quiet is None else entry.quiet
        if same and (quiet, entry.lang) == (row.quiet, row.lang):
            return replace(line, done=Done.ALREADY)
        if row.origin == "self":
            return replace(line, done=Done.ALREADY, field="phone", reason=reasons.CHOSE)
        if len(follows) > FOLLOWS_MAX:
            reason = reasons.TOO_MANY.say(n=FOLLOWS_MAX)
            return replace(line, done=Done.REFUSED, field="place", reason=reason)
        put_follows(connection, row.id, follows, active=True)
        put_quiet(connection, row.id, quiet)
        connection.execute("UPDATE contact SET lang = ? WHERE id = ?", (entry.lang, row.id))
        if not same:
            # As in `api.people.signing`: of a spell that goes on there nobody would hear else.
            owe_welcome(connection, row.id, now_ms)
        return _pointed(replace(line, done=Done.CHANGED), entry)

    def _has_stopped(self, connection: sqlite3.Connection, fingers: Sequence[bytes]) -> bool:
        found = connection.execute(
            f"SELECT 1 FROM stopped WHERE finger IN {any_of(fingers)}",  # noqa: S608
            fingers,
        ).fetchone()
        return found is not None


def _pointed(line: Line, entry: Entry) -> Line:
    """A limit above what the crop bears is taken, and pointed at: 5 that was meant to be 0,5
    would tell nobody in time.
    """
    for follow in entry.follows:
        crop = CROPS[follow.crop]
        if follow.level_mg_l > crop.limit_mg_l:
            own, limit = figure(follow.level_mg_l / 1000), figure(crop.limit_g_l)
            named = Reason(crop.en, crop.vi)
            reason = reasons.ABOVE.say(own=own, limit=limit, crop=named)
            return replace(line, field="limit_g_l", reason=reason)
    return line
