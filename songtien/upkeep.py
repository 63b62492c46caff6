"""What store and journal need now and then, on the thread of their one writer.

Each chore raises sqlite3.OperationalError where the disk refuses, and is due again later.
"""

import time
from collections.abc import Callable, Sequence

from alerts.farmers import outbox
from ingest.journal import Journal
from ingest.store import DeadLetter, Store

FORGET_EVERY_S = 60.0
FORGET_AT_ONCE = 5_000
SETTLE_EVERY_S = 1.0
ROLL_UP_EVERY_S = 30.0
"""Hours are summed up when it is quiet, and not with each reading: until then those that ask
for them have them from the readings."""

ROLL_UP_AT_ONCE = 5_000
"""Changed readings whose hours are summed up in one go: new readings wait for it."""

DAY_MS = 86_400_000

Settled = tuple[int, Sequence[DeadLetter]]
"""How far in the log of changes the historian is, and what it has refused since the last time."""


class Upkeep:
    """The chores, each at its pace.

    Parameters
    ----------
    journal_days, window_days : how long entries and readings are kept
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        *,
        clock_ms: Callable[[], int],
        journal_days: float,
        window_days: float,
    ) -> None:
        self._journal = journal
        self._store = store
        self._clock_ms = clock_ms
        self.journal_ms = round(journal_days * DAY_MS)
        self.window_ms = round(window_days * DAY_MS)
        self.forget_due = time.monotonic() + FORGET_EVERY_S
        self._settle_due = self._roll_up_due = 0.0
        self._settled: Callable[[], Settled] | None = None
        self._letters: list[DeadLetter] = []

    def follow(self, settled: Callable[[], Settled]) -> None:
        """Commit, from now on, how far the historian is."""
        self._settled = settled

    def tend(self, position: int, checkpointed: int, *, busy: bool) -> None:
        """Do what is due, and leave for later what can wait while there are entries."""
        now = time.monotonic()
        if now >= self.forget_due:
            self.forget_due = now + FORGET_EVERY_S
            self.forget(position, checkpointed)
        if now >= self._settle_due:
            self._settle_due = now + SETTLE_EVERY_S
            self.settle()
        if now >= self._roll_up_due and not busy:
            self._roll_up_due = now + ROLL_UP_EVERY_S
            if self._store.roll_up(ROLL_UP_AT_ONCE):
                self._roll_up_due = 0.0

    def forget(self, position: int, checkpointed: int) -> None:
        """Let go of the old, a little at a time, so that nothing new waits.

        position, checkpointed : of the journal; what is stored, and what a checkpoint covers
        """
        now_ms = self._clock_ms()
        more = self._journal.trim(up_to=checkpointed, older_than_ms=now_ms - self.journal_ms)
        self._store.mark_hour(now_ms, position)
        border_ms = now_ms - self.window_ms
        came_by = self._store.position_at(border_ms)
        more += self._store.forget_before(border_ms, came_by, FORGET_AT_ONCE)
        with self._store.transaction() as connection:
            more += outbox.forget_before(connection, now_ms - outbox.KEPT_MS, FORGET_AT_ONCE)
        if more:
            self.forget_due = time.monotonic() + 1.0

    def settle(self) -> None:
        """Commit how far the historian is, with what it has refused."""
        if self._settled is None:
            return
        position, letters = self._settled()
        self._letters.extend(letters)
        if position > self._store.drained or self._letters:
            self._store.set_drained(position, self._letters)
        self._letters.clear()
