"""Slopes of series that a rule of rise watches, from a bounded memory per pair.

A sample is compared with the oldest remembered one of the last `window_ms`, by the two ends
alone, so that an officer can redo it by hand. Fewer than half a window apart there is no
slope: ten seconds of noise are not a rise.
"""

from typing import Any

import numpy as np

from ingest.reading import FlagArray, FloatArray, IntArray, rounded

REMEMBERED = 32
"""Samples kept per pair. Denser feeds are thinned to one in 1/32 of the window, so that the
window is always covered, to within that step, at any sampling rate."""

MS_PER_H = 3_600_000.0
NEVER = -1


class Slopes:
    """Memory of R pairs: the last samples of each, not nearer together than `step_ms`.

    t_ms : int64[R, REMEMBERED], NEVER where empty; value, flag beside it
    head : int64[R], where the next one goes
    """

    def __init__(self, window_ms: IntArray) -> None:
        size = (len(window_ms), REMEMBERED)
        self.window_ms = window_ms
        self.step_ms: IntArray = -(-window_ms // REMEMBERED)
        self.t_ms: IntArray = np.full(size, NEVER, dtype=np.int64)
        self.value: FloatArray = np.zeros(size)
        self.flag: FlagArray = np.zeros(size, dtype=np.uint8)
        self.head: IntArray = np.zeros(len(window_ms), dtype=np.int64)

    def push(
        self, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
    ) -> tuple[FloatArray, FlagArray]:
        """Take one sample for each of `slot` (each at most once); N of everything.

        Gives float64[N] the slope per hour, rounded, NaN where there is none yet, and
        uint8[N] the worse flag of the two ends.
        """
        times = self.t_ms[slot]
        within = times >= np.maximum(t_ms - self.window_ms[slot], 0)[:, None]
        base = np.where(within, times, np.iinfo(np.int64).max).argmin(axis=1)
        rows = np.arange(len(slot))
        span = t_ms - times[rows, base]
        known = within[rows, base] & (2 * span >= self.window_ms[slot]) & (span > 0)
        change = value - self.value[slot, base]
        hours = np.where(known, span, 1) / MS_PER_H
        slope = np.where(known, rounded(change / hours), np.nan)
        worst = np.where(known, np.maximum(flag, self.flag[slot, base]), flag)
        self._remember(slot, t_ms, value, flag)
        return slope, worst

    def _remember(self, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray) -> None:
        latest = self.t_ms[slot, self.head[slot] - 1]
        keep = (latest == NEVER) | (t_ms - latest >= self.step_ms[slot])
        slot = slot[keep]
        at = self.head[slot]
        self.t_ms[slot, at] = t_ms[keep]
        self.value[slot, at] = value[keep]
        self.flag[slot, at] = flag[keep]
        self.head[slot] = (at + 1) % REMEMBERED

    def copy_from(self, old: "Slopes", old_at: IntArray, new_at: IntArray) -> None:
        """Carry memories over; with another window they would be thinned wrongly, so not."""
        same = old.window_ms[old_at] == self.window_ms[new_at]
        source, target = old_at[same], new_at[same]
        self.t_ms[target] = old.t_ms[source]
        self.value[target] = old.value[source]
        self.flag[target] = old.flag[source]
        self.head[target] = old.head[source]

    def snapshot(self) -> dict[str, Any]:
        return {
            "window_ms": self.window_ms.copy(),
            "t_ms": self.t_ms.copy(),
            "value": self.value.copy(),
            "flag": self.flag.copy(),
            "head": self.head.copy(),
        }

    @classmethod
    def restored(cls, snapshot: dict[str, Any]) -> "Slopes":
        found = cls(np.asarray(snapshot["window_ms"]).copy())
        found.t_ms[:] = snapshot["t_ms"]
        found.value[:] = snapshot["value"]
        found.flag[:] = snapshot["flag"]
        found.head[:] = snapshot["head"]
        return found
