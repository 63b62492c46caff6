"""A whole run judged at once: what `step` says one by one, and the same memory behind it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.quality import Quality
from ingest.reading import Batch, rounds
from ingest.registry import QualityLimits
from tests.ingest.quality_feed import T0, UNHURRIED, quality

LIMITS = (
    QualityLimits(
        fail_min=0.0,
        fail_max=40.0,
        suspect_max=20.0,
        spike_suspect=1.0,
        spike_fail=3.0,
        rate_suspect_per_h=4.0,
        rate_fail_per_h=8.0,
        flat_suspect_s=3600,
        flat_fail_s=7200,
        flat_tolerance=0.05,
        flat_above=0.3,
    ),
    QualityLimits(
        flat_suspect_s=1800,
        flat_tolerance=0.2,
        flat_tolerance_fresh=0.03,
        flat_above=0.53,
        gap_s=1800,
    ),
    QualityLimits(flat_suspect_s=1800, flat_tolerance=0.2, gap_s=1800),
    QualityLimits(),
)

samples = st.lists(
    st.tuples(
        st.integers(0, len(LIMITS) - 1),
        st.sampled_from([60, 900, 900, 900, 1800, 4000]),
        st.sampled_from([0.1, 0.5, 0.52, 0.54, 0.5, 1.9, 5.0, 25.0, 41.0, -1.0]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=60,
)


def _rows(found: Sequence[tuple[int, int, float, bool]]) -> tuple[Batch, np.ndarray]:
    clock = [T0] * len(LIMITS)
    times = []
    for series, step_s, _, _ in found:
        clock[series] += step_s * 1000
        times.append(clock[series])
    rows = Batch.of([each[0] for each in found], times, [each[2] for each in found])
    return rows, np.array([each[3] for each in found], dtype=bool)


def _stepped(judge: Quality, rows: Batch, dry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flag, why = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.uint16)
    for turn in rounds(rows.series):
        judged = judge.step(rows.take(turn), dry[turn])
        flag[turn], why[turn] = judged.flag, judged.why
    return flag, why


def _ran(judge: Quality, rows: Batch, dry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flag, why = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.uint16)
    order = np.argsort(rows.series, kind="stable")
    flag[order], why[order] = judge.run(rows.take(order), dry[order])
    return flag, why


@UNHURRIED
@given(found=samples, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_equals_step_in_any_mixture_of_runs_and_steps(
    found: list[tuple[int, int, float, bool]], cuts: list[int]
) -> None:
    rows, dry = _rows(found)
    one_by_one, mixed = quality(*LIMITS), quality(*LIMITS)
    expected = _stepped(one_by_one, rows, dry)
    bounds = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for number, (low, high) in enumerate(pairwise(bounds)):
        index = np.arange(low, high)
        take = _stepped if number % 2 else _ran
        flag, why = take(mixed, rows.take(index), dry[index])
        assert flag.tolist() == expected[0][index].tolist()
        assert why.tolist() == expected[1][index].tolist()
    left, right = one_by_one.snapshot(), mixed.snapshot()
    for name, column in left["newest"].items():
        np.testing.assert_array_equal(column, right["newest"][name])


def test_nothing_in_nothing_out() -> None:
    flag, why = quality(*LIMITS).run(Batch.empty(), np.empty(0, dtype=bool))
    assert (len(flag), len(why)) == (0, 0)


def test_readings_out_of_order_are_a_fault() -> None:
    rows = Batch.of([0, 0], [T0 + 1, T0], [1.0, 1.0])
    with pytest.raises(AssertionError, match="in order"):
        quality(*LIMITS).run(rows, np.zeros(2, dtype=bool))
