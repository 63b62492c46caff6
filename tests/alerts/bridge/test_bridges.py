"""Bridges as their cameras tell of them: each rule of the counting and each hard case."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.bridge.bridges import Bridges
from alerts.bridge.modes import Mode
from ingest.reading import Batch, Flag, Why
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from tests.alerts.bridge.cameras import (
    BRIDGE,
    FREE,
    JAM,
    MINUTE_MS,
    PLACE,
    REORDER_MS,
    START_MS,
    Sight,
    Told,
    registry_of,
)

BOUND = int(Why.BOUND)
INPUT = int(Why.INPUT)
SLOW_ENTRY = Sight(14, 36.0, 0.14)
SLOW_EXIT = Sight(10, 12.0, 0.38)


def counted_up() -> Told:
    """Free until 16:40 with 850 an hour, then a queue from the exit."""
    told = Told()
    for minute in range(-30, 1):
        cars = _cars(850, minute + 30)
        told.saw(minute, cam_01=Sight(cars), cam_02=Sight(cars))
    return told


def _cars(per_h: int, minute: int) -> int:
    """Whole cars of a minute that add up to a flow."""
    return round(per_h * minute / 60) - round(per_h * (minute - 1) / 60)


def queueing(told: Told, minutes: Sequence[int]) -> dict[str, tuple[float, int, int]]:
    """212 in and 150 out in a quarter of an hour."""
    found: dict[str, tuple[float, int, int]] = {}
    for minute in minutes:
        entry = Sight(_cars(848, minute), 38.0, 0.14)
        leaving = Sight(_cars(600, minute), 12.0, 0.38)
        found = told.saw(minute, cam_01=entry, cam_02=leaving)
    return found


def test_the_worked_afternoon() -> None:
    """Reset at 16:40 with 54 vehicles; at 16:55 there are 116, in 2.0 km: 11 minutes."""
    told = counted_up()
    found = queueing(told, range(1, 16))
    assert found["vehicles_on_bridge"][0] == pytest.approx(116, abs=0.5)
    assert found["queue_length_km"][0] == pytest.approx(2.0, abs=0.06)
    assert found["crossing_time_min"][0] == pytest.approx(11.1, abs=0.15)
    assert found["traffic_state"][0] == 2.0
    assert {flag for _, flag, _ in found.values()} == {Flag.PASS}
    picture = told.picture(15)
    assert picture["text_vi"] == "khoảng 11 phút, ùn ứ, ùn dài 2,0 km"
    assert picture["counted_since"] == START_MS


def test_while_both_ends_run_free_there_is_no_queue() -> None:
    found = Told().both(range(15))
    assert found["queue_length_km"] == (0.0, Flag.PASS, 0)
    assert found["crossing_time_min"][0] == pytest.approx(2.868 / 45 * 60, abs=1e-4)
    assert found["vehicles_on_bridge"][0] == pytest.approx(14 * 60 * 2.868 / 45, abs=1e-3)
    assert found["traffic_state"][0] == 0.0


def test_the_count_begins_after_ten_free_minutes_and_not_before() -> None:
    told = Told()
    made = [told.saw(minute, cam_01=FREE, cam_02=FREE) for minute in range(14)]
    began = ["vehicles_on_bridge" in each for each in made].index(True)
    assert began == 2 + 10, "two minutes until the cameras count as heard"


def test_without_a_free_beginning_the_state_alone_is_told() -> None:
    told = Told()
    found = told.both(range(12), SLOW_ENTRY, SLOW_EXIT)
    assert found["traffic_state"][0] == 2.0
    assert "crossing_time_min" not in found
    assert "queue_length_km" not in found
    assert told.picture(12)["why"] == "never"


def test_metres_are_withdrawn_after_half_an_hour_and_the_minutes_are_a_range() -> None:
    told = counted_up()
    entry, leaving = Sight(11, 38.0, 0.14), Sight(10, 12.0, 0.38)
    found = told.both(range(1, 31), entry, leaving)
    assert "queue_length_km" in found
    found = told.both([31], entry, leaving)
    assert "queue_length_km" not in found
    assert "vehicles_on_bridge" not in found
    assert found["traffic_state"][:2] == (2.0, Flag.PASS)
    _, flag, why = found["crossing_time_min"]
    assert (flag, why) == (Flag.SUSPECT, BOUND)
    minutes = told.picture(31)["minutes"]
    assert isinstance(minutes, dict)
    assert minutes["from"] < minutes["to"] < 2 * minutes["from"]


def test_at_night_metres_are_withdrawn_after_six_minutes() -> None:
    told = Told()
    night = 120  # 18:40
    told.both(range(night - 20, night + 1))
    made = [told.both([night + n], SLOW_ENTRY, SLOW_EXIT) for n in range(1, 10)]
    assert ["vehicles_on_bridge" in each for each in made].index(False) == 6


def test_free_traffic_begins_the_count_anew() -> None:
    told = counted_up()
    told.both(range(1, 40), Sight(11, 38.0, 0.14), SLOW_EXIT)
    found = told.both(range(40, 60))
    assert "vehicles_on_bridge" in found
    assert told.picture(60)["counted_since"] == START_MS + 59 * MINUTE_MS


@pytest.mark.parametrize(
    ("entry", "leaving"),
    [
        (Sight(0, 38.0, 0.14), Sight(20, 12.0, 0.38)),
        (Sight(60, 38.0, 0.14), Sight(10, 12.0, 0.38)),
    ],
)
def test_fewer_than_none_and_more_than_fit_are_a_fault(entry: Sight, leaving: Sight) -> None:
    told = counted_up()
    found = told.both(range(1, 8), entry, leaving)
    assert "vehicles_on_bridge" not in found
    assert "queue_length_km" not in found
    assert "crossing_time_min" not in found
    assert "traffic_state" in found
    assert told.picture(8)["why"] == "fault"


def test_a_minute_without_counts_ends_the_count() -> None:
    told = counted_up()
    told.both(range(1, 5), SLOW_ENTRY, SLOW_EXIT)
    found = told.both(range(6, 12), SLOW_ENTRY, SLOW_EXIT)
    assert "vehicles_on_bridge" not in found
    assert told.picture(12)["why"] == "gap"


def test_a_lane_that_is_missing_ends_the_count() -> None:
    told = counted_up()
    partial = Sight(7, 38.0, 0.14, flag=int(Flag.SUSPECT), why=int(Why.LANE_MISSING))
    told.both([1], partial, SLOW_EXIT)
    found = told.both(range(2, 8), SLOW_ENTRY, SLOW_EXIT)
    assert "vehicles_on_bridge" not in found


def test_a_counter_that_counts_over_a_gap_keeps_the_count() -> None:
    told = counted_up()
    bridged = Sight(28, 38.0, 0.14, why=int(Why.COUNTER_GAP))
    over = Sight(20, 12.0, 0.38, why=int(Why.COUNTER_GAP))
    found = told.both([2], bridged, over)
    assert found["vehicles_on_bridge"][0] == pytest.approx(54.3 + 28 - 20, abs=1.0)


def test_a_queue_past_the_entry_is_a_bound_and_no_length() -> None:
    told = counted_up()
    found = told.both(range(1, 12), JAM, Sight(8, 9.0, 0.5))
    assert found["queue_length_km"] == (2.868, Flag.SUSPECT, BOUND)
    assert found["crossing_time_min"][1:] == (Flag.SUSPECT, BOUND)
    assert found["traffic_state"][0] == 3.0
    text = told.picture(12)["text_vi"]
    assert isinstance(text, str)
    assert text.startswith("trên ")
    assert text.endswith("ùn dài > 2,9 km")


APPROACH = (
    BRIDGE + 'approach = [{ device = "cam-08", km = 2.0 }, { device = "cam-09", km = 5.0 }]\n'
)


@pytest.mark.parametrize(
    ("at_2_km", "at_5_km", "least_km", "said"),
    [
        (FREE, FREE, 2.868, "2,9 đến 4,9 km"),
        (JAM, FREE, 4.868, "4,9 đến 7,9 km"),
        (JAM, JAM, 7.868, "> 7,9 km"),
    ],
)
def test_cameras_before_the_bridge_see_how_far_a_queue_reaches(
    at_2_km: Sight, at_5_km: Sight, least_km: float, said: str
) -> None:
    registry = registry_of(APPROACH, before="cam-08:km-2 cam-09:km-5")
    told = Told(registry)
    for minute in range(6):
        found = told.saw(minute, cam_01=JAM, cam_02=JAM, cam_08=at_2_km, cam_09=at_5_km)
    assert found["queue_length_km"][0] == least_km
    text = told.picture(6)["text_vi"]
    assert isinstance(text, str)
    assert said in text


def test_who_creeps_is_over_no_sooner_than_who_drives_freely() -> None:
    told = Told()
    # More than the lane can let out, as a camera that counts twice says.
    creeping = Sight(cars=20, km_h=6.0, occupancy=0.55)
    found = told.both(range(1, 15), creeping, creeping)
    minutes, flag, why = found["crossing_time_min"]
    assert minutes == pytest.approx(2.868 / 45 * 60, abs=1e-4)
    assert (flag, why & Why.BOUND) == (Flag.SUSPECT, Why.BOUND)


def test_cameras_at_one_end_give_the_state_alone() -> None:
    told = Told(registry_of(BRIDGE.replace('exit = "south"\n', ""), "cam-01:north"))
    for minute in range(10):
        found = told.saw(minute, cam_01=JAM)
    assert set(found) == {"traffic_state", "incident"}
    assert found["traffic_state"][0] == 3.0
    assert told.picture(10)["why"] == "one-end"


def test_a_bridge_of_which_nothing_is_known_still_has_its_state() -> None:
    told = Told(registry_of("", "cam-01:north cam-02:south"))
    found = told.both(range(10), FREE, JAM)
    assert found["traffic_state"][0] == 3.0, "the worse of its cameras"
    assert "crossing_time_min" not in found


def test_fewer_than_five_cars_are_not_evaluated() -> None:
    told = Told()
    one = Sight(1, 5.0, 0.05)
    found = told.both(range(10), one, one)
    assert found["traffic_state"][:2] == (0.0, Flag.NOT_EVALUATED)
    five = Sight(2, 5.0, 0.55)
    assert Told().both(range(10), five, five)["traffic_state"][:2] == (3.0, Flag.PASS)


def test_cars_that_stand_are_a_jam_though_none_of_them_passes() -> None:
    told = Told()
    stands = Sight(0, None, 0.72)
    assert told.both(range(4), stands, stands)["traffic_state"][0] == 0.0
    assert told.both(range(4, 12), stands, stands)["traffic_state"][:2] == (3.0, Flag.PASS)


def test_a_state_outlives_a_few_cars_and_lapses_on_an_empty_road() -> None:
    told = Told()
    told.both(range(10), JAM, JAM)
    few = Sight(1, 50.0, 0.02)
    assert told.both(range(10, 20), few, few)["traffic_state"][0] == 3.0
    assert told.both(range(20, 45), few, few)["traffic_state"][0] == 0.0


def test_a_full_lane_in_which_nothing_passes_is_an_incident() -> None:
    told = Told()
    told.both(range(10))
    stands = Sight(0, None, 0.9)
    found = told.both(range(10, 20), stands, Sight(0, None, 0.0))
    assert found["incident"][0] == 1.0


def test_a_standing_entry_before_an_empty_exit_is_an_incident() -> None:
    told = Told()
    told.both(range(10))
    found = told.both(range(10, 20), JAM, Sight(6, 45.0, 0.05))
    assert found["incident"][0] == 1.0
    assert "có dấu hiệu sự cố" in str(told.picture(20)["text_vi"])


def test_suspect_input_makes_suspect_figures() -> None:
    told = Told()
    bad = Sight(flag=int(Flag.SUSPECT))
    found = told.both(range(15), bad, FREE)
    assert {flag for _, flag, _ in found.values()} == {Flag.SUSPECT}
    assert all(why & INPUT for _, _, why in found.values())


def test_simulated_input_marks_all_figures() -> None:
    found = Told().both(range(15), Sight(why=int(Why.SIMULATED)), FREE)
    assert all(why & Why.SIMULATED for _, _, why in found.values())


def test_what_failed_its_test_counts_as_absent() -> None:
    told = Told()
    found = told.both(range(10), Sight(14, 2.0, 0.9, flag=int(Flag.FAIL)), FREE)
    assert found["traffic_state"][0] == 0.0
    assert "crossing_time_min" not in found


def test_a_closed_direction_is_silent_shown_and_begins_again() -> None:
    told = counted_up()
    told.both(range(1, 10), JAM, JAM)
    told.modes[PLACE] = Mode.CLOSED
    assert told.both(range(10, 15), JAM, JAM) == {}
    picture = told.picture(15)
    assert picture["suppressed"] is True
    assert picture["text_vi"] == "đang đóng chiều này"
    assert (picture["why"], picture["minutes"]) == ("closed", None)
    told.modes.clear()
    assert told.picture(15)["why"] == "mode-changed", "its cameras are heard"
    found = told.both(range(15, 20), FREE, FREE)
    assert found["traffic_state"][0] == 0.0, "what was before the closing is over"


def test_in_one_way_working_stops_are_no_incident() -> None:
    told = Told()
    told.modes[PLACE] = Mode.ONE_WAY
    found = told.both(range(20), JAM, Sight(6, 45.0, 0.05))
    assert "incident" not in found
    assert found["traffic_state"][0] == 3.0
    assert "một chiều" in str(told.picture(20)["text_vi"])


def test_the_toll_station_open_changes_no_figure() -> None:
    told = Told()
    told.modes[PLACE] = Mode.RELEASE
    assert told.both(range(15)) == Told().both(range(15))
    assert "xả trạm" in str(told.picture(15)["text_vi"])


def test_a_camera_is_late_then_lost_then_returns_after_three_good_minutes() -> None:
    told = Told(registry_of("", "cam-01:north cam-02:south"))
    told.both(range(10), JAM, FREE)
    made = [told.saw(minute, cam_02=FREE) for minute in range(10, 30)]
    states = [each["traffic_state"][0] for each in made if "traffic_state" in each]
    assert states[0] == 3.0
    assert states[-1] == 0.0, "its state went with it"
    back = [told.both([minute], JAM, FREE)["traffic_state"][0] for minute in range(30, 40)]
    assert back.index(3.0) == 2 + 5


def test_the_picture_says_when_cameras_fall_silent() -> None:
    told = Told()
    told.both(range(15))
    places = [each["status"] for each in _cameras(told, 14)]
    assert places == ["heard", "heard"]
    assert [each["status"] for each in _cameras(told, 17)] == ["late", "late"]
    assert [each["status"] for each in _cameras(told, 24)] == ["lost", "lost"]
    assert told.picture(24)["text_vi"] == "CHƯA RÕ"


def _cameras(told: Told, minute: int) -> list[dict[str, object]]:
    cameras = told.picture(minute)["cameras"]
    assert isinstance(cameras, list)
    return cameras


def test_a_dated_ban_of_trucks_is_shown_and_shortens_the_spacing() -> None:
    ban = (
        BRIDGE
        + "\n[[station.bridge.truck_ban]]\nfrom = 2026-01-01\nhours = [[15, 19]]\naxles = 3\n"
    )
    told = Told(registry_of(ban))
    shown = told.picture(0)["truck_ban"]
    assert isinstance(shown, dict)
    assert shown["text_vi"] == "cấm xe tải từ 3 trục, 15-19 giờ"
    assert told.picture(180)["truck_ban"] is None
    road = told.picture(180)["road"]  # where a page draws the hours to come from
    assert isinstance(road, dict)
    assert road["capacity_veh_h"] == 900
    [registered] = road["truck_bans"]
    new_year_ms = 1_767_200_400_000  # 2026-01-01T00:00+07:00
    assert (registered["from"], registered["until"]) == (new_year_ms, None)
    assert (registered["hours"], registered["axles"]) == ([[15.0, 19.0]], 3)


# In any split, from any snapshot.

sights = st.builds(
    Sight,
    st.integers(0, 30),
    st.sampled_from([None, 5.0, 12.0, 25.0, 38.0, 45.0]),
    st.sampled_from([None, 0.05, 0.1, 0.14, 0.25, 0.4, 0.6]),
    st.sampled_from([1, 1, 1, 2, 3, 4]),
    st.sampled_from([0, 0, 0, int(Why.LANE_MISSING), int(Why.SIMULATED)]),
)
stories = st.lists(
    st.tuples(
        sights, sights, st.integers(1, 14), st.sampled_from(["both"] * 6 + ["first", "none"])
    ),
    min_size=1,
    max_size=8,
)


def _messages(
    told: Told, story: list[tuple[Sight, Sight, int, str]]
) -> list[list[tuple[int, int, float, int, int]]]:
    """What each camera sends, a stream at a time, in order of time."""
    sent = []
    minute = 0
    for entry, leaving, minutes, who in story:
        for _ in range(minutes):
            if who != "none":
                sent.append(told.rows(minute, "cam-01", entry))
            if who == "both":
                sent.append(told.rows(minute + 0.1, "cam-02", leaving))
            minute += 1
    return sent


def _flat(made: list[Batch]) -> list[tuple[int, int, float, int, int]]:
    return [
        row
        for each in made
        for row in zip(
            each.series.tolist(),
            each.t_ms.tolist(),
            each.value.tolist(),
            each.flag.tolist(),
            each.why.tolist(),
            strict=True,
        )
    ]


@settings(max_examples=60)
@given(story=stories, cuts=st.sets(st.integers(1, 200)), restart=st.integers(0, 100))
def test_any_split_and_any_restart_give_the_same(
    story: list[tuple[Sight, Sight, int, str]], cuts: set[int], restart: int
) -> None:
    told = Told()
    sent = _messages(told, story)
    if not sent:
        return
    one_by_one = _flat([told.push(rows) for rows in sent])
    again = Told()
    made = []
    borders = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    for number, (low, high) in enumerate(pairwise(borders)):
        if number == restart % len(borders):
            state = unpack(pack(again.bridges.snapshot()))
            again.bridges = Bridges(again.registry, again.series, REORDER_MS, state)
        made.append(again.push([row for rows in sent[low:high] for row in rows]))
    assert _flat(made) == one_by_one
    assert pack(again.bridges.snapshot()) == pack(told.bridges.snapshot())


@settings(max_examples=40)
@given(story=stories)
def test_rows_come_in_order_and_each_series_once_for_a_time(
    story: list[tuple[Sight, Sight, int, str]],
) -> None:
    told = Told()
    sent = _messages(told, story)
    if not sent:
        return
    made = told.push([row for rows in sent for row in rows])
    assert (np.diff(made.t_ms) >= 0).all()
    keys = list(zip(made.series.tolist(), made.t_ms.tolist(), strict=True))
    assert len(keys) == len(set(keys))
    assert np.isfinite(made.value).all()
    assert set(made.flag.tolist()) <= {1, 2, 3}


def test_a_snapshot_shares_nothing_with_what_goes_on() -> None:
    told = counted_up()
    before = told.bridges.snapshot()
    kept = pack(before)
    queueing(told, range(1, 10))
    assert pack(before) == kept


def test_the_memory_is_bounded() -> None:
    told = Told()
    told.both(range(30))
    early = len(pack(told.bridges.snapshot()))
    told.both(range(30, 600))
    assert len(pack(told.bridges.snapshot())) < early + 200


def test_another_registry_keeps_what_is_known_of_what_stays() -> None:
    told = counted_up()
    wider = registry_of(BRIDGE, "cam-01:north cam-02:south cam-05:middle")
    told.series = SeriesTable.of(wider, [each.key for each in told.series.entries])
    told.bridges.reconfigure(wider, told.series, REORDER_MS)
    found = told.both([1, 2], SLOW_ENTRY, SLOW_EXIT)
    assert "vehicles_on_bridge" in found


def test_readings_of_other_devices_are_passed_over() -> None:
    told = Told()
    number = told.series.columns["cam-01/southbound"]["flow_veh_h"]
    assert len(told.bridges.push(Batch.of([number], [START_MS], [1.0]), {})) == 0
    assert len(told.bridges.push(Batch.empty(), {})) == 0


def test_a_backlog_of_days_equals_the_same_minute_by_minute() -> None:
    """Three days in one call, the first camera's before the second's."""
    sights = [FREE, SLOW_ENTRY, SLOW_EXIT, FREE]
    at_once, by_minute = Told(), Told()
    first, second, made = [], [], []
    for minute in range(4200):
        entry = by_minute.rows(minute, "cam-01", sights[minute // 97 % 4])
        leaving = by_minute.rows(minute, "cam-02", sights[minute // 61 % 4])
        first += entry
        second += leaving
        made.append(by_minute.push(entry + leaving))
    assert _flat([at_once.push(first + second)]) == _flat(made)
    assert len(pack(at_once.bridges.snapshot())) < 50_000


def test_a_camera_that_counts_alone_tells_no_state() -> None:
    counts = Sight(14, None, None)
    assert Told().both(range(20), counts, counts) == {}
