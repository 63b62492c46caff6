"""Days of the roads for tests: times, and what a camera sees over a day."""

from datetime import date

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.noise import DAY_MS
from simulators.road.calendar import day_number
from simulators.road.demand import DAY_FROM_MS
from simulators.road.sight import Intervals, truth
from simulators.road.traffic import Camera, Traffic
from simulators.road.whole import Way

HOUR_MS = 3_600_000
FIVE_MIN_MS = 300_000
SOUTH, NORTH = "southbound", "northbound"
ONE, TWO = "rach-mieu-1", "rach-mieu-2"


def at_ms(day: date, hour: float) -> int:
    """An hour of a day in Vietnam."""
    return day_number(day) * DAY_MS - 7 * HOUR_MS + round(hour * HOUR_MS)


def times_ms(day: date, interval_ms: int = FIVE_MIN_MS, days: int = 1) -> IntArray:
    """Beginnings of intervals from 03:00 on."""
    begin = day_number(day) * DAY_MS + DAY_FROM_MS
    return begin + np.arange(0, days * DAY_MS, interval_ms, dtype=np.int64)


def hours(t_ms: IntArray) -> FloatArray:
    return np.asarray(((t_ms + 7 * HOUR_MS) % DAY_MS) / HOUR_MS, dtype=np.float64)


def seen_on(
    day: date,
    camera: Camera,
    traffic: Traffic,
    interval_ms: int = FIVE_MIN_MS,
    days: int = 1,
    seed: int = 1,
) -> tuple[FloatArray, Intervals]:
    """The hour of each interval, and the truth at a camera."""
    t_ms = times_ms(day, interval_ms, days)
    return hours(t_ms), truth(t_ms, interval_ms, camera, traffic, seed, "test")


def way(direction: str, traffic: Traffic, station: str = ONE) -> Way:
    return Way(station, direction, traffic, 1, "test")
