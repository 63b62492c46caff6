"""Points in time as people and programs write them, for HTTP and the live socket."""

import re
from datetime import UTC, datetime
from typing import Final

from ingest.reading import EPOCH_2000_MS

YEAR_2100_MS: Final = 4_102_444_800_000
_EPOCH_MS: Final = re.compile(r"[0-9]{1,15}")
# A plus sign in a query means a space unless it is escaped, which everybody forgets once:
# the offset may therefore begin with a space. Seconds, and the minutes of the offset, may be
# left out, as people do who type an address.
_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?"
    r"([Zz]|([+\- ]\d{2})(?::?(\d{2}))?)",
    re.ASCII,
)
ACCEPTED: Final = (
    "a time is RFC 3339 with its offset (2026-01-31T07:00:00+07:00, 2026-01-31T07:00+07, or …Z) "
    "or milliseconds since 1970 (1769817600000), from 2000 to 2100"
)


def moment_ms(text: str) -> int | None:
    """Milliseconds since 1970 of a text, None where it is none that `ACCEPTED` names."""
    t_ms = int(text) if _EPOCH_MS.fullmatch(text) else _from_rfc3339(text)
    return t_ms if t_ms is not None and EPOCH_2000_MS <= t_ms <= YEAR_2100_MS else None


def _from_rfc3339(text: str) -> int | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    day, clock, seconds, fraction, offset, hours, minutes = match.groups()
    if fraction and not seconds:
        return None
    zone = "+00:00" if offset in "Zz" else f"{hours.replace(' ', '+')}:{minutes or '00'}"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}{zone}")
        whole_s = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
    return whole_s * 1000 + int((fraction or ".")[1:4].ljust(3, "0"))
