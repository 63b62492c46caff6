"""How far the historian is stands in the store, in one transaction with what it refused."""

from collections.abc import Sequence
from pathlib import Path

from ingest.changes import Backlog
from ingest.history import StoreReader
from ingest.journal import Config
from ingest.store import DeadLetter
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe
from tests.songtien.life import MINUTE, Life, life

TARGET = "influxdb://h:8086/b?org=o"
LETTER = DeadLetter(BEGIN_MS, "influxdb", "historian", "field type conflict", 3, b"a b")


class Drained:
    """A drain that is through with everything up to `position`."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.letters: list[DeadLetter] = []

    def __call__(self) -> tuple[int, Sequence[DeadLetter]]:
        letters, self.letters = self.letters, []
        return self.position, letters


def hear(opened: Life, count: int) -> None:
    for n in range(count):
        at_ms = BEGIN_MS + n * MINUTE
        opened.hear(at_ms, probe("mt-01", at_ms, seq=n + 1, sal_g_l=2.0))


def backlog(directory: Path, after: int) -> Backlog:
    reader = StoreReader(directory / "store")
    try:
        return reader.change_backlog(after)
    finally:
        reader.close()


def test_progress_and_dead_letters_outlive_the_process(tmp_path: Path) -> None:
    with life(tmp_path) as first:
        first.store.drain_to(TARGET, 0)
        drained = Drained()
        first.pipeline.upkeep.follow(drained)
        first.append(Config(REGISTRY, RULES, 30.0))
        hear(first, 5)
        first.run()
        assert backlog(tmp_path, 0).entries == 5
    with life(tmp_path) as second:
        drained = Drained(3)
        drained.letters = [LETTER]
        second.pipeline.upkeep.follow(drained)
        second.run()
    with life(tmp_path) as third:
        assert third.store.drained == 3
        assert backlog(tmp_path, 3).entries == 2
        assert [row[3] for row in third.dump()["dead_letter"]] == ["historian"]


def test_letters_that_a_full_disk_refused_are_written_once_it_takes_again(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.store.drain_to(TARGET, 0)
        drained = Drained(0)
        opened.pipeline.upkeep.follow(drained)
        opened.append(Config(REGISTRY, RULES, 30.0))
        hear(opened, 2)
        opened.run()
        drained.position, drained.letters = 2, [LETTER]
        opened.store.connection.execute("PRAGMA query_only=1")
        opened.pipeline._guarded(opened.pipeline.upkeep.settle)
        assert opened.pipeline.trouble is not None
        assert opened.store.drained == 0
        opened.store.connection.execute("PRAGMA query_only=0")
        opened.pipeline._guarded(opened.pipeline.upkeep.settle)
        assert opened.pipeline.trouble is None
        assert opened.store.drained == 2
        assert len(opened.dump()["dead_letter"]) == 1


def test_what_the_historian_has_not_got_is_never_forgotten(tmp_path: Path) -> None:
    day_ms = 24 * 60 * MINUTE
    with life(tmp_path) as opened:
        opened.pipeline.upkeep.window_ms = day_ms
        opened.store.drain_to(TARGET, 0)
        drained = Drained()
        opened.pipeline.upkeep.follow(drained)
        opened.append(Config(REGISTRY, RULES, 30.0))
        hear(opened, 5)
        opened.run()
        stored = len(opened.dump()["reading"])
        for days in (1, 3, 5):
            opened.clock.ms = BEGIN_MS + days * day_ms
            opened.forget()
        assert len(opened.dump()["reading"]) == stored
        drained.position = 5
        opened.pipeline._guarded(opened.pipeline.upkeep.settle)
        opened.forget()
        after = opened.dump()
        assert after["reading"] == []
        assert sum(row[2] for row in after["hour_rollup"]) == stored, "their hours remain"
