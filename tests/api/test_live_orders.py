"""The live socket's seams: calls through the service, and alerts out of the records."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts import records
from alerts.alert import EventType
from api.live.frames import AlertAck, AlertCall, AlertNote, AlertShelve, AlertUnshelve
from api.live.orders import carrying_out
from api.live.terms import Refused
from api.service import NotDurable
from tests.api.http_service import ALERT_ID, NOW_MS, World
from tests.api.live_feed import OFFICER, Wire, hub_of, river


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def call(world: World, asked: AlertCall) -> object:
    async def story() -> object:
        return await carrying_out(world.service())(OFFICER, asked)

    return asyncio.run(story())


def ack(world: World, alert: str, ver: int, note: str | None = None) -> object:
    return call(world, AlertAck(alert, ver, note))


def test_each_call_does_what_it_says(world: World) -> None:
    world.put_alert(EventType.RAISED)
    until_ms = NOW_MS + 3_600_000
    shelved = call(world, AlertShelve(ALERT_ID, 1, until_ms, "đang thay đầu dò"))
    assert isinstance(shelved, dict)
    assert shelved["alert"]["shelved_until"] == until_ms
    assert shelved["alert"]["shelved_why"] == "đang thay đầu dò"
    assert isinstance(call(world, AlertUnshelve(ALERT_ID, 2)), dict)
    assert isinstance(call(world, AlertNote(ALERT_ID, 3, "đã gọi")), dict)
    assert isinstance(call(world, AlertAck(ALERT_ID, 4)), dict)
    found = world.alert(ALERT_ID)
    assert found is not None
    told = [entry["type"] for entry in found["timeline"]]
    assert told == ["raised", "shelved", "unshelved", "noted", "acked"]
    assert [line.what for line in reversed(world.tokens.audit())] == [
        f"alert.shelve {ALERT_ID} ver 1 until {until_ms}",
        f"alert.unshelve {ALERT_ID} ver 2",
        f"alert.note {ALERT_ID} ver 3",
        f"alert.ack {ALERT_ID} ver 4",
    ]


def test_a_shelving_that_the_book_does_not_take_is_422(world: World) -> None:
    world.put_alert(EventType.RAISED)
    refused = call(world, AlertShelve(ALERT_ID, 1, NOW_MS, "quá sớm"))
    assert isinstance(refused, Refused)
    assert refused.code == 422


def test_what_is_written_down_and_not_carried_out_yet_ends_nothing(world: World) -> None:
    world.act_raises = TimeoutError()
    refused = ack(world, ALERT_ID, 1)
    assert isinstance(refused, Refused)
    assert refused.code == 503
    assert "written down" in refused.msg
    assert [line.outcome for line in world.tokens.audit()] == ["written down"]


def test_an_alert_is_taken_once_and_audited(world: World) -> None:
    world.put_alert(EventType.RAISED)
    taken = ack(world, ALERT_ID, 1, "đã gọi người trực trạm")
    assert isinstance(taken, dict)
    assert (taken["alert"]["state"], taken["alert"]["ver"]) == ("acked", 2)
    again = ack(world, ALERT_ID, 1)
    assert isinstance(again, Refused)
    assert again.code == 409
    assert [(line.who, line.outcome) for line in world.tokens.audit()] == [
        (OFFICER.name, "stale"),
        (OFFICER.name, "done"),
    ]


def test_an_alert_that_never_was_and_one_that_is_over(world: World) -> None:
    never = ack(world, "0" * 16, 1)
    assert isinstance(never, Refused)
    assert never.code == 404
    world.put_alert(EventType.CLEARED, state="normal")
    over = ack(world, ALERT_ID, 1)
    assert isinstance(over, Refused)
    assert over.code == 409


def test_what_could_not_be_written_down_was_not_done(world: World) -> None:
    world.act_raises = NotDurable("the disk is full")
    refused = ack(world, ALERT_ID, 1)
    assert refused == Refused(503, "nothing was done: the disk is full")


def test_alerts_begin_with_what_the_records_hold(world: World) -> None:
    world.put_alert(EventType.RAISED)
    world.put_alert(EventType.RAISED, id="b" * 16, historic=True)
    world.put_alert(EventType.ACKED, "the operator", ver=2, state="acked")
    hub = hub_of(river())
    with world.reader.connection() as connection:
        last = records.last_position(connection)
        hub.load_alerts(
            records.active(connection), records.events_after(connection, 0, 10_000), last
        )
    wire = Wire(hub)
    snap = wire.ask(op="sub", chan="alerts")[1]
    assert [(one["id"], one["state"]) for one in snap["items"]] == [(ALERT_ID, "acked")]
    ok, *events = wire.ask(op="sub", chan="alerts", pos="a1.0")
    assert ok["recovered"] is True
    assert [event["type"] for event in events] == ["raised", "acked"]
    assert events[-1]["pos"] == f"a1.{last}" == snap["pos"]
