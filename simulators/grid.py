"""When a device measures and when it sends: the same whichever way a run is cut."""

from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray
from ingest.registry import Device
from simulators.noise import DAY_MS, SLOT_MS, generator
from simulators.road.traffic import STEP_MS

_DELAY_LEAST_MS = 100
_DELAY_MOST_MS = 1500


def offset_ms(device: str, interval_ms: int, step_ms: int = 1000) -> int:
    """Where in its interval a device measures: spread over the devices, always the same."""
    steps = max(1, interval_ms // step_ms)
    return int(generator(0, device, day=0).integers(steps)) * step_ms


def probe_times_ms(device: str, interval_ms: int, from_ms: int, to_ms: int) -> IntArray:
    """Times at which a probe measures in [from, to), on its own grid: int64[N]."""
    shift = offset_ms(device, interval_ms)
    first = -((shift - from_ms) // interval_ms) * interval_ms + shift
    return np.arange(first, to_ms, interval_ms, dtype=np.int64)


def camera_times_ms(interval_ms: int, from_ms: int, to_ms: int) -> IntArray:
    """Ends in [from, to) of a camera's intervals, which are whole ones of the day: int64[N]."""
    first = -(-from_ms // interval_ms) * interval_ms
    return np.arange(first, to_ms, interval_ms, dtype=np.int64)


def interval_ms(device: Device) -> int:
    """The registered interval of a device; of a camera, as whole steps of the simulation."""
    if device.kind == "traffic":
        return max(1, round(device.expected_s * 1000 / STEP_MS)) * STEP_MS
    return max(1000, round(device.expected_s * 1000))


def times_ms(device: Device, from_ms: int, to_ms: int) -> IntArray:
    """When samples of a device are complete in [from, to): int64[N]."""
    each_ms = interval_ms(device)
    if device.kind == "traffic":
        return camera_times_ms(each_ms, from_ms, to_ms)
    return probe_times_ms(device.id, each_ms, from_ms, to_ms)


def delay_ms(at_ms: IntArray, interval_ms: int, seed: int, *names: str) -> IntArray:
    """How long after its sample a message is sent, int64[N]: never so long that two change places."""
    most = min(_DELAY_MOST_MS, _DELAY_LEAST_MS + interval_ms)
    return _DELAY_LEAST_MS + (
        share(at_ms, seed, *names, "sending") * (most - _DELAY_LEAST_MS)
    ).astype(np.int64)


def share(at_ms: IntArray, seed: int, *names: str) -> FloatArray:
    """A uniform draw from [0, 1) of a thing at times at_ms: float64[N], one for each 10 s."""
    day, within_ms = np.divmod(at_ms, DAY_MS)
    found = np.empty(len(at_ms))
    for each in np.unique(day):
        rows = day == each
        found[rows] = _day(seed, names, int(each))[within_ms[rows] // SLOT_MS]
    return found


@lru_cache(maxsize=256)
def _day(seed: int, names: tuple[str, ...], day: int) -> FloatArray:
    return generator(seed, *names, day=day).random(DAY_MS // SLOT_MS)
