"""How deliveries and messages go from state to state, their counts with them.

Within the caller's transaction; nothing here commits.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from songtien.telling.breaker import Breaker
from songtien.telling.delivery import DIRECT, Delivery, State, Why, day_of, month_of
from songtien.telling.schema import count, spend

DETAIL_LENGTH: Final = 300

REPORTS_MAX: Final = 10_000
"""Reports on messages that are not known, or not yet; what comes beyond it is not kept."""

_COUNTED: Final = frozenset({State.SENT.value, State.DELIVERED.value, State.UNDELIVERED.value})


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a delivery.

    state : WAITING where it is tried again, at `due_ms`
    detail : without address, secret, or what the other side said
    ref, parts, cost : of what a gateway took
    refused : the gateway did not take this one
    """

    state: State
    why: Why = Why.NONE
    detail: str = ""
    due_ms: int = 0
    ref: str = ""
    parts: int = 0
    cost: int = 0
    refused: bool = False


def settle(
    connection: sqlite3.Connection, delivery: Delivery, settled: Settled, now_ms: int
) -> bool:
    """Write down what came of it; whether the network has said already that it arrived."""
    detail = settled.detail[:DETAIL_LENGTH]
    if settled.state is State.WAITING:
        connection.execute(
            "UPDATE delivery SET due_ms = ?, detail = ?, refusals = refusals + ?"
            " WHERE id = ? AND state = 'waiting'",
            (settled.due_ms, detail, settled.refused, delivery.id),
        )
        return False
    if settled.state is State.SENT:
        connection.execute(
            "UPDATE delivery SET ref = ?, told_ms = ? WHERE id = ?",
            (settled.ref or None, now_ms, delivery.id),
        )
        spend(connection, delivery.channel, month_of(now_ms), settled.parts, settled.cost)
    move(
        connection,
        delivery.id,
        settled.state,
        settled.why,
        now_ms,
        detail=detail,
        parts=settled.parts,
        cost=settled.cost,
    )
    if settled.state is not State.SENT or not settled.ref:
        return False
    return _early_report(connection, delivery, settled.ref, now_ms)


def move(
    connection: sqlite3.Connection,
    delivery: int,
    state: State,
    why: Why,
    now_ms: int,
    *,
    detail: str = "",
    parts: int | None = None,
    cost: int | None = None,
) -> None:
    """Bring a delivery into another state than WAITING, under the day on which it was settled."""
    row = connection.execute(
        "SELECT channel, place, kind, state, why, day, parts, cost FROM delivery WHERE id = ?",
        (delivery,),
    ).fetchone()
    if row is None:
        return
    channel, place, kind, before, before_why, day, had_parts, had_cost = row
    parts = had_parts if parts is None else parts
    cost = had_cost if cost is None else cost
    changes = []
    if before in _COUNTED:
        had = (day, channel, place, kind, before, before_why, -1, -had_parts, -had_cost)
        changes.append(had)
    day = day or day_of(now_ms)
    if state.value in _COUNTED:
        changes.append((day, channel, place, kind, state.value, why.value, 1, parts, cost))
    # What a code was is nobody's business any more.
    said = ", said = '{}'" if kind in DIRECT else ""
    connection.execute(
        "UPDATE delivery SET state = ?, why = ?, detail = ?, parts = ?, cost = ?, day = ?"  # noqa: S608 - constants
        f"{said} WHERE id = ?",
        (state.value, why.value, detail, parts, cost, day, delivery),
    )
    if state is State.DROPPED:
        rows = connection.execute(
            "SELECT id FROM message WHERE delivery = ? AND state = 'handed'", (delivery,)
        ).fetchall()
        drop_messages(connection, [row for (row,) in rows], why.value, now_ms)
    count(connection, changes)


def drop_messages(
    connection: sqlite3.Connection, ids: Sequence[int], why: str, now_ms: int
) -> None:
    """Nobody is told of these."""
    changes = []
    for each in ids:
        channel, place, kind = connection.execute(
            "SELECT m.channel, n.place, n.kind FROM message m JOIN notice n ON n.id = m.notice"
            " WHERE m.id = ?",
            (each,),
        ).fetchone()
        state = State.DROPPED.value
        changes.append((day_of(now_ms), channel, place, kind, state, why, 1, 0, 0))
    connection.executemany(
        "UPDATE message SET state = 'dropped', why = ? WHERE id = ?",
        [(why, each) for each in ids],
    )
    count(connection, changes)


def reconsider(connection: sqlite3.Connection, delivery: int, now_ms: int) -> None:
    """Give the notices of a delivery that waits back to restraint.

    One that was tried may have arrived, with its answer lost: what is made of it has its key.
    """
    connection.execute(
        "UPDATE message SET state = 'waiting', why = ?, until_ms = 0"
        " WHERE delivery = ? AND state = 'handed'",
        (Why.RECONSIDERED.value, delivery),
    )
    connection.execute("UPDATE delivery SET key = key || '~' || id WHERE id = ?", (delivery,))
    move(connection, delivery, State.DROPPED, Why.RECONSIDERED, now_ms)


def report(connection: sqlite3.Connection, delivery: int, *, delivered: bool, now_ms: int) -> bool:
    """Take the network's word; whether it has arrived just now.

    A phone that was off is reached later: that it was delivered is the last word.
    """
    row = connection.execute("SELECT state FROM delivery WHERE id = ?", (delivery,)).fetchone()
    if row is None or row[0] not in _COUNTED or row[0] == State.DELIVERED.value:
        return False
    if delivered:
        move(connection, delivery, State.DELIVERED, Why.NONE, now_ms)
    elif row[0] == State.SENT.value:
        move(connection, delivery, State.UNDELIVERED, Why.REPORTED, now_ms)
    return delivered


def keep_report(
    connection: sqlite3.Connection,
    channel: str,
    ref: str,
    delivered: bool,  # noqa: FBT001 - what is reported
    now_ms: int,
) -> None:
    """It may be faster than our own note of the answer. No more are kept than so many."""
    (kept,) = connection.execute("SELECT count(*) FROM report").fetchone()
    if kept < REPORTS_MAX:
        connection.execute(
            "INSERT INTO report VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET delivered = max(delivered, excluded.delivered)",
            (channel, ref, delivered, now_ms),
        )


def _early_report(
    connection: sqlite3.Connection, delivery: Delivery, ref: str, now_ms: int
) -> bool:
    row = connection.execute(
        "DELETE FROM report WHERE channel = ? AND ref = ? RETURNING delivered",
        (delivery.channel, ref),
    ).fetchone()
    if row is None:
        return False
    return report(connection, delivery.id, delivered=bool(row[0]), now_ms=now_ms)


def keep_breaker(connection: sqlite3.Connection, channel: str, breaker: Breaker) -> None:
    """Write down how a channel is seen."""
    connection.execute(
        "INSERT INTO breaker VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " way = excluded.way, failures = excluded.failures, refused = excluded.refused,"
        " opened = excluded.opened, until_ms = excluded.until_ms, why = excluded.why",
        (
            channel,
            breaker.way.value,
            breaker.failures,
            breaker.refused,
            breaker.opened,
            breaker.until_ms,
            breaker.why[:DETAIL_LENGTH],
        ),
    )
