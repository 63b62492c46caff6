"""Plays the past to one client: its time, what is read ahead, and the way into the present."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from api.live.hub import Hub
from songtien.rewind.recorded import Numbers
from songtien.rewind.scene import Change, Piece, Stretch
from songtien.rewind.timeline import Pieces
from songtien.rewind.walk import Walk
from songtien.screens import Screens

STEP_S = 0.1
AHEAD_S = 4.0
"""What is shown within so long is read already."""

AHEAD_MIN_MS = 60_000
ASK_AGAIN_S = 0.5
NEAR_MS = 15_000
"""What is nearer to the present may not be written yet."""


class Player:
    """See `api.rewind.Playing`.

    present : the screens of the present, which it goes on with once it has met them
    mono_s : the monotonic clock
    closed : called once, when it lets go
    """

    def __init__(
        self,
        walk: Walk,
        pieces: Pieces,
        speed: float,
        present: Screens,
        *,
        now_ms: Callable[[], int],
        mono_s: Callable[[], float],
        pool: Executor,
        closed: Callable[[], None],
    ) -> None:
        self.hub: Hub = walk.screens.hub
        self.at_ms = walk.at_ms
        self.source = pieces.source
        self.speed = speed
        self._walk = walk
        self._pieces = pieces
        self._present = present
        self._clock_ms = now_ms
        self._mono_s = mono_s
        self._pool = pool
        self._closed: Callable[[], None] | None = closed
        self._reading: asyncio.Future[Piece | None] | None = None
        self._ask_at_s = 0.0
        self._ended = False
        self._begun_s = mono_s()
        self._begun_ms = float(walk.at_ms)
        self.live = False

    def now_ms(self) -> int:
        return self._clock_ms() if self.live else self._walk.at_ms

    async def play(self, changed: Callable[[], None]) -> None:
        deaf = self.hub.listen(changed)
        self._begun_s, self._begun_ms = self._mono_s(), float(self._walk.at_ms)
        try:
            while True:
                await asyncio.sleep(STEP_S)
                self.step()
        finally:
            deaf()
            self.close()

    def close(self) -> None:
        if self._closed is not None:
            self._closed()
            self._closed = None
        if self._reading is not None:
            self._reading.cancel()
        if self._follow in self._present.followers:
            self._present.followers.remove(self._follow)

    def step(self) -> None:
        """Go on to where the past is by now. Never waits: time stands still for what is read."""
        if self.live:
            self._walk.screens.tick(self._clock_ms())
            return
        if self.speed == 0:
            return
        mono_s, now_ms = self._mono_s(), self._clock_ms()
        wanted_ms = int(self._begun_ms + (mono_s - self._begun_s) * 1000 * self.speed)
        self._read_ahead(mono_s)
        to_ms = min(wanted_ms, now_ms)
        if to_ms > self._walk.loaded_ms:
            if self._ended and to_ms >= now_ms - NEAR_MS:
                self._meet()
                return
            if not self._ended:
                to_ms = self._walk.loaded_ms
        if to_ms < wanted_ms:
            self._begun_s, self._begun_ms = mono_s, float(max(to_ms, self._walk.at_ms))
        if to_ms > self._walk.at_ms:
            self._walk.advance(to_ms)

    def _read_ahead(self, mono_s: float) -> None:
        """Take what has been read, and have more read where it is soon needed."""
        if self._reading is not None:
            if not self._reading.done():
                return
            piece, self._reading = self._reading.result(), None
            if piece is None:
                self._ended, self._ask_at_s = True, mono_s + ASK_AGAIN_S
            else:
                self._ended = False
                self._walk.feed(piece)
        ahead_ms = self._walk.loaded_ms - self._walk.at_ms
        enough_ms = max(AHEAD_MIN_MS, self.speed * AHEAD_S * 1000)
        if ahead_ms < enough_ms and (not self._ended or mono_s >= self._ask_at_s):
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(self._pool, self._pieces.next)

    def _meet(self) -> None:
        """Show the present from now on, as it changes."""
        self._become_present()
        self._present.followers.append(self._follow)
        self.live, self.speed = True, 1.0

    def _become_present(self) -> None:
        now_ms = self._clock_ms()
        key, parts, _ = self._numbers.brought(self._present.key(now_ms), Stretch.empty())
        self._walk.screens.become(key, parts)
        self._walk.screens.tick(now_ms)

    def _follow(self, change: Change) -> None:
        if change.parts is not None:
            self._become_present()
            return
        keys = [series.key for series in self._present.parts.series.entries]
        self._walk.screens.show(self._numbers.brought_change(change, keys))

    @property
    def _numbers(self) -> Numbers:
        return self._pieces.numbers
