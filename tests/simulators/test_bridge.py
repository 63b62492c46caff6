"""The bridge: vehicles are conserved, and flow, speed, occupancy and queue tell one story."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading import FloatArray
from simulators.bridge import (
    DAY_FROM_MS,
    RACH_MIEU_1,
    STEP_MS,
    STEPS,
    VEHICLE_M,
    Bottleneck,
    Intervals,
    Road,
    intervals,
    simulate_day,
    wave_km_h,
)
from simulators.noise import DAY_MS

MONDAY = 19_786  # 04/03/2024, in days of the bridge
NARROW = Bottleneck("rach-mieu-1", "southbound", 16.0, 18.5, 560.0)


def _road(*bottlenecks: Bottleneck, demand: float = 1.0, seed: int = 1) -> Road:
    return Road("rach-mieu-1", "southbound", RACH_MIEU_1, demand, bottlenecks, seed, "test")


def _day(road: Road, day: int, interval_ms: int) -> tuple[FloatArray, Intervals]:
    starts = day * DAY_MS + DAY_FROM_MS + np.arange(0, DAY_MS, interval_ms, dtype=np.int64)
    local_h = (3.0 + np.arange(0, DAY_MS, interval_ms) / 3_600_000.0) % 24.0
    return local_h, intervals(starts, interval_ms, road)


def test_a_breakdown_looks_like_one() -> None:
    local_h, seen = _day(_road(NARROW), MONDAY, 300_000)
    free = (local_h > 9.0) & (local_h < 15.0)
    jam = (local_h > 16.5) & (local_h < 18.5)
    assert seen.speed_km_h[free].min() > 40.0
    assert seen.occupancy[free].max() < 0.15
    assert (seen.queue_m[free] == 0.0).all()
    # Ùn ứ by the limits for a car lane: under 20 km/h with an occupancy over 0.30.
    assert seen.speed_km_h[jam].max() < 20.0
    assert seen.occupancy[jam].min() > 0.30
    assert seen.queue_m[jam].min() > 300.0
    # A queue lets out 85 % of what the bottleneck would: the capacity drop.
    flow = seen.cars[jam].sum(axis=1) * 12
    assert flow.mean() == pytest.approx(560 * 0.85, rel=0.03)
    # It dissolves by itself, before the night.
    assert seen.speed_km_h[local_h > 22.5].min() > 40.0


@settings(max_examples=20, deadline=None)
@given(demand=st.floats(0.3, 2.5), capacity=st.floats(200.0, 900.0), seed=st.integers(0, 10_000))
def test_flow_is_density_times_speed_inside_the_triangle(
    demand: float, capacity: float, seed: int
) -> None:
    narrow = Bottleneck("rach-mieu-1", "southbound", 6.0, 20.0, capacity)
    _, seen = _day(_road(narrow, demand=demand, seed=seed), MONDAY, 900_000)
    flow = seen.cars.sum(axis=1) * 4.0
    passing = flow > 0
    assert seen.density_veh_km[passing] * seen.speed_km_h[passing] == pytest.approx(
        flow[passing], rel=0.01, abs=0.5
    )
    assert seen.occupancy == pytest.approx(
        np.minimum(seen.density_veh_km * VEHICLE_M / 1000.0, 1.0), abs=1e-4
    )
    jammed = RACH_MIEU_1.jam_veh_km - flow / wave_km_h(RACH_MIEU_1)
    # A quarter of an hour of Poisson counts scatters around the lines.
    assert (seen.density_veh_km <= jammed + 12.0).all()
    assert (seen.density_veh_km >= flow / RACH_MIEU_1.free_km_h - 1e-6).all()
    assert (seen.density_veh_km <= RACH_MIEU_1.jam_veh_km).all()


def test_who_arrives_has_passed_or_waits() -> None:
    narrow = simulate_day(_road(NARROW), MONDAY)
    wide = simulate_day(_road(), MONDAY)
    passed_narrow, passed_wide = narrow.cars.sum(axis=1), wide.cars.sum(axis=1)
    # The same arrivals: what passes the wide one early must wait at the narrow one.
    waiting_more = narrow.queue_veh - wide.queue_veh
    assert (np.cumsum(passed_wide) - np.cumsum(passed_narrow) == waiting_more).all()
    assert narrow.queue_veh.max() > 100
    assert narrow.queue_veh[-1] == 0


def test_a_day_has_the_known_number_of_trips_and_its_peak_in_the_afternoon() -> None:
    local_h, seen = _day(_road(), MONDAY, 3_600_000)
    assert 8000 <= seen.cars.sum() <= 11_000  # 18,000 to 20,000 in both directions
    busiest = local_h[int(np.argmax(seen.cars.sum(axis=1)))]
    assert 15 <= busiest < 20
    assert 1.5 < seen.strip.sum() / seen.cars.sum() < 4.0


def test_saturday_evening_is_fuller_than_monday_evening() -> None:
    def evening(day: int) -> int:
        arrivals = simulate_day(_road(demand=0.6), day).cars.sum(axis=1)
        return int(arrivals[12 * 180 : 17 * 180].sum())  # 15 to 20 h

    assert evening(MONDAY + 5) > 1.2 * evening(MONDAY)
    assert evening(MONDAY + 6) > 1.2 * evening(MONDAY)


def test_intervals_of_any_length_count_the_same_vehicles() -> None:
    _, fine = _day(_road(NARROW), MONDAY, STEP_MS)
    _, coarse = _day(_road(NARROW), MONDAY, 3_600_000)
    assert (fine.cars.reshape(24, 180, -1).sum(axis=1) == coarse.cars).all()
    assert (fine.strip.reshape(24, 180, -1).sum(axis=1) == coarse.strip).all()


def test_directions_seeds_and_days_differ() -> None:
    one = simulate_day(_road(), MONDAY)
    assert one.cars.shape == (STEPS, 4)
    for other in (
        simulate_day(_road(seed=2), MONDAY),
        simulate_day(_road(), MONDAY + 1),
        simulate_day(Road("rach-mieu-1", "northbound", RACH_MIEU_1, 1.0, (), 1, "test"), MONDAY),
    ):
        assert (other.cars != one.cars).any()


@pytest.mark.parametrize("interval_ms", [0, -20_000, 30_000])
def test_an_interval_is_whole_steps(interval_ms: int) -> None:
    with pytest.raises(ValueError, match=f"{interval_ms} ms: a multiple of 20000"):
        intervals(np.array([0]), interval_ms, _road())


LENGTH_KM = 2.868


def _entry(road: Road, interval_ms: int) -> Intervals:
    starts = MONDAY * DAY_MS + DAY_FROM_MS + np.arange(0, DAY_MS, interval_ms, dtype=np.int64)
    return intervals(starts, interval_ms, road, entry_km=LENGTH_KM)


def test_what_came_on_less_what_left_is_the_queue_on_the_bridge() -> None:
    local_h, exit_seen = _day(_road(NARROW), MONDAY, STEP_MS)
    entry_seen = _entry(_road(NARROW), STEP_MS)
    on_bridge = np.cumsum(entry_seen.cars.sum(axis=1) - exit_seen.cars.sum(axis=1))
    day = simulate_day(_road(NARROW), MONDAY)
    assert (on_bridge <= day.queue_veh).all()
    assert (on_bridge >= 0).all()
    assert on_bridge[-1] == 0
    # No more than stand on 2.9 km besides those that flow freely.
    assert 100 < on_bridge.max() < RACH_MIEU_1.jam_veh_km * LENGTH_KM
    short = local_h < 16.0
    assert (on_bridge[short] == day.queue_veh[short]).all()


def test_the_entry_runs_free_until_the_queue_has_come_back_to_it() -> None:
    local_h, exit_seen = _day(_road(NARROW), MONDAY, 300_000)
    entry_seen = _entry(_road(NARROW), 300_000)
    early = (local_h > 16.2) & (local_h < 16.4)
    late = (local_h > 17.5) & (local_h < 18.4)
    assert exit_seen.speed_km_h[early].max() < 25.0
    assert entry_seen.speed_km_h[early].min() > 40.0
    assert entry_seen.speed_km_h[late].max() < 15.0
    assert entry_seen.queue_m[early].max() == 0.0
