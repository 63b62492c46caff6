"""How much saltier the bottom is than the surface: a closure by the estuarine Richardson number.

Fischer (Mass transport mechanisms in partially stratified estuaries, Journal of Fluid
Mechanics 53, 671, 1972) compares the buoyancy that a river brings with the stirring of the
tide:

    Ri_E = (drho / rho) g Q / (W u_t^3)

with Q/W the fresh water for a metre of width and u_t the root mean square of the tidal
velocity. An estuary goes from well mixed to strongly stratified between 0.08 and 0.8. So
springs mix it and neaps let it lie in layers, and the flood lays fresh water over salt.

The form of the transition, the widths, the depth and the strongest contrast are our choice,
unverified: there is no public series of the bottom on the Tiền.
"""

import numpy as np

from ingest.reading import FloatArray

STRATIFIED = 0.8
"""Estuarine Richardson number of a strongly stratified estuary; half the most is there."""

MOST = 0.6
"""Contrast of bottom and surface, as a share of the surface, that very large numbers tend to."""

BOTTOM_M = 10.0
MOUTHS_WIDE_M = 7000.0
"""Width of the open mouths of the Tiền together."""

_BUOYANCY_M_S2 = 0.022 * 9.81
_SEMIDIURNAL_RAD_S = 1.405e-4
_DIURNAL_RAD_S = 0.703e-4


def bottom_share(
    semidiurnal_km: FloatArray, diurnal_km: FloatArray, discharge_m3_s: FloatArray
) -> FloatArray:
    """Contrast of bottom and surface, as a share of the surface's salinity: float64[N], 0 to 0.6.

    semidiurnal_km, diurnal_km : amplitudes of the tidal excursion, float64[N]
    discharge_m3_s : float64[N], of the whole Tiền, as if through the width of its mouths: where
        the river is narrower it counts for more
    """
    semidiurnal_m_s = _SEMIDIURNAL_RAD_S * 1000.0 * semidiurnal_km
    diurnal_m_s = _DIURNAL_RAD_S * 1000.0 * diurnal_km
    mean_square = (semidiurnal_m_s**2 + diurnal_m_s**2) / 2.0
    stirring = np.maximum(mean_square**1.5, 1e-6)
    richardson = _BUOYANCY_M_S2 * discharge_m3_s / (MOUTHS_WIDE_M * stirring)
    return np.asarray(MOST * richardson / (richardson + STRATIFIED), dtype=np.float64)


def down_to(depth_m: float) -> float:
    """Share of the contrast met at a depth: 0 at the surface, 1 at the bottom, steepest between."""
    share = min(max(depth_m / BOTTOM_M, 0.0), 1.0)
    return share * share * (3.0 - 2.0 * share)
