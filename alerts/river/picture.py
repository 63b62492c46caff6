"""The river as people look at it: lines with the stations that they rest on, and spells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from alerts.river.bands import spell_levels
from alerts.river.cells import ABSENT, HOURS_NEEDED, At, Cells
from alerts.river.intrusion import Bracket, crossings, lines
from alerts.river.network import Mouth, Network, Probe
from alerts.river.risk import computed
from alerts.river.spells import Spells
from ingest.reading import BoolArray, FloatArray, IntArray, rounded

SAME_TIDE_MS = 89_400_000
"""24 h 50 min: the tide that is laid over this one is the second before it, not yesterday's
hour."""

PARTNER_MS = 3_600_000
"""How far from that time a sample may be observed to be interpolated with."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The stations of a mouth at its newest instant, [M] of everything but the first four."""

    series: list[int]
    t_ms: int
    simulated: bool
    now: FloatArray
    now_ms: IntArray
    top: FloatArray
    hours: IntArray
    heard: BoolArray
    fresh: BoolArray

    @classmethod
    def of(
        cls, series: list[int], t_ms: int, at: At, rows: IntArray, column: int, *, simulated: bool
    ) -> Self:
        """What stands in one column of `at`, in the rows of a mouth's stations."""
        told = {each.name: getattr(at, each.name)[rows, column] for each in fields(At)}
        return cls(series, t_ms, simulated, **told)

    def snapshot(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def restored(cls, snapshot: dict[str, Any]) -> Self:
        return cls(**snapshot)


def picture(
    network: Network,
    seen: Mapping[str, Seen],
    cells: Cells,
    spells: Spells,
    risk_from_km: Sequence[float],
    now_ms: int,
) -> dict[str, Any]:
    """Mouths and stations, as docs/river.md has it."""
    return {
        "now": now_ms,
        "mouths": {
            mouth.id: {
                **_mouth(network, mouth, seen[mouth.id]),
                "risk": _risk(mouth, seen[mouth.id], risk_from_km),
            }
            for mouth in network.mouths
            if mouth.id in seen
        },
        "stations": {
            probe.station.id: found
            for slot, probe in enumerate(network.probes)
            if (found := _station(network, slot, probe, cells, spells)) is not None
        },
    }


def _risk(mouth: Mouth, seen: Seen, from_km: Sequence[float]) -> dict[str, Any] | None:
    found = lines(mouth.km, seen.top[None], 4.0, mouth.ways)
    risk = computed(Bracket(int(found.bracket[0])), float(found.km[0]), from_km)
    return None if risk is None else risk.told()


def _mouth(network: Network, mouth: Mouth, seen: Seen) -> dict[str, Any]:
    stations = [network.probes[slot].station.id for slot in mouth.slots.tolist()]
    told: list[dict[str, Any]] = []
    for basis, salinity in (("now", seen.now), ("max_25h", seen.top)):
        used, left_out = [], []
        for at, station in enumerate(stations):
            km = float(mouth.km[at])
            if np.isnan(salinity[at]):
                left_out.append({"station": station, "km": km, "why": _why(basis, seen, at)})
                continue
            entry = {"station": station, "km": km, "g_l": float(salinity[at])}
            if basis == "now":
                entry["t"] = int(seen.now_ms[at])
            used.append(entry)
        told.extend(
            {
                "level_g_l": level,
                "basis": basis,
                **_line(mouth, salinity, level),
                "crossings": _crossings(mouth, stations, salinity, level),
                "used": used,
                "left_out": left_out,
            }
            for level in (1, 4)
        )
    return {"t": seen.t_ms, "simulated": seen.simulated, "depth": "surface", "lines": told}


def _line(mouth: Mouth, salinity: FloatArray, level: int) -> dict[str, Any]:
    found = lines(mouth.km, salinity[None], level, mouth.ways)
    km, bracket = float(found.km[0]), Bracket(int(found.bracket[0]))
    if bracket is Bracket.NOTHING:
        return {"why": "no station has a good value"}
    if bracket is Bracket.FIGURE:
        return {"km": km, "sd_km": float(found.sd_km[0])}
    if bracket is Bracket.BELOW:
        return {"below_km": km}
    if bracket is Bracket.REFUSED:
        return {"beyond_km": km, "why": "the next stations with a good value are too far apart"}
    return {"beyond_km": km, "why": "salt at the last station with a good value"}


def _crossings(
    mouth: Mouth, stations: list[str], salinity: FloatArray, level: int
) -> list[dict[str, Any]]:
    return [
        {
            "between": [stations[each.lower], stations[each.upper]],
            "km": each.km,
            "sd_km": each.sd_km,
        }
        for each in crossings(mouth.km, salinity, level, mouth.ways)
    ]


def _why(basis: str, seen: Seen, at: int) -> str:
    if not seen.heard[at]:
        return "no sample in 25 hours"
    if basis == "max_25h":
        return f"good samples in {int(seen.hours[at])} of 25 hours, {HOURS_NEEDED} are needed"
    if seen.fresh[at]:
        return "no good sample in 30 minutes"
    return "older than 30 minutes"


def _station(
    network: Network, slot: int, probe: Probe, cells: Cells, spells: Spells
) -> dict[str, Any] | None:
    """What a station measures; what was simulated, where nothing was measured in 25 h."""
    rows = (slot, slot + len(network.probes))
    newest = [int(cells.newest[row]) for row in rows]
    measured = newest[0] != ABSENT and newest[0] > max(newest) - cells.kept
    row = rows[0] if measured else rows[1]
    cell = int(cells.newest[row])
    if cell == ABSENT:
        return None
    at = cells.at(np.array([row]), np.array([cell], dtype=np.int64))
    samples = cells.good_samples(row)
    newest_ms, value = samples[-1] if samples else (None, None)
    return {
        "t": newest_ms,
        "now_g_l": value,
        "max_25h_g_l": None if np.isnan(at.top[0, 0]) else float(at.top[0, 0]),
        "hours_of_25": int(at.hours[0, 0]),
        "simulated": not measured,
        "same_tide": same_tide(samples),
        "spells": [
            {
                "raise_above_g_l": level.raise_above,
                "clear_below_g_l": level.clear_below,
                "since": int(spells.since_ms[row, place]),
                "max_g_l": float(spells.top[row, place]),
            }
            for place, level in enumerate(spell_levels(probe.station))
            if spells.inside[row, place]
        ],
    }


def same_tide(samples: list[tuple[int, float]]) -> dict[str, Any] | None:
    """The newest sample against the same tide, 24 h 50 min before, g/L; None where unknown.

    Between the samples around that time the value is interpolated, if both are within an hour
    of it. Plain rise per hour is not asked: on ordinary days it goes with every flood.
    """
    if not samples:
        return None
    t_ms, value = samples[-1]
    then_ms = t_ms - SAME_TIDE_MS
    before = [each for each in samples if then_ms - PARTNER_MS <= each[0] <= then_ms]
    after = [each for each in samples if then_ms <= each[0] <= then_ms + PARTNER_MS]
    if not before or not after:
        return None
    (t1, s1), (t2, s2) = before[-1], after[0]
    then = s1 if t1 == t2 else s1 + (s2 - s1) * (then_ms - t1) / (t2 - t1)
    figures = rounded(np.array([then, value - then]))
    return {"t": then_ms, "g_l": float(figures[0]), "rise_g_l": float(figures[1])}
