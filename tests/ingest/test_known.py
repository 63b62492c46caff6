from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.known import Known
from ingest.reading import Batch
from ingest.store import LaneRow, Store


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store(Path(":memory:"))
    yield made
    made.close()


def row(t1_ms: int, t0_ms: int | None = None, lane: int = 1, body: bytes = b"") -> LaneRow:
    return LaneRow("c/south", lane, t1_ms, t1_ms - 60 if t0_ms is None else t0_ms, body)


def test_values_of_earlier_entries_and_of_this_one_but_not_of_later_ones(store: Store) -> None:
    store.put_readings(Batch.of([0], [10], [1.0]), 1)
    store.put_readings(Batch.of([0], [20], [2.0]), 5)  # as if this entry had been here before
    known = Known(store, 5)
    assert (known.value(0, 10), known.value(0, 20), known.value(0, 30)) == (1.0, None, None)
    known.put_values([0, 1], [20, 20], [2.0, 0.0])
    assert (known.value(0, 20), known.value(1, 20)) == (2.0, 0.0)


def test_an_interval_that_gained_something_is_seen_as_it_was_and_then_as_it_is(
    store: Store,
) -> None:
    store.put_lane_intervals([row(100, body=b"old"), row(100, lane=2)], 1)
    known = Known(store, 5)
    assert [each.body for each in known.intervals("c/south", 100)] == [b"old", b""]
    known.put_interval(row(100, body=b"new"))
    assert [each.body for each in known.intervals("c/south", 100)] == [b"new", b""]
    assert [each.body for each in known.new_intervals] == [b"new"]
    store.put_lane_intervals(known.new_intervals, 5)
    assert [each.body for each in Known(store, 5).intervals("c/south", 100)] == [b"old", b""]
    assert [each.body for each in Known(store, 6).intervals("c/south", 100)] == [b"new", b""]


def test_a_neighbour_as_it_was_last_completed(store: Store) -> None:
    store.put_lane_intervals([row(100, body=b"old")], 1)
    known = Known(store, 5)
    known.put_interval(row(100, body=b"new"))
    assert known.neighbour("c/south", 1, 200, later=False) == row(100, body=b"new")
    assert known.neighbour("c/south", 1, 50, later=True) == row(100, body=b"new")
    assert known.neighbour("c/south", 1, 100, later=True) is None
    assert known.neighbour("c/south", 2, 200, later=False) is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(0, 2)), max_size=12),
    st.integers(0, 12),
    st.booleans(),
)
def test_it_makes_no_difference_what_is_stored_and_what_is_in_hand(
    arrivals: list[tuple[int, int, int]], cut: int, later: bool
) -> None:
    """Else the outcome would depend on how a feed is split into entries."""
    rows = [row(t1 * 100, t1 * 100 - 50 - t0, lane) for lane, t1, t0 in arrivals]
    stores = [Store(Path(":memory:")) for _ in range(3)]
    alone, mixed, stored = (Known(store, 99) for store in stores)
    for number, each in enumerate(rows):
        alone.put_interval(each)
        for known, store, in_hand in (
            (mixed, stores[1], number >= cut),
            (stored, stores[2], False),
        ):
            if in_hand:
                known.put_interval(each)
            elif each not in store.lane_rows(each.stream, each.t1_ms, 99):
                store.put_lane_intervals([each], number)
    for t1 in range(0, 700, 50):
        for lane in (1, 2):
            found = [k.neighbour("c/south", lane, t1, later=later) for k in (alone, mixed, stored)]
            assert found[0] == found[1] == found[2]
        assert alone.intervals("c/south", t1) == mixed.intervals("c/south", t1)
        assert alone.intervals("c/south", t1) == stored.intervals("c/south", t1)
    for store in stores:
        store.close()
