"""A token bucket: so many messages a second, and no more at once than a second's. Pure.

J. Turner, "New Directions in Communications", IEEE Communications Magazine 24(10), 1986.
"""

from typing import Final

ROUNDING: Final = 1e-9
"""Of a token: what sums of floats may miss."""


class TokenBucket:
    """Times are seconds of a clock that does not jump.

    Parameters
    ----------
    rate_per_s : above 0
    burst : so many at once after a rest. It begins with one: a service that is started again
        and again must not send a burst each time
    """

    def __init__(self, rate_per_s: float, now_s: float, burst: float = 1.0) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = 1.0
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long until one may go; 0 where one may go now."""
        self._fill(now_s)
        missing = 1.0 - self._tokens
        return missing / self._rate if missing > ROUNDING else 0.0

    def take(self, now_s: float) -> None:
        """One goes."""
        self._fill(now_s)
        self._tokens -= 1.0

    def _fill(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._at_s) * self._rate
        self._tokens = min(self._burst, self._tokens + gained)
        self._at_s = max(self._at_s, now_s)
