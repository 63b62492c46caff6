"""The journal on a real disk, a full one included."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import (
    COMPRESS_FROM_BYTES,
    Action,
    Config,
    Entered,
    Entry,
    Journal,
    Messages,
    Notice,
    SchemaError,
    Tick,
)
from tests.ingest.full_disk import full_disk

ENTRIES: list[Entry] = [
    Messages(["a/b", "ồ"], [b"\x00\xff", b""]),
    Messages(["t"], [b"x" * (2 * COMPRESS_FROM_BYTES)]),
    Messages([], []),
    Tick(),
    Config("[[station]]", "[[rule]]", 30.5),
    Action("r1", "ack", "0123", 3, "an", "đã gọi"),
    Action("r1", "shelve", "0123", 3, "an", "đang thay đầu dò", 1_767_000_000_000),
    Notice("songtien-disk-low", True, 0.5, None, 1000, "còn ít"),
    Entered("r2", "maintenance", "vam-kenh", '{"reason":"thay đầu dò"}', "an", ""),
]


class Clock:
    def __init__(self, ms: int = 1000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


@contextmanager
def opened(path: Path, clock: Clock | None = None) -> Iterator[Journal]:
    journal = Journal(path, clock or Clock())
    try:
        yield journal
    finally:
        journal.close()


def fill(journal: Journal) -> int:
    """Append until the disk refuses; how many entries it took."""
    for count in range(10_000):
        try:
            journal.append(Messages(["t"], [bytes(range(256)) * 3]))
        except sqlite3.OperationalError:
            return count
    pytest.fail("the disk never filled up")


def test_many_come_in_at_their_own_times_or_none_of_them(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        first = journal.append(Tick())
        begun_ms = journal.after(0, 1)[0][1]
        times = [begun_ms + 10, begun_ms + 30, begun_ms + 20]
        assert journal.extend((t, Messages([str(t)], [b""])) for t in times) == first + 3
        came = [at_ms - begun_ms for _, at_ms, _ in journal.after(first, 9)]
        assert came == [10, 30, 30], "a time that falls stands still"
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(journal, "_insert", _refusing(journal._insert))
            with pytest.raises(sqlite3.OperationalError, match="full"):
                journal.extend((begun_ms + 40, Tick()) for _ in range(3))
        assert journal.last_position == first + 3
        assert len(journal.after(first, 9)) == 3
        assert journal.append(Tick()) == first + 4


def _refusing(insert: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    """The disk takes one more and then is full."""
    left = iter([True])

    def instead(at_ms: int, body: bytes) -> int:
        if next(left, False):
            return insert(at_ms, body)
        raise sqlite3.OperationalError("database or disk is full")

    return instead


def test_entries_come_back_as_they_were_in_order(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "j", clock) as journal:
        assert journal.last_position == 0
        for n, entry in enumerate(ENTRIES, 1):
            clock.ms = 1000 * n
            assert journal.append(entry) == n
        expected = [(n, 1000 * n, entry) for n, entry in enumerate(ENTRIES, 1)]
        assert journal.after(0, 100) == expected
        assert journal.after(2, 2) == expected[2:4]
        assert list(journal.all_after(1)) == expected[1:]
        assert journal.after(len(ENTRIES), 10) == []
    with opened(tmp_path / "j") as journal:
        assert journal.last_position == len(ENTRIES)
        assert journal.after(0, 100) == expected


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 150), st.integers(0, 160))
def test_all_after_misses_nothing_however_many_there_are(
    tmp_path_factory: pytest.TempPathFactory, count: int, position: int
) -> None:
    with opened(tmp_path_factory.mktemp("j") / "j") as journal:
        journal._writer.execute("BEGIN")  # one commit for all: this is about reading
        for _ in range(count):
            journal.append(Tick())
        journal._writer.execute("COMMIT")
        found = [at for at, _, _ in journal.all_after(position)]
        assert found == list(range(position + 1, count + 1))


def test_a_clock_that_steps_back_stands_still(tmp_path: Path) -> None:
    clock = Clock(5000)
    with opened(tmp_path / "j", clock) as journal:
        journal.append(Tick())
        clock.ms = 1000
        journal.append(Tick())
        assert [at_ms for _, at_ms, _ in journal.after(0, 9)] == [5000, 5000]
    with opened(tmp_path / "j", clock) as journal:  # also in its next life
        journal.append(Tick())
        assert journal.after(2, 9)[0][1] == 5000


def test_positions_and_times_rise_together_whoever_appends(tmp_path: Path) -> None:
    clock = Clock()
    lock = threading.Lock()

    def ticking() -> int:
        with lock:
            clock.ms += 1
            return clock.ms

    journal = Journal(tmp_path / "j", ticking)
    given_to: list[list[int]] = [[] for _ in range(4)]

    def work(mine: list[int]) -> None:
        mine.extend(journal.append(Messages([str(len(mine))], [b""])) for _ in range(25))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in given_to]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = journal.after(0, 1000)
    journal.close()
    assert [position for position, _, _ in rows] == list(range(1, 101))
    times = [at_ms for _, at_ms, _ in rows]
    assert times == sorted(times)
    assert sorted(position for mine in given_to for position in mine) == list(range(1, 101))
    assert all(mine == sorted(mine) for mine in given_to)


def test_trim_forgets_only_what_is_both_old_and_covered(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "j", clock) as journal:
        for n in range(1, 11):
            clock.ms = n * 1000
            journal.append(Tick())
        assert journal.trim(up_to=7, older_than_ms=5000) == 4
        assert [at for at, _, _ in journal.after(0, 99)] == [5, 6, 7, 8, 9, 10]
        assert journal.trim(up_to=7, older_than_ms=99_000) == 3
        assert journal.trim(up_to=7, older_than_ms=99_000) == 0
        assert [at for at, _, _ in journal.after(0, 99)] == [8, 9, 10]


def test_trim_takes_a_little_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        journal._writer.execute("BEGIN")
        for _ in range(1500):
            journal.append(Tick())
        journal._writer.execute("COMMIT")
        assert journal.trim(up_to=1500, older_than_ms=99_000) == 1000
        assert journal.after(0, 1)[0][0] == 1001


def test_positions_are_never_given_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        journal.append(Tick())
        journal.append(Tick())
        journal.trim(up_to=2, older_than_ms=99_000)
    with opened(tmp_path / "j") as journal:
        assert journal.last_position == 2
        assert journal.append(Tick()) == 3


def test_another_reader_sees_an_entry_as_soon_as_append_returns(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        position = journal.append(Messages(["t"], [b"1"]))
        with opened(tmp_path / "j") as other:
            assert other.after(0, 9) == journal.after(0, 9)
            assert other.last_position == position


def test_commits_survive_a_power_cut() -> None:
    with opened(Path(":memory:")) as journal:
        # FULL: each commit is synchronised, also in the write-ahead log.
        assert journal._writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_full_disk_stores_nothing_and_it_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with opened(path) as journal:
        journal.append(Tick())
        with full_disk(path):
            taken = 1 + fill(journal)
            assert journal.last_position == taken
            assert len(journal.after(0, 10_000)) == taken
            with pytest.raises(sqlite3.OperationalError):
                journal.append(Messages(["lost"], [bytes(range(256)) * 100]))
        assert journal.append(Messages(["next"], [b""])) == taken + 1
    with opened(path) as journal:
        entries = journal.after(0, 10_000)
        assert [at for at, _, _ in entries] == list(range(1, taken + 2))
        assert entries[-1][2] == Messages(["next"], [b""])


def test_a_journal_of_another_version_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=7")
    connection.close()
    with pytest.raises(SchemaError, match="version 7"):
        Journal(path, Clock())
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_an_action_of_an_older_version_has_no_end(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.sqlite") as journal:
        older = msgspec.msgpack.encode(["action", "r1", "ack", "0123", 3, "an", ""])
        journal._writer.execute("INSERT INTO entry(at_ms, body) VALUES (1, ?)", (b"r" + older,))
        (_, _, entry) = journal.after(0, 1)[0]
    assert entry == Action("r1", "ack", "0123", 3, "an", "", None)
