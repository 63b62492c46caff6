"""No data: series that owe a sample, by the registry's intervals and the service's clock.

What it detects: nothing observed for `no_data`, or nothing ever since the registration.
Formula: due = newest observed t (never seen: time of registration) + the rule's time; a device
that announced its sleep is not due before it wakes. It cleans up after itself: data that are
young again clear the alert, a backlog that is still too old does not.
"""

from typing import Any

import numpy as np

from alerts.pairs import SilencePairs, carried
from alerts.rules import RuleSet
from alerts.transition import Cause, Change, Transition
from ingest.reading import BoolArray, Flag, IntArray

NEVER = -1
FAR_MS = np.iinfo(np.int64).max


class Silence:
    """State of Q pairs.

    active : bool[Q]
    since_ms : int64[Q], the newest observed time when it was raised, NEVER if none
    """

    def __init__(self, rules: RuleSet, pairs: SilencePairs) -> None:
        self.rules = rules
        self.pairs = pairs
        self.active: BoolArray = np.zeros(len(pairs), dtype=np.bool_)
        self.since_ms: IntArray = np.full(len(pairs), NEVER, dtype=np.int64)

    def due_ms(self, newest_ms: IntArray, registered_ms: IntArray, asleep_ms: IntArray) -> IntArray:
        """When each pair is overdue, int64[Q]; FAR_MS for what nobody expects yet.

        Nobody is overdue before he could have been heard for so long: a device that is new
        here may begin with what it measured days ago.
        """
        pairs = self.pairs
        newest = newest_ms[pairs.series]
        never = newest < 0
        start = np.maximum(newest, registered_ms[pairs.series])
        due = start + np.where(never, pairs.never_ms, pairs.silent_ms)
        asleep = asleep_ms[pairs.series]
        due = np.where(asleep > 0, np.maximum(due, asleep + pairs.wake_ms), due)
        due[never & ~pairs.announced] = FAR_MS
        return due

    def advance(
        self,
        now_ms: int,
        newest_ms: IntArray,
        registered_ms: IntArray,
        asleep_ms: IntArray,
    ) -> list[Transition]:
        due = self.due_ms(newest_ms, registered_ms, asleep_ms)
        newest = newest_ms[self.pairs.series]
        back = self.active & (newest != self.since_ms) & (due > now_ms)
        lost = ~self.active & (due <= now_ms)
        if not (back.any() or lost.any()):
            return []
        self.active = (self.active | lost) & ~back
        self.since_ms = np.where(lost, newest, self.since_ms)
        told = [self._lost(int(q), int(due[q]), registered_ms) for q in np.flatnonzero(lost)]
        told.extend(self._back(int(q), int(newest[q]), now_ms) for q in np.flatnonzero(back))
        return told

    def next_due_ms(
        self, newest_ms: IntArray, registered_ms: IntArray, asleep_ms: IntArray
    ) -> int | None:
        """The earliest time at which `advance` would raise something, None if never."""
        due = self.due_ms(newest_ms, registered_ms, asleep_ms)[~self.active]
        earliest = int(due.min()) if len(due) else FAR_MS
        return None if earliest == FAR_MS else earliest

    def _lost(self, q: int, due_ms: int, registered_ms: IntArray) -> Transition:
        series = int(self.pairs.series[q])
        never = bool(self.since_ms[q] < 0)
        waited_ms = self.pairs.never_ms[q] if never else self.pairs.silent_ms[q]
        return Transition(
            kind=Change.RAISED,
            rule=self.rules.rules[self.pairs.rule[q]].id,
            series=series,
            t_since_ms=int(registered_ms[series] if never else self.since_ms[q]),
            t_event_ms=due_ms,
            value=None,
            flag=int(Flag.MISSING),
            limit=float(waited_ms) / 1000,
            at_ms=due_ms,
            cause=Cause.NEVER_SEEN if never else Cause.NO_DATA,
            worst_flag=int(Flag.MISSING),
            why=0,
            samples=0,
            first_value=None,
            reading=None,
        )

    def _back(self, q: int, newest_ms: int, now_ms: int) -> Transition:
        return ended(
            self.rules.rules[self.pairs.rule[q]].id,
            int(self.pairs.series[q]),
            t_event_ms=newest_ms,
            at_ms=now_ms,
            cause=Cause.DATA_BACK,
        )

    def carry(self, old: "Silence") -> list[tuple[str, int]]:
        """Take over the state of pairs that stay; gives (rule, series) of raised ones that end."""
        old_at, new_at = carried(old.pairs.keys, self.pairs.keys)
        self.active[new_at] = old.active[old_at]
        self.since_ms[new_at] = old.since_ms[old_at]
        stays = set(old_at.tolist())
        return [
            (old.pairs.keys[q][0], old.pairs.keys[q][2])
            for q in np.flatnonzero(old.active).tolist()
            if q not in stays
        ]

    def snapshot(self) -> dict[str, Any]:
        held = np.flatnonzero(self.active)
        return {
            "keys": [list(self.pairs.keys[q]) for q in held],
            "since_ms": self.since_ms[held],
        }

    def restore(self, snapshot: dict[str, Any]) -> list[tuple[str, int]]:
        """The counterpart; gives (rule, series) of raised pairs that are watched no more."""
        place = {key: at for at, key in enumerate(self.pairs.keys)}
        gone = []
        for (rule, ask, series), since in zip(
            snapshot["keys"], snapshot["since_ms"].tolist(), strict=True
        ):
            at = place.get((rule, ask, series))
            if at is None:
                gone.append((rule, series))
            else:
                self.active[at] = True
                self.since_ms[at] = since
        return gone


def ended(rule: str, series: int, *, t_event_ms: int, at_ms: int, cause: Cause) -> Transition:
    """A clearing that no sample's value has proved."""
    return Transition(
        kind=Change.CLEARED,
        rule=rule,
        series=series,
        t_since_ms=t_event_ms,
        t_event_ms=t_event_ms,
        value=None,
        flag=int(Flag.MISSING),
        limit=None,
        at_ms=at_ms,
        cause=cause,
        worst_flag=int(Flag.MISSING),
        why=0,
        samples=0,
        first_value=None,
        reading=None,
    )
