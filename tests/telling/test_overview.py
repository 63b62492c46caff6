"""What officers see of messages to people, read off a real file."""

from typing import Any, cast

import pytest

from api.farmers import MessagesAsked
from api.people.people import People
from songtien.telling.overview import OF_DELIVERIES, OF_MESSAGES, Overview
from songtien.telling.telling import Telling
from tests.telling.conftest import Making
from tests.telling.world import HERE, MINUTE_MS, THERE, notice


@pytest.mark.parametrize("chosen", [{}, {"channel": "sms"}, {"place": str(HERE)}, {"event": "e"}])
def test_each_message_stands_under_its_state(making: Making, chosen: dict[str, Any]) -> None:
    world = making(budget_per_month=2)
    overview = Overview(
        cast(Telling, None),
        [],
        cast(People, None),
        world.reader,
        world.deliveries.direct,
        people_path=world.directory / "farmers.sqlite",
        telling_path=world.directory / "telling.sqlite",
        clock_ms=lambda: world.now_ms,
    )
    world.people.left = {3}
    world.tell(notice(event="e"), people=[1, 2, 3, 4])
    world.minutes(2)
    world.tell(notice(at_ms=world.now_ms, place=THERE), notice(at_ms=world.now_ms, event="e"))
    world.later(MINUTE_MS // 2)
    world.plan()

    def found(state: str) -> list[int]:
        said = {"channel": None, "place": None, "event": None} | chosen
        rows = overview.messages(MessagesAsked(state, before=None, limit=10, **said))
        assert all(row["state"] == state for row in rows)
        return sorted(row["contact"] for row in rows)

    people = {state: found(state) for state in (*OF_DELIVERIES, *OF_MESSAGES)}
    overview.close()
    everywhere = set(chosen) <= {"channel"}
    assert people == {
        "waiting": [],
        "sent": [1, 2],
        "delivered": [],
        "undelivered": [],
        "held": [4],
        "put-off": [1, 1] if everywhere else [1],
        "dropped": [3],
    }
