"""What leaves the house, read from the log of alert events: the log itself is the outbox.

Every told event that people outside are to hear of stands in it with a position that never
changes, in the transaction of the readings that caused it. Whoever sends onward keeps a
position of its own, so a death at any moment costs a repetition at most and never a message.

Who hears of what is decided by the book, and stands on the event (`AlertEvent.notify`).
"""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.alert import EventType
from alerts.lifecycle import HOLDING
from alerts.records import OUTSIDE

_THEIRS: Final = f"told AND {OUTSIDE}"
"""`told` alone is what the index of told events is asked by."""

_COLUMNS: Final = "pos, type, at_ms, body"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event for people outside; `alert` is the whole alert after it, without names."""

    pos: int
    type: EventType
    at_ms: int
    alert: dict[str, Any]


def after(conn: sqlite3.Connection, pos: int, limit: int) -> list[Outgoing]:
    """The events behind a position, in order."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM alert_event WHERE {_THEIRS} AND pos > ?"  # noqa: S608 - constants
        " ORDER BY pos LIMIT ?",
        (pos, limit),
    )
    return [_outgoing(row) for row in rows]


def waiting(conn: sqlite3.Connection, pos: int) -> tuple[int, int | None]:
    """How many events there are behind a position, and when the first of them happened, ms."""
    row = conn.execute(
        f"SELECT count(*), min(at_ms) FROM alert_event WHERE {_THEIRS} AND pos > ?",  # noqa: S608 - constants
        (pos,),
    ).fetchone()
    return int(row[0]), row[1]


def of_alert(conn: sqlite3.Connection, alert: str) -> list[Outgoing]:
    """All events of one alert, in order; empty where there is none for people outside."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM alert_event WHERE alert = ? AND {OUTSIDE}"  # noqa: S608 - constants
        " ORDER BY pos",
        (alert,),
    )
    return [_outgoing(row) for row in rows]


def current(conn: sqlite3.Connection, newest: int) -> list[list[Outgoing]]:
    """All events of each alert that holds, or that has one of the `newest` events, alert by alert.

    Whoever comes anew must find what is in force, however long ago it began.
    """
    holding = ", ".join(f"'{state.value}'" for state in sorted(HOLDING))
    rows = conn.execute(
        f"SELECT id FROM alert WHERE told AND state <> 'normal' AND state IN ({holding})"  # noqa: S608 - constants
        " UNION SELECT alert FROM"
        f" (SELECT alert FROM alert_event WHERE {_THEIRS} ORDER BY pos DESC LIMIT ?)"
        " ORDER BY 1",
        (newest,),
    )
    found = [of_alert(conn, alert) for (alert,) in rows.fetchall()]
    return [events for events in found if events]


def last_position(conn: sqlite3.Connection) -> int:
    """The position of the last event of all, 0 before the first."""
    row = conn.execute("SELECT max(pos) FROM alert_event").fetchone()
    return int(row[0] or 0)


def _outgoing(row: tuple[int, str, int, bytes]) -> Outgoing:
    pos, kind, at_ms, body = row
    return Outgoing(pos, EventType(kind), at_ms, msgspec.json.decode(body))
