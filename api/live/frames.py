"""The frames of `live.v1`: what a client may send, and what the service sends.

One of the doors where what comes from outside is validated. Frames are JSON text with the
kind of frame in `op`; fields that are not known are ignored, so a newer client may speak to
an older service.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

SUBPROTOCOL = "live.v1"
FRAME_BYTES_MAX = 65_536

RequestId = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class FrameError(ValueError):
    """A frame that can't be read; the reason is fit to be shown to whoever sent it."""


# What a client sends.


class Auth(Struct, frozen=True, tag_field="op", tag="auth"):
    """Who the client is. `token` is a bearer token or a one-use ticket; absent is anonymous.

    at, speed : with a time the past is shown from there on, at 0 (stands still) to 600 times
        the pace of the clock; judged later, so that what is wrong is told in words
    """

    id: RequestId
    token: Annotated[str, Meta(max_length=4096)] | None = None
    at: Any = None
    speed: Any = None


class Sub(Struct, frozen=True, tag_field="op", tag="sub"):
    """A subscription. `where` and `max_hz` are judged later: what is wrong there is an answer."""

    id: RequestId
    chan: str
    where: Any = None
    max_hz: float | None = None
    pos: Annotated[str, Meta(max_length=128)] | None = None


class Unsub(Struct, frozen=True, tag_field="op", tag="unsub"):
    id: RequestId
    sub: int


class Call(Struct, frozen=True, tag_field="op", tag="call"):
    id: RequestId
    m: str
    p: Any = None


class Pong(Struct, frozen=True, tag_field="op", tag="pong"):
    pass


ClientFrame = Auth | Sub | Unsub | Call | Pong


AlertId = Annotated[str, Meta(min_length=1, max_length=64)]
Version = Annotated[int, Meta(ge=0)]
Note = Annotated[str, Meta(max_length=2000)]


class AlertAck(Struct, frozen=True):
    """Parameters of the call `alert.ack`: `ver` is the version that the officer saw."""

    id: AlertId
    ver: Version
    note: Note | None = None


class AlertShelve(Struct, frozen=True):
    """Parameters of `alert.shelve`: nobody is called because of it until `until`, in ms UTC."""

    id: AlertId
    ver: Version
    until: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class AlertUnshelve(Struct, frozen=True):
    """Parameters of `alert.unshelve`."""

    id: AlertId
    ver: Version
    note: Note | None = None


class AlertNote(Struct, frozen=True):
    """Parameters of `alert.note`: words for the colleagues, without touching the state."""

    id: AlertId
    ver: Version
    note: Annotated[str, Meta(min_length=1, max_length=2000)]


AlertCall = AlertAck | AlertShelve | AlertUnshelve | AlertNote

CALLS: Mapping[str, type[AlertCall]] = {
    "alert.ack": AlertAck,
    "alert.shelve": AlertShelve,
    "alert.unshelve": AlertUnshelve,
    "alert.note": AlertNote,
}
"""The parameters of each call."""


# What the service sends. UNSET is absent, None is null: `null` removes a field from an item.


class HelloLimits(Struct, frozen=True):
    subs: int
    frame: int
    max_hz: float


class HelloRewind(Struct, frozen=True):
    """The past is shown: from when on, how fast, and what it rests on.

    source : "recorded" as the wall was, "rebuilt" from stored readings, "none" is known
    """

    at: int
    speed: float
    source: str


class Hello(Struct, frozen=True, tag_field="op", tag="hello"):
    """Welcome. `name` is that of the token; who came without one has none. With `rewind` the
    past is shown, and `now` is the time in it, here and in every ping.
    """

    id: int
    role: str
    now: int
    ping_s: float
    limits: HelloLimits
    name: str | UnsetType = UNSET
    rewind: HelloRewind | UnsetType = UNSET


class SubOk(Struct, frozen=True, tag_field="op", tag="sub_ok"):
    id: int
    sub: int
    recovered: bool
    pos: str


class Snap(Struct, frozen=True, tag_field="op", tag="snap"):
    sub: int
    more: bool
    pos: str
    items: Raw


class Delta(Struct, frozen=True, tag_field="op", tag="delta"):
    sub: int
    since: str = msgspec.field(name="from")
    pos: str
    changed: Raw = msgspec.field(name="set")
    gone: list[str] = msgspec.field(name="del")
    merged: int


class Event(Struct, frozen=True, tag_field="op", tag="event"):
    """A change of an alert. `who` and `note` go to officers alone."""

    sub: int
    since: str = msgspec.field(name="from")
    pos: str
    type: str
    alert: Raw
    at: int | UnsetType = UNSET
    who: str | UnsetType = UNSET
    note: str | UnsetType = UNSET


class Reset(Struct, frozen=True, tag_field="op", tag="reset"):
    sub: int
    why: str


class Ping(Struct, frozen=True, tag_field="op", tag="ping"):
    """The time. `speed` stands where the past is shown: how fast it goes now."""

    now: int
    pos: dict[str, str]
    speed: float | UnsetType = UNSET


class Ret(Struct, frozen=True, tag_field="op", tag="ret"):
    id: int
    ok: dict[str, Any]


class Err(Struct, frozen=True, tag_field="op", tag="err"):
    id: int
    code: int
    msg: str


ServerFrame = Hello | SubOk | Snap | Delta | Event | Reset | Ping | Ret | Err


class Item(Struct, frozen=True, omit_defaults=True):
    """An item of `state`: whole in a snapshot, only what changed in a delta."""

    k: str
    v: float | UnsetType | None = UNSET
    t: int | UnsetType | None = UNSET
    q: int | UnsetType | None = UNSET
    st: str | UnsetType = UNSET
    station: str | UnsetType = UNSET
    device: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    branch: tuple[str, ...] | UnsetType = UNSET
    expected_s: float | UnsetType = UNSET
    direction: str | UnsetType | None = UNSET
    level: str | UnsetType | None = UNSET
    link: dict[str, Any] | UnsetType | None = UNSET
    sim: bool | UnsetType | None = UNSET
    bound: str | UnsetType | None = UNSET


class EventBody(Struct, frozen=True):
    """What the service's own parts hand over as an event of an alert."""

    type: str
    alert: dict[str, Any]
    at: int | None = None
    who: str | None = None
    note: str | None = None


_client_frames: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_encoder = msgspec.json.Encoder()

encode = _encoder.encode


def text_of(frame: ServerFrame) -> str:
    """The frame as the text that goes over the wire."""
    return _encoder.encode(frame).decode()


def decode(text: str) -> ClientFrame:
    """Read what a client sent.

    Raises
    ------
    FrameError
        Not JSON, not one of the frames above, or a field of the wrong type.
    """
    try:
        if len(text) > FRAME_BYTES_MAX or len(text.encode()) > FRAME_BYTES_MAX:
            raise FrameError(f"a frame may have {FRAME_BYTES_MAX} bytes")
        return _client_frames.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def call_of(method: str, parameters: object) -> AlertCall:
    """Read the parameters of a call of `CALLS`; FrameError says what is wrong with them."""
    try:
        return msgspec.convert(parameters, CALLS[method])
    except msgspec.ValidationError as error:
        raise FrameError(str(error)) from error
