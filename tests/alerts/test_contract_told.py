"""The contract's sentences on silence, late news, configuration and restarts, as scripts."""

from alerts.alert import alert_id
from tests.alerts.script import HELD, SALINITY_4, SILENT, SPEED, VK, XH, Script, t

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


def test_a_backlog_that_is_calm_at_its_end_is_no_news_though_it_is_not_cleared_yet() -> None:
    script = Script()
    script.at(180).backlog([(0, 4.1), (15, 4.2), (170, 3.0), (175, 3.0)])
    script.expect("raised", told=False, historic=True)
    script.expect_nothing()
    script.at(181).reading(3.8)
    script.expect("raised", told=True, since=0.0)


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
