"""Flat line: a probe that is stuck, streaming, by observed time and not by counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.detectors import HOUR_MS, RankArray, rank
from ingest.extremes import Extremes
from ingest.reading import BoolArray, FloatArray, IntArray

RECENT_HOURS = 25
"""Both tides of a day, of unequal height, as in the salt spell's own window."""

_UNSET = np.iinfo(np.int64).max
_NEVER = np.iinfo(np.int64).min // 2
_BOTH_WAYS = np.array([1.0, -1.0])
_WAYS = np.arange(2)


class FlatLine:
    """A value that no longer moves (the manual's test 8).

    Formula: the run is the longest suffix of the series in which every value is nearer than
    its own `tolerance` to each one before it; where the tolerance is one and the same, that
    is the longest suffix whose range (max - min) is under it. The run has lasted for the sum
    of its intervals. Suspect where that is at least `suspect_ms`, fail from `fail_ms`. Asked
    only where water ought to move: the (lower) median of the last 25 hours, one value for
    each hour, is above `above`.
    Units: value, tolerance, above in the quantity's unit; times in ms.
    Fresh at every ebb: where the tide leaves river water for some hours, the median is above
    `above` and the value rightly lies within 0.02 g/L for hours. So a value at or below
    `above` has a tolerance of its own, a hundredth if nothing is stated (`tolerances`): a hung
    logger repeats itself, river water does not quite. Found is thus a probe that hangs at a
    low value; one that hovers there by more is not told from fresh water.
    Two mountain rivers of 0.18 g/L (Logan River Observatory, a year each by 15 min, without
    what people labelled) say how fine it has to be: asked everywhere, 0.02 g/L over 3 h would
    flag 96 and 100 % of their values, 0.002 g/L 68 and 88 %, 0.0002 g/L 1.8 and 2.5 %, equal
    values alone under 0.1 %. No tidal river was at hand (unverified).
    A value that crosses `above`: a run's start only ever moves forward. On the way down the
    run begins anew after the last value that is not finely near; on the way up it goes on
    from where the fine tolerance had it begin: what was no run of fresh water does not become
    one of the coarse tolerance once the water turns brackish.
    Cost: a delay of `suspect_ms`. With 0.02 to 0.05 g/L over 3 h, 29 false events in two years
    of a bay (see `ingest.detectors`), over 6 h two. Fresh water is flat for months, hence `above`: without it
    every river series fails all through the rains. A probe that sticks at a low value is
    found because the tides before it still fill the 25 hours; about half a day later the
    median has sunk, and flat fresh water passes again. A tolerance of 0 never flags.
    Gaps: the run goes on over a gap and the gap's own time does not count: two equal values
    with ten hours between them prove nothing, and a stuck probe on a bad link is found.
    Reference: the manual, test 8, which counts samples; ioos_qc's `flat_line_test`, which
    turns seconds to counts by the median interval. All three agree on a regular series
    whose limits are multiples of its interval.

    State for S series: of each, the suffix maxima of value and of -value (oldest first,
    falling), and for each of them the run's clock at the sample that followed it: where a
    new value is its `tolerance` away from a suffix maximum, the run begins after it. That is
    exact for any rate of samples and bounded twice: by the samples within the longest limit,
    and by the largest tolerance / 1e-4, because values are rounded. Mostly it is one or two.
    """

    def __init__(self, series: int) -> None:
        self._clock_ms: IntArray = np.zeros(series, dtype=np.int64)
        self._start_ms: IntArray = np.zeros(series, dtype=np.int64)
        self._length: IntArray = np.zeros((series, 2), dtype=np.int64)
        self._peak: FloatArray = np.zeros((series, 2, 4))
        self._next_ms: IntArray = np.zeros((series, 2, 4), dtype=np.int64)
        self._hour: IntArray = np.full((series, RECENT_HOURS), _NEVER, dtype=np.int64)
        self._hourly: FloatArray = np.zeros((series, RECENT_HOURS))

    def push(
        self,
        rows: IntArray,
        t_ms: IntArray,
        value: FloatArray,
        elapsed_ms: IntArray,
        *,
        tolerance: FloatArray,
        suspect_ms: FloatArray,
        fail_ms: FloatArray,
        above: FloatArray,
    ) -> RankArray:
        """Take one sample of each series in `rows` and judge it.

        All [N]; rows distinct. `elapsed_ms` is the time since the series' sample before that
        counts (0 for the first, and over a gap). NaN in `above`: asked everywhere.
        """
        run_ms = self._extend(rows, value, elapsed_ms, tolerance, np.fmax(suspect_ms, fail_ms))
        self._remember(rows, t_ms, value)
        asked = np.isnan(above) | self._moves(rows, t_ms, above)
        return rank(asked, run_ms >= suspect_ms, run_ms >= fail_ms)

    def run(
        self,
        rows: IntArray,
        t_ms: IntArray,
        value: FloatArray,
        elapsed_ms: IntArray,
        *,
        tolerance: FloatArray,
        suspect_ms: FloatArray,
        fail_ms: FloatArray,
        above: FloatArray,
    ) -> RankArray:
        """As `push` for one sample after the other: any number of each series, in order of
        series, then of time.
        """
        if not len(rows):
            return np.empty(0, dtype=np.uint8)
        begins = np.r_[True, rows[1:] != rows[:-1]]
        clock = self._clock_ms[rows] + _sums(elapsed_ms, begins)
        longest_ms = np.fmax(suspect_ms, fail_ms)
        run_ms = self._extend_run(rows, begins, value, clock, tolerance, longest_ms)
        asked = np.isnan(above) | self._moved(rows, begins, t_ms, value, above)
        return rank(asked, run_ms >= suspect_ms, run_ms >= fail_ms)

    def _extend_run(
        self,
        rows: IntArray,
        begins: BoolArray,
        value: FloatArray,
        clock: IntArray,
        tolerance: FloatArray,
        longest_ms: FloatArray,
    ) -> IntArray:
        """How long each sample's run has lasted; the memory is that of the last ones."""
        n = np.arange(len(rows))
        first = np.maximum.accumulate(np.where(begins, n, 0))
        extremes = Extremes(value, int((n - first).max()) + 1)
        near, high, low = extremes.longest(n, first, tolerance)
        # What one sample has ended is over for those behind it, whatever their tolerance.
        begin = np.maximum.accumulate(near)
        start = clock[begin]
        # A run that reaches back to the first may have begun before.
        back = np.flatnonzero(begin == first)
        of = rows[back]
        width = int(self._length[of].max(initial=0))
        held = np.arange(width) < self._length[of][:, :, None]
        new = (value[back][:, None] * _BOTH_WAYS)[:, :, None]
        after = np.minimum(self._next_ms[of, :, :width], clock[first[back]][:, None, None])
        breaks = held & (self._peak[of, :, :width] - new >= tolerance[back][:, None, None])
        started = np.where(breaks, after, _NEVER).max(axis=(1, 2), initial=_NEVER)
        start[back] = _highest_so_far(np.maximum(self._start_ms[of], started), begins[back])
        run_ms: IntArray = clock - start

        last = np.flatnonzero(np.r_[begins[1:], True])
        reaches = begin[last] == first[last]
        old = np.searchsorted(back, last[reaches])
        oldest_ms = np.maximum(start[last], clock[last] - longest_ms[last]).astype(np.int64)
        peaks = [_Peaks.of_run(extremes, clock, last, begin[last], way) for way in range(2)]
        for way, way_peaks in enumerate(peaks):
            top = (high if way == 0 else -low)[last[reaches]]
            kept = held[old, way]  # Those that broke the run lie before its start: `packed`.
            kept &= self._peak[of[old], way, :width] > top[:, None]
            place, slot = np.nonzero(kept)
            number = np.flatnonzero(reaches)[place]
            way_peaks.add_older(
                number, self._peak[of[old][place], way, slot], after[old[place], way, slot]
            )
        self._clock_ms[rows[last]], self._start_ms[rows[last]] = clock[last], start[last]
        for way, way_peaks in enumerate(peaks):
            number, slot, peak, next_ms, length = way_peaks.packed(oldest_ms)
            self._widen(int(length.max(initial=0)) + 1)
            self._length[rows[last], way] = length
            self._peak[rows[last][number], way, slot] = peak
            self._next_ms[rows[last][number], way, slot] = next_ms
        return run_ms

    def _moved(
        self,
        rows: IntArray,
        begins: BoolArray,
        t_ms: IntArray,
        value: FloatArray,
        above: FloatArray,
    ) -> BoolArray:
        """`_remember` and `_moves` for all samples at once."""
        hour = t_ms // HOUR_MS
        slot = hour % RECENT_HOURS
        before = np.where(begins, self._hour[rows, slot], np.r_[0, hour[:-1]])
        fresh = np.flatnonzero(before != hour)
        starts = np.flatnonzero(begins)
        series = rows[starts]
        # The hours that are remembered, and behind them those that come, of each series.
        old_of, old_slot = np.nonzero(self._hour[series] != _NEVER)
        of = np.r_[old_of, np.searchsorted(starts, fresh, side="right") - 1]
        hours = np.r_[self._hour[series[old_of], old_slot], hour[fresh]]
        values = np.r_[self._hourly[series[old_of], old_slot], value[fresh]]
        order = np.lexsort((hours, of))
        of, hours, values = of[order], hours[order], values[order]
        base = int(min(hours.min(), hour.min())) - RECENT_HOURS
        span = int(max(hours.max(), hour.max())) - base + 1
        key = hours - base + of * span
        group = np.searchsorted(starts, np.arange(len(rows)), side="right") - 1
        now = hour - base + group * span
        low = np.searchsorted(key, now - RECENT_HOURS, side="right")
        high = np.searchsorted(key, now, side="right")
        # A level may be another from series to series, never within one.
        higher = np.r_[0, np.cumsum(values > above[starts][of])]
        moves: BoolArray = 2 * (higher[high] - higher[low]) > high - low
        self._hour[rows[fresh], slot[fresh]] = hour[fresh]
        self._hourly[rows[fresh], slot[fresh]] = value[fresh]
        return moves

    def _extend(
        self,
        rows: IntArray,
        value: FloatArray,
        elapsed_ms: IntArray,
        tolerance: FloatArray,
        longest_ms: FloatArray,
    ) -> IntArray:
        length = self._length[rows]
        width = int(length.max(initial=0)) + 1
        self._widen(width)
        slots = np.arange(width)
        held = slots < length[:, :, None]
        clock = self._clock_ms[rows] + elapsed_ms
        at = clock[:, None, None]
        new = (value[:, None] * _BOTH_WAYS)[:, :, None]
        peak = self._peak[rows, :, :width]
        # Whatever was newest until now is followed by this sample.
        after = np.minimum(self._next_ms[rows, :, :width], at)

        breaks = held & (peak - new >= tolerance[:, None, None])
        started = np.where(breaks, after, _NEVER).max(axis=(1, 2))
        start = np.maximum(self._start_ms[rows], started)
        # Of a run longer than the longest limit it does not matter how much longer it is.
        useless = held & (
            (after <= start[:, None, None]) | (after <= at - longest_ms[:, None, None])
        )
        useless |= breaks
        kept = held & ~useless & (peak > new)
        moved = np.flatnonzero(useless.any(axis=(1, 2)))
        if len(moved):
            # Both conditions hold for the oldest of a row: what is kept moves to the front.
            shift = slots + useless[moved].sum(axis=2)[:, :, None]
            np.minimum(shift, width - 1, out=shift)
            peak[moved] = np.take_along_axis(peak[moved], shift, axis=2)
            after[moved] = np.take_along_axis(after[moved], shift, axis=2)
        length = kept.sum(axis=2)
        newest = np.arange(len(rows))[:, None], _WAYS, length
        peak[newest] = new[:, :, 0]
        after[newest] = _UNSET

        self._peak[rows, :, :width] = peak
        self._next_ms[rows, :, :width] = after
        self._length[rows] = length + 1
        self._clock_ms[rows] = clock
        self._start_ms[rows] = start
        run_ms: IntArray = clock - start
        return run_ms

    def _remember(self, rows: IntArray, t_ms: IntArray, value: FloatArray) -> None:
        """Keep the first value of each hour: enough for a median, and bounded for any rate."""
        hour = t_ms // HOUR_MS
        slot = hour % RECENT_HOURS
        fresh = self._hour[rows, slot] != hour
        self._hour[rows[fresh], slot[fresh]] = hour[fresh]
        self._hourly[rows[fresh], slot[fresh]] = value[fresh]

    def _moves(self, rows: IntArray, t_ms: IntArray, above: FloatArray) -> BoolArray:
        """Whether the lower median of the last 25 hours is above the level."""
        recent = self._hour[rows] > (t_ms // HOUR_MS - RECENT_HOURS)[:, None]
        higher = recent & (self._hourly[rows] > above[:, None])
        moves: BoolArray = 2 * higher.sum(axis=1) > recent.sum(axis=1)
        return moves

    def _widen(self, width: int) -> None:
        have = self._peak.shape[2]
        if width > have:
            extra = ((0, 0), (0, 0), (0, max(width, 2 * have) - have))
            self._peak = np.pad(self._peak, extra)
            self._next_ms = np.pad(self._next_ms, extra)

    def snapshot(self) -> dict[str, Any]:
        """A copy of the whole state, as wide as it is in use."""
        width = int(self._length.max(initial=1))
        return {
            "clock_ms": self._clock_ms.copy(),
            "start_ms": self._start_ms.copy(),
            "length": self._length.copy(),
            "peak": self._peak[:, :, :width].copy(),
            "next_ms": self._next_ms[:, :, :width].copy(),
            "hour": self._hour.copy(),
            "hourly": self._hourly.copy(),
        }

    @classmethod
    def restored(cls, snapshot: dict[str, Any], series: int) -> "FlatLine":
        """The state of `snapshot`, with room for `series` series, of which the first are its."""
        new = cls(series)
        width = snapshot["peak"].shape[2]
        new._widen(width)
        known = len(snapshot["clock_ms"])
        new._clock_ms[:known] = snapshot["clock_ms"]
        new._start_ms[:known] = snapshot["start_ms"]
        new._length[:known] = snapshot["length"]
        new._peak[:known, :, :width] = snapshot["peak"]
        new._next_ms[:known, :, :width] = snapshot["next_ms"]
        new._hour[:known] = snapshot["hour"]
        new._hourly[:known] = snapshot["hourly"]
        return new


@dataclass(slots=True)
class _Peaks:
    """The suffix maxima of the last runs, N of everything: of which series, in which order."""

    number: IntArray
    order: IntArray
    peak: FloatArray
    next_ms: IntArray
    series: int

    @classmethod
    def of_run(
        cls, extremes: Extremes, clock: IntArray, last: IntArray, begin: IntArray, way: int
    ) -> "_Peaks":
        """Of the samples from `begin` to `last` of each series; `way` 1 is of the values' minus."""
        count = last - begin + 1
        number = np.repeat(np.arange(len(last)), count)
        at = np.arange(int(count.sum())) + np.repeat(begin - np.cumsum(count) + count, count)
        end = last[number]
        inner = np.flatnonzero(at < end)
        stands = np.ones(len(at), dtype=np.bool_)
        sign = _BOTH_WAYS[way]
        value = extremes.value[at] * sign
        high, low = extremes.between(at[inner] + 1, end[inner])
        stands[inner] = value[inner] > (high if way == 0 else -low)
        next_ms = np.where(at < end, clock[np.minimum(at + 1, len(clock) - 1)], _UNSET)
        return cls(number[stands], at[stands] + 1, value[stands], next_ms[stands], len(last))

    def add_older(self, number: IntArray, peak: FloatArray, next_ms: IntArray) -> None:
        """Put what is remembered before them, in the order given for each series."""
        self.number = np.r_[number, self.number]
        self.order = np.r_[np.zeros(len(number), dtype=np.int64), self.order]
        self.peak = np.r_[peak, self.peak]
        self.next_ms = np.r_[next_ms, self.next_ms]

    def packed(
        self, oldest_ms: IntArray
    ) -> tuple[IntArray, IntArray, FloatArray, IntArray, IntArray]:
        """(series, slot, peak, next_ms) of those that still matter, and how many each has."""
        kept = np.flatnonzero(self.next_ms > oldest_ms[self.number])
        kept = kept[np.lexsort((self.order[kept], self.number[kept]))]
        number = self.number[kept]
        length = np.bincount(number, minlength=self.series)
        slot = np.arange(len(number)) - np.repeat(np.cumsum(length) - length, length)
        return number, slot, self.peak[kept], self.next_ms[kept], length


def tolerances(
    value: FloatArray, tolerance: FloatArray, fresh: FloatArray, above: FloatArray
) -> FloatArray:
    """The tolerance of each value: `fresh` at or below `above` (NaN: nowhere), else `tolerance`.

    All [N], in the quantity's unit. NaN in `fresh`: a hundredth of `tolerance`.
    """
    found: FloatArray = np.where(
        value <= above, np.where(np.isnan(fresh), tolerance / 100, fresh), tolerance
    )
    return found


def _highest_so_far(values: IntArray, begins: BoolArray) -> IntArray:
    """Running maxima that begin anew where `begins` says so."""
    if not len(values):
        return values
    lowest = values.min()
    # Each stretch is lifted above all before it. Clocks of an age and a million series fit.
    lift = np.cumsum(begins) * (values.max() - lowest + 1)
    found: IntArray = np.maximum.accumulate(values - lowest + lift) - lift + lowest
    return found


def _sums(values: IntArray, begins: BoolArray) -> IntArray:
    """Running sums that begin anew where `begins` says so."""
    total = np.cumsum(values)
    starts = np.flatnonzero(begins)
    before = (total - values)[starts]
    found: IntArray = total - np.repeat(before, np.diff(np.r_[starts, len(values)]))
    return found
