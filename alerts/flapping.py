"""Flapping: a rule that goes on and off all the time is one alert, with one notice in, one out.

What it detects: a (rule, series) whose state changes at a large part of its evaluations.
Formula: of the last 21 evaluations' states there are 20 pairs of neighbours. Each pair that
differs counts by its age, from 1.2 for the newest to 0.8 for the oldest, linearly; the score is
the sum over 20. From `ENTER` = 0.5 on at a raise it flaps; under `LEAVE` = 0.25 at any
evaluation it no longer does. Here all is multiplied by 3,800, so that whole numbers are
compared and no machine rounds otherwise than another.
Units: evaluations, as `Transition.ordinal` counts them; no time enters. So it doesn't matter
how the samples were split into entries, nor how fast they came.
Cost: the end is told up to 20 evaluations late. While it flaps, whether the rule holds at this
moment is in the timeline alone.
Gaps: what a clock decided (no data, a rule that was withdrawn) is no change of this kind: it
ends the flapping and what was remembered.
Reference: Nagios' detection of flapping and Kapacitor's `flapping(low, high)` after it, with
21 states and linear weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from alerts.transition import Cause, Change, Transition
from ingest.reading import Why

HISTORY: Final = 21
_PAIRS: Final = HISTORY - 1
_NEWEST, _STEP = 12 * (_PAIRS - 1), 4
_WHOLE: Final = 10 * (_PAIRS - 1) * _PAIRS
ENTER: Final = _WHOLE // 2
LEAVE: Final = _WHOLE // 4


def score(changes: Sequence[int], ordinal: int) -> int:
    """The weight of changes at an evaluation, of at most 3,800; `changes` are ordinals."""
    ages = [ordinal - change for change in changes]
    return sum(_NEWEST - _STEP * age for age in ages if 0 <= age < _PAIRS)


class Kind(StrEnum):
    RAISE = "raise"
    CLEAR = "clear"
    KEEP = "keep"
    """A change of a flapping rule: for its alert's timeline alone."""
    CALM = "calm"
    """It no longer flaps: over, or going on, by `Step.holds`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the book is to make of a transition, or of an evaluation without one.

    change : None for CALM
    flapping : whether a raise begins to flap
    holds : of CALM, whether the rule holds at that evaluation
    t_cleared_ms : of CALM, the sample that last completed a clearing; -1 while it holds
    """

    kind: Kind
    rule: str
    series: int
    change: Transition | None = None
    flapping: bool = False
    holds: bool = False
    t_cleared_ms: int = -1
    withdrawn: bool = False


@dataclass(slots=True)
class _Pair:
    """changes : ordinals, rising. calm_at : the evaluation at which it no longer flaps."""

    changes: list[int] = field(default_factory=list)
    flapping: bool = False
    holds: bool = False
    simulated: bool = False
    t_cleared_ms: int = -1
    calm_at: int = 0

    def marks(self) -> tuple[bool, bool, bool, int, int]:
        return self.flapping, self.holds, self.simulated, self.t_cleared_ms, self.calm_at


class Flapping:
    """Which (rule, series) change all the time. Order in is order out."""

    def __init__(self, snapshot: Sequence[Any] = ()) -> None:
        self._pairs: dict[tuple[str, int], _Pair] = {}
        self._flapping: set[tuple[str, int]] = set()
        for rule, series, *state in snapshot:
            pair = _Pair(list(state[0]), *state[1:])
            self._pairs[rule, series] = pair
        self._flapping.update(key for key, pair in self._pairs.items() if pair.flapping)

    def snapshot(self) -> list[list[Any]]:
        return [
            [rule, series, pair.changes.copy(), *pair.marks()]
            for (rule, series), pair in sorted(self._pairs.items())
        ]

    def flapping(self) -> list[tuple[str, int]]:
        """Those that flap, in an order that a restart does not change."""
        return sorted(self._flapping)

    def through(
        self, transitions: Sequence[Transition], evaluations: Callable[[str, int], int]
    ) -> list[Step]:
        """What the book is to do about transitions, in order, and about evaluations since."""
        steps: list[Step] = []
        for change in transitions:
            steps.extend(self._take(change))
        for rule, series in self.flapping():
            if evaluations(rule, series) >= self._pairs[rule, series].calm_at:
                steps.append(self._calm(rule, series))
        return steps

    def forget(self, rule: str, series: int) -> Step | None:
        """Nobody watches the pair any more. What holds in the engine is cleared by that."""
        pair = self._pairs.get((rule, series))
        if pair is None or (pair.flapping and pair.holds):
            return None
        del self._pairs[rule, series]
        if not pair.flapping:
            return None
        self._flapping.remove((rule, series))
        return Step(Kind.CALM, rule, series, t_cleared_ms=pair.t_cleared_ms, withdrawn=True)

    def _take(self, change: Transition) -> list[Step]:
        key = change.rule, change.series
        raised = change.kind is Change.RAISED
        plain = Step(Kind.RAISE if raised else Kind.CLEAR, *key, change)
        if change.cause is not Cause.LEVEL or change.ordinal < 0:
            self._pairs.pop(key, None)
            self._flapping.discard(key)
            return [plain]
        steps: list[Step] = []
        pair = self._pairs.setdefault(key, _Pair())
        if pair.changes and change.ordinal <= pair.changes[-1]:
            pair.changes.clear()  # counted anew, as after the rule was away
            pair.calm_at = change.ordinal - 1
        simulated = bool(change.why & Why.SIMULATED)
        if pair.flapping:
            other = raised and simulated != pair.simulated
            if pair.calm_at < change.ordinal or other:
                steps.append(self._calm(*key))
        pair.changes.append(change.ordinal)
        pair.changes = [one for one in pair.changes if change.ordinal - one < _PAIRS]
        if pair.flapping:
            pair.holds = raised
            pair.t_cleared_ms = -1 if raised else change.t_event_ms
            pair.calm_at = _calm_at(pair.changes)
            return [*steps, Step(Kind.KEEP, *key, change)]
        if raised and score(pair.changes, change.ordinal) >= ENTER:
            pair.flapping = pair.holds = True
            pair.simulated = simulated
            pair.t_cleared_ms = -1
            pair.calm_at = _calm_at(pair.changes)
            self._flapping.add(key)
            return [*steps, Step(Kind.RAISE, *key, change, flapping=True)]
        return [*steps, plain]

    def _calm(self, rule: str, series: int) -> Step:
        pair = self._pairs[rule, series]
        pair.flapping = False
        self._flapping.remove((rule, series))
        return Step(Kind.CALM, rule, series, holds=pair.holds, t_cleared_ms=pair.t_cleared_ms)


def _calm_at(changes: Sequence[int]) -> int:
    """The first evaluation at which the score is low, if nothing changes any more."""
    ordinal = changes[-1] + 1
    while score(changes, ordinal) >= LEAVE:
        ordinal += 1
    return ordinal
