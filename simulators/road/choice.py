"""Which way drivers go, and who stays at home: by the wait that they hear of.

Between two bridges cars choose in proportion to T^-4 of the times of their ways T (the
distribution of Kirchhoff, a logit of the logarithm of time). Of those who hear of a wait d a
share 1 / (1 + (d / 36 min)²) drives nevertheless; the others take the ferry or another hour,
which keeps the queues of holidays within the 5 to 10 km that are known. Both figures are
unverified. What is heard is told anew every five minutes.
"""

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.road.network import H_PER_STEP, Chain

PATIENCE_MIN = 36.0
HEARD_STEPS = 15
RATE_STEPS = 90
"""A queue's pace is that of the last half hour."""

LEAST_VEH_H = 100.0
MOST_MIN = 300.0
"""Longest wait that is told: four to five hours were reported at Tết (vietnam.vn)."""

QUEUE_VEH = 12.0
WAY_MIN = 14.0
"""Over either bridge without a queue."""

ODDS = 3.0
"""So many times as many cars that may choose go over the second bridge when both are free."""


class Choice:
    """Those who set out, step by step, of R rows: first all of a bridge, then of the other.

    bound, choosing : int64[T, rows of the first bridge]
    both : bool[rows of the first bridge], whether there is another to choose
    """

    def __init__(
        self,
        chains: tuple[Chain, ...],
        bound: IntArray,
        choosing: IntArray,
        both: np.ndarray[tuple[int], np.dtype[np.bool_]],
    ) -> None:
        steps, first = bound.shape
        days = first // sum(1 for each in chains if each.station == chains[0].station)
        self._bound, self._choosing, self._both = bound, choosing, both
        self._first, self._rows = first, len(chains) * days
        rides = [np.ceil(_ride_steps(each)) for each in chains for _ in range(days)]
        self._ride = np.array(rides, dtype=np.int64)
        self._stay_bound = self._stay_choosing = np.ones(first)
        self.share_first = np.ones((-(-steps // HEARD_STEPS), first))
        """Of the cars that choose and drive, those over the first bridge: float64[heard, rows]."""

    def enter(self, step: int, ends: FloatArray, wished: FloatArray) -> FloatArray:
        """N of those who set out by the end of the step: float64[R]."""
        if step % HEARD_STEPS == 0:
            self._hear(step, ends, wished)
        share = self.share_first[step // HEARD_STEPS]
        more = np.zeros(self._rows)
        driving = self._choosing[step] * self._stay_choosing
        more[: self._first] = self._bound[step] * self._stay_bound + driving * share
        if self._rows > self._first:
            more[self._first :] = driving * (1.0 - share)
        return np.asarray(wished[-1] + more, dtype=np.float64)

    def _hear(self, step: int, ends: FloatArray, wished: FloatArray) -> None:
        wait_min = self.wait_min(step, ends, wished)
        here = wait_min[: self._first]
        self._stay_bound = _stay(here)
        share = np.ones(self._first)
        mean = here
        if self._rows > self._first:
            there = wait_min[self._first :]
            ratio = (WAY_MIN + here) / (WAY_MIN + there)
            odds = ODDS * (ratio * ratio) * (ratio * ratio)
            share = np.where(self._both, 1.0 / (1.0 + odds), 1.0)
            mean = share * here + (1.0 - share) * there
        self._stay_choosing = _stay(mean)
        self.share_first[step // HEARD_STEPS] = share

    def wait_min(self, step: int, ends: FloatArray, wished: FloatArray) -> FloatArray:
        """Minutes that a queue costs, by those who should have arrived and the queue's pace."""
        due = wished[np.maximum(step - self._ride, 0), np.arange(self._rows)]
        waiting = due - ends[step]
        before = max(step - RATE_STEPS, 0)
        hours = max(step - before, 1) * H_PER_STEP
        pace = np.maximum((ends[step] - ends[before]) / hours, LEAST_VEH_H)
        minutes = np.minimum(waiting / pace * 60.0, MOST_MIN)
        return np.asarray(np.where(waiting > QUEUE_VEH, minutes, 0.0), dtype=np.float64)


def _stay(wait_min: FloatArray) -> FloatArray:
    waits = wait_min / PATIENCE_MIN
    return np.asarray(1.0 / (1.0 + waits * waits), dtype=np.float64)


def _ride_steps(chain: Chain) -> float:
    first, last = chain.road.ends_km
    return (last - first) / chain.road.free_km_h / H_PER_STEP
