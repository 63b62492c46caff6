"""Notices: what the service says of itself has the life of an alert, and no station."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Act, Action, Outcome, alert_id
from alerts.notices import (
    DISK_LOW,
    HISTORIAN_BEHIND,
    HISTORIAN_TROUBLE,
    NOTICES,
    RESERVED,
    SELF_TEST,
    SELF_TEST_FAILED,
    NoticeRule,
    Said,
)
from alerts.rulesfile import parse_rules
from ingest.faults import ConfigError
from tests.alerts.script import SALINITY_4, VK, Script, t

AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")


def say(script: Script, rule: NoticeRule, *, holding: bool, **more: Any) -> Script:
    said = {"value": None, "limit": None, "t_ms": script.now_ms} | more
    script.events.extend(script.book.notice(Said(rule.id, holding, **said), script.now_ms))
    return script


def test_a_notice_lives_as_an_alert_does() -> None:
    script = Script()
    say(script.at(1), HISTORIAN_BEHIND, holding=True, value=912.5, limit=900.0)
    raised = script.expect("raised", state="unacked", ver=1, told=True, since=1.0, t_told=t(1))
    action = Action(Act.ACK, raised.alert["id"], 1, "Lan", "đã gọi")
    assert script.acted(script.book.act(action, t(2))).outcome is Outcome.DONE
    script.expect("acked", state="acked", ver=2)
    say(script.at(3), HISTORIAN_BEHIND, holding=False)
    script.expect("cleared", state="normal", ver=3, cleared=3.0, t_ended=t(3))
    assert script.book.alerts() == []


def test_a_notice_that_nobody_saw_waits_to_be_seen_and_a_test_does_not() -> None:
    script = Script()
    for rule in (HISTORIAN_TROUBLE, SELF_TEST):
        say(script.at(1), rule, holding=True)
        say(script.at(2), rule, holding=False)
    assert [(e.type, e.alert["state"]) for e in script.events] == [
        ("raised", "unacked"),
        ("cleared", "cleared-unacked"),
        ("raised", "unacked"),
        ("cleared", "normal"),
    ]
    assert [alert["rule"] for alert in script.book.alerts()] == [HISTORIAN_TROUBLE.id]


def test_a_test_that_somebody_took_is_over_all_the_same() -> None:
    script = Script()
    say(script.at(1), SELF_TEST, holding=True)
    script.book.act(Action(Act.ACK, script.events[0].alert["id"], 1, "Lan"), t(1))
    say(script.at(2), SELF_TEST, holding=False)
    assert script.events[-1].alert["state"] == "normal"


def test_what_a_notice_says() -> None:
    script = Script()
    say(script.at(0), HISTORIAN_BEHIND, holding=True, value=912.5, limit=900.0, detail="x\ny ")
    alert = script.expect("raised").alert
    assert alert == {
        "id": alert_id("songtien-historian-behind", "songtien/historian-behind", t(0)),
        "ver": 1,
        "state": "unacked",
        "historic": False,
        "rule": "songtien-historian-behind",
        "rule_version": HISTORIAN_BEHIND.version,
        "ask": "notice",
        "severity": "warning",
        "k": "songtien/historian-behind",
        "unit": "s",
        "value": 912.5,
        "limit": 900.0,
        "detail": "x y",
        "t_since": t(0),
        "t_event": t(0),
        "t_detected": t(0),
        "t_told": t(0),
        "message_vi": "Hệ thống: số liệu chờ chép sang InfluxDB đã quá 15 phút, "
        "từ 29/12/2025 16:20; không mất số liệu nào. x y",
        "message_en": "System: readings have waited more than 15 min for InfluxDB, "
        "since 29/12/2025 16:20; none is lost. x y",
    }
    say(script, SELF_TEST, holding=True)
    test = script.events[-1].alert
    assert (test["test"], test["severity"]) == (True, "info")
    assert test["message_vi"].startswith("Kiểm tra hằng ngày: ")
    say(script, DISK_LOW, holding=True, value=0.5)
    assert "còn 0,5 GiB" in script.events[-1].alert["message_vi"]


def test_the_same_word_again_is_no_news() -> None:
    script = Script()
    say(script.at(1), DISK_LOW, holding=False)
    for minute in (2, 3):
        say(script.at(minute), DISK_LOW, holding=True, value=0.1)
    for minute in (4, 5):
        say(script.at(minute), DISK_LOW, holding=False)
    assert [(e.type, e.at_ms) for e in script.events] == [("raised", t(2)), ("cleared", t(4))]
    assert script.book.notices() == {DISK_LOW.id: (False, t(5))}


def test_a_notice_of_another_version_of_the_program_is_passed_over() -> None:
    script = Script()
    assert script.book.notice(Said("songtien-of-tomorrow", True, None, None, 1), 1) == []
    assert script.book.notices() == {}


def test_new_rules_and_readings_leave_a_notice_alone() -> None:
    script = Script(AT_ONCE)
    say(script.at(0), SELF_TEST_FAILED, holding=True, detail="nothing came back")
    script.at(1).reading(4.1).configure("").reading(1.0, VK).tick()
    held = [alert for alert in script.book.alerts() if alert["rule"] == SELF_TEST_FAILED.id]
    assert [alert["ver"] for alert in held] == [1]


def test_ids_of_notices_are_reserved_and_nobody_elses() -> None:
    assert all(name == rule.id and name.startswith(RESERVED) for name, rule in NOTICES.items())
    assert len({rule.key for rule in NOTICES.values()}) == len(NOTICES)
    taken = SALINITY_4.replace('"salinity-4"', '"songtien-self-test"')
    with pytest.raises(ConfigError) as told:
        parse_rules(taken, "rules.toml")
    (fault,) = told.value.faults
    assert "the service's own" in fault.accepted
    assert parse_rules(SALINITY_4.replace('"salinity-4"', '"songtien4"'), "rules.toml").rules


words = st.tuples(
    st.sampled_from([HISTORIAN_BEHIND, HISTORIAN_TROUBLE, SELF_TEST]),
    st.sampled_from(["raise", "clear", "ack", "reading", "restart"]),
)


@settings(max_examples=200)
@given(st.lists(words, max_size=30))
def test_any_words_in_any_order_keep_a_notice_in_its_life(story: list[tuple[Any, str]]) -> None:
    """A pair of raised and cleared for each spell, versions without gaps, restarts unseen."""
    script, plain = Script(AT_ONCE), Script(AT_ONCE)
    for minute, (rule, what) in enumerate(story):
        for one in (script, plain):
            one.at(minute)
            if what in ("raise", "clear"):
                say(one, rule, holding=what == "raise")
            elif what == "reading":
                one.reading(4.5 if minute % 2 else 1.0)
            elif what == "ack" and one.book.alerts():
                alert = one.book.alerts()[0]
                one.acted(one.book.act(Action(Act.ACK, alert["id"], alert["ver"], "Lan"), t(0)))
        if what == "restart":
            script.restart()
    assert script.events == plain.events
    assert script.book.snapshot() == plain.book.snapshot()
    lives: dict[str, list[Any]] = {}
    for event in script.events:
        lives.setdefault(event.alert["id"], []).append(event)
    for life in lives.values():
        assert [event.alert["ver"] for event in life] == list(range(1, len(life) + 1))
        kinds = [event.type.value for event in life]
        assert kinds[0] == "raised"
        assert sum(kind == "cleared" for kind in kinds) <= 1
    for rule in NOTICES.values():
        turns = [e.type.value for e in script.events if e.alert["rule"] == rule.id]
        turns = [turn for turn in turns if turn != "acked"]
        assert turns == (["raised", "cleared"] * len(turns))[: len(turns)]
