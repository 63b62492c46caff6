"""Figures, times and ages in plain words. Pure; times int ms UTC, said in Vietnam's time."""

from datetime import datetime
from typing import Final

from alerts.messages import VIETNAM

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

LANGS: Final = ("vi", "en")


def figure(value: float, lang: str, places: int = 2) -> str:
    """A salinity without its unit: "0,82"; English has a point."""
    text = f"{value:.{places}f}"
    return text.replace(".", ",") if lang == "vi" else text


def limit(value: float, lang: str) -> str:
    """A limit as people say it, without zeros at the end: "0,5", "2"."""
    text = f"{value:g}"
    return text.replace(".", ",") if lang == "vi" else text


def reaches(value: float, limit: float) -> bool:
    """Whether a salinity that is not below a limit reads like the limit itself."""
    return value == limit or round(value, 2) == limit


def unit(lang: str) -> str:
    return "g/l" if lang == "vi" else "g/L"


def clock(t_ms: int) -> str:
    """As in 14:32."""
    return f"{_local(t_ms):%H:%M}"


def moment(t_ms: int, now_ms: int, lang: str) -> str:
    """A time of today by its clock; of another day with its date."""
    then = _local(t_ms)
    if then.date() == _local(now_ms).date():
        return f"{then:%H:%M}"
    day = f"{then.day}/{then.month}"
    return f"{then:%H:%M} ngày {day}" if lang == "vi" else f"{then:%H:%M} on {day}"


def age(t_ms: int, now_ms: int, lang: str) -> str:
    """How long ago, in the largest whole unit; the page's script says it by the same rule."""
    ago_ms = max(0, now_ms - t_ms)
    if ago_ms < MINUTE_MS:
        return "vừa xong" if lang == "vi" else "just now"
    if ago_ms < HOUR_MS:
        n, word = ago_ms // MINUTE_MS, ("phút", "min")
    elif ago_ms < 2 * DAY_MS:
        n, word = ago_ms // HOUR_MS, ("giờ", "h")
    else:
        n, word = ago_ms // DAY_MS, ("ngày", "days")
    return f"cách đây {n} {word[0]}" if lang == "vi" else f"{n} {word[1]} ago"


def date(t_ms: int) -> str:
    """As in 22/11/2026."""
    then = _local(t_ms)
    return f"{then.day}/{then.month}/{then.year}"


def hour(t_ms: int) -> int:
    """The hour of Vietnam's day that a time lies in."""
    return _local(t_ms).hour


def _local(t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, VIETNAM)
