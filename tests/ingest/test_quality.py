"""Quality flags: against a slow twin, any split of the feed, and stopped in the middle."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.quality import Quality
from ingest.reading import Batch, Flag
from ingest.registry import QualityLimits
from ingest.series import SeriesTable
from tests.ingest.quality_feed import (
    EXPECTED_S,
    HOUR_MS,
    QUARTER_MS,
    T0,
    UNHURRIED,
    Feed,
    Row,
    quality,
    registry,
    table,
)
from tests.naive import quality as naive
from tests.naive.quality import Sample

# Against the slow twin: values that repeat, spikes, dry rows, gaps, odd milliseconds; limits that
# are absent, zero, or met exactly.

VALUES = st.one_of(
    st.sampled_from([0.0, 0.05, 0.1, 0.15, 1.0, 1.02, 1.04, 1.05, 4.0, 4.05, 9.0, 41.0, -1.0]),
    st.integers(0, 20_000).map(lambda whole: whole / 10_000),
)
INTERVALS_MS = st.sampled_from(
    [1, 499, 500, 999, 60_000, 900_000, 900_000, 900_000, 2_700_000, 2_700_001, 26 * HOUR_MS]
)


def some(*values: float) -> st.SearchStrategy[float | None]:
    return st.sampled_from([None, *values])


LIMITS = st.builds(
    QualityLimits,
    fail_min=some(0.0, -0.5),
    fail_max=some(40.0, 9.0),
    suspect_min=some(0.05),
    suspect_max=some(8.0, 4.0),
    spike_suspect=some(0.0, 0.05, 1.0),
    spike_fail=some(1.0, 3.0),
    rate_suspect_per_h=some(0.0, 0.2, 3.0),
    rate_fail_per_h=some(0.4, 6.0),
    flat_suspect_s=some(0.5, 900, 3600),
    flat_fail_s=some(1800, 7200),
    flat_tolerance=some(0.0, 0.05, 0.1, 0.5),
    flat_tolerance_fresh=some(0.0, 0.02, 0.05, 0.3),
    flat_above=some(0.0, 0.3, 1.02, 1.5),
    gap_s=some(0.0, 1.0, 7200.0),
)


@st.composite
def series_of_samples(draw: st.DrawFn) -> list[Sample]:
    t_ms = T0
    samples = []
    for value, interval_ms, dry in draw(
        st.lists(st.tuples(VALUES, INTERVALS_MS, st.integers(0, 12)), max_size=30)
    ):
        t_ms += interval_ms
        samples.append(Sample(t_ms, value, dry == 0))
    return samples


@st.composite
def feeds(draw: st.DrawFn) -> tuple[list[QualityLimits], list[list[Sample]], list[list[Row]]]:
    """Limits and samples of some series, and their rows in batches, interleaved anyhow."""
    samples = draw(st.lists(series_of_samples(), min_size=1, max_size=3))
    limits = draw(st.lists(LIMITS, min_size=len(samples), max_size=len(samples)))
    turns = draw(st.permutations([n for n, each in enumerate(samples) for _ in each]))
    waiting = [iter(each) for each in samples]
    rows = [(number, next(waiting[number])) for number in turns]
    cuts = draw(st.lists(st.integers(0, len(rows)), max_size=len(rows)).map(sorted))
    batches = [rows[low:high] for low, high in pairwise([0, *cuts, len(rows)])]
    return limits, samples, batches


@given(feeds())
@settings(UNHURRIED, max_examples=200)
def test_equals_the_slow_twin_in_any_split_and_any_interleaving(
    feed: tuple[list[QualityLimits], list[list[Sample]], list[list[Row]]],
) -> None:
    limits, samples, batches = feed
    stream = Feed(quality(*limits), len(limits))
    for batch in batches:
        stream.push(batch)
    for number, each in enumerate(samples):
        assert stream.spoken[number] == naive.judge(each, limits[number], EXPECTED_S)


@given(feeds(), st.data())
@settings(UNHURRIED, max_examples=100)
def test_a_snapshot_restored_in_the_middle_is_as_if_it_had_never_stopped(
    feed: tuple[list[QualityLimits], list[list[Sample]], list[list[Row]]], data: st.DataObject
) -> None:
    limits, _, batches = feed
    stop = data.draw(st.integers(0, len(batches)))
    through, stopped = (Feed(quality(*limits), len(limits)) for _ in range(2))
    for n, batch in enumerate(batches):
        if n == stop:
            snapshot = stopped.judge.snapshot()
            stopped.push(batch)  # and what happens after the snapshot doesn't touch it
            stopped.spoken = [spoken[:] for spoken in through.spoken]
            stopped.seen = [seen[:] for seen in through.seen]
            stopped.judge = Quality(table(len(limits)), registry(limits), snapshot)
        through.push(batch)
        stopped.push(batch)
    assert stopped.spoken == through.spoken


@given(feeds(), st.data())
@settings(UNHURRIED, max_examples=100)
def test_series_that_are_added_leave_the_others_as_they_were(
    feed: tuple[list[QualityLimits], list[list[Sample]], list[list[Row]]], data: st.DataObject
) -> None:
    limits, samples, batches = feed
    added = [QualityLimits(fail_max=1.0), *limits][: data.draw(st.integers(1, len(limits) + 1))]
    more = [*limits, *added]
    stream = Feed(quality(*limits), len(more))
    when = data.draw(st.integers(0, len(batches)))
    for n, batch in enumerate(batches):
        if n == when:
            stream.judge.reconfigure(table(len(more)), registry(more))
        stream.push(batch)
    for number, each in enumerate(samples):
        assert stream.spoken[number] == naive.judge(each, limits[number], EXPECTED_S)
    stream.judge.reconfigure(table(len(more)), registry(more))
    for sample in samples[0]:
        stream.push([(len(limits), sample)])
    assert stream.spoken[len(limits)] == naive.judge(samples[0], added[0], EXPECTED_S)


def test_limits_that_change_apply_from_the_next_reading_on() -> None:
    judge = quality(QualityLimits(fail_max=40.0))
    first = judge.step(Batch.of([0], [T0], [9.0]), np.array([False]))
    judge.reconfigure(table(1), registry([QualityLimits(fail_max=8.0)]))
    second = judge.step(Batch.of([0], [T0 + QUARTER_MS], [9.0]), np.array([False]))
    assert (first.flag[0], second.flag[0]) == (Flag.PASS, Flag.FAIL)


def test_a_snapshot_of_another_version_or_of_more_series_is_refused() -> None:
    snapshot = quality(QualityLimits(), QualityLimits()).snapshot()
    with pytest.raises(ValueError, match="2 series, and there are 1"):
        Quality(table(1), registry([QualityLimits()]), snapshot)
    with pytest.raises(ValueError, match="version 0"):
        Quality(table(2), registry([QualityLimits()] * 2), {**snapshot, "version": 0})


def test_an_empty_batch_and_a_network_without_series_are_nothing() -> None:
    judged = Quality(SeriesTable([]), registry([])).step(Batch.empty(), np.zeros(0, dtype=bool))
    assert (len(judged.flag), len(judged.why), len(judged.revised)) == (0, 0, 0)


def test_a_series_twice_in_a_batch_or_going_back_in_time_is_a_bug() -> None:
    judge = quality(QualityLimits())
    with pytest.raises(AssertionError, match="twice"):
        judge.step(Batch.of([0, 0], [T0, T0 + 1], [1.0, 1.0]), np.zeros(2, dtype=bool))
    with pytest.raises(AssertionError, match="in order"):
        judge.step(Batch.of([0], [T0], [1.0]), np.zeros(1, dtype=bool))
