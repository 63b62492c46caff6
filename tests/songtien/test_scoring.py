"""Events of flags and alerts: each rule of matching by hand, and all of them by a plain twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from songtien.scoring import (
    APART_MS,
    HOUR_MS,
    NEAR_MS,
    NONE_MS,
    Delays,
    Samples,
    Stands,
    Windows,
    false_events,
    find,
    match,
    windows_of,
)

QUARTER_MS = 900_000


def _samples(flagged: list[int], count: int = 400) -> Samples:
    """One sample a quarter of an hour, decided a minute after it was measured."""
    t_ms = np.arange(count, dtype=np.int64) * QUARTER_MS
    bad = np.zeros(count, dtype=np.bool_)
    bad[flagged] = True
    return Samples(t_ms, bad, t_ms + 60_000)


def _quarters(*pairs: tuple[int, int]) -> Windows:
    return Windows.of([(a * QUARTER_MS, b * QUARTER_MS) for a, b in pairs])


def _stands(*rows: tuple[int, int, int]) -> Stands:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3) * QUARTER_MS
    return Stands(columns[:, 0], columns[:, 1], columns[:, 2])


# Flags.


def test_a_flag_in_a_window_is_a_hit_with_its_delays_and_its_share() -> None:
    windows = _quarters((10, 20), (30, 40))
    found = find(_samples([12, 13, 50]), windows, windows)
    assert found.hit.tolist() == [True, False]
    assert found.samples.tolist() == [10, 10]
    assert found.flagged.tolist() == [2, 0]
    assert found.delay_ms.tolist() == [2 * QUARTER_MS, NONE_MS]
    assert found.decided_ms.tolist() == [2 * QUARTER_MS + 60_000, NONE_MS]


def test_a_window_is_with_its_begin_and_without_its_end() -> None:
    windows = _quarters((10, 20))
    assert find(_samples([10]), windows, windows).hit.all()
    assert not find(_samples([20]), windows, windows).hit.any()
    assert not find(_samples([9]), windows, windows).hit.any()


def test_a_flag_that_two_windows_share_is_told_apart() -> None:
    windows = _quarters((10, 20), (15, 30))
    found = find(_samples([16]), windows, windows)
    assert found.hit.tolist() == [True, True]
    assert found.alone.tolist() == [False, False]
    assert find(_samples([12, 16]), windows, windows).alone.tolist() == [True, False]


def test_flags_within_twelve_hours_are_one_event_and_false_where_no_label_is_near() -> None:
    half_a_day = APART_MS // QUARTER_MS
    far = [100, 100 + half_a_day, 100 + 2 * half_a_day + 1]
    assert false_events(_samples(far), _quarters()) == [
        (100 * QUARTER_MS, far[1] * QUARTER_MS),
        (far[2] * QUARTER_MS, far[2] * QUARTER_MS),
    ]
    assert false_events(_samples(far), _quarters((100, 101))) == [
        (far[2] * QUARTER_MS, far[2] * QUARTER_MS)
    ]


def test_an_hour_before_and_after_a_label_is_near_and_no_longer() -> None:
    labels = _quarters((100, 110))
    assert not false_events(_samples([96]), labels)
    assert false_events(_samples([95]), labels)
    assert not false_events(_samples([113]), labels)
    assert false_events(_samples([114]), labels)


def test_runs_of_labelled_samples_are_windows() -> None:
    t_ms = np.array([0, 10, 20, 500, 510], dtype=np.int64)
    labelled = np.array([True, True, False, True, True])
    found = windows_of(t_ms, labelled)
    assert (found.from_ms.tolist(), found.to_ms.tolist()) == ([0, 500], [11, 511])
    assert len(windows_of(t_ms, np.zeros(5, dtype=np.bool_))) == 0


# Alerts.


def test_an_alert_raised_for_a_window_hits_it_with_a_delay() -> None:
    found = match(_stands((10, 12, 30)), _quarters((10, 20)), least_ms=0, tolerance_ms=0)
    assert found.hit.tolist() == [True]
    assert found.delay_ms.tolist() == [2 * QUARTER_MS]
    assert found.false.tolist() == [False]


def test_one_that_stands_from_the_tide_before_hits_without_a_delay() -> None:
    windows = _quarters((10, 20), (60, 70))
    found = match(_stands((10, 12, 100)), windows, least_ms=0, tolerance_ms=QUARTER_MS)
    assert found.hit.tolist() == [True, True]
    assert found.delay_ms.tolist() == [2 * QUARTER_MS, NONE_MS]


def test_a_window_that_is_too_short_is_not_asked() -> None:
    windows = _quarters((10, 12), (30, 40))
    found = match(_stands(), windows, least_ms=3 * QUARTER_MS, tolerance_ms=0)
    assert found.asked.tolist() == [False, True]
    assert found.hit.tolist() == [False, False]
    both = match(_stands((10, 10, 11)), windows, least_ms=3 * QUARTER_MS, tolerance_ms=0)
    assert both.hit.tolist() == [False, False]
    assert both.false.tolist() == [False]


def test_an_alert_is_false_where_what_raised_it_lies_outside_though_it_stood_into_a_window() -> (
    None
):
    found = match(
        _stands((5, 6, 15), (8, 8, 15)),
        _quarters((10, 20)),
        least_ms=0,
        tolerance_ms=2 * QUARTER_MS,
    )
    assert found.false.tolist() == [True, False]
    assert found.hit.tolist() == [True]


def test_no_windows_and_no_alerts() -> None:
    nothing = match(_stands(), _quarters(), least_ms=0, tolerance_ms=0)
    assert (len(nothing.hit), len(nothing.false)) == (0, 0)
    assert match(_stands((1, 1, 2)), _quarters(), least_ms=0, tolerance_ms=0).false.all()


def test_delays_leave_out_what_was_not_found() -> None:
    assert Delays.of([NONE_MS, 1000, 3000]) == Delays(2.0, 3.0)
    assert Delays.of([NONE_MS]) == Delays(None, None)


# The same by a plain loop.

MINUTES = st.integers(0, 3000)
PAIRS = st.lists(st.tuples(MINUTES, st.integers(1, 400)), max_size=6)
BAD = st.sets(st.integers(0, 299), max_size=20)


def _windows(pairs: list[tuple[int, int]]) -> Windows:
    return Windows.of([(a * 60_000, (a + length) * 60_000) for a, length in pairs])


@given(BAD, PAIRS, PAIRS)
def test_flags_are_held_against_windows_as_by_a_plain_loop(
    bad: set[int], own: list[tuple[int, int]], beside: list[tuple[int, int]]
) -> None:
    samples, windows, others = _samples(sorted(bad), 300), _windows(own), _windows(own + beside)
    found = find(samples, windows, others)
    around = list(zip(others.from_ms.tolist(), others.to_ms.tolist(), strict=True))
    for n, (begin, end) in enumerate(
        zip(windows.from_ms.tolist(), windows.to_ms.tolist(), strict=True)
    ):
        inside = [t for t in samples.t_ms.tolist() if begin <= t < end]
        flags = [t for t in inside if t // QUARTER_MS in bad]
        assert (found.samples[n], found.flagged[n]) == (len(inside), len(flags))
        assert found.delay_ms[n] == (flags[0] - begin if flags else NONE_MS)
        assert found.decided_ms[n] == (flags[0] + 60_000 - begin if flags else NONE_MS)
        assert found.alone[n] == any(sum(a <= t < b for a, b in around) == 1 for t in flags)


@given(BAD, PAIRS)
def test_false_events_are_those_of_a_plain_loop(bad: set[int], own: list[tuple[int, int]]) -> None:
    samples, windows = _samples(sorted(bad), 300), _windows(own)
    near = list(zip(windows.from_ms.tolist(), windows.to_ms.tolist(), strict=True))
    events: list[list[int]] = []
    for number in sorted(bad):
        t = number * QUARTER_MS
        if events and t - events[-1][-1] <= 12 * HOUR_MS:
            events[-1].append(t)
        else:
            events.append([t])
    expected = [
        (event[0], event[-1])
        for event in events
        if not any(a - NEAR_MS <= t < b + NEAR_MS for t in event for a, b in near)
    ]
    assert false_events(samples, windows) == expected


ALERTS = st.lists(st.tuples(MINUTES, st.integers(0, 60), st.integers(0, 900)), max_size=6)


@given(ALERTS, PAIRS, st.integers(0, 200), st.integers(0, 60))
def test_alerts_are_held_against_windows_as_by_a_plain_loop(
    alerts: list[tuple[int, int, int]], own: list[tuple[int, int]], least: int, tolerance: int
) -> None:
    rows = [(a, a + hold, a + hold + more) for a, hold, more in alerts]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3) * 60_000
    stands = Stands(columns[:, 0], columns[:, 1], columns[:, 2])
    found = match(stands, _windows(own), least_ms=least * 60_000, tolerance_ms=tolerance * 60_000)
    for n, (begin, length) in enumerate(own):
        end = begin + length
        standing = [row for row in rows if row[0] < end and row[2] > begin]
        mine = [row for row in standing if row[0] >= begin - tolerance]
        assert found.asked[n] == (length >= least)
        assert found.hit[n] == (length >= least and bool(standing))
        late = min((max(row[1] - begin, 0) * 60_000 for row in mine), default=NONE_MS)
        assert found.delay_ms[n] == (late if found.hit[n] else NONE_MS)
    for n, (since, event, _) in enumerate(rows):
        touched = any(since < a + w + tolerance and event >= a - tolerance for a, w in own)
        assert found.false[n] == (not touched)
