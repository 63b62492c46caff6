"""The processor: a pure function of the journal.

`step` takes one entry and says all that follows from it. It reads no clock; time is what
the entries say, and what falls due between two entries happens at its own due time. So a
service that was killed steps the same entries again and comes to the same state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np

from alerts.alert import Act, Action
from alerts.book import AlertBook
from alerts.desk import Desk
from alerts.entries import logged
from alerts.notices import Said
from alerts.rulesfile import parse_rules
from alerts.situation import Situation
from alerts.transition import Transition
from ingest import journal
from ingest.known import Known, Stored
from ingest.lanes import DirectionReading, Lanes
from ingest.payload import DeviceState
from ingest.probes import Probes
from ingest.reading import FUTURE_TOLERANCE_MS, Batch, Flag, IntArray, Why
from ingest.refusal import Refusal
from ingest.registry import parse_registry
from ingest.release import ReorderWindow, Waiting
from ingest.sequence import Sequencer
from ingest.series import SeriesTable
from songtien.dues import Dues, Overdue
from songtien.hearing import Heard, Hearing, Part
from songtien.judging import Judging
from songtien.links import Links
from songtien.migrations import brought_forward
from songtien.newest import Newest
from songtien.outcome import Outcome

STATE_VERSION = 4


class StateError(Exception):
    """A checkpoint of another version of the service."""


@dataclass(slots=True)
class Work:
    """What one step collects."""

    known: Known
    outcome: Outcome
    since_ms: int
    rows: list[Batch] = field(default_factory=list)
    changed: list[IntArray] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)


class Processor:
    """All state between the journal and the screens. Not configured until a Config entry.

    Parameters
    ----------
    store : asked for what is known of samples that are not surely new, never written here
    root : of the topics
    snapshot : of an earlier life
    reminding : whether somebody is there who is reminded of alerts
    """

    def __init__(
        self,
        store: Stored,
        root: str,
        snapshot: dict[str, Any] | None = None,
        *,
        reminding: bool = True,
    ) -> None:
        self._store = store
        self._reminding = reminding
        self._root = root
        self.now_ms = 0
        self._listening_ms = 0
        self.config: journal.Config | None = None
        self.sequencer = Sequencer()
        self.desk = Desk()
        self._links = Links()
        self._dues = Dues()
        self._settled_ms = 0
        self._keys: list[str] = []
        self._newest = Newest()
        if snapshot is not None:
            self._restore(snapshot)

    def step(self, position: int, at_ms: int, entry: journal.Entry) -> Outcome:
        """Take the next entry."""
        since_ms, self.now_ms = self.now_ms, max(self.now_ms, at_ms)
        work = Work(Known(self._store, position), Outcome(position, self.now_ms), since_ms)
        if isinstance(entry, journal.Config):
            # Before what fell due meanwhile: silence is not judged by a time of not listening.
            self._configure(entry)
            work.outcome.configured = True
        if self.config is not None:
            self._advance(work)
        if isinstance(entry, journal.Messages):
            self._messages(work, entry)
        elif isinstance(entry, journal.Action):
            self._act(work, entry)
        elif isinstance(entry, journal.Entered):
            reply = self.desk.step(entry, self.registry, self.now_ms)
            work.outcome.reply = entry.request, reply
            work.outcome.desk = Desk(self.desk.snapshot())
            work.outcome.entered = logged(entry.what, entry.subject, reply, self.now_ms)
            work.outcome.notices.extend(reply.notices)
        elif isinstance(entry, journal.Notice):
            said = Said(*(getattr(entry, name) for name in entry.__struct_fields__))
            work.outcome.events.extend(self.book.notice(said, self.now_ms))
        if self.config is not None and not isinstance(entry, journal.Action | journal.Notice):
            self._settle(work, self.now_ms)
        outcome = work.outcome
        outcome.rows = Batch.concat(work.rows)
        if work.changed:
            outcome.newest = self.newest.take(np.unique(np.concatenate(work.changed)))
        outcome.intervals = list(work.known.new_intervals)
        return outcome

    def next_due_ms(self) -> int | None:
        """When time alone will have an effect; a Tick entry is wanted then."""
        return None if self.config is None else self._dues.next_ms(self._dues_said())

    @property
    def overdue(self) -> Mapping[str, Overdue]:
        """Parts with a defect, which are due however often they are stepped, by name."""
        return self._dues.overdue

    @property
    def links(self) -> dict[str, DeviceState]:
        """What devices say of their own link, by device."""
        return self._links.states

    @property
    def begun_ms(self) -> int:
        """When the first series was registered: the age of the data directory."""
        return int(self._newest.registered_ms.min(initial=self.now_ms))

    @property
    def newest(self) -> Batch:
        """Newest value of each series, row i of series i; t_ms is -1 where there is none."""
        return self._newest.values

    def snapshot(self) -> dict[str, Any]:
        assert self.config is not None
        return {
            "version": STATE_VERSION,
            "now_ms": self.now_ms,
            "listening_ms": self._listening_ms,
            "config": [self.config.registry, self.config.rules, self.config.reorder_s],
            "keys": self._keys,
            **self._newest.snapshot(),
            "links": self._links.snapshot(),
            "sequencer": self.sequencer.snapshot(),
            "probes": self.probes.snapshot(),
            "lanes": self.lanes.snapshot(),
            "window": self.window.snapshot(),
            "judging": self.judging.snapshot(),
            "book": self.book.snapshot(),
            "desk": self.desk.snapshot(),
            "overdue": self._dues.snapshot(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        state = brought_forward(state, STATE_VERSION)
        if state["version"] != STATE_VERSION:
            raise StateError(f"checkpoint of version {state['version']}, not {STATE_VERSION}")
        self.now_ms = self._settled_ms = state["now_ms"]
        self._listening_ms = state["listening_ms"]
        self._keys = state["keys"]
        self._newest = Newest(state)
        self._links = Links(state["links"])
        self._dues = Dues(state.get("overdue", ()))  # no earlier version put any part off
        self.sequencer = Sequencer(state["sequencer"])
        self.desk = Desk(state.get("desk"))  # nobody could enter anything before there was one
        self._put_in_force(journal.Config(*state["config"]), state)

    def _configure(self, config: journal.Config) -> None:
        self._listening_ms = self.now_ms
        old = None if self.config is None else self.snapshot()
        if old is not None:
            old["judging"] = old["book"] = None  # they are told, not made anew
        self._put_in_force(config, old)

    def _put_in_force(self, config: journal.Config, state: dict[str, Any] | None) -> None:
        registry = parse_registry(config.registry, "stations.toml")
        rules = parse_rules(config.rules, "rules.toml", registry)
        table = SeriesTable.of(registry, self._keys)
        reorder_ms = round(config.reorder_s * 1000)
        old = state or dict.fromkeys(("probes", "lanes", "window", "judging", "book"))
        first = self.config is None
        self._newest.grow(len(table), self.now_ms)
        self._keys = [series.key for series in table.entries]
        self.registry, self.rules, self.series = registry, rules, table
        self.hearing = Hearing(self._root, registry, self.sequencer)
        self.probes = Probes(table, old["probes"])
        self.lanes = Lanes(registry, reorder_ms, old["lanes"])
        self.window = ReorderWindow(len(table), reorder_ms, old["window"])
        if first:
            self.judging = Judging(rules, table, registry, reorder_ms, old["judging"])
            self.book = AlertBook(rules, table, registry, old["book"], reminding=self._reminding)
        else:
            self.judging.reconfigure(rules, table, registry, reorder_ms)
            self.book.reconfigure(rules, table, registry)
            self.book.awake(self.now_ms)
        self._links.configure(registry, table, self._listening_ms)
        self.config = config

    def _dues_said(self) -> dict[str, int | None]:
        """When each part says that time alone changes something in it."""
        newest, deriving = self._newest, self.judging.deriving
        return {
            "window": self.window.next_due_ms(),
            "lanes": self.lanes.next_due_ms(),
            "sequencer": self.sequencer.next_due_ms(),
            "silence": self.judging.engine.next_due_ms(
                newest.measured_ms, newest.registered_ms, self._links.asleep_ms
            ),
            "advisor": deriving.advisor.next_due_ms(),
            "lookout": deriving.lookout.next_due_ms(self._listening_ms),
            "desk": self.desk.next_due_ms(self._settled_ms),
            "book": self.book.next_due_ms(),
        }

    def _advance(self, work: Work) -> None:
        """Do what fell due before this entry, each at its own time."""
        said = self._dues_said()
        while (due := self._dues.next_ms(said)) is not None and due <= self.now_ms:
            due = max(due, work.since_ms)
            work.outcome.devices.update(self.sequencer.advance(due))
            self.lanes.release(due, work.known)
            self._take_directions(work, due)
            self._judge(work, self.window.release(due, {}), due)
            self._settle(work, due)
            said = self._dues_said()
            self._dues.stepped(said, due, self.now_ms)

    def _settle(self, work: Work, now_ms: int) -> None:
        """Silence by the clock, and the life of alerts, as of one time."""
        self._settled_ms = now_ms
        heard_ms, registered_ms = self._newest.measured_ms, self._newest.registered_ms
        engine = self.judging.engine
        silences = engine.advance(now_ms, heard_ms, registered_ms, self._links.asleep_ms)
        # A backlog can show that a device fell silent long ago; it is found out now.
        work.transitions.extend(
            replace(each, at_ms=now_ms) if each.at_ms < work.since_ms else each for each in silences
        )
        situation = Situation(
            now_ms,
            self.judging.evaluated_ms,
            heard_ms,
            engine.clearing,
            engine.evaluations,
            self.desk.maintenance(now_ms),
            self._links.asleep_ms,
            self.desk.closed(now_ms),
            engine.newest_instant_ms,
        )
        work.outcome.events.extend(self.book.apply(work.transitions, situation))
        work.transitions.clear()
        deriving = self.judging.deriving
        told, notices = deriving.advance(now_ms, self.desk, self._listening_ms)
        for advice in told:
            work.outcome.advice[advice.intake] = advice.body
        work.outcome.notices.extend(notices)

    def _messages(self, work: Work, entry: journal.Messages) -> None:
        if self.config is None:
            raise StateError("messages before any configuration in the journal")
        heard = self.hearing.hear(entry, self.now_ms)
        for part in heard.parts:
            self._take_probes(work, part, heard)
            for root_device, sample, ready, origin in part.traffic:
                taken = self.lanes.take(
                    root_device, sample, work.known, ready=ready, now_ms=self.now_ms
                )
                if isinstance(taken, Refusal):
                    heard.refuse(origin, taken, self.now_ms, counted=True)
                elif taken:
                    work.outcome.stored += 1
                else:
                    work.outcome.duplicate += 1
            self._take_directions(work, self.now_ms)
        for device, state in heard.links:
            if self._links.take(device, state):
                work.outcome.links[device] = state
        outcome = work.outcome
        outcome.received += heard.received
        outcome.rejected.update(heard.rejected)
        outcome.letters.extend(heard.letters)
        outcome.metas.update(heard.metas)
        outcome.canaries.extend(heard.canaries)
        outcome.echoes.extend(heard.echoes)
        outcome.devices.update(heard.devices)

    def _take_probes(self, work: Work, part: Part, heard: Heard) -> None:
        if not part.samples:
            if part.settled:
                self._judge(work, self.window.release(self.now_ms, part.settled), self.now_ms)
            return
        numbers = [self.probes.numbers[stream] for stream in part.streams]
        more_follow = part is not heard.parts[-1]
        taken = self.probes.take(numbers, part.samples, work.known, more_follow=more_follow)
        for n, refusal in taken.refused.items():
            heard.refuse(part.origin[n], refusal, self.now_ms, counted=True)
        work.outcome.duplicate += taken.duplicates
        work.outcome.stored += len(part.samples) - taken.duplicates - len(taken.refused)
        of = taken.sample
        arrived = Waiting(
            taken.rows,
            taken.dry,
            np.asarray(part.ready, dtype=bool)[of],
            np.full(len(of), self.now_ms + self.window.reorder_ms, dtype=np.int64),
            np.asarray(part.epochs, dtype=np.int64)[of],
            np.asarray(part.seqs, dtype=np.int64)[of],
        )
        future = arrived.rows.t_ms > self.now_ms + FUTURE_TOLERANCE_MS
        if future.any():
            ahead = arrived.rows.take(future)
            self._put(work, _marked(ahead, Flag.SUSPECT, Why.FUTURE))
            arrived = arrived.take(~future)
        self._admit(work, arrived, self.now_ms, part.settled)

    def _take_directions(self, work: Work, now_ms: int) -> None:
        """Readings of directions are in order already: the lanes have waited for each other."""
        # In the order in which they were made: what is made again replaces what was.
        for kind, readings in groupby(self.lanes.drain(), _kind):
            rows = self._direction_rows(list(readings))
            if kind == "late":
                self._put(work, _marked(rows, Flag.NOT_EVALUATED, Why.LATE))
            elif kind == "future":
                self._put(work, _marked(rows, Flag.SUSPECT, Why.FUTURE))
            else:
                n = len(rows)
                none = np.full(n, -1, dtype=np.int64)
                now = np.full(n, now_ms, dtype=np.int64)
                ready = Waiting(
                    rows, np.zeros(n, dtype=bool), np.ones(n, dtype=bool), now, none, none
                )
                self._admit(work, ready, now_ms, {})

    def _direction_rows(self, readings: Sequence[DirectionReading]) -> Batch:
        series, t_ms, value, why = [], [], [], []
        for reading in readings:
            column = self.series.columns[reading.stream]
            for quantity, number in reading.values.items():
                series.append(column[quantity])
                t_ms.append(reading.t_ms)
                value.append(number)
                why.append(reading.why)
        return Batch.of(series, t_ms, value, why=why)

    def _admit(self, work: Work, arrived: Waiting, now_ms: int, settled: dict[int, int]) -> None:
        admitted = self.window.admit(arrived, now_ms, settled)
        self._put(work, admitted.held.rows)
        self._put(work, _marked(admitted.late.rows, Flag.NOT_EVALUATED, Why.LATE))
        self._judge(work, admitted.released, now_ms)

    def _judge(self, work: Work, released: Waiting, now_ms: int) -> None:
        if not len(released):
            return
        judgement = self.judging.judge(released, self.desk, now_ms)
        self._put(work, judgement.rows)
        self._put(work, judgement.formed)
        work.outcome.formed |= len(judgement.formed) > 0
        self._put(work, judgement.revised)
        work.transitions.extend(judgement.transitions)

    def _act(self, work: Work, entry: journal.Action) -> None:
        note = entry.note or None
        action = Action(Act(entry.op), entry.alert, entry.ver, entry.who, note, entry.until_ms)
        acted = self.book.act(action, self.now_ms)
        work.outcome.events.extend(acted.events)
        work.outcome.reply = entry.request, acted

    def _put(self, work: Work, rows: Batch) -> None:
        """Rows to be stored; the newest value of each series is known from here on."""
        if not len(rows):
            return
        work.rows.append(rows)
        work.changed.append(self._newest.take(rows))


def _marked(rows: Batch, flag: Flag, why: Why) -> Batch:
    return Batch.of(rows.series, rows.t_ms, rows.value, flag, rows.why | np.uint16(why))


def _kind(reading: DirectionReading) -> str:
    if reading.why & Why.FUTURE:
        return "future"
    return "late" if reading.late else "ready"
