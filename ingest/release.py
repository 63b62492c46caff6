"""The reorder window: when a reading is let through to flags and rules.

A reading waits until nothing older can be expected before it. It is released

- at once, if it is `ready` (its message follows its predecessor without a gap, or its
  device's messages have since become complete up to it);
- when its series has a reading that is `reorder_ms` newer;
- `reorder_ms` after its arrival.

Whatever is older in the same series goes with it, in order of time. A reading that comes
after a newer one has been released is late: it is stored, and decides nothing any more.
(Contract, section 5, "Time". The idea of a watermark is that of Akidau et al., "The
Dataflow Model", VLDB 2015.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.reading import Batch, BoolArray, IntArray

NEVER = -1


def rising(series: IntArray, t_ms: IntArray, floor_ms: IntArray) -> BoolArray:
    """Which rows are newer than all rows before them of their series, and than its floor.

    Parameters
    ----------
    series, t_ms : int64[N], in order of arrival
    floor_ms : int64[S], indexed by series
    """
    n = len(series)
    above = t_ms > floor_ms[series]
    if n < 2:
        return above
    order = np.argsort(series, kind="stable")
    ordered, times = series[order], t_ms[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    if first.all():
        return above
    # A running maximum per series in one pass: each series is lifted onto a step of its own.
    step = np.cumsum(first) - 1
    span = int(times.max() - times.min()) + 1
    lifted = times - times.min() + step * span
    highest = np.maximum.accumulate(lifted)
    rises = np.r_[True, lifted[1:] > highest[:-1]]
    above[order] &= rises | first
    return above


@dataclass(frozen=True, slots=True)
class Waiting:
    """Columns of readings with what decides their release.

    rows : Batch[N]
    dry : bool[N], passed through to the quality checks
    ready : bool[N]; due_ms : int64[N]
    epoch : int64[N], the number of the (device, boot) they came in, -1 for none
    seq : int64[N]
    """

    rows: Batch
    dry: BoolArray
    ready: BoolArray
    due_ms: IntArray
    epoch: IntArray
    seq: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: BoolArray | IntArray | NDArray[np.intp]) -> Self:
        return type(self)(*(_take(getattr(self, f.name), index) for f in fields(self)))

    @classmethod
    def empty(cls) -> Self:
        none = np.empty(0, dtype=np.int64)
        return cls(Batch.empty(), none.astype(bool), none.astype(bool), none, none, none)

    @classmethod
    def concat(cls, parts: list[Self]) -> Self:
        parts = [part for part in parts if len(part)] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        columns = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)[1:]]
        return cls(Batch.concat([p.rows for p in parts]), *columns)


def _take(column: Any, index: Any) -> Any:
    return column.take(index) if isinstance(column, Batch) else column[index]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of new readings, and of the waiting ones with them.

    released : in order of time within each series, to be flagged and evaluated
    held : new readings that wait (their flag is "not evaluated" until then)
    late : new readings whose turn has passed
    """

    released: Waiting
    held: Waiting
    late: Waiting


class ReorderWindow:
    """Waiting readings of all series."""

    def __init__(
        self, n_series: int, reorder_ms: int, snapshot: Mapping[str, Any] | None = None
    ) -> None:
        self.reorder_ms = reorder_ms
        self._newest_ms = np.full(n_series, NEVER, dtype=np.int64)
        self._released_ms = np.full(n_series, NEVER, dtype=np.int64)
        self._waiting = Waiting.empty()
        if snapshot is not None:
            known = len(snapshot["newest_ms"])
            self._newest_ms[:known] = snapshot["newest_ms"]
            self._released_ms[:known] = snapshot["released_ms"]
            self._waiting = Waiting(Batch(*snapshot["rows"]), *snapshot["columns"])

    def __len__(self) -> int:
        return len(self._waiting)

    def admit(self, new: Waiting, now_ms: int, settled: Mapping[int, int]) -> Admitted:
        """Take new readings in; `settled[epoch]` tells which messages are now complete.

        The caller cuts behind a message that closes a gap, so that `settled` holds for the
        last message of `new`. The outcome is the same however the readings are split over calls: where a series'
        times do not rise within `new`, its rows are taken one at a time.
        """
        if not len(new):
            return Admitted(self.release(now_ms, settled), new, new)
        rises = rising(new.rows.series, new.rows.t_ms, self._newest_ms)
        if rises.all():
            return self._admit_at_once(new, now_ms, settled)
        unruly = np.isin(new.rows.series, new.rows.series[~rises])
        parts = [self._admit_at_once(new.take(~unruly), now_ms, {})]
        parts.extend(
            self._admit_at_once(new.take(index), now_ms, {})
            for index in np.flatnonzero(unruly)[:, None]
        )
        nothing = Waiting.empty()
        parts.append(Admitted(self.release(now_ms, settled), nothing, nothing))
        return Admitted(
            Waiting.concat([part.released for part in parts]),
            Waiting.concat([part.held for part in parts]),
            Waiting.concat([part.late for part in parts]),
        )

    def run_through(self, series: IntArray, t_ms: IntArray) -> None:
        """Take note of readings that are ready and rise, where nothing waits: they don't either."""
        assert not len(self._waiting)
        np.maximum.at(self._newest_ms, series, t_ms)
        np.maximum.at(self._released_ms, series, t_ms)

    def release(self, now_ms: int, settled: Mapping[int, int]) -> Waiting:
        """Let go what may go, oldest first within a series."""
        waiting = self._waiting
        if not len(waiting):
            return waiting
        series, t_ms = waiting.rows.series, waiting.rows.t_ms
        may = waiting.ready | (waiting.due_ms <= now_ms)
        may |= t_ms <= self._newest_ms[series] - self.reorder_ms
        for epoch, seq in settled.items():
            may |= (waiting.epoch == epoch) & (waiting.seq <= seq)
        if not may.any():
            return waiting.take(may)
        np.maximum.at(self._released_ms, series[may], t_ms[may])
        goes = t_ms <= self._released_ms[series]
        self._waiting = waiting.take(~goes)
        released = waiting.take(goes)
        return released.take(np.argsort(released.rows.t_ms, kind="stable"))

    def next_due_ms(self) -> int | None:
        return int(self._waiting.due_ms.min()) if len(self._waiting) else None

    def snapshot(self) -> dict[str, Any]:
        waiting = self._waiting
        return {
            "newest_ms": self._newest_ms.copy(),
            "released_ms": self._released_ms.copy(),
            "rows": [getattr(waiting.rows, f.name) for f in fields(Batch)],
            "columns": [getattr(waiting, f.name) for f in fields(Waiting)[1:]],
        }

    def _admit_at_once(self, new: Waiting, now_ms: int, settled: Mapping[int, int]) -> Admitted:
        series, t_ms = new.rows.series, new.rows.t_ms
        is_late = t_ms <= self._released_ms[series]
        late = new.take(is_late)
        fresh = new.take(~is_late) if len(late) else new
        np.maximum.at(self._newest_ms, series, t_ms)
        self._waiting = Waiting.concat([self._waiting, fresh])
        released = self.release(now_ms, settled)
        # Rows that stay are those whose time is beyond what has been released.
        stays = fresh.rows.t_ms > self._released_ms[fresh.rows.series]
        return Admitted(released, fresh.take(stays), late)
