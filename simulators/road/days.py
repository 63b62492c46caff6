"""Days of traffic, computed several at a time and kept.

A day begins at 03:00 in Vietnam on roads that the half hour before has filled; a queue that
would stand then is gone (none does: at night nobody waits longer than the demand lasts). So
days do not depend on each other, and a day is the same whichever others are computed with it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.reading import FloatArray, IntArray
from simulators.noise import DAY_MS, generator
from simulators.road.choice import HEARD_STEPS, Choice
from simulators.road.demand import DAY_FROM_MS, STEPS, Wishes, both_open, wishes
from simulators.road.network import CORRIDOR, DIRECTIONS, Chain, chains
from simulators.road.supply import closed, supply
from simulators.road.traffic import CAR_LANE, MOTORBIKE_KM_H, STEP_MS, Traffic
from simulators.road.waves import Passed, links_of, run

DAYS = 8
"""So many days are computed at once, from a multiple of it on."""

WARM = 90
"""Steps before 03:00 that fill the roads: half an hour is longer than any free ride."""

STRIP_VEH = 20
"""Motorbikes that a strip lets on in a step once a closed bridge is opened; unverified."""


@dataclass(frozen=True, slots=True)
class Days:
    """`DAYS` days of all directions of a corridor, of STEPS + WARM steps each.

    lanes : float64[T, rows], how many times the usual lanes a direction has
    classes : of each row the class of each vehicle, in the order in which they set out
    strip : int16[T, rows, 2], motorbikes and bicycles that set out
    Rows are by chain, then by day.
    """

    first_day: int
    chains: tuple[Chain, ...]
    passed: Passed
    lanes: FloatArray
    classes: tuple[NDArray[np.uint8], ...]
    strip: NDArray[np.int16]

    def rows(self, station: str, direction: str) -> tuple[Chain, slice]:
        """The chain of a direction, and where its days are."""
        for number, chain in enumerate(self.chains):
            if (chain.station, chain.direction) == (station, direction):
                return chain, slice(number * DAYS, (number + 1) * DAYS)
        msg = f"{station} {direction}: none of these roads"
        raise KeyError(msg)

    @property
    def t0_ms(self) -> IntArray:
        """When the steps of each day begin: int64[DAYS]."""
        return _begin_ms(np.arange(self.first_day, self.first_day + DAYS))


def days_of(
    station: str, direction: str, day: int, traffic: Traffic, seed: int, scenario: str
) -> Days:
    """The days among which one is, with the roads that a direction shares drivers with."""
    stations = CORRIDOR if station in CORRIDOR else (station,)
    directions = DIRECTIONS if direction in DIRECTIONS else (direction,)
    return _days(stations, directions, day // DAYS * DAYS, traffic, seed, scenario)


@lru_cache(maxsize=24)
def _days(
    stations: tuple[str, ...],
    directions: tuple[str, ...],
    first_day: int,
    traffic: Traffic,
    seed: int,
    scenario: str,
) -> Days:
    roads = chains(stations, directions, traffic)
    numbers = range(first_day, first_day + DAYS)
    drawn = {
        (direction, day): wishes(stations, direction, day, traffic, seed, scenario)
        for direction in directions
        for day in range(first_day - 1, first_day + DAYS)
    }
    whole = [_with_warm(drawn, direction, day) for direction in directions for day in numbers]
    bound, choosing = (
        np.stack([getattr(each, name) for each in whole], axis=1) for name in ("bound", "choosing")
    )
    # By station, then by direction and day, as the chains are.
    strip, strip_mean = (
        np.concatenate(
            [
                np.stack([getattr(each, name)[place] for each in whole], axis=1)
                for place in range(len(stations))
            ],
            axis=1,
        )
        for name in ("strip", "strip_mean")
    )
    begins_ms = _begin_ms(np.arange(first_day, first_day + DAYS))
    steps = STEPS + WARM
    by_chain = strip_mean.reshape(steps, len(roads), DAYS).transpose(1, 0, 2)
    lets = supply(roads, begins_ms, steps, by_chain, traffic)
    has_both = len(stations) > 1
    both = np.array([has_both and both_open(day) for _ in directions for day in numbers])
    choice = Choice(roads, bound, choosing, both)
    passed = run(links_of(roads, DAYS), lets, choice.enter)
    mix = _mix(whole, choice, len(stations))
    rows = [(chain, day) for chain in roads for day in numbers]
    kinds = tuple(
        _drawn_classes(passed.wished[:, row], mix[:, row], _random(chain, day, seed, scenario))
        for row, (chain, day) in enumerate(rows)
    )
    return Days(first_day, roads, passed, lets.lanes, kinds, strip.astype(np.int16))


def _begin_ms(days: IntArray) -> IntArray:
    return np.asarray(days * DAY_MS + DAY_FROM_MS - WARM * STEP_MS, dtype=np.int64)


def _with_warm(drawn: dict[tuple[str, int], Wishes], direction: str, day: int) -> Wishes:
    """A day with the last steps of the day before in front of it."""
    before, own = drawn[direction, day - 1], drawn[direction, day]

    def joined(name: str, axis: int) -> FloatArray:
        late = np.take(getattr(before, name), range(STEPS - WARM, STEPS), axis=axis)
        return np.concatenate([late, getattr(own, name)], axis=axis)

    return Wishes(
        joined("bound", 0).astype(np.int64),
        joined("choosing", 0).astype(np.int64),
        joined("bound_mix", 0),
        joined("choosing_mean", 0),
        joined("strip", 1).astype(np.int64),
        joined("strip_mean", 1),
    )


def _mix(whole: list[Wishes], choice: Choice, stations: int) -> FloatArray:
    """Vehicles expected by class at each step, of each row."""
    share = np.repeat(choice.share_first, HEARD_STEPS, axis=0)[: STEPS + WARM]
    first = np.stack([each.bound_mix for each in whole], axis=1)
    cars = np.stack([each.choosing_mean for each in whole], axis=1)
    car = CAR_LANE.index("car")
    first[:, :, car] += cars * share
    if stations == 1:
        return first
    second = np.zeros_like(first)
    second[:, :, car] = 1.0  # nothing but cars, however few
    return np.concatenate([first, second], axis=1)


def _random(chain: Chain, day: int, seed: int, scenario: str) -> np.random.Generator:
    return generator(seed, scenario, chain.station, chain.direction, "classes", day=day)


def _drawn_classes(
    wished: FloatArray, mix: FloatArray, random: np.random.Generator
) -> NDArray[np.uint8]:
    """The class of each vehicle that sets out, after the mixture of the step in which it does."""
    count = int(wished[-1]) + 1
    sets_out = np.searchsorted(wished, np.arange(1, count + 1) - 0.5) - 1
    upto = mix.cumsum(axis=1)[np.clip(sets_out, 0, len(mix) - 1)]
    above = random.random(count)[:, None] * upto[:, -1:] >= upto[:, :-1]
    return np.asarray(above.sum(axis=1), dtype=np.uint8)


@lru_cache(maxsize=64)
def classes(
    station: str, direction: str, day: int, traffic: Traffic, seed: int, scenario: str
) -> IntArray:
    """Of the first n vehicles of a day, how many are of each class: int64[n + 1, 4].

    Vehicles stay in their order, so that the same trailer passes both cameras.
    """
    days = days_of(station, direction, day, traffic, seed, scenario)
    _, rows = days.rows(station, direction)
    each = days.classes[rows.start + day - days.first_day]
    found = np.zeros((len(each) + 1, len(CAR_LANE)), np.int64)
    found[1:] = np.cumsum(each[:, None] == np.arange(len(CAR_LANE)), axis=0)
    return found


def strip_passed(days: Days, station: str, direction: str, km: float, traffic: Traffic) -> IntArray:
    """Motorbikes and bicycles that passed a place by each edge: int64[T + 1, DAYS, 2].

    They ride on their strip whatever the cars do; a closed bridge holds them at its entry.
    """
    chain, rows = days.rows(station, direction)
    first, last = chain.road.ends_km
    at_km = min(max(km, first), last)
    mine = days.strip[:, rows]
    if at_km < 0.0:
        return _ridden(mine, at_km - first)
    t_ms = days.t0_ms + (np.arange(len(mine)) * STEP_MS)[:, None]
    shut = closed(chain, t_ms, traffic)
    if not shut.any():
        return _ridden(mine, at_km - first)
    arrived = _ridden(mine, -first)
    may = np.zeros(arrived.shape, np.int64)
    may[1:] = np.cumsum(np.where(shut, 0, STRIP_VEH), axis=0)[:, :, None]
    # Of all earlier edges the one from which the least could pass (Newell's minimum).
    let_on = may + np.minimum.accumulate(arrived - may, axis=0)
    return _ridden(np.diff(let_on, axis=0), at_km)


def _ridden(mine: NDArray[np.integer], km: float) -> IntArray:
    """Those that set out in each step, by the edges at which they have ridden so far."""
    late = min(round(km / MOTORBIKE_KM_H * 3_600_000 / STEP_MS), WARM)
    found = np.zeros((len(mine) + 1, *mine.shape[1:]), np.int64)
    found[1 + late :] = np.cumsum(mine[: len(mine) - late], axis=0, dtype=np.int64)
    return found
