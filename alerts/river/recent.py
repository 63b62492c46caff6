"""The last day of one series, and what can be read off it. Pure; times int ms UTC."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

from alerts.river.picture import PARTNER_MS, SAME_TIDE_MS
from ingest.reading import Flag

KEPT_MS = 108_000_000
"""30 hours: the same tide of the day before, and the hours before that which it must fit."""

THINNED_MS = 60_000
"""Samples nearer together than this are not all remembered: a bound for any sampling rate."""

HOUR_MS = 3_600_000
FALLS = 3
TIDE_MS = 9 * HOUR_MS
"""Within this a mixed tide has a high water."""

TURNED_M = 0.02
FIT_MS = 3 * HOUR_MS
FIT_SHARE = 0.2
EARLY_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading with its flag; `bad` is a probe that is dry."""

    t_ms: int
    value: float
    flag: int
    simulated: bool
    bad: bool

    @property
    def good(self) -> bool:
        return self.flag == Flag.PASS and not self.simulated


class Recent:
    """Samples of a series, rising in time. The newest is always there."""

    def __init__(self, snapshot: list[list[Any]] | None = None) -> None:
        self.samples: deque[Sample] = deque(Sample(*each) for each in snapshot or ())

    def add(self, sample: Sample) -> None:
        """Take the next sample; the newest is replaced if it was too near to the one before."""
        kept = self.samples
        if len(kept) > 1 and kept[-1].t_ms - kept[-2].t_ms < THINNED_MS:
            kept.pop()
        kept.append(sample)
        while kept[0].t_ms < sample.t_ms - KEPT_MS:
            kept.popleft()

    @property
    def newest(self) -> Sample | None:
        return self.samples[-1] if self.samples else None

    def of_last(self, span_ms: int) -> list[Sample]:
        """The samples up to so long before the newest, rising."""
        if not self.samples:
            return []
        begin_ms = self.samples[-1].t_ms - span_ms
        found = list(takewhile(lambda each: each.t_ms >= begin_ms, reversed(self.samples)))
        return found[::-1]

    def snapshot(self) -> list[list[Any]]:
        return [[s.t_ms, s.value, s.flag, s.simulated, s.bad] for s in self.samples]


def slope_per_h(samples: list[Sample]) -> float | None:
    """From the oldest of the last 60 min to the newest; None if less than 30 min apart.

    Of the slope with suspect samples and that without them the larger: a suspect one may show
    a rise, and may not hide one.
    """
    told = [s for s in samples if s.flag in (Flag.PASS, Flag.SUSPECT) and not s.simulated]
    slopes = _slope_per_h(told), _slope_per_h([each for each in told if each.good])
    return max((slope for slope in slopes if slope is not None), default=None)


def _slope_per_h(told: list[Sample]) -> float | None:
    if not told:
        return None
    last = told[-1]
    first = next(each for each in told if each.t_ms >= last.t_ms - HOUR_MS)
    span_ms = last.t_ms - first.t_ms
    if 2 * span_ms < HOUR_MS:
        return None
    return (last.value - first.value) * HOUR_MS / span_ms


def falling(samples: list[Sample], gap_ms: int) -> bool:
    """Whether each of the last three samples is good and lower than the one before.

    Across a hole of more than `gap_ms` nobody has seen it fall.
    """
    last = samples[-FALLS - 1 :]
    return (
        len(last) == FALLS + 1
        and all(each.good for each in last)
        and all(b.value < a.value and b.t_ms - a.t_ms <= gap_ms for a, b in pairwise(last))
    )


def held(samples: list[Sample], at_most: float, gap_ms: int) -> tuple[int, int]:
    """For how long, ms, and in how many samples it has been good and at most so much.

    A hole of more than `gap_ms` ends what was before it.
    """
    count, since_ms = 0, None
    for each in reversed(samples):
        broken = since_ms is not None and since_ms - each.t_ms > gap_ms
        if broken or not each.good or each.value > at_most:
            break
        count, since_ms = count + 1, each.t_ms
    return (0, 0) if since_ms is None else (samples[-1].t_ms - since_ms, count)


def high_water_ms(samples: list[Sample]) -> int | None:
    """When the water was highest in the last nine hours; None while it rises, or unknown."""
    good = [each for each in samples if each.good]
    if not good:
        return None
    last = good[-1]
    window = [each for each in good if each.t_ms >= last.t_ms - TIDE_MS]
    top = max(window, key=lambda each: (each.value, each.t_ms))
    return top.t_ms if top.value - last.value >= TURNED_M else None


def ahead(samples: Sequence[Sample]) -> list[tuple[int, float]]:
    """What is to come by the curve of the day before: (ms, value), from the newest sample on.

    The same tide was 24 h 50 min earlier. Only if that curve has fitted each sample of the
    last three hours within 20 %, and up to the first hole of the day before, which hides what
    came in it; empty where nothing can be said.
    """
    good = [each for each in samples if each.good]
    times = [each.t_ms for each in good]
    if not good or not fits(good, times):
        return []
    found = [(times[-1], good[-1].value)]
    for each in good[bisect_right(times, times[-1] - SAME_TIDE_MS) :]:
        shifted_ms = each.t_ms + SAME_TIDE_MS
        if shifted_ms - found[-1][0] > PARTNER_MS:
            break
        found.append((shifted_ms, each.value))
    return found


def ends_ms(curve: Sequence[tuple[int, float]], near: float) -> int | None:
    """When the water will be too near to its limit, by what is `ahead`: half an hour less than
    that says. None where that can't be told.
    """
    for (before_ms, _), (_, value) in pairwise(curve):
        if value > near:
            return before_ms - EARLY_MS
    return None


def fits(good: list[Sample], times: list[int]) -> bool:
    """Whether the day before fits each of the last three hours, which have no hole."""
    recent = good[bisect_left(times, times[-1] - FIT_MS) :]
    if times[-1] - recent[0].t_ms < FIT_MS - PARTNER_MS // 2:
        return False
    if any(b.t_ms - a.t_ms > PARTNER_MS for a, b in pairwise(recent)):
        return False
    pairs = [(each.value, _at(good, times, each.t_ms - SAME_TIDE_MS)) for each in recent]
    return all(then is not None and abs(then - now) <= FIT_SHARE * now for now, then in pairs)


def _at(good: list[Sample], times: list[int], t_ms: int) -> float | None:
    """The value at a time between two samples, both within an hour of it."""
    place = bisect_left(times, t_ms)
    if place < len(times) and times[place] == t_ms:
        return good[place].value
    if place == 0 or place == len(times):
        return None
    a, b = good[place - 1], good[place]
    if t_ms - a.t_ms > PARTNER_MS or b.t_ms - t_ms > PARTNER_MS:
        return None
    return a.value + (b.value - a.value) * (t_ms - a.t_ms) / (b.t_ms - a.t_ms)
