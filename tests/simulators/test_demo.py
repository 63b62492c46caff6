"""The demo's feed: a day of history, then live, across a restart, with births and a farewell."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise

import pytest

from simulators.demo import HISTORY_MS, demo_feed
from simulators.scenario import HOUR_MS
from tests.conftest import Mosquitto
from tests.simulators.delta import REGISTRY
from tests.simulators.listener import Heard, listening

pytestmark = pytest.mark.broker

NOW_MS = 1_800_007_370_000
"""17:02:50 in Vietnam on a Friday: behind a quarter of an hour for probes, a minute for cameras."""

PROBES = ("vk-01", "hb-01", "xh-01", "mh-01")
CAMERAS = ("cam-01", "cam-03")


def _clock(now_ms: int = NOW_MS) -> Callable[[], int]:
    """A time of day that runs with the loop from `now_ms`."""
    begun_s: list[float] = []

    def clock_ms() -> int:
        time_s = asyncio.get_running_loop().time()
        begun_s.append(time_s)
        return now_ms + int((time_s - begun_s[0]) * 1000)

    return clock_ms


@asynccontextmanager
async def _playing(url: str, clock_ms: Callable[[], int]) -> AsyncIterator[None]:
    """The feed, stopped as Ctrl-C stops it."""
    task = asyncio.create_task(
        demo_feed(REGISTRY, broker_url=url, root="tiengiang", clock_ms=clock_ms)
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _times(heard: Heard, device: str) -> list[int]:
    key = "t" if device in PROBES else "t1"
    return [int(str(sample[key])) for sample in heard.samples(device)]


def _southbound(heard: Heard) -> list[dict[str, object]]:
    """Of the camera with one lane to the south."""
    return [s for s in heard.samples("cam-01") if s["dir"] == "southbound"]


def _live(heard: Heard, device: str) -> bool:
    return any(t > NOW_MS for t in _times(heard, device))


def test_history_then_live_then_farewell(mosquitto: Mosquitto) -> None:
    async def run() -> Heard:
        async with listening(mosquitto.url) as heard:
            async with _playing(mosquitto.url, _clock()):
                await heard.until(lambda: any(_live(heard, d) for d in PROBES))
                await heard.until(lambda: len(_southbound(heard)) > 1500)
            devices = PROBES + CAMERAS
            await heard.until(lambda: all(heard.states(d)[-1:] == ["bye"] for d in devices))
            return heard

    heard = asyncio.run(run())
    for device in PROBES + CAMERAS:
        assert heard.states(device)[0] == "ready"
    for device in PROBES:
        times = _times(heard, device)
        assert times == sorted(set(times))
        assert NOW_MS - HISTORY_MS - 900_000 <= times[0] <= NOW_MS - HISTORY_MS
        steps = [after - before for before, after in pairwise(times)]
        assert steps[:99] == [900_000] * 99
        # From the end of history to now at the pace of live, without a hole.
        assert set(steps[100:]) == {10_000}
    south = _southbound(heard)
    spans = [(int(str(s["t0"])), int(str(s["t1"]))) for s in south]
    assert {end - start for start, end in spans[:1500]} == {60_000}
    assert {end - start for start, end in spans[1500:]} == {20_000}
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    # Some stations over the limits, and the queue on the bridge at this hour.
    salty = [float(str(s["ec_ms_cm"])) for s in heard.samples("xh-01")]
    assert max(salty) > 2.0
    assert float(str(south[-1].get("speed_km_h", 0.0))) < 20.0
    assert float(str(south[-1]["queue_m"])) > 200.0


def test_a_demo_begun_again_contradicts_nothing(mosquitto: Mosquitto) -> None:
    async def run(now_ms: int) -> dict[tuple[str, str], dict[str, object]]:
        url = mosquitto.url
        async with listening(url) as heard, _playing(url, _clock(now_ms)):
            await heard.until(lambda: all(len(heard.samples(d)) > 105 for d in PROBES + CAMERAS))
        return {
            (device, f"{s.get('t')} {s.get('t0')} {s.get('t1')} {s.get('lane')} {s.get('dir')}"): s
            for device in PROBES + CAMERAS
            for s in heard.samples(device)
        }

    first, second = asyncio.run(run(NOW_MS + HOUR_MS // 4)), asyncio.run(run(NOW_MS + HOUR_MS // 2))
    both = first.keys() & second.keys()
    assert len(both) > 1000
    assert all(first[key] == second[key] for key in both)


def test_a_broker_that_restarts_is_met_again(mosquitto: Mosquitto) -> None:
    async def run() -> None:
        async with AsyncExitStack() as playing:
            # Listening comes first: history is told in a moment, and once.
            async with listening(mosquitto.url) as before:
                await playing.enter_async_context(_playing(mosquitto.url, _clock()))
                await before.until(lambda: len(_times(before, "vk-01")) > 110)
                last_ms = max(_times(before, "vk-01"))
                await asyncio.to_thread(mosquitto.kill)
            await asyncio.to_thread(mosquitto.start)
            async with listening(mosquitto.url) as after:
                await after.until(
                    lambda: (
                        any(t > last_ms for t in _times(after, "vk-01"))
                        and "ready" in after.states("vk-01")
                    )
                )
        assert min(_times(after, "vk-01")) >= last_ms  # history isn't told twice

    asyncio.run(run())
