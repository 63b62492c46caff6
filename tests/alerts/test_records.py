import sqlite3
from collections.abc import Iterator

import pytest

from alerts import records
from alerts.alert import Act, Action, AlertEvent
from tests.alerts.script import SALINITY_4, VK, XH, Script, t

AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    records.create(connection)
    yield connection
    connection.close()


def night() -> Script:
    """One alert of each kind: over, cleared-unacked, acked, unacked, and one historic."""
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    ack(script, "Lan", "đã gọi người trực trạm")
    script.at(15).reading(3.0)
    script.at(30).reading(4.2)
    script.at(45).reading(3.0)
    script.at(60).reading(4.3)
    ack(script, "Minh", None)
    script.at(300).backlog([(100, 4.4), (110, 3.0)], XH)
    script.at(310).reading(4.5, XH)
    return script


def ack(script: Script, who: str, note: str | None) -> None:
    alert = script.book.alerts()[-1]
    script.at(script_minute(script) + 1)
    script.acted(
        script.book.act(Action(Act.ACK, alert["id"], alert["ver"], who, note), script.now_ms)
    )


def script_minute(script: Script) -> float:
    return (script.now_ms - t(0)) / 60_000


def since(items: list[dict[str, int]]) -> list[float]:
    return [(item["t_since"] - t(0)) / 60_000 for item in items]


def stored(conn: sqlite3.Connection) -> list[AlertEvent]:
    events = night().events
    assert records.write(conn, events) == list(range(1, len(events) + 1))
    return events


def test_alerts_by_state(conn: sqlite3.Connection) -> None:
    stored(conn)

    def listed(state: str) -> list[float]:
        return since(records.page(conn, state).items)

    assert listed("all") == [310, 100, 60, 30, 0]
    assert listed("active") == [310, 60, 30]
    assert listed("unacked") == [310]
    assert listed("acked") == [60]
    assert listed("cleared-unacked") == [30]
    assert listed("historic") == [100]
    assert listed("cleared") == listed("normal") == [0]


def test_active_is_what_the_book_holds(conn: sqlite3.Connection) -> None:
    script = night()
    records.write(conn, script.events)
    assert records.active(conn) == script.book.alerts()


def test_a_period_takes_what_held_in_it(conn: sqlite3.Connection) -> None:
    stored(conn)

    def listed(from_min: float, to_min: float) -> list[float]:
        return since(records.page(conn, "all", t(from_min), t(to_min)).items)

    assert listed(0, 30) == [0]  # to is exclusive
    assert listed(15, 30.001) == [30, 0]  # from is inclusive
    assert listed(70, 90) == [60]  # it still holds
    assert listed(5000, 6000) == [310, 60]


def test_alerts_of_one_station_rule_or_severity_alone(conn: sqlite3.Connection) -> None:
    stored(conn)
    every = records.page(conn).items
    for name in records.FIELDS:
        for wished in {alert[name] for alert in every}:
            found = records.page(conn, only={name: wished}).items
            assert found == [alert for alert in every if alert[name] == wished]
        assert records.page(conn, only={name: "other"}).items == []
    both = {"station": every[0]["station"], "rule": "other"}
    assert records.page(conn, only=both).items == []


def test_alerts_of_a_station_are_found_by_an_index(conn: sqlite3.Connection) -> None:
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    records.page(conn, only={"station": "vam-kenh"})
    conn.set_trace_callback(None)
    plan = conn.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert "USING INDEX alert_by_station" in str(plan)
    assert "TEMP B-TREE" not in str(plan)


def test_pages_follow_each_other(conn: sqlite3.Connection) -> None:
    stored(conn)
    seen: list[float] = []
    after = None
    for _ in range(3):
        page = records.page(conn, "all", after=after, limit=2)
        seen.extend(since(page.items))
        after = page.after
    assert seen == [310, 100, 60, 30, 0]
    assert after is None


def test_alerts_of_one_time_are_paged_by_id(conn: sqlite3.Connection) -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(5.0, VK).reading(5.0, XH)
    records.write(conn, script.events)
    first = records.page(conn, limit=1)
    second = records.page(conn, limit=1, after=first.after)
    assert second.after is None
    ids = [first.items[0]["id"], second.items[0]["id"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 2


def test_one_alert_with_its_timeline(conn: sqlite3.Connection) -> None:
    events = stored(conn)
    found = records.one(conn, events[0].alert["id"])
    assert found is not None
    timeline = found.pop("timeline")
    assert found.pop("evidence") == events[0].evidence
    assert found == events[2].alert
    assert [(e["pos"], e["type"], e["at"], e["state"], e["ver"]) for e in timeline] == [
        (1, "raised", t(0), "unacked", 1),
        (2, "acked", t(1), "acked", 2),
        (3, "cleared", t(15), "normal", 3),
    ]
    assert (timeline[1]["who"], timeline[1]["note"]) == ("Lan", "đã gọi người trực trạm")
    assert timeline[0]["evidence"] == events[0].evidence
    assert "who" not in timeline[0]
    assert records.one(conn, "0" * 16) is None


def test_a_page_has_timelines_too(conn: sqlite3.Connection) -> None:
    stored(conn)
    for item in records.page(conn).items:
        assert item == records.one(conn, item["id"])


def test_the_channel_resumes_by_what_was_told(conn: sqlite3.Connection) -> None:
    assert records.last_position(conn) == 0
    events = stored(conn)
    told = [(pos, event) for pos, event in enumerate(events, 1) if event.told]
    assert len(told) < len(events)
    assert records.last_position(conn) == told[-1][0]
    assert records.events_after(conn, 0) == [
        (pos, records.event_body(event)) for pos, event in told
    ]
    assert [pos for pos, _ in records.events_after(conn, told[2][0], limit=2)] == [
        pos for pos, _ in told[3:5]
    ]
    assert "Lan" not in str(records.events_after(conn, 0))


def test_a_transaction_that_fails_leaves_nothing_and_repeats_its_positions(
    conn: sqlite3.Connection,
) -> None:
    events = night().events
    first = records.write(conn, events)
    conn.rollback()
    assert records.page(conn).items == []
    assert records.write(conn, events) == first


def test_tables_are_made_once(conn: sqlite3.Connection) -> None:
    events = stored(conn)
    conn.commit()
    records.create(conn)
    assert records.last_position(conn) == len(events)
