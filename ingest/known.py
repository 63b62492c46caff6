"""What is already stored, as one journal entry sees it.

An entry must give the same outcome the first time and when it is stepped again after a
crash. So it sees what entries before it brought, and what it has itself brought so far;
what the store holds of it from the first time is passed over.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from ingest.store import LaneRow


class Stored(Protocol):
    """What is asked of a store: what stood there before the entry at a position."""

    def value_at(self, series: int, t_ms: int, before: int) -> float | None: ...

    def lane_rows(self, stream: str, t1_ms: int, before: int) -> list[LaneRow]: ...

    def lane_neighbour(
        self, stream: str, lane: int, t1_ms: int, before: int, *, later: bool
    ) -> LaneRow | None: ...


class Known:
    """Readings and lane intervals known to the entry at `position`."""

    def __init__(self, store: Stored, position: int) -> None:
        self._store = store
        self._position = position
        self._values: dict[tuple[int, int], float] = {}
        self._intervals: dict[tuple[str, int, int, int], LaneRow] = {}

    def put_values(
        self, series: Sequence[int], t_ms: Sequence[int], values: Sequence[float]
    ) -> None:
        self._values.update(zip(zip(series, t_ms, strict=True), values, strict=True))

    def value(self, series: int, t_ms: int) -> float | None:
        found = self._values.get((series, t_ms))
        if found is None:
            return self._store.value_at(series, t_ms, self._position)
        return found

    def put_interval(self, row: LaneRow) -> None:
        self._intervals[row.stream, row.lane, row.t1_ms, row.t0_ms] = row

    @property
    def new_intervals(self) -> Iterable[LaneRow]:
        """What the entry has brought, to be stored."""
        return self._intervals.values()

    def intervals(self, stream: str, t1_ms: int) -> list[LaneRow]:
        """The intervals of all lanes of a stream that end at a time, in order of lane, t0."""
        found = {
            (row.lane, row.t0_ms): row
            for row in self._store.lane_rows(stream, t1_ms, self._position)
        }
        for row in self._intervals.values():
            if row.stream == stream and row.t1_ms == t1_ms:
                found[row.lane, row.t0_ms] = row
        return [found[key] for key in sorted(found)]

    def neighbour(self, stream: str, lane: int, t1_ms: int, *, later: bool) -> LaneRow | None:
        """The nearest interval of a lane that ends before (or after) a time; the longest."""
        stored = self._store.lane_neighbour(stream, lane, t1_ms, self._position, later=later)
        candidates = [
            row
            for row in self._intervals.values()
            if row.stream == stream and row.lane == lane and (row.t1_ms > t1_ms) == later
            if row.t1_ms != t1_ms
        ]
        if stored is not None:
            candidates.append(stored)  # last: of what is equal, the entry's own stands
        sign = 1 if later else -1
        return min(candidates, key=lambda row: (sign * row.t1_ms, row.t0_ms), default=None)
