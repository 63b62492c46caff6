"""A recording as arrivals: what came when, without a broker.

Two kinds: messages (`simulators.recording`), where `at` is the arrival; and a CSV with a mapping,
where a row arrives when it was measured.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

import numpy as np

from ingest.faults import ConfigError, Fault
from ingest.reading import IntArray
from simulators import recording, replay
from simulators.label import Label
from simulators.mapping import CsvMapping
from simulators.recorded import Recorded, is_table, mapping_of_file, read_table
from songtien.decoding import Decoded, decoded


@dataclass(frozen=True, slots=True)
class Piece:
    """Messages in the order of their arrival, in columns. `at_ms`, int64[N], never falls.

    names, codes : the topic of message i is `names[codes[i]]`
    blob, bounds : its payload is `blob[bounds[i]:bounds[i + 1]]`
    """

    at_ms: IntArray
    names: Sequence[str]
    codes: IntArray
    blob: bytes
    bounds: IntArray
    decoded: Decoded

    def __len__(self) -> int:
        return len(self.at_ms)

    @classmethod
    def of(
        cls, at_ms: Sequence[int] | IntArray, topics: Sequence[str], payloads: Sequence[bytes]
    ) -> "Piece":
        numbers: dict[str, int] = {}
        codes = np.array([numbers.setdefault(t, len(numbers)) for t in topics], dtype=np.int64)
        bounds = np.cumsum([0, *map(len, payloads)])
        times = np.asarray(at_ms, dtype=np.int64)
        names = list(numbers)
        return cls(times, names, codes, b"".join(payloads), bounds, decoded(names, codes, payloads))

    @property
    def topics(self) -> list[str]:
        return [self.names[code] for code in self.codes.tolist()]

    @property
    def payloads(self) -> list[bytes]:
        return [self.blob[low:high] for low, high in pairwise(self.bounds.tolist())]

    def cut(self, begin: int, end: int) -> "Piece":
        part = slice(begin, end)
        return Piece(
            self.at_ms[part],
            self.names,
            self.codes[part],
            self.blob,
            self.bounds[begin : min(end, len(self)) + 1],
            self.decoded.cut(begin, end),
        )

    def then(self, other: "Piece") -> "Piece":
        """Both as one."""
        mine, its = _own_blob(self), _own_blob(other)
        return Piece(
            np.concatenate([self.at_ms, other.at_ms]),
            [*self.names, *other.names],
            np.concatenate([self.codes, other.codes + len(self.names)]),
            mine + its,
            np.concatenate(
                [
                    self.bounds[:-1] - self.bounds[0],
                    other.bounds - other.bounds[0] + len(mine),
                ]
            ),
            self.decoded.then(other.decoded),
        )


def _own_blob(piece: Piece) -> bytes:
    return piece.blob[int(piece.bounds[0]) : int(piece.bounds[-1])]


CSV_ROWS_A_MESSAGE: Final = 1
CSV_BOOT: Final = 1
ROWS_TOGETHER: Final = 10_000


@dataclass(slots=True)
class Left:
    """What of a recording could not be taken, by reason, with the first examples in full."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Fault] = field(default_factory=list)


def arrivals(
    path: Path,
    *,
    root: str,
    mapping: CsvMapping | None = None,
    mapping_file: Path | None = None,
    left: Left | None = None,
) -> Iterator[Piece]:
    """All arrivals of a recording in order, many at a time however the file is cut.

    mapping, mapping_file : how to read a CSV; with neither, its own name with .toml
    left : told what of a CSV was left out

    Where `at` falls, time stands still instead, as the service's own clock does. Raises
    ConfigError for a line that is no message, a file that can't be read, a CSV that is none.
    """
    if not is_table(path):
        if mapping is not None or mapping_file is not None:
            accepted = "accepted is a .csv, a .csv.gz or a .parquet where a mapping is given"
            raise ConfigError([Fault("options", "RECORDING", str(path), accepted)])
        yield from messages_of(path)
        return
    how = mapping if mapping is not None else mapping_of_file(path, mapping_file)
    recorded = read_table(path, how)
    if left is not None:
        _note(recorded, left)
    yield from _rows(recorded, root)


def messages_of(path: Path) -> Iterator[Piece]:
    """The messages of a recording as JSON Lines."""
    before_ms = 0
    for lines in recording.read(path).blocks:
        at_ms = np.array([line.at for line in lines], dtype=np.int64)
        at_ms[0] = max(before_ms, int(at_ms[0]))
        at_ms = np.maximum.accumulate(at_ms)
        before_ms = int(at_ms[-1])
        # Of a million lines a call each takes longer than all else here.
        payloads = [
            line.content if line.payload is None else line.payload.encode() for line in lines
        ]
        yield Piece.of(at_ms, [line.topic for line in lines], payloads)


def labels_of(path: Path) -> tuple[Label, ...]:
    """The windows of truth of a recording of messages, which stand in front of them."""
    return recording.read(path).labels


def _rows(recorded: Recorded, root: str) -> Iterator[Piece]:
    messages = replay.messages(
        recorded, root=root, shift_ms=0, batch=CSV_ROWS_A_MESSAGE, boot=CSV_BOOT
    )
    while found := list(islice(messages, ROWS_TOGETHER)):
        yield Piece.of(
            [message.publish_ms for message in found],
            [message.topic for message in found],
            [message.payload for message in found],
        )


def _note(recorded: Recorded, left: Left) -> None:
    left.counts.update(recorded.skipped)
    left.counts.update(recorded.left_out)
    left.examples.extend(recorded.examples)
