"""Each sentence of the contract on rules and alerts, as a script in time."""

import pytest

from alerts.alert import alert_id
from tests.alerts.script import SALINITY_4, SPEED, VK, XH, Script, t

HELD = """
[[rule]]
id = "held"
quantity = "salinity_g_l"
severity = "warning"
raise_above = 4.0
clear_below = 3.6
for_s = 1800
clear_for_s = 1800
"""

FRESH = """
[[rule]]
id = "fresh"
quantity = "salinity_g_l"
severity = "info"
raise_below = 0.4
clear_above = 0.5
permit = true
for_s = 900
"""

SILENT = """
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
stations = ["vam-kenh"]
no_data_s = 2700
"""


# Comparisons are strict.


def test_the_raise_level_itself_does_not_raise() -> None:
    script = Script()
    script.at(0).reading(4.0)
    script.expect_nothing()
    script.at(15).reading(4.0001)
    script.expect("raised", value=4.0001, limit=4.0, since=15.0, event=15.0)


def test_the_clear_level_itself_does_not_clear() -> None:
    script = Script().readings([4.1, 3.6, 3.6, 3.6], start=0, step=15)
    script.expect("raised")
    script.expect_nothing()
    script.readings([3.5999, 3.5999], start=60, step=15)
    script.expect("cleared", cleared=75.0)


def test_the_levels_themselves_break_pending_holds() -> None:
    script = Script(HELD).readings([4.1, 4.0, 4.1, 4.1], start=0, step=15)
    script.expect_nothing()
    script.at(60).reading(4.1)
    script.expect("raised", since=30.0)
    script.readings([3.0, 3.6, 3.0, 3.0], start=75, step=15)
    script.expect_nothing()
    script.at(135).reading(3.0)
    script.expect("cleared", cleared=135.0)


def test_falling_rules_are_strict_too() -> None:
    rules = SALINITY_4.replace("raise_above", "raise_below").replace("clear_below", "clear_above")
    script = Script(rules.replace("3.6", "4.4").replace("clear_for_s = 900", ""))
    script.at(0).reading(4.0)
    script.expect_nothing()
    script.at(15).reading(3.9999)
    script.expect("raised", value=3.9999)
    script.at(30).reading(4.4)
    script.expect_nothing()
    script.at(45).reading(4.4001)
    script.expect("cleared")


# A value flagged 4 or 9 is not evaluated and counts as absent.


@pytest.mark.parametrize("flag", [4, 9])
def test_a_failed_value_neither_raises_nor_clears_nor_breaks(flag: int) -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(15).reading(0.1, flag=flag)
    script.at(30).reading(4.1)
    script.expect("raised", since=0.0, event=30.0)
    script.at(45).reading(3.0)
    script.at(60).reading(9.9, flag=flag)
    script.at(75).reading(3.0)
    script.expect("cleared", cleared=75.0)


def test_failed_values_are_a_gap() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(15).reading(4.1, flag=4)
    script.at(30).reading(4.1, flag=4)
    script.at(31).reading(4.1)  # 31 minutes after the last that counted; 30 are allowed
    script.expect_nothing()
    script.at(46).reading(4.1)
    script.at(61).reading(4.1)
    script.expect("raised", since=31.0, event=61.0)


# A value flagged 3 may raise a danger, and the alert says so; it may never clear one.


def test_a_suspect_value_raises_and_the_alert_says_so() -> None:
    script = Script()
    script.at(0).reading(4.1, flag=3)
    script.expect("raised", suspect=True, flag=3)


def test_a_suspect_value_within_the_hold_is_told() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1, flag=3)
    script.at(15).reading(4.1)
    script.at(30).reading(4.1)
    script.expect("raised", suspect=True, flag=1)


def test_a_suspect_value_never_clears_and_breaks_a_pending_clear() -> None:
    script = Script()
    script.at(0).reading(4.1)
    script.expect("raised")
    script.at(15).reading(3.0)
    script.at(30).reading(3.0, flag=3)
    script.at(45).reading(3.0)
    script.expect_nothing()
    script.at(60).reading(3.0)
    script.expect("cleared", cleared=60.0)


def test_a_value_not_evaluated_may_clear() -> None:
    script = Script()
    script.at(0).reading(4.1, flag=2)
    script.expect("raised", suspect=False)
    script.at(15).reading(3.0, flag=2)
    script.at(30).reading(3.0, flag=2)
    script.expect("cleared")


@pytest.mark.parametrize("flag", [2, 3, 4, 9])
def test_only_a_good_value_permits(flag: int) -> None:
    script = Script(FRESH)
    script.at(0).reading(0.3)
    script.at(15).reading(0.3, flag=flag)
    script.expect_nothing()
    script.at(30).reading(0.3)
    if flag in (2, 3):  # evaluated, no proof: the hold begins again
        script.expect_nothing()
        script.at(45).reading(0.3)
    script.expect("raised", permit=True)


@pytest.mark.parametrize("flag", [1, 2, 3])
def test_any_evaluated_value_withdraws_a_permission(flag: int) -> None:
    script = Script(FRESH).readings([0.3, 0.3], start=0, step=15)
    script.expect("raised")
    script.at(30).reading(0.6, flag=flag)
    script.expect("cleared")


# Holds are proved by samples.


def test_raised_by_the_first_sample_at_least_for_s_after_the_first_breach() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(15).reading(4.1)
    script.at(29.999).reading(4.1)
    script.expect_nothing()
    script.at(30).reading(4.2)
    script.expect("raised", since=0.0, event=30.0, value=4.2)


def test_a_sample_between_the_levels_breaks_a_pending_raise() -> None:
    script = Script(HELD).readings([4.1, 3.8, 4.1, 4.1], start=0, step=15)
    script.expect_nothing()
    script.at(60).reading(4.1)
    script.expect("raised", since=30.0, event=60.0)


def test_a_sample_between_the_levels_breaks_a_pending_clear_and_no_more() -> None:
    script = Script().readings([4.1, 3.0, 3.8], start=0, step=15)
    script.expect("raised", state="unacked")
    script.expect_nothing()
    script.at(45).reading(3.0)
    script.expect_nothing()
    script.at(60).reading(3.0)
    script.expect("cleared", cleared=60.0)


def test_a_gap_longer_than_two_intervals_starts_the_hold_again() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(30).reading(4.1)  # exactly two intervals still prove it
    script.expect("raised", since=0.0)
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(30.001).reading(4.1)
    script.expect_nothing()
    script.at(45).reading(4.1)
    script.at(60.001).reading(4.1)
    script.expect("raised", since=30.001)


def test_a_gap_starts_the_clearing_again() -> None:
    script = Script(HELD + "hold_gap_s = 1200").readings([4.1] * 3, start=0, step=15)
    script.expect("raised")
    script.at(45).reading(3.0)
    script.at(75).reading(3.0)
    script.expect_nothing()
    script.at(90).reading(3.0)
    script.at(105).reading(3.0)
    script.expect("cleared", cleared=105.0)


def test_the_tick_of_the_clock_never_raises_or_clears_a_threshold_alert() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(500).tick()
    script.expect_nothing()
    script = Script()
    script.at(0).reading(4.1)
    script.at(15).reading(3.0)
    script.expect("raised")
    script.at(5000).tick()
    script.expect_nothing()


# Times and ids.


def test_the_times_of_an_alert() -> None:
    script = Script(HELD)
    script.at(1).reading(4.1, observed=0)
    script.at(16).reading(4.1, observed=15)
    script.at(31).reading(4.1, observed=30)
    script.expect(
        "raised",
        id=alert_id("held", VK, t(0)),
        t_since=t(0),
        t_event=t(30),
        t_detected=t(31),
    )


def test_the_id_is_a_hash_of_rule_series_and_first_breach() -> None:
    assert alert_id("salinity-4", "vk-01/salinity_g_l", 1_767_000_000_000) == "e23f7696124dba52"
    script = Script()
    script.at(0).reading(4.1)
    script.expect("raised", id=alert_id("salinity-4", VK, t(0)))


# No data.


def test_no_data_raises_its_own_alert_and_never_clears_a_threshold_alert() -> None:
    script = Script(SALINITY_4 + SILENT)
    script.at(0).reading(4.1)
    script.expect("raised", rule="salinity-4")
    script.at(44.99).tick()
    script.expect_nothing()
    script.at(50).tick()
    script.expect(
        "raised",
        rule="silent",
        ask="no_data",
        since=0.0,
        event=45.0,
        id=alert_id("silent", VK, t(0)),
    )
    script.expect_nothing()
    assert [alert["rule"] for alert in script.book.alerts()] == ["salinity-4", "silent"]


def test_data_coming_back_is_told() -> None:
    script = Script(SILENT)
    script.at(0).reading(1.0)
    script.at(45).tick()
    script.expect("raised", told=True)
    script.at(60).reading(1.1)
    script.expect("cleared", told=True, cleared=60.0)


def test_a_device_never_seen_alerts_from_its_registration() -> None:
    script = Script(SILENT)
    script.at(45).tick()
    script.expect("raised", ask="never_seen", since=0.0, id=alert_id("silent", VK, t(0)))
    script.at(46).reading(1.0)
    script.expect("cleared")


# Found late.


def test_a_backlog_that_still_holds_and_is_young_is_told_with_since_when() -> None:
    script = Script()
    script.at(180).backlog([(0, 4.1), (60, 4.2), (150, 4.3)])
    script.expect("raised", told=True, since=0.0, historic=False)


def test_a_backlog_that_no_longer_holds_is_historic() -> None:
    script = Script()
    script.at(180).backlog([(0, 4.1), (15, 4.2), (30, 3.0), (45, 3.0), (170, 3.0)])
    script.expect("raised", told=False, historic=True)
    script.expect("cleared", told=False, historic=True, state="normal")
    assert script.book.alerts() == []


def test_a_backlog_whose_newest_sample_is_old_is_historic_until_young_samples_hold() -> None:
    script = Script()
    script.at(180).backlog([(0, 4.1), (120, 4.2)])  # an hour old is no longer younger
    script.expect("raised", told=False, historic=True)
    assert script.book.alerts() == []
    script.at(195).reading(4.4)
    script.expect("raised", told=True, historic=False, since=0.0, ver=2)
    script.expect_nothing()
    assert len(script.book.alerts()) == 1


def test_each_crossing_within_a_backlog_is_judged_by_itself() -> None:
    script = Script(SALINITY_4.replace("clear_for_s = 900", "clear_for_s = 0"))
    script.at(60).backlog([(0, 4.1), (15, 3.0), (30, 4.5)])
    script.expect("raised", told=False, since=0.0)
    script.expect("cleared", told=False)
    script.expect("raised", told=True, since=30.0)


# Rise, and the bridges.


def test_a_rise_is_the_slope_over_the_window() -> None:
    script = Script(
        """
[[rule]]
id = "rise"
quantity = "salinity_g_l"
severity = "warning"
rise_above_per_h = 1.0
"""
    )
    script.readings([0.5, 0.6, 1.0], start=0, step=15)
    script.expect_nothing()  # 0.5 in half an hour is 1.0 an hour: not above
    script.at(45).reading(1.3)
    script.expect("raised", event=45.0, value=1.0667, limit=1.0, unit="g/L/h")
    script.at(60).reading(1.4)
    script.expect("cleared")


def test_congestion_of_a_direction() -> None:
    script = Script(
        """
[[rule]]
id = "slow"
quantity = "speed_km_h"
severity = "warning"
raise_below = 20
clear_above = 30
for_s = 300
clear_for_s = 600
message_vi = "{station}, {direction}: {value} {unit}"
"""
    )
    script.readings([18.0] * 6, start=0, step=1, key=SPEED)
    script.expect(
        "raised",
        since=0.0,
        event=5.0,
        direction="southbound",
        message_vi="Cầu Rạch Miễu, Mỹ Tho → Bến Tre: 18,0 km/h",
    )
    script.readings([31.0] * 11, start=6, step=1, key=SPEED)
    script.expect("cleared", cleared=16.0)


# The configuration.


def test_a_rule_keeps_its_state_when_its_levels_change() -> None:
    script = Script()
    script.at(0).reading(4.1)
    script.expect("raised", rule_version=script.rules.rules[0].version)
    before = script.rules.rules[0].version
    script.configure(SALINITY_4.replace("3.6", "2.0"))
    assert script.rules.rules[0].version != before
    script.readings([3.0, 3.0], start=15, step=15)
    script.expect_nothing()
    script.readings([1.9, 1.9], start=45, step=15)
    script.expect("cleared", rule_version=before)


def test_a_pending_hold_survives_a_new_configuration() -> None:
    script = Script(HELD)
    script.at(0).reading(4.1)
    script.at(15).configure(HELD + SALINITY_4).reading(4.1)
    script.expect("raised", rule="salinity-4")
    script.at(30).reading(4.1)
    script.expect("raised", rule="held", since=0.0)


def test_a_rule_that_is_withdrawn_ends_its_alerts() -> None:
    script = Script(SALINITY_4 + SILENT)
    script.at(0).reading(4.1)
    script.expect("raised")
    script.at(10).configure(SILENT)
    event = script.expect("cleared", rule="salinity-4", cleared=10.0)
    assert event.evidence["cause"] == "withdrawn"
    script.at(15).reading(4.4)
    script.expect_nothing()


def test_series_are_apart() -> None:
    script = Script()
    script.at(0).reading(4.1, VK)
    script.at(0).reading(4.1, XH)
    script.expect("raised", station="vam-kenh", branch=["cua-tieu"])
    script.expect("raised", station="xuan-hoa")


# Killed and started again.


def test_a_restart_changes_nothing() -> None:
    whole, broken = Script(HELD + SILENT + SALINITY_4), Script(HELD + SILENT + SALINITY_4)
    values = [4.1, 4.2, 4.1, 3.0, 3.8, 3.0, 3.0, 3.0, 5.0]
    for place, value in enumerate(values):
        whole.at(place * 15).reading(value)
        broken.at(place * 15).reading(value).restart()
    whole.at(300).tick()
    broken.at(300).restart().tick()
    assert broken.events == whole.events
    assert len(whole.events) == 6
