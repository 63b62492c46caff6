"""What restraint is asked and what it answers: waits, days, budgets and decisions. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.farmers.notice import Notice
from alerts.farmers.place import Place

RESERVE: Final = 0.2
"""The share of a budget that is kept for what is urgent."""


class Why(StrEnum):
    """The reason of a decision."""

    DUE = "due"
    DIGEST = "digest"
    GROUP = "group"
    QUIET = "quiet"
    SAME_EVENT = "same-event"
    DAILY = "daily"
    BUDGET = "budget"
    TWICE = "twice"
    UNFOLLOWED = "unfollowed"
    OVERTAKEN = "overtaken"
    MOOT = "moot"
    UNTOLD = "untold"
    ANSWER = "answer"
    """The newest answer permits nothing at the moment; the end of a spell waits for one that does."""
    EXPIRED = "expired"


PUT_OFF: Final = frozenset({Why.SAME_EVENT, Why.DAILY})
"""These waits hold until they are over; the others are thought through each time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice that waits for a person.

    asked_ms : when the outbox gave it to him
    why, until_ms : of its last `Wait`, to be stored with it; None and 0 if there was none
    """

    notice: Notice
    asked_ms: int
    why: Why | None = None
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What a person has had.

    sent_today : messages of this day in Vietnam handed to the courier, digests too; not codes
        and other answers to himself
    told : notices in messages handed to the courier within the last `TOLD_MS`, in any order;
        none that expired there or can't be delivered
    """

    sent_today: int = 0
    told: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Of a channel and month, messages or parts; `spent` counts what waits at the courier too.

    limit : None if there is none; each : what a message is expected to cost
    """

    spent: int = 0
    limit: int | None = None
    each: int = 1

    def allows(self, *, urgent: bool) -> bool:
        if self.limit is None:
            return True
        return self.spent + self.each <= self.limit * (1.0 if urgent else 1.0 - RESERVE)

    def less_one(self) -> "Budget":
        return replace(self, spent=self.spent + self.each)


@dataclass(frozen=True, slots=True)
class Send:
    """One message, now.

    due_ms : since when it was due, not after now
    expires_ms : of a message with a permission, when it must not be sent any more; if it still
        waits at the courier then, its notices are given to `decide` again, which drops the
        permissions that the newest answer does not second, and sends the others
    """

    notices: tuple[Notice, ...]
    due_ms: int
    why: Why = Why.DUE
    expires_ms: int | None = None

    @property
    def digest(self) -> bool:
        return self.why is Why.DIGEST

    @property
    def urgent(self) -> bool:
        return any(each.critical for each in self.notices)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing yet; to be asked again at `until_ms`."""

    notices: tuple[Notice, ...]
    until_ms: int
    why: Why


@dataclass(frozen=True, slots=True)
class Drop:
    """Never told."""

    notices: tuple[Notice, ...]
    why: Why


Decision = Send | Wait | Drop

Permitted = Callable[[Place, int], bool]
"""Whether the newest answer at a place lets water be taken for a level, mg/L."""
