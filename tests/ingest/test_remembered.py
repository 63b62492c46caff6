"""A run's memory answers as the store would."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import Batch
from ingest.remembered import Remembered
from ingest.store import LaneRow, Store

SERIES, TIMES, LANES = range(3), range(6), range(2)

readings = st.lists(
    st.lists(
        st.tuples(st.sampled_from(SERIES), st.sampled_from(TIMES), st.floats(-9, 9, width=16)),
        max_size=5,
    ),
    max_size=8,
)
intervals = st.lists(
    st.tuples(st.sampled_from(LANES), st.integers(3, 6), st.integers(0, 2), st.binary(max_size=2)),
    max_size=12,
)


@given(entries=readings, asked=st.sets(st.integers(0, 8)))
def test_values_are_those_of_a_store_whenever_it_is_asked(
    entries: Sequence[Sequence[tuple[int, int, float]]], asked: set[int]
) -> None:
    store, remembered = Store(Path(":memory:")), Remembered()
    for position, entry in enumerate(entries, 1):
        rows = Batch.of(*zip(*entry, strict=True)) if entry else Batch.empty()
        store.put_readings(rows, position)
        remembered.put_readings(rows)
        if position in asked or position == len(entries):
            for series in SERIES:
                for t_ms in TIMES:
                    expected = store.value_at(series, t_ms, position + 1)
                    assert remembered.value_at(series, t_ms, position + 1) == expected
    store.close()


@given(rows=intervals)
def test_lane_intervals_are_those_of_a_store(rows: Sequence[tuple[int, int, int, bytes]]) -> None:
    store, remembered = Store(Path(":memory:")), Remembered()
    for position, (lane, t1_ms, t0_ms, body) in enumerate(rows, 1):
        row = LaneRow("c/south", lane, t1_ms, t0_ms, body)
        store.put_lane_intervals([row], position)
        remembered.put_lane_intervals([row])
    for t1_ms in range(2, 8):
        assert remembered.lane_rows("c/south", t1_ms, 99) == store.lane_rows("c/south", t1_ms, 99)
        for lane in LANES:
            for later in (False, True):
                found = remembered.lane_neighbour("c/south", lane, t1_ms, 99, later=later)
                assert found == store.lane_neighbour("c/south", lane, t1_ms, 99, later=later)
    store.close()
