"""The book of open alerts: turns the engine's transitions into alerts with a life.

Here it is decided who hears of what. An alert is told when it still holds at its series'
newest sample and that sample is young (`notify_max_age_s`); one that was found late, in a
backlog, is historic: kept, and never on a socket. A historic alert that goes on holding until
young samples come is told then, with since when. Alerts of no data are about now, and are told
if data have not come back meanwhile.

Beside its state an alert may be shelved (`alerts.shelves`), flap (`alerts.flapping`), or be
suppressed: its station is in maintenance, its direction is closed, its gateway or station is down as a whole
(`alerts.topology`), or a higher rung of its ladder is told. What was told before stays on the
screens, folded, and nobody is called because of it; what was not is kept, and told when that is
over if it still holds.

Pure: times are given, order in is order out, and `snapshot` makes the same book again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alerts import acts, particulars
from alerts.alert import Acted, Action, Alert, AlertEvent, EventType, alert_body, alert_id
from alerts.clocks import Ring
from alerts.flapping import Flapping, Kind
from alerts.flapping import Step as Turn
from alerts.ledger import Ledger, event, many
from alerts.lifecycle import HOLDING, State, Step, after
from alerts.notices import NOTICES, Said
from alerts.notices import evidence as notice_evidence
from alerts.notices import fixed as notice_fixed
from alerts.pairs import groups_of
from alerts.rules import Ask, Rule, RuleSet, watched
from alerts.situation import Situation
from alerts.suppression import Suppression
from alerts.topology import hanging, is_silence
from alerts.transition import Change, Transition
from alerts.urgency import NOBODY
from ingest.registry import Registry
from ingest.series import SeriesTable

NOTE_LENGTH = acts.NOTE_LENGTH

_CALLS = frozenset({Ring.ESCALATE, Ring.REMIND})


@dataclass(frozen=True, slots=True)
class _Draft:
    """An event of an alert that is new in this entry: told or not is known at its end."""

    kind: EventType
    alert: Alert
    at_ms: int
    evidence: dict[str, Any]
    kept: bool = False


class AlertBook:
    """All open alerts, told or not.

    reminding : whether anybody is there who could acknowledge; else nobody is reminded
    """

    def __init__(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        snapshot: dict[str, Any] | None = None,
        *,
        reminding: bool = True,
    ) -> None:
        self._reminding = reminding
        self._ledger = Ledger(NOBODY, snapshot)
        self._flapping = Flapping(() if snapshot is None else snapshot["flapping"])
        self._suppression = Suppression(self._ledger, series, registry, snapshot)
        said = {} if snapshot is None else snapshot["notices"]
        self._notices = {notice: (holding, t_ms) for notice, (holding, t_ms) in said.items()}
        self._configure(rules, series, registry)

    def reconfigure(self, rules: RuleSet, series: SeriesTable, registry: Registry) -> None:
        """New rules for alerts to come; open alerts keep the rule that raised them."""
        self._configure(rules, series, registry)
        self._suppression.reconfigure(series, registry)

    def _configure(self, rules: RuleSet, series: SeriesTable, registry: Registry) -> None:
        self.rules = {rule.id: rule for rule in rules.rules}
        self._described = {rule.id: rule.described() for rule in rules.rules}
        self.series = series
        self.registry = registry
        self._ledger.urgency = rules.urgency if self._reminding else NOBODY
        self._hangs = hanging(registry)
        self._reconfigured = True

    def snapshot(self) -> dict[str, Any]:
        return {
            **self._ledger.snapshot(),
            "notices": {notice: list(said) for notice, said in self._notices.items()},
            "flapping": self._flapping.snapshot(),
            **self._suppression.snapshot(),
        }

    def notices(self) -> dict[str, tuple[bool, int]]:
        """The last word on each notice: whether it holds, and the time that was given."""
        return dict(self._notices)

    def alerts(self) -> list[dict[str, Any]]:
        """Open alerts that people were told of, oldest first: what a screen shows."""
        return [alert_body(alert) for alert in self._ledger.open.values() if alert.told]

    def get(self, alert: str) -> dict[str, Any] | None:
        """An open alert, told or not."""
        found = self._ledger.open.get(alert)
        return None if found is None else alert_body(found)

    def next_due_ms(self) -> int | None:
        """When time alone will change something: reminders, ends of shelves and of patience."""
        return self._ledger.next_due_ms()

    def restless(self) -> frozenset[int] | None:
        """Series of which a sample alone may change something here, without a transition.

        Of alerts that nobody was told of yet and of pairs that flap. None is any series at all:
        while something is down as a whole it matters who is heard.
        """
        if self._suppression.anything_down:
            return None
        late = (alert.series for alert in self._ledger.late.values())
        return frozenset([*late, *(series for _, series in self._flapping.flapping())])

    def awake(self, now_ms: int) -> None:
        """After a time of not running: of the reminders that were missed the last is given."""
        self._ledger.clocks.awake(now_ms, self._ledger.urgency)

    def apply(self, transitions: Sequence[Transition], situation: Situation) -> list[AlertEvent]:
        """Take the transitions of one entry of the journal, in order, as of its situation.

        "Now" is judged once, after all transitions of the entry, so that a backlog that comes
        in one piece is not told step by step.
        """
        now_ms = situation.now_ms
        log: list[AlertEvent | _Draft] = list(self._by_clock(now_ms))
        turns = self._no_longer_watched() if self._reconfigured else []
        self._reconfigured = False
        turns.extend(self._flapping.through(transitions, situation.evaluations))
        fresh, touched = self._turn(turns, now_ms, log)
        beside, events = self._suppression.step(fresh, situation)
        log.extend(events)
        touched |= beside
        news = self._tell(fresh, touched, situation)
        log = [_final(each) for each in log]
        for alert, evidence in news:
            self._ledger.changed(alert, now_ms)
            log.append(event(EventType.RAISED, alert, now_ms, evidence=evidence))
        told = many([alert for alert, _ in news]) | fresh
        for key, alert in touched.items():
            if key not in told and alert.state in HOLDING:
                log.extend(self._suppression.weigh(alert, situation))
        return [each for each in log if isinstance(each, AlertEvent)]

    def notice(self, said: Said, now_ms: int) -> list[AlertEvent]:
        """Raise or clear the alert of a built-in rule; nothing where it stands so already."""
        rule = NOTICES.get(said.notice)
        if rule is None:
            return []  # of another version of the program, whose journal this is
        self._notices[rule.id] = said.holding, said.t_ms
        held = self._ledger.holding.get((rule.id, rule.key))
        if said.holding == (held is not None):
            return []
        if held is None:
            fixed, key = notice_fixed(rule, said, now_ms), rule.alert_id(said.t_ms)
            alert = self._ledger.raise_own(rule.id, key, fixed, now_ms)
            return [event(EventType.RAISED, alert, now_ms, evidence=notice_evidence(said))]
        unseen_test = rule.test and held.state is State.UNACKED
        self._ledger.clear(held, said.t_ms, now_ms, lapses=unseen_test)
        return [event(EventType.CLEARED, held, now_ms, evidence=notice_evidence(said))]

    def act(self, action: Action, now_ms: int) -> Acted:
        """Do what a person asks, if he has seen the alert as it is."""
        return acts.act(self._ledger, action, now_ms)

    # What the clock brings: ends of shelves, reminders, steps upwards, each at its own time.

    def _by_clock(self, now_ms: int) -> list[AlertEvent]:
        ledger, events = self._ledger, list[AlertEvent]()
        for until_ms, holder in ledger.shelves.due(now_ms):
            events.extend(self._calls(until_ms))
            ledger.shelves.end(holder)
            events.extend(acts.take_off(ledger, ledger.on_shelf(holder), until_ms))
        return events + self._calls(now_ms)

    def _calls(self, now_ms: int) -> list[AlertEvent]:
        ledger, events = self._ledger, list[AlertEvent]()
        while (due := ledger.clocks.take(now_ms, _CALLS)) is not None:
            at_ms, ring, alert = due
            if ring is Ring.REMIND and ledger.clocks.remind(alert, ledger.urgency):
                alert.ver += 1
                said = {"cause": "reminder", "reminders": alert.reminders}
                events.append(event(EventType.REMINDED, alert, at_ms, evidence=said))
            elif ring is Ring.ESCALATE and ledger.clocks.escalate(alert, ledger.urgency):
                alert.ver += 1
                said = {"cause": "unacknowledged", "level": alert.escalation}
                events.append(event(EventType.ESCALATED, alert, at_ms, evidence=said))
        return events

    # What the engine says.

    def _turn(
        self, turns: Sequence[Turn], now_ms: int, log: list[AlertEvent | _Draft]
    ) -> tuple[dict[str, Alert], dict[str, Alert]]:
        """Raise and clear. Gives what is new and lasts, and whose rungs may have changed."""
        lasting = _lasting(turns)
        fresh: dict[str, Alert] = {}
        touched: dict[str, Alert] = {}
        for place, turn in enumerate(turns):
            if turn.kind is Kind.RAISE:
                assert turn.change is not None
                alert, draft = self._raise(turn.change, now_ms, flapping=turn.flapping)
                if place in lasting:
                    fresh[alert.id] = alert
                log.append(draft if place in lasting else _final(draft))
                touched |= many(self._ledger.rungs(alert))
                continue
            held = self._ledger.holding.get((turn.rule, self.series.entries[turn.series].key))
            if held is None:
                continue  # of an alert that a book before this one has ended: nothing to say
            touched |= many(self._ledger.rungs(held))
            draft = self._go_on(held, turn, now_ms, new=held.id in fresh)
            log.append(draft if held.id in fresh else _final(draft))
        return fresh, touched

    def _raise(self, change: Transition, now_ms: int, *, flapping: bool) -> tuple[Alert, _Draft]:
        rule = self.rules[change.rule]
        one = self.series.entries[change.series]
        at_ms = change.at_ms if change.at_ms >= 0 else now_ms
        level = rule.raise_level or 0.0
        alert = Alert(
            id=alert_id(rule.id, one.key, change.t_since_ms),
            series=change.series,
            rule=rule.id,
            fixed=particulars.of_rule(rule, change, at_ms, self.series, self.registry, self._hangs),
            state=after(State.NORMAL, Step.RAISED),
            ver=1,
            max_age_ms=rule.notify_max_age_ms(round(one.expected_s * 1000)),
            flapping=flapping,
            ladder=rule.ladder,
            height=-level if rule.ask in (Ask.BELOW, Ask.DIFFERENCE_BELOW) else level,
        )
        self._ledger.keep(alert)
        self._suppression.raised(alert)
        evidence = particulars.evidence(change, self.series, self._described[rule.id])
        return alert, _Draft(EventType.RAISED, alert, at_ms, evidence)

    def _go_on(self, alert: Alert, turn: Turn, now_ms: int, *, new: bool) -> _Draft:
        """A clearing, a change while it flaps, or the end of flapping.

        new : raised in this entry, to be judged as it stands at its end
        """
        change = turn.change
        evidence = {} if change is None else particulars.evidence(change, self.series)
        at_ms = change.at_ms if change is not None and change.at_ms >= 0 else now_ms
        if turn.kind is Kind.KEEP:
            assert change is not None
            kind = EventType.RAISED if change.kind is Change.RAISED else EventType.CLEARED
            return _Draft(kind, alert, at_ms, evidence, kept=True)
        if turn.kind is Kind.CALM:
            evidence = {"cause": "withdrawn" if turn.withdrawn else "calm"}
            alert.flapping = False
            if turn.holds:
                if not new:
                    self._ledger.changed(alert, now_ms)
                return _Draft(EventType.EASED, alert, at_ms, evidence, kept=new)
        cleared_ms = turn.t_cleared_ms if change is None else change.t_event_ms
        self._over(alert, cleared_ms, at_ms)
        return _Draft(EventType.CLEARED, alert, at_ms, evidence)

    def _over(self, alert: Alert, cleared_ms: int, at_ms: int) -> None:
        self._ledger.clear(alert, cleared_ms, at_ms)
        self._suppression.cleared(alert)

    def _no_longer_watched(self) -> list[Turn]:
        """Rules that flapped on series that they no longer watch."""
        ended = []
        for rule_id, number in self._flapping.flapping():
            rule, one = self.rules.get(rule_id), self.series.entries[number]
            held = self._ledger.holding.get((rule_id, one.key))
            if (
                rule is None
                or (held is not None and held.fixed["ask"] != rule.ask.value)
                or number not in _anchors(rule, self.series, self.registry)
            ):
                ended.append(self._flapping.forget(rule_id, number))
        return [turn for turn in ended if turn is not None]

    # Who is told.

    def _tell(
        self, fresh: dict[str, Alert], touched: dict[str, Alert], situation: Situation
    ) -> list[tuple[Alert, dict[str, Any]]]:
        """Tell what is new, and late alerts that hold until now; gives the latter.

        The ladders of what is told are added to `touched`.
        """
        news = []
        for alert in list(self._ledger.late.values()):
            was = alert.suppressed
            if alert.id in fresh or alert.id in touched:
                self._suppression.hold_back(alert, situation)
            if alert.suppressed is None and self._is_news(alert, situation):
                if alert.id not in fresh:
                    cause = (
                        {"cause": "found_late"} if was is None else {"cause": "over", "was": was}
                    )
                    news.append((alert, cause))
                self._ledger.tell(
                    alert, alert.fixed["t_detected"] if alert.id in fresh else situation.now_ms
                )
                touched |= many(self._ledger.rungs(alert))
            elif alert.suppressed != was and alert.id not in fresh:
                alert.suppressed = was  # told apart below, as a change of its own
        for alert in (*fresh.values(), *(alert for alert, _ in news)):
            if alert.told:
                alert.suppressed = self._suppression.by_rung(alert)
                self._ledger.start(alert)
        return news

    def _is_news(self, alert: Alert, situation: Situation) -> bool:
        if is_silence(alert):
            return True
        newest = _newest_ms(alert, situation)
        young = newest >= 0 and situation.now_ms - newest < alert.max_age_ms
        return young and (alert.flapping or not situation.clearing(alert.rule, alert.series))


def _newest_ms(alert: Alert, situation: Situation) -> int:
    """The newest time of what the alert's rule goes by, -1 where there is none."""
    instant_ms = situation.instant_ms(alert.rule, alert.series)
    if instant_ms is not None:
        return instant_ms
    newest_ms = int(situation.newest_ms[alert.series])
    if alert.fixed["ask"] == Ask.FLAGGED.value:  # a sample that failed is what it tells of
        return max(newest_ms, int(situation.heard_ms[alert.series]))
    return newest_ms


def _lasting(turns: Sequence[Turn]) -> set[int]:
    """Places of raises that nothing later in the entry ends."""
    lasting: dict[tuple[str, int], int] = {}
    for place, turn in enumerate(turns):
        if turn.kind is Kind.RAISE:
            lasting[turn.rule, turn.series] = place
        elif turn.kind is Kind.CLEAR or (turn.kind is Kind.CALM and not turn.holds):
            lasting.pop((turn.rule, turn.series), None)
    return set(lasting.values())


def _anchors(rule: Rule, series: SeriesTable, registry: Registry) -> set[int]:
    """The series that alerts of a rule are of: of a group of series its first."""
    if rule.joint:
        return {group[0].id for group in groups_of(rule, series, registry)}
    return {one.id for one in watched(rule, series, registry)}


def _final(each: AlertEvent | _Draft) -> AlertEvent:
    if isinstance(each, AlertEvent):
        return each
    return event(each.kind, each.alert, each.at_ms, evidence=each.evidence, kept=each.kept)
