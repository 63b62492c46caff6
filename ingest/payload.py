"""What devices say: payloads into typed samples, and what is refused, with the reason.

The one door at which input is validated. A message is decoded whole by a typed msgspec
decoder, made once; only one that this refuses is looked at sample by sample and field by
field, so that a bad sample takes no good one with it and its refusal can name the field,
its value and what is accepted. Readers are tolerant: unknown fields are passed over, and
`null` equals absent. No bytes make these functions raise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import msgspec
from msgspec import Meta, Raw

from ingest.reading import EPOCH_2000_MS
from ingest.refusal import (
    OBJECT,
    PAYLOAD_BYTES_MAX,
    UNREADABLE,
    Field,
    Reason,
    Refusal,
    field_faults,
    fields_of,
    is_id,
    is_null,
    refuse_bytes,
    shown,
)

__all__ = [
    "PAYLOAD_BYTES_MAX",
    "SAMPLES_MAX",
    "DeviceState",
    "Message",
    "Observations",
    "Reason",
    "Refusal",
    "SalinitySample",
    "TrafficSample",
    "decode_meta",
    "decode_obs",
    "decode_probes_at_once",
    "decode_state",
]

SAMPLES_MAX = 500
T_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999; more is microseconds or worse, not a time."""
INTERVAL_MS_MAX = 86_400_000


def _number(low: float, high: float, unit: str) -> Meta:
    return Meta(ge=low, le=high, description=f"a number from {low} to {high} {unit}")


def _whole(low: int, high: int, of: str = "") -> Meta:
    return Meta(ge=low, le=high, description=f"a whole number from {low} to {high}{of}")


_TIME = Meta(
    ge=EPOCH_2000_MS,
    le=T_MS_MAX,
    description=f"whole milliseconds since 1970 UTC, from {EPOCH_2000_MS} (2000) to {T_MS_MAX}",
)
_COUNTER_MAX = 2**53  # the largest up to which JSON's readers agree on every whole number

Time = Annotated[int, _TIME]
Sim = Annotated[bool, Meta(description="true or false")]
Counter = Annotated[int, _whole(0, _COUNTER_MAX)]
Conductivity = Annotated[float, _number(0, 200, "mS/cm")]
CountByClass = Annotated[
    dict[str, Annotated[int, Meta(ge=0, le=1_000_000)]],
    Meta(description='an object of whole numbers from 0 to 1000000 by class, {"car":6}'),
]
TotalByClass = Annotated[
    dict[str, Annotated[int, Meta(ge=0, le=_COUNTER_MAX)]],
    Meta(description=f'an object of whole numbers from 0 to {_COUNTER_MAX} by class, {{"car":6}}'),
]


class SalinitySample(msgspec.Struct, frozen=True, gc=False):
    """What a probe measured at `t`, in the units of the names; None is absent."""

    t: Time
    ec_ms_cm: Conductivity | None = None
    ec25_ms_cm: Conductivity | None = None
    sal_g_l: Annotated[float, _number(0, 100, "g/L")] | None = None
    temp_c: Annotated[float, _number(-5, 60, "°C")] | None = None
    depth_m: Annotated[float, _number(0, 200, "m")] | None = None
    level_m: Annotated[float, _number(-50, 50, "m")] | None = None
    battery_v: Annotated[float, _number(0, 100, "V")] | None = None
    sim: Sim = False


class TrafficSample(msgspec.Struct, frozen=True, gc=False):
    """What a camera saw of one lane in `[t0, t1)`; None is absent.

    `count` holds totals of the interval, `cumulative` totals since the camera's last reset;
    where both are given, `count` stands. Classes are as sent, unknown ones included.
    """

    t0: Time
    t1: Time
    lane: Annotated[int, _whole(0, 99)]
    dir: Annotated[str, Meta(description="an id of 1 to 40 characters a-z, 0-9 and -")]
    count: CountByClass | None = None
    cumulative: TotalByClass | None = None
    speed_km_h: Annotated[float, _number(0, 300, "km/h")] | None = None
    occupancy: Annotated[float, _number(0, 1, "(share of the time)")] | None = None
    queue_m: Annotated[float, _number(0, 100_000, "m")] | None = None
    health: Annotated[dict[str, Any], Meta(description="an object")] | None = None
    sim: Sim = False


S = TypeVar("S", SalinitySample, TrafficSample)


class Message(msgspec.Struct, Generic[S], frozen=True, gc=False):
    """The wire form of an `obs` message of one kind."""

    v: Annotated[Literal[1], Meta(description="1")]
    samples: Annotated[list[S], Meta(min_length=1, max_length=SAMPLES_MAX)]
    boot: Counter | None = None
    seq: Counter | None = None
    sim: Sim = False


class Observations(msgspec.Struct, Generic[S], frozen=True, gc=False):
    """A message that could be read: `samples` has one element for each that was sent.

    A message that says `sim` says it of each of its samples, so a reader needs to look at
    the samples alone.
    """

    v: int
    boot: int | None
    seq: int | None
    samples: Sequence[S | Refusal]
    sim: bool


class DeviceState(msgspec.Struct, frozen=True, gc=False):
    """A device's link as it tells it itself; `lost` is its last will.

    `t` may be before 2000: a device is born before its clock is set. `until` goes with
    `sleeping`.
    """

    s: Annotated[
        Literal["ready", "lost", "sleeping", "bye"],
        Meta(description='"ready", "lost", "sleeping" or "bye"'),
    ]
    boot: Counter | None = None
    t: Annotated[int, _whole(0, T_MS_MAX, " (ms since 1970 UTC)")] | None = None
    until: Time | None = None


def decode_obs(
    payload: bytes, kind: str
) -> Observations[SalinitySample] | Observations[TrafficSample] | Refusal:
    """Read an `obs` payload of a device of `kind`, "salinity" or "traffic"."""
    if kind == "salinity":
        return _decode(payload, _SALINITY)
    assert kind == "traffic", kind
    return _decode(payload, _TRAFFIC)


def decode_probes_at_once(
    payloads: Sequence[str | bytes],
) -> Sequence[Message[SalinitySample]] | None:
    """Read `obs` payloads of probes in one go; None where any of them asks for a closer look.

    They are all of one type. What it gives is what `decode_obs` gives of each.
    """
    if not payloads:
        return ()
    # Of letters that take more than a byte each is looked at by itself.
    together: str | bytes
    if isinstance(payloads[0], str):
        together = "\n".join(cast(Sequence[str], payloads))
    else:
        together = b"\n".join(cast(Sequence[bytes], payloads))
    if not together.isascii() or max(map(len, payloads)) > PAYLOAD_BYTES_MAX:
        return None
    try:
        found = _SALINITY.message.decode_lines(together)
    except UNREADABLE:
        return None
    # A payload of several lines would be several, and an empty one none.
    return found if len(found) == len(payloads) else None


def decode_state(payload: bytes) -> DeviceState | Refusal:
    """Read a `state` payload. An empty one, a retained state taken back, is `Reason.EMPTY`."""
    refused = refuse_bytes(payload)
    if refused is not None:
        return refused
    try:
        state = _STATE.decode(payload)
    except UNREADABLE as error:
        return field_faults(payload, _STATE_FIELDS, "", error)
    if state.s == "sleeping" and state.until is None:
        accepted = _STATE_FIELDS["until"].accepted
        return Refusal(Reason.SCHEMA, f'until is absent with "sleeping": accepted is {accepted}')
    return state


def decode_meta(payload: bytes) -> dict[str, Any] | Refusal:
    """Read a `meta` payload: any object. An empty one is `Reason.EMPTY`."""
    refused = refuse_bytes(payload)
    if refused is not None:
        return refused
    try:
        return _META.decode(payload)
    except UNREADABLE as error:
        return field_faults(payload, {}, "", error)


@dataclass(frozen=True, slots=True)
class _Grammar(Generic[S]):
    message: msgspec.json.Decoder[Message[S]]
    sample: msgspec.json.Decoder[S]
    fields: dict[str, Field]
    fault: Callable[[S], tuple[Reason, str] | None]


def _decode(payload: bytes, grammar: _Grammar[S]) -> Observations[S] | Refusal:
    if len(payload) > PAYLOAD_BYTES_MAX or not payload.isascii():
        refused = refuse_bytes(payload)
        if refused is not None:
            return refused
    try:
        message = grammar.message.decode(payload)
    except UNREADABLE:
        return _decode_one_by_one(payload, grammar)
    samples = message.samples
    if any(map(grammar.fault, samples)):
        return _decode_one_by_one(payload, grammar)
    if message.sim:
        samples = [msgspec.structs.replace(sample, sim=True) for sample in samples]
    return Observations(message.v, message.boot, message.seq, samples, message.sim)


def _decode_one_by_one(payload: bytes, grammar: _Grammar[S]) -> Observations[S] | Refusal:
    refused = refuse_bytes(payload)
    if refused is not None:
        return refused
    try:
        message = _ENVELOPE.decode(payload)
    except UNREADABLE as error:
        return field_faults(payload, _ENVELOPE_FIELDS, "", error)
    sent = len(message.samples)
    if sent == 0:
        return Refusal(Reason.EMPTY, f"samples = []: accepted are 1 to {SAMPLES_MAX}")
    if sent > SAMPLES_MAX:
        return Refusal(Reason.SIZE, f"samples are {sent}: accepted are 1 to {SAMPLES_MAX}")
    sim = bool(message.sim)
    samples: list[S | Refusal] = []
    for index, raw in enumerate(message.samples):
        sample = _decode_sample(raw, grammar, f"samples[{index}]")
        if sim and not isinstance(sample, Refusal):
            sample = msgspec.structs.replace(sample, sim=True)
        samples.append(sample)
    return Observations(message.v, message.boot, message.seq, samples, sim)


def _decode_sample(raw: Raw, grammar: _Grammar[S], where: str) -> S | Refusal:
    try:
        sample = grammar.sample.decode(raw)
    except UNREADABLE as error:
        without = _without_nulls(raw)
        if without is not None:
            return _decode_sample(without, grammar, where)
        return field_faults(raw, grammar.fields, where, error)
    fault = grammar.fault(sample)
    if fault is None:
        return sample
    reason, text = fault
    return Refusal(reason, f"{where}{text}")


def _without_nulls(raw: Raw) -> Raw | None:
    """The sample without fields and classes that are `null`; None where it has none such.

    A null where None stands for absent is read on the fast way; this is for the others.
    """
    try:
        sent = OBJECT.decode(raw)
    except UNREADABLE:
        return None
    fields = {name: value for name, value in sent.items() if not is_null(value)}
    changed = len(fields) < len(sent)
    for name in ("count", "cumulative"):
        try:
            classes = OBJECT.decode(fields[name])
        except (KeyError, *UNREADABLE):
            continue
        present = {key: value for key, value in classes.items() if not is_null(value)}
        if len(present) < len(classes):
            fields[name] = Raw(msgspec.json.encode(present))
            changed = True
    return Raw(msgspec.json.encode(fields)) if changed else None


def _salinity_fault(sample: SalinitySample) -> tuple[Reason, str] | None:
    if (
        sample.ec_ms_cm is None
        and sample.ec25_ms_cm is None
        and sample.sal_g_l is None
        and sample.temp_c is None
        and sample.level_m is None
        and sample.depth_m is None
        and sample.battery_v is None
    ):
        return Reason.EMPTY, (
            " has no quantity: accepted is one or more of ec_ms_cm, ec25_ms_cm, sal_g_l, temp_c,"
            " depth_m, level_m, battery_v"
        )
    return None


def _traffic_fault(sample: TrafficSample) -> tuple[Reason, str] | None:
    if not 0 < sample.t1 - sample.t0 <= INTERVAL_MS_MAX:
        return Reason.RANGE, (
            f".t1 = {sample.t1} with t0 = {sample.t0}: accepted is a t1 that is 1 to"
            f" {INTERVAL_MS_MAX} ms (a day) after t0"
        )
    if not is_id(sample.dir):
        accepted = _TRAFFIC.fields["dir"].accepted
        return Reason.SCHEMA, f".dir = {shown(repr(sample.dir))}: accepted is {accepted}"
    if (
        not sample.count
        and not sample.cumulative
        and sample.speed_km_h is None
        and sample.occupancy is None
        and sample.queue_m is None
    ):
        return Reason.EMPTY, (
            " has no quantity: accepted is one or more of count, cumulative, speed_km_h,"
            " occupancy, queue_m"
        )
    return None


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message whose samples are still to be read."""

    v: Annotated[Literal[1], Meta(description="1")]
    samples: Annotated[list[Raw], Meta(description=f"a list of 1 to {SAMPLES_MAX} samples")]
    boot: Counter | None = None
    seq: Counter | None = None
    sim: Sim | None = False


_META = msgspec.json.Decoder(dict[str, Any])
_STATE = msgspec.json.Decoder(DeviceState)
_STATE_FIELDS = fields_of(DeviceState)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENVELOPE_FIELDS = fields_of(_Envelope)
_SALINITY = _Grammar(
    msgspec.json.Decoder(Message[SalinitySample]),
    msgspec.json.Decoder(SalinitySample),
    fields_of(SalinitySample),
    _salinity_fault,
)
_TRAFFIC = _Grammar(
    msgspec.json.Decoder(Message[TrafficSample]),
    msgspec.json.Decoder(TrafficSample),
    fields_of(TrafficSample),
    _traffic_fault,
)
