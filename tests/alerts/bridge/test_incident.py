"""Signs of an incident: what breaks down where it usually does not, and what is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bridge.incident import Held, Watch, between_the_ends, held
from alerts.bridge.profile import DAYS_MIN, Profile

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 4 * DAY_MS - 7 * HOUR_MS
"""Midnight in Vietnam of a Monday, 5/1/1970."""


def at(day: int, hour: float) -> int:
    return MONDAY_MS + day * DAY_MS + round(hour * HOUR_MS)


def learnt(days: int = 6, busy: tuple[float, float] = (18.0, 0.30)) -> Watch:
    """A camera whose hour from 17 is busy on working days, and all others are not."""
    watch = Watch(45.0)
    for day in [day for day in range(14) if day % 7 < 5][:days]:
        for minute in range(0, 24 * 60, 5):
            is_busy = 17 * 60 <= minute < 18 * 60
            # Two alternating values give each half hour a spread.
            km_h, occupancy = busy if is_busy else (42.0, 0.08)
            wiggle = 1.0 if minute % 10 else 0.0
            watch.step(
                at(day, minute / 60), 5 * MINUTE_MS, km_h + wiggle, occupancy + wiggle / 100, 70
            )
    return watch


def told(watch: Watch, day: int, hour: float, minutes: int, **seen: float) -> list[bool]:
    found = []
    for minute in range(minutes):
        watch.step(
            at(day, hour) + minute * MINUTE_MS,
            MINUTE_MS,
            seen.get("km_h"),
            seen.get("occupancy"),
            round(seen.get("cars", 30)),
        )
        found.append(watch.on)
    return found


def test_a_breakdown_where_it_is_unusual_is_told_after_three_minutes() -> None:
    assert told(learnt(), 9, 10.0, 5, km_h=10.0, occupancy=0.5) == [False, False, True, True, True]


def test_the_rush_hour_of_every_day_is_none() -> None:
    assert not any(told(learnt(), 9, 17.2, 20, km_h=18.0, occupancy=0.30))


def test_both_measures_are_asked_where_both_are_there() -> None:
    assert not any(told(learnt(), 9, 10.0, 9, km_h=40.0, occupancy=0.5))
    assert not any(told(learnt(), 9, 10.0, 9, km_h=10.0, occupancy=0.1))
    assert told(learnt(), 9, 10.0, 9, km_h=10.0)[-1]
    assert told(learnt(), 9, 10.0, 9, occupancy=0.5)[-1]


def test_without_five_days_nobody_knows_what_is_usual() -> None:
    assert not any(told(learnt(DAYS_MIN - 1), 9, 10.0, 20, km_h=10.0, occupancy=0.5))


def test_a_saturday_is_not_judged_by_working_days() -> None:
    assert not any(told(learnt(10), 12, 10.0, 20, km_h=10.0, occupancy=0.5))


def test_few_cars_break_nothing_down_but_a_full_lane_stands() -> None:
    assert not any(told(learnt(), 9, 10.0, 9, km_h=10.0, occupancy=0.4, cars=4))
    assert told(Watch(45.0), 0, 10.0, 5, occupancy=0.46, cars=4) == [False, False, True, True, True]
    assert not any(told(Watch(45.0), 0, 10.0, 5, occupancy=0.45, cars=4))


def test_it_is_over_after_ten_minutes_and_not_before() -> None:
    watch = learnt()
    told(watch, 9, 10.0, 5, km_h=10.0, occupancy=0.5)
    assert told(watch, 9, 10.1, 12, km_h=42.0, occupancy=0.08).index(False) == 9


def test_what_goes_on_during_an_incident_is_not_learnt_as_usual() -> None:
    watch = learnt()
    told(watch, 9, 10.0, 3, km_h=10.0, occupancy=0.5)
    before = watch.snapshot()
    told(watch, 9, 10.1, 60, km_h=10.0, occupancy=0.5)
    after = watch.snapshot()
    assert before["speed"] == after["speed"]
    assert before["occupancy"] == after["occupancy"]


@pytest.mark.parametrize(
    ("entry_km_h", "entry", "leaving", "sign"),
    [
        (6.0, 0.55, 0.05, True),
        (15.0, 0.55, 0.05, False),
        (6.0, 0.55, 0.36, False),
        (6.0, 0.24, 0.05, False),
        (6.0, 0.50, 0.26, False),
        (None, 0.55, 0.05, False),
        (6.0, None, 0.05, False),
        (6.0, 0.55, None, False),
    ],
)
def test_between_the_ends(
    entry_km_h: float | None, entry: float | None, leaving: float | None, sign: bool
) -> None:
    assert between_the_ends(entry_km_h, entry, leaving) == sign


def test_what_was_before_the_baseline_is_not_learnt() -> None:
    watch = Watch(45.0, baseline_from_ms=at(7, 0.0))
    for day in range(14):
        before = watch.snapshot()
        told(watch, day, 10.0, 40, km_h=42.0, occupancy=0.08)
        assert (watch.snapshot()["speed"] == before["speed"]) == (day < 7)


def test_a_profile_is_the_mean_and_spread_of_its_half_hours() -> None:
    """Ten days of 10 and 14 by turns: mean 12, spread 2; so 17 is two and a half spreads off."""
    profile = Profile(floor=0.1)
    for day in [day for day in range(14) if day % 7 < 5]:
        for minute in range(0, 24 * 60, 15):
            profile.push(at(day, minute / 60), 10.0 if minute % 30 else 14.0)
    assert profile.deviation(at(14, 12.0), 17.0) == pytest.approx(2.5)
    assert profile.highest() == pytest.approx(12.0)
    assert profile.deviation(at(12, 12.0), 17.0) is None, "a Saturday"


@given(
    signs=st.lists(st.booleans(), max_size=40),
    cut=st.integers(0, 40),
)
def test_a_held_sign_equals_looking_back(signs: list[bool], cut: int) -> None:
    """On from the third minute of a run on; off from the tenth minute of its opposite on."""
    sign, expected, on = Held(), [], False
    found = []
    for minute, is_there in enumerate(signs):
        if minute == cut:
            sign = held(sign.snapshot())
        sign.step(minute * MINUTE_MS, MINUTE_MS, sign=is_there)
        found.append(sign.on)
        if not on:
            on = minute >= 2 and all(signs[minute - 2 : minute + 1])
        else:
            on = not (minute >= 9 and not any(signs[minute - 9 : minute + 1]))
        expected.append(on)
    assert found == expected


@given(
    values=st.lists(st.tuples(st.integers(1, 400), st.floats(0, 100)), max_size=60),
    cut=st.integers(0, 60),
)
def test_a_profile_goes_on_from_its_snapshot(values: list[tuple[int, float]], cut: int) -> None:
    whole, parted, t_ms = Profile(1.0), Profile(1.0), MONDAY_MS
    for number, (minutes, value) in enumerate(values):
        t_ms += minutes * MINUTE_MS
        if number == cut:
            parted = Profile(1.0, parted.snapshot())
        whole.push(t_ms, value)
        parted.push(t_ms, value)
    assert whole.snapshot() == parted.snapshot()
