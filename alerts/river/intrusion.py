"""How far a level of salinity has come up a river, from stations along it.

What it gives: the distance from the mouth, km, to which a level s (1 or 4 g/L) reaches.
Formula: between neighbours at x1 < x2 with S1 >= s > S2, with salt falling off exponentially
with distance (as bulletins of the Mekong delta interpolate, and as the salt intrusion models
of Savenije, "Salinity and Tides in Alluvial Estuaries", 2012, have it near the tip),

    w = ln(S1 / s) / ln(S1 / S2),   x = x1 + w (x2 - x1)
    sd^2 = 1^2 + (0.1 (x2 - x1))^2 + (0.05 (x2 - x1) / ln(S1 / S2))^2 ((1 - w)^2 + w^2)

1 km is how far published distances of agencies differ, a tenth of the gap is what stations
withheld were missed by (tests/alerts/river/test_intrusion.py), 5 % is the instrument; the
last two are expert judgement, unverified.
Refusals: where the stations don't bracket the level there is a bound, never a figure. Salt
at the last station: it is beyond that. Stations more than `GAP_KM_MAX` apart: it is beyond
the lower of them. Fresh everywhere: it is below the first.
Units: km, g/L. Cost: one pass over instants times stations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ingest.reading import BoolArray, FloatArray, IntArray, rounded
from ingest.salinity import DRY_SALINITY_G_L

GAP_KM_MAX = 15.0
"""Between stations further apart nothing is interpolated (expert judgement, unverified)."""

SD_DISTANCE_KM = 1.0
SD_OF_GAP = 0.1
SD_OF_VALUE = 0.05


class Bracket(IntEnum):
    """What is known of a line. `REFUSED` is a lower bound between stations too far apart."""

    NOTHING = 0
    BELOW = 1
    FIGURE = 2
    BEYOND = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True)
class Lines:
    """One level at K instants.

    km : float64[K], the figure or the bound, rounded; NaN where nothing is known
    sd_km : float64[K], its standard deviation; NaN for a bound
    bracket : int64[K], see `Bracket`
    """

    km: FloatArray
    sd_km: FloatArray
    bracket: IntArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """One place where the water passes a level, between stations `lower` and `upper`.

    `km` is None where the two are too far apart.
    """

    lower: int
    upper: int
    km: float | None
    sd_km: float | None


def lines(
    km: FloatArray, salinity: FloatArray, level: float | FloatArray, ways: Sequence[IntArray]
) -> Lines:
    """The furthest that a level reaches, over all ways up from one mouth.

    Parameters
    ----------
    km : float64[M], distance of each station from the mouth
    salinity : float64[K, M], g/L at K instants, NaN where a station has no good value
    level : g/L, one for all instants or float64[K]
    ways : the stations of each way up from the mouth, from the sea to the land; reaches that
        part and join make several
    """
    count = len(salinity)
    levels = np.broadcast_to(np.asarray(level, dtype=np.float64), (count,))
    none = np.full(count, np.nan)
    best = _Reach(none, none, np.zeros(count, dtype=np.int64), none)
    for way in ways:
        along_km = np.broadcast_to(km[way], (count, len(way)))
        best = _further(best, _along(along_km, salinity[:, way], levels))
    return Lines(rounded(best.km), rounded(best.sd_km), best.bracket)


def furthest(km: FloatArray, salinity: FloatArray, levels: FloatArray) -> Lines:
    """The same for K rows that are each of a mouth, an instant and a level of their own.

    Parameters
    ----------
    km, salinity : float64[W, K, M], for each of up to W ways the stations from the sea to the
        land; a salinity is NaN where a way has fewer stations, or a mouth fewer ways
    levels : float64[K]
    """
    best = _along(km[0], salinity[0], levels)
    for way in range(1, len(km)):
        best = _further(best, _along(km[way], salinity[way], levels))
    return Lines(rounded(best.km), rounded(best.sd_km), best.bracket)


def crossings(
    km: FloatArray, salinity: FloatArray, level: float, ways: Sequence[IntArray]
) -> list[Crossing]:
    """Every place where a level is passed at one instant, nearest to the sea first.

    `salinity` is float64[M]. A profile need not fall from the sea to the land: salt also
    comes in from behind, through another mouth.
    """
    found: dict[tuple[int, int], Crossing] = {}
    for way in ways:
        steps = _steps(km[None, way], salinity[None, way], np.array([level]))
        for upper in np.flatnonzero(steps.passed[0]).tolist():
            pair = int(way[steps.before[0, upper]]), int(way[upper])
            x, sd = float(rounded(steps.x_km)[0, upper]), float(rounded(steps.sd_km)[0, upper])
            near = steps.gap_km[0, upper] <= GAP_KM_MAX
            found[pair] = Crossing(*pair, x if near else None, sd if near else None)
    return sorted(found.values(), key=lambda each: (km[each.lower], km[each.upper], each.lower))


@dataclass(frozen=True, slots=True)
class _Steps:
    """From the next lower station with a value to each station: [K, M] of everything."""

    passed: BoolArray
    before: IntArray
    gap_km: FloatArray
    x_km: FloatArray
    sd_km: FloatArray


def _steps(km: FloatArray, salinity: FloatArray, levels: FloatArray) -> _Steps:
    level = levels[:, None]
    known = ~np.isnan(salinity)
    places = np.arange(km.shape[1], dtype=np.int64)
    last = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    before = np.full_like(last, -1)
    before[:, 1:] = last[:, :-1]
    at = np.maximum(before, 0)
    # Less salt than that of a dry probe is no water: the logarithm needs a floor.
    here = np.maximum(salinity, DRY_SALINITY_G_L)
    lower = np.take_along_axis(here, at, axis=1)
    passed: BoolArray = known & (before >= 0) & (lower >= level) & (here < level)
    from_km = np.take_along_axis(km, at, axis=1)
    gap_km = km - from_km
    fall = np.log(np.where(passed, lower / here, np.e))
    w = np.log(np.where(passed, lower / level, 1.0)) / fall
    by_value_km = SD_OF_VALUE * gap_km / fall
    variance = (
        SD_DISTANCE_KM**2 + (SD_OF_GAP * gap_km) ** 2 + by_value_km**2 * ((1 - w) ** 2 + w**2)
    )
    return _Steps(passed, before, gap_km, from_km + w * gap_km, np.sqrt(variance))


@dataclass(frozen=True, slots=True)
class _Reach:
    """`Lines` along some ways, and up to where the salt may be, km: the upper station."""

    km: FloatArray
    sd_km: FloatArray
    bracket: IntArray
    until_km: FloatArray


def _along(km: FloatArray, salinity: FloatArray, levels: FloatArray) -> _Reach:
    """The furthest crossing along one way, or what bounds it."""
    steps = _steps(km, salinity, levels)
    rows = np.arange(len(salinity))
    known = ~np.isnan(salinity)
    any_known = known.any(axis=1)
    first = known.argmax(axis=1)
    last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    crosses = steps.passed.any(axis=1)
    upper = steps.passed.shape[1] - 1 - steps.passed[:, ::-1].argmax(axis=1)
    lower = np.maximum(steps.before[rows, upper], 0)
    wide = steps.gap_km[rows, upper] > GAP_KM_MAX
    cases = [
        ~any_known,
        np.where(any_known, salinity[rows, last], -1.0) >= levels,
        crosses & wide,
        crosses,
    ]
    bracket = np.select(
        cases,
        [Bracket.NOTHING, Bracket.BEYOND, Bracket.REFUSED, Bracket.FIGURE],
        Bracket.BELOW,
    ).astype(np.int64)
    at_km = np.select(
        cases,
        [np.full(len(rows), np.nan), km[rows, last], km[rows, lower], steps.x_km[rows, upper]],
        km[rows, first],
    )
    sd_km = np.where(bracket == Bracket.FIGURE, steps.sd_km[rows, upper], np.nan)
    until_km = np.where(bracket == Bracket.REFUSED, km[rows, upper], at_km)
    return _Reach(at_km, sd_km, bracket, until_km)


def _further(a: _Reach, b: _Reach) -> _Reach:
    """Of two ways the one along which the salt is further; any salt is further than none.

    Where it may be further on the other, between stations too far apart, the figure is a
    lower bound, too.
    """
    rank_a = np.minimum(a.bracket, Bracket.FIGURE)
    rank_b = np.minimum(b.bracket, Bracket.FIGURE)
    second = (rank_b > rank_a) | ((rank_b == rank_a) & (b.km > a.km))
    km = np.where(second, b.km, a.km)
    bracket = np.where(second, b.bracket, a.bracket)
    other = np.where(second, a.bracket, b.bracket)
    other_until_km = np.where(second, a.until_km, b.until_km)
    hidden = (bracket == Bracket.FIGURE) & (other == Bracket.REFUSED) & (other_until_km > km)
    until_km = np.where(second, b.until_km, a.until_km)
    return _Reach(
        km,
        np.where(hidden, np.nan, np.where(second, b.sd_km, a.sd_km)),
        np.where(hidden, Bracket.REFUSED, bracket).astype(np.int64),
        np.where(hidden, other_until_km, until_km),
    )
