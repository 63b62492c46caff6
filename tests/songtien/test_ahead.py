"""Reading ahead gives what reading gives, faults and all."""

from functools import partial
from pathlib import Path

import pytest

from ingest.faults import ConfigError
from simulators.recording import read
from songtien import ahead, recordings
from songtien.backtest import line
from songtien.bench import season
from songtien.offline import outcomes_of
from tests.songtien.test_stretch import CONFIG

SIZE = season.Size(stations=3, days=2)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "season.jsonl"
    file.write_bytes(b"".join(season.messages(SIZE)))
    return file


def test_pieces_are_the_same(recording: Path) -> None:
    (mine,) = recordings.arrivals(recording, root=season.ROOT)
    (its,) = ahead.pieces(recording)
    assert its.topics == mine.topics
    assert its.payloads == mine.payloads
    assert its.at_ms.tolist() == mine.at_ms.tolist()
    assert its.decoded.seq.tolist() == mine.decoded.seq.tolist()
    for name, column in mine.decoded.value.items():
        assert its.decoded.value[name].tolist() == column.tolist()


def test_time_stands_still_where_it_would_fall_also_from_block_to_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.jsonl"
    times = [5, 4, 3, 2, 10]
    file.write_text("".join(f'{{"at":{t},"topic":"a","payload":""}}\n' for t in times))
    monkeypatch.setattr("simulators.recording.read", partial(read, chunk_bytes=80))
    pieces = list(recordings.messages_of(file))
    assert len(pieces) > 1
    assert [t for piece in pieces for t in piece.at_ms.tolist()] == [5, 5, 5, 5, 10]


def test_a_fault_comes_through(recording: Path) -> None:
    with recording.open("ab") as file:
        file.write(b'{"at":"soon"}\n')
    lines = 3 * 2 * 96 + 1
    with pytest.raises(ConfigError, match=f"line {lines} = "):
        list(ahead.pieces(recording))


def test_long_ones_alone_are_read_ahead(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(_path: Path) -> None:
        pytest.fail("a short recording is read here")

    monkeypatch.setattr(ahead, "pieces", unwanted)
    assert sum(map(len, ahead.arrivals(recording, root=season.ROOT))) == 3 * 2 * 96
    monkeypatch.undo()
    monkeypatch.setattr(ahead, "AHEAD_FROM_BYTES", 1)
    found = outcomes_of(ahead.arrivals(recording, root=season.ROOT), CONFIG, root=season.ROOT)
    here = outcomes_of(recordings.arrivals(recording, root=season.ROOT), CONFIG, root=season.ROOT)
    assert [line(e) for o in found for e in o.events] == [line(e) for o in here for e in o.events]


def test_a_reader_that_is_ended_while_it_writes_is_told(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by the kernel, where memory is short."""
    code = (
        "import os, sys; from songtien import ahead; from pathlib import Path; import io;"
        "whole = io.BytesIO(); ahead.main(Path(sys.argv[1]), whole);"
        "sys.stdout.buffer.write(whole.getvalue()[:-1]); sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    monkeypatch.setattr(ahead, "COMMAND", ("-c", code))
    with pytest.raises(ConfigError, match="reading ahead = -9"):
        list(ahead.pieces(recording))


def test_whoever_stops_early_leaves_no_process(recording: Path) -> None:
    pieces = ahead.pieces(recording)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # a generator
