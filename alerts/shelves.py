"""Shelving: an officer puts an alert aside, with a reason and an end.

A shelf belongs to a rule on a series, so that an alert that is raised anew within its time is
born on it: that is what somebody who cleans a probe until three o'clock means. It ends by
itself; there is none without an end, and none longer than a week, because a shelf that was
forgotten is an alert that nobody hears.
Reference: shelving as in IEC 62682 and ISA-18.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.alert import Alert, Holder

SHORTEST_MS: Final = 60_000
LONGEST_MS: Final = 7 * 86_400_000


def end_allowed(until_ms: int | None, now_ms: int) -> bool:
    return until_ms is not None and now_ms + SHORTEST_MS <= until_ms <= now_ms + LONGEST_MS


@dataclass(frozen=True, slots=True)
class Shelf:
    until_ms: int
    why: str


class Shelves:
    """The shelves that are in use, by what can hold one alert at a time."""

    def __init__(self, snapshot: Sequence[Any] = ()) -> None:
        self._shelves: dict[Holder, Shelf] = {
            (rule, k): Shelf(until_ms, why) for rule, k, until_ms, why in snapshot
        }

    def snapshot(self) -> list[list[Any]]:
        return [[*holder, one.until_ms, one.why] for holder, one in sorted(self._shelves.items())]

    @property
    def in_use(self) -> Mapping[Holder, Shelf]:
        return self._shelves

    def put(self, alert: Alert, until_ms: int, why: str) -> None:
        self._shelves[alert.key] = Shelf(until_ms, why)
        self.lay(alert)

    def lay(self, alert: Alert) -> None:
        """An alert that is raised while its shelf is in use lies on it."""
        shelf = self._shelves.get(alert.key)
        if shelf is not None:
            alert.shelved_until_ms, alert.shelved_why = shelf.until_ms, shelf.why

    def end(self, holder: Holder) -> None:
        self._shelves.pop(holder, None)

    def due(self, now_ms: int) -> list[tuple[int, Holder]]:
        """The shelves that have ended, by their ends."""
        return sorted(
            (one.until_ms, holder)
            for holder, one in self._shelves.items()
            if one.until_ms <= now_ms
        )

    def next_due_ms(self) -> int | None:
        return min((one.until_ms for one in self._shelves.values()), default=None)
