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
        hot = value[:, None] > self.raise_above[row]
        calm = (value[:, None] < self.clear_below[row]) & good[:, None]
        self._push(row, t_ms, value, hot, calm, broken, first, last)

    def _push(
        self,
        row: IntArray,
        t_ms: IntArray,
        value: FloatArray,
        hot: BoolArray,
        calm: BoolArray,
        broken: BoolArray,
        first: IntArray,
        last: IntArray,
    ) -> None:
        """All levels at once: bool[N, L] `hot` and `calm`; `first`, `last` are places of rows."""
        begin_of = np.repeat(first, last - first + 1)[:, None]
        was_calm = np.zeros_like(calm)
        was_calm[1:] = calm[:-1]
        was_calm[first] = self.run_ms[row[first]] != NEVER
        starts = _latest(calm & (broken[:, None] | ~was_calm))
        run_ms = np.where(starts >= begin_of, t_ms[starts], self.run_ms[row])
        over = calm & (t_ms[:, None] - run_ms >= DAY_MS)
        event = _latest(hot | over)
        here = np.take_along_axis(hot, np.maximum(event, 0), axis=0)
        inside = np.where(event >= begin_of, here, self.inside[row])
        was_inside = np.zeros_like(inside)
        was_inside[1:] = inside[:-1]
        was_inside[first] = self.inside[row[first]]
        begun = _latest(hot & ~was_inside)[last]
        fresh = begun >= first[:, None]
        places = np.arange(len(row), dtype=np.int64)[:, None]
        counted = np.where(
            places >= np.repeat(begun, last - first + 1, axis=0), value[:, None], -np.inf
        )
        top = np.maximum.reduceat(counted, first, axis=0)
        at = row[last]
        self.inside[at] = inside[last]
        known = np.where(fresh, top, np.maximum(self.top[at], top))
        since_ms = np.where(fresh, t_ms[begun], self.since_ms[at])
        self.top[at] = np.where(inside[last], known, 0.0)
        self.since_ms[at] = np.where(inside[last], since_ms, NEVER)
        self.run_ms[at] = np.where(calm[last], run_ms[last], NEVER)

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
    """For each place of each column the last up to it where something holds, -1 if none does."""
    places = np.arange(len(holds), dtype=np.int64)[:, None]
    found: IntArray = np.maximum.accumulate(np.where(holds, places, NEVER), axis=0)
    return found
