"""A registry's devices in a scenario: what each of them measures at given times."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.reading import FloatArray, IntArray, rounded
from ingest.registry import Device, Lane, Registry, Station
from simulators import bridge, estuary, probe
from simulators.bridge import BRIDGES, CAR_LANE, RACH_MIEU_1, STEP_MS, STRIP, Bottleneck, Road
from simulators.estuary import River
from simulators.noise import normal, slow

Sample = dict[str, object]


@dataclass(frozen=True, slots=True)
class Silence:
    """A device that says nothing from `from_ms` on, up to and without `to_ms`."""

    device: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a sample depends on, besides its device and its time."""

    registry: Registry
    name: str
    seed: int
    river: River
    demand: float = 1.0
    bottlenecks: tuple[Bottleneck, ...] = ()
    silences: tuple[Silence, ...] = ()

    def devices(self) -> list[Device]:
        """Those that hang in the water or on a bridge now, in the order of the registry."""
        replaced = {device.replaces for device in self.registry.devices.values()}
        return [d for d in self.registry.devices.values() if d.id not in replaced]

    def speaks(self, device: str, t_ms: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """bool[N]: whether a device says what it measured at t_ms."""
        speaking = np.ones(len(t_ms), np.bool_)
        for silence in self.silences:
            if silence.device == device:
                speaking &= (t_ms < silence.from_ms) | (t_ms >= silence.to_ms)
        return speaking

    def probe_samples(self, device: Device, t_ms: IntArray) -> list[Sample]:
        """Samples of a probe at times t_ms, int64[N]: one for each time and level."""
        t_ms = t_ms[self.speaks(device.id, t_ms)]
        if not len(t_ms):
            return []
        station = self.registry.stations[device.station]
        truth = salinity_at(station, t_ms, self.river)
        level = estuary.level_m(t_ms, station.nearest_km or 0.0, self.river)
        found: list[tuple[int, int, Sample]] = []
        for rank, each in enumerate(device.levels or (None,)):
            name = "" if each is None else each.id
            noise = slow(t_ms, 4, self.seed, self.name, device.id, name)
            depth_m = None if each is None else each.depth_m
            columns = probe.readings(
                t_ms, truth, level, noise, _compensated(device), level_depth_m=depth_m
            )
            sent = _fields(device, has_levels=each is not None)
            rows = probe.samples(t_ms, columns, sent)
            found.extend((t, rank, row) for t, row in zip(t_ms.tolist(), rows, strict=True))
        found.sort(key=lambda each: each[:2])
        return [sample for _, _, sample in found]

    def camera_samples(self, device: Device, t0_ms: IntArray, interval_ms: int) -> list[Sample]:
        """Samples of a camera over [t0, t0 + interval): for each time, one for each lane."""
        t0_ms = t0_ms[self.speaks(device.id, t0_ms + interval_ms)]
        if not len(t0_ms):
            return []
        seen = {
            direction: self._direction(device, direction, t0_ms, interval_ms)
            for direction in dict.fromkeys(lane.direction for lane in device.lanes)
        }
        return [
            lanes[row] for row in range(len(t0_ms)) for found in seen.values() for lanes in found
        ]

    def _direction(
        self, device: Device, direction: str, t0_ms: IntArray, interval_ms: int
    ) -> list[list[Sample]]:
        """Per lane of a direction, a sample for each interval."""
        road = Road(
            device.station,
            direction,
            BRIDGES.get(device.station, RACH_MIEU_1),
            self.demand,
            self.bottlenecks,
            self.seed,
            self.name,
        )
        station = self.registry.stations[device.station]
        crossing = station.crossings.get(direction)
        at_entry = crossing is not None and crossing.entry == device.position
        entry_km = (station.length_m or 0.0) / 1000.0 if at_entry else 0.0
        seen = bridge.intervals(t0_ms, interval_ms, road, entry_km=entry_km or None)
        noise = normal(t0_ms, 4, self.seed, self.name, device.id, direction)
        lanes = [lane for lane in device.lanes if lane.direction == direction]
        return [
            _lane_samples(lane, _share(lane, lanes), seen, t0_ms, interval_ms, noise)
            for lane in lanes
        ]


def salinity_at(station: Station, t_ms: IntArray, river: River) -> FloatArray:
    """Salinity at a station, g/L: of the mouth that brings the most salt."""
    distances = station.km_from_mouth or {"": station.nearest_km or 0.0}
    by_mouth = [estuary.salinity(t_ms, km, mouth, river) for mouth, km in distances.items()]
    return np.asarray(np.max(by_mouth, axis=0), dtype=np.float64)


def camera_interval_ms(device: Device) -> int:
    """The registered interval of a camera, as whole steps of the simulation."""
    return max(1, round(device.expected_s * 1000 / STEP_MS)) * STEP_MS


def _compensated(device: Device) -> bool:
    announced = device.announced
    return "conductivity_25_ms_cm" in announced and "conductivity_ms_cm" not in announced


_SENT: Mapping[str, str] = {
    "temp_c": "temperature_c",
    "level_m": "water_level_m",
    "depth_m": "depth_m",
    "battery_v": "battery_v",
}


def _fields(device: Device, *, has_levels: bool) -> list[str]:
    """Fields that a device sends: conductivity always, the others as it announces them."""
    fields = ["ec25_ms_cm" if _compensated(device) else "ec_ms_cm"]
    for field, quantity in _SENT.items():
        needed = field == "temp_c" or (field == "depth_m" and has_levels)
        if needed or quantity in device.announced:
            fields.append(field)
    return fields


@dataclass(frozen=True, slots=True)
class _Share:
    """Which part of a direction's vehicles keeps to a lane: every `of`-th from `index`."""

    cars: tuple[int, int] | None
    strip: tuple[int, int] | None


def _share(lane: Lane, lanes: list[Lane]) -> _Share:
    for_cars = [each for each in lanes if each.use != "motorbike"]
    # The strip is the motorbikes' lane; where none is counted apart they ride in the mixed ones.
    for_bikes = [each for each in lanes if each.use == "motorbike"] or [
        each for each in lanes if each.use == "mixed"
    ]
    return _Share(_place(lane, for_cars), _place(lane, for_bikes))


def _place(lane: Lane, among: list[Lane]) -> tuple[int, int] | None:
    return (among.index(lane), len(among)) if lane in among else None


def _lane_samples(
    lane: Lane,
    share: _Share,
    seen: bridge.Intervals,
    t0_ms: IntArray,
    interval_ms: int,
    noise: FloatArray,
) -> list[Sample]:
    counts: dict[str, list[int]] = {}
    for place, names, passed in (
        (share.strip, STRIP, seen.strip),
        (share.cars, CAR_LANE, seen.cars),
    ):
        if place is not None:
            index, among = place
            for column, name in enumerate(names):
                counts[name] = ((passed[:, column] + index) // among).tolist()
    if share.cars is None:  # motorbikes go on at their own speed
        clear = np.full(len(t0_ms), bridge.MOTORBIKE_KM_H)
        occupancy = np.minimum(seen.strip.sum(axis=1) * (9_000.0 / interval_ms) * 0.03, 1.0)
        speed, queue = clear, np.zeros(len(t0_ms))
    else:
        speed, occupancy, queue = seen.speed_km_h, seen.occupancy, seen.queue_m
    speed = rounded(np.maximum(speed * (1.0 + 0.03 * noise[:, 0]), 0.5))
    occupancy = rounded(np.clip(occupancy * (1.0 + 0.02 * noise[:, 1]), 0.0, 1.0))
    queue = rounded(np.maximum(queue * (1.0 + 0.05 * noise[:, 2]), 0.0))
    fps = rounded(np.clip(14.8 + 0.1 * noise[:, 3], 10.0, 15.0))
    samples: list[Sample] = []
    for row, t0 in enumerate(t0_ms.tolist()):
        sample: Sample = {
            "t0": t0,
            "t1": t0 + interval_ms,
            "lane": lane.lane,
            "dir": lane.direction,
            "count": {name: values[row] for name, values in counts.items()},
        }
        if np.isfinite(speed[row]) and any(values[row] for values in counts.values()):
            sample["speed_km_h"] = float(speed[row])
        sample["occupancy"] = float(occupancy[row])
        sample["queue_m"] = float(queue[row])
        sample["health"] = {"fps": float(fps[row]), "drop": 0.01}
        samples.append(sample)
    return samples
