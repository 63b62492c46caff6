"""Kinematic waves: vehicles are conserved, states lie on the diagram, shocks have their speed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading import FloatArray
from simulators.road.network import H_PER_STEP, RACH_MIEU_1, Chain
from simulators.road.waves import DROP, Passed, Supply, at_place, links_of, run

ROAD = RACH_MIEU_1
BEGIN_KM, END_KM = ROAD.ends_km
NODES_KM = (BEGIN_KM, 0.0, 1.4, ROAD.bridge_km, END_KM)
CHAIN = Chain("rach-mieu-1", "southbound", ROAD, NODES_KM)
LINKS = links_of((CHAIN,), 1)
ALL = slice(0, 1)
DEMAND_VEH_H = 700.0
HOUR = 180
DELTA_KM = 0.2


def _supply(steps: int, node: int = 4, during: slice = slice(0), capacity: float = 0.0) -> Supply:
    """Nothing narrows but a node, for a while, to so many vehicles an hour."""
    found = np.full((steps, len(NODES_KM), 1), np.inf)
    found[during, node] = capacity * H_PER_STEP
    return Supply(found, np.ones((steps, 1)))


def _run(supply: Supply, demand_veh_h: FloatArray) -> Passed:
    wished = np.cumsum(demand_veh_h * H_PER_STEP)
    return run(LINKS, supply, lambda step, _ends, _wished: wished[step : step + 1])


def _state(found: Passed, supply: Supply, km: float) -> tuple[FloatArray, FloatArray]:
    """Flow, vehicles an hour, and density, vehicles per km, each of 200 m and by the step: by
    what passed both ends of the stretch alone."""
    before, after = (
        at_place(CHAIN, km + shift, found, ALL, supply.lanes).passed[:, 0]
        for shift in (-DELTA_KM / 2, DELTA_KM / 2)
    )
    flow = (np.diff(before) + np.diff(after)) / 2 / H_PER_STEP
    inside = (before - after) / DELTA_KM
    return flow, (inside[:-1] + inside[1:]) / 2


@settings(max_examples=10, deadline=None)
@given(
    rates=st.lists(st.floats(0.0, 1500.0), min_size=3, max_size=6),
    capacities=st.lists(st.floats(0.0, 1200.0), min_size=3, max_size=6),
    node=st.integers(1, 4),
)
def test_vehicles_are_conserved_and_never_more_than_the_road_carries(
    rates: list[float], capacities: list[float], node: int
) -> None:
    steps = 4 * HOUR
    demand = np.repeat(rates, -(-steps // len(rates)))[:steps]
    supply = _supply(steps)
    supply.capacity_veh[:, node, 0] = (
        np.repeat(capacities, -(-steps // len(capacities)))[:steps] * H_PER_STEP
    )
    found = _run(supply, demand)
    kms = [BEGIN_KM, -7.0, -1.0, 0.0, 0.7, 1.4, 2.0, ROAD.bridge_km, END_KM]
    places = [at_place(CHAIN, km, found, ALL, supply.lanes).passed[:, 0] for km in kms]
    most = ROAD.capacity_veh_h * H_PER_STEP
    for passed in places:
        assert (np.diff(passed) >= 0.0).all(), "nobody drives back"
        assert np.diff(passed).max() <= most * (1 + 1e-9)
    for (km, before), (next_km, after) in zip(
        zip(kms, places, strict=True), list(zip(kms, places, strict=True))[1:], strict=False
    ):
        between = before - after
        assert between.min() >= -1e-6, "nobody leaves who has not come"
        assert between.max() <= ROAD.jam_veh_km * (next_km - km) + 1e-6
    wished = found.wished[:, 0]
    assert (wished - places[0]).min() >= -1e-6
    assert wished[-1] == pytest.approx(demand.sum() * H_PER_STEP)


@settings(max_examples=12, deadline=None)
@given(demand=st.floats(100.0, 890.0), capacity=st.floats(80.0, 900.0), km=st.floats(0.3, 2.6))
def test_every_steady_state_lies_on_the_diagram(demand: float, capacity: float, km: float) -> None:
    steps = 8 * HOUR
    begins = 90
    supply = _supply(steps, 4, slice(begins, steps), capacity)
    flow, density = _state(_run(supply, np.full(steps, demand)), supply, km)
    # Free before anything is narrow, and in a queue once it has come back to the place.
    free = slice(begins - 2, begins)
    assert density[free] == pytest.approx(demand / ROAD.free_km_h, rel=0.01)
    assert flow[free] == pytest.approx(demand, rel=0.01)
    late = slice(-20, None)
    out = DROP * capacity
    shock_km_h = (demand - out) / (ROAD.queued_veh_km(out) - demand / ROAD.free_km_h)
    if demand > 1.1 * capacity and shock_km_h * 6.0 > END_KM - km:
        assert flow[late] == pytest.approx(out, rel=0.01)
        assert density[late] == pytest.approx(ROAD.queued_veh_km(out), rel=0.01)
    elif demand < out:
        assert density[late] == pytest.approx(demand / ROAD.free_km_h, rel=0.01)


def _tail_km(found: Passed, supply: Supply, step: int) -> float:
    """How far back from the end of the road the queue reaches."""
    kms = np.arange(BEGIN_KM, END_KM, 0.02)
    queued = [at_place(CHAIN, km, found, ALL, supply.lanes).queued[step, 0] for km in kms]
    return float(END_KM - kms[int(np.argmax(queued))]) if any(queued) else 0.0


def test_a_queue_grows_at_the_speed_of_its_shock_and_dissolves_at_that_of_the_wave() -> None:
    steps, opened = 6 * HOUR, 3 * HOUR
    supply = _supply(steps, 4, slice(HOUR, opened), 500.0)
    found = _run(supply, np.full(steps, DEMAND_VEH_H))
    out = DROP * 500.0
    free_veh_km, queued_veh_km = DEMAND_VEH_H / ROAD.free_km_h, ROAD.queued_veh_km(out)
    shock_km_h = (DEMAND_VEH_H - out) / (queued_veh_km - free_veh_km)
    half = HOUR // 2
    grown = _tail_km(found, supply, 2 * HOUR + half) - _tail_km(found, supply, 2 * HOUR)
    assert grown == pytest.approx(shock_km_h / 2, rel=0.03)
    # The head of the queue is gone as the wave comes by: capacity flows before it.
    for km in (2.0, 0.0, -2.0):
        arrives = opened + (END_KM - km) / ROAD.wave_km_h / H_PER_STEP
        passed = at_place(CHAIN, km, found, ALL, supply.lanes).passed[:, 0]
        flow = np.diff(passed) / H_PER_STEP
        assert flow[int(arrives) - 3] == pytest.approx(out, rel=0.01)
        assert flow[int(arrives) + 3] == pytest.approx(ROAD.capacity_veh_h, rel=0.01)
    assert _tail_km(found, supply, steps - 1) == 0.0


def test_the_capacity_drops_when_a_queue_stands_and_comes_back_with_its_end() -> None:
    steps = 6 * HOUR
    supply = _supply(steps, 4, slice(0, steps), 600.0)
    demand = np.full(steps, 500.0)
    demand[HOUR : 2 * HOUR] = 700.0
    demand[2 * HOUR :] = 300.0
    found = _run(supply, demand)
    out = np.diff(found.at_node[found.pad :, -1, 0]) / H_PER_STEP
    assert out.max() == pytest.approx(600.0, rel=0.01), "before the queue stands"
    standing = slice(2 * HOUR + 60, 2 * HOUR + 90)
    assert out[standing] == pytest.approx(DROP * 600.0, rel=0.01)
    assert out[-10:] == pytest.approx(300.0, rel=0.01)


def test_a_node_in_the_middle_holds_up_what_is_before_it_alone() -> None:
    steps = 4 * HOUR
    supply = _supply(steps, 2, slice(HOUR, 4 * HOUR), 300.0)
    found = _run(supply, np.full(steps, DEMAND_VEH_H))
    flow, density = _state(found, supply, 0.7)
    assert density[-1] == pytest.approx(ROAD.queued_veh_km(DROP * 300.0), rel=0.01)
    flow, density = _state(found, supply, 2.2)
    assert flow[-1] == pytest.approx(DROP * 300.0, rel=0.01)
    assert density[-1] == pytest.approx(DROP * 300.0 / ROAD.free_km_h, rel=0.01)


def test_rows_do_not_touch_each_other() -> None:
    steps = 2 * HOUR
    one = _supply(steps, 4, slice(60, steps), 400.0)
    two = Supply(
        np.concatenate([one.capacity_veh, _supply(steps).capacity_veh], axis=2),
        np.ones((steps, 2)),
    )
    wished = np.cumsum(np.full(steps, DEMAND_VEH_H) * H_PER_STEP)
    alone = _run(one, np.full(steps, DEMAND_VEH_H))
    both = run(links_of((CHAIN,), 2), two, lambda step, _ends, _wished: np.full(2, wished[step]))
    assert (both.at_node[:, :, 0] == alone.at_node[:, :, 0]).all()
    assert (both.at_node[:, -1, 1] >= both.at_node[:, -1, 0]).all()


def test_a_link_that_is_crossed_in_less_than_a_step_is_refused() -> None:
    short = Chain("rach-mieu-1", "southbound", ROAD, (0.0, 0.1, 2.0))
    supply = Supply(np.full((10, 3, 1), np.inf), np.ones((10, 1)))
    with pytest.raises(ValueError, match="less than a step"):
        run(links_of((short,), 1), supply, lambda _step, _ends, wished: wished[-1])
