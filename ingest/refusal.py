"""What is refused, and why: in words that name the field, its value and what is accepted.

The slow side of reading a payload: nothing here runs for a message that is good.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from re import compile as pattern
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Raw

from ingest.reading import EPOCH_2000_MS

PAYLOAD_BYTES_MAX = 65_536
SHOWN_MAX = 60

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on some bytes; the last on JSON nested a thousand deep."""
_OUT_OF_RANGE = "out of range"  # what msgspec says of a number that no double or int64 holds
OBJECT = msgspec.json.Decoder(dict[str, Raw])
"""One level of a JSON object; what stands under its keys stays text."""


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
class FieldFault:
    """One field that was not taken: its path, why, its value as sent (or "") and the words."""

    where: str
    reason: Reason
    value: str
    text: str

    def __str__(self) -> str:
        return f"{self.where} {f'= {self.value}' if self.value else 'is absent'}: {self.text}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Input that was not taken. `detail` says the field, its value and what is accepted.

    `fields` are the same one by one, where single fields are at fault.
    """

    reason: Reason
    detail: str
    fields: tuple[FieldFault, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of an object is read, and what to say when it can't be."""

    typed: msgspec.json.Decoder[Any]
    untyped: msgspec.json.Decoder[Any]  # the same without its range
    required: bool
    accepted: str
    is_time: bool


ID_LENGTH_MAX = 40
ID_PATTERN = r"[a-z0-9-]{1,40}"
_ID = pattern(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether `text` can be the id of anything: 1 to 40 of a-z, 0-9 and the hyphen."""
    # The cache keeps what it is asked, so it is not asked for what is long.
    return len(text) <= ID_LENGTH_MAX and _matches(text)


@lru_cache(maxsize=4096)
def _matches(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def shown(text: str) -> str:
    """`text` short enough for a line, with nothing in it that a terminal would obey."""
    cut = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def refuse_bytes(payload: bytes) -> Refusal | None:
    """Refuse what is empty, too long or not UTF-8; None where it may be JSON."""
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


def field_faults(
    raw: bytes | Raw, fields: dict[str, Field], where: str, error: Exception
) -> Refusal:
    """Name every field of an object at fault; `error` is what decoding it said."""
    path, prefix = where or "payload", f"{where}." if where else ""
    try:
        values = OBJECT.decode(raw)
    except msgspec.ValidationError:
        whole = FieldFault(path, Reason.SCHEMA, _shown_raw(raw), "accepted is an object")
        return _refusal(whole)
    except UNREADABLE as unreadable:
        text = f"{unreadable}: accepted is JSON"
        return _refusal(FieldFault(path, Reason.NOT_JSON, _shown_raw(raw), text))
    found = tuple(_faults_of(values, fields, prefix))
    if not found:
        # A key that stands twice, once badly (its last value alone is seen here), or a
        # number that no double holds, in a place where anything may stand.
        reason = Reason.RANGE if _OUT_OF_RANGE in str(error) else Reason.SCHEMA
        text = f"{error}: accepted is each field once, and numbers that a double holds"
        return _refusal(FieldFault(path, reason, _shown_raw(raw), text))
    return _refusal(*found)


def _refusal(*found: FieldFault) -> Refusal:
    return Refusal(found[0].reason, "; ".join(map(str, found)), found)


def _faults_of(
    values: dict[str, Raw], fields: dict[str, Field], prefix: str
) -> Iterator[FieldFault]:
    for name, each in fields.items():
        raw = values.get(name)
        if raw is None or is_null(raw):
            if each.required:
                text = f"accepted is {each.accepted}"
                yield FieldFault(f"{prefix}{name}", Reason.SCHEMA, "", text)
            continue
        try:
            each.typed.decode(raw)
        except UNREADABLE:
            text = f"accepted is {each.accepted}"
            yield FieldFault(f"{prefix}{name}", _reason(raw, each), _shown_raw(raw), text)


def _reason(raw: Raw, field: Field) -> Reason:
    try:
        value = field.untyped.decode(raw)
    except UNREADABLE as error:
        # An exponent or a row of digits beyond what a double holds is still a number.
        return Reason.RANGE if _OUT_OF_RANGE in str(error) else Reason.SCHEMA
    return Reason.CLOCK if field.is_time and value < EPOCH_2000_MS else Reason.RANGE


def is_null(raw: Raw) -> bool:
    return bytes(raw).strip() == b"null"


def _shown_raw(raw: bytes | Raw) -> str:
    # Four bytes a character at most; one character more shows that something was cut.
    return shown(bytes(memoryview(raw)[: 4 * (SHOWN_MAX + 1)]).decode(errors="replace"))


def _meta(hint: Any) -> Meta | None:
    """What is said nearest to the outside of an annotated type."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, Meta):
            return meta
    return next(filter(None, map(_meta, get_args(hint))), None)


def fields_of(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """The fields of a struct; the description of each one's `Meta` says what is accepted."""
    annotated = get_type_hints(struct, include_extras=True)
    plain = get_type_hints(struct)
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    fields = {}
    for name, hint in annotated.items():
        meta = _meta(hint)
        assert meta is not None, f"{struct.__name__}.{name} does not say what is accepted"
        fields[name] = Field(
            msgspec.json.Decoder(hint),
            msgspec.json.Decoder(plain[name]),
            required=name in required,
            accepted=str(meta.description),
            is_time=meta.ge == EPOCH_2000_MS,
        )
    return fields
