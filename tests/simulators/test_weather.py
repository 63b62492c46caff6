"""Weather from day to day: draws that belong to a day, and waves through them."""

import numpy as np
import pytest

from ingest.reading import FloatArray
from simulators.tide import VUNG_TAU_MSL_M, height_m
from simulators.weather import Weather, discharge_share, setup_m

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DECEMBER_MS = 1_701_363_600_000  # 01/12/2023 00:00 in Vietnam
SEASON = DECEMBER_MS + np.arange(150 * 24, dtype=np.int64) * HOUR_MS


def _seasons(count: int = 20) -> list[FloatArray]:
    return [setup_m(SEASON, Weather(seed)) for seed in range(count)]


def test_the_strongest_burst_of_a_season_raises_the_sea_by_20_to_50_cm() -> None:
    highest = [found.max() for found in _seasons()]
    assert 0.2 < min(highest) < max(highest) <= 0.5
    assert 0.28 < np.median(highest) < 0.45
    assert np.abs(np.mean(_seasons())) < 0.02  # the mean of the season is the tide's


def test_a_burst_lasts_days_and_comes_smoothly() -> None:
    for found in _seasons(5):
        assert np.abs(np.diff(found)).max() < 0.03  # m in an hour
    together = np.concatenate([found - found.mean() for found in _seasons()])
    after = 36
    likeness = np.mean(together[after:] * together[:-after]) / np.mean(together**2)
    assert 0.3 < likeness < 0.8


def test_no_monsoon_blows_from_mid_june_to_mid_october() -> None:
    summer = DECEMBER_MS + (200 + np.arange(110, dtype=np.int64)) * DAY_MS
    assert np.abs(setup_m(summer, Weather(1))).max() < 1e-9
    assert np.abs(setup_m(SEASON, Weather(1, monsoon=0.0))).max() == 0.0
    assert setup_m(SEASON, Weather(1, monsoon=2.0)).max() > 1.9 * setup_m(SEASON, Weather(1)).max()


def test_what_the_tide_missed_in_march_2023_is_what_wind_may_do() -> None:
    # 8 and 9/3/2023 at Vũng Tàu: 3.95 m was seen; the rest over the tide is wind.
    days = 1_678_208_400_000 + np.arange(2 * 144, dtype=np.int64) * 600_000
    tide = height_m(days, mean_m=VUNG_TAU_MSL_M)
    seen = [(tide + setup_m(days, Weather(seed))).max() for seed in range(60)]
    low, high = np.percentile(seen, [10, 95])
    assert low < 3.95 < high


def test_discharge_has_the_spread_that_was_asked_for() -> None:
    days = DECEMBER_MS + np.arange(3000, dtype=np.int64) * DAY_MS
    wave = np.log(discharge_share(days, Weather(2, discharge_spread=0.2)))
    assert wave.std() == pytest.approx(0.2, rel=0.15)
    assert abs(wave.mean()) < 0.03
    assert (discharge_share(days, Weather(2, discharge_spread=0.0)) == 1.0).all()
    assert np.corrcoef(wave[5:], wave[:-5])[0, 1] == pytest.approx(0.5, abs=0.15)
    assert np.abs(np.diff(wave)).max() < 0.15


def test_a_draw_belongs_to_its_seed_and_day() -> None:
    whole = setup_m(SEASON, Weather(4))
    assert np.abs(setup_m(SEASON[700:720], Weather(4)) - whole[700:720]).max() < 1e-12
    assert np.abs(setup_m(SEASON, Weather(5)) - whole).max() > 0.05
    assert len(setup_m(SEASON[:0], Weather(4))) == 0
