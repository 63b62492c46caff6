"""What devices say: payloads into typed samples, and what is refused, with the reason.

The one door at which input is validated. A message is decoded whole by a typed msgspec
decoder, made once; only one that this refuses is looked at sample by sample and field by
field, so that a bad sample takes no good one with it and its refusal can name the field,
its value and what is accepted. Readers are tolerant: unknown fields are passed over, and
`null` equals absent. No bytes make these functions raise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from re import compile as pattern
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta, Raw

from ingest.reading import EPOCH_2000_MS

PAYLOAD_BYTES_MAX = 65_536
SAMPLES_MAX = 500
T_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999; more is microseconds or worse, not a time."""
INTERVAL_MS_MAX = 86_400_000
SHOWN_MAX = 60

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on some bytes; the last on JSON nested a thousand deep."""
_OUT_OF_RANGE = "out of range"  # what msgspec says of a number that no double or int64 holds


class Reason(StrEnum):
    """Why input is refused: the label under which it is counted and kept."""

    NOT_JSON = "not_json"
    SCHEMA = "schema"  # wrong type, or something needed is absent
    TOPIC = "topic"
    UNKNOWN_DEVICE = "unknown_device"
    RANGE = "range"  # a number out of its type's range
    SIZE = "size"
    CLOCK = "clock"  # a time before 2000
    CONFLICT = "conflict"  # another value stands at this identity
    EMPTY = "empty"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Input that was not taken. `detail` says the field, its value and what is accepted."""

    reason: Reason
    detail: str


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


def decode_state(payload: bytes) -> DeviceState | Refusal:
    """Read a `state` payload. An empty one, a retained state taken back, is `Reason.EMPTY`."""
    refused = _not_text(payload)
    if refused is not None:
        return refused
    try:
        state = _STATE.decode(payload)
    except _UNREADABLE as error:
        return _field_faults(payload, _STATE_FIELDS, "", error)
    if state.s == "sleeping" and state.until is None:
        accepted = _STATE_FIELDS["until"].accepted
        return Refusal(Reason.SCHEMA, f'until is absent with "sleeping": accepted is {accepted}')
    return state


def decode_meta(payload: bytes) -> dict[str, Any] | Refusal:
    """Read a `meta` payload: any object. An empty one is `Reason.EMPTY`."""
    refused = _not_text(payload)
    if refused is not None:
        return refused
    try:
        return _META.decode(payload)
    except _UNREADABLE as error:
        return _field_faults(payload, {}, "", error)


@dataclass(frozen=True, slots=True)
class _Field:
    typed: msgspec.json.Decoder[Any]
    untyped: msgspec.json.Decoder[Any]  # the same without its range
    required: bool
    accepted: str
    is_time: bool


@dataclass(frozen=True, slots=True)
class _Grammar(Generic[S]):
    message: msgspec.json.Decoder[Message[S]]
    sample: msgspec.json.Decoder[S]
    fields: dict[str, _Field]
    fault: Callable[[S], tuple[Reason, str] | None]


def _decode(payload: bytes, grammar: _Grammar[S]) -> Observations[S] | Refusal:
    if len(payload) > PAYLOAD_BYTES_MAX or not payload.isascii():
        refused = _not_text(payload)
        if refused is not None:
            return refused
    try:
        message = grammar.message.decode(payload)
    except _UNREADABLE:
        return _decode_one_by_one(payload, grammar)
    samples = message.samples
    if any(map(grammar.fault, samples)):
        return _decode_one_by_one(payload, grammar)
    if message.sim:
        samples = [msgspec.structs.replace(sample, sim=True) for sample in samples]
    return Observations(message.v, message.boot, message.seq, samples, message.sim)


def _decode_one_by_one(payload: bytes, grammar: _Grammar[S]) -> Observations[S] | Refusal:
    refused = _not_text(payload)
    if refused is not None:
        return refused
    try:
        message = _ENVELOPE.decode(payload)
    except _UNREADABLE as error:
        return _field_faults(payload, _ENVELOPE_FIELDS, "", error)
    sent = len(message.samples)
    if sent == 0:
        return Refusal(Reason.EMPTY, f"samples = []: accepted are 1 to {SAMPLES_MAX}")
    if sent > SAMPLES_MAX:
        return Refusal(Reason.SIZE, f"samples are {sent}: accepted are 1 to {SAMPLES_MAX}")
    samples: list[S | Refusal] = []
    for index, raw in enumerate(message.samples):
        sample = _decode_sample(raw, grammar, f"samples[{index}]")
        if message.sim and not isinstance(sample, Refusal):
            sample = msgspec.structs.replace(sample, sim=True)
        samples.append(sample)
    return Observations(message.v, message.boot, message.seq, samples, message.sim)


def _decode_sample(raw: Raw, grammar: _Grammar[S], where: str) -> S | Refusal:
    try:
        sample = grammar.sample.decode(raw)
    except _UNREADABLE as error:
        without = _without_null_classes(raw)
        if without is not None:
            return _decode_sample(without, grammar, where)
        return _field_faults(raw, grammar.fields, where, error)
    fault = grammar.fault(sample)
    if fault is None:
        return sample
    reason, text = fault
    return Refusal(reason, f"{where}{text}")


def _without_null_classes(raw: Raw) -> Raw | None:
    """The sample without classes that are `null`, or None where it has no such class."""
    try:
        fields = _OBJECT.decode(raw)
    except _UNREADABLE:
        return None
    changed = False
    for name in ("count", "cumulative"):
        try:
            classes = _OBJECT.decode(fields[name])
        except (KeyError, *_UNREADABLE):
            continue
        present = {key: value for key, value in classes.items() if not _is_null(value)}
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


_ID = pattern(r"[a-z0-9-]{1,40}")


@lru_cache(maxsize=4096)
def is_id(text: str) -> bool:
    """Whether `text` can be the id of anything: 1 to 40 of a-z, 0-9 and the hyphen."""
    return _ID.fullmatch(text) is not None


def shown(text: str) -> str:
    """`text` short enough for a line, with nothing in it that a terminal would obey."""
    cut = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _not_text(payload: bytes) -> Refusal | None:
    if not payload:
        return Refusal(Reason.EMPTY, "payload of 0 bytes: accepted is a JSON object")
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Refusal(
            Reason.SIZE,
            f"payload of {len(payload)} bytes: accepted are up to {PAYLOAD_BYTES_MAX}",
        )
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        # msgspec skips over strings that nobody asks for without looking into them.
        value = f"0x{payload[error.start]:02x} at byte {error.start}"
        return Refusal(Reason.NOT_JSON, f"payload has {value}: accepted is JSON in UTF-8")
    return None


def _field_faults(
    raw: bytes | Raw, fields: dict[str, _Field], where: str, error: Exception
) -> Refusal:
    """Name every field of an object at fault; `error` is what decoding it said."""
    try:
        values = _OBJECT.decode(raw)
    except msgspec.ValidationError:
        accepted = "accepted is an object"
        return Refusal(Reason.SCHEMA, f"{where or 'payload'} = {_shown_raw(raw)}: {accepted}")
    except _UNREADABLE as unreadable:
        text = f"{where or 'payload'} = {_shown_raw(raw)}: {unreadable}: accepted is JSON"
        return Refusal(Reason.NOT_JSON, text)
    found = list(_faults_of(values, fields, f"{where}." if where else ""))
    if not found:
        # A key that stands twice, once badly: its last value alone is seen here.
        # Or a number that no double holds, in a place where anything may stand.
        reason = Reason.RANGE if _OUT_OF_RANGE in str(error) else Reason.SCHEMA
        return Refusal(reason, f"{where or 'payload'} = {_shown_raw(raw)}: {error}")
    return Refusal(found[0][0], "; ".join(text for _, text in found))


def _faults_of(
    values: dict[str, Raw], fields: dict[str, _Field], prefix: str
) -> Iterator[tuple[Reason, str]]:
    for name, field in fields.items():
        raw = values.get(name)
        if raw is None or _is_null(raw):
            if field.required:
                yield Reason.SCHEMA, f"{prefix}{name} is absent: accepted is {field.accepted}"
            continue
        try:
            field.typed.decode(raw)
        except _UNREADABLE:
            text = f"{prefix}{name} = {_shown_raw(raw)}: accepted is {field.accepted}"
            yield _reason(raw, field), text


def _reason(raw: Raw, field: _Field) -> Reason:
    try:
        value = field.untyped.decode(raw)
    except _UNREADABLE as error:
        # An exponent or a row of digits beyond what a double holds is still a number.
        return Reason.RANGE if _OUT_OF_RANGE in str(error) else Reason.SCHEMA
    return Reason.CLOCK if field.is_time and value < EPOCH_2000_MS else Reason.RANGE


def _is_null(raw: Raw) -> bool:
    return bytes(raw).strip() == b"null"


def _shown_raw(raw: bytes | Raw) -> str:
    # Four bytes a character at most; one character more shows that something was cut.
    return shown(bytes(memoryview(raw)[: 4 * (SHOWN_MAX + 1)]).decode(errors="replace"))


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message whose samples are still to be read."""

    v: Annotated[Literal[1], Meta(description="1")]
    samples: Annotated[list[Raw], Meta(description=f"a list of 1 to {SAMPLES_MAX} samples")]
    boot: Counter | None = None
    seq: Counter | None = None
    sim: Sim = False


def _meta(hint: Any) -> Meta | None:
    """What is said nearest to the outside of an annotated type."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, Meta):
            return meta
    return next(filter(None, map(_meta, get_args(hint))), None)


def _fields_of(struct: type[msgspec.Struct]) -> dict[str, _Field]:
    annotated = get_type_hints(struct, include_extras=True)
    plain = get_type_hints(struct)
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    fields = {}
    for name, hint in annotated.items():
        meta = _meta(hint)
        assert meta is not None, f"{struct.__name__}.{name} does not say what is accepted"
        fields[name] = _Field(
            msgspec.json.Decoder(hint),
            msgspec.json.Decoder(plain[name]),
            required=name in required,
            accepted=str(meta.description),
            is_time=meta is _TIME,
        )
    return fields


_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_META = msgspec.json.Decoder(dict[str, Any])
_STATE = msgspec.json.Decoder(DeviceState)
_STATE_FIELDS = _fields_of(DeviceState)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENVELOPE_FIELDS = _fields_of(_Envelope)
_SALINITY = _Grammar(
    msgspec.json.Decoder(Message[SalinitySample]),
    msgspec.json.Decoder(SalinitySample),
    _fields_of(SalinitySample),
    _salinity_fault,
)
_TRAFFIC = _Grammar(
    msgspec.json.Decoder(Message[TrafficSample]),
    msgspec.json.Decoder(TrafficSample),
    _fields_of(TrafficSample),
    _traffic_fault,
)
