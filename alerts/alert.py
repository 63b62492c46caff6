"""An alert, its events and what people do to it: the words between book, records and doors."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerts.lifecycle import State


class EventType(StrEnum):
    """What the live socket calls it."""

    RAISED = "raised"
    CLEARED = "cleared"
    ACKED = "acked"
    NOTED = "noted"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    ESCALATED = "escalated"
    """Nobody has acknowledged it for so long that it goes one level up."""
    EASED = "eased"
    """It goes on, but less: a higher rung of its ladder is over, or it no longer flaps."""
    REMINDED = "reminded"
    SUPPRESSED = "suppressed"
    """Something else says it already, or its station is in maintenance."""
    UNSUPPRESSED = "unsuppressed"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One change of one alert; `alert` is the whole alert after it (see `alert_body`).

    told : whether people at the screens hear of it (socket, MQTT); else it is history alone
    who, note : the person and his words, for operators alone; None where the service acted
    evidence : what it rests on, see `AlertBook`
    notify : whether people outside (webhooks, CAP) are to hear of it too: it is told, and not
        shelved or suppressed. Who has heard of an alert also hears that it has cleared
    """

    type: EventType
    alert: dict[str, Any]
    at_ms: int
    told: bool
    who: str | None = None
    note: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    notify: bool = False


class Act(StrEnum):
    ACK = "ack"
    NOTE = "note"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"


@dataclass(frozen=True, slots=True)
class Action:
    """What a person asks for. `ver` is the version that he has seen of the alert.

    note : his words; for shelving, the reason, which it can't do without
    until_ms : the end of shelving
    """

    act: Act
    alert: str
    ver: int
    who: str
    note: str | None = None
    until_ms: int | None = None


class Outcome(StrEnum):
    """What became of an action, and why."""

    DONE = "done"
    NOT_FOUND = "not_found"
    """No open alert has this id; the records know whether it ever existed."""
    STALE = "stale"
    """The alert has changed since the person saw it: show it anew, ask again."""
    NOT_NOW = "not_now"
    """The alert's state doesn't take this step, such as a second acknowledgement."""
    EMPTY = "empty"
    """A note, or a reason for shelving, without words."""
    NO_END = "no_end"
    """Shelving without an end, or one sooner or later than `alerts.shelves` takes."""


@dataclass(frozen=True, slots=True)
class Acted:
    """`alert` is the alert as it now is, None where there is none."""

    outcome: Outcome
    alert: dict[str, Any] | None
    events: tuple[AlertEvent, ...] = ()


Holder = tuple[str, str]
"""(rule, k): what can hold one alert at a time."""


@dataclass(slots=True)
class Alert:
    """An open alert in the book. `fixed` is what never changes, made when it was raised.

    series : its number, `notices.NO_SERIES` for a notice of the service itself
    t_told_ms : when people were first told, -1 while they have not been
    shelved_until_ms, shelved_why : -1 and "" while it is not shelved
    suppressed : {"why": uplink, station, maintenance or rung, "by": id of the alert or window}
    release_ms : what suppressed it is over; until then it may be over itself. -1: no such time
    heard : whether people outside have heard of it
    remind_ms, escalate_ms : when it is next told again, told upwards; -1 for never
    paused_ms : since when that clock stands still, -1 while it runs
    acts_from : the oldest version from which an officer may act: what came since were reminders,
        which change nothing that he decides by
    ladder, height : the ladder that its rule belongs to, "" for none, and how high on it
    """

    id: str
    series: int
    rule: str
    fixed: dict[str, Any]
    state: State
    ver: int
    max_age_ms: int
    t_told_ms: int = -1
    t_cleared_ms: int = -1
    t_acked_ms: int = -1
    t_ended_ms: int = -1
    shelved_until_ms: int = -1
    shelved_why: str = ""
    suppressed: dict[str, str] | None = None
    release_ms: int = -1
    flapping: bool = False
    heard: bool = False
    reminders: int = 0
    escalation: int = 0
    t_escalated_ms: int = -1
    remind_ms: int = -1
    escalate_ms: int = -1
    paused_ms: int = -1
    acts_from: int = 1
    ladder: str = ""
    height: float = 0.0

    @property
    def key(self) -> Holder:
        return self.rule, str(self.fixed["k"])

    @property
    def quiet(self) -> bool:
        """Whether nobody is to be called because of it."""
        return self.suppressed is not None or self.shelved_until_ms >= 0

    @property
    def told(self) -> bool:
        return self.t_told_ms >= 0


def alert_id(rule: str, series_key: str, t_since_ms: int) -> str:
    """The same for the same samples, whoever computes it and whenever: 16 hex digits."""
    return hashlib.sha256(f"{rule}|{series_key}|{t_since_ms}".encode()).hexdigest()[:16]


def alert_body(alert: Alert) -> dict[str, Any]:
    """The alert as it goes to screens and into records: times in ms UTC, absent is absent."""
    times = {
        "t_told": alert.t_told_ms,
        "t_cleared": alert.t_cleared_ms,
        "t_acked": alert.t_acked_ms,
        "t_ended": alert.t_ended_ms,
        "t_escalated": alert.t_escalated_ms,
        "shelved_until": alert.shelved_until_ms,
    }
    beside = {
        "shelved_why": alert.shelved_why,
        "suppressed": alert.suppressed and dict(alert.suppressed),
        "flapping": alert.flapping,
        "reminders": alert.reminders,
        "escalation": alert.escalation,
    }
    return {
        "id": alert.id,
        "ver": alert.ver,
        "state": alert.state.value,
        "historic": not alert.told,
        # In one order, before and after a restart: the same journal gives the same bytes.
        **dict(sorted(alert.fixed.items())),
        **{name: t_ms for name, t_ms in times.items() if t_ms >= 0},
        **{name: value for name, value in beside.items() if value},
    }
