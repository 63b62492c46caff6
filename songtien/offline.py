"""A feed through quality control and rules without a broker: messages in, alerts out.

The same processor as the service's, on a virtual clock: the arrival times that stand beside
the messages. Nothing is written to disk, no clock is read, so the same feed gives the same
alerts on every run, and the same value alerts as the service that heard it.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from alerts.alert import AlertEvent
from ingest.journal import Config, Entry, Messages
from ingest.remembered import Remembered
from songtien.outcome import Outcome
from songtien.processor import Processor

Arrival = tuple[int, str, bytes]
"""(arrival in ms UTC, topic, payload); arrivals never fall."""


class Offline:
    """A processor with a memory, which tells it what it has seen before.

    Parameters
    ----------
    config : registry and rules in force. Raises `ConfigError` if they have faults
    root : of the topics
    begun_ms : when the feed begins; a device that is never heard is missed from here on
    """

    def __init__(self, config: Config, root: str, begun_ms: int) -> None:
        self._remembered = Remembered()
        # Nobody is there who could answer: reminders would go on for a season.
        self._processor = Processor(self._remembered, root, reminding=False)
        self._position = 0
        self.step(begun_ms, config)

    def step(self, at_ms: int, entry: Entry) -> Outcome:
        """What follows from an entry that came at `at_ms`, with all that fell due before it."""
        self._position += 1
        outcome = self._processor.step(self._position, at_ms, entry)
        self._remembered.put_readings(outcome.rows)
        self._remembered.put_lane_intervals(outcome.intervals)
        return outcome


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
