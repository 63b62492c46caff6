"""Who drives over the bridges: the figures that were published, and the second bridge."""

from datetime import date

import numpy as np
import pytest

from simulators.road.sight import truth
from simulators.road.traffic import CAR_LANE, Bottleneck, Camera, Traffic, Working
from simulators.road.whole import crossing_min, queue_km
from tests.simulators.road_days import (
    HOUR_MS,
    NORTH,
    ONE,
    SOUTH,
    TWO,
    at_ms,
    hours,
    seen_on,
    times_ms,
    way,
)

MONDAY = date(2024, 3, 4)
ORDINARY = Traffic()
FROM_KM, TO_KM = -5.463, 2.868
"""The 8.331 km of the bridge with its approaches."""

TRAILER = CAR_LANE.index("trailer")


def test_a_fortnight_has_the_known_trips_with_the_peak_in_the_afternoon() -> None:
    trips = np.zeros(24)
    bikes = 0.0
    for direction in (SOUTH, NORTH):
        hour, view = seen_on(date(2024, 3, 2), Camera(ONE, direction), ORDINARY, HOUR_MS, days=14)
        trips += np.bincount(hour.astype(np.int64), view.cars.sum(axis=1), 24) / 14
        bikes += view.strip.sum() / 14
    assert 18_000 <= trips.sum() <= 20_000
    assert 15 <= int(np.argmax(trips)) < 20
    assert 1.5 < bikes / trips.sum() < 4.0


def test_ordinary_days_take_less_than_a_quarter_of_an_hour() -> None:
    t_ms = times_ms(MONDAY, days=4)
    for direction in (SOUTH, NORTH):
        minutes = crossing_min(t_ms, way(direction, ORDINARY), from_km=FROM_KM, to_km=TO_KM)
        assert minutes.max() < 15.0


def test_on_30_december_2023_it_took_half_an_hour() -> None:
    t_ms = times_ms(date(2023, 12, 30))
    minutes = crossing_min(t_ms, way(SOUTH, ORDINARY), from_km=FROM_KM, to_km=TO_KM)
    afternoon = minutes[(hours(t_ms) >= 15) & (hours(t_ms) < 20)]
    assert float(np.quantile(afternoon, 0.8)) == pytest.approx(30.0, rel=0.25)


@pytest.mark.parametrize(
    ("day", "direction", "told_km"),
    [
        (date(2019, 1, 1), NORTH, (2.5, 7.5)),  # about 5 km
        (date(2021, 4, 29), SOUTH, (2.5, 7.5)),  # about 5 km
        (date(2022, 2, 4), NORTH, (6.0, 12.0)),  # mùng 4: more than 6 km
        (date(2022, 2, 6), NORTH, (7.0, 12.0)),  # mùng 6: about 10 km
    ],
)
def test_holidays_have_the_queues_that_were_told(
    day: date, direction: str, told_km: tuple[float, float]
) -> None:
    t_ms = times_ms(day)
    length = queue_km(t_ms, way(direction, ORDINARY))
    evening = length[(hours(t_ms) >= 15) & (hours(t_ms) < 20)]
    assert told_km[0] < evening.mean() < told_km[1]
    assert evening.max() < 13.5
    other = SOUTH if direction == NORTH else NORTH
    assert queue_km(t_ms, way(other, ORDINARY)).max() < 3.0
    assert length[-1] == 0.0, "no queue lives through the night"


def test_at_tet_2024_with_the_toll_open_half_an_hour_was_enough_for_five_times_the_design() -> None:
    eve = date(2024, 2, 8)
    opened = Traffic(workings=(Working(ONE, "toll-open", at_ms(eve, 3), at_ms(eve, 27)),))
    cars = 0
    for direction in (SOUTH, NORTH):
        there = way(direction, opened)
        minutes = crossing_min(times_ms(eve), there, from_km=FROM_KM, to_km=TO_KM)
        assert minutes.max() < 30.0
        cars += int(seen_on(eve, Camera(ONE, direction), opened, HOUR_MS)[1].cars.sum())
    assert cars == pytest.approx(5 * 6_000, rel=0.15)


def test_saturday_evening_is_fuller_than_monday_evening() -> None:
    quiet = Traffic(demand=0.6)
    hour, view = seen_on(MONDAY, Camera(ONE, SOUTH), quiet, HOUR_MS, days=7)
    evening = view.cars.sum(axis=1)[(hour >= 16) & (hour < 20)].reshape(7, -1).sum(axis=1)
    assert evening[5:].mean() > 1.05 * evening[:5].mean()


def test_since_june_2024_no_trailer_passes_at_the_banned_hours() -> None:
    for direction, banned in ((SOUTH, ((9, 11), (15, 19))), (NORTH, ((15, 19),))):
        hour, view = seen_on(date(2024, 9, 10), Camera(ONE, direction, -11.9), ORDINARY, HOUR_MS)
        trailers = view.cars[:, TRAILER]
        inside = np.zeros(24, np.bool_)
        for begin, end in banned:
            # Who set out just before is under way for a minute.
            inside |= (hour >= begin) & (hour < end)
        assert trailers[inside].sum() <= 2
        assert trailers[~inside].sum() > 300
    hour, before = seen_on(MONDAY, Camera(ONE, SOUTH), ORDINARY, HOUR_MS)
    assert before.cars[(hour >= 15) & (hour < 19), TRAILER].sum() > 50


def test_the_second_bridge_is_empty_until_it_is_opened() -> None:
    day = 24 * HOUR_MS
    t_ms = times_ms(date(2025, 8, 17), day, days=4)
    found = truth(t_ms, day, Camera(TWO, SOUTH), ORDINARY, 1, "test")
    cars = found.cars.sum(axis=1)
    assert cars[:2].tolist() == [0, 0]
    assert cars[2:].min() > 6_000
    assert found.strip[:2].sum() == 0
    # A scenario of another year does not close it.
    moved = Traffic(date_shift_ms=at_ms(date(2024, 3, 4), 0) - at_ms(date(2026, 6, 15), 0))
    later = times_ms(date(2026, 6, 15), day)
    assert truth(later, day, Camera(TWO, SOUTH), moved, 1, "test").cars.sum() > 6_000


def test_the_trucks_stay_on_the_first_bridge() -> None:
    trucks = CAR_LANE.index("truck")
    found = [
        seen_on(day, Camera(ONE, SOUTH), ORDINARY, 24 * HOUR_MS)[1].cars[0]
        for day in (date(2025, 8, 14), date(2026, 3, 4))
    ]
    assert [each[trucks] for each in found] == pytest.approx([2_300, 2_300], rel=0.1)
    assert found[1].sum() < 1.1 * found[0].sum()


def test_drivers_go_over_the_second_bridge_while_the_first_stands() -> None:
    thursday = date(2026, 6, 18)
    narrow = Traffic(bottlenecks=(Bottleneck(ONE, SOUTH, 14.0, 19.0, 400.0),))
    t_ms = np.array([at_ms(thursday, 16)])
    free, held = (
        truth(t_ms, 2 * HOUR_MS, Camera(TWO, SOUTH), each, 1, "test").cars.sum()
        for each in (ORDINARY, narrow)
    )
    assert held > 1.08 * free
    assert queue_km(t_ms, way(SOUTH, narrow))[0] > 0.5
    north = [
        truth(t_ms, 2 * HOUR_MS, Camera(TWO, NORTH), each, 1, "test").cars.sum()
        for each in (ORDINARY, narrow)
    ]
    assert north[0] == north[1]


def test_directions_seeds_and_days_differ_and_demand_scales() -> None:
    _, one = seen_on(MONDAY, Camera(ONE, SOUTH), ORDINARY, HOUR_MS)
    for other in (
        seen_on(MONDAY, Camera(ONE, SOUTH), ORDINARY, HOUR_MS, seed=2)[1],
        seen_on(date(2024, 3, 5), Camera(ONE, SOUTH), ORDINARY, HOUR_MS)[1],
        seen_on(MONDAY, Camera(ONE, NORTH), ORDINARY, HOUR_MS)[1],
    ):
        assert (other.cars != one.cars).any()
    _, half = seen_on(MONDAY, Camera(ONE, SOUTH), Traffic(demand=0.5), HOUR_MS)
    assert half.cars.sum() == pytest.approx(one.cars.sum() / 2, rel=0.05)
    _, none = seen_on(MONDAY, Camera(ONE, SOUTH), Traffic(demand=0.0), HOUR_MS)
    assert none.cars.sum() == none.strip.sum() == 0
    assert np.isnan(none.speed_km_h).all()


def test_tet_moves_with_a_scenario() -> None:
    eve, elsewhere = date(2024, 2, 8), date(2024, 10, 10)
    moved = Traffic(date_shift_ms=at_ms(eve, 0) - at_ms(elsewhere, 0))
    t_ms = np.array([at_ms(elsewhere, 15)])
    assert queue_km(t_ms, way(SOUTH, moved))[0] > 3.0
    assert queue_km(t_ms, way(SOUTH, ORDINARY))[0] < 1.0
