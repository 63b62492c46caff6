"""History as it is asked for: from the store where it reaches, from the historian beyond.

The store is right about what it holds. Before the time from which it has everything, both are
read and joined, and for a time that both have the store's word counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ingest.history import StoreReader
from ingest.influx import Unavailable
from ingest.reading import Batch
from ingest.rollups import HOUR_MS, Sums, Windows
from ingest.series import Series

PAGE_ROWS = 5_000


class Historian(Protocol):
    """Where readings are copied to for good."""

    def points(self, series: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        """Readings in [from, to), oldest first; raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Whence:
    """Where an answer comes from, and what it lacks.

    source : "local", "influxdb" or "both"
    missing : ranges [from, to) of which only a part may be there: the historian is away
    """

    source: str = "local"
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing


class Archive:
    """Reading both. Any number of threads."""

    def __init__(self, reader: StoreReader, historian: Historian | None = None) -> None:
        self._reader = reader
        self._historian = historian

    def points(self, series: Series, from_ms: int, to_ms: int, limit: int) -> tuple[Batch, Whence]:
        """Readings in [from, to), oldest first, at most `limit` of them."""
        pages: list[Batch] = []

        def take(page: Batch) -> bool:
            pages.append(page)
            return sum(map(len, pages)) < limit

        border_ms = self._border(self._reader.reach().readings_ms, from_ms, to_ms)
        whence = self._join(series, from_ms, border_ms, take)
        at_ms = border_ms
        while at_ms < to_ms and sum(map(len, pages)) < limit:
            page = self._reader.points(series.id, at_ms, to_ms, PAGE_ROWS)
            pages.append(page)
            at_ms = _end(page, to_ms)
        found = Batch.concat(pages)
        return found.take(np.arange(min(limit, len(found)))), _seen(
            whence, from_ms, border_ms, to_ms
        )

    def windows(
        self, series: Series, from_ms: int, to_ms: int, step_ms: int, offset_ms: int
    ) -> tuple[Windows, Whence]:
        """Aggregates of readings in [from, to) over windows that begin at `offset_ms` + k steps.

        Hours and what is made of them come from the store's rollups, which reach back to its
        beginning, whatever it has forgotten since.
        """
        parts: list[Sums] = []

        def take(page: Batch) -> bool:
            parts.append(Sums.of_readings(page, step_ms, offset_ms))
            return True

        reach = self._reader.reach()
        whole_hours = step_ms % HOUR_MS == 0 and offset_ms % HOUR_MS == 0
        border_ms = self._border(
            reach.hours_ms if whole_hours else reach.readings_ms, from_ms, to_ms
        )
        whence = self._join(series, from_ms, border_ms, take)
        if border_ms < to_ms:
            parts.append(self._reader.sums(series.id, border_ms, to_ms, step_ms, offset_ms))
        sums = Sums.concat(parts).merged()
        return sums.windows(), _seen(whence, from_ms, border_ms, to_ms)

    def _border(self, reach_ms: int, from_ms: int, to_ms: int) -> int:
        """From here on the store alone is asked."""
        return from_ms if self._historian is None else min(max(reach_ms, from_ms), to_ms)

    def _join(
        self, series: Series, from_ms: int, to_ms: int, take: Callable[[Batch], bool]
    ) -> Whence:
        """Hand over, page by page, what either holds in [from, to), until one is not taken."""
        missing: tuple[tuple[int, int], ...] = ()
        local = far_away = False
        at_ms, more = from_ms, True
        while more and at_ms < to_ms:
            far = Batch.empty()
            if self._historian is not None and not missing:
                try:
                    far = self._historian.points(series, at_ms, to_ms, PAGE_ROWS)
                except Unavailable:
                    missing = ((at_ms, to_ms),)
            near = self._reader.points(series.id, at_ms, to_ms, PAGE_ROWS)
            at_ms = min(_end(far, to_ms), _end(near, to_ms))
            far, near = (page.take(page.t_ms < at_ms) for page in (far, near))
            far = far.take(~np.isin(far.t_ms, near.t_ms))
            local, far_away = local or len(near) > 0, far_away or len(far) > 0
            both = Batch.concat([near, far])
            more = take(both.take(np.argsort(both.t_ms, kind="stable")))
        if missing:
            return Whence("both" if far_away else "local", missing)
        return Whence("both" if local else "influxdb")


def _end(page: Batch, to_ms: int) -> int:
    """Up to where a page is complete."""
    return int(page.t_ms[-1]) + 1 if len(page) >= PAGE_ROWS else to_ms


def _seen(whence: Whence, from_ms: int, border_ms: int, to_ms: int) -> Whence:
    """What both parts of an answer come to, the joined one and the store's own."""
    if border_ms <= from_ms:
        return Whence()
    if border_ms < to_ms and whence.source == "influxdb":
        return Whence("both", whence.missing)
    return whence
