from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.known import Known
from ingest.payload import SalinitySample
from ingest.probes import ProbeRows, Probes
from ingest.reading import Batch, Why
from ingest.refusal import Reason
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from ingest.store import Store
from tests.songtien.feed import BEGIN_MS, REGISTRY

TABLE = SeriesTable.of(parse_registry(REGISTRY, "stations.toml"))
Found = dict[tuple[str, int], float]


class Shore:
    """Probes over a store; each `take` is one entry of the journal."""

    def __init__(self) -> None:
        self.store = Store(Path(":memory:"))
        self.probes = Probes(TABLE)
        self.position = 0

    def take(self, *samples: SalinitySample, device: str | Sequence[str] = "mt-01") -> ProbeRows:
        self.position += 1
        devices = [device] * len(samples) if isinstance(device, str) else device
        numbers = [self.probes.numbers[each] for each in devices]
        taken = self.probes.take(numbers, samples, Known(self.store, self.position))
        plain = Batch.of(taken.rows.series, taken.rows.t_ms, taken.rows.value)
        self.store.put_readings(plain, self.position)
        return taken

    def restart(self) -> None:
        self.probes = Probes(TABLE, unpack(pack(self.probes.snapshot())))

    def stored(self) -> Found:
        with self.store.transaction() as connection:
            rows = connection.execute("SELECT series, t, value FROM reading").fetchall()
        return {(TABLE.entries[series].key, t): value for series, t, value in rows}


def keyed(rows: Batch) -> Found:
    keys = [TABLE.entries[series].key for series in rows.series.tolist()]
    return dict(zip(zip(keys, rows.t_ms.tolist(), strict=True), rows.value.tolist(), strict=True))


def sample(t: int = 0, **fields: float) -> SalinitySample:
    return SalinitySample(BEGIN_MS + t, **fields)  # type: ignore[arg-type]


def test_a_sample_gives_its_quantities_and_what_follows_from_them() -> None:
    taken = Shore().take(sample(ec_ms_cm=12.31, temp_c=28.4, level_m=1.25, sal_g_l=6.5))
    assert keyed(taken.rows) == {
        ("mt-01/conductivity_ms_cm", BEGIN_MS): 12.31,
        ("mt-01/temperature_c", BEGIN_MS): 28.4,
        ("mt-01/water_level_m", BEGIN_MS): 1.25,
        ("mt-01/salinity_g_l", BEGIN_MS): 6.5868,
        ("mt-01/salinity_probe_g_l", BEGIN_MS): 6.5,
    }
    assert taken.sample.tolist() == [0] * 5
    assert (taken.duplicates, taken.refused) == (0, {})


def test_a_probe_s_own_salinity_is_the_salinity_where_there_is_no_other() -> None:
    shore = Shore()
    assert keyed(shore.take(sample(sal_g_l=6.5)).rows) == {("mt-01/salinity_g_l", BEGIN_MS): 6.5}
    # The first stands: what is derived later doesn't take its place.
    later = shore.take(sample(ec_ms_cm=12.31, temp_c=28.4))
    assert set(keyed(later.rows)) == {
        ("mt-01/conductivity_ms_cm", BEGIN_MS),
        ("mt-01/temperature_c", BEGIN_MS),
    }
    assert shore.stored()["mt-01/salinity_g_l", BEGIN_MS] == 6.5


def test_the_same_again_is_a_duplicate_also_within_one_entry_and_rounded() -> None:
    shore = Shore()
    taken = shore.take(sample(sal_g_l=1.0), sample(sal_g_l=1.00001), sample(1, sal_g_l=1.0))
    assert (taken.duplicates, len(taken.rows)) == (1, 2)
    assert shore.take(sample(sal_g_l=1.0)).duplicates == 1


def test_another_value_is_a_conflict_and_brings_nothing_else_with_it() -> None:
    shore = Shore()
    shore.take(sample(sal_g_l=1.0))
    taken = shore.take(sample(sal_g_l=2.0, level_m=3.0), sample(1, sal_g_l=2.0))
    assert taken.refused[0].reason is Reason.CONFLICT
    assert "1.0 stands" in taken.refused[0].detail
    assert keyed(taken.rows) == {("mt-01/salinity_g_l", BEGIN_MS + 1): 2.0}
    assert taken.sample.tolist() == [1]


def test_temperature_that_comes_later_makes_salinity_of_conductivity() -> None:
    shore = Shore()
    shore.take(sample(ec_ms_cm=12.31))
    taken = shore.take(sample(temp_c=28.4))
    assert keyed(taken.rows) == {
        ("mt-01/temperature_c", BEGIN_MS): 28.4,
        ("mt-01/salinity_g_l", BEGIN_MS): 6.5868,
    }


def test_two_probes_at_one_time_are_two_samples() -> None:
    taken = Shore().take(sample(sal_g_l=1.0), sample(sal_g_l=2.0), device=("mt-01", "mt-02"))
    assert keyed(taken.rows) == {
        ("mt-01/salinity_g_l", BEGIN_MS): 1.0,
        ("mt-02/salinity_g_l", BEGIN_MS): 2.0,
    }


def test_air_is_told_of_what_is_measured_in_water_and_not_of_the_battery() -> None:
    taken = Shore().take(sample(ec_ms_cm=0.02, temp_c=28.0, battery_v=3.7))
    dry = {
        TABLE.entries[series].quantity
        for series, is_dry in zip(taken.rows.series.tolist(), taken.dry.tolist(), strict=True)
        if is_dry
    }
    assert dry == {"conductivity_ms_cm", "salinity_g_l"}


def test_simulated_samples_say_so() -> None:
    taken = Shore().take(SalinitySample(BEGIN_MS, sal_g_l=1.0, sim=True), sample(1, sal_g_l=1.0))
    assert taken.rows.why.tolist() == [Why.SIMULATED, 0]


def test_a_restart_knows_what_is_not_surely_new() -> None:
    shore = Shore()
    shore.take(sample(5, sal_g_l=1.0))
    shore.restart()
    assert shore.take(sample(5, sal_g_l=1.0)).duplicates == 1
    assert len(shore.take(sample(4, sal_g_l=1.0)).rows) == 1


# A naive model: one sample at a time, everything remembered.


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "ec_ms_cm": st.sampled_from([1.0, 1.00001, 12.31]),
        "temp_c": st.sampled_from([25.0, 28.4]),
        "sal_g_l": st.sampled_from([0.5, 6.5]),
        "level_m": st.sampled_from([0.0, 1.0]),
    },
).filter(bool)
ARRIVALS = st.lists(
    st.tuples(st.sampled_from(["mt-01", "mt-02"]), st.integers(0, 3), FIELDS), max_size=25
)


def take_in_pieces(
    arrivals: list[tuple[str, int, dict[str, float]]], sizes: list[int], restart: int
) -> tuple[Found, int, int, list[str]]:
    shore, at = Shore(), 0
    duplicates, refused = 0, list[str]()
    rows = 0
    for size in [*sizes, len(arrivals)]:
        piece = arrivals[at : at + size]
        if not piece:
            continue
        if at >= restart:
            shore.restart()
        taken = shore.take(*(sample(t, **f) for _, t, f in piece), device=[d for d, _, _ in piece])
        duplicates += taken.duplicates
        refused += [taken.refused[n].detail for n in sorted(taken.refused)]
        rows += len(taken.rows)
        assert not set(taken.sample.tolist()) & set(taken.refused)
        at += size
    stored = shore.stored()
    shore.store.close()
    assert rows == len(stored), "a reading was given twice"
    return stored, duplicates, len(refused), refused


@settings(max_examples=150, deadline=None)
@given(ARRIVALS, st.lists(st.integers(1, 6), max_size=25), st.integers(0, 25))
def test_any_split_gives_the_same_readings_duplicates_and_conflicts(
    arrivals: list[tuple[str, int, dict[str, float]]], sizes: list[int], restart: int
) -> None:
    one_by_one = take_in_pieces(arrivals, [1] * len(arrivals), 99)
    assert take_in_pieces(arrivals, sizes, restart) == one_by_one


@settings(max_examples=100, deadline=None)
@given(ARRIVALS)
def test_all_of_it_once_more_brings_nothing(
    arrivals: list[tuple[str, int, dict[str, float]]],
) -> None:
    shore = Shore()
    for device, t, fields in arrivals:
        shore.take(sample(t, **fields), device=device)
    before = shore.stored()
    for device, t, fields in reversed(arrivals):
        taken = shore.take(sample(t, **fields), device=device)
        assert taken.duplicates + len(taken.refused) == 1
    after = shore.stored()
    shore.store.close()
    assert after == before
    assert not np.isnan(list(after.values())).any()
