"""How a road stands, in four words, with hysteresis and persistence.

Each level is a latch of its own: entered when its condition has held for its time, left when
the opposite has. The state is the highest level that holds. Figures: an expert's judgement for
Rạch Miễu (free speed 45 km/h), unverified; what is normal there takes under 15 minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

NONE = -1
MINUTE_MS = 60_000


class State(IntEnum):
    """thông thoáng, đông xe, ùn ứ, ùn tắc."""

    FREE = 0
    DENSE = 1
    CONGESTED = 2
    JAMMED = 3


LEVELS = (State.DENSE, State.CONGESTED, State.JAMMED)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a level is entered and left, by speed in km/h and occupancy as a share of 1.

    `either`: one of the two is enough to enter; to leave, both are needed, but for a level
    without `leave_occupancy`, which is left by speed alone.
    """

    enter_km_h: float
    enter_occupancy: float
    either: bool
    enter_min: int
    leave_km_h: float
    leave_occupancy: float | None
    leave_min: int


TABLE: Mapping[State, Limits] = {
    State.DENSE: Limits(35.0, 0.20, True, 3, 40.0, 0.15, 5),
    State.CONGESTED: Limits(20.0, 0.30, False, 5, 30.0, 0.20, 10),
    State.JAMMED: Limits(8.0, 0.45, False, 5, 15.0, None, 5),
}

CROSSING_MIN: Mapping[State, float] = {
    State.DENSE: 15.0,
    State.CONGESTED: 30.0,
    State.JAMMED: 60.0,
}
CROSSING_LEAVE_SHARE = 0.8
CROSSING_LEAVE_MIN = 10


class Latches:
    """The three levels of one camera, or of the crossing time: on or off, and since when not.

    `pending_ms` is when the opposite of each began to hold, `NONE` while it does not.
    """

    def __init__(self, snapshot: Sequence[Sequence[int]] | None = None) -> None:
        on, pending = snapshot or ((0, 0, 0), (NONE, NONE, NONE))
        self._on = [bool(each) for each in on]
        self._pending_ms = [int(each) for each in pending]

    @property
    def state(self) -> State:
        return max((level for level in LEVELS if self._on[level - 1]), default=State.FREE)

    def step(self, level: State, t_ms: int, *, changes: bool, hold_ms: int) -> None:
        """Tell whether what would change a level holds at an instant."""
        at = level - 1
        if not changes:
            self._pending_ms[at] = NONE
            return
        if self._pending_ms[at] == NONE:
            self._pending_ms[at] = t_ms
        if t_ms - self._pending_ms[at] >= hold_ms:
            self._on[at] = not self._on[at]
            self._pending_ms[at] = NONE

    def on(self, level: State) -> bool:
        return self._on[level - 1]

    def pause(self) -> None:
        """Nothing is known at this instant: what was about to hold begins again."""
        self._pending_ms = [NONE] * len(LEVELS)

    def clear(self) -> None:
        self._on = [False] * len(LEVELS)
        self.pause()

    def snapshot(self) -> list[list[int]]:
        return [[int(each) for each in self._on], list(self._pending_ms)]


def step_road(
    latches: Latches,
    t_ms: int,
    speed_km_h: float | None,
    occupancy: float | None,
    *,
    suspect: bool,
    unit_ms: int = MINUTE_MS,
) -> None:
    """One instant of a camera: the medians of what it saw, at least one of them known.

    What it does not measure is left out of the conditions. `suspect` figures may enter a
    level and never leave one. Times are in minutes of 60 s data; `unit_ms` stretches them for
    a camera that reports more seldom.
    """
    for level, limits in TABLE.items():
        if latches.on(level):
            fast = speed_km_h is not None and speed_km_h > limits.leave_km_h
            asked = [fast] if speed_km_h is not None else []
            if limits.leave_occupancy is not None or speed_km_h is None:
                # A level left by speed alone is left by the next lower level's occupancy
                # where there is no speed.
                below = limits.leave_occupancy or TABLE[State.CONGESTED].leave_occupancy or 0.0
                asked += [occupancy < below] if occupancy is not None else []
            changes = bool(asked) and all(asked) and not suspect
            hold = limits.leave_min
        else:
            asked = [speed_km_h < limits.enter_km_h] if speed_km_h is not None else []
            asked += [occupancy > limits.enter_occupancy] if occupancy is not None else []
            changes = any(asked) if limits.either else bool(asked) and all(asked)
            hold = limits.enter_min
        latches.step(level, t_ms, changes=changes, hold_ms=hold * unit_ms)


def step_crossing(
    latches: Latches, t_ms: int, least_min: float, most_min: float | None, *, suspect: bool
) -> None:
    """One instant of the crossing time, known to lie between `least_min` and `most_min`.

    A level is entered by the least and left by the most; `most_min` None has no end.
    """
    for level, limit_min in CROSSING_MIN.items():
        if latches.on(level):
            leave_min = CROSSING_LEAVE_SHARE * limit_min
            changes = most_min is not None and most_min < leave_min and not suspect
            latches.step(level, t_ms, changes=changes, hold_ms=CROSSING_LEAVE_MIN * MINUTE_MS)
        else:
            latches.step(level, t_ms, changes=least_min > limit_min, hold_ms=0)
