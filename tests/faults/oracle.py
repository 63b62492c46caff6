"""What a service must hold of a feed, found by reading the feed alone; and whether it does.

Nothing of the program is used: JSON, TOML, gsw and plain loops, by the words of the
contract. So a fault of the program can't hide by being in both.
"""

import json
import math
import sqlite3
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gsw

from tests.faults.feeds import Sent

Key = tuple[str, int]
"""(series key, observed time in ms)"""

EPOCH_2000_MS = 946_684_800_000
HOUR_MS = 3_600_000
HEAD_BYTES = 4096
PLAIN = {
    "ec_ms_cm": "conductivity_ms_cm",
    "ec25_ms_cm": "conductivity_25_ms_cm",
    "temp_c": "temperature_c",
    "level_m": "water_level_m",
    "depth_m": "depth_m",
    "battery_v": "battery_v",
}
RANGES = {
    "ec_ms_cm": (0, 200),
    "ec25_ms_cm": (0, 200),
    "sal_g_l": (0, 100),
    "temp_c": (-5, 60),
    "depth_m": (0, 200),
    "level_m": (-50, 50),
    "battery_v": (0, 100),
    "speed_km_h": (0, 300),
    "occupancy": (0, 1),
    "queue_m": (0, 100_000),
}
PCU = {"motorbike": 0.3, "car": 1, "bus": 2.5, "truck": 2, "trailer": 4, "bicycle": 0.2, "other": 1}
LEVELS = (6.8, 11.2, 16.2, 21.7, 28.0)
FORMED = ("salt_", "traffic_state", "crossing_time_", "queue_length_", "vehicles_on_", "incident")
JAM_SPACING_M = 7.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is refused, whole or in part: what its dead letter says of it."""

    reason: str
    topic: str
    head: bytes


@dataclass(slots=True)
class Content:
    """What must be stored, to the last value.

    samples : elements of `samples` in the feed; a message that can't be read counts as one
    refused : letters, and whether the message has a number by which its sender knows that it
        is settled. Without one, what dies with a broker stays unknown to everybody
    """

    values: dict[Key, float] = field(default_factory=dict)
    refused: dict[Letter, bool] = field(default_factory=dict)
    samples: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Between what must be there and what is. All empty is the only good one."""

    missing: list[Any]
    extra: list[Any]
    wrong: list[tuple[Any, Any, Any]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.wrong)

    def __str__(self) -> str:
        counts = f"missing {len(self.missing)}, extra {len(self.extra)}, wrong {len(self.wrong)}"
        shown = [*self.missing[:3], *self.extra[:3], *self.wrong[:3]]
        return counts + "".join(f"\n  {each!r}" for each in shown)


def content(feed: Iterable[Sent], registry: str) -> Content:
    """What a service with this registry must hold once it has heard the feed.

    Of two values at one identity the earlier in the feed stands.
    """
    reading = _Reading(registry)
    for sent in feed:
        reading.hear(sent)
    reading.lanes_together()
    return reading.found


class _Reading:
    """The feed, message by message."""

    def __init__(self, registry: str) -> None:
        self.found = Content()
        self._routes: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for station in tomllib.loads(registry)["station"]:
            for device in station.get("device", ()):
                topic = f"tiengiang/v1/{station['kind']}/{station['id']}/{device['id']}/obs"
                self._routes[topic] = station["kind"], device
        self._probes: dict[tuple[str, int], dict[str, float]] = {}
        self._lanes: dict[tuple[str, int, int, int], dict[str, Any]] = {}

    def hear(self, sent: Sent) -> None:
        if sent.topic not in self._routes:
            leaf_ok = sent.topic.endswith("/obs")
            self._refuse(sent, "unknown_device" if leaf_ok else "topic", numbered=False)
            return
        kind, device = self._routes[sent.topic]
        try:
            message = json.loads(sent.payload, parse_constant=_no_constant)
        except (ValueError, UnicodeDecodeError):
            self._refuse(sent, "not_json", numbered=False)
            return
        numbered = "seq" in message
        if not message["samples"]:
            self._refuse(sent, "empty", numbered=numbered)
            return
        for sample in message["samples"]:
            take = self._probe if kind == "salinity" else self._lane
            refused = _faulty(sample) or take(device["id"], sample)
            if refused:
                self._refuse(sent, refused, numbered=numbered)
            else:
                self.found.samples += 1

    def _refuse(self, sent: Sent, reason: str, *, numbered: bool) -> None:
        self.found.samples += 1
        letter = Letter(reason, sent.topic, sent.payload[:HEAD_BYTES])
        self.found.refused[letter] = numbered

    def _probe(self, device: str, sample: Mapping[str, Any]) -> str:
        sent = {name: round(v, 4) for name, v in sample.items() if name in RANGES}
        stands = self._probes.setdefault((device, sample["t"]), sent)
        if any(stands[name] != value for name, value in sent.items() if name in stands):
            return "conflict"
        assert stands.keys() >= sent.keys(), "a feed whose samples are completed later"
        if stands is not sent:
            return ""
        self.found.stored += 1
        for name, quantity in PLAIN.items():
            if name in sent:
                self._put(device, quantity, sample["t"], sent[name])
        derived = _salinity_g_l(sent)
        own = sent.get("sal_g_l")
        if derived is not None:
            self._put(device, "salinity_g_l", sample["t"], derived)
            if own is not None:
                self._put(device, "salinity_probe_g_l", sample["t"], own)
        elif own is not None:
            self._put(device, "salinity_g_l", sample["t"], own)
        return ""

    def _lane(self, device: str, sample: Mapping[str, Any]) -> str:
        identity = (f"{device}/{sample['dir']}", sample["lane"], sample["t1"], sample["t0"])
        sent = {k: v for k, v in sample.items() if k not in ("lane", "dir", "t0", "t1")}
        stands = self._lanes.setdefault(identity, sent)
        if any(stands[name] != value for name, value in sent.items() if name in stands):
            return "conflict"
        assert stands.keys() >= sent.keys(), "a feed whose samples are completed later"
        self.found.stored += stands is sent
        return ""

    def lanes_together(self) -> None:
        """Directions from their lanes, once all have come."""
        directions: dict[tuple[str, int], list[_Lane]] = defaultdict(list)
        before: dict[tuple[str, int], tuple[int, dict[str, int]]] = {}
        in_time = sorted(self._lanes.items(), key=lambda each: each[0][:3])
        for (stream, lane, t1_ms, t0_ms), sent in in_time:
            counts, since_ms = sent.get("count"), t0_ms
            if "cumulative" in sent:
                earlier = before.get((stream, lane))
                if earlier is not None:
                    since_ms, totals = earlier
                    counts = {
                        name: total - totals[name] for name, total in sent["cumulative"].items()
                    }
                before[stream, lane] = t1_ms, sent["cumulative"]
            hours = (t1_ms - since_ms) / HOUR_MS
            directions[stream, t1_ms].append(_Lane(counts, hours, sent))
        for (stream, t1_ms), lanes in directions.items():
            for quantity, value in _direction(lanes).items():
                self._put(stream, quantity, t1_ms, value)

    def _put(self, stream: str, quantity: str, t_ms: int, value: float) -> None:
        self.found.values[f"{stream}/{quantity}", t_ms] = round(value, 4) + 0.0


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _faulty(sample: Mapping[str, Any]) -> str:
    """Why a sample is refused before anybody asks what is known of it; empty if it isn't."""
    times = [sample[name] for name in ("t", "t0", "t1") if name in sample]
    numbers = [(name, sample[name]) for name in RANGES if name in sample]
    if any(not isinstance(value, int | float) for _, value in numbers):
        return "schema"
    if any(time < EPOCH_2000_MS for time in times):
        return "clock"
    if any(not RANGES[name][0] <= value <= RANGES[name][1] for name, value in numbers):
        return "range"
    return ""


def _salinity_g_l(sent: Mapping[str, float]) -> float | None:
    if "ec_ms_cm" in sent and "temp_c" in sent:
        conductivity, temp_c = sent["ec_ms_cm"], sent["temp_c"]
    elif "ec25_ms_cm" in sent:
        conductivity, temp_c = sent["ec25_ms_cm"], 25.0
    else:
        return None
    reference = gsw.SR_from_SP(gsw.SP_from_C(conductivity, temp_c, 0.0))
    return float(reference * gsw.rho_t_exact(reference, temp_c, 0.0) / 1000.0)


@dataclass(frozen=True, slots=True)
class _Lane:
    counts: Mapping[str, int] | None
    hours: float
    sent: Mapping[str, Any]


def _direction(lanes: list[_Lane]) -> dict[str, float]:
    """Flow is summed, speed weighted by count, occupancy a mean, the queue the longest."""
    values: dict[str, float] = {}
    counted = [lane for lane in lanes if lane.counts is not None]
    totals: dict[str, int] = defaultdict(int)
    vehicles = pcu = 0.0
    for lane in counted:
        for name, count in (lane.counts or {}).items():
            kept = name if name in PCU else "other"
            totals[kept] += count
            vehicles += count / lane.hours
            pcu += count * PCU[kept] / lane.hours
    if counted:
        values = {"flow_veh_h": vehicles, "flow_pcu_h": pcu}
        values |= {f"count_{name}": float(count) for name, count in totals.items()}
    weights = [
        (lane.sent["speed_km_h"], sum((lane.counts or {}).values()))
        for lane in lanes
        if "speed_km_h" in lane.sent
    ]
    if weights:
        heavy = weights if sum(w for _, w in weights) else [(speed, 1) for speed, _ in weights]
        values["speed_km_h"] = round(
            sum(speed * w for speed, w in heavy) / sum(w for _, w in heavy), 4
        )
    occupied = [lane.sent["occupancy"] for lane in lanes if "occupancy" in lane.sent]
    if occupied:
        values["occupancy"] = math.fsum(occupied) / len(occupied)
    queues = [lane.sent["queue_m"] for lane in lanes if "queue_m" in lane.sent]
    if queues:
        values["queue_m"] = max(queues)
    values |= _of_cars(lanes, counted, occupied)
    dense, of_lanes = None, 0
    if pcu > 0 and values.get("speed_km_h", 0.0) > 0:
        dense, of_lanes = pcu / values["speed_km_h"], len(counted)
    elif occupied:
        dense, of_lanes = sum(occupied) * 1000.0 / JAM_SPACING_M, len(occupied)
    if dense is not None:
        values["density_pcu_km"] = dense
        values["level_of_service"] = 1.0 + sum(dense / of_lanes > limit for limit in LEVELS)
    return values


CARS = ("car", "bus", "truck", "trailer")


def _of_cars(lanes: list[_Lane], counted: list[_Lane], occupied: list[float]) -> dict[str, float]:
    """Cars alone; every lane of these feeds is mixed, so motorbikes have no speed of their own."""
    values: dict[str, float] = {}
    if any(name in CARS for lane in counted for name in lane.counts or {}):
        values["flow_car_veh_h"] = sum(_cars(lane) / lane.hours for lane in counted)
    weights = [
        (lane.sent["speed_km_h"], _cars(lane)) for lane in lanes if "speed_km_h" in lane.sent
    ]
    if weights:
        heavy = weights if sum(w for _, w in weights) else [(speed, 1) for speed, _ in weights]
        values["speed_car_km_h"] = sum(s * w for s, w in heavy) / sum(w for _, w in heavy)
    if occupied:
        values["occupancy_car"] = math.fsum(occupied) / len(occupied)
    return values


def _cars(lane: _Lane) -> int:
    return sum(count for name, count in (lane.counts or {}).items() if name in CARS)


def values_differ(expected: Mapping[Key, float], found: Mapping[Key, float]) -> Difference:
    """Value by value. What is derived may round to the other side at a border: 1 in 10,000."""
    border = [
        key
        for key, value in expected.items()
        if key in found and 1e-9 < abs(found[key] - value) < 1.01e-4 and _derived(key[0])
    ]
    forgiven = set(border) if len(border) <= 1 + len(expected) // 10_000 else set[Key]()
    return Difference(
        sorted(expected.keys() - found.keys()),
        sorted(found.keys() - expected.keys()),
        [
            (key, expected[key], found[key])
            for key in sorted(expected.keys() & found.keys())
            if abs(found[key] - expected[key]) > 1e-9 and key not in forgiven
        ],
    )


def _derived(key: str) -> bool:
    names: tuple[str, ...] = (
        "salinity_g_l",
        "speed_km_h",
        "occupancy",
        "density_pcu_km",
        "flow_pcu_h",
    )
    names += ("speed_car_km_h", "occupancy_car", "flow_car_veh_h")
    return key.endswith(names)


def stored_in(directory: Path) -> dict[Key, float]:
    """All readings in the store of a data directory that devices sent or that one device gives.

    What is formed from several devices (lines of salt, queues) has twins of its own.
    """
    with open_store(directory) as store:
        rows = store.execute(
            "SELECT key, t, value FROM reading JOIN series ON series.id = reading.series"
        )
        return {(key, t_ms): value for key, t_ms, value in rows if not formed(key)}


def formed(key: str) -> bool:
    """Whether a series is formed from several devices."""
    return key.rpartition("/")[2].startswith(FORMED)


def flags_in(directory: Path) -> dict[Key, tuple[int, int]]:
    """(flag, why) of all readings."""
    with open_store(directory) as store:
        rows = store.execute(
            "SELECT key, t, flag, why FROM reading JOIN series ON series.id = reading.series"
        )
        return {(key, t_ms): (flag, why) for key, t_ms, flag, why in rows}


def letters_in(directory: Path) -> set[Letter]:
    """What was refused, each once however often it came."""
    with open_store(directory) as store:
        rows = store.execute("SELECT reason, topic, head FROM dead_letter")
        return {Letter(reason, topic, bytes(head)) for reason, topic, head in rows}


def store_differs(directory: Path, expected: Content) -> Difference:
    """A data directory against what must be in it: values and what was refused."""
    values = values_differ(expected.values, stored_in(directory))
    kept = letters_in(directory)
    must = {letter for letter, numbered in expected.refused.items() if numbered}
    return Difference(
        [*values.missing, *sorted(must - kept, key=repr)],
        [*values.extra, *sorted(kept - expected.refused.keys(), key=repr)],
        values.wrong,
    )


def open_store(directory: Path) -> "closing[sqlite3.Connection]":
    uri = f"{(directory / 'store.sqlite').as_uri()}?mode=ro"
    return closing(sqlite3.connect(uri, uri=True, timeout=20))


def influx_content(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Key, float, int]]:
    """(series and time, value, flag) of the rows of `SELECT * FROM` a kind, times in ms."""
    for row in rows:
        stream = "/".join(str(row[tag]) for tag in ("device", "dir", "level") if row.get(tag))
        for name, value in row.items():
            flag = row.get(f"{name}_q")
            if flag is not None and value is not None:
                yield (f"{stream}/{name}", row["time"]), float(value), int(flag)
