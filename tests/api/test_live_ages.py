"""Ages of series, against the sentence of the contract read out one series at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from api.live.ages import NEVER_MS, WORDS, ages

NOW_MS = 1_767_000_000_000


def age_of(now_ms: int, newest_ms: int, expected_ms: int, maintenance: bool) -> str:
    if maintenance:
        return "maintenance"
    if newest_ms == NEVER_MS:
        return "never"
    intervals = (now_ms - newest_ms) / expected_ms
    if intervals <= 1.5:
        return "live"
    if intervals <= 3:
        return "late"
    return "stale" if intervals <= 8 else "lost"


ONE = st.tuples(
    st.one_of(st.just(NEVER_MS), st.integers(-70_000, 2_000_000).map(lambda age: NOW_MS - age)),
    st.sampled_from([1, 3, 999, 60_000, 900_000]),
    st.booleans(),
)


@given(st.lists(ONE, min_size=1, max_size=50))
def test_ages_are_those_of_one_series_at_a_time(found: list[tuple[int, int, bool]]) -> None:
    newest, expected, maintenance = (np.array(column) for column in zip(*found, strict=True))
    words = [WORDS[age] for age in ages(NOW_MS, newest, expected, maintenance)]
    assert words == [age_of(NOW_MS, *one) for one in found]


def test_a_bound_belongs_to_the_better_side() -> None:
    at_ms = np.array([90_000, 90_001, 180_000, 180_001, 480_000, 480_001, -60_000])
    found = ages(NOW_MS, NOW_MS - at_ms, np.full(7, 60_000), np.zeros(7, dtype=np.bool_))
    assert [WORDS[age] for age in found] == [
        "live",
        "late",
        "late",
        "stale",
        "stale",
        "lost",
        "live",
    ]
