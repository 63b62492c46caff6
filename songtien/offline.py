"""A feed through quality control and rules without a broker: messages in, alerts out.

The same processor as the service's, on a virtual clock: the arrival times that stand beside
the messages. Nothing is written to disk, no clock is read, so the same feed gives the same
alerts on every run, and the same value alerts as the service that heard it.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np

from alerts.alert import AlertEvent
from ingest.journal import Config, Entry, Messages
from ingest.remembered import Remembered
from songtien.defects import Defects
from songtien.outcome import Outcome
from songtien.recordings import Piece
from songtien.stretch import Stretching

Arrival = tuple[int, str, bytes]
"""(arrival in ms UTC, topic, payload); arrivals never fall."""


class Offline:
    """A processor with a memory, which tells it what it has seen before.

    Parameters
    ----------
    config : registry and rules in force. Raises `ConfigError` if they have faults
    root : of the topics
    begun_ms : when the feed begins; a device that is never heard is missed from here on
    stepped : every entry by itself, also where many could be taken together for their alerts
    """

    def __init__(self, config: Config, root: str, begun_ms: int, *, stepped: bool = False) -> None:
        self._stepped = stepped
        self._remembered = Remembered()
        self._defects = Defects()
        # Nobody is there who could answer: reminders would go on for a season.
        self._processor = Stretching(self._remembered, root)
        self._position = 0
        self.step(begun_ms, config)
        self._processor.prepare()

    def step(self, at_ms: int, entry: Entry) -> Outcome:
        """What follows from an entry that came at `at_ms`, with all that fell due before it."""
        self._position += 1
        outcome = self._processor.step(self._position, at_ms, entry)
        self._defects.take(self._processor.overdue)
        self._remembered.put_readings(outcome.rows)
        self._remembered.put_lane_intervals(outcome.intervals)
        return outcome

    def take(self, piece: Piece) -> Iterator[Outcome]:
        """What follows from many entries, each all that came at one time; `step` one by one
        gives the same alerts. What a whole stretch of them gives comes as one outcome, without
        its readings.
        """
        processor, at = self._processor, 0
        together = processor.possible and not self._stepped
        samples = processor.samples(piece) if together else None
        while at < len(piece):
            if samples is not None:
                taken = processor.stretch(self._position + 1, samples, at)
                if taken is not None:
                    self._position += 1
                    at += taken[0]
                    self._defects.take(processor.overdue)
                    yield taken[1]
                    continue
            end = int(np.searchsorted(piece.at_ms, piece.at_ms[at], side="right"))
            part = piece.cut(at, end)
            yield self.step(int(part.at_ms[0]), Messages(part.topics, part.payloads))
            at = end


def outcomes_of(
    pieces: Iterable[Piece], config: Config, *, root: str, stepped: bool = False
) -> Iterator[Outcome]:
    """The outcomes of a recording, however it is cut into pieces; many entries at a time.

    What a device that is never heard is missed from is the first arrival.
    stepped : each entry by itself: what many give together has no notices
    """
    offline: Offline | None = None
    for piece in _whole_entries(pieces):
        if offline is None:
            offline = Offline(config, root, int(piece.at_ms[0]), stepped=stepped)
        yield from offline.take(piece)


def _whole_entries(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Cut anew, so that what came at one time is in one piece."""
    rest: Piece | None = None
    for piece in pieces:
        if not len(piece):
            continue
        whole = piece if rest is None else rest.then(piece)
        last = int(np.searchsorted(whole.at_ms, whole.at_ms[-1]))
        rest = whole.cut(last, len(whole))
        if last:
            yield whole.cut(0, last)
    if rest is not None:
        yield rest


def outcomes(
    arrivals: Iterable[Arrival], config: Config, *, root: str, begun_ms: int | None = None
) -> Iterator[Outcome]:
    """The outcome of each moment of arrival, in order; what came together is taken together.

    begun_ms : by default the first arrival. Time ends with the last arrival: what would fall
        due later is not told
    """
    offline: Offline | None = None
    for at_ms, together in groupby(arrivals, key=itemgetter(0)):
        if offline is None:
            offline = Offline(config, root, at_ms if begun_ms is None else begun_ms)
        _, topics, payloads = zip(*together, strict=True)
        yield offline.step(at_ms, Messages(list(topics), list(payloads)))


def alert_events(
    arrivals: Iterable[Arrival], config: Config, *, root: str, begun_ms: int | None = None
) -> Iterator[AlertEvent]:
    """Every alert raised and cleared, in order, told or historic; parameters as `outcomes`."""
    for outcome in outcomes(arrivals, config, root=root, begun_ms=begun_ms):
        yield from outcome.events
