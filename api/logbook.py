"""What is kept of the past beside readings, as the doors ask for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.entries import Logged
from alerts.entry_log import ChecksKey, ChecksPage

ChecksAsked = tuple[str | None, int, int, ChecksKey | None, int]
"""(station, from_ms, to_ms, after, limit)"""


@dataclass(frozen=True, slots=True)
class Logbook:
    """Alert events, what officers entered, hand checks. All are *worker*; without arguments
    nothing is kept.

    checks : a page of hand checks measured in [from, to), newest first
    entered : (from_ms, to_ms, limit) -> entries made in [from, to), oldest first
    entered_before : (what, t_ms) -> of each subject the last entry before a time
    entered_since : from when on entries were kept
    events : (from_ms, to_ms, limit) -> told events of alerts, see `alerts.records.told_between`
    active : the open alerts
    taken : of alerts by id, when each was acknowledged and by whom
    """

    checks: Callable[[ChecksAsked], ChecksPage] = lambda _asked: ChecksPage([], None)
    entered: Callable[[int, int, int], Sequence[Logged]] = lambda _from, _to, _limit: ()
    entered_before: Callable[[str, int], Sequence[Logged]] = lambda _what, _t: ()
    entered_since: Callable[[], int | None] = lambda: None
    events: Callable[[int, int, int], Sequence[dict[str, Any]]] = lambda _from, _to, _limit: ()
    active: Callable[[], Sequence[dict[str, Any]]] = tuple
    taken: Callable[[Sequence[str]], Mapping[str, tuple[int, str]]] = lambda _alerts: {}
