"""A data directory in use, copies of it, and what they must hold."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ingest.journal import Config, Entry, Journal, Messages
from ingest.store import Store
from songtien import datadir
from songtien.backup import Manifest, backup
from songtien.pipeline import Pipeline
from songtien.restore import Restored, restore
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, probe
from tests.songtien.life import Clock

TABLES = ("series", "reading", "lane_interval", "dead_letter", "device", "alert", "alert_event")
Rows = dict[str, list[tuple[Any, ...]]]


def unshown(_what: str, _far: float) -> None:
    return


class Running:
    """A pipeline over a data directory, with entries that are easy to tell apart."""

    def __init__(self, directory: Path, journal_days: float = 0.0) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.files = datadir.Files.of(directory)
        self.clock = Clock(BEGIN_MS)
        self.journal = Journal(self.files.journal, self.clock)
        self.store = Store(self.files.store)
        self.pipeline = Pipeline(
            self.journal,
            self.store,
            root=ROOT,
            clock_ms=self.clock,
            journal_days=journal_days,
            window_days=1e4,
        )
        self.pipeline.catch_up()

    def append(self, entry: Entry) -> int:
        self.clock.ms += 1000
        return self.journal.append(entry)

    def hear(self, count: int) -> None:
        """As many entries, each of ten samples that nothing else has, and a bad one."""
        for _ in range(count):
            at = self.journal.last_position
            said = [
                probe("mt-01", BEGIN_MS + (at * 10 + n) * 1000, sal_g_l=9.0 if at % 7 == 3 else 1.0)
                for n in range(10)
            ]
            said.append((f"{ROOT}/v1/nonsense", b"{%d" % at))
            self.append(Messages([topic for topic, _ in said], [body for _, body in said]))

    def take(self, at_once: int = 4) -> None:
        while entries := self.journal.after(self.pipeline.position, at_once):
            self.pipeline.commit(entries)

    def tidy(self) -> None:
        """A checkpoint, and the journal trimmed up to it."""
        self.clock.ms += 1000
        self.pipeline._checkpoint()
        self.pipeline.upkeep.forget(self.pipeline.position, self.pipeline._checkpointed)

    def dump(self) -> Rows:
        with closing(sqlite3.connect(self.files.store)) as connection:
            return {
                table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in TABLES
            }

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@contextmanager
def running(directory: Path, journal_days: float = 0.0) -> Iterator[Running]:
    opened = Running(directory, journal_days)
    try:
        yield opened
    finally:
        opened.close()


def fed(directory: Path, count: int) -> Running:
    """Entries taken, the last two only in the journal, and an officer."""
    opened = Running(directory)
    opened.append(Config(REGISTRY, RULES, 30.0))
    opened.hear(count - 2)
    opened.take()
    opened.hear(2)
    with closing(sqlite3.connect(opened.files.auth)) as connection:
        connection.execute("CREATE TABLE token(id)")
        connection.execute("INSERT INTO token VALUES ('a')")
        connection.commit()
    return opened


def taken(source: Path, target: Path, shown: Callable[[str, float], None] = unshown) -> Manifest:
    return backup(datadir.Files.of(source), target, now_ms=BEGIN_MS, shown=shown)


def put_back(copy: Path, directory: Path, *, replace: bool = False) -> Restored:
    return restore(copy, directory, replace=replace, now_ms=BEGIN_MS, shown=unshown)


def of_the_first(count: int, directory: Path) -> Rows:
    """What a store holds that has taken the same entries, and no more, undisturbed."""
    with running(directory) as untroubled:
        untroubled.append(Config(REGISTRY, RULES, 30.0))
        untroubled.hear(count)
        untroubled.take(1)
        return untroubled.dump()


def checked(copy: Path, directory: Path, scratch: Path) -> None:
    """A copy is restored, catches up, and has what its journal's entries say."""
    manifest = put_back(copy, directory).manifest
    with running(directory) as again:
        assert again.journal.last_position == manifest.positions.journal
        assert again.store.position == manifest.positions.stored
        again.take()
        assert again.dump() == of_the_first(manifest.positions.journal - 1, scratch)
        again.hear(1)
        again.take()
        assert again.store.position == manifest.positions.journal + 1


def untouched(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in {"lock", "store.sqlite-shm", "journal.sqlite-shm"}
    }
