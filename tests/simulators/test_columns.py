"""Columns as JSON: the bytes of msgspec, whatever is absent, and a season of them in seconds."""

from itertools import count

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading import rounded
from simulators.columns import Columns, dictionaries, encoded

FIELDS = ("ec_ms_cm", "temp_c", "level_m")
VALUES = st.one_of(st.none(), st.floats(-2e5, 2e5), st.sampled_from([0.0, -0.00004, 1e-4, 12310.0]))


def _columns(rows: list[tuple[float | None, ...]], parts: int) -> Columns:
    times = np.arange(len(rows), dtype=np.int64) * 1000 + 1_767_000_000_000
    values = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=np.float64)
    return Columns(
        at_ms=times,
        t_ms=times + 5,
        part=np.arange(len(rows), dtype=np.int64) % parts,
        fields={name: rounded(values[:, i]) for i, name in enumerate(FIELDS)},
        fixed=tuple((("lane", part), ("dir", "south%bound")) for part in range(parts)),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=12), st.integers(1, 3))
def test_a_row_is_what_msgspec_writes_of_its_dictionary(
    rows: list[tuple[float | None, ...]], parts: int
) -> None:
    columns = _columns(rows, parts)
    expected = []
    for number, row in zip(count(), rows, strict=False):
        said = {"t": int(columns.t_ms[number]), "lane": number % parts, "dir": "south%bound"}
        values = {
            name: float(rounded(np.array(value)))
            for name, value in zip(FIELDS, row, strict=True)
            if value is not None
        }
        expected.append(msgspec.json.encode({**said, **values, "sim": True}))
    assert encoded(columns, sim=True) == expected
    assert [msgspec.json.encode({**d, "sim": True}) for d in dictionaries(columns)] == expected


def test_counts_are_whole_numbers_within_their_object() -> None:
    t1 = np.array([120_000, 180_000])
    columns = Columns(
        at_ms=t1,
        t_ms=t1,
        part=np.zeros(2, dtype=np.int64),
        fields={
            "count.car": np.array([3.0, np.nan]),
            "count.bus": np.array([0.0, np.nan]),
            "cumulative.car": np.array([np.nan, 250.0]),
            "occupancy": np.array([0.5, 0.0]),
            "health.fps": np.array([14.5, 15.0]),
        },
        span_ms=60_000,
    )
    assert encoded(columns) == [
        b'{"t0":60000,"t1":120000,"count":{"car":3,"bus":0},"occupancy":0.5,"health":{"fps":14.5}}',
        b'{"t0":120000,"t1":180000,"cumulative":{"car":250},"occupancy":0.0,"health":{"fps":15.0}}',
    ]
