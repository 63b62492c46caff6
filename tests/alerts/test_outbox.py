"""What people outside hear of, out of the log of events."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from alerts import outbox, records
from alerts.alert import AlertEvent, EventType

T_MS = 1_767_000_000_000


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    records.create(connection)
    yield connection
    connection.close()


def put(
    conn: sqlite3.Connection, kind: str, alert: str = "a", state: str = "unacked", grade: int = 1
) -> None:
    """grade : 0 untold, 1 for all, 2 told, and not for people outside"""
    body: dict[str, Any] = {"id": alert, "historic": not grade, "state": state, "t_since": T_MS}
    events = [AlertEvent(EventType(kind), body, T_MS, bool(grade), "Lan", "a note", {}, grade == 1)]
    records.write(conn, events)


def test_only_what_is_for_people_outside_goes_out_in_order_and_without_names(
    conn: sqlite3.Connection,
) -> None:
    for alert, grade in (("a", 0), ("b", 1), ("c", 2), ("d", 1)):
        put(conn, "raised", alert, grade=grade)
    found = outbox.after(conn, 0, 10)
    assert [(each.pos, each.alert["id"]) for each in found] == [(2, "b"), (4, "d")]
    assert "Lan" not in repr(found)
    assert [each.pos for each in outbox.after(conn, 2, 10)] == [4]
    assert [each.pos for each in outbox.after(conn, 0, 1)] == [2]
    assert outbox.waiting(conn, 0) == (2, T_MS)
    assert outbox.waiting(conn, 4) == (0, None)
    assert outbox.last_position(conn) == 4


def test_the_events_of_one_alert_are_those_for_people_outside(conn: sqlite3.Connection) -> None:
    put(conn, "raised", "a")
    put(conn, "raised", "quiet", grade=2)
    put(conn, "noted", "a", grade=2)
    put(conn, "cleared", "a", "cleared-unacked")
    assert [e.type for e in outbox.of_alert(conn, "a")] == ["raised", "cleared"]
    assert outbox.of_alert(conn, "quiet") == []


def test_what_is_in_force_is_current_however_old(conn: sqlite3.Connection) -> None:
    put(conn, "raised", "old")
    for number in range(9):
        put(conn, "raised", f"over-{number}")
        put(conn, "cleared", f"over-{number}", "cleared-unacked")
    put(conn, "raised", "quiet", grade=2)
    found = outbox.current(conn, 3)
    assert [[e.alert["id"] for e in events] for events in found] == [
        ["old"],
        ["over-7", "over-7"],
        ["over-8", "over-8"],
    ]


def test_a_log_without_events_is_empty(conn: sqlite3.Connection) -> None:
    assert (outbox.last_position(conn), outbox.current(conn, 5)) == (0, [])


def test_the_log_is_searched_by_its_index(conn: sqlite3.Connection) -> None:
    """A service of years has a log of millions: a look for the next event is no scan of it."""
    plans: list[str] = []
    conn.set_trace_callback(plans.append)
    outbox.after(conn, 5, 10)
    conn.set_trace_callback(None)
    plan = conn.execute(f"EXPLAIN QUERY PLAN {plans[0]}").fetchall()
    assert "alert_event_told (pos>?)" in str(plan[0]), plan
