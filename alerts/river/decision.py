"""May water be taken now? The table of decisions, as data: the first row that matches counts.

Formula: with L the limit of the crop, S the newest reading and a its age in hours, r the
larger of the slope over the last 60 min and the rise that 95 of 100 ordinary hours stay under
(0 when three samples in a row have fallen), and u = max(0.05, 0.1 S) for the instrument,

    U = S + r a + u

is the salinity that it may be by now. Danger and permission are not symmetric: a suspect
reading forbids and never permits, and what is not known permits nothing.
Units: g/L, hours, metres. All limits here are expert judgement, unverified.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from ingest.reading import Flag, rounded

AGE_MAX_H: Final = 0.5
AGE_MAX_INTERVALS: Final = 2
NEAR: Final = 0.8
"""From this share of the limit on it is too near: taking ends, and does not begin."""

STOP_RISE_G_L_H: Final = 0.1
RISING_G_L_H: Final = 0.02
"""Below this the slope of an hour is the instrument's, not the water's."""

HIGH_WATER_H: Final = 3.0
"""Salt goes on rising after high water: about 2 h at Xuân Hòa, so falling water is no sign."""

HELD_H: Final = 0.5
HELD_SAMPLES: Final = 3
HEAD_M: Final = 0.05
U_LEAST_G_L: Final = 0.05
U_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of the water at an intake, at one time.

    salinity_g_l, flag, age_h, interval_h : of the newest reading, whatever its flag
    dry : the probe is in air, barely covered or fouled
    live : it was measured, not simulated
    maintained : somebody works on the station, and the probe may hang in a bucket
    slope_g_l_h : over the last hour, None where too little is remembered
    usual_rise_g_l_h : the 95th percentile of the station
    falling : the last three samples were each lower than the one before
    high_water_h : since the last high water, None where none is known
    held_h, held_samples : for how long, and in how many samples, it has been good and not
        above `NEAR` of the limit
    taking : an officer has said that water is taken
    interrupted : since then a row that stops who is taking has matched
    gate : "open", "closed" or None, by an officer
    head_m : outer minus inner level, None where it isn't known
    """

    limit_g_l: float
    salinity_g_l: float
    flag: int
    age_h: float
    interval_h: float
    usual_rise_g_l_h: float
    dry: bool = False
    live: bool = True
    maintained: bool = False
    slope_g_l_h: float | None = None
    falling: bool = False
    high_water_h: float | None = None
    held_h: float = 0.0
    held_samples: int = 0
    taking: bool = False
    interrupted: bool = False
    gate: str | None = None
    gravity: bool = False
    head_m: float | None = None

    @property
    def age_max_h(self) -> float:
        return min(AGE_MAX_INTERVALS * self.interval_h, AGE_MAX_H)

    @property
    def rise_g_l_h(self) -> float:
        """r: how fast it may be rising."""
        if self.falling:
            return 0.0
        return max(self.slope_g_l_h or 0.0, self.usual_rise_g_l_h)

    @property
    def margin_g_l(self) -> float:
        """u: what the instrument may be wrong by."""
        return max(U_LEAST_G_L, U_SHARE * self.salinity_g_l)

    @property
    def may_be_g_l(self) -> float:
        """U: what it may be by now."""
        return _rounded(self.salinity_g_l + self.rise_g_l_h * self.age_h + self.margin_g_l)

    @property
    def near_g_l(self) -> float:
        return near_g_l(self.limit_g_l)

    @property
    def near(self) -> bool:
        """So salty, or may be by now, that nobody may take, whatever another station shows."""
        return self.salinity_g_l > self.near_g_l or self.may_be_g_l >= self.limit_g_l

    @property
    def rising(self) -> bool:
        return self.slope_g_l_h is not None and self.slope_g_l_h > RISING_G_L_H

    @property
    def going_on(self) -> bool:
        """Water has been taken without a stop; after one it begins anew, whoever was told."""
        return self.taking and not self.interrupted


NO_STATION: Final = 1
SILENT: Final = 2
BROKEN: Final = 3
TOO_SALT: Final = 4
DOUBTFUL: Final = 5
STOP: Final = 6
MAY_BE_TOO_SALT: Final = 7
STILL_RISING: Final = 8
NEARLY: Final = 9
GATE_CLOSED: Final = 10
PUMP_ONLY: Final = 11
TAKE: Final = 12

UNKNOWN: Final = (NO_STATION, SILENT, BROKEN, DOUBTFUL)
"""The rows on which nobody can say."""

STOPPING: Final = (*UNKNOWN, TOO_SALT, STOP, MAY_BE_TOO_SALT)
"""The rows that stop who is taking."""


def _must_stop(facts: Facts) -> bool:
    if not facts.taking:
        return False
    rising = facts.slope_g_l_h is not None and facts.slope_g_l_h > STOP_RISE_G_L_H
    return facts.salinity_g_l > facts.near_g_l or rising


def _still_rising(facts: Facts) -> bool:
    after_high_water = facts.high_water_h is not None and facts.high_water_h < HIGH_WATER_H
    return facts.rising or (after_high_water and not facts.falling)


def _nearly(facts: Facts) -> bool:
    held = facts.held_h >= HELD_H and facts.held_samples >= HELD_SAMPLES
    return facts.salinity_g_l > facts.near_g_l or not held


TABLE: Final[tuple[tuple[int, Callable[[Facts], bool]], ...]] = (
    (SILENT, lambda f: f.age_h > f.age_max_h or not f.live or f.maintained),
    (BROKEN, lambda f: f.dry or f.flag not in (Flag.PASS, Flag.SUSPECT)),
    (TOO_SALT, lambda f: f.salinity_g_l >= f.limit_g_l),
    (DOUBTFUL, lambda f: f.flag == Flag.SUSPECT),
    (STOP, _must_stop),
    (MAY_BE_TOO_SALT, lambda f: f.may_be_g_l >= f.limit_g_l),
    # Who is taking already is not stopped by what only speaks against beginning.
    (STILL_RISING, lambda f: not f.going_on and _still_rising(f)),
    (NEARLY, lambda f: not f.going_on and _nearly(f)),
    (GATE_CLOSED, lambda f: f.gate == "closed"),
    (PUMP_ONLY, lambda f: f.gravity and (f.head_m is None or f.head_m < HEAD_M)),
    (TAKE, lambda f: True),  # noqa: ARG005 - the last row asks nothing
)


def decide(facts: Facts | None) -> int:
    """The row of the table, 1 to 12; None: no station measures this water."""
    if facts is None:
        return NO_STATION
    return next(row for row, matches in TABLE if matches(facts))


def lasts_h(facts: Facts) -> float:
    """For how long after the reading what was decided can hold without a further one, hours.

    Until the reading is too old, or the salt may have risen to the limit.
    """
    rise = facts.rise_g_l_h
    room = facts.limit_g_l - facts.salinity_g_l - facts.margin_g_l
    reached_h = room / rise if rise > 0 else math.inf
    return min(facts.age_max_h, reached_h) if reached_h > facts.age_h else facts.age_max_h


def stop_within_h(facts: Facts) -> float:
    """How long after the reading who is taking must have stopped, hours; 0 is at once."""
    room = facts.near_g_l - facts.salinity_g_l
    if room <= 0:
        return 0.0
    return room / facts.rise_g_l_h if facts.rise_g_l_h > 0 else math.inf


@lru_cache(maxsize=256)
def near_g_l(limit_g_l: float) -> float:
    """What is too near to a limit begins above this."""
    return _rounded(NEAR * limit_g_l)


def _rounded(value: float) -> float:
    return float(rounded(np.array([value]))[0])
