"""Events found, missed and false: flags and alerts held against windows of truth.

People reject long blocks, and a fault lasts for hours, so events are counted and never single
samples. A window is [from, to) in ms UTC; N samples and M windows come as columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.reading import BoolArray, IntArray

HOUR_MS = 3_600_000
APART_MS = 12 * HOUR_MS
"""Flags no further apart than this are one event."""

NEAR_MS = HOUR_MS
"""A flag so near to a label belongs to it: where a fault begins is not known to the minute."""

NONE_MS = -1
"""A delay that there is not, since nothing was found."""


@dataclass(frozen=True, slots=True)
class Windows:
    """from_ms, to_ms : int64[M]; a window without a length holds nothing."""

    from_ms: IntArray
    to_ms: IntArray

    def __len__(self) -> int:
        return len(self.from_ms)

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> "Windows":
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(both[:, 0], both[:, 1])

    def covering(self, t_ms: IntArray, beyond_ms: int = 0) -> IntArray:
        """int64[N]: in how many windows each time lies, each longer by `beyond_ms` at both ends."""
        begins = np.sort(self.from_ms - beyond_ms)
        ends = np.sort(self.to_ms + beyond_ms)
        begun = np.searchsorted(begins, t_ms, side="right")
        return np.asarray(begun - np.searchsorted(ends, t_ms, side="right"), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Samples:
    """What was judged, in the order of time; several series of a device may stand together.

    t_ms : int64[N], rising; flagged : bool[N], as decided in the end
    decided_ms : int64[N], the arrival from which on the flag has stood
    """

    t_ms: IntArray
    flagged: BoolArray
    decided_ms: IntArray


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of M windows.

    samples, flagged : int64[M], how many lie in each
    alone : bool[M], whether a flag lies in it that lies in no other window
    delay_ms : int64[M], from its begin to the time of its first flagged sample
    decided_ms : int64[M], from its begin to the first decision; `NONE_MS` where nothing was
    """

    samples: IntArray
    flagged: IntArray
    alone: BoolArray
    delay_ms: IntArray
    decided_ms: IntArray

    @property
    def hit(self) -> BoolArray:
        return self.flagged > 0


def runs(at: NDArray[np.intp], key: IntArray, apart: int) -> list[NDArray[np.intp]]:
    """Split indices where more than `apart` of `key` lies between two of them."""
    return np.split(at, np.flatnonzero(np.diff(key[at]) > apart) + 1) if len(at) else []


def windows_of(t_ms: IntArray, labelled: BoolArray) -> Windows:
    """Unbroken runs of labelled samples as windows, each up to and with its last sample."""
    events = runs(np.flatnonzero(labelled), np.arange(len(t_ms), dtype=np.int64), 1)
    return Windows.of([(int(t_ms[e[0]]), int(t_ms[e[-1]]) + 1) for e in events])


def find(samples: Samples, windows: Windows, others: Windows) -> Found:
    """What the flags found of `windows`; `others` are all windows of the same device."""
    bad = np.flatnonzero(samples.flagged)
    bad_ms, decided = samples.t_ms[bad], samples.decided_ms[bad]
    single = others.covering(bad_ms) <= 1
    counts = _between(samples.t_ms, windows)
    low = np.searchsorted(bad_ms, windows.from_ms)
    high = np.maximum(np.searchsorted(bad_ms, windows.to_ms), low)
    singles = np.r_[0, np.cumsum(single)]
    delay = np.full(len(windows), NONE_MS, dtype=np.int64)
    known = delay.copy()
    for n in np.flatnonzero(high > low):
        delay[n] = bad_ms[low[n]] - windows.from_ms[n]
        known[n] = decided[low[n] : high[n]].min() - windows.from_ms[n]
    return Found(counts, high - low, singles[high] > singles[low], delay, known)


def _between(t_ms: IntArray, windows: Windows) -> IntArray:
    low = np.searchsorted(t_ms, windows.from_ms)
    high = np.searchsorted(t_ms, windows.to_ms)
    return np.asarray(np.maximum(high - low, 0), dtype=np.int64)


def false_events(samples: Samples, windows: Windows) -> list[tuple[int, int]]:
    """First and last time of each event of flags that comes near to no window, ms UTC."""
    near = windows.covering(samples.t_ms, NEAR_MS) > 0
    events = runs(np.flatnonzero(samples.flagged), samples.t_ms, APART_MS)
    return [
        (int(samples.t_ms[each[0]]), int(samples.t_ms[each[-1]]))
        for each in events
        if not near[each].any()
    ]


@dataclass(frozen=True, slots=True)
class Stands:
    """Alerts of one rule on one series, N of them, int64[N] each.

    since_ms : the first sample of what raised it; event_ms : the one that completed it
    until_ms : when it was over, or the end of the recording
    """

    since_ms: IntArray
    event_ms: IntArray
    until_ms: IntArray


@dataclass(frozen=True, slots=True)
class Matched:
    """What the alerts of a rule on a series are worth.

    asked : bool[M], windows long enough to prove anything; hit : bool[M], never of the others
    delay_ms : int64[M], from the begin to what completed the first alert that was raised for
        the window; `NONE_MS` where none was, since one stood already, or at a miss
    false : bool[N], alerts that were raised by nothing
    """

    asked: BoolArray
    hit: BoolArray
    delay_ms: IntArray
    false: BoolArray


def match(stands: Stands, windows: Windows, *, least_ms: int, tolerance_ms: int) -> Matched:
    """Hold alerts against windows.

    least_ms : a shorter window proves no hold, and is not asked
    tolerance_ms : how far outside of a window what raised an alert may lie

    A window is hit by an alert that stands in it, also by one of the tide before, which stands
    until the salt spell is over. An alert is false where the stretch that raised it lies
    outside of all windows: that it stood into one later makes nothing good.
    """
    begin, end = windows.from_ms[:, None], windows.to_ms[:, None]
    asked = windows.to_ms - windows.from_ms >= least_ms
    stood = (stands.since_ms < end) & (stands.until_ms > begin)
    raised = (stands.since_ms < end + tolerance_ms) & (stands.event_ms >= begin - tolerance_ms)
    for_it = stood & (stands.since_ms >= begin - tolerance_ms)
    late = np.where(for_it, np.maximum(stands.event_ms - begin, 0), np.iinfo(np.int64).max)
    first = late.min(axis=1, initial=np.iinfo(np.int64).max)
    hit = stood.any(axis=1) & asked
    delay = np.where(hit & for_it.any(axis=1), first, NONE_MS)
    by_nothing: BoolArray = np.logical_not(raised.any(axis=0))
    return Matched(asked, hit, delay.astype(np.int64), by_nothing)


@dataclass(frozen=True, slots=True)
class Delays:
    """Median and worst of some delays, s; None of none."""

    median_s: float | None
    worst_s: float | None

    @classmethod
    def of(cls, delays_ms: Sequence[int]) -> "Delays":
        known = [each for each in delays_ms if each != NONE_MS]
        if not known:
            return cls(None, None)
        return cls(round(float(np.median(known)) / 1000, 1), round(max(known) / 1000, 1))
