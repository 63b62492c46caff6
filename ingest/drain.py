"""Every stored reading on its way into the historian, one explicit write at a time.

A thread of its own takes stretches of the store's log of changes, makes lines of them and
writes them; what to do about each answer is decided in `drain_policy`. Whoever owns the store
asks `settled` how far all is done, and commits that together with the dead letters. Between
the two a crash costs nothing: the same points are written again, which InfluxDB overwrites.
"""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from ingest import points
from ingest.changes import Backlog, Changes
from ingest.drain_policy import Pace, Plan, Probe, Refused, State, Take, Wait, Write
from ingest.influx import Answer, Unavailable, Verdict
from ingest.series import SeriesTable
from ingest.store import DeadLetter

log = logging.getLogger(__name__)

TAKEN_MAX = 30_000
"""Readings of one stretch of the log, which is held in memory until it is settled, and the next
one with it. A quarter of it is little: the next stretch gathers for a while."""

LOOK_S = 1.0
"""How often the backlog is counted, also within a longer wait."""

RETRY_S = 1.0

TOPIC, REASON = "influxdb", "historian"
BEYOND = "its time is beyond those of InfluxDB, which end in 2262"


class Target(Protocol):
    """As much of `ingest.influx.Influx` as the drain uses."""

    def write(self, lines: Sequence[bytes]) -> Answer: ...
    def canary(self, now_ms: int) -> Answer: ...
    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class DrainStatus:
    """What is to be told of a drain.

    entries : rows of the log that wait; age_s : how long the oldest has
    last_success_ms : when points were last stored in this life of the process
    retries : answers after which the same was, or is to be, tried again
    """

    state: State
    trouble: str | None
    entries: int
    age_s: float
    last_success_ms: int | None
    server_version: str | None
    retries: int
    points_written: int
    points_refused: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Of the log, behind a place and up to `position`, as lines."""

    position: int
    little: bool
    lines: list[bytes]
    beyond: list[Refused]


class Drain:
    """Copies what the log of changes names, from `begin` on.

    Parameters
    ----------
    changes : the next stretch behind a place, of about so many readings
    backlog : what waits behind a place
    table : the series as they are known now
    begin : the place up to which everything was settled in earlier lives
    chance : for the jitter of waits, uniform in [0, 1)
    """

    def __init__(
        self,
        changes: Callable[[int, int], Changes],
        backlog: Callable[[int], Backlog],
        influx: Target,
        table: Callable[[], SeriesTable],
        *,
        begin: int,
        clock_ms: Callable[[], int],
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._changes = changes
        self._backlog = backlog
        self._influx = influx
        self._table = table
        self._clock_ms = clock_ms
        self._plan = Plan(begin, chance, pace)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._looked_s = float("-inf")
        self._little = False
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="drain-reads")
        self._ahead: tuple[int, Future[_Stretch]] | None = None
        self._disk_trouble: str | None = None
        self._last_success_ms: int | None = None
        self._version: str | None = None
        # What other threads read, under the lock.
        self._lock = threading.Lock()
        self._settled = begin
        self._letters: list[DeadLetter] = []
        self._waiting = Backlog(0, None)
        self._status = self._now()

    def run(self) -> None:
        """Until `stop`. What is at hand then is taken again in the next life."""
        with self._reading:
            while not self._stop.is_set():
                try:
                    self._step()
                    self._publish()
                except sqlite3.OperationalError as error:
                    self._troubled(error)
                    self._stop.wait(RETRY_S)
                    continue
                self._disk_trouble = None

    def stop(self) -> None:
        """End soon: after the request that is under way, if any."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Something was committed to the store."""
        self._wake.set()

    def settled(self) -> tuple[int, list[DeadLetter]]:
        """The place up to which all is stored, and what was refused on the way to it.

        Each dead letter is given once: both belong into one transaction.
        """
        with self._lock:
            letters, self._letters = self._letters, []
            return self._settled, letters

    def status(self) -> DrainStatus:
        with self._lock:
            return self._status

    def _step(self) -> None:
        order = self._plan.order(time.monotonic())
        match order:
            case Probe():
                self._probe()
            case Take(after):
                self._take(after)
            case Write(lines):
                self._read_ahead()
                answer = self._influx.write(lines)
                if answer.verdict is Verdict.STORED:
                    self._last_success_ms = self._clock_ms()
                self._plan.answered(answer, time.monotonic())
            case Wait(left_s):
                self._stop.wait(min(left_s, LOOK_S))

    def _probe(self) -> None:
        answer = self._influx.canary(self._clock_ms())
        if answer.verdict is Verdict.STORED:
            try:
                self._version = self._influx.version()
            except Unavailable as error:
                log.warning("InfluxDB does not tell its version", extra={"error": str(error)})
        self._plan.probed(answer, time.monotonic())

    def _take(self, after: int) -> None:
        if self._little and self._stop.wait(self._plan.pace.gather_s):
            return
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != after:
            ahead = after, self._reading.submit(self._stretch, after)
        found = ahead[1].result()
        self._plan.taken(found.position, found.lines, time.monotonic(), found.beyond)
        self._little = found.little
        if found.position == after and self._wake.wait(LOOK_S):
            self._wake.clear()

    def _read_ahead(self) -> None:
        """Make the lines of the next stretch while InfluxDB is at work on this one's.

        What changes after it was read is in the log behind it.
        """
        if self._ahead is None and not self._little:
            after = self._plan.next_after
            self._ahead = after, self._reading.submit(self._stretch, after)

    def _stretch(self, after: int) -> _Stretch:
        found = self._changes(after, TAKEN_MAX)
        # Asked after the changes: a table that is newer than they are knows all their series.
        table, readings = self._table(), found.readings
        fits = points.storable(readings)
        return _Stretch(
            found.position,
            len(readings) < TAKEN_MAX // 4,
            points.lines(readings.take(fits), table),
            [Refused(line, BEYOND) for line in points.lines(readings.take(~fits), table)],
        )

    def _publish(self) -> None:
        """Let other threads see how far it is."""
        now_s = time.monotonic()
        look = now_s - self._looked_s >= LOOK_S
        if look:
            self._looked_s = now_s
        waiting = self._backlog(self._plan.settled) if look else self._waiting
        at_ms = self._clock_ms()
        letters = [_letter(refused, at_ms) for refused in self._plan.letters()]
        before = self._status.state
        with self._lock:
            self._waiting = waiting
            self._settled = self._plan.settled
            self._letters += letters
            self._status = self._now()
        self._tell(before)

    def _now(self) -> DrainStatus:
        plan, oldest_ms = self._plan, self._waiting.oldest_at_ms
        age_s = 0.0 if oldest_ms is None else max(0, self._clock_ms() - oldest_ms) / 1000
        return DrainStatus(
            state=plan.state,
            trouble=self._disk_trouble or plan.trouble,
            entries=self._waiting.entries,
            age_s=age_s,
            last_success_ms=self._last_success_ms,
            server_version=self._version,
            retries=plan.retries,
            points_written=plan.points_written,
            points_refused=plan.points_refused,
        )

    def _troubled(self, error: sqlite3.OperationalError) -> None:
        """A disk that refuses (a full one, even to readers) is waited out, as by the writer."""
        if self._disk_trouble is None:
            log.error("the store can't be read, readings wait in it", exc_info=error)
        self._disk_trouble = f"store: {error}"
        with self._lock:
            self._status = self._now()

    def _tell(self, before: State) -> None:
        """A change of state is one line in the log, not one for each attempt."""
        status = self._status
        if status.state is before:
            return
        said = {"state": status.state.value, "version": status.server_version}
        if status.trouble is None:
            log.info("InfluxDB takes readings", extra=said)
        else:
            log.warning(
                "InfluxDB does not take readings, they wait in the store",
                extra=said | {"trouble": status.trouble},
            )


def _letter(refused: Refused, at_ms: int) -> DeadLetter:
    line = refused.line
    return DeadLetter(at_ms, TOPIC, REASON, refused.detail, len(line), line)
