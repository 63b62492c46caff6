"""A camera that has only counters since its last reset."""

from dataclasses import replace

import numpy as np

from ingest.reading import FloatArray, IntArray
from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene
from simulators.faults.quantity import inside


def _cumulative(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    """`cumulative` in place of `count`, and zero again each `every_s`."""
    every_ms = round(fault.number("every_s") * 1000)
    where = inside(columns, fault)
    if not where.any():
        return columns
    at_ms = columns.at_ms[where]
    reset_ms = fault.from_ms + (at_ms - fault.from_ms) // every_ms * every_ms
    since = scene.before(int(reset_ms[0]), int(at_ms[-1]) + 1)
    since_reset = fault.from_ms + (since.at_ms - fault.from_ms) // every_ms * every_ms
    fields: dict[str, FloatArray] = {}
    for name, counts in columns.fields.items():
        whole, _, kind = name.partition(".")
        if whole != "count":
            fields.setdefault(name, counts)
            continue
        totals = np.full(len(since), np.nan)
        for part in range(len(columns.fixed)):
            rows = np.flatnonzero(since.part == part)
            totals[rows] = _sums(since.fields[name][rows], since_reset[rows])
        fields[name] = np.where(where, np.nan, counts)
        counted = np.full(len(columns), np.nan)
        counted[where] = totals[len(since) - int(where.sum()) :]
        # A camera that had such a time before this one keeps what it said then.
        stood = columns.fields.get(f"cumulative.{kind}", counted)
        fields[f"cumulative.{kind}"] = np.where(np.isfinite(counted), counted, stood)
    return replace(columns, fields=fields)


def _sums(counts: FloatArray, since_ms: IntArray) -> FloatArray:
    """Sums from each reset on; rows of one lane in order. What is not counted has none."""
    known = np.nan_to_num(counts)
    total = np.cumsum(known)
    first = np.r_[True, since_ms[1:] != since_ms[:-1]]
    before = (total - known)[first]
    return np.where(np.isfinite(counts), total - before[np.cumsum(first) - 1], np.nan)


COUNTER_RESET = SampleFault(
    _cumulative,
    "the camera sends `cumulative` counters in place of `count`, which fall to 0 each `every_s`",
    "takes the differences, loses at most the interval of the reset, and shows no negative flow",
    kinds=("traffic",),
    parameters=(Parameter("every_s", 21_600.0, 60.0, 31_557_600.0, "s", "from reset to reset"),),
    about="flow_veh_h",
)
