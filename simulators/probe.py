"""What a probe in the water reads: conductivity, temperature, level, depth, battery."""

from collections.abc import Sequence

import gsw
import numpy as np

from ingest.reading import FloatArray, IntArray, rounded

VIETNAM_MS = 25_200_000
"""UTC+7, without summer time."""

_HOUR_MS = 3_600_000
_PROBE_BELOW_MEAN_M = 3.2  # hangs deep enough to stay wet at the lowest spring tide


def water_temperature_c(t_ms: IntArray, noise: FloatArray) -> FloatArray:
    """Temperature of the river, degrees C: warmest at 15:00 and in April (unverified)."""
    hour = ((t_ms + VIETNAM_MS) % (24 * _HOUR_MS)) / _HOUR_MS
    year = (t_ms % 31_556_952_000) / 31_556_952_000
    daily = 0.7 * np.cos(2 * np.pi * (hour - 15.0) / 24.0)
    yearly = 1.5 * np.cos(2 * np.pi * (year - 0.31))
    return rounded(28.6 + yearly + daily + 0.03 * noise)


def conductivity_ms_cm(salinity_g_l: FloatArray, temp_c: FloatArray) -> FloatArray:
    """Conductivity at the water's temperature that reads as this salinity, mS/cm.

    The inverse of PSS-78 with the water's density (gsw at zero pressure): g/L is reference
    salinity in g/kg times density in kg/L. Each turn of the fixed point leaves at most 3 % of
    the error, so that five reach 1e-7 g/L.
    """
    reference = np.asarray(salinity_g_l, dtype=np.float64)
    for _ in range(5):
        reference = salinity_g_l * 1000.0 / gsw.rho_t_exact(reference, temp_c, 0.0)
    practical = gsw.SP_from_SR(reference)
    return np.asarray(gsw.C_from_SP(practical, temp_c, 0.0), dtype=np.float64)


def battery_v(t_ms: IntArray, noise: FloatArray) -> FloatArray:
    """Voltage of a cell charged by the sun: fullest at 16:00."""
    hour = ((t_ms + VIETNAM_MS) % (24 * _HOUR_MS)) / _HOUR_MS
    return rounded(3.78 + 0.12 * np.cos(2 * np.pi * (hour - 16.0) / 24.0) + 0.004 * noise)


def readings(
    t_ms: IntArray,
    salinity_g_l: FloatArray,
    level_m: FloatArray,
    noise: FloatArray,
    compensated: bool = False,  # noqa: FBT001, FBT002 - which field it sends
    level_depth_m: float | None = None,
) -> dict[str, FloatArray]:
    """Columns of a probe's samples by the field's name on the wire, rounded to 1e-4.

    salinity_g_l : float64[N], the truth where the probe hangs (`estuary.at_depth_g_l`)
    level_m : float64[N], the water level over the local mean of the sea
    noise : float64[N, 4], standard normal
    compensated : send `ec25_ms_cm` in place of `ec_ms_cm`
    level_depth_m : depth of a probe that is one of several of a device
    """
    depth = rounded(level_m + _PROBE_BELOW_MEAN_M)
    if level_depth_m is not None:
        depth = np.full(len(t_ms), level_depth_m)
    # An instrument is off by a share of what it reads, and by a little in any case.
    seen = np.maximum(salinity_g_l * (1.0 + 0.004 * noise[:, 0]) + 0.002 * noise[:, 1], 0.05)
    temp = water_temperature_c(t_ms, noise[:, 2])
    field = "ec25_ms_cm" if compensated else "ec_ms_cm"
    at_c = np.full(len(t_ms), 25.0) if compensated else temp
    return {
        field: rounded(conductivity_ms_cm(seen, at_c)),
        "temp_c": temp,
        "depth_m": depth,
        "level_m": rounded(level_m),
        "battery_v": battery_v(t_ms, noise[:, 3]),
    }


def samples(
    t_ms: IntArray, columns: dict[str, FloatArray], sent: Sequence[str]
) -> list[dict[str, object]]:
    """One dictionary for each time, as it stands in a payload; only the fields `sent`."""
    lists = [(name, columns[name].tolist()) for name in columns if name in sent]
    return [
        {"t": t, **{name: values[row] for name, values in lists}}
        for row, t in enumerate(t_ms.tolist())
    ]
