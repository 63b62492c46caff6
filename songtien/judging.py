"""Released readings get their flags, are formed into others, and meet the rules."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alerts.desk import Desk
from alerts.engine import Engine
from alerts.rules import RuleSet
from alerts.transition import Transition
from ingest.probes import DRY_QUANTITIES, ProbeRun
from ingest.quality import Quality
from ingest.reading import Batch, BoolArray, Flag, FlagArray, IntArray, Why, WhyArray, rounds
from ingest.registry import Registry
from ingest.release import NEVER, Waiting
from ingest.series import SeriesTable
from songtien.deriving import Deriving

RANK = np.zeros(10, dtype=np.uint8)
"""Badness of a flag: the worst of several is told."""
RANK[[Flag.NOT_EVALUATED, Flag.PASS, Flag.SUSPECT, Flag.FAIL]] = 0, 1, 2, 3
_FLAG_OF_RANK = np.array([Flag.NOT_EVALUATED, Flag.PASS, Flag.SUSPECT, Flag.FAIL], dtype=np.uint8)

SUSPECT_BY = Why.LANE_MISSING | Why.COUNTER_GAP
"""Evidence that makes a value suspect whatever the tests say."""

DERIVED_FROM = ("conductivity_ms_cm", "conductivity_25_ms_cm", "temperature_c")


def worst(a: FlagArray, b: FlagArray) -> FlagArray:
    return _FLAG_OF_RANK[np.maximum(RANK[a], RANK[b])]


def _last_of(
    wanted: tuple[IntArray, IntArray], among: tuple[IntArray, IntArray]
) -> tuple[BoolArray, IntArray]:
    """Whether each of N (number, time) is among M >= 1 others, and the last place of it there."""
    count = len(wanted[0])
    times, at_time = np.unique(np.concatenate([wanted[1], among[1]]), return_inverse=True)
    key = np.concatenate([wanted[0], among[0]]) * len(times) + at_time
    order = np.argsort(key[count:], kind="stable")
    at = np.searchsorted(key[count:], key[:count], side="right", sorter=order) - 1
    place = order[np.maximum(at, 0)]
    return (at >= 0) & (key[count:][place] == key[:count]), place


@dataclass(frozen=True, slots=True)
class Judgement:
    """Flagged readings and those formed from them, flags of earlier readings told anew, and
    what the rules made of it.
    """

    rows: Batch
    formed: Batch
    revised: Batch
    transitions: Sequence[Transition]


class Judging:
    """Quality control and engine in step, with what a revision must not forget."""

    def __init__(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        reorder_ms: int,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        state: dict[str, Any] = snapshot or {"quality": None, "engine": None, "newest": None}
        # Before version 4 nothing was formed from several series.
        self.deriving = Deriving(series, registry, reorder_ms, state.get("deriving"))
        self.quality = Quality(series, registry, state["quality"])
        self.engine = Engine(rules, series, registry, state["engine"], reorder_ms)
        self.evaluated_ms: IntArray = np.full(len(series), NEVER, dtype=np.int64)
        self._extra_flag = np.full(len(series), Flag.NOT_EVALUATED, dtype=np.uint8)
        self._extra_why = np.zeros(len(series), dtype=np.uint16)
        if state["newest"] is not None:
            columns: tuple[Any, ...] = self._newest()
            for column, old in zip(columns, state["newest"], strict=True):
                column[: len(old)] = old
        self._index(series)

    def reconfigure(
        self, rules: RuleSet, series: SeriesTable, registry: Registry, reorder_ms: int
    ) -> None:
        grown = len(series) - len(self.evaluated_ms)
        self.evaluated_ms = np.pad(self.evaluated_ms, (0, grown), constant_values=NEVER)
        self._extra_flag = np.pad(self._extra_flag, (0, grown), constant_values=Flag.NOT_EVALUATED)
        self._extra_why = np.pad(self._extra_why, (0, grown))
        self.quality.reconfigure(series, registry)
        self.engine.reconfigure(rules, series, registry, reorder_ms)
        self.deriving.reconfigure(series, registry, reorder_ms)
        self._index(series)

    def judge(self, released: Waiting, desk: Desk, now_ms: int) -> Judgement:
        """Flag and evaluate readings, which come in order of time within each series.

        desk, now_ms : what officers have entered, and as of when it counts
        """
        if not len(released):
            return Judgement(released.rows, Batch.empty(), Batch.empty(), ())
        rows = released.rows
        flag = np.empty(len(rows), dtype=np.uint8)
        why = np.empty(len(rows), dtype=np.uint16)
        revised = []
        for turn in rounds(rows.series):
            judged = self.quality.step(rows.take(turn), released.dry[turn])
            flag[turn], why[turn] = judged.flag, judged.why
            if len(judged.revised):
                revised.append(judged.revised)
        extra_flag, extra_why = self._extra(rows, flag)
        told = Batch(rows.series, rows.t_ms, rows.value, worst(flag, extra_flag), why | extra_why)
        transitions = self.engine.step(told)
        formed = self.deriving.push(told, desk.modes(now_ms), desk.maintenance(now_ms))
        transitions.extend(self.engine.step(formed))
        self.evaluated_ms[formed.series] = formed.t_ms
        revisions = self._keep_extra(Batch.concat(revised), told, extra_flag, extra_why)
        valued = told.flag <= Flag.SUSPECT  # what failed counts as absent
        self.evaluated_ms[rows.series[valued]] = rows.t_ms[valued]  # in order: the last stands
        return Judgement(told, formed, revisions, transitions)

    def flags_of_run(
        self, run: ProbeRun, wanted: Collection[str]
    ) -> dict[str, tuple[FlagArray, WhyArray]]:
        """Flags and why of samples of probes that are released as they come, N for each quantity.

        As `judge` gives them one by one, but for what later samples would say anew of earlier
        ones. wanted : the quantities that somebody looks at
        """
        blamed = np.zeros(len(run.t_ms), dtype=np.uint8)
        found: dict[str, tuple[FlagArray, WhyArray]] = {}
        inputs = DERIVED_FROM if "salinity_g_l" in wanted else ()
        for name in dict.fromkeys((*inputs, *wanted)):
            if name not in run.value:
                continue
            there = np.flatnonzero(~np.isnan(run.value[name]))
            series = run.series_of[name][run.stream[there]]
            order = np.argsort(series, kind="stable")
            there, series = there[order], series[order]
            dry = run.dry[there] & (name in DRY_QUANTITIES)
            rows = Batch.of(series, run.t_ms[there], run.value[name][there])
            flag = np.full(len(run.t_ms), Flag.NOT_EVALUATED, dtype=np.uint8)
            why = np.zeros(len(run.t_ms), dtype=np.uint16)
            extra, extra_why = flag.copy(), why.copy()
            flag[there], why[there] = self.quality.run(rows, dry)
            if name in inputs:
                rank = RANK[flag]
                blamed = np.maximum(blamed, np.where(rank >= RANK[Flag.SUSPECT], rank, 0))
            elif name == "salinity_g_l":
                extra = _FLAG_OF_RANK[blamed]
                extra_why = np.where(blamed, np.uint16(Why.INPUT), np.uint16(0))
                flag, why = worst(flag, extra), why | extra_why
            self._extra_flag[series] = extra[there]
            self._extra_why[series] = extra_why[there]
            found[name] = flag, why
        return found

    def snapshot(self) -> dict[str, Any]:
        return {
            "quality": self.quality.snapshot(),
            "engine": self.engine.snapshot(),
            "deriving": self.deriving.snapshot(),
            "newest": [column.copy() for column in self._newest()],
        }

    def _newest(self) -> tuple[IntArray, FlagArray, WhyArray]:
        return self.evaluated_ms, self._extra_flag, self._extra_why

    def _index(self, series: SeriesTable) -> None:
        streams = {stream: number for number, stream in enumerate(series.columns)}
        entries = series.entries
        self._stream = np.array([streams[s.stream] for s in entries], dtype=np.int64)
        self._is_input = np.array([s.quantity in DERIVED_FROM for s in entries], dtype=bool)
        self._is_derived = np.array([s.quantity == "salinity_g_l" for s in entries], dtype=bool)

    def _extra(self, rows: Batch, flag: FlagArray) -> tuple[FlagArray, WhyArray]:
        """What speaks against values beside their own tests."""
        why = rows.why.copy()
        extra = np.where(why & SUSPECT_BY, Flag.SUSPECT, Flag.NOT_EVALUATED).astype(np.uint8)
        bad = np.flatnonzero((RANK[flag] >= RANK[Flag.SUSPECT]) & self._is_input[rows.series])
        if len(bad):
            # A salinity is no better than the conductivity and temperature that it is of.
            bad = bad[np.argsort(RANK[flag[bad]], kind="stable")]  # of several the worst stands
            derived = np.flatnonzero(self._is_derived[rows.series])
            stream, t_ms = self._stream[rows.series], rows.t_ms
            there, place = _last_of((stream[derived], t_ms[derived]), (stream[bad], t_ms[bad]))
            at = derived[there]
            extra[at] = worst(flag[bad[place[there]]], extra[at])
            why[at] |= np.uint16(Why.INPUT)
        return extra, why

    def _keep_extra(
        self, revised: Batch, told: Batch, extra_flag: FlagArray, extra_why: WhyArray
    ) -> Batch:
        """Revised flags with what speaks against those values beside their own tests."""
        if len(revised):
            there, place = _last_of((revised.series, revised.t_ms), (told.series, told.t_ms))
            more_flag = np.where(there, extra_flag[place], self._extra_flag[revised.series])
            more_why = np.where(there, extra_why[place], self._extra_why[revised.series])
            flag, why = worst(revised.flag, more_flag), revised.why | more_why
            revised = Batch(revised.series, revised.t_ms, revised.value, flag, why)
        self._extra_flag[told.series] = extra_flag
        self._extra_why[told.series] = extra_why
        return revised
