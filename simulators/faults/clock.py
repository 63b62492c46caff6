"""What a device's clock does: it stands wrong, or runs wrong."""

import numpy as np

from ingest.reading import rounded
from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene
from simulators.faults.quantity import inside


def _stepped(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    del scene
    by_ms = round(fault.number("step_s") * 1000)
    return columns.saying(columns.t_ms + np.where(inside(columns, fault), by_ms, 0))


def _drifted(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    del scene
    since_ms = np.where(inside(columns, fault), columns.at_ms - fault.from_ms, 0)
    by_ms = np.floor(rounded(since_ms * (fault.number("ppm") * 1e-6))).astype(np.int64)
    return columns.saying(columns.t_ms + by_ms)


CLOCK_DRIFT = SampleFault(
    _drifted,
    "the clock runs fast by `ppm` from the start on, and is right again at the end: 1 ppm is "
    "0.0864 s a day",
    "says that the clock is ahead before it is a minute, and keeps the order of the samples",
    parameters=(Parameter("ppm", 100.0, -50_000.0, 50_000.0, "ppm", "how much too fast"),),
)
CLOCK_STEP = SampleFault(
    _stepped,
    "the clock is off by `step_s`: set wrong, or local time taken for UTC (25,200 s in Vietnam)",
    "flags what lies in the future and never shows it as the newest; refuses a second value for "
    "one moment",
    parameters=(Parameter("step_s", 3600.0, -1e9, 1e9, "s", "how far ahead; negative is behind"),),
)
