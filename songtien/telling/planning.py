"""What is planned of the outbox, on disk: messages that wait, and the deliveries made of them.

Within the caller's transaction; nothing here commits.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.farmers import restraint
from alerts.farmers.notice import ANY_LEVEL, Notice
from alerts.farmers.outbox import Told
from alerts.farmers.restraint import TOLD_MS, Asked, Day, Decision, Drop, Send, Wait
from songtien.telling import moves
from songtien.telling.delivery import (
    CONTRARY,
    DIGEST,
    DIRECT,
    PERMITS,
    USEFUL_MS,
    Delivery,
    State,
    Why,
    day_of,
    key_of,
    rank_of,
)

_HELD: Final = restraint.PUT_OFF | {restraint.Why.BUDGET}
"""Waits that officers see as held back; the others are over within hours."""

_WAITS: Final = frozenset(each.value for each in restraint.Why)
_GONE: Final = frozenset({State.UNDELIVERED.value, State.DROPPED.value})


@dataclass(frozen=True, slots=True)
class Case:
    """All that restraint is asked about one person.

    released : an officer lets all of it go beyond the budget
    rows : the message of each notice, by the notice's key
    seen : how these messages stood when they were read
    """

    contact: int
    channel: str
    asked: tuple[Asked, ...]
    day: Day
    released: bool
    rows: dict[str, int]
    seen: tuple[tuple[int, str, int, int], ...]


def take(connection: sqlite3.Connection, told: Sequence[Told], done: int, now_ms: int) -> None:
    """Take rows of the outbox, and note that all up to `done` are taken.

    What is here already is passed over, so that an outbox that is read anew tells nothing anew.
    Of a clock that was set back no notice waits until it has come round again.
    """
    notices: dict[str, int] = {}
    for each in told:
        key = each.notice.key
        if key not in notices:
            notices[key] = _put_notice(connection, key, each.notice)
    connection.executemany(
        "INSERT OR IGNORE INTO message (contact, notice, channel, asked_ms) VALUES (?, ?, ?, ?)",
        [
            (each.contact, notices[each.notice.key], each.channel, min(each.at_ms, now_ms))
            for each in told
        ],
    )
    connection.execute("UPDATE position SET done = ?", (done,))


def _put_notice(connection: sqlite3.Connection, key: str, notice: Notice) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO notice (key, event, at_ms, place, level_mg_l, kind, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            notice.event,
            notice.at_ms,
            str(notice.place),
            notice.level_mg_l,
            notice.kind.value,
            msgspec.json.encode(notice.stored()),
        ),
    )
    (found,) = connection.execute("SELECT id FROM notice WHERE key = ?", (key,)).fetchone()
    return int(found)


def contacts_due(connection: sqlite3.Connection, now_ms: int, limit: int) -> list[int]:
    """Up to so many people of whom something is to be thought about now."""
    rows = connection.execute(
        "SELECT contact FROM message INDEXED BY message_due"
        " WHERE state IN ('waiting', 'held') AND until_ms <= ? ORDER BY until_ms, contact LIMIT ?",
        (now_ms, 4 * limit),
    ).fetchall()
    return list(dict.fromkeys(int(contact) for (contact,) in rows))[:limit]


def next_ms(connection: sqlite3.Connection) -> int | None:
    """When the next is to be thought about; None where nothing waits."""
    row = connection.execute(
        "SELECT min(until_ms) FROM message INDEXED BY message_due"
        " WHERE state IN ('waiting', 'held')"
    ).fetchone()
    return None if row[0] is None else int(row[0])


def case_of(connection: sqlite3.Connection, contact: int, now_ms: int) -> Case:
    """What waits for a person, and what he has been told."""
    rows = _open(connection, contact)
    asked, ids = [], {}
    for each in rows:
        notice = _notice(each[6])
        thought = restraint.Why(each[1]) if each[1] in _WAITS else None
        asked.append(Asked(notice, each[5], thought, each[2]))
        ids[notice.key] = each[0]
    return Case(
        contact,
        str(rows[-1][4]),
        tuple(asked),
        _day(connection, contact, now_ms),
        any(each[3] for each in rows),
        ids,
        tuple(each[:4] for each in rows),
    )


def is_as_seen(connection: sqlite3.Connection, case: Case) -> bool:
    """Whether nobody has touched these messages since they were read."""
    return case.seen == tuple(each[:4] for each in _open(connection, case.contact))


def _open(connection: sqlite3.Connection, contact: int) -> list[Any]:
    return connection.execute(
        "SELECT m.id, m.why, m.until_ms, m.released, m.channel, m.asked_ms, n.body"
        " FROM message m INDEXED BY message_open JOIN notice n ON n.id = m.notice"
        " WHERE m.contact = ? AND m.state IN ('waiting', 'held') ORDER BY m.id",
        (contact,),
    ).fetchall()


def _day(connection: sqlite3.Connection, contact: int, now_ms: int) -> Day:
    rows = connection.execute(
        "SELECT id, kind, state, created_ms FROM delivery WHERE contact = ? AND created_ms > ?",
        (contact, now_ms - TOLD_MS),
    ).fetchall()
    handed = [row for row in rows if row[1] not in DIRECT and row[2] != State.DROPPED]
    today = sum(day_of(row[3]) == day_of(now_ms) for row in handed)
    told: list[Notice] = []
    for row in handed:
        if row[2] not in _GONE:
            found = connection.execute(
                "SELECT n.body FROM message m JOIN notice n ON n.id = m.notice"
                " WHERE m.delivery = ? AND m.state = 'handed'",
                (row[0],),
            ).fetchall()
            told.extend(_notice(body) for (body,) in found)
    return Day(today, tuple(told))


def decided(
    connection: sqlite3.Connection, case: Case, decisions: Sequence[Decision], now_ms: int
) -> int:
    """Write down what becomes of it all; gives how many deliveries were made."""
    sent = 0
    for each in decisions:
        ids = [case.rows[notice.key] for notice in each.notices]
        match each:
            case Send():
                _hand_over(connection, case, each, ids, now_ms)
                sent += 1
            case Wait(_, until_ms, why):
                state = State.HELD if why in _HELD else State.WAITING
                # Thought about again at once, it would be thought about for ever.
                until_ms = max(until_ms, now_ms + 1)
                connection.executemany(
                    "UPDATE message SET state = ?, why = ?, until_ms = ? WHERE id = ?",
                    [(state.value, why.value, until_ms, row) for row in ids],
                )
            case Drop(_, why):
                moves.drop_messages(connection, ids, why.value, now_ms)
    return sent


def put_off(connection: sqlite3.Connection, case: Case, until_ms: int) -> None:
    """Think about all of it again later, a fault of the program being in the way."""
    connection.executemany(
        "UPDATE message SET state = 'waiting', why = ?, until_ms = ? WHERE id = ?",
        [(Why.FAULT.value, until_ms, row) for row in case.rows.values()],
    )


def _hand_over(
    connection: sqlite3.Connection, case: Case, send: Send, ids: Sequence[int], now_ms: int
) -> None:
    kinds = [notice.kind.value for notice in send.notices]
    permits = any(notice.kind in PERMITS for notice in send.notices)
    kind = DIGEST if send.digest else kinds[0]
    useful_ms = max(USEFUL_MS[each] for each in (kind, *kinds))
    expires_ms = now_ms + useful_ms
    if send.expires_ms is not None:
        expires_ms = min(expires_ms, send.expires_ms)
    cursor = connection.execute(
        "INSERT INTO delivery (key, contact, channel, kind, place, rank, due_ms, expires_ms,"
        " permits, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            _key(connection, case.contact, send.notices, ids),
            case.contact,
            case.channel,
            kind,
            str(send.notices[0].place),
            rank_of(kinds),
            send.due_ms,
            expires_ms,
            permits,
            now_ms,
        ),
    )
    connection.executemany(
        "UPDATE message SET state = 'handed', why = ?, delivery = ? WHERE id = ?",
        [(send.why.value, cursor.lastrowid, row) for row in ids],
    )


def _key(
    connection: sqlite3.Connection, contact: int, notices: Sequence[Notice], ids: Sequence[int]
) -> str:
    """A key of its own, or that of a delivery that was tried already and may have arrived."""
    marks = ", ".join("?" * len(ids))
    rows = connection.execute(
        "SELECT DISTINCT d.key FROM message m JOIN delivery d ON d.id = m.delivery"  # noqa: S608 - marks
        f" WHERE m.id IN ({marks}) AND d.tries > 0 ORDER BY d.id",
        tuple(ids),
    ).fetchall()
    for found in (*(key.partition("~")[0] for (key,) in rows), key_of(contact, notices)):
        if not connection.execute("SELECT 1 FROM delivery WHERE key = ?", (found,)).fetchone():
            return str(found)
    # The same notices again, after their first delivery has come to its end otherwise.
    return f"{key_of(contact, notices)}-{min(ids)}"


def delivery_of(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Delivery:
    """A row as couriers need it, with its notices, oldest first."""
    number, key, contact, channel, kind, said, tries, refusals, created_ms, expires_ms = row
    told = connection.execute(
        "SELECT m.id, n.body FROM message m JOIN notice n ON n.id = m.notice"
        " WHERE m.delivery = ? AND m.state = 'handed' ORDER BY n.at_ms, n.key",
        (number,),
    ).fetchall()
    return Delivery(
        number,
        key,
        contact,
        channel,
        kind,
        msgspec.json.decode(said),
        tuple((each, _notice(body)) for each, body in told),
        tries,
        refusals,
        created_ms,
        expires_ms,
    )


def is_outlived(connection: sqlite3.Connection, contact: int, message: int, notice: Notice) -> bool:
    """Whether something that says the contrary was to be told to him after it.

    message : the row of the notice; they are in the order of the outbox
    """
    contrary = [kind.value for kind in CONTRARY.get(notice.kind, ())]
    marks = ", ".join("?" * len(contrary))
    return bool(
        connection.execute(
            "SELECT 1 FROM message m INDEXED BY message_of_contact"  # noqa: S608 - marks
            " JOIN notice n ON n.id = m.notice"
            " WHERE m.contact = ? AND m.id > ? AND n.place = ? AND n.at_ms > ?"
            f" AND n.kind IN ({marks}) AND (n.level_mg_l IN (?, ?) OR ? = ?)"
            " AND NOT (m.state = 'dropped' AND m.why IN ('unfollowed', 'stopped')) LIMIT 1",
            (
                contact,
                message,
                str(notice.place),
                notice.at_ms,
                *contrary,
                notice.level_mg_l,
                ANY_LEVEL,
                notice.level_mg_l,
                ANY_LEVEL,
            ),
        ).fetchone()
    )


def _notice(body: bytes) -> Notice:
    stored: dict[str, Any] = msgspec.json.decode(body)
    return Notice.of(stored)
