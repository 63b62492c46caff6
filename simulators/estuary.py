"""Salinity along the mouths of the Tiền: a steady shape that the tide moves to and fro.

Model, after Savenije, Salinity and Tides in Alluvial Estuaries (2nd ed. 2012), chapter 5:
in an estuary whose cross-section shrinks as exp(-x/a), with dispersion by Van der Burgh's
law, the tidal mean is

    S(x) = S_river + (S_sea - S_river) (1 - beta (exp(x/a) - 1))^(1/K),   beta = K a Q / (D0 A0)

The tide carries this shape upstream and back: S(x, t) = S(x - xi(x, t)). The excursion xi
follows the height of the tide at the coast, later by the lag of the tidal wave and by the
time from high water to slack. The lag is shorter at high water than at low, as a wave
travels faster in deeper water, so that salt comes more quickly than it goes. Wind that sets
up the sea shifts the shape as a whole.

Salt also enters the Tiền from behind: up the Hàm Luông, which reaches further, to where it
parts from the Tiền above Mỹ Tho. From there up it is a share of what the Hàm Luông brings,
from there down what the ebb takes along, so that the Tiền is salty, then fresh, then salty
again. docs/simulators.md holds the model against published figures and says what it has
not; docs/adr/0013 says why there is no grid. Everything depends on its time alone.

Fitted by us on published figures of 2024: K, a, beta, the place where the shape begins, the
excursion, the exponent of the discharge. The discharges by month are rounded climatology,
unverified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.stratification import bottom_share, down_to
from simulators.tide import Bands, coastal_bands, height_m, river_constituents
from simulators.weather import Weather, by_month, discharge_share, setup_m

SEA_G_L = 31.0
RIVER_G_L = 0.10
VAN_DER_BURGH = 0.65
CONVERGENCE_KM = 115.0
BETA_DRY = 1.43
"""beta at `DRY_M3_S`: the toe of the salt lies about 51 km from the mouth at mean tide."""

DRY_M3_S = 2700.0
BETA_EXPONENT = 0.7
"""beta grows as Q^0.7: Savenije's own law gives Q^0.5, which would leave 20 km of the river
salty at the height of the flood."""

OFFSHORE_KM = 10.0
"""The shape begins this far outside the mouth, at the end of the river's plume."""

EXCURSION_KM_PER_M = 4.35
"""How far water has come in, for each metre of the tide over its mean."""

SURGE_KM_PER_M = 25.0
"""20 to 40 cm of monsoon surge on the shelf take salt up to 10 km further (Eslami et al.,
Earth Surface Dynamics 9, 953, 2021)."""

MEMORY_MS = 5 * 86_400_000
"""Salt answers the discharge of some days ago: unverified."""

DEPTH_M = 5.5
"""Mean depth of the way that the tidal wave travels: a wave of height h over it is faster by
3 h / 2 DEPTH_M (Lamb, Hydrodynamics, 6th ed. 1932, article 187)."""

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

REACH_OF_SALT = {"cua-tieu": 1.0, "cua-dai": 1.0, "ham-luong": 1.24, "co-chien": 1.17}
"""How much further salt comes up a mouth than up the Tiểu: from the depths of the 4 g/L line
in 2020 (Tiểu and Đại 60-63 km, Hàm Luông 78, Cổ Chiên 70). Other mouths count as the Tiểu."""

BEHIND = "ham-luong"
"""The mouth by which salt comes into the Tiền from behind."""

BEHIND_KM = 70.5
"""Length of the Hàm Luông, from its mouth to where it parts from the Tiền: unverified."""

PARTING_KM = {"cua-tieu": 66.5, "cua-dai": 71.5}
"""The same parting, by the distance from other mouths (between Phú Phong and Thới Lộc)."""

BEHIND_SHARE = 0.5
"""Share of the Hàm Luông's water in the middle of the Tiền above the parting: on 12/3/2024
Thới Lộc and Tam Bình had half of what Chợ Lách had, on the bank where that water comes in."""

BEHIND_DOWN_KM = 5.0
"""Below the parting the share falls by 1/e in so much, in the fresh water of the other bank:
unverified."""

SLUICE_FURTHER_KM = {"vam-giong": 12.0}
"""How much further than its place on the river the water at a sluice's gauge has come. Vàm
Giồng lies at km 23, and its gauge tells the salinity and the tide of km 35: its five largest
constituents of 2024 lag as at km 32 to 35. Why, is not known."""


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
    weather : what differs from day to day, of the same shifted date; None means the climate
        alone. With a fixed discharge its share still goes up and down about that.
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
    return by_month(t_ms, _MONTHLY_M3_S)


def discharge_m3_s(t_ms: IntArray, river: River) -> FloatArray:
    """Discharge of the Tiền, m3/s: the climate's or the fixed one, and the day's share of it.

    t_ms : int64[N], UTC. Returns float64[N].
    """
    season_ms = t_ms + river.season_shift_ms
    fixed = river.discharge_m3_s
    mean = climate_discharge_m3_s(season_ms) if fixed is None else np.full(len(t_ms), fixed)
    return mean if river.weather is None else mean * discharge_share(season_ms, river.weather)


def surge_m(t_ms: IntArray, spells: Sequence[Spell]) -> FloatArray:
    """Height of the surge of all spells, m; each rises and falls as a squared sine."""
    total = np.zeros(len(t_ms))
    for spell in spells:
        share = np.clip((t_ms - spell.from_ms) / (spell.to_ms - spell.from_ms), 0.0, 1.0)
        total += spell.surge_m * np.sin(np.pi * share) ** 2
    return total


def wind_m(t_ms: IntArray, river: River) -> FloatArray:
    """How far wind holds up the sea, m: spells, and the monsoon of the weather. float64[N]."""
    total = surge_m(t_ms, river.spells)
    if river.weather is not None:
        total += setup_m(t_ms + river.season_shift_ms, river.weather)
    return total


def salinity(t_ms: IntArray, km: float, mouth: str, river: River) -> FloatArray:
    """Salinity at the surface that comes up by one mouth, g/L.

    t_ms : int64[N], UTC
    km : distance from the mouth along the water; negative is out at sea
    mouth : id of the mouth, as in `REACH_OF_SALT`

    Returns float64[N], between the river's 0.10 and the sea's 31 g/L.
    """
    state = _state(t_ms.astype(np.int64).tobytes(), river)
    moved_km = EXCURSION_KM_PER_M * _excursion_m(state.bands, km) + state.pushed_km
    x_km = np.maximum((km - moved_km) / REACH_OF_SALT.get(mouth, 1.0) + OFFSHORE_KM, 0.0)
    shape = np.maximum(1.0 - state.beta * np.expm1(x_km / CONVERGENCE_KM), 0.0)
    return RIVER_G_L + (SEA_G_L - RIVER_G_L) * shape ** (1.0 / VAN_DER_BURGH)


def surface_g_l(t_ms: IntArray, place: Place, river: River) -> FloatArray:
    """Salinity at the surface of a place, g/L: of the mouth that brings the most salt.

    What comes from behind is added. t_ms : int64[N], UTC. Returns float64[N].
    """
    further_km = SLUICE_FURTHER_KM.get(place.gate or "", 0.0)
    distances = [(mouth, km + further_km) for mouth, km in place.km_from_mouth] or [("", 0.0)]
    found = np.max([salinity(t_ms, km, mouth, river) for mouth, km in distances], axis=0)
    found = np.minimum(found + _from_behind(t_ms, dict(distances), river), SEA_G_L)
    return np.asarray(found, dtype=np.float64)


def at_depth_g_l(t_ms: IntArray, place: Place, depth_m: float, river: River) -> FloatArray:
    """Salinity at a depth under the surface of a place, g/L; saltier the deeper.

    t_ms : int64[N], UTC
    depth_m : 0 is the surface; below the bottom counts as the bottom

    Returns float64[N].
    """
    surface = surface_g_l(t_ms, place, river)
    if depth_m <= 0.0:
        return surface
    state = _state(t_ms.astype(np.int64).tobytes(), river)
    share = bottom_share(
        state.bands.semidiurnal_m * EXCURSION_KM_PER_M,
        state.bands.diurnal_m * EXCURSION_KM_PER_M,
        state.discharge_m3_s * np.exp(max(place.nearest_km, 0.0) / CONVERGENCE_KM),
    )
    salt = surface - RIVER_G_L
    # None in fresh water, and none where the sea is already at the surface.
    more = share * salt * (1.0 - salt / (SEA_G_L - RIVER_G_L))
    return np.asarray(surface + down_to(depth_m) * more, dtype=np.float64)


def level_m(t_ms: IntArray, km: float, river: River) -> FloatArray:
    """Water level over the local mean of the sea, m: tide of the place, season and wind."""
    return height_m(t_ms, river_constituents(km)) + wind_m(t_ms, river)


def salinity_lag_h(km: float) -> float:
    """Hours from high water at the coast to the salinity maximum at a place, mean tide."""
    return _tide_lag_h(km) + float(np.interp(km, _LAG_KM, _SLACK_LAG_H))


def _tide_lag_h(km: float) -> float:
    lag = float(np.interp(km, _LAG_KM, _TIDE_LAG_H))
    return lag + _LAG_H_PER_KM * max(km - _LAG_KM[-1], 0.0)


@dataclass(frozen=True, slots=True)
class _State:
    """What is the same at every place: float64[N] each."""

    bands: Bands
    discharge_m3_s: FloatArray
    beta: FloatArray
    pushed_km: FloatArray


@lru_cache(maxsize=8)
def _state(times: bytes, river: River) -> _State:
    # Mouths, depths and devices that share their times ask for it again and again.
    t_ms = np.frombuffer(times, dtype=np.int64)
    discharge = discharge_m3_s(t_ms - MEMORY_MS, river)
    return _State(
        coastal_bands(t_ms),
        discharge,
        BETA_DRY * (discharge / DRY_M3_S) ** BETA_EXPONENT,
        SURGE_KM_PER_M * wind_m(t_ms, river),
    )


def _excursion_m(coast: Bands, km: float) -> FloatArray:
    """Height of the tide at the coast when the water now at `km` was driven by it, m."""
    lag_h = salinity_lag_h(km)
    sooner_h_per_m = 1.5 / DEPTH_M * _tide_lag_h(km)
    return coast.height_m(sooner_h_per_m * coast.height_m(-lag_h) - lag_h)


def _from_behind(t_ms: IntArray, km_from_mouth: dict[str, float], river: River) -> FloatArray:
    """Salt on the Tiền that came up the Hàm Luông, g/L over the river's own: float64[N]."""
    found = np.zeros(len(t_ms))
    if BEHIND in km_from_mouth:  # it hangs in that water itself
        return found
    for mouth, parting_km in PARTING_KM.items():
        above_km = km_from_mouth.get(mouth, -np.inf) - parting_km
        share = BEHIND_SHARE * float(np.exp(min(above_km, 0.0) / BEHIND_DOWN_KM))
        if share > 1e-3:
            way_km = BEHIND_KM + max(above_km, 0.0)
            salt = share * (salinity(t_ms, way_km, BEHIND, river) - RIVER_G_L)
            found = np.maximum(found, salt)
    return found
