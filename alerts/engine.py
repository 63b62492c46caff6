"""The rules at work: samples and the clock in, transitions out. Pure: no clock, no await.

What it detects: values beyond a level for long enough (`alerts.plain`); values that rise or
fall fast, or lie above the same tide of the day before (`alerts.rise`); samples of bad
quality; several series that differ, or a share of a group beyond a level (`alerts.joint`);
and, in `alerts.silence`, series that send nothing. How a run of samples raises and clears is
`alerts.runs`.
Units: those of the quantity, per hour for rises and falls; times int ms UTC, observed time
throughout.
Cost: `for_s` delays the alarm by as much, and `clear_for_s` the all-clear; with both 0 every
crossing of the levels is told.
Gaps: values flagged 4 or 9 are absent, but for rules of quality; absence changes nothing but
may break a run. A suspect value (3) may raise, and breaks a pending all-clear, since it can't
prove one; rules that permit need flag 1 to be raised, and any value withdraws the permission.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from alerts.further import Further, keys_of
from alerts.joint import Formed, Joint, usable
from alerts.pairs import LevelPairs, PairKey, carried, level_pairs, silence_pairs
from alerts.plain import Plain
from alerts.rules import RuleSet
from alerts.runs import NOT_PENDING, Evaluations, Runs
from alerts.silence import Silence, ended
from alerts.transition import Cause, Transition
from ingest.reading import Batch, BoolArray, Flag, FlagArray, FloatArray, IntArray, Why, rounds
from ingest.registry import Registry
from ingest.series import SeriesTable

REORDER_MS = 30_000
"""How much later than a newer sample of its group one may come, where nobody says."""

# Looking a member of an enumeration up costs as much as comparing a thousand values.
_PASS = np.uint8(Flag.PASS)
_UP_TO_SUSPECT = np.uint8(Flag.SUSPECT - Flag.PASS)
_SIMULATED = np.uint16(Why.SIMULATED)


class Engine:
    """All rules over all series. Give every sample once, each series' in rising time."""

    def __init__(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        snapshot: dict[str, Any] | None = None,
        reorder_ms: int = REORDER_MS,
    ) -> None:
        self.withdrawn: list[tuple[str, int]] = []
        self.evaluated: IntArray = np.zeros(0, dtype=np.int64)
        self.tested: IntArray = np.zeros(0, dtype=np.int64)
        self._configure(rules, series, registry, reorder_ms, None)
        if snapshot is not None:
            self._restore(snapshot, reorder_ms)

    def _configure(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        reorder_ms: int,
        joint: dict[str, Any] | None,
    ) -> None:
        self.rules = rules
        self._interval_ms = series.expected_ms
        self._reorder_ms = reorder_ms
        grown = len(series) - len(self.evaluated)
        self.evaluated = np.pad(self.evaluated, (0, grown))
        self.tested = np.pad(self.tested, (0, grown))
        self.pairs: LevelPairs = level_pairs(rules, series, registry)
        self.silence = Silence(rules, silence_pairs(rules, series, registry))
        self.runs = Runs(self.pairs)
        self.plain = Plain(self.pairs)
        self.further = Further(self.pairs)
        self.joint = Joint(self.pairs, self._interval_ms, reorder_ms, joint)
        self.pair_of = {(rule, series): at for at, (rule, _, series) in enumerate(self.pairs.keys)}
        keys = self.silence.pairs.keys
        self._silent_at = {(rule, series): at for at, (rule, _, series) in enumerate(keys)}

    def clearing(self, rule: str, series: int) -> bool:
        """Whether a raised rule has seen calm samples last, not yet for long enough."""
        at = self.pair_of.get((rule, series))
        runs = self.runs
        return at is not None and bool(runs.active[at]) and runs.pending_ms[at] != NOT_PENDING

    def active_now(self, rule: str, series: int) -> bool:
        """Whether the rule holds for the series, or the group that it anchors."""
        if (at := self.pair_of.get((rule, series))) is not None:
            return bool(self.runs.active[at])
        silent = self._silent_at.get((rule, series))
        return silent is not None and bool(self.silence.active[silent])

    def evaluations(self, rule: str, series: int) -> int:
        """How many samples, or instants of a group, the rule has been asked about so far."""
        at = self.pair_of.get((rule, series))
        if at is None:
            return int(self.evaluated[series]) if (rule, series) in self._silent_at else 0
        if at >= self.pairs.n_alone:
            return int(self.joint.count[at - self.pairs.n_alone])
        return int((self.tested if self.further.quality[at] else self.evaluated)[series])

    def newest_instant_ms(self, rule: str, series: int) -> int | None:
        """The newest instant at which a group was asked about; None for a series by itself."""
        at = self.pair_of.get((rule, series), -1) - self.pairs.n_alone
        return None if at < 0 else self.joint.newest_ms(at)

    def step(self, batch: Batch) -> list[Transition]:
        """Evaluate released samples, each series' in rising time; flags are already set.

        Transitions come in turns of one sample of each series, within a turn in the order of
        the rows, for one row in the order of the rules; then those of rules over several
        series, in order of time. Give all that was released together at once: rules over
        several series wait for a silent member by what has come from the others.
        """
        if not len(batch):
            return []
        told: list[Transition] = []
        if self.withdrawn:
            # A rule that asks for another thing now must not be raised before it has ended.
            told.extend(self._end_withdrawn(int(batch.t_ms.min()), -1))
        if bool((batch.series[1:] > batch.series[:-1]).all()):
            told.extend(self._turn(batch, whole=len(batch) == len(self.evaluated)))
        else:
            for turn in rounds(batch.series):
                told.extend(self._turn(batch.take(turn), whole=False))
        for formed in self.joint.take(batch):
            told.extend(self._over_several(formed))
        return told

    def _turn(self, batch: Batch, *, whole: bool) -> list[Transition]:
        """One sample of each series at most; `whole`: of all there are, in their order."""
        # Flags are small numbers: zero, taken one from, is a large one.
        valued = (batch.flag - _PASS) <= _UP_TO_SUSPECT
        if whole:
            self.evaluated += valued
        else:
            self.evaluated[batch.series] += valued
        tested = valued
        if self.further.any:
            tested = usable(batch.flag, np.ones(len(batch), dtype=np.bool_))
            self.tested[batch.series] += tested
        by_hand: BoolArray | None = None
        over: list[Transition] = []
        if bool(batch.why.max() >= _SIMULATED) or self.runs.any_simulated:
            by_hand = (batch.why & _SIMULATED) != 0
            over = self._apart(batch, valued, tested, by_hand)
        parts: list[Evaluations] = []
        row, pair = self._unshielded(by_hand, *self._beyond(batch, valued, whole=whole))
        if len(pair):
            value = batch.value[row]
            parts.append(self._evaluations(batch, row, pair, value, value, batch.flag[row]))
        if self.further.any:
            row, pair = self._unshielded(by_hand, *self.further.asked(batch, valued, tested))
            if len(pair):
                parts.append(self._looked_further(batch, row, pair))
        return over + self._touch(Evaluations.concat(parts)) if parts else over

    def _beyond(self, batch: Batch, valued: BoolArray, *, whole: bool) -> tuple[IntArray, IntArray]:
        """(row, pair) of all whose value alone may change something."""
        if valued.all():
            return self.plain.beyond_whole(batch.value) if whole else self.plain.beyond(batch)
        row, pair = self.plain.beyond(batch.take(valued))
        return np.flatnonzero(valued)[row], pair

    def _apart(
        self, batch: Batch, valued: BoolArray, tested: BoolArray, by_hand: BoolArray
    ) -> list[Transition]:
        """End what simulated samples have raised where a real one comes, which is then judged.

        A simulated sample, in turn, is absent for an alert that was measured (`_shielded`):
        it can't clear it.
        """
        row_of = np.full(len(self.evaluated), -1, dtype=np.int64)
        real = np.flatnonzero(~by_hand)
        row_of[batch.series[real]] = real
        held = np.flatnonzero(self.runs.simulated[: self.pairs.n_alone])
        at = row_of[self.pairs.series[held]]
        quality = self.further.quality[held]
        ends = (at >= 0) & np.where(quality, tested[at], valued[at])
        held, at, quality = held[ends], at[ends], quality[ends]
        series = self.pairs.series[held]
        ordinals = np.where(quality, self.tested[series], self.evaluated[series])
        self._rest(held)
        self.runs.any_simulated = bool(self.runs.simulated.any())
        return [
            self._measured(int(held[n]), int(batch.t_ms[at[n]]), int(ordinals[n]))
            for n in np.lexsort((self.pairs.rule[held], at))
        ]

    def _measured(self, pair: int, t_ms: int, ordinal: int) -> Transition:
        rule, _, series = self.pairs.keys[pair]
        change = ended(rule, series, t_event_ms=t_ms, at_ms=-1, cause=Cause.MEASURED)
        return replace(change, ordinal=ordinal)

    def _shielded(self, by_hand: BoolArray, pair: IntArray) -> BoolArray:
        shielded: BoolArray = by_hand & self.runs.active[pair] & ~self.runs.simulated[pair]
        return shielded

    def _unshielded(
        self, by_hand: BoolArray | None, row: IntArray, pair: IntArray
    ) -> tuple[IntArray, IntArray]:
        if by_hand is None:
            return row, pair
        keep = ~self._shielded(by_hand[row], pair)
        return row[keep], pair[keep]

    def _rest(self, pair: IntArray) -> None:
        self.runs.drop(pair)
        self.narrow(pair)

    def narrow(self, pair: IntArray) -> None:
        """Tell the comparison in bulk what pairs wait for now."""
        plain = pair[pair < self.pairs.n_plain]
        running = self.runs.pending_ms[plain] != NOT_PENDING
        self.plain.narrow(plain, self.runs.active[plain], running)

    def _looked_further(self, batch: Batch, row: IntArray, pair: IntArray) -> Evaluations:
        y, told, flag = self.further.compared(batch, row, pair)
        known = ~np.isnan(y)  # what is not known yet is absent for its pair
        row, pair = row[known], pair[known]
        return self._evaluations(batch, row, pair, y[known], told[known], flag[known])

    def _evaluations(
        self,
        batch: Batch,
        row: IntArray,
        pair: IntArray,
        y: FloatArray,
        told: FloatArray,
        flag: FlagArray,
    ) -> Evaluations:
        ordinal = self.evaluated[batch.series[row]]
        if self.further.any:
            tested = self.tested[batch.series[row]]
            ordinal = np.where(self.further.quality[pair], tested, ordinal)
        return Evaluations(
            pair=pair,
            row=row,
            t_ms=batch.t_ms[row],
            y=y * self.pairs.sign[pair],
            told=told,
            flag=flag,
            own_flag=batch.flag[row],
            why=batch.why[row],
            reading=batch.value[row],
            ordinal=ordinal,
        )

    def _touch(self, seen: Evaluations) -> list[Transition]:
        done = self.runs.touch(seen)
        if not len(done):
            self.narrow(seen.pair)
            return []
        done = done[np.lexsort((self.pairs.rule[seen.pair[done]], seen.row[done]))]
        changed = seen.take(done)
        since_ms = self.runs.turn(changed.pair)
        self.narrow(seen.pair)
        return self.runs.told(changed, since_ms)

    def _over_several(self, formed: Formed) -> list[Transition]:
        """One instant each of some joint pairs."""
        pair = formed.pair + self.pairs.n_alone
        by_hand = (formed.why & _SIMULATED) != 0
        known = ~np.isnan(formed.idle_y)
        over = np.flatnonzero(known & ~by_hand & self.runs.simulated[pair])
        told = [
            self._measured(int(pair[n]), int(formed.t_ms[n]), int(formed.ordinal[n])) for n in over
        ]
        self._rest(pair[over])
        active = self.runs.active[pair]
        value = np.where(active, formed.held_y, formed.idle_y)
        flag = np.where(active, formed.held_flag, formed.idle_flag)
        keep = np.flatnonzero(known & ~self._shielded(by_hand, pair))
        seen = Evaluations(
            pair=pair,
            row=np.arange(len(pair)),
            t_ms=formed.t_ms,
            y=value * self.pairs.sign[pair],
            told=value,
            flag=flag,
            own_flag=flag,
            why=formed.why,
            reading=formed.reading,
            ordinal=formed.ordinal,
        ).take(keep)
        return [*told, *(self._with_others(change, formed) for change in self._touch(seen))]

    def _with_others(self, change: Transition, formed: Formed) -> Transition:
        at = self.pair_of[change.rule, change.series]
        group = at - self.pairs.n_alone
        if not self.pairs.rules[at].shared:
            return replace(change, other=self.pairs.groups[group][1].id)
        return replace(change, members=formed.members(group, change.kind))

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
        gone, self.withdrawn = self.withdrawn, []
        return [
            ended(rule, series, t_event_ms=t_event_ms, at_ms=at_ms, cause=Cause.WITHDRAWN)
            for rule, series in gone
        ]

    def next_due_ms(
        self, newest_ms: IntArray, registered_ms: IntArray, suspended_until_ms: IntArray
    ) -> int | None:
        """When `advance` must be called at the latest; 0 is at once, None is never."""
        if self.withdrawn:
            return 0
        return self.silence.next_due_ms(newest_ms, registered_ms, suspended_until_ms)

    def reconfigure(
        self,
        rules: RuleSet,
        series: SeriesTable,
        registry: Registry,
        reorder_ms: int | None = None,
    ) -> None:
        """Put a new configuration in force. State stays with its rule id and series.

        Levels and holds are the new ones from the next sample on. What nobody watches any
        more is cleared, as withdrawn, by the next `advance` (or `step`, if that comes first).
        """
        old_pairs, old_runs, old_silence = self.pairs, self.runs, self.silence
        old_further = self.further
        reorder_ms = self._reorder_ms if reorder_ms is None else reorder_ms
        self._configure(rules, series, registry, reorder_ms, self.joint.snapshot())
        stays = self._carry(old_runs.columns(), old_pairs.keys)
        self.further.copy_from(old_further)
        self.withdrawn.extend(
            (old_pairs.keys[at][0], old_pairs.keys[at][2])
            for at in np.flatnonzero(old_runs.active).tolist()
            if at not in stays
        )
        self.withdrawn.extend(self.silence.carry(old_silence))

    def _carry(self, held: dict[str, Any], keys: Sequence[PairKey]) -> set[int]:
        """Take the state of pairs over; gives the places of those that stay."""
        old_at, new_at = carried(tuple(keys), self.pairs.keys)
        self.runs.copy_from(held, old_at, new_at)
        self.narrow(new_at)
        return set(old_at.tolist())

    def snapshot(self) -> dict[str, Any]:
        """All that a restart needs, of the pairs that are not at rest."""
        busy = np.flatnonzero(self.runs.active | (self.runs.pending_ms != NOT_PENDING))
        return {
            "keys": [list(self.pairs.keys[at]) for at in busy],
            "held": {name: column[busy] for name, column in self.runs.columns().items()},
            "evaluated": self.evaluated.copy(),
            "tested": self.tested.copy(),
            **self.further.snapshot(),
            "joint": self.joint.snapshot(),
            "silence": self.silence.snapshot(),
            "withdrawn": [list(each) for each in self.withdrawn],
        }

    def _restore(self, snapshot: dict[str, Any], reorder_ms: int) -> None:
        """Take a snapshot over; of other rules than those in force, as `reconfigure` would.

        One of a version without tides, groups and counts begins with none of them.
        """
        keys = keys_of(snapshot["keys"])
        stays = self._carry(snapshot["held"], keys)
        for column, name in ((self.evaluated, "evaluated"), (self.tested, "tested")):
            counts = snapshot.get(name, ())
            column[: len(counts)] = counts
        self.further.restore(snapshot)
        if "joint" in snapshot:
            self.joint = Joint(self.pairs, self._interval_ms, reorder_ms, snapshot["joint"])
        active = np.flatnonzero(snapshot["held"]["active"]).tolist()
        self.withdrawn = [(rule, series) for rule, series in snapshot["withdrawn"]]
        self.withdrawn.extend((keys[at][0], keys[at][2]) for at in active if at not in stays)
        self.withdrawn.extend(self.silence.restore(snapshot["silence"]))
