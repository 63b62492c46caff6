"""Sections that several reports have: stations' extremes, minutes of bridges. Pure."""

from typing import Any, Final

from alerts.reports import figures
from alerts.reports.sources import Sources
from ingest.reading import Batch, Why
from ingest.registry import Station
from ingest.series import Series

LIMITS_MIN: Final = (15, 30, 60)
"""Crossing in up to a quarter of an hour is ordinary; from 30 and 60 min on people turn back."""


def extremes(
    station: Station, series: Series, rows: Batch, from_ms: int, to_ms: int
) -> dict[str, Any]:
    """The highest and lowest of readings of [from, to), and how many there were."""
    counted = figures.used(rows)
    high, low = figures.highest(counted), figures.lowest(counted)
    return {
        "station": station.id,
        "name": station.name,
        "key": series.key,
        "depth": series.level,
        **figures.coverage(len(counted), from_ms, to_ms, series.expected_s),
        "max": None if high is None else high.told(),
        "min": None if low is None else low.told(),
        "simulated": figures.simulated(counted),
    }


def minutes_of(
    sources: Sources, station: Station, direction: str, series: Series, from_ms: int, to_ms: int
) -> dict[str, Any]:
    """Crossing times of one direction in [from, to): the worst, the median, how long over."""
    rows = figures.used(sources.read(series, from_ms, to_ms))
    worst = figures.highest(rows)
    names = station.directions[direction]
    return {
        "station": station.id,
        "name": station.name,
        "direction": direction,
        "direction_vi": names["vi"],
        "direction_en": names["en"],
        "key": series.key,
        **figures.coverage(len(rows), from_ms, to_ms, series.expected_s),
        "median_min": figures.median(rows),
        "worst": None if worst is None else worst.told(),
        "at_least": worst is not None and bool(rows.why[rows.value.argmax()] & Why.BOUND),
        "over": [
            {
                "limit_min": limit,
                "for_min": figures.minutes_over(rows, limit, to_ms, series.expected_s),
            }
            for limit in LIMITS_MIN
        ],
        "simulated": figures.simulated(rows),
    }


def bridges(sources: Sources, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """All bridges by direction."""
    return [
        minutes_of(sources, station, direction, series, from_ms, to_ms)
        for station, direction, series in sources.directions()
    ]
