"""Rises, falls, and values against the same tide, from a bounded memory of each pair.

A slope compares a sample with the oldest remembered one of the last `window_ms`, by the two
ends alone, so that an officer can redo it by hand. Fewer than half a window apart there is no
slope: ten seconds of noise are not a rise.

The same tide was `SAME_TIDE_MS` ago: the moon comes to the same place 24 h 50 min later (two
turns of the tide M2 of 12.42 h, Doodson 1921). What was measured then is interpolated between
the two samples around that time, both of which must be near it, or there is no answer.
"""

from typing import Any

import numpy as np

from ingest.reading import BoolArray, FlagArray, FloatArray, IntArray, rounded

REMEMBERED = 32
"""Samples kept per pair for a slope. Denser feeds are thinned to one in 1/32 of the window, so
that the window is always covered, to within that step, at any sampling rate."""

TIDE_REMEMBERED = 256
"""The same for a tide: one in about six minutes."""

SAME_TIDE_MS = 89_400_000

MS_PER_H = 3_600_000.0
NEVER = -1


class Ring:
    """The last samples of M places, `size` of each, not nearer together than `step_ms`.

    t_ms : int64[M, size], NEVER where empty; value, flag beside it
    count : int64[M], how many were ever kept; the n-th stands at n modulo size
    """

    def __init__(self, step_ms: IntArray, size: int) -> None:
        shape = (len(step_ms), size)
        self.size = size
        self.step_ms = step_ms
        self.t_ms: IntArray = np.full(shape, NEVER, dtype=np.int64)
        self.value: FloatArray = np.zeros(shape)
        self.flag: FlagArray = np.zeros(shape, dtype=np.uint8)
        self.count: IntArray = np.zeros(len(step_ms), dtype=np.int64)
        # Where the last search ended: times only rise, so the next one goes on from there.
        self._sought: IntArray = np.zeros(len(step_ms), dtype=np.int64)

    def since(self, slot: IntArray, limit_ms: IntArray) -> IntArray:
        """The number of the first remembered sample at or after `limit_ms`, `count` for none.

        The limits of a place never fall from call to call.
        """
        count = self.count[slot]
        at = np.maximum(self._sought[slot], count - self.size)
        while True:
            behind = (at < count) & (self.t_ms[slot, at % self.size] < limit_ms)
            if not behind.any():
                break
            at = at + behind
        self._sought[slot] = at
        return at

    def has(self, slot: IntArray, at: IntArray) -> BoolArray:
        """Whether the sample of that number is there."""
        count = self.count[slot]
        found: BoolArray = (at >= 0) & (at < count) & (at >= count - self.size)
        return found

    def remember(self, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray) -> None:
        """Keep one sample for each of `slot`, where the one before it is old enough."""
        latest = self.t_ms[slot, (self.count[slot] - 1) % self.size]
        keep = (latest == NEVER) | (t_ms - latest >= self.step_ms[slot])
        slot = slot[keep]
        at = self.count[slot] % self.size
        self.t_ms[slot, at] = t_ms[keep]
        self.value[slot, at] = value[keep]
        self.flag[slot, at] = flag[keep]
        self.count[slot] += 1

    def copy_from(self, old: "Ring", source: IntArray, target: IntArray) -> None:
        """Carry memories over into empty places, thinned as these are."""
        begin = np.maximum(old.count[source] - old.size, 0)
        for number in range(old.size):
            there = begin + number < old.count[source]
            one, at = source[there], (begin[there] + number) % old.size
            self.remember(target[there], old.t_ms[one, at], old.value[one, at], old.flag[one, at])

    def snapshot(self) -> dict[str, Any]:
        names = ("t_ms", "value", "flag", "count")
        return {name: getattr(self, name).copy() for name in names}

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.t_ms[:] = snapshot["t_ms"]
        self.value[:] = snapshot["value"]
        self.flag[:] = snapshot["flag"]
        if "count" in snapshot:
            self.count[:] = snapshot["count"]
        else:  # of a version that kept where the next one goes
            head = np.asarray(snapshot["head"])
            full = self.t_ms[np.arange(len(head)), head] != NEVER
            self.count[:] = head + self.size * full


class Slopes:
    """The slopes of R pairs, per hour; falling is negative."""

    def __init__(self, window_ms: IntArray) -> None:
        self.window_ms = window_ms
        self.ring = Ring(-(-window_ms // REMEMBERED), REMEMBERED)

    def push(
        self, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
    ) -> tuple[FloatArray, FlagArray]:
        """Take one sample for each of `slot` (each at most once); N of everything.

        Gives float64[N] the slope per hour, rounded, NaN where there is none yet, and
        uint8[N] the worse flag of the two ends.
        """
        ring, window_ms = self.ring, self.window_ms[slot]
        base = ring.since(slot, t_ms - window_ms)
        place = base % ring.size
        span = t_ms - ring.t_ms[slot, place]
        known = ring.has(slot, base) & (2 * span >= window_ms) & (span > 0)
        hours = np.where(known, span, 1) / MS_PER_H
        slope = np.where(known, rounded((value - ring.value[slot, place]) / hours), np.nan)
        worst = np.where(known, np.maximum(flag, ring.flag[slot, place]), flag)
        ring.remember(slot, t_ms, value, flag)
        return slope, worst

    def copy_from(self, old: "Slopes", old_at: IntArray, new_at: IntArray) -> None:
        """Carry memories over, also into another window: as far as they reach into it."""
        self.ring.copy_from(old.ring, old_at, new_at)

    def snapshot(self) -> dict[str, Any]:
        return {"window_ms": self.window_ms.copy(), **self.ring.snapshot()}

    @classmethod
    def restored(cls, snapshot: dict[str, Any]) -> "Slopes":
        found = cls(np.asarray(snapshot["window_ms"]).copy())
        found.ring.restore(snapshot)
        return found


class Tides:
    """The values of R pairs above those at the same tide of the day before.

    near_ms : int64[R], how near to that time both samples around it must be
    """

    def __init__(self, near_ms: IntArray) -> None:
        self.given_ms = near_ms
        # The memory reaches from the nearest to the farthest that may be used, and a thinned
        # feed has its samples up to twice a step apart.
        step_ms = -(-(SAME_TIDE_MS + near_ms) // (TIDE_REMEMBERED - 2))
        self.near_ms: IntArray = np.maximum(near_ms, 2 * step_ms)
        self.ring = Ring(step_ms, TIDE_REMEMBERED)

    def push(
        self, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
    ) -> tuple[FloatArray, FlagArray]:
        """Take one sample for each of `slot` (each at most once); N of everything.

        Gives float64[N] how much higher it is, rounded, NaN where nothing was measured near
        that time, and uint8[N] the worst flag of what was used.
        """
        ring, near_ms = self.ring, self.near_ms[slot]
        then_ms = t_ms - SAME_TIDE_MS
        after = ring.since(slot, then_ms)
        late, early = after % ring.size, (after - 1) % ring.size
        t_late, t_early = ring.t_ms[slot, late], ring.t_ms[slot, early]
        v_late, v_early = ring.value[slot, late], ring.value[slot, early]
        has_late = ring.has(slot, after) & (t_late - then_ms <= near_ms)
        exact = has_late & (t_late == then_ms)
        between = has_late & ring.has(slot, after - 1) & (then_ms - t_early <= near_ms)
        part = (then_ms - t_early) / np.where(between, t_late - t_early, 1)
        before = np.where(exact, v_late, v_early + (v_late - v_early) * part)
        known = exact | between
        above = np.where(known, rounded(value - before), np.nan)
        worst = np.where(known, np.maximum(flag, ring.flag[slot, late]), flag)
        both = between & ~exact
        worst = np.where(both, np.maximum(worst, ring.flag[slot, early]), worst)
        ring.remember(slot, t_ms, value, flag)
        return above, worst

    def copy_from(self, old: "Tides", old_at: IntArray, new_at: IntArray) -> None:
        """Carry memories over; a new gap must not cost the day that lies behind."""
        self.ring.copy_from(old.ring, old_at, new_at)

    def snapshot(self) -> dict[str, Any]:
        return {"near_ms": self.given_ms.copy(), **self.ring.snapshot()}

    @classmethod
    def restored(cls, snapshot: dict[str, Any]) -> "Tides":
        found = cls(np.asarray(snapshot["near_ms"]).copy())
        found.ring.restore(snapshot)
        return found
