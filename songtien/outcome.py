"""What follows from one entry of the journal."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.alert import Acted, AlertEvent
from alerts.desk import Desk
from alerts.entries import EnteredOutcome, Logged
from alerts.farmers.notice import Notice
from ingest.payload import DeviceState
from ingest.reading import Batch
from ingest.store import DeadLetter, LaneRow

Echo = tuple[str, bytes]
"""Topic and payload of what a server said in its daily test, heard back from the broker."""


@dataclass(slots=True, eq=False)
class Outcome:
    """All that follows from one entry; it is committed whole, or not at all.

    rows : readings to store, in order: a later row for the same (series, t) replaces
    newest : newest value of each series that changed, for the screens
    advice : by intake, what is told of it from now on; empty where there is no such intake now
    notices : what farmers are to be told, of places and limits
    formed : whether readings have been formed from several series
    desk : a copy of it, where an officer has entered something, or tried to
    entered : what was taken of it
    reply : to the officer who waits, by his request
    """

    position: int
    at_ms: int
    rows: Batch = field(default_factory=Batch.empty)
    newest: Batch = field(default_factory=Batch.empty)
    intervals: Sequence[LaneRow] = ()
    letters: list[DeadLetter] = field(default_factory=list)
    events: list[AlertEvent] = field(default_factory=list)
    advice: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    links: dict[str, DeviceState | None] = field(default_factory=dict)
    metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    canaries: list[int] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    configured: bool = False
    formed: bool = False
    desk: Desk | None = None
    entered: Logged | None = None
    reply: tuple[str, Acted | EnteredOutcome] | None = None
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
