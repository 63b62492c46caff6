"""The contract's sentences on comparisons, flags, holds and times, as scripts in time."""

import pytest

from alerts.alert import alert_id
from tests.alerts.script import FRESH, HELD, SALINITY_4, VK, Script, t

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


@pytest.mark.parametrize("others", ["", FRESH])
def test_a_suspect_value_never_clears_and_breaks_a_pending_clear(others: str) -> None:
    """Also beside a rule that permits, whose all-clear any value proves."""
    script = Script(SALINITY_4 + others)
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
