"""What the roads let through: bottlenecks, incidents, workings of the police, rain, crowds.

One-way working takes turns: each direction has twice its lanes for a batch and enters until
the bridge must be cleared for the other; before the bridge vehicles stand abreast on both
lanes. The toll opened (xả trạm) lets pass what the road carries, whatever the crowd of
motorbikes; a bottleneck that a scenario puts behind the bridge stays.
"""

import math

import numpy as np

from ingest.reading import BoolArray, FloatArray, IntArray
from simulators.noise import DAY_MS
from simulators.road.network import H_PER_STEP, Chain
from simulators.road.traffic import CLOSED, ONE_WAY, STEP_MS, TOLL_OPEN, Rain, Traffic, Working
from simulators.road.waves import Supply

LOCAL_MS = 25_200_000
RAIN_CAPACITY = 0.93
"""Share of the capacity that is left in rain (HCM 2000 names 0.90 to 1 for light rain)."""

MOTORBIKE_PCU = 0.3
"""A motorbike in car units (TCVN 4054:2005); so much of the car lane takes each of those that
their strip does not carry."""

LEAST_VEH_H = 250.0
"""What gets through the worst crowd; unverified."""

CLEARED_SHARE = 1.2
CLEARED_MORE_S = 60.0


def supply(
    chains: tuple[Chain, ...],
    starts_ms: IntArray,
    steps: int,
    strip_mean: FloatArray,
    traffic: Traffic,
) -> Supply:
    """For rows by chain, then by day.

    starts_ms : int64[days], when the steps of each day begin
    strip_mean : float64[chains, steps, days], motorbikes expected at each step
    """
    days = len(starts_ms)
    t_ms = starts_ms + (np.arange(steps, dtype=np.int64) * STEP_MS)[:, None]
    nodes = len(chains[0].nodes_km)
    capacity = np.full((steps, nodes, len(chains) * days), np.inf)
    lanes = np.ones((steps, len(chains) * days))
    rain = raining(t_ms, traffic.rains)
    for number, chain in enumerate(chains):
        rows = slice(number * days, (number + 1) * days)
        mine = capacity[:, :, rows]
        lanes[:, rows] = wide = _lanes(chain, t_ms, traffic)
        mine[:, -1] = _end(chain, t_ms, strip_mean[number], traffic) * wide
        mine[:, -1] *= np.where(rain, RAIN_CAPACITY, 1.0)
        for each in traffic.incidents:
            if (each.station, each.direction) == (chain.station, chain.direction):
                node = mine[:, chain.nearest(each.km)]
                left = max(each.share, 0.0) * chain.road.capacity_veh_h * wide
                during = (t_ms >= each.from_ms) & (t_ms < each.to_ms)
                node[:] = np.where(during, np.minimum(node, left), node)
        entry = mine[:, chain.entry]
        entry[:] = np.where(_may_enter(chain, t_ms, traffic), entry, 0.0)
    capacity *= H_PER_STEP
    return Supply(capacity, lanes)


def raining(t_ms: IntArray, rains: tuple[Rain, ...]) -> BoolArray:
    """Whether it rains at each time, in the shape of t_ms."""
    found = np.zeros(t_ms.shape, np.bool_)
    for each in rains:
        found |= (t_ms >= each.from_ms) & (t_ms < each.to_ms)
    return found


def _end(chain: Chain, t_ms: IntArray, strip_mean: FloatArray, traffic: Traffic) -> FloatArray:
    """Vehicles an hour that the end of the road lets through: float64[steps, days]."""
    road = chain.road
    crowd = np.maximum(strip_mean / H_PER_STEP - road.strip_veh_h, 0.0) * MOTORBIKE_PCU
    crowded = np.maximum(road.capacity_veh_h - crowd, LEAST_VEH_H)
    found = np.minimum(crowded, road.toll_veh_h)
    is_open = _worked(chain, t_ms, traffic, TOLL_OPEN)
    # Nothing holds a queue then, and none is let out at less than the road carries.
    found = np.where(is_open, np.inf, found)
    hours = ((t_ms + LOCAL_MS) % DAY_MS) / 3_600_000
    for each in traffic.bottlenecks:
        if (each.station, each.direction) == (chain.station, chain.direction):
            inside = (hours >= each.from_h) & (hours < each.to_h)
            found = np.where(inside, np.minimum(found, each.capacity_veh_h), found)
    return np.asarray(found, dtype=np.float64)


def _of(chain: Chain, traffic: Traffic, mode: str) -> list[Working]:
    return [
        each
        for each in traffic.workings
        if each.mode == mode
        and each.station == chain.station
        # One-way working concerns both directions: the one that is named goes first.
        and (mode == ONE_WAY or each.direction in ("", chain.direction))
    ]


def _worked(chain: Chain, t_ms: IntArray, traffic: Traffic, mode: str) -> BoolArray:
    found = np.zeros(t_ms.shape, np.bool_)
    for each in _of(chain, traffic, mode):
        found |= (t_ms >= each.from_ms) & (t_ms < each.to_ms)
    return found


def _lanes(chain: Chain, t_ms: IntArray, traffic: Traffic) -> FloatArray:
    return np.where(_worked(chain, t_ms, traffic, ONE_WAY), 2.0, 1.0)


def closed(chain: Chain, t_ms: IntArray, traffic: Traffic) -> BoolArray:
    """Whether nobody at all is let onto the bridge at each time, in the shape of t_ms."""
    return _worked(chain, t_ms, traffic, CLOSED)


def _may_enter(chain: Chain, t_ms: IntArray, traffic: Traffic) -> BoolArray:
    """Whether a direction is let onto its bridge."""
    may = ~closed(chain, t_ms, traffic)
    for each in _of(chain, traffic, ONE_WAY):
        batch_ms = max(round(each.batch_s * 1000), 2 * STEP_MS)
        batch, within_ms = np.divmod(t_ms - each.from_ms, batch_ms)
        first = each.direction or "southbound"
        mine = (batch % 2 == 0) == (chain.direction == first)
        ride_s = chain.road.bridge_km / chain.road.free_km_h * 3600.0
        clear_ms = min(math.ceil(1000.0 * (CLEARED_SHARE * ride_s + CLEARED_MORE_S)), batch_ms // 2)
        during = (t_ms >= each.from_ms) & (t_ms < each.to_ms)
        may &= ~during | (mine & (within_ms < batch_ms - clear_ms))
    return np.asarray(may, dtype=np.bool_)
