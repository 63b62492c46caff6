"""Counts of vehicles into flow, density and level of service of a direction of a bridge.

Level of service is indicative: its densities are the Highway Capacity Manual's for
freeways, and Rạch Miễu 1 is a road of two lanes.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ingest.reading import DECIMALS, VEHICLE_CLASSES, rounded

PCU = {
    "motorbike": 0.3,
    "car": 1.0,
    "bus": 2.5,
    "truck": 2.0,
    "trailer": 4.0,
    "bicycle": 0.2,
    "other": 1.0,
}
"""Passenger car units of a vehicle, TCVN 4054:2005 in flat country (the table itself was not
seen: unverified). Of its classes, `bus` is the large bus and `truck` the truck of two axles,
as cameras see them; `other` counts as a car."""

CARS = ("car", "bus", "truck", "trailer")
"""Vehicles of the car lane. Motorbikes have a strip of their own and go on while cars stand."""

JAM_SPACING_M = 7.0
"""From car to car where traffic stands (an expert's judgement)."""

DENSITY_PCU_KM_LANE_MAX = (6.8, 11.2, 16.2, 21.7, 28.0)
"""The most of each level of service A to E, HCM's 11, 18, 26, 35, 45 cars a mile and lane."""

ROLLOVERS = (2**16, 2**32)
"""Where counters of cameras start again at zero by themselves."""

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class LaneInterval:
    """What one lane showed in `[t0, t1)`, ms UTC; None is absent.

    `counts` are vehicles by class within the interval, whatever a camera's classes are.
    """

    lane: int
    t0: int
    t1: int
    counts: Mapping[str, int] | None
    speed_km_h: float | None
    occupancy: float | None
    queue_m: float | None


def counts_between(
    previous: Mapping[str, int] | None, current: Mapping[str, int]
) -> dict[str, int]:
    """Vehicles by class between two readings of counters that only rise until they are reset.

    `previous` is the reading before, or None. Nothing follows from a first total, of all or
    of one class: it says nothing of its interval, and a class that was left out once would
    count all its past again.

    - All counters were reset, their sum has fallen: what they show has been counted since.
    - One alone has fallen from the upper tenth of a 16- or 32-bit counter: it ran over.
    - One alone has fallen otherwise: what it shows has been counted since.

    What passed between the previous reading and a reset is not known and not made up.
    """
    if previous is None:
        return {}
    if _was_reset(previous, current):
        return dict(current)
    return {
        name: _counted(previous[name], total) for name, total in current.items() if name in previous
    }


NO_USES: Mapping[int, str] = MappingProxyType({})


def direction_values(
    lanes: Sequence[LaneInterval], uses: Mapping[int, str] = NO_USES
) -> dict[str, float]:
    """Quantities of one direction from those of its lanes that have come, rounded.

    `uses` are all registered lanes of the direction with what each is for ("car",
    "motorbike", "mixed"); a lane that it does not name is mixed.

    Flow and counts are summed, speed is weighted by count, occupancy is the mean over the
    lanes, the queue is the longest. Lanes that lack a figure are left out of it; that one
    lacks it is the caller's to flag. What no lane has is absent.
    """
    # In a fixed order, so that the sums do not depend on which lane came first.
    ordered = sorted(lanes, key=lambda lane: lane.lane)
    counted = [(lane, folded(lane.counts)) for lane in ordered if lane.counts is not None]
    values: dict[str, float] = {}
    if counted:
        values["flow_veh_h"] = sum(sum(c.values()) * _per_hour(lane) for lane, c in counted)
        values["flow_pcu_h"] = sum(_pcu(c) * _per_hour(lane) for lane, c in counted)
        for name in VEHICLE_CLASSES:
            found = [c[name] for _, c in counted if name in c]
            if found:
                values[f"count_{name}"] = float(sum(found))
    speed = _speed_km_h(ordered)
    if speed is not None:
        # Rounded before it divides: what shows as zero must not give a density without end.
        values["speed_km_h"] = round(speed, DECIMALS)
    occupancies = [lane.occupancy for lane in ordered if lane.occupancy is not None]
    if occupancies:
        values["occupancy"] = sum(occupancies) / len(occupancies)
    queues = [lane.queue_m for lane in ordered if lane.queue_m is not None]
    if queues:
        values["queue_m"] = max(queues)
    values |= _cars_and_motorbikes(ordered, uses)
    density, lanes_seen = _density_pcu_km(values, len(counted), len(occupancies))
    if density is not None:
        values["density_pcu_km"] = density
        values["level_of_service"] = float(level_of_service(density / lanes_seen))
    columns = rounded(np.array(list(values.values()), dtype=np.float64))
    return dict(zip(values, columns.tolist(), strict=True))


def _cars_and_motorbikes(
    ordered: Sequence[LaneInterval], uses: Mapping[int, str]
) -> dict[str, float]:
    """What cars and motorbikes do apart: from the lanes of each, else from mixed ones.

    A mixed lane has one speed. Where it stands for the cars' it is not told as the
    motorbikes' too: that would let them stand whenever cars do. The flow of cars is of all
    lanes, since it is counted by class.
    """
    named = {uses.get(lane.lane, "mixed") for lane in ordered} | set(uses.values())
    for_cars = "car" if "car" in named else "mixed"
    for_motorbikes = "motorbike" if "motorbike" in named or for_cars == "mixed" else "mixed"
    cars = [lane for lane in ordered if uses.get(lane.lane, "mixed") == for_cars]
    strip = [lane for lane in ordered if uses.get(lane.lane, "mixed") == for_motorbikes]
    values: dict[str, float] = {}
    counted = [lane for lane in ordered if lane.counts is not None]
    if any(name in CARS for lane in counted for name in lane.counts or {}):
        values["flow_car_veh_h"] = sum(_of(lane, CARS) * _per_hour(lane) for lane in counted)
    for quantity, among, classes in (
        ("speed_car_km_h", cars, CARS),
        ("speed_motorbike_km_h", strip, ("motorbike",)),
    ):
        speed = _speed_km_h(among, classes)
        if speed is not None:
            values[quantity] = speed
    occupancies = [lane.occupancy for lane in cars if lane.occupancy is not None]
    if occupancies:
        values["occupancy_car"] = sum(occupancies) / len(occupancies)
    return values


def _of(lane: LaneInterval, classes: Collection[str]) -> int:
    """Vehicles of some classes that a lane has counted."""
    return sum(count for name, count in (lane.counts or {}).items() if name in classes)


def folded(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by the classes of `VEHICLE_CLASSES`; all others are `other`."""
    known: dict[str, int] = {}
    for name, count in counts.items():
        kept = name if name in PCU else "other"
        known[kept] = known.get(kept, 0) + count
    return known


def level_of_service(density_pcu_km_lane: float) -> int:
    """1 to 6 for A to F, from the density of a lane; a limit still belongs to the better."""
    return bisect_left(DENSITY_PCU_KM_LANE_MAX, density_pcu_km_lane) + 1


def _density_pcu_km(
    values: Mapping[str, float], lanes_counted: int, lanes_occupied: int
) -> tuple[float | None, int]:
    """Density and the number of lanes that it is of.

    Flow over speed, or, where no vehicle passed or none moves, what the occupancy suggests:
    in a standing queue flow over speed would give an empty road. A lane occupied all the
    time is one of standing cars.
    """
    flow, speed = values.get("flow_pcu_h", 0.0), values.get("speed_km_h", 0.0)
    if flow > 0.0 and speed > 0.0:
        return flow / speed, lanes_counted
    if lanes_occupied:
        return values["occupancy"] * lanes_occupied * 1000.0 / JAM_SPACING_M, lanes_occupied
    return None, 0


def _speed_km_h(
    lanes: Sequence[LaneInterval], classes: Collection[str] | None = None
) -> float | None:
    """The lanes' speeds, weighted by the vehicles counted, of some classes or of all."""
    measured = [
        (
            lane.speed_km_h,
            sum((lane.counts or {}).values()) if classes is None else _of(lane, classes),
        )
        for lane in lanes
        if lane.speed_km_h is not None
    ]
    if not measured:
        return None
    total = sum(weight for _, weight in measured)
    if total == 0:
        # Nobody counted, or nobody passed: a camera still sees how those who stand move.
        return sum(speed for speed, _ in measured) / len(measured)
    return sum(speed * weight for speed, weight in measured) / total


def _per_hour(lane: LaneInterval) -> float:
    assert lane.t1 > lane.t0, f"lane {lane.lane} has an interval of {lane.t1 - lane.t0} ms"
    return HOUR_MS / (lane.t1 - lane.t0)


def _pcu(counts: Mapping[str, int]) -> float:
    return sum(PCU[name] * count for name, count in counts.items())


def _was_reset(previous: Mapping[str, int], current: Mapping[str, int]) -> bool:
    """Whether all counters of a camera have started again, not one alone."""
    common = previous.keys() & current.keys()
    fallen = [name for name in common if current[name] < previous[name]]
    if all(_limit_passed(previous[name], current[name]) is not None for name in fallen):
        return False
    return sum(current[name] for name in common) < sum(previous[name] for name in common)


def _counted(previous: int, total: int) -> int:
    if total >= previous:
        return total - previous
    limit = _limit_passed(previous, total)
    return total if limit is None else total + limit - previous


def _limit_passed(previous: int, total: int) -> int | None:
    """The size of the counter that ran over from `previous` to `total`, if it looks like it."""
    for limit in ROLLOVERS:
        if limit * 9 // 10 <= previous < limit and total < limit // 10:
            return limit
    return None
