"""The book against a slow plain twin: random readings, acts, windows, pauses and restarts.

The twin looks at every alert after every entry, and lets time pass minute by minute; the book
looks at what an entry touches, and has due times. What flaps has a twin of its own
(`test_flapping`), so the twin takes the turns of that module.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Act, Action, Outcome
from alerts.flapping import Flapping, Kind
from alerts.situation import Situation
from alerts.transition import Transition
from tests.alerts.script import MINUTE_MS, SILENT, VK, XH, Script, minute

LEVELS = {"rung-1": (1.0, 0.9), "rung-2": (2.0, 1.8), "rung-4": (4.0, 3.6), "apart": (3.0, 2.5)}
SEVERITY = {"rung-1": "warning", "rung-2": "critical", "rung-4": "critical", "apart": "critical"}
RULES = (
    "".join(
        f"""
[[rule]]
id = "{rule}"
quantity = "salinity_g_l"
severity = "{SEVERITY[rule]}"
{"" if rule == "apart" else 'ladder = "salt"'}
raise_above = {up}
clear_below = {down}
"""
        for rule, (up, down) in LEVELS.items()
    )
    + SILENT
    + """
[escalation.critical]
remind_s = 600
escalate_s = [900, 1800]
[escalation.warning]
remind_s = 1200
"""
)
PACE: dict[str, tuple[int, tuple[int, ...]]] = {"critical": (10, (15, 30)), "warning": (20, ())}
ORDER = ("info", "warning", "major", "critical")
STATION = {VK: "vam-kenh", XH: "xuan-hoa"}


@dataclass
class Plain:
    """An alert as somebody would keep it on paper. Times in minutes."""

    id: str
    rule: str
    k: str
    ask: str
    flapping: bool
    holding: bool = True
    told: bool = False
    state: str = "unacked"
    suppressed: str | None = None
    shelved: float | None = None
    waited: int = 0
    reminders: int = 0
    escalation: int = 0

    @property
    def called(self) -> bool:
        """Whether its clock runs."""
        quiet = self.suppressed is not None or self.shelved is not None
        return self.told and self.state == "unacked" and not quiet


@dataclass
class Twin:
    script: Script
    alerts: list[Plain] = field(default_factory=list)
    shelves: dict[tuple[str, str], float] = field(default_factory=dict)
    flapping: Flapping = field(default_factory=Flapping)
    now: int = 0

    def pass_time(self, now: int) -> None:
        while self.now < now:
            self.now += 1
            for alert in self.alerts:
                if alert.called:
                    self._wait(alert)
            for key, until in list(self.shelves.items()):
                if until <= self.now:
                    self.take_off(key)

    def _wait(self, alert: Plain) -> None:
        severity = SEVERITY.get(alert.rule, "warning")
        remind, levels = PACE[severity]
        alert.waited += 1
        if alert.waited in levels:
            alert.escalation += 1
        elif alert.waited % remind == 0:
            alert.reminders += 1

    def take_off(self, key: tuple[str, str]) -> None:
        del self.shelves[key]
        for alert in self.alerts:
            if (alert.rule, alert.k) == key and alert.shelved is not None:
                alert.shelved = None

    def apply(self, transitions: list[Transition], situation: Situation) -> None:
        self.pass_time(round(minute(situation.now_ms)))
        for turn in self.flapping.through(transitions, situation.evaluations):
            k = self.script.series.entries[turn.series].key
            held = next(
                (a for a in self.alerts if a.holding and (a.rule, a.k) == (turn.rule, k)), None
            )
            if turn.kind is Kind.RAISE:
                assert held is None
                assert turn.change is not None
                self._raise(turn.change, k, flapping=turn.flapping)
            elif turn.kind is not Kind.KEEP and held is not None:
                held.flapping = False
                if not turn.holds:
                    held.holding = False
                    seen = held.state == "acked" or not held.told
                    held.state = "normal" if seen else "cleared-unacked"
                    held.suppressed = None
                    held.shelved = None if held.state == "normal" else held.shelved
        self._tell(situation)

    def _raise(self, change: Transition, k: str, *, flapping: bool) -> None:
        rule = self.script.book.rules[change.rule]
        from_id = change.rule, k, change.t_since_ms
        alert = Plain("|".join(map(str, from_id)), rule.id, k, rule.ask.value, flapping)
        alert.shelved = self.shelves.get((rule.id, k))
        # The same silence after its rule was away takes the old alert's place.
        self.alerts = [a for a in self.alerts if a.id != alert.id]
        self.alerts.append(alert)

    def _tell(self, situation: Situation) -> None:
        holding = [alert for alert in self.alerts if alert.holding]
        for alert in holding:
            kept = STATION[alert.k] in situation.maintenance
            series = self.script.series.by_key[alert.k]
            newest = int(situation.newest_ms[series])
            young = newest >= 0 and situation.now_ms - newest < 60 * MINUTE_MS
            calm = situation.clearing(alert.rule, series) and not alert.flapping
            alert.suppressed = "maintenance" if kept else None
            if not kept and (alert.ask == "no_data" or (young and not calm)):
                alert.told = True
        for alert in holding:
            if alert.told and alert.suppressed is None:
                above = [a for a in holding if a.told and a.k == alert.k and _over(a, alert)]
                alert.suppressed = "rung" if above else None

    def act(self, alert: Plain, kind: Act, until: float | None) -> None:
        if kind is Act.ACK:
            alert.state = "acked" if alert.holding else "normal"
            alert.shelved = None if alert.state == "normal" else alert.shelved
        elif kind is Act.SHELVE:
            assert until is not None
            self.shelves[alert.rule, alert.k] = alert.shelved = until
        elif kind is Act.UNSHELVE:
            self.take_off((alert.rule, alert.k))

    def open(self) -> list[tuple[Any, ...]]:
        """What a screen shows, oldest first."""
        return [
            (
                a.rule,
                a.k,
                a.state,
                a.suppressed,
                a.shelved,
                a.flapping,
                a.reminders,
                a.escalation,
            )
            for a in self.alerts
            if a.told and a.state != "normal"
        ]


def _over(one: Plain, other: Plain) -> bool:
    if not (one.rule.startswith("rung") and other.rule.startswith("rung")):
        return False
    ranks = [(ORDER.index(SEVERITY[a.rule]), LEVELS[a.rule][0]) for a in (one, other)]
    return ranks[0] > ranks[1]


def shown(script: Script) -> list[tuple[Any, ...]]:
    return [
        (
            a["rule"],
            a["k"],
            a["state"],
            a["suppressed"]["why"] if "suppressed" in a else None,
            minute(a["shelved_until"]) if "shelved_until" in a else None,
            a.get("flapping", False),
            a.get("reminders", 0),
            a.get("escalation", 0),
        )
        for a in script.book.alerts()
    ]


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "reading",
                "reading",
                "reading",
                "backlog",
                "ack",
                "shelve",
                "unshelve",
                "note",
                "window",
                "tick",
                "restart",
            ]
        ),
        st.sampled_from([0, 1, 3, 10, 15, 20, 45, 61, 130]),
        st.lists(st.sampled_from([0.5, 0.95, 1.5, 2.7, 3.2, 5.0]), min_size=1, max_size=6),
        st.sampled_from([VK, XH]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(ENTRIES)
def test_the_book_is_what_a_plain_loop_over_everything_makes_of_it(entries: list[Any]) -> None:
    script = Script(RULES)
    twin = Twin(script)
    now, newest = 0, {VK: -1, XH: -1}
    for kind, minutes, values, key, chosen in entries:
        now += minutes
        _fall_silent(script, twin, now)
        script.at(now)
        if kind in ("reading", "backlog"):
            start = now if kind == "reading" else max(newest[key] + 1, now - 90)
            taken = values[:1] if kind == "reading" else values
            samples = [
                (start + n, v) for n, v in enumerate(taken) if newest[key] < start + n <= now
            ]
            if samples:
                newest[key] = samples[-1][0]
                script.backlog([(float(when), value) for when, value in samples], key)
        elif kind in ("ack", "shelve", "unshelve", "note"):
            # An entry of the journal comes after what fell due before it.
            script.tick()
            twin.apply(_new(script), script.situation())
            _act(script, twin, kind, chosen, now)
            continue
        elif kind == "window":
            station = STATION[key]
            if script.maintenance.pop(station, None) is None:
                script.maintenance[station] = f"w{now}"
            script.tick()
        elif kind == "restart":
            script.restart().tick()
        else:
            script.tick()
        twin.apply(_new(script), script.situation())
        assert shown(script) == twin.open()
    _whole(script)


def _fall_silent(script: Script, twin: Twin, now: int) -> None:
    """Silence is found out at its own due time, as in the service."""
    asked = script.newest_ms, script.registered_ms, script.asleep_ms
    while (due := script.engine.next_due_ms(*asked)) is not None and minute(due) < now:
        script.at(minute(due)).tick()
        twin.apply(_new(script), script.situation())
        assert shown(script) == twin.open()


def _new(script: Script) -> list[Transition]:
    fresh, script.transitions = script.transitions, []
    return fresh


def _act(script: Script, twin: Twin, kind: str, chosen: int, now: int) -> None:
    alerts = script.book.alerts()
    if not alerts:
        return
    place = chosen % len(alerts)
    until = float(now + 1 + 7 * chosen) if kind == "shelve" else None
    until_ms = None if until is None else script.now_ms + (1 + 7 * chosen) * MINUTE_MS
    action = Action(Act(kind), alerts[place]["id"], alerts[place]["ver"], "Lan", "vì", until_ms)
    acted = script.acted(script.book.act(action, script.now_ms))
    if acted.outcome is Outcome.DONE:
        told = [a for a in twin.alerts if a.told and a.state != "normal"]
        twin.act(told[place], Act(kind), until)
    assert shown(script) == twin.open()


def _whole(script: Script) -> None:
    """What the events told is what the book holds, and versions only rise."""
    last: dict[str, dict[str, Any]] = {}
    heard: set[str] = set()
    for event in script.events:
        key = event.alert["id"]
        assert event.alert["ver"] >= last.get(key, {"ver": 0})["ver"]
        if event.told and key in last:
            assert event.alert["ver"] > last[key]["ver"]
        assert event.told or not event.notify
        if event.notify:
            quiet = "suppressed" in event.alert or "shelved_until" in event.alert
            assert not quiet or (event.type == "cleared" and key in heard)
            heard.add(key)
        elif event.type == "cleared" and event.told:
            assert key not in heard, "who heard of it hears that it is over"
        last[key] = event.alert
    on_screen = [a for a in last.values() if a["state"] != "normal" and not a["historic"]]
    by_id = sorted(script.book.alerts(), key=lambda a: str(a["id"]))
    assert sorted(on_screen, key=lambda a: str(a["id"])) == by_id


@settings(max_examples=60, deadline=None)
@given(ENTRIES, st.integers(0, 40), st.integers(1, 3))
def test_restarts_and_looks_of_the_clock_change_nothing(
    entries: list[Any], restart_at: int, looks: int
) -> None:
    told = []
    for disturbed in (False, True):
        script, now, newest = Script(RULES), 0, {VK: -1, XH: -1}
        for place, (kind, minutes, values, key, _) in enumerate(entries):
            for look in range(1, looks + 1 if disturbed else 1):
                script.at(now + minutes * look // (looks + 1))
                due = script.book.next_due_ms()
                if due is not None and due <= script.now_ms:
                    script.tick()
            now += minutes
            script.at(now)
            if disturbed and place == restart_at:
                script.restart()
            if kind == "reading" and now > newest[key]:
                newest[key] = now
                script.reading(values[0], key)
            else:
                script.tick()
        told.append([(e.type, e.alert, e.at_ms, e.told, e.notify) for e in script.events])
    without_detection = [[each for each in one if each[1]["rule"] != "silent"] for one in told]
    assert without_detection[0] == without_detection[1]
