"""Both servers of the fan-out's benchmark, each a process of its own that is told what to do.

One is the live socket over a hub. The other is websockets with nothing around it: it
broadcasts the very text that the first sends, encoded once, to all who are connected. The
hub and what changes in it are the same in both.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from api.auth import Principal
from api.live.frames import AlertCall
from api.live.hub import Hub
from api.live.server import LiveServer
from api.live.subscription import StateSubscription
from api.live.terms import Refused
from api.live.where import parse_where
from ingest.reading import Batch, Flag
from ingest.series import Series, SeriesTable
from songtien.broker import HOST

STATIONS: Final = 20
SERIES: Final = 15
"""Of a station: what changes of them in a second is a delta of some 1,000 bytes."""

OFFICER: Final = "officer"
"""The token of an operator."""

_PAGE_BYTES: Final = 4096


def station(number: int) -> str:
    return f"tram-{number:02d}"


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked of a server between two rounds: how much memory it has."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Change `stations` of them once a second, so many times."""

    seconds: int
    stations: int


Ask = Look | Pace | None
"""None ends the process."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a server says of itself.

    rss_kb : memory in use
    cpu_s : processor time of this process in the paced seconds
    frames : that the server has counted as sent in them; the bare one counts nothing
    closes : of clients, that the server began, so far
    """

    rss_kb: int
    cpu_s: float = 0.0
    frames: int = 0
    closes: int = 0


class Stamp(Protocol):
    """A number that is shared between processes: when the newest change was made."""

    value: float


def serve_ours(control: Connection, newest: Stamp) -> None:
    """The process of the live socket. `newest` is kept at the stamp of the last change, s of
    the monotonic clock.
    """
    asyncio.run(_ours(control, newest))


def serve_bare(control: Connection, newest: Stamp) -> None:
    """The process of websockets alone."""
    asyncio.run(_bare(control, newest))


async def _ours(control: Connection, newest: Stamp) -> None:
    hub = _hub()
    server = LiveServer(hub, _principal, _refuse)
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve(HOST, 0, bound=bound))
    control.send(await bound)

    async def pace(ask: Pace) -> Told:
        before = server.counters.sent
        cpu_s = await _paced(ask, hub, newest, lambda: None)
        closes = server.counters.closes.total()
        return Told(_rss_kb(), cpu_s, server.counters.sent - before, closes)

    await _obey(control, pace)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _bare(control: Connection, newest: Stamp) -> None:
    hub, clients = _hub(), set[ServerConnection]()
    sub = StateSubscription(1, hub.state, parse_where({"station": [station(0)]}), 0, None)

    async def handle(connection: ServerConnection) -> None:
        clients.add(connection)
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass
        clients.discard(connection)

    def tell_all() -> None:
        while (offer := sub.offer(0)) is not None:
            sub.take(offer, 0)
            broadcast(clients, offer.text)

    async def pace(ask: Pace) -> Told:
        return Told(_rss_kb(), await _paced(ask, hub, newest, tell_all))

    tell_all()
    async with serve(handle, HOST, 0, compression=None, ping_interval=None) as server:
        control.send(next(iter(server.sockets)).getsockname()[1])
        await _obey(control, pace)


async def _obey(control: Connection, pace: Callable[[Pace], Awaitable[Told]]) -> None:
    """Do what is asked, one after the other, until it is enough or nobody asks any more."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(control.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        if not control.poll():
            continue  # The loop says so once more than there is to read.
        try:
            ask: Ask = control.recv()
        except EOFError:
            return
        match ask:
            case Look():
                control.send(Told(_rss_kb()))
            case Pace():
                control.send(await pace(ask))
            case None:
                return


async def _paced(ask: Pace, hub: Hub, newest: Stamp, changed: Callable[[], None]) -> float:
    """Change the hub once a second; the processor time of all that it brings about."""
    begin_s, cpu_s = time.monotonic(), time.process_time()
    for number in range(1, ask.seconds + 1):
        stamp = round(time.monotonic(), 6)
        count = ask.stations * SERIES
        numbers = np.arange(count)
        t_ms = np.full(count, time.time_ns() // 1_000_000)
        hub.apply(Batch.of(numbers, t_ms, np.full(count, stamp), Flag.PASS, 0))
        changed()
        newest.value = stamp
        await asyncio.sleep(max(0.0, begin_s + number - time.monotonic()))
    return time.process_time() - cpu_s


def _hub() -> Hub:
    hub = Hub("k1", "a1")
    hub.configure(
        SeriesTable([_series(number) for number in range(STATIONS * SERIES)]), Batch.empty()
    )
    hub.load_alerts([], [], 0)
    hub.tick(time.time_ns() // 1_000_000)
    return hub


def _series(number: int) -> Series:
    device = f"p-{number:05d}"
    return Series(
        id=number,
        key=f"{device}/salinity_g_l",
        stream=device,
        station=station(number // SERIES),
        device=device,
        kind="salinity",
        branches=("bench-arm",),
        quantity="salinity_g_l",
        unit="g/L",
        direction=None,
        level=None,
        expected_s=60,
        announced=True,
    )


def _principal(token: str | None) -> Principal | None:
    return Principal("Bench", "operator") if token == OFFICER else Principal("", "viewer")


async def _refuse(principal: Principal, call: AlertCall) -> dict[str, Any] | Refused:
    raise NotImplementedError(f"{principal.name} calls {json.dumps(call.id)}")


def _rss_kb() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES // 1024
