"""Alerts on disk: every alert as it last was, and every event of its life, in SQLite.

Written in the transaction of the readings that caused them, by whoever owns the connection;
nothing here commits. `pos` numbers all events in one sequence that a restart goes on with;
those that people were told of are what the live channel resumes by.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec

from alerts.alert import AlertEvent
from alerts.lifecycle import OPEN, State

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alert (
    id TEXT PRIMARY KEY,
    told INTEGER NOT NULL,
    state TEXT NOT NULL,
    t_since_ms INTEGER NOT NULL,
    t_cleared_ms INTEGER,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_by_time ON alert (t_since_ms, id);
CREATE INDEX IF NOT EXISTS alert_open ON alert (t_since_ms, id) WHERE state <> 'normal';
CREATE INDEX IF NOT EXISTS alert_by_station
    ON alert (json_extract(CAST(body AS TEXT), '$.station'), t_since_ms, id);
CREATE TABLE IF NOT EXISTS alert_event (
    pos INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL,
    type TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    told INTEGER NOT NULL,
    who TEXT,
    note TEXT,
    body BLOB NOT NULL,
    evidence BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS alert_event_by_alert ON alert_event (alert, pos);
CREATE INDEX IF NOT EXISTS alert_event_told ON alert_event (pos) WHERE told;
CREATE INDEX IF NOT EXISTS alert_event_by_time ON alert_event (at_ms) WHERE told;
"""

_OPEN = ", ".join(f"'{state.value}'" for state in sorted(OPEN))
STATES: Final[Mapping[str, str]] = {
    "all": "1",
    "active": f"told AND state <> 'normal' AND state IN ({_OPEN})",
    "historic": "NOT told",
    "cleared": "told AND state = 'normal'",
    **{state.value: f"told AND state = '{state.value}'" for state in State},
}
"""What `page` can be asked for. `cleared` and `normal` are the same: told, and over."""

FIELDS: Final[Mapping[str, str]] = {
    name: f"json_extract(CAST(body AS TEXT), '$.{name}')"
    for name in ("station", "rule", "k", "severity")
}
"""What `page` can be asked for alone. A station has an index of its own, of the same words."""

Key = tuple[int, str]
"""Where a page ended: (t_since_ms, id) of its last alert."""


_UNTOLD, _TOLD, _TOLD_QUIETLY = 0, 1, 2
"""What stands in `alert_event.told`: nobody hears of the event, everybody does, or screens do
and people outside do not. A file of before there was the third has only the others."""

OUTSIDE: Final = f"told = {_TOLD}"
"""Events that people outside are to hear of, as a condition in SQL."""


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts, newest first, each with its timeline; `after` of the next page, None at the end."""

    items: list[dict[str, Any]]
    after: Key | None


def create(conn: sqlite3.Connection) -> None:
    """Make the tables where they are missing. Commits, as `executescript` does."""
    conn.executescript(SCHEMA)


def write(conn: sqlite3.Connection, events: Sequence[AlertEvent]) -> list[int]:
    """Store events in order, within the caller's transaction; gives the position of each."""
    return [_write(conn, event) for event in events]


def _write(conn: sqlite3.Connection, event: AlertEvent) -> int:
    alert, body = event.alert, msgspec.json.encode(event.alert)
    conn.execute(
        "INSERT INTO alert (id, told, state, t_since_ms, t_cleared_ms, body)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET told = excluded.told,"
        " state = excluded.state, t_cleared_ms = excluded.t_cleared_ms, body = excluded.body",
        (
            alert["id"],
            not alert["historic"],
            alert["state"],
            alert["t_since"],
            alert.get("t_cleared"),
            body,
        ),
    )
    cursor = conn.execute(
        "INSERT INTO alert_event (alert, type, at_ms, told, who, note, body, evidence)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert["id"],
            event.type.value,
            event.at_ms,
            _grade(event),
            event.who,
            event.note,
            body,
            msgspec.json.encode(event.evidence),
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _grade(event: AlertEvent) -> int:
    if not event.told:
        return _UNTOLD
    return _TOLD if event.notify else _TOLD_QUIETLY


def event_body(event: AlertEvent) -> dict[str, Any]:
    """An event for the live channel, where nobody's name or note goes."""
    return {"type": event.type.value, "at": event.at_ms, "alert": event.alert}


def active(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every told alert that is unacked, acked or cleared-unacked, oldest first: a snapshot."""
    rows = conn.execute(
        "SELECT body FROM alert"  # noqa: S608 - a constant of this module
        f" WHERE {STATES['active']} ORDER BY t_since_ms, id"
    )
    return [msgspec.json.decode(body) for (body,) in rows]


def one(conn: sqlite3.Connection, alert: str) -> dict[str, Any] | None:
    """An alert with its whole timeline and the evidence; None if there never was one."""
    row = conn.execute("SELECT body FROM alert WHERE id = ?", (alert,)).fetchone()
    if row is None:
        return None
    return _whole(row[0], _timelines(conn, [alert])[alert])


def page(
    conn: sqlite3.Connection,
    state: str = "all",
    from_ms: int | None = None,
    to_ms: int | None = None,
    after: Key | None = None,
    limit: int = 100,
    only: Mapping[str, str] = MappingProxyType({}),
) -> Page:
    """Alerts in a state (a key of `STATES`) that held at any time in [from_ms, to_ms).

    Newest first by `t_since`. `after` is the `after` of the page before, `only` what fields of
    theirs must be, by keys of `FIELDS`.
    """
    assert limit > 0
    where = [STATES[state], *(f"{FIELDS[name]} = ?" for name in only)]
    values: list[Any] = list(only.values())
    if from_ms is not None:
        where.append("(t_cleared_ms IS NULL OR t_cleared_ms >= ?)")
        values.append(from_ms)
    if to_ms is not None:
        where.append("t_since_ms < ?")
        values.append(to_ms)
    if after is not None:
        where.append("(t_since_ms, id) < (?, ?)")
        values.extend(after)
    rows = conn.execute(
        "SELECT t_since_ms, id, body FROM alert"  # noqa: S608 - constants of this module
        f" WHERE {' AND '.join(where)} ORDER BY t_since_ms DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    more, rows = len(rows) > limit, rows[:limit]
    timelines = _timelines(conn, [key for _, key, _ in rows])
    items = [_whole(body, timelines[key]) for _, key, body in rows]
    return Page(items, (rows[-1][0], rows[-1][1]) if more else None)


def events_after(
    conn: sqlite3.Connection, pos: int, limit: int = 1_000
) -> list[tuple[int, dict[str, Any]]]:
    """Told events after a position, in order, as `event_body` makes them."""
    rows = conn.execute(
        "SELECT pos, type, at_ms, body FROM alert_event"
        " WHERE told AND pos > ? ORDER BY pos LIMIT ?",
        (pos, limit),
    )
    return [
        (at, {"type": kind, "at": at_ms, "alert": msgspec.json.decode(body)})
        for at, kind, at_ms, body in rows
    ]


def told_between(
    conn: sqlite3.Connection, from_ms: int, to_ms: int, limit: int
) -> list[dict[str, Any]]:
    """Told events of [from, to), in order: `t`, `type`, `alert` (the whole alert after it), and
    `who` and `note` where there are any.
    """
    rows = conn.execute(
        "SELECT type, at_ms, who, note, body FROM alert_event"
        " WHERE told AND at_ms >= ? AND at_ms < ? ORDER BY pos LIMIT ?",
        (from_ms, to_ms, limit),
    )
    found = []
    for kind, at_ms, who, note, body in rows:
        said = {name: word for name, word in (("who", who), ("note", note)) if word}
        found.append({"t": at_ms, "type": kind, "alert": msgspec.json.decode(body)} | said)
    return found


def taken(conn: sqlite3.Connection, alerts: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Of each alert that has been acknowledged when it last was, and by whom."""
    marks = ", ".join("?" * len(alerts))
    rows = conn.execute(
        "SELECT alert, at_ms, who FROM alert_event"  # noqa: S608 - marks only
        f" WHERE alert IN ({marks}) AND type = 'acked' ORDER BY pos",
        tuple(alerts),
    )
    return {alert: (at_ms, who or "") for alert, at_ms, who in rows}


def log(conn: sqlite3.Connection) -> bytes:
    """Every event in order, told and untold, as lines of `songtien backtest`'s alert log."""
    rows = conn.execute("SELECT type, at_ms, told, body, evidence FROM alert_event ORDER BY pos")
    decode = msgspec.json.decode
    return b"".join(
        log_line(kind, at_ms, decode(body), decode(evidence), told=told != _UNTOLD)
        for kind, at_ms, told, body, evidence in rows
    )


def log_line(
    kind: str, at_ms: int, alert: Mapping[str, Any], evidence: Mapping[str, Any], *, told: bool
) -> bytes:
    """An event as a line of the log: the same event is the same bytes everywhere.

    Keys in alphabetical order, times in ms UTC, no space, a newline at the end.
    """
    content = {"at": at_ms, "type": kind, "told": told, "alert": alert, "evidence": evidence}
    return msgspec.json.encode(content, order="deterministic") + b"\n"


def last_position(conn: sqlite3.Connection) -> int:
    """The position of the last told event, 0 before the first."""
    row = conn.execute("SELECT max(pos) FROM alert_event WHERE told").fetchone()
    return int(row[0] or 0)


def _whole(body: bytes, timeline: list[dict[str, Any]]) -> dict[str, Any]:
    """An alert with its timeline, and at the top the evidence of what first raised it."""
    proofs: list[dict[str, Any]] = [e["evidence"] for e in timeline if "evidence" in e]
    evidence = proofs[0] if proofs else {}
    return {**msgspec.json.decode(body), "timeline": timeline, "evidence": evidence}


def _timelines(conn: sqlite3.Connection, alerts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {alert: [] for alert in alerts}
    marks = ", ".join("?" * len(alerts))
    rows = conn.execute(
        "SELECT alert, pos, type, at_ms, told, who, note, body, evidence"  # noqa: S608 - marks only
        f" FROM alert_event WHERE alert IN ({marks}) ORDER BY pos",
        tuple(alerts),
    )
    for alert, pos, kind, at_ms, told, who, note, body, evidence in rows:
        after = msgspec.json.decode(body)
        entry = {
            "pos": pos,
            "type": kind,
            "at": at_ms,
            "told": told != _UNTOLD,
            "quiet": True if told == _TOLD_QUIETLY else None,
            "state": after["state"],
            "ver": after["ver"],
            "who": who,
            "note": note,
            "evidence": msgspec.json.decode(evidence),
        }
        found[alert].append(
            {name: value for name, value in entry.items() if value not in (None, {})}
        )
    return found
