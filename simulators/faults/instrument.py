"""What an instrument does to its values: noise, drift, wrong calibration, spikes, standing still."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ingest.reading import BoolArray, FloatArray, IntArray
from simulators.columns import Columns
from simulators.faults.fault import Fault, Parameter, SampleFault, Scene, Window
from simulators.faults.quantity import (
    CAMERA,
    CONDUCTIVITY,
    PROBE,
    days_since,
    fields_of,
    inside,
    kept,
    with_values,
)
from simulators.grid import share
from simulators.noise import normal

_BACK: Final = 16
"""Intervals in which the sample that a stuck instrument holds is looked for."""


def _added(columns: Columns, fault: Fault, scene: Scene, more: FloatArray | float) -> Columns:
    for name in fields_of(fault, scene, columns):
        values = kept(name, columns.fields[name] + more)
        columns = with_values(columns, name, inside(columns, fault), values)
    return columns


def _noisy(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    drawn = normal(columns.at_ms, 1, scene.seed, *scene.names(fault))[:, 0]
    return _added(columns, fault, scene, fault.number("sd") * drawn)


def _drifting(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    return _added(columns, fault, scene, fault.number("per_day") * days_since(columns, fault))


def _calibrated(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    for name in fields_of(fault, scene, columns):
        values = columns.fields[name] * fault.number("gain") + fault.number("offset")
        columns = with_values(columns, name, inside(columns, fault), kept(name, values))
    return columns


def _spike_at(at_ms: IntArray, fault: Fault, scene: Scene) -> BoolArray:
    struck = share(at_ms, scene.seed, *scene.names(fault)) < fault.number("share")
    return struck & (at_ms >= fault.from_ms) & (at_ms < fault.to_ms)


def _spiked(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    struck = _spike_at(columns.at_ms, fault, scene)
    return _added(columns, fault, scene, np.where(struck, fault.number("size"), 0.0))


def _spike_windows(fault: Fault, scene: Scene, from_ms: int, to_ms: int) -> Sequence[Window]:
    """Each sample that a spike changes, up to the next: what is absent has none."""
    begin, end = max(fault.from_ms, from_ms), min(fault.to_ms, to_ms)
    before = scene.before(begin, end)
    after = _spiked(before, fault, scene)
    changed = np.zeros(len(before), dtype=np.bool_)
    for name in fields_of(fault, scene, before):
        old = before.fields[name]
        changed |= np.isfinite(old) & (after.fields[name] != old)
    struck = np.unique(before.at_ms[changed]).tolist()
    return tuple((at, min(at + scene.interval_ms, end)) for at in struck)


def _stuck(columns: Columns, fault: Fault, scene: Scene) -> Columns:
    """The values at its start go on. They are computed anew, so that no cut of time shows."""
    names = fields_of(fault, scene, columns)
    if any(name in CONDUCTIVITY for name in names) and "temp_c" in columns.fields:
        names.append("temp_c")
    held = _held(fault, scene)
    where = inside(columns, fault)
    for name in names:
        values = columns.fields[name].copy()
        for part in range(len(columns.fixed)):
            rows = np.flatnonzero(held.part == part)
            if len(rows):
                values[where & (columns.part == part)] = held.fields[name][rows[-1]]
        columns = columns.having({name: values})
    return columns


def _held(fault: Fault, scene: Scene) -> Columns:
    """The last samples at or before the start, or the first behind it where there are none."""
    reach_ms = _BACK * scene.interval_ms
    earlier = scene.before(fault.from_ms - reach_ms, fault.from_ms + 1)
    if len(earlier):
        return earlier
    later = scene.before(fault.from_ms, fault.from_ms + reach_ms)
    return later.take(later.at_ms == later.at_ms[:1])


_ANY: Final = (*PROBE, *CAMERA)
_UNIT: Final = "in the field's unit"

NOISE = SampleFault(
    _noisy,
    "an unquiet cell or a bad contact: normal noise on each sample",
    "flags the stretch as suspect, and raises no alert of the water by it",
    parameters=(Parameter("sd", 0.8, 0.0, 1000.0, _UNIT, "standard deviation"),),
    quantities=_ANY,
)
DRIFT = SampleFault(
    _drifting,
    "the zero moves evenly with time, as calibration drift does (Wagner et al. 2006)",
    "flags the probe as suspect once it leaves what its neighbours and its tide allow",
    parameters=(Parameter("per_day", 0.5, -1000.0, 1000.0, _UNIT, "how far in a day"),),
    quantities=_ANY,
)
CALIBRATION_STEP = SampleFault(
    _calibrated,
    "a wrong calibration from one sample to the next: value * gain + offset",
    "flags the step, and knows the values behind it as suspect",
    parameters=(
        Parameter("gain", 0.75, 0.0, 100.0, "", "what the value is multiplied by"),
        Parameter("offset", 0.0, -1000.0, 1000.0, _UNIT, "what is added then"),
    ),
    quantities=_ANY,
)
SPIKE = SampleFault(
    _spiked,
    "single samples far off: bubbles, weed, a disturbed line; each is a label of its own",
    "flags each struck sample, no other, and raises nothing by it",
    parameters=(
        Parameter("share", 0.02, 0.0, 1.0, "", "share of the samples that are struck"),
        Parameter("size", 12.0, -100_000.0, 100_000.0, _UNIT, "what is added to them"),
    ),
    quantities=_ANY,
    windows=_spike_windows,
)
STUCK = SampleFault(
    _stuck,
    "the instrument repeats what it read at the start: a hung logger, a blocked cell; where "
    "conductivity stands still, so does its temperature",
    "flags the stretch as a flat line once it is longer than slack water, and clears nothing by it",
    quantities=_ANY,
)
