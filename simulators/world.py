"""A registry's devices in a scenario: what each of them measures at given times."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ingest.reading import FloatArray, IntArray, rounded
from ingest.registry import Device, Lane, Registry, Station
from simulators import estuary, grid, probe
from simulators.columns import Columns, Sample, dictionaries
from simulators.estuary import Place, River
from simulators.faults import SAMPLES, Fault, Scene, in_order
from simulators.noise import normal, slow
from simulators.road.sight import Intervals, seen
from simulators.road.traffic import CAR_LANE, MOTORBIKE_KM_H, STRIP, Camera, Traffic

__all__ = ["Sample", "World", "camera_of", "place_of"]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a sample depends on, besides its device and its time.

    origin_ms : when the scenario begins, UTC
    faults : what goes wrong with single devices, in any order
    """

    registry: Registry
    name: str
    seed: int
    river: River
    traffic: Traffic = Traffic()  # noqa: RUF009 - frozen
    origin_ms: int = 0
    faults: tuple[Fault, ...] = ()

    def devices(self) -> list[Device]:
        """Those that hang in the water or on a bridge now, in the order of the registry."""
        replaced = {device.replaces for device in self.registry.devices.values()}
        return [d for d in self.registry.devices.values() if d.id not in replaced]

    def columns(self, device: Device, from_ms: int, to_ms: int) -> Columns:
        """What a device measures in [from, to) and how its faults spoil it, as columns.

        A row is a sample: for each time one for each level of a probe or lane of a camera.
        The rows of [a, c) are those of [a, b) and then those of [b, c), whatever b is.
        """
        return self._spoilt(device, from_ms, to_ms, self.sample_faults(device.id))

    def clean(self, device: Device, from_ms: int, to_ms: int) -> Columns:
        """The same without any fault."""
        return self._at(device, grid.times_ms(device, from_ms, to_ms), grid.interval_ms(device))

    def sample_faults(self, device: str) -> tuple[Fault, ...]:
        """The faults that change samples of a device, in the order in which they do."""
        return in_order(f for f in self.faults if f.device == device and f.kind in SAMPLES)

    def scene(self, device: Device, earlier: tuple[Fault, ...] = ()) -> Scene:
        """What a fault of a device may ask for, behind the faults before it."""
        return Scene(
            device,
            grid.interval_ms(device),
            self.seed,
            self.name,
            partial(self._spoilt, device, faults=earlier),
            partial(self.level_m, device),
        )

    def probe_samples(self, device: Device, t_ms: IntArray) -> list[Sample]:
        """Samples of a probe without faults at times t_ms, int64[N]."""
        return dictionaries(self._at(device, t_ms, grid.interval_ms(device)))

    def camera_samples(self, device: Device, t0_ms: IntArray, interval_ms: int) -> list[Sample]:
        """Samples of a camera without faults over [t0, t0 + interval)."""
        return dictionaries(self._at(device, t0_ms + interval_ms, interval_ms))

    def level_m(self, device: Device, t_ms: IntArray) -> FloatArray:
        """Water level at a probe over the local mean of the sea, m: float64[N]."""
        station = self.registry.stations[device.station]
        return rounded(estuary.level_m(t_ms, station.nearest_km or 0.0, self.river))

    def _spoilt(
        self, device: Device, from_ms: int, to_ms: int, faults: tuple[Fault, ...]
    ) -> Columns:
        if not faults:
            return self.clean(device, from_ms, to_ms)
        *earlier, last = faults
        columns = self._spoilt(device, from_ms, to_ms, tuple(earlier))
        if last.to_ms <= from_ms or last.from_ms >= to_ms or not len(columns):
            return columns
        return SAMPLES[last.kind].change(columns, last, self.scene(device, tuple(earlier)))

    def _at(self, device: Device, at_ms: IntArray, interval_ms: int) -> Columns:
        if device.kind == "traffic":
            return self._camera(device, at_ms, interval_ms)
        return self._probe(device, at_ms)

    def _probe(self, device: Device, t_ms: IntArray) -> Columns:
        place = place_of(self.registry.stations[device.station])
        level = self.level_m(device, t_ms)
        found = [self._level(device, place, rank, t_ms, level) for rank in range(_parts(device))]
        parts = len(found)
        return Columns(
            at_ms=np.repeat(t_ms, parts),
            t_ms=np.repeat(t_ms, parts),
            part=np.tile(np.arange(parts, dtype=np.int64), len(t_ms)),
            fields={
                name: np.stack([each[name] for each in found], axis=1).ravel()
                for name in _fields(device)
            },
            fixed=((),) * parts,
        )

    def _level(
        self, device: Device, place: Place, rank: int, t_ms: IntArray, level: FloatArray
    ) -> dict[str, FloatArray]:
        """Columns of one level of a probe, or of one that has none."""
        own = device.levels[rank] if device.levels else None
        noise = slow(t_ms, 4, self.seed, self.name, device.id, "" if own is None else own.id)
        truth = (
            estuary.surface_g_l(t_ms, place, self.river)
            if own is None
            else estuary.at_depth_g_l(t_ms, place, own.depth_m, self.river)
        )
        depth_m = None if own is None else own.depth_m
        return probe.readings(
            t_ms, truth, level, noise, _compensated(device), level_depth_m=depth_m
        )

    def _camera(self, device: Device, t1_ms: IntArray, interval_ms: int) -> Columns:
        lanes = [
            lane
            for direction in dict.fromkeys(lane.direction for lane in device.lanes)
            for lane in device.lanes
            if lane.direction == direction
        ]
        t0_ms = t1_ms - interval_ms
        views: dict[str, tuple[Intervals, FloatArray]] = {}
        for lane in lanes:
            if lane.direction not in views:
                camera = camera_of(self.registry.stations[device.station], device, lane.direction)
                view = seen(t0_ms, interval_ms, camera, self.traffic, self.seed, self.name)
                noise = normal(t0_ms, 4, self.seed, self.name, device.id, lane.direction)
                views[lane.direction] = view, noise
        found = [
            _lane(_share(lane, lanes), *views[lane.direction], interval_ms=interval_ms)
            for lane in lanes
        ]
        names = dict.fromkeys(name for name in _LANE_FIELDS for each in found if name in each)
        absent = np.full(len(t1_ms), np.nan)
        return Columns(
            at_ms=np.repeat(t1_ms, len(lanes)),
            t_ms=np.repeat(t1_ms, len(lanes)),
            part=np.tile(np.arange(len(lanes), dtype=np.int64), len(t1_ms)),
            fields={
                name: np.stack([each.get(name, absent) for each in found], axis=1).ravel()
                for name in names
            },
            fixed=tuple((("lane", lane.lane), ("dir", lane.direction)) for lane in lanes),
            span_ms=interval_ms,
        )


def place_of(station: Station) -> Place:
    """Where a station's probes hang."""
    return Place.of(station.km_from_mouth, station.gate)


def camera_of(station: Station, device: Device, direction: str) -> Camera:
    """How a camera looks at a direction: where vehicles enter the bridge, or leave it."""
    crossing = station.crossings.get(direction)
    at_entry = crossing is not None and crossing.entry == device.position
    return Camera(station.id, direction, 0.0 if at_entry else None)


def _parts(device: Device) -> int:
    return max(1, len(device.levels))


def _compensated(device: Device) -> bool:
    announced = device.announced
    return "conductivity_25_ms_cm" in announced and "conductivity_ms_cm" not in announced


_SENT: Mapping[str, str] = {
    "temp_c": "temperature_c",
    "depth_m": "depth_m",
    "level_m": "water_level_m",
    "battery_v": "battery_v",
}


def _fields(device: Device) -> list[str]:
    """Fields that a probe sends: conductivity always, the others as it announces them."""
    fields = ["ec25_ms_cm" if _compensated(device) else "ec_ms_cm"]
    for field, quantity in _SENT.items():
        needed = field == "temp_c" or (field == "depth_m" and bool(device.levels))
        if needed or quantity in device.announced:
            fields.append(field)
    return fields


@dataclass(frozen=True, slots=True)
class _Share:
    """Which part of a direction's vehicles keeps to a lane: every `of`-th from `index`."""

    cars: tuple[int, int] | None
    strip: tuple[int, int] | None


def _share(lane: Lane, lanes: list[Lane]) -> _Share:
    beside = [each for each in lanes if each.direction == lane.direction]
    for_cars = [each for each in beside if each.use != "motorbike"]
    # The strip is the motorbikes' lane; where none is counted apart they ride in the mixed ones.
    for_bikes = [each for each in beside if each.use == "motorbike"] or [
        each for each in beside if each.use == "mixed"
    ]
    return _Share(_place(lane, for_cars), _place(lane, for_bikes))


def _place(lane: Lane, among: list[Lane]) -> tuple[int, int] | None:
    return (among.index(lane), len(among)) if lane in among else None


_LANE_FIELDS = (
    *(f"count.{name}" for name in (*STRIP, *CAR_LANE)),
    "speed_km_h",
    "occupancy",
    "queue_m",
    "health.fps",
    "health.drop",
)


def _lane(
    share: _Share, view: Intervals, noise: FloatArray, *, interval_ms: int
) -> dict[str, FloatArray]:
    """Columns of one lane, float64[N], of what is seen of its direction."""
    found: dict[str, FloatArray] = {}
    passed = np.zeros(len(noise), np.int64)
    for place, names, counts in (
        (share.strip, STRIP, view.strip),
        (share.cars, CAR_LANE, view.cars),
    ):
        if place is not None:
            index, among = place
            for column, name in enumerate(names):
                kept = (counts[:, column] + index) // among
                found[f"count.{name}"] = kept.astype(np.float64)
                passed += kept
    if share.cars is None:  # motorbikes go on at their own speed
        speed, queue = np.full(len(noise), MOTORBIKE_KM_H), np.zeros(len(noise))
        occupancy = np.minimum(view.strip.sum(axis=1) * (9_000.0 / interval_ms) * 0.03, 1.0)
    else:
        speed, occupancy, queue = view.speed_km_h, view.occupancy, view.queue_m
    shown = np.maximum(speed * (1.0 + 0.03 * noise[:, 0]), 0.5)
    found["speed_km_h"] = rounded(np.where(passed > 0, shown, np.nan))
    found["occupancy"] = rounded(np.clip(occupancy * (1.0 + 0.02 * noise[:, 1]), 0.0, 1.0))
    found["queue_m"] = rounded(np.maximum(queue * (1.0 + 0.05 * noise[:, 2]), 0.0))
    found["health.fps"] = rounded(np.clip(view.fps + 0.1 * noise[:, 3], 1.0, 15.0))
    found["health.drop"] = rounded(view.drop)
    return found
