"""How well incidents are found on recorded traffic whose anomalies people have labelled.

    SONGTIEN_DATA=... python -m bench.incidents

The detector is that of `alerts/bridge/incident.py`, with the settings that the service runs
with. Its two public series are of one detector in Minnesota, about every five minutes, each
with one labelled window (Numenta Anomaly Benchmark, realTraffic). The thresholds were looked
at on the occupancy alone; the speed was scored once they stood. The windows are almost a day
wide and centred on what was labelled, so a delay from their beginning is no delay of detection;
it is told all the same, beside a simulated bottleneck whose beginning is known.

Alarms are counted when they begin. False: those that begin in no window, by the day and by the
decision: a sample at whose time of the day it was known what is usual. NAB's standard profile is computed as published (Lavin and
Ahmad 2015), on these two windows alone, while the published figures are of fourteen.
"""

import csv
import gzip
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from alerts.bridge.incident import Watch
from ingest.bridges import LOCAL_MS
from simulators.road.demand import DAY_FROM_MS
from simulators.road.network import RACH_MIEU_1
from simulators.road.sight import truth
from simulators.road.traffic import Camera, Incident, Traffic

MINUTE_MS = 60_000
DAY_MS = 86_400_000
PROBATION = 0.15
"""Share of a file in which NAB scores nothing."""

MPH_KM_H = 1.609344


@dataclass(frozen=True, slots=True)
class Recorded:
    """One series: local times as ms, speed in km/h or occupancy as a share, labelled windows."""

    name: str
    tuned: bool
    t_ms: list[int]
    speed_km_h: list[float | None]
    occupancy: list[float | None]
    cars: list[int | None]
    covers_ms: int
    windows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Score:
    """`found` of `windows` with the minutes from each window's beginning to the first alarm."""

    windows: int
    found: int
    false_alarms: int
    days: float
    decisions: int
    delays_min: list[float]
    nab: float | None


def local_ms(text: str) -> int:
    """A local time of a file as ms, such that the detector sees the same hour of the day."""
    since = datetime.fromisoformat(text).replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - the file's own clock
    return since // timedelta(milliseconds=1) - LOCAL_MS


def minnesota(folder: Path, quantity: str, *, tuned: bool) -> Recorded:
    """A series of the detector 6005: speed in miles an hour, or occupancy in per cent."""
    name = f"{quantity}_6005.csv"
    with (folder / name).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    labelled = json.loads((folder / "nab_windows.json").read_text("utf-8"))[name]
    values = [float(row["value"]) for row in rows]
    nothing: list[float | None] = [None] * len(rows)
    return Recorded(
        name,
        tuned,
        [local_ms(row["timestamp"]) for row in rows],
        [value * MPH_KM_H for value in values] if quantity == "speed" else nothing,
        [value / 100 for value in values] if quantity == "occupancy" else nothing,
        [None] * len(rows),
        5 * MINUTE_MS,
        [(local_ms(begin), local_ms(end)) for begin, end in labelled],
    )


def cameras(folder: Path) -> list[Recorded]:
    """Two window cameras, hourly: the speed that 85 of 100 cars keep to. Nothing is labelled."""
    found: dict[str, list[tuple[int, float, int]]] = {}
    with gzip.open(folder / "telraam_camera_2022h1.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if float(row["uptime"] or 0) > 0.5 and row["v85"]:
                at = row["date"].rpartition(" ")[0]
                cars = round(float(row["car"]) + float(row["heavy"]))
                seen = (local_ms(at), float(row["v85"]), cars)
                found.setdefault(row["segment_id"], []).append(seen)
    return [
        Recorded(
            f"telraam {segment.partition('.')[0]}, V85",
            False,
            [t_ms for t_ms, _, _ in sorted(rows)],
            [speed for _, speed, _ in sorted(rows)],
            [None] * len(rows),
            [cars for _, _, cars in sorted(rows)],
            60 * MINUTE_MS,
            [],
        )
        for segment, rows in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True)
class Alarms:
    """When incidents begin, ms, and the times that were judged: those whose usual is known."""

    begun: list[int]
    judged_ms: list[int]


def alarms(series: Recorded) -> Alarms:
    watch = Watch(None)
    begun, judged = [], []
    for n, t_ms in enumerate(series.t_ms):
        counts = [each for each in series.cars[max(n - 2, 0) : n + 1] if each is not None]
        before = watch.on
        if watch.knows(t_ms):
            judged.append(t_ms)
        watch.step(
            t_ms,
            series.covers_ms,
            series.speed_km_h[n],
            series.occupancy[n],
            sum(counts) if counts else None,
        )
        if watch.on and not before:
            begun.append(t_ms)
    return Alarms(begun, judged)


def score(series: Recorded, told: Alarms) -> Score:
    begun = told.begun
    delays = []
    for begin, end in series.windows:
        inside = [t_ms for t_ms in begun if begin <= t_ms <= end]
        if inside:
            delays.append((inside[0] - begin) / MINUTE_MS)
    false = [t for t in begun if not any(begin <= t <= end for begin, end in series.windows)]
    return Score(
        windows=len(series.windows),
        found=len(delays),
        false_alarms=len(false),
        days=len(told.judged_ms) * series.covers_ms / DAY_MS,
        decisions=len(told.judged_ms),
        delays_min=delays,
        nab=_nab(series, begun) if series.windows else None,
    )


def _nab(series: Recorded, begun: Sequence[int]) -> float:
    """Raw score over its best, in NAB's standard profile, in per cent of the way from none."""
    first = series.t_ms[0] + PROBATION * (series.t_ms[-1] - series.t_ms[0])
    judged = [t for t in begun if t >= first]
    windows = series.windows
    raw = 0.0
    for begin, end in windows:
        inside = [t for t in judged if begin <= t <= end]
        if not inside:
            raw -= 1.0
            continue
        raw += _sigmoid((inside[0] - end) / (end - begin)) / _sigmoid(-1.0)
    for t_ms in judged:
        if any(begin <= t_ms <= end for begin, end in windows):
            continue
        passed = [(begin, end) for begin, end in windows if end < t_ms]
        if not passed:
            raw -= 0.11
            continue
        begin, end = passed[-1]
        raw += 0.11 * _sigmoid((t_ms - end) / (end - begin))
    return 100.0 * (raw + len(windows)) / (2 * len(windows))


def _sigmoid(y: float) -> float:
    return 2.0 / (1.0 + math.exp(min(5.0 * y, 700.0))) - 1.0


def bottlenecks(days: int = 84) -> tuple[Score, list[float]]:
    """A simulated camera of Rạch Miễu that lets little through on one morning in eleven.

    Gives the score and the delays in minutes from the first jammed minute.
    """
    series = _simulated(days)
    found = score(series, alarms(series))
    return found, found.delays_min


def _simulated(days: int) -> Recorded:
    """One camera, minute by minute; from 10:00 to 11:00 of each eleventh day 250 an hour pass."""
    begin_ms = 20_500 * DAY_MS + DAY_FROM_MS
    morning_ms = begin_ms + 7 * 60 * MINUTE_MS
    blocked = [morning_ms + day * DAY_MS for day in range(10, days, 11)]
    road = ("rach-mieu-1", "southbound")
    share = 250.0 / RACH_MIEU_1.capacity_veh_h
    traffic = Traffic(
        incidents=tuple(
            Incident(*road, each, each + 60 * MINUTE_MS, RACH_MIEU_1.bridge_km, share)
            for each in blocked
        )
    )
    t0 = begin_ms + np.arange(days * 1440, dtype=np.int64) * MINUTE_MS
    seen = truth(t0, MINUTE_MS, Camera(*road), traffic, 1, "incidents")
    windows = []
    for each in blocked:
        jammed = np.flatnonzero(
            (seen.queue_m > 0) & (t0 >= each) & (t0 < each + 4 * 60 * MINUTE_MS)
        )
        windows.append((int(t0[jammed[0]]), int(t0[jammed[-1]] + 15 * MINUTE_MS)))
    t_ms = (t0 + MINUTE_MS).tolist()
    speed = [None if math.isnan(v) else v for v in seen.speed_km_h.tolist()]
    occupancy: list[float | None] = list(seen.occupancy.tolist())
    cars: list[int | None] = list(seen.cars.sum(axis=1).tolist())
    return Recorded("simulated", False, t_ms, speed, occupancy, cars, MINUTE_MS, windows)


def report(name: str, found: Score) -> None:
    delays = ", ".join(f"{each:.0f}" for each in found.delays_min) or "-"
    nab = "-" if found.nab is None else f"{found.nab:.1f}"
    print(
        f"{name:34}{found.found:>4} of {found.windows:<3}{found.false_alarms:>7}"
        f"{found.false_alarms / found.days:>11.3f}{found.false_alarms / found.decisions:>12.5f}"
        f"{nab:>8}   {delays}"
    )


def main() -> None:
    folder = Path(os.environ.get("SONGTIEN_DATA", "../shared/data")) / "traffic"
    head = f"{'false':>7}{'a day':>11}{'a decision':>12}{'NAB':>8}   minutes from the beginning"
    print(f"{'series':34}{'found':>10} {head}")
    if folder.is_dir():
        recorded = [
            minnesota(folder, "occupancy", tuned=True),
            minnesota(folder, "speed", tuned=False),
            *cameras(folder),
        ]
        for series in recorded:
            told = "looked at for tuning" if series.tuned else "not looked at"
            report(f"{series.name} ({told})"[:34], score(series, alarms(series)))
    else:
        print(f"no recorded traffic in {folder}: set SONGTIEN_DATA to measure it")
    found, _ = bottlenecks()
    report("simulated bottlenecks", replace(found, nab=None))


if __name__ == "__main__":
    main()
