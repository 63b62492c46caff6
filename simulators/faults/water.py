"""What happens to a probe in its water: it is fouled, or falls dry."""

from collections.abc import Sequence

import numpy as np

from ingest.reading import BoolArray, IntArray, rounded
from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene, Window
from simulators.faults.quantity import conductivity, days_since, inside, kept, with_values
from simulators.grid import share

MINUTE_MS = 60_000


def _fouled(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    del scene
    name = conductivity(columns)
    left = np.maximum(
        1.0 - fault.number("per_day") * days_since(columns, fault), fault.number("least")
    )
    return with_values(
        columns, name, inside(columns, fault), kept(name, columns.fields[name] * left)
    )


def _dry_at(at_ms: IntArray, fault: Fault, scene: Scene) -> BoolArray:
    """bool[N]: whether the probe is in air, by whole minutes."""
    minute = at_ms - at_ms % MINUTE_MS
    return scene.level_m(minute) < fault.number("dries_below_m")


def _out_of_water(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    dry = inside(columns, fault) & _dry_at(columns.at_ms, fault, scene)
    levels = scene.device.levels
    if levels:  # the lowest ones stay in the water, each in its own depth
        highest = min(range(len(levels)), key=lambda rank: levels[rank].depth_m)
        dry &= columns.part == highest
    names = scene.names(fault)
    drops = share(columns.at_ms, scene.seed, *names)
    name = conductivity(columns)
    # A film and drops on the cell: never what the water has, and never the same.
    columns = with_values(columns, name, dry, rounded(0.05 * drops**2))
    air = share(columns.at_ms, scene.seed, *names, "air")
    if "temp_c" in columns.fields:
        warmer = kept("temp_c", columns.fields["temp_c"] + 6.0 * air - 2.0)
        columns = with_values(columns, "temp_c", dry, warmer)
    if "depth_m" in columns.fields:
        columns = with_values(columns, "depth_m", dry, 0.0)
    if "level_m" in columns.fields:
        columns = with_values(
            columns, "level_m", dry, rounded(np.array(fault.number("dries_below_m")))
        )
    return columns


def _dry_windows(fault: Fault, scene: Scene, from_ms: int, to_ms: int) -> Sequence[Window]:
    """Each stretch of minutes in which the probe is in air."""
    begin, end = max(fault.from_ms, from_ms), min(fault.to_ms, to_ms)
    if begin >= end:
        return ()
    minutes = np.arange(begin - begin % MINUTE_MS, end, MINUTE_MS, dtype=np.int64)
    edges = np.flatnonzero(np.diff(np.r_[False, _dry_at(minutes, fault, scene), False]))
    pairs = edges.reshape(-1, 2).tolist()
    starts = [*minutes.tolist(), int(minutes[-1]) + MINUTE_MS]
    return tuple((max(starts[a], begin), min(starts[b], end)) for a, b in pairs)


FOULING = SampleFault(
    _fouled,
    "growth on the cell: conductivity reads low, and lower each day (a fouling that grows evenly "
    "is what corrections of records assume: Wagner et al., USGS Techniques and Methods 1-D3, "
    "2006; the rate is unverified)",
    "flags the probe as suspect before its error is 20 %, and permits no water by it",
    kinds=("salinity",),
    parameters=(
        Parameter("per_day", 0.08, 0.0, 1.0, "", "share of the value that is lost in a day"),
        Parameter("least", 0.2, 0.0, 1.0, "", "share that is always left"),
    ),
    about="salinity_g_l",
)

OUT_OF_WATER = SampleFault(
    _out_of_water,
    "the level falls below the probe: in air conductivity is near zero and unpredictable (METER, "
    "HYDROS 21 manual), temperature is that of the air, depth is 0 and the level stands still; "
    "each time is a label of its own; of several levels the highest alone is dry",
    "fails the values as dry: they are no fresh water",
    kinds=("salinity",),
    parameters=(
        Parameter(
            "dries_below_m", -0.8, -5.0, 5.0, "m", "level over the local mean at which it hangs"
        ),
    ),
    about="salinity_g_l",
    windows=_dry_windows,
)
