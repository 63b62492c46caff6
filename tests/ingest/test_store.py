"""The embedded store on a real disk, a full one included."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import store as stored
from ingest.history import StoreReader
from ingest.journal import SchemaError
from ingest.reading import Batch, Flag, Why
from ingest.store import DeadLetter, LaneRow, Store
from tests.ingest.full_disk import full_disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "s")
    made.put_series(["a/x", "b/x"])
    yield made
    made.close()


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[StoreReader]:
    assert store.position == 0
    made = StoreReader(tmp_path / "s")
    yield made
    made.close()


def letter(n: int, size: int = 10, topic: str = "t") -> DeadLetter:
    return DeadLetter(n, topic, "not_json", f"number {n}", size, bytes([n % 256]) * size)


def lane_row(t1_ms: int, lane: int = 1, body: bytes = b"1", stream: str = "c/south") -> LaneRow:
    return LaneRow(stream, lane, t1_ms, t1_ms - 60, body)


def test_points_come_oldest_first_from_inclusive_to_exclusive(
    store: Store, reader: StoreReader
) -> None:
    rows = Batch.of([0, 0, 1, 0], [30, 10, 10, 20], [3, 1, 9, 2], [1, 2, 1, 4], [0, 5, 0, 0])
    store.put_readings(rows, 1)
    found = reader.points(0, 10, 30, 99)
    assert found.t_ms.tolist() == [10, 20]
    assert found.value.tolist() == [1.0, 2.0]
    assert found.flag.tolist() == [2, 4]
    assert found.why.tolist() == [5, 0]
    assert reader.points(0, 10, 31, 2).t_ms.tolist() == [10, 20]
    assert len(reader.points(7, 0, 99, 9)) == 0


def test_a_later_row_replaces_and_keeps_the_entry_that_first_brought_it(store: Store) -> None:
    store.put_readings(Batch.of([0], [10], [1.0], Flag.NOT_EVALUATED), 5)
    store.put_readings(Batch.of([0], [10], [1.5], Flag.PASS, Why.GAP), 8)
    with store.transaction() as connection:
        row = connection.execute("SELECT value, flag, why, pos FROM reading").fetchone()
    assert row == (1.5, Flag.PASS, Why.GAP, 5)
    assert store.value_at(0, 10, before=5) is None
    assert store.value_at(0, 10, before=6) == 1.5


def test_within_one_batch_the_last_row_stands(store: Store, reader: StoreReader) -> None:
    store.put_readings(Batch.of([0, 0], [10, 10], [1.0, 1.0], [2, 1]), 1)
    assert reader.points(0, 0, 99, 9).flag.tolist() == [1]


def test_lane_rows_and_neighbours_as_an_entry_may_see_them(store: Store) -> None:
    store.put_lane_intervals([lane_row(100), lane_row(200), lane_row(300, lane=2)], 3)
    store.put_lane_intervals([lane_row(200, body=b"more"), lane_row(400)], 7)
    assert [row.body for row in store.lane_rows("c/south", 200, before=7)] == [b"1"]
    assert [row.body for row in store.lane_rows("c/south", 200, before=8)] == [b"1", b"more"]
    earlier = store.lane_neighbour("c/south", 1, 400, 8, later=False)
    assert earlier is not None
    assert (earlier.t1_ms, earlier.body) == (200, b"more")
    later = store.lane_neighbour("c/south", 1, 200, 8, later=True)
    assert later is not None
    assert later.t1_ms == 400
    assert store.lane_neighbour("c/south", 1, 200, 7, later=True) is None
    assert store.lane_neighbour("c/north", 1, 200, 9, later=True) is None


def test_a_transaction_is_all_or_nothing(store: Store, reader: StoreReader) -> None:
    def half_way() -> None:
        with store.transaction():
            store.put_readings(Batch.of([0], [1], [1.0]), 1)
            store.set_meta("position", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_way()
    assert store.position == 0
    assert len(reader.points(0, 0, 9, 9)) == 0
    with store.transaction():
        store.set_meta("position", 2)
    assert store.position == 2


def write(store: Store, n: int, size: int = 2000) -> None:
    with store.transaction():
        store.put_readings(Batch.of([0], [n], [n]), n)
        store.put_dead_letters([letter(n, size)])
        store.set_meta("position", n)


def fill(store: Store) -> int:
    """Write until the disk refuses; the last number that it took."""
    for n in range(2, 5000):
        try:
            write(store, n)
        except sqlite3.OperationalError:
            return n - 1
    pytest.fail("the disk never filled up")


def test_a_full_disk_keeps_what_stood_and_it_goes_on_afterwards(
    store: Store, reader: StoreReader, tmp_path: Path
) -> None:
    write(store, 1)
    with full_disk(tmp_path / "s"):
        n = fill(store)
        for _ in range(3):  # it tries again and again
            with pytest.raises(sqlite3.OperationalError):
                write(store, n + 1)
        assert store.position == n
        assert reader.points(0, 0, 10**6, 10**4).t_ms.tolist() == list(range(1, n + 1))
    write(store, n + 1)
    assert store.position == n + 1
    assert len(reader.points(0, 0, 10**6, 10**4)) == n + 1
    assert len(reader.dead_letters(10**4)) == n + 1


def test_a_refused_commit_does_not_count_towards_the_ring(
    store: Store, reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "DEAD_LETTERS_MAX_BYTES", 1000)

    def refused() -> None:
        with store.transaction():
            store.put_dead_letters([letter(9, 100)])
            raise sqlite3.OperationalError("database or disk is full")

    store.put_dead_letters([letter(1, 100)])
    for _ in range(50):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            refused()
    store.put_dead_letters([letter(2, 100)])
    assert [each.at_ms for _, each in reader.dead_letters(9)] == [2, 1]


def test_dead_letters_newest_first_with_the_beginning_of_what_was_sent(
    store: Store, reader: StoreReader
) -> None:
    store.put_dead_letters([letter(1), letter(2, 70_000, topic="ộ" * 5000)])
    (newest_id, newest), (_, older) = reader.dead_letters(9)
    assert (newest.at_ms, older.at_ms) == (2, 1)
    assert (newest.size, len(newest.head), newest.topic) == (70_000, 4096, "ộ" * 1024)
    assert older == letter(1)
    assert [each for _, each in reader.dead_letters(9, before=newest_id)] == [older]
    assert len(reader.dead_letters(1)) == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 40), max_size=5), max_size=20),
    st.integers(1, 6),
    st.integers(60, 150),
    st.booleans(),
)
def test_the_ring_holds_the_newest_that_fit_both_bounds(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[int]],
    most: int,
    most_bytes: int,
    restart: bool,
) -> None:
    path = tmp_path_factory.mktemp("s") / "s"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "DEAD_LETTERS_MAX", most)
        patch.setattr(stored, "DEAD_LETTERS_MAX_BYTES", most_bytes)
        store = Store(path)
        sizes: list[int] = []
        for batch in batches:
            store.put_dead_letters([letter(len(sizes) + k, s) for k, s in enumerate(batch)])
            sizes.extend(batch)
            if restart:
                store.close()
                store = Store(path)
        with store.transaction() as connection:
            kept = [at for (at,) in connection.execute("SELECT at_ms FROM dead_letter")]
        store.close()
    first = len(sizes)
    while first and sum(size + 1 for size in sizes[first - 1 :]) <= most_bytes:
        first -= 1
    assert kept == list(range(max(first, len(sizes) - most), len(sizes)))


def test_a_new_dead_letter_does_not_look_through_the_ring(store: Store) -> None:
    """Else one bad device would hold everybody up; a full ring is half a gigabyte of pages."""
    steps: list[int] = []

    def cost() -> int:
        steps.clear()
        with store.transaction() as connection:
            connection.set_progress_handler(lambda: steps.append(1), 10)
            store.put_dead_letters([letter(1)])
            connection.set_progress_handler(None, 0)
        return len(steps)

    empty = cost()
    with store.transaction():
        store.put_dead_letters([letter(n) for n in range(3000)])
    assert cost() < 3 * empty


def test_a_device_keeps_its_link_when_its_meta_comes_and_the_other_way(store: Store) -> None:
    store.put_device("d", link='{"s":"ready"}')
    store.put_device("d", meta='{"model":"x"}')
    store.put_device("d", link='{"s":"lost"}')
    with store.transaction() as connection:
        rows = connection.execute("SELECT * FROM device").fetchall()
    assert rows == [("d", '{"s":"lost"}', '{"model":"x"}')]


def test_there_is_one_checkpoint_the_newest(store: Store) -> None:
    assert store.checkpoint() is None
    store.put_checkpoint(3, b"three")
    store.put_checkpoint(9, b"nine")
    assert store.checkpoint() == (9, b"nine")


def test_what_came_lately_stays_however_long_ago_it_was_observed(
    store: Store, reader: StoreReader
) -> None:
    hour = 3_600_000
    store.put_readings(Batch.of([0], [10], [1.0]), 1)
    store.mark_hour(5 * hour, 1)
    store.put_readings(Batch.of([0], [11], [1.0]), 2)
    store.mark_hour(6 * hour + 5, 2)
    assert store.position_at(5 * hour - 1) == 0
    assert store.forget_before(100, store.position_at(5 * hour), 9) == 1
    assert reader.points(0, 0, 99, 99).t_ms.tolist() == [11]
    assert store.forget_before(100, store.position_at(6 * hour), 9) == 1


def test_forgetting_takes_what_is_older_a_little_at_a_time(
    store: Store, reader: StoreReader
) -> None:
    store.put_readings(Batch.of([0] * 10 + [1] * 10, [*range(10)] * 2, [0.0] * 20), 1)
    store.put_lane_intervals([lane_row(t1, lane) for t1 in range(10) for lane in (1, 2)], 1)
    assert store.forget_before(5, 1, 7) == 14
    assert store.forget_before(5, 1, 7) == 6
    assert store.forget_before(5, 1, 7) == 0
    for series in (0, 1):
        assert reader.points(series, 0, 99, 99).t_ms.tolist() == [5, 6, 7, 8, 9]
    with store.transaction() as connection:
        left = connection.execute("SELECT lane, t1 FROM lane_interval").fetchall()
    assert sorted(left) == [(lane, t1) for lane in (1, 2) for t1 in range(5, 10)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(-50, 50), st.sampled_from([1, 2, 3, 4, 9])),
        max_size=40,
        unique_by=lambda row: row[0],
    ),
    st.integers(0, 100),
    st.integers(0, 250),
    st.integers(1, 60),
    st.integers(-30, 90),
)
def test_windows_are_what_numpy_says_of_the_points(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, int]],
    from_ms: int,
    to_ms: int,
    step_ms: int,
    offset_ms: int,
) -> None:
    path = tmp_path_factory.mktemp("s") / "s"
    store, reader = Store(path), StoreReader(path)
    t_ms, value, flag = zip(*rows, strict=True) if rows else ((), (), ())
    base = 1_000_000  # times lie after 1970 by far more than a window
    store.put_readings(Batch.of([0] * len(rows), [t + base for t in t_ms], value, flag), 1)
    found = reader.windows(0, from_ms + base, to_ms + base, step_ms, offset_ms)
    expected: dict[int, list[tuple[int, int, int]]] = {}
    for t, v, f in sorted(rows):
        if from_ms <= t < to_ms and f <= 3:
            start = (t + base - offset_ms) // step_ms * step_ms + offset_ms
            expected.setdefault(start, []).append((t, v, f))
    assert found.start_ms.tolist() == sorted(expected)
    for at, start in enumerate(sorted(expected)):
        inside = expected[start]
        values = [v for _, v, _ in inside]
        assert found.n[at] == len(inside)
        assert found.n_good[at] == sum(f == 1 for _, _, f in inside)
        np.testing.assert_allclose(found.mean[at], np.mean(values))
        assert (found.low[at], found.high[at]) == (min(values), max(values))
        assert found.last[at] == values[-1]
    store.close()
    reader.close()


def test_a_reader_sees_one_state_while_the_writer_goes_on(
    store: Store, reader: StoreReader
) -> None:
    store.put_readings(Batch.of([0], [1], [1.0]), 1)
    with reader.connection() as connection:
        count = "SELECT count(*) FROM reading"
        assert connection.execute(count).fetchone() == (1,)
        store.put_readings(Batch.of([0], [2], [2.0]), 2)
        assert connection.execute(count).fetchone() == (1,)
        with reader.connection() as other:  # a view of its own
            assert other.execute(count).fetchone() == (2,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM reading")
    assert len(reader.points(0, 0, 9, 9)) == 2


def test_threads_that_come_and_go_leave_no_connections_behind(
    store: Store, reader: StoreReader
) -> None:
    store.put_readings(Batch.of([0], [1], [1.0]), 1)
    found: list[int] = []
    for _ in range(20):
        thread = threading.Thread(target=lambda: found.append(len(reader.points(0, 0, 9, 9))))
        thread.start()
        thread.join()
    assert found == [1] * 20
    assert len(reader._idle) == 1


def test_a_store_of_another_version_is_told(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("PRAGMA user_version=7")
    connection.close()
    with pytest.raises(SchemaError, match="version 7"):
        Store(tmp_path / "s")


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    write(store, 4)
    store.put_checkpoint(4, b"state")
    store.close()
    again = Store(tmp_path / "s")
    assert (again.position, again.checkpoint()) == (4, (4, b"state"))
    assert again.value_at(0, 4, before=5) == 4.0
    again.close()
