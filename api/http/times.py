"""Times and durations as people and programs write them in a URL."""

import re
from datetime import UTC, datetime
from typing import Final

from api.http.problem import invalid
from ingest.reading import EPOCH_2000_MS, FUTURE_TOLERANCE_MS

DAY_MS: Final = 86_400_000
LOCAL_OFFSET_MS: Final = 7 * 3_600_000
"""Vietnam's time is UTC+7 all year."""

YEAR_2100_MS: Final = 4_102_444_800_000
_UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_EPOCH_MS: Final = re.compile(r"[0-9]{1,15}")
# A plus sign in a query means a space unless it is escaped, which everybody forgets once:
# the offset may therefore begin with a space.
_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+\- ]\d{2}:\d{2})", re.ASCII
)
_ACCEPTED: Final = (
    "a time is RFC 3339 with its offset (2026-01-31T07:00:00+07:00, or …Z) "
    "or milliseconds since 1970 (1769817600000), from 2000 to 2100"
)


def time_ms(name: str, text: str, *, where: str = "query") -> int:
    """Milliseconds since 1970 of a parameter, or of a field of the body.

    Raises
    ------
    Problem
        `invalid`, which says what is accepted.
    """
    t_ms = int(text) if _EPOCH_MS.fullmatch(text) else _from_rfc3339(text)
    if t_ms is None or not EPOCH_2000_MS <= t_ms <= YEAR_2100_MS:
        raise invalid(name, f"{text!r} is not accepted: {_ACCEPTED}", where=where)
    return t_ms


def _from_rfc3339(text: str) -> int | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    offset = offset.upper().replace(" ", "+").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
        seconds = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
    return seconds * 1000 + int((fraction or ".")[1:4].ljust(3, "0"))


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
