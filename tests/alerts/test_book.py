"""The book: states, versions, who hears of what."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Act, Acted, Action, EventType, Outcome
from alerts.book import NOTE_LENGTH, AlertBook
from ingest.reading import Batch, Flag, Why
from tests.alerts.script import SALINITY_4, SILENT, VK, XH, Script, t

AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")


def act(script: Script, ver: int, kind: Act = Act.ACK, note: str | None = None) -> Acted:
    (alert,) = script.book.alerts()
    action = Action(kind, alert["id"], ver, who="Lan", note=note)
    return script.acted(script.book.act(action, script.now_ms))


def test_an_alert_is_unacked_then_acked_then_over() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    script.expect("raised", state="unacked", ver=1, t_told=t(0))
    script.at(1)
    acted = act(script, ver=1, note="  đã gọi người trực trạm ")
    assert acted.outcome is Outcome.DONE
    event = script.expect("acked", state="acked", ver=2, t_acked=t(1), told=True)
    assert (event.who, event.note, event.at_ms) == ("Lan", "đã gọi người trực trạm", t(1))
    assert acted.alert == event.alert
    assert "Lan" not in str(event.alert)  # names are for operators, alerts for everybody
    script.at(15).reading(3.0)
    script.expect("cleared", state="normal", ver=3, t_cleared=t(15), t_ended=t(15))
    assert script.book.alerts() == []


def test_what_cleared_before_anybody_saw_it_waits_to_be_seen() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    script.at(15).reading(3.0)
    script.expect("raised")
    script.expect("cleared", state="cleared-unacked", ver=2)
    script.at(20)
    assert act(script, ver=2).outcome is Outcome.DONE
    script.expect("acked", state="normal", ver=3, t_ended=t(20))
    assert script.book.alerts() == []


def test_a_new_spell_is_a_new_alert_beside_the_one_not_seen() -> None:
    script = Script(AT_ONCE).readings([4.1, 3.0, 4.5], start=0, step=15)
    script.expect("raised", since=0.0)
    script.expect("cleared")
    script.expect("raised", since=30.0)
    assert [alert["state"] for alert in script.book.alerts()] == ["cleared-unacked", "unacked"]


def test_a_stale_version_is_refused() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    script.expect("raised", ver=1)
    act(script, ver=1, kind=Act.NOTE, note="đang kiểm tra")
    script.expect("noted", ver=2, state="unacked")
    stale = act(script, ver=1)
    assert (stale.outcome, stale.events) == (Outcome.STALE, ())
    assert stale.alert == script.book.alerts()[0]
    assert act(script, ver=2).outcome is Outcome.DONE
    script.expect("acked", ver=3)
    assert act(script, ver=3).outcome is Outcome.NOT_NOW
    script.expect_nothing()


def test_a_note_needs_words_and_has_an_end() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    assert act(script, ver=1, kind=Act.NOTE, note="  ").outcome is Outcome.EMPTY
    assert act(script, ver=1, kind=Act.NOTE).outcome is Outcome.EMPTY
    act(script, ver=1, kind=Act.NOTE, note="x" * 9_999)
    assert script.events[-1].note == "x" * NOTE_LENGTH


def test_what_is_unknown_over_or_historic_takes_no_action() -> None:
    script = Script(AT_ONCE)
    unknown = Action(Act.ACK, "0" * 16, 1, "Lan")
    assert script.book.act(unknown, t(0)).outcome is Outcome.NOT_FOUND
    script.at(500).backlog([(0, 4.1)])
    historic = script.events[0].alert
    assert historic["historic"]
    assert script.book.get(historic["id"]) == historic
    assert script.book.get("0" * 16) is None
    refused = script.book.act(Action(Act.ACK, historic["id"], 1, "Lan"), t(500))
    assert (refused.outcome, refused.alert) == (Outcome.NOT_FOUND, None)


def test_what_an_alert_says() -> None:
    script = Script()
    script.at(0).reading(4.126, XH)
    alert = script.expect("raised").alert
    assert alert == {
        "id": alert["id"],
        "ver": 1,
        "state": "unacked",
        "historic": False,
        "rule": "salinity-4",
        "rule_version": script.rules.rules[0].version,
        "ask": "above",
        "severity": "critical",
        "k": XH,
        "station": "xuan-hoa",
        "device": "xh-01",
        "kind": "salinity",
        "branch": ["cua-tieu"],
        "quantity": "salinity_g_l",
        "unit": "g/L",
        "value": 4.126,
        "limit": 4.0,
        "flag": 1,
        "suspect": False,
        "t_since": t(0),
        "t_event": t(0),
        "t_detected": t(0),
        "t_told": t(0),
        "message_vi": "Xuân Hòa: 4,13 g/l, vượt 4,0 g/l từ 29/12/2025 16:20",
        "message_en": "Xuân Hòa: 4.13 g/L, above 4.0 g/L since 29/12/2025 16:20",
    }


def test_the_evidence_has_values_flags_thresholds_and_the_rule() -> None:
    script = Script(SALINITY_4.replace("for_s = 0", "for_s = 900", 1))
    script.at(0).reading(4.1, flag=3)
    script.at(15).reading(4.3)
    evidence = script.expect("raised").evidence
    assert evidence.pop("rule") == script.rules.rules[0].described()
    assert evidence == {
        "cause": "level",
        "t_since": t(0),
        "t_event": t(15),
        "first_value": 4.1,
        "value": 4.3,
        "reading": 4.3,
        "limit": 4.0,
        "flag": 1,
        "worst_flag": 3,
        "why": 0,
        "samples": 2,
    }


def test_an_alert_from_simulated_samples_says_so() -> None:
    script = Script(SALINITY_4.replace("for_s = 0", "for_s = 900", 1))
    vk = script.series.by_key[VK]
    for minute, why in ((0, Why.SIMULATED), (15, 0)):
        batch = Batch.of([vk], [t(minute)], [4.1], Flag.PASS, why)
        script.at(15).newest_ms[vk] = t(minute)
        script.events.extend(script.book.apply(script.engine.step(batch), script.situation()))
    script.expect("raised", sim=True)
    script = Script()
    script.at(0).reading(4.1)
    assert "sim" not in script.expect("raised").alert


def test_silence_over_a_rule_that_leaves_and_returns_is_one_alert() -> None:
    script = Script(SILENT)
    script.at(0).reading(1.0)
    script.at(45).tick()
    first = script.expect("raised", ver=1).alert["id"]
    script.configure("")
    script.expect("cleared", ver=2, state="cleared-unacked")
    script.configure(SILENT)
    script.expect("raised", ver=3, id=first, state="unacked")
    assert len(script.book.alerts()) == 1


def test_silence_that_was_over_before_it_could_be_told_is_historic() -> None:
    script = Script(SILENT)
    script.at(0).reading(1.0)
    lost = script.engine.advance(t(60), script.newest_ms, script.registered_ms, script.asleep_ms)
    script.newest_ms[script.series.by_key[VK]] = t(60)
    back = script.engine.advance(t(60), script.newest_ms, script.registered_ms, script.asleep_ms)
    script.at(60)
    events = script.book.apply([*lost, *back], script.situation())
    assert [(event.type, event.told) for event in events] == [
        (EventType.RAISED, False),
        (EventType.CLEARED, False),
    ]


def test_a_clearing_of_what_the_book_does_not_know_says_nothing() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    book = AlertBook(script.rules, script.series, script.registry)
    script.book = book
    script.at(15).reading(3.0)
    script.expect("raised")
    script.expect_nothing()


@pytest.mark.parametrize(("age_min", "told"), [(59.99, True), (60, False)])
def test_young_is_less_than_an_hour(age_min: float, told: bool) -> None:
    script = Script()
    script.at(age_min).backlog([(0, 4.1)])
    script.expect("raised", told=told)


def test_a_rule_can_set_what_is_young() -> None:
    script = Script(SALINITY_4 + "notify_max_age_s = 60")
    script.at(1).backlog([(0, 4.1)])
    script.expect("raised", told=False)


def test_a_snapshot_stands_by_itself() -> None:
    script = Script(AT_ONCE)
    script.at(0).reading(4.1)
    snapshot = script.book.snapshot()
    before = script.book.alerts()
    act(script, ver=1)
    restored = AlertBook(script.rules, script.series, script.registry, snapshot)
    assert restored.alerts() == before


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["reading", "backlog", "ack", "tick", "configure"]),
        st.integers(1, 200),
        st.lists(st.sampled_from([1.0, 3.0, 3.8, 4.1, 5.0]), min_size=1, max_size=4),
        st.sampled_from([VK, XH]),
    ),
    max_size=25,
)


def play(entries: list[Any], restart_at: int) -> Script:
    script, now, newest = Script(AT_ONCE + SILENT), 0, {VK: -1, XH: -1}
    for place, (kind, minutes, values, key) in enumerate(entries):
        if place == restart_at:
            script.restart()
        now += minutes
        script.at(now)
        if kind in ("reading", "backlog"):
            start = now if kind == "reading" else max(newest[key] + 1, now - 100)
            samples = [(start + n, v) for n, v in enumerate(values) if start + n <= now]
            if samples:
                newest[key] = int(samples[-1][0])
                script.backlog(samples, key)
        elif kind == "ack":
            for alert in script.book.alerts():
                script.acted(
                    script.book.act(Action(Act.ACK, alert["id"], alert["ver"], "x"), t(now))
                )
        elif kind == "tick":
            script.tick()
        else:
            script.configure(SILENT if len(values) > 2 else AT_ONCE + SILENT)
    return script


@settings(max_examples=150, deadline=None)
@given(ENTRIES, st.integers(0, 25))
def test_any_story_keeps_the_book_in_order(entries: list[Any], restart_at: int) -> None:
    script = play(entries, restart_at)
    assert script.events == play(entries, -1).events

    told: dict[str, list[str]] = {}
    versions: dict[str, int] = {}
    last: dict[str, dict[str, Any]] = {}
    for event in script.events:
        key = event.alert["id"]
        if "cleared" in told.get(key, []) and event.type == "raised":
            told[key], versions[key] = [], 0  # silence that a new configuration took up again
        # What a flapping alert does in between stands in its timeline and changes nothing.
        kept = not event.told and event.alert.get("flapping", False)
        assert event.alert["ver"] >= versions.get(key, 0) + (not kept)
        versions[key] = event.alert["ver"]
        last[key] = event.alert
        if event.told:
            told.setdefault(key, []).append(event.type.value)
    for types in told.values():
        assert types[0] == "raised"
        assert types.count("raised") == 1
        assert types.count("cleared") <= 1
        assert types.count("acked") <= 1
    still = [a for a in last.values() if a["state"] != "normal" and not a["historic"]]
    assert sorted(still, key=lambda a: str(a["id"])) == sorted(
        script.book.alerts(), key=lambda a: str(a["id"])
    )
    raised = {(a["rule"], a["k"]) for a in last.values() if "t_cleared" not in a}
    active = {
        ("salinity-4", key)
        for key in (VK, XH)
        if script.engine.active_now("salinity-4", script.series.by_key[key])
    }
    assert {pair for pair in raised if pair[0] == "salinity-4"} == active
