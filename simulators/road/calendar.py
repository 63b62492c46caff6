"""Which days fill the roads: Tết, holidays that make a long week-end, Saturdays and Sundays.

Before a holiday people drive home, from north to south over the bridges; on mùng 4 to mùng 6
they go back. The factors are chosen so that the days of which figures were published come out
(docs/simulators.md); each for itself is an expert's judgement, unverified.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

TET = (
    date(2020, 1, 25),
    date(2021, 2, 12),
    date(2022, 2, 1),
    date(2023, 1, 22),
    date(2024, 2, 10),
    date(2025, 1, 29),
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
    date(2030, 2, 2),
    date(2031, 1, 23),
    date(2032, 2, 11),
    date(2033, 1, 31),
    date(2034, 2, 19),
    date(2035, 2, 8),
    date(2036, 1, 28),
    date(2037, 2, 15),
    date(2038, 2, 4),
    date(2039, 1, 24),
    date(2040, 2, 12),
)
"""Mùng 1 by Vietnam's calendar (UTC+7), 2020 to 2040; a year outside has no Tết."""

FIXED = ((1, 1), (4, 30), (5, 1), (9, 2))
"""Public holidays by the solar calendar: month, day. The Hùng Kings' day is not among them."""

SOUTHBOUND = "southbound"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a day does to the traffic of one direction.

    factor : of all that drives, against an ordinary day
    flat : share of the day's shape that is even from 5 to 23 h, instead of two rush hours
    evening : of cars from 15 to 20 h
    """

    factor: float = 1.0
    flat: float = 0.0
    evening: float = 1.0


_TET_OUT: dict[int, tuple[float, float]] = {
    **dict.fromkeys((-7, -6, -5, -4), (1.2, 1.05)),
    **dict.fromkeys((-3, -2, -1), (1.85, 1.25)),
    0: (0.7, 0.7),
    1: (1.5, 1.2),
    2: (1.35, 1.35),
    **dict.fromkeys((3, 4, 5), (1.25, 1.85)),
    **dict.fromkeys((6, 7, 8), (1.05, 1.25)),
}
"""Days after mùng 1 -> factors to the south and to the north."""

_EVE, _FIRST, _WITHIN, _LAST = (1.4, 1.1), (1.5, 1.1), (1.15, 1.15), (1.1, 1.5)
_EVENING = 1.15
_TET_FLAT, _HOLIDAY_FLAT = 0.5, 0.25


def kind_of(day: int, direction: str, *, date_shift_days: int = 0) -> Kind:
    """What sort of day it is; `day` counts days of Vietnam's calendar from 1970-01-01.

    The day of the week is that of `day`, its place in the year that of `day + date_shift_days`.
    """
    weekend = weekday(day) >= 5
    out_and_back, flat = _special(day + date_shift_days)
    if out_and_back is None:
        return Kind(evening=_EVENING if weekend else 1.0)
    return Kind(out_and_back[0 if direction == SOUTHBOUND else 1], flat)


def weekday(day: int) -> int:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


def day_number(day: date) -> int:
    """Days from 1970-01-01."""
    return (day - _EPOCH).days


@lru_cache(maxsize=4096)
def _special(day: int) -> tuple[tuple[float, float] | None, float]:
    on = _EPOCH + timedelta(days=day)
    for tet in TET:
        factors = _TET_OUT.get((on - tet).days)
        if factors is not None:
            return factors, _TET_FLAT
    return _of_a_holiday(day), _HOLIDAY_FLAT


def _of_a_holiday(day: int) -> tuple[float, float] | None:
    """Factors of a day that belongs to a run of days off with a holiday in it, or leads to it."""
    if not _off(day):
        return _EVE if _off(day + 1) and _has_holiday(day + 1) else None
    if not _has_holiday(day):
        return None
    if not _off(day + 1):
        return _LAST
    return _WITHIN if _off(day - 1) else _FIRST


def _has_holiday(day: int) -> bool:
    """Whether there is one in the run of days off around a day off."""
    first = last = day
    while _off(first - 1):
        first -= 1
    while _off(last + 1):
        last += 1
    return any(_holiday(each) for each in range(first, last + 1))


def _holiday(day: int) -> bool:
    on = _EPOCH + timedelta(days=day)
    return (on.month, on.day) in FIXED


def _off(day: int) -> bool:
    return _holiday(day) or weekday(day) >= 5
