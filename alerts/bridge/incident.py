"""Incidents: traffic that breaks down where and when it usually does not.

Three signs, each of which must have held for `HOLD_MS` of what cameras report:

- **breakdown** at one camera: occupancy over 20 % and cars slower than 60 % of their free
  speed, as far as each is measured, and both far from what is usual at that time of the day
  (the standard normal deviate of Dudek, Messer and Nuckles 1974, against a profile by half
  hours). Without five days of history it is not asked: every rush hour would be an incident.
- **standstill**: the lane is occupied more than 45 % of the time and fewer than five cars pass.
- **between the ends**: the entry stands while the exit is empty (the spatial difference of
  occupancies of the California algorithms, Payne and Tignor 1978).

What is over must have been over for ten minutes.
"""

from dataclasses import dataclass
from typing import Any

from alerts.bridge.profile import Profile

MINUTE_MS = 60_000
HOLD_MS = 3 * MINUTE_MS
OVER_MS = 10 * MINUTE_MS

OCCUPANCY_BROKEN = 0.20
"""About the occupancy at which a lane carries most: 28 cars a km (HCM, capacity of a freeway)
of some 6.6 m with what a detector adds."""

SPEED_SHARE_BROKEN = 0.6
"""Below this share of the free speed traffic counts as congested (60 to 65 % in the yearly
reports on urban mobility)."""

UNUSUAL = 2.5
"""Spreads from what is usual: less than one in a hundred, were it chance."""

OCCUPANCY_STANDING = 0.45
CARS_STANDING = 5

OCCUPANCY_APART = 0.20
OCCUPANCY_APART_SHARE = 0.5
ENTRY_STANDS_KM_H = 15.0

OCCUPANCY_FLOOR = 0.01
SPEED_FLOOR_KM_H = 3.0
NONE = -1


@dataclass(slots=True)
class Held:
    """A sign that becomes an incident when it has held, and stays until it has been over.

    since_ms : where the sign began, NONE while it is not there
    over_ms : where it was last seen to be over, NONE while it is there
    """

    on: bool = False
    since_ms: int = NONE
    over_ms: int = NONE

    def step(self, t_ms: int, covers_ms: int, *, sign: bool) -> None:
        """One report at `t_ms` about the `covers_ms` before it."""
        if sign:
            self.over_ms = NONE
            if self.since_ms == NONE:
                self.since_ms = t_ms - covers_ms
            self.on = self.on or t_ms - self.since_ms >= HOLD_MS
            return
        self.since_ms = NONE
        if self.on:
            if self.over_ms == NONE:
                self.over_ms = t_ms - covers_ms
            if t_ms - self.over_ms >= OVER_MS:
                self.on, self.over_ms = False, NONE

    def forget(self) -> None:
        self.on, self.since_ms, self.over_ms = False, NONE, NONE

    def snapshot(self) -> list[int]:
        return [int(self.on), self.since_ms, self.over_ms]


def held(snapshot: list[int] | None) -> Held:
    return Held() if snapshot is None else Held(bool(snapshot[0]), *snapshot[1:])


class Watch:
    """One camera watched for a breakdown and a standstill.

    `free_km_h` is the free speed of cars there; None learns it as that of the best half hour.
    What was before `baseline_from_ms` is not learnt.
    """

    def __init__(
        self,
        free_km_h: float | None,
        snapshot: dict[str, Any] | None = None,
        *,
        baseline_from_ms: int | None = None,
    ) -> None:
        state: dict[str, Any] = snapshot or {}
        self._free_km_h = free_km_h
        self._baseline_from_ms = baseline_from_ms or 0
        self._occupancy = Profile(OCCUPANCY_FLOOR, state.get("occupancy"))
        self._speed = Profile(SPEED_FLOOR_KM_H, state.get("speed"))
        self.breakdown = held(state.get("breakdown"))
        self.standstill = held(state.get("standstill"))

    @property
    def on(self) -> bool:
        return self.breakdown.on or self.standstill.on

    def step(
        self,
        t_ms: int,
        covers_ms: int,
        speed_km_h: float | None,
        occupancy: float | None,
        cars: float | None,
    ) -> None:
        """One report of the camera, in order of time; `cars` is of the last three, None unknown."""
        few = cars is not None and cars < CARS_STANDING
        stands = few and occupancy is not None and occupancy > OCCUPANCY_STANDING
        broken = not few and self._is_broken(t_ms, speed_km_h, occupancy)
        self.standstill.step(t_ms, covers_ms, sign=stands)
        self.breakdown.step(t_ms, covers_ms, sign=broken)
        if self.on or t_ms < self._baseline_from_ms:
            return  # what is not usual is not learnt as usual
        if speed_km_h is not None and not few:
            self._speed.push(t_ms, speed_km_h)
        if occupancy is not None:
            self._occupancy.push(t_ms, occupancy)

    def knows(self, t_ms: int) -> bool:
        """Whether what is usual at a time is known, so that a breakdown would be told."""
        profiles = (self._speed, self._occupancy)
        return any(each.deviation(t_ms, 0.0) is not None for each in profiles)

    def _is_broken(self, t_ms: int, speed_km_h: float | None, occupancy: float | None) -> bool:
        signs = []
        if occupancy is not None:
            deviation = self._occupancy.deviation(t_ms, occupancy)
            unusual = deviation is not None and deviation >= UNUSUAL
            signs.append(occupancy > OCCUPANCY_BROKEN and unusual)
        if speed_km_h is not None:
            deviation = self._speed.deviation(t_ms, speed_km_h)
            unusual = deviation is not None and deviation <= -UNUSUAL
            free_km_h = self._free_km_h or self._speed.highest()
            slow = free_km_h is not None and speed_km_h < SPEED_SHARE_BROKEN * free_km_h
            signs.append(slow and unusual)
        return bool(signs) and all(signs)

    def forget(self) -> None:
        """The road was closed: what was going on is over; what is usual stays."""
        self.breakdown.forget()
        self.standstill.forget()

    def snapshot(self) -> dict[str, Any]:
        return {
            "occupancy": self._occupancy.snapshot(),
            "speed": self._speed.snapshot(),
            "breakdown": self.breakdown.snapshot(),
            "standstill": self.standstill.snapshot(),
        }


def between_the_ends(
    entry_km_h: float | None, entry_occupancy: float | None, exit_occupancy: float | None
) -> bool:
    """Whether the entry stands while the exit is empty: something is wrong on the bridge."""
    if entry_occupancy is None or exit_occupancy is None:
        return False
    apart = entry_occupancy - exit_occupancy
    far = apart > OCCUPANCY_APART and apart > OCCUPANCY_APART_SHARE * entry_occupancy
    return far and entry_km_h is not None and entry_km_h < ENTRY_STANDS_KM_H
