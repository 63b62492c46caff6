"""Slopes and values against the same tide, for many samples of each series at once.

What `alerts.rise` remembers, with all new samples put behind it: a sample looks back by a search
instead of by a step. For samples that come slowly enough that none is thinned.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alerts.engine import Engine
from alerts.rise import MS_PER_H, SAME_TIDE_MS, Ring
from ingest.reading import FlagArray, FloatArray, IntArray, rounded


@dataclass(frozen=True, slots=True)
class Past:
    """What rings remember with the new samples behind it, slot after slot.

    place : of each new sample; first : the oldest that a ring still had when it came
    """

    t_ms: IntArray
    value: FloatArray
    flag: FlagArray
    place: IntArray
    first: IntArray
    key: IntArray
    lift: IntArray
    base_ms: int

    def since(self, limit_ms: IntArray) -> IntArray:
        """For each new sample the first at or after a time; its own place for none."""
        wanted = self.lift + np.maximum(limit_ms - self.base_ms, 0)
        found = np.searchsorted(self.key, wanted)
        return np.minimum(np.maximum(found, self.first), self.place)


def remembered(
    ring: Ring, slot: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
) -> Past:
    """Remember new samples, given slot after slot; gives them with what was remembered."""
    starts = np.flatnonzero(np.r_[True, slot[1:] != slot[:-1]])
    slots, new = slot[starts], np.diff(np.r_[starts, len(slot)])
    count = ring.count[slots]
    old = np.minimum(count, ring.size)
    begin = np.cumsum(old + new) - old - new
    rank_old = np.arange(int(old.sum())) - np.repeat(np.cumsum(old) - old, old)
    rank_new = np.arange(len(slot)) - np.repeat(starts, new)
    place_old, place = np.repeat(begin, old) + rank_old, np.repeat(begin + old, new) + rank_new
    source = np.repeat(slots, old), (np.repeat(count - old, old) + rank_old) % ring.size
    columns: list[Any] = []
    for held, came in ((ring.t_ms, t_ms), (ring.value, value), (ring.flag, flag)):
        column = np.empty(int((old + new).sum()), dtype=held.dtype)
        column[place_old], column[place] = held[source], came
        columns.append(column)
    last = rank_new >= np.repeat(new, new) - ring.size
    target = slot[last], (np.repeat(count, new) + rank_new)[last] % ring.size
    ring.t_ms[target], ring.value[target], ring.flag[target] = t_ms[last], value[last], flag[last]
    ring.count[slots] += new
    base_ms = int(columns[0].min())
    span = int(columns[0].max()) - base_ms + 1
    step = np.repeat(np.arange(len(slots)), old + new) * span
    return Past(
        columns[0],
        columns[1],
        columns[2],
        place,
        np.maximum(place - ring.size, np.repeat(begin, new)),
        columns[0] - base_ms + step,
        step[place],
        base_ms,
    )


def slopes_of(
    engine: Engine, pair: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
) -> tuple[FloatArray, FlagArray]:
    """As `alerts.rise.Slopes.push`, for all samples at once."""
    slopes = engine.further.slopes
    slot = engine.further.slope_slots[pair]
    window_ms = slopes.window_ms[slot]
    past = remembered(slopes.ring, slot, t_ms, value, flag)
    base = past.since(t_ms - window_ms)
    span = t_ms - past.t_ms[base]
    known = (base < past.place) & (2 * span >= window_ms) & (span > 0)
    hours = np.where(known, span, 1) / MS_PER_H
    slope = np.where(known, rounded((value - past.value[base]) / hours), np.nan)
    worst = np.where(known, np.maximum(flag, past.flag[base]), flag)
    return slope * engine.pairs.falls[pair], worst


def tides_of(
    engine: Engine, pair: IntArray, t_ms: IntArray, value: FloatArray, flag: FlagArray
) -> tuple[FloatArray, FlagArray]:
    """As `alerts.rise.Tides.push`, for all samples at once."""
    tides = engine.further.tides
    slot = engine.further.tide_slots[pair]
    near_ms = tides.near_ms[slot]
    then_ms = t_ms - SAME_TIDE_MS
    past = remembered(tides.ring, slot, t_ms, value, flag)
    late = past.since(then_ms)
    early = np.maximum(late - 1, 0)
    t_late, t_early = past.t_ms[late], past.t_ms[early]
    v_late, v_early = past.value[late], past.value[early]
    has_late = (late < past.place) & (t_late - then_ms <= near_ms)
    exact = has_late & (t_late == then_ms)
    between = has_late & (late - 1 >= past.first) & (then_ms - t_early <= near_ms)
    part = (then_ms - t_early) / np.where(between, t_late - t_early, 1)
    before = np.where(exact, v_late, v_early + (v_late - v_early) * part)
    known = exact | between
    above = np.where(known, rounded(value - before), np.nan)
    worst = np.where(known, np.maximum(flag, past.flag[late]), flag)
    both = between & ~exact
    return above, np.where(both, np.maximum(worst, past.flag[early]), worst)
