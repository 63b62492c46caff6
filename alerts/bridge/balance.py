"""How many vehicles are on a bridge: those that came on, less those that left.

The sum is exact as long as both cameras see every vehicle, and drifts as soon as one does not:
3 % of bias make 0.8 km of queue in an hour. So it is set anew whenever traffic is free, told
only for a time after that, and never after a vehicle may have passed unseen.
"""

from typing import Any

from ingest.bridges import DAY_MS, LOCAL_MS

MINUTE_MS = 60_000
FREE_MS = 10 * MINUTE_MS
"""Both ends free for so long: the vehicles on the bridge are q L / v."""

TRUSTED_MS = 30 * MINUTE_MS
"""How long after that a queue's metres are told in heavy traffic, by daylight."""

BIAS = 0.03
BIAS_NIGHT = 0.15
"""Share of the vehicles that one camera may miss. Rain is as bad as night, but nobody measures
it here."""

NIGHT_H = (18.0, 6.0)


def is_night(t_ms: int) -> bool:
    """Between 18 and 6 h in Vietnam; there the sun sets around 18 h all year."""
    hour = (t_ms + LOCAL_MS) % DAY_MS / 3_600_000
    return hour >= NIGHT_H[0] or hour < NIGHT_H[1]


class Balance:
    """The vehicles on a bridge, and what their number is worth.

    `vehicles` is None until it is first set, and after a gap or a fault until it is set again.
    """

    def __init__(self, snapshot: dict[str, Any] | None = None) -> None:
        state: dict[str, Any] = snapshot or {}
        self.vehicles: float | None = state.get("vehicles")
        self.reset_ms: int | None = state.get("reset_ms")
        self.why: str = state.get("why", "never")
        self._spent_ms: int = state.get("spent_ms", 0)
        self._unsure_veh: float = state.get("unsure_veh", 0.0)
        self._free_since_ms: int | None = state.get("free_since_ms")
        self._stepped_ms: int | None = state.get("stepped_ms")

    @property
    def trusted(self) -> bool:
        """Whether metres may be told of it."""
        return self.vehicles is not None and self._spent_ms <= TRUSTED_MS

    def between(self, full_veh: float) -> tuple[float, float] | None:
        """The least and the most vehicles that there may be, None where nothing is known."""
        if self.vehicles is None:
            return None
        least = max(self.vehicles - self._unsure_veh, 0.0)
        return least, min(self.vehicles + self._unsure_veh, full_veh)

    def drop(self, why: str) -> None:
        """Vehicles may have passed unseen (`why` is a word of `alerts.bridge.words`)."""
        self.vehicles = None
        self.why = why
        self._free_since_ms = None

    def step(
        self,
        t_ms: int,
        came: int,
        left: int,
        *,
        free: bool,
        free_vehicles: float | None,
        full_veh: float,
        hold_gap_ms: int,
    ) -> None:
        """One instant: what came on and left since the last, and whether both ends run free.

        `free_vehicles` is q L / v, known while traffic is free.
        """
        since_ms = t_ms if self._stepped_ms is None else self._stepped_ms
        lasted_ms = t_ms - since_ms
        self._stepped_ms = t_ms
        if self.vehicles is not None:
            self.vehicles += came - left
            self._unsure_veh += came * (BIAS_NIGHT if is_night(t_ms) else BIAS)
            if not 0.0 <= self.vehicles <= full_veh:
                self.vehicles = None
                self.why = "fault"
        if not free:
            self._free_since_ms = None
            # At night the same doubt is there after a fifth of the time.
            weight = round(BIAS_NIGHT / BIAS) if is_night(t_ms) else 1
            self._spent_ms += lasted_ms * weight
            return
        if self._free_since_ms is None or lasted_ms > hold_gap_ms:
            self._free_since_ms = t_ms
        if t_ms - self._free_since_ms >= FREE_MS and free_vehicles is not None:
            self.vehicles = free_vehicles
            self.reset_ms = t_ms
            self.why = ""
            self._spent_ms = 0
            self._unsure_veh = 0.0

    def snapshot(self) -> dict[str, Any]:
        return {
            "vehicles": self.vehicles,
            "reset_ms": self.reset_ms,
            "why": self.why,
            "spent_ms": self._spent_ms,
            "unsure_veh": self._unsure_veh,
            "free_since_ms": self._free_since_ms,
            "stepped_ms": self._stepped_ms,
        }
