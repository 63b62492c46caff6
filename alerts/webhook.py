"""Webhooks, the pure part: who wants which event, what is sent, and what an answer makes of it.

One event is one request. It carries the same idempotency key however often it is sent, and a
signature of the moment, so that a receiver can tell that it comes from us, is whole and is not
an old one played back. Times are arguments, and the jitter is drawn outside.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from alerts.alert import EventType
from alerts.outbox import Outgoing
from alerts.rules import Severity

SIGNATURE: Final = "X-Songtien-Signature"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"

SEVERITIES: Final = tuple(Severity)
"""From the least on."""

EVENT_TYPES: Final = tuple(each.value for each in EventType)

_OF_OFFICERS: Final = frozenset({"who", "note", "shelved_why"})
"""Names and words of officers stay in the house."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one receiver is to hear of.

    events : types of events; empty for all
    simulated : also alerts that simulated readings raised
    """

    events: frozenset[str]
    min_severity: Severity
    simulated: bool


def wants(wanted: Wanted, event: Outgoing) -> bool:
    """Whether this receiver is to hear of this event."""
    alert = event.alert
    if wanted.events and event.type.value not in wanted.events:
        return False
    if alert.get("sim") and not wanted.simulated:
        return False
    return SEVERITIES.index(Severity(alert["severity"])) >= SEVERITIES.index(wanted.min_severity)


def idempotency_key(event: Outgoing) -> str:
    """The same for the same event after any restart: the alert and its place in the log."""
    return f"{event.alert['id']}-{event.pos}"


def payload(event: Outgoing) -> bytes:
    """The body: the event with the whole alert after it, as JSON; no names, no notes."""
    alert = {name: value for name, value in event.alert.items() if name not in _OF_OFFICERS}
    found: dict[str, Any] = {
        "v": 1,
        "key": idempotency_key(event),
        "pos": event.pos,
        "type": event.type.value,
        "at": event.at_ms,
        "alert": alert,
    }
    return msgspec.json.encode(found)


def signature(secret: str, t_s: int, body: bytes) -> str:
    """`t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body" in hexadecimal>` (RFC 2104)."""
    mac = hmac.new(secret.encode(), f"{t_s}.".encode() + body, hashlib.sha256)
    return f"t={t_s},v1={mac.hexdigest()}"


def headers(event: Outgoing, secret: str, t_s: int, body: bytes) -> dict[str, str]:
    """Of a request that is sent at `t_s`."""
    return {
        "Content-Type": "application/json",
        IDEMPOTENCY_KEY: idempotency_key(event),
        SIGNATURE: signature(secret, t_s, body),
    }


class Verdict(StrEnum):
    """What an answer means for the event."""

    TAKEN = "taken"
    AGAIN = "again"
    """Nobody there, overloaded or broken: the same again, until it is too old to be of use."""
    REFUSED = "refused"
    """It does not take this; a few times more, and then somebody has to look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`detail` never holds what the receiver said, nor the URL: either may hold a secret.

    retry_after_s : how long the receiver asks to be left alone
    """

    verdict: Verdict
    detail: str
    retry_after_s: float | None = None


def answer_of(status: int, answered: Mapping[str, str], now_s: float) -> Answer:
    """What a status means. A redirect is refused: it would lead where nobody has configured."""
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN, f"status {status}")
    if status in {408, 425, 429} or status >= 500:
        asked_s = retry_after_s(answered.get("retry-after"), now_s)
        return Answer(Verdict.AGAIN, f"status {status}", asked_s)
    if 300 <= status < 400:
        return Answer(Verdict.REFUSED, f"status {status}, a redirect, which is not followed")
    return Answer(Verdict.REFUSED, f"status {status}")


def retry_after_s(said: str | None, now_s: float) -> float | None:
    """Of a header: RFC 9110, 10.2.3: seconds or a date; None where it is absent or neither."""
    if said is None or len(said) > 64:
        return None
    if said.strip().isascii() and said.strip().isdecimal():
        return float(said)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_s)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a sender is. The figures are usual ones, unverified.

    refusals_max : tries at an event that is refused
    give_up_s : age of an event at which nobody is served by hearing of it as news
    """

    first_s: float = 1.0
    longest_s: float = 300.0
    asked_longest_s: float = 3600.0
    refusals_max: int = 5
    give_up_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Once more, after so long."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It goes on the list of the undelivered."""

    why: str


class Trial:
    """The tries at one event, which happened at `at_ms`."""

    def __init__(self, at_ms: int, pace: Pace) -> None:
        self._at_ms = at_ms
        self._pace = pace
        self.tries = 0
        self.refusals = 0

    def answered(self, answer: Answer, now_ms: int, chance: float) -> Delivered | Again | GivenUp:
        """What to do after an answer; `chance` is uniform in [0, 1)."""
        self.tries += 1
        if answer.verdict is Verdict.TAKEN:
            return Delivered()
        if answer.verdict is Verdict.REFUSED:
            self.refusals += 1
            if self.refusals >= self._pace.refusals_max:
                return GivenUp(f"refused {self.refusals} times: {answer.detail}")
        if now_ms - self._at_ms >= self._pace.give_up_s * 1000:
            return GivenUp(f"too old after {self.tries} tries: {answer.detail}")
        wait_s = backoff_s(self.tries - 1, chance, self._pace)
        if answer.retry_after_s is not None:
            wait_s = max(wait_s, min(answer.retry_after_s, self._pace.asked_longest_s))
        return Again(wait_s)


def backoff_s(failed_before: int, chance: float, pace: Pace) -> float:
    """Exponential with full jitter, within [first, longest].

    Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # Beyond 2**16 the ceiling has long been reached, and a float would overflow some day.
    ceiling_s = min(pace.longest_s, pace.first_s * 2.0 ** min(failed_before + 1, 16))
    return pace.first_s + chance * max(0.0, ceiling_s - pace.first_s)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An event that a receiver did not get; `why` in words without secrets."""

    pos: int
    key: str
    alert: str
    type: str
    at_ms: int
    given_up_ms: int
    tries: int
    why: str


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """How far one receiver is.

    host : scheme, host and port of its URL, whose path may hold a secret
    pending : events of the log that were not gone through yet
    oldest_ms : when the oldest of them happened, None where none waits
    trouble : why the one at hand is not taken, None where all is well
    undelivered : the newest of the list, newest first; `undelivered_count` is all of it
    """

    name: str
    host: str
    events: tuple[str, ...]
    min_severity: str
    simulated: bool
    pending: int
    oldest_ms: int | None
    trouble: str | None
    last_success_ms: int | None
    delivered: int
    retries: int
    undelivered_count: int
    undelivered: tuple[Undelivered, ...]
