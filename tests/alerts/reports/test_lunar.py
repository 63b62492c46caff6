"""The lunar calendar against Meeus' examples, known days, and itself."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reports.lunar import (
    Lunar,
    OutOfRange,
    date_of,
    lunar_of,
    new_moon_jde,
    same_dates,
    sun_longitude,
    year_name,
)
from simulators.road.calendar import TET

LEAPS = """
    1985/2 1987/7 1990/5 1993/3 1995/8 1998/5 2001/4 2004/2 2006/7 2009/5 2012/4 2014/9 2017/6 2020/4
    2023/2 2025/6 2028/5 2031/3 2033/11 2036/6 2039/5 2042/2 2044/7 2047/5
"""
DAYS = st.dates(date(1968, 1, 1), date(2148, 12, 31))


def test_meeus_own_examples() -> None:
    """Examples 49.a (new moon of February 1977) and 25.a (13 October 1992), 2nd edition."""
    assert new_moon_jde(-283) == pytest.approx(2_443_192.65118, abs=1e-5)
    assert sun_longitude(2_448_908.5) == pytest.approx(199.90895, abs=1e-4)


@pytest.mark.parametrize(
    "tet",
    [
        *("1968-01-29", "2016-02-08", "2020-01-25", "2023-01-22", "2024-02-10", "2025-01-29"),
        *("2026-02-17", "2027-02-06"),
        # Where Vietnam and China differ: there it is 1985-02-20, 2007-02-18 and 2030-02-03.
        *("1985-01-21", "2007-02-17", "2030-02-02"),
    ],
)
def test_known_days_of_tet(tet: str) -> None:
    on = date.fromisoformat(tet)
    assert lunar_of(on) == Lunar(on.year, 1, leap=False, day=1)
    assert lunar_of(on - timedelta(1)).month == 12


def test_the_roads_of_the_simulators_go_by_the_same_calendar() -> None:
    assert [date_of(Lunar(tet.year, 1, leap=False, day=1)) for tet in TET] == list(TET)


def test_known_leap_months() -> None:
    """1985 and 1987 are Vietnam's own: China had 1984/10 and 1987/6."""
    found = {}
    for year in range(1984, 2048):
        found[year] = [m for m in range(1, 13) if date_of(Lunar(year, m, leap=True, day=1))]
    told = [f"{year}/{months[0]}" for year, months in found.items() if months]
    assert told == LEAPS.split()
    assert all(len(months) <= 1 for months in found.values())


@given(DAYS)
def test_there_and_back_again(on: date) -> None:
    assert date_of(lunar_of(on)) == on


@given(DAYS)
def test_months_have_29_or_30_days_and_days_count_on(on: date) -> None:
    today, tomorrow = lunar_of(on), lunar_of(on + timedelta(1))
    if tomorrow.day == 1:
        assert today.day in (29, 30)
    else:
        assert (tomorrow.year, tomorrow.month, tomorrow.leap) == (
            today.year,
            today.month,
            today.leap,
        )
        assert tomorrow.day == today.day + 1


@given(DAYS)
def test_the_winter_solstice_lies_in_month_11(on: date) -> None:
    solstice = date(on.year, 12, 20)
    while _longitude_at_the_end_of(solstice) < 270:
        solstice += timedelta(1)
    assert (lunar_of(solstice).month, lunar_of(solstice).leap) == (11, False)


def _longitude_at_the_end_of(day: date) -> float:
    return sun_longitude(day.toordinal() + 1_721_425 + 0.5 - 7 / 24)


def test_the_same_date_of_earlier_years() -> None:
    found = same_dates(date(2026, 11, 22), 10)
    assert [each.year for each in found] == list(range(2025, 2015, -1))
    assert found[0].on == date(2025, 12, 3)
    assert all(lunar_of(each.on).day == 14 and each.exact for each in found)


def test_a_leap_month_and_a_30th_stand_for_their_likes() -> None:
    in_leap = date_of(Lunar(2025, 6, leap=True, day=10))
    assert in_leap is not None
    told = {each.year: each for each in same_dates(in_leap, 10)}
    assert lunar_of(told[2017].on) == Lunar(2017, 6, leap=True, day=10)
    assert told[2017].exact
    assert lunar_of(told[2024].on) == Lunar(2024, 6, leap=False, day=10)
    assert not told[2024].exact
    thirtieth = next(
        day
        for number in range(60)
        if lunar_of(day := date(2026, 1, 1) + timedelta(number)).day == 30
    )
    days = {lunar_of(each.on).day for each in same_dates(thirtieth, 20)}
    assert days == {29, 30}
    assert all(each.exact == (lunar_of(each.on).day == 30) for each in same_dates(thirtieth, 20))


def test_words() -> None:
    assert year_name(1984) == "Giáp Tý"
    assert lunar_of(date(2026, 2, 17)).text_vi == "mùng 1 tháng Giêng năm Bính Ngọ"
    assert lunar_of(date(2026, 11, 22)).text_vi == "14 tháng 10 năm Bính Ngọ"
    leap = date_of(Lunar(2025, 6, leap=True, day=15))
    assert leap is not None
    assert lunar_of(leap).text_vi == "15 tháng 6 nhuận năm Ất Tỵ"
    assert lunar_of(leap).told()["text_en"] == "day 15 of leap lunar month 6, 2025"


@pytest.mark.parametrize("on", [date(1967, 12, 31), date(2150, 1, 1)])
def test_other_centuries_are_refused(on: date) -> None:
    with pytest.raises(OutOfRange):
        lunar_of(on)
