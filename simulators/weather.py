"""What differs from day to day: the discharge about its climate, and the wind that sets up the sea.

Both are smooth waves through one normal draw a day. A draw belongs to (seed, day), so a value
depends on its time alone, whichever way a run is cut, and no state is carried: the wave at a
time is the sum of the draws of the days around it under a bell (cos^2), divided by the root of
the bell's squares, so that it is a standard normal at any hour. Its autocorrelation falls to
one half after about 0.7 of the bell's half-width, as an AR process of that memory would.

The north-east monsoon (gió chướng) blows in bursts of some days from December to April. Its
mean over the season raises the sea in the annual constituent of the tide; what is added here
is the burst: calm for longer than strong, 20 to 40 cm at the strongest of a season on the
shelf (Eslami et al., Earth Surface Dynamics 9, 953, 2021). How the bursts are spread is our
choice, unverified.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.noise import DAY_MS, generator

YEAR_MS = 31_556_952_000  # 365.2425 days
_DISCHARGE_DAYS = 8
_WIND_DAYS = 3
_SKEW = 0.8  # bursts are log-normal: how much stronger the strong are
_SETUP_M = 0.12
_SETUP_MOST_M = 0.5
_NORTH_EAST = (1.0, 1.0, 1.0, 0.6, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.8)  # by month


@dataclass(frozen=True, slots=True)
class Weather:
    """How lively the weather is. Its draws belong to (seed, day of the season).

    discharge_spread : standard deviation of the discharge about its climate, as a share
    monsoon : strength of the north-east monsoon's set-up from December to April; 1 is usual
    """

    seed: int
    discharge_spread: float = 0.12
    monsoon: float = 1.0


def by_month(t_ms: IntArray, monthly: tuple[float, ...]) -> FloatArray:
    """A climate given month by month at times t_ms, int64[N], joined on lines: float64[N]."""
    phase = (t_ms % YEAR_MS) / YEAR_MS * 12.0  # 1970 began a year, and centuries keep it
    return np.interp(phase - 0.5, np.arange(12), monthly, period=12.0)


def discharge_share(t_ms: IntArray, weather: Weather) -> FloatArray:
    """The discharge as a share of its climate's: float64[N], log-normal about 1."""
    wave = _wave(t_ms, weather.seed, "discharge", _DISCHARGE_DAYS)
    return np.exp(weather.discharge_spread * wave)


def setup_m(t_ms: IntArray, weather: Weather) -> FloatArray:
    """How far the wind holds the sea above its mean of the season, m: float64[N].

    Between bursts it is below that mean; never more than half a metre for `monsoon` = 1.
    """
    burst = np.exp(_SKEW * _wave(t_ms, weather.seed, "wind", _WIND_DAYS) - _SKEW**2 / 2.0) - 1.0
    season = weather.monsoon * by_month(t_ms, _NORTH_EAST)
    return season * _SETUP_MOST_M * np.tanh(burst * (_SETUP_M / _SETUP_MOST_M))


def _wave(t_ms: IntArray, seed: int, name: str, days: int) -> FloatArray:
    if not len(t_ms):
        return np.zeros(0)
    day, within_ms = np.divmod(t_ms, DAY_MS)
    first = int(day.min()) - days
    drawn = np.array([_draw(seed, name, each) for each in range(first, int(day.max()) + days + 1)])
    # cos^2 of a sum by two columns of trigonometry in place of one for each day around.
    turn = np.pi / days
    angle = (within_ms / DAY_MS) * turn
    along, across = np.cos(angle), np.sin(angle)
    total, squares = np.zeros(len(t_ms)), np.zeros(len(t_ms))
    for step in range(1 - days, days + 1):
        bell = 0.5 + 0.5 * (math.cos(step * turn) * along + math.sin(step * turn) * across)
        total += bell * drawn[day - first + step]
        squares += bell * bell
    return np.asarray(total / np.sqrt(squares), dtype=np.float64)


@lru_cache(maxsize=16_384)
def _draw(seed: int, name: str, day: int) -> float:
    return float(generator(seed, "weather", name, day=day).standard_normal())
