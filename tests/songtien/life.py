"""Lives of a pipeline over the same files."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alerts.farmers.notice import Notice
from alerts.farmers.outbox import Follower
from ingest.journal import Entry, Journal, Messages
from ingest.store import Store
from songtien.news import News
from songtien.pipeline import Pipeline
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, Message

MINUTE = 60_000
DEADLINE_S = 20.0

TABLES = (
    "series",
    "reading",
    "lane_interval",
    "dead_letter",
    "device",
    "alert",
    "alert_event",
    "hour_rollup",
    "notice",
    "message",
)

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
    audience: Callable[[Notice], Sequence[Follower]] = lambda _: ()
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
            audience=self.audience,
        )

    def append(self, entry: Entry, at_ms: int | None = None) -> int:
        self.clock.ms = at_ms if at_ms is not None else self.clock.ms
        return self.journal.append(entry)

    def hear(self, at_ms: int, *messages: Message) -> int:
        return self.append(Messages([t for t, _ in messages], [b for _, b in messages]), at_ms)

    def run(self) -> list[News]:
        """Take all that stands in the journal."""
        self.pipeline.catch_up()
        self.pipeline.stop(within_s=math.inf)
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
        self.pipeline.stop(within_s=math.inf)
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            if not committed:
                patch.setattr(self.store, "put_readings", die)
            self.pipeline.run(die if committed else self.told.append)

    def forget(self) -> None:
        """Let go of what is old by the clock."""
        pipeline = self.pipeline
        pipeline.upkeep.forget(pipeline.position, pipeline._checkpointed)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        while self.store.roll_up(1_000):
            pass
        with self.store.transaction() as connection:
            return {
                table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in TABLES
            }

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@contextmanager
def life(
    directory: Path,
    clock: Clock | None = None,
    audience: Callable[[Notice], Sequence[Follower]] = lambda _: (),
) -> Iterator[Life]:
    opened = Life(directory, clock or Clock(), audience)
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
