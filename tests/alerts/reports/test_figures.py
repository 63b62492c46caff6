"""Figures of a stretch of time, against examples by hand and slow twins over random data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reports import figures
from alerts.reports.figures import Extreme, Silence
from ingest.reading import Batch, Why
from ingest.rollups import HOUR_MS, Sums

MINUTE = 60_000


def rows(*each: tuple[int, float, int]) -> Batch:
    t_ms, value, flag = zip(*each, strict=True) if each else ((), (), ())
    return Batch.of([0] * len(each), t_ms, value, flag)


def test_extremes_are_of_flags_1_to_3_and_told_where_they_were_first_reached() -> None:
    told = figures.used(rows((1, 2.0, 1), (2, 9.0, 4), (3, 5.0, 3), (4, 5.0, 1), (5, 0.5, 9)))
    assert figures.highest(told) == Extreme(5.0, 3, 3)
    assert figures.lowest(told) == Extreme(2.0, 1, 1)
    assert figures.highest(figures.good(told)) == Extreme(5.0, 4, 1)
    assert figures.highest(rows()) is None
    assert figures.lowest(rows()) is None


def test_of_what_is_forgotten_the_hour_is_known() -> None:
    kept = rows((HOUR_MS, 2.0, 1), (2 * HOUR_MS, 7.0, 1), (2 * HOUR_MS + 1, 1.0, 3))
    hours = Sums.of_readings(kept, HOUR_MS, 0).windows()
    assert figures.highest_hour(hours) == Extreme(7.0, None, None, 2 * HOUR_MS)
    assert figures.lowest_hour(hours) == Extreme(1.0, None, None, 2 * HOUR_MS)
    assert figures.total(hours) == 10.0
    later = figures.of_hours(hours, 2 * HOUR_MS, 3 * HOUR_MS)
    assert later.n.tolist() == [2]
    assert figures.highest_hour(figures.of_hours(hours, 0, 1)) is None


def test_coverage() -> None:
    assert figures.coverage(140, 0, 24 * HOUR_MS, 600) == {
        "n": 140,
        "expected": 144,
        "share": 0.9722,
    }
    assert figures.coverage(150, 0, 24 * HOUR_MS, 600)["share"] == 1.0
    assert figures.coverage(0, 0, 24 * HOUR_MS, 600)["share"] == 0.0


def test_one_missing_of_many_is_not_rounded_away() -> None:
    assert figures.share_of(99_999, 100_000) == 0.9999
    assert figures.share_of(100_001, 100_000) == 1.0
    assert (figures.share_of(0, 0), figures.share_of(1, 0)) == (0.0, 1.0)
    whole = {"key": "a", "n": 99_999, "expected": 100_000, "share": 0.9999}
    assert figures.missing([whole])["share"] == 0.9999


def test_too_many_of_one_make_up_for_nothing_of_another() -> None:
    parts = [
        {"key": "a", "n": 20, "expected": 10, "share": 1.0},
        {"key": "b", "n": 0, "expected": 10, "share": 0.0},
        {"key": "c", "n": 5, "expected": 10, "share": 0.5},
    ]
    told = figures.missing(parts)
    assert (told["n"], told["expected"], told["share"]) == (15, 30, 0.5)
    assert [each["key"] for each in told["worst"]] == ["b", "c"]
    assert figures.missing([]) == {"n": 0, "expected": 0, "share": 1.0, "worst": []}


def test_over_a_limit_by_hand() -> None:
    """16 min at 0 and 1, 14 at 2; nothing until 20, then 40: it stands for 2 min, to 22."""
    told = rows(
        *((at * MINUTE, value, 1) for at, value in ((0, 16.0), (1, 16.0), (2, 14.0), (20, 40.0)))
    )
    over = [figures.minutes_over(told, limit, 60 * MINUTE, 60) for limit in (15, 30, 60)]
    assert over == [4.0, 2.0, 0.0]
    assert figures.minutes_over(told, 15, 21 * MINUTE, 60) == 3.0
    assert figures.minutes_over(rows(), 15, MINUTE, 60) == 0.0


TIMES = st.lists(st.integers(0, 59), unique=True, max_size=25).map(sorted)


@given(TIMES, st.data(), st.integers(1, 4))
def test_over_a_limit_equals_minute_by_minute(
    times: list[int], data: st.DataObject, interval: int
) -> None:
    values = [data.draw(st.sampled_from([10.0, 15.0, 20.0])) for _ in times]
    told = rows(*((t * MINUTE, v, 1) for t, v in zip(times, values, strict=True)))
    slow = 0
    for minute in range(60):
        before = [at for at, t in enumerate(times) if t <= minute]
        if before and minute - times[before[-1]] < 2 * interval and values[before[-1]] > 15:
            slow += 1
    assert figures.minutes_over(told, 15, 60 * MINUTE, interval * 60) == slow


@given(TIMES, st.integers(0, 30), st.integers(31, 60))
def test_silences_equal_a_look_at_each_minute(times: list[int], begin: int, end: int) -> None:
    """One second is one interval of 1/8 minute here: more than a minute of nothing is lost."""
    t_ms = np.array([t * MINUTE for t in times], dtype=np.int64)
    found = figures.silences(t_ms, begin * MINUTE, end * MINUTE, 7.5)
    minutes = sum(figures.silent_minutes(s, begin * MINUTE, end * MINUTE) for s in found)
    slow = 0
    for minute in range(begin, end):
        before = [t for t in times if t <= minute]
        after = [t for t in times if minute < t < end]
        if not before:
            slow += 1  # nobody has ever heard it
        elif (after[0] if after else end) - before[-1] > 1:
            slow += 1
    assert minutes == slow


@pytest.mark.parametrize(
    ("times", "silences"),
    [
        ([0, 8, 16], []),
        ([0, 8, 17], [Silence(8 * MINUTE, 17 * MINUTE)]),
        ([], [Silence(None, None)]),
        ([12], [Silence(None, 12 * MINUTE)]),
        ([0, 8], [Silence(8 * MINUTE, None)]),
        ([0, 9], [Silence(0, 9 * MINUTE), Silence(9 * MINUTE, None)]),
    ],
)
def test_a_device_is_lost_after_eight_intervals(times: list[int], silences: list[Silence]) -> None:
    t_ms = np.array([t * MINUTE for t in times], dtype=np.int64)
    assert figures.silences(t_ms, 5 * MINUTE, 20 * MINUTE, 60) == silences


def test_what_was_simulated_is_seen() -> None:
    assert not figures.simulated(rows((1, 1.0, 1)))
    assert figures.simulated(Batch.of([0], [1], [1.0], 1, int(Why.SIMULATED)))
