"""The feed of `songtien demo`: a day of history at once, then every device live until stopped."""

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterator

import aiomqtt
import numpy as np

from ingest.registry import Device, Registry
from simulators.message import Message, Sender
from simulators.publish import Broker, Publisher, clock_pace
from simulators.scenario import HOUR_MS, demo_world, offset_ms
from simulators.world import World

HISTORY_MS = 25 * HOUR_MS
HISTORY_PROBE_MS = 900_000
HISTORY_CAMERA_MS = 60_000
LIVE_PROBE_MS = 10_000
LIVE_CAMERA_MS = 20_000
CATCH_UP_MS = HOUR_MS
"""After a break of the link a device sends what it kept, up to an hour of it."""

FAREWELL_S = 2.0


async def demo_feed(
    registry: Registry,
    *,
    broker_url: str,
    root: str,
    clock_ms: Callable[[], int],
    seed: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> None:
    """Play every device of the registry until cancelled; a broker that restarts is met again.

    First each device's last 25 hours (salinity each 15 min, traffic each minute) as fast as
    the broker takes them, then live: each probe every 10 s and each camera over every 20 s,
    spread over the interval. `progress(stage, samples)` is told the stage, "history" or
    "live", with the samples acknowledged so far. When cancelled it takes its leave (`bye`).

    Probes share one connection and cameras another. Samples depend on (seed, device, time)
    alone, so that a demo begun again repeats what it said and contradicts nothing.
    """
    broker = Broker.of(broker_url)
    world = demo_world(registry, seed)
    begun_ms = clock_ms()
    fleets = [
        _Fleet(world, [d for d in world.devices() if d.kind == kind], root, begun_ms)
        for kind in ("salinity", "traffic")
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for fleet in fleets:
                if fleet.devices:
                    group.create_task(
                        _play(fleet, broker, clock_ms, progress), name=f"demo {fleet.kind}"
                    )
    finally:
        await _take_leave(broker, [m for fleet in fleets for m in fleet.state(clock_ms(), "bye")])


async def _play(
    fleet: "_Fleet",
    broker: Broker,
    clock_ms: Callable[[], int],
    progress: Callable[[str, int], None] | None,
) -> None:
    def births() -> list[Message]:
        return fleet.state(clock_ms(), "ready")

    history = Publisher(broker, fleet.history(), patience_s=float("inf"), greeting=births)
    await history.run()
    if progress is not None:
        progress("history", history.acknowledged_samples)
    live = Publisher(
        broker,
        fleet.live(clock_ms),
        wait=clock_pace(clock_ms),
        patience_s=float("inf"),
        greeting=births,
        progress=None
        if progress is None
        else lambda _: progress("live", live.acknowledged_samples),
    )
    await live.run()


async def _take_leave(broker: Broker, messages: list[Message]) -> None:
    """Say `bye`, if the broker is still there to hear it."""
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await Publisher(broker, messages, patience_s=0.0).run()


class _Fleet:
    """The devices of one kind behind one connection, as behind a gateway."""

    def __init__(self, world: World, devices: list[Device], root: str, begun_ms: int) -> None:
        self._world = world
        self.devices = devices
        self.kind = devices[0].kind if devices else ""
        boot = begun_ms // 1000
        self._senders = {
            device.id: Sender(root, device.kind, device.station, device.id, boot=boot)
            for device in devices
        }
        step_ms = HISTORY_PROBE_MS if self.kind == "salinity" else HISTORY_CAMERA_MS
        self._begun_ms = begun_ms
        self._history_to_ms = begun_ms // step_ms * step_ms

    def state(self, t_ms: int, state: str) -> list[Message]:
        return [sender.state(t_ms, state) for sender in self._senders.values()]

    def history(self) -> Iterator[Message]:
        """For each device its last 25 hours, oldest first."""
        from_ms = self._history_to_ms - HISTORY_MS
        for device in self.devices:
            step_ms = HISTORY_PROBE_MS if self.kind == "salinity" else HISTORY_CAMERA_MS
            times = np.arange(from_ms, self._history_to_ms, step_ms, dtype=np.int64)
            yield from self._senders[device.id].obs(
                self._begun_ms, self._samples(device, times, step_ms)
            )

    def live(self, clock_ms: Callable[[], int]) -> Iterator[Message]:
        """Each device in its turn, for ever; after a long break only the last hour of it."""
        step_ms = LIVE_PROBE_MS if self.kind == "salinity" else LIVE_CAMERA_MS
        turns = [
            (self._history_to_ms + step_ms + self._shift_ms(device), device.id)
            for device in self.devices
        ]
        heapq.heapify(turns)
        by_id = {device.id: device for device in self.devices}
        while True:
            due_ms, name = heapq.heappop(turns)
            late_ms = clock_ms() - CATCH_UP_MS - due_ms
            if late_ms > 0:
                due_ms += -(-late_ms // step_ms) * step_ms
            heapq.heappush(turns, (due_ms + step_ms, name))
            device = by_id[name]
            times = np.array([due_ms], dtype=np.int64)
            if self.kind == "traffic":
                times = times - self._shift_ms(device) - step_ms
            yield from self._senders[name].obs(due_ms, self._samples(device, times, step_ms))

    def _samples(
        self, device: Device, times_ms: np.ndarray[tuple[int], np.dtype[np.int64]], step_ms: int
    ) -> list[dict[str, object]]:
        if self.kind == "salinity":
            return self._world.probe_samples(device, times_ms)
        return self._world.camera_samples(device, times_ms, step_ms)

    def _shift_ms(self, device: Device) -> int:
        """When in its interval a device speaks."""
        step_ms = LIVE_PROBE_MS if self.kind == "salinity" else LIVE_CAMERA_MS
        return offset_ms(device.id, step_ms, step_ms=500)
