"""The pipeline on real files: killed anywhere, full disks, new configurations."""

import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Action, Config, Entry, Journal, Messages, Tick
from ingest.snapshot import pack
from ingest.store import Store, StoreReader
from songtien import pipeline as pipelines
from songtien.pipeline import JournalGapError, News, Pipeline
from tests.ingest.full_disk import full_disk
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, Message, lane, probe

MINUTE = 60_000
DEADLINE_S = 20.0

TABLES = ("series", "reading", "lane_interval", "dead_letter", "device", "alert", "alert_event")

MT_02 = REGISTRY[
    REGISTRY.index('[[station.device]]\nid = "mt-02"') : REGISTRY.index(
        '[[station]]\nid = "bridge"'
    )
]
WITHOUT_MT_02 = REGISTRY.replace(MT_02, "")
WITH_MT_03 = REGISTRY.replace(MT_02, MT_02 + MT_02.replace("mt-02", "mt-03"))
WITHOUT_SALINITY_RULE = RULES[RULES.index('[[rule]]\nid = "silent"') :]


class Killed(BaseException):
    """The end of a life, at any place."""


@dataclass
class Clock:
    ms: int = BEGIN_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class Life:
    """One life of the files in a directory."""

    directory: Path
    clock: Clock
    journal: Journal = field(init=False)
    store: Store = field(init=False)
    pipeline: Pipeline = field(init=False)
    told: list[News] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(self.directory / "journal", self.clock)
        self.store = Store(self.directory / "store")
        self.pipeline = Pipeline(
            self.journal,
            self.store,
            root=ROOT,
            clock_ms=self.clock,
            journal_days=0.0,
            window_days=1e4,
        )

    def append(self, entry: Entry, at_ms: int | None = None) -> int:
        self.clock.ms = at_ms if at_ms is not None else self.clock.ms
        return self.journal.append(entry)

    def hear(self, at_ms: int, *messages: Message) -> int:
        return self.append(Messages([t for t, _ in messages], [b for _, b in messages]), at_ms)

    def run(self) -> list[News]:
        """Take all that stands in the journal."""
        self.pipeline.catch_up()
        self.pipeline.stop()
        self.pipeline.run(self.told.append)
        return self.told

    def run_until_killed(self, count: int, *, committed: bool) -> None:
        """Die at the count-th outcome, behind its commit or before that."""
        left = count
        put = self.store.put_readings

        def die(*given: Any) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed
            if not committed:
                put(*given)

        self.pipeline.catch_up()
        self.pipeline.stop()
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            if not committed:
                patch.setattr(self.store, "put_readings", die)
            self.pipeline.run(die if committed else self.told.append)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.store.transaction() as connection:
            return {
                table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in TABLES
            }

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@contextmanager
def life(directory: Path, clock: Clock | None = None) -> Iterator[Life]:
    opened = Life(directory, clock or Clock())
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def running(opened: Life) -> Iterator[None]:
    """The pipeline on its thread, until the block ends; what it died of is raised here."""
    died: list[BaseException] = []

    def work() -> None:
        try:
            opened.pipeline.run(opened.told.append)
        except BaseException as error:  # noqa: BLE001 - raised again below
            died.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        opened.pipeline.stop()
        thread.join(DEADLINE_S)
    assert not thread.is_alive()
    if died:
        raise died[0]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def events(told: Sequence[News]) -> list[tuple[int, str, str, bool]]:
    return [
        (position, event.type.value, event.alert["rule"], event.told)
        for news in told
        for position, event in zip(news.positions, news.outcome.events, strict=True)
    ]


# Killed anywhere


def entries() -> st.SearchStrategy[list[Entry]]:
    message: st.SearchStrategy[Message] = st.one_of(
        st.builds(
            lambda device, n, seq, value: probe(
                device, BEGIN_MS + n * MINUTE, seq=seq, sal_g_l=value
            ),
            st.sampled_from(["mt-01", "mt-02", "mt-03"]),
            st.integers(-20, 20),
            st.one_of(st.none(), st.integers(1, 9)),
            st.sampled_from([0.0, 1.0, 3.7, 5.0, 9.0, 60.0]),
        ),
        st.builds(
            lambda n, number, seq, count, kind: lane(
                BEGIN_MS + n * MINUTE, number, "southbound", seq=seq, **{kind: {"car": count}}
            ),
            st.integers(-3, 3),
            st.sampled_from([1, 2]),
            st.one_of(st.none(), st.integers(1, 9)),
            st.integers(0, 5),
            st.sampled_from(["count", "cumulative"]),
        ),
        st.just((f"{ROOT}/v1/salinity/my-tho/mt-01/state", b'{"s":"ready","boot":1}')),
        st.just((f"{ROOT}/v1/salinity/my-tho/mt-01/meta", b'{"model":"x"}')),
        st.just((f"{ROOT}/v1/nonsense", b"{")),
    )
    messages = st.lists(message, min_size=1, max_size=4).map(
        lambda some: Messages([topic for topic, _ in some], [body for _, body in some])
    )
    configs = st.builds(
        Config,
        st.sampled_from([REGISTRY, WITHOUT_MT_02, WITH_MT_03]),
        st.sampled_from([RULES, WITHOUT_SALINITY_RULE]),
        st.sampled_from([30.0, 5.0]),
    )
    return st.lists(st.one_of(messages, messages, messages, st.just(Tick()), configs), max_size=14)


@settings(max_examples=40, deadline=None)
@given(
    feed=entries(),
    read_ahead=st.integers(1, 4),
    checkpoint_every=st.integers(1, 9),
    kills=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=5),
)
def test_killed_anywhere_the_store_ends_as_if_never_killed(
    tmp_path_factory: pytest.TempPathFactory,
    feed: list[Entry],
    read_ahead: int,
    checkpoint_every: int,
    kills: list[tuple[int, bool]],
) -> None:
    """Killed before a commit or behind one, with checkpoints and trimming in between."""
    step_ms = 4 * MINUTE
    untroubled, troubled = tmp_path_factory.mktemp("once"), tmp_path_factory.mktemp("often")
    for directory in (untroubled, troubled):
        with life(directory) as written:
            written.append(Config(REGISTRY, RULES, 30.0))
            for n, entry in enumerate(feed):
                written.append(entry, BEGIN_MS + n * step_ms)
    clock = Clock(BEGIN_MS + len(feed) * step_ms)
    with life(untroubled, clock) as one:
        one.run()
        expected, state = one.dump(), pack(one.pipeline.processor.snapshot())
        assert one.store.position == len(feed) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipelines, "READ_AHEAD", read_ahead)
        patch.setattr(pipelines, "CHECKPOINT_EVERY_ENTRIES", checkpoint_every)
        patch.setattr(pipelines, "TRIM_EVERY_S", 0.0)
        for count, committed in kills:
            with life(troubled, clock) as short:
                short.run_until_killed(count, committed=committed)
        with life(troubled, clock) as last:
            last.run()
            assert last.dump() == expected
            assert pack(last.pipeline.processor.snapshot()) == state


def test_a_second_life_goes_on_from_the_checkpoint_and_tells_nothing_twice(tmp_path: Path) -> None:
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        first.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
        assert events(first.run()) == [(1, "raised", "salinity-4", True)]
    with life(tmp_path) as second:
        assert second.pipeline.position == 2
        assert second.pipeline.catch_up() == 0
        assert second.run() == []
        at = BEGIN_MS + MINUTE
        second.hear(at, probe("mt-01", at, seq=2, sal_g_l=9.0))
    with life(tmp_path) as third:
        (news,) = third.run()
        assert news.outcome.stored == 1
        assert events([news]) == []


def test_a_life_that_ended_without_a_checkpoint_is_stepped_again_and_not_told(
    tmp_path: Path,
) -> None:
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        first.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
        first.run_until_killed(2, committed=True)
        expected = first.dump()
    with life(tmp_path) as second:
        assert second.pipeline.position == 0
        assert second.pipeline.catch_up() == 2
        assert second.run() == []
        assert second.dump() == expected
        counts = second.pipeline.ledger.read()
        assert (counts.received, counts.in_flight) == (0, 0)


def test_trimming_keeps_all_that_the_newest_checkpoint_does_not_cover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "READ_AHEAD", 1)
    monkeypatch.setattr(pipelines, "CHECKPOINT_EVERY_ENTRIES", 3)
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        for n in range(1, 8):
            first.append(Tick(), BEGIN_MS + n)
        first.clock.ms += MINUTE
        first.run_until_killed(8, committed=True)
        first.pipeline._forget()
        checkpoint = first.store.checkpoint()
        assert checkpoint is not None
        assert checkpoint[0] == 6
        assert [at for at, _, _ in first.journal.after(0, 99)] == [7, 8]
    with life(tmp_path) as second:
        assert second.pipeline.catch_up() == 2


def test_what_is_young_stays_in_the_journal_though_a_checkpoint_covers_it(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.pipeline._journal_ms = MINUTE
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.append(Tick(), BEGIN_MS + MINUTE + 1)
        opened.run()
        opened.pipeline._forget()
        assert [at for at, _, _ in opened.journal.after(0, 9)] == [2]


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_journal_that_has_lost_what_the_store_knows_is_told(
    tmp_path: Path, checkpointed: bool
) -> None:
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        first.append(Tick())
        if checkpointed:
            first.run()
        else:
            first.run_until_killed(2, committed=True)
    for file in tmp_path.glob("journal*"):
        file.unlink()
    with life(tmp_path) as second:
        second.append(Tick())
        with pytest.raises(JournalGapError, match="do not belong together"):
            second.pipeline.catch_up()


def test_an_older_store_beside_a_trimmed_journal_is_told(tmp_path: Path) -> None:
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        for _ in range(3):
            first.append(Tick())
        first.run_until_killed(4, committed=True)
        first.journal.trim(up_to=2, older_than_ms=2**60)
    with life(tmp_path) as second, pytest.raises(JournalGapError):
        second.pipeline.catch_up()


# Configurations


def test_a_new_series_is_stored_shown_and_watched(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-03", BEGIN_MS, seq=1, sal_g_l=1.0))
        opened.append(Config(WITH_MT_03, RULES, 30.0), BEGIN_MS + MINUTE)
        at = BEGIN_MS + 2 * MINUTE
        opened.hear(at, probe("mt-03", at, seq=1, sal_g_l=9.0))
        _, unknown, configured, known = opened.run()
        assert unknown.outcome.rejected == {"unknown_device": 1}
        assert configured.parts is not None
        assert "mt-03" in configured.parts.registry.devices
        assert known.outcome.stored == 1
        assert [event.alert["k"] for event in known.outcome.events] == ["mt-03/salinity_g_l"]
        reader = StoreReader(tmp_path / "store")
        number = configured.parts.series.by_key["mt-03/salinity_g_l"]
        assert reader.points(number, 0, 2**60, 9).value.tolist() == [9.0]
        reader.close()


def test_a_series_taken_out_is_refused_and_keeps_its_number_and_history(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(
            BEGIN_MS,
            probe("mt-02", BEGIN_MS, seq=1, sal_g_l=9.0),
            probe("mt-02", BEGIN_MS + 1, sal_g_l=9.0),  # waits in the window
        )
        opened.append(Config(WITHOUT_MT_02, RULES, 30.0), BEGIN_MS + 1000)
        at = BEGIN_MS + 2000
        opened.hear(at, probe("mt-02", at, seq=2, sal_g_l=9.0))
        opened.append(Tick(), BEGIN_MS + MINUTE)
        opened.append(Config(REGISTRY, RULES, 30.0), BEGIN_MS + 2 * MINUTE)
        at = BEGIN_MS + 3 * MINUTE
        opened.hear(
            at,
            probe("mt-02", BEGIN_MS, seq=3, sal_g_l=1.0),
            probe("mt-02", at, seq=4, sal_g_l=1.0),
        )
        told = opened.run()
        assert told[3].outcome.rejected == {"unknown_device": 1}
        assert [each[1:3] for each in events(told)] == [
            ("raised", "salinity-4"),
            ("cleared", "salinity-4"),
        ]
        # What stands at an identity is known also when the device is back.
        assert told[-1].outcome.rejected == {"conflict": 1}
        series = opened.pipeline.processor.series.by_key["mt-02/salinity_g_l"]
        points = [(row[1], row[2]) for row in opened.dump()["reading"] if row[0] == series]
        assert points == [(BEGIN_MS, 9.0), (BEGIN_MS + 1, 9.0), (at, 1.0)]


def test_a_withdrawn_rule_clears_its_alert_and_a_returned_one_raises_again(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
        opened.append(Config(REGISTRY, WITHOUT_SALINITY_RULE, 30.0), BEGIN_MS + 1)
        opened.hear(BEGIN_MS + 2, probe("mt-01", BEGIN_MS + 2, seq=2, sal_g_l=9.0))
        opened.append(Config(REGISTRY, RULES, 30.0), BEGIN_MS + 3)
        opened.hear(BEGIN_MS + 4, probe("mt-01", BEGIN_MS + 4, seq=3, sal_g_l=9.0))
        assert [each[1] for each in events(opened.run())] == ["raised", "cleared", "raised"]


def test_who_sleeps_is_the_same_after_a_restart_whoever_spoke_first(tmp_path: Path) -> None:
    """The new probe's name sorts before the old one's, and a snapshot sorts names."""
    new = MT_02.replace('"mt-02"', '"aa-01"').replace("expected", 'replaces = "mt-01"\nexpected')
    state = f"{ROOT}/v1/salinity/my-tho"
    sleeping = f'{{"s":"sleeping","boot":1,"until":{BEGIN_MS + 10**9}}}'.encode()
    with life(tmp_path) as first:
        first.append(Config(REGISTRY.replace(MT_02, new), RULES, 30.0))
        first.hear(BEGIN_MS, (f"{state}/mt-01/state", sleeping))
        first.hear(BEGIN_MS, (f"{state}/aa-01/state", b'{"s":"ready","boot":1}'))
        first.run()
        due = first.pipeline.processor.next_due_ms()
        assert due is not None
        assert due < BEGIN_MS + 10**9
    with life(tmp_path) as second:
        assert second.pipeline.processor.next_due_ms() == due
        # What the old one says late, from its drawer, does not count any more.
        second.hear(BEGIN_MS + 1, (f"{state}/mt-01/state", sleeping))
        second.run()
        assert second.pipeline.processor.next_due_ms() == due


# The thread, its clock, and full disks


def test_time_alone_has_its_effect_by_a_tick_in_the_journal(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=9.0))
        with running(opened):
            until(lambda: len(opened.told) == 2)
            assert events(opened.told) == []
            opened.clock.ms += 31_000
            until(lambda: len(opened.told) >= 3)
        assert events(opened.told) == [(1, "raised", "salinity-4", True)]
        assert [entry for _, _, entry in opened.journal.after(2, 99)] == [Tick()]


def test_an_action_is_answered_with_what_became_of_it(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.append(Action("r1", "ack", "0123456789abcdef", 1, "an", ""))
        reply = opened.run()[-1].outcome.reply
        assert reply is not None
        assert (reply[0], reply[1].outcome) == ("r1", "not_found")


def test_acks_come_with_the_commit_and_again_after_ready(tmp_path: Path) -> None:
    state = f"{ROOT}/v1/salinity/my-tho/mt-01/state"
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, (state, b'{"s":"ready","boot":1}'))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=7, sal_g_l=1.0))
        opened.run()
        assert [ack.seq for news in opened.told for ack in news.acks.values()] == [7]
    with life(tmp_path) as opened:
        opened.hear(BEGIN_MS, (state, b'{"s":"ready","boot":1}'))
        (news,) = opened.run()
        assert news.acks["mt-01"].seq == 7


def test_a_full_disk_is_waited_for_and_nothing_is_lost_or_told_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "RETRY_S", 0.01)
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        first.run()
    with life(tmp_path) as opened:
        for n in range(200):
            at = BEGIN_MS + n * 1000
            opened.hear(at, probe("mt-01", at, seq=n, sal_g_l=1.0 + n % 3), ("x", b"x" * 4096))
        with full_disk(tmp_path / "store"), running(opened):
            until(lambda: opened.pipeline.trouble is not None)
            until(lambda: opened.pipeline.ledger.read().in_flight > 0)
            committed = opened.pipeline.position
            assert committed < 201
            assert len(opened.told) == committed - 1
            read = opened.pipeline.ledger.read()
            settled = read.stored + read.duplicate + sum(read.rejected.values())
            assert read.received == settled + read.in_flight
            unlimited()
            until(lambda: opened.pipeline.position == 201)
        assert opened.pipeline.trouble is None
        assert sum(news.outcome.stored for news in opened.told) == 200
        assert len(opened.dump()["dead_letter"]) == 200
        assert [news.outcome.position for news in opened.told] == list(range(2, 202))


def unlimited() -> None:
    """The disk has room again, before the block of `full_disk` ends."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("part", ["tick", "checkpoint", "trim", "forget"])
def test_a_disk_that_refuses_stops_none_of_the_housekeeping_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    for name in ("RETRY_S", "CHECKPOINT_EVERY_S", "TRIM_EVERY_S", "TICK_APART_S", "IDLE_S"):
        monkeypatch.setattr(pipelines, name, 0.01)
    with life(tmp_path) as opened:
        owner: Any = opened.journal if part in ("tick", "trim") else opened.store
        names = {"tick": "append", "checkpoint": "put_checkpoint", "forget": "forget_before"}
        method = names.get(part, part)
        works = getattr(owner, method)
        refused: list[str] = []

        def refuse(*given: Any, **more: Any) -> Any:
            if len(refused) < 3:
                refused.append(part)
                raise sqlite3.OperationalError("database or disk is full")
            return works(*given, **more)

        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, sal_g_l=9.0))
        opened.clock.ms += 31_000
        monkeypatch.setattr(owner, method, refuse)
        opened.pipeline._checkpoint_due = opened.pipeline._trim_due = 0.0
        with running(opened):
            until(lambda: len(refused) == 3)
            until(lambda: bool(events(opened.told)))
            until(lambda: opened.pipeline.trouble is None)
        assert events(opened.told) == [(1, "raised", "salinity-4", True)]
        checkpoint = opened.store.checkpoint()
        assert checkpoint is not None
        assert checkpoint[0] == opened.pipeline.position


def test_stopped_while_the_disk_refuses_it_ends_and_the_next_life_has_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        first.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
        monkeypatch.setattr(first.store, "put_readings", refuse)
        with pytest.raises(sqlite3.OperationalError, match="full"), running(first):
            until(lambda: first.pipeline.trouble is not None)
        assert len(first.told) == 0
    with life(tmp_path) as second:
        assert events(second.run()) == [(1, "raised", "salinity-4", True)]
