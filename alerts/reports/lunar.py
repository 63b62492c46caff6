"""Vietnam's lunar calendar, computed from the sun and the moon. Pure.

Rules: a month begins on the day of a new moon, by UTC+7; month 11 holds the winter solstice; of
13 months between two of them the first without a principal term of the sun (longitude k * 30
degrees) is the leap month, and has the number of the one before. China has the same rules by
UTC+8, so the two differ where something happens between 16 and 17 h UTC (1985, 2007, 2030).
Formulas: J. Meeus, "Astronomical Algorithms", 2nd ed., chapters 49 (phases of the moon), 25
(longitude of the sun, within 0.01 degrees) and Espenak and Meeus for TT - UT. Vietnam's calendar
goes by UTC+7 since 1968; dates before that are refused.
"""

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import count, pairwise
from typing import Final

FIRST_YEAR: Final = 1968
LAST_YEAR: Final = 2149
LEAP_CYCLE_DAYS: Final = 365
"""Two months 11 further apart than this have 13 months from one to the next."""

_MERIDIAN_DAYS: Final = 7 / 24
_ORDINAL_JD: Final = 1_721_425
"""A day's Julian day number, minus Python's ordinal of it."""

_LUNATION_ZERO: Final = 2_451_550.09766
_SYNODIC_DAYS: Final = 29.530588861
_SOLSTICE_SECTOR: Final = 9
_STEMS: Final = ("Giáp", "Ất", "Bính", "Đinh", "Mậu", "Kỷ", "Canh", "Tân", "Nhâm", "Quý")
_BRANCHES: Final = (
    *("Tý", "Sửu", "Dần", "Mão", "Thìn", "Tỵ", "Ngọ", "Mùi", "Thân", "Dậu", "Tuất", "Hợi"),
)

# Meeus, table 49.A, new moon: days, power of E, and multiples of M, M', F and Omega.
_PERIODIC: Final = (
    (-0.40720, 0, 0, 1, 0, 0),
    (0.17241, 1, 1, 0, 0, 0),
    (0.01608, 0, 0, 2, 0, 0),
    (0.01039, 0, 0, 0, 2, 0),
    (0.00739, 1, -1, 1, 0, 0),
    (-0.00514, 1, 1, 1, 0, 0),
    (0.00208, 2, 2, 0, 0, 0),
    (-0.00111, 0, 0, 1, -2, 0),
    (-0.00057, 0, 0, 1, 2, 0),
    (0.00056, 1, 1, 2, 0, 0),
    (-0.00042, 0, 0, 3, 0, 0),
    (0.00042, 1, 1, 0, 2, 0),
    (0.00038, 1, 1, 0, -2, 0),
    (-0.00024, 1, -1, 2, 0, 0),
    (-0.00017, 0, 0, 0, 0, 1),
    (-0.00007, 0, 2, 1, 0, 0),
    (0.00004, 0, 0, 2, -2, 0),
    (0.00004, 0, 3, 0, 0, 0),
    (0.00003, 0, 1, 1, -2, 0),
    (0.00003, 0, 0, 2, 2, 0),
    (-0.00003, 0, 1, 1, 2, 0),
    (0.00003, 0, -1, 1, 2, 0),
    (-0.00002, 0, -1, 1, -2, 0),
    (-0.00002, 0, 1, 3, 0, 0),
    (0.00002, 0, 0, 4, 0, 0),
)

# The planets' part of all phases: days, degrees at k = 0, degrees for each lunation.
_PLANETS: Final = (
    (0.000325, 299.77, 0.107408),
    (0.000165, 251.88, 0.016321),
    (0.000164, 251.83, 26.651886),
    (0.000126, 349.42, 36.412478),
    (0.000110, 84.66, 18.206239),
    (0.000062, 141.74, 53.303771),
    (0.000060, 207.14, 2.453732),
    (0.000056, 154.84, 7.306860),
    (0.000047, 34.52, 27.261239),
    (0.000042, 207.19, 0.121824),
    (0.000040, 291.34, 1.844379),
    (0.000037, 161.72, 24.198154),
    (0.000035, 239.56, 25.513099),
    (0.000023, 331.55, 3.592518),
)


class OutOfRange(ValueError):  # noqa: N818 - what is, not that something is broken
    """A date that the calendar is not computed for."""


@dataclass(frozen=True, slots=True, order=True)
class Lunar:
    """A day of the lunar calendar. `year` is the one whose Tết comes before the day."""

    year: int
    month: int
    leap: bool
    day: int

    def told(self) -> dict[str, object]:
        """As it goes to the doors, with the day in words."""
        return {
            "day": self.day,
            "month": self.month,
            "year": self.year,
            "leap": self.leap,
            "text_vi": self.text_vi,
            "text_en": f"day {self.day} of {'leap ' if self.leap else ''}lunar month "
            f"{self.month}, {self.year}",
        }

    @property
    def text_vi(self) -> str:
        day = f"mùng {self.day}" if self.day <= 10 else str(self.day)
        month = {1: "Giêng", 12: "Chạp"}.get(self.month, str(self.month))
        return f"{day} tháng {month}{' nhuận' if self.leap else ''} năm {year_name(self.year)}"


@dataclass(frozen=True, slots=True)
class Same:
    """The day of another year; not `exact` where that year has no such leap month or 30th."""

    year: int
    on: date
    exact: bool

    def told(self) -> dict[str, object]:
        return {"year": self.year, "date": self.on.isoformat(), "exact": self.exact}


@dataclass(frozen=True, slots=True)
class _Month:
    """`start` and `end` are ordinals of days, the end not included."""

    start: int
    end: int
    year: int
    month: int
    leap: bool


def lunar_of(on: date) -> Lunar:
    """The lunar date of a day. Raises OutOfRange outside of `FIRST_YEAR` to `LAST_YEAR`."""
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise OutOfRange(f"{on.isoformat()}: {FIRST_YEAR} to {LAST_YEAR} is accepted")
    months = (*_cycle(on.year), *_cycle(on.year + 1))
    found = next(each for each in months if each.start <= on.toordinal() < each.end)
    day = on.toordinal() - found.start + 1
    return Lunar(found.year, found.month, found.leap, day)


def date_of(lunar: Lunar) -> date | None:
    """The day of a lunar date; None where its year has no such month or day."""
    for month in _months_of(lunar.year):
        if (month.month, month.leap) == (lunar.month, lunar.leap):
            ordinal = month.start + lunar.day - 1
            return date.fromordinal(ordinal) if lunar.day > 0 and ordinal < month.end else None
    return None


def same_dates(on: date, years: int) -> list[Same]:
    """The same lunar date of the `years` lunar years before, newest first.

    A leap month stands for the ordinary one of its number where there is none, and the 30th
    for the 29th; years before `FIRST_YEAR` are left out.
    """
    lunar = lunar_of(on)
    found = []
    for year in range(lunar.year - 1, max(lunar.year - years, FIRST_YEAR) - 1, -1):
        wished = Lunar(year, lunar.month, lunar.leap, lunar.day)
        day = date_of(wished)
        if day is not None:
            found.append(Same(year, day, exact=True))
            continue
        for leap, number in ((lunar.leap, 29), (False, lunar.day), (False, 29)):
            day = date_of(Lunar(year, lunar.month, leap, min(number, lunar.day)))
            if day is not None:
                found.append(Same(year, day, exact=False))
                break
    return found


def year_name(year: int) -> str:
    """By stem and branch: 2026 is Bính Ngọ."""
    return f"{_STEMS[(year + 6) % 10]} {_BRANCHES[(year + 8) % 12]}"


def _months_of(year: int) -> list[_Month]:
    return [each for each in (*_cycle(year), *_cycle(year + 1)) if each.year == year]


@lru_cache(maxsize=512)
def _cycle(year: int) -> tuple[_Month, ...]:
    """The months from month 11 of the year before up to that of this year, which is not in it."""
    first, last = _eleventh(year - 1), _eleventh(year)
    starts = [_new_moon_day(k) for k in range(first, last + 1)]
    leap_at = None
    if starts[-1] - starts[0] > LEAP_CYCLE_DAYS:
        terms = [_sector(start) for start in starts]
        leap_at = next(at for at in count(1) if terms[at] == terms[at + 1])
    found, number = [], 10
    for at, (start, end) in enumerate(pairwise(starts)):
        leap = at == leap_at
        number += not leap
        month = (number - 1) % 12 + 1
        found.append(_Month(start, end, year - 1 if number <= 12 else year, month, leap))
    return tuple(found)


@lru_cache(maxsize=512)
def _eleventh(year: int) -> int:
    """The lunation with which month 11 of a year begins: it holds the winter solstice."""
    last_day = date(year, 12, 31).toordinal()
    k = round((last_day + _ORDINAL_JD - _LUNATION_ZERO) / _SYNODIC_DAYS) + 1
    while _new_moon_day(k) > last_day:
        k -= 1
    return k - 1 if _sector(_new_moon_day(k)) >= _SOLSTICE_SECTOR else k


@lru_cache(maxsize=4096)
def _new_moon_day(k: int) -> int:
    """The ordinal of the day, in Vietnam, on which lunation k begins; k = 0 is 6/1/2000."""
    jde = new_moon_jde(k)
    jd = jde - _delta_t_days(2000.0 + (jde - 2_451_545.0) / 365.25)
    return math.floor(jd + 0.5 + _MERIDIAN_DAYS) - _ORDINAL_JD


def new_moon_jde(k: int) -> float:
    """When lunation k begins, as a Julian ephemeris day (TT)."""
    t = k / 1236.85
    jde = (
        _LUNATION_ZERO
        + _SYNODIC_DAYS * k
        + t * t * (0.00015437 + t * (-0.000000150 + t * 0.00000000073))
    )
    e = 1 - t * (0.002516 + t * 0.0000074)
    sun = 2.5534 + 29.10535670 * k - t * t * (0.0000014 + t * 0.00000011)
    moon = 201.5643 + 385.81693528 * k + t * t * (0.0107582 + t * (0.00001238 - t * 0.000000058))
    far = 160.7108 + 390.67050284 * k - t * t * (0.0016118 + t * (0.00000227 - t * 0.000000011))
    node = 124.7746 - 1.56375588 * k + t * t * (0.0020672 + t * 0.00000215)
    for days, power, a, b, c, d in _PERIODIC:
        angle = math.radians(a * sun + b * moon + c * far + d * node)
        jde += days * e**power * math.sin(angle)
    for at, (days, start, step) in enumerate(_PLANETS):
        bent = 0.009173 * t * t if at == 0 else 0.0
        jde += days * math.sin(math.radians(start + step * k - bent))
    return jde


@lru_cache(maxsize=4096)
def _sector(ordinal: int) -> int:
    """In which twelfth of its way the sun stands as a day begins in Vietnam; 9 at the solstice."""
    jd = ordinal + _ORDINAL_JD - 0.5 - _MERIDIAN_DAYS
    jde = jd + _delta_t_days(2000.0 + (jd - 2_451_545.0) / 365.25)
    return int(sun_longitude(jde) // 30)


def sun_longitude(jde: float) -> float:
    """The sun's apparent longitude at a Julian ephemeris day, degrees from 0 to 360."""
    t = (jde - 2_451_545.0) / 36525
    mean = 280.46646 + t * (36000.76983 + t * 0.0003032)
    anomaly = math.radians(357.52911 + t * (35999.05029 - t * 0.0001537))
    centre = (
        (1.914602 - t * (0.004817 + t * 0.000014)) * math.sin(anomaly)
        + (0.019993 - t * 0.000101) * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * t)
    return (mean + centre - 0.00569 - 0.00478 * math.sin(node)) % 360


def _delta_t_days(year: float) -> float:
    """TT minus UT, by Espenak's and Meeus' polynomials for 1961 to 2150."""
    if year < 1986:
        t = year - 1975
        seconds = 45.45 + t * (1.067 - t * (1 / 260 + t / 718))
    elif year < 2005:
        t = year - 2000
        seconds = 63.86 + t * (
            0.3345 + t * (-0.060374 + t * (0.0017275 + t * (0.000651814 + t * 0.00002373599)))
        )
    elif year < 2050:
        t = year - 2000
        seconds = 62.92 + t * (0.32217 + t * 0.005589)
    else:
        seconds = -20 + 32 * ((year - 1820) / 100) ** 2 - 0.5628 * (2150 - year)
    return seconds / 86400
