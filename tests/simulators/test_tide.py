"""The tide against published heights, fitted gates, and an independent library."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import utide
from utide._ut_constants import ut_constants
from utide.harmonics import FUV

from simulators.tide import (
    SEASONAL,
    VUNG_TAU,
    VUNG_TAU_MSL_M,
    coastal_bands,
    height_m,
    river_constituents,
)

assert utide.__version__  # the oracle below is its harmonics, by their own names


def _at(*when: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(datetime(*when, tzinfo=UTC).timestamp() * 1000)])  # type: ignore[misc,arg-type]


def test_vung_tau_on_12_march_2024_is_as_predicted_and_near_the_bulletin() -> None:
    morning = _at(2024, 3, 11, 19, 30)  # 02:30 on the 12th in Vietnam
    tidal = tuple(tide for tide in VUNG_TAU if tide.name != "SA")
    assert height_m(morning, tidal, VUNG_TAU_MSL_M)[0] == pytest.approx(4.15, abs=0.01)
    assert height_m(morning, mean_m=VUNG_TAU_MSL_M)[0] == pytest.approx(4.2, abs=0.03)


def test_vung_tau_on_8_and_9_march_2023_was_as_predicted_but_for_the_wind() -> None:
    days = _at(2023, 3, 7, 17)[0] + np.arange(2 * 144, dtype=np.int64) * 600_000
    tidal = tuple(tide for tide in VUNG_TAU if tide.name != "SA")
    highest = height_m(days, tidal, VUNG_TAU_MSL_M).max()
    assert highest == pytest.approx(3.78, abs=0.015)
    # 3.95 m was seen. With the season's mean there are 10 cm left, without it 18: a set-up
    # as the monsoon makes it (test_weather holds the simulated one to it).
    assert 0.05 < 3.95 - height_m(days, mean_m=VUNG_TAU_MSL_M).max() < 3.95 - highest < 0.20


@pytest.mark.parametrize(("later_h", "allowed_m"), [(0.0, 0.011), (-2.5, 0.06), (-4.0, 0.09)])
def test_two_turning_bands_are_the_tide_some_hours_before(later_h: float, allowed_m: float) -> None:
    t_ms = _at(2024, 2, 1)[0] + np.arange(60 * 96, dtype=np.int64) * 900_000
    kept = tuple(t for t in river_constituents(0.0) if t.name not in {*SEASONAL, "M4"})
    whole = height_m(t_ms + round(later_h * 3_600_000), kept)
    assert np.abs(coastal_bands(t_ms).height_m(later_h) - whole).max() < allowed_m


def test_twenty_years_agree_with_utide_to_a_centimetre_and_a_half() -> None:
    # Over a whole turn of the moon's node, so that every nodal factor is seen.
    t_ms = np.arange(1_104_537_600_000, 1_735_689_600_000, 26_434_567, dtype=np.int64)
    tidal = [tide for tide in VUNG_TAU if tide.name not in SEASONAL]
    names = list(ut_constants["const"]["name"])
    days = t_ms / 86_400_000 + 719_163
    index = np.array([names.index(tide.name) for tide in tidal])
    factor, angle, argument = FUV(days, days.mean(), index, 10.34, [0, 0, 0, 0])
    expected = sum(
        tide.amplitude_m
        * factor[:, row]
        * np.cos(2 * np.pi * (angle[:, row] + argument[:, row]) - np.radians(tide.phase_deg))
        for row, tide in enumerate(tidal)
    )
    off = height_m(t_ms, tuple(tidal)) - expected
    assert np.sqrt((off**2).mean()) < 0.006
    assert np.abs(off).max() < 0.015


def test_constituents_are_those_published(recorded: Callable[[str], Path]) -> None:
    file = recorded("standards/vung_tau-383-vnm-uhslc_fd.json")
    published = json.loads(file.read_text())
    found = {each["name"]: each for each in published["harmonic_constituents"]}
    for tide in VUNG_TAU:
        assert tide.amplitude_m == pytest.approx(found[tide.name]["amplitude"], abs=1e-4)
        assert tide.phase_deg == pytest.approx(found[tide.name]["phase"], abs=0.01)
    assert published["datums"]["MSL"] == VUNG_TAU_MSL_M


@pytest.mark.parametrize(
    ("km", "name", "amplitude_m", "phase_deg"),
    [
        (0, "M2", 0.786, 190.4),
        (0, "O1", 0.411, 161.5),
        (23, "M2", 0.734, 233.2),
        (23, "S2", 0.272, 271.9),
        (42, "M2", 0.758, 245.2),
        (42, "K1", 0.523, 232.5),
        (42, "O1", 0.382, 187.0),
        (42, "S2", 0.257, 282.2),
        (42, "N2", 0.132, 224.4),
    ],
)
def test_constituents_at_the_gates_are_those_fitted_there(
    km: float, name: str, amplitude_m: float, phase_deg: float
) -> None:
    tide = next(each for each in river_constituents(km) if each.name == name)
    assert tide.amplitude_m == pytest.approx(amplitude_m, rel=0.01)
    assert tide.phase_deg == pytest.approx(phase_deg, abs=0.6)


def test_what_was_not_fitted_goes_with_its_next_of_kin_and_beyond_the_last_gate_dies_away() -> None:
    at_sea, gate, beyond = (
        {tide.name: tide for tide in river_constituents(km)} for km in (0.0, 42.0, 192.0)
    )
    for name, kin in (("P1", "K1"), ("Q1", "O1"), ("K2", "S2")):
        for found in (at_sea, gate, beyond):
            plain = {tide.name: tide for tide in VUNG_TAU}
            lag_deg = found[kin].phase_deg - plain[kin].phase_deg
            assert found[name].phase_deg - plain[name].phase_deg == pytest.approx(lag_deg)
            ratio = found[kin].amplitude_m / plain[kin].amplitude_m
            assert found[name].amplitude_m / plain[name].amplitude_m == pytest.approx(ratio)
    twice_deg = 2.0 * (gate["M2"].phase_deg - at_sea["M2"].phase_deg)  # M4 is M2 on itself
    assert gate["M4"].phase_deg - at_sea["M4"].phase_deg == pytest.approx(twice_deg)
    assert beyond["M2"].amplitude_m == pytest.approx(gate["M2"].amplitude_m / np.e)
    per_km = (245.2 - 233.2) / 19.0  # as between the last two gates
    later_deg = beyond["M2"].phase_deg - gate["M2"].phase_deg
    assert later_deg == pytest.approx(150.0 * per_km, rel=0.02)


def test_high_water_comes_to_xuan_hoa_two_hours_after_the_coast() -> None:
    t_ms = np.arange(1_709_251_200_000, 1_711_929_600_000, 600_000, dtype=np.int64)
    coast, inland = (height_m(t_ms, river_constituents(km)) for km in (0.0, 42.0))
    likeness = [np.corrcoef(inland[lag:], coast[: len(coast) - lag])[0, 1] for lag in range(30)]
    assert 9 <= int(np.argmax(likeness)) <= 13  # tens of minutes: 1.9 h for M2, less for K1
