"""The quality tests as slow loops over one series, each reading judged from the whole past.

Nothing is remembered from one reading to the next, so that there is no state to get wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.reading import Flag, Why
from ingest.registry import QualityLimits

HOUR_MS = 3_600_000

Verdict = tuple[int, int]
"""(flag, why)"""


@dataclass(frozen=True, slots=True)
class Sample:
    t_ms: int
    value: float
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said when a sample came: of itself, and again of an earlier one (by its index)."""

    told: Verdict
    revised: tuple[int, Verdict] | None


def judge(samples: Sequence[Sample], limits: QualityLimits, expected_s: float) -> list[Spoken]:
    said = []
    told: list[Verdict] = []
    for n in range(len(samples)):
        flags = lasting_tests(samples[: n + 1], limits, expected_s)
        spike = spike_when_told(samples[: n + 1], limits, expected_s)
        told.append(combined(samples[: n + 1], flags, spike, limits, expected_s))
        said.append(Spoken(told[n], revision(samples[: n + 1], told, limits, expected_s)))
    return said


def revision(
    past: Sequence[Sample], told: Sequence[Verdict], limits: QualityLimits, expected_s: float
) -> tuple[int, Verdict] | None:
    """The newest sample decides the spike test of its neighbour."""
    n = len(past) - 1
    middle = neighbour(past, limits, expected_s)
    if middle is None or not spike_asked(limits):
        return None
    before = neighbour(past[: middle + 1], limits, expected_s)
    if before is None:
        return None
    distance = abs(past[middle].value - (past[before].value + past[n].value) / 2)
    spike = worse_than(distance, limits.spike_suspect, limits.spike_fail)
    flags = lasting_tests(past[: middle + 1], limits, expected_s)
    verdict = combined(past[: middle + 1], flags, spike, limits, expected_s)
    return None if verdict == told[middle] else (middle, verdict)


def combined(
    past: Sequence[Sample],
    flags: Sequence[tuple[Why, Flag]],
    spike: Flag | None,
    limits: QualityLimits,
    expected_s: float,
) -> Verdict:
    spoken = [*flags] + ([(Why.SPIKE, spike)] if spike is not None else [])
    flag = Flag.NOT_EVALUATED
    why = Why.GAP if follows_gap(past, limits, expected_s) else Why(0)
    for worst in (Flag.PASS, Flag.SUSPECT, Flag.FAIL):
        if any(found == worst for _, found in spoken):
            flag = worst
    for test, found in spoken:
        if found in {Flag.SUSPECT, Flag.FAIL}:
            why |= test
    return int(flag), int(why)


def lasting_tests(
    past: Sequence[Sample], limits: QualityLimits, expected_s: float
) -> list[tuple[Why, Flag]]:
    """All tests of the newest sample but spike; a test that can't speak is left out."""
    found = [
        (Why.GROSS_RANGE, gross_range(past[-1], limits)),
        (Why.DRY, Flag.FAIL if past[-1].dry else None),
        (Why.RATE_OF_CHANGE, rate_of_change(past, limits, expected_s)),
        (Why.FLAT_LINE, flat_line(past, limits, expected_s)),
    ]
    return [(test, flag) for test, flag in found if flag is not None]


def gross_range(sample: Sample, limits: QualityLimits) -> Flag | None:
    flag = None
    for low, high, if_outside in (
        (limits.suspect_min, limits.suspect_max, Flag.SUSPECT),
        (limits.fail_min, limits.fail_max, Flag.FAIL),
    ):
        if (low is not None or high is not None) and flag is None:
            flag = Flag.PASS
        if (low is not None and sample.value < low) or (high is not None and sample.value > high):
            flag = if_outside
    return flag


def could_be_true(sample: Sample, limits: QualityLimits) -> bool:
    return not sample.dry and gross_range(sample, limits) != Flag.FAIL


def gap_ms(limits: QualityLimits, expected_s: float) -> float:
    gap_s = 3 * expected_s if limits.gap_s is None else limits.gap_s
    return gap_s * 1000


def follows_gap(past: Sequence[Sample], limits: QualityLimits, expected_s: float) -> bool:
    if len(past) == 1:
        return False
    return past[-1].t_ms - past[-2].t_ms > gap_ms(limits, expected_s)


def neighbour(past: Sequence[Sample], limits: QualityLimits, expected_s: float) -> int | None:
    """Index of the sample before the newest that it may be compared with."""
    if not could_be_true(past[-1], limits):
        return None
    for index in range(len(past) - 2, -1, -1):
        if could_be_true(past[index], limits):
            near = past[-1].t_ms - past[index].t_ms <= gap_ms(limits, expected_s)
            return index if near else None
    return None


def spike_asked(limits: QualityLimits) -> bool:
    return limits.spike_suspect is not None or limits.spike_fail is not None


def spike_when_told(
    past: Sequence[Sample], limits: QualityLimits, expected_s: float
) -> Flag | None:
    before = neighbour(past, limits, expected_s)
    if before is None or not spike_asked(limits):
        return None
    jump = abs(past[-1].value - past[before].value)
    suspicious = worse_than(jump, limits.spike_suspect, limits.spike_fail) != Flag.PASS
    return Flag.SUSPECT if suspicious else Flag.PASS


def rate_of_change(past: Sequence[Sample], limits: QualityLimits, expected_s: float) -> Flag | None:
    before = neighbour(past, limits, expected_s)
    if before is None:
        return None
    if limits.rate_suspect_per_h is None and limits.rate_fail_per_h is None:
        return None
    hours = (past[-1].t_ms - past[before].t_ms) / HOUR_MS
    per_h = abs(past[-1].value - past[before].value) / hours
    return worse_than(per_h, limits.rate_suspect_per_h, limits.rate_fail_per_h)


def worse_than(size: float, suspect: float | None, fail: float | None) -> Flag:
    if fail is not None and size > fail:
        return Flag.FAIL
    if suspect is not None and size > suspect:
        return Flag.SUSPECT
    return Flag.PASS


def flat_line(past: Sequence[Sample], limits: QualityLimits, expected_s: float) -> Flag | None:
    if limits.flat_tolerance is None or not could_be_true(past[-1], limits):
        return None
    if limits.flat_suspect_s is None and limits.flat_fail_s is None:
        return None
    water = [sample for sample in past if could_be_true(sample, limits)]
    if limits.flat_above is not None and lower_median_of_a_day(water) <= limits.flat_above:
        return None
    run_ms = 0
    for first in range(len(water) - 2, -1, -1):
        later = water[first + 1 :]
        if any(
            abs(sample.value - water[first].value) >= flat_tolerance(sample.value, limits)
            for sample in later
        ):
            break
        interval_ms = water[first + 1].t_ms - water[first].t_ms
        if interval_ms <= gap_ms(limits, expected_s):
            run_ms += interval_ms
    if limits.flat_fail_s is not None and run_ms >= limits.flat_fail_s * 1000:
        return Flag.FAIL
    if limits.flat_suspect_s is not None and run_ms >= limits.flat_suspect_s * 1000:
        return Flag.SUSPECT
    return Flag.PASS


def flat_tolerance(value: float, limits: QualityLimits) -> float:
    assert limits.flat_tolerance is not None
    if limits.flat_above is None or value > limits.flat_above:
        return limits.flat_tolerance
    if limits.flat_tolerance_fresh is None:
        return limits.flat_tolerance / 100
    return limits.flat_tolerance_fresh


def lower_median_of_a_day(water: Sequence[Sample]) -> float:
    """Of the first value of each hour, over this hour and the 24 before it."""
    this_hour = water[-1].t_ms // HOUR_MS
    by_hour: dict[int, float] = {}
    for sample in water:
        hour = sample.t_ms // HOUR_MS
        if hour > this_hour - 25:
            by_hour.setdefault(hour, sample.value)
    ordered = sorted(by_hour.values())
    return ordered[(len(ordered) - 1) // 2]
