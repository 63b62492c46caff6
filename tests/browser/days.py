"""A simulated day up to now, at a real broker for a real service, and on from there.

The hours of the day are those of the scenario and not of the clock: at whatever time a picture is
made, it is late in the afternoon on the river.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.registry import Registry
from simulators.message import Message
from simulators.playback import Choice, feed_of
from simulators.publish import Broker, Publisher, clock_pace
from simulators.scenario import HOUR_MS, SCENARIOS
from simulators.simulate import Played

NOW_H = 17.4
"""Local hour of the scenario's first day that is now: the queues of the afternoon stand."""

LATER_MS = 730 * 24 * HOUR_MS
"""The scenarios are of 2024, when the second bridge was not yet open."""

AHEAD_H = 1.0
"""For so long the day goes on after now."""


class Day:
    """A day that is over and goes on. `told` is set once its past has gone out, of `past` samples."""

    def __init__(self, name: str, registry: Registry, directory: Path, before_h: float) -> None:
        scenario = SCENARIOS[name]
        start_ms = scenario.start_ms + LATER_MS
        now_ms = start_ms + round(NOW_H * HOUR_MS)
        long_ms = round((before_h + AHEAD_H) * HOUR_MS)
        begin_ms = now_ms - round(before_h * HOUR_MS)
        played = Played(scenario.world(registry, 1, start_ms), begin_ms, long_ms)
        file = directory / f"{name}.jsonl.gz"
        played.write(file, played.messages(root="tiengiang"))
        begun_ms = _clock_ms()
        feed = feed_of(file, Choice(), now_s=begun_ms // 1000)
        self._messages: Iterator[Message] = feed.play(begun_ms - now_ms, 0)
        self._loop = asyncio.new_event_loop()
        self._playing: asyncio.Task[None] | None = None
        self.told = threading.Event()
        self.past = 0

    def _play(self, broker_url: str) -> None:
        asyncio.set_event_loop(self._loop)
        pace = clock_pace(_clock_ms)

        async def wait(publish_ms: int) -> None:
            if publish_ms > _clock_ms() and not self.told.is_set():
                self.past = publisher.offered_samples
                self.told.set()
            await pace(publish_ms)

        publisher = Publisher(Broker.of(broker_url), self._messages, wait=wait)
        self._playing = self._loop.create_task(publisher.run())
        try:
            self._loop.run_until_complete(self._playing)
        except asyncio.CancelledError:
            return
        finally:
            self._loop.close()

    @contextmanager
    def playing(self, broker_url: str) -> Iterator["Day"]:
        """Its past at once, then on as the clock goes, beside what the caller does."""
        thread = threading.Thread(target=self._play, args=(broker_url,), name="day")
        thread.start()
        try:
            yield self
        finally:
            if self._playing is not None and thread.is_alive():
                self._loop.call_soon_threadsafe(self._playing.cancel)
            thread.join()


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000
