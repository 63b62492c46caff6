"""What the screens are shown: everything at one moment, and one change after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alerts.desk import Desk
from api.live.parts import LinkState
from ingest.journal import Config
from ingest.reading import Batch, IntArray
from songtien.news import Parts, Pictures

Event = tuple[int, Mapping[str, Any]]
"""The position of an alert event, and the event as the hub takes it."""

NO_PICTURES = Pictures({"mouths": {}, "stations": {}}, {"bridges": []}, {})


@dataclass(frozen=True, slots=True)
class Change:
    """What is shown from now on; what is left out stays as it was.

    newest : the newest value of each series that changed
    links : by device of the registry's series; None forgets one
    events : told alert events, positions rising
    """

    newest: Batch = field(default_factory=Batch.empty)
    links: Mapping[str, LinkState | None] = field(default_factory=dict)
    events: Sequence[Event] = ()
    desk: Desk | None = None
    parts: Parts | None = None
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """All that is shown at a moment.

    keys : of the series, by their numbers in `newest`
    newest : of each series that has a value
    alerts, position : the active ones, whole, and the position of the last told event
    desk : a snapshot of it
    """

    at_ms: int
    config: Config
    keys: Sequence[str]
    newest: Batch
    links: Mapping[str, LinkState]
    alerts: Sequence[Mapping[str, Any]]
    position: int
    desk: Mapping[str, Any]
    pictures: Pictures


@dataclass(frozen=True, slots=True)
class Stretch:
    """What changed between two moments, each at its time.

    at_ms : int64[N], rising: when each row of `rows` was shown
    others : (at_ms, change) of all that is no value, by rising time
    """

    at_ms: IntArray
    rows: Batch
    others: Sequence[tuple[int, Change]] = ()

    @classmethod
    def empty(cls) -> "Stretch":
        return cls(np.zeros(0, dtype=np.int64), Batch.empty())

    def after(self, at_ms: int) -> "Stretch":
        """The part of it later than a time."""
        first = int(np.searchsorted(self.at_ms, at_ms, side="right"))
        index = np.arange(first, len(self.at_ms))
        later = [each for each in self.others if each[0] > at_ms]
        return Stretch(self.at_ms[first:], self.rows.take(index), later)


@dataclass(frozen=True, slots=True)
class Piece:
    """The past in (from_ms, to_ms], told from its beginning.

    key : everything as it was at `from_ms`; None where it goes on from the piece before
    parts : what was in force, with the key
    """

    from_ms: int
    to_ms: int
    stretch: Stretch
    key: Key | None = None
    parts: Parts | None = None
