"""Store and historian in one answer: what a single store of everything would have said."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import archive
from ingest.archive import Archive, Whence
from ingest.history import StoreReader
from ingest.influx import Answer, Unavailable, Verdict
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.rollups import HOUR_MS
from ingest.series import Series, SeriesTable
from ingest.store import Store
from tests.songtien.feed import REGISTRY

TABLE = SeriesTable.of(parse_registry(REGISTRY, "stations.toml"))
SALINITY = TABLE.entries[TABLE.by_key["mt-01/salinity_g_l"]]
BORDER_MS = 10 * HOUR_MS


@dataclass
class Held:
    """A historian that holds values of one series; `away_from_ms`: beyond it nobody answers."""

    values: dict[int, float] = field(default_factory=dict)
    away_from_ms: int | None = None

    def points(self, series: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        if self.away_from_ms is not None and from_ms >= self.away_from_ms:
            raise Unavailable(Answer(Verdict.RETRY, "no route"))
        times = sorted(t for t in self.values if from_ms <= t < to_ms)[:limit]
        return Batch.of([series.id] * len(times), times, [self.values[t] for t in times], 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[StoreReader]:
    del store
    opened = StoreReader(tmp_path / "store")
    yield opened
    opened.close()


def write(store: Store, values: dict[int, float], begun_ms: int = BORDER_MS) -> None:
    rows = Batch.of([SALINITY.id] * len(values), list(values), list(values.values()), 1)
    with store.transaction():
        store.put_series([series.key for series in TABLE.entries])
        store.put_readings(rows, 1)
        store.put_change(rows, 0)
        store.begun(begun_ms)
    while store.roll_up(1_000):
        pass


def asked(
    store: StoreReader, historian: Held | None, from_ms: int, to_ms: int, limit: int = 10**6
) -> tuple[dict[int, float], Whence]:
    found, whence = Archive(store, historian).points(SALINITY, from_ms, to_ms, limit)
    return dict(zip(found.t_ms.tolist(), found.value.tolist(), strict=True)), whence


def test_one_answer_from_both_in_order_and_the_store_is_right(
    store: Store, reader: StoreReader
) -> None:
    late, new = BORDER_MS - 5, BORDER_MS + 5
    write(store, {late: 2.0, new: 3.0})
    historian = Held({1: 1.0, late: 9.0, new: 9.0})
    found, whence = asked(reader, historian, 0, 10**9)
    assert list(found.items()) == [(1, 1.0), (late, 2.0), (new, 3.0)]
    assert whence == Whence("both")


@pytest.mark.parametrize(
    ("range_ms", "source"),
    [
        ((BORDER_MS, BORDER_MS * 2), "local"),
        ((0, 100), "influxdb"),
        ((0, BORDER_MS), "both"),
        ((0, BORDER_MS * 2), "both"),
    ],
)
def test_the_source_is_told(
    store: Store, reader: StoreReader, range_ms: tuple[int, int], source: str
) -> None:
    write(store, {BORDER_MS - 5: 2.0, BORDER_MS + 5: 3.0})
    assert asked(reader, Held({1: 1.0}), *range_ms)[1] == Whence(source)


def test_within_its_window_the_store_asks_nobody(store: Store, reader: StoreReader) -> None:
    write(store, {BORDER_MS + 5: 3.0})
    found, whence = asked(reader, Held(away_from_ms=0), BORDER_MS, 10**9)
    assert found == {BORDER_MS + 5: 3.0}
    assert whence.complete


def test_without_a_historian_the_store_is_all_there_is(store: Store, reader: StoreReader) -> None:
    write(store, {7: 2.0, BORDER_MS + 5: 3.0})
    assert asked(reader, None, 0, 10**9) == ({7: 2.0, BORDER_MS + 5: 3.0}, Whence())


def test_where_the_historian_is_away_the_range_is_told(store: Store, reader: StoreReader) -> None:
    write(store, {7: 2.0, BORDER_MS + 5: 3.0})
    found, whence = asked(reader, Held({1: 1.0}, away_from_ms=0), 0, 10**9)
    assert found == {7: 2.0, BORDER_MS + 5: 3.0}
    assert whence == Whence("local", ((0, BORDER_MS),))
    assert not whence.complete
    windows, whence = Archive(reader, Held(away_from_ms=0)).windows(SALINITY, 0, 10**9, HOUR_MS, 0)
    assert windows.mean.tolist() == [2.0, 3.0]
    assert not whence.complete


def test_a_historian_that_goes_in_the_middle_leaves_what_it_gave(
    store: Store, reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PAGE_ROWS", 2)
    write(store, {BORDER_MS + 5: 3.0})
    found, whence = asked(reader, Held({1: 1.0, 2: 1.5, 3: 1.7}, away_from_ms=3), 0, 10**9)
    assert found == {1: 1.0, 2: 1.5, BORDER_MS + 5: 3.0}
    assert whence == Whence("both", ((3, BORDER_MS),))


def test_what_retention_removed_comes_from_the_historian(store: Store, reader: StoreReader) -> None:
    values = {k * HOUR_MS: float(k) for k in range(1, 9)}
    write(store, values, begun_ms=0)
    assert store.forget_before(5 * HOUR_MS, 1, 100) == 4
    found, whence = asked(reader, Held(values), 0, 10**9)
    assert found == values
    assert whence == Whence("both")
    assert len(asked(reader, None, 0, 10**9)[0]) == 4


times = st.dictionaries(st.integers(0, 40), st.integers(0, 9).map(float), max_size=25)


@given(near=times, far=times, begin=st.integers(0, 40), length=st.integers(1, 40))
def test_any_two_halves_give_what_one_store_would(
    near: dict[int, float],
    far: dict[int, float],
    begin: int,
    length: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("archive") / "store"
    border = 20
    historian = Held({t: v for t, v in far.items() if t < border})
    expected = {
        t: v for t, v in sorted({**historian.values, **near}.items()) if begin <= t < begin + length
    }
    store = Store(path)
    write(store, near, begun_ms=border)
    reader = StoreReader(path)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(archive, "PAGE_ROWS", 3)
            found, _ = asked(reader, historian, begin, begin + length)
            assert list(found.items()) == list(expected.items())
            first, _ = asked(reader, historian, begin, begin + length, limit=4)
            assert list(first.items()) == list(expected.items())[:4]
            windows, _ = Archive(reader, historian).windows(SALINITY, begin, begin + length, 7, 3)
            assert windows.n.sum() == len(expected)
            assert windows.start_ms.tolist() == sorted({(t - 3) // 7 * 7 + 3 for t in expected})
    finally:
        store.close()
        reader.close()
