"""Flat line: by hand, equal to ioos_qc, and the fouled probe that reads as fresh water."""

from dataclasses import replace
from importlib import resources

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from ioos_qc import qartod

from ingest.quality import Quality
from ingest.reading import Batch, Flag, Why
from ingest.registry import QualityLimits, parse_registry
from tests.ingest.quality_feed import (
    EXPECTED_S,
    HOUR_MS,
    T0,
    UNHURRIED,
    Feed,
    at_intervals,
    flags,
    of_ioos,
    quality,
    registry,
    run,
    seconds,
    table,
    told,
)
from tests.naive import quality as naive
from tests.naive.quality import Sample

# Against ioos_qc on regular series without gaps: it turns seconds into a count of samples by the
# median interval, and asks nothing below three samples.

STUCK = st.lists(
    st.tuples(st.integers(0, 8).map(lambda whole: whole / 100), st.integers(1, 12)),
    min_size=3,
    max_size=8,
).map(lambda runs: [value for value, times in runs for _ in range(times)])


@given(STUCK, st.integers(1, 4), st.integers(4, 9), st.sampled_from([0.0, 0.01, 0.02, 0.05]))
@UNHURRIED
def test_flat_line_equals_ioos_qc(
    values: list[float], suspect_intervals: int, fail_intervals: int, tolerance: float
) -> None:
    suspect_s, fail_s = suspect_intervals * 900, fail_intervals * 900
    samples = at_intervals(values)
    limits = QualityLimits(flat_suspect_s=suspect_s, flat_fail_s=fail_s, flat_tolerance=tolerance)
    theirs = qartod.flat_line_test(values, seconds(samples), suspect_s, fail_s, tolerance)
    assert flags(told(samples, limits)) == of_ioos(theirs)


def test_gap_time_does_not_make_a_flat_line_and_does_not_break_one() -> None:
    limits = QualityLimits(flat_suspect_s=1800, flat_fail_s=3600, flat_tolerance=0.05)
    apart = [Sample(T0 + n * 10 * HOUR_MS, 3.0) for n in range(5)]
    assert flags(told(apart, limits)) == [1, 1, 1, 1, 1]
    bad_link = [Sample(T0 + ms, 3.0) for ms in (0, 900_000, 9_000_000, 9_900_000)]
    assert told(bad_link, limits)[3] == (Flag.SUSPECT, Why.FLAT_LINE)


def test_flat_line_goes_by_time_and_not_by_counts() -> None:
    limits = QualityLimits(flat_suspect_s=1800, flat_fail_s=3600, flat_tolerance=0.05)
    every_minute = at_intervals([3.0] * 61, every_ms=60_000)
    found = flags(told(every_minute, limits))
    assert [found.index(flag) for flag in (Flag.SUSPECT, Flag.FAIL)] == [30, 60]


# Against the slow twin on water that hardly moves, stopped and restored on the way: values a few
# steps apart, so that runs begin, are broken and outlast the limits, several of them an hour.

HARDLY_MOVING = st.lists(
    st.tuples(
        st.sampled_from([0.28, 0.29, 0.3, 0.3, 0.3, 0.31, 0.32, 0.33, 0.34]),
        st.sampled_from([60_000, 300_000, 900_000, 900_000, 2_700_001]),
    ),
    min_size=1,
    max_size=60,
)


@given(
    HARDLY_MOVING,
    st.sampled_from([0.015, 0.025, 0.035, 0.045]),
    st.sampled_from([None, 0.005, 0.011, 0.015]),
    st.sampled_from([None, 0.29, 0.3, 0.31]),
    st.tuples(st.sampled_from([600, 1800, 3600]), st.sampled_from([2400, 5400])),
    st.integers(0, 60),
)
@settings(UNHURRIED, max_examples=200)
def test_equals_the_slow_twin_restored_on_the_way(
    steps: list[tuple[float, int]],
    tolerance: float,
    fresh: float | None,
    above: float | None,
    limits_s: tuple[int, int],
    stop: int,
) -> None:
    limits = QualityLimits(
        flat_suspect_s=limits_s[0],
        flat_fail_s=limits_s[1],
        flat_tolerance=tolerance,
        flat_tolerance_fresh=fresh,
        flat_above=above,
    )
    times = np.cumsum([interval_ms for _, interval_ms in steps]).tolist()
    samples = [Sample(T0 + t, value) for t, (value, _) in zip(times, steps, strict=True)]
    feed = Feed(quality(limits), 1)
    for n, sample in enumerate(samples):
        if n == stop:
            feed.judge = Quality(table(1), registry([limits]), feed.judge.snapshot())
        feed.push([(0, sample)])
    assert feed.spoken[0] == naive.judge(samples, limits, EXPECTED_S)


def test_what_is_remembered_of_a_run_is_bounded() -> None:
    """By the values within the tolerance, and by the samples within the longest limit."""
    limits = QualityLimits(flat_suspect_s=600, flat_fail_s=1200, flat_tolerance=0.5)
    same = quality(limits)
    drifting = quality(limits)
    for n in range(300):
        dry = np.zeros(1, dtype=bool)
        same.step(Batch.of([0], [T0 + n * 60_000], [3.0]), dry)
        drifting.step(Batch.of([0], [T0 + n * 60_000], [round(3 + n * 1e-3, 4)]), dry)
    assert same.snapshot()["flat_line"]["length"].tolist() == [[1, 1]]
    assert drifting.snapshot()["flat_line"]["length"].max() <= 1200 / 60 + 1


def test_a_long_slow_drift_within_the_tolerance_is_remembered_exactly() -> None:
    """Each value is a new suffix extreme: the worst case of the flat line's memory."""
    limits = QualityLimits(
        flat_suspect_s=1800, flat_fail_s=3600, flat_tolerance=0.01, flat_above=0.0
    )
    samples = at_intervals([1 + round(n % 120 * 1e-4, 4) for n in range(200)], every_ms=30_000)
    assert run(samples, limits).spoken[0] == naive.judge(samples, limits, EXPECTED_S)


# The most dangerous faults: what is broken reads as fresh (a probe in air, a fouled cell).

RIVER = QualityLimits(
    fail_min=0.0,
    fail_max=40.0,
    spike_suspect=2.0,
    spike_fail=5.0,
    rate_suspect_per_h=3.0,
    rate_fail_per_h=6.0,
    flat_suspect_s=3 * 3600,
    flat_fail_s=6 * 3600,
    flat_tolerance=0.05,
    flat_above=0.3,
)


def tide(hours: float) -> list[float]:
    """Salinity at 42 km in the dry season: 1 to 5 g/L with the tide, each 15 min."""
    quarters = np.arange(int(hours * 4))
    return [round(3 + 2 * float(np.sin(n / 4 * 2 * np.pi / 12.42)), 4) for n in quarters]


def test_a_probe_in_air_fails_though_zero_is_within_range() -> None:
    samples = at_intervals([0.02] * 40, dry=range(40))
    assert set(told(samples, RIVER)) == {(Flag.FAIL, Why.DRY)}


def test_fresh_water_that_lies_flat_for_months_passes() -> None:
    rng = np.random.default_rng(5)
    values = [round(0.11 + 0.01 * float(rng.random()), 4) for _ in range(4 * 24 * 10)]
    assert set(told(at_intervals(values), RIVER)) == {(Flag.PASS, 0)}


def test_a_fouled_probe_that_sticks_at_a_fresh_value_is_found_by_the_tides_before_it() -> None:
    """0.12 g/L is wet enough not to be dry and low enough to be fresh: half a day after tides of
    1 to 5 g/L no river is that flat."""
    before = tide(48)
    verdicts = told(at_intervals(before + [0.12] * 4 * 10), RIVER)
    stuck = verdicts[len(before) :]
    assert {flag for flag, _ in verdicts[: len(before)]} == {Flag.PASS}
    assert stuck[3 * 4] == (Flag.SUSPECT, Why.FLAT_LINE)
    assert stuck[6 * 4] == (Flag.FAIL, Why.FLAT_LINE)
    assert {flag for flag, _ in stuck[6 * 4 :]} == {Flag.FAIL}


EBBING = replace(RIVER, flat_tolerance=0.02)


def ebbs(hours: float) -> list[float]:
    """40 km up in the dry season, each 15 min: brackish for most of the tide, and for four to
    five hours of each ebb river water of 0.14 to 0.16 g/L, which varies as such water does."""
    rng = np.random.default_rng(7)
    quarters = np.arange(int(hours * 4))
    tides = 1 + 1.6 * np.sin(quarters / 4 * 2 * np.pi / 12.42)
    river = (
        0.15 + 0.004 * np.sin(quarters / 4 * 2 * np.pi / 5) + 0.001 * rng.normal(size=len(tides))
    )
    return [round(float(max(each)), 4) for each in zip(tides, river, strict=True)]


def test_an_ebb_that_leaves_river_water_passes() -> None:
    """The river moves by less than the tolerance of brackish water for more than three hours."""
    values = ebbs(24 * 30)
    assert np.median(values[: 25 * 4]) > 0.3
    fresh = [max(values[n : n + 14]) <= 0.16 for n in range(len(values) - 14)]
    assert any(fresh)
    assert set(told(at_intervals(values), EBBING)) == {(Flag.PASS, 0)}
    one_for_all = replace(EBBING, flat_tolerance_fresh=0.02)
    assert (Flag.SUSPECT, Why.FLAT_LINE) in told(at_intervals(values), one_for_all)


def test_a_probe_that_hangs_while_the_ebb_leaves_river_water_is_found() -> None:
    before = ebbs(24 * 2)[: 4 * 46]
    assert before[-1] < 0.2
    verdicts = told(at_intervals(before + [0.1502] * 4 * 7), EBBING)
    assert {flag for flag, _ in verdicts[: len(before)]} == {Flag.PASS}
    assert verdicts[len(before) + 3 * 4] == (Flag.SUSPECT, Why.FLAT_LINE)
    assert verdicts[len(before) + 6 * 4] == (Flag.FAIL, Why.FLAT_LINE)


def test_a_value_that_crosses_flat_above_only_ever_moves_the_start_forward() -> None:
    """Its hours below `flat_above` don't count by the tolerance of the hours above it: of them
    the last alone lies within 0.005 g/L, so that two more are missing where it turns brackish."""
    limits = replace(RIVER, flat_tolerance_fresh=0.005)
    slowly = [round(0.28 + 0.0012 * n, 4) for n in range(40)]
    crosses = next(n for n, value in enumerate(slowly) if value > 0.3)
    verdicts = told(at_intervals(tide(48) + slowly), limits)[-40:]
    assert {flag for flag, _ in verdicts[1 : crosses + 7]} == {Flag.PASS}
    assert verdicts[crosses + 7] == (Flag.SUSPECT, Why.FLAT_LINE)
    back = told(at_intervals(tide(48) + slowly[::-1]), limits)[-40:]
    assert back[40 - crosses - 1] == (Flag.SUSPECT, Why.FLAT_LINE)
    assert {flag for flag, _ in back[40 - crosses :]} == {Flag.PASS}


def test_the_tolerance_of_fresh_values_is_a_hundredth_unless_it_is_stated() -> None:
    hundredth = QualityLimits(flat_suspect_s=1800, flat_tolerance=0.05, flat_above=1.0)
    stated = replace(hundredth, flat_tolerance_fresh=0.01)
    never = replace(hundredth, flat_tolerance_fresh=0.0)
    mostly_salt = [3.0, 4.0, 3.0, 4.0, 3.0, 4.0]
    hourly = [Sample(T0 + n * HOUR_MS, value) for n, value in enumerate(mostly_salt)]
    for limits, step, expected in (
        (hundredth, 0.0004, Flag.SUSPECT),
        (hundredth, 0.0006, Flag.PASS),
        (stated, 0.006, Flag.SUSPECT),
        (never, 0.0, Flag.PASS),
    ):
        hang = [Sample(T0 + 6 * HOUR_MS + n * 900_000, 0.3 + step * (n % 2)) for n in range(3)]
        assert flags(told(hourly + hang, limits))[-1] == expected


def test_a_tide_passes_every_test() -> None:
    assert set(run(at_intervals(tide(24 * 30)), RIVER).decided()) == {(Flag.PASS, 0)}


def test_the_limits_that_come_with_the_project_pass_a_tide_and_find_the_fouled_probe() -> None:
    text = resources.files("songtien").joinpath("defaults/stations.toml").read_text("utf-8")
    limits = parse_registry(text, "stations.toml").limits("xuan-hoa", "salinity_g_l")
    before = tide(48)
    verdicts = told(at_intervals(before + [0.12] * 4 * 7), limits)
    assert {flag for flag, _ in verdicts[: len(before)]} == {Flag.PASS}
    assert verdicts[-1] == (Flag.FAIL, Why.FLAT_LINE)
    assert set(told(at_intervals([0.12] * 4 * 24), limits)) == {(Flag.PASS, 0)}
