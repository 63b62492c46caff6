"""What cameras see of the roads: breakdowns, queues that spill back, vehicles that are missed."""

from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np
import pytest

from simulators.road.days import WARM
from simulators.road.demand import STEPS
from simulators.road.network import RACH_MIEU_1
from simulators.road.sight import VEHICLE_M, Intervals, seen, truth
from simulators.road.traffic import (
    CAR_LANE,
    STEP_MS,
    Bottleneck,
    Camera,
    Incident,
    Rain,
    Traffic,
    Working,
)
from simulators.road.waves import DROP
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
NARROW = Traffic(bottlenecks=(Bottleneck(ONE, SOUTH, 16.0, 18.5, 460.0),))
ENTRY, EXIT = Camera(ONE, SOUTH, 0.0), Camera(ONE, SOUTH)
ROAD = RACH_MIEU_1


def test_a_breakdown_looks_like_one() -> None:
    hour, at_exit = seen_on(MONDAY, EXIT, NARROW)
    free, jam = (hour > 9.0) & (hour < 15.0), (hour > 16.7) & (hour < 18.5)
    assert at_exit.speed_km_h[free].min() > 40.0
    assert at_exit.occupancy[free].max() < 0.15
    assert (at_exit.queue_m[free] == 0.0).all()
    # Ùn ứ by the limits for a car lane: under 20 km/h with an occupancy over 0.30.
    assert at_exit.speed_km_h[jam].max() < 20.0
    assert at_exit.occupancy[jam].min() > 0.30
    assert at_exit.queue_m[jam].min() > 300.0
    flow = at_exit.cars[jam].sum(axis=1) * 12
    assert flow.mean() == pytest.approx(460 * DROP, rel=0.03)
    # Its tail goes back through the view at the speed of the shock, without a jump.
    steps = at_ms(MONDAY, 16) + np.arange(180, dtype=np.int64) * STEP_MS
    queue_m = truth(steps, STEP_MS, EXIT, NARROW, 1, "test").queue_m
    assert 0.0 < np.diff(queue_m).max() < 75.0
    # It dissolves by itself, before the night.
    assert at_exit.speed_km_h[hour > 22.5].min() > 40.0


def test_a_queue_longer_than_the_bridge_stands_at_the_entry_and_before_it() -> None:
    hour, at_entry = seen_on(MONDAY, ENTRY, NARROW)
    t_ms = times_ms(MONDAY)
    length = queue_km(t_ms, way(SOUTH, NARROW))
    beyond = length > ROAD.bridge_km + ROAD.beyond_km + 0.5
    assert beyond.sum() > 6
    assert at_entry.speed_km_h[beyond].max() < 15.0
    assert at_entry.queue_m[beyond].min() > 200.0
    early = (hour > 16.0) & (length < 2.0) & (hour < 17.0)
    assert at_entry.speed_km_h[early].min() > 40.0
    _, before = seen_on(MONDAY, Camera(ONE, SOUTH, -0.5), NARROW)
    assert before.speed_km_h[beyond].min() < 15.0
    _, far = seen_on(MONDAY, Camera(ONE, SOUTH, -10.0), NARROW)
    assert far.speed_km_h[~np.isnan(far.speed_km_h)].min() > 40.0


def test_flow_speed_and_occupancy_are_one_state_of_the_diagram() -> None:
    for camera in (ENTRY, EXIT, Camera(ONE, NORTH, 1.0)):
        _, view = seen_on(MONDAY, camera, NARROW, interval_ms=900_000)
        flow = view.cars.sum(axis=1) * 4.0
        passing = flow > 0
        # Whole vehicles are a unit off what flows: 4 vehicles an hour, at each end.
        assert view.density_veh_km[passing] * view.speed_km_h[passing] == pytest.approx(
            flow[passing], rel=0.01, abs=4.1
        )
        assert view.occupancy == pytest.approx(view.density_veh_km * VEHICLE_M / 1000.0, abs=1e-4)
        jammed = ROAD.queued_veh_km(flow)
        assert (view.density_veh_km <= jammed + 0.5).all()
        assert (view.density_veh_km >= (flow - 4.1) / ROAD.free_km_h).all()


def test_the_same_vehicles_pass_both_cameras_in_their_order() -> None:
    t_ms = times_ms(MONDAY, STEP_MS)
    on, off = (truth(t_ms, STEP_MS, each, NARROW, 1, "test").cars for each in (ENTRY, EXIT))
    between = np.cumsum(on.sum(axis=1) - off.sum(axis=1))
    # A few are on the bridge at three o'clock already.
    least = between.min()
    assert -5 <= least <= 0
    assert 150 < between.max() < ROAD.jam_veh_km * ROAD.bridge_km
    by_class = np.cumsum(on - off, axis=0)
    for column in range(len(CAR_LANE)):
        assert by_class[:, column].min() >= -5
        assert abs(by_class[-1, column]) <= 5


def test_motorbikes_ride_on_over_three_oclock_when_a_day_ends() -> None:
    t_ms = times_ms(MONDAY, STEP_MS, days=2)
    on, off = (truth(t_ms, STEP_MS, each, Traffic(), 1, "test").strip for each in (ENTRY, EXIT))
    late = 15  # 2.868 km at 34 km/h, in steps
    assert on[STEPS - WARM : STEPS].sum() > 20
    assert (off[late:] == on[:-late]).all()


def test_intervals_of_any_length_and_any_run_count_the_same() -> None:
    fine = truth(times_ms(MONDAY, STEP_MS), STEP_MS, EXIT, NARROW, 1, "test")
    coarse = truth(times_ms(MONDAY, HOUR_MS), HOUR_MS, EXIT, NARROW, 1, "test")
    assert (fine.cars.reshape(24, 180, -1).sum(axis=1) == coarse.cars).all()
    assert (fine.strip.reshape(24, 180, -1).sum(axis=1) == coarse.strip).all()
    # Over midnight, three o'clock and the end of a block of days, in one piece and in many.
    t_ms = times_ms(MONDAY - timedelta(days=4), HOUR_MS, days=12)
    whole = seen(t_ms, HOUR_MS, ENTRY, NARROW, 1, "test")
    parts = [seen(each, HOUR_MS, ENTRY, NARROW, 1, "test") for each in np.split(t_ms[::-1], 6)]
    for field in fields(Intervals):
        joined = np.concatenate([getattr(each, field.name) for each in parts])[::-1]
        assert joined == pytest.approx(getattr(whole, field.name), nan_ok=True, abs=0.0)


def test_cameras_miss_more_at_night_and_in_rain_and_more_motorbikes_than_cars() -> None:
    wet = Traffic(rains=(Rain(at_ms(MONDAY, 9), at_ms(MONDAY, 15)),))
    t_ms = times_ms(MONDAY, HOUR_MS)
    hour = hours(t_ms)

    def missed(traffic: Traffic, begin_h: float, end_h: float) -> tuple[float, float]:
        rows = (hour >= begin_h) & (hour < end_h)
        told, true = (each(t_ms, HOUR_MS, EXIT, traffic, 1, "test") for each in (seen, truth))
        assert (told.cars <= true.cars).all()
        assert (told.strip <= true.strip).all()
        cars = 1.0 - told.cars[rows].sum() / true.cars[rows].sum()
        return float(cars), float(1.0 - told.strip[rows].sum() / true.strip[rows].sum())

    day_cars, day_bikes = missed(Traffic(), 9, 15)
    night_cars, night_bikes = missed(Traffic(), 18, 23)
    rain_cars, rain_bikes = missed(wet, 9, 15)
    assert day_cars < 0.02 < night_cars < 0.08
    assert 2 * day_cars < rain_cars
    assert day_bikes < 0.08 < night_bikes < 0.25
    assert 2 * day_bikes < rain_bikes
    assert day_bikes > day_cars
    assert night_bikes > night_cars
    # Motorbikes hide one another: by day more are missed at the rush hours than between.
    assert missed(Traffic(), 7, 8)[1] > 1.3 * missed(Traffic(), 13, 14)[1]
    # Two cameras miss different vehicles.
    entry = seen(t_ms, HOUR_MS, ENTRY, Traffic(), 1, "test").cars
    assert (entry != seen(t_ms, HOUR_MS, EXIT, Traffic(), 1, "test").cars).any()


def test_rain_slows_cars_and_troubles_cameras() -> None:
    wet = Traffic(rains=(Rain(at_ms(MONDAY, 9), at_ms(MONDAY, 12)),))
    hour, view = seen_on(MONDAY, EXIT, wet)
    raining = (hour >= 9.0) & (hour < 12.0)
    assert view.speed_km_h[raining].max() == pytest.approx(0.9 * ROAD.free_km_h)
    assert np.nanmax(view.speed_km_h[~raining]) == pytest.approx(ROAD.free_km_h)
    assert view.fps[raining].max() < 12.0 < view.fps[~raining].min()
    assert view.drop[raining].min() > 0.03 > view.drop[~raining].max()
    # Behind the bridge 7 % less gets through, which a queue shows.
    wet_jam, dry_jam = (
        truth(np.array([at_ms(MONDAY, 17)]), HOUR_MS, EXIT, each, 1, "test").cars.sum()
        for each in (replace(NARROW, rains=(Rain(at_ms(MONDAY, 15), at_ms(MONDAY, 19)),)), NARROW)
    )
    assert wet_jam == pytest.approx(0.93 * dry_jam, rel=0.015)


def test_an_incident_on_the_bridge_blocks_what_is_before_it_alone() -> None:
    begin, end = at_ms(MONDAY, 9), at_ms(MONDAY, 10)
    blocked = Traffic(incidents=(Incident(ONE, SOUTH, begin, end, 1.4, 0.3),))
    hour, at_entry = seen_on(MONDAY, ENTRY, blocked)
    _, at_exit = seen_on(MONDAY, EXIT, blocked)
    during = (hour > 9.5) & (hour < 10.0)
    assert at_entry.speed_km_h[during].max() < 5.0
    assert at_exit.speed_km_h[during].min() > 40.0
    assert at_exit.cars[during].sum(axis=1).mean() * 12 == pytest.approx(0.3 * DROP * 900, rel=0.05)
    after = (hour > 11.0) & (hour < 14.0)
    assert at_entry.speed_km_h[after].min() > 40.0
    _, other = seen_on(MONDAY, replace(ENTRY, direction=NORTH), blocked)
    assert other.speed_km_h[during].min() > 40.0


def test_an_incident_at_the_beginning_of_the_road_leaves_what_is_behind_it_free() -> None:
    begin, end = at_ms(MONDAY, 9), at_ms(MONDAY, 10)
    blocked = Traffic(incidents=(Incident(ONE, SOUTH, begin, end, -11.9, 0.0),))
    there, entry = (
        truth(np.array([begin]), HOUR_MS, Camera(ONE, SOUTH, km), blocked, 1, "test").cars.sum()
        for km in (-11.0, 0.0)
    )
    assert there < 15
    assert entry > 60, "who was on the approach already arrives"


def test_one_way_batches_let_one_direction_at_a_time_onto_the_bridge() -> None:
    begin, end = at_ms(MONDAY, 9), at_ms(MONDAY, 13)
    turns = Traffic(workings=(Working(ONE, "one-way-batches", begin, end, batch_s=1200.0),))
    t_ms = np.arange(begin, end, STEP_MS, dtype=np.int64)
    late = slice(60, None)  # after the first turn
    for km in (0.0, 1.4):
        south, north = (
            truth(t_ms, STEP_MS, Camera(ONE, each, km), turns, 1, "test").cars.sum(axis=1)
            for each in (SOUTH, NORTH)
        )
        assert not ((south[late] > 0) & (north[late] > 0)).any()
        # Both lanes carry more than one does.
        assert south.max() * 180 > 1.5 * ROAD.capacity_veh_h
        assert south[late].sum() > 300
        assert north[late].sum() > 300
    waiting = truth(t_ms, STEP_MS, ENTRY, turns, 1, "test")
    assert np.isnan(waiting.speed_km_h).any()
    assert waiting.occupancy.max() > 0.6
    # Who waits stands two abreast: more on half a kilometre than one lane holds.
    before = truth(t_ms, STEP_MS, Camera(ONE, SOUTH, -0.5), turns, 1, "test").cars
    stored = np.cumsum(before.sum(axis=1) - waiting.cars.sum(axis=1))
    assert ROAD.jam_veh_km * 0.5 * 1.3 < stored.max() <= ROAD.jam_veh_km * 0.5 * 2.0


def test_a_closed_direction_is_empty_behind_its_entry() -> None:
    begin, end = at_ms(MONDAY, 9), at_ms(MONDAY, 9.5)
    closed = Traffic(workings=(Working(ONE, "closed", begin, end, SOUTH),))
    t_ms = np.arange(begin, end, STEP_MS, dtype=np.int64)
    assert truth(t_ms, STEP_MS, ENTRY, closed, 1, "test").cars.sum() == 0
    assert truth(t_ms[30:], STEP_MS, EXIT, closed, 1, "test").cars.sum() == 0
    assert truth(t_ms, STEP_MS, Camera(ONE, NORTH), closed, 1, "test").cars.sum() > 100
    # Motorbikes wait as well, and come when it is opened.
    assert truth(t_ms, STEP_MS, ENTRY, closed, 1, "test").strip.sum() == 0
    day = times_ms(MONDAY, 24 * HOUR_MS)
    held, free = (
        truth(day, 24 * HOUR_MS, ENTRY, each, 1, "test").strip.sum() for each in (closed, Traffic())
    )
    assert held == free


def test_the_toll_opened_lets_a_queue_of_tet_run() -> None:
    eve = date(2022, 1, 30)
    begin, end = at_ms(eve, 9), at_ms(eve, 10)
    opened = Traffic(workings=(Working(ONE, "toll-open", begin, end),))
    t_ms = np.array([begin + 30 * 60_000])
    held = truth(t_ms, 600_000, EXIT, Traffic(), 1, "test")
    runs = truth(t_ms, 600_000, EXIT, opened, 1, "test")
    assert held.speed_km_h[0] < 20.0
    assert runs.speed_km_h[0] > 40.0
    assert runs.cars.sum() > 1.15 * held.cars.sum()


@pytest.mark.parametrize("interval_ms", [0, -20_000, 30_000])
def test_an_interval_is_whole_steps(interval_ms: int) -> None:
    with pytest.raises(ValueError, match=f"{interval_ms} ms: a multiple of 20000"):
        seen(np.array([0]), interval_ms, EXIT, Traffic(), 1, "test")


def test_no_times_give_no_intervals() -> None:
    nothing = seen(np.array([], dtype=np.int64), 60_000, EXIT, NARROW, 1, "test")
    assert nothing.cars.shape == (0, len(CAR_LANE))
    assert len(nothing.speed_km_h) == 0


def test_a_bridge_that_is_not_known_is_one_like_the_first() -> None:
    _, view = seen_on(MONDAY, Camera("cau-ham-luong", "outbound"), Traffic(), HOUR_MS)
    assert 8_000 < view.cars.sum() < 11_500


def test_who_rides_through_a_queue_takes_as_long_as_its_flow_says() -> None:
    t_ms = np.array([at_ms(MONDAY, 17.75)])
    minutes = crossing_min(t_ms, way(SOUTH, NARROW))
    flow = DROP * 460.0
    full = ROAD.bridge_km * ROAD.queued_veh_km(flow) / flow * 60.0
    assert minutes[0] == pytest.approx(full, rel=0.02)
    free = crossing_min(np.array([at_ms(MONDAY, 11.0)]), way(SOUTH, NARROW))
    assert free[0] == pytest.approx(ROAD.bridge_km / ROAD.free_km_h * 60.0, rel=0.02)
    closed = Traffic(workings=(Working(ONE, "closed", at_ms(MONDAY, 9), at_ms(MONDAY, 50)),))
    empty = crossing_min(t_ms, way(SOUTH, Traffic(demand=0.0)))
    assert empty[0] == pytest.approx(ROAD.bridge_km / ROAD.free_km_h * 60.0, rel=1e-3)
    never = crossing_min(np.array([at_ms(MONDAY, 10)]), way(SOUTH, closed), from_km=-1.0)
    assert never[0] == np.inf


def test_the_second_bridge_carries_no_trucks() -> None:
    _, view = seen_on(date(2026, 3, 4), Camera(TWO, NORTH), Traffic(), HOUR_MS)
    assert view.cars[:, 0].sum() > 6_000
    assert view.cars[:, 1:].sum() == 0
