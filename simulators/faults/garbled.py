"""Payloads that cannot be read."""

from collections.abc import Iterator

import msgspec

from simulators.faults.fault import Fault, MessageFault, Parameter, Scene, Sent
from simulators.faults.order import drawn, struck


def _cut(payload: bytes, at: float) -> bytes:
    return payload[: int(at * len(payload))]


def _flipped(payload: bytes, at: float) -> bytes:
    """One byte with its highest bit set: no such text is UTF-8."""
    place = int(at * len(payload))
    return payload[:place] + bytes([payload[place] | 0x80]) + payload[place + 1 :]


def _truncated(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    for each in stream:
        if struck(each, fault, scene):
            payload = _cut(each.message.payload, drawn(each, fault, scene, "where"))
            yield _unreadable(each, payload)
        else:
            yield each


def _corrupt(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    for each in stream:
        if each.message.payload and struck(each, fault, scene):
            payload = _flipped(each.message.payload, drawn(each, fault, scene, "where"))
            yield _unreadable(each, payload)
        else:
            yield each


def _unreadable(each: Sent, payload: bytes) -> Sent:
    return Sent(each.sent_ms, msgspec.structs.replace(each.message, payload=payload, samples=0))


_SHARE = Parameter("share", 0.2, 0.0, 1.0, "", "share of the messages that are struck")

TRUNCATED = MessageFault(
    _truncated,
    "the end of the payload is missing: a buffer that was too small",
    "refuses it whole, counts it by reason, keeps it with the dead letters, and goes on",
    parameters=(_SHARE,),
)
CORRUPT = MessageFault(
    _corrupt,
    "a byte with its highest bit set, which is no UTF-8: bad memory, a bad line without a checksum",
    "refuses it whole, counts it by reason, keeps it with the dead letters, and goes on",
    parameters=(_SHARE,),
)
