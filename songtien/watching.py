"""The watch over the service itself, on the event loop: looks, and does what `watch` says."""

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from alerts.alert import AlertEvent
from alerts.notices import SELF_TEST
from ingest import topics
from ingest.drain_policy import State
from ingest.journal import Journal, Notice
from ingest.link import Link
from songtien.heartbeat import Heartbeat
from songtien.historian import Figures, Historian
from songtien.outcome import Echo
from songtien.pipeline import Pipeline
from songtien.selftest import Say
from songtien.settings import Settings
from songtien.watch import Draining, Facts, Watch

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
DISK_EVERY_S: Final = 30.0
ALLOWED_S: Final = 5.0
"""A loop that has not looked for so long hangs, and the heartbeat with it."""


class Watching:
    """The task that watches.

    Parameters
    ----------
    ready : whether readings flow end to end
    draining : how the copy into InfluxDB stands, None where there is none
    say : a message for the test's own topic
    append : an entry into the journal; blocks, and raises sqlite3.OperationalError
    appended : there is something in the journal
    channels : those that take no messages to people, with why
    """

    def __init__(
        self,
        watch: Watch,
        *,
        clock_ms: Callable[[], int],
        ready: Callable[[], bool],
        draining: Callable[[], Draining | None],
        directory: Path,
        say: Callable[[bytes], object],
        append: Callable[[Notice], int],
        appended: Callable[[], None],
        heartbeat: Heartbeat | None,
        channels: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.watch = watch
        self.heartbeat = heartbeat
        self._clock_ms = clock_ms
        self._ready = ready
        self._draining = draining
        self._directory = directory
        self._say = say
        self._append = append
        self._appended = appended
        self._channels = channels
        self._news = asyncio.Event()
        self._disk: tuple[int, int] | None = None
        self._disk_due_s = float("-inf")

    def told(self, events: Iterable[AlertEvent]) -> None:
        """Take alert events that are stored."""
        self.watch.told(events)

    def heard(self, echoes: Sequence[Echo]) -> None:
        """Take what came back from the broker."""
        if echoes:
            self.watch.heard(echoes)
            self._news.set()

    def connected(self) -> None:
        """The broker is there anew."""
        self.watch.connected()

    async def run(self) -> None:
        """Until cancelled."""
        if self.heartbeat is not None:
            self.heartbeat.start()
        while True:
            await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()

    def stop(self) -> None:
        if self.heartbeat is not None:
            self.heartbeat.stop()

    def counters(self) -> Figures:
        heart = self.heartbeat
        return {
            "heartbeats_sent": ("Heartbeats that were taken.", heart.sent if heart else 0),
            "heartbeats_failed": ("Heartbeats that were not.", heart.failed if heart else 0),
        }

    def gauges(self) -> Figures:
        test = self.watch.self_test
        passed_s = (test.last_success_ms or 0) / 1000
        return {
            "self_test_last_success_timestamp_seconds": ("Last test that passed.", passed_s),
            "self_test_failed": ("1 while the last daily test has failed.", float(test.failed)),
        }

    async def _look(self) -> None:
        self._news.clear()
        now_ms, mono_s, ready = self._clock_ms(), time.monotonic(), self._ready()
        if mono_s >= self._disk_due_s:
            self._disk_due_s = mono_s + DISK_EVERY_S
            self._disk = await asyncio.to_thread(_disk, self._directory)
        facts = Facts(now_ms, mono_s, ready, self._draining(), self._disk, self._channels())
        for each in self.watch.step(facts):
            if isinstance(each, Say):
                self._say(each.payload)
            else:
                await self._write(each)
        if self.heartbeat is not None:
            well = ready and self.watch.proven(now_ms)
            self.heartbeat.allow(ALLOWED_S if well else 0.0)

    async def _write(self, notice: Notice) -> None:
        try:
            await asyncio.to_thread(self._append, notice)
        except sqlite3.OperationalError as error:
            # It is asked for again later; that the journal takes nothing is told by readiness.
            log.warning("a notice waits", extra={"notice": notice.notice, "why": str(error)})
            return
        self._appended()


def heard_back(root: str, host: str) -> tuple[str, str]:
    """Topics that the daily test is to hear: its own, and that of its alert."""
    alert = topics.alert_topic(root, SELF_TEST.id, SELF_TEST.key)
    return topics.self_test_topic(root, host), alert


def watching(
    settings: Settings,
    host: str,
    *,
    clock_ms: Callable[[], int],
    journal: Journal,
    pipeline: Pipeline,
    broker: Link,
    historian: Historian | None,
    ready: Callable[[], bool],
    on_death: Callable[[BaseException], None],
    channels: Callable[[], Mapping[str, str]] = dict,
) -> Watching:
    """The watch over a service, given its parts; the pipeline doesn't run yet."""
    test_topic, alert_topic = heard_back(settings.mqtt.root, host)
    watch = Watch(
        behind_s=settings.watch.behind_s,
        self_test_minute=settings.watch.self_test_minute,
        test_topic=test_topic,
        alert_topic=alert_topic,
        said=pipeline.processor.book.notices(),
        from_ms=pipeline.processor.begun_ms,
    )
    url = settings.watch.heartbeat_url
    return Watching(
        watch,
        clock_ms=clock_ms,
        ready=ready,
        draining=lambda: None if historian is None else _draining(historian),
        directory=settings.data.dir,
        say=lambda payload: broker.publish(test_topic, payload),
        append=journal.append,
        appended=pipeline.wake,
        heartbeat=None if url is None else Heartbeat(url, settings.watch.heartbeat_s, on_death),
        channels=channels,
    )


def _draining(historian: Historian) -> Draining:
    """What is for people to mend: an InfluxDB that is merely away is awaited."""
    status = historian.status
    mended_by_people = status.state in (State.MISCONFIGURED, State.REFUSED)
    return Draining(status.age_s, status.trouble if mended_by_people else None)


def _disk(directory: Path) -> tuple[int, int] | None:
    """Bytes that are free to us where a directory is, and in all."""
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return None  # whoever writes there will say what is wrong
    return usage.free, usage.total
