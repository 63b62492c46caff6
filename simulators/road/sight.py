"""What a camera sees of one direction: counts, speed, occupancy and queue by intervals.

Flow is of the vehicles that pass, density follows from it by the side of the diagram on which
the state lies, and speed is flow over density: the three agree at any time, and an interval
is the mean of its steps. A camera misses vehicles, more of them at night, in rain, and where
motorbikes hide one another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.reading import FloatArray, IntArray, rounded
from simulators.noise import generator
from simulators.road.days import DAYS, WARM, classes, days_of, strip_passed
from simulators.road.demand import DAY_FROM_MS, STEPS, local_h
from simulators.road.network import H_PER_STEP, road_of
from simulators.road.supply import raining
from simulators.road.traffic import CAR_LANE, STEP_MS, STRIP, Camera, Rain, Traffic
from simulators.road.waves import at_place

VEHICLE_M = 6.6
"""Mean length of a vehicle with what a detector adds, m: density of a lane to occupancy."""

VIEW_M = 800.0
"""How far back a camera sees a queue."""

VIEW_STEP_M = 100.0
RAIN_SPEED = 0.9
"""Share of the free speed in rain (HCM 2000: 2 to 17 % are lost)."""

MISS = {
    "day": (0.01, 0.01, 0.008, 0.008, 0.03, 0.05),
    "night": (0.06, 0.04, 0.03, 0.03, 0.12, 0.18),
    "rain": (0.06, 0.04, 0.03, 0.03, 0.12, 0.15),
}
"""Share of the vehicles that a camera misses by class (`CAR_LANE`, `STRIP`), that of rain beside
what day or night makes; an expert's judgement, unverified."""

HIDDEN_PER_VEH_H = 0.02 / 1000.0
"""Motorbikes hide one another: so much more is missed for each of them an hour; unverified."""

NIGHT_H = (18.0, 6.0)
FPS, FPS_RAIN = 14.8, 11.5
LOST, LOST_RAIN = 0.01, 0.06


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


@dataclass(frozen=True, slots=True)
class Steps:
    """What passes a place in each step of `DAYS` days from 03:00: the last axis is of days.

    flow_veh, density_veh_km, queue_m, lanes : float64[STEPS, DAYS]; vehicles in the step
    cars : int16[STEPS, 4, DAYS], strip : int16[STEPS, 2, DAYS]
    """

    flow_veh: FloatArray
    density_veh_km: FloatArray
    queue_m: FloatArray
    lanes: FloatArray
    cars: NDArray[np.int16]
    strip: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Makes:
    """What makes the days of a camera: hashable."""

    camera: Camera
    traffic: Traffic
    seed: int
    scenario: str


def seen(
    t0_ms: IntArray, interval_ms: int, camera: Camera, traffic: Traffic, seed: int, scenario: str
) -> Intervals:
    """What the camera counts and sees over [t0, t0 + interval), with what it misses.

    t0_ms : int64[N], multiples of `STEP_MS`, as is `interval_ms` (else ValueError)
    """
    makes = _Makes(camera, traffic, seed, scenario)
    return _intervals(t0_ms, interval_ms, makes, misses=True)


def truth(
    t0_ms: IntArray, interval_ms: int, camera: Camera, traffic: Traffic, seed: int, scenario: str
) -> Intervals:
    """What passes the camera over [t0, t0 + interval), as `seen` but without misses."""
    makes = _Makes(camera, traffic, seed, scenario)
    return _intervals(t0_ms, interval_ms, makes, misses=False)


def _intervals(t0_ms: IntArray, interval_ms: int, makes: _Makes, *, misses: bool) -> Intervals:
    if interval_ms <= 0 or interval_ms % STEP_MS:
        msg = f"interval {interval_ms} ms: a multiple of {STEP_MS} ms is accepted"
        raise ValueError(msg)
    each = interval_ms // STEP_MS
    steps = ((t0_ms - DAY_FROM_MS) // STEP_MS)[:, None] + np.arange(each)
    number, within = np.divmod(steps.reshape(-1), STEPS)
    columns: list[FloatArray] = [np.empty(steps.size) for _ in range(4)]
    cars = np.empty((steps.size, len(CAR_LANE)), np.int64)
    strip = np.empty((steps.size, len(STRIP)), np.int64)
    for day, rows in _by_day(number):
        at, place = within[rows], day % DAYS
        found = _steps(makes, day - place)
        told = (found.flow_veh, found.density_veh_km, found.queue_m, found.lanes)
        for column, values in zip(columns, told, strict=True):
            column[rows] = values[at, place]
        if misses:
            cars[rows], strip[rows] = (counted[at] for counted in _counted(makes, day))
        else:
            cars[rows], strip[rows] = found.cars[at, :, place], found.strip[at, :, place]
    flow, density, queue, lanes = (column.reshape(steps.shape) for column in columns)
    cars, strip = (
        counted.reshape(*steps.shape, counted.shape[1]).sum(axis=1) for counted in (cars, strip)
    )
    occupancy = density * (VEHICLE_M / 1000.0) / (lanes * road_of(makes.camera.station).lanes)
    wet = raining(t0_ms, makes.traffic.rains)
    return Intervals(
        cars,
        strip,
        _speed_km_h(flow.sum(axis=1) / (each * H_PER_STEP), density.mean(axis=1), cars, makes),
        rounded(np.minimum(occupancy.mean(axis=1), 1.0)),
        rounded(queue.max(axis=1)),
        density.mean(axis=1),
        np.where(wet, FPS_RAIN, FPS),
        np.where(wet, LOST_RAIN, LOST),
    )


def _by_day(number: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Each day among these, with the places where it stands."""
    if not len(number):
        return
    order = np.argsort(number, kind="stable")
    days, first = np.unique(number[order], return_index=True)
    yield from zip(days.tolist(), np.split(order, first[1:]), strict=True)


def _speed_km_h(
    flow_veh_h: FloatArray, density: FloatArray, cars: IntArray, makes: _Makes
) -> FloatArray:
    free = road_of(makes.camera.station).free_km_h
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.minimum(flow_veh_h / density, free)
    return rounded(np.where(cars.sum(axis=1) > 0, speed, np.nan))


@lru_cache(maxsize=24)
def _steps(makes: _Makes, first_day: int) -> Steps:
    """All steps of `DAYS` days at a camera, in truth."""
    camera, traffic = makes.camera, makes.traffic
    station, direction = camera.station, camera.direction
    days = days_of(station, direction, first_day, traffic, makes.seed, makes.scenario)
    chain, rows = days.rows(station, direction)
    road = chain.road
    km = road.bridge_km if camera.km is None else camera.km
    wide = days.lanes[:, rows]
    place = at_place(chain, km, days.passed, rows, wide)
    flow_veh = np.diff(place.passed, axis=0)[WARM:]
    queued = place.queued
    share = ((queued[:-1] * 0.5) + (queued[1:] * 0.5))[WARM:]
    lanes = wide[WARM:]
    wet = raining(days.t0_ms + (np.arange(WARM, WARM + STEPS) * STEP_MS)[:, None], traffic.rains)
    flow_veh_h = flow_veh / H_PER_STEP
    free = flow_veh_h / (road.free_km_h * np.where(wet, RAIN_SPEED, 1.0))
    full = road.jam_veh_km * lanes
    jammed = np.clip(full - flow_veh_h / road.wave_km_h, free, full)
    queue_m = np.zeros_like(place.excess_veh)
    still = np.ones(queued.shape, np.bool_)
    before = place
    for back_m in np.arange(VIEW_STEP_M, VIEW_M + 1.0, VIEW_STEP_M).tolist():
        if not queued.any():
            break
        after = at_place(chain, km - back_m / 1000.0, days.passed, rows, wide)
        still &= before.queued
        # Between two places the tail is where the excess is nothing.
        reach = before.excess_veh / np.maximum(before.excess_veh - after.excess_veh, 1e-9)
        queue_m += np.where(
            still, VIEW_STEP_M * np.where(after.queued, 1.0, np.clip(reach, 0, 1)), 0
        )
        before = after
    whole = np.floor(place.passed[WARM:] + 1e-6).astype(np.int64)
    cars = np.stack(
        [
            np.diff(
                classes(station, direction, first_day + n, traffic, makes.seed, makes.scenario)[
                    whole[:, n]
                ],
                axis=0,
            )
            for n in range(DAYS)
        ],
        axis=2,
    )
    strip = np.diff(strip_passed(days, station, direction, km, traffic), axis=0)[WARM:].swapaxes(
        1, 2
    )
    return Steps(
        flow_veh,
        share * jammed + (1.0 - share) * free,
        np.maximum(queue_m[:-1], queue_m[1:])[WARM:],
        lanes,
        cars.astype(np.int16),
        strip.astype(np.int16),
    )


@lru_cache(maxsize=64)
def _counted(makes: _Makes, day: int) -> tuple[IntArray, IntArray]:
    """What a camera counts of a day's vehicles: int64[STEPS, 4] and int64[STEPS, 2]."""
    place = day % DAYS
    found = _steps(makes, day - place)
    passed = np.concatenate([found.cars[:, :, place], found.strip[:, :, place]], axis=1)
    camera = makes.camera
    km = "exit" if camera.km is None else f"{camera.km:.3f}"
    names = (makes.scenario, camera.station, camera.direction, km, "misses")
    random = generator(makes.seed, *names, day=day)
    counted = random.binomial(passed, 1.0 - _missed(passed, day, makes.traffic.rains))
    return counted[:, : len(CAR_LANE)], counted[:, len(CAR_LANE) :]


def _missed(passed: IntArray, day: int, rains: tuple[Rain, ...]) -> FloatArray:
    """Share that is missed by class in each step of a day: float64[STEPS, 6]."""
    hours = local_h()
    dark = (hours >= NIGHT_H[0]) | (hours < NIGHT_H[1])
    missed = np.where(dark[:, None], MISS["night"], MISS["day"])
    t_ms = day * (STEPS * STEP_MS) + DAY_FROM_MS + np.arange(STEPS, dtype=np.int64) * STEP_MS
    missed = missed + raining(t_ms, rains)[:, None] * np.array(MISS["rain"])
    bikes = passed[:, len(CAR_LANE) :].sum(axis=1) / H_PER_STEP
    missed[:, len(CAR_LANE) :] += (bikes * HIDDEN_PER_VEH_H)[:, None]
    return np.asarray(np.minimum(missed, 1.0), dtype=np.float64)
