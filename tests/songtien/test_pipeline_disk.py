"""The pipeline's thread: its clock, its answers, and disks that refuse."""

import resource
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ingest.journal import Action, Config, Tick
from songtien import pipeline as pipelines
from songtien import upkeep
from tests.ingest.full_disk import full_disk
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, probe
from tests.songtien.life import events, life, running, until


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
    for name in ("RETRY_S", "CHECKPOINT_EVERY_S", "TICK_APART_S", "IDLE_S"):
        monkeypatch.setattr(pipelines, name, 0.01)
    monkeypatch.setattr(upkeep, "FORGET_EVERY_S", 0.01)
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
        opened.pipeline._checkpoint_due = opened.pipeline.upkeep.forget_due = 0.0
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
