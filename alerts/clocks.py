"""The clocks of open alerts: when each is told again, told upwards, or let go.

An alert's clock starts when people are told of it, stands still while it is shelved or
suppressed, and stops when somebody has acknowledged it or its rule no longer holds. Due times
are the alert's own, so nothing depends on how often anybody looks.
"""

import heapq
from collections.abc import Mapping
from enum import IntEnum

from alerts.alert import Alert
from alerts.lifecycle import HOLDING, State
from alerts.urgency import NOBODY, Urgency


class Ring(IntEnum):
    """What is due; of two at one time the smaller is first."""

    ESCALATE = 0
    REMIND = 1
    RELEASE = 2
    """What suppressed it is over for long enough."""


class Clocks:
    """Due times of alerts, nearest first. What has changed since is passed over."""

    def __init__(self, alerts: Mapping[str, Alert]) -> None:
        self._alerts = alerts
        # Until when nobody could be reminded, and at which pace it goes on from there.
        self._away_ms, self._urgency = -1, NOBODY
        self._heap: list[tuple[int, Ring, str]] = []
        for alert in alerts.values():
            self._push(alert)

    def start(self, alert: Alert, at_ms: int, urgency: Urgency) -> None:
        """People are told; if they are not to be called yet, the clock stands."""
        pace = urgency.of(alert.fixed["severity"])
        alert.remind_ms = at_ms + pace.remind_ms if pace.remind_ms else -1
        alert.escalate_ms = at_ms + pace.escalate_ms[0] if pace.escalate_ms else -1
        alert.paused_ms = at_ms if alert.quiet else -1
        self._pass_over(alert)
        self._push(alert)

    def settle(self, alert: Alert, now_ms: int) -> None:
        """Stop, hold or go on, as the alert is now; to be called when it has changed."""
        if alert.state is not State.UNACKED:
            alert.remind_ms = alert.escalate_ms = alert.paused_ms = -1
        elif alert.quiet and alert.paused_ms < 0:
            alert.paused_ms = now_ms
        elif not alert.quiet and alert.paused_ms >= 0:
            stood_ms, alert.paused_ms = now_ms - alert.paused_ms, -1
            alert.remind_ms += stood_ms if alert.remind_ms >= 0 else 0
            alert.escalate_ms += stood_ms if alert.escalate_ms >= 0 else 0
            self._pass_over(alert)
        self._push(alert)

    def remind(self, alert: Alert, urgency: Urgency) -> bool:
        """Take the reminder that is due; whether it is still wanted."""
        period_ms = urgency.of(alert.fixed["severity"]).remind_ms
        alert.remind_ms = alert.remind_ms + period_ms if period_ms else -1
        if period_ms:
            alert.reminders += 1
        self._push(alert)
        return period_ms > 0

    def escalate(self, alert: Alert, urgency: Urgency) -> bool:
        """Take the step that is due; whether there still is one. It is a reminder as well."""
        pace = urgency.of(alert.fixed["severity"])
        due_ms, levels = alert.escalate_ms, pace.escalate_ms
        alert.escalate_ms = -1
        wanted = alert.escalation < len(levels)
        if wanted:
            alert.escalation += 1
            alert.t_escalated_ms = due_ms
            if alert.escalation < len(levels):
                waited_ms = levels[alert.escalation] - levels[alert.escalation - 1]
                alert.escalate_ms = due_ms + waited_ms
            if alert.remind_ms == due_ms:
                alert.remind_ms = due_ms + pace.remind_ms if pace.remind_ms else -1
        self._push(alert)
        return wanted

    def awake(self, now_ms: int, urgency: Urgency) -> None:
        """Of the reminders that nobody could give meanwhile, only the last is given.

        Also of alerts whose clocks begin or go on at a time before `now_ms`, as where a shelf
        ended meanwhile.
        """
        self._away_ms, self._urgency = now_ms, urgency
        for alert in self._alerts.values():
            self._pass_over(alert)
            self._push(alert)

    def _pass_over(self, alert: Alert) -> None:
        period_ms = self._urgency.of(alert.fixed["severity"]).remind_ms
        if period_ms and alert.paused_ms < 0 and 0 <= alert.remind_ms < self._away_ms:
            alert.remind_ms += (self._away_ms - alert.remind_ms) // period_ms * period_ms

    def release_at(self, alert: Alert, at_ms: int) -> None:
        if alert.release_ms != at_ms:
            alert.release_ms = at_ms
            self._push(alert)

    def take(self, now_ms: int, rings: frozenset[Ring]) -> tuple[int, Ring, Alert] | None:
        """The nearest of some kinds that is due by now; it is taken off."""
        found = None
        aside = []
        while found is None and (due := self.next_due_ms()) is not None and due <= now_ms:
            entry = heapq.heappop(self._heap)
            if entry[1] in rings:
                found = entry[0], entry[1], self._alerts[entry[2]]
            else:
                aside.append(entry)
        for entry in aside:
            heapq.heappush(self._heap, entry)
        return found

    def next_due_ms(self) -> int | None:
        """The nearest due time, None where there is none."""
        while self._heap and not self._stands(*self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _stands(self, at_ms: int, ring: Ring, key: str) -> bool:
        alert = self._alerts.get(key)
        return alert is not None and at_ms == _due(alert, ring)

    def _push(self, alert: Alert) -> None:
        for ring in Ring:
            due = _due(alert, ring)
            if due >= 0:
                heapq.heappush(self._heap, (due, ring, alert.id))


def _due(alert: Alert, ring: Ring) -> int:
    if ring is Ring.RELEASE:
        return alert.release_ms if alert.state in HOLDING else -1
    if alert.paused_ms >= 0:
        return -1
    return alert.remind_ms if ring is Ring.REMIND else alert.escalate_ms
