"""Real clients of the live socket, in a process that is stopped for a while as a whole."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from api.live.client import LiveClient
from api.live.mirror import Mirror
from songtien.bench.fanout_server import station
from songtien.broker import HOST

_FOREVER_S: Final = 1e6
_SHOWN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Asks when each client showed the change of `stamp` or a newer one."""

    stamp: float


def watch(control: Connection, port: int, count: int) -> None:
    """The process: so many clients of one station each; says when all have their snapshot."""
    asyncio.run(_watch(control, port, count))


async def _watch(control: Connection, port: int, count: int) -> None:
    seen: list[list[tuple[float, float]]] = [[] for _ in range(count)]
    async with AsyncExitStack() as stack:
        notes = await stack.enter_async_context(asyncio.TaskGroup())
        clients = []
        for held in seen:
            live = await stack.enter_async_context(LiveClient(f"ws://{HOST}:{port}/live"))
            mirror = await live.subscribe("state", {"station": [station(0)]})
            clients.append(live)
            notes.create_task(_note(live, mirror, held))
        control.send([live.connects for live in clients])
        asked: Shown | None = await asyncio.to_thread(control.recv)
        while asked is not None:
            control.send([await _first(held, asked.stamp) for held in seen])
            control.send([live.connects for live in clients])
            asked = await asyncio.to_thread(control.recv)
        for task in asyncio.all_tasks():
            if task.get_name() == _NOTE:
                task.cancel()


_NOTE: Final = "note of a watcher"


async def _note(live: LiveClient, mirror: Mirror, held: list[tuple[float, float]]) -> None:
    """Note each value as it is shown, with the time at which it was."""
    task = asyncio.current_task()
    assert task is not None
    task.set_name(_NOTE)

    def value() -> float:
        return max((item.get("v", 0.0) for item in mirror.held.values()), default=0.0)

    before = 0.0
    while True:
        await live.until(lambda: value() > before, _FOREVER_S)  # noqa: B023 - awaited at once
        before = value()
        held.append((time.monotonic(), before))


async def _first(held: list[tuple[float, float]], stamp: float) -> float:
    """When a value of that stamp or newer was first shown; infinite where it was not."""
    deadline = time.monotonic() + _SHOWN_S
    while time.monotonic() < deadline:
        for at_s, value in held:
            if value >= stamp:
                return at_s
        await asyncio.sleep(0.01)
    return float("inf")
