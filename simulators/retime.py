"""Recorded payloads as they would be said at another time, by a device that started anew.

Only what has to change is touched: every other value keeps its bytes. Payloads that can't be
read pass as they are, since a recording of bad input is to be bad input again.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from ingest.refusal import UNREADABLE

Raw = msgspec.Raw
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_LIST = msgspec.json.Decoder(list[Raw])
_INTEGER = msgspec.json.Decoder(int)

SAMPLE_TIMES = ("t", "t0", "t1")
STATE_TIMES = ("t", "until")
_TRUE = Raw(b"true")


class Counters(msgspec.Struct, frozen=True, gc=False):
    """The numbers of a message, where it has any, and how many samples it holds."""

    boot: int | None = None
    seq: int | None = None
    samples: list[Raw] = msgspec.field(default_factory=list)


_COUNTERS = msgspec.json.Decoder(Counters)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to the payloads of one device.

    shift_ms : added to every time; boot, seq : added to the numbers, where they are
    sim : samples are marked as simulated
    """

    shift_ms: int = 0
    boot: int = 0
    seq: int = 0
    sim: bool = False


def counters(payload: bytes) -> Counters | None:
    """Boot, seq and samples of an obs or a state; None where it can't be read."""
    try:
        return _COUNTERS.decode(payload)
    except UNREADABLE:
        return None


def changed(leaf: str, payload: bytes, change: Change) -> tuple[bytes, int] | None:
    """An `obs` or `state` payload after the change, and its samples; None if unreadable.

    A sample that can't be read stays as it is between those that can.
    """
    try:
        said = _OBJECT.decode(payload)
        samples = _LIST.decode(said["samples"]) if leaf == "obs" else []
    except (*UNREADABLE, KeyError):
        return None
    if leaf == "obs":
        if change.shift_ms:
            samples = [_sample(sample, change.shift_ms) for sample in samples]
            said["samples"] = Raw(msgspec.json.encode(samples))
        if change.sim:
            said["sim"] = _TRUE
    else:
        _add(said, STATE_TIMES, change.shift_ms)
    _add(said, ("boot",), change.boot)
    _add(said, ("seq",), change.seq)
    return msgspec.json.encode(said), len(samples)


def _sample(sample: Raw, shift_ms: int) -> Raw:
    try:
        fields = _OBJECT.decode(sample)
    except UNREADABLE:
        return sample
    _add(fields, SAMPLE_TIMES, shift_ms)
    return Raw(msgspec.json.encode(fields))


def _add(said: dict[str, Any], names: tuple[str, ...], step: int) -> None:
    """Add to those of the numbers that are there; what is none stays as it is."""
    if not step:
        return
    for name in names:
        if name in said:
            try:
                said[name] = Raw(b"%d" % (_INTEGER.decode(said[name]) + step))
            except UNREADABLE:
                continue
