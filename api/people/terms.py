"""What is asked of `api.people.People`, and what it answers. Pure.

The JSON routes and the farmers' page share these: an answer says why by an enum, each shows it
in its own words. No address and no secret shows in the `repr` of anything here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from alerts.farmers.person import Follow, Quiet

LANGS: Final = ("vi", "en")
FOLLOWS_MAX: Final = 10
"""That one person may have: places and crops of one farm, not of a district."""

Direct = Callable[[int, str, str, Mapping[str, Any], str, int], object]
"""(contact, channel, kind, said, key, now_ms): a message that answers one person.

kind is "code" (said: code, lang), "welcome" (said: lang) or "stopped" (said: lang), of which the
last says that all has stopped, or, with `left`, that these places (`intake/side`) have and others
go on, or, with `asked` (an intake) and `side` ("" for either), that nothing has: he follows others. The same `key` is sent once, however often it is asked for.
"""


class SignupWhy(StrEnum):
    """What came of a wish to be told."""

    SENT = "sent"
    """A code is on its way. The same for numbers that are known and that are not."""
    START = "start"
    """No code: the chat's owner presses the link that carries `request`, and is told."""
    NO_CHANNEL = "no-channel"
    BAD_ADDRESS = "bad-address"
    NO_FOLLOWS = "no-follows"
    TOO_MANY_FOLLOWS = "too-many-follows"
    TOO_SOON = "too-soon"
    """For this address, or from where it is asked: come again after `retry_after_s`."""
    BUSY = "busy"
    """Very many ask for codes at this hour: come again after `retry_after_s`."""


class ConfirmWhy(StrEnum):
    """What came of a code."""

    DONE = "done"
    WRONG = "wrong"
    OVER = "over"
    """Too late, tried too often, used already, or never asked for: ask for a new code."""
    TOO_MANY_FOLLOWS = "too-many-follows"
    """Together with what is followed already."""


class ChangeWhy(StrEnum):
    """What came of a change of what is followed, or how."""

    DONE = "done"
    UNKNOWN = "unknown"
    """Nobody has this token: stopped, erased, or never there."""
    NO_FOLLOWS = "no-follows"
    TOO_MANY_FOLLOWS = "too-many-follows"
    TOO_SOON = "too-soon"
    """Much was added lately: come again after `api.people.people.People.add_wait_s`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks to be told, and where.

    channel : name of a configured channel
    address : as typed: a phone number, an e-mail address, … by the channel; "" with Telegram,
        where the chat is known once its owner has pressed the link
    """

    channel: str
    address: str = field(repr=False)
    follows: tuple[Follow, ...]
    quiet: Quiet | None = None
    lang: str = "vi"


@dataclass(frozen=True, slots=True)
class SignedUp:
    """What came of it, and how it goes on.

    request : what `confirm` is asked with beside the code; "" unless SENT or START
    until_ms : till when the code is good, or the link
    detail : of BAD_ADDRESS and NO_CHANNEL, what is accepted, in English; never what was typed
    detail_vi : the same in Vietnamese
    """

    why: SignupWhy
    request: str = field(default="", repr=False)
    until_ms: int = 0
    retry_after_s: int = 0
    detail: str = ""
    detail_vi: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of it.

    token : by which the person sees, changes, exports and erases what is stored; "" unless
    DONE
    tries_left : of WRONG
    """

    why: ConfirmWhy
    token: str = field(default="", repr=False)
    tries_left: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored about a person, the address masked ("09xx xxx 123").

    origin : "self", or "list" where a community's list brought them
    officer : who imported that list; "" of those who came by themselves
    consent : the date of consent that the list gives, YYYY-MM-DD
    state : "pending", "active", "leaving" (a last message says that all has stopped) or "trial"
        (an officer's trial message)
    """

    id: int
    channel: str
    masked: str
    lang: str
    quiet: Quiet | None
    follows: tuple[Follow, ...]
    state: str
    origin: str
    officer: str
    consent: str
    created_ms: int
    confirmed_ms: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be otherwise; None leaves it. `quiet_off` takes quiet hours away."""

    follows: tuple[Follow, ...] | None = None
    quiet: Quiet | None = None
    quiet_off: bool = False
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """For the operator: how many, never who.

    by_place : "intake/side" -> active people who follow it
    by_channel : channel -> active people
    ever : "signed-up", "imported", "confirmed", "stopped", "erased", "gone" (the address is no
        more) -> times since the file began
    """

    active: int
    pending: int
    by_place: Mapping[str, int]
    by_channel: Mapping[str, int]
    ever: Mapping[str, int]
    do_not_contact: int
