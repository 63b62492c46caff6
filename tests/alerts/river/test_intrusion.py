"""The salt line: two worked cases, bounds and refusals, arms, and stations withheld."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.river.intrusion import Bracket, Lines, crossings, lines
from ingest.reading import FloatArray
from tests.alerts.river import plain

NAN = math.nan


def line(km: list[float], salinity: list[float], level: float) -> tuple[Bracket, float, float]:
    found = lines(np.array(km), np.array([salinity]), level, [np.arange(len(km))])
    return Bracket(int(found.bracket[0])), float(found.km[0]), float(found.sd_km[0])


# 12/3/2024, the highest of the day at Xuân Hòa, Mỹ Tho, Xoài Hột, Kinh Xáng (baomoi.com
# c48542362); 9/2/2023 (thtg.vn 2/2023) and 5/3/2025 (tuyengiaotiengiang 5465) below.
CASE_A_KM = [42.0, 46.0, 51.0, 55.0]
CASE_A = [8.85, 6.82, 3.82, 2.72]


def test_case_a_the_maximum_of_12_march_2024() -> None:
    bracket, km, sd_km = line(CASE_A_KM, CASE_A, 4.0)
    assert bracket is Bracket.FIGURE
    assert round(km, 1) == 50.6
    assert round(sd_km, 1) == 1.2
    assert line(CASE_A_KM, CASE_A, 1.0)[:2] == (Bracket.BEYOND, 55.0)


def test_case_a_from_46_and_55_alone() -> None:
    _, km, _ = line([46.0, 55.0], [6.82, 2.72], 4.0)
    assert round(km, 1) == 51.2


# Case B, made up: 14:30, Xoài Hột last heard at 09:10.
CASE_B = [4.3, 2.1, NAN, 0.28]


def test_case_b_now_without_the_stale_station() -> None:
    bracket, km, sd_km = line(CASE_A_KM, CASE_B, 4.0)
    assert (bracket, round(km, 1), round(sd_km, 1)) == (Bracket.FIGURE, 42.4, 1.1)
    bracket, km, sd_km = line(CASE_A_KM, CASE_B, 1.0)
    assert (bracket, round(km, 1), round(sd_km, 1)) == (Bracket.FIGURE, 49.3, 1.4)
    assert round(line(CASE_A_KM, [4.3, 2.1, 0.9, 0.28], 1.0)[1], 1) == 50.4


def test_case_b_with_the_last_station_lost_is_a_bound() -> None:
    bracket, km, sd_km = line(CASE_A_KM, [4.3, 2.1, NAN, NAN], 1.0)
    assert (bracket, km) == (Bracket.BEYOND, 46.0)
    assert math.isnan(sd_km)


def test_fresh_everywhere_is_below_the_first_station() -> None:
    assert line([2.0, 18.0], [0.4, 0.2], 1.0)[:2] == (Bracket.BELOW, 2.0)
    assert line([2.0, 18.0], [NAN, 0.2], 1.0)[:2] == (Bracket.BELOW, 18.0)


def test_nothing_is_said_without_a_value() -> None:
    bracket, km, _ = line([2.0, 18.0], [NAN, NAN], 1.0)
    assert bracket is Bracket.NOTHING
    assert math.isnan(km)


def test_a_gap_over_15_km_is_refused() -> None:
    assert line([23.0, 38.0], [8.0, 1.0], 4.0)[0] is Bracket.FIGURE
    assert line([23.0, 38.1], [8.0, 1.0], 4.0)[:2] == (Bracket.REFUSED, 23.0)


def test_the_level_itself_is_salt() -> None:
    assert line([40.0, 50.0], [4.0, 1.0], 4.0)[:2] == (Bracket.FIGURE, 40.0)
    assert line([40.0, 50.0], [9.0, 4.0], 4.0)[:2] == (Bracket.BEYOND, 50.0)


def test_the_most_upstream_crossing_counts_and_all_are_shown() -> None:
    km = np.array([42.0, 46.0, 51.0, 55.0])
    salinity = np.array([2.0, 0.5, 1.6, 0.33])
    way = [np.arange(4)]
    found = crossings(km, salinity, 1.0, way)
    assert [(each.lower, each.upper) for each in found] == [(0, 1), (2, 3)]
    assert [round(each.km or 0.0, 1) for each in found] == [44.0, 52.2]
    assert lines(km, salinity[None], 1.0, way).km[0] == found[-1].km


def test_salt_from_behind_at_the_last_station_is_beyond_it() -> None:
    bracket, km, _ = line([42.0, 46.0, 60.0], [2.0, 0.5, 1.2], 1.0)
    assert (bracket, km) == (Bracket.BEYOND, 60.0)


def test_two_stations_at_one_distance() -> None:
    bracket, km, sd_km = line([42.5, 42.5], [4.1, 3.9], 4.0)
    assert (bracket, km, sd_km) == (Bracket.FIGURE, 42.5, 1.0)


def test_of_two_arms_that_join_the_further_one_counts() -> None:
    km = np.array([10.0, 20.0, 22.0, 30.0])
    ways = [np.array([0, 1, 3]), np.array([0, 2, 3])]
    salinity = np.array([[9.0, 1.0, 5.0, 0.5], [9.0, 1.0, NAN, 0.5], [9.0, 5.0, 1.0, 0.5]])
    found = lines(km, salinity, 4.0, ways)
    assert found.bracket.tolist() == [Bracket.FIGURE, Bracket.REFUSED, Bracket.FIGURE]
    assert 22.0 < found.km[0] < 30.0
    assert 10.0 < found.km[1] < 20.0  # The arm without a station hides more than that.
    assert np.isnan(found.sd_km[1])
    assert 20.0 < found.km[2] < 30.0
    both = crossings(km, salinity[0], 4.0, ways)
    assert [(each.lower, each.upper) for each in both] == [(0, 1), (2, 3)]


WITHHELD = [
    # level, km, salinity, index withheld, miss of log, miss of linear
    (4.0, CASE_A_KM[1:], CASE_A[1:], 1, 0.6, 1.5),
    (1.0, [42.0, 46.0, 51.0], [4.93, 1.4, 0.16], 1, -0.6, 1.8),
    (1.0, [42.0, 46.0, 51.0], [2.0, 1.12, 0.22], 1, -1.5, 0.4),
]


def linear(km: list[float], salinity: list[float], level: float) -> float:
    x1, x2, s1, s2 = next(
        (km[n], km[n + 1], salinity[n], salinity[n + 1])
        for n in range(len(km) - 1)
        if salinity[n] >= level > salinity[n + 1]
    )
    return x1 + (x2 - x1) * (s1 - level) / (s1 - s2)


@pytest.mark.parametrize(("level", "km", "salinity", "out", "miss", "miss_linear"), WITHHELD)
def test_a_withheld_station_is_missed_by_less_than_two_deviations(
    level: float,
    km: list[float],
    salinity: list[float],
    out: int,
    miss: float,
    miss_linear: float,
) -> None:
    _, with_all, _ = line(km, salinity, level)
    fewer_km, fewer = (each[:out] + each[out + 1 :] for each in (km, salinity))
    _, without, sd_km = line(fewer_km, fewer, level)
    assert round(without - with_all, 1) == miss
    assert abs(without - with_all) < 2 * sd_km
    by_line = linear(fewer_km, fewer, level) - linear(km, salinity, level)
    assert round(by_line, 1) == miss_linear


@given(
    st.lists(st.floats(0, 80).map(lambda x: round(x, 1)), min_size=1, max_size=8).map(sorted),
    st.data(),
)
def test_equals_the_plain_twin_at_every_instant(km: list[float], data: st.DataObject) -> None:
    salt = st.sampled_from([NAN, NAN, 0.0, 0.1, 0.4, 0.9, 1.0, 1.1, 3.9, 4.0, 5.0, 20.0])
    rows = data.draw(st.lists(st.tuples(*[salt for _ in km]), min_size=1, max_size=5))
    matrix: FloatArray = np.array(rows, dtype=np.float64)
    for level in (1.0, 4.0):
        found: Lines = lines(np.array(km), matrix, level, [np.arange(len(km))])
        for n, row in enumerate(rows):
            bracket, x, sd = plain.line(km, row, level)
            assert Bracket(int(found.bracket[n])) is bracket
            assert found.km[n] == pytest.approx(x, abs=1e-4, nan_ok=True)
            assert found.sd_km[n] == pytest.approx(sd, abs=1e-4, nan_ok=True)
