"""The past as it was recorded, in pieces."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from alerts.desk import Desk
from alerts.rulesfile import parse_rules
from ingest.journal import Config
from ingest.reading import Batch, IntArray
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from songtien.news import Parts
from songtien.rewind.scene import Change, Key, Piece, Stretch
from songtien.rewind.wall_file import Segment, WallReader

CONFIGS_KEPT = 4


class Numbers:
    """One numbering of the series for records of several registries; it only grows.

    A service keeps its numbers for ever, so records mostly have it already; those beside the
    store of another service do not.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)
        self._by_key = {key: number for number, key in enumerate(keys)}

    def brought(self, key: Key, stretch: Stretch) -> tuple[Key, Parts, Stretch]:
        """A segment in this numbering, with what was in force."""
        numbers = self._numbers_of(key.keys)
        if numbers is not None:
            key = replace(key, newest=_renumbered(key.newest, numbers))
            stretch = replace(stretch, rows=_renumbered(stretch.rows, numbers))
        return key, _parts_of(key.config, tuple(self._keys)), stretch

    def brought_change(self, change: Change, keys: Sequence[str]) -> Change:
        """The same for a change of a service whose series are `keys`."""
        numbers = self._numbers_of(keys)
        if numbers is None:
            return change
        return replace(change, newest=_renumbered(change.newest, numbers))

    def _numbers_of(self, keys: Sequence[str]) -> IntArray | None:
        if list(keys) == self._keys[: len(keys)]:
            return None
        for name in keys:
            if name not in self._by_key:
                self._by_key[name] = len(self._keys)
                self._keys.append(name)
        return np.array([self._by_key[name] for name in keys], dtype=np.int64)


class Recorded:
    """The record from a segment on.

    `next` gives None where the record does not go further by now; it may be asked again.
    """

    def __init__(self, wall: WallReader, numbers: Numbers, segment: Segment) -> None:
        self._wall = wall
        self._numbers = numbers
        self._segment = segment
        self._read_to: int | None = None

    def next(self) -> Piece | None:
        if self._read_to is None:
            return self._whole(self._segment)
        grown = self._wall.again(self._segment)
        if grown.to_ms > self._read_to:
            return self._more(grown, self._read_to)
        following = self._wall.following(grown)
        if following is None:
            return None
        if following.from_ms > self._read_to:
            gap = Piece(self._read_to, following.from_ms, Stretch.empty())
            self._read_to = following.from_ms  # the next time it is read
            return gap
        # Where no gap was told and all else is as before, its key says nothing new.
        goes_on = following.from_ms == grown.to_ms and following.config == grown.config
        piece = self._whole(following)
        return replace(piece, key=None, parts=None) if goes_on else piece

    def _whole(self, segment: Segment) -> Piece:
        key, parts, stretch = self._numbers.brought(*self._wall.read(segment))
        self._segment, self._read_to = segment, segment.to_ms
        return Piece(segment.from_ms, segment.to_ms, stretch, key, parts)

    def _more(self, grown: Segment, read_to: int) -> Piece:
        """Of a segment that still grew when it was read, what has come since."""
        _, _, stretch = self._numbers.brought(*self._wall.read(grown))
        self._segment, self._read_to = grown, grown.to_ms
        return Piece(read_to, grown.to_ms, stretch.after(read_to))


@lru_cache(maxsize=CONFIGS_KEPT)
def _parts_of(config: Config, keys: tuple[str, ...]) -> Parts:
    """What was in force, of its texts; values, links and the desk come with a key.

    The same object for the same configuration: it is compared by identity, and reading the
    texts takes longer than all else that an opened time needs.
    """
    registry = parse_registry(config.registry, "stations.toml")
    rules = parse_rules(config.rules, "rules.toml", registry)
    return Parts(registry, rules, SeriesTable.of(registry, keys), Batch.empty(), {}, Desk(), config)


def _renumbered(rows: Batch, numbers: IntArray) -> Batch:
    return Batch(numbers[rows.series], rows.t_ms, rows.value, rows.flag, rows.why)
