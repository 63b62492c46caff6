from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.reading import QUANTITIES, VEHICLE_CLASSES
from ingest.traffic import (
    DENSITY_PCU_KM_LANE_MAX,
    PCU,
    LaneInterval,
    counts_between,
    direction_values,
    folded,
    level_of_service,
)

T = 1_767_000_000_000
MINUTE_MS = 60_000


def lane(
    number: int = 1,
    counts: dict[str, int] | None = None,
    speed: float | None = None,
    occupancy: float | None = None,
    queue: float | None = None,
    length_ms: int = MINUTE_MS,
) -> LaneInterval:
    return LaneInterval(number, T - length_ms, T, counts, speed, occupancy, queue)


def test_one_lane_worked_by_hand() -> None:
    """The camera of the contract's example, one minute.

    42 vehicles are 2,520 an hour. In car units 33 x 0.3 + 6 + 2.5 + 2 x 2 = 22.4, times 60 is
    1,344 an hour; at 31.8 km/h these stand on 42.264 a km, which is F.
    """
    counts = {"motorbike": 33, "car": 6, "bus": 1, "truck": 2, "trailer": 0}
    assert direction_values([lane(1, counts, 31.8, 0.22, 0)]) == {
        "flow_veh_h": 2520.0,
        "flow_pcu_h": 1344.0,
        "count_motorbike": 33.0,
        "count_car": 6.0,
        "count_bus": 1.0,
        "count_truck": 2.0,
        "count_trailer": 0.0,
        "speed_km_h": 31.8,
        "occupancy": 0.22,
        "queue_m": 0.0,
        "flow_car_veh_h": 540.0,
        "speed_car_km_h": 31.8,
        "occupancy_car": 0.22,
        "density_pcu_km": 42.2642,
        "level_of_service": 6.0,
    }


def test_two_lanes_worked_by_hand() -> None:
    """A lane of 6 cars at 60 km/h beside one of 2 cars and a trailer at 30, one minute.

    9 vehicles: 540 an hour. Car units 6 and 2 + 4: 12, 720 an hour. Speed by count:
    (6 x 60 + 3 x 30) / 9 = 50. Density 720 / 50 = 14.4 on two lanes, 7.2 a lane: B.
    """
    found = direction_values(
        [
            lane(2, {"car": 2, "trailer": 1}, 30.0, 0.3, 120.0),
            lane(1, {"car": 6}, 60.0, 0.1, 40.0),
        ]
    )
    assert found == {
        "flow_veh_h": 540.0,
        "flow_pcu_h": 720.0,
        "count_car": 8.0,
        "count_trailer": 1.0,
        "speed_km_h": 50.0,
        "occupancy": 0.2,
        "queue_m": 120.0,
        "flow_car_veh_h": 540.0,
        "speed_car_km_h": 50.0,
        "occupancy_car": 0.2,
        "density_pcu_km": 14.4,
        "level_of_service": 2.0,
    }


def test_lanes_of_different_intervals_add_up_by_the_hour() -> None:
    found = direction_values([lane(1, {"car": 5}), lane(2, {"car": 10}, length_ms=5 * MINUTE_MS)])
    assert found["flow_veh_h"] == 5 * 60 + 10 * 12
    assert found["count_car"] == 15


def test_what_no_lane_has_is_absent() -> None:
    assert direction_values([lane(1)]) == {}
    assert direction_values([lane(1, speed=40.0)]) == {"speed_km_h": 40.0, "speed_car_km_h": 40.0}
    assert direction_values([lane(1, {"car": 3})]) == {
        "flow_veh_h": 180.0,
        "flow_pcu_h": 180.0,
        "count_car": 3.0,
        "flow_car_veh_h": 180.0,
    }
    assert "flow_car_veh_h" not in direction_values([lane(1, {"motorbike": 3})])


CARS_STAND = lane(1, {"car": 2, "truck": 1, "motorbike": 1}, 6.0, 0.5)
BIKES_GO = lane(2, {"motorbike": 40, "car": 1}, 34.0, 0.1)


def test_motorbikes_flow_while_cars_stand() -> None:
    """The speed of all is that of the many motorbikes; the cars' own tells the queue."""
    found = direction_values([CARS_STAND, BIKES_GO], {1: "car", 2: "motorbike"})
    assert found["speed_km_h"] > 30.0
    assert found["speed_car_km_h"] == 6.0
    assert found["occupancy_car"] == 0.5
    assert found["speed_motorbike_km_h"] == 34.0
    assert found["flow_car_veh_h"] == 4 * 60, "of all lanes: it is counted by class"


def test_a_mixed_lane_beside_a_car_lane_tells_of_the_motorbikes() -> None:
    found = direction_values([BIKES_GO, CARS_STAND], {1: "car", 2: "mixed"})
    assert (found["speed_car_km_h"], found["speed_motorbike_km_h"]) == (6.0, 34.0)


def test_a_mixed_lane_alone_tells_of_the_cars_and_not_of_the_motorbikes() -> None:
    found = direction_values([CARS_STAND], {1: "mixed"})
    assert found["speed_car_km_h"] == 6.0
    assert "speed_motorbike_km_h" not in found


def test_a_car_lane_that_has_not_come_is_not_replaced_by_a_mixed_one() -> None:
    found = direction_values([BIKES_GO], {1: "car", 2: "mixed"})
    assert "speed_car_km_h" not in found
    assert "occupancy_car" not in found
    assert found["speed_motorbike_km_h"] == 34.0


def test_a_lane_that_lacks_a_figure_is_left_out_of_it() -> None:
    found = direction_values([lane(1, {"car": 10}, 50.0, 0.2), lane(2, None, 20.0, None, 15.0)])
    assert found["speed_km_h"] == 50.0
    assert found["occupancy"] == 0.2
    assert found["queue_m"] == 15.0
    assert found["density_pcu_km"] == 12.0
    assert found["level_of_service"] == 3.0, "12 on the one lane that counts"


def test_no_vehicle_and_an_empty_road_is_free_flow() -> None:
    found = direction_values([lane(1, {"car": 0, "motorbike": 0}, None, 0.0, 0.0)])
    assert found["flow_veh_h"] == 0.0
    assert found["density_pcu_km"] == 0.0
    assert found["level_of_service"] == 1.0
    assert "speed_km_h" not in found


@pytest.mark.parametrize("speed", [None, 0.0, 2.0])
def test_a_standing_queue_does_not_read_as_an_empty_road(speed: float | None) -> None:
    """Nobody passed and the lane is occupied: 0.7 x 1000 m / 7 m are 100 standing cars a km."""
    found = direction_values([lane(1, {"car": 0}, speed, 0.7, 300.0)])
    assert found["flow_veh_h"] == 0.0
    assert found["density_pcu_km"] == 100.0
    assert found["level_of_service"] == 6.0
    assert found.get("speed_km_h") == speed


def test_without_occupancy_nobody_knows_whether_the_road_is_empty_or_stands() -> None:
    for speed in (None, 0.0, 2.0):
        found = direction_values([lane(1, {"car": 0}, speed)])
        assert "density_pcu_km" not in found
        assert "level_of_service" not in found
    assert "density_pcu_km" not in direction_values([lane(1, {"car": 5}, 0.0)])


def test_unknown_classes_are_other_and_count_as_cars() -> None:
    assert folded({"tuktuk": 2, "car": 1, "other": 3}) == {"other": 5, "car": 1}
    found = direction_values([lane(1, {"tuktuk": 2, "xe lôi": 1})])
    assert found["count_other"] == 3.0
    assert found["flow_pcu_h"] == 180.0


def test_every_class_has_its_car_units_and_every_value_its_quantity() -> None:
    assert set(PCU) == set(VEHICLE_CLASSES)
    counts = dict.fromkeys(VEHICLE_CLASSES, 1)
    two = [lane(1, counts, 40.0, 0.1, 5.0), lane(2, {"motorbike": 0}, 30.0)]
    found = direction_values(two, {1: "car", 2: "motorbike"})
    assert set(found) == {q.name for q in QUANTITIES.values() if q.kind == "traffic"}
    assert found["flow_pcu_h"] == 60 * 11.0


@pytest.mark.parametrize(
    ("density", "level"),
    [
        (0, 1),
        (6.8, 1),
        (6.81, 2),
        (11.2, 2),
        (16.2, 3),
        (16.3, 4),
        (21.7, 4),
        (28.0, 5),
        (28.1, 6),
        (500, 6),
    ],
)
def test_level_of_service(density: float, level: int) -> None:
    assert level_of_service(density) == level


def test_level_limits_are_the_manuals_cars_a_mile() -> None:
    miles = [11, 18, 26, 35, 45]
    for limit, per_mile in zip(DENSITY_PCU_KM_LANE_MAX, miles, strict=True):
        assert limit == pytest.approx(per_mile / 1.609344, abs=0.06)


def test_the_last_bit_of_a_sum_does_not_tell_which_lane_came_first() -> None:
    """These means lie on the edge between 0.5842 and 0.5843, where the order of adding tells."""
    four = [lane(n, occupancy=o) for n, o in enumerate((0.5671, 0.0026, 0.8823, 0.885))]
    first, second, third, fourth = four
    assert direction_values(four) == direction_values([first, second, fourth, third])


counts = st.none() | st.dictionaries(
    st.sampled_from([*VEHICLE_CLASSES, "tuktuk"]), st.integers(0, 500), max_size=5
)
lanes = st.lists(
    st.builds(
        lane,
        st.integers(0, 5),
        counts,
        st.none() | st.floats(0, 300),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1e5),
        st.sampled_from([MINUTE_MS, 5 * MINUTE_MS, 7]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item.lane,
)


@example(lanes=[lane(1, {"car": 71}, 7e-302)], order=Random(1))
@given(lanes=lanes, order=st.randoms(use_true_random=False))
def test_the_order_in_which_lanes_come_changes_nothing(
    lanes: list[LaneInterval], order: Random
) -> None:
    found = direction_values(lanes)
    shuffled = list(lanes)
    order.shuffle(shuffled)
    assert direction_values(shuffled) == found
    assert all(0.0 <= value < float("inf") for value in found.values())
    assert found.get("level_of_service", 1.0) in range(1, 7)
    speeds = [item.speed_km_h for item in lanes if item.speed_km_h is not None]
    if speeds:
        assert min(speeds) - 1e-4 <= found["speed_km_h"] <= max(speeds) + 1e-4


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        # Nothing is known of the first interval.
        (None, {"car": 500}, {}),
        ({"car": 500}, {"car": 506}, {"car": 6}),
        ({"car": 500, "bus": 7}, {"car": 500, "bus": 8}, {"car": 0, "bus": 1}),
        # Nor of a class that comes anew, nor of one that is left out.
        ({"car": 500}, {"car": 501, "trailer": 70}, {"car": 1}),
        ({"car": 500, "bus": 7}, {"car": 501}, {"car": 1}),
        # A reset: all of them count from zero, even one that is higher by chance.
        ({"car": 500, "bus": 7}, {"car": 3, "bus": 0}, {"car": 3, "bus": 0}),
        ({"car": 500, "bus": 1}, {"car": 12, "bus": 2}, {"car": 12, "bus": 2}),
        ({"car": 500}, {"car": 0}, {"car": 0}),
        # One counter runs over at 16 or 32 bits while the others go on.
        (
            {"car": 9000, "motorbike": 65_530},
            {"car": 9002, "motorbike": 12},
            {"car": 2, "motorbike": 18},
        ),
        ({"motorbike": 2**32 - 1}, {"motorbike": 0}, {"motorbike": 1}),
        # A reset of a camera one of whose counters stood near there is still a reset.
        (
            {"car": 9000, "motorbike": 65_530},
            {"car": 1, "motorbike": 12},
            {"car": 1, "motorbike": 12},
        ),
        # One alone was set back, and the rest goes on.
        ({"car": 9000, "bus": 7}, {"car": 9100, "bus": 2}, {"car": 100, "bus": 2}),
    ],
)
def test_counts_between_counters(
    previous: dict[str, int] | None, current: dict[str, int], expected: dict[str, int]
) -> None:
    assert counts_between(previous, current) == expected


def test_a_class_that_was_left_out_once_does_not_count_its_past_again() -> None:
    sent = [{"car": 100, "truck": 500}, {"car": 105}, {"car": 110, "truck": 502}, {"truck": 503}]
    found = [counts_between(a, b) for a, b in pairwise(sent)]
    assert found == [{"car": 5}, {"car": 5}, {"truck": 1}]


@given(
    passing=st.lists(
        st.fixed_dictionaries(dict.fromkeys(VEHICLE_CLASSES, st.integers(0, 400))), max_size=20
    ),
    resets=st.sets(st.integers(0, 19)),
)
def test_counters_give_back_what_passed_over_resets(
    passing: list[dict[str, int]], resets: set[int]
) -> None:
    """A camera reset at the start of an interval loses nothing, if its sum shows that it was."""
    totals = dict.fromkeys(VEHICLE_CLASSES, 40_000)
    for number, interval in enumerate(passing):
        before = totals
        start = dict.fromkeys(VEHICLE_CLASSES, 0) if number in resets else before
        totals = {name: start[name] + count for name, count in interval.items()}
        if number in resets and sum(totals.values()) >= sum(before.values()):
            continue  # twice within a minute or so: no reading shows it
        assert counts_between(before, totals) == interval


@given(
    previous=st.dictionaries(st.sampled_from(VEHICLE_CLASSES), st.integers(0, 2**40)),
    current=st.dictionaries(st.sampled_from(VEHICLE_CLASSES), st.integers(0, 2**40)),
)
def test_counts_are_never_negative_nor_more_than_was_shown_but_at_a_rollover(
    previous: dict[str, int], current: dict[str, int]
) -> None:
    found = counts_between(previous, current)
    assert found.keys() in ((previous.keys() & current.keys()), current.keys())
    for name, count in found.items():
        assert 0 <= count <= current[name] + 2**32 // 10 + 1
