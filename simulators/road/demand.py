"""Who would drive: vehicles of each direction by steps of 20 s, as a Poisson process.

A day of the roads begins at 03:00 in Vietnam. Some of those in the car lane have but one
bridge to go over (buses, trucks, trailers, and the cars of those who live beside it); the
others choose. 18,000 to 20,000 car trips a day in both directions over the first bridge
(vnexpress.net 3975289 and 4280070); the shapes of the day, the motorbikes and all figures since
the second bridge was opened are unverified.
"""

import math
from dataclasses import dataclass

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.noise import DAY_MS, generator
from simulators.road.calendar import Kind, kind_of
from simulators.road.network import CORRIDOR, H_PER_STEP, SECOND_OPENED_DAY
from simulators.road.traffic import CAR_LANE, STEP_MS, Traffic

STEPS = DAY_MS // STEP_MS
DAY_FROM_MS = 10_800_000 - 25_200_000
"""The day begins at 03:00 in Vietnam, when no queue is left to be cut in two."""

CARS_A_DAY = 9_200.0
BOUND = {"car": 0.30, "bus": 0.10, "truck": 0.25, "trailer": 0.05}
"""Shares of it that have the first bridge alone; the remaining 30 % are cars that may choose."""

CHOOSING_A_DAY = 2_760.0
CHOOSING_A_DAY_SINCE = 11_000.0
"""Cars that may choose, before and since there are two bridges."""

BIKES_A_DAY = 21_000.0
BIKES_A_DAY_SINCE = {"rach-mieu-1": 15_000.0, "rach-mieu-2": 12_000.0}
BICYCLES = 0.02

BAN_FROM_DAY = 19_884
"""10/6/2024: trucks of three axles and more are kept from the first bridge at these hours."""

BAN_HOURS = {"southbound": ((9.0, 11.0), (15.0, 19.0)), "northbound": ((15.0, 19.0),)}

# Share of a day's vehicles in each hour from 00:00 local time, before they are made to sum to 1.
_CARS = (
    *(10, 8, 8, 10, 18, 32, 46, 55, 56, 52, 48, 44),
    *(42, 44, 50, 62, 72, 75, 70, 60, 46, 36, 24, 16),
)
_BIKES = (
    *(6, 4, 4, 8, 24, 60, 88, 80, 56, 46, 44, 46),
    *(40, 42, 46, 54, 82, 90, 68, 52, 36, 24, 16, 10),
)
_EVEN = (0,) * 5 + (1,) * 18 + (0,)


@dataclass(frozen=True, slots=True)
class Wishes:
    """One direction's day in steps from 03:00, over both bridges of a corridor.

    bound : int64[STEPS], vehicles that go over the first bridge or not at all
    choosing : int64[STEPS], cars that choose, if there are two
    bound_mix : float64[STEPS, 4], vehicles expected of each class of `CAR_LANE` among `bound`
    choosing_mean : float64[STEPS], cars expected among `choosing`
    strip : int64[bridges, STEPS, 2], motorbikes and bicycles
    strip_mean : float64[bridges, STEPS], both expected
    """

    bound: IntArray
    choosing: IntArray
    bound_mix: FloatArray
    choosing_mean: FloatArray
    strip: IntArray
    strip_mean: FloatArray


def local_h() -> FloatArray:
    """The hour in the middle of each step of a day: float64[STEPS]."""
    steps = np.arange(STEPS, dtype=np.float64)
    return np.asarray(np.mod(3.0 + (steps + 0.5) * H_PER_STEP, 24.0), dtype=np.float64)


def both_open(day: int) -> bool:
    return day >= SECOND_OPENED_DAY


def wishes(
    stations: tuple[str, ...], direction: str, day: int, traffic: Traffic, seed: int, scenario: str
) -> Wishes:
    """The day of this number, in days of Vietnam's calendar from 1970."""
    random = generator(seed, scenario, stations[0], direction, "wishes", day=day)
    # Rounded, since the last bit of an exponential is not the same on every machine.
    busy = traffic.demand * round(math.exp(0.04 * random.standard_normal()), 9)
    shift_days = round(traffic.date_shift_ms / DAY_MS)
    kind = kind_of(day, direction, date_shift_days=shift_days)
    hours = local_h()
    since = stations == CORRIDOR and both_open(day)
    cars = _shape(_CARS, kind, hours) * (busy * kind.factor)
    cars[(hours >= 15.0) & (hours < 20.0)] *= kind.evening
    mix = np.stack([CARS_A_DAY * BOUND[name] * cars for name in CAR_LANE], axis=1)
    if stations[0] == CORRIDOR[0] and day >= BAN_FROM_DAY:
        _keep_off(mix[:, CAR_LANE.index("trailer")], hours, BAN_HOURS.get(direction, ()))
    choosing = cars * (CHOOSING_A_DAY_SINCE if since else CHOOSING_A_DAY)
    bikes = _shape(_BIKES, kind, hours) * (busy * kind.factor)
    a_day = [
        (BIKES_A_DAY_SINCE.get(each, 0.0) if since else BIKES_A_DAY * (place == 0))
        for place, each in enumerate(stations)
    ]
    strip_mean = np.stack([each * bikes for each in a_day])
    shares = np.array([1.0 - BICYCLES, BICYCLES])
    bound = random.poisson(mix.sum(axis=1))
    return Wishes(
        bound.astype(np.int64),
        random.poisson(choosing).astype(np.int64),
        mix,
        choosing,
        random.poisson(strip_mean[:, :, None] * shares).astype(np.int64),
        strip_mean,
    )


def _shape(weights: tuple[int, ...], kind: Kind, hours: FloatArray) -> FloatArray:
    """Share of a day's vehicles in each step."""
    own, even = (np.array(each, dtype=np.float64) / sum(each) for each in (weights, _EVEN))
    hourly = (1.0 - kind.flat) * own + kind.flat * even
    at_step = np.interp(hours - 0.5, np.arange(24), hourly, period=24.0)
    return np.asarray(at_step * H_PER_STEP, dtype=np.float64)


def _keep_off(
    mean: FloatArray, hours: FloatArray, banned_h: tuple[tuple[float, float], ...]
) -> None:
    """Nobody of these drives at the banned hours; they drive at the others instead."""
    banned = np.zeros(len(hours), np.bool_)
    for begin, end in banned_h:
        banned |= (hours >= begin) & (hours < end)
    total, kept = float(mean.sum()), float(mean[~banned].sum())
    mean[banned] = 0.0
    mean *= total / kept if kept else 1.0
