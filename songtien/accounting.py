"""The accounting identity: what was received is stored, a duplicate, rejected, or in flight."""

import threading
from collections import Counter
from dataclasses import dataclass

from songtien.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Counts:
    """All counts of one moment. `in_flight` is summed from what is in hand, not computed."""

    received: int
    stored: int
    duplicate: int
    rejected: dict[str, int]
    in_flight: int
    dead_letters: int
    readings: int
    alert_events: int


class Ledger:
    """Counts of samples in this life of the process, read whole under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_hand: list[Outcome] = []
        self._received = 0
        self._stored = 0
        self._duplicate = 0
        self._rejected: Counter[str] = Counter()
        self._dead_letters = 0
        self._readings = 0
        self._alert_events = 0

    def take(self, outcome: Outcome) -> None:
        """An entry was decoded; its outcome is in hand until it is settled."""
        with self._lock:
            self._received += outcome.received
            self._in_hand.append(outcome)

    def settle(self, outcome: Outcome) -> None:
        """The outcome is committed."""
        with self._lock:
            self._in_hand.remove(outcome)
            self._stored += outcome.stored
            self._duplicate += outcome.duplicate
            self._rejected.update(outcome.rejected)
            self._dead_letters += len(outcome.letters)
            self._readings += len(outcome.rows)
            self._alert_events += len(outcome.events)

    def read(self) -> Counts:
        with self._lock:
            return Counts(
                self._received,
                self._stored,
                self._duplicate,
                dict(self._rejected),
                sum(outcome.received for outcome in self._in_hand),
                self._dead_letters,
                self._readings,
                self._alert_events,
            )
