"""The live socket's seams: `alert.ack` through the service, and alerts out of the records."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts import records
from alerts.alert import EventType
from api.live.acks import acknowledger
from api.live.frames import AlertAck
from api.live.session import Refused
from api.service import NotDurable
from tests.api.http_service import ALERT_ID, World
from tests.api.live_feed import OFFICER, Wire, hub_of, river


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def ack(world: World, alert: str, ver: int, note: str | None = None) -> object:
    async def story() -> object:
        return await acknowledger(world.service())(OFFICER, AlertAck(alert, ver, note))

    return asyncio.run(story())


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
