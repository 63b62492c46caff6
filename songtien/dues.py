"""When the parts of the processor ask to be stepped, and those that do not let go.

A part says when time alone changes something in it. Stepped at that time, it must say a later
one: one that does not would have the processor step for ever, no entry after it would be
taken, and every new life would come to the same entry. So such a part is put off. It is still
stepped whenever anything else happens, all others go on at their own times, and what follows
rests on the entries alone: the same journal gives the same again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

PASSES_MAX: Final = 10
"""Steps at one instant after which a part that is still due is a defect. One is enough for all
that there are; parts that wake each other at one instant would need some."""

PUT_OFF_MS: Final = 60_000
"""A part that was put off is asked again after so long: often enough for it to come right by
itself, and seldom enough for the ticks that this takes."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A part that was stepped and is due all the same.

    due_ms : when it says it is due
    since_ms : when this was first found
    again_ms : when it is asked again
    """

    part: str
    due_ms: int
    since_ms: int
    again_ms: int


class Dues:
    """Which of the parts' own words count.

    overdue : what is put off, by part; never changed in place, so that other threads may look
    """

    def __init__(self, snapshot: Iterable[tuple[str, int, int, int]] = ()) -> None:
        self.overdue: Mapping[str, Overdue] = {each[0]: Overdue(*each) for each in snapshot}
        self._passes: Counter[str] = Counter()

    def next_ms(self, asked: Mapping[str, int | None]) -> int | None:
        """The first due of all parts, given what each says itself."""
        if self.overdue:
            asked = {**asked, **{part: each.again_ms for part, each in self.overdue.items()}}
        return min((due for due in asked.values() if due is not None), default=None)

    def stepped(self, asked: Mapping[str, int | None], at_ms: int, entry_ms: int) -> None:
        """All parts were stepped at `at_ms`, within the entry of `entry_ms`, and say this now."""
        for part, due_ms in asked.items():
            held = self.overdue.get(part)
            if due_ms is None or due_ms > at_ms:
                self._passes.pop(part, None)
                if held is not None:
                    self.overdue = {p: o for p, o in self.overdue.items() if p != part}
                continue
            if held is not None and at_ms < held.again_ms:
                continue
            self._passes[part] += 1
            if held is None and self._passes[part] < PASSES_MAX:
                continue
            del self._passes[part]
            # Counted from the entry: a gap of days is not gone through minute by minute.
            again_ms = entry_ms + PUT_OFF_MS
            if held is None:
                found = Overdue(part, due_ms, at_ms, again_ms)
            else:
                found = replace(held, due_ms=due_ms, again_ms=again_ms)
            self.overdue = {**self.overdue, part: found}

    def snapshot(self) -> list[Any]:
        return [astuple(each) for each in self.overdue.values()]
