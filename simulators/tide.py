"""The tide: heights from harmonic constituents, at the coast and in the river.

h(t) = sum f A cos(V(t) + u - g): V is the equilibrium argument, f and u the nodal factor
and angle of the moon's orbit (18.6 years), g the Greenwich phase lag.

Sources: mean longitudes from the Explanatory Supplement to the Astronomical Ephemeris
(1961); arguments V from Schureman, Manual of Harmonic Analysis and Prediction of Tides
(1958), table 2; f and u by the series in cos N and sin N of Doodson as in Pugh, Tides,
Surges and Mean Sea-Level (1987), table 4:3. Constituents at Vũng Tàu (UHSLC 383) from
TICON-4, CC BY 4.0. In-river constituents were fitted on hourly levels of 1-8/2024.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray

VUNG_TAU_MSL_M = 2.721
"""Mean sea level over the chart datum (LAT) at Vũng Tàu, m."""

_EPOCH_1900_DAYS = -25_567.5  # 1899-12-31 12:00 UT, days from 1970
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Constituent:
    """One harmonic: how its argument turns, its amplitude and its Greenwich phase lag.

    turns : multiples of the hour angle (15 degrees an hour from 00:00 UT) and of the mean
        longitudes s (moon), h (sun), p (the moon's perigee); `offset_deg` is the constant
    nodal : which nodal series applies; `nodal_power` its power (M4 is M2 squared)
    """

    name: str
    turns: tuple[int, int, int, int]
    offset_deg: float
    nodal: str
    nodal_power: int
    amplitude_m: float
    phase_deg: float


def _constituents() -> tuple[Constituent, ...]:
    rows = (
        ("M2", (2, -2, 2, 0), 0.0, "m2", 1, 0.77332, 193.769),
        ("K1", (1, 0, 1, 0), 90.0, "k1", 1, 0.5948, 206.64),
        ("O1", (1, -2, 1, 0), -90.0, "o1", 1, 0.4468, 164.94),
        ("S2", (2, 0, 0, 0), 0.0, "none", 1, 0.3021, 228.57),
        ("SA", (0, 0, 1, 0), 0.0, "none", 1, 0.2124, 278.08),
        ("P1", (1, 0, -1, 0), -90.0, "none", 1, 0.1891, 203.09),
        ("N2", (2, -3, 2, 1), 0.0, "m2", 1, 0.1627, 174.07),
        ("K2", (2, 0, 2, 0), 0.0, "k2", 1, 0.0942, 239.86),
        ("Q1", (1, -3, 1, 1), -90.0, "o1", 1, 0.0847, 147.80),
        ("SSA", (0, 0, 2, 0), 0.0, "none", 1, 0.0571, 95.38),
        ("M4", (4, -4, 4, 0), 0.0, "m2", 2, 0.0102, 216.23),
    )
    return tuple(Constituent(*row) for row in rows)


VUNG_TAU = _constituents()
"""The constituents at Vũng Tàu, 10.340 N 107.072 E, fitted on 2007-2025."""

SEASONAL = frozenset({"SA", "SSA"})
"""Constituents of the season: they raise the level but move no water to and fro."""

_GATE_KM = (0.0, 23.0, 42.0)
# Ratio of amplitude to Vũng Tàu's and lag of phase behind it in degrees, at the coast (Rạch
# Bùn), Vàm Giồng (23 km) and Xuân Hòa (42 km). P1 follows K1, Q1 O1, K2 S2.
_RIVER: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "M2": ((1.016, 0.949, 0.980), (-3.4, 39.4, 51.4)),
    "K1": ((0.930, 0.933, 0.879), (-4.3, 20.4, 25.9)),
    "O1": ((0.920, 0.902, 0.855), (-3.4, 16.3, 22.1)),
    "S2": ((0.927, 0.900, 0.851), (-5.9, 43.3, 53.6)),
    "N2": ((0.879, 0.793, 0.811), (-0.8, 40.1, 50.3)),
}
_RIVER_FAMILY = {"P1": "K1", "Q1": "O1", "K2": "S2"}
_SEMIDIURNAL_RAD_H = math.radians(28.98)  # M2
_DIURNAL_RAD_H = math.radians(14.49)  # midway between K1 and O1
_DAMPING_KM = 150.0  # e-folding of the amplitude above Xuân Hòa: unverified


def height_m(
    t_ms: IntArray, constituents: tuple[Constituent, ...] = VUNG_TAU, mean_m: float = 0.0
) -> FloatArray:
    """Height of the tide over the datum of `mean_m`, m.

    t_ms : int64[N], UTC. Returns float64[N]. For Vũng Tàu's chart datum give
    `mean_m=VUNG_TAU_MSL_M`; without, heights are over mean sea level. Constituents are those
    of `VUNG_TAU` by name, with amplitudes and phases of their own.
    """
    turned = _turned(t_ms.astype(np.int64).tobytes())
    total = np.full(len(t_ms), mean_m)
    for tide in constituents:
        cosine, sine = turned[tide.name]
        phase = math.radians(tide.phase_deg)
        total += (tide.amplitude_m * math.cos(phase)) * cosine
        total += (tide.amplitude_m * math.sin(phase)) * sine
    return total


@dataclass(frozen=True, slots=True)
class Bands:
    """The tide at the coast as two turning arrows, float64[N] each; heights are their cosines.

    The amplitude of a band goes from springs to neaps, its angle turns about twice or once
    in a day. So the tide some hours before or after is the same arrows turned by a little,
    and the distance of high from low water is what the two amplitudes make together.
    """

    semidiurnal_m: FloatArray
    semidiurnal_rad: FloatArray
    diurnal_m: FloatArray
    diurnal_rad: FloatArray

    def height_m(self, later_h: FloatArray | float) -> FloatArray:
        """Height of the tide `later_h` hours after each time, without season and M4, m.

        A band turns at its mean speed: after four hours that is off by 3 cm (root mean
        square, at most 8).
        """
        twice = self.semidiurnal_rad + _SEMIDIURNAL_RAD_H * later_h
        once = self.diurnal_rad + _DIURNAL_RAD_H * later_h
        return np.asarray(self.semidiurnal_m * np.cos(twice) + self.diurnal_m * np.cos(once))


def coastal_bands(t_ms: IntArray) -> Bands:
    """The two bands of the tide at the mouths, at times t_ms, int64[N], UTC."""
    return _coastal_bands(t_ms.astype(np.int64).tobytes())


@lru_cache(maxsize=8)
def _coastal_bands(times: bytes) -> Bands:
    # The devices of a registry share their times, or come one after another with their own.
    turned = _turned(times)
    found: list[FloatArray] = []
    for names in (("M2", "S2", "N2", "K2"), ("K1", "O1", "P1", "Q1")):
        cosine, sine = np.zeros(len(times) // 8), np.zeros(len(times) // 8)
        for tide in river_constituents(0.0):
            if tide.name in names:
                phase = math.radians(tide.phase_deg)
                along, across = turned[tide.name]
                cosine += tide.amplitude_m * (math.cos(phase) * along + math.sin(phase) * across)
                sine += tide.amplitude_m * (math.cos(phase) * across - math.sin(phase) * along)
        found += [np.hypot(cosine, sine), np.arctan2(sine, cosine)]
    for column in found:
        column.flags.writeable = False
    return Bands(*found)


@lru_cache(maxsize=8)
def _turned(times: bytes) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Cosine and sine of V + u times f, of every constituent at int64 times, by its name."""
    t_ms = np.frombuffer(times, dtype=np.int64)
    hour_angle_deg = (t_ms % _DAY_MS) * (360.0 / _DAY_MS)
    moon, sun, perigee, node = _mean_longitudes_deg(t_ms / _DAY_MS)
    nodal = _nodal(np.radians(node))
    turned: dict[str, tuple[FloatArray, FloatArray]] = {}
    for tide in VUNG_TAU:
        turn, n_moon, n_sun, n_perigee = tide.turns
        argument = turn * hour_angle_deg + n_moon * moon + n_sun * sun + n_perigee * perigee
        factor, angle_deg = nodal[tide.nodal]
        angle = np.radians(argument + tide.offset_deg + tide.nodal_power * angle_deg)
        strength = factor**tide.nodal_power
        turned[tide.name] = (strength * np.cos(angle), strength * np.sin(angle))
    return turned


def river_constituents(km_from_mouth: float) -> tuple[Constituent, ...]:
    """The constituents at a place on the Tiền: Vũng Tàu's, lagged and damped with distance.

    Between the three gates by interpolation; above Xuân Hòa the lag grows as between the
    last two gates, and the amplitude falls by 1/e in 150 km (unverified).
    """
    return tuple(_at_km(tide, max(km_from_mouth, 0.0)) for tide in VUNG_TAU)


def _at_km(tide: Constituent, km: float) -> Constituent:
    family = _RIVER_FAMILY.get(tide.name, tide.name)
    if family == "M4":  # a shallow-water tide lags twice as far as the M2 that makes it
        ratio, lag_deg = 1.0, 2.0 * _admittance("M2", km)[1]
    elif family in _RIVER:
        ratio, lag_deg = _admittance(family, km)
    else:
        ratio, lag_deg = 1.0, 0.0
    return Constituent(
        tide.name,
        tide.turns,
        tide.offset_deg,
        tide.nodal,
        tide.nodal_power,
        tide.amplitude_m * ratio,
        tide.phase_deg + lag_deg,
    )


def _admittance(name: str, km: float) -> tuple[float, float]:
    ratios, lags_deg = _RIVER[name]
    beyond_km = max(km - _GATE_KM[-1], 0.0)
    slope = (lags_deg[2] - lags_deg[1]) / (_GATE_KM[2] - _GATE_KM[1])
    ratio = float(np.interp(km, _GATE_KM, ratios)) * float(np.exp(-beyond_km / _DAMPING_KM))
    return ratio, float(np.interp(km, _GATE_KM, lags_deg)) + slope * beyond_km


def _mean_longitudes_deg(
    days_1970: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Moon, sun, lunar perigee and lunar ascending node, degrees (ephemeris of 1900)."""
    day = days_1970 - _EPOCH_1900_DAYS
    tens = day / 10_000.0
    moon = 270.434164 + 13.1763965268 * day - 0.0000850 * tens**2 + 0.000000039 * tens**3
    sun = 279.696678 + 0.9856473354 * day + 0.00002267 * tens**2
    perigee = 334.329556 + 0.1114040803 * day - 0.0007739 * tens**2 - 0.00000026 * tens**3
    node = 259.183275 - 0.0529539222 * day + 0.0001557 * tens**2 + 0.000000050 * tens**3
    return moon % 360.0, sun % 360.0, perigee % 360.0, node % 360.0


def _nodal(node: FloatArray) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Factor f and angle u in degrees, by the longitude of the moon's node in radians."""
    cos1, sin1 = np.cos(node), np.sin(node)
    cos2, sin2 = cos1 * cos1 - sin1 * sin1, 2.0 * sin1 * cos1
    sin3 = sin1 * (3.0 - 4.0 * sin1 * sin1)
    one, zero = np.ones_like(node), np.zeros_like(node)
    return {
        "none": (one, zero),
        "m2": (1.000 - 0.037 * cos1, -2.1 * sin1),
        "k1": (1.006 + 0.115 * cos1 - 0.009 * cos2, -8.9 * sin1 + 0.7 * sin2),
        "o1": (
            1.009 + 0.187 * cos1 - 0.015 * cos2,
            10.8 * sin1 - 1.3 * sin2 + 0.2 * sin3,
        ),
        "k2": (1.024 + 0.286 * cos1 + 0.008 * cos2, -17.7 * sin1 + 0.7 * sin2),
    }
