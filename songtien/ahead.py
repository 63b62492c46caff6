"""A recording of messages read and decoded ahead, by a process beside the one that judges it.

Half of the work on a long recording is reading it. A process of its own does that on another
processor and hands over pieces in columns; what it gives is what `recordings.arrivals` gives.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from ingest.faults import ConfigError, Fault
from ingest.snapshot import pack, unpack
from simulators.mapping import CsvMapping
from simulators.recorded import is_table
from songtien import recordings
from songtien.decoding import Decoded
from songtien.recordings import Left, Piece, messages_of

AHEAD_FROM_BYTES: Final = 32 * 2**20
"""Below that the other process is not worth its start."""

COMMAND: Final[Sequence[str]] = ("-m", "songtien.ahead")

_LENGTH: Final = struct.Struct("<Q")


def arrivals(
    path: Path,
    *,
    root: str,
    mapping: CsvMapping | None = None,
    mapping_file: Path | None = None,
    left: Left | None = None,
) -> Iterator[Piece]:
    """As `recordings.arrivals`; a long recording of messages is read ahead."""
    alone = mapping is not None or mapping_file is not None or is_table(path)
    if alone or (os.cpu_count() or 1) < 2 or path.stat().st_size < AHEAD_FROM_BYTES:
        yield from recordings.arrivals(
            path, root=root, mapping=mapping, mapping_file=mapping_file, left=left
        )
    else:
        yield from pieces(path)


def pieces(path: Path) -> Iterator[Piece]:
    """The messages of a recording; raises `ConfigError` as `recordings.arrivals` does."""
    command = [sys.executable, *COMMAND, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:  # noqa: S603 - ourselves
        assert reader.stdout is not None
        try:
            while (frame := _frame(reader.stdout)) is not None:
                if "faults" in frame:
                    raise ConfigError([Fault(*fault) for fault in frame["faults"]])
                yield _piece(frame)
            if reader.wait() != 0:
                told = "accepted is a machine with memory for two processes"
                raise ConfigError([Fault(str(path), "reading ahead", reader.returncode, told)])
        finally:
            reader.kill()  # whoever needs no more of it does not wait for the rest


def _frame(source: IO[bytes]) -> dict[str, Any] | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    body = source.read(length)
    if len(body) < length:
        return None  # it was ended while it wrote; its exit code says so
    found: dict[str, Any] = unpack(body)
    return found


def _piece(frame: dict[str, Any]) -> Piece:
    return Piece(**{**frame, "decoded": Decoded(**frame["decoded"])})


def _write(frame: dict[str, Any], target: IO[bytes]) -> None:
    body = pack(frame)
    target.write(_LENGTH.pack(len(body)))
    target.write(body)


def _fields(piece: Piece) -> dict[str, Any]:
    found = {name: getattr(piece, name) for name in Piece.__slots__}
    said = piece.decoded
    return {**found, "decoded": {name: getattr(said, name) for name in Decoded.__slots__}}


def main(path: Path, target: IO[bytes]) -> None:
    """What the process beside does."""
    try:
        for piece in messages_of(path):
            _write(_fields(piece), target)
    except ConfigError as error:
        faults = [[f.file, f.key, f.value, f.accepted] for f in error.faults]
        _write({"faults": faults}, target)
    target.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.stdout.buffer)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()  # nobody reads any more, and nobody is to hear of it
