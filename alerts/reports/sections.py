"""Sections that several reports have: stations' extremes, minutes of bridges. Pure."""

from typing import Any, Final

from alerts.reports import figures
from alerts.reports.sources import Sources
from ingest.reading import Batch, Why
from ingest.registry import Station
from ingest.rollups import Windows
from ingest.series import Series

LIMITS_MIN: Final = (15, 30, 60)
"""Crossing in up to a quarter of an hour is ordinary; from 30 and 60 min on people turn back."""


def extremes(
    station: Station, series: Series, rows: Batch, hours: Windows, from_ms: int, to_ms: int
) -> dict[str, Any]:
    """The highest and lowest of [from, to), and how many readings there were.

    rows, hours : of [from, to). Where the hours know of more than there is, readings are
        forgotten; of what is, nobody knows any more whether it was simulated.
    """
    counted = figures.used(rows)
    n = int(hours.n.sum())
    forgotten = n > len(counted)
    high = figures.highest_hour(hours) if forgotten else figures.highest(counted)
    low = figures.lowest_hour(hours) if forgotten else figures.lowest(counted)
    return {
        "station": station.id,
        "name": station.name,
        "key": series.key,
        "depth": series.level,
        **figures.coverage(max(n, len(counted)), from_ms, to_ms, series.expected_s),
        "max": None if high is None else high.told(),
        "min": None if low is None else low.told(),
        "simulated": figures.simulated(counted) or (None if forgotten else False),
    }


def minutes_of(
    sources: Sources, station: Station, direction: str, series: Series, from_ms: int, to_ms: int
) -> dict[str, Any]:
    """Crossing times of one direction in [from, to): the worst, the median, how long over.

    Of what is forgotten only the worst is known, by its hour.
    """
    hours, found = sources.past(series, from_ms, to_ms)
    rows = figures.used(found)
    n = int(hours.n.sum())
    forgotten = n > len(rows)
    worst = figures.highest_hour(hours) if forgotten else figures.highest(rows)
    known = len(rows) > 0 and not forgotten
    names = station.directions[direction]
    return {
        "station": station.id,
        "name": station.name,
        "direction": direction,
        "direction_vi": names["vi"],
        "direction_en": names["en"],
        "key": series.key,
        **figures.coverage(max(n, len(rows)), from_ms, to_ms, series.expected_s),
        "median_min": figures.median(rows) if known else None,
        "worst": None if worst is None else worst.told(),
        "at_least": bool(rows.why[rows.value.argmax()] & Why.BOUND) if known else None,
        # Where nothing is known, "for 0 minutes" would say that the road was free.
        "over": [
            {
                "limit_min": limit,
                "for_min": figures.minutes_over(rows, limit, to_ms, series.expected_s)
                if known
                else None,
            }
            for limit in LIMITS_MIN
        ],
        "simulated": figures.simulated(rows) or (None if forgotten else False),
    }


def bridges(sources: Sources, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """All bridges by direction."""
    return [
        minutes_of(sources, station, direction, series, from_ms, to_ms)
        for station, direction, series in sources.directions()
    ]
