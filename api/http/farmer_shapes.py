"""What farmers and officers send about subscriptions, and the shapes of the answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.farmers.wishes import LIMIT_MAX_G_L, LIMIT_MIN_G_L
from api.http.bodies import Body
from api.http.shapes import Shape
from api.people.addresses import ADDRESS_MAX
from api.people.terms import FOLLOWS_MAX

Clock = Annotated[str, Field(max_length=5, description='of Vietnam\'s day, "21:00"')]
Notices = Annotated[
    list[Annotated[str, Field(max_length=20)]],
    Field(max_length=10, description="of salt, fresh, windows, silent, bulletin"),
]


class _Hidden(BaseModel):
    """What is wrong with these is said without what was typed: it may be a phone number."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class FollowBody(Body):
    """A place and a crop."""

    place: Annotated[str, Field(max_length=80, description="`intake/side`")]
    crop: Annotated[str, Field(max_length=80, description="its id, or its Vietnamese name")]
    limit_g_l: Annotated[float, Field(ge=LIMIT_MIN_G_L, le=LIMIT_MAX_G_L)] | None = Field(
        None, description="the crop's own where it is left out"
    )
    notices: Notices | None = Field(None, description="all but windows where it is left out")


class QuietBody(Body):
    """Hours without messages."""

    from_: Clock = Field(alias="from")
    to: Clock
    urgent_passes: bool = Field(True, description="that it has become too salty comes even then")


Follows = Annotated[list[FollowBody], Field(min_length=1, max_length=FOLLOWS_MAX)]
Lang = Literal["vi", "en"]


class SignupBody(_Hidden):
    """What somebody wants to be told, and where."""

    channel: Annotated[str, Field(max_length=80, description="of `/api/v1/farmers/channels`")]
    address: Annotated[
        str,
        Field(
            max_length=ADDRESS_MAX,
            description="by the channel: a mobile number as people write it, an e-mail address, "
            "a browser's push subscription as JSON; empty with Telegram, where a link is pressed",
        ),
    ]
    follows: Follows
    quiet: QuietBody | None = None
    lang: Lang = "vi"


class ConfirmBody(_Hidden):
    """The code that came."""

    request: Annotated[str, Field(min_length=1, max_length=64)]
    code: Annotated[str, Field(min_length=1, max_length=32)]


class ChangeBody(_Hidden):
    """What is to be otherwise; what is left out stays."""

    follows: Follows | None = None
    quiet: QuietBody | None = Field(None, description="null: no quiet hours any more")
    lang: Lang | None = None


class FollowsBody(_Hidden):
    """What is to be followed beside what is."""

    follows: Follows


class AddBody(_Hidden):
    """Somebody whom an admin enters, who has agreed on paper."""

    channel: Annotated[str, Field(max_length=80)]
    phone: Annotated[str, Field(min_length=1, max_length=40)]
    follows: Follows
    quiet: QuietBody | None = None
    lang: Lang = "vi"
    consent: Annotated[
        str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="the day they agreed")
    ]


class ChannelShape(Shape):
    name: str
    takes: Literal["phone", "email", "telegram", "webpush", "topic"]


class ChannelsShape(Shape):
    channels: list[ChannelShape]
    notices: list[str]
    follows_max: int


class SignedUpShape(Shape):
    by: Literal["code", "link"]
    request: str
    until: int


class ConfirmedShape(Shape):
    token: str


class QuietShape(Shape):
    from_: str = Field(alias="from")
    to: str
    urgent_passes: bool


class FollowShape(Shape):
    place: str
    crop: str
    crop_vi: str
    crop_en: str
    limit_g_l: float
    notices: list[str]


class MeShape(Shape):
    channel: str
    address: str = Field(description='masked: "09xx xxx 678"')
    lang: Lang
    quiet: QuietShape | None
    follows: list[FollowShape]
    created: int
    confirmed: int | None


class SubscriptionShape(MeShape):
    id: int
    state: Literal["pending", "active", "leaving", "trial"]
    origin: Literal["self", "list"]
    officer: str
    consent: str


class SubscriptionsShape(Shape):
    items: list[SubscriptionShape]
    next: str | None


class CountsShape(Shape):
    active: int
    pending: int
    do_not_contact: int
    by_place: dict[str, int]
    by_channel: dict[str, int]
    ever: dict[str, int]


class ExportShape(Shape):
    number: int
    channel: str
    address: str
    follows: list[FollowShape]


class DoneShape(Shape):
    done: Literal[True]


class LineShape(Shape):
    line: int
    done: Literal["done", "changed", "already", "refused"]
    phone: str


class ReportShape(Shape):
    dry_run: bool
    counts: dict[str, int]
    repaired: int
    passed_over: list[str]
    lines: list[LineShape]


class TakenShape(Shape):
    did: Literal["stopped", "confirmed", "nothing", "noted"]
