"""Which fields of a sample a quantity stands in, and what they may hold."""

from collections.abc import Mapping

import numpy as np

from ingest.reading import BoolArray, FloatArray, rounded
from ingest.registry import Device
from simulators.columns import Columns
from simulators.faults.fault import Fault, Scene

CONDUCTIVITY = ("ec_ms_cm", "ec25_ms_cm")
PROBE = ("salinity_g_l", "temperature_c", "water_level_m", "depth_m", "battery_v")
CAMERA = ("speed_km_h", "occupancy", "queue_m")

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "salinity_g_l": CONDUCTIVITY,
    "temperature_c": ("temp_c",),
    "water_level_m": ("level_m",),
    "depth_m": ("depth_m",),
    "battery_v": ("battery_v",),
    "speed_km_h": ("speed_km_h",),
    "occupancy": ("occupancy",),
    "queue_m": ("queue_m",),
}

_RANGE: Mapping[str, tuple[float, float]] = {
    "ec_ms_cm": (0.0, 200.0),
    "ec25_ms_cm": (0.0, 200.0),
    "temp_c": (-5.0, 60.0),
    "level_m": (-50.0, 50.0),
    "depth_m": (0.0, 200.0),
    "battery_v": (0.0, 100.0),
    "speed_km_h": (0.0, 300.0),
    "occupancy": (0.0, 1.0),
    "queue_m": (0.0, 100_000.0),
}
"""What a payload may hold (`ingest.payload`): an instrument that reads less or more says that."""


def of_device(kind: str) -> tuple[str, ...]:
    """The quantities that a fault of a device of this kind may be about."""
    return PROBE if kind == "salinity" else CAMERA


def quantity_of(fault: Fault, device: Device) -> str:
    """The quantity that a fault names, or the device's first."""
    return fault.text("quantity") or of_device(device.kind)[0]


def fields_of(fault: Fault, scene: Scene, columns: Columns) -> list[str]:
    """The fields of the samples in which the fault's quantity stands."""
    return [each for each in _FIELDS[quantity_of(fault, scene.device)] if each in columns.fields]


def conductivity(columns: Columns) -> str:
    """The field in which a probe sends its conductivity."""
    return next(each for each in CONDUCTIVITY if each in columns.fields)


def inside(columns: Columns, fault: Fault) -> BoolArray:
    """bool[N]: the rows that were complete while the fault stood."""
    return (columns.at_ms >= fault.from_ms) & (columns.at_ms < fault.to_ms)


def days_since(columns: Columns, fault: Fault) -> FloatArray:
    """Days from the fault's beginning to each row."""
    return (columns.at_ms - fault.from_ms) / 86_400_000.0


def kept(name: str, values: FloatArray) -> FloatArray:
    """Values as an instrument can say them: within the field's range, rounded."""
    low, high = _RANGE[name]
    return rounded(np.clip(values, low, high))


def with_values(
    columns: Columns, name: str, where: BoolArray, values: FloatArray | float
) -> Columns:
    """The same with other values of a field in some rows; what is absent stays absent."""
    old = columns.fields[name]
    return columns.having({name: np.where(where & np.isfinite(old), values, old)})
