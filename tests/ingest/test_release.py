from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import Batch
from ingest.release import Admitted, ReorderWindow, Waiting, rising

REORDER_MS = 30_000


def waiting(
    rows: list[tuple[int, int]], *, ready: bool = False, now_ms: int = 0, seq: int = -1
) -> Waiting:
    series = [row[0] for row in rows]
    n = len(rows)
    return Waiting(
        Batch.of(series, [row[1] for row in rows], np.arange(n, dtype=float)),
        dry=np.zeros(n, dtype=bool),
        ready=np.full(n, ready),
        due_ms=np.full(n, now_ms + REORDER_MS, dtype=np.int64),
        epoch=np.full(n, 0 if seq >= 0 else -1, dtype=np.int64),
        seq=np.full(n, seq, dtype=np.int64),
    )


def times(part: Waiting) -> list[tuple[int, int]]:
    return list(zip(part.rows.series.tolist(), part.rows.t_ms.tolist(), strict=True))


def test_ready_reading_goes_at_once_and_an_older_one_is_late() -> None:
    window = ReorderWindow(1, REORDER_MS)
    assert times(window.admit(waiting([(0, 1000)], ready=True), 0, {}).released) == [(0, 1000)]
    after = window.admit(waiting([(0, 500)], ready=True), 0, {})
    assert times(after.late) == [(0, 500)]
    assert not len(after.released)


def test_reading_without_order_waits_until_due() -> None:
    window = ReorderWindow(1, REORDER_MS)
    assert times(window.admit(waiting([(0, 1000)]), 0, {}).held) == [(0, 1000)]
    assert window.next_due_ms() == REORDER_MS
    assert not len(window.release(REORDER_MS - 1, {}))
    assert times(window.release(REORDER_MS, {})) == [(0, 1000)]


def test_newer_reading_releases_what_is_a_window_older() -> None:
    window = ReorderWindow(1, REORDER_MS)
    window.admit(waiting([(0, 2000)]), 0, {})
    window.admit(waiting([(0, 1000)]), 0, {})
    admitted = window.admit(waiting([(0, 2000 + REORDER_MS)]), 0, {})
    assert times(admitted.released) == [(0, 1000), (0, 2000)]
    assert times(admitted.held) == [(0, 2000 + REORDER_MS)]


def test_closed_gap_releases_the_messages_behind_it() -> None:
    window = ReorderWindow(1, REORDER_MS)
    window.admit(waiting([(0, 3000)], seq=3), 0, {})
    admitted = window.admit(waiting([(0, 2000)], ready=True, seq=2), 0, {0: 3})
    assert times(admitted.released) == [(0, 2000), (0, 3000)]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 40).map(lambda n: n * 5000), st.booleans()),
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.lists(st.integers(1, 7), min_size=40, max_size=40),
)
def test_any_split_releases_the_same_in_the_same_order(
    rows: list[tuple[int, int, bool]], sizes: list[int]
) -> None:
    def run(chunks: list[list[tuple[int, int, bool]]]) -> tuple[dict[int, list[int]], set[object]]:
        window = ReorderWindow(3, REORDER_MS)
        order: dict[int, list[int]] = defaultdict(list)
        late: set[object] = set()
        for chunk in chunks:
            parts = [waiting([(s, t)], ready=ready) for s, t, ready in chunk]
            admitted: Admitted = window.admit(Waiting.concat(parts), 0, {})
            for series, t_ms in times(admitted.released):
                order[series].append(t_ms)
            late.update(times(admitted.late))
        return order, late

    split, at = [], 0
    for size in sizes:
        split.append(rows[at : at + size])
        at += size
    split = [chunk for chunk in split if chunk]
    one_by_one = run([[row] for row in rows])
    assert run([rows] if rows else []) == one_by_one
    assert run(split) == one_by_one
    for released in one_by_one[0].values():
        assert released == sorted(released)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=30))
def test_rising_equals_its_slow_twin(rows: list[tuple[int, int]]) -> None:
    floor = np.array([-1, 3, -1, 8])
    highest = floor.tolist()
    expected = []
    for series, t_ms in rows:
        expected.append(t_ms > highest[series])
        highest[series] = max(highest[series], t_ms)
    series_column = np.array([row[0] for row in rows], dtype=np.int64)
    t_column = np.array([row[1] for row in rows], dtype=np.int64)
    assert rising(series_column, t_column, floor).tolist() == expected
