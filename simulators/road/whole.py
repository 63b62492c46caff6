"""A direction as a whole, as no camera sees it: how long its queue is, how long a ride takes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray, rounded
from simulators.road.days import DAYS, WARM, days_of
from simulators.road.demand import DAY_FROM_MS, STEPS
from simulators.road.network import H_PER_STEP
from simulators.road.traffic import STEP_MS, Traffic
from simulators.road.waves import Place, at_place

GRID_KM = 0.2


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a bridge in a scenario: hashable."""

    station: str
    direction: str
    traffic: Traffic
    seed: int
    scenario: str


def queue_km(t_ms: IntArray, way: Way) -> FloatArray:
    """Length of road that lies in a queue, km, all pieces together: float64[N], on 200 m."""
    number, step = np.divmod((t_ms - DAY_FROM_MS) // STEP_MS, STEPS)
    found = np.empty(len(t_ms))
    for day in np.unique(number).tolist():
        rows = number == day
        found[rows] = _queued_km(way, day - day % DAYS)[WARM + step[rows], day % DAYS]
    return rounded(found)


def crossing_min(
    t_ms: IntArray, way: Way, *, from_km: float | None = None, to_km: float | None = None
) -> FloatArray:
    """Minutes that a ride takes for who passes `from_km` at t_ms: float64[N].

    By default over the bridge, from its entry to its exit. Infinite for who does not arrive
    before the day ends at 03:00; a road without vehicles is ridden freely.
    """
    # The last half hour of a night is that before the next day, in which a ride is over.
    number = (t_ms - DAY_FROM_MS + WARM * STEP_MS) // (STEPS * STEP_MS)
    found = np.empty(len(t_ms))
    for day in np.unique(number).tolist():
        rows = number == day
        begin_ms = day * STEPS * STEP_MS + DAY_FROM_MS
        at = WARM + (t_ms[rows] - begin_ms) / STEP_MS
        found[rows] = _minutes(way, day, at, from_km, to_km)
    return rounded(found)


def _minutes(
    way: Way, day: int, at: FloatArray, from_km: float | None, to_km: float | None
) -> FloatArray:
    first_day = day - day % DAYS
    days = days_of(way.station, way.direction, first_day, way.traffic, way.seed, way.scenario)
    road = days.rows(way.station, way.direction)[0].road
    begin = 0.0 if from_km is None else from_km
    end = road.bridge_km if to_km is None else to_km
    on, off = (_place(way, first_day, km).passed[:, day % DAYS] for km in (begin, end))
    edges = np.arange(len(on), dtype=np.float64)
    vehicle = np.interp(at, edges, on)
    # The earliest time at which as many have passed; a step is where the count rises.
    rises = np.searchsorted(off, vehicle - 1e-9)
    inside = np.clip(rises, 1, len(off) - 1)
    low, high = off[inside - 1], off[inside]
    share = np.clip((vehicle - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    arrives = np.where(rises < len(off), inside - 1 + share, np.inf)
    least = (end - begin) / road.free_km_h
    return np.asarray(np.maximum((arrives - at) * H_PER_STEP, least) * 60.0, dtype=np.float64)


def _place(way: Way, first_day: int, km: float) -> Place:
    days = days_of(way.station, way.direction, first_day, way.traffic, way.seed, way.scenario)
    chain, rows = days.rows(way.station, way.direction)
    return at_place(chain, km, days.passed, rows, days.lanes[:, rows])


@lru_cache(maxsize=8)
def _queued_km(way: Way, first_day: int) -> FloatArray:
    """At every edge of the steps: float64[T + 1, DAYS]."""
    days = days_of(way.station, way.direction, first_day, way.traffic, way.seed, way.scenario)
    first, last = days.rows(way.station, way.direction)[0].road.ends_km
    count = round((last - first) / GRID_KM)
    piece = (last - first) / count
    middles = first + (np.arange(count) + 0.5) * piece
    pieces = [_place(way, first_day, km).queued for km in middles.tolist()]
    return np.asarray(np.sum(pieces, axis=0) * piece, dtype=np.float64)
