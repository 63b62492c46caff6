"""The oracle against the program where nothing happens, and against differences of our own."""

import random
from pathlib import Path

import pytest

from alerts import records
from ingest.journal import Config, Entry, Messages, Tick
from ingest.store import Store
from songtien.processor import Processor
from tests.faults import feeds, oracle
from tests.faults.undisturbed import REORDER_S, undisturbed

END_MS = 1_767_000_000_000
PROBES, CAMERAS = 6, 2
REGISTRY = feeds.registry(PROBES, CAMERAS)


def _run(path: Path, feed: list[feeds.Sent]) -> None:
    """The processor over a feed, into a store of its own, until nothing waits any more."""
    path.mkdir()
    store = Store(path / "store.sqlite")
    store.prepare(records.create)
    processor = Processor(store, feeds.ROOT)
    entries: list[Entry] = [Config(REGISTRY, feeds.RULES, REORDER_S)]
    entries += [Messages([each.topic], [each.payload]) for each in feed]
    for position, entry in enumerate([*entries, Tick()], 1):
        at_ms = END_MS if position <= len(entries) else END_MS + 2 * round(REORDER_S * 1000)
        outcome = processor.step(position, at_ms, entry)
        with store.transaction():
            store.put_series([series.key for series in processor.series.entries])
            store.put_readings(outcome.rows, position)
            store.put_lane_intervals(outcome.intervals, position)
            store.put_dead_letters(outcome.letters)
    store.close()


@pytest.mark.parametrize("reboots", [False, True])
def test_the_processor_holds_what_the_oracle_reads(tmp_path: Path, reboots: bool) -> None:
    feed = feeds.river(5, end_ms=END_MS, rounds=60, poison=0.3, reboots=reboots)
    feeds.write_feed(tmp_path / "feed", feed)
    assert list(feeds.read_feed(tmp_path / "feed")) == feed
    expected = oracle.content(feed, REGISTRY)
    bad = {each.poison for each in feed} - {""}
    assert {letter.reason for letter in expected.refused} == bad
    assert len(bad) == 8
    _run(tmp_path / "data", feed)
    found = oracle.store_differs(tmp_path / "data", expected)
    assert not found, str(found)
    assert oracle.letters_in(tmp_path / "data") == expected.refused.keys()
    assert {key.rpartition("/")[2] for key, _ in expected.values} > {"level_of_service"}


def test_shuffled_and_sent_again_the_content_is_the_same(tmp_path: Path) -> None:
    feed = feeds.river(6, end_ms=END_MS, rounds=20, poison=0.3, conflicts=False)
    expected = oracle.content(feed, REGISTRY)
    order = random.Random(1)
    _run(tmp_path / "data", order.sample(feed, len(feed)) + order.sample(feed, len(feed)))
    found = oracle.store_differs(tmp_path / "data", expected)
    assert not found, str(found)


def test_a_difference_is_seen(tmp_path: Path) -> None:
    feed = feeds.river(7, end_ms=END_MS, rounds=4, poison=0.5)
    _run(tmp_path / "data", feed[:-1])
    lost = oracle.store_differs(tmp_path / "data", oracle.content(feed, REGISTRY))
    assert lost.missing
    assert not lost.extra
    more = oracle.store_differs(tmp_path / "data", oracle.content(feed[:-2], REGISTRY))
    assert more.extra
    values = oracle.stored_in(tmp_path / "data")
    key = next(key for key, _ in values.items() if key[0].endswith("/salinity_g_l"))
    changed = oracle.values_differ(values, values | {key: values[key] + 0.001})
    assert [each[0] for each in changed.wrong] == [key]


def test_alerts_come_of_the_feed() -> None:
    feed = feeds.river(8, end_ms=END_MS, rounds=60)
    found = undisturbed(feed, REGISTRY, begun_ms=END_MS)
    assert {alert[2] for alert in found.alerts} == {"at-once", "held", "rising", "busy"}
    assert {alert[0] for alert in found.alerts} == {"raised", "cleared"}
    measured = {key for key in found.flags if not oracle.formed(key[0])}
    assert measured == oracle.content(feed, REGISTRY).values.keys()
