"""`?at=`: the routes answer of a moment of the past, and say for how long that holds."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.live.where import Where
from api.moments import moment_ms
from api.rewind import Reach, Then
from ingest.series import SeriesTable
from tests.api.http_service import ALERT, ALERT_ID, NOW_MS, World, get, with_client

THEN_MS = NOW_MS - 3_600_000
EMPTY = SeriesTable(())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def then(world: World, at_ms: int) -> Then:
    def items_json(_where: Where) -> bytes:
        return b'[{"k":"then"}]'

    entered: dict[str, Any] = {"maintenance": [], "bridges": {}, "risk": [], "intakes": {}}
    return Then(
        at_ms,
        "recorded",
        settled=True,
        registry=world.registry,
        series=EMPTY,
        rules=world.service().rules(),
        items_json=items_json,
        items_pos="w.1",
        alerts=[{**ALERT, "who": "an", "t_since": at_ms - 5}],
        river={"mouths": {"then": {}}, "stations": {}},
        bridges={"bridges": [{"id": "then", "directions": []}]},
        advice={"then": {"take": False, "until": None, "why": "x"}},
        desk=entered,
    )


@pytest.mark.parametrize("route", ["state", "alerts", "river", "bridges", "advice"])
def test_what_was_shown_is_answered_and_kept(world: World, route: str) -> None:
    url = f"/api/v1/{route}"
    of_then = get(world, f"{url}?at={THEN_MS}", then=lambda at_ms: then(world, at_ms))
    assert of_then.status_code == 200
    assert of_then.headers["cache-control"] == "private, max-age=3600"
    assert "Authorization" in of_then.headers["vary"]
    assert "then" in of_then.text or ALERT_ID in of_then.text
    of_now = get(world, url)
    assert of_now.headers.get("cache-control") != "private, max-age=3600"
    assert of_now.text != of_then.text


@pytest.mark.parametrize("route", ["desk", "stations", "rules"])
def test_what_was_in_force_is_answered(world: World, route: str) -> None:
    asked: list[int] = []

    def told(at_ms: int) -> Then:
        asked.append(at_ms)
        return replace(then(world, at_ms), settled=False)

    answer = get(world, f"/api/v1/{route}?at={THEN_MS}", then=told)
    assert (answer.status_code, asked) == (200, [THEN_MS])
    # Something of it may be written yet.
    assert answer.headers["cache-control"] == "private, no-cache"


def test_names_of_officers_are_for_officers_in_the_past_too(world: World) -> None:
    def told(at_ms: int) -> Then:
        return then(world, at_ms)

    url = f"/api/v1/alerts?at={THEN_MS}"
    assert "who" not in get(world, url, then=told).json()["items"][0]
    shown = get(world, url, world.token("operator"), then=told).json()["items"][0]
    assert shown["who"] == "an"
    own = get(world, f"{url}&severity={shown['severity']}&rule={shown['rule']}", then=told)
    assert [one["id"] for one in own.json()["items"]] == [shown["id"]]
    assert get(world, f"{url}&rule=other", then=told).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (f"at={NOW_MS + 1}", "at"),
        ("at=gestern", "at"),
        (f"at={THEN_MS}&state=cleared", "state"),
        (f"at={THEN_MS}&from={THEN_MS - 1}", "from"),
    ],
)
def test_what_can_not_be_told_is_refused_by_name(world: World, query: str, name: str) -> None:
    answer = get(world, f"/api/v1/alerts?{query}", then=lambda at_ms: then(world, at_ms))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == name


def test_who_waits_for_a_moment_holds_no_thread_that_others_need(world: World) -> None:
    go_on = threading.Event()

    def slow(at_ms: int) -> Then:
        assert go_on.wait(30)
        return then(world, at_ms)

    async def story(client: httpx.AsyncClient) -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(60):  # there are 40 threads for all routes together
                group.create_task(client.get(f"/api/v1/desk?at={THEN_MS + n}"))
            for _ in range(20):
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                other = await client.get("/api/v1/rewind")
            go_on.set()
        assert other.status_code == 200

    try:
        with_client(world, story, then=slow, reach=lambda: Reach(NOW_MS))
    finally:
        go_on.set()


def test_how_far_back(world: World) -> None:
    reach = Reach(NOW_MS, [(1, 2), (5, NOW_MS)], 7)
    answer = get(world, "/api/v1/rewind", reach=lambda: reach)
    expected: dict[str, Any] = {
        "now": NOW_MS,
        "recorded": [{"from": 1, "to": 2}, {"from": 5, "to": NOW_MS}],
        "rebuilt_from": 7,
    }
    assert answer.json() == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T04:10+07",
        "2026-03-02T04:10 07",
        "2026-03-02T04:10+07:00",
        "2026-03-02T04:10:00+0700",
        "2026-03-01T21:10Z",
        "2026-03-01 21:10:00.000Z",
        "1772399400000",
    ],
)
def test_times_as_people_type_them(text: str) -> None:
    assert moment_ms(text) == 1_772_399_400_000


@pytest.mark.parametrize("text", ["2026-03-02T04:10", "2026-03-02", "04:10+07", "2026-03-02T04+07"])
def test_a_time_without_its_offset_or_minutes_is_none(text: str) -> None:
    assert moment_ms(text) is None
