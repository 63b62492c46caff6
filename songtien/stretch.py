"""Stretches of a recording taken many entries at a time, with the outcome of one at a time.

A stretch holds nothing but samples of probes that go straight through: known devices, numbers
without a gap, rising times, no clock that runs ahead, one sample a message, none simulated. In
it nothing waits and nothing falls due. So flags can be set for all of it at once, the rules
are asked in rounds in which each stream occurs once, and the life of alerts is settled at the
entries at which something happens, as of these entries. Whatever is not so ends the stretch,
and is stepped as ever.

Rules over several series, and series that are formed from others, depend on what came together:
where a rule is about them nothing is taken this way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final, cast

import numpy as np

from alerts.alert import AlertEvent
from alerts.engine import Engine
from alerts.longrun import LongRun, possible
from alerts.rules import Ask
from alerts.silence import FAR_MS
from alerts.transition import Transition
from ingest import topics
from ingest.known import Known
from ingest.probes import ProbeRun
from ingest.reading import (
    FUTURE_TOLERANCE_MS,
    Batch,
    BoolArray,
    Flag,
    IntArray,
)
from ingest.remembered import Remembered
from songtien.outcome import Outcome
from songtien.processor import Processor, Work
from songtien.recordings import Piece
from songtien.samples import (
    Clock,
    Entries,
    NewestTimes,
    Samples,
    entry_end,
    previous_of,
    rank_of,
    round_bounds,
)

STRETCH_MAX: Final = 20_000
STRETCH_MIN: Final = 8
"""Fewer samples than that are as quickly stepped one by one."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Readings that rules look at, in the order of series, then of time; R of everything.

    sample : int64[R]; order : int64[R], their rank as they are stepped one by one
    """

    sample: IntArray
    batch: Batch
    order: IntArray

    def valued(self) -> tuple[IntArray, IntArray, IntArray]:
        """(series, t_ms, sample) of those that had a value for the rules, by sample."""
        kept = np.flatnonzero(self.batch.flag <= Flag.SUSPECT)
        kept = kept[np.argsort(self.sample[kept], kind="stable")]
        return self.batch.series[kept], self.batch.t_ms[kept], self.sample[kept]

    def in_order(
        self, engine: Engine, told: Sequence[tuple[int, Transition]]
    ) -> list[tuple[int, Transition]]:
        """Transitions, given with their rows, as they come one by one; with their messages."""

        def key(each: tuple[int, Transition]) -> tuple[int, int]:
            pair = engine.pair_of[each[1].rule, each[1].series]
            return int(self.order[each[0]]), int(engine.pairs.rule[pair])

        return [(int(self.sample[row]), change) for row, change in sorted(told, key=key)]


class Stretching(Processor):
    """A processor that can take many plain entries at once. For recordings: it keeps no flags
    and no newest values of what no rule looks at, and nobody is there to be reminded.
    """

    def __init__(self, remembered: Remembered, root: str) -> None:
        super().__init__(remembered, root, reminding=False)
        self._remembered = remembered
        self._routes: dict[str, tuple[int, int]] = {}
        self.devices: list[str] = []
        self.possible = False

    def prepare(self) -> None:
        """After a configuration: what of it a stretch needs."""
        self._routes, self.devices = {}, []
        engine, silence = self.judging.engine, self.judging.engine.silence
        size = len(self.series)
        self._asked = np.zeros(size, dtype=np.bool_)
        self._asked[engine.pairs.series] = True
        self._names = {series.id: series.quantity for series in self.series.entries}
        watched = {self._names[number] for number in np.flatnonzero(self._asked).tolist()}
        self._wanted = [name for name in self.probes.series_of if name in watched]
        ages = [
            rule.notify_max_age_ms(expected)
            for rule in self.rules.rules
            if rule.ask is not Ask.NO_DATA
            for expected in (0, *set(self.series.expected_ms.tolist()))
        ]
        self._age_max_ms = min(ages, default=0)
        probes = {series.id for series in self.series.entries if series.kind == "salinity"}
        asked = set(np.flatnonzero(self._asked).tolist()) | set(silence.pairs.series.tolist())
        self.possible = len(engine.pairs) == engine.pairs.n_alone and not any(
            self.series.entries[number].kind not in {"salinity", "traffic"} for number in asked
        )
        self._streams_of = np.full(size, -1, dtype=np.int64)
        for series in self.series.entries:
            if series.id in probes and not series.retired:
                self._streams_of[series.id] = self.probes.numbers[series.stream]

    def samples(self, piece: Piece) -> Samples:
        """A piece, as far as it can be taken this way."""
        found, n = piece.decoded, np.arange(len(piece))
        routes = [self._routes.get(topic) or self._route(topic) for topic in piece.names]
        where = np.array(routes, dtype=np.int64).reshape(-1, 2)[piece.codes]
        begins = np.r_[True, piece.at_ms[1:] != piece.at_ms[:-1]][: len(piece)]
        entry = np.maximum.accumulate(np.where(begins, n, 0))
        run = self.probes.run(where[:, 0], found.t_ms, found.value, found.dry)
        plain = found.plain & (where[:, 0] >= 0)
        return Samples(piece.at_ms, entry, plain, where[:, 1], found.boot, found.seq, run)

    def _route(self, topic: str) -> tuple[int, int]:
        found = topics.parse(topic, self._root)
        route = -1, -1
        if isinstance(found, topics.Topic) and found.leaf == "obs" and found.kind == "salinity":
            device = self.registry.devices.get(found.device)
            if device is not None and (device.station, device.kind) == (found.station, found.kind):
                stream = self.registry.root_device(device.id).id
                if not device.levels and stream in self.probes.numbers:
                    route = self.probes.numbers[stream], len(self.devices)
                    self.devices.append(device.id)
        if len(self._routes) < 100_000:
            self._routes[topic] = route
        return route

    def stretch(self, position: int, samples: Samples, begin: int) -> tuple[int, Outcome] | None:
        """Take as many entries from message `begin` on as are plain: how many messages, and what
        follows. None where it is not worth it. `Outcome.rows` is empty.
        """
        unfit = not self.possible or len(self.window) or self.overdue
        if unfit or self.judging.engine.runs.any_simulated:
            return None
        if not self._may_begin(samples, begin):
            return None
        end = entry_end(samples, begin + STRETCH_MAX)
        part = samples.cut(begin, end)
        part = part.cut(0, self._plain_until(part))
        if len(part) < STRETCH_MIN:
            return None
        run = part.run
        series, t_ms, _, sample = run.rows()
        self.probes.ran(run)
        self.window.run_through(series, t_ms)
        outcome = Outcome(position, int(part.at_ms[-1]))
        outcome.received = outcome.stored = len(part)
        self._run_on(part)
        rows = self._rows(run, part)
        clock = Clock(
            [
                NewestTimes(self._newest.measured_ms, part, series, t_ms, sample),
                NewestTimes(self.judging.evaluated_ms, part, *rows.valued()),
            ]
        )
        outcome.events.extend(self._lived(position, part, rows, clock))
        self.now_ms = outcome.at_ms
        self._remembered.put_later(partial(_as_batch, run))
        return len(part), outcome

    # How far a stretch goes.

    def _may_begin(self, samples: Samples, at: int) -> bool:
        """Whether one message looks plain: what is cheap to ask before all the rest."""
        if not samples.plain[at]:
            return False
        known = self.sequencer.unbroken(self.devices[int(samples.device[at])])
        return known == (int(samples.boot[at]), int(samples.seq[at]) - 1)

    def _plain_until(self, part: Samples) -> int:
        """The first message that is not plain, or before which something falls due."""
        n = len(part)
        good = part.plain & self._in_sequence(part)
        good &= self.probes.rises(part.run.stream, part.run.t_ms)
        good &= part.run.t_ms <= part.at_ms + FUTURE_TOLERANCE_MS
        good &= part.at_ms - part.run.t_ms < self._age_max_ms
        good &= previous_of(part.run.stream) < part.entry
        silent = self.judging.engine.silence
        mute = np.zeros(len(self.probes.numbers) + 1, dtype=np.bool_)
        mute[self._streams_of[silent.pairs.series[silent.active]]] = True
        good &= ~mute[part.run.stream]
        bad = np.flatnonzero(~good)
        end = int(part.entry[bad[0]]) if len(bad) else n
        dues = (
            self.lanes.next_due_ms(),
            self.sequencer.next_due_ms(),
            self.desk.next_due_ms(self.now_ms),
        )
        for due in dues:
            if due is not None:
                end = min(end, int(np.searchsorted(part.at_ms, due)))
        return self._until_silence(part.cut(0, end)) if end >= STRETCH_MIN else 0

    def _in_sequence(self, part: Samples) -> BoolArray:
        """Messages that follow their device's last one without a gap."""
        # One place more than devices: that of messages which are of none.
        boots = np.full(len(self.devices) + 1, -1, dtype=np.int64)
        settled = boots - 1
        for device in np.unique(part.device[part.plain]).tolist():
            known = self.sequencer.unbroken(self.devices[device])
            if known is not None:
                boots[device], settled[device] = known
        follows: BoolArray = part.seq == settled[part.device] + 1 + rank_of(part.device)
        follows &= part.boot == boots[part.device]
        return follows

    def _until_silence(self, part: Samples) -> int:
        """The first message at or before whose arrival a series would be missed."""
        n, silence = len(part), self.judging.engine.silence
        waits = np.flatnonzero(~silence.active)
        if not len(waits) or not n:
            return n
        size = len(self.series)
        after_ms = np.full(size, FAR_MS // 4, dtype=np.int64)
        np.minimum.at(after_ms, silence.pairs.series[waits], silence.pairs.silent_ms[waits])
        due_ms = silence.due_ms(
            self._newest.measured_ms, self._newest.registered_ms, self._links.asleep_ms
        )
        first_ms = np.full(size, FAR_MS, dtype=np.int64)
        np.minimum.at(first_ms, silence.pairs.series[waits], due_ms[waits])
        dues = [first_ms[after_ms < FAR_MS // 4]]
        for name, value in part.run.value.items():
            series = self.probes.series_of[name][part.run.stream]
            there = ~np.isnan(value) & (after_ms[series] < FAR_MS // 4)
            at = np.flatnonzero(there)
            if not len(at):
                continue
            at = at[np.argsort(series[at], kind="stable")]
            series, arrival = series[at], part.at_ms[at]
            starts = np.r_[True, series[1:] != series[:-1]]
            begun = (
                np.maximum(part.run.t_ms[at], self._newest.registered_ms[series]) + after_ms[series]
            )
            due = np.where(starts, first_ms[series], np.r_[0, begun[:-1]])
            dues.append(due[due <= arrival])
            ends = np.r_[starts[1:], True]
            dues.append(begun[ends])
            heard = series[starts]
            # What is heard in time is no longer due as it stood before.
            in_time = first_ms[heard] > arrival[starts]
            first_ms[heard[in_time]] = FAR_MS
        dues[0] = first_ms[after_ms < FAR_MS // 4]
        earliest = min((int(due.min()) for due in dues if len(due)), default=FAR_MS)
        return int(np.searchsorted(part.at_ms, earliest))

    # What a stretch gives.

    def _run_on(self, part: Samples) -> None:
        order = np.argsort(part.device, kind="stable")
        last = order[np.r_[part.device[order][1:] != part.device[order][:-1], True]]
        for at in last.tolist():
            self.sequencer.run_on(self.devices[int(part.device[at])], int(part.seq[at]))

    def _rows(self, run: ProbeRun, part: Samples) -> _Rows:
        """The readings that rules look at, flagged."""
        flags = self.judging.flags_of_run(run, self._wanted)
        samples, series, values, flag, why, rank = [], [], [], [], [], []
        for number, name in enumerate(self._wanted):
            if name not in run.value:
                continue
            of_stream = run.series_of[name][run.stream]
            at = np.flatnonzero(~np.isnan(run.value[name]) & self._asked[of_stream])
            samples.append(at)
            series.append(of_stream[at])
            values.append(run.value[name][at])
            flag.append(flags[name][0][at])
            why.append(flags[name][1][at])
            rank.append(np.full(len(at), number))
        if not samples:
            return _Rows(np.empty(0, dtype=np.int64), Batch.empty(), np.empty(0, dtype=np.int64))
        sample, one = np.concatenate(samples), np.concatenate(series)
        t_ms = run.t_ms[sample]
        # One by one the rows of an entry come by time, then by quantity, then as they arrived.
        stepped = np.lexsort((sample, np.concatenate(rank), t_ms, part.entry[sample]))
        order = np.empty(len(stepped), dtype=np.int64)
        order[stepped] = np.arange(len(stepped))
        index = np.lexsort((sample, one))
        batch = Batch(one, t_ms, np.concatenate(values), np.concatenate(flag), np.concatenate(why))
        return _Rows(sample[index], batch.take(index), order[index])

    def _lived(
        self, position: int, part: Samples, rows: _Rows, clock: "Clock"
    ) -> Iterator[AlertEvent]:
        """Ask the rules, and settle where something happens."""
        work = Work(Known(self._store, position), Outcome(position, 0), self.now_ms)
        engine = self.judging.engine
        if possible(engine, rows.batch):
            run = LongRun(engine, rows.batch, rows.sample)
            happened = rows.in_order(engine, run.transitions)
            yield from self._settled(work, clock, part, (0, len(part)), happened, run)
        else:
            bounds = [0, *round_bounds(part).tolist(), len(part)]
            for begin, end in pairwise(bounds):
                of = np.flatnonzero((rows.sample >= begin) & (rows.sample < end))
                place = {int(one): int(n) for one, n in zip(rows.batch.series[of], of, strict=True)}
                told = engine.step(rows.batch.take(of)) if len(of) else []
                happened = rows.in_order(engine, [(place[each.series], each) for each in told])
                yield from self._settled(work, clock, part, (begin, end), happened, None)
        clock.upto(len(part))

    def _settled(
        self,
        work: Work,
        clock: "Clock",
        part: Samples,
        bounds: tuple[int, int],
        happened: Sequence[tuple[int, Transition]],
        run: LongRun | None,
    ) -> Iterator[AlertEvent]:
        """The life of alerts over some entries: only those that matter are asked."""
        begin, end = bounds
        changes: dict[int, list[Transition]] = {}
        for sample, each in happened:
            changes.setdefault(int(part.entry[sample]), []).append(each)
        entries = Entries(part, begin, end, sorted(changes))
        at = begin - 1
        while True:
            at = entries.after(at, self._stirring())
            now_ms = int(part.at_ms[min(at, end - 1)])
            while (due := self._book_due_ms()) is not None and due <= now_ms:
                clock.upto(int(np.searchsorted(part.at_ms, due)))
                due = max(due, self.now_ms)
                yield from self._at(work, due, clock, run)
                self._dues.stepped({"book": self.book.next_due_ms()}, due, now_ms)
            if at == end:
                return
            clock.upto(entry_end(part, at + 1))
            work.transitions.extend(changes.get(at, ()))
            yield from self._at(work, now_ms, clock, run)

    def _book_due_ms(self) -> int | None:
        """As `next_due_ms`, of the one part that may fall due within a stretch."""
        return self._dues.next_ms({"book": self.book.next_due_ms()})

    def _stirring(self) -> IntArray | None:
        """Streams of which a sample without a transition may change something; None is any."""
        restless = self.book.restless()
        if restless is None:
            return None
        streams = self._streams_of[sorted(restless)] if restless else np.empty(0, dtype=np.int64)
        return streams[streams >= 0]

    def _at(self, work: Work, at_ms: int, clock: "Clock", run: LongRun | None) -> list[AlertEvent]:
        work.since_ms = self.now_ms = at_ms
        engine = self.judging.engine
        if run is not None:
            # The engine stands at the end of the stretch; the book is told how it stood now.
            self.judging.engine = cast("Engine", _AsOf(engine, run, clock.at))
        try:
            self._settle(work, at_ms)
        finally:
            self.judging.engine = engine
        events, work.outcome.events = work.outcome.events, []
        return events


class _AsOf:
    """An engine as it stood when the first messages of a stretch had come."""

    def __init__(self, engine: Engine, run: LongRun, upto: int) -> None:
        self._engine, self._run, self._upto = engine, run, upto
        self.advance = engine.advance
        self.newest_instant_ms = engine.newest_instant_ms

    def clearing(self, rule: str, series: int) -> bool:
        return self._run.clearing(rule, series, self._upto)

    def evaluations(self, rule: str, series: int) -> int:
        return self._run.evaluations(rule, series, self._upto)


def _as_batch(run: ProbeRun) -> Batch:
    series, t_ms, value, _ = run.rows()
    return Batch.of(series, t_ms, value)
