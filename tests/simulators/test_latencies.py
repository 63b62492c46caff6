import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.latencies import Latencies


@given(
    st.lists(st.floats(1e-6, 5000.0), min_size=1, max_size=200),
    st.sampled_from([0.01, 0.5, 0.99, 1.0]),
)
def test_a_quantile_is_within_a_percent_of_the_sorted_one(
    values: list[float], share: float
) -> None:
    kept = Latencies()
    for at in range(0, len(values), 7):
        kept.add(values[at : at + 7])
    rank = next(n for n in range(1, len(values) + 1) if n >= share * len(values))
    exact = sorted(values)[rank - 1]
    assert exact / 1.0001 <= kept.quantile_s(share) * 1.0101
    assert kept.quantile_s(share) <= exact * 1.0101
    assert (kept.count, kept.max_s) == (len(values), max(values))


def test_none_and_far_too_long() -> None:
    kept = Latencies()
    assert kept.quantile_s(0.99) == 0.0
    kept.add([0.0, 1e9])
    assert kept.quantile_s(0.5) == pytest.approx(1e-6, rel=0.02)
    assert kept.max_s == 1e9
