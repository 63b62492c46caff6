"""What is true of a feed: of the water and the roads as they are, of each fault as it was asked."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators import estuary
from simulators.faults import KINDS, fault
from simulators.label import ABOVE, CONGESTED, INCIDENT, Label
from simulators.labels import CONGESTED_KM_H, labels
from simulators.road.sight import truth
from simulators.road.traffic import Camera, Incident, Traffic, Working
from simulators.scenario import HOUR_MS, SCENARIOS
from simulators.world import World, place_of
from tests.simulators.delta import REGISTRY

BAD = SCENARIOS["bad-day"]
DAY_MS = 24 * HOUR_MS


def _world() -> World:
    return BAD.world(REGISTRY, 1)


def _in(found: list[Label], at_ms: int, **having: object) -> bool:
    return any(
        each.from_ms <= at_ms < each.to_ms
        for each in found
        if all(getattr(each, name) == value for name, value in having.items())
    )


def test_no_label_reaches_beyond_what_was_asked_for() -> None:
    begin, length = BAD.start_ms + 16 * HOUR_MS + 61_234, HOUR_MS + 12_345
    found = labels(_world(), begin, length)
    assert {each.label for each in found} >= {ABOVE, CONGESTED, "silent-death"}
    assert all(begin <= each.from_ms < each.to_ms <= begin + length for each in found)
    whole = [each for each in labels(_world(), BAD.start_ms, DAY_MS) if each.level == 4.0]
    edge = next(each.to_ms for each in whole if each.to_ms < BAD.start_ms + DAY_MS)
    for begin in (edge - 30_000, edge - 90_000):  # it goes on a little, or is over soon
        cut = [each for each in labels(_world(), begin, 60_000) if each.level == 4.0]
        assert all(begin <= each.from_ms < each.to_ms <= begin + 60_000 for each in cut)
        assert cut


@pytest.mark.parametrize("level", [0.5, 1.0, 2.0, 4.0])
def test_above_is_the_truth_of_the_surface(level: float) -> None:
    world = _world()
    found = labels(world, BAD.start_ms, DAY_MS)
    t_ms = np.arange(BAD.start_ms, BAD.start_ms + DAY_MS, 170_000)
    place = place_of(REGISTRY.stations["xuan-hoa"])
    salt = estuary.surface_g_l(t_ms, place, world.river)
    sure = np.abs(salt - level) > 0.03
    said = [_in(found, t, label=ABOVE, station="xuan-hoa", level=level) for t in t_ms.tolist()]
    assert np.array_equal(np.array(said)[sure], (salt > level)[sure])
    assert sum(said) > 0
    of = [each for each in found if each.label == ABOVE]
    assert {each.quantity for each in of} == {"salinity_g_l"}
    assert {each.station for each in of} <= {"vam-kenh", "hoa-binh", "xuan-hoa", "my-hoa"}
    assert not any(each.device for each in of)


def test_congested_is_where_cars_really_are_slow_at_either_end() -> None:
    world = _world()
    found = labels(world, BAD.start_ms, DAY_MS)
    t0_ms = np.arange(BAD.start_ms, BAD.start_ms + DAY_MS, 60_000)
    for direction in ("southbound", "northbound"):
        speeds = [
            truth(
                t0_ms, 60_000, Camera("rach-mieu-1", direction, km), world.traffic, 1, "bad-day"
            ).speed_km_h
            for km in (0.0, None)
        ]
        slow = np.fmin(*speeds) < CONGESTED_KM_H
        said = _congested(found, t0_ms, direction)
        assert said == slow.tolist()
        assert sum(said) > max(int((each < CONGESTED_KM_H).sum()) for each in speeds)


def test_cars_that_wait_at_a_closed_entry_are_congested_though_none_passes() -> None:
    world = replace(_world(), traffic=Traffic())
    from_ms = BAD.start_ms + 16 * HOUR_MS
    closed = Working("rach-mieu-1", "closed", from_ms, from_ms + HOUR_MS, "southbound")
    held = replace(world, traffic=Traffic(workings=(closed,)))
    t0_ms = np.arange(from_ms, from_ms + HOUR_MS, 60_000)
    assert not any(_congested(labels(world, BAD.start_ms, DAY_MS), t0_ms, "southbound"))
    found = labels(held, BAD.start_ms, DAY_MS)
    assert sum(_congested(found, t0_ms, "southbound")) >= 55
    assert not any(_congested(found, t0_ms, "northbound"))


def _congested(found: list[Label], t0_ms: NDArray[np.int64], direction: str) -> list[bool]:
    return [
        _in(found, t, label=CONGESTED, station="rach-mieu-1", direction=direction)
        for t in t0_ms.tolist()
    ]


def test_an_incident_is_told_where_somebody_looks() -> None:
    world = _world()
    from_ms = BAD.start_ms + 5 * HOUR_MS
    incidents = tuple(
        Incident(station, "southbound", from_ms, from_ms + HOUR_MS, 1.0, 0.5)
        for station in ("rach-mieu-1", "nowhere")
    )
    blocked = replace(world, traffic=replace(world.traffic, incidents=incidents))
    found = [e for e in labels(blocked, BAD.start_ms, 330 * 60_000) if e.label == INCIDENT]
    assert [(e.station, e.from_ms, e.to_ms) for e in found] == [
        ("rach-mieu-1", from_ms, from_ms + HOUR_MS // 2)
    ]


def test_faults_are_told_with_their_quantity_and_as_far_as_the_run_goes() -> None:
    begin = BAD.start_ms
    scenario = BAD.with_faults(
        fault("stuck", "vk-01", begin - HOUR_MS, begin + HOUR_MS),
        fault("noise", "cam-01", begin, begin + HOUR_MS),
        fault("counter-reset", "cam-01", begin, begin + HOUR_MS),
        fault("gap", "hb-01", begin + 2 * DAY_MS, begin + 3 * DAY_MS),
    )
    found = labels(scenario.world(REGISTRY, 1), begin, DAY_MS)
    mine = [(e.label, e.device, e.quantity, e.from_ms, e.to_ms) for e in found if e.label in KINDS]
    assert mine == [
        ("counter-reset", "cam-01", "flow_veh_h", begin, begin + HOUR_MS),
        ("noise", "cam-01", "speed_km_h", begin, begin + HOUR_MS),
        ("stuck", "vk-01", "salinity_g_l", begin, begin + HOUR_MS),
        ("silent-death", "xh-01", "", begin + 9 * HOUR_MS, begin + DAY_MS),
    ]
    assert [e.from_ms for e in found] == sorted(e.from_ms for e in found)


def test_each_spike_and_each_low_tide_is_a_label_of_its_own() -> None:
    world = SCENARIOS["rough-week"].world(REGISTRY, 1)
    found = labels(world, SCENARIOS["rough-week"].start_ms, 7 * DAY_MS)
    kinds = [each.label for each in found]
    assert set(kinds) >= {*KINDS, ABOVE}
    assert kinds.count("spike") > 4
    assert 2 <= kinds.count("out-of-water") <= 6
