"""The watch over the service itself, on the event loop: looks, and does what `watch` says."""

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from alerts.alert import AlertEvent
from ingest.journal import Notice
from songtien.heartbeat import Heartbeat
from songtien.outcome import Echo
from songtien.selftest import Say
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
    historian : how the copy into InfluxDB stands, None where there is none
    say : a message for the test's own topic
    append : an entry into the journal; blocks, and raises sqlite3.OperationalError
    appended : there is something in the journal
    """

    def __init__(
        self,
        watch: Watch,
        *,
        clock_ms: Callable[[], int],
        ready: Callable[[], bool],
        historian: Callable[[], Draining | None],
        directory: Path,
        say: Callable[[bytes], None],
        append: Callable[[Notice], int],
        appended: Callable[[], None],
        heartbeat: Heartbeat | None,
    ) -> None:
        self.watch = watch
        self.heartbeat = heartbeat
        self._clock_ms = clock_ms
        self._ready = ready
        self._historian = historian
        self._directory = directory
        self._say = say
        self._append = append
        self._appended = appended
        self._news = asyncio.Event()
        self._disk: tuple[int, int] | None = None
        self._disk_due_s = float("-inf")

    def told(self, events: Iterable[AlertEvent]) -> None:
        """Take alert events that are stored."""
        self.watch.told(events)

    def heard(self, echoes: Iterable[Echo]) -> None:
        """Take what came back from the broker."""
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

    async def _look(self) -> None:
        self._news.clear()
        now_ms, mono_s, ready = self._clock_ms(), time.monotonic(), self._ready()
        if mono_s >= self._disk_due_s:
            self._disk_due_s = mono_s + DISK_EVERY_S
            self._disk = await asyncio.to_thread(_disk, self._directory)
        facts = Facts(now_ms, mono_s, ready, self._historian(), self._disk)
        for each in self.watch.step(facts):
            if isinstance(each, Say):
                self._say(each.payload)
            else:
                await self._write(each)
        if self.heartbeat is not None and ready and self.watch.proven(now_ms):
            self.heartbeat.allow(ALLOWED_S)

    async def _write(self, notice: Notice) -> None:
        try:
            await asyncio.to_thread(self._append, notice)
        except sqlite3.OperationalError as error:
            # It is asked for again later; that the journal takes nothing is told by readiness.
            log.warning("a notice waits", extra={"notice": notice.notice, "why": str(error)})
            return
        self._appended()


def _disk(directory: Path) -> tuple[int, int] | None:
    """Bytes that are free to us where a directory is, and in all."""
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return None  # whoever writes there will say what is wrong
    return usage.free, usage.total
