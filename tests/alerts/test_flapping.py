"""Flapping: against a plain twin that keeps all states, and as scripts in time."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Act, Action
from alerts.flapping import ENTER, HISTORY, LEAVE, Flapping, Kind, score
from alerts.transition import Cause, Change, Transition
from ingest.reading import Why
from ingest.snapshot import pack, unpack
from tests.alerts.script import SALINITY_4, VK, XH, Script, t

AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")


def change(ordinal: int, *, raised: bool, cause: Cause = Cause.LEVEL, why: int = 0) -> Transition:
    kind = Change.RAISED if raised else Change.CLEARED
    at = 1000 * ordinal
    plain = Transition(
        kind, "rule", 0, at, at, 4.1, 1, 4.0, -1, cause, 1, why, 1, 4.1, 4.1, ordinal
    )
    return plain if cause is Cause.LEVEL else replace(plain, ordinal=-1)


def weight(states: list[bool]) -> Fraction:
    """As Nagios and Kapacitor have it, with fractions: the last 21 states, linear weights."""
    recent = ([False] * HISTORY + states)[-HISTORY:]
    total = Fraction(0)
    for place in range(1, HISTORY):
        if recent[place] != recent[place - 1]:
            total += Fraction(8, 10) + Fraction(4, 10) * Fraction(place - 1, HISTORY - 2)
    return total / (HISTORY - 1)


class Twin:
    """One evaluation at a time, with everything remembered."""

    def __init__(self) -> None:
        self.states: list[bool] = []
        self.flapping = False
        self.said: list[tuple[str, int]] = []

    def evaluate(self, state: bool) -> None:
        before = self.states[-1] if self.states else False
        self.states.append(state)
        ordinal = len(self.states)
        now = weight(self.states)
        if self.flapping and now < Fraction(1, 4):
            self.flapping = False
            self.said.append(("goes on" if state else "over", ordinal))
        if state != before:
            if self.flapping:
                self.said.append(("kept", ordinal))
            elif state and now >= Fraction(1, 2):
                self.flapping = True
                self.said.append(("flaps", ordinal))
            else:
                self.said.append(("raise" if state else "clear", ordinal))


def told(states: list[bool], splits: list[int], restarts: set[int]) -> list[tuple[str, int]]:
    """What the module says, given the changes of each piece at once."""
    flapping = Flapping()
    said: list[tuple[str, int]] = []
    before, start = False, 0
    for end in [*splits, len(states)]:
        changes = []
        for place in range(start, end):
            if states[place] != before:
                changes.append(change(place + 1, raised=states[place]))
            before = states[place]
        for step in flapping.through(changes, lambda _rule, _series, end=end: end):  # type: ignore[misc]
            if step.kind is Kind.CALM:
                said.append(("goes on" if step.holds else "over", -1))
            else:
                assert step.change is not None
                word = "flaps" if step.flapping else step.kind.value
                said.append((word.replace("keep", "kept"), step.change.ordinal))
        if end in restarts:
            flapping = Flapping(unpack(pack(flapping.snapshot())))
        start = end
    return said


STATES = st.lists(st.tuples(st.booleans(), st.integers(1, 12)), min_size=1, max_size=40).map(
    lambda runs: [state for state, length in runs for _ in range(length)]
)
RESTLESS = st.lists(st.sampled_from([True, False, False, True]), max_size=90)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(STATES, RESTLESS, st.tuples(RESTLESS, STATES).map(lambda two: [*two[0], *two[1]])),
    st.lists(st.integers(0, 200), max_size=30),
    st.sets(st.integers(0, 200)),
)
def test_equals_the_twin_in_any_split(
    states: list[bool], splits: list[int], restarts: set[int]
) -> None:
    twin = Twin()
    for state in states:
        twin.evaluate(state)
    cuts = sorted({split for split in splits if split < len(states)})
    said = told(states, cuts, restarts)
    # An end of flapping stands at an evaluation without a transition: only its order is known.
    assert said == [
        (word, -1 if word in ("over", "goes on") else ordinal) for word, ordinal in twin.said
    ]


def test_the_score_is_the_weighted_share_of_changes() -> None:
    states = [True, False] * 15
    for length in range(len(states)):
        changes = list(range(1, length + 1))
        of_twin = weight(states[:length])
        found = score(changes, length)
        assert Fraction(found, 3800) == of_twin
        assert (found >= ENTER) == (of_twin >= Fraction(1, 2))
        assert (found < LEAVE) == (of_twin < Fraction(1, 4))


def flap(script: Script, start: float, count: int, key: str = VK, step: float = 15) -> Script:
    values = [(4.1, 3.0)[n % 2] for n in range(count)]
    return script.readings(values, start=start, step=step, key=key)


def test_one_notice_in_and_one_out() -> None:
    script = flap(Script(AT_ONCE), 0, 40)
    told_events = [e for e in script.events if e.told]
    assert [e.type for e in told_events] == ["raised", "cleared"] * 4 + ["raised"]
    (alert,) = [a for a in script.book.alerts() if a.get("flapping")]
    assert told_events[-1].alert["flapping"]
    kept = [e for e in script.events if not e.told]
    assert len(kept) == 31
    assert {e.alert["id"] for e in kept} == {alert["id"]}
    assert {e.alert["ver"] for e in kept} == {1}, "an officer's version stays good meanwhile"
    assert not any(e.notify for e in kept)
    before = len(script.events)
    script.readings([3.0] * 20, start=600, step=15)
    (out,) = script.events[before:]
    assert (out.type.value, out.told, out.notify) == ("cleared", True, True)
    assert out.alert["id"] == alert["id"]
    assert "flapping" not in out.alert
    assert out.alert["t_cleared"] == t(39 * 15), "the sample that last cleared it"
    assert out.evidence["cause"] == "calm"


def test_it_goes_on_where_the_rule_still_holds_at_the_end() -> None:
    script = flap(Script(AT_ONCE), 0, 21)
    before = len(script.events)
    script.readings([4.1] * 20, start=315, step=15)
    (eased,) = script.events[before:]
    assert (eased.type.value, eased.alert["state"], eased.notify) == ("eased", "unacked", True)
    assert "flapping" not in eased.alert
    script.at(700).reading(3.0)
    assert script.events[-1].type == "cleared"
    assert script.events[-1].alert["id"] == eased.alert["id"]


def test_a_flapping_alert_can_be_acknowledged_and_is_over_when_it_calms_down() -> None:
    script = flap(Script(AT_ONCE), 0, 20)
    alert = next(a for a in script.book.alerts() if a.get("flapping"))
    acted = script.book.act(Action(Act.ACK, alert["id"], alert["ver"], "Lan"), script.now_ms)
    assert acted.events[0].alert["state"] == "acked"
    script.restart()
    script.readings([3.0] * 20, start=600, step=15)
    assert script.events[-1].alert["state"] == "normal"


@pytest.mark.parametrize("together", [2, 5, 60])
def test_the_same_alerts_however_the_samples_came(together: int) -> None:
    values = [(4.1, 3.0)[n % 2] for n in range(31)] + [3.0] * 12 + [4.1] * 3 + [3.0]
    samples = [(n * 15.0, value) for n, value in enumerate(values)]
    single = Script(AT_ONCE)
    for when, value in samples:
        single.at(when).reading(value)
    cut = Script(AT_ONCE)
    for start in range(0, len(samples), together):
        piece = samples[start : start + together]
        cut.at(piece[-1][0]).backlog(piece)
    assert {e.alert["id"] for e in cut.events} == {e.alert["id"] for e in single.events}
    last = {e.alert["id"]: e.alert.get("t_cleared") for e in cut.events}
    assert last == {e.alert["id"]: e.alert.get("t_cleared") for e in single.events}
    kept = [(e.type, e.alert["id"], e.evidence.get("t_event")) for e in single.events]
    assert kept == [(e.type, e.alert["id"], e.evidence.get("t_event")) for e in cut.events]


def test_what_the_clock_decided_ends_it_and_is_no_change() -> None:
    flapping = Flapping()
    for n in range(1, 12):
        flapping.through([change(n, raised=n % 2 == 1)], lambda *_: 11)
    assert flapping.flapping() == [("rule", 0)]
    (step,) = flapping.through([change(12, raised=False, cause=Cause.WITHDRAWN)], lambda *_: 12)
    assert (step.kind, flapping.flapping(), flapping.snapshot()) == (Kind.CLEAR, [], [])


def test_simulated_samples_do_not_flap_with_measured_ones() -> None:
    flapping = Flapping()
    for n in range(1, 11):
        flapping.through([change(n, raised=n % 2 == 1)], lambda *_: 10)
    by_hand = change(11, raised=True, why=int(Why.SIMULATED))
    calm, raised = flapping.through([by_hand], lambda *_: 11)
    assert (calm.kind, calm.holds, raised.kind) == (Kind.CALM, False, Kind.RAISE)


def test_a_rule_that_leaves_while_it_flaps_takes_its_alert_along() -> None:
    script = flap(Script(AT_ONCE), 0, 20)
    alert = next(a for a in script.book.alerts() if a.get("flapping"))
    script.configure("").restart()
    cleared = script.events[-1]
    assert (cleared.type.value, cleared.alert["id"]) == ("cleared", alert["id"])
    assert cleared.evidence == {"cause": "withdrawn"}
    script.configure(AT_ONCE)
    flap(script, 1000, 1)
    assert "flapping" not in script.events[-1].alert


def test_series_flap_apart() -> None:
    script = flap(Script(AT_ONCE), 0, 19)
    flap(script, 500, 2, XH)
    assert [e.type for e in script.events[-2:]] == ["raised", "cleared"]
    assert all(e.told for e in script.events[-2:])
