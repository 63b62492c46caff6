"""`alert.ack` of the live socket against the service that HTTP asks too."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.alert import EventType
from api.live.acks import acknowledger
from api.live.frames import AlertAck
from api.live.session import Refused
from api.service import NotDurable
from tests.api.http_service import ALERT_ID, World
from tests.api.live_feed import OFFICER


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
