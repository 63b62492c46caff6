"""What becomes of the record where the service is killed, the disk refuses, or it is old."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from api.live.parts import LinkState
from ingest.journal import SchemaError
from ingest.reading import Batch, Flag
from songtien.rewind import recorder as recorders
from songtien.rewind.scene import Change
from songtien.rewind.walk import Walk
from songtien.rewind.wall_file import WallReader, WallWriter
from tests.songtien.feed import BEGIN_MS
from tests.songtien.past import Past, pictures, shown

SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
MIDNIGHT_MS = BEGIN_MS - (BEGIN_MS + 7 * 3_600_000) % DAY

KILLED = """
import sys, time
from pathlib import Path
from tests.songtien.past import Past
from tests.songtien.test_rewind_faults import value
past = Past(Path(sys.argv[1]))
with past.recording() as recorder:
    for n in range(1, 4):
        past.now_ms += 1000
        past.show(value(past, n))
        recorder.settle()
    past.now_ms += 1000
    past.show(value(past, 99))
    print("written", flush=True)
    time.sleep(60)
"""


def value(past: Past, number: float) -> Change:
    return Change(Batch.of([0], [past.now_ms], [number], Flag.PASS))


def first_value(past: Past, at_ms: int) -> float | None:
    items = shown(past.at(at_ms).screens, at_ms)["items"]
    found = next(item for item in items if item["k"] == "mt-01/salinity_g_l")
    number: float | None = found.get("v")
    return number


def test_killed_it_has_all_but_the_last_seconds_and_tells_the_gap(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    past = Past(tmp_path, now_ms=BEGIN_MS + 10 * MINUTE)
    with past.recording():
        past.show(value(past, 5))
        past.now_ms += SECOND
    reader = WallReader(past.path)
    (begun_ms, killed_ms), (again_ms, _) = reader.recorded()
    assert begun_ms == BEGIN_MS
    assert BEGIN_MS + 3 * SECOND <= killed_ms <= BEGIN_MS + 4 * SECOND + 1
    assert again_ms == BEGIN_MS + 10 * MINUTE
    assert first_value(past, BEGIN_MS + 3 * SECOND) == 3
    in_the_gap = shown(past.at(BEGIN_MS + 9 * MINUTE).screens, BEGIN_MS + 9 * MINUTE)
    assert in_the_gap["items"]
    assert first_value(past, BEGIN_MS + 10 * MINUTE + 500) == 5


def test_what_waits_is_bounded_and_a_key_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "WAITING_CHANGES_MAX", 5)
    past = Past(tmp_path)
    recorder = recorders.Recorder(past.path, past.screens.key, lambda: past.now_ms, keep_days=400)
    past.screens.followers.append(recorder.note)
    recorder.beat()
    for n in range(20):
        past.now_ms += 2 * SECOND
        past.show(value(past, n))
    assert recorder.lost_changes > 0
    recorder.beat()
    past.now_ms += SECOND
    recorder.stop()
    recorder.run()
    assert first_value(past, past.now_ms) == 19
    found = WallReader(past.path).recorded()
    assert len(found) == 1
    assert found[0][0] > BEGIN_MS  # what waited before was thrown away


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Nobody else may write meanwhile, which a disk without room looks like."""
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def test_a_disk_that_refuses_is_said_once_and_the_record_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("songtien.rewind.wall_file.BUSY_S", 0.01)
    monkeypatch.setattr(recorders, "RETRY_S", 0.01)
    monkeypatch.setattr(recorders, "FLUSH_S", 0.01)
    past = Past(tmp_path)
    with past.recording() as recorder:
        past.show(value(past, 1))
        assert recorder.settle()
        with full_disk(past.path):
            for n in range(5):
                past.now_ms += SECOND
                past.show(value(past, n))
                recorder.beat()
                assert recorder.settle()
            assert recorder.trouble is not None
        while recorder.trouble is not None:
            past.now_ms += SECOND
            past.show(value(past, 7))
            recorder.settle()
        past.now_ms += SECOND
    assert recorder.lost_changes >= 5
    refused = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(refused) == 1
    assert len(WallReader(past.path).recorded()) == 2
    assert first_value(past, past.now_ms) == 7


def test_days_are_forgotten_as_a_whole(tmp_path: Path) -> None:
    past = Past(tmp_path, now_ms=MIDNIGHT_MS, keep_days=2)
    with past.recording() as recorder:
        for n in range(4 * 24):
            past.show(value(past, n))
            past.now_ms += 60 * MINUTE
            recorder.beat()
            recorder.settle()
    first_ms, last_ms = WallReader(past.path).recorded()[0]
    assert first_ms == MIDNIGHT_MS + 2 * DAY
    assert last_ms - (MIDNIGHT_MS + 4 * DAY) in (0, 1)
    assert first_value(past, MIDNIGHT_MS + 2 * DAY + MINUTE) == 48


def test_a_damaged_record_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "wall.sqlite").write_bytes(b"not a database at all, but long enough" * 100)
    past = Past(tmp_path)
    with past.recording():
        past.show(Change(pictures=pictures(3)))
        past.now_ms += SECOND
    assert past.at(past.now_ms).screens.pictures == pictures(3)
    assert list(tmp_path.glob("wall.damaged-*"))
    assert "put aside" in caplog.text


def test_one_that_is_damaged_while_it_is_written_is_put_aside_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorders, "RETRY_S", 0.01)
    past = Past(tmp_path)
    with past.recording():
        past.show(value(past, 1))
    with past.path.open("r+b") as file:  # the second page has the texts of the configuration
        file.seek(4096)
        file.write(b"\xff" * 4096)
    past.now_ms += MINUTE
    with past.recording() as recorder:
        for n in range(100):
            past.now_ms += SECOND
            past.show(value(past, n))
            recorder.settle()
            if n > 2 and recorder.trouble is None:
                break
    assert recorder.trouble is None
    assert first_value(past, past.now_ms) == n
    assert list(tmp_path.glob("wall.damaged-*"))
    assert "put aside" in caplog.text


def test_a_kill_while_a_cut_life_is_put_in_order_costs_nothing_of_it(tmp_path: Path) -> None:
    past = Past(tmp_path)
    with past.recording() as recorder:
        for n in range(3):
            past.now_ms += SECOND
            past.show(value(past, n))
            recorder.settle()
    with closing(sqlite3.connect(past.path, isolation_level=None)) as stands_for_the_kill:
        stands_for_the_kill.execute(
            "CREATE TRIGGER kill BEFORE INSERT ON body BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
        with pytest.raises(sqlite3.IntegrityError, match="killed"):
            WallWriter(past.path)
        stands_for_the_kill.execute("DROP TRIGGER kill")
    WallWriter(past.path).close()
    assert first_value(past, past.now_ms) == 2


def test_a_clock_that_is_set_back_begins_the_record_anew(tmp_path: Path) -> None:
    past = Past(tmp_path)
    with past.recording() as recorder:
        past.now_ms += 2 * 60 * MINUTE
        past.show(value(past, 1))
        ahead_ms = past.now_ms
        past.now_ms -= 60 * MINUTE
        back_ms = past.now_ms
        # The hub takes no value older than its newest, but links have no such time.
        past.show(Change(links={"mt-01": LinkState(s="lost", until=None)}))
        assert recorder.settle()
        assert recorder.written_ms == back_ms
        past.now_ms += MINUTE
        past.show(Change(links={"mt-01": LinkState(s="ready", until=None)}))
        past.now_ms += MINUTE
        expected = shown(past.screens, past.now_ms)
    assert recorder.lost_changes == 0
    assert past.at(back_ms + SECOND).screens.hub.state.links["mt-01"]["s"] == "lost"
    assert shown(past.at(past.now_ms).screens, past.now_ms) == expected
    # Who plays on from before comes to the same in the end.
    pieces = past.timeline.open(BEGIN_MS)
    walk = Walk(pieces.first, "w")
    while (piece := pieces.next()) is not None:
        walk.feed(piece)
    walk.advance(ahead_ms)
    assert shown(walk.screens, past.now_ms) == expected


def test_what_comes_within_the_millisecond_of_a_write_is_played_too(tmp_path: Path) -> None:
    past = Past(tmp_path)
    with past.recording() as recorder:
        past.now_ms += MINUTE
        past.show(value(past, 1))
        assert recorder.settle()
        pieces = past.timeline.open(past.now_ms)
        walk = Walk(pieces.first, "w")
        walk.advance(past.now_ms)
        past.show(value(past, 2))
        past.now_ms += MINUTE
        assert recorder.settle()
        piece = pieces.next()
        assert piece is not None
        walk.feed(piece)
        walk.advance(past.now_ms)
        assert shown(walk.screens, past.now_ms) == shown(past.screens, past.now_ms)


def test_a_record_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "wall.sqlite")) as newer:
        newer.execute("PRAGMA user_version = 99")
    past = Past(tmp_path)
    with pytest.raises(SchemaError), past.recording():
        pass


def test_of_several_values_within_a_second_the_last_is_kept(tmp_path: Path) -> None:
    past = Past(tmp_path)
    with past.recording() as recorder:
        past.now_ms += SECOND
        for n in range(100):
            past.now_ms += 5
            past.show(value(past, n))
        past.now_ms += SECOND
        recorder.settle()
    pieces = past.timeline.open(BEGIN_MS)
    written = pieces.first.stretch.rows.value.tolist()
    assert len(written) <= 2  # it may have been written in the middle of the second
    assert written[-1] == 99
    assert first_value(past, past.now_ms) == 99


def test_a_late_value_in_the_second_of_a_newer_one_does_not_take_its_place(tmp_path: Path) -> None:
    past = Past(tmp_path)
    with past.recording():
        past.now_ms = BEGIN_MS + MINUTE
        past.show(value(past, 7))
        past.now_ms += 1
        past.show(Change(Batch.of([0], [past.now_ms - 30 * SECOND], [3], Flag.PASS)))
        past.now_ms += SECOND
        assert shown(past.screens, past.now_ms)["items"]
    assert first_value(past, past.now_ms) == 7
