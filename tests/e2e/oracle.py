"""What the store must hold of recorded files, read by nothing of the program but gsw and csv."""

import csv
import gzip
import math
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import gsw
import numpy as np

Expected = dict[str, dict[int, float]]
"""Series key -> t in ms -> value."""

USGS_STATIONS = {
    "301912088583300": "vk-01",
    "300722089150100": "hb-01",
    "301001089442600": "xh-01",
}
TELRAAM_CAMERAS = {"9000001844.0": "cam-01", "9000002453.0": "cam-02"}
TELRAAM_CLASSES = {"car": "car", "truck": "heavy", "bicycle": "bike"}
TELRAAM_SIDES = {"southbound": "lft", "northbound": "rgt"}
CARS = ("car", "bus", "truck", "trailer")
ZONES = {"CET": 1, "CEST": 2}
HOUR_MS = 3_600_000


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _ms(text: str, hours_east: int = 0) -> int:
    at = datetime.fromisoformat(text).replace(tzinfo=None)
    since = at - timedelta(hours=hours_east) - datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, both
    return since // timedelta(milliseconds=1)


def _number(text: str) -> float:
    return float(text) if text else math.nan


def usgs(path: Path) -> tuple[Expected, int]:
    """The three gauges of Mississippi Sound, and the number of rows with a value."""
    found: Expected = defaultdict(dict)
    count = 0
    for row in _rows(path):
        value = _number(row["salinity_ppt"])
        if not math.isnan(value):
            count += 1
            key = f"{USGS_STATIONS[row['site_no']]}/salinity_g_l"
            found[key].setdefault(_ms(row["time_utc"]), round(value, 4))
    return found, count


def cat_point(path: Path) -> tuple[Expected, int]:
    """Apalachicola Bay: conductivity at 25 °C into grams in a litre, the probe's own beside it."""
    found: Expected = defaultdict(dict)
    count = 0
    for row in _rows(path):
        sent = {
            "conductivity_25_ms_cm": _number(row["spcond"]),
            "temperature_c": _number(row["temp"]),
            "depth_m": _number(row["depth"]),
            "salinity_probe_g_l": _number(row["sal"]),
        }
        if all(math.isnan(value) for value in sent.values()):
            continue
        count += 1
        derived = _grams_in_a_litre(sent["conductivity_25_ms_cm"])
        if math.isnan(derived):
            derived = sent.pop("salinity_probe_g_l")
        for quantity, value in {**sent, "salinity_g_l": derived}.items():
            if not math.isnan(value):
                found[f"bd-01/{quantity}"][_ms(row["datetimestamp"])] = round(value, 4)
    return found, count


def _grams_in_a_litre(ec25_ms_cm: float) -> float:
    reference = gsw.SR_from_SP(gsw.SP_from_C(ec25_ms_cm, 25.0, 0.0))
    return float(reference * gsw.rho_t_exact(reference, 25.0, 0.0) / 1000.0)


def telraam(path: Path) -> tuple[Expected, int]:
    """Two cameras that count by the hour, and the number of lanes' intervals."""
    found: Expected = defaultdict(dict)
    count = 0
    for row in _rows(path):
        camera = TELRAAM_CAMERAS.get(row["segment_id"])
        if camera is None or not float(row["uptime"] or 0) > 0:
            continue
        local, _, zone = row["date"].rpartition(" ")
        t1_ms = _ms(local, ZONES[zone]) + HOUR_MS
        for direction, side in TELRAAM_SIDES.items():
            counts = {
                name: int(np.round(float(row[f"{column}_{side}"])))
                for name, column in TELRAAM_CLASSES.items()
                if row[f"{column}_{side}"]
            }
            if not counts:
                continue
            count += 1
            stream = f"{camera}/{direction}"
            if t1_ms in found[f"{stream}/flow_veh_h"]:
                continue
            for name, number in counts.items():
                found[f"{stream}/count_{name}"][t1_ms] = float(number)
            # Of a whole hour, so the flow is the count itself.
            found[f"{stream}/flow_veh_h"][t1_ms] = float(sum(counts.values()))
            cars = [number for name, number in counts.items() if name in CARS]
            if cars:
                found[f"{stream}/flow_car_veh_h"][t1_ms] = float(sum(cars))
    return found, count
