"""The estuary against what was published of the dry season of 2024, within stated tolerances.

| | published | accepted |
|---|---|---|
| Xuân Hòa, mean of daily maxima, Feb-Apr | 4.2 g/L | 25 % |
| Xuân Hòa, mean range within a day | 2.8 g/L | 20 % |
| Xuân Hòa, change in an hour, median and 95th percentile | 0.26, 1.0 g/L | 30 % |
| Xuân Hòa, maximum behind high water | 2 h | 20 min |
| Hòa Bình, highest of the season | 13.9 to 20 g/L | inside |
| Vàm Kênh, highest of the season | 25 to 28 g/L | 15 % |
| 4 g/L line, highest of March | 50 to 62 km on the Tiểu | 10 % |
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import FloatArray
from simulators.estuary import (
    RIVER_G_L,
    SEA_G_L,
    River,
    Spell,
    climate_discharge_m3_s,
    level_m,
    salinity,
)

FEBRUARY_MS = 1_706_720_400_000  # 01/02/2024 00:00 in Vietnam
DAYS = 89
QUARTERS = FEBRUARY_MS + np.arange(DAYS * 96, dtype=np.int64) * 900_000
DAY_MS = 86_400_000


def _by_day(values: FloatArray) -> FloatArray:
    return values.reshape(DAYS, 96)


def test_daily_maximum_and_range_at_xuan_hoa_are_those_of_2024() -> None:
    days = _by_day(salinity(QUARTERS, 42.0, "cua-tieu", River()))
    assert days.max(axis=1).mean() == pytest.approx(4.2, rel=0.25)
    assert (days.max(axis=1) - days.min(axis=1)).mean() == pytest.approx(2.8, rel=0.20)


def test_hourly_change_at_xuan_hoa_is_that_of_2024() -> None:
    found = salinity(QUARTERS, 42.0, "cua-tieu", River())
    change = np.abs(found[4:] - found[:-4])
    assert np.percentile(change, 50) == pytest.approx(0.26, rel=0.30)
    assert np.percentile(change, 95) == pytest.approx(1.0, rel=0.30)


def test_maximum_at_xuan_hoa_comes_two_hours_after_high_water() -> None:
    minutes = FEBRUARY_MS + np.arange(14 * 24 * 12, dtype=np.int64) * 300_000
    salt = salinity(minutes, 42.0, "cua-tieu", River(discharge_m3_s=2700.0))
    level = level_m(minutes, 42.0, River())
    likeness = [np.corrcoef(salt[lag:], level[: len(level) - lag])[0, 1] for lag in range(48)]
    assert 20 <= int(np.argmax(likeness)) <= 28  # fives of minutes


def test_highest_values_towards_the_sea_are_those_known() -> None:
    assert 13.9 <= salinity(QUARTERS, 18.1, "cua-tieu", River()).max() <= 20.0
    assert 25 * 0.85 <= salinity(QUARTERS, 2.0, "cua-tieu", River()).max() <= 28 * 1.15


def test_the_4_g_l_line_of_march_lies_where_bulletins_put_it() -> None:
    march = QUARTERS[29 * 96 : 60 * 96]
    kilometres = np.arange(35.0, 80.0, 0.5)
    highest = np.array([salinity(march, km, "cua-tieu", River()).max() for km in kilometres])
    line_km = kilometres[highest > 4.0].max()
    assert 50 * 0.9 <= line_km <= 62 * 1.1
    further = np.array([salinity(march, km, "ham-luong", River()).max() for km in kilometres])
    assert kilometres[further > 4.0].max() > line_km + 5.0


def test_the_flood_season_is_fresh_but_near_the_sea() -> None:
    october = 1_727_715_600_000 + np.arange(31 * 96, dtype=np.int64) * 900_000
    assert salinity(october, 18.1, "cua-tieu", River()).max() < 0.5
    assert salinity(october, 2.0, "cua-tieu", River()).max() > 4.0


def test_springs_bring_more_salt_than_neaps() -> None:
    days = _by_day(salinity(QUARTERS, 46.0, "cua-tieu", River(discharge_m3_s=2700.0)))
    highest = days.max(axis=1)
    fortnight = highest[:84].reshape(6, 14)
    assert (fortnight.max(axis=1) > 1.1 * fortnight.min(axis=1)).all()


def test_a_surge_brings_the_salt_up_and_goes_again() -> None:
    spell = Spell(FEBRUARY_MS + 40 * DAY_MS, FEBRUARY_MS + 41 * DAY_MS, surge_m=0.4)
    plain = _by_day(salinity(QUARTERS, 42.0, "cua-tieu", River()))
    surged = _by_day(salinity(QUARTERS, 42.0, "cua-tieu", River(spells=(spell,))))
    assert surged[40].max() > plain[40].max() + 2.0
    others = np.arange(DAYS) != 40
    assert np.abs(surged[others] - plain[others]).max() < 1e-9
    raised = level_m(QUARTERS, 42.0, River(spells=(spell,))) - level_m(QUARTERS, 42.0, River())
    assert raised.max() == pytest.approx(0.4, abs=0.01)


@given(
    km=st.floats(-5.0, 120.0),
    t_ms=st.integers(1_577_836_800_000, 1_893_456_000_000),
    discharge=st.floats(1500.0, 25_000.0),
)
def test_salinity_lies_between_the_river_and_the_sea_and_falls_with_distance(
    km: float, t_ms: int, discharge: float
) -> None:
    # At slack over a day: the mean falls strictly, whatever the lag between two places.
    day = t_ms + np.arange(25, dtype=np.int64) * 3_600_000
    river = River(discharge_m3_s=discharge)
    here, above = (salinity(day, km + d, "cua-tieu", river) for d in (0.0, 5.0))
    assert (here >= RIVER_G_L).all()
    assert (here <= SEA_G_L).all()
    assert above.mean() <= here.mean() + 1e-9


def test_discharge_is_least_in_april_and_greatest_in_september() -> None:
    days = 1_704_067_200_000 + np.arange(365, dtype=np.int64) * DAY_MS
    discharge = climate_discharge_m3_s(days)
    assert 60 <= int(np.argmin(discharge)) <= 120
    assert 240 <= int(np.argmax(discharge)) <= 280
    assert np.abs(np.diff(discharge)).max() < 250  # no step from month to month


def test_the_season_can_be_played_at_another_date() -> None:
    half_a_year_ms = 182 * DAY_MS
    later = QUARTERS + half_a_year_ms
    assert (
        salinity(later, 42.0, "cua-tieu", River(season_shift_ms=-half_a_year_ms)).max()
        > 3.0
        > salinity(later, 42.0, "cua-tieu", River()).max()
    )
