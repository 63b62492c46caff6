"""The task that watches: what it looks at, what it writes down, when the heart may beat."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alerts.notices import DISK_LOW, HISTORIAN_TROUBLE
from ingest.drain_policy import State
from ingest.journal import Journal, Notice
from songtien import watch as rules
from songtien import watching as module
from songtien.heartbeat import Heartbeat
from songtien.watch import Draining, Watch
from songtien.watching import Watching, _draining, heard_back
from tests.e2e.running import eventually, now_ms
from tests.songtien.targets import target


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)


def watched(directory: Path, append: Callable[[Notice], int], **more: Any) -> Watching:
    test_topic, alert_topic = heard_back("r", "here")
    parts: dict[str, Any] = {
        "clock_ms": now_ms,
        "ready": lambda: True,
        "draining": lambda: None,
        "say": lambda _: None,
        "appended": lambda: None,
        "heartbeat": None,
    }
    made = Watch(
        behind_s=900.0,
        self_test_minute=None,
        test_topic=test_topic,
        alert_topic=alert_topic,
        said={},
        from_ms=now_ms(),
    )
    return Watching(made, directory=directory, append=append, **(parts | more))


async def running(watching: Watching, done: Callable[[], bool]) -> None:
    """Let it run until `done` holds."""
    task = asyncio.create_task(watching.run())
    async with asyncio.timeout(20.0):
        while not done():
            assert not task.done(), task
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    watching.stop()


def test_what_it_finds_stands_in_the_journal_and_the_pipeline_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "TROUBLE_S", 0.05)
    journal = Journal(tmp_path / "journal", now_ms)
    told: list[None] = []
    watching = watched(
        tmp_path,
        journal.append,
        draining=lambda: Draining(0.0, "a wrong token"),
        appended=lambda: told.append(None),
    )
    asyncio.run(running(watching, lambda: bool(told)))
    ((_, _, entry),) = journal.after(0, 10)
    assert isinstance(entry, Notice)
    assert (entry.notice, entry.holding, entry.detail) == (
        HISTORIAN_TROUBLE.id,
        True,
        "a wrong token",
    )
    journal.close()


def test_a_journal_that_takes_nothing_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_disk", lambda _: (0, 2**30))
    monkeypatch.setattr("songtien.board.ASK_AGAIN_S", 0.05)
    tried: list[Notice] = []

    def full(notice: Notice) -> int:
        tried.append(notice)
        raise sqlite3.OperationalError("database or disk is full")

    told: list[None] = []
    watching = watched(tmp_path, full, appended=lambda: told.append(None))
    asyncio.run(running(watching, lambda: len(tried) >= 3))
    assert {notice.notice for notice in tried} == {DISK_LOW.id}
    assert told == []
    assert "a notice waits" in caplog.text


def test_the_heart_beats_while_it_is_ready_and_the_loop_goes_round(tmp_path: Path) -> None:
    ready = True
    with target() as server:
        heart = Heartbeat(server.url, 0.05)
        watching = watched(tmp_path, lambda _: 0, ready=lambda: ready, heartbeat=heart)

        async def story() -> None:
            nonlocal ready
            task = asyncio.create_task(watching.run())
            await asyncio.to_thread(eventually, lambda: len(server.asked) >= 2, "beats")
            ready = False
            await asyncio.to_thread(
                eventually, lambda: heart._allowed_until_s <= time.monotonic(), "forbidden"
            )
            ready = True
            before = len(server.asked)
            await asyncio.to_thread(eventually, lambda: len(server.asked) > before, "beats again")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(story())
        # Nobody goes round any more: the last word runs out by itself.
        assert heart._allowed_until_s <= time.monotonic() + module.ALLOWED_S
        watching.stop()
        counters = watching.counters()
        assert counters["heartbeats_sent"][1] == heart.sent >= 3


@pytest.mark.parametrize("state", list(State))
def test_people_are_asked_to_mend_only_what_does_not_mend_itself(state: State) -> None:
    status = SimpleNamespace(state=state, age_s=7.0, trouble="some words")
    historian: Any = SimpleNamespace(status=status)
    for_people = state in (State.MISCONFIGURED, State.REFUSED)
    assert _draining(historian) == Draining(7.0, "some words" if for_people else None)


def test_a_disk_that_is_gone_is_not_told_of(tmp_path: Path) -> None:
    assert module._disk(tmp_path / "gone") is None
    free, size = module._disk(tmp_path) or (0, 0)
    assert 0 < free < size
