"""Hand checks beside what the probe said, and how far the probe can be trusted. Pure.

The difference is always probe minus hand. All limits here are expert judgement, unverified.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from alerts.reports.figures import figure
from alerts.reports.sources import DAY_MS, Sources
from ingest.reading import QUANTITIES, Flag, Why

AGREES: Final = (0.1, 0.1)
APART: Final = (0.3, 0.25)
"""Up to so many g/L, or such a share of what was measured by hand, whichever is more."""

TRUSTED_DAYS: Final = 14
AGEING_DAYS: Final = 30
"""Trust decays: a probe in this river is fouled within weeks."""


def beside_probe(sources: Sources, check: Mapping[str, Any]) -> dict[str, Any]:
    """A check of the log with its values as a list, each with the probe's at that time."""
    station, t_ms = check["station"], check["t"]
    values = [
        _value(sources, station, check["depth"], quantity, hand, t_ms)
        for quantity, hand in check["values"].items()
    ]
    return {**check, "values": values}


def _value(
    sources: Sources, station: str, depth: str, quantity: str, hand: float, t_ms: int
) -> dict[str, Any]:
    series = sources.at_depth(station, depth, quantity)
    told: dict[str, Any] = {
        "quantity": quantity,
        "unit": QUANTITIES[quantity].unit,
        "hand": hand,
        "key": None if series is None else series.key,
        "probe": None,
        "probe_t": None,
        "flag": None,
        "simulated": False,
        "difference": None,
        "why": None,
    }
    if series is None:
        elsewhere = sources.at_depth(station, "surface", quantity)
        told["why"] = "not-measured" if elsewhere is None else "no-probe-at-this-depth"
        return told
    interval_ms = round(series.expected_s * 1000)
    rows = sources.read(series, t_ms - interval_ms, t_ms + interval_ms + 1)
    rows = rows.take(rows.flag != Flag.MISSING)
    if not len(rows):
        told["why"] = "no-reading"
        return told
    nearest = int(np.abs(rows.t_ms - t_ms).argmin())
    probe = float(rows.value[nearest])
    return told | {
        "probe": probe,
        "probe_t": int(rows.t_ms[nearest]),
        "flag": int(rows.flag[nearest]),
        "simulated": bool(rows.why[nearest] & Why.SIMULATED),
        "difference": figure(probe - hand),
    }


def verdict(hand: float, difference: float) -> str:
    """What a difference of salinity means: "agrees", "apart" or "far-apart"."""
    apart = abs(difference)
    for word, (least, share) in (("agrees", AGREES), ("apart", APART)):
        if apart <= max(least, share * hand) + 1e-9:
            return word
    return "far-apart"


def care(
    sources: Sources, station: str, checks: Sequence[Mapping[str, Any]], now_ms: int
) -> dict[str, Any]:
    """What the checks of a station come to; `checks` as the log gives them, newest first."""
    counted = [each for each in checks if each["replaced_by"] is None]
    done = {
        "checked": _last(counted, now_ms, lambda each: bool(each["values"])),
        "cleaned": _last(counted, now_ms, lambda each: bool(each["cleaned"])),
        "calibrated": _last(counted, now_ms, lambda each: bool(each["calibrated"])),
    }
    difference = _difference(sources, counted, now_ms)
    state = _state(difference)
    vi, en = _words(done, difference, state)
    return {
        "station": station,
        "now": now_ms,
        **done,
        "difference": difference,
        "state": state,
        "text_vi": vi,
        "text_en": en,
    }


def _last(checks: Sequence[Mapping[str, Any]], now_ms: int, asked: Any) -> dict[str, Any] | None:
    found = next((each for each in checks if asked(each)), None)
    if found is None:
        return None
    return _when(found, now_ms)


def _when(check: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    days = max(0, now_ms - check["t"]) / DAY_MS
    return {"id": check["id"], "t": check["t"], "days": round(days, 1)}


def _difference(
    sources: Sources, checks: Sequence[Mapping[str, Any]], now_ms: int
) -> dict[str, Any] | None:
    for check in checks:
        hand = check["values"].get("salinity_g_l")
        if hand is None:
            continue
        value = _value(sources, check["station"], check["depth"], "salinity_g_l", hand, check["t"])
        if value["difference"] is not None:
            said = {"verdict": verdict(hand, value["difference"])}
            return value | _when(check, now_ms) | said
    return None


def _state(difference: Mapping[str, Any] | None) -> str:
    """The worst that is known: a probe that was wrong is not trusted however lately it was.

    Only a comparison earns trust: a visit that took the temperature, or found the probe silent,
    says nothing of its salt.
    """
    if difference is None:
        return "never"
    if difference["verdict"] != "agrees":
        return str(difference["verdict"])
    if difference["days"] > AGEING_DAYS:
        return "old"
    return "ageing" if difference["days"] > TRUSTED_DAYS else "trusted"


_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "never": (
        "Chưa có đo đối chứng: chưa biết máy đo đúng đến đâu.",
        "Never checked by hand: nobody knows how right the probe is.",
    ),
    "trusted": ("Số máy tin được.", "The probe can be trusted."),
    "ageing": (
        "Đã hơn 14 ngày: nên đo đối chứng lại.",
        "More than 14 days ago: it should be checked again.",
    ),
    "old": (
        "Đã hơn 30 ngày: cần đo đối chứng lại, số máy chỉ để tham khảo.",
        "More than 30 days ago: it must be checked again; its figures are for reference.",
    ),
    "apart": (
        "Lệch vừa: vệ sinh đầu dò rồi đo lại.",
        "Moderately apart: clean the probe and check again.",
    ),
    "far-apart": (
        "Lệch nhiều: không dựa vào số máy cho đến khi vệ sinh, hiệu chuẩn và đo lại.",
        "Far apart: do not rely on the probe until it is cleaned, calibrated and checked again.",
    ),
}

_NOT_COMPARED: Final = (
    "Chưa biết máy đo đúng đến đâu.",
    "Nobody knows how right the probe is.",
)


def _words(
    done: Mapping[str, Mapping[str, Any] | None],
    difference: Mapping[str, Any] | None,
    state: str,
) -> tuple[str, str]:
    vi, en = [], []
    checked, cleaned = done["checked"], done["cleaned"]
    if checked is not None:
        vi.append(f"Đo đối chứng cách đây {_comma(checked['days'])} ngày.")
        en.append(f"Checked by hand {checked['days']:g} days ago.")
    if difference is not None:
        by = difference["difference"]
        if checked is not None and checked["id"] != difference["id"]:
            vi.append(f"Lần so với số máy gần nhất cách đây {_comma(difference['days'])} ngày.")
            en.append(f"Last compared with the probe {difference['days']:g} days ago.")
        if round(abs(by), 2) == 0:
            vi.append("Máy đo bằng số đo tay.")
            en.append("The probe read the same.")
        else:
            vi.append(
                f"Máy {'cao' if by > 0 else 'thấp'} hơn đo tay {_comma(f'{abs(by):.2f}')} g/l."
            )
            en.append(f"The probe read {abs(by):.2f} g/L {'higher' if by > 0 else 'lower'}.")
    elif checked is not None:
        vi.append("Chưa lần nào so được độ mặn đo tay với số máy.")
        en.append("No salinity by hand could be compared with the probe yet.")
    if cleaned is not None:
        vi.append(f"Vệ sinh cách đây {_comma(cleaned['days'])} ngày.")
        en.append(f"Cleaned {cleaned['days']:g} days ago.")
        if difference is not None and cleaned["t"] >= difference["t"]:
            vi.append("Số so sánh là của trước khi vệ sinh.")
            en.append("The comparison is of before it was cleaned.")
    said = _STATES[state] if checked is None or difference is not None else _NOT_COMPARED
    return " ".join([*vi, said[0]]), " ".join([*en, said[1]])


def _comma(number: object) -> str:
    text = f"{number:g}" if isinstance(number, float) else str(number)
    return text.replace(".", ",")
