"""Many samples of each series through an engine at once, with the transitions of one at a time.

`Engine.step` takes a turn of one sample of each series, and its cost is that of some two hundred
calls of NumPy, whether it is a hundred samples or a thousand. Here all turns of a long stretch
are one: what a sample proves (beyond the level, calm, neither) depends on itself alone, so runs
of samples that prove the same can be found in bulk, and with them all that would complete a
hold. Of these, in the order of time, each that is of the other kind than the one before it is a
transition: raising changes nothing for what is raised, and clearing nothing for what is at rest.

For stretches without simulated samples, and rules that look at one series each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerts.engine import Engine
from alerts.joint import matching, usable
from alerts.longpast import slopes_of, tides_of
from alerts.pairs import LevelPairs
from alerts.rules import RATES, Ask
from alerts.runs import NOT_PENDING, Runs
from alerts.transition import Cause, Change, Transition
from ingest.reading import Batch, BoolArray, Flag, FlagArray, FloatArray, IntArray

_FAR: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class _Seen:
    """What pairs look at, E of everything: pair after pair, each in the order of time.

    row : int64[E], of the batch; y : float64[E], times the sign; told : float64[E], in words
    flag : uint8[E], the worst of what it rests on
    """

    pair: IntArray
    row: IntArray
    y: FloatArray
    told: FloatArray
    flag: FlagArray

    def take(self, index: BoolArray | IntArray) -> "_Seen":
        return _Seen(
            self.pair[index], self.row[index], self.y[index], self.told[index], self.flag[index]
        )

    @classmethod
    def concat(cls, parts: Sequence["_Seen"]) -> "_Seen":
        names = ("pair", "row", "y", "told", "flag")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class _States:
    """The state of a pair before its first and after each of the E samples.

    since_ms : when the run began that a sample belongs to
    head : the first sample of that run which is in this stretch
    carried : whether the run began before this stretch
    """

    active: BoolArray
    pending: BoolArray
    since_ms: IntArray
    head: IntArray
    carried: BoolArray
    turns: IntArray


class LongRun:
    """One stretch taken by an engine, which stands at its end; and how it stood within.

    transitions : with the row of the batch that each is of
    """

    def __init__(self, engine: Engine, batch: Batch, when: IntArray) -> None:
        """Take a batch in order of series, then of time.

        when : int64[R], the place of each row in the order of arrival: rising in each series
        """
        assert possible(engine, batch)
        self._engine, self._when = engine, when
        size = len(engine.evaluated)
        self._first = np.searchsorted(batch.series, np.arange(size + 1))
        self._valued: BoolArray = (batch.flag >= Flag.PASS) & (batch.flag <= Flag.SUSPECT)
        self._tested = usable(batch.flag, np.ones(len(batch), dtype=np.bool_))
        self._before = {
            "active": engine.runs.active.copy(),
            "pending": engine.runs.pending_ms != NOT_PENDING,
            "evaluated": engine.evaluated.copy(),
            "tested": engine.tested.copy(),
        }
        seen = self._seen(batch)
        self._states = _states(engine.runs, engine.pairs, batch.t_ms[seen.row], seen)
        self._pair, self._row = seen.pair, seen.row
        self.transitions = self._told(batch, seen)
        self._keep(batch, seen)

    # How the engine stood when some of the rows had come.

    def clearing(self, rule: str, series: int, upto: int) -> bool:
        """As `Engine.clearing`, when what arrived before the place `upto` had come."""
        pair = self._engine.pair_of.get((rule, series))
        if pair is None:
            return False
        low, high = np.searchsorted(self._pair, (pair, pair + 1))
        at = low + int(np.searchsorted(self._when[self._row[low:high]], upto)) - 1
        if at < low:
            before = self._before
            return bool(before["active"][pair] and before["pending"][pair])
        return bool(self._states.active[at] and self._states.pending[at])

    def evaluations(self, rule: str, series: int, upto: int) -> int:
        """As `Engine.evaluations`, at the same time."""
        if self._engine.evaluations(rule, series) == 0:
            return 0
        pair = self._engine.pair_of.get((rule, series))
        quality = pair is not None and bool(self._engine.further.quality[pair])
        low, high = self._first[series], self._first[series + 1]
        end = low + int(np.searchsorted(self._when[low:high], upto))
        counted = self._tested if quality else self._valued
        before = self._before["tested" if quality else "evaluated"]
        return int(before[series]) + int(counted[low:end].sum())

    # What the pairs look at.

    def _seen(self, batch: Batch) -> _Seen:
        engine, pairs = self._engine, self._engine.pairs
        valued, tested = np.flatnonzero(self._valued), np.flatnonzero(self._tested)
        parts = [self._plain(batch, valued)]
        later = np.arange(pairs.n_plain, pairs.n_alone)
        asks = [pairs.rules[at].ask for at in later.tolist()]
        kinds = np.array(
            [0 if a in RATES else 1 if a is Ask.SAME_TIDE else 2 for a in asks], dtype=np.int64
        )
        for kind, rows in ((0, valued), (1, valued), (2, tested)):
            pair, row = self._spread(batch, later[kinds == kind], rows)
            if not len(pair):
                continue
            flag, value = batch.flag[row], batch.value[row]
            if kind == 0:
                y, flag = slopes_of(engine, pair, batch.t_ms[row], value, flag)
                told = y
            elif kind == 1:
                y, flag = tides_of(engine, pair, batch.t_ms[row], value, flag)
                told = y
            else:
                of = pairs.worst_from[pair], pairs.evidence[pair]
                y, told = matching(flag, batch.why[row], *of).astype(np.float64), value
            known = ~np.isnan(y)
            parts.append(_Seen(pair, row, y * pairs.sign[pair], told, flag).take(known))
        whole = _Seen.concat(parts)
        return whole.take(np.argsort(whole.pair, kind="stable"))

    def _plain(self, batch: Batch, rows: IntArray) -> _Seen:
        """Of the pairs that go by the value alone those that anything can happen to."""
        pairs, runs = self._engine.pairs, self._engine.runs
        pair = np.arange(pairs.n_plain)
        series = pairs.series[pair]
        highest = np.full(len(self._first) - 1, -np.inf)
        lowest = np.full(len(self._first) - 1, np.inf)
        np.maximum.at(highest, batch.series[rows], batch.value[rows])
        np.minimum.at(lowest, batch.series[rows], batch.value[rows])
        sign = pairs.sign[pair]
        top = np.where(sign > 0, highest[series], -lowest[series])
        bottom = np.where(sign > 0, lowest[series], -highest[series])
        stirs = np.where(
            runs.active[pair], bottom < pairs.clear_level[pair], top > pairs.raise_level[pair]
        )
        stirs |= runs.pending_ms[pair] != NOT_PENDING
        pair, row = self._spread(batch, pair[stirs], rows)
        value = batch.value[row]
        return _Seen(pair, row, value * pairs.sign[pair], value, batch.flag[row])

    def _spread(self, batch: Batch, pair: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
        """(pair, row) for all of some rows of the series of each pair."""
        first = np.searchsorted(batch.series[rows], np.arange(len(self._first)))
        series = self._engine.pairs.series[pair]
        count = first[series + 1] - first[series]
        skip = np.repeat(first[series] - np.cumsum(count) + count, count)
        return np.repeat(pair, count), rows[np.arange(int(count.sum())) + skip]

    # What comes of it.

    def _told(self, batch: Batch, seen: _Seen) -> list[tuple[int, Transition]]:
        states, pairs, runs = self._states, self._engine.pairs, self._engine.runs
        at = states.turns
        pair, row = seen.pair[at], seen.row[at]
        raised = states.active[at]
        samples, worst, why, first = _of_runs(runs, states, seen, batch, at)
        limit = np.where(raised, pairs.raise_told[pair], pairs.clear_told[pair]) + 0.0
        columns = (
            row, pair, raised, pairs.series[pair], states.since_ms[at], batch.t_ms[row],
            seen.told[at] + 0.0, batch.flag[row], limit, worst, why, samples, first + 0.0,
            batch.value[row], self._ordinals(batch, pair, row),
        )  # fmt: skip
        return [
            (
                of,
                Transition(
                    kind=Change.RAISED if up else Change.CLEARED,
                    rule=pairs.keys[number][0],
                    series=series,
                    t_since_ms=since_ms,
                    t_event_ms=t_ms,
                    value=value,
                    flag=flag,
                    limit=None if np.isnan(level) else level,
                    at_ms=-1,
                    cause=Cause.LEVEL,
                    worst_flag=worst_flag,
                    why=bits,
                    samples=count,
                    first_value=first_value,
                    reading=reading,
                    ordinal=ordinal,
                ),
            )
            for (
                of, number, up, series, since_ms, t_ms, value, flag, level, worst_flag, bits,
                count, first_value, reading, ordinal,
            ) in zip(*(column.tolist() for column in columns), strict=True)
        ]  # fmt: skip

    def _ordinals(self, batch: Batch, pair: IntArray, row: IntArray) -> IntArray:
        def counted(seen: BoolArray, before: IntArray) -> IntArray:
            total = np.r_[0, np.cumsum(seen)]
            series = batch.series[row]
            found: IntArray = before[series] + total[row + 1] - total[self._first[series]]
            return found

        return np.where(
            self._engine.further.quality[pair],
            counted(self._tested, self._before["tested"]),
            counted(self._valued, self._before["evaluated"]),
        )

    def _keep(self, batch: Batch, seen: _Seen) -> None:
        """Leave the engine as if it had been taken turn by turn."""
        engine, states, runs = self._engine, self._states, self._engine.runs
        np.add.at(engine.evaluated, batch.series, self._valued)
        if engine.further.any:
            np.add.at(engine.tested, batch.series, self._tested)
        last = np.flatnonzero(np.r_[seen.pair[1:] != seen.pair[:-1], True][: len(seen.pair)])
        pair = seen.pair[last]
        proves = states.pending[last]
        samples, worst, why, first = _of_runs(runs, states, seen, batch, last)
        runs.active[pair] = states.active[last]
        runs.pending_ms[pair] = np.where(proves, states.since_ms[last], NOT_PENDING)
        runs.last_ms[pair] = batch.t_ms[seen.row[last]]
        runs.samples[pair], runs.worst[pair] = samples, worst
        runs.why[pair], runs.first_value[pair] = why, first
        engine.narrow(pair)


def possible(engine: Engine, batch: Batch) -> bool:
    """Whether a batch can be taken at once; memories that are thinned can't."""
    pairs = engine.pairs
    if len(pairs) > pairs.n_alone or engine.runs.any_simulated or engine.withdrawn:
        return False
    if not len(batch) or not engine.further.any:
        return True
    same = batch.series[1:] == batch.series[:-1]
    step_ms = np.r_[(batch.t_ms[1:] - batch.t_ms[:-1])[same], _FAR].min()
    oldest = np.full(len(engine.evaluated), _FAR)
    np.minimum.at(oldest, batch.series, batch.t_ms)
    for ring, slots in (
        (engine.further.slopes.ring, engine.further.slope_slots),
        (engine.further.tides.ring, engine.further.tide_slots),
    ):
        if not len(ring.step_ms):
            continue
        pair = np.flatnonzero(slots >= 0)
        slot = slots[pair]
        newest = ring.t_ms[slot, (ring.count[slot] - 1) % ring.size]
        near = (newest >= 0) & (oldest[pairs.series[pair]] - newest < ring.step_ms[slot])
        if near.any() or bool((ring.step_ms > step_ms).any()):
            return False
    return True


def _states(runs: Runs, pairs: LevelPairs, t_ms: IntArray, seen: _Seen) -> _States:
    """Runs of samples that prove the same, and what they complete (see above)."""
    pair, n = seen.pair, np.arange(len(seen.pair))
    begins = np.r_[True, pair[1:] != pair[:-1]][: len(pair)]
    permit = pairs.permit[pair]
    breach = (seen.y > pairs.raise_level[pair]) & (~permit | (seen.flag == Flag.PASS))
    calm = (seen.y < pairs.clear_level[pair]) & (permit | (seen.flag < Flag.SUSPECT))
    kind = breach.astype(np.int8) - calm
    was_active = runs.active[pair]
    was_pending = runs.pending_ms[pair] != NOT_PENDING
    # Before its first sample a pair is as if the last had proved what its run is for.
    before = np.where(was_pending, np.where(was_active, -1, 1), 0)
    before = np.where(begins, before, np.r_[0, kind[:-1]][: len(pair)])
    before_ms = np.where(begins, runs.last_ms[pair], np.r_[0, t_ms[:-1]][: len(pair)])
    goes_on = (kind != 0) & (kind == before) & (t_ms - before_ms <= pairs.gap_ms[pair])
    head = np.maximum.accumulate(np.where((kind != 0) & (begins | ~goes_on), n, 0))
    carried = (begins & goes_on)[head] if len(pair) else begins
    since_ms = np.where(carried, runs.pending_ms[pair], t_ms[head])
    hold_ms = np.where(kind > 0, pairs.for_ms[pair], pairs.clear_for_ms[pair])
    completes = (kind != 0) & (t_ms - since_ms >= hold_ms)
    begin = np.maximum.accumulate(np.where(begins, n, 0))
    latest = np.maximum.accumulate(np.where(completes, n, -1))
    active = np.where(latest >= begin, kind[latest] > 0, was_active)
    earlier = np.where(begins, was_active, np.r_[False, active[:-1]][: len(pair)])
    pending = np.where(active, kind < 0, kind > 0)
    return _States(active, pending, since_ms, head, carried, np.flatnonzero(active != earlier))


def _of_runs(
    runs: Runs, states: _States, seen: _Seen, batch: Batch, at: IntArray
) -> tuple[IntArray, FlagArray, Any, FloatArray]:
    """Samples, worst flag, evidence and first value of the runs up to some of the samples."""
    pair, head, carried = seen.pair[at], states.head[at], states.carried[at]
    if not len(at):
        none = np.empty(0, dtype=np.int64)
        return none, none.astype(np.uint8), none.astype(np.uint16), none.astype(np.float64)
    bounds = np.stack([np.minimum(head, at), at + 1]).T.ravel()
    flags = np.r_[seen.flag, np.uint8(0)]
    bits = np.r_[batch.why[seen.row], np.uint16(0)]
    worst = np.maximum.reduceat(flags, bounds)[::2]
    why = np.bitwise_or.reduceat(bits, bounds)[::2]
    samples = at - head + 1 + np.where(carried, runs.samples[pair], 0)
    worst = np.where(carried, np.maximum(worst, runs.worst[pair]), worst)
    why = np.where(carried, why | runs.why[pair], why)
    first = np.where(carried, runs.first_value[pair], seen.told[head])
    return samples, worst, why, first
