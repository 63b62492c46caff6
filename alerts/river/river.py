"""The river as a whole: samples of its probes in, lines of salt out. Pure: no clock, no await.

At instants of observed time, a quarter of an hour apart, each mouth gets the distance to
which 1 and 4 g/L reach: now (readings not older than half an hour) and as the maximum of
25 h. What stations do not bracket is a bound: salt beyond the last station is suspect
(flag 3: it may raise a danger and never clears one), fresh water at the lowest station of the
mouth is good. Anything else has no row.

Simulated samples are kept apart: as long as one station of a mouth has measured anything in
25 h, the mouth goes by what was measured; a wholly simulated river has simulated lines.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alerts.instants import LOST_AFTER, Instants
from alerts.river.bands import LEVELS_MAX, spell_levels
from alerts.river.cells import ABSENT, CELL_MS, Cells, cells_of
from alerts.river.intrusion import Bracket, furthest
from alerts.river.network import Mouth, Network, network
from alerts.river.picture import Seen, picture
from alerts.river.spells import Spells
from ingest.reading import Batch, BoolArray, Flag, FloatArray, IntArray, Why
from ingest.registry import Registry
from ingest.series import SeriesTable

LEVELS_G_L = (1, 4)
BASES = ("", "_max")


class River:
    """The newest tidal day of every probe, and what follows from it."""

    def __init__(
        self,
        registry: Registry,
        series: SeriesTable,
        reorder_ms: int,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        self._configure(registry, series, reorder_ms, snapshot)

    def reconfigure(self, registry: Registry, series: SeriesTable, reorder_ms: int) -> None:
        """Put a new registry in force; what is known of a series stays with it."""
        self._configure(registry, series, reorder_ms, self.snapshot())

    def _configure(
        self,
        registry: Registry,
        series: SeriesTable,
        reorder_ms: int,
        state: dict[str, Any] | None,
    ) -> None:
        self.network: Network = network(registry, series)
        self._risk_from_km = registry.risk_from_km
        probes, mouths = self.network.probes, self.network.mouths
        count = len(probes)
        self._slot: IntArray = np.full(len(series), -1, dtype=np.int64)
        self._slot[[probe.series for probe in probes]] = np.arange(count)
        expected_ms = series.expected_ms
        longest_ms = max((int(expected_ms[probe.series]) for probe in probes), default=0)
        members = [
            np.array([probes[at].series for at in mouth.slots], dtype=np.int64) for mouth in mouths
        ]
        self._instants = Instants(
            members,
            [CELL_MS] * len(mouths),
            expected_ms,
            reorder_ms,
            None if state is None else state["instants"],
            keys=[mouth.id for mouth in mouths],
        )
        self._way_slots, self._way_km = self.network.ways()
        self._lowest: IntArray = np.array([mouth.slots[0] for mouth in mouths], dtype=np.int64)
        self._lengths, self._deviations = _columns(mouths, ""), _columns(mouths, "_sd")
        # Row r of what follows is what probe r has measured, row count + r what was simulated.
        self._cells = Cells(2 * count, LOST_AFTER * longest_ms + reorder_ms)
        self._spells = Spells(*_asked(self.network))
        self._seen: dict[str, Seen] = {}
        if state is not None:
            self._restore(state, count)

    def _restore(self, state: dict[str, Any], count: int) -> None:
        slot_now = {probe.series: at for at, probe in enumerate(self.network.probes)}
        old = [slot_now.get(number, -1) for number in state["series"]]
        row_now = np.array(old + [at + count if at >= 0 else -1 for at in old], dtype=np.int64)
        self._cells.restore(state["cells"], row_now)
        self._spells.restore(state["spells"], row_now)
        for mouth in self.network.mouths:
            told = state["seen"].get(mouth.id)
            if told is not None and told["series"] == self._members(mouth):
                self._seen[mouth.id] = Seen.restored(told)

    def _members(self, mouth: Mouth) -> list[int]:
        return [self.network.probes[at].series for at in mouth.slots.tolist()]

    def push(self, rows: Batch) -> Batch:
        """Take flagged, released rows of any series, each series rising.

        Gives rows of the derived series, in order of time, each series at most once at a
        time, with their flags set.
        """
        slot = self._slot[rows.series]
        known = slot >= 0
        if not known.any():
            return Batch.empty()
        rows, slot = rows.take(known), slot[known]
        due = self._instants.due(rows.series, rows.t_ms)
        row = slot + np.where(rows.why & Why.SIMULATED, len(self.network.probes), 0)
        cell = cells_of(rows.t_ms)
        order = np.argsort(cell, kind="stable")
        rows, row, cell = rows.take(order), row[order], cell[order]
        good = rows.flag == Flag.PASS
        told: list[Batch] = []
        for part, end in self._cells.chunks(cell):
            columns = row[part], rows.t_ms[part], rows.value[part]
            self._spells.push(*columns, rows.flag[part])
            self._cells.add(*columns, good[part])
            last = part.stop == len(cell)
            ready = [each for each in due if last or each[0] < end * CELL_MS]
            due = due[len(ready) :]
            told.append(self._lines_of(ready))
        return _in_order(told)

    def _lines_of(self, due: Sequence[tuple[int, int]]) -> Batch:
        """The derived rows of D complete instants, by basis, instant and level."""
        if not due:
            return Batch.empty()
        t_ms, group = np.array(due, dtype=np.int64).T
        slots, km = self._way_slots[:, group], self._way_km[:, group]
        stations, by_hand = self._stations(t_ms, group, slots)
        shape = len(BASES), len(due), len(LEVELS_G_L)
        known = ~np.isnan(stations[..., 0]) & (slots[:, None, :, 0] == self._lowest[group])
        lowest = known.any(axis=0)
        wide = len(slots), *shape, slots.shape[2]
        found = furthest(
            _spread(km[:, None, :, None], wide),
            _spread(stations[:, :, :, None], wide),
            np.broadcast_to(np.array(LEVELS_G_L, dtype=np.float64), shape).reshape(-1),
        )
        figure = found.bracket == Bracket.FIGURE
        # Upper bounds are told by the lowest station of the mouth alone: above it, salt that
        # nobody measures may stand further down, and a figure would raise what it can't know.
        below = (found.bracket == Bracket.BELOW) & np.repeat(lowest.reshape(-1), shape[2])
        shown = (found.bracket >= Bracket.FIGURE) | below
        when = np.broadcast_to(t_ms[:, None], shape).reshape(-1)
        mark = np.where(by_hand, int(Why.SIMULATED), 0)[:, None]
        mark = np.broadcast_to(mark, shape).reshape(-1)
        length, deviation = (
            columns[group].swapaxes(0, 1).reshape(-1)
            for columns in (self._lengths, self._deviations)
        )
        flag = np.where(found.bracket >= Bracket.BEYOND, Flag.SUSPECT, Flag.PASS)
        why = mark | np.where(figure, 0, int(Why.BOUND))
        return Batch.concat(
            [
                Batch.of(length, when, found.km, flag, why).take(shown),
                Batch.of(deviation, when, found.sd_km, Flag.PASS, mark).take(figure),
            ]
        )

    def _stations(
        self, t_ms: IntArray, group: IntArray, slots: IntArray
    ) -> tuple[FloatArray, BoolArray]:
        """Salinities of the ways of each of D instants, float64[W, B, D, M], by basis.

        NaN where there is no good value or no station; bool[D] whether they are simulated.
        """
        cells, column = np.unique(t_ms // CELL_MS, return_inverse=True)
        there = slots >= 0
        used = np.unique(slots[there])
        row = np.where(there, np.searchsorted(used, slots), 0)
        picked = row, column[None, :, None]
        at = self._cells.at(used, cells)
        by_hand = np.zeros(len(t_ms), dtype=np.bool_)
        drilled = used + len(self.network.probes)
        of = [at]
        if (self._cells.newest[drilled] != ABSENT).any():
            of.append(self._cells.at(drilled, cells))
            by_hand |= ~(at.heard[picked] & there).any(axis=(0, 2))
        stations = np.array([[each.now[picked], each.top[picked]] for each in of])
        chosen = np.where(by_hand[:, None], stations[-1], stations[0])
        for number in np.unique(group).tolist():
            newest = int(np.flatnonzero(group == number)[-1])
            mouth, simulated = self.network.mouths[number], bool(by_hand[newest])
            self._seen[mouth.id] = Seen.of(
                self._members(mouth),
                int(t_ms[newest]),
                of[int(simulated)],
                np.searchsorted(used, mouth.slots),
                int(column[newest]),
                simulated=simulated,
            )
        return np.where(there, chosen, np.nan).swapaxes(0, 1), by_hand

    def picture(self, now_ms: int) -> dict[str, Any]:
        """What GET /api/v1/river tells, as of the newest instants; see docs/river.md."""
        return picture(
            self.network, self._seen, self._cells, self._spells, self._risk_from_km, now_ms
        )

    def snapshot(self) -> dict[str, Any]:
        """All that a restart needs."""
        return {
            "series": [probe.series for probe in self.network.probes],
            "instants": self._instants.snapshot(),
            "cells": self._cells.snapshot(),
            "spells": self._spells.snapshot(),
            "seen": {mouth: seen.snapshot() for mouth, seen in self._seen.items()},
        }


def _columns(mouths: Sequence[Mouth], kind: str) -> IntArray:
    """The series of lengths ("") or deviations ("_sd"), [G, B, L]."""
    return np.array(
        [
            [
                [mouth.columns[f"salt_{level}{basis}{kind}_km"] for level in LEVELS_G_L]
                for basis in BASES
            ]
            for mouth in mouths
        ],
        dtype=np.int64,
    ).reshape(-1, len(BASES), len(LEVELS_G_L))


def _spread(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """What is [W, B, D, L, M] when it is spread, as [W, K, M]: a row for each of B, D and L."""
    return np.broadcast_to(values, shape).reshape(shape[0], -1, shape[-1])


def _asked(found: Network) -> tuple[FloatArray, FloatArray]:
    """The levels of spells, twice: of what was measured, and of what was simulated."""
    raise_above = np.full((len(found.probes), LEVELS_MAX), np.nan)
    clear_below = raise_above.copy()
    for at, probe in enumerate(found.probes):
        for place, level in enumerate(spell_levels(probe.station)):
            raise_above[at, place] = level.raise_above
            clear_below[at, place] = level.clear_below
    return np.tile(raise_above, (2, 1)), np.tile(clear_below, (2, 1))


def _in_order(told: list[Batch]) -> Batch:
    rows = Batch.concat(told)
    return rows.take(np.lexsort((rows.series, rows.t_ms)))
