"""Newell's simplified theory of kinematic waves on chains of links, in cumulative counts.

The link transmission model (Yperman 2007): N(x, t) is the number of vehicles that have passed
x by t. At the lower end of a link arrives what came in a free ride earlier, at its upper end
there is room for what left a wave's ride earlier and for what a standing link holds; a node
passes on the least of both and of its capacity. Between, Newell's three detectors (1993, part
II): N is the smaller of what either end allows. So density and flow lie on the triangular
diagram everywhere and at all times, whatever happens at the nodes.

A node whose capacity holds a queue lets out 85 % of it while the queue stands (capacity drop;
Hall and Agyemang-Duah 1991).

Everything is vectorised over rows (days and directions), which do not touch each other but by
the drivers' choice, and stepped in time. Only sums, products and comparisons are used, whose
bits are the same on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.reading import BoolArray, FloatArray, IntArray
from simulators.road.network import H_PER_STEP, Chain

DROP = 0.85
BREAKDOWN_VEH = 12.0
"""So many are late at a node before its queue stands, and the drop begins; unverified."""

_OVER_VEH = 0.5


@dataclass(frozen=True, slots=True)
class Links:
    """K links of R rows. Delays in steps; `fill_veh` are the vehicles of a standing link.

    ride, wave, fill_veh, most_veh : float64[K, R]; most_veh is what passes in one step
    """

    ride: FloatArray
    wave: FloatArray
    fill_veh: FloatArray
    most_veh: FloatArray

    @property
    def longest(self) -> int:
        """The longest delay, in whole steps: a wave through a link, or a free ride through all."""
        return int(np.ceil(max(self.ride.sum(axis=0).max(), self.wave.max())))


@dataclass(frozen=True, slots=True)
class Supply:
    """What the nodes let through, in T steps of R rows.

    capacity_veh : float64[T, K + 1, R], vehicles a step, infinite where nothing narrows
    lanes : float64[T, R], how many times the usual lanes a direction has
    """

    capacity_veh: FloatArray
    lanes: FloatArray


Entering = Callable[[int, FloatArray, FloatArray], FloatArray]
"""(step, N behind the last node, N wished) -> N wished at the end of the step: float64[R].

Both N are of every edge up to the beginning of the step: float64[step + 1, R]."""


def links_of(chains: tuple[Chain, ...], days: int) -> Links:
    """The links of chains, each `days` times in a row."""
    rows = [each for each in chains for _ in range(days)]
    nodes = np.array([each.nodes_km for each in rows], dtype=np.float64).T
    length = np.diff(nodes, axis=0)
    free, wave, jam, most = (
        np.array([getattr(each.road, name) for each in rows], dtype=np.float64)
        for name in ("free_km_h", "wave_km_h", "jam_veh_km", "capacity_veh_h")
    )
    return Links(
        length / free / H_PER_STEP,
        length / wave / H_PER_STEP,
        length * jam,
        np.broadcast_to(most * H_PER_STEP, length.shape).copy(),
    )


@dataclass(slots=True)
class Passed:
    """N at the nodes: float64[pad + T + 1, K + 1, R], zero in the first `pad` steps.

    wished : float64[T + 1, R], vehicles that set out; those who have not passed node 0 wait
        where nobody sees them
    """

    pad: int
    at_node: FloatArray
    wished: FloatArray

    def late(self, node: int, rows: slice, steps: float) -> FloatArray:
        """N of a node so many steps ago, at each edge of the steps: float64[T + 1, rows]."""
        whole = int(np.ceil(steps))
        first = self.pad - whole
        if first < 0:
            msg = f"{steps} steps ago: at most {self.pad} are accepted"
            raise ValueError(msg)
        count = len(self.wished)
        at = self.at_node[first : first + count, node, rows]
        if whole == steps:
            return at
        after = self.at_node[first + 1 : first + 1 + count, node, rows]
        return at + (whole - steps) * (after - at)


class _Delayed:
    """N of some nodes of all rows, each by its own delay, at one step after the other."""

    def __init__(self, flat: FloatArray, pad: int, delay: FloatArray, nodes: IntArray) -> None:
        links, rows = delay.shape
        whole = np.ceil(delay).astype(np.int64)
        self._share = whole - delay
        self._stride = (links + 1) * rows
        self._at = (pad + 1 - whole) * self._stride + nodes[:, None] * rows + np.arange(rows)
        self._flat = flat

    def next(self) -> FloatArray:
        """At the end of the step, float64[K, R]; a delay is a step at least."""
        before: FloatArray = self._flat.take(self._at)
        self._at += self._stride
        after: FloatArray = self._flat.take(self._at)
        after -= before
        after *= self._share
        after += before
        return after


def run(links: Links, supply: Supply, entering: Entering) -> Passed:
    """Step all rows through T steps from empty roads."""
    steps, nodes, rows = supply.capacity_veh.shape
    if min(links.ride.min(), links.wave.min()) < 1.0:
        msg = "a link is crossed in less than a step: longer ones are accepted"
        raise ValueError(msg)
    pad = links.longest + 1
    # One step more at the end: what is multiplied by nothing is read there.
    passed = np.zeros((pad + steps + 2, nodes, rows))
    wished = np.zeros((steps + 1, rows))
    flat = passed.reshape(-1)
    upper = np.arange(nodes - 1)
    arrived = _Delayed(flat, pad, links.ride, upper)
    # Who would have come if the road were free all the way from its beginning.
    due = _Delayed(flat, pad, np.cumsum(links.ride, axis=0), np.zeros_like(upper))
    room = _Delayed(flat, pad, links.wave, upper + 1)
    standing = np.zeros((nodes - 1, rows), np.bool_)
    can = np.empty((nodes, rows))
    takes = np.full((nodes, rows), np.inf)
    for step in range(steps):
        now = passed[pad + step]
        lanes = supply.lanes[step]
        wished[step + 1] = entering(step, passed[pad : pad + step + 1, -1], wished[: step + 1])
        most = links.most_veh * lanes
        waiting = arrived.next()
        waiting -= now[1:]
        can[0] = wished[step + 1] - now[0]
        np.minimum(waiting, most, out=can[1:])
        free = room.next()
        free += links.fill_veh * lanes
        free -= now[:-1]
        np.minimum(free, most, out=takes[:-1])
        capacity = supply.capacity_veh[step].copy()
        capacity[1:] *= np.where(standing, DROP, 1.0)
        np.minimum(can, takes, out=can)
        np.minimum(can, capacity, out=can)
        np.maximum(can, 0.0, out=can)
        np.add(now, can, out=passed[pad + step + 1])
        waiting -= can[1:]
        late = due.next()
        late -= passed[pad + step + 1, 1:]
        standing = _stands(waiting, late, standing, held=can[1:] >= capacity[1:])
    return Passed(pad, passed[:-1], wished)


def _stands(
    waiting: FloatArray, late: FloatArray, before: BoolArray, *, held: BoolArray
) -> BoolArray:
    """Whether a node's own capacity holds a queue: bool[K, R].

    It begins by all who are late, wherever they stand, since a link has room for few more in
    a queue that moves than in free flow; it is over when nobody waits at the node.
    """
    begins = before | (late > BREAKDOWN_VEH)
    return np.asarray(begins & (waiting > _OVER_VEH) & held, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Place:
    """What passed a place by each edge of the steps, and how much of it a queue allowed.

    passed : float64[T + 1, days], rising
    excess_veh : float64[T + 1, days], by how many vehicles a queue holds back what would have
        come; over nothing: the place lies in a queue
    """

    passed: FloatArray
    excess_veh: FloatArray

    @property
    def queued(self) -> NDArray[np.bool_]:
        return self.excess_veh > _OVER_VEH


def at_place(chain: Chain, km: float, found: Passed, rows: slice, lanes: FloatArray) -> Place:
    """Newell's three detectors at a place of a chain: rows of that chain, lanes float64[T, days]."""
    road = chain.road
    first, last = road.ends_km
    at_km = min(max(km, first), last)
    link = chain.link_at(at_km)
    before_km, after_km = at_km - chain.nodes_km[link], chain.nodes_km[link + 1] - at_km
    above = found.late(link, rows, before_km / road.free_km_h / H_PER_STEP)
    below = found.late(link + 1, rows, after_km / road.wave_km_h / H_PER_STEP)
    # The state at the end of a step is that of the lanes of the step.
    wide = np.concatenate([lanes[:1], lanes])
    allowed = below + road.jam_veh_km * after_km * wide
    # Where lanes are taken away vehicles cannot go back.
    passed = np.maximum.accumulate(np.minimum(above, allowed), axis=0)
    return Place(passed, above - allowed)
