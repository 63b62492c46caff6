"""Salt spells (đợt mặn): from the first salt water to a whole tidal day without any.

What it detects: at each level of a station, the time in which salt comes back with each tide.
Formula: a spell begins with the first sample above the raise level, good or suspect. It ends
with the good sample at which all samples of the last 25 h were good and below the clear level,
none more than `HOLE_MS` after the one before: the highest of 25 h stays under it.
Units: g/L, ms of observed time.
Cost: a spell ends a tidal day after the last salt water, and not at all while samples are
missing or suspect; that is on the safe side.
Reference: as bulletins count them; the 25 h cover the diurnal inequality of the tide.
"""

from typing import Any

import numpy as np

from ingest.reading import BoolArray, Flag, FlagArray, FloatArray, IntArray

DAY_MS = 90_000_000
HOLE_MS = 10_800_000
"""Three hours: a longer hole may hide a high water (expert judgement, unverified)."""

NEVER = -1

_HELD = ("inside", "since_ms", "top", "run_ms")


class Spells:
    """State of R rows at up to L levels each.

    raise_above, clear_below : float64[R, L], NaN where a row has fewer levels
    inside : bool[R, L]; since_ms : int64[R, L]; top : float64[R, L], the highest of the spell
    run_ms : int64[R, L], since when all is calm, NEVER if it isn't
    last_ms : int64[R], the newest sample
    """

    def __init__(self, raise_above: FloatArray, clear_below: FloatArray) -> None:
        self.raise_above, self.clear_below = raise_above, clear_below
        shape = raise_above.shape
        self.inside: BoolArray = np.zeros(shape, dtype=np.bool_)
        self.since_ms: IntArray = np.full(shape, NEVER, dtype=np.int64)
        self.top: FloatArray = np.zeros(shape)
        self.run_ms: IntArray = np.full(shape, NEVER, dtype=np.int64)
        self.last_ms: IntArray = np.full(shape[0], NEVER, dtype=np.int64)

    def push(self, row: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray) -> None:
        """Take samples, those of a row rising; N of everything."""
        told = (flag == Flag.PASS) | (flag == Flag.SUSPECT)
        order = np.flatnonzero(told)[np.argsort(row[told], kind="stable")]
        if not len(order):
            return
        row, t_ms, value, good = row[order], t_ms[order], value[order], flag[order] == Flag.PASS
        head = np.r_[True, row[1:] != row[:-1]]
        first = np.flatnonzero(head)
        before_ms = np.where(head, self.last_ms[row], np.r_[NEVER, t_ms[:-1]])
        broken = (before_ms == NEVER) | (t_ms - before_ms > HOLE_MS)
        last = np.r_[first[1:], len(row)] - 1
        self.last_ms[row[last]] = t_ms[last]
        for level in range(self.raise_above.shape[1]):
            hot = value > self.raise_above[row, level]
            calm = (value < self.clear_below[row, level]) & good
            self._push(level, row, t_ms, value, hot, calm, broken, first, last)

    def _push(
        self,
        level: int,
        row: IntArray,
        t_ms: IntArray,
        value: FloatArray,
        hot: BoolArray,
        calm: BoolArray,
        broken: BoolArray,
        first: IntArray,
        last: IntArray,
    ) -> None:
        """One level; N of everything, but `first` and `last`, which are places of S rows."""
        places = np.arange(len(row), dtype=np.int64)
        begin_of = np.repeat(first, last - first + 1)
        was_calm = np.r_[False, calm[:-1]]
        was_calm[first] = self.run_ms[row[first], level] != NEVER
        starts = _latest(calm & (broken | ~was_calm))
        run_ms = np.where(starts >= begin_of, t_ms[starts], self.run_ms[row, level])
        over = calm & (t_ms - run_ms >= DAY_MS)
        event = _latest(hot | over)
        inside = np.where(event >= begin_of, hot[event], self.inside[row, level])
        was_inside = np.r_[False, inside[:-1]]
        was_inside[first] = self.inside[row[first], level]
        begun = _latest(hot & ~was_inside)[last]
        at = row[last], level
        fresh = begun >= first
        counted = np.where(places >= np.repeat(begun, last - first + 1), value, -np.inf)
        top = np.maximum.reduceat(counted, first)
        self.top[at] = np.where(fresh, top, np.maximum(self.top[at], top))
        self.since_ms[at] = np.where(fresh, t_ms[begun], self.since_ms[at])
        self.run_ms[at] = np.where(calm[last], run_ms[last], NEVER)
        self.inside[at] = inside[last]
        ended = row[last][~inside[last]]
        self.since_ms[ended, level], self.top[ended, level] = NEVER, 0.0

    def snapshot(self) -> dict[str, Any]:
        held = {name: getattr(self, name).copy() for name in _HELD}
        return {**held, "raise_above": self.raise_above.copy(), "last_ms": self.last_ms.copy()}

    def restore(self, snapshot: dict[str, Any], row_now: IntArray) -> None:
        """The counterpart; a level stays with what it asks, wherever it stands now."""
        old_rows = np.flatnonzero(row_now >= 0)
        self.last_ms[row_now[old_rows]] = np.asarray(snapshot["last_ms"])[old_rows]
        asked = np.asarray(snapshot["raise_above"])
        for level in range(self.raise_above.shape[1]):
            for old in range(asked.shape[1]):
                same = old_rows[asked[old_rows, old] == self.raise_above[row_now[old_rows], level]]
                for name in _HELD:
                    getattr(self, name)[row_now[same], level] = np.asarray(snapshot[name])[
                        same, old
                    ]


def _latest(holds: BoolArray) -> IntArray:
    """For each place the last one up to it where something holds, -1 where there is none."""
    found: IntArray = np.maximum.accumulate(np.where(holds, np.arange(len(holds)), NEVER))
    return found
