"""What is usual at a time of the day: a mean and a spread for each half hour, learnt day by day.

Saturdays and Sundays are learnt apart from other days: bridges are fullest on their afternoons.
Of each half hour the mean of the values and of their squares is kept. A new day counts 1/n of
n days, and never less than `WEIGHT_MIN`, so that the memory is bounded and follows the season.
"""

import math
from typing import Any

from ingest.bridges import DAY_MS, LOCAL_MS

SLOT_MS = 1_800_000
SLOTS = DAY_MS // SLOT_MS
KINDS = 2
"""Working days, and Saturdays with Sundays."""

WEIGHT_MIN = 0.1
DAYS_MIN = 5
"""Days of one kind after which what is usual is known (an expert's judgement)."""

NEVER = -1


class Profile:
    """One quantity of one camera; `floor` is the least spread that is reckoned with."""

    def __init__(self, floor: float, snapshot: dict[str, Any] | None = None) -> None:
        state: dict[str, Any] = snapshot or {}
        self._floor = floor
        self._days: list[int] = list(state.get("days", [0] * SLOTS * KINDS))
        self._mean: list[float] = list(state.get("mean", [0.0] * SLOTS * KINDS))
        self._square: list[float] = list(state.get("square", [0.0] * SLOTS * KINDS))
        self._slot: int = state.get("slot", NEVER)
        self._sums: list[float] = list(state.get("sums", [0.0, 0.0, 0.0]))

    def push(self, t_ms: int, value: float) -> None:
        """Take a value; a half hour is learnt when the next one begins."""
        slot = (t_ms + LOCAL_MS) // SLOT_MS
        if slot != self._slot:
            self._learn()
            self._slot, self._sums = slot, [0.0, 0.0, 0.0]
        self._sums[0] += 1.0
        self._sums[1] += value
        self._sums[2] += value * value

    def deviation(self, t_ms: int, value: float) -> float | None:
        """How many spreads a value lies above what is usual; None where that is not known.

        The half hours beside it count too, since people are not so punctual.
        """
        slot = (t_ms + LOCAL_MS) // SLOT_MS
        first = _place(slot) - slot % SLOTS
        near = [first + each % SLOTS for each in (slot - 1, slot, slot + 1)]
        known = [each for each in near if self._days[each] >= DAYS_MIN]
        if not known:
            return None
        mean = sum(self._mean[each] for each in known) / len(known)
        square = sum(self._square[each] for each in known) / len(known)
        spread = math.sqrt(max(square - mean * mean, 0.0))
        return (value - mean) / max(spread, self._floor)

    def highest(self) -> float | None:
        """The mean of the highest half hour that is known."""
        known = [m for m, days in zip(self._mean, self._days, strict=True) if days >= DAYS_MIN]
        return max(known, default=None)

    def _learn(self) -> None:
        count, total, squares = self._sums
        if count == 0.0:
            return
        slot = _place(self._slot)
        self._days[slot] += 1
        weight = max(1.0 / self._days[slot], WEIGHT_MIN)
        self._mean[slot] += weight * (total / count - self._mean[slot])
        self._square[slot] += weight * (squares / count - self._square[slot])

    def snapshot(self) -> dict[str, Any]:
        return {
            "days": list(self._days),
            "mean": list(self._mean),
            "square": list(self._square),
            "slot": self._slot,
            "sums": list(self._sums),
        }


def _place(slot: int) -> int:
    """Where a half hour, counted from 1970, is kept: by its kind of day and its time."""
    day, within = divmod(slot, SLOTS)
    is_weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    return int(is_weekend) * SLOTS + within
