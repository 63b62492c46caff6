"""The open alerts with what is needed to find them, and the events of their lives.

`AlertBook` and the acts of officers write here, nobody else. Orders are those of raising, in
the running process and after a restart, so that the same entries give the same events.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.alert import Alert, AlertEvent, EventType, Holder, alert_body
from alerts.clocks import Clocks
from alerts.lifecycle import HOLDING, OPEN, State, Step, after
from alerts.notices import NO_SERIES
from alerts.shelves import Shelves
from alerts.topology import RANKS
from alerts.urgency import Urgency


class Ledger:
    """All open alerts: unacked, acked and cleared-unacked, told or not.

    holding : the alerts whose rule still holds, by what holds them
    late : those of them that people have not been told of
    """

    def __init__(self, urgency: Urgency, snapshot: Mapping[str, Any] | None = None) -> None:
        self.urgency = urgency
        self.open: dict[str, Alert] = {}
        self.holding: dict[Holder, Alert] = {}
        self.late: dict[str, Alert] = {}
        self._ladders: dict[tuple[str, str], dict[str, Alert]] = {}
        self.shelves = Shelves(() if snapshot is None else snapshot["shelves"])
        for row in () if snapshot is None else snapshot["alerts"]:
            suppressed = row["suppressed"] and dict(row["suppressed"])
            self._index(Alert(**{**row, "state": State(row["state"]), "suppressed": suppressed}))
        self.clocks = Clocks(self.open)

    def snapshot(self) -> dict[str, Any]:
        return {
            "alerts": [
                {name: _plain(getattr(alert, name)) for name in Alert.__slots__}
                for alert in self.open.values()
            ],
            "shelves": self.shelves.snapshot(),
        }

    def keep(self, alert: Alert) -> None:
        """A new alert. It lies on the shelf of its rule and series, if that is in use."""
        assert alert.key not in self.holding, "raised twice without a clearing"
        before = self.open.pop(alert.id, None)
        # Silence that goes on across a rule's removal and return is one alert, opened anew.
        alert.ver = alert.acts_from = 1 if before is None else before.ver + 1
        self.shelves.lay(alert)
        self._index(alert)

    def raise_own(self, rule: str, key: str, fixed: dict[str, Any], now_ms: int) -> Alert:
        """An alert of a built-in rule: people are told at once."""
        state = after(State.NORMAL, Step.RAISED)
        alert = Alert(key, NO_SERIES, rule, fixed, state, ver=1, max_age_ms=0)
        self.keep(alert)
        self.tell(alert, now_ms)
        self.start(alert)
        return alert

    def tell(self, alert: Alert, at_ms: int) -> None:
        """People are told of it from here on. Its clock is started apart, by `start`."""
        alert.t_told_ms = at_ms
        self.late.pop(alert.id, None)

    def start(self, alert: Alert) -> None:
        """Start the clock of an alert of which it is known whether anything holds it back."""
        self.clocks.start(alert, alert.t_told_ms, self.urgency)

    def changed(self, alert: Alert, now_ms: int) -> None:
        """Something about it has changed that an officer must have seen to act."""
        alert.ver += 1
        alert.acts_from = alert.ver
        self.clocks.settle(alert, now_ms)

    def clear(self, alert: Alert, t_cleared_ms: int, now_ms: int, *, lapses: bool = False) -> None:
        """Its rule no longer holds. What nobody was told of, or is to look at, is over."""
        alert.t_cleared_ms = t_cleared_ms
        alert.flapping = False
        alert.suppressed = None if alert.told else alert.suppressed
        alert.release_ms = -1
        self.move(alert, Step.LAPSED if lapses or not alert.told else Step.CLEARED, now_ms)

    def move(self, alert: Alert, step: Step, now_ms: int) -> None:
        alert.state = after(alert.state, step)
        if alert.state not in HOLDING and self.holding.get(alert.key) is alert:
            del self.holding[alert.key]
            self.late.pop(alert.id, None)
            self._ladders.get((alert.ladder, alert.key[1]), {}).pop(alert.id, None)
        if alert.state not in OPEN:
            alert.t_ended_ms = now_ms
            alert.shelved_until_ms, alert.shelved_why = -1, ""
            del self.open[alert.id]
        self.changed(alert, now_ms)

    def rungs(self, alert: Alert) -> list[Alert]:
        """The holding alerts of the same ladder on the same series, itself among them."""
        return list(self._ladders.get((alert.ladder, alert.key[1]), {}).values())

    def higher(self, alert: Alert) -> Alert | None:
        """The highest told rung above an alert; a simulated one is above no measured one."""
        sim = "sim" in alert.fixed
        above = [
            each
            for each in self.rungs(alert)
            if each.told and _rung(each) > _rung(alert) and (sim or "sim" not in each.fixed)
        ]
        return max(above, key=_rung, default=None)

    def on_shelf(self, holder: Holder) -> list[Alert]:
        return [
            alert
            for alert in self.open.values()
            if alert.shelved_until_ms >= 0 and alert.key == holder
        ]

    def next_due_ms(self) -> int | None:
        dues = (self.clocks.next_due_ms(), self.shelves.next_due_ms())
        return min((due for due in dues if due is not None), default=None)

    def _index(self, alert: Alert) -> None:
        self.open[alert.id] = alert
        if alert.state in HOLDING:
            self.holding[alert.key] = alert
            if not alert.told:
                self.late[alert.id] = alert
            if alert.ladder:
                self._ladders.setdefault((alert.ladder, alert.key[1]), {})[alert.id] = alert


def event(
    kind: EventType,
    alert: Alert,
    at_ms: int,
    *,
    who: str | None = None,
    note: str | None = None,
    evidence: Mapping[str, Any] | None = None,
    kept: bool = False,
) -> AlertEvent:
    """An event of an alert as it now is. kept : for the timeline alone."""
    told = alert.told and not kept
    if kind is EventType.CLEARED:
        # Who has heard that it was raised hears that it is over, whatever holds it back since.
        notify = told and alert.heard
    else:
        notify = told and not alert.quiet and (alert.heard or alert.state in HOLDING)
    alert.heard = alert.heard or notify
    return AlertEvent(kind, alert_body(alert), at_ms, told, who, note, dict(evidence or {}), notify)


def many(alerts: Sequence[Alert]) -> dict[str, Alert]:
    """Each once, in order."""
    return {alert.id: alert for alert in alerts}


def _rung(alert: Alert) -> tuple[int, float]:
    return RANKS[alert.fixed["severity"]], alert.height


def _plain(value: Any) -> Any:
    if isinstance(value, State):
        return value.value
    return dict(value) if isinstance(value, dict) and "why" in value else value
