"""The places with their answers, made once for each change and never shown beyond its time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from alerts.river import decision
from api.farmers import Answers, Farmers
from api.http.farmers import PlacesKept
from tests.api.farm_world import MINUTE, Farm, answer, told

PATH = "/api/v1/farmers/places"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Farm]:
    world = Farm(tmp_path)
    yield world
    world.close()


def answers(row: int, end_ms: int | None) -> Answers:
    return {"xuan-hoa/river": {500: answer(row, until=end_ms)}}


def said(found: httpx.Response) -> str:
    return str(found.json()["items"][0]["answers"]["500"]["answer"])


def test_a_change_and_the_end_of_an_answer_are_seen_at_once(world: Farm) -> None:
    end = world.now_ms + 8 * MINUTE
    first = told(world, PATH, answers(decision.TAKE, end))
    assert said(first) == "take"
    tag = {"if-none-match": first.headers["etag"]}
    assert told(world, PATH, answers(decision.TAKE, end), **tag).status_code == 304
    packed = told(world, PATH, answers(decision.TAKE, end), **{"accept-encoding": "gzip"})
    assert (packed.headers["content-encoding"], packed.json()) == ("gzip", first.json())
    assert said(told(world, PATH, answers(decision.TOO_SALT, end), **tag)) == "no"
    world.now_ms = end - 5_000
    near = told(world, PATH, answers(decision.TAKE, end))
    assert near.headers["cache-control"].endswith("max-age=5")
    world.now_ms = end
    assert told(world, PATH, answers(decision.TAKE, end), **tag).status_code == 304
    world.now_ms = end + 1
    assert said(told(world, PATH, answers(decision.TAKE, end), **tag)) == "unknown"
    # A clock that was set back.
    world.now_ms = end - 5_000
    assert told(world, PATH, answers(decision.TAKE, end)).json() == first.json()


def test_they_are_made_once_until_something_changes(world: Farm) -> None:
    end = world.now_ms + 8 * MINUTE
    kept, here = PlacesKept(), [answers(decision.TAKE, end)]
    service = replace(world.service(), farmers=Farmers(answers=lambda: here[0]))
    first = kept.get(service)
    assert first.until_ms == end
    world.now_ms += 60_000
    here[0] = answers(decision.TAKE, end)
    assert kept.get(service) is first, "the same, in another mapping"
    here[0] = answers(decision.TOO_SALT, None)
    second = kept.get(service)
    assert second is not first
    assert second.until_ms is None
    world.now_ms += 10**9
    assert kept.get(service) is second, "nothing in it runs out"
    registry = replace(world.registry, intakes=dict(world.registry.intakes))
    assert kept.get(replace(service, registry=lambda: registry)) is not second
