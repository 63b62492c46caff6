"""How far a replay is, how fast it goes and how long it will take, in words."""

import math
from collections import deque

from simulators.publish import Progress
from simulators.run import Plan

WINDOW_S = 10.0
"""The rate is that of so long: what happened before says little of what will."""


class Outlook:
    """Told how far a run is, says what is to be expected. Time is the caller's, in seconds."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: deque[tuple[float, int]] = deque()

    def words(self, progress: Progress, now_s: float) -> str:
        """Such as `41 %, 8,200 of 20,000 messages, 1,640/s, 0:00:07 left`."""
        self._seen.append((now_s, progress.acknowledged))
        while len(self._seen) > 2 and self._seen[1][0] <= now_s - WINDOW_S:
            self._seen.popleft()
        said = []
        share = self._share(progress)
        if share is not None:
            said.append(f"{math.floor(100 * share)} %")
        total = "" if self._plan.messages is None else f" of {self._plan.messages:,}"
        said.append(f"{progress.acknowledged:,}{total} messages")
        rate = self._rate()
        if rate is not None:
            said.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        left_s = self._left_s(progress, rate)
        if left_s is not None:
            minutes, seconds = divmod(math.ceil(left_s), 60)
            said.append(f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left")
        return ", ".join(said)

    def _paced(self) -> bool:
        return math.isfinite(self._plan.speed)

    def _share(self, progress: Progress) -> float | None:
        plan = self._plan
        if plan.messages is None or plan.last_ms is None:
            return None
        if self._paced() and plan.last_ms > plan.first_ms:
            done = (progress.at_ms - plan.first_ms) / (plan.last_ms - plan.first_ms)
        else:
            done = progress.acknowledged / plan.messages if plan.messages else 1.0
        return min(max(done, 0.0), 1.0)

    def _rate(self) -> float | None:
        (begun_s, before), (now_s, count) = self._seen[0], self._seen[-1]
        return (count - before) / (now_s - begun_s) if now_s > begun_s else None

    def _left_s(self, progress: Progress, rate: float | None) -> float | None:
        """By the feed's clock where that paces it, else by the rate."""
        plan = self._plan
        if plan.messages is None or plan.last_ms is None:
            return None
        if self._paced():
            return max(0, plan.last_ms - progress.at_ms) / 1000.0 / plan.speed
        return max(0, plan.messages - progress.acknowledged) / rate if rate else None
