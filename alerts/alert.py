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


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One change of one alert; `alert` is the whole alert after it (see `alert_body`).

    told : whether people hear of it (socket, MQTT, CAP, outbox); else it is history alone
    who, note : the person and his words, for operators alone; None where the service acted
    evidence : what it rests on, see `AlertBook`
    """

    type: EventType
    alert: dict[str, Any]
    at_ms: int
    told: bool
    who: str | None = None
    note: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


class Act(StrEnum):
    ACK = "ack"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Action:
    """What a person asks for. `ver` is the version that he has seen of the alert."""

    act: Act
    alert: str
    ver: int
    who: str
    note: str | None = None


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
    """A note without words."""


@dataclass(frozen=True, slots=True)
class Acted:
    """`alert` is the alert as it now is, None where there is none."""

    outcome: Outcome
    alert: dict[str, Any] | None
    events: tuple[AlertEvent, ...] = ()


@dataclass(slots=True)
class Alert:
    """An open alert in the book. `fixed` is what never changes, made when it was raised.

    series : its number, `notices.NO_SERIES` for a notice of the service itself
    t_told_ms : when people were first told, -1 while they have not been
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
    }
    return {
        "id": alert.id,
        "ver": alert.ver,
        "state": alert.state.value,
        "historic": not alert.told,
        # In one order, before and after a restart: the same journal gives the same bytes.
        **dict(sorted(alert.fixed.items())),
        **{name: t_ms for name, t_ms in times.items() if t_ms >= 0},
    }
