"""What each stored sample did to a rule on its series, taken once more one after the other.

A plain loop by the levels and holds of `alerts.pairs`, with the memories of `alerts.rise` and
the instants of `alerts.joint`: it says of every sample, and of every instant of a group, what
`alerts.engine` makes of it without a word.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.engine import REORDER_MS
from alerts.explain_words import Saw
from alerts.joint import Joint
from alerts.pairs import LevelPairs
from alerts.rise import Slopes, Tides
from alerts.rules import RATES, Ask
from ingest.reading import Batch, Flag, IntArray, Why

_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Step:
    """What one sample did. `compared` is what the rule looks at, None where there is nothing.

    held_ms : how long the run up to it has lasted, of `needed_ms`
    """

    t_ms: int
    value: float
    flag: int
    why: int
    saw: Saw
    compared: float | None
    held_ms: int
    needed_ms: int


def replayed(pairs: LevelPairs, pair: int, rows: Batch, *, active: bool) -> list[Step]:
    """What each sample did to a pair that looks at one series, in order.

    active : whether the rule was raised before the first of them
    """
    compare = _Comparing(pairs, pair)
    run = _Run(pairs, pair, active=active)
    steps = []
    for n in range(len(rows)):
        row = rows.take(np.array([n]))
        t_ms, why, flag = int(row.t_ms[0]), int(row.why[0]), int(row.flag[0])
        passed = _passed_over(flag, why, seen_by_quality=pairs.rules[pair].ask is Ask.FLAGGED)
        if passed is not None:
            steps.append(Step(t_ms, float(row.value[0]), flag, why, passed, None, 0, 0))
            continue
        if run.shields(why):
            steps.append(Step(t_ms, float(row.value[0]), flag, why, Saw.SIMULATED, None, 0, 0))
            continue
        y, flag_used = compare.value(row)
        if np.isnan(y):
            saw, held_ms, needed_ms = Saw.UNKNOWN, 0, 0
        else:
            saw, held_ms, needed_ms = run.take(t_ms, y, flag_used, why)
        compared = None if np.isnan(y) else y * float(pairs.sign[pair]) + 0.0
        if pairs.rules[pair].ask is Ask.FLAGGED:
            compared = float(row.value[0])  # it is the flag that is asked about
        steps.append(
            Step(t_ms, float(row.value[0]), flag_used, why, saw, compared, held_ms, needed_ms)
        )
    return steps


def replayed_group(
    pairs: LevelPairs, pair: int, rows: Batch, interval_ms: IntArray, *, active: bool
) -> list[Step]:
    """What each instant did to a pair that looks at several series, in order.

    rows : the samples of its members, in order of time; interval_ms : int64[S], of all series
    """
    run = _Run(pairs, pair, active=active)
    steps = []
    seen = rows.take((rows.why & (Why.LATE | Why.FUTURE)) == 0)
    for formed in Joint(pairs, interval_ms, REORDER_MS).take(seen):
        for n in np.flatnonzero(formed.pair == pair - pairs.n_alone).tolist():
            t_ms, why = int(formed.t_ms[n]), int(formed.why[n])
            known = not np.isnan(formed.idle_y[n])
            shielded = known and run.shields(why)
            y = float((formed.held_y if run.active else formed.idle_y)[n])
            flag = int((formed.held_flag if run.active else formed.idle_flag)[n])
            saw, held_ms, needed_ms = Saw.SIMULATED if shielded else Saw.UNKNOWN, 0, 0
            if known and not shielded:
                saw, held_ms, needed_ms = run.take(t_ms, y * float(pairs.sign[pair]), flag, why)
            compared = y if known else None
            steps.append(Step(t_ms, y, flag, why, saw, compared, held_ms, needed_ms))
    return steps


def _passed_over(flag: int, why: int, *, seen_by_quality: bool) -> Saw | None:
    if why & Why.LATE:
        return Saw.LATE
    if why & Why.FUTURE:
        return Saw.FUTURE
    if seen_by_quality:
        # A value that was never tested has no quality yet.
        seen = flag in (Flag.PASS, Flag.SUSPECT, Flag.FAIL)
    else:
        seen = Flag.PASS <= flag <= Flag.SUSPECT
    return None if seen else Saw.NOT_EVALUATED


class _Comparing:
    """What a pair compares of each sample, times its sign."""

    def __init__(self, pairs: LevelPairs, pair: int) -> None:
        self._pairs, self._pair = pairs, pair
        one = np.array([pair])
        self._memory: Slopes | Tides | None = None
        if pairs.rules[pair].ask in RATES:
            self._memory = Slopes(pairs.window_ms[one])
        elif pairs.rules[pair].ask is Ask.SAME_TIDE:
            self._memory = Tides(pairs.gap_ms[one])

    def value(self, row: Batch) -> tuple[float, int]:
        pairs, pair = self._pairs, self._pair
        flag = int(row.flag[0])
        if pairs.rules[pair].ask is Ask.FLAGGED:
            worst_from, evidence = int(pairs.worst_from[pair]), int(pairs.evidence[pair])
            found = int(row.why[0]) & evidence if evidence else flag >= worst_from
            return float(bool(found)), flag
        y = row.value
        if self._memory is not None:
            y, worst = self._memory.push(np.zeros(1, np.int64), row.t_ms, row.value, row.flag)
            flag = int(worst[0])
        return float(y[0] * pairs.falls[pair] * pairs.sign[pair]), flag


class _Run:
    """The state of one pair: raised or not, and the run that is under way."""

    def __init__(self, pairs: LevelPairs, pair: int, *, active: bool) -> None:
        self._raise = float(pairs.raise_level[pair])
        self._clear = float(pairs.clear_level[pair])
        self._for_ms, self._clear_for_ms = int(pairs.for_ms[pair]), int(pairs.clear_for_ms[pair])
        self._gap_ms = int(pairs.gap_ms[pair])
        self._permit = bool(pairs.permit[pair])
        self.active, self._simulated = active, False
        self._pending_ms = self._last_ms = _NONE
        self._by_hand = False

    def shields(self, why: int) -> bool:
        """Whether a simulated sample meets what was measured, which it can't touch.

        The first real sample ends what simulated ones have raised, and is judged by itself.
        """
        if why & Why.SIMULATED:
            return self.active and not self._simulated
        if self._simulated:
            self.active = self._simulated = False
            self._pending_ms = _NONE
        return False

    def take(self, t_ms: int, y: float, flag: int, why: int) -> tuple[Saw, int, int]:
        """What a sample did; how long the run has lasted up to it, and how long it must."""
        by_hand = bool(why & Why.SIMULATED)
        needed_ms = self._clear_for_ms if self.active else self._for_ms
        refused = self._refused(y, flag)
        if refused is not None:
            broke = self._pending_ms != _NONE
            self._pending_ms, self._last_ms = _NONE, t_ms
            return _BROKEN.get(refused, refused) if broke else refused, 0, needed_ms
        fresh = self._pending_ms == _NONE or t_ms - self._last_ms > self._gap_ms
        after_gap = fresh and self._pending_ms != _NONE
        since_ms = t_ms if fresh else self._pending_ms
        self._by_hand = by_hand or (self._by_hand and not fresh)
        self._last_ms = t_ms
        if t_ms - since_ms >= needed_ms:
            self._pending_ms = _NONE
            saw = Saw.CLEARED if self.active else Saw.RAISED
            self.active = not self.active
            self._simulated = self.active and self._by_hand
            return saw, t_ms - since_ms, needed_ms
        self._pending_ms = since_ms
        if after_gap:
            saw = Saw.CALM_GAP if self.active else Saw.GAP
        elif fresh:
            saw = Saw.CALM_STARTS if self.active else Saw.STARTS
        else:
            saw = Saw.CALM_HOLDS if self.active else Saw.HOLDS
        return saw, t_ms - since_ms, needed_ms

    def _refused(self, y: float, flag: int) -> Saw | None:
        """Why a sample neither proves a raise nor, where it is raised, a clearing."""
        if not self.active:
            if y > self._raise:
                return Saw.CANNOT_PERMIT if self._permit and flag != Flag.PASS else None
            return Saw.NOT_BEYOND if y < self._clear else Saw.BETWEEN
        if y < self._clear:
            return Saw.CANNOT_CLEAR if flag >= Flag.SUSPECT and not self._permit else None
        return Saw.ALREADY if y > self._raise else Saw.STILL


_BROKEN: Final = {
    Saw.NOT_BEYOND: Saw.BROKE,
    Saw.BETWEEN: Saw.BROKE_BETWEEN,
    Saw.ALREADY: Saw.CALM_BROKE,
    Saw.STILL: Saw.CALM_BROKE,
}
