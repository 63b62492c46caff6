"""The salinity of a season at a station, hour by hour: kept for some minutes, bounded."""

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import anyio
import anyio.to_thread
from fastapi import Request

from alerts.farmers.place import Place
from alerts.farmers.pond_spells import Point
from alerts.messages import VIETNAM
from api.http.series import readers
from api.service import Service
from ingest.reading import FUTURE_TOLERANCE_MS, Flag
from ingest.series import Series

HOUR_MS: Final = 3_600_000
KEPT_MS: Final = 600_000
TRY_MS: Final = 10_000
WAIT_S: Final = 10.0
BEGINS_MONTH: Final = 11
"""Of the dry season: salt comes up the mouths from December on, and a pond is filled before."""


@dataclass(frozen=True, slots=True)
class Season:
    """What was read of one.

    points : see `alerts.farmers.pond_spells`; complete : all that there was could be read.
    """

    made_ms: int
    points: tuple[Point, ...]
    complete: bool


@dataclass(slots=True)
class Seasons:
    """By series. On the event loop alone."""

    kept: dict[str, Season] = field(default_factory=dict)
    tried_ms: dict[str, int] = field(default_factory=dict)
    reading: dict[str, anyio.Lock] = field(default_factory=dict)

    def get(self, key: str, now_ms: int) -> Season | None:
        found = self.kept.get(key)
        return found if found and 0 <= now_ms - found.made_ms < KEPT_MS else None


def begin_ms(now_ms: int) -> int:
    """When the season began that goes on, or that was the last: 1 November, Vietnam's time."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(VIETNAM)
    year = now.year if now.month >= BEGINS_MONTH else now.year - 1
    return int(datetime(year, BEGINS_MONTH, 1, tzinfo=VIETNAM).timestamp()) * 1000


def salinity_of(service: Service, station: str) -> Series | None:
    """The salinity of a station; of several probes the first that the registry names."""
    return next(
        (
            series
            for series in service.series().entries
            if series.station == station
            and series.quantity == "salinity_g_l"
            and not series.retired
        ),
        None,
    )


def station_of(service: Service, place: Place) -> str | None:
    """The most trusted station of a place: on the same side of the gate. None: there is none."""
    registry = service.registry()
    for station in registry.intakes[place.intake].stations:
        found = registry.stations.get(station)
        if found is not None and (found.side == "field") == (place.side == "field"):
            return station
    return None


async def season(request: Request, service: Service, series: Series) -> Season | None:
    """By hours, each with the highest that was read in it; None where it can't be read now."""
    seasons: Seasons = request.app.state.seasons
    now_ms, key = service.now_ms(), series.key
    with anyio.move_on_after(WAIT_S):
        async with seasons.reading.setdefault(key, anyio.Lock()):
            lately = 0 <= now_ms - seasons.tried_ms.get(key, now_ms - TRY_MS) < TRY_MS
            if seasons.get(key, now_ms) is None and not lately:
                seasons.tried_ms[key] = now_ms
                found = await anyio.to_thread.run_sync(
                    _read, service, series, now_ms, limiter=readers(request), abandon_on_cancel=True
                )
                if found is not None:
                    seasons.kept[key] = found
    return seasons.get(key, now_ms)


def _read(service: Service, series: Series, now_ms: int) -> Season | None:
    to_ms = now_ms + FUTURE_TOLERANCE_MS
    try:
        hours, whence = service.windows(series, begin_ms(now_ms), to_ms, HOUR_MS, 0)
    except sqlite3.Error:
        return None
    rows = zip(hours.start_ms, hours.high, hours.n, hours.n_good, strict=True)
    points = tuple(
        (int(t), float(high), int(Flag.PASS if good == n else Flag.SUSPECT))
        for t, high, n, good in rows
    )
    return Season(now_ms, points, whence.complete)
