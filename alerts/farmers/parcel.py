"""What a channel is given, and what it answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """How words are written for a channel."""

    SMS = "sms"
    """GSM-7, without diacritics."""
    SMS_UNICODE = "sms-unicode"
    LONG = "long"
    """Title and body, with diacritics, as long as it takes."""
    ZALO = "zalo"
    """An approved template with its parameters."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words as one channel carries them.

    title : of channels that have one (e-mail, push); "" elsewhere
    body : the words
    template, params : of channels that send approved templates with parameters (Zalo ZNS)
    parts : by which the network counts it (SMS); 1 elsewhere
    warns : it tells of a danger, though it answers somebody
    """

    title: str
    body: str
    parts: int = 1
    template: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to one address. `key` is the same however often it is sent.

    critical : of channels that carry urgency (push)
    """

    key: str
    address: str = field(repr=False)
    text: Text = field(repr=False)
    stop_url: str = field(default="", repr=False)
    critical: bool = False


class Verdict(StrEnum):
    """What an answer means."""

    TAKEN = "taken"
    AGAIN = "again"
    """Nobody there, overloaded, too fast: the same again."""
    REFUSED = "refused"
    """This message is not taken; another may be."""
    GONE = "gone"
    """The address does not exist any more."""
    CLOSED = "closed"
    """The channel itself takes nothing: wrong key, no money. Somebody has to look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`detail` never holds an address, a secret or what the receiver said.

    ref : the gateway's own name for the message, by which it reports delivery; "" if none
    retry_after_s : how long it asks to be left alone
    """

    verdict: Verdict
    detail: str
    ref: str = ""
    retry_after_s: float | None = None
