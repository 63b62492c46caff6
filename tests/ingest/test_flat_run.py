"""A stuck probe over a whole run at once: what `push` says one after the other."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.extremes import Extremes
from ingest.flat_line import FlatLine, tolerances
from ingest.reading import rounds

T0 = 1_767_000_000_000
Story = Sequence[tuple[int, int, float, bool]]

stories = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([60, 900, 900, 1800, 3600, 20_000]),
        st.sampled_from([0.2, 0.27, 0.28, 0.3, 0.31, 0.5, 0.51, 0.52, 0.54, 0.55, 0.6, 2.0]),
        st.sampled_from([True, True, True, True, False]),
    ),
    max_size=80,
)
TOLERANCE = np.array([0.03, 0.1])
FRESH = np.array([0.015, 0.025])
FRESH_TO = np.array([0.3, 0.52])
SUSPECT_MS = np.array([3_600_000.0, np.nan])
FAIL_MS = np.array([np.nan, 9_000_000.0])
ABOVE = np.array([0.3, np.nan])


def _columns(story: Story) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    clock, times = [T0, T0], []
    for which, step_s, _, _ in story:
        clock[which] += step_s * 1000
        times.append(clock[which])
    rows = np.array([each[0] for each in story], dtype=np.int64)
    value = np.array([each[2] for each in story], dtype=np.float64)
    near = np.array([each[1] * 1000 if each[3] else 0 for each in story], dtype=np.int64)
    return rows, np.array(times, dtype=np.int64), value, near


def _limits(rows: np.ndarray, value: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "tolerance": tolerances(value, TOLERANCE[rows], FRESH[rows], FRESH_TO[rows]),
        "suspect_ms": SUSPECT_MS[rows],
        "fail_ms": FAIL_MS[rows],
        "above": ABOVE[rows],
    }


@settings(deadline=None, max_examples=300)
@given(story=stories, cuts=st.lists(st.integers(0, 80), max_size=5))
def test_equals_push_in_any_mixture(story: Story, cuts: list[int]) -> None:
    columns = _columns(story)
    slow, fast = FlatLine(2), FlatLine(2)
    bounds = sorted({0, len(story), *(cut for cut in cuts if cut < len(story))})
    for number, (low, high) in enumerate(pairwise(bounds)):
        part = [column[low:high] for column in columns]
        expected = np.zeros(high - low, dtype=np.uint8)
        found = expected.copy()
        for turn in rounds(part[0]):
            rows, t_ms, value, elapsed = (column[turn] for column in part)
            expected[turn] = slow.push(rows, t_ms, value, elapsed, **_limits(rows, value))
            if number % 3 == 2:
                found[turn] = fast.push(rows, t_ms, value, elapsed, **_limits(rows, value))
        if number % 3 != 2:
            order = np.argsort(part[0], kind="stable")
            rows, t_ms, value, elapsed = (column[order] for column in part)
            found[order] = fast.run(rows, t_ms, value, elapsed, **_limits(rows, value))
        assert found.tolist() == expected.tolist()


@settings(deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]), min_size=1, max_size=40),
    within=st.sampled_from([0.0, 0.15, 0.25, 2.0]),
)
def test_extremes_are_those_of_a_plain_loop(values: list[float], within: float) -> None:
    column = np.array(values)
    extremes = Extremes(column, len(values))
    last = np.arange(len(values))
    begin, high, low = extremes.longest(last, np.zeros_like(last), np.full(len(values), within))
    for n in range(len(values)):
        expected = n
        while expected and abs(column[expected - 1] - column[n]) < within:
            expected -= 1
        assert begin[n] == expected
        assert (high[n], low[n]) == (column[expected : n + 1].max(), column[expected : n + 1].min())
        found = extremes.between(np.arange(n + 1), np.full(n + 1, n))
        assert found[0].tolist() == [column[at : n + 1].max() for at in range(n + 1)]
        assert found[1].tolist() == [column[at : n + 1].min() for at in range(n + 1)]
