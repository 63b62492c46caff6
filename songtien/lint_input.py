"""What `songtien lint` is given, line by line: payloads, recordings, `mosquitto_sub -v`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingest.refusal import UNREADABLE
from simulators.recording import ACCEPTED, LINES

HELD_BYTES_MAX: Final = 2**18
"""A payload over several lines that is longer is told as it is: four times what is accepted."""

_ANY: Final = msgspec.json.Decoder(Any)
_TOPIC: Final = re.compile(rb"([^\s{\[\"]+/[^\s]*)\s(.*)", re.DOTALL)
_TOP_LEVEL: Final = frozenset(("v", "samples", "s", "at", "topic", "songtien", "label", "gap"))
_NOT_MESSAGES: Final = ("songtien", "label", "gap")
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


class Framer:
    """Lines into messages, each as soon as it is whole. A payload may run over several lines."""

    def __init__(self) -> None:
        self.lines = 0
        self._held: Given | None = None

    def line(self, text: bytes) -> Iterator[Given]:
        """The messages that end with this line. Raises LineError."""
        self.lines += 1
        text = text.rstrip(b"\r\n")
        if self._held is not None:
            if not _begins(text):
                yield from self._goes_on(self._held, text)
                return
            yield self._held
            self._held = None
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
        if _is_open(given.payload):
            self._held = given
        else:
            yield given

    def end(self) -> Iterator[Given]:
        """What was still open when the input ended."""
        if self._held is not None:
            yield self._held
            self._held = None

    def _goes_on(self, held: Given, text: bytes) -> Iterator[Given]:
        whole = Given(held.line, held.payload + b"\n" + text, held.topic)
        if _is_truncated(whole.payload) and len(whole.payload) <= HELD_BYTES_MAX:
            self._held = whole
        else:
            self._held = None
            yield whole


def _recorded(text: bytes, line: int) -> list[Given] | None:
    """What a line of a recording holds, None where it is of none."""
    document = _document(text)
    if not isinstance(document, Mapping):
        return None
    if "samples" not in document and any(name in document for name in _NOT_MESSAGES):
        return []
    if not {"at", "topic"} <= document.keys():
        return None
    try:
        found = LINES.decode(text)
        payload = found.content
    except (*UNREADABLE, AssertionError) as error:
        raise LineError(f"line {line}: {error}; {ACCEPTED}") from error
    return [Given(line, payload, found.topic, found.at, found.retain or None)]


def _document(text: bytes) -> Any:
    try:
        return _ANY.decode(text)
    except UNREADABLE:
        return None


def _begins(text: bytes) -> bool:
    """Whether a line begins a message of its own, though another was still open."""
    if _TOPIC.fullmatch(text):
        return True
    document = _document(text)
    return isinstance(document, Mapping) and not _TOP_LEVEL.isdisjoint(document)


def _is_open(payload: bytes) -> bool:
    """Whether a line is the beginning of a payload that was written over several."""
    return payload.rstrip()[-1:] in (b"{", b"[", b",", b":") and _is_truncated(payload)


def _is_truncated(payload: bytes) -> bool:
    try:
        _ANY.decode(payload)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except UNREADABLE:
        return False
    return False
