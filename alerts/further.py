"""What pairs compare that need more of a series than its newest value: its past, its quality."""

from typing import Any

import numpy as np

from alerts.joint import matching
from alerts.pairs import LevelPairs, PairKey, carried
from alerts.rise import Slopes, Tides
from alerts.rules import RATES, Ask
from ingest.reading import Batch, BoolArray, FlagArray, FloatArray, IntArray


class Further:
    """Memories of the pairs that look further.

    any : whether there are any
    quality : bool[P], which pairs ask for the quality of samples
    slope_slots, tide_slots : int64[P], the place of a pair in `slopes` and `tides`, -1 for none
    """

    def __init__(self, pairs: LevelPairs) -> None:
        self.pairs = pairs
        self.any = pairs.n_plain < pairs.n_alone
        asks = [rule.ask for rule in pairs.rules]
        self.quality: BoolArray = np.array([ask is Ask.FLAGGED for ask in asks], dtype=np.bool_)
        self.slope_slots, rising = _slots([ask in RATES for ask in asks])
        self.tide_slots, tidal = _slots([ask is Ask.SAME_TIDE for ask in asks])
        self.slopes = Slopes(pairs.window_ms[rising])
        self.tides = Tides(pairs.gap_ms[tidal])
        self.rising = tuple(pairs.keys[at] for at in rising)
        self.tidal = tuple(pairs.keys[at] for at in tidal)

    def asked(
        self, batch: Batch, valued: BoolArray, tested: BoolArray
    ) -> tuple[IntArray, IntArray]:
        """(row, pair) of all that look further and may see the row; each series at most once.

        valued, tested : bool[N], which rows have a value to evaluate, which a quality
        """
        first = self.pairs.later[batch.series]
        count = self.pairs.later[batch.series + 1] - first
        row = np.repeat(np.arange(len(batch)), count)
        pair = np.arange(len(row)) + np.repeat(first - np.cumsum(count) + count, count)
        may = np.where(self.quality[pair], tested[row], valued[row])
        return row[may], pair[may]

    def compared(
        self, batch: Batch, row: IntArray, pair: IntArray
    ) -> tuple[FloatArray, FloatArray, FlagArray]:
        """What N (row, pair) hold against their levels, each pair at most once.

        Gives float64[N] what is compared, NaN where it is not known yet, float64[N] the same
        in words, and uint8[N] the worst flag of what it rests on.
        """
        y, flag, t_ms = batch.value[row], batch.flag[row], batch.t_ms[row]
        told = y.copy()
        slot = self.slope_slots[pair]
        at = np.flatnonzero(slot >= 0)
        if len(at):
            slope, flag[at] = self.slopes.push(slot[at], t_ms[at], y[at], flag[at])
            y[at] = told[at] = slope * self.pairs.falls[pair[at]]
        slot = self.tide_slots[pair]
        at = np.flatnonzero(slot >= 0)
        if len(at):
            above, flag[at] = self.tides.push(slot[at], t_ms[at], y[at], flag[at])
            y[at] = told[at] = above
        at = np.flatnonzero(self.quality[pair])
        if len(at):
            of, why = pair[at], batch.why[row[at]]
            y[at] = matching(flag[at], why, self.pairs.worst_from[of], self.pairs.evidence[of])
        return y, told, flag

    def copy_from(self, old: "Further") -> None:
        """Carry over the memories of pairs that stay."""
        self.slopes.copy_from(old.slopes, *carried(old.rising, self.rising))
        self.tides.copy_from(old.tides, *carried(old.tidal, self.tidal))

    def snapshot(self) -> dict[str, Any]:
        return {
            "rising": [list(key) for key in self.rising],
            "slopes": self.slopes.snapshot(),
            "tidal": [list(key) for key in self.tidal],
            "tides": self.tides.snapshot(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """The counterpart; one of a version that knew no tides begins without."""
        slopes = Slopes.restored(snapshot["slopes"])
        self.slopes.copy_from(slopes, *carried(keys_of(snapshot["rising"]), self.rising))
        if "tides" in snapshot:
            tides = Tides.restored(snapshot["tides"])
            self.tides.copy_from(tides, *carried(keys_of(snapshot["tidal"]), self.tidal))


def keys_of(listed: list[list[Any]]) -> tuple[PairKey, ...]:
    """Keys of pairs out of a snapshot."""
    return tuple((rule, ask, series) for rule, ask, series in listed)


def _slots(chosen: list[bool]) -> tuple[IntArray, IntArray]:
    """A number for each chosen pair, -1 for the others; and the pairs chosen."""
    pairs = np.flatnonzero(np.array(chosen, dtype=np.bool_))
    slot = np.full(len(chosen), -1, dtype=np.int64)
    slot[pairs] = np.arange(len(pairs))
    return slot, pairs
