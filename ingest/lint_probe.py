"""What a probe's samples say that is taken and probably not meant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ingest.lint_finding import Finding, hint, number, warning
from ingest.lint_mend import EC_MS_CM_MAX, LEAVE_OUT, is_sentinel, mend
from ingest.payload import SalinitySample
from ingest.reading import FloatArray
from ingest.salinity import INPUTS, derive, ec25_from_ec, salinity_g_l

APART_MAX: Final = 0.05
"""The probe's salinity against that of its conductivity: more apart is told."""

EXPLAINED_MAX: Final = 0.015
"""So near the probe's figure must one come that is to explain it."""

APART_G_L_MIN: Final = 0.03
"""Below this the rounding of two decimals is all there is."""

SALINITY_G_L_MAX: Final = 45.0
TEMPERATURE_C: Final = (10.0, 45.0)
DEPTH_M_MAX: Final = 40.0
LEVEL_M_MAX: Final = 10.0
BATTERY_V_MAX: Final = 30.0
"""Beyond these nothing in the delta is (expert judgement, unverified)."""

TDS_FACTORS: Final = (0.5, 0.55, 0.64, 0.67, 0.7)
"""By which instruments make grams of dissolved solids of EC25, whatever is dissolved."""

Sent = Sequence[tuple[str, SalinitySample, Mapping[str, Any]]]
"""Where each sample stands, the sample, and its fields as they were sent."""


def probe_findings(sent: Sent, quantities: Mapping[str, FloatArray]) -> Iterator[Finding]:
    """Doubts about each sample by itself; `quantities` is what `salinity.derive` makes of them."""
    for index, (where, sample, fields) in enumerate(sent):
        yield from _numbers(where, sample, fields)
        yield from _conductivities(where, sample)
        derived = float(quantities["salinity_g_l"][index])
        own = float(quantities["salinity_probe_g_l"][index])
        if np.isfinite(own) and abs(own - derived) > APART_G_L_MIN:
            yield from _disagreement(where, sample, derived)


def derived(samples: Sequence[SalinitySample]) -> dict[str, FloatArray]:
    """The quantities of samples, as the service derives them."""
    columns = {
        name: np.array([getattr(each, name) for each in samples], dtype=np.float64)
        for name in INPUTS
    }
    return derive(columns)


def _numbers(where: str, sample: SalinitySample, fields: Mapping[str, Any]) -> Iterator[Finding]:
    measured = {name: v for name in INPUTS if (v := getattr(sample, name)) is not None}
    if len(measured) > 1 and not any(measured.values()):
        text = f"every value is exactly 0, as of a probe that is not there: {LEAVE_OUT}"
        yield warning("all-zero", where, None, text)
        return
    for name, (low, high, what) in _ODD.items():
        value = measured.get(name)
        if value is None or low <= value <= high:
            continue
        text = f"{what}; {mend(name, value) or _no_unit(value)}"
        yield warning("sentinel" if is_sentinel(value) else "unit", f"{where}.{name}", value, text)
    for name in ("ec_ms_cm", "ec25_ms_cm", "battery_v"):
        if measured.get(name) == 0.0:
            text = f"exactly 0: reads as a probe in air; if it means no value, {LEAVE_OUT}"
            yield hint("zero", f"{where}.{name}", fields.get(name), text)


def _no_unit(value: float) -> str:
    return f"looks like a sentinel: {LEAVE_OUT}" if is_sentinel(value) else "in which unit is it?"


_ODD: Final = {
    "ec_ms_cm": (0.0, EC_MS_CM_MAX, "more than the sea has"),
    "ec25_ms_cm": (0.0, EC_MS_CM_MAX, "more than the sea has"),
    "sal_g_l": (0.0, SALINITY_G_L_MAX, "more than the sea has, 35 g/L"),
    "temp_c": (*TEMPERATURE_C, "water of the delta has 20 to 34 °C"),
    "depth_m": (0.0, DEPTH_M_MAX, "deeper than the river"),
    "level_m": (-LEVEL_M_MAX, LEVEL_M_MAX, "no water of the delta stands so"),
    "battery_v": (0.0, BATTERY_V_MAX, "more than a battery of a station gives; per cent?"),
}


def _conductivities(where: str, sample: SalinitySample) -> Iterator[Finding]:
    """What conductivity lacks, and two conductivities that can't be of one water."""
    ec, ec25, temp = sample.ec_ms_cm, sample.ec25_ms_cm, sample.temp_c
    if ec is not None and temp is None and ec25 is None and sample.sal_g_l is None:
        text = (
            "conductivity without temp_c stays conductivity: no salinity, and no alert on it."
            " Send temp_c with it; if the probe compensates to 25 °C, send ec25_ms_cm instead"
        )
        yield warning("no-temperature", f"{where}.ec_ms_cm", ec, text)
    if ec is None or ec25 is None or temp is None or ec <= 0.0:
        return
    at_25 = float(ec25_from_ec(np.array([ec]), np.array([temp]))[0])
    if abs(ec25 - at_25) <= max(APART_MAX * at_25, 0.01):
        return
    if ec == ec25:
        text = (
            f"the same as ec_ms_cm, at {number(temp)} °C: one of the two is not what its name"
            f" says (at 25 °C it would be near {number(round(at_25, 2))})"
        )
    else:
        text = (
            f"ec_ms_cm = {number(ec)} at {number(temp)} °C is near {number(round(at_25, 2))} mS/cm"
            " at 25 °C: which of the two does the probe compensate?"
        )
    yield warning("ec25", f"{where}.ec25_ms_cm", ec25, text)


def _disagreement(where: str, sample: SalinitySample, derived: float) -> Iterator[Finding]:
    """The probe's salinity against ours: compensation and units explain most of it."""
    own = sample.sal_g_l
    assert own is not None
    explained = _explained(sample, own)
    apart = abs(own - derived) / max(own, derived)
    if explained is not None and apart > 2 * EXPLAINED_MAX:
        code, name, value, text = explained
        yield warning(code, f"{where}.{name}", value, text)
    elif apart > APART_MAX:
        text = (
            f"the probe's own figure; its conductivity gives {number(round(derived, 2))} g/L"
            f" (PSS-78), {apart:.0%} apart. The service goes by the latter and shows both"
        )
        yield warning("salinity", f"{where}.sal_g_l", own, text)


def _explained(sample: SalinitySample, own: float) -> tuple[str, str, float, str] | None:
    """Code, field, value and text of what makes the probe's salinity come out."""
    ec, ec25, temp = sample.ec_ms_cm, sample.ec25_ms_cm, sample.temp_c
    if ec is not None and temp is not None:
        if _near(_salinity(ec, 25.0), own):
            text = (
                f"with sal_g_l = {number(own)} it looks compensated to 25 °C already: which does"
                " the probe send? If compensated, send it as ec25_ms_cm"
            )
            return "ec25-as-ec", "ec_ms_cm", ec, text
        for factor, unit in ((10.0, "S/m"), (1e-3, "µS/cm")):
            if _near(_salinity(ec * factor, temp), own):
                text = f"with sal_g_l = {number(own)} it looks like {unit}: send"
                return "unit", "ec_ms_cm", ec, f"{text} {number(round(ec * factor, 4))}"
    elif ec25 is not None and temp is not None and _near(_salinity(ec25, temp), own):
        text = (
            f"with sal_g_l = {number(own)} at {number(temp)} °C it looks not compensated: which"
            " does the probe send? If not compensated, send it as ec_ms_cm"
        )
        return "ec-as-ec25", "ec25_ms_cm", ec25, text
    at_25 = ec25
    if at_25 is None and ec is not None and temp is not None:
        at_25 = float(ec25_from_ec(np.array([ec]), np.array([temp]))[0])
    for factor in TDS_FACTORS:
        if at_25 is not None and abs(factor * at_25 - own) <= 0.005 * own:
            text = (
                f"looks like {factor} times the conductivity at 25 °C, which is dissolved solids by"
                " rule of thumb and not salinity: leave it out, the service derives salinity"
            )
            return "tds", "sal_g_l", own, text
    return None


def _salinity(ec_ms_cm: float, temp_c: float) -> float:
    return float(salinity_g_l(np.array([ec_ms_cm]), np.array([temp_c]))[0])


def _near(value: float, own: float) -> bool:
    return abs(value - own) <= max(EXPLAINED_MAX * own, 0.006)
