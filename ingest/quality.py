"""Quality flags of readings as they are released, for all series at once.

A reading is judged by itself and by what came before it in its series, never by what came
in the same batch: any split of a feed into batches gives the same flags. One test is
judged again, once, when the next reading of the series comes: spike.

What failed gross range or is dry says nothing about the water. It is no neighbour: spike,
rate of change and flat line of later values look past it to the last value that could be
true, as far back as `gap_s`, and it isn't judged by them itself. A value that failed by
spike or rate alone is a neighbour: a true step of the water would else never be believed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ingest import detectors
from ingest.detectors import FAIL, FLAG_OF_RANK, HOUR_MS, SILENT, SUSPECT, RankArray
from ingest.flat_line import FlatLine, tolerances
from ingest.reading import Batch, BoolArray, FlagArray, FloatArray, IntArray, Why, WhyArray
from ingest.registry import Registry
from ingest.series import SeriesTable

SNAPSHOT_VERSION = 1
GAP_INTERVALS = 3
"""A gap is more than this many expected intervals, where the registry states no `gap_s`."""

_NEVER = np.iinfo(np.int64).min // 4
_ENDLESS_MS = 1000 * 365 * 24 * HOUR_MS  # the gap of a series that is expected at no time


@dataclass(frozen=True, slots=True)
class Judged:
    """What `Quality.step` found.

    flag : uint8[N], why : uint16[N], of the rows of the batch
    revised : readings told before whose flag or evidence is another now that their successor
        has come, at most one for each row; their flag and why are the new ones
    """

    flag: FlagArray
    why: WhyArray
    revised: Batch


class _Limits(NamedTuple):
    """Limits of the tests, one column for each series; NaN is a test not asked for."""

    fail_min: FloatArray
    fail_max: FloatArray
    suspect_min: FloatArray
    suspect_max: FloatArray
    spike_suspect: FloatArray
    spike_fail: FloatArray
    rate_suspect_per_h: FloatArray
    rate_fail_per_h: FloatArray
    flat_suspect_s: FloatArray
    flat_fail_s: FloatArray
    flat_tolerance: FloatArray
    flat_tolerance_fresh: FloatArray
    flat_above: FloatArray


class _Newest(NamedTuple):
    """Of each series its newest sample, and its newest two that could be true.

    `base` and `base_why` are the newest's tests other than spike, `spike` what was told at
    its release, `undecided` whether a near successor decides its spike test.
    """

    sample_t_ms: IntArray
    t_ms: IntArray
    value: FloatArray
    before: FloatArray
    base: RankArray
    base_why: WhyArray
    spike: RankArray
    undecided: BoolArray

    @classmethod
    def none(cls, series: int) -> "_Newest":
        return cls(
            np.full(series, _NEVER, dtype=np.int64),
            np.full(series, _NEVER, dtype=np.int64),
            np.full(series, np.nan),
            np.full(series, np.nan),
            np.zeros(series, dtype=np.uint8),
            np.zeros(series, dtype=np.uint16),
            np.zeros(series, dtype=np.uint8),
            np.zeros(series, dtype=np.bool_),
        )

    def at(self, rows: IntArray) -> "_Newest":
        return _Newest._make(column[rows] for column in self)

    def snapshot(self) -> dict[str, Any]:
        columns: tuple[Any, ...] = self
        return {name: column.copy() for name, column in zip(self._fields, columns, strict=True)}

    @classmethod
    def restored(cls, snapshot: dict[str, Any], series: int) -> "_Newest":
        new = cls.none(series)
        columns: tuple[Any, ...] = new
        for name, column in zip(cls._fields, columns, strict=True):
            column[: len(snapshot[name])] = snapshot[name]
        return new


class Quality:
    """The quality tests of all series and what they remember, as columns of S series.

    `snapshot` is that of an earlier life with the same numbers of series, perhaps fewer.
    Raises ValueError where it is of another version or knows more series than there are.
    """

    def __init__(
        self, series: SeriesTable, registry: Registry, snapshot: dict[str, Any] | None = None
    ) -> None:
        self._newest = _Newest.none(0)
        self._flat_line = FlatLine(0)
        if snapshot is not None:
            if snapshot["version"] != SNAPSHOT_VERSION:
                raise ValueError(
                    f"quality snapshot of version {snapshot['version']}, not {SNAPSHOT_VERSION}"
                )
            self._restore(snapshot, len(series))
        self.reconfigure(series, registry)

    def reconfigure(self, series: SeriesTable, registry: Registry) -> None:
        """Take new limits and new series; what is known of the old series stays."""
        if len(series) != len(self._newest.t_ms):
            self._restore(self.snapshot(), len(series))
        stated = [registry.limits(each.station, each.quantity) for each in series.entries]
        self._limits = np.array(
            [[getattr(limits, name) for limits in stated] for name in _Limits._fields],
            dtype=np.float64,  # None becomes NaN.
        ).reshape(len(_Limits._fields), len(stated))
        asked = _Limits(*self._limits)
        self._flat_asked: BoolArray = ~np.isnan(asked.flat_tolerance) & ~(
            np.isnan(asked.flat_suspect_s) & np.isnan(asked.flat_fail_s)
        )
        self._gap_ms: IntArray = np.array(
            [
                GAP_INTERVALS * expected_ms or _ENDLESS_MS
                if limits.gap_s is None
                else round(limits.gap_s * 1000)
                for limits, expected_ms in zip(stated, series.expected_ms.tolist(), strict=True)
            ],
            dtype=np.int64,
        )

    def snapshot(self) -> dict[str, Any]:
        """A copy of all that is remembered: dictionaries, integers and arrays."""
        return {
            "version": SNAPSHOT_VERSION,
            "newest": self._newest.snapshot(),
            "flat_line": self._flat_line.snapshot(),
        }

    def _restore(self, snapshot: dict[str, Any], series: int) -> None:
        known = len(snapshot["newest"]["t_ms"])
        if known > series:
            raise ValueError(f"quality snapshot of {known} series, and there are {series}")
        self._newest = _Newest.restored(snapshot["newest"], series)
        self._flat_line = FlatLine.restored(snapshot["flat_line"], series)

    def step(self, batch: Batch, dry: BoolArray) -> Judged:
        """Judge released readings: each series at most once, later than its reading before.

        `dry` : bool[N], what `ingest.salinity.dry` said of the sample, for what is measured in
        the water; false for the rest (a battery is none the worse for it). The batch's own
        flags are not looked at.
        """
        rows, t_ms, value = batch.series, batch.t_ms, batch.value
        limits = _Limits(*self._limits[:, rows])
        gap_ms = self._gap_ms[rows]
        newest = self._newest.at(rows)
        assert (t_ms > newest.sample_t_ms).all(), "readings of a series are released in order"
        self._newest.sample_t_ms[rows] = t_ms
        assert (self._newest.sample_t_ms[rows] == t_ms).all(), "a series came twice in a batch"

        out_of_range = detectors.gross_range(value, *limits[:4])
        possible = (out_of_range != FAIL) & ~dry
        heard = newest.sample_t_ms != _NEVER
        after_gap = heard & detectors.gap(t_ms - newest.sample_t_ms, gap_ms)
        since_ms = t_ms - newest.t_ms
        near = possible & (since_ms <= gap_ms)

        rate = detectors.rate_of_change(
            value,
            newest.value,
            since_ms,
            near,
            suspect_per_h=limits.rate_suspect_per_h,
            fail_per_h=limits.rate_fail_per_h,
        )
        elapsed_ms = np.where(near, since_ms, 0)
        flat = self._judge_flat_line(self._flat_line.push, batch, possible, elapsed_ms, limits)
        spike = detectors.spike_at_release(
            value, newest.value, near, limits.spike_suspect, limits.spike_fail
        )
        base, base_why = _worst_of(out_of_range, dry, after_gap, rate, flat)
        told = _Newest(t_ms, t_ms, value, newest.value, base, base_why, spike, spike != SILENT)
        flag, why = _flag_and_why(told, spike)
        revised = _decide_spikes(rows, value, near, newest, limits)
        self._remember(rows, possible, told)
        return Judged(flag, why, revised)

    def run(self, batch: Batch, dry: BoolArray) -> tuple[FlagArray, WhyArray]:
        """Flag and why of a whole run of released readings, as `step` tells them one by one.

        In order of series, then of time; any number of each series. What later readings would
        say anew of earlier ones is left out: for runs in which nobody reads flags again.
        """
        rows, t_ms, value = batch.series, batch.t_ms, batch.value
        n = np.arange(len(rows))
        first = np.r_[True, rows[1:] != rows[:-1]][: len(rows)]
        limits, gap_ms = _Limits(*self._limits[:, rows]), self._gap_ms[rows]
        newest = self._newest.at(rows)
        out_of_range = detectors.gross_range(value, *limits[:4])
        possible = (out_of_range != FAIL) & ~dry
        # The last before each that could be true: of the run, or what is remembered.
        of_run = np.maximum.accumulate(np.where(possible, n, -1))
        before = np.r_[-1, of_run[:-1]][: len(rows)]
        begin = np.maximum.accumulate(np.where(first, n, 0))
        inside = before >= begin
        known = newest.sample_t_ms != _NEVER
        sample_ms = np.where(first, newest.sample_t_ms, np.r_[_NEVER, t_ms[:-1]][: len(rows)])
        assert (t_ms > sample_ms).all(), "readings of a series are released in order"
        after_gap = (known | ~first) & detectors.gap(t_ms - sample_ms, gap_ms)
        since_ms = t_ms - np.where(inside, t_ms[before], newest.t_ms)
        previous = np.where(inside, value[before], newest.value)
        near = possible & (since_ms <= gap_ms)
        rate = detectors.rate_of_change(
            value,
            previous,
            since_ms,
            near,
            suspect_per_h=limits.rate_suspect_per_h,
            fail_per_h=limits.rate_fail_per_h,
        )
        elapsed_ms = np.where(near, since_ms, 0)
        flat = self._judge_flat_line(self._flat_line.run, batch, possible, elapsed_ms, limits)
        spike = detectors.spike_at_release(
            value, previous, near, limits.spike_suspect, limits.spike_fail
        )
        base, base_why = _worst_of(out_of_range, dry, after_gap, rate, flat)
        told = _Newest(t_ms, t_ms, value, previous, base, base_why, spike, spike != SILENT)
        flag, why = _flag_and_why(told, spike)
        last = np.r_[first[1:], True][: len(rows)]
        self._newest.sample_t_ms[rows[last]] = t_ms[last]
        newest_possible = of_run[last]
        newest_possible = newest_possible[newest_possible >= begin[last]]
        self._remember(
            rows[newest_possible],
            np.ones(len(newest_possible), dtype=np.bool_),
            told.at(newest_possible),
        )
        return flag, why

    def _judge_flat_line(
        self,
        judge: Callable[..., RankArray],
        batch: Batch,
        possible: BoolArray,
        elapsed_ms: IntArray,
        limits: _Limits,
    ) -> RankArray:
        """What `judge`, the flat line's `push` or `run`, says of the rows that it is asked of."""
        flat = np.zeros(len(batch), dtype=np.uint8)
        asked = np.flatnonzero(possible & self._flat_asked[batch.series])
        if len(asked):
            value, above = batch.value[asked], limits.flat_above[asked]
            fresh = limits.flat_tolerance_fresh[asked]
            flat[asked] = judge(
                batch.series[asked],
                batch.t_ms[asked],
                value,
                elapsed_ms[asked],
                tolerance=tolerances(value, limits.flat_tolerance[asked], fresh, above),
                suspect_ms=limits.flat_suspect_s[asked] * 1000,
                fail_ms=limits.flat_fail_s[asked] * 1000,
                above=above,
            )
        return flat

    def _remember(self, rows: IntArray, possible: BoolArray, told: _Newest) -> None:
        if not possible.all():
            rows = rows[possible]
            told = told.at(np.flatnonzero(possible))
        columns: tuple[Any, ...] = self._newest
        for column, new in zip(columns[1:], told[1:], strict=True):
            column[rows] = new


def _worst_of(
    out_of_range: RankArray, dry: BoolArray, after_gap: BoolArray, rate: RankArray, flat: RankArray
) -> tuple[RankArray, WhyArray]:
    """All tests but spike: the worst of them, with what speaks against the value."""
    worst = np.maximum(np.maximum(out_of_range, detectors.dry(dry)), np.maximum(rate, flat))
    why: WhyArray = (
        np.uint16(Why.GROSS_RANGE) * (out_of_range >= SUSPECT)
        + np.uint16(Why.DRY) * dry
        + np.uint16(Why.GAP) * after_gap
        + np.uint16(Why.RATE_OF_CHANGE) * (rate >= SUSPECT)
        + np.uint16(Why.FLAT_LINE) * (flat >= SUSPECT)
    )
    return worst, why


def _flag_and_why(told: _Newest, spike: RankArray) -> tuple[FlagArray, WhyArray]:
    """The worst of all tests as QARTOD's number, with what speaks against the value."""
    spiked = np.uint16(Why.SPIKE) * (spike >= SUSPECT)
    return FLAG_OF_RANK[np.maximum(told.base, spike)], told.base_why | spiked


def _decide_spikes(
    rows: IntArray, value: FloatArray, near: BoolArray, newest: _Newest, limits: _Limits
) -> Batch:
    """Judge the spike test of each series' newest value again, now that its successor is here."""
    spike = detectors.spike_decided(
        newest.value,
        newest.before,
        value,
        near & newest.undecided,
        suspect=limits.spike_suspect,
        fail=limits.spike_fail,
    )
    flag_told, why_told = _flag_and_why(newest, newest.spike)
    flag, why = _flag_and_why(newest, spike)
    changed = (spike != SILENT) & ((flag != flag_told) | (why != why_told))
    revised = Batch(rows, newest.t_ms, newest.value, flag, why)
    return revised.take(np.flatnonzero(changed))
