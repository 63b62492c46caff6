"""Named scenarios: the same messages for the same scenario, seed, registry and start.

No clock and no order of hashing goes in. A sample depends on (scenario, seed, device, time)
alone; when a scenario is moved to another start, its river, its days of the week and its
events move with it.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ingest.registry import Device, Registry
from simulators.bridge import Bottleneck
from simulators.estuary import River, Spell
from simulators.message import Message, Sender
from simulators.noise import generator
from simulators.world import Silence, World, camera_interval_ms

HOUR_MS = 3_600_000
_CHUNK_MS = 6 * HOUR_MS  # samples of this long are in memory at a time

MakeWorld = Callable[[Registry, int, int], World]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`world(registry, seed, start_ms)` makes it; `start_ms` is where it begins by itself."""

    name: str
    about: str
    start_ms: int
    world: MakeWorld


def _local(year: int, month: int, day: int) -> int:
    """Midnight in Vietnam, ms UTC."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000) - 7 * HOUR_MS


def _dry_season(registry: Registry, seed: int, start_ms: int) -> World:
    shift_ms = SCENARIOS["dry-season"].start_ms - start_ms
    return World(registry, "dry-season", seed, River(season_shift_ms=shift_ms))


def _quiet(registry: Registry, seed: int, start_ms: int) -> World:
    shift_ms = SCENARIOS["quiet"].start_ms - start_ms
    return World(registry, "quiet", seed, River(season_shift_ms=shift_ms), demand=0.6)


def _bad_day(registry: Registry, seed: int, start_ms: int) -> World:
    spell = Spell(start_ms + 4 * HOUR_MS, start_ms + 22 * HOUR_MS, surge_m=0.45)
    return World(
        registry,
        "bad-day",
        seed,
        River(discharge_m3_s=2500.0, spells=(spell,)),
        demand=1.15,
        bottlenecks=(
            Bottleneck("rach-mieu-1", "southbound", 15.0, 19.0, 420.0),
            Bottleneck("rach-mieu-1", "northbound", 16.5, 18.5, 560.0),
        ),
        silences=_one_silent(registry, start_ms + 9 * HOUR_MS, start_ms + 3650 * 24 * HOUR_MS),
    )


def demo_world(registry: Registry, seed: int) -> World:
    """The dry season at any date, and every afternoon a queue on Rạch Miễu 1 to the south."""
    return World(
        registry,
        "demo",
        seed,
        River(discharge_m3_s=2700.0),
        bottlenecks=(Bottleneck("rach-mieu-1", "southbound", 15.5, 18.5, 560.0),),
    )


SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for each in (
        Scenario(
            "dry-season",
            "low river in March: salt far upstream twice a day, ordinary traffic",
            _local(2024, 3, 4),
            _dry_season,
        ),
        Scenario(
            "quiet",
            "October flood: fresh water but at the coast, light traffic",
            _local(2024, 10, 7),
            _quiet,
        ),
        Scenario(
            "bad-day",
            "a salt spell, congestion both ways, and a probe that falls silent after nine hours",
            _local(2024, 3, 10),
            _bad_day,
        ),
    )
}


def messages(
    world: World,
    *,
    root: str,
    start_ms: int,
    duration_ms: int,
    boot: int | None = None,
    sim: bool = False,
) -> Iterator[Message]:
    """Messages of all devices over [start, start + duration), in the order they are sent.

    A probe sends one message for each of its intervals, a camera one at the end of each of
    its intervals, within a second and a half; `boot` is by default the minute of the start.
    """
    number = start_ms // 60_000 if boot is None else boot
    lines = [
        _device_messages(world, device, root, start_ms, start_ms + duration_ms, number, sim=sim)
        for device in world.devices()
    ]
    return heapq.merge(*lines, key=lambda message: message.publish_ms)


def offset_ms(device: str, interval_ms: int, step_ms: int = 1000) -> int:
    """Where in its interval a device measures: spread over the devices, always the same."""
    steps = max(1, interval_ms // step_ms)
    return int(generator(0, device, day=0).integers(steps)) * step_ms


def probe_times_ms(
    device: str, interval_ms: int, from_ms: int, to_ms: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Times at which a probe measures in [from, to), on its own grid: int64[N]."""
    shift = offset_ms(device, interval_ms)
    first = -((shift - from_ms) // interval_ms) * interval_ms + shift
    return np.arange(first, to_ms, interval_ms, dtype=np.int64)


def _device_messages(
    world: World,
    device: Device,
    root: str,
    from_ms: int,
    to_ms: int,
    boot: int,
    *,
    sim: bool,
) -> Iterator[Message]:
    sender = Sender(root, device.kind, device.station, device.id, boot=boot, sim=sim)
    sending = generator(world.seed, world.name, device.id, "sending", day=0)
    last_ms = from_ms
    for start in range(from_ms, to_ms, _CHUNK_MS):
        end = min(start + _CHUNK_MS, to_ms)
        for t_ms, samples in _by_time(world, device, start, end):
            last_ms = max(last_ms, t_ms + int(sending.integers(100, 1500)))
            yield from sender.obs(last_ms, samples)


def _by_time(
    world: World, device: Device, from_ms: int, to_ms: int
) -> Iterator[tuple[int, list[dict[str, object]]]]:
    """Samples of a device grouped by the moment at which they are complete."""
    if device.kind == "salinity":
        interval_ms = max(1000, round(device.expected_s * 1000))
        times = probe_times_ms(device.id, interval_ms, from_ms, to_ms)
        samples, key = world.probe_samples(device, times), "t"
    else:
        interval_ms = camera_interval_ms(device)
        first = -(-from_ms // interval_ms) * interval_ms
        # An interval belongs to the chunk in which it ends.
        starts = np.arange(first - interval_ms, to_ms - interval_ms, interval_ms, dtype=np.int64)
        samples, key = world.camera_samples(device, starts, interval_ms), "t1"
    held: list[dict[str, object]] = []
    for sample in samples:
        if held and sample[key] != held[0][key]:
            yield _time(held[0], key), held
            held = []
        held.append(sample)
    if held:
        yield _time(held[0], key), held


def _time(sample: dict[str, object], key: str) -> int:
    t = sample[key]
    assert isinstance(t, int)
    return t


def _one_silent(registry: Registry, from_ms: int, to_ms: int) -> tuple[Silence, ...]:
    """The probe that falls silent: the first one beyond km 35, or the first of all."""
    probes = [device for device in registry.devices.values() if device.kind == "salinity"]
    inland = [d for d in probes if (registry.stations[d.station].nearest_km or 0.0) > 35.0]
    return tuple(Silence(each.id, from_ms, to_ms) for each in (inland or probes)[:1])
