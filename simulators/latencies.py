"""Many latencies in little memory: their number, quantiles to within one percent, the longest."""

import math
from collections.abc import Iterable

LEAST_S = 1e-6
"""What is shorter counts as this."""

_STEP = math.log(1.01)
_BUCKETS = 2300  # up to 10,000 s


class Latencies:
    """A histogram whose buckets are 1 % wide each."""

    def __init__(self) -> None:
        self.count = 0
        self.max_s = 0.0
        self._counts = [0] * _BUCKETS

    def add(self, latencies_s: Iterable[float]) -> None:
        log, counts = math.log, self._counts
        for latency_s in latencies_s:
            self.count += 1
            self.max_s = max(self.max_s, latency_s)
            bucket = int(log(max(latency_s, LEAST_S) / LEAST_S) / _STEP)
            counts[min(bucket, _BUCKETS - 1)] += 1

    def quantile_s(self, share: float) -> float:
        """The latency that so large a share stays within; 0 where there are none."""
        wanted, seen = share * self.count, 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(self.max_s, LEAST_S * math.exp((bucket + 1) * _STEP))
        return 0.0
