"""Random numbers that belong to a place and a time, not to a run.

Every draw comes from a PCG64 generator seeded by (seed, scenario, device, day): a sample is
the same whichever hour a run starts at, so that a run begun again repeats what it said.
"""

import zlib
from functools import lru_cache

import numpy as np

from ingest.reading import FloatArray, IntArray

DAY_MS = 86_400_000
SLOT_MS = 10_000
"""Samples closer than this share their noise."""

NODE_MS = 900_000
_SLOTS = DAY_MS // SLOT_MS
_NODES = DAY_MS // NODE_MS
_DAYS_BEFORE_1970 = 1_000_000  # seeds can't be negative


def generator(seed: int, *names: str, day: int) -> np.random.Generator:
    """The generator of one day of one thing; `zlib.crc32` since `hash` differs by process."""
    words = [zlib.crc32(name.encode()) for name in names]
    sequence = np.random.SeedSequence([seed, *words, day + _DAYS_BEFORE_1970])
    return np.random.Generator(np.random.PCG64(sequence))


def normal(t_ms: IntArray, columns: int, seed: int, *names: str) -> FloatArray:
    """Standard normal noise of a device at times t_ms: float64[N, columns]."""
    day, within_ms = np.divmod(t_ms, DAY_MS)
    found = np.empty((len(t_ms), columns))
    for each in np.unique(day):
        rows = day == each
        found[rows] = _day(columns, seed, names, int(each))[within_ms[rows] // SLOT_MS]
    return found


def slow(t_ms: IntArray, columns: int, seed: int, *names: str) -> FloatArray:
    """Noise that drifts: normal at every quarter of an hour, on a line between. float64[N, columns].

    What an instrument is off by changes slowly. White noise at a sample each 10 s would be a
    rate of change that no water has, and quality control would rightly fail it.
    """
    if not len(t_ms):
        return np.empty((0, columns))
    node, within_ms = np.divmod(t_ms, NODE_MS)
    first, last = int(node.min()) // _NODES, (int(node.max()) + 1) // _NODES
    drawn = np.concatenate([_nodes(columns, seed, names, day) for day in range(first, last + 1)])
    share = (within_ms / NODE_MS)[:, None]
    at = node - first * _NODES
    return np.asarray((1.0 - share) * drawn[at] + share * drawn[at + 1], dtype=np.float64)


@lru_cache(maxsize=1024)
def _nodes(columns: int, seed: int, names: tuple[str, ...], day: int) -> FloatArray:
    # A day's own few draws: a season of probes would else draw each slot and use one in ninety.
    return generator(seed, "slow", *names, day=day).standard_normal((_NODES, columns))


@lru_cache(maxsize=128)
def _day(columns: int, seed: int, names: tuple[str, ...], day: int) -> FloatArray:
    return generator(seed, *names, day=day).standard_normal((_SLOTS, columns))
