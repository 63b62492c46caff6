"""Points in time as a test writes them: `"06:00"`, `"6h"`, a date, a number."""

import re
from datetime import UTC, datetime, timedelta, timezone

from ingest.faults import ConfigError
from songtien.durations import parse_duration

VIETNAM = timezone(timedelta(hours=7))
_ACCEPTED = (
    "accepted is a time of day (06:00), a duration (90s, 15m, 6h, 2d), a date with its zone "
    "(2024-03-10T09:00+07:00), or ms since 1970"
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")

Moment = str | int | datetime | timedelta
"""`"06:00"` or `"06:00:30"`, the next such time in Vietnam; `"6h"` or a timedelta, so long after
the beginning; `"2024-03-10T09:00+07:00"` or a datetime with its zone; ms since 1970, UTC.
"""


def moment_ms(said: Moment, *, begun_ms: int, now_ms: int) -> int:
    """The time that is meant, ms UTC. Raises ValueError, which says what is accepted."""
    if isinstance(said, datetime):
        if said.tzinfo is None:
            raise ValueError(f"{said!r}: a datetime needs its zone, such as tzinfo=UTC")
        return round(said.timestamp() * 1000)
    if isinstance(said, timedelta):
        return begun_ms + said // timedelta(milliseconds=1)
    if isinstance(said, int):
        return said
    if not isinstance(said, str):
        raise ValueError(f"{said!r}: {_ACCEPTED}")  # noqa: TRY004 - as for all that is no moment
    if clock := _CLOCK.fullmatch(said):
        return _next(int(clock[1]), int(clock[2]), int(clock[3] or 0), now_ms)
    try:
        return moment_ms(datetime.fromisoformat(said), begun_ms=begun_ms, now_ms=now_ms)
    except ValueError:
        return begun_ms + duration_ms(said)


def stands_alone(said: Moment) -> bool:
    """Whether it means the same whenever a test begins: a date, or a number."""
    if isinstance(said, str):
        return _CLOCK.fullmatch(said) is None and not _is_duration(said)
    return not isinstance(said, timedelta)


def _is_duration(said: str) -> bool:
    try:
        duration_ms(said)
    except ValueError:
        return False
    return True


def duration_ms(said: str | timedelta) -> int:
    """A length of time, ms. Raises ValueError, which says what is accepted."""
    if isinstance(said, timedelta):
        return said // timedelta(milliseconds=1)
    try:
        return parse_duration(said, "") // timedelta(milliseconds=1)
    except ConfigError:
        raise ValueError(f"{said!r}: {_ACCEPTED}") from None


def shown(t_ms: int) -> str:
    """A time in a message of a failing test: Vietnam's, with the milliseconds if there are any."""
    local = datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(VIETNAM)
    return local.isoformat(timespec="seconds" if t_ms % 1000 == 0 else "milliseconds")


def _next(hour: int, minute: int, second: int, now_ms: int) -> int:
    """The first such time of a day in Vietnam that is not before now."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(VIETNAM)
    found = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    found_ms = round(found.timestamp() * 1000)
    return found_ms if found_ms >= now_ms else found_ms + 86_400_000
