"""Entries committed together are what they would be one by one, also where the disk refuses."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import songtien.pipeline
from ingest.journal import Config, Journal, Messages
from ingest.store import Store
from songtien.pipeline import Pipeline
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, probe

MINUTE = 60_000


class RefusingStore(Store):
    """A disk that is full for a moment, now and then: at a write or at the commit."""

    refuses_after = 10**9
    refused = 0

    def put_readings(self, *words: Any) -> None:
        self._may_refuse()
        super().put_readings(*words)

    def commit(self) -> None:
        self._may_refuse()
        super().commit()

    def _may_refuse(self) -> None:
        self.refuses_after -= 1
        if self.refuses_after == 0:
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")


@contextmanager
def made(directory: Path) -> Iterator[tuple[Journal, RefusingStore, Pipeline]]:
    directory.mkdir()
    journal = Journal(directory / "journal.sqlite", lambda: BEGIN_MS)
    store = RefusingStore(directory / "store.sqlite")
    pipeline = Pipeline(
        journal,
        store,
        root=ROOT,
        clock_ms=lambda: BEGIN_MS,
        journal_days=30,
        window_days=30,
    )
    yield journal, store, pipeline
    store.close()
    journal.close()


def fill(journal: Journal) -> int:
    """A configuration, then entries with repeats, a conflict, an alert and its end."""
    journal.append(Config(REGISTRY, RULES, 30.0))
    count = 1
    for minute in range(12):
        salinity = 5.0 if 3 <= minute < 6 else 1.0
        sent = [
            probe("mt-01", BEGIN_MS + (minute - 60) * MINUTE, seq=minute, sal_g_l=salinity),
            probe("mt-02", BEGIN_MS + (minute - 60) * MINUTE, seq=minute, sal_g_l=1.0),
            probe("mt-02", BEGIN_MS + (minute // 2 - 60) * MINUTE, sal_g_l=1.0 + minute % 3),
        ]
        journal.append(Messages([topic for topic, _ in sent], [body for _, body in sent]))
        count += 1
    return count


def taken(pipeline: Pipeline, journal: Journal, at_once: int) -> list[int]:
    """How many entries each commit took, until all are in."""
    widths = []
    while entries := journal.after(pipeline.position, at_once):
        news = pipeline.commit(entries)
        widths.append(len(news))
        for each in news:
            assert len(each.positions) == len(each.outcome.events)
    return widths


def contents(store: Store) -> dict[str, list[Any]]:
    with store.transaction() as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("series", "reading", "alert_event", "dead_letter", "meta")
        }


def test_together_is_the_same_as_one_by_one(tmp_path: Path) -> None:
    found = []
    for at_once in (1, 5, 16):
        with made(tmp_path / str(at_once)) as (journal, store, pipeline):
            count = fill(journal)
            widths = taken(pipeline, journal, at_once)
            assert sum(widths) == count
            assert max(widths) == min(at_once, count - 1)
            counts = pipeline.ledger.read()
            assert counts.in_flight == 0
            found.append((contents(store), counts, pipeline.position))
    assert found[0][0]["alert_event"]
    assert found[0][0]["dead_letter"]
    assert found[1:] == [found[0], found[0]]


@pytest.mark.parametrize("refuses_after", [1, 2, 3, 7, 14, 15])
def test_a_disk_that_refuses_midway_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses_after: int
) -> None:
    monkeypatch.setattr(songtien.pipeline, "RETRY_S", 0.001)
    found = []
    for name, after in (("well", 10**9), ("full", refuses_after)):
        with made(tmp_path / name) as (journal, store, pipeline):
            fill(journal)
            store.refuses_after = after
            taken(pipeline, journal, 16)
            assert store.refused == (name == "full")
            assert pipeline.trouble is None
            found.append((contents(store), pipeline.ledger.read()))
    assert found[0] == found[1]


def test_what_was_stepped_before_the_commit_is_stepped_again_after_a_crash(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "data"
    with made(directory) as (journal, store, pipeline):
        fill(journal)
        pipeline.commit(journal.after(0, 1))
        store.refuses_after = 8  # within the second commit, and then it is told to stop
        pipeline.stop()
        with pytest.raises(sqlite3.OperationalError):
            pipeline.commit(journal.after(pipeline.position, 16))
        assert store.position == 1
        assert not store.in_transaction
    again = Journal(directory / "journal.sqlite", lambda: BEGIN_MS)
    store = RefusingStore(directory / "store.sqlite")
    pipeline = Pipeline(
        again, store, root=ROOT, clock_ms=lambda: BEGIN_MS, journal_days=30, window_days=30
    )
    pipeline.catch_up()
    taken(pipeline, again, 16)
    with made(tmp_path / "well") as (journal, well, other):
        fill(journal)
        taken(other, journal, 16)
        assert contents(store) == contents(well)
    store.close()
    again.close()
