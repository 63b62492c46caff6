"""Traffic over a bridge: arrivals by the hour, a point queue, a triangular fundamental diagram.

Vehicles of the car lane arrive by a Poisson process whose rate follows the hour. They leave
at the capacity of the bottleneck at most; the rest wait. A queue that has formed lets out
only 85 % of it (capacity drop; Hall and Agyemang-Duah 1991), so that a breakdown lasts until
the queue is gone. In the queue density is k_q = k_j - c / w, before it k_u = q / v_f
(Newell 1993); what a camera sees is a mixture of both by the share of time, and speed is
flow over density, so flow, speed, occupancy and queue agree. Motorbikes have a strip of their
own and go on while cars stand.

That is the lower end, where the bottleneck is. At the entry cars come on freely until the queue
has filled the bridge; then as many as leave, and the others wait where nobody sees them. So
what came on less what left is on the bridge, as at the real one.

Figures of Rạch Miễu 1: free speed 45 km/h, capacity 900 vehicles an hour in the one car lane,
a mean spacing of 9.15 m in a standing queue, 18,000 to 20,000 car trips a day in both
directions with the peak at 15-20 h. The shapes of the day and all of Rạch Miễu 2 are unverified.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.reading import FloatArray, IntArray, rounded
from simulators.noise import DAY_MS, generator

STEP_MS = 20_000
STEPS = DAY_MS // STEP_MS
DAY_FROM_MS = 10_800_000 - 25_200_000
"""The bridge's day begins at 03:00 in Vietnam, when no queue is left to cut in two."""

CAR_LANE = ("car", "bus", "truck", "trailer")
CAR_LANE_MIX = (0.60, 0.10, 0.25, 0.05)
STRIP = ("motorbike", "bicycle")
VEHICLE_M = 6.6
"""Mean length of a vehicle with what a detector adds, m: density to occupancy."""

VIEW_M = 800.0
"""How far back a camera sees a queue."""

MOTORBIKE_KM_H = 34.0
_BREAKDOWN_VEH = 12
_DROP = 0.85

# Share of a day's vehicles in each hour from 00:00 local time, before they are made to sum to 1.
_CARS = (
    10,
    8,
    8,
    10,
    18,
    32,
    46,
    55,
    56,
    52,
    48,
    44,
    42,
    44,
    50,
    62,
    72,
    75,
    70,
    60,
    46,
    36,
    24,
    16,
)
_BIKES = (
    6,
    4,
    4,
    8,
    24,
    60,
    88,
    80,
    56,
    46,
    44,
    46,
    40,
    42,
    46,
    54,
    82,
    90,
    68,
    52,
    36,
    24,
    16,
    10,
)


@dataclass(frozen=True, slots=True)
class Bridge:
    """One direction of a bridge: the car lanes together, and the motorbikes' strip."""

    free_km_h: float
    capacity_veh_h: float
    jam_veh_km: float
    cars_a_day: float
    motorbikes_a_day: float


RACH_MIEU_1 = Bridge(45.0, 900.0, 1000.0 / 9.15, 9500.0, 21_000.0)
RACH_MIEU_2 = Bridge(70.0, 1800.0, 1000.0 / 9.15, 8000.0, 12_000.0)
BRIDGES = {"rach-mieu-1": RACH_MIEU_1, "rach-mieu-2": RACH_MIEU_2}


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Every day from `from_h` to `to_h`, local time, a direction lets through less."""

    station: str
    direction: str
    from_h: float
    to_h: float
    capacity_veh_h: float


@dataclass(frozen=True, slots=True)
class Road:
    """What makes one direction's days: hashable, so that a day is computed once."""

    station: str
    direction: str
    bridge: Bridge
    demand: float
    bottlenecks: tuple[Bottleneck, ...]
    seed: int
    scenario: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day in steps of 20 s, from 03:00 local time.

    cars, strip : int64[STEPS, classes], vehicles that passed, by `CAR_LANE` and `STRIP`
    queue_veh : int64[STEPS], vehicles waiting at the end of the step
    broken : bool[STEPS], whether the queue stands
    capacity_veh_h : float64[STEPS], what the bottleneck lets out
    arrived : int64[STEPS], vehicles of the car lane that came, wherever they wait
    """

    cars: IntArray
    strip: IntArray
    queue_veh: IntArray
    broken: NDArray[np.bool_]
    capacity_veh_h: FloatArray
    arrived: IntArray


@dataclass(frozen=True, slots=True)
class Intervals:
    """What is seen of one direction in N intervals; speed is NaN where no car passed.

    cars, strip : int64[N, classes]; the others float64[N]: km/h, share of 1, m
    """

    cars: IntArray
    strip: IntArray
    speed_km_h: FloatArray
    occupancy: FloatArray
    queue_m: FloatArray
    density_veh_km: FloatArray


def intervals(
    t0_ms: IntArray, interval_ms: int, road: Road, *, entry_km: float | None = None
) -> Intervals:
    """Counts and states over [t0, t0 + interval). Both are multiples of `STEP_MS`.

    They are those of the lower end; with `entry_km`, the length of the bridge, of its entry.
    """
    if interval_ms <= 0 or interval_ms % STEP_MS:
        msg = f"interval {interval_ms} ms: a multiple of {STEP_MS} ms is accepted"
        raise ValueError(msg)
    steps_each = interval_ms // STEP_MS
    first = (t0_ms - DAY_FROM_MS) // STEP_MS
    steps = first[:, None] + np.arange(steps_each)
    day = _gather(steps, road, entry_km)
    cars, strip = day.cars.sum(axis=1), day.strip.sum(axis=1)
    flow = cars.sum(axis=1) * (3_600_000.0 / interval_ms)
    bridge = road.bridge
    density, queue_m = _density(bridge, flow, day)
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.where(flow > 0, flow / density, np.nan)
    return Intervals(
        cars,
        strip,
        rounded(np.minimum(speed, bridge.free_km_h)),
        rounded(np.minimum(density * VEHICLE_M / 1000.0, 1.0)),
        rounded(queue_m),
        density,
    )


def wave_km_h(bridge: Bridge) -> float:
    """Speed at which a queue's state travels back: the falling side of the triangle."""
    return bridge.capacity_veh_h / (bridge.jam_veh_km - bridge.capacity_veh_h / bridge.free_km_h)


def _density(bridge: Bridge, flow: FloatArray, day: Day) -> tuple[FloatArray, FloatArray]:
    """Density, vehicles per km, and length of the queue, m, both float64[N]."""
    free = flow / bridge.free_km_h
    queued = bridge.jam_veh_km - day.capacity_veh_h.mean(axis=1) / wave_km_h(bridge)
    share = day.broken.mean(axis=1)
    density = share * np.maximum(queued, free) + (1.0 - share) * free
    excess = np.maximum(queued - free, 1.0)
    waiting = np.where(day.broken, day.queue_veh, 0).max(axis=1)
    return density, np.minimum(1000.0 * waiting / excess, VIEW_M)


def _gather(steps: IntArray, road: Road, entry_km: float | None) -> Day:
    """The steps [N, M] out of the days that they lie in."""
    number, within = np.divmod(steps, STEPS)
    shape = steps.shape
    found = Day(
        np.zeros((*shape, len(CAR_LANE)), np.int64),
        np.zeros((*shape, len(STRIP)), np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.float64),
        np.zeros(shape, np.int64),
    )
    for each in np.unique(number):
        day = (
            simulate_day(road, int(each))
            if entry_km is None
            else at_the_entry(road, int(each), entry_km)
        )
        rows = number == each
        found.cars[rows] = day.cars[within[rows]]
        found.strip[rows] = day.strip[within[rows]]
        found.queue_veh[rows] = day.queue_veh[within[rows]]
        found.broken[rows] = day.broken[within[rows]]
        found.capacity_veh_h[rows] = day.capacity_veh_h[within[rows]]
        found.arrived[rows] = day.arrived[within[rows]]
    return found


@lru_cache(maxsize=64)
def simulate_day(road: Road, number: int) -> Day:
    """The day of this number, counted in days of the bridge from 1970."""
    random = generator(road.seed, road.scenario, road.station, road.direction, day=number)
    steps = np.arange(STEPS, dtype=np.float64)
    local_h: FloatArray = np.mod(3.0 + (steps + 0.5) * (STEP_MS / 3_600_000.0), 24.0)
    busy = road.demand * float(np.exp(0.05 * random.standard_normal()))
    arrivals = random.poisson(_rate(_CARS, road.bridge.cars_a_day * busy, local_h, number))
    strip_rate = _rate(_BIKES, road.bridge.motorbikes_a_day * busy, local_h, number)
    strip = np.stack([random.poisson(0.98 * strip_rate), random.poisson(0.02 * strip_rate)], axis=1)
    capacity = np.full(STEPS, road.bridge.capacity_veh_h)
    for narrow in road.bottlenecks:
        if (narrow.station, narrow.direction) == (road.station, road.direction):
            inside = (local_h >= narrow.from_h) & (local_h < narrow.to_h)
            capacity[inside] = np.minimum(capacity[inside], narrow.capacity_veh_h)
    left, queue, broken, outflow = _point_queue(arrivals, capacity)
    cars = random.multinomial(left, CAR_LANE_MIX)
    return Day(cars.astype(np.int64), strip.astype(np.int64), queue, broken, outflow, arrivals)


@lru_cache(maxsize=64)
def at_the_entry(road: Road, number: int, length_km: float) -> Day:
    """The same day as the camera at the other end of the bridge sees it.

    `queue_veh` are those that wait before the bridge; `broken` while there are any.
    """
    day = simulate_day(road, number)
    bridge = road.bridge
    queued = bridge.jam_veh_km - day.capacity_veh_h / wave_km_h(bridge)
    room = np.maximum(queued - day.capacity_veh_h / bridge.free_km_h, 1.0) * length_km
    # As many as the densest queue of the day holds: one that thins out lets nobody back.
    outside = np.maximum(day.queue_veh - int(np.max(room)), 0)
    entered = day.arrived - np.diff(outside, prepend=0)
    random = generator(road.seed, road.scenario, road.station, road.direction, "entry", day=number)
    cars = random.multinomial(entered, CAR_LANE_MIX).astype(np.int64)
    return Day(cars, day.strip, outside, outside > 0, day.capacity_veh_h, day.arrived)


def _rate(
    shape: tuple[int, ...], vehicles_a_day: float, local_h: FloatArray, number: int
) -> FloatArray:
    """Vehicles expected in each step. Sundays and Saturdays have a fuller evening."""
    weights = np.array(shape, dtype=np.float64)
    hourly = np.interp(local_h - 0.5, np.arange(24), weights / weights.sum(), period=24.0)
    weekday = (number + 3) % 7  # 1970-01-01 was a Thursday
    if weekday >= 5:
        hourly = hourly * np.where((local_h >= 15.0) & (local_h < 20.0), 1.35, 1.0)
    return np.asarray(vehicles_a_day * hourly * (STEP_MS / 3_600_000.0), dtype=np.float64)


def _point_queue(
    arrivals: IntArray, capacity_veh_h: FloatArray
) -> tuple[IntArray, IntArray, NDArray[np.bool_], FloatArray]:
    """Left, waiting, broken down and let-out capacity by step.

    A loop, since the capacity drop makes each step depend on the one before; 4,320 steps of a
    day take 2 ms and are kept.
    """
    n = len(arrivals)
    left, queue = np.zeros(n, np.int64), np.zeros(n, np.int64)
    broken, outflow = np.zeros(n, np.bool_), np.zeros(n, np.float64)
    waiting, credit, standing = 0, 0.0, False
    for step, (come, capacity) in enumerate(
        zip(arrivals.tolist(), capacity_veh_h.tolist(), strict=True)
    ):
        out_veh_h = capacity * _DROP if standing else capacity
        credit += out_veh_h * (STEP_MS / 3_600_000.0)
        gone = min(waiting + come, int(credit))
        # Capacity that nobody used is lost, but for the vehicle that is about to leave.
        credit = min(credit - gone, 1.0)
        waiting += come - gone
        standing = waiting > (0 if standing else _BREAKDOWN_VEH)
        left[step], queue[step], broken[step], outflow[step] = gone, waiting, standing, out_veh_h
    return left, queue, broken, outflow
