"""Rules over several series: differences, and shares of a group.

They are asked at instants of observed time (`alerts.instants`), so that it does not matter
which of the series came first. The value of a member at an instant T is its newest sample at
or before T that the rule may see, if that is not older than `FRESH` of its intervals; else it
is absent. One sample of each cell (T - step, T] of the grid is all that can ever be asked
for again, so the memory is bounded, whatever the members send.

Difference: first - second; absent where either is. Share: to raise, how many members are
beyond the level; to clear, how many are not proved calm. An absent member is neither: it
never raises, and never clears.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from alerts.instants import Instants
from alerts.pairs import LevelPairs, PairKey, evidence, expected_ms, own_levels, worst_from
from alerts.rules import Ask, Rule
from alerts.transition import Change
from ingest.reading import (
    Batch,
    BoolArray,
    Flag,
    FlagArray,
    FloatArray,
    IntArray,
    WhyArray,
    rounded,
    rounds,
)

FRESH = 2
"""Expected intervals after which a member's newest sample is no longer its present value."""

NEVER = -1

# Looking a member of an enumeration up costs as much as comparing a thousand values.
_PASS = np.uint8(Flag.PASS)
_SUSPECT = np.uint8(Flag.SUSPECT)
_FAIL = np.uint8(Flag.FAIL)


@dataclass(frozen=True, slots=True)
class Formed:
    """What N joint pairs, each at most once, come to at one instant each.

    pair : int64[N], among the joint ones
    t_ms : int64[N]
    idle_y, held_y : float64[N], what is compared while idle and while raised; NaN: absent
    idle_flag, held_flag : uint8[N]; why : uint16[N], of all that was used
    reading : float64[N], of the first of a difference, else NaN
    ordinal : int64[N], how many instants the pair has had
    seat_pair, seat_series : int64[M], of each member of each of the pairs
    beyond, uncalm : bool[M], which of them are so
    """

    pair: IntArray
    t_ms: IntArray
    idle_y: FloatArray
    held_y: FloatArray
    idle_flag: FlagArray
    held_flag: FlagArray
    why: WhyArray
    reading: FloatArray
    ordinal: IntArray
    seat_pair: IntArray
    seat_series: IntArray
    beyond: BoolArray
    uncalm: BoolArray

    def members(self, pair: int, change: Change) -> tuple[int, ...]:
        """The numbers of the members that a change rests on, rising."""
        chosen = self.beyond if change is Change.RAISED else self.uncalm
        return tuple(np.sort(self.seat_series[chosen & (self.seat_pair == pair)]).tolist())


class Joint:
    """Memory and grid of the J joint pairs of the rules in force.

    Each member of each pair has a seat, numbered through in the order of the pairs.
    """

    def __init__(
        self,
        pairs: LevelPairs,
        interval_ms: IntArray,
        reorder_ms: int,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        groups = pairs.groups
        self._keys: tuple[PairKey, ...] = pairs.keys[pairs.n_alone :]
        self._rules = pairs.rules[pairs.n_alone :]
        seats = [(at, one) for at, group in enumerate(groups) for one in group]
        self._size = _ints([len(group) for group in groups])
        self._begin = np.cumsum(self._size) - self._size
        self._pair = _ints([at for at, _ in seats])
        self._series = _ints([one.id for _, one in seats])
        self._near_ms = _ints([FRESH * expected_ms(one) for _, one in seats])
        self._step_ms = _ints([max(expected_ms(one) for one in group) for group in groups])
        self._sign, self._high, self._low = _bounds([self._rules[at] for at, _ in seats])
        self._quality = _bools([self._rules[at].flagged is not None for at, _ in seats])
        alone = slice(pairs.n_alone, None)
        self._worst_from = pairs.worst_from[alone][self._pair]
        self._evidence = pairs.evidence[alone][self._pair]
        self._differs = _bools([not rule.shared for rule in self._rules])
        self._order = np.argsort(self._series, kind="stable")
        counts = np.bincount(self._series, minlength=len(interval_ms))
        self._first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.count: IntArray = np.zeros(len(groups), dtype=np.int64)
        self._done_ms: IntArray = np.full(len(groups), NEVER, dtype=np.int64)
        self._seat: IntArray = np.empty(0, dtype=np.int64)
        self._rows = Batch.empty()
        self._instants = Instants(
            [_ints([one.id for one in group]) for group in groups],
            self._step_ms.tolist(),
            interval_ms,
            reorder_ms,
            None if snapshot is None else snapshot["instants"],
            keys=["/".join(map(str, key)) for key in self._keys],
        )
        if snapshot is not None:
            self._restore(snapshot)

    def __len__(self) -> int:
        return len(self._keys)

    def newest_ms(self, pair: int) -> int:
        """The newest instant of a pair, NEVER where there was none."""
        return int(self._done_ms[pair])

    def take(self, batch: Batch) -> Iterator[Formed]:
        """Take released rows, each series rising; gives what they complete, in order of time."""
        if not len(self._keys):
            return
        due = self._instants.due(batch.series, batch.t_ms)
        self._remember(batch)
        if not due:
            return
        at_ms, pair = np.array(due, dtype=np.int64).T
        for turn in rounds(pair):
            yield self._form(pair[turn], at_ms[turn])
        np.maximum.at(self._done_ms, pair, at_ms)
        self._forget()

    def _remember(self, batch: Batch) -> None:
        count = self._first[batch.series + 1] - self._first[batch.series]
        total = int(count.sum())
        if total == 0:
            return
        row = np.repeat(np.arange(len(batch)), count)
        skip = np.repeat(self._first[batch.series] - np.cumsum(count) + count, count)
        seat = self._order[np.arange(total) + skip]
        may = usable(batch.flag[row], self._quality[seat])
        seat = np.concatenate([self._seat, seat[may]])
        rows = Batch.concat([self._rows, batch.take(row[may])])
        order = np.lexsort((rows.t_ms, seat))
        self._keep(seat[order], rows.take(order))

    def _keep(self, seat: IntArray, rows: Batch) -> None:
        """Of rows in order of seat and time, the last of each cell of the grid."""
        step_ms = self._step_ms[self._pair[seat]]
        cell = -(-rows.t_ms // step_ms)
        last = np.ones(len(seat), dtype=np.bool_)
        last[:-1] = (seat[1:] != seat[:-1]) | (cell[1:] != cell[:-1])
        self._seat, self._rows = seat[last], rows.take(last)

    def _forget(self) -> None:
        """Drop what no later instant can see: another sample stands before it."""
        seat, t_ms = self._seat, self._rows.t_ms
        done_ms = self._done_ms[self._pair[seat]]
        keep = np.ones(len(seat), dtype=np.bool_)
        keep[:-1] = (seat[1:] != seat[:-1]) | (t_ms[1:] > done_ms[1:])
        self._seat, self._rows = seat[keep], self._rows.take(keep)

    def _newest(self, seat: IntArray, at_ms: IntArray) -> tuple[BoolArray, Batch]:
        """The present value of each of Q seats at a time: whether there is one, and its row."""
        if not len(self._seat):
            nothing = np.zeros(len(seat), dtype=np.bool_)
            return nothing, Batch.of(seat, at_ms, np.zeros(len(seat)), Flag.MISSING)
        begin = min(int(self._rows.t_ms.min()), int(at_ms.min()))
        span = max(int(self._rows.t_ms.max()), int(at_ms.max())) - begin + 1
        known = self._seat * span + (self._rows.t_ms - begin)
        at = np.searchsorted(known, seat * span + (at_ms - begin), side="right") - 1
        place = np.maximum(at, 0)
        rows = self._rows.take(place)
        there = (at >= 0) & (self._seat[place] == seat)
        there &= at_ms - rows.t_ms <= self._near_ms[seat]
        return there, rows

    def _form(self, pair: IntArray, at_ms: IntArray) -> Formed:
        self.count[pair] += 1
        size = self._size[pair]
        starts = np.cumsum(size) - size
        seat = np.arange(int(size.sum())) + np.repeat(self._begin[pair] - starts, size)
        there, rows = self._newest(seat, np.repeat(at_ms, size))
        beyond, calm = self._judged(seat, rows)
        beyond, calm = beyond & there, calm & there
        flag = np.where(there, rows.flag, 0)
        n_there = np.add.reduceat(there, starts, dtype=np.int64)
        empty = n_there == 0
        differs = self._differs[pair]
        # A difference has two seats, one behind the other; a share may have one alone.
        second = np.minimum(starts + 1, len(seat) - 1)
        gap = rounded(rows.value[starts] - rows.value[second])
        gap = np.where(there[starts] & there[second], gap, np.nan)
        n_beyond = np.add.reduceat(beyond, starts, dtype=np.int64)
        n_uncalm = size - np.add.reduceat(calm, starts, dtype=np.int64)
        worst = np.maximum.reduceat(flag, starts)
        raising = np.maximum.reduceat(np.where(beyond, flag, Flag.PASS), starts)
        calming = np.maximum.reduceat(np.where(calm, flag, Flag.PASS), starts)
        return Formed(
            pair=pair,
            t_ms=at_ms,
            idle_y=np.where(differs, gap, np.where(empty, np.nan, n_beyond)),
            held_y=np.where(differs, gap, np.where(empty, np.nan, n_uncalm)),
            idle_flag=np.where(differs, worst, raising).astype(np.uint8),
            held_flag=np.where(differs, worst, calming).astype(np.uint8),
            why=np.bitwise_or.reduceat(np.where(there, rows.why, 0).astype(np.uint16), starts),
            reading=np.where(differs, rows.value[starts], np.nan),
            ordinal=self.count[pair],
            seat_pair=self._pair[seat],
            seat_series=self._series[seat],
            beyond=beyond,
            uncalm=~calm,
        )

    def _judged(self, seat: IntArray, rows: Batch) -> tuple[BoolArray, BoolArray]:
        """Which members are beyond their rule's level, and which are proved calm."""
        quality = self._quality[seat]
        matches = matching(rows.flag, rows.why, self._worst_from[seat], self._evidence[seat])
        y = np.where(quality, matches, rows.value * self._sign[seat])
        calm = (y < self._low[seat]) & (rows.flag < Flag.SUSPECT)
        return y > self._high[seat], calm

    def snapshot(self) -> dict[str, Any]:
        rows = self._rows
        return {
            "keys": [list(key) for key in self._keys],
            "count": self.count.copy(),
            "done_ms": self._done_ms.copy(),
            "pair": self._pair[self._seat],
            "rows": [rows.series.copy(), rows.t_ms, rows.value, rows.flag, rows.why],
            "instants": self._instants.snapshot(),
        }

    def _restore(self, snapshot: dict[str, Any]) -> None:
        """Take over what belongs to pairs and members that are still there."""
        place = {key: at for at, key in enumerate(self._keys)}
        now = _ints([place.get((r, ask, s), NEVER) for r, ask, s in snapshot["keys"]])
        stays = now >= 0
        self.count[now[stays]] = np.asarray(snapshot["count"])[stays]
        self._done_ms[now[stays]] = np.asarray(snapshot["done_ms"])[stays]
        rows = Batch(*(np.asarray(column) for column in snapshot["rows"]))
        chairs = {
            (pair, series): seat
            for seat, (pair, series) in enumerate(
                zip(self._pair.tolist(), self._series.tolist(), strict=True)
            )
        }
        pair = now[np.asarray(snapshot["pair"], dtype=np.int64)]
        seat = _ints(
            [
                chairs.get(key, NEVER)
                for key in zip(pair.tolist(), rows.series.tolist(), strict=True)
            ]
        )
        known = np.flatnonzero(seat >= 0)
        order = known[np.lexsort((rows.t_ms[known], seat[known]))]
        self._keep(seat[order], rows.take(order))


def usable(flag: FlagArray, quality: BoolArray) -> BoolArray:
    """Which rows a rule sees: values that are not bad; or, of quality, all that was tested."""
    tested = (flag == _PASS) | (flag == _SUSPECT) | (flag == _FAIL)
    valued = (flag >= _PASS) & (flag <= _SUSPECT)
    found: BoolArray = np.where(quality, tested, valued)
    return found


def matching(flag: FlagArray, why: WhyArray, worst_from: IntArray, evidence: IntArray) -> BoolArray:
    """Which rows have the quality that a rule asks for."""
    by_flag = (worst_from > 0) & (flag >= worst_from)
    found: BoolArray = by_flag | ((why & evidence) != 0)
    return found


def beyond_own(rule: Rule, rows: Batch) -> BoolArray:
    """Which samples of a member of a group are beyond the level of its rule, bool[N]."""
    if rule.flagged is not None:
        asked = np.array([worst_from(rule)]), np.array([evidence(rule)])
        return matching(rows.flag, rows.why, *asked)
    sign, high, _ = _bounds([rule])
    found: BoolArray = rows.value * sign > high
    return found


def _bounds(rules: list[Rule]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of the rule of each seat: sign, and the levels of a single member, times the sign."""
    sign = np.array([-1.0 if rule.ask is Ask.BELOW else 1.0 for rule in rules])
    # Those of a difference are not asked for; they stand so that seats and columns agree.
    levels = np.array([own_levels(rule) for rule in rules], dtype=np.float64).reshape(-1, 2)
    return sign, sign * levels[:, 0], sign * levels[:, 1]


def _ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _bools(values: list[bool]) -> BoolArray:
    return np.array(values, dtype=np.bool_)
