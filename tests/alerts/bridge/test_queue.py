"""The length of a queue and the time to cross, worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bridge.queue import Road, queue_of

RACH_MIEU = Road(length_km=2.868, free_km_h=45.0, capacity_veh_h=900.0, spacing_m=9.15)
AT_16_40 = 850 * 2.868 / 45
"""Vehicles on the bridge while it runs free: q L / v, 54."""


def test_the_mixture_gives_the_spacing_the_jam_and_the_wave() -> None:
    mixture = ((0.60, 7.0), (0.10, 13.0), (0.25, 11.0), (0.05, 18.0))
    assert sum(share * spacing_m for share, spacing_m in mixture) == pytest.approx(9.15)
    assert RACH_MIEU.jam_veh_km == pytest.approx(109.3, abs=0.05)
    assert RACH_MIEU.wave_km_h == pytest.approx(10.1, abs=0.05)
    assert pytest.approx(54.2, abs=0.05) == AT_16_40


def test_a_quarter_of_an_hour_after_the_count_began() -> None:
    """54 at 16:40; by 16:55 212 have come and 150 have left: 116, in a queue of 2.0 km.

    k_u = 850 / 45 = 18.9 and k_q = 109.3 - 600 / 10.1 = 49.8, so the queue is
    (116 - 18.9 x 2.868) / (49.8 - 18.9) = 2.0 km long; 0.9 km at 45 km/h and 2.0 km at
    12 km/h take 11 minutes.
    """
    found = queue_of(RACH_MIEU, 54 + 212 - 150, in_veh_h=850.0, out_veh_h=600.0)
    assert RACH_MIEU.queued_veh_km(600.0) == pytest.approx(49.8, abs=0.05)
    assert found.length_km == pytest.approx(2.0, abs=0.01)
    assert found.crossing_min == pytest.approx(11.1, abs=0.05)
    assert found.check_min == pytest.approx(11.6)
    assert not found.full


def test_one_vehicle_miscounted_is_32_metres() -> None:
    one, two = (queue_of(RACH_MIEU, n, 850.0, 600.0).length_km for n in (116, 117))
    assert one is not None
    assert two is not None
    assert (two - one) * 1000 == pytest.approx(32, abs=0.5)


def test_three_per_cent_of_bias_in_an_hour() -> None:
    """25 vehicles of 850 are 0.8 km and 2.6 minutes by N / q_out."""
    right, wrong = (queue_of(RACH_MIEU, n, 850.0, 600.0) for n in (80.0, 80.0 + 0.03 * 850))
    assert right.length_km is not None
    assert wrong.length_km is not None
    assert wrong.length_km - right.length_km == pytest.approx(0.8, abs=0.03)
    assert wrong.check_min - right.check_min == pytest.approx(2.6, abs=0.1)


def test_no_more_vehicles_than_flow_freely_are_no_queue() -> None:
    found = queue_of(RACH_MIEU, AT_16_40, 850.0, 600.0)
    assert found.length_km == pytest.approx(0.0)
    assert found.crossing_min == pytest.approx(2.868 / 45 * 60)


def test_near_capacity_queue_and_free_flow_are_too_alike_for_a_length() -> None:
    found = queue_of(RACH_MIEU, 80.0, 850.0, 850.0)
    assert found.length_km is None
    assert found.crossing_min == pytest.approx(80 / 850 * 60)


def test_where_nothing_gets_out_it_takes_without_end() -> None:
    found = queue_of(RACH_MIEU, 150.0, 600.0, 0.0)
    assert found.crossing_min == float("inf")
    assert found.length_km is not None


@given(
    vehicles=st.floats(0, RACH_MIEU.full_veh),
    in_veh_h=st.floats(0, 4000),
    out_veh_h=st.floats(0, 4000),
    spacing_m=st.floats(2, 60),
)
def test_whatever_is_counted_the_queue_is_on_the_bridge(
    vehicles: float, in_veh_h: float, out_veh_h: float, spacing_m: float
) -> None:
    road = Road(2.868, 45.0, 900.0, spacing_m)
    found = queue_of(road, min(vehicles, road.full_veh), in_veh_h, out_veh_h)
    assert found.length_km is None or 0.0 <= found.length_km <= 2.868
    assert found.crossing_min >= 2.868 / 45 * 60 - 1e-9 or found.length_km is not None
    more = queue_of(road, min(vehicles + 1, road.full_veh), in_veh_h, out_veh_h)
    if found.length_km is not None and more.length_km is not None:
        assert more.length_km >= found.length_km
