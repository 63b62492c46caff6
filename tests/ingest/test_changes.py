"""The log of changes tells each consumer everything that was written, as it now stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import changes
from ingest.history import StoreReader
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import DeadLetter, Store
from tests.songtien.feed import REGISTRY

TABLE = SeriesTable.of(parse_registry(REGISTRY, "stations.toml"))
SALINITY = TABLE.by_key["mt-01/salinity_g_l"]
TEMPERATURE = TABLE.by_key["mt-01/temperature_c"]
LEVEL = TABLE.by_key["mt-01/water_level_m"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    opened.put_series([series.key for series in TABLE.entries])
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[StoreReader]:
    del store
    opened = StoreReader(tmp_path / "store")
    yield opened
    opened.close()


def write(store: Store, *rows: tuple[int, int, float, int], at_ms: int = 0) -> None:
    series, t_ms, value, flag = zip(*rows, strict=True)
    batch = Batch.of(series, t_ms, value, flag)
    with store.transaction():
        store.put_readings(batch, 1)
        store.put_change(batch, at_ms)


def told(found: changes.Changes) -> list[tuple[str, int, float, int]]:
    rows = found.readings
    keys = [TABLE.entries[series].key for series in rows.series.tolist()]
    return list(zip(keys, rows.t_ms.tolist(), rows.value.tolist(), rows.flag.tolist(), strict=True))


def test_a_point_is_told_whole_and_as_it_now_stands(store: Store, reader: StoreReader) -> None:
    write(store, (SALINITY, 10, 3.1, 2), (TEMPERATURE, 10, 28.0, 2))
    first = reader.changes(0, 100, TABLE)
    write(store, (SALINITY, 10, 3.1, 3))
    second = reader.changes(first.position, 100, TABLE)
    assert told(first) == [("mt-01/salinity_g_l", 10, 3.1, 2), ("mt-01/temperature_c", 10, 28.0, 2)]
    assert told(second) == [
        ("mt-01/salinity_g_l", 10, 3.1, 3),
        ("mt-01/temperature_c", 10, 28.0, 2),
    ]
    assert reader.changes(second.position, 100, TABLE).position == second.position


def test_rows_are_taken_in_order_about_as_many_as_asked_for(
    store: Store, reader: StoreReader
) -> None:
    for t in range(1, 7):
        write(store, (SALINITY, t, float(t), 1), (TEMPERATURE, t, 28.0, 1), at_ms=t)
    place, times = 0, []
    while (found := reader.changes(place, 4, TABLE)).position > place:
        place = found.position
        times.append(sorted(set(found.readings.t_ms.tolist())))
    assert times == [[1, 2], [3, 4], [5, 6]]
    assert reader.change_backlog(0) == changes.Backlog(6, 1)
    assert reader.change_backlog(place) == changes.Backlog(0, None)


def test_a_stretch_larger_than_asked_for_comes_whole(store: Store, reader: StoreReader) -> None:
    write(store, *[(SALINITY, t, 1.0, 1) for t in range(1, 51)])
    assert len(reader.changes(0, 7, TABLE).readings) == 50


def test_an_entry_of_very_many_readings_is_several_stretches(
    store: Store, reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PAIRS_MAX", 8)
    write(store, *[(SALINITY, t, 1.0, 1) for t in range(1, 21)])
    assert [len(reader.changes(n, 1, TABLE).readings) for n in range(4)] == [8, 8, 4, 0]


def test_series_that_the_table_does_not_know_wait(store: Store, reader: StoreReader) -> None:
    write(store, (len(TABLE), 10, 3.1, 2))
    assert reader.changes(0, 100, TABLE).position == 0


def test_a_new_historian_begins_with_everything(store: Store, reader: StoreReader) -> None:
    write(store, (SALINITY, 10, 3.1, 1))
    assert store.roll_up(100)
    assert reader.change_backlog(0).entries == 0, "nobody waits for it"
    store.drain_to("influxdb://one/b", 5)
    write(store, (LEVEL, 20, 1.0, 1))
    found = reader.changes(store.drained, 100, TABLE)
    assert [key for key, *_ in told(found)] == ["mt-01/salinity_g_l", "mt-01/water_level_m"]
    store.set_drained(found.position, [])
    store.drain_to("influxdb://one/b", 6)
    assert reader.changes(store.drained, 100, TABLE).position == store.drained
    store.drain_to("influxdb://two/b", 7)
    assert len(reader.changes(store.drained, 100, TABLE).readings) == 2


def test_what_is_not_drained_is_neither_forgotten_nor_let_go_of(
    store: Store, reader: StoreReader
) -> None:
    store.drain_to("influxdb://one/b", 5)
    write(store, (SALINITY, 10, 3.1, 1), (SALINITY, 20, 3.2, 1))
    while store.roll_up(100):
        pass
    assert store.forget_before(1_000, 9, 9) == 0
    place = reader.changes(store.drained, 100, TABLE).position
    store.set_drained(place, [DeadLetter(1, "influxdb", "historian", "no", 3, b"a b")])
    assert reader.change_backlog(0).entries == 0
    assert store.forget_before(1_000, 9, 9) == 2
    assert [letter.reason for _, letter in reader.dead_letters(9)] == ["historian"]


def test_a_revision_that_waits_keeps_its_reading(store: Store, reader: StoreReader) -> None:
    store.drain_to("influxdb://one/b", 5)
    write(store, (SALINITY, 10, 3.1, 1), (SALINITY, 20, 3.2, 1))
    store.set_drained(reader.changes(store.drained, 100, TABLE).position, [])
    write(store, (SALINITY, 20, 3.2, 3))
    while store.roll_up(100):
        pass
    assert store.forget_before(1_000, 9, 9) == 1
    assert reader.points(SALINITY, 0, 99, 9).t_ms.tolist() == [20]


def test_without_a_historian_nothing_waits_for_one(store: Store, reader: StoreReader) -> None:
    store.drain_to("influxdb://one/b", 5)
    write(store, (SALINITY, 10, 3.1, 1))
    while store.roll_up(100):
        pass
    assert reader.change_backlog(0).entries == 1
    store.drain_to(None, 6)
    assert reader.change_backlog(0).entries == 0
    assert store.forget_before(15, 1, 9) == 1, "and nothing keeps retention from it"
    write(store, (SALINITY, 20, 3.1, 1))
    while store.roll_up(100):
        pass
    assert reader.change_backlog(0).entries == 0


def test_of_everything_a_point_is_told_once(
    store: Store, reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many quantities it has, but for one where a row of the log ends."""
    monkeypatch.setattr(changes, "PAIRS_MAX", 7)
    for t in range(1, 31):
        write(store, *((series, t, 1.0, 1) for series in (SALINITY, TEMPERATURE, LEVEL)))
    while store.roll_up(1_000):
        pass
    store.drain_to("influxdb://one/b", 5)
    place, told_times = store.drained, []
    while (found := reader.changes(place, 1, TABLE)).position > place:
        place = found.position
        told_times += sorted(set(found.readings.t_ms.tolist()))
    assert sorted(set(told_times)) == list(range(1, 31))
    assert len(told_times) <= 30 + 30 * 3 // 7
