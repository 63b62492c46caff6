"""The length of a queue on a bridge and the time to cross it, from the vehicles that are on it.

Two states of traffic share the bridge: a queue at its lower end, which moves as fast as the
outflow lets it, and free flow before it. With a triangular fundamental diagram (Newell 1993)
the density of each follows from its flow, and the number of vehicles tells how far the queue
reaches:

    k_j = 1000 / spacing        w = C / (k_j - C / v_f)
    k_u = q_in / v_f            k_q = k_j - q_out / w
    L_q = (N - k_u L) / (k_q - k_u)
    T   = (L - L_q) / v_f + L_q k_q / q_out          beside it: N / q_out

One vehicle too many in N makes the queue 1 / (k_q - k_u) longer, some 32 m in heavy traffic.
"""

from dataclasses import dataclass

DENSITY_GAP_VEH_KM = 10.0
"""Least difference between queue and free flow at which a length is told, vehicles per km: at
that a vehicle miscounted is 100 m (an expert's judgement, unverified)."""

MIN_PER_H = 60.0


@dataclass(frozen=True, slots=True)
class Road:
    """What one direction is reckoned with: km, km/h, vehicles an hour, m from car to car."""

    length_km: float
    free_km_h: float
    capacity_veh_h: float
    spacing_m: float

    @property
    def jam_veh_km(self) -> float:
        """Vehicles per km where all stand."""
        return 1000.0 / self.spacing_m

    @property
    def wave_km_h(self) -> float:
        """How fast the end of a standing platoon travels back.

        A capacity that would need more density than a jam has is a mistake of the registry's
        figures; it gives a wave as fast as free flow instead of one without end.
        """
        room = self.jam_veh_km - self.capacity_veh_h / self.free_km_h
        least = self.capacity_veh_h / self.free_km_h
        return self.capacity_veh_h / max(room, least)

    @property
    def full_veh(self) -> float:
        """The most vehicles that stand on the bridge."""
        return self.jam_veh_km * self.length_km

    def queued_veh_km(self, out_veh_h: float) -> float:
        """Density within a queue that lets out so much."""
        return max(self.jam_veh_km - out_veh_h / self.wave_km_h, 0.0)

    def queued_min(self, length_km: float, out_veh_h: float) -> float:
        """Minutes through so much queue; without end where nothing gets out."""
        if length_km <= 0.0:
            return 0.0
        if out_veh_h <= 0.0:
            return float("inf")
        return length_km * self.queued_veh_km(out_veh_h) / out_veh_h * MIN_PER_H


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's length, None where flow and queue are too alike to tell one from the other.

    `crossing_min` are minutes over the whole bridge, `check_min` the same as N / q_out.
    `full`: the queue fills the bridge and may reach beyond.
    """

    length_km: float | None
    crossing_min: float
    check_min: float
    full: bool


def queue_of(road: Road, vehicles: float, in_veh_h: float, out_veh_h: float) -> Queue:
    """The queue that so many vehicles on the bridge make, at these flows in and out.

    `vehicles` is within [0, road.full_veh]. Minutes are infinite where nothing gets out.
    """
    check_min = vehicles / out_veh_h * MIN_PER_H if out_veh_h > 0.0 else float("inf")
    # More than the capacity cannot flow in freely for long: it is a count's noise.
    free_veh_km = min(in_veh_h, road.capacity_veh_h) / road.free_km_h
    apart_veh_km = road.queued_veh_km(out_veh_h) - free_veh_km
    if apart_veh_km < DENSITY_GAP_VEH_KM:
        free_min = road.length_km / road.free_km_h * MIN_PER_H
        return Queue(None, max(check_min, free_min), check_min, full=False)
    told_km = (vehicles - free_veh_km * road.length_km) / apart_veh_km
    length_km = min(max(told_km, 0.0), road.length_km)
    before_min = (road.length_km - length_km) / road.free_km_h * MIN_PER_H
    crossing_min = before_min + road.queued_min(length_km, out_veh_h)
    return Queue(length_km, crossing_min, check_min, full=told_km >= road.length_km)
