"""The river station by station and sample by sample: the slow twin of alerts.river."""

import itertools
import math
from collections.abc import Sequence

from alerts.river.intrusion import GAP_KM_MAX, Bracket
from ingest.reading import Flag, Why
from ingest.salinity import DRY_SALINITY_G_L

MINUTE = 60_000
HOUR = 60 * MINUTE
QUARTER = 15 * MINUTE

Row = tuple[int, int, float, int, int]
"""(station, t_ms, value, flag, why)."""


def line(
    km: Sequence[float], salinity: Sequence[float], level: float
) -> tuple[Bracket, float, float]:
    """One level along one way: (bracket, km, sd_km)."""
    known = [
        (x, max(s, DRY_SALINITY_G_L))
        for x, s in zip(km, salinity, strict=True)
        if not math.isnan(s)
    ]
    if not known:
        return Bracket.NOTHING, math.nan, math.nan
    if known[-1][1] >= level:
        return Bracket.BEYOND, known[-1][0], math.nan
    for (x1, s1), (x2, s2) in reversed(list(itertools.pairwise(known))):
        if s1 >= level > s2:
            gap = x2 - x1
            if gap > GAP_KM_MAX:
                return Bracket.REFUSED, x1, math.nan
            w = math.log(s1 / level) / math.log(s1 / s2)
            by_value = 0.05 * gap / math.log(s1 / s2)
            variance = 1 + (0.1 * gap) ** 2 + by_value**2 * ((1 - w) ** 2 + w**2)
            return Bracket.FIGURE, x1 + gap * w, math.sqrt(variance)
    return Bracket.BELOW, known[0][0], math.nan


def now(rows: Sequence[Row], station: int, at_ms: int) -> float:
    """The newest good value not older than half an hour."""
    good = [
        r
        for r in rows
        if r[0] == station and r[3] == Flag.PASS and at_ms - HOUR // 2 <= r[1] <= at_ms
    ]
    return max(good, key=lambda r: r[1])[2] if good else math.nan


def highest(rows: Sequence[Row], station: int, at_ms: int) -> float:
    """The highest good value of 25 hours, 22 of which have one."""
    good = [
        r
        for r in rows
        if r[0] == station and r[3] == Flag.PASS and at_ms - 25 * HOUR < r[1] <= at_ms
    ]
    hours = {(at_ms - r[1]) // HOUR for r in good}
    return max(r[2] for r in good) if len(hours) >= 22 else math.nan


Told = dict[tuple[str, int], tuple[float, int, int]]
"""(quantity, t_ms) -> (value, flag, why)."""


def rows_at(rows: Sequence[Row], km: Sequence[float], at_ms: int) -> Told:
    """All derived rows of one mouth at one instant."""
    day = [r for r in rows if at_ms - 25 * HOUR < r[1] <= at_ms]
    measured = [r for r in rows if not r[4] & Why.SIMULATED]
    simulated = not any(r in measured for r in day)
    mark = int(Why.SIMULATED) if simulated else 0
    counted = [r for r in rows if bool(r[4] & Why.SIMULATED) is simulated]
    told: Told = {}
    for basis, of in (("", now), ("_max", highest)):
        salinity = [of(counted, station, at_ms) for station in range(len(km))]
        for level in (1, 4):
            bracket, x, sd = line(km, salinity, float(level))
            if bracket is Bracket.NOTHING or (bracket is Bracket.BELOW and math.isnan(salinity[0])):
                continue
            figure = bracket is Bracket.FIGURE
            flag = Flag.SUSPECT if bracket >= Bracket.BEYOND else Flag.PASS
            why = mark | (0 if figure else int(Why.BOUND))
            told[f"salt_{level}{basis}_km", at_ms] = (x, int(flag), why)
            if figure:
                told[f"salt_{level}{basis}_sd_km", at_ms] = (sd, int(Flag.PASS), mark)
    return told


def inside_spell(
    rows: Sequence[Row], station: int, raise_above: float, clear_below: float
) -> tuple[bool, int, float]:
    """Whether a station is in a spell after its last sample; since when, and the highest."""
    inside, since, top, run, last = False, -1, 0.0, -1, -1
    for row in sorted((r for r in rows if r[0] == station), key=lambda r: r[1]):
        _, t_ms, value, flag, _ = row
        if flag not in (Flag.PASS, Flag.SUSPECT):
            continue
        calm = value < clear_below and flag == Flag.PASS
        if not calm:
            run = -1
        elif run < 0 or last < 0 or t_ms - last > 3 * HOUR:
            run = t_ms
        last = t_ms
        if value > raise_above and not inside:
            inside, since, top = True, t_ms, value
        elif inside:
            top = max(top, value)
        if inside and calm and t_ms - run >= 25 * HOUR:
            inside, since, top = False, -1, 0.0
    return inside, since, top
