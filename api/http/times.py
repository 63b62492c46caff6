"""Times and durations as people and programs write them in a URL."""

import re
from typing import Final

from api.http.problem import invalid
from api.moments import ACCEPTED, moment_ms
from ingest.reading import FUTURE_TOLERANCE_MS

DAY_MS: Final = 86_400_000
LOCAL_OFFSET_MS: Final = 7 * 3_600_000
"""Vietnam's time is UTC+7 all year."""

_UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")


def time_ms(name: str, text: str, *, where: str = "query") -> int:
    """Milliseconds since 1970 of a parameter, or of a field of the body.

    Raises
    ------
    Problem
        `invalid`, which says what is accepted.
    """
    t_ms = moment_ms(text)
    if t_ms is None:
        raise invalid(name, f"{text!r} is not accepted: {ACCEPTED}", where=where)
    return t_ms


def range_ms(from_: str | None, to: str | None, now_ms: int) -> tuple[int, int]:
    """[from, to) of a query; by default the last 24 hours.

    Without `to` it ends a minute ahead of the service's clock: so far may a device's clock
    be ahead, and its newest value belongs into its history.
    """
    to_ms = now_ms + FUTURE_TOLERANCE_MS if to is None else time_ms("to", to)
    if from_ is not None:
        from_ms = time_ms("from", from_)
    else:
        from_ms = (now_ms if to is None else to_ms) - DAY_MS
    if from_ms >= to_ms:
        raise invalid("from", f"{from_ms} is not before to = {to_ms}; from < to is accepted")
    return from_ms, to_ms


def duration_ms(name: str, text: str) -> int:
    """Milliseconds of `30s`, `15m`, `1h`, `1d`.

    Raises
    ------
    Problem
        `invalid`, which says what is accepted.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise invalid(name, f"{text!r} is not accepted: raw, or a duration as 30s, 15m, 1h, 1d")
    return int(match[1]) * _UNITS_MS[match[2]]
