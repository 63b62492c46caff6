"""The estuary against what was published of the dry seasons, within stated tolerances.

The table stands in docs/simulators.md; here is what a test allows of it.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reading import FloatArray, IntArray, rounded
from simulators.estuary import (
    RIVER_G_L,
    SEA_G_L,
    Place,
    River,
    Spell,
    at_depth_g_l,
    climate_discharge_m3_s,
    discharge_m3_s,
    level_m,
    salinity,
    surface_g_l,
    wind_m,
)
from simulators.weather import Weather

FEBRUARY_MS = 1_706_720_400_000  # 01/02/2024 00:00 in Vietnam
DAYS = 89
QUARTERS = FEBRUARY_MS + np.arange(DAYS * 96, dtype=np.int64) * 900_000
DAY_MS = 86_400_000


XUAN_HOA = Place.of({"cua-tieu": 42.0, "cua-dai": 47.0}, "xuan-hoa")
VAM_GIONG = Place.of({"cua-tieu": 23.0}, "vam-giong")
NEW_YEAR_MS = FEBRUARY_MS - 31 * DAY_MS
UNTIL_JUNE = NEW_YEAR_MS + np.arange(152 * 48, dtype=np.int64) * 1_800_000
MARCH_12 = FEBRUARY_MS + 40 * DAY_MS + np.arange(144, dtype=np.int64) * 600_000
LOW_RIVER = River(discharge_m3_s=2060.0)
"""The discharge of 12/3/2024 is not public: this one suits the eight figures of that day best."""


def _tieu(km: float) -> Place:
    return Place((("cua-tieu", km),))


def _by_day(values: FloatArray) -> FloatArray:
    return values.reshape(DAYS, 96)


def _seasons(place: Place, t_ms: IntArray) -> list[FloatArray]:
    """The same dry season under six weathers."""
    return [surface_g_l(t_ms, place, River(weather=Weather(seed))) for seed in range(6)]


@pytest.mark.parametrize(
    ("place", "highest_g_l", "range_g_l", "allowed"),
    [(XUAN_HOA, 4.2, 2.8, 0.20), (VAM_GIONG, 7.3, 3.4, 0.35)],
)
def test_daily_maximum_and_range_are_those_of_2024(
    place: Place, highest_g_l: float, range_g_l: float, allowed: float
) -> None:
    days = np.concatenate([_by_day(found) for found in _seasons(place, QUARTERS)])
    assert days.max(axis=1).mean() == pytest.approx(highest_g_l, rel=0.15)
    assert (days.max(axis=1) - days.min(axis=1)).mean() == pytest.approx(range_g_l, rel=allowed)


def test_hourly_change_at_xuan_hoa_is_that_of_2024() -> None:
    changes = [np.abs(found[4:] - found[:-4]) for found in _seasons(XUAN_HOA, QUARTERS)]
    found = [float(np.mean([np.percentile(c, q) for c in changes])) for q in (50, 95, 99)]
    assert found[0] == pytest.approx(0.26, rel=0.30)
    assert found[1] == pytest.approx(1.0, rel=0.15)
    assert found[2] == pytest.approx(1.4, rel=0.15)


@pytest.mark.parametrize(
    ("place", "published_g_l"),
    [(XUAN_HOA, (0.54, 1.19, 1.83, 2.02)), (VAM_GIONG, (0.73, 1.57, 2.48, 2.66))],
)
def test_daily_maxima_differ_from_one_day_to_a_later_one_as_in_2024(
    place: Place, published_g_l: tuple[float, ...]
) -> None:
    # Root mean square over January to May: what persistence is off by.
    highest = [found.reshape(152, 48).max(axis=1) for found in _seasons(place, UNTIL_JUNE)]
    for days, published in zip((1, 3, 7, 10), published_g_l, strict=True):
        off = [np.sqrt(np.mean((each[days:] - each[:-days]) ** 2)) for each in highest]
        assert np.mean(off) == pytest.approx(published, rel=0.25)


def test_the_river_on_12_march_2024_falls_off_with_distance_as_gauges_had_it() -> None:
    for km, published in ((42.0, 8.85), (46.0, 6.82), (51.0, 3.82), (55.0, 2.72)):
        highest = surface_g_l(MARCH_12, _tieu(km), LOW_RIVER).max()
        assert highest == pytest.approx(published, rel=0.20)


@pytest.mark.parametrize(
    ("mouth", "km", "published"),
    [
        ("cua-tieu", 71.0, 0.40),  # Thới Lộc
        ("cua-tieu", 74.0, 0.33),  # Tam Bình
        ("ham-luong", 68.0, 1.6),  # Tân Phú
        ("ham-luong", 76.0, 0.8),  # Chợ Lách
    ],
)
def test_salt_comes_from_behind_as_on_12_march_2024(
    mouth: str, km: float, published: float
) -> None:
    highest = surface_g_l(MARCH_12, Place(((mouth, km),)), LOW_RIVER).max()
    assert published / 1.7 <= highest <= published * 1.7


def test_in_a_salty_dry_season_the_tien_is_fresher_in_the_middle() -> None:
    river = River(discharge_m3_s=2200.0)
    kilometres = np.arange(50.0, 90.0, 1.0)
    highest = np.array([surface_g_l(MARCH_12, _tieu(km), river).max() for km in kilometres])
    least = int(np.argmin(highest[kilometres < 68.0]))
    again = least + int(np.argmax(highest[least:]))
    assert 60.0 <= kilometres[least] < kilometres[again] <= 70.0
    assert highest[again] > 1.2 * highest[least]
    assert highest[0] > 4.0 * highest[again]
    assert highest[-1] == pytest.approx(RIVER_G_L, abs=1e-3)
    alone = np.array([salinity(MARCH_12, km, "cua-tieu", river).max() for km in kilometres])
    assert (np.diff(alone) <= 0.0).all()  # it is the way through the Hàm Luông that does it


def test_salt_rises_more_sharply_than_it_falls() -> None:
    found = surface_g_l(MARCH_12, XUAN_HOA, LOW_RIVER)
    change = found[6:] - found[:-6]
    assert change.max() > -1.3 * change.min()


def test_maximum_at_xuan_hoa_comes_two_hours_after_high_water() -> None:
    minutes = FEBRUARY_MS + np.arange(14 * 24 * 12, dtype=np.int64) * 300_000
    salt = surface_g_l(minutes, XUAN_HOA, River(discharge_m3_s=2700.0))
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


def test_in_june_the_4_g_l_line_has_gone_back_to_where_the_last_bulletin_had_it() -> None:
    june = FEBRUARY_MS + 121 * DAY_MS + np.arange(10 * 96, dtype=np.int64) * 900_000
    kilometres = np.arange(10.0, 40.0, 0.5)
    highest = np.array([surface_g_l(june, _tieu(km), River()).max() for km in kilometres])
    assert 20 * 0.9 <= kilometres[highest > 4.0].max() <= 25 * 1.1


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


def test_discharge_goes_up_and_down_about_its_climate_or_about_a_fixed_one() -> None:
    climate = climate_discharge_m3_s(QUARTERS)
    for fixed, mean in ((None, climate), (2500.0, np.full(len(QUARTERS), 2500.0))):
        still = discharge_m3_s(QUARTERS, River(discharge_m3_s=fixed))
        assert (still == mean).all()
        lively = discharge_m3_s(QUARTERS, River(discharge_m3_s=fixed, weather=Weather(3)))
        share = lively / mean
        assert 0.5 < share.min() < 0.95
        assert 1.05 < share.max() < 2.0


def test_a_season_moved_takes_its_weather_with_it() -> None:
    half_a_year_ms = 182 * DAY_MS
    season = River(weather=Weather(5))
    here = discharge_m3_s(QUARTERS, season)
    moved = River(weather=Weather(5), season_shift_ms=-half_a_year_ms)
    assert (discharge_m3_s(QUARTERS + half_a_year_ms, moved) == here).all()
    assert (wind_m(QUARTERS + half_a_year_ms, moved) == wind_m(QUARTERS, season)).all()
    assert np.abs(wind_m(QUARTERS, season)).max() > 0.1


@given(
    st.integers(0, 2000),
    st.integers(1, 400),
    st.integers(0, 3),
    st.sampled_from([XUAN_HOA, VAM_GIONG, _tieu(71.0), Place.of({}), Place.of({"co-chien": 11.0})]),
)
def test_a_value_is_the_same_whichever_way_a_run_is_cut(
    first: int, count: int, seed: int, place: Place
) -> None:
    river = River(weather=Weather(seed), spells=(Spell(QUARTERS[500], QUARTERS[600], 0.3),))
    whole, part = QUARTERS[:2500], QUARTERS[first : first + count]
    at = slice(first, first + count)
    assert np.abs(surface_g_l(part, place, river) - surface_g_l(whole, place, river)[at]).max() < (
        1e-11
    )
    deep = at_depth_g_l(whole, place, 6.0, river)[at]
    assert (rounded(at_depth_g_l(part, place, 6.0, river)) == rounded(deep)).all()


@given(
    depth_m=st.floats(0.0, 15.0),
    deeper_m=st.floats(0.0, 10.0),
    km=st.floats(-5.0, 100.0),
    discharge=st.floats(1500.0, 25_000.0),
    day=st.integers(0, 3000),
)
def test_it_is_never_fresher_below_nor_saltier_than_the_sea(
    depth_m: float, deeper_m: float, km: float, discharge: float, day: int
) -> None:
    hours = FEBRUARY_MS + day * DAY_MS + np.arange(25, dtype=np.int64) * 3_600_000
    river = River(discharge_m3_s=discharge)
    surface = surface_g_l(hours, _tieu(km), river)
    above = at_depth_g_l(hours, _tieu(km), depth_m, river)
    below = at_depth_g_l(hours, _tieu(km), depth_m + deeper_m, river)
    assert (surface <= above).all()
    assert (above <= below + 1e-12).all()
    assert (below <= SEA_G_L).all()
    assert (below - surface <= 0.6 * (surface - RIVER_G_L) + 1e-12).all()  # none in fresh water


def test_neaps_leave_the_water_in_layers_that_springs_mix() -> None:
    # 04/02 is at neaps, with a range of 1.8 m at the coast; 11/02 at springs with 3.6 m.
    place, river = _tieu(20.0), River(discharge_m3_s=2500.0)
    surface, bottom = (at_depth_g_l(QUARTERS, place, d, river) for d in (0.0, 10.0))
    share = _by_day((bottom - surface) / surface).mean(axis=1)
    assert share[3] > 1.8 * share[10]
    assert 0.05 < share[10] < share[3] < 0.5


def test_where_the_river_is_narrower_its_water_lies_more_in_layers() -> None:
    river = River(discharge_m3_s=2500.0)
    shares = []
    for km in (5.0, 40.0):
        surface, bottom = (at_depth_g_l(MARCH_12, _tieu(km), d, river) for d in (0.0, 10.0))
        salt = surface - RIVER_G_L
        shares.append(np.median((bottom - surface) / (salt * (1.0 - salt / (SEA_G_L - RIVER_G_L)))))
    assert shares[1] > 1.1 * shares[0]
