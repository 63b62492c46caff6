"""What `songtien simulate load` calls: very many devices over few connections, or very many.

The schedule is fixed beforehand and does not wait for the broker: a message that can't be sent
yet waits at its connection, and its latency counts from when it was due. So a broker that
stands still for a second shows in every message of that second, as it would to devices.
"""

import asyncio
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.faults import ConfigError, Fault
from simulators.broker import Broker, LinkError, shown
from simulators.fleet import Fleet, registry_text
from simulators.guard import refuse_live
from simulators.latencies import Latencies
from simulators.link import Link
from simulators.load_report import LoadProgress, LoadReport

WINDOW: Final = 1000
"""Messages in flight on one connection."""

WAITING_MAX: Final = 200_000
"""Messages that wait at their connections; beyond it none are made until some have gone."""

DRAIN_S: Final = 10.0
"""How long after the last one was due the rest is sent and waited for."""

OPEN_S: Final = 60.0
OPENING_MAX: Final = 100
RETRY_S_MIN, RETRY_S_MAX = 0.1, 5.0
DEVICES_MAX, CONNECTIONS_MAX = 1_000_000, 60_000
DURATION_MS_MAX: Final = 31 * 86_400_000
"""The river is known beforehand for as long."""

_BLOCK = 512  # messages made at a time: some milliseconds
_TICK_S = 0.001
_FILES_BESIDE = 64  # that a process has open besides its connections


async def run_load(
    broker_url: str,
    *,
    devices: int,
    rate: float,
    connections: int,
    duration_ms: int,
    root: str,
    registry_out: Path | None = None,
    seed: int = 1,
    into_live: bool = False,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Send `rate` messages a second of `devices` probes for `duration_ms`.

    registry_out : where a stations.toml is written that knows the devices. With a duration of
        0 that is all that is done, and no broker is asked
    progress : told about once a second

    Raises `ConfigError` for what can't be used, `LiveServiceError` where a real service
    listens, `aiomqtt.MqttError` where the broker can't be reached at all. A connection that
    can't be had or is lost is tried again, and stands in the report.
    """
    faults = _faults(devices, rate, connections, duration_ms)
    try:
        broker = Broker.of(broker_url)
    except ValueError as error:
        faults.append(Fault("load", "broker", shown(broker_url), str(error)))
    if faults:
        raise ConfigError(faults)
    if registry_out is not None:
        await asyncio.to_thread(_write_registry, registry_out, devices, devices / rate)
    _allow_files(connections if duration_ms else 0)
    if duration_ms and not into_live:
        await refuse_live(broker, root)
    now_ms = _now_ms()
    to_ms = now_ms + duration_ms + 1000 * round(OPEN_S + DRAIN_S)
    fleet = Fleet(devices, rate, root, seed=seed, from_ms=now_ms, to_ms=to_ms, sim=into_live)
    asked = max(1, round(rate * duration_ms / 1000.0)) if duration_ms else 0
    load = _Load(broker, fleet, connections, asked, progress)
    if asked:
        await load.run()
    return load.report()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _write_registry(path: Path, devices: int, interval_s: float) -> None:
    path.write_text(registry_text(devices, interval_s), "utf-8")


def _faults(devices: int, rate: float, connections: int, duration_ms: int) -> list[Fault]:
    checks = (
        ("devices", devices, 1 <= devices <= DEVICES_MAX, f"1 to {DEVICES_MAX:,}"),
        (
            "connections",
            connections,
            1 <= connections <= min(devices, CONNECTIONS_MAX),
            f"1 to the number of devices and {CONNECTIONS_MAX:,}",
        ),
        (
            "rate",
            rate,
            0 < rate <= 1000.0 * devices,
            "more than 0, and at most 1,000 a second of each device",
        ),
        (
            "duration",
            duration_ms,
            0 <= duration_ms <= DURATION_MS_MAX,
            f"0 to {DURATION_MS_MAX:,} ms",
        ),
    )
    return [
        Fault("load", key, value, f"accepted is {told}")
        for key, value, ok, told in checks
        if not ok
    ]


def _allow_files(connections: int) -> None:
    """Let this process open as many files as connections need, or say what to do."""
    needed = connections + _FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        told = (
            f"accepted are up to {hard - _FILES_BESIDE:,}, as this process may open {hard:,} files: "
            f"`ulimit -Hn {needed}` as root, or LimitNOFILE={needed} of a systemd unit, allows more"
        )
        raise ConfigError([Fault("load", "connections", connections, told)])
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@dataclass(frozen=True, slots=True)
class _Due:
    """A message of the schedule. `due_s` is of the loop's clock."""

    due_s: float
    topic: str
    payload: bytes


class _Connection:
    """One connection after another, and what waits for it."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self.waiting: deque[_Due] = deque()
        self.link: Link[_Due] | None = None
        self._again: list[_Due] = []
        self._changed = asyncio.Event()
        self.opened = False

    def take(self, message: _Due) -> None:
        """Send it, or let it wait its turn."""
        link = self.link
        if link is not None and link.room and not self.waiting:
            self._put(link, message)
        else:
            self.waiting.append(message)
            self._load.waiting += 1
            self._changed.set()

    async def keep(self) -> None:
        """Hold a connection until cancelled."""
        loop = asyncio.get_running_loop()
        delay_s = RETRY_S_MIN
        while True:
            stood_s = 0.0
            with suppress(LinkError):
                link = await self._load.open()
                opened_s = loop.time()
                await self._hold(link)
                stood_s = loop.time() - opened_s
            if stood_s > RETRY_S_MAX:
                delay_s = RETRY_S_MIN
            # Also after a welcome: a broker that sends us away each time is not to be stormed.
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, RETRY_S_MAX)

    async def _hold(self, link: Link[_Due]) -> None:
        """Use a connection until it is lost."""
        self._load.has_opened(again=self.opened)
        self.opened = True
        try:
            with suppress(LinkError):
                await self._serve(link)
        finally:
            self.link = None
            self._again = list(link.in_flight.values()) + self._again
            await link.close()
        self._load.lost += 1

    async def _serve(self, link: Link[_Due]) -> None:
        """Send what waits, in order, until the link is over."""
        over = asyncio.ensure_future(link.until_over())
        over.add_done_callback(lambda _: self._changed.set())
        try:
            while self._again:
                await link.until_room()
                message = self._again.pop(0)
                link.put(message.topic, message.payload, message, dup=True)
            self.link = link
            while not over.done():
                self._changed.clear()
                while self.waiting:
                    await link.until_room()
                    self._load.waiting -= 1
                    self._put(link, self.waiting.popleft())
                await self._changed.wait()
        finally:
            over.cancel()

    def _put(self, link: Link[_Due], message: _Due) -> None:
        link.put(message.topic, message.payload, message)
        self._load.has_offered(message)


class _Load:
    """The schedule and its connections."""

    def __init__(
        self,
        broker: Broker,
        fleet: Fleet,
        connections: int,
        asked: int,
        progress: Callable[[LoadProgress], None] | None,
    ) -> None:
        self._broker, self._fleet, self._asked = broker, fleet, asked
        self._context = broker.context()
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Semaphore(OPENING_MAX)
        self._latencies = Latencies()
        self._connections = [_Connection(self) for _ in range(connections)]
        self._begun_s = self._last_s = 0.0
        self._behind_s_max = 0.0
        self._taken = self._offered = self._held = 0
        self._changed = asyncio.Event()
        self.waiting = self.opened = self.lost = self.made_again = 0

    async def run(self) -> None:
        """Connect, send all in its time, wait for the rest, leave."""
        await (await self.open()).close()  # a broker that isn't there is told at once
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.keep()) for each in self._connections]
            await self._until(lambda: self.opened == len(self._connections), OPEN_S)
            await self._send()
            await self._until(lambda: self._latencies.count == self._taken, DRAIN_S)
            self._held = sum(each.link is not None for each in self._connections)
            for task in tasks:
                task.cancel()

    async def open(self) -> Link[_Due]:
        """A few at a time: a broker takes so many in its queue and no more."""
        async with self._opening:
            return await Link[_Due].open(
                self._broker, WINDOW, self._acknowledged, context=self._context
            )

    def has_opened(self, *, again: bool) -> None:
        if again:
            self.made_again += 1
        else:
            self.opened += 1
            self._changed.set()

    def has_offered(self, message: _Due) -> None:
        self._offered += 1
        self._behind_s_max = max(self._behind_s_max, self._loop.time() - message.due_s)

    def report(self) -> LoadReport:
        return LoadReport(
            devices=self._fleet.devices,
            connections=len(self._connections),
            asked_rate_s=self._fleet.rate_s,
            asked_messages=self._asked,
            offered_messages=self._offered,
            acknowledged_messages=self._latencies.count,
            took_s=self._last_s - self._begun_s,
            behind_ms_max=self._behind_s_max * 1000.0,
            latency_p50_ms=self._latencies.quantile_s(0.5) * 1000.0,
            latency_p99_ms=self._latencies.quantile_s(0.99) * 1000.0,
            latency_max_ms=self._latencies.max_s * 1000.0,
            opened=self.opened,
            held=self._held,
            lost=self.lost,
            made_again=self.made_again,
            memory_bytes=_memory_bytes(),
        )

    async def _send(self) -> None:
        """Each message at its time, however the broker is; made a little ahead."""
        fleet, every_s = self._fleet, 1.0 / self._fleet.rate_s
        start_ms, first = _now_ms(), 0
        made = fleet.messages(first, min(_BLOCK, self._asked), start_ms)
        told_s = now_s = self._begun_s = self._last_s = self._loop.time()
        deadline_s = self._begun_s + self._asked * every_s + DRAIN_S
        while self._taken < self._asked and now_s < deadline_s:
            if self._taken == first + len(made):
                first = self._taken
                made = fleet.messages(first, min(_BLOCK, self._asked - first), start_ms)
            due = min(int((now_s - self._begun_s) / every_s) + 1, first + len(made))
            if self.waiting < WAITING_MAX:
                for number in range(self._taken, due):
                    where = self._connections[fleet.device(number) % len(self._connections)]
                    where.take(_Due(self._begun_s + number * every_s, *made[number - first]))
                self._taken = max(self._taken, due)
            if now_s - told_s >= 1.0:
                told_s = now_s
                self._tell(now_s)
            next_s = self._begun_s + self._taken * every_s - now_s
            # Also where it is behind the connections have their turn.
            await asyncio.sleep(max(next_s, _TICK_S) if due < first + len(made) else 0)
            now_s = self._loop.time()

    def _acknowledged(self, freed: Sequence[_Due]) -> None:
        self._last_s = self._loop.time()
        self._latencies.add([self._last_s - message.due_s for message in freed])
        self._changed.set()

    def _tell(self, now_s: float) -> None:
        if self._progress is not None:
            behind_s = now_s - self._begun_s - self._taken / self._fleet.rate_s
            self._progress(
                LoadProgress(
                    sum(each.link is not None for each in self._connections),
                    self._offered,
                    self._latencies.count,
                    max(behind_s, 0.0) * 1000.0,
                )
            )

    async def _until(self, done: Callable[[], bool], within_s: float) -> None:
        """Wait until `done`, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not done():
                    self._changed.clear()
                    await self._changed.wait()


def _memory_bytes() -> int:
    """The most that this process has had in memory; Linux says it in KiB, macOS in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
