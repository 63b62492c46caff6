"""The table "may I take water now?": a test for each row, and the two checks."""

from typing import Any

import pytest

from alerts.river.decision import Facts, decide, lasts_h, stop_within_h
from ingest.reading import Flag

FRESH: dict[str, Any] = {
    "limit_g_l": 0.5,
    "salinity_g_l": 0.30,
    "flag": Flag.PASS,
    "age_h": 10 / 60,
    "interval_h": 15 / 60,
    "usual_rise_g_l_h": 0.3,
    "slope_g_l_h": -0.2,
    "falling": True,
    "high_water_h": 2.0,
    "held_h": 0.75,
    "held_samples": 4,
}


def facts(**other: Any) -> Facts:
    return Facts(**{**FRESH, **other})


def row(**other: Any) -> int:
    return decide(facts(**other))


def test_check_falling_at_0_30_ten_minutes_old_may_be_taken() -> None:
    assert facts().may_be_g_l == 0.35
    assert row() == 12


def test_check_rising_at_0_38_twenty_minutes_old_may_be_too_salt() -> None:
    rising: dict[str, Any] = {
        "salinity_g_l": 0.38,
        "slope_g_l_h": 0.6,
        "falling": False,
        "age_h": 20 / 60,
    }
    assert facts(**rising).may_be_g_l == 0.63
    assert row(**rising) == 7


def test_row_1_no_station_on_my_water() -> None:
    assert decide(None) == 1


@pytest.mark.parametrize(
    ("interval_min", "age_min", "expected"),
    [(10, 20, 12), (10, 20.1, 2), (15, 30, 12), (15, 30.1, 2), (60, 30.1, 2)],
)
def test_row_2_older_than_two_intervals_or_half_an_hour(
    interval_min: float, age_min: float, expected: int
) -> None:
    assert row(interval_h=interval_min / 60, age_h=age_min / 60) == expected


def test_row_2_not_live() -> None:
    assert row(live=False) == 2
    assert row(live=False, salinity_g_l=9.0) == 2


def test_row_2_a_station_in_maintenance() -> None:
    assert row(maintained=True) == 2
    assert row(maintained=True, taking=True) == 2


@pytest.mark.parametrize("flag", [Flag.FAIL, Flag.MISSING, Flag.NOT_EVALUATED])
def test_row_3_a_reading_that_failed_or_was_not_evaluated(flag: Flag) -> None:
    assert row(flag=flag) == 3
    assert row(flag=flag, salinity_g_l=9.0) == 3


def test_row_3_a_probe_in_air_reads_as_fresh() -> None:
    assert row(dry=True, salinity_g_l=0.0) == 3


@pytest.mark.parametrize("flag", [Flag.PASS, Flag.SUSPECT])
def test_row_4_at_the_limit_a_suspect_reading_forbids_too(flag: Flag) -> None:
    assert row(salinity_g_l=0.5, flag=flag) == 4
    assert row(salinity_g_l=0.4999, flag=flag) != 4


def test_row_5_a_suspect_reading_never_permits() -> None:
    assert row(flag=Flag.SUSPECT) == 5


def test_row_6_who_is_taking_stops_at_once_near_the_limit() -> None:
    assert row(taking=True, salinity_g_l=0.41) == 6
    assert stop_within_h(facts(taking=True, salinity_g_l=0.41)) == 0
    assert row(taking=True, salinity_g_l=0.40) == 12


def test_row_6_who_is_taking_stops_in_time_when_it_rises() -> None:
    rising = facts(taking=True, limit_g_l=2.0, slope_g_l_h=0.5, falling=False)
    assert decide(rising) == 6
    assert stop_within_h(rising) == pytest.approx((1.6 - 0.30) / 0.5)
    assert row(taking=True, limit_g_l=2.0, slope_g_l_h=0.1, falling=False) == 12


def test_row_7_stops_who_is_taking_too() -> None:
    old: dict[str, Any] = {"salinity_g_l": 0.4, "falling": False, "age_h": 0.3, "slope_g_l_h": 0.0}
    assert row(taking=True, **old) == 7
    assert row(taking=False, **old) == 7


def test_row_8_rising() -> None:
    assert row(limit_g_l=2.0, slope_g_l_h=0.05, falling=False, high_water_h=None) == 8


def test_row_8_within_three_hours_of_high_water_unless_three_samples_fell() -> None:
    steady: dict[str, Any] = {"limit_g_l": 2.0, "slope_g_l_h": 0.0}
    assert row(**steady, falling=False, high_water_h=2.9) == 8
    assert row(**steady, falling=False, high_water_h=3.0) == 12
    assert row(**steady, falling=True, high_water_h=2.9) == 12
    assert row(**steady, falling=False, high_water_h=2.9, taking=True) == 12


def test_row_9_above_four_fifths_of_the_limit() -> None:
    assert row(salinity_g_l=0.41) == 9
    assert row(salinity_g_l=0.40) == 12


@pytest.mark.parametrize("held", [{"held_h": 0.49}, {"held_samples": 2}])
def test_row_9_not_held_for_half_an_hour_in_three_good_samples(held: dict[str, Any]) -> None:
    assert row(**held) == 9
    assert row(**held, taking=True) == 12


def test_rows_8_and_9_hold_back_who_was_stopped() -> None:
    was: dict[str, Any] = {"taking": True, "interrupted": True}
    assert row(**was) == 12
    assert row(**was, held_h=0.49) == 9
    assert row(**was, limit_g_l=2.0, slope_g_l_h=0.05, falling=False) == 8


def test_row_10_behind_a_closed_gate() -> None:
    assert row(gate="closed") == 10
    assert row(gate="open") == 12
    assert row(gate="closed", salinity_g_l=0.6) == 4


def test_row_11_a_gravity_intake_without_head() -> None:
    assert row(gravity=True, head_m=0.049) == 11
    assert row(gravity=True, head_m=None) == 11
    assert row(gravity=True, head_m=0.05) == 12
    assert row(gravity=False, head_m=None) == 12


@pytest.mark.parametrize(
    "stopping",
    [{"age_h": 1.0}, {"flag": Flag.FAIL}, {"salinity_g_l": 0.5}, {"flag": Flag.SUSPECT}],
)
def test_rows_2_to_5_stop_who_is_taking(stopping: dict[str, Any]) -> None:
    assert row(taking=True, **stopping) in (2, 3, 4, 5)


def test_a_permission_lasts_until_the_reading_is_old_or_the_salt_may_be_there() -> None:
    assert lasts_h(facts()) == 0.5
    steady = facts(falling=False, slope_g_l_h=0.0, high_water_h=None, salinity_g_l=0.35, age_h=0.1)
    assert decide(steady) == 12
    assert lasts_h(steady) == pytest.approx(0.1 / 0.3)
