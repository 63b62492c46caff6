"""Messages on their way to people, on disk: what waits, what was sent, what never arrived.

A file of its own beside the store, as `webhooks.sqlite` is: what is sent onward must never hold
up, nor be held up by, the one writer of readings. It knows people by numbers alone. Any thread
may call; one connection writes for all, one at a time.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from alerts.farmers.outbox import Told
from alerts.farmers.restraint import Decision
from songtien.telling import moves, planning, schema
from songtien.telling.breaker import Breaker, Way
from songtien.telling.delivery import (
    DIRECT,
    USEFUL_MS,
    Delivery,
    State,
    Why,
    month_day_of,
    month_of,
    rank_of,
)
from songtien.telling.moves import Settled
from songtien.telling.planning import Case

KEPT_MS: Final = 90 * 86_400_000
REPORTS_KEPT_MS: Final = 86_400_000
AHEAD_MAX_MS: Final = 600_000
"""No delivery waits longer for its next try: what is due later than that was written down before
the clock was set back, and goes now."""

FAULT_MS: Final = 600_000
"""What the program can't think about is thought about again after so long: a new version may."""


class ClosedError(Exception):
    """The file is closed: what was to be written is not, and is done anew in the next life."""


class Deliveries:
    """The file. Raises sqlite3.OperationalError where the disk refuses, `ClosedError` after
    `close`, and ConfigError for a file that a later version has written.

    asked : called with the name of a channel over which somebody is to be answered
    delivered, late : by channel, in this life of the process: what the network says has arrived,
        and what came to be too old
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._under_way: set[int] = set()
        self.delivered: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.asked: Callable[[str], object] = lambda _channel: None
        self._connection = schema.opened(path)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise ClosedError
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    # What is planned.

    def begin(self, last_id: int) -> int:
        """Up to which row the outbox has been taken; a new file begins behind `last_id`, its last.

        Never behind the end of the outbox, which an older store that was restored has moved.
        """
        with self._writing() as connection:
            row = connection.execute("SELECT done FROM position").fetchone()
            if row is None:
                connection.execute("INSERT INTO position VALUES (?)", (last_id,))
                return last_id
            connection.execute("UPDATE position SET done = min(done, ?)", (last_id,))
            return min(int(row[0]), last_id)

    def take(self, told: Sequence[Told], done: int, now_ms: int) -> None:
        """Take rows of the outbox, and that all up to `done` are taken, in one transaction."""
        with self._writing() as connection:
            planning.take(connection, told, done, now_ms)

    def cases(self, now_ms: int, limit: int) -> list[Case]:
        """Up to so many people of whom something is to be thought about now."""
        with self._reading() as connection:
            contacts = planning.contacts_due(connection, now_ms, limit)
            return [planning.case_of(connection, contact, now_ms) for contact in contacts]

    def plan(self, decided: Iterable[tuple[Case, Sequence[Decision] | Why]], now_ms: int) -> int:
        """Write down what becomes of what waited for some people, in one transaction.

        Of each, what restraint says of all that waits; STOPPED for one who has left, FAULT where
        it could not be said. Whose messages were touched since they were read is left as he is,
        and still due. Returns how many deliveries were made.
        """
        made = 0
        with self._writing() as connection:
            for case, found in decided:
                if not planning.is_as_seen(connection, case):
                    continue
                if found is Why.FAULT:
                    planning.put_off(connection, case, now_ms + FAULT_MS)
                elif isinstance(found, Why):
                    ids = list(case.rows.values())
                    moves.drop_messages(connection, ids, found.value, now_ms)
                else:
                    made += planning.decided(connection, case, found, now_ms)
        return made

    def plan_ms(self) -> int | None:
        """When somebody is to be thought about next; None where nothing waits."""
        with self._reading() as connection:
            return planning.next_ms(connection)

    def direct(
        self,
        contact: int,
        channel: str,
        kind: str,
        said: Mapping[str, Any],
        key: str,
        now_ms: int,
    ) -> bool:
        """Take a message that answers one person; False where this key has been taken before.

        kind : "code", "welcome", "stopped" or "trial"; ValueError for any other
        said : what the words need; erased as soon as it is settled
        """
        if kind not in DIRECT:
            raise ValueError(f"{kind!r} answers nobody; accepted are {', '.join(sorted(DIRECT))}")
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO delivery (key, contact, channel, kind, place, rank, said,"
                " due_ms, expires_ms, created_ms) VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?)",
                (
                    key,
                    contact,
                    channel,
                    kind,
                    rank_of([kind]),
                    msgspec.json.encode(dict(said)),
                    now_ms,
                    now_ms + USEFUL_MS[kind],
                    now_ms,
                ),
            )
        self.asked(channel)
        return cursor.rowcount == 1

    # What couriers take and settle.

    def next_due(self, channel: str, now_ms: int) -> Delivery | None:
        """What goes next over a channel: by rank, then by age; None where nothing is due."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT id, key, contact, channel, kind, said, tries, refusals, created_ms,"
                " expires_ms FROM delivery INDEXED BY delivery_waiting"
                " WHERE channel = ? AND state = 'waiting' AND (due_ms <= ? OR due_ms > ?)"
                " AND expires_ms > ? ORDER BY rank, id LIMIT 1",
                (channel, now_ms, now_ms + AHEAD_MAX_MS, now_ms),
            ).fetchone()
            return None if row is None else planning.delivery_of(connection, row)

    def due_ms(self, channel: str) -> int | None:
        """When the first is due of what waits for a channel; None where nothing waits."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT min(due_ms) FROM delivery INDEXED BY delivery_waiting"
                " WHERE channel = ? AND state = 'waiting'",
                (channel,),
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def outlived(self, delivery: Delivery) -> frozenset[int]:
        """Its messages after which something was to be told that says the contrary."""
        with self._reading() as connection:
            return frozenset(
                row
                for row, notice in delivery.told
                if planning.is_outlived(connection, delivery.contact, row, notice)
            )

    def claim(self, delivery: Delivery, without: frozenset[int], now_ms: int) -> bool:
        """A try begins, without some of its messages; False where nothing may be sent any more.

        Written down before anything leaves: what was tried may have arrived.
        """
        with self._writing() as connection:
            cursor = connection.execute(
                "UPDATE delivery SET tries = tries + 1"
                " WHERE id = ? AND state = 'waiting' AND tries = ?",
                (delivery.id, delivery.tries),
            )
            if cursor.rowcount == 1:
                self._under_way.add(delivery.id)
                why = Why.SUPERSEDED.value
                moves.drop_messages(connection, sorted(without), why, now_ms)
            return cursor.rowcount == 1

    def settle(
        self, delivery: Delivery, settled: Settled, now_ms: int, breaker: Breaker | None = None
    ) -> None:
        """Write down what came of it, with how the channel is seen now, in one transaction."""
        with self._writing() as connection:
            arrived = moves.settle(connection, delivery, settled, now_ms)
            if breaker is not None:
                moves.keep_breaker(connection, delivery.channel, breaker)
        self._under_way.discard(delivery.id)
        self.delivered[delivery.channel] += arrived

    def reconsider(self, delivery: Delivery, now_ms: int) -> None:
        """Give its notices back to restraint: they are not to be told as things are now."""
        with self._writing() as connection:
            moves.reconsider(connection, delivery.id, now_ms)

    def spent(self, channel: str, now_ms: int) -> tuple[int, int]:
        """Messages and parts that gateways took this month (Vietnam)."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT number, parts FROM spent WHERE channel = ? AND month = ?",
                (channel, month_of(now_ms)),
            ).fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def spent_on(self, channel: str, kind: str, now_ms: int) -> int:
        """Parts that gateways took this month (Vietnam) of one kind."""
        with self._reading() as connection:
            (parts,) = connection.execute(
                "SELECT coalesce(sum(parts), 0) FROM counted"
                " WHERE day >= ? AND channel = ? AND kind = ?",
                (month_day_of(now_ms), channel, kind),
            ).fetchone()
        return int(parts)

    def last_contact(self) -> int:
        """The highest number of a person that is known here; 0 where nobody is."""
        with self._reading() as connection:
            (found,) = connection.execute(
                "SELECT max((SELECT coalesce(max(contact), 0) FROM delivery),"
                " (SELECT coalesce(max(contact), 0) FROM message))"
            ).fetchone()
        return int(found)

    def waiting(self, channel: str, *, welcomes: bool = True) -> int:
        """How many wait for a channel, with those who are to be welcomed or without."""
        with self._reading() as connection:
            (number,) = connection.execute(
                "SELECT count(*) FROM delivery INDEXED BY delivery_waiting"
                " WHERE channel = ? AND state = 'waiting'",
                (channel,),
            ).fetchone()
            if not welcomes:
                (among,) = connection.execute(
                    "SELECT count(*) FROM delivery INDEXED BY delivery_welcomes"
                    " WHERE channel = ? AND state = 'waiting' AND kind = 'welcome'",
                    (channel,),
                ).fetchone()
                number -= among
        return int(number)

    def breaker(self, channel: str) -> Breaker:
        """How a channel was seen last; closed where nobody knows."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT way, failures, refused, opened, until_ms, why FROM breaker"
                " WHERE channel = ?",
                (channel,),
            ).fetchone()
        return Breaker() if row is None else Breaker(Way(row[0]), *row[1:])

    # What others say.

    def reported(self, channel: str, ref: str, delivered: bool, now_ms: int) -> None:  # noqa: FBT001 - what is reported
        """The network's word on a message. One that comes before its `ref` is known is kept."""
        if not ref:
            return
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT id FROM delivery WHERE channel = ? AND ref = ?", (channel, ref)
            ).fetchall()
            arrived = sum(
                moves.report(connection, row, delivered=delivered, now_ms=now_ms) for (row,) in rows
            )
            if not rows:
                moves.keep_report(connection, channel, ref, delivered, now_ms)
        self.delivered[channel] += arrived

    def release(self, messages: Iterable[int]) -> int:
        """Let go what is held for want of budget, beyond the budget; gives how many it were.

        What has become too old or untrue meanwhile is dropped then, and not told.
        """
        with self._writing() as connection:
            return sum(
                connection.execute(
                    "UPDATE message SET released = 1, until_ms = 0"
                    " WHERE id = ? AND state = 'held' AND why = ?",
                    (row, Why.BUDGET.value),
                ).rowcount
                for row in messages
            )

    def drop(self, messages: Iterable[int], now_ms: int) -> int:
        """Tell nobody what is held, as an officer says; gives how many it were."""
        with self._writing() as connection:
            held = [
                row
                for row in messages
                if connection.execute(
                    "SELECT 1 FROM message WHERE id = ? AND state = 'held'", (row,)
                ).fetchone()
            ]
            moves.drop_messages(connection, held, Why.OFFICER.value, now_ms)
        return len(held)

    # What time does.

    def expire(self, now_ms: int, limit: int) -> int:
        """Up to so many of those that wait and are too old come to their end; gives how many.

        With a permission among the notices they are thought about anew, the others may still
        be told; else they are undelivered.
        """
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT id, permits, detail, channel FROM delivery INDEXED BY delivery_running_out"
                " WHERE state = 'waiting' AND expires_ms <= ? ORDER BY expires_ms LIMIT ?",
                (now_ms, limit),
            ).fetchall()
            # Of one that is under way the answer comes any moment, and is the truth.
            rows = [row for row in rows if row[0] not in self._under_way]
            for row, permits, detail, _ in rows:
                if permits:
                    moves.reconsider(connection, row, now_ms)
                else:
                    state, why = State.UNDELIVERED, Why.LATE
                    moves.move(connection, row, state, why, now_ms, detail=detail)
        self.late.update(channel for _, permits, _, channel in rows if not permits)
        return len(rows)

    def forget(self, now_ms: int, limit: int) -> int:
        """Let go of up to so many rows that are old; what was counted of them stays counted."""
        before_ms = now_ms - KEPT_MS
        with self._writing() as connection:
            connection.execute("DELETE FROM report WHERE at_ms < ?", (now_ms - REPORTS_KEPT_MS,))
            gone = connection.execute(
                "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE asked_ms < ?"
                " AND state IN ('handed', 'dropped') LIMIT ?)",
                (before_ms, limit),
            ).rowcount
            gone += connection.execute(
                "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery d WHERE created_ms < ?"
                " AND state <> 'waiting' AND NOT EXISTS"
                " (SELECT 1 FROM message m WHERE m.delivery = d.id) LIMIT ?)",
                (before_ms, limit),
            ).rowcount
            if gone < limit:
                connection.execute(
                    "DELETE FROM notice WHERE at_ms < ? AND NOT EXISTS"
                    " (SELECT 1 FROM message m WHERE m.notice = notice.id)",
                    (before_ms,),
                )
        return gone
