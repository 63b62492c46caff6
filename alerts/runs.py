"""Runs of samples that prove a change: the holds of all pairs, as columns.

Formula: with y = value (falling rules: -value), a sample breaches if y > raise level and is
calm if y < clear level, both strict. An idle pair is raised by the first breaching sample at
least `for_s` after the first of an unbroken run; a raised one is cleared likewise by calm
samples over `clear_for_s`. Anything else, and a step longer than `hold_gap_s`, breaks the run.
Reference: the hold of Prometheus' `for` and `keep_firing_for`, proved by samples instead of
by a clock; hysteresis as in IEC 62682 (alarm deadband).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any, Final, Self

import numpy as np

from alerts.pairs import LevelPairs
from alerts.transition import Cause, Change, Transition
from ingest.reading import BoolArray, Flag, FlagArray, FloatArray, IntArray, Why, WhyArray

NOT_PENDING: Final = -1

HELD: Final = (
    "active",
    "simulated",
    "pending_ms",
    "last_ms",
    "samples",
    "worst",
    "why",
    "first_value",
)
"""The columns of state that outlive a restart or a new configuration."""

# Looking a member of an enumeration up costs as much as comparing a thousand values.
_PASS = np.uint8(Flag.PASS)
_SUSPECT = np.uint8(Flag.SUSPECT)
_SIMULATED = np.uint16(Why.SIMULATED)


@dataclass(frozen=True, slots=True)
class Evaluations:
    """N pairs, each at most once, with what is held against their levels.

    row : int64[N], what it came from: the order of transitions
    y : float64[N], what is compared, times the pair's sign; never NaN
    told : float64[N], `value` of a transition; reading : float64[N], NaN for none
    flag : uint8[N], the worst of what `y` rests on; own_flag : that of the sample itself
    """

    pair: IntArray
    row: IntArray
    t_ms: IntArray
    y: FloatArray
    told: FloatArray
    flag: FlagArray
    own_flag: FlagArray
    why: WhyArray
    reading: FloatArray
    ordinal: IntArray

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, index: BoolArray | IntArray) -> Self:
        return type(self)(*(getattr(self, f.name)[index] for f in fields(self)))

    @classmethod
    def concat(cls, parts: "list[Self]") -> Self:
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls))
        )


class Runs:
    """State of P pairs.

    active, simulated : bool[P]; any_simulated : False means that none is
    pending_ms : int64[P], the first sample of the run under way, NOT_PENDING if there is none
    last_ms, samples, worst, why, first_value : of that run
    """

    def __init__(self, pairs: LevelPairs) -> None:
        self.pairs = pairs
        count = len(pairs)
        self._permits = bool(pairs.permit.any())
        self.any_simulated = False
        self.active: BoolArray = np.zeros(count, dtype=np.bool_)
        self.simulated: BoolArray = np.zeros(count, dtype=np.bool_)
        self.pending_ms: IntArray = np.full(count, NOT_PENDING, dtype=np.int64)
        self.last_ms: IntArray = np.zeros(count, dtype=np.int64)
        self.samples: IntArray = np.zeros(count, dtype=np.int64)
        self.worst: FlagArray = np.zeros(count, dtype=np.uint8)
        self.why: WhyArray = np.zeros(count, dtype=np.uint16)
        self.first_value: FloatArray = np.zeros(count)

    def touch(self, seen: Evaluations) -> IntArray:
        """Move the runs of pairs; gives the places in `seen` of those that changed."""
        pairs, pair, t_ms, flag = self.pairs, seen.pair, seen.t_ms, seen.flag
        active = self.active[pair]
        breach, calm = seen.y > pairs.raise_level[pair], seen.y < pairs.clear_level[pair]
        if self._permits:
            permit = pairs.permit[pair]
            breach &= ~permit | (flag == _PASS)
            calm &= permit | (flag < _SUSPECT)
        else:
            calm &= flag < _SUSPECT
        proves = np.where(active, calm, breach)
        pending_ms = self.pending_ms[pair]
        fresh = (pending_ms == NOT_PENDING) | (t_ms - self.last_ms[pair] > pairs.gap_ms[pair])
        since_ms = np.where(fresh, t_ms, pending_ms)
        hold_ms = np.where(active, pairs.clear_for_ms[pair], pairs.for_ms[pair])
        done = proves & (t_ms - since_ms >= hold_ms)

        self.last_ms[pair] = t_ms
        self.samples[pair] = np.where(fresh, 1, self.samples[pair] + 1)
        self.worst[pair] = np.where(fresh, flag, np.maximum(self.worst[pair], flag))
        self.why[pair] = np.where(fresh, seen.why, self.why[pair] | seen.why)
        self.first_value[pair] = np.where(fresh, seen.told, self.first_value[pair])
        self.pending_ms[pair] = np.where(proves, since_ms, NOT_PENDING)
        return np.flatnonzero(done)

    def turn(self, pair: IntArray) -> IntArray:
        """Change the state of pairs whose run is complete; gives when each run began."""
        since_ms = self.pending_ms[pair]
        self.pending_ms[pair] = NOT_PENDING
        # A raise is simulated if any sample of its hold was.
        simulated = ~self.active[pair] & ((self.why[pair] & _SIMULATED) != 0)
        self.simulated[pair] = simulated
        self.any_simulated |= bool(simulated.any())
        self.active[pair] = ~self.active[pair]
        return since_ms

    def drop(self, pair: IntArray) -> None:
        """Back to rest, with nothing to tell."""
        self.active[pair] = self.simulated[pair] = False
        self.pending_ms[pair] = NOT_PENDING

    def told(self, seen: Evaluations, since_ms: IntArray) -> list[Transition]:
        """The transitions of pairs that have turned, in their order."""
        pairs, pair = self.pairs, seen.pair
        raised = self.active[pair]
        limit = np.where(raised, pairs.raise_told[pair], pairs.clear_told[pair]) + 0.0
        keys, count = pairs.keys, len(pair)
        # By position, in the order of the fields: there may be thousands of them.
        columns: tuple[Iterable[Any], ...] = (
            [Change.RAISED if up else Change.CLEARED for up in raised.tolist()],
            [keys[at][0] for at in pair.tolist()],
            pairs.series[pair].tolist(),
            since_ms.tolist(),
            seen.t_ms.tolist(),
            (seen.told + 0.0).tolist(),
            seen.own_flag.tolist(),
            _or_none(limit),
            repeat(-1, count),
            repeat(Cause.LEVEL, count),
            self.worst[pair].tolist(),
            self.why[pair].tolist(),
            self.samples[pair].tolist(),
            (self.first_value[pair] + 0.0).tolist(),
            _or_none(seen.reading),
            seen.ordinal.tolist(),
        )
        return list(map(Transition, *columns))

    def copy_from(self, old: dict[str, Any], old_at: IntArray, new_at: IntArray) -> None:
        """Carry the state of pairs over; `old` has the columns `HELD`."""
        for name in HELD:
            getattr(self, name)[new_at] = np.asarray(old[name])[old_at]
        self.any_simulated = bool(self.simulated.any())

    def columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in HELD}


def _or_none(values: FloatArray) -> list[float | None]:
    found: list[float | None] = values.tolist()
    if np.isnan(values).any():
        found = [None if value != value else value for value in found]  # noqa: PLR0124 - NaN
    return found
