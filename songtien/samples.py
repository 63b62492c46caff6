"""Samples of a stretch of a recording in columns, its entries, and time as it goes through them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.probes import ProbeRun
from ingest.reading import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Samples:
    """A piece of a recording, N messages in order, as far as they are a probe's one sample.

    entry : int64[N], the first message of each message's entry
    device : int64[N], place in `devices`; plain : bool[N], whether the rest can be relied on
    """

    at_ms: IntArray
    entry: IntArray
    plain: BoolArray
    device: IntArray
    boot: IntArray
    seq: IntArray
    run: ProbeRun

    def __len__(self) -> int:
        return len(self.at_ms)

    def cut(self, begin: int, end: int) -> "Samples":
        part = slice(begin, end)
        return Samples(
            self.at_ms[part],
            self.entry[part] - begin,
            self.plain[part],
            self.device[part],
            self.boot[part],
            self.seq[part],
            self.run.cut(begin, end),
        )


class Entries:
    """Which entries of a stretch are to be looked at, one after the other."""

    def __init__(self, part: Samples, begin: int, end: int, changes: Sequence[int]) -> None:
        self._part, self._end, self._changes = part, end, changes
        self._entry = part.entry[begin:end]
        self._of_stream: dict[int, IntArray] = {}

    def after(self, at: int, stirring: IntArray | None) -> int:
        """The next entry behind `at` with a change, or of a stream that stirs."""
        if stirring is None:
            place = int(np.searchsorted(self._entry, at, side="right"))
            return int(self._entry[place]) if place < len(self._entry) else self._end
        place = bisect_right(self._changes, at)
        found = self._changes[place] if place < len(self._changes) else self._end
        for stream in stirring.tolist():
            entries = self._of_stream.get(stream)
            if entries is None:
                here = self._part.run.stream[self._end - len(self._entry) : self._end]
                entries = self._of_stream[stream] = self._entry[here == stream]
            place = int(np.searchsorted(entries, at, side="right"))
            if place < len(entries):
                found = min(found, int(entries[place]))
        return found


class NewestTimes:
    """A column of newest times as of a message, brought forward with it."""

    def __init__(
        self, column: IntArray, part: Samples, series: IntArray, t_ms: IntArray, sample: IntArray
    ) -> None:
        self._column = column
        self._series, self._t_ms = series, t_ms
        self._first = np.searchsorted(sample, np.arange(len(part) + 1)).tolist()

    def bring(self, since: int, upto: int) -> None:
        """Take the rows of the messages in [since, upto)."""
        begin, end = self._first[since], self._first[upto]
        # In order of time: of one series the last stands.
        self._column[self._series[begin:end]] = self._t_ms[begin:end]


class Clock:
    """Newest times as of an entry, brought forward with it."""

    def __init__(self, columns: Sequence[NewestTimes]) -> None:
        self._columns = columns
        self.at = 0

    def upto(self, message: int) -> None:
        """As if the messages before this one had been taken, and no other."""
        if message > self.at:
            for column in self._columns:
                column.bring(self.at, message)
            self.at = message


def entry_end(samples: Samples, at: int) -> int:
    """The end of the entry that holds the message before `at`."""
    if at >= len(samples):
        return len(samples)
    return int(np.searchsorted(samples.at_ms, samples.at_ms[at - 1], side="right"))


def rank_of(key: IntArray) -> IntArray:
    """How many of the same stand before each."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    n = np.arange(len(key))
    begin = np.maximum.accumulate(
        np.where(np.r_[True, ordered[1:] != ordered[:-1]][: len(key)], n, 0)
    )
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = n - begin
    return rank


def previous_of(key: IntArray) -> IntArray:
    """The place before each at which the same stands, -1 for none."""
    order = np.argsort(key, kind="stable")
    same = np.r_[False, key[order][1:] == key[order][:-1]][: len(key)]
    found = np.full(len(key), -1, dtype=np.int64)
    found[order[same]] = order[np.flatnonzero(same) - 1]
    return found


def round_bounds(part: Samples) -> IntArray:
    """Where rounds begin behind the first: whole entries, no stream twice in a round."""
    latest = np.maximum.accumulate(previous_of(part.run.stream))
    bounds: list[int] = []
    begin = 0
    while True:
        at = int(np.searchsorted(latest, begin))
        if at >= len(part):
            return np.array(bounds, dtype=np.int64)
        begin = int(part.entry[at])
        bounds.append(begin)
