"""Tết by the moon and the sun, holidays by the almanac."""

from datetime import date, timedelta
from math import floor, pi, radians, sin

import pytest

from simulators.road.calendar import TET, Kind, day_number, kind_of, weekday


def _new_moon(k: int) -> int:
    """Julian day in Vietnam of the k-th new moon after 1/1/1900 (Meeus 1982, chapter 32)."""
    t = k / 1236.85
    day = 2415020.75933 + 29.53058868 * k + 0.0001178 * t**2 - 0.000000155 * t**3
    day += 0.00033 * sin(radians(166.56 + 132.87 * t - 0.009173 * t**2))
    m = radians(359.2242 + 29.10535608 * k - 0.0000333 * t**2)
    moon = radians(306.0253 + 385.81691806 * k + 0.0107306 * t**2)
    f = radians(21.2964 + 390.67050646 * k - 0.0016528 * t**2)
    day += (0.1734 - 0.000393 * t) * sin(m) + 0.0021 * sin(2 * m) - 0.4068 * sin(moon)
    day += 0.0161 * sin(2 * moon) + 0.0104 * sin(2 * f) - 0.0051 * sin(m + moon)
    day += -0.0074 * sin(m - moon) - 0.0004 * sin(3 * moon) + 0.0010 * sin(2 * f - moon)
    later_days = (65.0 + 36.0 * (t + 0.2)) / 86_400  # clocks of the earth against its motion
    return floor(day - later_days + 0.5 + 7 / 24)


def _sun_sector(julian_day: int) -> int:
    """In which of twelve sectors of 30 degrees the sun is at midnight of that day in Vietnam."""
    t = (julian_day - 2451545.5 - 7 / 24) / 36525
    m = radians(357.52910 + 35999.05030 * t - 0.0001559 * t**2)
    length = 280.46645 + 36000.76983 * t + 0.0003032 * t**2
    length += (1.914600 - 0.004817 * t) * sin(m) + 0.019993 * sin(2 * m) + 0.00029 * sin(3 * m)
    return floor((radians(length) % (2 * pi)) / pi * 6)


def _tet(year: int) -> date:
    """The new moon of the first month: the second after the month of the winter solstice, the
    third where the month between is a leap month."""

    def eleventh_month(of: int) -> int:
        k = floor((date(of, 12, 31) - date(1900, 1, 1)).days / 29.530588853)
        # The month of the solstice begins before the sun enters 270 degrees, the tenth sector.
        return k - 1 if _sun_sector(_new_moon(k)) >= 9 else k

    first = eleventh_month(year - 1)
    months = eleventh_month(year) - first
    step = 2
    if months == 13:
        leap = next(
            n
            for n in range(1, 14)
            if _sun_sector(_new_moon(first + n)) == _sun_sector(_new_moon(first + n + 1))
        )
        step += leap <= 2
    return date(1970, 1, 1) + timedelta(days=_new_moon(first + step) - 2440588)


def test_the_table_of_tet_is_what_moon_and_sun_say_in_vietnam() -> None:
    assert [_tet(year) for year in range(2020, 2041)] == list(TET)


def _kind(year: int, month: int, day: int, direction: str) -> Kind:
    return kind_of(day_number(date(year, month, day)), direction)


def test_before_tet_people_drive_south_and_on_mung_4_to_6_north() -> None:
    for day in (8, 9):
        assert (
            _kind(2024, 2, day, "southbound").factor
            > 1.4 * _kind(2024, 2, day, "northbound").factor
        )
    for day in (13, 14, 15):
        assert (
            _kind(2024, 2, day, "northbound").factor
            > 1.4 * _kind(2024, 2, day, "southbound").factor
        )
    assert _kind(2024, 2, 10, "southbound").factor < 1.0, "mùng 1 is quiet"
    # Of two directions about five times the 6,000 vehicles that the bridge was built for.
    both = sum(_kind(2024, 2, 8, each).factor for each in ("southbound", "northbound"))
    assert 9_200 * both == pytest.approx(30_000, rel=0.1)


def test_a_holiday_next_to_a_week_end_is_led_to_and_come_back_from() -> None:
    assert _kind(2021, 4, 29, "southbound").factor > 1.2  # Thursday before 30/4 to 2/5
    assert _kind(2023, 12, 30, "southbound").factor > 1.2  # Saturday before a Monday
    assert _kind(2024, 1, 1, "northbound").factor > 1.2
    assert _kind(2024, 1, 1, "southbound").factor < _kind(2024, 1, 1, "northbound").factor
    # A single day in the middle of a week does it too.
    assert _kind(2026, 9, 1, "southbound").factor > 1.2
    assert _kind(2026, 9, 2, "northbound").factor > 1.2
    assert _kind(2024, 3, 6, "southbound") == Kind()


def test_saturdays_and_sundays_are_fuller_in_the_evening() -> None:
    monday = day_number(date(2024, 3, 4))
    evenings = [kind_of(monday + n, "northbound").evening for n in range(7)]
    assert [weekday(monday + n) for n in range(7)] == list(range(7))
    assert evenings[:5] == [1.0] * 5
    assert min(evenings[5:]) > 1.1


def test_a_scenario_that_is_moved_takes_tet_with_it_but_not_the_days_of_the_week() -> None:
    eve, wednesday = day_number(date(2024, 2, 8)), day_number(date(2024, 10, 9))
    moved = kind_of(wednesday, "southbound", date_shift_days=eve - wednesday)
    assert moved == kind_of(eve, "southbound")
    saturday = day_number(date(2024, 10, 12))
    ordinary = day_number(date(2024, 3, 6))
    assert kind_of(saturday, "southbound", date_shift_days=ordinary - saturday).evening > 1.1
