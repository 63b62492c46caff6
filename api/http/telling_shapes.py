"""What officers are shown of messages to people, and what they send; for the OpenAPI document."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from alerts.farmers.broadcast import ISSUER_MAX, PLACES_MAX, TEXT_MAX, TITLE_MAX
from api.http.bodies import Body, Note, Ver, When
from api.http.shapes import Shape

IDS_MAX: Final = 500
"""Of held messages that one request names."""

_Channel = Annotated[str, Field(max_length=80)]
_Event = Annotated[str, Field(max_length=100)]


class BroadcastBody(Body):
    """A bulletin to be told to farmers, in Vietnamese, as it was issued."""

    title: Annotated[str, Field(min_length=1, max_length=TITLE_MAX)]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]
    issuer: Annotated[str, Field(min_length=1, max_length=ISSUER_MAX)]
    issued: When
    official: Annotated[int, Field(ge=1, le=5)] | None = Field(
        None, description="the disaster-risk level that it states"
    )
    places: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=80)]],
        Field(min_length=1, max_length=PLACES_MAX),
    ] = Field(description='ids of intakes, or `["*"]` for all')
    valid_until: When
    note: Note = ""


class PreviewBody(Body):
    """As far as it is written; nothing is entered."""

    title: Annotated[str, Field(max_length=TITLE_MAX)] = ""
    text: Annotated[str, Field(max_length=TEXT_MAX)] = ""
    issuer: Annotated[str, Field(max_length=ISSUER_MAX)] = ""
    official: Annotated[int, Field(ge=1, le=5)] | None = None
    issued: When | None = Field(None, description="now where it is left out")
    places: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=PLACES_MAX)] = (
        Field([], description='ids of intakes, or `["*"]`; none reaches nobody')
    )


class DecideBody(Body):
    """Confirming, refusing or withdrawing one."""

    ver: Ver = Field(description="the `ver` of the broadcast that you read")
    note: Note = ""


class HeldBody(Body):
    """Which of the messages that are held: by their numbers, or all of a channel or an event."""

    ids: (
        Annotated[list[Annotated[int, Field(ge=1, le=2**62)]], Field(max_length=IDS_MAX)] | None
    ) = None
    channel: _Channel | None = None
    event: _Event | None = None


class TrialBody(Body):
    """A trial message to oneself."""

    channel: _Channel
    address: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="as the channel takes it; it is forgotten within the hour"
    )
    lang: Literal["vi", "en"] = "vi"


class MonthShape(Shape):
    sent: int
    delivered: int
    undelivered: int
    parts: int
    cost: int = Field(description="đồng")


class ChannelShape(Shape):
    name: str
    kind: str
    way: str = Field(description="of its breaker: closed (all is well), open, half-open")
    trouble: str | None = Field(description="why nothing goes")
    again: int | None = Field(description="when it is tried next, epoch ms")
    waiting: int
    oldest: int | None = Field(description="when the oldest that waits was made, epoch ms")
    put_off: dict[str, int] = Field(description="notices that restraint keeps for later, by why")
    held: dict[str, int] = Field(description="notices that are kept back, by why")
    month: MonthShape
    budget: int | None = Field(description="parts a month; null: no limit")
    spent: int = Field(description="parts of this month")
    cost_per_part: int
    rate_per_s: float
    per_s: float = Field(description="as measured, else as is allowed")
    left_s: float | None = Field(description="of what waits; null while nothing goes")
    last_success: int | None


class TellingDay(Shape):
    day: str
    channel: str
    sent: int = Field(description="what gateways took")
    delivered: int
    undelivered: int
    dropped: int = Field(description="notices that were not told, since nobody misses them")
    parts: int
    cost: int


class SubscribersShape(Shape):
    place: str
    people: int
    crops: dict[str, int]


class PeopleShape(Shape):
    active: int
    pending: int
    by_channel: dict[str, int]
    ever: dict[str, int]
    do_not_contact: int


class TellingShape(Shape):
    now: int
    channels: list[ChannelShape]
    days: list[TellingDay] = Field(description="31 days of Vietnam, the newest first")
    subscribers: list[SubscribersShape]
    people: PeopleShape | None
    unplanned: int = Field(description="messages of the outbox that are yet to be taken")


class MessageShape(Shape):
    id: int
    contact: int = Field(description="a number; never an address")
    channel: str
    place: str
    kind: str
    state: str
    why: str
    t: int


class Messages(Shape):
    items: list[MessageShape]
    next: str | None


class EventShape(Shape):
    event: str
    kind: str
    t: int
    places: list[str]
    level: int = Field(description="limit, mg/L; 0: the same for every limit")
    people: int
    messages: int = Field(description="one for each notice and person")
    waiting: int = Field(description="for their channels, or to be taken")
    put_off: int = Field(description="restraint keeps them for later: quiet hours, a moment")
    held: int
    sent: int
    delivered: int
    undelivered: int
    dropped: int
    left_s: float | None = Field(
        description="of those that wait for channels; null while one of these stands"
    )


class Events(Shape):
    items: list[EventShape]


class Moved(Shape):
    moved: int = Field(description="how many it were")
    more: bool = Field(description="there are more; ask again")


class TrialTaken(Shape):
    sent: bool


class SecondShape(Shape):
    words: str
    vi: str
    en: str


class SmsShape(Shape):
    text: str
    length: int
    parts: int
    cut: bool = Field(description="not all of the text has room; its end stands on the page alone")
    second: list[SecondShape] = Field(
        description="words that say something else without diacritics, with why"
    )


class BroadcastShape(Shape):
    id: str
    ver: int
    state: Literal["proposed", "lapsed", "sent", "refused", "withdrawn"]
    title: str
    text: str
    issuer: str
    issued: int
    official: int | None
    places: list[str]
    valid_until: int
    confirm_until: int
    event: str
    t: int
    sms: SmsShape
    who: str


class Broadcasts(Shape):
    items: list[BroadcastShape]


class ReachShape(Shape):
    channel: str
    people: int
    parts: int = Field(description="for each person")
    cost: int = Field(description="đồng, for all of them")


class PreviewShape(Shape):
    sms: SmsShape
    people: int
    cost: int
    channels: list[ReachShape]


SMS: Final[dict[str, Any]] = {
    "text": "BAN TIN CHINH THUC Dai KTTV khu vuc Nam Bo 09:00: Tin canh bao xam nhap man. Man 4 "
    "g/l vao sau 55 km.",
    "length": 103,
    "parts": 1,
    "cut": False,
    "second": [],
}
BROADCAST: Final[dict[str, Any]] = {
    "id": "b7",
    "ver": 1,
    "state": "proposed",
    "title": "Tin cảnh báo xâm nhập mặn",
    "text": "Mặn 4 g/l vào sâu 55 km.",
    "issuer": "Đài KTTV khu vực Nam Bộ",
    "issued": 1766990000000,
    "official": 2,
    "places": ["*"],
    "valid_until": 1767400000000,
    "confirm_until": 1767086400000,
    "event": "bulletin-b7-1767000000000",
    "t": 1767000000000,
    "sms": SMS,
    "who": "an",
}
CHANNEL: Final[dict[str, Any]] = {
    "name": "sms",
    "kind": "sms",
    "way": "open",
    "trouble": "status 503",
    "again": 1767000080000,
    "waiting": 3120,
    "oldest": 1766999880000,
    "put_off": {"quiet": 12},
    "held": {"budget": 40},
    "month": {
        "sent": 18200,
        "delivered": 17900,
        "undelivered": 90,
        "parts": 18350,
        "cost": 7340000,
    },
    "budget": 20000,
    "spent": 18350,
    "cost_per_part": 400,
    "rate_per_s": 20.0,
    "per_s": 18.4,
    "left_s": None,
    "last_success": 1766999900000,
}
TELLING: Final[dict[str, Any]] = {
    "now": 1767000000000,
    "channels": [CHANNEL],
    "days": [
        {"day": "2025-12-29", "channel": "sms", "sent": 1880, "delivered": 1850}
        | {"undelivered": 4, "dropped": 30, "parts": 1880, "cost": 752000}
    ],
    "subscribers": [{"place": "xuan-hoa/river", "people": 812, "crops": {"durian": 640}}],
    "people": {
        "active": 4920,
        "pending": 12,
        "by_channel": {"sms": 4920},
        "ever": {"signed-up": 1200, "imported": 3900},
        "do_not_contact": 31,
    },
    "unplanned": 0,
}
EVENT: Final[dict[str, Any]] = {
    "event": "5f1a0c9be2d47788",
    "kind": "salt",
    "t": 1767000000000,
    "places": ["xuan-hoa/river"],
    "level": 500,
    "people": 5000,
    "messages": 5000,
    "waiting": 3100,
    "put_off": 20,
    "held": 0,
    "sent": 1800,
    "delivered": 78,
    "undelivered": 2,
    "dropped": 0,
    "left_s": 156.0,
}
MESSAGE: Final[dict[str, Any]] = {
    "id": 90210,
    "contact": 417,
    "channel": "sms",
    "place": "xuan-hoa/river",
    "kind": "salt",
    "state": "undelivered",
    "why": "gone",
    "detail": "status 422",
    "tries": 1,
    "t": 1767000000000,
}
