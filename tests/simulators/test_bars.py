"""Where names have room beside the bars of a row."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulators.bars import Bar, clusters

BARS = st.lists(
    st.builds(
        lambda low, width, name: Bar(low, min(low + width, 7.0), name),
        st.floats(0.0, 6.99),
        st.floats(0.03, 7.0),
        st.sampled_from(["vk-01", "xh-01", "cam-01"]),
    ),
    min_size=1,
    max_size=12,
)


def test_bars_that_are_close_share_a_name_and_others_have_their_own() -> None:
    found = clusters(
        [Bar(3.0, 3.03, "a"), Bar(1.0, 1.03, "a"), Bar(1.1, 1.13, "a"), Bar(1.15, 1.2, "b")], 7.0
    )
    assert [(each.low, each.high, each.name) for each in found] == [
        (1.0, 1.2, "a, b"),
        (3.0, 3.03, "a"),
    ]


def test_a_name_stands_where_it_has_room() -> None:
    assert Bar(1.0, 2.0, "vk-01").side(7.0) == "right"
    assert Bar(5.0, 6.9, "vk-01").side(7.0) == "left"
    assert Bar(0.0, 7.0, "vk-01").side(7.0) == "inside"


@given(BARS)
def test_no_name_lies_over_a_bar_or_a_name(bars: list[Bar]) -> None:
    found = clusters(bars, 7.0)
    assert {name for each in found for name in each.name.split(", ")} == {b.name for b in bars}
    for first, second in pairwise(found):
        assert first.side(7.0) == "right"
        begins = second.before(7.0) if second.side(7.0) == "left" else second.low
        assert first.reach(7.0) <= begins
