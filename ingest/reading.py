"""What a reading is: one value of one series at one time, with its quality.

Inside the service readings travel as columns. A `Batch` holds many of them; nothing
here reads a clock, a socket or a file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
FlagArray = NDArray[np.uint8]
WhyArray = NDArray[np.uint16]
BoolArray = NDArray[np.bool_]

DECIMALS = 4
"""Values are rounded to 1e-4 of their unit before they are compared, stored or sent, so
that bytes do not depend on the processor (NumPy's exp and log differ in the last bit)."""

EPOCH_2000_MS = 946_684_800_000
FUTURE_TOLERANCE_MS = 60_000


class Flag(IntEnum):
    """Quality of a value, in QARTOD's words and numbers (QARTOD flag manual v1.2)."""

    PASS = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Why(IntFlag):
    """What gave a value its flag, and whence it came: evidence, not a second flag."""

    GROSS_RANGE = 1
    SPIKE = 2
    RATE_OF_CHANGE = 4
    FLAT_LINE = 8
    GAP = 16
    DRY = 32  # a probe in air or fouled, which reads as fresh water
    INPUT = 64  # a value that it was computed from is bad
    LANE_MISSING = 128
    FUTURE = 256  # the device's clock is ahead of ours
    COUNTER_GAP = 512  # a difference of counters over more than its interval
    LATE = 1024  # came after its neighbours had been decided
    BOUND = 2048  # not a figure but a bound: "beyond 46 km", "below 2 km"
    SIMULATED = 32768


VEHICLE_CLASSES = ("motorbike", "car", "bus", "truck", "trailer", "bicycle", "other")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured or derived quantity: `name` carries no unit but the field's usual suffix."""

    name: str
    unit: str
    kind: str


def _quantities() -> dict[str, Quantity]:
    salinity = {
        "salinity_g_l": "g/L",
        "conductivity_ms_cm": "mS/cm",
        "conductivity_25_ms_cm": "mS/cm",
        "temperature_c": "°C",
        "water_level_m": "m",
        "salinity_probe_g_l": "g/L",
        "depth_m": "m",
        "battery_v": "V",
    }
    traffic = {
        "flow_veh_h": "veh/h",
        "flow_pcu_h": "pcu/h",
        **{f"count_{name}": "veh" for name in VEHICLE_CLASSES},
        "speed_km_h": "km/h",
        "occupancy": "1",
        "queue_m": "m",
        "density_pcu_km": "pcu/km",
        "level_of_service": "1",
        "speed_car_km_h": "km/h",
        "occupancy_car": "1",
        "flow_car_veh_h": "veh/h",
        "speed_motorbike_km_h": "km/h",
    }
    river = {
        f"salt_{level}{basis}{figure}_km": "km"
        for basis in ("", "_max")
        for level in (1, 4)
        for figure in ("", "_sd")
    }
    bridge = {
        "traffic_state": "1",
        "crossing_time_min": "min",
        "queue_length_km": "km",
        "vehicles_on_bridge": "veh",
        "incident": "1",
    }
    kinds = {"salinity": salinity, "traffic": traffic, "river": river, "bridge": bridge}
    return {
        name: Quantity(name, unit, kind)
        for kind, units in kinds.items()
        for name, unit in units.items()
    }


QUANTITIES = _quantities()
"""Every quantity that a series can be of, in a fixed order."""

DERIVED_KINDS = ("river", "bridge")
"""Kinds of series that no device sends: they are formed from the series of several."""

MEASURED_QUANTITIES = tuple(
    each.name for each in QUANTITIES.values() if each.kind not in DERIVED_KINDS
)


def rounded(values: FloatArray) -> FloatArray:
    """Round to 1e-4; minus zero becomes zero, NaN stays NaN."""
    return np.round(values, DECIMALS) + 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns of readings, one row for a (series, time).

    series : int64[N], index into the `SeriesTable`
    t_ms : int64[N], observed time, UTC
    value : float64[N], rounded, finite
    flag : uint8[N], see `Flag`
    why : uint16[N], see `Why`
    """

    series: IntArray
    t_ms: IntArray
    value: FloatArray
    flag: FlagArray
    why: WhyArray

    def __len__(self) -> int:
        return len(self.series)

    def take(self, index: NDArray[np.intp] | BoolArray | IntArray) -> Self:
        """The rows at `index` (integer or boolean), in that order."""
        return type(self)(
            self.series[index],
            self.t_ms[index],
            self.value[index],
            self.flag[index],
            self.why[index],
        )

    @classmethod
    def empty(cls) -> Self:
        return cls.of((), (), ())

    @classmethod
    def of(
        cls,
        series: object,
        t_ms: object,
        value: object,
        flag: object = Flag.NOT_EVALUATED,
        why: object = 0,
    ) -> Self:
        """Columns from anything array-like; a scalar `flag` or `why` serves all rows."""
        rows = np.asarray(series, dtype=np.int64)
        flags: FlagArray = np.empty(rows.shape, dtype=np.uint8)
        whys: WhyArray = np.empty(rows.shape, dtype=np.uint16)
        flags[...] = np.asarray(flag, dtype=np.uint8)
        whys[...] = np.asarray(why, dtype=np.uint16)
        return cls(
            rows,
            np.asarray(t_ms, dtype=np.int64),
            np.asarray(value, dtype=np.float64),
            flags,
            whys,
        )

    @classmethod
    def concat(cls, parts: "list[Self]") -> Self:
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([p.series for p in parts]),
            np.concatenate([p.t_ms for p in parts]),
            np.concatenate([p.value for p in parts]),
            np.concatenate([p.flag for p in parts]),
            np.concatenate([p.why for p in parts]),
        )


def rounds(series: IntArray) -> Iterator[NDArray[np.intp]]:
    """Split rows into rounds in which each series occurs at most once.

    Round k holds the k-th row of every series, in the order given. What depends on a
    series' own past is then a plain vector operation within a round, and the result is the
    same for any split of a feed into batches.
    """
    n = len(series)
    if n == 0:
        return
    if (series[1:] > series[:-1]).all():  # as most messages are: each series once
        yield np.arange(n)
        return
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, n])
    if len(starts) == n:
        yield np.arange(n)
        return
    rank = np.arange(n) - np.repeat(starts, lengths)
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.searchsorted(rank[by_rank], np.arange(lengths.max() + 1))
    for low, high in pairwise(bounds):
        yield np.sort(order[by_rank[low:high]])
