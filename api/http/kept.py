"""Reports that are kept for a moment, and days long ago that are kept for longer.

Ten officers who open the bulletin at six in the morning cost one.
"""

import asyncio
from collections import OrderedDict
from datetime import date
from threading import Lock
from typing import Final

from alerts.reports import figures
from alerts.reports.bulletin import DayOf, Highest, start_ms
from alerts.reports.sources import DAY_MS, Sources
from api.service import Item
from ingest.series import Series

FRESH_MS: Final = 10_000
"""A day that goes on is as old as a screen's picture at most."""

PAST_MS: Final = 60_000
"""Of a day that is over only what comes late changes."""

BULLETINS_MAX: Final = 32
DAYS_MAX: Final = 20_000
DAYS_FRESH_MS: Final = 3_600_000


class Kept:
    """For the loop (`bulletin`, `keep`) and for worker threads (what `long_ago` gives)."""

    def __init__(self) -> None:
        self._bulletins: OrderedDict[date, tuple[int, Item]] = OrderedDict()
        self._days: dict[tuple[str, date], tuple[int, Highest | None]] = {}
        self._lock = Lock()
        self.making = asyncio.Lock()

    def bulletin(self, on: date, now_ms: int) -> Item | None:
        """One that was made a moment ago."""
        found = self._bulletins.get(on)
        if found is None:
            return None
        made_ms, document = found
        over = made_ms >= start_ms(on) + DAY_MS
        fresh = 0 <= now_ms - made_ms < (PAST_MS if over else FRESH_MS)
        return document if fresh else None

    def keep(self, on: date, made_ms: int, document: Item) -> None:
        self._bulletins[on] = made_ms, document
        self._bulletins.move_to_end(on)
        while len(self._bulletins) > BULLETINS_MAX:
            self._bulletins.popitem(last=False)

    def long_ago(self, sources: Sources, now_ms: int) -> DayOf:
        """The highest of a series on a day, asked for once an hour."""

        def found(series: Series, on: date) -> Highest | None:
            key = series.key, on
            with self._lock:
                at_ms, known = self._days.get(key, (-DAYS_FRESH_MS, None))
            if 0 <= now_ms - at_ms < DAYS_FRESH_MS:
                return known
            day = sources.day(series, start_ms(on))
            top = figures.highest_hour(day)
            highest = None if top is None else (top.value, int(day.n.sum()))
            if sources.complete:
                with self._lock:
                    if len(self._days) >= DAYS_MAX:
                        self._days.clear()
                    self._days[key] = now_ms, highest
            return highest

        return found
