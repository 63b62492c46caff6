"""Values against levels in bulk: nearly all of them change nothing, and one comparison says so.

Layout. Each pair has one number, the level in force: the raise level while it is idle, the
clear level while it is raised. `value > level` differs from what is expected at rest just
where something may change; `flip` turns it round for those that wait for lower values. A
pair with a run under way has -inf, which every value passes. Levels and values are compared
in half the bytes, the level moved by one step to the safe side: what comes out is all that
may change, and next to nothing else, and is looked at closely anyway.

For samples of nearly all series the pairs lie as blocks of [2**b rules, series], each a plain
comparison with a row broadcast. A series with n pairs stands in the blocks of the binary
digits of n, so that nothing is padded and the blocks are at most log2 of the rules.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.pairs import LevelPairs
from ingest.reading import Batch, BoolArray, FloatArray, IntArray

ShortArray = NDArray[np.float32]

_DENSE_FROM = 4
"""From a batch that asks one in so many of all pairs on, all of them are compared."""


@dataclass(frozen=True, slots=True)
class _Block:
    """So many pairs of each of `series`, [height, N], as parts of the columns of all."""

    series: IntArray
    level: ShortArray
    hit: BoolArray


class Plain:
    """The first `n_plain` pairs of `LevelPairs`, in an order of their own.

    pair : int64[D], the pair at each place; place : int64[D], the other way round
    level : float32[D], flip : bool[D], at places
    """

    def __init__(self, pairs: LevelPairs) -> None:
        count = pairs.n_plain
        self._first = pairs.first
        self._counts: IntArray = np.diff(pairs.first)
        shapes, self.pair = _shapes(pairs.first)
        self.place: IntArray = np.empty(count, dtype=np.int64)
        self.place[self.pair] = np.arange(count)
        self.series: IntArray = pairs.series[self.pair]
        falling = pairs.sign[self.pair] < 0
        raise_level = pairs.raise_level[self.pair] * pairs.sign[self.pair]
        clear_level = pairs.clear_level[self.pair] * pairs.sign[self.pair]
        self._falling: BoolArray = falling
        self._raise = _safe(raise_level, lower=falling)
        self._clear = _safe(clear_level, lower=~falling)
        self.level: ShortArray = self._raise.copy()
        self.flip: BoolArray = falling.copy()
        self._hit: BoolArray = np.empty(count, dtype=np.bool_)
        self._blocks: list[_Block] = []
        begin = 0
        for height, series in shapes:
            shape, end = (height, len(series)), begin + height * len(series)
            level, hit = self.level[begin:end].reshape(shape), self._hit[begin:end].reshape(shape)
            self._blocks.append(_Block(series, level, hit))
            begin = end

    def narrow(self, pair: IntArray, active: BoolArray, running: BoolArray) -> None:
        """Set the level in force of pairs, by their state."""
        at = self.place[pair]
        rest = np.where(active, self._clear[at], self._raise[at])
        self.level[at] = np.where(running, -np.inf, rest)
        self.flip[at] = ~running & (active ^ self._falling[at])

    def beyond(self, batch: Batch) -> tuple[IntArray, IntArray]:
        """Where something may change: (rows of the batch, pairs); each series at most once."""
        count = self._counts[batch.series]
        total = int(count.sum())
        if total * _DENSE_FROM >= len(self.pair) and total:
            return self._beyond_most(batch)
        row = np.repeat(np.arange(len(batch)), count)
        skip = np.repeat(self._first[batch.series] - np.cumsum(count) + count, count)
        pair = np.arange(total) + skip
        at = self.place[pair]
        hit = (batch.value[row].astype(np.float32) > self.level[at]) ^ self.flip[at]
        return row[hit], pair[hit]

    def beyond_whole(self, value: FloatArray) -> tuple[IntArray, IntArray]:
        """The same for a value of each series, in their order."""
        at = self._compared(value.astype(np.float32))
        return self.series[at], self.pair[at]

    def _beyond_most(self, batch: Batch) -> tuple[IntArray, IntArray]:
        n_series = len(self._counts)
        value = np.full(n_series, np.nan, dtype=np.float32)
        value[batch.series] = batch.value
        at = self._compared(value)
        row_of = np.full(n_series, -1, dtype=np.int64)
        row_of[batch.series] = np.arange(len(batch))
        row = row_of[self.series[at]]
        there = row >= 0  # what has no value compares like a low one
        return row[there], self.pair[at[there]]

    def _compared(self, value: ShortArray) -> IntArray:
        for block in self._blocks:
            row = value if len(block.series) == len(value) else value[block.series]
            np.greater(row, block.level, out=block.hit)
        # On booleans half the time of `not_equal`, which says the same.
        np.logical_xor(self._hit, self.flip, out=self._hit)
        return self._hit.nonzero()[0]


def _safe(level: FloatArray, *, lower: BoolArray) -> ShortArray:
    """Levels for `>`, of those that wait for lower values for its contrary, so that no value
    beyond is missed: rounding keeps order, so one step further no equal is mistaken.
    """
    short = level.astype(np.float32)
    towards = np.where(lower, np.inf, -np.inf).astype(np.float32)
    found: ShortArray = np.nextafter(short, towards)
    return found


def _shapes(first: IntArray) -> tuple[list[tuple[int, IntArray]], IntArray]:
    """Height and series of each block, and the pair at each place of them."""
    counts = np.diff(first)
    shapes: list[tuple[int, IntArray]] = []
    order: list[IntArray] = []
    for digit in range(int(counts.max(initial=0)).bit_length()):
        height = 1 << digit
        series = np.flatnonzero(counts & height)
        if len(series):
            # The pairs of the lower digits of a series lie in the blocks before.
            lowest = first[:-1][series] + (counts[series] & (height - 1))
            order.append((lowest[None, :] + np.arange(height)[:, None]).ravel())
            shapes.append((height, series))
    return shapes, np.concatenate([*order, np.empty(0, dtype=np.int64)]).astype(np.int64)
