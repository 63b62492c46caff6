"""A probe's conductivity must read back as the salinity that the river has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import DECIMALS, rounded
from ingest.salinity import derive, salinity_g_l
from simulators.noise import normal, slow
from simulators.probe import conductivity_ms_cm, readings, water_temperature_c

T_MS = 1_710_000_000_000 + np.arange(144, dtype=np.int64) * 600_000


@given(salinity=st.floats(0.05, 40.0), temp_c=st.floats(15.0, 35.0))
def test_conductivity_is_the_inverse_of_what_the_service_derives(
    salinity: float, temp_c: float
) -> None:
    truth, temp = np.array([salinity]), np.array([temp_c])
    assert salinity_g_l(conductivity_ms_cm(truth, temp), temp)[0] == pytest.approx(
        salinity, abs=1e-6
    )


@given(
    salinity=st.floats(0.05, 40.0),
    temp_c=st.floats(15.0, 35.0),
    compensated=st.booleans(),
)
def test_what_goes_on_the_wire_reads_back_to_a_tenth_of_a_milligram(
    salinity: float, temp_c: float, *, compensated: bool
) -> None:
    # A probe sends four decimals of conductivity, at its own temperature or at 25 °C.
    truth, temp = np.array([salinity]), rounded(np.array([temp_c]))
    field = "ec25_ms_cm" if compensated else "ec_ms_cm"
    at_c = np.array([25.0]) if compensated else temp
    sent = {field: rounded(conductivity_ms_cm(truth, at_c)), "temp_c": temp}
    assert derive(sent)["salinity_g_l"][0] == pytest.approx(salinity, abs=1e-4)


def test_four_grams_a_litre_conduct_as_the_tables_say() -> None:
    # Practical salinity 4 at 28 °C is 4.016 g/L and 7.72219 mS/cm (gsw).
    found = conductivity_ms_cm(np.array([4.0156]), np.array([28.0]))[0]
    assert found == pytest.approx(7.72219, abs=2e-3)


def test_water_is_warmest_in_the_afternoon_and_in_april() -> None:
    year = 1_704_042_000_000 + np.arange(366 * 24, dtype=np.int64) * 3_600_000  # 2024 in Vietnam
    warm = water_temperature_c(year, np.zeros(len(year))).reshape(366, 24)
    assert set(warm.argmax(axis=1)) == {15}
    assert 91 <= int(warm.mean(axis=1).argmax()) < 121


@pytest.mark.parametrize("compensated", [False, True])
def test_a_probe_reads_within_its_noise(*, compensated: bool) -> None:
    truth = np.linspace(0.1, 28.0, len(T_MS))
    noise = normal(T_MS, 4, 1, "x", "vk-01")
    seen = readings(T_MS, truth, np.zeros(len(T_MS)), noise, compensated)
    derived = derive(seen)["salinity_g_l"]
    off = derived - truth
    assert np.abs(off).max() < 4.5 * (0.004 * 28.0 + 0.002)
    assert off.std() > 0.005  # it is noisy
    assert ("ec25_ms_cm" in seen) is compensated


def test_samples_are_rounded_and_in_range() -> None:
    level = np.sin(np.arange(len(T_MS)) / 10) * 2.5
    seen = readings(T_MS, np.full(len(T_MS), 3.0), level, normal(T_MS, 4, 1, "a"))
    for values in seen.values():
        assert (np.round(values, DECIMALS) == values).all()
    assert seen["depth_m"].min() > 0.2  # never out of the water: dry would fail it
    assert 3.2 < seen["battery_v"].min() < seen["battery_v"].max() < 4.2
    assert 24.0 < seen["temp_c"].min() < seen["temp_c"].max() < 33.0


def test_a_level_of_its_own_says_its_depth() -> None:
    truth, noise = np.full(len(T_MS), 5.0), np.zeros((len(T_MS), 4))
    bottom = readings(T_MS, truth, truth, noise, level_depth_m=6.0)
    assert set(bottom["depth_m"]) == {6.0}


def test_what_a_probe_is_off_by_drifts_and_does_not_jump() -> None:
    tens = 1_710_000_000_000 + np.arange(8640, dtype=np.int64) * 10_000
    found = slow(tens, 1, 1, "vk-01")[:, 0]
    # From one quarter of an hour to the next at most some standard deviations, in 90 steps.
    assert np.abs(np.diff(found)).max() < 6.0 / 90
    assert 0.5 < found.std() < 1.2
    assert (slow(tens[100:200], 1, 1, "vk-01")[:, 0] == found[100:200]).all()


def test_noise_belongs_to_a_time_not_to_a_run() -> None:
    whole = normal(T_MS, 2, 7, "a", "b")
    assert (normal(T_MS[50:60], 2, 7, "a", "b") == whole[50:60]).all()
    assert (normal(T_MS, 2, 8, "a", "b") != whole).any()
    assert (normal(T_MS, 2, 7, "a", "c") != whole).any()
