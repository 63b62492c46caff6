"""What a camera sees of one direction: counts, speed, occupancy and queue by intervals."""

from dataclasses import dataclass

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators import bridge
from simulators.bridge import BRIDGES, RACH_MIEU_1
from simulators.road.traffic import Camera, Traffic


@dataclass(frozen=True, slots=True)
class Intervals:
    """What is seen of one direction in N intervals; speed is NaN where no car passed.

    cars : int64[N, 4], vehicles that passed, by `CAR_LANE`
    strip : int64[N, 2], by `STRIP`
    speed_km_h, occupancy, queue_m, density_veh_km : float64[N], of the car lanes; the queue
        as far back as a camera sees it, the density of all lanes together
    fps, drop : float64[N], pictures a second and the share of them that is lost
    """

    cars: IntArray
    strip: IntArray
    speed_km_h: FloatArray
    occupancy: FloatArray
    queue_m: FloatArray
    density_veh_km: FloatArray
    fps: FloatArray
    drop: FloatArray


def seen(
    t0_ms: IntArray, interval_ms: int, camera: Camera, traffic: Traffic, seed: int, scenario: str
) -> Intervals:
    """What the camera counts and sees over [t0, t0 + interval), with what it misses.

    t0_ms : int64[N], multiples of `STEP_MS`, as is `interval_ms` (else ValueError)
    """
    return truth(t0_ms, interval_ms, camera, traffic, seed, scenario)


def truth(
    t0_ms: IntArray, interval_ms: int, camera: Camera, traffic: Traffic, seed: int, scenario: str
) -> Intervals:
    """What passes the camera over [t0, t0 + interval), as `seen` but without misses."""
    road = bridge.Road(
        camera.station,
        camera.direction,
        BRIDGES.get(camera.station, RACH_MIEU_1),
        traffic.demand,
        tuple(
            bridge.Bottleneck(b.station, b.direction, b.from_h, b.to_h, b.capacity_veh_h)
            for b in traffic.bottlenecks
        ),
        seed,
        scenario,
    )
    entry_km = None if camera.km is None or camera.km > 0.0 else 2.868
    found = bridge.intervals(t0_ms, interval_ms, road, entry_km=entry_km)
    return Intervals(
        found.cars,
        found.strip,
        found.speed_km_h,
        found.occupancy,
        found.queue_m,
        found.density_veh_km,
        np.full(len(t0_ms), 14.8),
        np.full(len(t0_ms), 0.01),
    )
