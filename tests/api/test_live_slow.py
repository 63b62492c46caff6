"""Clients that pause, stall or mean harm: what they cost, and that nobody else pays for it."""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from api.live.client import LiveClient
from api.live.hub import Hub
from api.live.server import LiveServer
from api.live.terms import TOO_SLOW, Limits
from api.live.wire import PARTS_MAX, UNREAD_BYTES_MAX
from tests.api.live_feed import T0, Wire, hub_of, values, wide
from tests.api.test_live_server import closed, eventually, fresh, raw, run, say, serving


def test_who_was_paused_for_a_minute_has_the_newest_with_its_next_frame() -> None:
    hub = hub_of(wide(400))
    wire = Wire(hub, pong=False)
    wire.ask(op="sub", chan="state", where={"station": ["tram-0", "tram-1", "tram-2"]})
    wire.send(op="pong")
    came = []
    for second in range(1, 61):
        hub.apply(values(range(400), float(second), T0 + second * 1000))
        came += wire.pull(1000)
    assert wire.code is None
    assert sum(len(json.dumps(frame)) for frame in came) < 33_000
    for frame in came:
        if frame["op"] == "ping":
            wire.send(op="pong")
    hub.apply(values(range(400), 61.0, T0 + 61_000))
    last = wire.pull()[-1]
    assert last["op"] == "delta"
    assert {item["v"] for item in last["set"]} == {61.0}


def test_a_client_that_goes_on_after_a_pause_shows_the_newest_within_a_second() -> None:
    async def story() -> None:
        hub = hub_of(wide(500))
        limits = Limits(ping_s=0.2, pong_s=20)
        async with serving(hub, limits=limits) as (server, url), LiveClient(url) as live:
            state = await live.subscribe("state")
            await live.until(lambda: state.pos is not None)
            assert live._connection is not None
            live._connection.transport.pause_reading()
            before = server.counters.sent_bytes
            for number in range(100):
                hub.apply(values(range(500), float(number), T0 + number))
                await asyncio.sleep(0.004)
            assert server.counters.sent_bytes - before < 34_000
            live._connection.transport.resume_reading()
            began = time.monotonic()
            await live.until(lambda: fresh(hub, state))
            assert time.monotonic() - began < 1
            assert (live.connects, live.closes) == (1, [])

    run(story())


def test_a_process_that_was_stopped_reads_first_what_came_meanwhile() -> None:
    """Its own silence has run out when it wakes; the link is as good as it was."""
    bound: list[int] = []
    ready, over = threading.Event(), threading.Event()

    async def chatter(connection: ServerConnection) -> None:
        await connection.recv()
        hello = {"op": "hello", "id": 1, "role": "viewer", "now": 0, "ping_s": 0.1, "limits": {}}
        await connection.send(json.dumps(hello))
        while not over.is_set():
            await connection.send('{"op":"something new"}')
            await asyncio.sleep(0.02)

    async def elsewhere() -> None:
        async with serve(chatter, "127.0.0.1", 0) as server:
            bound.append(next(iter(server.sockets)).getsockname()[1])
            ready.set()
            await asyncio.to_thread(over.wait)

    async def story() -> None:
        async with LiveClient(f"ws://127.0.0.1:{bound[0]}") as live:
            time.sleep(0.6)  # noqa: ASYNC251 - stopped, timers and all
            await asyncio.sleep(0.3)  # Long enough for its silence to be noticed.
            assert (live.connects, live.closes) == (1, [])

    there = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    there.start()
    try:
        assert ready.wait(5)
        run(story())
    finally:
        over.set()
        there.join()


def test_who_asks_and_never_reads_is_closed_and_holds_little() -> None:
    wire = Wire(hub_of(wide(10)), pong=False)
    wire.ask(op="sub", chan="state")
    held = 0
    for _ in range(10_000):
        wire.mono_ms += 20
        wire.last_id += 1
        wire.send(op="call", id=wire.last_id, m="x" * 60_000)
        held += sum(len(text) for text in wire.session.pull(wire.now()))
        if wire.code is not None:
            break
    assert wire.code == TOO_SLOW
    assert held < 257_000


@asynccontextmanager
async def beside(hub: Hub, url: str) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """A client that reads; tells how long it waited for changes, at the median."""
    waits: list[float] = []

    async def look(live: LiveClient) -> None:
        state = await live.subscribe("state", {"station": ["tram-1"]})
        await live.until(lambda: state.pos is not None)
        held, number = state.held["p-00001/salinity_g_l"], 0.0
        while True:
            number += 1
            began = time.monotonic()
            hub.apply(values(range(500), number, T0 + int(number)))
            await live.until(lambda: held.get("v") == number)  # noqa: B023 - awaited at once
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.02)

    async with LiveClient(url) as live:
        task = asyncio.create_task(look(live))
        await eventually(lambda: len(waits) > 3 or task.done())
        waits.clear()

        async def usual_s() -> float:
            await eventually(lambda: len(waits) >= 5 or task.done())
            return statistics.median(waits)

        yield usual_s
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def told(opcode: Opcode, body: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, body, fin).serialize(mask=True)


async def _pings(url: str, server: LiveServer) -> None:
    """Pings of the WebSocket without end, and nothing is read of what answers them."""
    async with raw(url, max_queue=1) as one:
        await say(one, op="auth", id=1)
        one.transport.pause_reading()
        flood = told(Opcode.PING, b"x" * 125) * 500
        for _ in range(2000):
            one.transport.write(flood)
            await asyncio.sleep(0)
            if one.transport.is_closing() or server.counters.clients < 2:
                break
            kept = [c.connection.transport.get_write_buffer_size() for c in server._clients]
            assert max(kept) < 2 * UNREAD_BYTES_MAX
        await eventually(lambda: server.counters.clients == 1)
        one.transport.abort()


async def _fragments(url: str, server: LiveServer) -> None:
    """A message of empty fragments without end."""
    async with raw(url) as one:
        one.transport.write(told(Opcode.TEXT, b"{", fin=False))
        one.transport.write(told(Opcode.CONT, b"", fin=False) * (PARTS_MAX + 1))
        assert await closed(one) == 1009
    await eventually(lambda: server.counters.clients == 1)


async def _slowly(url: str, server: LiveServer) -> None:
    """A message in pieces, a byte at a time; it is read all the same."""
    async with raw(url) as one:
        text = b'{"op":"auth","id":1}'
        for at, byte in enumerate(text):
            kind = Opcode.CONT if at else Opcode.TEXT
            one.transport.write(told(kind, bytes([byte]), fin=at == len(text) - 1))
            await asyncio.sleep(0.01)
        assert json.loads(await one.recv())["op"] == "hello"
    await eventually(lambda: server.counters.clients == 1)


async def _requests(url: str, server: LiveServer) -> None:
    """Subscriptions as large and as many as fit, over and over."""
    for _ in range(3):
        async with raw(url) as one:
            await say(one, op="auth", id=1)
            where = {"station": [f"tram-{n:04d}" for n in range(1500)]}
            for number in range(2, 400):
                await say(one, op="sub", id=number, chan="state", where=where)
            assert await closed(one) == 4429
    await eventually(lambda: server.counters.clients == 1)


@pytest.mark.parametrize("harm", [_pings, _fragments, _slowly, _requests])
def test_who_means_harm_delays_no_other(harm: Callable[[str, LiveServer], Awaitable[None]]) -> None:
    async def story() -> None:
        hub = hub_of(wide(500))
        async with serving(hub) as (server, url), beside(hub, url) as usual_s:
            await harm(url, server)
            assert await usual_s() < 0.5  # a wait for those who do not read would be seconds

    run(story())
