"""What `songtien lint` is given, line by line: payloads, recordings, `mosquitto_sub -v`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from ingest.refusal import UNREADABLE
from simulators.recording import ACCEPTED, LINES

HELD_BYTES_MAX: Final = 2**18
"""A payload over several lines that is longer is told as it is: four times what is accepted."""

_TOPIC: Final = re.compile(rb"([^\s{\[\"/]*/\S*)\s(.*)", re.DOTALL)
_TEXT: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_EMPTY: Final = b"(null)"
"""What `mosquitto_sub -v` writes for a message without content."""


class LineError(Exception):
    """A line of a recording that is no message of one."""


@dataclass(frozen=True, slots=True)
class Given:
    """One message as it was given; what is None is not known.

    line : the line on which it begins, from 1
    """

    line: int
    payload: bytes
    topic: str | None = None
    at_ms: int | None = None
    retain: bool | None = None
    qos: int | None = None


_ABSENT: Final = msgspec.Raw()


class _Line(msgspec.Struct):
    """Which keys a line of JSON has: no more of it is kept, however long it is."""

    v: msgspec.Raw = _ABSENT
    samples: msgspec.Raw = _ABSENT
    s: msgspec.Raw = _ABSENT
    at: msgspec.Raw = _ABSENT
    topic: msgspec.Raw = _ABSENT
    songtien: msgspec.Raw = _ABSENT
    label: msgspec.Raw = _ABSENT
    gap: msgspec.Raw = _ABSENT

    def has(self, *names: str) -> bool:
        """Whether any of them is there."""
        return any(bytes(getattr(self, name)) for name in names)


_LINE: Final = msgspec.json.Decoder(_Line)


class Framer:
    """Lines into messages, each as soon as it is whole. A payload may run over several lines."""

    def __init__(self) -> None:
        self.lines = 0
        self._held: Given | None = None
        self._pieces: list[bytes] = []
        self._depth = self._size = 0

    def line(self, text: bytes) -> Iterator[Given]:
        """The messages that end with this line. Raises LineError."""
        self.lines += 1
        text = text.rstrip(b"\r\n")
        if self._held is not None:
            if not _begins(text):
                self._pieces.append(text)
                self._depth += _opened(text)
                self._size += len(text) + 1
                if self._depth <= 0 or self._size > HELD_BYTES_MAX:
                    yield from self.end()
                return
            yield from self.end()
        if not text.strip():
            return
        topic = _TOPIC.fullmatch(text)
        if topic is not None:
            payload = b"" if topic[2] == _EMPTY else topic[2]
            given = Given(self.lines, payload, topic[1].decode(errors="replace"))
        else:
            recorded = _recorded(text, self.lines)
            if recorded is not None:
                yield from recorded
                return
            given = Given(self.lines, text)
        last = given.payload.rstrip()[-1:]
        is_short = len(given.payload) <= HELD_BYTES_MAX
        self._depth = _opened(given.payload) if is_short and last in b"{[,:" else 0
        if self._depth > 0:
            self._held, self._pieces, self._size = given, [given.payload], len(given.payload)
        else:
            yield given

    def end(self) -> Iterator[Given]:
        """What was still open when the input ended."""
        held, self._held = self._held, None
        if held is not None:
            yield Given(held.line, b"\n".join(self._pieces), held.topic)


def _recorded(text: bytes, line: int) -> list[Given] | None:
    """What a line of a recording holds, None where it is of none."""
    found = _keys(text)
    if found is None:
        return None
    if found.has("songtien", "label", "gap") and not found.has("samples"):
        return []
    if not (found.has("at") and found.has("topic")):
        return None
    try:
        message = LINES.decode(text)
        payload = message.content
    except (*UNREADABLE, AssertionError) as error:
        raise LineError(f"line {line}: {error}; {ACCEPTED}") from error
    return [Given(line, payload, message.topic, message.at, message.retain or None)]


def _keys(text: bytes) -> _Line | None:
    try:
        return _LINE.decode(text)
    except UNREADABLE:
        return None


def _begins(text: bytes) -> bool:
    """Whether a line begins a message of its own, though another was still open."""
    if _TOPIC.fullmatch(text):
        return True
    found = _keys(text)
    return found is not None and found.has(*_Line.__struct_fields__)


def _opened(text: bytes) -> int:
    """How many brackets a line opens and does not close; JSON's texts end with their line."""
    bare = _TEXT.sub(b"", text)
    opened = bare.count(b"{") + bare.count(b"[")
    return opened - bare.count(b"}") - bare.count(b"]")
