"""Advice for every intake, kept up by readings, the clock and what officers enter.

Pure: the clock is a parameter. What is advised at a time follows from the released readings
of the intake's stations, from what an officer last said of it (taking or not, its gate open
or closed) and from that time alone. A permission ends by itself: no reading, no advice.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from alerts.river import decision
from alerts.river.advice import MS_PER_H, Advice, Found, body
from alerts.river.decision import Facts
from alerts.river.network import Probe, network
from alerts.river.recent import (
    THINNED_MS,
    TIDE_MS,
    Recent,
    Sample,
    falling,
    high_water_ms,
    slope_per_h,
)
from alerts.river.sight import GAP_INTERVALS, Asker, Sight, judge
from ingest.intakes import Intake
from ingest.reading import Batch, Why, rounded
from ingest.registry import Registry
from ingest.series import SeriesTable

HEAD_FRESH_MS = 1_800_000
DECIDING_MS = 4 * MS_PER_H
"""What a decision looks back on: the slope of an hour, and samples that fall or have held."""


class Entries(Protocol):
    """What officers have entered: `alerts.desk.Desk`."""

    def intakes(self) -> Mapping[str, Mapping[str, Any]]:
        """By intake: "taking", "gate" ("open", "closed" or None) and "t_ms"."""
        ...

    def maintenance(self, now_ms: int) -> Mapping[str, str]:
        """The stations in maintenance, with their windows."""
        ...


class Advisor:
    """What stands for every intake of the registry."""

    def __init__(
        self, registry: Registry, series: SeriesTable, snapshot: dict[str, Any] | None = None
    ) -> None:
        self._recent: dict[int, Recent] = {}
        self._standing: dict[str, dict[str, Any]] = {}
        self._check_ms: dict[str, int] = {}
        self._entered: dict[str, Mapping[str, Any]] = {}
        self._stopped_ms: dict[str, int] = {}
        self._maintained: set[str] = set()
        self._fit_from_ms: dict[str, int] = {}
        self._stale: set[str] = set()
        self.thought_of: set[str] = set()
        if snapshot is not None:
            recent = snapshot["recent"]
            self._recent = {number: Recent(samples) for number, samples in recent}
            self._standing = dict(snapshot["standing"])
            self._check_ms = dict(snapshot["check_ms"])
            self._entered = dict(snapshot["entered"])
            # Earlier checkpoints of the same version know nothing of these.
            self._stopped_ms = dict(snapshot.get("stopped_ms", {}))
            self._maintained = set(snapshot.get("maintained", ()))
            self._fit_from_ms = dict(snapshot.get("fit_from_ms", {}))
        self._configure(registry, series)
        if snapshot is not None:
            self._stale = set(snapshot["stale"])

    def reconfigure(self, registry: Registry, series: SeriesTable) -> None:
        """Put a new registry in force: every intake is thought of anew by the next `advance`."""
        self._configure(registry, series)

    def _configure(self, registry: Registry, series: SeriesTable) -> None:
        self._intakes = registry.intakes
        self._series = series
        self._probes: dict[str, Probe] = {
            probe.station.id: probe for probe in network(registry, series).probes
        }
        self._watchers: dict[int, list[str]] = {}
        self._intakes_of: dict[str, list[str]] = {}
        for intake in self._intakes.values():
            for station in (*intake.stations, *([intake.inside] if intake.inside else [])):
                self._intakes_of.setdefault(station, []).append(intake.id)
                for number in self._watched(station):
                    self._watchers.setdefault(number, []).append(intake.id)
        self._is_watched = np.zeros(len(series), dtype=np.bool_)
        self._is_watched[list(self._watchers)] = True
        self._recent = {
            number: self._recent.get(number, Recent()) for number in sorted(self._watchers)
        }
        self._fit_from_ms = {s: ms for s, ms in self._fit_from_ms.items() if s in self._intakes_of}
        self._stopped_ms = {i: ms for i, ms in self._stopped_ms.items() if i in self._intakes}
        self._stale = {*self._intakes, *self._standing}

    def _watched(self, station: str) -> Iterable[int]:
        """The salinity and the water level of a station."""
        probe = self._probes.get(station)
        if probe is None:
            return ()
        level = self._level_of(probe)
        return (probe.series,) if level is None else (probe.series, level)

    def _level_of(self, probe: Probe) -> int | None:
        stream = self._series.entries[probe.series].stream
        return self._series.columns[stream].get("water_level_m")

    def push(self, rows: Batch) -> None:
        """Take flagged, released readings of any series, each series rising."""
        known = self._is_watched[rows.series]
        if not known.any():
            return
        rows = rows.take(known)
        columns = (rows.series, rows.t_ms, rows.value, rows.flag, rows.why)
        numbers = rows.series.tolist()
        for number, t_ms, value, flag, why in zip(*(c.tolist() for c in columns), strict=True):
            simulated, bad = bool(why & Why.SIMULATED), bool(why & Why.DRY)
            self._recent[number].add(Sample(t_ms, value, flag, simulated, bad))
        for number in set(numbers):
            self._stale.update(self._watchers[number])

    def advance(self, now_ms: int, desk: Entries) -> list[Advice]:
        """Advice that differs from what stands, as of `now_ms`, in the order of intakes.

        `thought_of` names the intakes of which something was new: what is said of their water
        to others may have changed as well.
        """
        self._hear(now_ms, desk)
        due = {name for name, at_ms in self._check_ms.items() if at_ms <= now_ms}
        self.thought_of = self._stale | due
        if not self._stale and not due:
            return []
        wanted = self._stale | due
        self._stale = set()
        told = []
        for name in sorted(wanted - set(self._intakes)):
            self._check_ms.pop(name, None)
            if self._standing.pop(name, None) is not None:
                told.append(Advice(name, now_ms, {}))
        for name in self._intakes:
            if name in wanted:
                told.extend(self._think(self._intakes[name], now_ms))
        return told

    def _hear(self, now_ms: int, desk: Entries) -> None:
        """Take what officers have entered; what it is about is thought of anew."""
        entered = desk.intakes()
        if entered != self._entered:
            for name in {*entered, *self._entered}:
                if entered.get(name) != self._entered.get(name):
                    self._stale.add(name)
            self._entered = {name: dict(said) for name, said in entered.items()}
        maintained = {s for s in desk.maintenance(now_ms) if s in self._intakes_of}
        for station in self._maintained ^ maintained:
            self._stale.update(self._intakes_of.get(station, ()))
            # What a probe read while somebody worked on it permits nothing afterwards, either.
            self._fit_from_ms[station] = now_ms
        self._maintained = maintained

    def next_due_ms(self) -> int | None:
        """When the clock alone changes something; 0 is at once, None never."""
        if self._stale:
            return 0
        return min(self._check_ms.values(), default=None)

    def standing(self) -> dict[str, dict[str, Any]]:
        """The newest advice of each intake."""
        return {name: self._standing[name] for name in self._intakes if name in self._standing}

    def snapshot(self) -> dict[str, Any]:
        return {
            "recent": [[number, recent.snapshot()] for number, recent in self._recent.items()],
            "standing": dict(self._standing),
            "check_ms": dict(self._check_ms),
            "entered": {name: dict(said) for name, said in self._entered.items()},
            "stopped_ms": dict(self._stopped_ms),
            "maintained": sorted(self._maintained),
            "fit_from_ms": dict(self._fit_from_ms),
            "stale": sorted(self._stale),
        }

    def _think(self, intake: Intake, now_ms: int) -> list[Advice]:
        found = self._decide(intake, now_ms)
        said = self._entered.get(intake.id, {})
        if said.get("taking") and found.row in decision.STOPPING:
            self._stopped_ms[intake.id] = said["t_ms"]
        told = body(intake, found, now_ms)
        if found.until_ms is None:
            self._check_ms.pop(intake.id, None)
        else:
            self._check_ms[intake.id] = found.until_ms + 1
        old = self._standing.get(intake.id)
        if old is not None and {**old, "t": now_ms} == told:
            return []
        self._standing[intake.id] = told
        return [Advice(intake.id, now_ms, told)]

    def _decide(self, intake: Intake, now_ms: int) -> Found:
        said = self._entered.get(intake.id, {})
        asker = Asker(
            intake.limit_g_l,
            taking=bool(said.get("taking")),
            interrupted=intake.id in self._stopped_ms
            and self._stopped_ms[intake.id] == said.get("t_ms"),
            gravity=intake.lift == "gravity",
        )
        return judge(self.sights(intake.id, intake.side, now_ms), asker)

    def sights(self, intake: str, side: str, now_ms: int) -> list[Sight]:
        """What the stations of an intake that lie on one side of its gate have shown."""
        one = self._intakes[intake]
        stations = dict.fromkeys((*one.stations, *([one.inside] if one.inside else [])))
        return [
            self._sight(one, probe, now_ms)
            for station in stations
            if (probe := self._probes.get(station)) is not None
            and (probe.station.side == "field") == (side == "field")
        ]

    def _sight(self, intake: Intake, probe: Probe, now_ms: int) -> Sight:
        station, recent = probe.station.id, self._recent[probe.series]
        samples = recent.of_last(DECIDING_MS)
        fit_from_ms = self._fit_from_ms.get(station, 0)
        if station not in self._maintained:
            samples = [each for each in samples if each.t_ms > fit_from_ms]
        if not samples:
            return Sight(station, now_ms)
        newest = samples[-1]
        # As often as samples are remembered, where they come faster: holes are judged by it.
        interval_ms = max(int(self._series.expected_ms[probe.series]), THINNED_MS)
        slope = slope_per_h(samples)
        high_ms = self._high_water_ms(probe)
        facts = Facts(
            limit_g_l=0.0,
            salinity_g_l=newest.value,
            flag=newest.flag,
            age_h=max(0, now_ms - newest.t_ms) / MS_PER_H,
            interval_h=interval_ms / MS_PER_H,
            usual_rise_g_l_h=intake.rise_g_l_h,
            dry=newest.bad,
            live=not newest.simulated,
            maintained=station in self._maintained,
            slope_g_l_h=None if slope is None else _rounded(slope),
            falling=falling(samples, GAP_INTERVALS * interval_ms),
            high_water_h=None if high_ms is None else (now_ms - high_ms) / MS_PER_H,
            gate=self._gate(intake),
            head_m=self._head_m(intake, probe, now_ms),
        )
        fit = [each for each in recent.samples if each.t_ms > fit_from_ms]
        return Sight(station, now_ms, facts, samples, fit, interval_ms, high_ms)

    def _gate(self, intake: Intake) -> str | None:
        if intake.gate is None:
            return None
        gate: str | None = self._entered.get(intake.id, {}).get("gate")
        return gate

    def _high_water_ms(self, probe: Probe) -> int | None:
        level = self._level_of(probe)
        return None if level is None else high_water_ms(self._recent[level].of_last(TIDE_MS))

    def _head_m(self, intake: Intake, probe: Probe, now_ms: int) -> float | None:
        """Outer minus inner level, if both are good, recent and their zeros known."""
        inner = None if intake.inside is None else self._probes.get(intake.inside)
        if inner is None or intake.head_offset_m is None:
            return None
        if inner.station.id in self._maintained:
            return None
        levels = []
        for each in (probe, inner):
            number = self._level_of(each)
            newest = None if number is None else self._recent[number].newest
            if newest is None or not newest.good or now_ms - newest.t_ms > HEAD_FRESH_MS:
                return None
            levels.append(newest.value)
        return _rounded(levels[0] + intake.head_offset_m - levels[1])


def _rounded(value: float) -> float:
    return float(rounded(np.array([value]))[0])
