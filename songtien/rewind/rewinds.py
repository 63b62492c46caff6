"""The past for the doors: opened for clients of the live socket, and one moment of it for HTTP."""

import asyncio
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from api.live.terms import BAD_FRAME, TOO_MANY
from api.live.where import EVERYTHING, Where
from api.rewind import RECORDED, Reach, RewindError, Then, Wanted
from ingest.history import StoreReader
from songtien.rewind.player import Player
from songtien.rewind.rebuilt import oldest_ms
from songtien.rewind.recorder import Recorder
from songtien.rewind.timeline import Pieces, Timeline
from songtien.rewind.walk import Walk
from songtien.rewind.wall_file import WallReader
from songtien.screens import Screens
from songtien.setting_values import RewindSettings

READERS = 2
"""Threads that read the past; the loop and the pipeline need the processor too."""

MOMENTS_KEPT = 8
OLDEST_KEPT_S = 60.0


class RewindService:
    """See `api.rewind.Rewinds`, and `reach` and `then` of `api.service.Service`.

    at_once_max : how many may play at a time
    """

    def __init__(
        self,
        timeline: Timeline,
        present: Screens,
        recorder: Recorder,
        *,
        at_once_max: int,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeline = timeline
        self._present = present
        self._recorder = recorder
        self._at_once_max = at_once_max
        self._mono_s = mono_s
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="rewind")
        self._lock = threading.Lock()
        self._moments: OrderedDict[int, Then] = OrderedDict()
        self._oldest: tuple[float, int | None] = (-OLDEST_KEPT_S, None)
        self.playing = 0

    async def open(self, wanted: Wanted) -> Player:
        if wanted.at_ms > self._timeline.now_ms():
            raise RewindError(BAD_FRAME, "at: it lies ahead; accepted is a time up to now")
        if self.playing >= self._at_once_max:
            raise RewindError(TOO_MANY, f"{self._at_once_max} clients are shown the past already")
        self.playing += 1
        try:
            loop = asyncio.get_running_loop()
            walk, pieces = await loop.run_in_executor(self._pool, self._opened, wanted.at_ms)
        except BaseException:
            self._left()
            raise
        return Player(
            walk,
            pieces,
            wanted.speed,
            self._present,
            now_ms=self._timeline.now_ms,
            mono_s=self._mono_s,
            pool=self._pool,
            closed=self._left,
        )

    def reach(self) -> Reach:
        """How far back the past can be shown; for worker threads."""
        now_ms, mono_s = self._timeline.now_ms(), self._mono_s()
        if mono_s - self._oldest[0] >= OLDEST_KEPT_S:
            series = [one.id for one in self._timeline.parts().series.entries]
            self._oldest = mono_s, oldest_ms(self._timeline.reader, series)
        return Reach(now_ms, self._timeline.wall.recorded(), self._oldest[1])

    def then(self, at_ms: int) -> Then:
        """What was shown at a time; for worker threads. Those asked last are kept."""
        with self._lock:
            found = self._moments.get(at_ms)
            if found is not None and found.settled:
                return found
            walk, pieces = self._opened(at_ms)
            found = self._shown(walk, pieces, at_ms)
            self._moments[at_ms] = found
            while len(self._moments) > MOMENTS_KEPT:
                self._moments.popitem(last=False)
            return found

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _left(self) -> None:
        self.playing -= 1

    def _opened(self, at_ms: int) -> tuple[Walk, Pieces]:
        if at_ms > self._recorder.written_ms:
            self._recorder.settle()
        pieces = self._timeline.open(at_ms)
        walk = Walk(pieces.first, f"w{secrets.token_hex(3)}")
        while walk.loaded_ms < at_ms and (piece := pieces.next()) is not None:
            walk.feed(piece)
        walk.advance(at_ms)
        return walk, pieces

    def _shown(self, walk: Walk, pieces: Pieces, at_ms: int) -> Then:
        screens, lock = walk.screens, threading.Lock()
        parts = screens.parts

        def items_json(where: Where) -> bytes:
            # What is encoded is kept for the next who asks, and several may at once.
            with lock:
                return screens.hub.items_json(where)

        return Then(
            at_ms,
            pieces.source,
            settled=pieces.source == RECORDED and walk.loaded_ms > at_ms,
            registry=parts.registry,
            series=parts.series,
            rules=parts.rules,
            items_json=items_json,
            items_pos=screens.hub.position,
            alerts=screens.hub.alerts.active(EVERYTHING),
            river=screens.pictures.river,
            bridges=screens.pictures.bridges,
            advice=screens.pictures.advice,
            desk=screens.desk.picture(at_ms),
        )


class Past:
    """What a service keeps of its screens: written down, and shown."""

    def __init__(
        self,
        screens: Screens,
        reader: StoreReader,
        path: Path,
        settings: RewindSettings,
        now_ms: Callable[[], int],
    ) -> None:
        self.recorder = Recorder(path, screens.key, now_ms, keep_days=settings.keep_days)
        screens.followers.append(self.recorder.note)
        timeline = Timeline(
            WallReader(path),
            reader,
            lambda: screens.parts,
            lambda: screens.desk,
            now_ms,
        )
        self.rewinds = RewindService(timeline, screens, self.recorder, at_once_max=settings.at_once)

    def gauges(self) -> Mapping[str, tuple[str, float]]:
        """For `/metrics`."""
        trouble = "1 while what screens show can't be written down."
        return {
            "rewind_trouble": (trouble, self.recorder.trouble is not None),
            "rewind_clients": ("Clients that are shown the past.", self.rewinds.playing),
        }

    def close(self) -> None:
        self.rewinds.close()
