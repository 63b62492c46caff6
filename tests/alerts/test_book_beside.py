"""What stands beside an alert's state, as scripts in time: shelves, ladders, reminders, upkeep."""

from typing import Any

from alerts.alert import Act, Acted, Action, EventType, Outcome
from alerts.shelves import LONGEST_MS, SHORTEST_MS
from tests.alerts.script import MINUTE_MS, SALINITY_4, SILENT, SPEED, VK, XH, Script, t

AT_ONCE = SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0")

LADDER = """
[[rule]]
id = "rung-1"
quantity = "salinity_g_l"
severity = "warning"
ladder = "salt"
raise_above = 1.0
clear_below = 0.9

[[rule]]
id = "rung-2"
quantity = "salinity_g_l"
severity = "warning"
ladder = "salt"
raise_above = 2.0
clear_below = 1.8

[[rule]]
id = "rung-4"
quantity = "salinity_g_l"
severity = "critical"
ladder = "salt"
raise_above = 4.0
clear_below = 3.6
"""

URGENT = """
[escalation.critical]
remind_s = 600
escalate_s = [900, 1800]
[escalation.warning]
remind_s = 0
"""


def alert_of(script: Script, rule: str = "salinity-4") -> dict[str, Any]:
    return next(alert for alert in script.book.alerts() if alert["rule"] == rule)


def act(
    script: Script,
    kind: Act,
    note: str | None = None,
    until: float | None = None,
    rule: str = "salinity-4",
    ver: int | None = None,
) -> Acted:
    alert = alert_of(script, rule)
    until_ms = None if until is None else t(until)
    seen = alert["ver"] if ver is None else ver
    action = Action(kind, alert["id"], seen, "Lan", note, until_ms)
    return script.acted(script.book.act(action, script.now_ms))


def due(script: Script) -> float | None:
    ms = script.book.next_due_ms()
    return None if ms is None else (ms - t(0)) / MINUTE_MS


# Shelves.


def test_a_shelved_alert_is_shown_and_calls_nobody_until_its_end() -> None:
    script = Script(AT_ONCE).at(0).reading(4.1)
    assert script.expect("raised").notify
    script.at(5)
    assert act(script, Act.SHELVE, " rửa đầu đo ", until=65).outcome is Outcome.DONE
    event = script.expect(
        "shelved", ver=2, state="unacked", shelved_until=t(65), shelved_why="rửa đầu đo", told=True
    )
    assert (event.who, event.note, event.evidence) == ("Lan", "rửa đầu đo", {"until": t(65)})
    assert not event.notify
    assert due(script) == 65
    script.at(64.99).tick()
    script.expect_nothing()
    script.at(70).tick()
    event = script.expect("unshelved", ver=3, shelved_until=None, shelved_why=None)
    assert (event.at_ms, event.who, event.notify) == (t(65), None, True)
    assert due(script) is None


def test_a_shelved_alert_still_clears_and_who_heard_of_it_hears_that() -> None:
    script = Script(AT_ONCE).at(0).reading(4.1)
    act(script, Act.SHELVE, "rửa đầu đo", until=600)
    script.at(15).reading(3.0)
    script.expect("raised")
    script.expect("shelved")
    assert script.expect("cleared", state="cleared-unacked", shelved_until=t(600)).notify
    act(script, Act.ACK)
    script.expect("acked", state="normal", shelved_until=None)


def test_what_is_raised_anew_within_the_time_is_born_on_the_shelf() -> None:
    script = Script(AT_ONCE).at(0).reading(4.1)
    act(script, Act.SHELVE, "rửa đầu đo", until=600)
    script.readings([3.0, 4.5], start=15, step=15).reading(4.5, XH)
    for kind in ("raised", "shelved", "cleared"):
        script.expect(kind)
    event = script.expect("raised", k=VK, shelved_until=t(600), told=True)
    assert not event.notify
    event = script.expect("raised", k=XH, shelved_until=None)
    assert event.notify
    script.restart()
    script.at(600).tick()
    assert [e.type for e in script.events[-2:]] == ["unshelved", "unshelved"], "old and new"
    script.at(615).reading(3.0).at(630).reading(4.5)
    assert script.events[-1].notify, "the shelf is over"


def test_an_officer_takes_the_shelf_down_himself() -> None:
    script = Script(AT_ONCE).at(0).reading(4.1)
    assert act(script, Act.UNSHELVE).outcome is Outcome.NOT_NOW
    act(script, Act.SHELVE, "rửa đầu đo", until=600)
    script.at(10)
    assert act(script, Act.UNSHELVE, "xong rồi").outcome is Outcome.DONE
    script.expect("raised")
    script.expect("shelved")
    event = script.expect("unshelved", shelved_until=None)
    assert (event.who, event.note, event.notify) == ("Lan", "xong rồi", True)
    assert due(script) is None
    script.at(20).reading(3.0).at(30).reading(4.4)
    assert script.events[-1].notify


def test_a_shelf_needs_a_reason_an_end_and_the_version_seen() -> None:
    assert (SHORTEST_MS, LONGEST_MS) == (MINUTE_MS, 7 * 24 * 60 * MINUTE_MS), "as the page says"
    script = Script(AT_ONCE).at(0).reading(4.1)
    assert act(script, Act.SHELVE, None, until=60).outcome is Outcome.EMPTY
    assert act(script, Act.SHELVE, "  ", until=60).outcome is Outcome.EMPTY
    for until in (None, 0.0, SHORTEST_MS / MINUTE_MS - 0.01, LONGEST_MS / MINUTE_MS + 1):
        assert act(script, Act.SHELVE, "lý do", until=until).outcome is Outcome.NO_END
    assert act(script, Act.SHELVE, "lý do", until=LONGEST_MS / MINUTE_MS).outcome is Outcome.DONE
    assert act(script, Act.SHELVE, "khác", until=60, ver=1).outcome is Outcome.STALE
    assert act(script, Act.SHELVE, "khác", until=SHORTEST_MS / MINUTE_MS).outcome is Outcome.DONE
    assert alert_of(script)["shelved_why"] == "khác"
    script.at(15).reading(3.0)
    assert act(script, Act.SHELVE, "lý do", until=600).outcome is Outcome.NOT_NOW


# Ladders.


def test_the_highest_rung_is_told_and_the_others_fold_under_it() -> None:
    script = Script(LADDER).at(0).reading(1.5)
    assert script.expect("raised", rule="rung-1", suppressed=None).notify
    script.at(15).reading(2.5)
    assert script.expect("raised", rule="rung-2", suppressed=None).notify
    by = alert_of(script, "rung-2")["id"]
    event = script.expect("suppressed", rule="rung-1", suppressed={"why": "rung", "by": by})
    assert event.told
    assert not event.notify
    script.at(30).reading(5.0)
    script.expect("raised", rule="rung-4")
    by = alert_of(script, "rung-4")["id"]
    script.expect("suppressed", rule="rung-1", suppressed={"why": "rung", "by": by})
    script.expect("suppressed", rule="rung-2", suppressed={"why": "rung", "by": by})
    script.at(45).reading(2.5)
    script.expect("cleared", rule="rung-4")
    by = alert_of(script, "rung-2")["id"]
    script.expect("suppressed", rule="rung-1", suppressed={"why": "rung", "by": by})
    event = script.expect("eased", rule="rung-2", suppressed=None)
    assert event.notify
    assert event.evidence["was"]["why"] == "rung"
    script.expect_nothing()


def test_a_leap_over_all_rungs_calls_once_and_a_fall_from_all_clears_what_was_heard() -> None:
    script = Script(LADDER).at(0).reading(5.0)
    raised = [script.expect("raised") for _ in range(3)]
    assert [(e.alert["rule"], e.told, e.notify) for e in raised] == [
        ("rung-1", True, False),
        ("rung-2", True, False),
        ("rung-4", True, True),
    ]
    assert {e.alert["ver"] for e in raised} == {1}
    script.at(15).reading(0.5)
    cleared = [script.expect("cleared") for _ in range(3)]
    assert [e.notify for e in cleared] == [False, False, True]
    script.expect_nothing()


def test_ladders_of_other_series_and_rungs_found_late_stay_apart() -> None:
    script = Script(LADDER).at(0).reading(5.0, VK).reading(1.5, XH)
    assert script.events[-1].alert["rule"] == "rung-1"
    assert script.events[-1].notify
    script = Script(LADDER).at(500).backlog([(0, 5.0)]).at(510).reading(1.5)
    late = [(e.type.value, e.alert["rule"], e.told) for e in script.events]
    assert late == [
        *[("raised", f"rung-{n}", False) for n in (1, 2, 4)],
        ("cleared", "rung-2", False),
        ("cleared", "rung-4", False),
        ("raised", "rung-1", True),
    ], "an untold rung folds nothing"
    assert script.events[-1].notify


# Reminders and escalation.


def test_a_critical_alert_is_said_again_until_somebody_has_seen_it() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.expect("raised", ver=1)
    assert due(script) == 10
    script.at(31).tick()
    event = script.expect("reminded", ver=2, reminders=1, told=True)
    assert (event.at_ms, event.notify) == (t(10), True)
    event = script.expect("escalated", ver=3, escalation=1, t_escalated=t(15))
    assert (event.at_ms, event.notify, event.evidence["level"]) == (t(15), True, 1)
    assert script.expect("reminded", reminders=2).at_ms == t(20)
    event = script.expect("escalated", escalation=2, reminders=2, t_escalated=t(30))
    assert event.at_ms == t(30), "a step upwards at the same time is the reminder"
    assert due(script) == 40
    act(script, Act.ACK)
    assert due(script) is None
    script.at(300).tick()
    assert script.expect("acked").type is EventType.ACKED
    script.expect_nothing()


def test_a_reminder_is_no_reason_to_refuse_an_officer() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.at(16).tick()
    assert alert_of(script)["ver"] == 3
    assert act(script, Act.NOTE, "đang gọi", ver=1).outcome is Outcome.DONE
    assert act(script, Act.ACK, ver=3).outcome is Outcome.STALE, "a note is one"
    assert act(script, Act.ACK, ver=5).outcome is Outcome.STALE, "nobody has seen that"
    assert act(script, Act.ACK, ver=4).outcome is Outcome.DONE


def test_what_cleared_is_not_said_again() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1).at(5).reading(3.0)
    assert due(script) is None
    script.at(60).tick()
    assert [e.type for e in script.events] == ["raised", "cleared"]


def test_the_clock_stands_still_on_a_shelf_and_goes_on_after_it() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.at(4)
    act(script, Act.SHELVE, "rửa đầu đo", until=64)
    script.restart()
    script.at(69.99).tick()
    assert [e.type for e in script.events] == ["raised", "shelved", "unshelved"]
    assert due(script) == 70, "six minutes of ten were left"
    script.at(75).tick()
    assert [(e.type.value, e.at_ms) for e in script.events[3:]] == [
        ("reminded", t(70)),
        ("escalated", t(75)),
    ]


def test_a_folded_rung_is_not_said_again_and_its_clock_begins_when_it_unfolds() -> None:
    rules = LADDER.replace('"warning"', '"critical"') + URGENT
    script = Script(rules).at(0).reading(5.0)
    script.at(12).tick()
    assert [e.alert["rule"] for e in script.events if e.type == "reminded"] == ["rung-4"]
    script.at(14).reading(3.0)
    assert [e.type for e in script.events[-2:]] == ["suppressed", "eased"]
    assert due(script) == 24, "ten minutes after rung-2 is what there is"


def test_after_a_time_of_not_running_one_reminder_is_given() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1).at(31).tick()
    script.restart()
    script.at(1003)
    script.book.awake(script.now_ms)
    script.tick()
    assert [(e.type.value, e.at_ms) for e in script.events[5:]] == [("reminded", t(1000))]
    assert due(script) == 1010


def test_new_tables_count_from_the_next_reminder_on() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.configure(AT_ONCE + "[escalation.critical]\nremind_s = 0\nescalate_s = []")
    script.at(60).tick()
    assert [e.type for e in script.events] == ["raised"]
    assert due(script) is None


def test_how_often_anybody_looks_changes_nothing() -> None:
    said = []
    for steps in (1, 7, 100):
        script = Script(LADDER.replace('"warning"', '"critical"') + URGENT).at(0).reading(5.0)
        script.at(3)
        act(script, Act.SHELVE, "lý do", until=33, rule="rung-4")
        for step in range(1, steps + 1):
            script.at(3 + 97 * step / steps).tick()
        script.at(100).reading(1.5)
        said.append(script.events)
    assert said[0] == said[1] == said[2]
    assert len(said[0]) > 10


# Maintenance.


def test_at_a_station_in_maintenance_alerts_are_kept_and_told_at_its_end() -> None:
    script = Script(AT_ONCE)
    script.maintenance = {"vam-kenh": "bt-7"}
    script.at(0).reading(4.1).reading(4.2, XH)
    event = script.expect("raised", k=VK, told=False, historic=True)
    assert event.alert["suppressed"] == {"why": "maintenance", "by": "bt-7"}
    assert script.expect("raised", k=XH, told=True).notify
    script.at(15).reading(4.3)
    script.restart()
    script.maintenance = {}
    script.at(30).tick()
    event = script.expect("raised", k=VK, told=True, suppressed=None, t_told=t(30), ver=2)
    assert event.notify
    assert event.evidence == {"cause": "over", "was": {"why": "maintenance", "by": "bt-7"}}
    script.expect_nothing()


def test_what_was_over_before_its_end_is_never_told() -> None:
    script = Script(AT_ONCE)
    script.maintenance = {"vam-kenh": "bt-7"}
    script.at(0).reading(4.1).at(15).reading(3.0)
    script.maintenance = {}
    script.at(30).tick()
    script.expect("raised", told=False)
    script.expect("cleared", told=False, state="normal")
    script.expect_nothing()


def test_what_was_told_before_is_folded_meanwhile() -> None:
    script = Script(AT_ONCE + URGENT).at(0).reading(4.1)
    script.maintenance = {"vam-kenh": "bt-7"}
    script.at(5).tick()
    script.expect("raised")
    event = script.expect("suppressed", suppressed={"why": "maintenance", "by": "bt-7"}, told=True)
    assert not event.notify
    script.maintenance = {}
    script.at(100).tick()
    assert script.expect("unsuppressed", suppressed=None).notify
    assert due(script) == 105


SLOW = """
[[rule]]
id = "slow"
quantity = "speed_km_h"
severity = "warning"
raise_below = 20.0
clear_above = 30.0
"""


def test_what_a_closed_direction_says_of_traffic_calls_nobody() -> None:
    script = Script(SLOW)
    script.at(0).reading(5.0, SPEED)
    script.expect("raised", told=True)
    script.closed = frozenset({"rach-mieu-1/southbound"})
    script.at(1).tick()
    closed = {"why": "closed", "by": "rach-mieu-1/southbound"}
    script.expect("suppressed", suppressed=closed)
    script.at(2).reading(40.0, SPEED)
    script.expect("cleared")
    script.at(3).reading(5.0, SPEED)
    script.expect("raised", told=False, suppressed=closed)
    script.closed = frozenset()
    script.at(4).reading(5.0, SPEED)
    event = script.expect("raised", told=True)
    assert "suppressed" not in event.alert


def test_a_camera_that_falls_silent_is_told_though_its_direction_is_closed() -> None:
    quiet = SILENT.replace("salinity_g_l", "speed_km_h").replace("vam-kenh", "rach-mieu-1")
    script = Script(quiet.replace("2700", "600"))
    script.closed = frozenset({"rach-mieu-1/southbound"})
    script.at(0).reading(40.0, SPEED)
    script.at(11).tick()
    event = script.expect("raised", told=True)
    assert "suppressed" not in event.alert


def test_silence_in_maintenance_is_told_at_its_end() -> None:
    script = Script(SILENT)
    script.maintenance = {"vam-kenh": "bt-7"}
    script.at(0).reading(1.0).at(45).tick()
    script.expect("raised", told=False)
    script.maintenance = {}
    script.at(90).tick()
    script.expect("raised", told=True, since=0.0)
