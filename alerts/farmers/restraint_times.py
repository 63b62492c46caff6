"""When a notice may still be told, and when a person may be told of it. Pure.

Times in ms UTC; days, hours and months are those of Vietnam.
"""

from datetime import UTC, datetime
from typing import Final

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.person import DAY_MIN, Quiet
from alerts.messages import VIETNAM

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
VIETNAM_MS: Final = 7 * HOUR_MS

GROUP_MS: Final = MINUTE_MS
SAME_EVENT_MS: Final = HOUR_MS
"""No longer: who has not been told of the other place goes on taking there, and trees die. The
tide brings salt to a neighbour within the hour; what comes later is news."""
DAILY_MAX: Final = 4
DIGEST_H: Final = (6, 18)

PERMISSIONS: Final = frozenset({Kind.FRESH, Kind.OPEN})

UNSECONDED_MS: Final = HOUR_MS // 2
"""As old as a reading may be that permits; later only the newest answer can."""

SECONDED_MS: Final = HOUR_MS // 4
"""For so long a message may wait at a courier whose permission the newest answer seconds."""

FRESH_MS: Final = 72 * HOUR_MS
"""That a spell is over has to reach whoever was told of it: after the night, a full day or a dead
channel it is told as soon as water may be taken."""

SHELF_MS: Final = 48 * HOUR_MS

TOLD_MS: Final = 72 * HOUR_MS
"""How far back `Day.told` reaches: far enough for the last word on a window to be in it."""


def expires_ms(notice: Notice) -> int | None:
    """From when on it must not be told any more, None if never."""
    if notice.kind is Kind.FRESH:
        return notice.at_ms + FRESH_MS
    if notice.kind is Kind.OPEN:
        ends_ms = notice.body.get("ends_ms")
        return notice.at_ms + UNSECONDED_MS if ends_ms is None else int(ends_ms)
    if notice.kind in (Kind.HEARD, Kind.BULLETIN):
        return notice.at_ms + SHELF_MS
    return None


def unseconded_until_ms(permission: Notice) -> int:
    """Until when a permission holds on the readings that it was decided by."""
    until_ms = permission.body.get("until_ms")
    return permission.at_ms + UNSECONDED_MS if until_ms is None else int(until_ms)


def quiet_end_ms(quiet: Quiet | None, t_ms: int) -> int | None:
    """When quiet hours end in which a time lies; None if it lies in none."""
    minute = minute_of_day(t_ms)
    if quiet is None or not quiet.holds(minute):
        return None
    return t_ms - t_ms % MINUTE_MS + (quiet.to_min - minute) % DAY_MIN * MINUTE_MS


def digest_after_ms(quiet: Quiet | None, t_ms: int) -> int:
    """The next time for a digest after `t_ms`, outside of quiet hours."""
    midnight_ms = t_ms - (t_ms + VIETNAM_MS) % DAY_MS
    days = (midnight_ms, midnight_ms + DAY_MS)
    at_ms = next(
        day_ms + hour * HOUR_MS
        for day_ms in days
        for hour in DIGEST_H
        if day_ms + hour * HOUR_MS > t_ms
    )
    return quiet_end_ms(quiet, at_ms) or at_ms


def month_after_ms(t_ms: int) -> int:
    """When the next month begins in Vietnam."""
    local = datetime.fromtimestamp(t_ms // 1000, UTC).astimezone(VIETNAM)
    months = local.year * 12 + local.month
    first = datetime(months // 12, months % 12 + 1, 1, tzinfo=VIETNAM)
    return int(first.timestamp()) * 1000


def minute_of_day(t_ms: int) -> int:
    return (t_ms + VIETNAM_MS) // MINUTE_MS % DAY_MIN
