"""Aggregates that can be put together: sums of readings over windows of time.

What is kept of an hour, and what a window of a day is made of. `n`, `total` and the extremes
of two disjoint sets of readings give those of both, so a day is made of hours, and an hour of
the readings that are kept and of what was noted of those that are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ingest.reading import Batch, Flag, FloatArray, IntArray

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Windows:
    """Aggregates of one series: columns of equal length, one row a window with readings.

    start_ms : int64[W]; n, n_good : int64[W], counts of flags 1 to 3 and of flag 1;
    mean, low, high, last : float64[W]
    """

    start_ms: IntArray
    n: IntArray
    n_good: IntArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    last: FloatArray


@dataclass(frozen=True, slots=True)
class Sums:
    """As `Windows`, but with `total` in place of the mean and the time of the last reading.

    Columns of equal length; several rows of one `start_ms` until they are `merged`.
    """

    start_ms: IntArray
    n: IntArray
    n_good: IntArray
    total: FloatArray
    low: FloatArray
    high: FloatArray
    last: FloatArray
    last_ms: IntArray

    def __len__(self) -> int:
        return len(self.start_ms)

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[float]]) -> Self:
        """From rows of the columns in their order."""
        columns: Sequence[Sequence[float]] = list(zip(*rows, strict=True)) if rows else [()] * 8
        whole = {0, 1, 2, 7}
        arrays: Any = [
            np.array(column, dtype=np.int64 if at in whole else np.float64)
            for at, column in enumerate(columns)
        ]
        return cls(*arrays)

    @classmethod
    def of_readings(cls, readings: Batch, step_ms: int, offset_ms: int) -> Self:
        """Readings of one series by windows that begin at `offset_ms` + k steps.

        Those with flags above 3 do not count.
        """
        used = readings.take(readings.flag <= Flag.SUSPECT)
        start_ms = (used.t_ms - offset_ms) // step_ms * step_ms + offset_ms
        one = np.ones(len(used), dtype=np.int64)
        good = (used.flag == Flag.PASS).astype(np.int64)
        value = used.value
        return cls(start_ms, one, good, value, value, value, value, used.t_ms).merged()

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        if not parts:
            return cls.of_rows(())
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))

    def merged(self, step_ms: int | None = None, offset_ms: int = 0) -> Self:
        """One row for each window, by rising time; of `step_ms`, where it is given."""
        start_ms = self.start_ms
        if step_ms is not None:
            start_ms = (start_ms - offset_ms) // step_ms * step_ms + offset_ms
        if not len(self):
            return self
        # By time within a window, so that the last row of each window is the newest.
        order = np.lexsort((self.last_ms, start_ms))
        ordered = start_ms[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        newest = order[np.r_[first[1:], len(order)] - 1]
        return type(self)(
            ordered[first],
            np.add.reduceat(self.n[order], first),
            np.add.reduceat(self.n_good[order], first),
            np.add.reduceat(self.total[order], first),
            np.minimum.reduceat(self.low[order], first),
            np.maximum.reduceat(self.high[order], first),
            self.last[newest],
            self.last_ms[newest],
        )

    def windows(self) -> Windows:
        """The aggregates, of sums that are merged."""
        mean = self.total / self.n
        return Windows(self.start_ms, self.n, self.n_good, mean, self.low, self.high, self.last)
