"""The table of states row by row, on both sides of each limit, and against a slow twin."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bridge.congestion import Latches, State, step_crossing, step_road
from tests.naive.bridges import states

MINUTE_MS = 60_000
Instant = tuple[float | None, float | None]


def told(instants: Sequence[Instant], suspect: frozenset[int] = frozenset()) -> list[State]:
    latches = Latches()
    found = []
    for minute, (speed, occupancy) in enumerate(instants):
        if speed is None and occupancy is None:
            latches.pause()
        else:
            step_road(latches, minute * MINUTE_MS, speed, occupancy, suspect=minute in suspect)
        found.append(latches.state)
    return found


def entered_at(instant: Instant, minutes: int = 30) -> dict[State, int]:
    """The minute at which each state began."""
    found = told([instant] * minutes)
    return {state: found.index(state) for state in set(found)}


def left_at(before: Instant, after: Instant) -> dict[State, int]:
    """Minutes after the change at which each state began."""
    found = told([before] * 20 + [after] * 30)[20:]
    return {state: found.index(state) for state in set(found)}


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ((35.0, 0.20), {State.FREE: 0}),
        ((34.9, 0.05), {State.FREE: 0, State.DENSE: 3}),
        ((60.0, 0.21), {State.FREE: 0, State.DENSE: 3}),
        ((19.9, 0.30), {State.FREE: 0, State.DENSE: 3}),
        ((20.0, 0.31), {State.FREE: 0, State.DENSE: 3}),
        ((19.9, 0.31), {State.FREE: 0, State.DENSE: 3, State.CONGESTED: 5}),
        ((8.0, 0.46), {State.FREE: 0, State.DENSE: 3, State.CONGESTED: 5}),
        ((7.9, 0.45), {State.FREE: 0, State.DENSE: 3, State.CONGESTED: 5}),
        ((7.9, 0.46), {State.FREE: 0, State.DENSE: 3, State.JAMMED: 5}),
    ],
)
def test_each_state_is_entered(instant: Instant, expected: dict[State, int]) -> None:
    assert entered_at(instant) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((30.0, 0.22), (40.0, 0.14), {State.DENSE: 0}),
        ((30.0, 0.22), (40.1, 0.15), {State.DENSE: 0}),
        ((30.0, 0.22), (40.1, 0.14), {State.DENSE: 0, State.FREE: 5}),
        ((15.0, 0.35), (30.0, 0.19), {State.CONGESTED: 0}),
        ((15.0, 0.35), (30.1, 0.20), {State.CONGESTED: 0}),
        ((15.0, 0.35), (30.1, 0.19), {State.CONGESTED: 0, State.DENSE: 10}),
        ((15.0, 0.35), (50.0, 0.05), {State.CONGESTED: 0, State.FREE: 10}),
        ((5.0, 0.60), (15.0, 0.05), {State.JAMMED: 0}),
        ((5.0, 0.60), (15.1, 0.60), {State.JAMMED: 0, State.CONGESTED: 5}),
    ],
)
def test_each_state_is_left(before: Instant, after: Instant, expected: dict[State, int]) -> None:
    assert left_at(before, after) == expected


def test_one_minute_between_breaks_a_hold() -> None:
    slow, fast = (30.0, 0.1), (45.0, 0.1)
    assert State.DENSE not in told([slow, slow, slow, fast, slow, slow, slow])
    assert told([slow, slow, slow, slow])[-1] is State.DENSE


def test_a_minute_that_nobody_saw_begins_the_hold_again() -> None:
    slow = (30.0, 0.1)
    assert State.DENSE not in told([slow, slow, slow, (None, None), slow, slow, slow])


def test_suspect_figures_enter_a_state_and_never_leave_one() -> None:
    jam, free = (5.0, 0.6), (50.0, 0.05)
    assert told([jam] * 10, frozenset(range(10)))[-1] is State.JAMMED
    assert told([jam] * 10 + [free] * 30, frozenset(range(10, 40)))[-1] is State.JAMMED


def test_what_a_camera_does_not_measure_is_left_out() -> None:
    assert told([(5.0, None)] * 10)[-1] is State.JAMMED
    assert told([(None, 0.6)] * 10)[-1] is State.JAMMED
    assert told([(None, 0.6)] * 10 + [(None, 0.05)] * 20)[-1] is State.FREE


@pytest.mark.parametrize(
    ("minutes", "state"),
    [
        (15.0, State.FREE),
        (15.1, State.DENSE),
        (30.1, State.CONGESTED),
        (60.0, State.CONGESTED),
        (60.1, State.JAMMED),
    ],
)
def test_minutes_alone_make_a_state_at_once(minutes: float, state: State) -> None:
    latches = Latches()
    step_crossing(latches, 0, minutes, minutes, suspect=False)
    assert latches.state is state


def test_minutes_leave_below_four_fifths_for_ten_minutes() -> None:
    latches = Latches()
    step_crossing(latches, 0, 31.0, 31.0, suspect=False)
    found = []
    for minute, crossing_min in enumerate([24.0] * 20 + [23.9] * 12, 1):
        step_crossing(latches, minute * MINUTE_MS, crossing_min, crossing_min, suspect=False)
        found.append(latches.state)
    assert found.index(State.DENSE) == 20 + 10


def test_a_range_enters_by_its_least_and_leaves_by_its_most() -> None:
    latches = Latches()
    step_crossing(latches, 0, 14.0, 40.0, suspect=False)
    assert not latches.on(State.DENSE)
    step_crossing(latches, MINUTE_MS, 16.0, None, suspect=False)
    for minute in range(2, 40):
        step_crossing(latches, minute * MINUTE_MS, 4.0, None, suspect=False)
    assert latches.state is State.DENSE, "nobody knows the most that it takes"


instants = st.lists(
    st.tuples(
        st.sampled_from([None, 5.0, 7.9, 14.0, 19.0, 25.0, 31.0, 36.0, 41.0]),
        st.sampled_from([None, 0.1, 0.14, 0.18, 0.25, 0.35, 0.5]),
    ).flatmap(lambda one: st.integers(1, 8).map(lambda times: [one] * times)),
    max_size=30,
).map(lambda runs: [one for run in runs for one in run])


@given(instants=instants, suspect=st.frozensets(st.integers(0, 60)))
def test_equals_the_slow_twin(instants: list[Instant], suspect: frozenset[int]) -> None:
    assert [int(state) for state in told(instants, suspect)] == states(instants, suspect)


@given(instants=instants, cut=st.integers(0, 60))
def test_goes_on_from_a_snapshot(instants: list[Instant], cut: int) -> None:
    latches = Latches()
    for minute, (speed, occupancy) in enumerate(instants):
        if minute == cut:
            latches = Latches(latches.snapshot())
        if speed is not None or occupancy is not None:
            step_road(latches, minute * MINUTE_MS, speed, occupancy, suspect=False)
        else:
            latches.pause()
    assert latches.state is (told(instants)[-1] if instants else State.FREE)
