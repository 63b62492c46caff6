"""Values against levels in bulk: nearly all of them change nothing, and one comparison says so.

Layout. Each pair has one number, the level in force: the raise level while it is idle, the
clear level while it is raised. `value > level` differs from what is expected at rest just
where something may change; `flip` turns it round for those that wait for lower values, and
the level is then the next number below, so that the comparison stays strict. A pair with a
run under way has -inf, which every value passes.

For samples of nearly all series the pairs lie as blocks of [2**b rules, series], each a plain
comparison with a row broadcast. A series with n pairs stands in the blocks of the binary
digits of n, so that nothing is padded and the blocks are at most log2 of the rules.
"""

from dataclasses import dataclass

import numpy as np

from alerts.pairs import LevelPairs
from ingest.reading import Batch, BoolArray, FloatArray, IntArray

_DENSE_FROM = 4
"""From a batch that asks one in so many of all pairs on, all of them are compared."""


@dataclass(frozen=True, slots=True)
class _Block:
    """`height` pairs of each of `series`, at `begin` of the columns, in rows of the series."""

    begin: int
    end: int
    height: int
    series: IntArray


class Plain:
    """The first `n_plain` pairs of `LevelPairs`, in an order of their own.

    pair : int64[D], the pair at each place; place : int64[D], the other way round
    level : float64[D], flip : bool[D], at places
    """

    def __init__(self, pairs: LevelPairs) -> None:
        count = pairs.n_plain
        self._first = pairs.first
        self._counts: IntArray = np.diff(pairs.first)
        self.blocks, self.pair = _blocks(pairs.first)
        self.place: IntArray = np.empty(count, dtype=np.int64)
        self.place[self.pair] = np.arange(count)
        self.series: IntArray = pairs.series[self.pair]
        falling = pairs.sign[self.pair] < 0
        raise_level = pairs.raise_level[self.pair] * pairs.sign[self.pair]
        clear_level = pairs.clear_level[self.pair] * pairs.sign[self.pair]
        self._falling: BoolArray = falling
        self._raise: FloatArray = np.where(falling, _below(raise_level), raise_level)
        self._clear: FloatArray = np.where(falling, clear_level, _below(clear_level))
        self.level: FloatArray = self._raise.copy()
        self.flip: BoolArray = falling.copy()
        self._hit: BoolArray = np.empty(count, dtype=np.bool_)

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
            return self._beyond_all(batch)
        row = np.repeat(np.arange(len(batch)), count)
        skip = np.repeat(self._first[batch.series] - np.cumsum(count) + count, count)
        pair = np.arange(total) + skip
        at = self.place[pair]
        hit = (batch.value[row] > self.level[at]) ^ self.flip[at]
        return row[hit], pair[hit]

    def _beyond_all(self, batch: Batch) -> tuple[IntArray, IntArray]:
        n_series = len(self._counts)
        value = np.full(n_series, np.nan)
        value[batch.series] = batch.value
        for block in self.blocks:
            shape = block.height, len(block.series)
            level = self.level[block.begin : block.end].reshape(shape)
            hit = self._hit[block.begin : block.end].reshape(shape)
            np.greater(value[block.series], level, out=hit)
        at = np.flatnonzero(np.not_equal(self._hit, self.flip, out=self._hit))
        row_of = np.full(n_series, -1, dtype=np.int64)
        row_of[batch.series] = np.arange(len(batch))
        row = row_of[self.series[at]]
        if len(batch) < n_series:
            there = row >= 0  # what has no value compares like a low one
            row, at = row[there], at[there]
        return row, self.pair[at]


def _below(level: FloatArray) -> FloatArray:
    """The greatest number below, so that `>` of it is `>=` of the level."""
    found: FloatArray = np.nextafter(level, -np.inf)
    return found


def _blocks(first: IntArray) -> tuple[tuple[_Block, ...], IntArray]:
    """The blocks, and the pair at each place of them."""
    counts = np.diff(first)
    blocks: list[_Block] = []
    order: list[IntArray] = []
    begin = 0
    for digit in range(int(counts.max(initial=0)).bit_length()):
        height = 1 << digit
        series = np.flatnonzero(counts & height)
        if not len(series):
            continue
        # The pairs of the lower digits of a series lie in the blocks before.
        lowest = first[:-1][series] + (counts[series] & (height - 1))
        order.append((lowest[None, :] + np.arange(height)[:, None]).ravel())
        end = begin + height * len(series)
        blocks.append(_Block(begin, end, height, series))
        begin = end
    return tuple(blocks), np.concatenate([*order, np.empty(0, dtype=np.int64)]).astype(np.int64)
