"""Thread: what the screens are shown, into `wall.sqlite`.

The event loop hands over what it shows and goes on; it never waits for the disk. What it hands
over is bounded: beyond that it is thrown away, and a key written in its place, so that the
record has a gap and no fault.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from songtien.rewind.codec import CodecError, stretch_of
from songtien.rewind.scene import Change, Key
from songtien.rewind.wall_file import WallWriter


@dataclass(frozen=True, slots=True)
class Begun:
    """A key that waits. goes_on : nothing has been lost since what was handed over before."""

    key: Key
    goes_on: bool


log = logging.getLogger(__name__)

FLUSH_S = 5.0
"""What is shown is written so often: a kill costs so much of the record."""

KEY_EVERY_MS = 900_000
"""From so far back, at most, what was shown is put together."""

KEY_EVERY_ROWS = 400_000
"""Of a fleet that says very much; reading it back takes a second."""

WAITING_ROWS_MAX = 400_000
WAITING_CHANGES_MAX = 20_000
RETRY_S = 10.0
CLOCK_BACK_MS = 60_000
"""A clock that is set back by up to this stands still until it is there again; by more, and the
record begins anew at the time that it tells.
"""

DAY_MS = 86_400_000
LOCAL_OFFSET_MS = 25_200_000
"""Vietnam's time is UTC+7 all year; its days are forgotten as a whole."""


class Recorder:
    """Written to on the loop, writes on a thread of its own.

    Parameters
    ----------
    capture : all that is shown at this moment; called on the loop
    keep_days : how many whole days are kept, beside today
    written_ms : what was shown up to then is in the file, or lost
    lost_changes : those that are not in the file, or may not be; a key counts as one

    Raises SchemaError where a newer version of the service has written the file.
    """

    def __init__(
        self,
        path: Path,
        capture: Callable[[int], Key],
        clock_ms: Callable[[], int],
        *,
        keep_days: int,
    ) -> None:
        self._path = path
        self._capture = capture
        self._clock_ms = clock_ms
        self._keep_days = keep_days
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._settled = threading.Condition()
        self._rounds = 0
        self._stopping = False
        self._now_ms = 0
        self._told_ms = -1
        self._key_due_ms = 0
        self._rows = 0
        self._since_key = 0
        self._waiting: list[tuple[int, Change | Begun]] = []
        self._in_hand = 0
        self._lost = True
        self._may_try = True
        self.lost_changes = 0
        self.written_ms = 0
        self.trouble: str | None = None
        self._open().close()  # who reads finds the tables there

    # On the loop.

    def note(self, change: Change) -> None:
        """The screens are shown this from now on; they show it already."""
        with self._lock:
            self._time()
            now_ms = self._later()
            if not self._lost:
                self._take(now_ms, change)
            if self._lost or change.parts is not None or now_ms >= self._key_due_ms:
                self._begin(now_ms)
            self.lost_changes += self._lost

    def _take(self, now_ms: int, change: Change) -> None:
        rows = len(change.newest)
        if self._rows + rows > WAITING_ROWS_MAX or len(self._waiting) >= WAITING_CHANGES_MAX:
            self._lose()
            return
        self._waiting.append((now_ms, change))
        self._rows += rows
        self._since_key += rows
        if self._since_key >= KEY_EVERY_ROWS:
            self._key_due_ms = now_ms

    def beat(self) -> None:
        """The screens have been kept up to now."""
        with self._lock:
            now_ms = self._time()
            if self._lost or now_ms >= self._key_due_ms:
                self._begin(self._later() if self._lost else now_ms)

    def counters(self) -> Mapping[str, tuple[str, float]]:
        """For `/metrics`."""
        text = "Changes of what screens show that are missing from their record."
        return {"rewind_lost_changes": (text, self.lost_changes)}

    def _time(self) -> int:
        """Under the lock: the service's clock, and never before what it told already."""
        clock_ms = self._clock_ms()
        if clock_ms < self._now_ms - CLOCK_BACK_MS:
            # Nothing is thrown away; but what comes is not of the time after what waits.
            self._lost, self._now_ms, self._told_ms = True, clock_ms, -1
        self._now_ms = max(self._now_ms, clock_ms)
        return self._now_ms

    def _later(self) -> int:
        """Under the lock: now, or a millisecond after what is written, or has a key, already."""
        self._now_ms = max(self._now_ms, self._told_ms + 1)
        return self._now_ms

    def _begin(self, now_ms: int) -> None:
        """Under the lock: a key, and with it all that has been lost."""
        if self._lost and not self._may_try:
            return  # the disk refuses: the thread says when it is worth a key again
        key = self._capture(now_ms)
        self._waiting.append((now_ms, Begun(key, goes_on=not self._lost)))
        self._lost = False
        self._since_key = 0
        self._told_ms = now_ms
        self._key_due_ms = (now_ms // KEY_EVERY_MS + 1) * KEY_EVERY_MS

    def _lose(self) -> None:
        self.lost_changes += len(self._waiting)
        self._waiting, self._rows, self._lost = [], 0, True

    # Its thread.

    def run(self) -> None:
        """Write until `stop`, and then what still waits."""
        writer: WallWriter | None = None
        goes_on = False
        try:
            while True:
                stopping = self._stopping
                try:
                    writer = writer or self._open()
                    goes_on = self.write(writer, goes_on=goes_on)
                except (sqlite3.Error, CodecError) as error:
                    goes_on = False
                    self._troubled(error)
                    if writer is not None:
                        writer.close()
                        writer = None
                        if _is_damage(error):
                            self._put_aside()
                with self._settled:
                    self._rounds += 1
                    self._settled.notify_all()
                if stopping:
                    return
                self._wake.wait(RETRY_S if self.trouble else FLUSH_S)
                self._wake.clear()
                with self._lock:
                    self._may_try = True
        finally:
            if writer is not None:
                writer.close()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    def settle(self, within_s: float = 2.0) -> bool:
        """Have all that is shown by now written; for worker threads. False: not so soon."""
        with self._settled:
            # The round that is under way may have taken what waited before us.
            wanted = self._rounds + 2
            for _ in range(2):
                before = self._rounds
                self._wake.set()
                if not self._settled.wait_for(lambda b=before: self._rounds > b, within_s):  # type: ignore[misc]
                    return False
            return self._rounds >= wanted

    def write(self, writer: WallWriter, *, goes_on: bool) -> bool:
        """Write what waits; for `run` alone, or who stands in for it.

        Returns whether the next key follows without a gap.
        """
        with self._lock:
            waiting, self._waiting, self._rows = self._waiting, [], 0
            self._in_hand = len(waiting)
            to_ms, lost = self._now_ms, self._lost
            self._told_ms = to_ms
        changes: list[tuple[int, Change]] = []
        for at_ms, each in waiting:
            if isinstance(each, Change):
                changes.append((at_ms, each))
                continue
            if changes:
                writer.append(stretch_of(changes), at_ms if each.goes_on else changes[-1][0])
            writer.begin(each.key, goes_on=goes_on and each.goes_on)
            self._recovered()
            changes, goes_on = [], True
            self._forget(writer, at_ms)
        if goes_on and (changes or not lost):
            writer.append(stretch_of(changes), to_ms)
        self.written_ms = to_ms
        self._in_hand = 0
        return goes_on and not lost

    def _forget(self, writer: WallWriter, now_ms: int) -> None:
        midnight_ms = now_ms - (now_ms + LOCAL_OFFSET_MS) % DAY_MS
        writer.forget_before(midnight_ms - self._keep_days * DAY_MS)

    def _open(self) -> WallWriter:
        try:
            return WallWriter(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._put_aside()
            return WallWriter(self._path)

    def _put_aside(self) -> None:
        """The record is no part of the state: a damaged one is not mourned."""
        aside = self._path.with_suffix(f".damaged-{self._clock_ms()}")
        self._path.rename(aside)
        log.error("the record of the screens is damaged: put aside as %s", aside.name)

    def _troubled(self, error: Exception) -> None:
        if self.trouble is None:
            log.error("what the screens show can't be recorded, they go on", exc_info=error)
        with self._lock:
            self.trouble = str(error)
            self._may_try = False
            self._lose()
            self.lost_changes += self._in_hand
            self._in_hand = 0

    def _recovered(self) -> None:
        if self.trouble is not None:
            log.warning("what the screens show is recorded again, after a gap")
            self.trouble = None


def _is_damage(error: Exception) -> bool:
    """Whether the file is none, or no longer one: all else has a class of its own in sqlite3."""
    return type(error) is sqlite3.DatabaseError
