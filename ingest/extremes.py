"""Highest and lowest of any stretch of a column, by tables of stretches of powers of two."""

import numpy as np

from ingest.reading import FloatArray, IntArray


class Extremes:
    """Tables over `value`, float64[N], for stretches of up to `longest` values.

    Reference: the sparse table of Bender and Farach-Colton, "The LCA Problem Revisited" (2000).
    """

    def __init__(self, value: FloatArray, longest: int) -> None:
        self.value = value
        # At place i of level k stands the extreme of 2**k values from i on.
        self._high, self._low = [value], [value]
        length = 1
        while 2 * length <= longest:
            for levels, extreme in ((self._high, np.maximum), (self._low, np.minimum)):
                found = levels[-1].copy()
                extreme(levels[-1][:-length], levels[-1][length:], out=found[:-length])
                levels.append(found)
            length *= 2

    def between(self, begin: IntArray, last: IntArray) -> tuple[FloatArray, FloatArray]:
        """Highest and lowest of `value[begin : last + 1]`, none of them empty; N of each."""
        length = last - begin + 1
        # The exponent of a whole number in floating point is its logarithm, cut down.
        level = np.frexp(length)[1] - 1
        high, low = np.empty(len(begin)), np.empty(len(begin))
        for k in np.unique(level).tolist():
            at = np.flatnonzero(level == k)
            one, other = begin[at], last[at] - (1 << k) + 1
            high[at] = np.maximum(self._high[k][one], self._high[k][other])
            low[at] = np.minimum(self._low[k][one], self._low[k][other])
        return high, low

    def longest(
        self, last: IntArray, first: IntArray, within: FloatArray
    ) -> tuple[IntArray, FloatArray, FloatArray]:
        """The longest stretch that ends at `last`, not before `first`, of which every value is
        nearer than `within` to the last one: its begin, highest and lowest.
        """
        begin = last.copy()
        value = self.value[last]
        high, low = value.copy(), value.copy()
        for k in reversed(range(len(self._high))):
            earlier = begin - (1 << k)
            at = np.maximum(earlier, 0)
            higher = np.maximum(high, self._high[k][at])
            lower = np.minimum(low, self._low[k][at])
            fits = (earlier >= first) & (higher - value < within) & (value - lower < within)
            begin = np.where(fits, earlier, begin)
            high = np.where(fits, higher, high)
            low = np.where(fits, lower, low)
        return begin, high, low
