"""The book of open alerts: turns the engine's transitions into alerts with a life.

Here it is decided who hears of what. An alert is told when it still holds at its series'
newest sample and that sample is young (`notify_max_age_s`); one that was found late, in a
backlog, is historic: kept, and never on a socket. A historic alert that goes on holding until
young samples come is told then, with since when. Alerts of no data are about now, and are told
if data have not come back meanwhile.

Pure: times are given, order in is order out, and `snapshot` makes the same book again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from alerts.alert import (
    Act,
    Acted,
    Action,
    Alert,
    AlertEvent,
    EventType,
    Outcome,
    alert_body,
    alert_id,
)
from alerts.lifecycle import HOLDING, OPEN, State, Step, after, allowed
from alerts.messages import Facts, render
from alerts.notices import NO_SERIES, NOTICES, Said
from alerts.notices import evidence as notice_evidence
from alerts.notices import fixed as notice_fixed
from alerts.rules import Ask, Rule, RuleSet
from alerts.transition import Cause, Change, Transition
from ingest.reading import Flag, IntArray, Why
from ingest.registry import Registry
from ingest.series import SeriesTable

NOTE_LENGTH = 2_000


class AlertBook:
    """All open alerts: unacked, acked and cleared-unacked, told or not."""

    def __init__(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        self.reconfigure(rules, series, registry)
        self._open: dict[str, Alert] = {}
        self._holding: dict[tuple[str, int], str] = {}
        for row in () if snapshot is None else snapshot["alerts"]:
            self._keep(Alert(**{**row, "state": State(row["state"])}))
        # A checkpoint from before there were notices has none.
        said = {} if snapshot is None else snapshot.get("notices", {})
        self._notices = {notice: (holding, t_ms) for notice, (holding, t_ms) in said.items()}

    def reconfigure(self, rules: RuleSet, series: SeriesTable, registry: Registry) -> None:
        """New rules for alerts to come; open alerts keep the rule that raised them."""
        self.rules = {rule.id: rule for rule in rules.rules}
        self._described = {rule.id: rule.described() for rule in rules.rules}
        self.series = series
        self.registry = registry
        self._successor = {
            device.replaces: device.id
            for device in registry.devices.values()
            if device.replaces is not None
        }

    def snapshot(self) -> dict[str, Any]:
        return {
            "alerts": [
                {name: _plain(getattr(alert, name)) for name in Alert.__slots__}
                for alert in self._open.values()
            ],
            "notices": {notice: list(said) for notice, said in self._notices.items()},
        }

    def notices(self) -> dict[str, tuple[bool, int]]:
        """The last word on each notice: whether it holds, and the time that was given."""
        return dict(self._notices)

    def alerts(self) -> list[dict[str, Any]]:
        """Open alerts that people were told of, oldest first: what a screen shows."""
        return [alert_body(alert) for alert in self._open.values() if alert.told]

    def get(self, alert: str) -> dict[str, Any] | None:
        """An open alert, told or not."""
        found = self._open.get(alert)
        return None if found is None else alert_body(found)

    def apply(
        self,
        transitions: Sequence[Transition],
        newest_ms: IntArray,
        now_ms: int,
        clearing: Callable[[str, int], bool] = lambda _rule, _series: False,
    ) -> list[AlertEvent]:
        """Take the transitions of one entry of the journal, in order, as of `now_ms`.

        newest_ms : int64[S], the newest sample of each series that the engine has seen, -1
            where it has seen none. "Now" is judged once, after all transitions of the entry,
            so that a backlog that comes in one piece is not told step by step.
        clearing : whether the newest samples of a raised rule on a series were calm: what no
            longer holds, but isn't cleared yet, is no news
        """
        last = {(each.rule, each.series): place for place, each in enumerate(transitions)}
        events: list[AlertEvent] = []
        for place, each in enumerate(transitions):
            at_ms = each.at_ms if each.at_ms >= 0 else now_ms
            if each.kind is Change.RAISED:
                holds = last[each.rule, each.series] == place
                holds = holds and not clearing(each.rule, each.series)
                events.append(self._raise(each, at_ms, newest_ms, now_ms, holds=holds))
            else:
                events.extend(self._clear(each, at_ms))
        events.extend(self._tell(newest_ms, now_ms, clearing))
        return events

    def _raise(
        self, change: Transition, at_ms: int, newest_ms: IntArray, now_ms: int, *, holds: bool
    ) -> AlertEvent:
        rule = self.rules[change.rule]
        one = self.series.entries[change.series]
        key = alert_id(rule.id, one.key, change.t_since_ms)
        # Silence that goes on across a rule's removal and return is one alert, opened anew.
        before = self._open.get(key)
        alert = Alert(
            id=key,
            series=change.series,
            rule=rule.id,
            fixed=self._fixed(rule, change, at_ms),
            state=after(State.NORMAL, Step.RAISED),
            ver=1 if before is None else before.ver + 1,
            max_age_ms=rule.notify_max_age_ms(round(one.expected_s * 1000)),
        )
        assert (rule.id, change.series) not in self._holding, "raised twice without a clearing"
        by_clock = rule.ask is Ask.NO_DATA
        if holds and (by_clock or _young(alert, newest_ms, now_ms)):
            alert.t_told_ms = at_ms
        self._keep(alert)
        return _event(
            EventType.RAISED, alert, at_ms, evidence=_evidence(change, self._described[rule.id])
        )

    def _clear(self, change: Transition, at_ms: int) -> list[AlertEvent]:
        held = self._holding.pop((change.rule, change.series), None)
        if held is None:
            # The clearing of an alert that a book before this one ended: nothing to say.
            return []
        alert = self._open[held]
        step = Step.CLEARED if alert.told else Step.LAPSED
        alert.t_cleared_ms = change.t_event_ms
        self._move(alert, step, at_ms)
        return [_event(EventType.CLEARED, alert, at_ms, evidence=_evidence(change, None))]

    def _tell(
        self, newest_ms: IntArray, now_ms: int, clearing: Callable[[str, int], bool]
    ) -> list[AlertEvent]:
        """Historic alerts that hold until now become news."""
        told = []
        for held in self._holding.values():
            alert = self._open[held]
            found_late = not alert.told and _young(alert, newest_ms, now_ms)
            if found_late and not clearing(alert.rule, alert.series):
                alert.t_told_ms = now_ms
                alert.ver += 1
                told.append(
                    _event(EventType.RAISED, alert, now_ms, evidence={"cause": "found_late"})
                )
        return told

    def notice(self, said: Said, now_ms: int) -> list[AlertEvent]:
        """Raise or clear the alert of a built-in rule; nothing where it stands so already."""
        rule = NOTICES.get(said.notice)
        if rule is None:
            return []  # of another version of the program, whose journal this is
        self._notices[rule.id] = said.holding, said.t_ms
        held = self._holding.get((rule.id, NO_SERIES))
        if said.holding == (held is not None):
            return []
        if held is None:
            key = rule.alert_id(said.t_ms)
            before = self._open.get(key)
            alert = Alert(
                id=key,
                series=NO_SERIES,
                rule=rule.id,
                fixed=notice_fixed(rule, said, now_ms),
                state=after(State.NORMAL, Step.RAISED),
                ver=1 if before is None else before.ver + 1,
                max_age_ms=0,
                t_told_ms=now_ms,
            )
            self._keep(alert)
            return [_event(EventType.RAISED, alert, now_ms, evidence=notice_evidence(said))]
        alert = self._open[self._holding.pop((rule.id, NO_SERIES))]
        alert.t_cleared_ms = said.t_ms
        unseen_test = rule.test and alert.state is State.UNACKED
        self._move(alert, Step.LAPSED if unseen_test else Step.CLEARED, now_ms)
        return [_event(EventType.CLEARED, alert, now_ms, evidence=notice_evidence(said))]

    def act(self, action: Action, now_ms: int) -> Acted:
        """Do what a person asks, if he has seen the alert as it is."""
        alert = self._open.get(action.alert)
        if alert is None or not alert.told:
            return Acted(Outcome.NOT_FOUND, None)
        if action.ver != alert.ver:
            return Acted(Outcome.STALE, alert_body(alert))
        note = (action.note or "").strip()[:NOTE_LENGTH] or None
        if action.act is Act.NOTE:
            if note is None:
                return Acted(Outcome.EMPTY, alert_body(alert))
            alert.ver += 1
            kind = EventType.NOTED
        else:
            if not allowed(alert.state, Step.ACKED):
                return Acted(Outcome.NOT_NOW, alert_body(alert))
            alert.t_acked_ms = now_ms
            self._move(alert, Step.ACKED, now_ms)
            kind = EventType.ACKED
        event = _event(kind, alert, now_ms, who=action.who, note=note)
        return Acted(Outcome.DONE, event.alert, (event,))

    def _keep(self, alert: Alert) -> None:
        self._open.pop(alert.id, None)  # so that the order is that of raising, here and restored
        self._open[alert.id] = alert
        if alert.state in HOLDING:
            self._holding[alert.rule, alert.series] = alert.id

    def _move(self, alert: Alert, step: Step, at_ms: int) -> None:
        alert.state = after(alert.state, step)
        alert.ver += 1
        if alert.state not in OPEN:
            alert.t_ended_ms = at_ms
            del self._open[alert.id]

    def _hangs_now(self, device: str) -> str:
        """The last of a chain of replacements: whom an officer sends somebody to."""
        while device in self._successor:
            device = self._successor[device]
        return device

    def _fixed(self, rule: Rule, change: Transition, at_ms: int) -> dict[str, Any]:
        one = self.series.entries[change.series]
        station = self.registry.stations[one.station]
        by_clock = rule.ask is Ask.NO_DATA
        unit = "s" if by_clock else one.unit + ("/h" if rule.ask is Ask.RISE else "")
        facts = Facts(
            station=station.name,
            device=self._hangs_now(one.device),
            value=change.value,
            limit=change.limit,
            unit=unit,
            since_ms=change.t_since_ms,
            direction={} if one.direction is None else station.directions.get(one.direction, {}),
            limit_is_s=by_clock,
        )
        never = change.cause is Cause.NEVER_SEEN
        texts = {
            "message_vi": rule.never_seen_vi if never else rule.message_vi,
            "message_en": rule.never_seen_en if never else rule.message_en,
        }
        fixed = {
            "rule": rule.id,
            "rule_version": rule.version,
            "ask": "never_seen" if never else rule.ask.value,
            "severity": rule.severity.value,
            "permit": True if rule.permit else None,
            "sim": True if change.why & Why.SIMULATED else None,
            "k": one.key,
            "station": one.station,
            "device": one.device,
            "kind": one.kind,
            "branch": list(one.branches),
            "quantity": one.quantity,
            "direction": one.direction,
            "level": one.level,
            "unit": unit,
            "value": change.value,
            "limit": change.limit,
            "flag": change.flag,
            "suspect": change.worst_flag == Flag.SUSPECT,
            "t_since": change.t_since_ms,
            "t_event": change.t_event_ms,
            "t_detected": at_ms,
            **{name: render(text, facts, name[-2:]) for name, text in texts.items()},
        }
        return {name: value for name, value in fixed.items() if value is not None}


def _young(alert: Alert, newest_ms: IntArray, now_ms: int) -> bool:
    newest = int(newest_ms[alert.series])
    return newest >= 0 and now_ms - newest < alert.max_age_ms


def _event(
    kind: EventType,
    alert: Alert,
    at_ms: int,
    *,
    who: str | None = None,
    note: str | None = None,
    evidence: dict[str, Any] | None = None,
) -> AlertEvent:
    told = alert.told
    return AlertEvent(kind, alert_body(alert), at_ms, told, who, note, evidence or {}, told)


def _evidence(change: Transition, rule: dict[str, Any] | None) -> dict[str, Any]:
    """What the change rests on: the samples that proved it and, if raised, the whole rule."""
    found: dict[str, Any] = {
        "cause": change.cause.value,
        "t_since": change.t_since_ms,
        "t_event": change.t_event_ms,
        "value": change.value,
        "first_value": change.first_value,
        "reading": change.reading,
        "limit": change.limit,
        "flag": change.flag,
        "worst_flag": change.worst_flag,
        "why": change.why,
        "samples": change.samples,
    }
    if rule is not None:
        found["rule"] = rule
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, State) else value
