"""The rules at work: samples and the clock in, transitions out. Pure: no clock, no await.

What it detects: values beyond a level for long enough (above, below, or rising faster than),
and, in `alerts.silence`, series that send nothing.
Formula: with y = value (falling rules: -value), a sample breaches if y > raise level and is
calm if y < clear level, both strict. An idle pair is raised by the first breaching sample at
least `for_s` after the first of an unbroken run; a raised one is cleared likewise by calm
samples over `clear_for_s`. Anything else, and a step longer than `hold_gap_s`, breaks the run.
Units: those of the quantity, per hour for a rise; times int ms UTC, observed time throughout.
Cost: `for_s` delays the alarm by as much, and `clear_for_s` the all-clear; with both 0 every
crossing of the levels is told.
Gaps: values flagged 4 or 9 are absent; absence changes nothing but may break a run. A suspect
value (3) may raise, and breaks a pending all-clear, since it can't prove one; rules that
permit need flag 1 to be raised, and any value withdraws the permission.
Reference: the hold of Prometheus' `for` and `keep_firing_for`, proved by samples instead of
by a clock; hysteresis as in IEC 62682 (alarm deadband).

Layout: struct of arrays over pairs (rule, series), with for each pair the interval
[`low`, `high`] of values that change nothing: one comparison passes over nearly all of them,
and only the pairs that are touched are looked at closely.
"""

from typing import Any

import numpy as np

from alerts.pairs import LevelPairs, carried, level_pairs, silence_pairs
from alerts.rise import Slopes
from alerts.rules import RuleSet
from alerts.silence import Silence, ended
from alerts.transition import Cause, Change, Transition
from ingest.reading import Batch, BoolArray, Flag, FlagArray, FloatArray, IntArray, Why, WhyArray
from ingest.registry import Registry
from ingest.series import SeriesTable

NOT_PENDING = -1

_HELD = ("active", "simulated", "pending_ms", "last_ms", "samples", "worst", "why", "first_value")
"""The columns of state that outlive a restart or a new configuration."""


class Engine:
    """All rules over all series. Give every sample once, each series' in rising time."""

    def __init__(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        self._withdrawn: list[tuple[str, int]] = []
        self._configure(rules, series, registry)
        if snapshot is not None:
            self._restore(snapshot)

    def _configure(self, rules: RuleSet, series: SeriesTable, registry: Registry) -> None:
        self.rules = rules
        self.pairs: LevelPairs = level_pairs(rules, series, registry)
        self.silence = Silence(rules, silence_pairs(rules, series, registry))
        count = len(self.pairs)
        self.active: BoolArray = np.zeros(count, dtype=np.bool_)
        self.simulated: BoolArray = np.zeros(count, dtype=np.bool_)
        self.pending_ms: IntArray = np.full(count, NOT_PENDING, dtype=np.int64)
        self.last_ms: IntArray = np.zeros(count, dtype=np.int64)
        self.samples: IntArray = np.zeros(count, dtype=np.int64)
        self.worst: FlagArray = np.zeros(count, dtype=np.uint8)
        self.why: WhyArray = np.zeros(count, dtype=np.uint16)
        self.first_value: FloatArray = np.zeros(count)
        rising = np.flatnonzero(self.pairs.rise)
        self.slot: IntArray = np.full(count, -1, dtype=np.int64)
        self.slot[rising] = np.arange(len(rising))
        self.slopes = Slopes(self.pairs.window_ms[rising])
        self._rising_keys = tuple(self.pairs.keys[at] for at in rising)
        self.low: FloatArray = np.zeros(count)
        self.high: FloatArray = np.zeros(count)
        self._at = {(rule, series): at for at, (rule, _, series) in enumerate(self.pairs.keys)}
        self._narrow(np.arange(count))

    def clearing(self, rule: str, series: int) -> bool:
        """Whether a raised rule has seen calm samples last, not yet for long enough."""
        at = self._at.get((rule, series))
        return at is not None and bool(self.active[at]) and self.pending_ms[at] != NOT_PENDING

    def _narrow(self, pair: IntArray) -> None:
        """Set the values that change nothing: none for a pair with a run under way."""
        idle, calm = self.pairs.raise_level[pair], self.pairs.clear_level[pair]
        active, running = self.active[pair], self.pending_ms[pair] != NOT_PENDING
        self.low[pair] = np.where(active, calm, -np.inf)
        self.high[pair] = np.where(running, -np.inf, np.where(active, np.inf, idle))

    def step(self, batch: Batch) -> list[Transition]:
        """Evaluate released samples, each series at most once; flags are already set.

        Transitions come in the order of the rows, for one row in the order of the rules.
        """
        if self._withdrawn and len(batch):
            # A rule that asks for another thing now must not be raised before it has ended.
            return self._end_withdrawn(int(batch.t_ms.min()), -1) + self.step(batch)
        seen = (batch.flag >= Flag.PASS) & (batch.flag <= Flag.SUSPECT)
        if not seen.all():
            batch = batch.take(seen)
        first = self.pairs.first[batch.series]
        count = self.pairs.first[batch.series + 1] - first
        total = int(count.sum())
        if total == 0:
            return []
        row = np.repeat(np.arange(len(batch)), count)
        pair = np.arange(total) + np.repeat(first - np.cumsum(count) + count, count)
        row, pair, over = self._apart(batch, row, pair)
        y = batch.value[row] * self.pairs.sign[pair]
        flag = batch.flag[row]
        slot = self.slot[pair]
        rising = np.flatnonzero(slot >= 0)
        if len(rising):
            at = row[rising]
            y[rising], flag[rising] = self.slopes.push(
                slot[rising], batch.t_ms[at], batch.value[at], batch.flag[at]
            )
        # NaN, a slope not known yet, is neither: it is absent for its pair.
        touched = np.flatnonzero((y > self.high[pair]) | (y < self.low[pair]))
        if not len(touched):
            return over
        return over + self._touch(batch, row[touched], pair[touched], y[touched], flag[touched])

    def _apart(
        self, batch: Batch, row: IntArray, pair: IntArray
    ) -> tuple[IntArray, IntArray, list[Transition]]:
        """Keep simulated samples from what real ones have raised, and end what they raised.

        A simulated sample is absent for an alert that was measured: it can't clear it. The
        first real sample ends a simulated alert, and is then judged by itself.
        """
        by_hand = (batch.why[row] & Why.SIMULATED) != 0
        ends = np.flatnonzero(self.simulated[pair] & ~by_hand)
        over = []
        for n in ends.tolist():
            at, t_ms = int(pair[n]), int(batch.t_ms[row[n]])
            rule, _, series = self.pairs.keys[at]
            over.append(ended(rule, series, t_event_ms=t_ms, at_ms=-1, cause=Cause.MEASURED))
        self.active[pair[ends]] = self.simulated[pair[ends]] = False
        self.pending_ms[pair[ends]] = NOT_PENDING
        self._narrow(pair[ends])
        if by_hand.any():
            keep = ~(by_hand & self.active[pair] & ~self.simulated[pair])
            row, pair = row[keep], pair[keep]
        return row, pair, over

    def _touch(
        self, batch: Batch, row: IntArray, pair: IntArray, y: FloatArray, flag: FlagArray
    ) -> list[Transition]:
        """Move the runs of `pair`, each of which occurs once; N of everything but the batch."""
        pairs = self.pairs
        t_ms, active, permit = batch.t_ms[row], self.active[pair], pairs.permit[pair]
        breach = (y > pairs.raise_level[pair]) & (~permit | (flag == Flag.PASS))
        calm = (y < pairs.clear_level[pair]) & (permit | (flag != Flag.SUSPECT))
        proves = np.where(active, calm, breach)
        pending_ms = self.pending_ms[pair]
        fresh = (pending_ms == NOT_PENDING) | (t_ms - self.last_ms[pair] > pairs.gap_ms[pair])
        since_ms = np.where(fresh, t_ms, pending_ms)
        hold_ms = np.where(active, pairs.clear_for_ms[pair], pairs.for_ms[pair])
        done = proves & (t_ms - since_ms >= hold_ms)

        self.last_ms[pair] = t_ms
        self.samples[pair] = np.where(fresh, 1, self.samples[pair] + 1)
        self.worst[pair] = np.where(fresh, flag, np.maximum(self.worst[pair], flag))
        why = batch.why[row]
        self.why[pair] = np.where(fresh, why, self.why[pair] | why)
        self.first_value[pair] = np.where(fresh, y * pairs.sign[pair], self.first_value[pair])
        self.pending_ms[pair] = np.where(proves & ~done, since_ms, NOT_PENDING)
        self.active[pair] = active ^ done
        # A raise is simulated if any sample of its hold was.
        sim = (self.why[pair] & Why.SIMULATED) != 0
        self.simulated[pair] = np.where(done, ~active & sim, self.simulated[pair])
        self._narrow(pair)
        return [
            self._transition(batch, int(row[n]), int(pair[n]), float(y[n]), int(since_ms[n]))
            for n in np.flatnonzero(done)
        ]

    def _transition(self, batch: Batch, row: int, pair: int, y: float, since_ms: int) -> Transition:
        pairs = self.pairs
        raised = bool(self.active[pair])
        sign = float(pairs.sign[pair])
        limit = pairs.raise_level[pair] if raised else pairs.clear_level[pair]
        return Transition(
            kind=Change.RAISED if raised else Change.CLEARED,
            rule=pairs.keys[pair][0],
            series=int(pairs.series[pair]),
            t_since_ms=since_ms,
            t_event_ms=int(batch.t_ms[row]),
            value=y * sign + 0.0,
            flag=int(batch.flag[row]),
            limit=float(limit) * sign + 0.0,
            at_ms=-1,
            cause=Cause.LEVEL,
            worst_flag=int(self.worst[pair]),
            why=int(self.why[pair]),
            samples=int(self.samples[pair]),
            first_value=float(self.first_value[pair]) + 0.0,
            reading=float(batch.value[row]),
        )

    def advance(
        self,
        now_ms: int,
        newest_ms: IntArray,
        registered_ms: IntArray,
        suspended_until_ms: IntArray,
    ) -> list[Transition]:
        """What the clock decides: no data, data back, and the end of rules withdrawn.

        newest_ms : int64[S], newest observed time of each series, -1 where there is none
        registered_ms : int64[S], when the series became known
        suspended_until_ms : int64[S], until when its device sleeps, 0 or less if it doesn't
        Transitions come in the order of their due times. Threshold alerts are never touched.
        """
        told = self._end_withdrawn(now_ms, now_ms)
        told.extend(self.silence.advance(now_ms, newest_ms, registered_ms, suspended_until_ms))
        return sorted(told, key=lambda each: each.at_ms)

    def _end_withdrawn(self, t_event_ms: int, at_ms: int) -> list[Transition]:
        gone, self._withdrawn = self._withdrawn, []
        return [
            ended(rule, series, t_event_ms=t_event_ms, at_ms=at_ms, cause=Cause.WITHDRAWN)
            for rule, series in gone
        ]

    def next_due_ms(
        self, newest_ms: IntArray, registered_ms: IntArray, suspended_until_ms: IntArray
    ) -> int | None:
        """When `advance` must be called at the latest; 0 is at once, None is never."""
        if self._withdrawn:
            return 0
        return self.silence.next_due_ms(newest_ms, registered_ms, suspended_until_ms)

    def reconfigure(self, rules: RuleSet, series: SeriesTable, registry: Registry) -> None:
        """Put a new configuration in force. State stays with its rule id and series.

        Levels and holds are the new ones from the next sample on. What nobody watches any
        more is cleared, as withdrawn, by the next `advance` (or `step`, if that comes first).
        """
        old_keys, old_active, old_slopes = self.pairs.keys, self.active, self.slopes
        old_rising, old_silence = self._rising_keys, self.silence
        held = {name: getattr(self, name) for name in _HELD}
        self._configure(rules, series, registry)
        old_at, new_at = carried(old_keys, self.pairs.keys)
        for name, column in held.items():
            getattr(self, name)[new_at] = column[old_at]
        self._narrow(new_at)
        self.slopes.copy_from(old_slopes, *carried(old_rising, self._rising_keys))
        stays = set(old_at.tolist())
        self._withdrawn.extend(
            (old_keys[at][0], old_keys[at][2])
            for at in np.flatnonzero(old_active).tolist()
            if at not in stays
        )
        self._withdrawn.extend(self.silence.carry(old_silence))

    def snapshot(self) -> dict[str, Any]:
        """All that a restart needs, of the pairs that are not at rest."""
        busy = np.flatnonzero(self.active | (self.pending_ms != NOT_PENDING))
        return {
            "keys": [list(self.pairs.keys[at]) for at in busy],
            "held": {name: getattr(self, name)[busy] for name in _HELD},
            "rising": [list(key) for key in self._rising_keys],
            "slopes": self.slopes.snapshot(),
            "silence": self.silence.snapshot(),
            "withdrawn": [list(each) for each in self._withdrawn],
        }

    def _restore(self, snapshot: dict[str, Any]) -> None:
        """Take a snapshot over; of other rules than those in force, as `reconfigure` would."""
        keys = _keys(snapshot["keys"])
        old_at, new_at = carried(keys, self.pairs.keys)
        for name in _HELD:
            getattr(self, name)[new_at] = np.asarray(snapshot["held"][name])[old_at]
        self._narrow(new_at)
        slopes = Slopes.restored(snapshot["slopes"])
        rising = _keys(snapshot["rising"])
        self.slopes.copy_from(slopes, *carried(rising, self._rising_keys))
        stays = set(old_at.tolist())
        active = np.flatnonzero(snapshot["held"]["active"]).tolist()
        self._withdrawn = [(rule, series) for rule, series in snapshot["withdrawn"]]
        self._withdrawn.extend((keys[at][0], keys[at][2]) for at in active if at not in stays)
        self._withdrawn.extend(self.silence.restore(snapshot["silence"]))


def _keys(listed: list[list[Any]]) -> tuple[tuple[str, str, int], ...]:
    return tuple((rule, ask, series) for rule, ask, series in listed)
