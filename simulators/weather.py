"""What differs from day to day: the discharge about its climate, and the wind that sets up the sea.

Every draw belongs to (seed, day), never to a run.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weather:
    """How lively the weather is. Its draws belong to (seed, day of the season).

    discharge_spread : standard deviation of the discharge about its climate, as a share
    monsoon : strength of the north-east monsoon's set-up from December to April; 1 is usual
    """

    seed: int
    discharge_spread: float = 0.12
    monsoon: float = 1.0
