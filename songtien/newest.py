"""The newest reading of each series, and when something was last really measured."""

from typing import Any

import numpy as np

from ingest.reading import Batch, Flag, IntArray, Why
from ingest.release import NEVER


class Newest:
    """Columns over all series, which only grow in number.

    values : row i is the newest reading of series i; t_ms is NEVER where there is none
    measured_ms : int64[S], newest times of what was measured: a simulated reading is no sign
        of life
    registered_ms : int64[S], when each series became known
    """

    def __init__(self, snapshot: dict[str, Any] | None = None) -> None:
        none = np.empty(0, dtype=np.int64)
        self.values = Batch.empty() if snapshot is None else Batch(*snapshot["newest"])
        self.measured_ms: IntArray = none if snapshot is None else snapshot["measured_ms"]
        self.registered_ms: IntArray = none if snapshot is None else snapshot["registered_ms"]

    def grow(self, size: int, now_ms: int) -> None:
        """Make room for series that are registered now."""
        known = len(self.values)
        grown = size - known
        assert grown >= 0, "series are never forgotten"
        self.measured_ms = np.pad(self.measured_ms, (0, grown), constant_values=NEVER)
        self.registered_ms = np.pad(self.registered_ms, (0, grown), constant_values=now_ms)
        more = Batch.of(range(known, size), [NEVER] * grown, [np.nan] * grown, Flag.MISSING)
        self.values = Batch.concat([self.values, more])

    def take(self, rows: Batch) -> IntArray:
        """Take readings in any order; gives the series whose newest they are now.

        One with a time in the future is never the newest.
        """
        now = rows.take((rows.why & Why.FUTURE) == 0)
        newest = self.values
        np.maximum.at(newest.t_ms, now.series, now.t_ms)
        measured = now.take((now.why & Why.SIMULATED) == 0)
        np.maximum.at(self.measured_ms, measured.series, measured.t_ms)
        at_top = now.take(now.t_ms == newest.t_ms[now.series])
        # Of several rows for one (series, t) the last assignment stands: the latest word.
        newest.value[at_top.series] = at_top.value
        newest.flag[at_top.series] = at_top.flag
        newest.why[at_top.series] = at_top.why
        return at_top.series

    def snapshot(self) -> dict[str, Any]:
        return {
            "registered_ms": self.registered_ms,
            "measured_ms": self.measured_ms.copy(),
            "newest": [getattr(self.values, name) for name in Batch.__slots__],
        }
