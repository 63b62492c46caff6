"""The processor's thread: entries out of the journal, outcomes into the store, news onward.

It goes on from the newest checkpoint. Entries up to the store's own position have been
committed in an earlier life: they are stepped again for the state they leave, and nothing
of them is written or told a second time.
"""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from alerts import entry_log, records
from alerts.farmers import outbox as farmers
from alerts.farmers.notice import Notice
from ingest.journal import Entry, Journal, Tick
from ingest.snapshot import pack, unpack
from ingest.store import Store
from songtien.accounting import Ledger
from songtien.defects import Defects
from songtien.news import News, Parts, Pictures
from songtien.outcome import Outcome
from songtien.processor import Processor, StateError
from songtien.upkeep import Upkeep

log = logging.getLogger(__name__)

READ_AHEAD = 16
ROWS_TOGETHER = 30_000
"""Entries that wait are committed together until they give so much to store: 0.2 s of work."""

CHECKPOINT_EVERY_S = 60.0
CHECKPOINT_EVERY_ENTRIES = 20_000
PICTURES_EVERY_MS = 10_000
"""Readings in a picture age by themselves, so it is drawn anew from time to time."""

TICK_APART_S = 0.2
IDLE_S = 0.5
RETRY_S = 1.0
FINISH_WITHIN_S = 3.0
"""Told to stop, what waits in the journal is taken for so long; the next life takes the rest."""


class Pipeline:
    """Steps entries and commits what follows.

    Parameters
    ----------
    audience : who hears of a notice; asked on this thread, within the transaction
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        *,
        root: str,
        clock_ms: Callable[[], int],
        journal_days: float,
        window_days: float,
        audience: Callable[[Notice], Sequence[farmers.Follower]] = lambda _: (),
    ) -> None:
        self.ledger = Ledger()
        self.defects = Defects()
        self._audience = audience
        self._journal = journal
        self._store = store
        self._clock_ms = clock_ms
        self.upkeep = Upkeep(
            journal,
            store,
            clock_ms=clock_ms,
            journal_days=journal_days,
            window_days=window_days,
        )
        self.trouble: str | None = None
        self._wake = threading.Event()
        self._told = threading.Condition()
        self._told_to = 0
        self._stop = threading.Event()
        self._stop_at = math.inf
        store.prepare(records.create)
        store.prepare(farmers.create)
        store.prepare(partial(entry_log.create, now_ms=clock_ms()))
        store.begun(clock_ms())
        self.processor, self.position = self._begin(root)
        self._checkpointed = self.position
        self._checkpoint_due = time.monotonic() + CHECKPOINT_EVERY_S
        self._tick_after = 0.0
        self._positions: dict[int, list[int]] = {}
        self._pictures_due_ms = 0

    def _begin(self, root: str) -> tuple[Processor, int]:
        """From the checkpoint; from the journal's beginning where there is none we can read."""
        found = self._store.checkpoint()
        if found is None:
            return Processor(self._store, root), 0
        position, body = found
        try:
            return Processor(self._store, root, unpack(body)), position
        except StateError as error:
            if self._journal.first_position != 1:
                raise StateError(
                    f"{error}, and the journal no longer reaches back to its beginning: "
                    "start this data directory once more with the version that wrote it"
                ) from error
            log.warning("checkpoint of another version, stepping the whole journal again")
            return Processor(self._store, root), 0

    @property
    def busy(self) -> bool:
        """Whether entries wait."""
        return self._journal.last_position > self.position

    def catch_up(self) -> int:
        """Step what an earlier life has committed; returns how many entries that was."""
        committed = self._store.position
        if self._journal.last_position < committed:
            # Also with nothing to step: what is appended from now on would never be read.
            raise JournalGapError(self._journal.last_position, committed)
        begun = self.position
        for position, at_ms, entry in self._journal.all_after(begun):
            if position != self.position + 1:
                raise JournalGapError(self.position, committed)
            if position > committed:
                break
            self.processor.step(position, at_ms, entry)
            self.position = position
        return self.position - begun

    def wake(self) -> None:
        """There is something in the journal."""
        self._wake.set()

    def wait_told(self, position: int, within_s: float) -> bool:
        """Wait until all that follows from the entries up to a position has been told."""
        with self._told:
            return self._told.wait_for(lambda: self._told_to >= position, within_s)

    def stop(self, within_s: float = FINISH_WITHIN_S) -> None:
        """Take what stands in the journal, write a checkpoint, end.

        Begins no further entry after `within_s`: a backlog of minutes is as safe in the
        journal, and whoever waits for the end would lose patience and kill.
        """
        self._stop_at = time.monotonic() + within_s
        self._stop.set()
        self._wake.set()

    def run(self, tell: Callable[[News], None]) -> None:
        self._told_to = self.position  # what stands there was loaded, not told
        while True:
            late = time.monotonic() >= self._stop_at
            entries = [] if late else self._journal.after(self.position, READ_AHEAD)
            if entries:
                for news in self.commit(entries):
                    tell(news)
                with self._told:
                    self._told_to = self.position
                    self._told.notify_all()
                self._keep_house()
                continue
            if self._stop.is_set():
                self._checkpoint()
                self._guarded(self.upkeep.settle)
                return
            if self._tick():
                continue
            self._keep_house()
            self._wait()

    def commit(self, entries: Sequence[tuple[int, int, Entry]]) -> list[News]:
        """Step entries and store all that follows from them in one transaction.

        When it is quiet there is one. Under load a series has readings in several, and what
        SQLite writes are whole pages, one for each series: together they cost little more
        than one does. May leave some for the next time; the position tells.
        """
        outcomes: list[Outcome] = []
        rows = 0
        try:
            for position, at_ms, entry in entries:
                # It sees what the entries before it have written in this transaction.
                outcome = self.processor.step(position, at_ms, entry)
                self.ledger.take(outcome)
                outcomes.append(outcome)
                self._insist(partial(self._put_last, outcomes))
                rows += len(outcome.rows) + len(outcome.letters)
                late = time.monotonic() >= self._stop_at
                if rows >= ROWS_TOGETHER or outcome.configured or late:
                    break
            self._insist(partial(self._finish, outcomes))
        except BaseException:
            self._store.rollback()
            raise
        self.position = outcomes[-1].position
        self.defects.take(self.processor.overdue)
        for outcome in outcomes:
            self.ledger.settle(outcome)
        return self._news(outcomes)

    def _news(self, outcomes: Sequence[Outcome]) -> list[News]:
        """A configuration and acks stand with the last: they hold once all is committed."""
        last = outcomes[-1]
        devices = set[str]().union(*(outcome.devices for outcome in outcomes))
        acks = {device: self.processor.sequencer.ack(device) for device in devices}
        settled = {device: ack for device, ack in acks.items() if ack is not None}
        formed = any(
            each.formed or each.advice or each.notices or each.desk is not None for each in outcomes
        )
        pictures = self.pictures() if formed or last.at_ms >= self._pictures_due_ms else None
        return [
            News(
                outcome,
                self._positions.pop(outcome.position),
                settled if outcome is last else {},
                self.parts() if outcome.configured else None,
                pictures if outcome is last else None,
            )
            for outcome in outcomes
        ]

    def parts(self) -> Parts:
        """On the processor's thread, or before it runs."""
        return Parts.of(self.processor)

    def pictures(self) -> Pictures:
        """On the processor's thread, or before it runs."""
        self._pictures_due_ms = self.processor.now_ms + PICTURES_EVERY_MS
        return Pictures.of(self.processor)

    def _insist(self, work: Callable[[], None]) -> None:
        """Do it, however long a full disk takes: the state has moved and can't go back."""
        while True:
            try:
                work()
            except sqlite3.OperationalError as error:
                self._store.rollback()
                self._troubled(error)
                if self._stop.wait(RETRY_S):
                    raise
                continue
            self._recovered()
            return

    def _troubled(self, error: sqlite3.OperationalError) -> None:
        if self.trouble is None:
            log.error("the disk refuses, what is not stored waits", exc_info=error)
        self.trouble = str(error)

    def _recovered(self) -> None:
        if self.trouble is not None:
            log.warning("the disk takes again, nothing was lost")
            self.trouble = None

    def _put_last(self, outcomes: Sequence[Outcome]) -> None:
        """Write the newest; all of them, where a failure has undone those before it."""
        missing = outcomes[-1:]
        if not self._store.in_transaction:
            self._store.begin()
            missing = outcomes
        for outcome in missing:
            self._positions[outcome.position] = self._write(outcome)

    def _finish(self, outcomes: Sequence[Outcome]) -> None:
        if not self._store.in_transaction:
            self._put_last(outcomes)
        self._store.set_meta("position", outcomes[-1].position)
        self._store.commit()

    def _write(self, outcome: Outcome) -> list[int]:
        """Within a transaction. Returns the positions of the alert events."""
        store = self._store
        if outcome.configured:
            store.put_series([series.key for series in self.processor.series.entries])
        store.put_readings(outcome.rows, outcome.position)
        store.put_change(outcome.rows, outcome.at_ms)
        store.put_lane_intervals(outcome.intervals, outcome.position)
        if outcome.letters:
            store.put_dead_letters(outcome.letters)
        for device, state in outcome.links.items():
            text = "null" if state is None else msgspec.json.encode(state).decode()
            store.put_device(device, link=text)
        for device, meta in outcome.metas.items():
            store.put_device(device, meta=msgspec.json.encode(meta).decode())
        if outcome.entered is not None:
            entry_log.write(store.connection, outcome.entered)
        farmers.write(store.connection, [(each, self._audience(each)) for each in outcome.notices])
        return records.write(store.connection, outcome.events)

    def _tick(self) -> bool:
        """Let time pass in the journal, if something is due."""
        due = self.processor.next_due_ms()
        if due is None or self._clock_ms() < due or time.monotonic() < self._tick_after:
            return False
        self._tick_after = time.monotonic() + TICK_APART_S
        try:
            self._journal.append(Tick())
        except sqlite3.OperationalError as error:
            # Time stands still in the journal; what is due happens, as of then, once it goes on.
            self._tick_after = time.monotonic() + RETRY_S
            self._troubled(error)
            return False
        self._recovered()
        return True

    def _wait(self) -> None:
        due = self.processor.next_due_ms()
        left_s = IDLE_S if due is None else (due - self._clock_ms()) / 1000
        self._wake.wait(min(IDLE_S, max(0.01, left_s)))
        self._wake.clear()

    def _keep_house(self) -> None:
        now = time.monotonic()
        many = self.position - self._checkpointed >= CHECKPOINT_EVERY_ENTRIES
        if now >= self._checkpoint_due or (many and self.trouble is None):
            self._checkpoint()
        tend = partial(self.upkeep.tend, self.position, self._checkpointed, busy=self.busy)
        self._guarded(tend)

    def _guarded(self, chore: Callable[[], None]) -> None:
        """One that can wait until the disk takes again."""
        try:
            chore()
        except sqlite3.OperationalError as error:
            self._troubled(error)
            return
        self._recovered()

    def _checkpoint(self) -> None:
        self._checkpoint_due = time.monotonic() + CHECKPOINT_EVERY_S
        if self.position == self._checkpointed or self.processor.config is None:
            return
        try:
            self._store.put_checkpoint(self.position, pack(self.processor.snapshot()))
        except sqlite3.OperationalError as error:
            self._troubled(error)  # the older one serves, with more entries to step again
            return
        self._recovered()
        self._checkpointed = self.position


class JournalGapError(Exception):
    """The store knows of entries that the journal has lost: the files are not of one service."""

    def __init__(self, position: int, committed: int) -> None:
        super().__init__(
            f"the journal does not go on after entry {position}, but the store has committed "
            f"entry {committed}: journal.sqlite and store.sqlite do not belong together. Keep a "
            "copy of both, then put back the newest backup (songtien restore), or begin with "
            "another data.dir"
        )
