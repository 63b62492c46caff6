"""What probes have read, by quarters of an hour: enough for a tidal day and no more.

Cell k holds the samples observed in ((k - 1) q, k q] of each row, q a quarter of an hour, in
a ring of its own for each row. So the highest of the last 25 hours is that of 100 cells,
exactly, at any sampling rate, and memory is bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.reading import BoolArray, FloatArray, IntArray

CELL_MS = 900_000
"""A quarter of an hour: the interval of most probes."""

DAY_HOURS = 25
"""A tidal day of 24 h 50 min, so that both high waters are in it."""

CELLS_PER_HOUR = 4
DAY_CELLS = DAY_HOURS * CELLS_PER_HOUR
HOURS_NEEDED = 22
"""Hours of the 25 that must have a good sample before their highest is one (expert judgement,
unverified): a missing hour or two may hide a peak's top, not the peak."""

FRESH_MS = 1_800_000
"""Age up to which a reading counts for "now"."""

KEPT = 104
"""Cells that an evaluation looks back on: the 25 hours, and partners to interpolate with."""

CHUNK_MIN = 256
"""Cells that are taken in together at least, when many come at once."""

NEVER = -1
ABSENT = np.int64(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class At:
    """Rows at K instants: [R, K] of everything.

    now, now_ms : the newest good value not older than `FRESH_MS`; NaN, NEVER where none
    top : the highest good value of 25 h; NaN where `hours` < `HOURS_NEEDED`
    hours : how many of the 25 hours have a good sample
    heard : whether there was any sample in the 25 hours
    fresh : whether there was any sample that may count for "now", good or not
    """

    now: FloatArray
    now_ms: IntArray
    top: FloatArray
    hours: IntArray
    heard: BoolArray
    fresh: BoolArray

    def where(self, mine: BoolArray, other: Self) -> Self:
        """These where `mine`, bool[K], else the other's."""
        return type(self)(
            *(np.where(mine, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )


class Cells:
    """Rings of R rows, each with room for what is evaluated `lag_ms` behind its newest."""

    def __init__(self, rows: int, lag_ms: int) -> None:
        needed = KEPT + lag_ms // CELL_MS + 2
        self.size = 1 << (needed + CHUNK_MIN - 1).bit_length()
        self.kept = needed
        self.chunk = self.size - needed
        shape = (rows, self.size)
        self.cell: IntArray = np.full(shape, ABSENT, dtype=np.int64)
        self.good_ms: IntArray = np.full(shape, NEVER, dtype=np.int64)
        self.good: FloatArray = np.zeros(shape)
        self.top: FloatArray = np.full(shape, -np.inf)
        self.newest: IntArray = np.full(rows, ABSENT, dtype=np.int64)

    def chunks(self, cell: IntArray) -> Iterator[tuple[slice, int]]:
        """Cut samples whose cells rise into parts that the rings can hold with what is before.

        Gives each part with its last cell + 1, up to which instants can be evaluated then.
        """
        low = 0
        while low < len(cell):
            end = int(cell[low]) + self.chunk
            high = int(np.searchsorted(cell, end))
            yield slice(low, high), end
            low = high

    def add(self, row: IntArray, t_ms: IntArray, value: FloatArray, good: BoolArray) -> None:
        """Take the samples of one part, those of a row in order of time; N of everything."""
        cell = cells_of(t_ms)
        flat = row * self.size + cell % self.size
        held = self.cell.reshape(-1)
        newer = cell > held[flat]
        begun = flat[newer]
        held[begun] = cell[newer]
        self.good_ms.reshape(-1)[begun] = NEVER
        self.top.reshape(-1)[begun] = -np.inf
        np.maximum.at(self.newest, row, cell)
        good = good & (held[flat] == cell)
        flat, t_ms, value = flat[good], t_ms[good], value[good]
        # Of several samples of a cell the last assignment stands, which is the newest.
        self.good_ms.reshape(-1)[flat] = t_ms
        self.good.reshape(-1)[flat] = value
        np.maximum.at(self.top.reshape(-1), flat, value)

    def at(self, rows: IntArray, cell: IntArray) -> At:
        """Some rows at the ends of some cells, which rise; no more than `chunk` apart."""
        first = int(cell[0]) - KEPT
        wanted = np.arange(first, int(cell[-1]) + 1, dtype=np.int64)
        column = wanted % self.size
        valid = self.cell[rows[:, None], column] == wanted
        good_ms = np.where(valid, self.good_ms[rows[:, None], column], NEVER)
        good = self.good[rows[:, None], column]
        top = np.where(valid, self.top[rows[:, None], column], -np.inf)
        place = cell - first
        now = np.full((len(rows), len(cell)), np.nan)
        now_ms = np.full(now.shape, NEVER, dtype=np.int64)
        fresh = np.zeros(now.shape, dtype=np.bool_)
        for back in (2, 1, 0):
            then_ms = good_ms[:, place - back]
            counts = (then_ms != NEVER) & (cell * CELL_MS - then_ms <= FRESH_MS)
            now = np.where(counts, good[:, place - back], now)
            now_ms = np.where(counts, then_ms, now_ms)
            if back < 2:
                fresh |= valid[:, place - back]
        hours = _hours(good_ms != NEVER)[:, place]
        highest = _highest(top, DAY_CELLS)[:, place]
        latest = np.maximum.accumulate(np.where(valid, np.arange(len(wanted)), -DAY_CELLS), axis=1)
        heard = latest[:, place] > place - DAY_CELLS
        covered = hours >= HOURS_NEEDED
        return At(now, now_ms, np.where(covered, highest, np.nan), hours, heard, fresh)

    def good_samples(self, row: int) -> list[tuple[int, float]]:
        """The last good sample of each cell that is kept, (t_ms, value), rising."""
        keep = (self.good_ms[row] != NEVER) & (self.cell[row] > self.newest[row] - KEPT)
        pairs = zip(self.good_ms[row, keep].tolist(), self.good[row, keep].tolist(), strict=True)
        return sorted(pairs)

    def snapshot(self) -> dict[str, Any]:
        """What an evaluation can still look at."""
        row, column = np.nonzero(
            (self.cell != ABSENT) & (self.cell > (self.newest - self.kept)[:, None])
        )
        return {
            "row": row.astype(np.int64),
            "cell": self.cell[row, column],
            "good_ms": self.good_ms[row, column],
            "good": self.good[row, column],
            "top": self.top[row, column],
        }

    def restore(self, snapshot: dict[str, Any], row_now: IntArray) -> None:
        """The counterpart; `row_now[r]` is where the old row r is now, -1 where it is gone."""
        row = row_now[np.asarray(snapshot["row"], dtype=np.int64)]
        keep: NDArray[np.bool_] = row >= 0
        row, cell = row[keep], np.asarray(snapshot["cell"])[keep]
        np.maximum.at(self.newest, row, cell)
        recent = cell > self.newest[row] - self.size
        row, cell = row[recent], cell[recent]
        at = row, cell % self.size
        self.cell[at] = cell
        for name in ("good_ms", "good", "top"):
            getattr(self, name)[at] = np.asarray(snapshot[name])[keep][recent]


def cells_of(t_ms: IntArray) -> IntArray:
    """The cell that each time belongs to: the end of its quarter of an hour, itself included."""
    cell: IntArray = -(-t_ms // CELL_MS)
    return cell


def _highest(values: FloatArray, width: int) -> FloatArray:
    """The highest of the last `width` columns of each row, by doubling; -inf before the first."""
    found, done = values, 1
    while done < width:
        step = min(done, width - done)
        moved = np.full_like(found, -np.inf)
        moved[:, step:] = found[:, :-step]
        found, done = np.maximum(found, moved), done + step
    return found


def _hours(good: BoolArray) -> IntArray:
    """How many of the last 25 hours, counted back from each column, have a good cell."""
    rows, columns = good.shape
    one_hour = good.copy()
    for back in (1, 2):
        one_hour[:, back:] |= one_hour[:, :-back].copy()
    # A running sum in steps of an hour: one lane for each of the four quarters.
    whole = -(-columns // CELLS_PER_HOUR) * CELLS_PER_HOUR
    lanes = np.zeros((rows, whole), dtype=np.int64)
    lanes[:, :columns] = one_hour
    lanes = lanes.reshape(rows, -1, CELLS_PER_HOUR).cumsum(axis=1).reshape(rows, whole)
    count = lanes[:, :columns]
    count[:, DAY_CELLS:] -= count[:, :-DAY_CELLS].copy()
    return count
