"""When values over several series can be formed: the instants of a grid of observed time.

A figure that is made from several series (a share of a group, the salt line along a river,
the queue between two cameras) must not depend on which of them happened to come first. So it
is formed at instants k * step of observed time, each once, when nothing that belongs to it
can be expected any more, from samples observed at or before the instant alone.

An instant T of a group is a candidate when a member has a sample in (T - step, T]; stretches
without any sample have no instants, however long they are. It is complete when each member

- has released a sample observed at or after T, or
- is lost, which is more than `LOST_AFTER` of its intervals and the reorder time behind the
  group's newest (or it has never been seen), and the group's newest is more than the reorder
  time after T.

As long as no sample comes more than the reorder time after a newer one of its group, no
sample comes after an instant to which it belongs: any split of a feed into calls and any such
order give the same instants with the same samples before them. One that comes later than
that belongs to later instants alone. (The watermark of Akidau et al., "The Dataflow Model",
VLDB 2015, over event time with idle sources left out.)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ingest.reading import IntArray

LOST_AFTER = 2
"""Expected intervals after which nobody waits for a member of a group."""

NEVER = -1


class Instants:
    """Which instants of its grid are complete, for G groups of series.

    Parameters
    ----------
    members : the series numbers of each group, none empty; a series may be in several groups
    step_ms : the grid of each group
    expected_ms : int64[S], the interval between the samples of each series
    reorder_ms : how much later than a newer sample of its group one may come
    snapshot : of an earlier life; groups are known again by their key
    keys : a name for each group that stays its own when members come and go; left out, its
        members are its name
    """

    def __init__(
        self,
        members: Sequence[IntArray],
        step_ms: Sequence[int],
        expected_ms: IntArray,
        reorder_ms: int,
        snapshot: Mapping[str, Any] | None = None,
        *,
        keys: Sequence[str] | None = None,
    ) -> None:
        assert all(len(each) for each in members), "a group needs a member"
        listed = [np.unique(np.asarray(each, dtype=np.int64)) for each in members]
        self._keys = [_key(each) for each in listed] if keys is None else list(keys)
        self._step_ms: IntArray = np.array(step_ms, dtype=np.int64)
        self._lost_ms: IntArray = LOST_AFTER * expected_ms + reorder_ms
        self._reorder_ms = reorder_ms
        size: IntArray = np.array([len(each) for each in listed], dtype=np.int64)
        self._members: IntArray = np.concatenate([*listed, np.empty(0, dtype=np.int64)])
        self._begin: IntArray = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        self._group_of, self._first = _groups_by_series(self._members, size, len(expected_ms))
        self._newest_ms: IntArray = np.full(len(expected_ms), NEVER, dtype=np.int64)
        self._told_ms: IntArray = np.full(len(listed), NEVER, dtype=np.int64)
        self._group: IntArray = np.empty(0, dtype=np.int64)
        self._at_ms: IntArray = np.empty(0, dtype=np.int64)
        if snapshot is not None:
            self._restore(snapshot)

    def due(self, series: IntArray, t_ms: IntArray) -> list[tuple[int, int]]:
        """Take released samples; gives the instants that are complete now, each told once.

        Parameters
        ----------
        series, t_ms : int64[N], each series rising; series of no group are passed over

        Returns
        -------
        (t_ms, group), sorted
        """
        count = self._first[series + 1] - self._first[series]
        if not count.any():
            return []
        np.maximum.at(self._newest_ms, series, t_ms)
        group = self._group_of[_ranges(self._first[series], count)]
        step_ms = self._step_ms[group]
        at_ms = -(-np.repeat(t_ms, count) // step_ms) * step_ms
        touched = np.unique(group)
        fresh = at_ms > self._told_ms[group]
        self._wait_for(group[fresh], at_ms[fresh])
        until_ms = np.full(len(self._step_ms), NEVER, dtype=np.int64)
        until_ms[touched] = self._complete_until_ms(touched)
        done = self._at_ms <= until_ms[self._group]
        if not done.any():
            return []
        group, at_ms = self._group[done], self._at_ms[done]
        self._group, self._at_ms = self._group[~done], self._at_ms[~done]
        np.maximum.at(self._told_ms, group, at_ms)
        return list(zip(at_ms.tolist(), group.tolist(), strict=True))

    def _wait_for(self, group: IntArray, at_ms: IntArray) -> None:
        """Add candidates; those that wait are kept in order of time and group, each once."""
        if not len(group):
            return
        group = np.concatenate([self._group, group])
        at_ms = np.concatenate([self._at_ms, at_ms])
        order = np.lexsort((group, at_ms))
        group, at_ms = group[order], at_ms[order]
        keep = np.ones(len(group), dtype=np.bool_)
        keep[1:] = (group[1:] != group[:-1]) | (at_ms[1:] != at_ms[:-1])
        self._group, self._at_ms = group[keep], at_ms[keep]

    def _complete_until_ms(self, groups: IntArray) -> IntArray:
        """Up to when each of some groups is complete, int64[K]."""
        begin = self._begin[groups]
        count = self._begin[groups + 1] - begin
        member = self._members[_ranges(begin, count)]
        starts = np.cumsum(count) - count
        newest = self._newest_ms[member]
        ahead = np.repeat(np.maximum.reduceat(newest, starts), count)
        lost = (newest == NEVER) | (ahead - newest > self._lost_ms[member])
        patient = np.maximum(newest, ahead - self._reorder_ms - 1)
        until: IntArray = np.minimum.reduceat(np.where(lost, patient, newest), starts)
        return until

    def snapshot(self) -> dict[str, Any]:
        """All that a restart needs; bounded, since nothing waits longer than for the lost."""
        return {
            "keys": list(self._keys),
            "newest_ms": self._newest_ms.copy(),
            "told_ms": self._told_ms.copy(),
            "group": self._group.copy(),
            "at_ms": self._at_ms.copy(),
        }

    def _restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over what belongs to groups and series that are still there."""
        newest_ms = np.asarray(snapshot["newest_ms"])[: len(self._newest_ms)]
        self._newest_ms[: len(newest_ms)] = newest_ms
        place = {key: at for at, key in enumerate(self._keys)}
        now: IntArray = np.array([place.get(key, -1) for key in snapshot["keys"]], dtype=np.int64)
        kept = now >= 0
        self._told_ms[now[kept]] = np.asarray(snapshot["told_ms"])[kept]
        group = now[np.asarray(snapshot["group"], dtype=np.int64)]
        at_ms = np.asarray(snapshot["at_ms"], dtype=np.int64)
        known = group >= 0
        # With another step an instant would lie off the grid, and be told beside its like.
        known &= at_ms % self._step_ms[group] == 0 if len(self._step_ms) else False
        self._wait_for(group[known], at_ms[known])


def _key(members: IntArray) -> str:
    return ",".join(str(each) for each in members.tolist())


def _groups_by_series(
    members: IntArray, size: IntArray, n_series: int
) -> tuple[IntArray, IntArray]:
    """The groups of each series: those of series s are `group[first[s]:first[s + 1]]`."""
    group = np.repeat(np.arange(len(size), dtype=np.int64), size)
    group = group[np.argsort(members, kind="stable")]
    counts = np.bincount(members, minlength=n_series)
    first: IntArray = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return group, first


def _ranges(begin: IntArray, count: IntArray) -> IntArray:
    """begin[0], begin[0] + 1, …, `count[0]` of them, then the same of the next."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    numbers: IntArray = np.arange(total, dtype=np.int64) + np.repeat(begin - ends + count, count)
    return numbers
