"""What a feed has brought so far, without a disk: what `ingest.known` asks of a store.

For runs of a recording, where nothing is stepped twice and nothing outlives the run. Readings
are kept as the columns in which they came and put in order only where somebody asks, which
nobody does of a feed whose times rise.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ingest.reading import Batch, FloatArray, IntArray
from ingest.store import LaneRow

RUNS_RATIO = 4
"""A run is put together with its elder unless that is so many times as long."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Readings in order of series, then time; each (series, time) once. N of everything."""

    series: IntArray
    t_ms: IntArray
    value: FloatArray

    @classmethod
    def of(cls, series: IntArray, t_ms: IntArray, value: FloatArray) -> "_Run":
        order = np.lexsort((t_ms, series))  # stable: of what is equal the last word comes last
        series, t_ms = series[order], t_ms[order]
        last = np.ones(len(order), dtype=np.bool_)
        last[:-1] = (series[1:] != series[:-1]) | (t_ms[1:] != t_ms[:-1])
        return cls(series[last], t_ms[last], value[order][last])

    def with_later(self, other: "_Run") -> "_Run":
        return _Run.of(
            np.concatenate([self.series, other.series]),
            np.concatenate([self.t_ms, other.t_ms]),
            np.concatenate([self.value, other.value]),
        )

    def value_at(self, series: int, t_ms: int) -> float | None:
        low = int(np.searchsorted(self.series, series, "left"))
        high = int(np.searchsorted(self.series, series, "right"))
        at = low + int(np.searchsorted(self.t_ms[low:high], t_ms))
        return float(self.value[at]) if at < high and self.t_ms[at] == t_ms else None


class Remembered:
    """Readings and lane intervals of one run. `before` and `position` mean nothing here."""

    def __init__(self) -> None:
        self._new: list[Batch | Callable[[], Batch]] = []
        self._runs: list[_Run] = []
        self._ending: dict[tuple[str, int], list[LaneRow]] = {}
        self._ends: dict[tuple[str, int], list[int]] = {}

    def put_readings(self, rows: Batch) -> None:
        if len(rows):
            self._new.append(rows)

    def put_later(self, rows: Callable[[], Batch]) -> None:
        """The same for readings that are made where somebody asks."""
        self._new.append(rows)

    def value_at(self, series: int, t_ms: int, before: int) -> float | None:  # noqa: ARG002 - the store's signature
        """The value of a series at a time, None where there is none."""
        self._put_in_order()
        for run in reversed(self._runs):
            found = run.value_at(series, t_ms)
            if found is not None:
                return found
        return None

    def _put_in_order(self) -> None:
        if not self._new:
            return
        parts = [part if isinstance(part, Batch) else part() for part in self._new]
        rows, self._new = Batch.concat(parts), []
        run = _Run.of(rows.series, rows.t_ms, rows.value)
        while self._runs and len(self._runs[-1].series) < RUNS_RATIO * len(run.series):
            run = self._runs.pop().with_later(run)
        self._runs.append(run)

    def put_lane_intervals(self, rows: Iterable[LaneRow]) -> None:
        for row in rows:
            self._ending.setdefault((row.stream, row.t1_ms), []).append(row)
            ends = self._ends.setdefault((row.stream, row.lane), [])
            at = bisect_left(ends, row.t1_ms)
            if at == len(ends) or ends[at] != row.t1_ms:
                insort(ends, row.t1_ms)

    def lane_rows(self, stream: str, t1_ms: int, before: int) -> list[LaneRow]:  # noqa: ARG002 - the store's signature
        """The intervals of all lanes of a stream that end at a time; a later row completes."""
        return list(self._ending.get((stream, t1_ms), ()))

    def lane_neighbour(
        self,
        stream: str,
        lane: int,
        t1_ms: int,
        before: int,  # noqa: ARG002 - the store's signature
        *,
        later: bool,
    ) -> LaneRow | None:
        """The nearest interval of a lane that ends earlier (or later) than a time; the longest."""
        ends = self._ends.get((stream, lane), [])
        at = bisect_right(ends, t1_ms) if later else bisect_left(ends, t1_ms) - 1
        if not 0 <= at < len(ends):
            return None
        rows = [row for row in self._ending[stream, ends[at]] if row.lane == lane]
        # Of several as long the last, as it was last completed.
        return min(reversed(rows), key=lambda row: row.t0_ms)
