"""Recordings: MQTT messages in a file, JSON Lines, plain or as .gz (docs/recording.md).

    {"songtien":"recording","v":1,"from":1767000000000,"to":1767086400000}
    {"label":"stuck","from":…,"to":…,"device":"xh-01","quantity":"salinity_g_l"}
    {"at":1767000000123,"topic":"tiengiang/v1/…/obs","payload":"{…}"}
    {"at":1767000000125,"topic":"tiengiang/v1/…/obs","payload_base64":"/w=="}
    {"gap":"connection lost","from":…,"to":…}

A header if there is one, labels if there are any, then messages in the order of their times,
with a line wherever the recorder heard nothing. `at` is when a message was sent or arrived, ms
UTC. One decoder reads the lines, here and for `songtien backtest`.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Any, Final, Self

import msgspec

from ingest.faults import ConfigError, Fault
from ingest.payload import T_MS_MAX
from ingest.refusal import UNREADABLE
from simulators.label import Label
from simulators.message import Message

VERSION: Final = 1
CHUNK_BYTES: Final = 4 * 2**20
"""Read together where speed is what counts; decoding so much takes some 50 ms."""

LINE_BYTES_MAX: Final = 2**26
PAYLOAD_BYTES_MAX: Final = 2**23
"""Each byte of a payload takes up to six of a line."""

ACCEPTED: Final = (
    'accepted is {"at":ms since 1970 UTC,"topic":"…","payload":"…"}, as `songtien record` and '
    "`songtien simulate --out` write it (docs/recording.md)"
)
_WHOLE: Final = "accepted is a whole file of JSON Lines, plain or as .gz"

Time = Annotated[int, msgspec.Meta(ge=0, le=T_MS_MAX)]


class Line(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A message as its line has it. Of the two payloads one is there; if both, the first."""

    at: Time
    topic: str
    payload: str | None = None
    payload_base64: bytes | None = None
    retain: bool = False

    @property
    def content(self) -> bytes:
        if self.payload is not None:
            return self.payload.encode()
        assert self.payload_base64 is not None
        return self.payload_base64


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing was heard in [from, to), ms UTC; `gap` says why."""

    gap: str
    from_ms: Time = msgspec.field(name="from")
    to_ms: Time = msgspec.field(name="to")


LINES: Final = msgspec.json.Decoder(Line)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
_LABEL: Final = msgspec.json.Decoder(Label)
_GAP: Final = msgspec.json.Decoder(Gap)


@dataclass(slots=True)
class Reach:
    """How far a reader has come: whole lines, gaps among them, and why it ended before the end.

    cut : empty where the file is whole; known once all of it is read
    """

    lines: int = 0
    gaps: list[Gap] = field(default_factory=list)
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """What stands in front, and the rest as it is read: take `blocks` or `messages`, once.

    header : without `songtien` and `v`; empty where a file has none
    blocks : lines many at a time, never empty
    """

    header: Mapping[str, Any]
    labels: tuple[Label, ...]
    blocks: Iterator[list[Line]]
    reach: Reach

    @property
    def messages(self) -> Iterator[Message]:
        """The messages one by one. How many samples they hold is not looked at."""
        for block in self.blocks:
            for line in block:
                yield Message(line.at, line.topic, line.content, retain=line.retain)


def read(path: Path, *, whole: bool = True, chunk_bytes: int = CHUNK_BYTES) -> Recording:
    """Read a recording from its front, in bounded memory.

    whole : a file that is cut off or broken is a fault; else it is read up to there, and
        `reach` tells. That is what a recorder leaves that was killed.
    Raises ConfigError, here or while reading, that names file and line.
    """
    reach = Reach()
    chunks = _chunks(path, reach, whole=whole, size=chunk_bytes)
    header: dict[str, Any] = {}
    labels: list[Label] = []
    rest: list[bytes] = []
    for chunk in chunks:
        at = _take_head(path, chunk, header, labels, reach)
        if at < len(chunk):
            rest.append(chunk[at:])
            break
    blocks = _blocks(path, chain(rest, chunks), reach)
    header = {name: value for name, value in header.items() if name not in ("songtien", "v")}
    return Recording(header, tuple(labels), blocks, reach)


def is_recording(path: Path) -> bool:
    """Whether a file begins as one, whatever its name is."""
    try:
        with _opened(path) as file:
            first = file.readline(LINE_BYTES_MAX).strip()
    except (OSError, EOFError, zlib.error):
        return False
    return first.startswith(b"{")


def _take_head(
    path: Path, chunk: bytes, header: dict[str, Any], labels: list[Label], reach: Reach
) -> int:
    """Take header and labels off the front of a chunk; where the first other line begins."""
    at = 0
    while at < len(chunk):
        end = chunk.find(b"\n", at)
        end = len(chunk) if end < 0 else end
        line = chunk[at:end]
        if line.strip():
            content = _content(path, line, reach.lines + 1)
            if "songtien" in content and "topic" not in content:
                if header or labels:
                    raise _fault(path, reach.lines + 1, line, "accepted is one header, first")
                header.update(_checked_header(path, content, reach.lines + 1))
            elif "label" in content and "topic" not in content:
                labels.append(_decoded(_LABEL, path, line, reach.lines + 1))
            else:
                return at
        reach.lines += 1
        at = end + 1
    return at


def _checked_header(path: Path, content: dict[str, Any], number: int) -> dict[str, Any]:
    kind, version = content["songtien"], content.get("v")
    if kind != "recording" or version != VERSION:
        shown = {"songtien": kind, "v": version}
        told = f'accepted is "songtien":"recording" with "v":{VERSION}; newer files need a newer '
        raise ConfigError([Fault(str(path), f"line {number}", shown, told + "songtien")])
    return content


def _blocks(path: Path, chunks: Iterator[bytes], reach: Reach) -> Iterator[list[Line]]:
    for chunk in chunks:
        try:
            lines = LINES.decode_lines(chunk)
        except UNREADABLE:
            lines = _one_by_one(path, chunk, reach)
        else:
            if any(line.payload is None and line.payload_base64 is None for line in lines):
                lines = _one_by_one(path, chunk, reach)
        reach.lines += chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        if lines:
            yield lines


def _one_by_one(path: Path, chunk: bytes, reach: Reach) -> list[Line]:
    """The messages of a chunk that holds something else too: gaps, or a line that is none."""
    found = []
    for number, text in enumerate(chunk.split(b"\n"), reach.lines + 1):
        if not text.strip():
            continue
        try:
            line = LINES.decode(text)
        except UNREADABLE:
            content = _content(path, text, number)
            if "gap" in content and "topic" not in content:
                reach.gaps.append(_decoded(_GAP, path, text, number))
                continue
            if content.keys() & {"songtien", "label"} and "topic" not in content:
                told = "accepted are header and labels before the first message"
                raise _fault(path, number, text, told) from None
            _decoded(LINES, path, text, number)
        if line.payload is None and line.payload_base64 is None:
            raise _fault(path, number, text, f"it has no payload; {ACCEPTED}")
        found.append(line)
    return found


def _content(path: Path, line: bytes, number: int) -> dict[str, Any]:
    found: dict[str, Any] = _decoded(_OBJECT, path, line, number)
    return found


def _decoded(decoder: msgspec.json.Decoder[Any], path: Path, line: bytes, number: int) -> Any:
    try:
        return decoder.decode(line)
    except UNREADABLE as error:
        raise _fault(path, number, line, f"{error}; {ACCEPTED}") from None


def _fault(path: Path, number: int, line: bytes, told: str) -> ConfigError:
    shown = line[:60].decode("utf-8", "replace")
    return ConfigError([Fault(str(path), f"line {number}", shown, told)])


def _opened(path: Path) -> IO[bytes]:
    """By what it begins with, not by its name: a file keeps its content when it is renamed."""
    raw = path.open("rb")
    try:
        packed = raw.read(2) == b"\x1f\x8b"
    except BaseException:
        raw.close()
        raise
    raw.close()
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _chunks(path: Path, reach: Reach, *, whole: bool, size: int) -> Iterator[bytes]:
    """The file's bytes in pieces of whole lines; what is behind the last newline comes last."""
    held: list[bytes] = []
    length = 0
    try:
        with _opened(path) as file:
            # One read may fail after it has unpacked much; read1 gives what there is before.
            while read := file.read1(size - length if size > length else size):  # type: ignore[attr-defined]
                held.append(read)
                length += len(read)
                if length < size:
                    continue
                head, newline, tail = b"".join(held).rpartition(b"\n")
                held, length = [tail], len(tail)
                if newline:
                    yield head + newline
                elif length > LINE_BYTES_MAX:
                    told = f"accepted are lines of at most {LINE_BYTES_MAX} bytes"
                    raise _fault(path, reach.lines + 1, tail, told)
    except FileNotFoundError:
        raise ConfigError([Fault("recording", "file", str(path), "a file that exists")]) from None
    except (OSError, EOFError, zlib.error) as error:
        if whole:
            raise ConfigError([Fault(str(path), "the file", str(error), _WHOLE)]) from error
        reach.cut = str(error)
    yield from _last(b"".join(held), reach, whole=whole)


def _last(rest: bytes, reach: Reach, *, whole: bool) -> Iterator[bytes]:
    """What is left at the end: whole lines, and one that was being written when it was cut."""
    head, newline, tail = rest.rpartition(b"\n")
    if newline:
        yield head + newline
    if not tail.strip():
        return
    if not whole:
        try:
            _OBJECT.decode(tail)
        except UNREADABLE:
            reach.cut = reach.cut or "the last line is not whole"
            return
    yield tail


class Writer:
    """Lines into a file, as a context. The same calls give the same bytes.

    file : open for binary writing; closed at the end
    packed : as gzip, with neither name nor time in its header, which would make files differ
    """

    def __init__(self, file: IO[bytes], *, packed: bool) -> None:
        self._raw = file
        self._packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if packed else None
        self._write = self._packed.write if self._packed is not None else file.write

    @classmethod
    def to(cls, path: Path, *, mode: str = "wb") -> Self:
        """A file of this name, packed where it ends in .gz. mode : "xb" where none may be there."""
        file: IO[bytes] = path.open(mode)
        return cls(file, packed=path.name.endswith(".gz"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def header(self, content: Mapping[str, object]) -> None:
        self._line({"songtien": "recording", "v": VERSION, **content})

    def label(self, label: Label) -> None:
        self._line(label)

    def gap(self, gap: Gap) -> None:
        self._line(gap)

    def message(self, at_ms: int, topic: str, payload: bytes, *, retain: bool = False) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._line(Line(at_ms, topic, None, payload, retain))
        else:
            self._line(Line(at_ms, topic, text, None, retain))

    def close(self) -> None:
        try:
            if self._packed is not None:
                self._packed.close()
        finally:
            self._raw.close()

    def flush(self) -> None:
        """Whoever reads the file now, or finds it after a kill, finds all that was written."""
        if self._packed is not None:
            self._packed.flush(zlib.Z_SYNC_FLUSH)
        self._raw.flush()

    def _line(self, content: object) -> None:
        self._write(msgspec.json.encode(content) + b"\n")


def write_recording(
    path: Path, header: Mapping[str, object], labels: Iterable[Label], messages: Iterable[Message]
) -> tuple[int, int]:
    """Write a whole recording; the numbers of messages and of samples.

    header : what stands beside `songtien` and `v`, such as scenario, seed, from and to
    """
    with Writer.to(path) as writer:
        writer.header(header)
        for label in labels:
            writer.label(label)
        return write_into(writer, messages)


def write_messages(path: Path, messages: Iterable[Message]) -> tuple[int, int]:
    """Write messages alone, without a header; the numbers of messages and of samples."""
    with Writer.to(path) as writer:
        return write_into(writer, messages)


def write_into(writer: Writer, messages: Iterable[Message]) -> tuple[int, int]:
    """Write messages; the numbers of them and of their samples."""
    count = samples = 0
    for message in messages:
        writer.message(message.publish_ms, message.topic, message.payload, retain=message.retain)
        count += 1
        samples += message.samples
    return count, samples
