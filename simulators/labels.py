"""What is true of a feed: each fault's windows, and what the water and the roads really do."""

from collections.abc import Iterator

import numpy as np

from ingest.reading import BoolArray, FloatArray, IntArray, rounded
from ingest.registry import Device
from simulators import estuary
from simulators.faults import KINDS, SampleFault
from simulators.faults.quantity import quantity_of
from simulators.label import ABOVE, CONGESTED, INCIDENT, Label
from simulators.road.sight import truth
from simulators.road.traffic import Camera
from simulators.world import World, place_of

LEVELS_G_L = (0.5, 1.0, 2.0, 4.0)
CONGESTED_KM_H = 20.0
_WATER_STEP_MS = 600_000
_ROAD_STEP_MS = 60_000


def labels(world: World, start_ms: int, duration_ms: int) -> list[Label]:
    """The windows of truth in [start, start + duration), by their beginnings.

    The true salinity is that of the surface at a station, in steps of ten minutes with a line
    between; roads are taken by the minute. Both know no instrument and no fault.
    """
    end_ms = start_ms + duration_ms
    found = [
        *_of_faults(world, start_ms, end_ms),
        *_of_water(world, start_ms, end_ms),
        *_of_roads(world, start_ms, end_ms),
    ]
    return sorted(
        found,
        key=lambda each: (
            each.from_ms,
            each.label,
            each.device,
            each.station,
            each.direction,
            each.level or 0.0,
            each.to_ms,
        ),
    )


def _of_faults(world: World, start_ms: int, end_ms: int) -> Iterator[Label]:
    devices = {device.id: device for device in world.devices()}
    for fault in world.faults:
        device, kind = devices[fault.device], KINDS[fault.kind]
        quantity = ""
        if isinstance(kind, SampleFault):
            quantity = quantity_of(fault, device) if kind.quantities else kind.about
        earlier = world.sample_faults(device.id)
        if isinstance(kind, SampleFault):
            earlier = earlier[: earlier.index(fault)]
        scene = world.scene(device, earlier)
        for begin, end in kind.windows(fault, scene, start_ms, end_ms):
            yield Label(
                label=fault.kind, from_ms=begin, to_ms=end, device=device.id, quantity=quantity
            )


def _of_water(world: World, start_ms: int, end_ms: int) -> Iterator[Label]:
    first = start_ms - start_ms % _WATER_STEP_MS
    t_ms = np.arange(first, end_ms + _WATER_STEP_MS, _WATER_STEP_MS, dtype=np.int64)
    for station_id in dict.fromkeys(d.station for d in world.devices() if d.kind == "salinity"):
        place = place_of(world.registry.stations[station_id])
        salt = rounded(estuary.surface_g_l(t_ms, place, world.river))
        for level in LEVELS_G_L:
            for begin, end in _over(t_ms, salt, level, start_ms, end_ms):
                yield Label(
                    label=ABOVE,
                    from_ms=begin,
                    to_ms=end,
                    station=station_id,
                    quantity="salinity_g_l",
                    level=level,
                )


def _over(
    t_ms: IntArray, values: FloatArray, level: float, start_ms: int, end_ms: int
) -> Iterator[tuple[int, int]]:
    """Where a line through the values is above a level, to the second."""
    for first, last in _runs(values > level):
        begin = start_ms if first == 0 else _crossing(t_ms, values, level, first - 1)
        end = end_ms if last == len(t_ms) else _crossing(t_ms, values, level, last - 1)
        begin, end = max(begin, start_ms), min(end, end_ms)
        if begin < end:
            yield begin, end


def _crossing(t_ms: IntArray, values: FloatArray, level: float, row: int) -> int:
    """When the line between a row and the next passes a level."""
    share = (level - values[row]) / (values[row + 1] - values[row])
    at_ms = t_ms[row] + share * (t_ms[row + 1] - t_ms[row])
    return round(float(at_ms) / 1000.0) * 1000


def _runs(where: BoolArray) -> list[list[int]]:
    """[first, last) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.r_[False, where, False]))
    found: list[list[int]] = edges.reshape(-1, 2).tolist()
    return found


def _of_roads(world: World, start_ms: int, end_ms: int) -> Iterator[Label]:
    first = start_ms - start_ms % _ROAD_STEP_MS
    t0_ms = np.arange(first, end_ms, _ROAD_STEP_MS, dtype=np.int64)
    roads = _roads(world.devices())
    for station, direction in roads:
        for low, high in _runs(_congested(world, station, direction, t0_ms)):
            begin, end = int(t0_ms[low]), int(t0_ms[high - 1]) + _ROAD_STEP_MS
            yield Label(
                label=CONGESTED,
                from_ms=max(begin, start_ms),
                to_ms=min(end, end_ms),
                station=station,
                direction=direction,
            )
    for each in world.traffic.incidents:
        begin, end = max(each.from_ms, start_ms), min(each.to_ms, end_ms)
        if (each.station, each.direction) in roads and begin < end:
            yield Label(
                label=INCIDENT,
                from_ms=begin,
                to_ms=end,
                station=each.station,
                direction=each.direction,
            )


def _congested(world: World, station: str, direction: str, t0_ms: IntArray) -> BoolArray:
    """bool[N]: where cars enter the bridge or where they leave it, they are slow or stand."""
    found = np.zeros(len(t0_ms), dtype=np.bool_)
    for km in (0.0, None):
        camera = Camera(station, direction, km)
        seen = truth(t0_ms, _ROAD_STEP_MS, camera, world.traffic, world.seed, world.name)
        # Where none of a queue passes, as before an entry that is closed, there is no speed.
        standing = np.isnan(seen.speed_km_h) & (seen.queue_m > 0.0)
        found |= (seen.speed_km_h < CONGESTED_KM_H) | standing
    return found


def _roads(devices: list[Device]) -> list[tuple[str, str]]:
    return list(
        dict.fromkeys(
            (device.station, lane.direction)
            for device in devices
            if device.kind == "traffic"
            for lane in device.lanes
        )
    )
