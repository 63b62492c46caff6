"""A recording through quality control and rules, on the clock of its arrivals: the alert log.

What a service that nobody attends would have said, hearing the same messages at the same times.
Reminders and escalations are left out: they wait for people, and a recording has none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from alerts import records
from alerts.alert import AlertEvent, EventType
from alerts.farmers.notice import Notice
from ingest.journal import Config
from songtien.offline import outcomes_of
from songtien.outcome import Outcome
from songtien.recordings import Piece


@dataclass(slots=True)
class Tally:
    """What a run has taken and given so far. Times are arrivals, ms UTC, -1 before the first."""

    messages: int = 0
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    events: int = 0
    told: int = 0
    historic: int = 0
    first_ms: int = -1
    last_ms: int = -1

    def take(self, outcome: Outcome) -> None:
        self.received += outcome.received
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.rejected.update(outcome.rejected)
        self.events += len(outcome.events)
        for event in outcome.events:
            if event.type is EventType.RAISED:
                self.told += event.told
                self.historic += not event.told


def alert_log(
    arrivals: Iterable[Piece],
    config: Config,
    *,
    root: str,
    tally: Tally | None = None,
    progress: Callable[[Tally], None] | None = None,
    noticed: Callable[[Notice], object] | None = None,
) -> Iterator[AlertEvent]:
    """The alert events of a recording, in order, told and historic.

    arrivals : in pieces, wherever they are cut
    progress : told now and then how far it is
    noticed : told of each notice to farmers, in order; takes longer, since each message is
        then stepped by itself
    Raises ConfigError where registry or rules have faults.
    """
    kept = Tally() if tally is None else tally
    pieces = _counted(arrivals, kept, progress)
    for outcome in outcomes_of(pieces, config, root=root, stepped=noticed is not None):
        kept.take(outcome)
        if noticed is not None:
            for notice in outcome.notices:
                noticed(notice)
        yield from outcome.events


def _counted(
    arrivals: Iterable[Piece], tally: Tally, progress: Callable[[Tally], None] | None
) -> Iterator[Piece]:
    for piece in arrivals:
        if tally.first_ms < 0:
            tally.first_ms = int(piece.at_ms[0])
        tally.messages += len(piece)
        tally.last_ms = int(piece.at_ms[-1])
        yield piece
        if progress is not None:
            progress(tally)


def notice_line(notice: Notice) -> bytes:
    """A notice as a line of JSON."""
    return msgspec.json.encode({"key": notice.key} | notice.stored(), order="sorted") + b"\n"


def line(event: AlertEvent) -> bytes:
    """An event as a line of the log."""
    return records.log_line(
        event.type.value, event.at_ms, event.alert, event.evidence, told=event.told
    )
