"""Times as recordings write them, into milliseconds UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from ingest.payload import T_MS_MAX
from ingest.reading import EPOCH_2000_MS
from simulators.mapping import TimeColumn

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NAME_BEHIND = re.compile(r"^(.*\S)\s+([A-Za-z]{2,6})$")

ReadTime = Callable[[str, int], int]
"""(text, the device's time before it) -> ms UTC; raises ValueError that says what is accepted."""


def reader_of(column: TimeColumn) -> ReadTime:
    """How the cells of a column of times are read.

    The time before matters where clocks are put back: of the two meanings of a local time the
    later one is taken when the earlier would not be after it.
    """
    if column.format in ("epoch_s", "epoch_ms"):
        scale = 1000.0 if column.format == "epoch_s" else 1.0
        return lambda text, _: _checked(_epoch_ms(text, scale, column.format))

    def read(text: str, before_ms: int) -> int:
        bare, zone = _split_zone(text, column)
        return _checked(_local_ms(_parsed(bare, column.format), zone, before_ms))

    return read


def _epoch_ms(text: str, scale: float, form: str) -> int:
    try:
        return round(float(text) * scale)
    except (ValueError, OverflowError):
        accepted = "seconds" if form == "epoch_s" else "milliseconds"
        raise ValueError(f"accepted are {accepted} since 1970") from None


def _checked(t_ms: int) -> int:
    if not EPOCH_2000_MS <= t_ms <= T_MS_MAX:
        raise ValueError("accepted is a time from 2000 to 9999; are seconds taken for ms?")
    return t_ms


def _split_zone(text: str, column: TimeColumn) -> tuple[str, tzinfo | None]:
    if column.zone_names:
        found = _NAME_BEHIND.match(text)
        if found is not None and found[2] in column.zone_names:
            return found[1], column.zone_names[found[2]]
    return text, column.zone


def _parsed(text: str, form: str) -> datetime:
    try:
        if form == "iso":
            return datetime.fromisoformat(text)
        return datetime.strptime(text, form)  # noqa: DTZ007 - the zone comes behind it
    except ValueError:
        shown = "ISO 8601 such as 2024-03-12T02:30+07:00" if form == "iso" else form
        raise ValueError(f"accepted is a time as {shown}") from None


def _local_ms(parsed: datetime, zone: tzinfo | None, before_ms: int) -> int:
    if parsed.tzinfo is not None:
        return (parsed - _EPOCH) // _MILLISECOND
    if zone is None:
        raise ValueError("it has no offset: accepted is one that has, or a zone in the mapping")
    earlier = parsed.replace(tzinfo=zone)
    # Beyond the first and the last day of all, the way there and back would have no date.
    t_ms = _checked((earlier - _EPOCH) // _MILLISECOND)
    if (earlier.astimezone(UTC).astimezone(zone)).replace(tzinfo=None) != parsed:
        raise ValueError(f"this hour was left out in {zone}, when clocks were put forward")
    later_ms = (parsed.replace(tzinfo=zone, fold=1) - _EPOCH) // _MILLISECOND
    return later_ms if t_ms <= before_ms < later_ms else t_ms
