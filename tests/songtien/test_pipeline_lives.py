"""The pipeline killed anywhere: the next life ends where one life would have."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Config, Entry, Messages, Tick
from ingest.snapshot import pack
from songtien import pipeline as pipelines
from songtien import upkeep
from songtien.news import News
from songtien.pipeline import JournalGapError
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, Message, lane, probe
from tests.songtien.life import (
    MINUTE,
    WITH_MT_03,
    WITHOUT_MT_02,
    WITHOUT_SALINITY_RULE,
    Clock,
    Life,
    events,
    life,
)


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
        patch.setattr(upkeep, "FORGET_EVERY_S", 0.0)
        for count, committed in kills:
            with life(troubled, clock) as short:
                short.run_until_killed(count, committed=committed)
        with life(troubled, clock) as last:
            last.run()
            assert last.dump() == expected
            assert pack(last.pipeline.processor.snapshot()) == state


def test_an_alert_is_the_same_bytes_before_and_after_a_restart(tmp_path: Path) -> None:
    """Raised in one life and withdrawn in the next, as in a single one."""
    for lives in (1, 2):
        directory = tmp_path / str(lives)
        directory.mkdir()
        with life(directory) as first:
            first.append(Config(REGISTRY, RULES, 30.0))
            first.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
            if lives == 2:
                first.run()
            first.append(Config(REGISTRY, WITHOUT_SALINITY_RULE, 30.0), BEGIN_MS + MINUTE)
            if lives == 1:
                first.run()
        if lives == 2:
            with life(directory, Clock(BEGIN_MS + MINUTE)) as second:
                second.run()
    dumps = []
    for lives in (1, 2):
        with life(tmp_path / str(lives)) as again:
            dumps.append({name: again.dump()[name] for name in ("alert", "alert_event")})
    assert dumps[0] == dumps[1]
    assert len(dumps[0]["alert_event"]) == 2


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
        first.forget()
        checkpoint = first.store.checkpoint()
        assert checkpoint is not None
        assert checkpoint[0] == 6
        assert [at for at, _, _ in first.journal.after(0, 99)] == [7, 8]
    with life(tmp_path) as second:
        assert second.pipeline.catch_up() == 2


def test_what_is_young_stays_in_the_journal_though_a_checkpoint_covers_it(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.pipeline.upkeep.journal_ms = MINUTE
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.append(Tick(), BEGIN_MS + MINUTE + 1)
        opened.run()
        opened.forget()
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


def test_told_to_stop_a_backlog_waits_for_the_next_life(tmp_path: Path) -> None:
    def fill(opened: Life) -> None:
        opened.append(Config(REGISTRY, RULES, 30.0))
        for n in range(40):
            opened.hear(BEGIN_MS + n, probe("mt-01", BEGIN_MS + n * MINUTE, sal_g_l=n / 10))

    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    with life(tmp_path / "once") as untroubled:
        fill(untroubled)
        untroubled.run()
        whole = untroubled.dump()
    clock = Clock()
    with life(tmp_path / "twice", clock) as first:
        fill(first)
        begun = threading.Event()

        def stop_at_the_first(_news: News) -> None:
            if not begun.is_set():
                begun.set()
                first.pipeline.stop(within_s=0.0)

        first.pipeline.run(stop_at_the_first)
        assert begun.is_set()
        assert 0 < first.store.position < first.journal.last_position
        checkpoint = first.store.checkpoint()
        assert checkpoint is not None
        assert checkpoint[0] == first.store.position
    with life(tmp_path / "twice", clock) as second:
        second.run()
        assert second.dump() == whole
