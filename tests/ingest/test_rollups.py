"""Hours and days are what a plain loop over the readings gives, whatever happened in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.history import StoreReader
from ingest.reading import Batch
from ingest.rollups import HOUR_MS, Windows
from ingest.store import Store

DAY_MS = 24 * HOUR_MS
OFFSET_MS = -7 * HOUR_MS
Reading = tuple[int, float, int]

readings = st.lists(
    st.tuples(
        st.integers(1, 40).map(lambda n: n * HOUR_MS // 3),
        st.integers(-50, 50).map(float),
        st.sampled_from((1, 2, 3, 4)),
    ),
    max_size=12,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def write(store: Store, rows: list[Reading], position: int = 1) -> None:
    if not rows:
        return
    t_ms, value, flag = zip(*rows, strict=True)
    batch = Batch.of([0] * len(rows), t_ms, value, flag)
    with store.transaction():
        store.put_series(["vk-01/salinity_g_l"])
        store.put_readings(batch, position)
        store.put_change(batch, 0)


def plain(kept: dict[int, tuple[float, int]], step_ms: int, offset_ms: int) -> list[list[float]]:
    """What a plain loop makes of readings: start, n, n_good, mean, low, high, last."""
    found: dict[int, list[tuple[int, float, int]]] = {}
    for t, (value, flag) in sorted(kept.items()):
        if flag <= 3:
            found.setdefault((t - offset_ms) // step_ms * step_ms + offset_ms, []).append(
                (t, value, flag)
            )
    rows: list[list[float]] = []
    for start, inside in sorted(found.items()):
        values = [value for _, value, _ in inside]
        good = sum(flag == 1 for _, _, flag in inside)
        mean = round(sum(values) / len(values), 4)
        rows.append([start, len(values), good, mean, min(values), max(values), values[-1]])
    return rows


def listed(windows: Windows) -> list[list[float]]:
    columns = [getattr(windows, name) for name in Windows.__slots__]
    columns[3] = columns[3].round(4)
    return [list(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


@given(
    steps=st.lists(
        st.one_of(
            readings,
            st.sampled_from(("roll", "forget early", "forget")),
        ),
        max_size=10,
    ),
    window=st.sampled_from(((HOUR_MS, 0), (DAY_MS, OFFSET_MS), (3 * HOUR_MS, OFFSET_MS))),
)
def test_hours_and_days_equal_a_plain_loop(
    steps: list[list[Reading] | str],
    window: tuple[int, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Late, revised and forgotten readings, summed up at any moment or not yet.

    What was forgotten is gone as a reading, so a second word about it would count again: the
    store's duplicates look no further back than it keeps, and so does this test.
    """
    path = tmp_path_factory.mktemp("rollups") / "store"
    store, reader = Store(path), None
    kept: dict[int, tuple[float, int]] = {}
    forgotten_ms = 0
    try:
        for step in steps:
            if isinstance(step, list):
                last_words = {row[0]: row for row in step}.values()
                fresh = [r for r in last_words if r[0] >= forgotten_ms or r[0] not in kept]
                write(store, fresh)
                kept.update({t: (value, flag) for t, value, flag in fresh})
            elif step == "roll":
                while store.roll_up(3):
                    pass
            else:
                border_ms = (4 if step == "forget early" else 9) * HOUR_MS
                while store.roll_up(100):
                    pass
                store.forget_before(border_ms, 1, 1_000)
                forgotten_ms = max(forgotten_ms, border_ms)
        reader = StoreReader(path)
        step_ms, offset_ms = window
        found = reader.windows(0, 0, 3 * DAY_MS, step_ms, offset_ms)
        assert listed(found) == plain(kept, step_ms, offset_ms)
    finally:
        store.close()
        if reader is not None:
            reader.close()


def test_windows_that_are_cut_by_the_range_hold_only_what_is_in_it(
    store: Store, tmp_path: Path
) -> None:
    half = HOUR_MS // 2
    write(store, [(k * half, float(k), 1) for k in range(1, 12)])
    while store.roll_up(5):
        pass
    reader = StoreReader(tmp_path / "store")
    found = reader.windows(0, half + 1, 5 * half, HOUR_MS, 0)
    assert found.start_ms.tolist() == [HOUR_MS, 2 * HOUR_MS]
    assert found.n.tolist() == [2, 1]
    assert found.mean.tolist() == [2.5, 4.0]
    reader.close()


def test_rollups_are_what_long_ranges_are_answered_from(store: Store, tmp_path: Path) -> None:
    """A reading removed behind the store's back stands in the hour's sum all the same."""
    write(store, [(k * HOUR_MS, float(k), 1) for k in range(1, 6)])
    while store.roll_up(100):
        pass
    store.connection.execute("DELETE FROM reading")
    reader = StoreReader(tmp_path / "store")
    assert reader.windows(0, 0, DAY_MS, HOUR_MS, 0).mean.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert reader.windows(0, 0, DAY_MS, HOUR_MS // 2, 0).n.tolist() == []
    reader.close()


def test_what_is_not_summed_up_yet_is_not_forgotten(store: Store, tmp_path: Path) -> None:
    write(store, [(k * HOUR_MS, float(k), 1) for k in range(1, 6)])
    assert store.forget_before(9 * HOUR_MS, 1, 100) == 0
    while store.roll_up(100):
        pass
    assert store.forget_before(9 * HOUR_MS, 1, 100) == 5
    reader = StoreReader(tmp_path / "store")
    assert reader.windows(0, 0, DAY_MS, DAY_MS, 0).n.tolist() == [5]
    assert reader.reach().readings_ms == 9 * HOUR_MS
    reader.close()
