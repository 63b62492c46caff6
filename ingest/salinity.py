"""Salinity from conductivity, and what else follows from what a probe sends.

Practical salinity is PSS-78 with the extension of Hill et al. (1986) below 2, by gsw
(TEOS-10) at zero pressure. It is brought to grams in a litre by Reference Salinity
(Millero et al. 2008, g/kg) times the density of the water. One fixed factor from
conductivity would read 30 % high at 0.5 g/L, where durian dies.

All arrays are float64[N], and NaN is absent.
"""

from collections.abc import Mapping

import gsw
import numpy as np

from ingest.reading import BoolArray, FloatArray, rounded

INPUTS = (
    "ec_ms_cm",
    "ec25_ms_cm",
    "sal_g_l",
    "temp_c",
    "depth_m",
    "level_m",
    "battery_v",
)
"""The columns that `derive` and `dry` read, named as in `SalinitySample`."""

EC25_SLOPE_PER_C = 0.0191
"""Linear compensation to 25 °C, a degree (Standard Methods 2510 B; probes' usual default)."""

DRY_EC25_MS_CM = 0.08
"""Less than this at 25 °C is a probe in air or fouled: the fresh river has 0.15 to 0.25.
An expert's judgement, not verified on the river."""

DRY_SALINITY_G_L = 0.0367
"""The salinity of water of `DRY_EC25_MS_CM`, for probes that send salinity alone."""

COVER_M_MIN = 0.2
"""Water over a probe below which it may have surfaced (an expert's judgement)."""


def practical_salinity(ec_ms_cm: FloatArray, temp_c: FloatArray) -> FloatArray:
    """Practical salinity (PSS-78, unitless) from conductivity at the water's temperature.

    Parameters
    ----------
    ec_ms_cm : float64[N], conductivity, mS/cm (not S/m, not compensated)
    temp_c : float64[N], temperature, °C (ITS-90)

    Returns
    -------
    float64[N]: NaN where an input is NaN or the conductivity is negative. Valid for 0 to 42
    and -2 to 35 °C; beyond that the formula is extrapolated, for quality control to judge.
    """
    salinity = np.asarray(gsw.SP_from_C(ec_ms_cm, temp_c, 0.0), dtype=np.float64)
    # Just above zero conductivity the low-salinity extension falls below zero, which gsw
    # turns into NaN. A probe in air must show as zero, not as absent.
    almost_none = np.isnan(salinity) & (ec_ms_cm >= 0.0) & (ec_ms_cm < DRY_EC25_MS_CM)
    return np.where(almost_none & ~np.isnan(temp_c), 0.0, salinity)


def salinity_g_l(ec_ms_cm: FloatArray, temp_c: FloatArray) -> FloatArray:
    """Salinity in g/L from conductivity (mS/cm) at the water's temperature (°C).

    float64[N], NaN as in `practical_salinity`. 1 is 1.0017 g/L at 28 °C, 30 is 30.70.
    """
    reference_g_kg = gsw.SR_from_SP(practical_salinity(ec_ms_cm, temp_c))
    density_kg_m3 = gsw.rho_t_exact(reference_g_kg, temp_c, 0.0)
    return np.asarray(reference_g_kg * density_kg_m3 / 1000.0, dtype=np.float64)


def ec25_from_ec(ec_ms_cm: FloatArray, temp_c: FloatArray) -> FloatArray:
    """Conductivity at 25 °C (mS/cm), by the linear 1.91 % a degree of fresh water.

    For telling a dry probe, where what little conducts is river water; never a step on the
    way to salinity. float64[N], NaN where an input is.
    """
    return ec_ms_cm / (1.0 + EC25_SLOPE_PER_C * (temp_c - 25.0))


def derive(columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Quantities of salinity samples from their columns.

    Parameters
    ----------
    columns : one float64[N] for any of `INPUTS`; one that is not there is absent in all rows

    Returns
    -------
    The eight quantities of a salinity device, each float64[N], rounded, NaN where absent.
    `salinity_g_l` comes from `ec_ms_cm` with `temp_c`, else from `ec25_ms_cm`, else it is
    the probe's own figure; `salinity_probe_g_l` is that figure where it stands beside a
    derived one. What is derived comes from rounded inputs: whoever has the stored readings
    can derive it again.
    """
    sent = _rounded(columns)
    at_25 = np.isnan(sent["ec_ms_cm"]) | np.isnan(sent["temp_c"])
    ec = np.where(at_25, sent["ec25_ms_cm"], sent["ec_ms_cm"])
    temp = np.where(at_25, 25.0, sent["temp_c"])
    derived = salinity_g_l(ec, temp)
    unknown = np.isnan(derived)
    return {
        "salinity_g_l": np.where(unknown, sent["sal_g_l"], rounded(derived)),
        "conductivity_ms_cm": sent["ec_ms_cm"],
        "conductivity_25_ms_cm": sent["ec25_ms_cm"],
        "temperature_c": sent["temp_c"],
        "water_level_m": sent["level_m"],
        "salinity_probe_g_l": np.where(unknown, np.nan, sent["sal_g_l"]),
        "depth_m": sent["depth_m"],
        "battery_v": sent["battery_v"],
    }


def dry(columns: Mapping[str, FloatArray]) -> BoolArray:
    """Rows that a probe in air, fouled or barely covered has sent: they read as fresh water.

    bool[N], for columns as in `derive`. Conductivity without temperature is taken as it is;
    salinity alone is held against that of the same conductivity. What is absent accuses
    nobody.
    """
    sent = _rounded(columns)
    ec, ec25, temp = sent["ec_ms_cm"], sent["ec25_ms_cm"], sent["temp_c"]
    at_25 = ec25_from_ec(ec, np.where(np.isnan(temp), 25.0, temp))
    silent = np.isnan(ec) & np.isnan(ec25)
    found: BoolArray = (
        (at_25 < DRY_EC25_MS_CM)
        | (ec25 < DRY_EC25_MS_CM)
        | (silent & (sent["sal_g_l"] < DRY_SALINITY_G_L))
        | (sent["depth_m"] < COVER_M_MIN)
    )
    return found


def _rounded(columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    size = len(next(iter(columns.values()))) if columns else 0
    absent = np.full(size, np.nan)
    table = rounded(np.array([columns.get(name, absent) for name in INPUTS]))
    return dict(zip(INPUTS, table, strict=True))
