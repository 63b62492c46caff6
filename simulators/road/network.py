"""The roads over the bridges, and the links that they are cut into.

A direction is a chain of links: the approach, the bridge, and a piece behind it up to the
toll plaza or the narrow Rạch Chuối, where what comes over the bridge is held up. Its traffic
obeys one triangular fundamental diagram (Newell 1993): free speed v_f, capacity C, density
k_j where all stand, and the wave at w = C / (k_j - C / v_f) by which a queue's state travels
back.
"""

from dataclasses import dataclass

from simulators.road.traffic import STEP_MS, Traffic

SPACING_M = 9.15
"""Mean distance from vehicle to vehicle in a standing queue of the mixture 60 % cars at 7 m,
10 % buses at 13, 25 % trucks at 11, 5 % trailers at 18; unverified."""

H_PER_STEP = STEP_MS / 3_600_000.0
DIRECTIONS = ("southbound", "northbound")


@dataclass(frozen=True, slots=True)
class Road:
    """One direction over one bridge; all lanes for cars together.

    toll_veh_h : what the end of the road lets through on an ordinary day
    strip_veh_h : motorbikes an hour that their strip carries; more of them crowd the end
    """

    approach_km: float
    bridge_km: float
    beyond_km: float
    free_km_h: float
    capacity_veh_h: float
    jam_veh_km: float
    lanes: int
    toll_veh_h: float
    strip_veh_h: float

    @property
    def wave_km_h(self) -> float:
        return self.capacity_veh_h / (self.jam_veh_km - self.capacity_veh_h / self.free_km_h)

    @property
    def ends_km(self) -> tuple[float, float]:
        """From where to where the road goes, counted from the entry of the bridge."""
        return -self.approach_km, self.bridge_km + self.beyond_km

    def queued_veh_km(self, flow_veh_h: float) -> float:
        """Density in a queue that flows so much."""
        return self.jam_veh_km - flow_veh_h / self.wave_km_h


RACH_MIEU_1 = Road(12.0, 2.868, 0.6, 45.0, 900.0, 1000.0 / SPACING_M, 1, 880.0, 1800.0)
"""One lane for cars and a strip for motorbikes each way. The length is published; the other
figures are an expert's judgement, unverified."""

RACH_MIEU_2 = Road(8.0, 1.97, 0.6, 70.0, 1800.0, 2000.0 / SPACING_M, 2, 1800.0, 4000.0)
"""Two lanes each way, of which motorbikes share the right one; all but the length unverified."""

ROADS = {"rach-mieu-1": RACH_MIEU_1, "rach-mieu-2": RACH_MIEU_2}

CORRIDOR = ("rach-mieu-1", "rach-mieu-2")
"""Bridges between which drivers choose; the first is open to trucks."""

SECOND_OPENED_DAY = 20_319
"""19/8/2025, in days from 1970: the second bridge is opened (vnexpress.net 4931070)."""

LEAST_LINK_KM = 0.4
"""A vehicle takes longer than a step over every link (0.39 km at 70 km/h)."""


def road_of(station: str) -> Road:
    """A bridge that is not known is one like the first."""
    return ROADS.get(station, RACH_MIEU_1)


@dataclass(frozen=True, slots=True)
class Chain:
    """A direction of a station with the nodes between its links: km, rising."""

    station: str
    direction: str
    road: Road
    nodes_km: tuple[float, ...]

    @property
    def entry(self) -> int:
        """The node where the bridge begins."""
        return self.nodes_km.index(0.0)

    def nearest(self, km: float) -> int:
        """The node next to a place; the ends of the road are none of its places."""
        inner = range(1, len(self.nodes_km) - 1)
        return min(inner, key=lambda node: abs(self.nodes_km[node] - km))

    def link_at(self, km: float) -> int:
        """The link in which a place lies."""
        links = range(len(self.nodes_km) - 1)
        return next((each for each in links if km <= self.nodes_km[each + 1]), links[-1])


def chains(
    stations: tuple[str, ...], directions: tuple[str, ...], traffic: Traffic
) -> tuple[Chain, ...]:
    """The chains of all directions, all with as many links: by station, then by direction."""
    found = [
        (station, direction, road_of(station), _nodes_km(station, direction, traffic))
        for station in stations
        for direction in directions
    ]
    most = max(len(nodes) for _, _, _, nodes in found)
    return tuple(
        Chain(station, direction, road, tuple(_padded(nodes, most)))
        for station, direction, road, nodes in found
    )


def _nodes_km(station: str, direction: str, traffic: Traffic) -> list[float]:
    """The ends of the links: of the road's own, and of where incidents are."""
    road = road_of(station)
    first, last = road.ends_km
    nodes = [first, 0.0, road.bridge_km, last]
    for each in traffic.incidents:
        if (each.station, each.direction) == (station, direction):
            # At the beginning of the road there is no node to be had: the first place behind it.
            km = max(round(each.km, 3), first + LEAST_LINK_KM)
            if km < last and min(abs(km - node) for node in nodes) >= LEAST_LINK_KM:
                nodes.append(km)
    return sorted(nodes)


def _padded(nodes_km: list[float], most: int) -> list[float]:
    """More nodes, where nothing happens: each halves the longest link."""
    nodes = list(nodes_km)
    while len(nodes) < most:
        gap = max(range(len(nodes) - 1), key=lambda each: nodes[each + 1] - nodes[each])
        nodes.insert(gap + 1, (nodes[gap] + nodes[gap + 1]) / 2.0)
    return nodes
