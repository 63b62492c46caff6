"""A delivery: one message to one person over one channel, and what became of it. Pure.

What is planned of the outbox is a row per person and notice, a *message*; restraint makes one
delivery of one or several of them, or holds or drops them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from alerts.farmers.notice import CRITICAL, Kind, Notice

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
VIETNAM_MS: Final = 7 * HOUR_MS
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


class State(StrEnum):
    """Of a message, or of a delivery; some are of one of them alone."""

    WAITING = "waiting"
    HELD = "held"
    """A message: kept back for a digest or for want of budget, in sight of officers."""
    HANDED = "handed"
    """A message: stands in a delivery, which knows the rest."""
    SENT = "sent"
    """A delivery: the gateway has it, and has not reported yet, or never does."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """Nobody was told, though somebody was to be."""
    DROPPED = "dropped"
    """Nobody is told of it, and nobody misses it."""


class Why(StrEnum):
    """Why something is where it is, beside the words of `alerts.farmers.restraint`.

    Few words: figures are kept by them.
    """

    NONE = ""
    NEW = "new"
    """It has yet to be thought about."""
    BUDGET = "budget"
    SUPERSEDED = "superseded"
    """What came after it, while it waited for its channel, says the contrary."""
    RECONSIDERED = "reconsidered"
    """Restraint has made other deliveries of it."""
    STOPPED = "stopped"
    """The person has left."""
    OFFICER = "officer"
    """An officer has dropped it."""
    GONE = "gone"
    """The address does not exist any more."""
    REFUSED = "refused"
    """The gateway does not take it."""
    LATE = "late"
    """It came to be too old to be of use."""
    REPORTED = "reported"
    """The network reports that it could not be delivered."""
    FAULT = "fault"
    """A fault of the program, which is in its log."""


class Direct(StrEnum):
    """Kinds that answer one person; the others are those of `alerts.farmers.notice`."""

    CODE = "code"
    WELCOME = "welcome"
    STOPPED = "stopped"
    TRIAL = "trial"


DIRECT: Final = frozenset(each.value for each in Direct)

DIGEST: Final = "digest"
"""Kind of a delivery in which notices stand that were held back."""

PERMITS: Final = frozenset({Kind.FRESH, Kind.OPEN})

USEFUL_MS: Final[Mapping[str, int]] = {
    Direct.CODE.value: 10 * MINUTE_MS,
    Direct.WELCOME.value: DAY_MS,
    Direct.STOPPED.value: DAY_MS,
    Direct.TRIAL.value: HOUR_MS,
    Kind.SALT.value: 3 * DAY_MS,
    Kind.SHUT.value: 3 * DAY_MS,
    Kind.SILENT.value: 12 * HOUR_MS,
    Kind.HEARD.value: 12 * HOUR_MS,
    Kind.FRESH.value: 12 * HOUR_MS,
    Kind.OPEN.value: 3 * HOUR_MS,
    Kind.BULLETIN.value: DAY_MS,
    DIGEST: DAY_MS,
}
"""For how long a channel that does not work is tried. Permissions have an end of their own
beside (`alerts.farmers.restraint`). Of a danger nobody must stay untold because a gateway was away
for a night; once it is over, what says so takes its place. Expert judgement, unverified."""


def rank_of(kinds: Iterable[str]) -> int:
    """What goes before what: the lower.

    A person who waits for an answer, then danger, then all else, then bulletins. Who has asked
    for a code holds the phone in his hand, and there are few of them. A welcome answers nobody
    who waits, and a list brings five thousand: no danger stands behind these.
    """
    return min((_rank(kind) for kind in kinds), default=2)


def _rank(kind: str) -> int:
    if kind == Direct.WELCOME:
        return 2
    if kind in DIRECT:
        return 0
    if kind == Kind.BULLETIN:
        return 3
    return 1 if kind in CRITICAL else 2


def key_of(contact: int, notices: Iterable[Notice]) -> str:
    """The same for the same notices to the same person, after any restart."""
    said = "|".join([str(contact), *sorted(notice.key for notice in notices)])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def day_of(t_ms: int) -> int:
    """The day in Vietnam (UTC+7), in days since 1970."""
    return (t_ms + VIETNAM_MS) // DAY_MS


def month_of(t_ms: int) -> int:
    """The month in Vietnam, in months since the year 0: budgets are of a month."""
    day = date.fromordinal(EPOCH_ORDINAL + day_of(t_ms))
    return 12 * day.year + day.month - 1


def month_day_of(t_ms: int) -> int:
    """The first day of that month, as `day_of` counts days."""
    day = date.fromordinal(EPOCH_ORDINAL + day_of(t_ms))
    return day.replace(day=1).toordinal() - EPOCH_ORDINAL


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row, as a courier needs it.

    key : by which the gateway knows a repetition; the same for the same message ever
    kind : one of `Direct`, `DIGEST`, or the kind of the first notice
    said : what the words of a direct one are made of
    told : its notices with the ids of their messages, oldest first; none of a direct one
    tries, refusals : how often it was sent, and how many of these the gateway refused
    """

    id: int
    key: str
    contact: int
    channel: str
    kind: str
    said: Mapping[str, Any] = field(repr=False)
    told: tuple[tuple[int, Notice], ...]
    tries: int
    refusals: int
    created_ms: int
    expires_ms: int

    @property
    def direct(self) -> bool:
        return self.kind in DIRECT


CONTRARY: Final[Mapping[Kind, frozenset[Kind]]] = {
    Kind.FRESH: frozenset({Kind.SALT, Kind.SHUT, Kind.SILENT}),
    Kind.OPEN: frozenset({Kind.SALT, Kind.SHUT, Kind.SILENT, Kind.FRESH}),
    Kind.SALT: frozenset({Kind.FRESH}),
    Kind.SHUT: frozenset({Kind.OPEN, Kind.FRESH}),
    Kind.SILENT: frozenset({Kind.HEARD}),
    Kind.HEARD: frozenset({Kind.SILENT}),
}
"""What is no longer told once one of these has come after it for the same water. Else a queue
that was held up would say "fresh" last, of water that has turned salt meanwhile."""
