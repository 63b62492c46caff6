"""Figures of a stretch of time: extremes, coverage, how long over a limit, silences. Pure.

Values with flags 1 to 3 count, as in every aggregate of the service. Times int ms UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ingest.reading import Batch, Flag, IntArray, Why, rounded
from ingest.rollups import Windows

LOST_INTERVALS: Final = 8
"""As on the screens (`api.live.ages`): after so many intervals a device counts as lost."""

HELD_INTERVALS: Final = 2
"""A value stands until the next one, and no longer than this: what was then is not known."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """One value of a series; of what is forgotten only the hour is known, and no flag."""

    value: float
    t_ms: int | None
    flag: int | None
    hour_ms: int | None = None

    def told(self) -> dict[str, Any]:
        return {"value": self.value, "t": self.t_ms, "hour": self.hour_ms, "flag": self.flag}


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was heard between two values; None: no value for as long as one looked."""

    from_ms: int | None
    to_ms: int | None


def used(rows: Batch) -> Batch:
    """The readings that count."""
    return rows.take(rows.flag <= Flag.SUSPECT)


def good(rows: Batch) -> Batch:
    return rows.take(rows.flag == Flag.PASS)


def simulated(rows: Batch) -> bool:
    return bool((rows.why & Why.SIMULATED).any())


def within(rows: Batch, from_ms: int, to_ms: int) -> Batch:
    """Those of [from, to)."""
    return rows.take((rows.t_ms >= from_ms) & (rows.t_ms < to_ms))


def highest(rows: Batch) -> Extreme | None:
    """The highest of readings that rise in time, where it was first reached."""
    return _at(rows, int(rows.value.argmax())) if len(rows) else None


def lowest(rows: Batch) -> Extreme | None:
    return _at(rows, int(rows.value.argmin())) if len(rows) else None


def _at(rows: Batch, place: int) -> Extreme:
    return Extreme(float(rows.value[place]), int(rows.t_ms[place]), int(rows.flag[place]))


def highest_hour(hours: Windows) -> Extreme | None:
    """The same from sums of hours, where the readings are forgotten."""
    if not len(hours.start_ms):
        return None
    place = int(hours.high.argmax())
    return Extreme(float(hours.high[place]), None, None, int(hours.start_ms[place]))


def lowest_hour(hours: Windows) -> Extreme | None:
    if not len(hours.start_ms):
        return None
    place = int(hours.low.argmin())
    return Extreme(float(hours.low[place]), None, None, int(hours.start_ms[place]))


def coverage(n: int, from_ms: int, to_ms: int, expected_s: float) -> dict[str, Any]:
    """`n`, how many were expected, and the share; a share is never more than 1."""
    expected = round((to_ms - from_ms) / (expected_s * 1000)) if expected_s else 0
    return {"n": n, "expected": expected, "share": share_of(n, expected)}


def share_of(n: int, expected: int) -> float:
    """Never more than 1, and never rounded up to it: what is missing is to be seen."""
    if n >= expected:
        return float(n > 0)
    return min(figure(n / expected), 0.9999)


def missing(parts: Sequence[dict[str, Any]], worst: int = 10) -> dict[str, Any]:
    """Coverage of many series together, and the worst of them; parts have `key` beside it.

    What one series sent too often makes up for nothing that another did not send.
    """
    expected = sum(each["expected"] for each in parts)
    n = sum(min(each["n"], each["expected"]) for each in parts)
    names = ("key", "n", "expected", "share")
    short = sorted((e for e in parts if e["share"] < 1.0), key=lambda e: (e["share"], e["key"]))
    return {
        "n": n,
        "expected": expected,
        "share": share_of(n, expected) if expected else 1.0,
        "worst": [{name: each[name] for name in names} for each in short[:worst]],
    }


def minutes_over(rows: Batch, limit: float, to_ms: int, expected_s: float) -> float:
    """How long the value was above a limit, minutes; rows rise in time, all before `to_ms`."""
    if not len(rows):
        return 0.0
    held_ms = int(HELD_INTERVALS * expected_s * 1000)
    until_ms = np.append(rows.t_ms[1:], to_ms)
    lasted_ms = np.minimum(until_ms - rows.t_ms, held_ms)
    return figure(float(lasted_ms[rows.value > limit].sum()) / 60_000)


def silences(t_ms: IntArray, from_ms: int, to_ms: int, expected_s: float) -> list[Silence]:
    """Stretches of more than `LOST_INTERVALS` without a value that reach into [from, to).

    t_ms : rising times of values, also of before `from_ms` as far as somebody looked
    """
    lost_ms = int(LOST_INTERVALS * expected_s * 1000)
    times: list[int | None] = [None, *t_ms[t_ms < to_ms].tolist(), None]
    found = []
    for at in range(len(times) - 1):
        begin, end = times[at], times[at + 1]
        heard_ms = begin if begin is not None else from_ms - lost_ms
        if (end if end is not None else to_ms) - heard_ms > lost_ms and (
            end is None or end > from_ms
        ):
            found.append(Silence(begin, end))
    return found


def silent_minutes(silence: Silence, from_ms: int, to_ms: int) -> float:
    """How much of [from, to) it covers."""
    begin = from_ms if silence.from_ms is None else max(from_ms, silence.from_ms)
    end = to_ms if silence.to_ms is None else min(to_ms, silence.to_ms)
    return figure((end - begin) / 60_000)


def median(rows: Batch) -> float | None:
    return figure(float(np.median(rows.value))) if len(rows) else None


def figure(value: float) -> float:
    """As figures are told: to 1e-4 of the unit."""
    return float(rounded(np.array([value]))[0])


def total(hours: Windows) -> float:
    """The sum of all readings behind aggregates."""
    return float((hours.mean * hours.n).sum())


def of_hours(hours: Windows, from_ms: int, to_ms: int) -> Windows:
    """The whole hours that begin in [from, to)."""
    chosen = (hours.start_ms >= from_ms) & (hours.start_ms < to_ms)
    return Windows(*(getattr(hours, name)[chosen] for name in Windows.__slots__))
