"""Salinity along the mouths of the Tiền: a steady shape that the tide moves to and fro.

Model, after Savenije, Salinity and Tides in Alluvial Estuaries (2nd ed. 2012), chapter 5:
in an estuary whose cross-section shrinks as exp(-x/a), with dispersion by Van der Burgh's
law, the tidal mean is

    S(x) = S_sea (1 - beta (exp(x/a) - 1))^(1/K) + S_river,   beta = K a Q / (D0 A0)

The tide carries this shape upstream and back: S(x, t) = S(x - xi(x, t)). The excursion xi
follows the height of the tide at the coast, later by the lag of the tidal wave and by the
time from high water to slack. A storm surge shifts the shape as a whole.

It is a one-dimensional model of the surface. What it has not: salt that enters a reach from
behind, stratification, mixing of its own by wind, gates.

Fitted by us on published figures (maximum, range and lag at Xuân Hòa and Vàm Giồng, seasonal
maxima of Vàm Kênh and Mỹ Tho): K, S_sea, beta and the excursion. The discharges by month are
rounded climatology, unverified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.tide import SEASONAL, height_m, river_constituents
from simulators.weather import Weather

SEA_G_L = 31.0
RIVER_G_L = 0.10
VAN_DER_BURGH = 0.46
CONVERGENCE_KM = 100.0
BETA_DRY = 1.04
"""beta at `DRY_M3_S`: the toe of the salt lies about 58 km from the mouth."""

DRY_M3_S = 2700.0
BETA_EXPONENT = 0.8
"""beta grows as Q^0.8: Savenije's own law gives Q^0.5, which would leave 20 km of the river
salty at the height of the flood."""

OFFSHORE_KM = 8.0
"""The shape begins this far outside the mouth, at the end of the river's plume."""

EXCURSION_KM_PER_M = 4.4
"""How far water has come in, for each metre of the tide over its mean."""

SURGE_KM_PER_M = 25.0
"""20 to 40 cm of monsoon surge on the shelf take salt up to 10 km further (Eslami et al.,
Earth Surface Dynamics 9, 953, 2021)."""

_LAG_KM = (0.0, 23.0, 42.0)
_TIDE_LAG_H = (0.0, 1.48, 1.90)  # of M2 behind the coast
_SLACK_LAG_H = (0.5, 2.0, 2.0)  # of the salinity maximum behind high water of the place
_LAG_H_PER_KM = 0.022  # above Xuân Hòa

_MONTHLY_M3_S = (
    4800.0,
    3300.0,
    2350.0,
    2250.0,
    4000.0,
    8500.0,
    13500.0,
    18500.0,
    20500.0,
    19000.0,
    13500.0,
    8000.0,
)
_YEAR_MS = 31_556_952_000  # 365.2425 days

REACH_OF_SALT = {"cua-tieu": 1.0, "cua-dai": 1.0, "ham-luong": 1.24, "co-chien": 1.17}
"""How much further salt comes up a mouth than up the Tiểu: from the depths of the 4 g/L line
in 2020 (Tiểu and Đại 60-63 km, Hàm Luông 78, Cổ Chiên 70). Other mouths count as the Tiểu."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A salt spell: the north-east monsoon holds the sea up from `from_ms` to `to_ms`, UTC."""

    from_ms: int
    to_ms: int
    surge_m: float


@dataclass(frozen=True, slots=True)
class River:
    """The state of the river beside the tide.

    discharge_m3_s : None means the climate's at the date plus `season_shift_ms`, so that a
        dry season can be played at any date
    weather : what differs from day to day; None means the climate alone
    """

    discharge_m3_s: float | None = None
    season_shift_ms: int = 0
    spells: tuple[Spell, ...] = ()
    weather: Weather | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something hangs in the water.

    km_from_mouth : (mouth, km along the water), sorted; empty is the coast itself
    gate : id of the sluice at whose mouth it hangs, if at one
    """

    km_from_mouth: tuple[tuple[str, float], ...]
    gate: str | None = None

    @classmethod
    def of(cls, km_from_mouth: Mapping[str, float], gate: str | None = None) -> "Place":
        """A place by a station's distances."""
        return cls(tuple(sorted(km_from_mouth.items())), gate)

    @property
    def nearest_km(self) -> float:
        """Distance from the nearest mouth, km; 0 at the coast."""
        return min((km for _, km in self.km_from_mouth), default=0.0)


def climate_discharge_m3_s(t_ms: IntArray) -> FloatArray:
    """Discharge of the Tiền by the season, m3/s: monthly means, joined month by month.

    t_ms : int64[N], UTC. Returns float64[N].
    """
    phase = (t_ms % _YEAR_MS) / _YEAR_MS * 12.0  # 1970 began a year, and centuries keep it
    return np.interp(phase - 0.5, np.arange(12), _MONTHLY_M3_S, period=12.0)


def surge_m(t_ms: IntArray, spells: Sequence[Spell]) -> FloatArray:
    """Height of the surge of all spells, m; each rises and falls as a squared sine."""
    total = np.zeros(len(t_ms))
    for spell in spells:
        share = np.clip((t_ms - spell.from_ms) / (spell.to_ms - spell.from_ms), 0.0, 1.0)
        total += spell.surge_m * np.sin(np.pi * share) ** 2
    return total


def salinity(t_ms: IntArray, km: float, mouth: str, river: River) -> FloatArray:
    """Salinity at the surface, g/L.

    t_ms : int64[N], UTC
    km : distance from the mouth along the water; negative is out at sea
    mouth : id of the mouth, as in `REACH_OF_SALT`

    Returns float64[N], between the river's 0.10 and the sea's 31 g/L.
    """
    reach = REACH_OF_SALT.get(mouth, 1.0)
    moved_km = EXCURSION_KM_PER_M * _excursion_m(t_ms, km)
    moved_km += SURGE_KM_PER_M * surge_m(t_ms, river.spells)
    x_km = np.maximum((km - moved_km) / reach + OFFSHORE_KM, 0.0)
    discharge = (
        climate_discharge_m3_s(t_ms + river.season_shift_ms)
        if river.discharge_m3_s is None
        else np.full(len(t_ms), river.discharge_m3_s)
    )
    beta = BETA_DRY * (discharge / DRY_M3_S) ** BETA_EXPONENT
    shape = np.maximum(1.0 - beta * np.expm1(x_km / CONVERGENCE_KM), 0.0)
    return RIVER_G_L + (SEA_G_L - RIVER_G_L) * shape ** (1.0 / VAN_DER_BURGH)


def surface_g_l(t_ms: IntArray, place: Place, river: River) -> FloatArray:
    """Salinity at the surface of a place, g/L: of the mouth that brings the most salt.

    t_ms : int64[N], UTC. Returns float64[N].
    """
    distances = place.km_from_mouth or (("", 0.0),)
    by_mouth = [salinity(t_ms, km, mouth, river) for mouth, km in distances]
    return np.asarray(np.max(by_mouth, axis=0), dtype=np.float64)


def at_depth_g_l(t_ms: IntArray, place: Place, depth_m: float, river: River) -> FloatArray:
    """Salinity at a depth under the surface of a place, g/L; saltier the deeper.

    t_ms : int64[N], UTC
    depth_m : 0 is the surface; below the bottom counts as the bottom

    Returns float64[N].
    """
    return surface_g_l(t_ms, place, river) * (1.0 + 0.02 * depth_m)


def level_m(t_ms: IntArray, km: float, river: River) -> FloatArray:
    """Water level over the local mean of the sea, m: tide of the place, season and surge."""
    return height_m(t_ms, river_constituents(km)) + surge_m(t_ms, river.spells)


def salinity_lag_h(km: float) -> float:
    """Hours from high water at the coast to the salinity maximum at a place."""
    lag = np.interp(km, _LAG_KM, _TIDE_LAG_H) + np.interp(km, _LAG_KM, _SLACK_LAG_H)
    return float(lag) + _LAG_H_PER_KM * max(km - _LAG_KM[-1], 0.0)


def _excursion_m(t_ms: IntArray, km: float) -> FloatArray:
    """Height of the tide at the coast when the water now at `km` was driven by it, m."""
    lag_ms = round(salinity_lag_h(km) * 3_600_000)
    coast = tuple(tide for tide in river_constituents(0.0) if tide.name not in SEASONAL)
    return height_m(t_ms - lag_ms, coast)
