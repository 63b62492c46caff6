"""What the doors need of the farmers' part: answers at places, people, and who is told what.

Callables are marked as in `api.service`: those of *loop* never block, those of *worker* may
read files and are safe from several threads at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alerts.farmers.gateway import InboundFields, ReportFields
from alerts.farmers.parcel import Form

if TYPE_CHECKING:
    from api.people.people import People

Answers = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""By place (`intake/side`) and limit, mg/L: see `alerts.farmers.answer`."""


@dataclass(frozen=True, slots=True)
class MessagesAsked:
    """Which messages a page shows, newest first; None: all.

    state : of `api.http.telling.STATES`
    event, place, channel : what they are about
    before : shown are those with a lower number
    """

    state: str
    channel: str | None
    place: str | None
    event: str | None
    before: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class HeldAsked:
    """Which of the messages that are held; None: all."""

    ids: tuple[int, ...] | None
    channel: str | None
    event: str | None
    why: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a bulletin would reach over one channel, at most. `cost_per_part` is in đồng."""

    channel: str
    form: Form
    people: int
    cost_per_part: int


@dataclass(frozen=True, slots=True)
class Telling:
    """What officers see and do of messages to people. Without arguments: there are no channels.

    overview : *worker*; channels, days, subscribers, as `GET /api/v1/telling` shows them
    messages : *worker*; without any address
    events : *worker*; the newest so many, each with how far it is
    held : *worker*; numbers of messages that are held
    release : *worker*; lets go what the budget holds; how many it were
    drop : *worker*; nobody is told of these; how many it were
    reach : *worker*; whom a bulletin for these intakes (or "*") would reach
    trial : *worker*; (channel, address, language) -> whether one trial message is on its way;
        False where the owner of the address has stopped all messages. Raises KeyError for a
        channel that there is not, `api.people.addresses.NoAddress`
    held_up : *loop*; whether nothing goes over the channel of this name just now
    """

    overview: Callable[[], Mapping[str, Any]] = lambda: {
        "channels": [],
        "days": [],
        "subscribers": [],
        "people": None,
        "unplanned": 0,
    }
    messages: Callable[[MessagesAsked], Sequence[Mapping[str, Any]]] = lambda _: ()
    events: Callable[[int], Sequence[Mapping[str, Any]]] = lambda _: ()
    held: Callable[[HeldAsked], Sequence[int]] = lambda _: ()
    release: Callable[[Sequence[int]], int] = lambda _: 0
    drop: Callable[[Sequence[int]], int] = lambda _: 0
    reach: Callable[[Sequence[str]], Sequence[Reach]] = lambda _: ()
    trial: Callable[[str, str, str], bool] = lambda channel, _address, _lang: _no_channel(channel)
    held_up: Callable[[str], bool] = lambda _channel: False


def _no_channel(channel: str) -> bool:
    raise KeyError(channel)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a channel's gateway may bring to us.

    kind : of the channel; Telegram's updates have a shape of their own
    secret : by which it is known; "" takes nothing
    inbound, report : where replies and delivery reports say what; None takes none
    """

    kind: str
    secret: str = field(default="", repr=False)
    inbound: InboundFields | None = None
    report: ReportFields | None = None


@dataclass(frozen=True, slots=True)
class Farmers:
    """Filled once, by the wiring. Without arguments: no place is known, nobody can be told.

    answers : *loop*. As they were decided last; `alerts.farmers.answer.as_of` a time
    people : *worker*. Who asked to be told; None where nobody is kept
    gateways : by the name of the channel
    reported : *worker*; (channel, ref, delivered, now_ms), of a delivery report
    site : address of the farmers' page as it stands in messages, "" where there is none
    push_keys : of the channels that tell browsers themselves, the key for browsers, by name
    telling : messages to people, for officers
    broadcasts : *loop*. Bulletins to farmers, see `alerts.desk.Desk.broadcasts`
    """

    answers: Callable[[], Answers] = dict
    people: "People | None" = None
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    reported: Callable[[str, str, bool, int], None] = lambda _channel, _ref, _delivered, _at: None
    site: str = ""
    push_keys: Mapping[str, str] = field(default_factory=dict)
    telling: Telling = field(default_factory=Telling)
    broadcasts: Callable[[], list[dict[str, Any]]] = list
