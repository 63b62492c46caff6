"""Gross range, dry, gap, spike and rate of change: by hand, and equal to ioos_qc."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from ioos_qc import qartod

from ingest.reading import Flag, Why
from ingest.registry import QualityLimits
from tests.ingest.quality_feed import (
    QUARTER_MS,
    T0,
    UNHURRIED,
    at_intervals,
    flags,
    of_ioos,
    run,
    seconds,
    told,
)
from tests.naive.quality import Sample

# Against ioos_qc, on regular series without gaps. Beyond that the two are not both defined:
# - it knows no gap: it compares across any, and its flat line turns seconds into a count of
#   samples by the median interval;
# - it cuts intervals to whole seconds, so that only such intervals are compared;
# - a spike threshold of 0 is "off" there; ours is a limit (see the slow twin);
# - rate of change passes on a series' first sample there, where there is nothing to compare;
# - it compares a value with neighbours that failed gross range, hence no such values here;
# - spike is never decided on the first and last sample, flat line not below three samples;
# - it has no level under which flat water is legitimate.

SMOOTH = st.lists(
    st.one_of(st.integers(0, 3000).map(lambda whole: whole / 100), st.just(5.0)),
    min_size=3,
    max_size=40,
)


@given(SMOOTH, st.integers(0, 1000), st.integers(1500, 2500))
@UNHURRIED
def test_gross_range_equals_ioos_qc(values: list[float], low: int, high: int) -> None:
    limits = QualityLimits(
        fail_min=low / 100, fail_max=high / 100, suspect_min=10.0, suspect_max=15.0
    )
    theirs = qartod.gross_range_test(values, (low / 100, high / 100), (10.0, 15.0))
    assert flags(told(at_intervals(values), limits)) == of_ioos(theirs)


@given(SMOOTH, st.sampled_from([0.3, 2.0, 5.5]), st.sampled_from([2.0, 8.0]))
@UNHURRIED
def test_spike_once_decided_equals_ioos_qc(
    values: list[float], suspect: float, fail: float
) -> None:
    limits = QualityLimits(spike_suspect=suspect, spike_fail=fail)
    theirs = of_ioos(qartod.spike_test(values, suspect, fail))
    decided = flags(run(at_intervals(values), limits).decided())
    assert decided[1:-1] == theirs[1:-1]
    assert decided[0] == theirs[0] == Flag.NOT_EVALUATED
    assert theirs[-1] == Flag.NOT_EVALUATED
    assert decided[-1] in {Flag.PASS, Flag.SUSPECT}  # at most suspect at release


@given(SMOOTH, st.sampled_from([60_000, 600_000, 900_000]))
@UNHURRIED
def test_rate_of_change_equals_ioos_qc(values: list[float], every_ms: int) -> None:
    # A third of a hundredth is met exactly by no change: per hour and per second may round apart.
    suspect_per_h, fail_per_h = 3 + 1 / 300, 6 + 1 / 300
    samples = at_intervals(values, every_ms=every_ms)
    limits = QualityLimits(rate_suspect_per_h=suspect_per_h, rate_fail_per_h=fail_per_h)
    theirs = qartod.rate_of_change_test(
        values, seconds(samples), suspect_per_h / 3600, fail_per_h / 3600
    )
    assert flags(told(samples, limits))[1:] == of_ioos(theirs)[1:]


def test_milliseconds_count_in_a_rate_of_change() -> None:
    """0.0079 a second passes against 0.01 a second; cut to whole seconds it would not."""
    limits = QualityLimits(rate_suspect_per_h=36.0)
    samples = [Sample(T0, 1.0), Sample(T0 + 1900, 1.0 + 0.015)]
    assert told(samples, limits)[1] == (Flag.PASS, 0)


def test_a_limit_of_zero_is_a_limit() -> None:
    samples = at_intervals([1.0, 1.0, 1.1, 1.0])
    assert flags(run(samples, QualityLimits(spike_suspect=0.0)).decided()) == [2, 3, 3, 3]
    assert flags(told(samples, QualityLimits(rate_fail_per_h=0.0))) == [2, 1, 4, 4]
    assert flags(told(samples, QualityLimits(fail_max=0.0))) == [4, 4, 4, 4]


def test_a_spike_is_suspect_when_it_comes_and_fails_when_the_next_comes() -> None:
    feed = run(at_intervals([3.0, 3.0, 9.0, 3.1]), QualityLimits(spike_suspect=2, spike_fail=5))
    said = feed.spoken[0]
    assert said[2].told == (Flag.SUSPECT, Why.SPIKE)
    assert said[3].revised == (2, (Flag.FAIL, Why.SPIKE))
    assert said[3].told == (Flag.SUSPECT, Why.SPIKE)  # back from the spike is a jump as well


def test_a_true_step_of_the_water_is_lifted_from_suspicion() -> None:
    feed = run(at_intervals([3.0, 3.0, 6.0, 6.0, 6.1]), QualityLimits(spike_suspect=2))
    assert feed.spoken[0][2].told == (Flag.SUSPECT, Why.SPIKE)
    assert feed.spoken[0][3].revised == (2, (Flag.PASS, 0))
    assert [spoken.revised for spoken in feed.spoken[0][:3]] == [None, None, None]


def test_a_spike_whose_rate_failed_keeps_its_flag_and_loses_the_evidence() -> None:
    limits = QualityLimits(spike_suspect=2, rate_suspect_per_h=8)
    feed = run(at_intervals([3.0, 3.0, 6.0, 9.0]), limits)
    assert feed.spoken[0][2].told == (Flag.SUSPECT, Why.SPIKE | Why.RATE_OF_CHANGE)
    assert feed.spoken[0][3].revised == (2, (Flag.SUSPECT, Why.RATE_OF_CHANGE))


def test_across_a_gap_neither_spike_nor_rate_speaks_and_no_flag_worsens() -> None:
    limits = QualityLimits(
        fail_max=40.0, spike_suspect=1, spike_fail=2, rate_suspect_per_h=1, rate_fail_per_h=2
    )
    samples = [Sample(T0, 3.0), Sample(T0 + 2_700_001, 30.0)]
    assert told(samples, limits)[1] == (Flag.PASS, Why.GAP)
    without_range = replace(limits, fail_max=None)
    assert told(samples, without_range)[1] == (Flag.NOT_EVALUATED, Why.GAP)
    near = [samples[0], Sample(T0 + 2_700_000, 30.0)]
    assert told(near, limits)[1] == (Flag.FAIL, Why.SPIKE | Why.RATE_OF_CHANGE)


def test_a_suspicion_stands_where_a_gap_follows() -> None:
    samples = [*at_intervals([3.0, 3.0, 9.0]), Sample(T0 + 20 * QUARTER_MS, 3.0)]
    feed = run(samples, QualityLimits(spike_suspect=2, spike_fail=5))
    assert feed.decided()[2] == (Flag.SUSPECT, Why.SPIKE)


def test_what_could_not_be_true_is_no_neighbour() -> None:
    """A sentinel between two good values makes neither of them a spike, nor a gap."""
    limits = QualityLimits(
        fail_min=0, fail_max=40, spike_suspect=2, spike_fail=5, rate_fail_per_h=6
    )
    feed = run(at_intervals([3.0, 3.1, 99.0, 3.2, 3.3]), limits)
    assert feed.decided() == [(1, 0), (1, 0), (Flag.FAIL, Why.GROSS_RANGE), (1, 0), (1, 0)]
    dry = run(at_intervals([3.0, 3.1, 0.0, 3.2, 3.3], dry=[2]), limits)
    assert dry.decided() == [(1, 0), (1, 0), (Flag.FAIL, Why.DRY), (1, 0), (1, 0)]
