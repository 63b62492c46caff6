"""The live socket over real sockets, on a port of its own for each test."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.auth import Principal
from api.live.client import LiveAnswerError, LiveClient, LiveRefusedError
from api.live.frames import AlertAck, AlertCall
from api.live.hub import Hub
from api.live.mirror import Mirror
from api.live.origin import Origins
from api.live.server import LiveServer
from api.live.terms import Limits, Refused
from api.live.where import ALERT_FIELDS, parse_where
from tests.api.live_feed import OFFICER, T0, VIEWER, alert, hub_of, raised, river, values, wide

PRINCIPALS = {None: VIEWER, "officer": OFFICER}


async def carry_out(principal: Principal, call: AlertCall) -> dict[str, Any] | Refused:
    assert isinstance(call, AlertAck)
    if call.ver != 3:
        return Refused(409, "it has changed since")
    return {"alert": alert(1, "acked", who=principal.name, note=call.note)}


@asynccontextmanager
async def serving(
    hub: Hub, *, port: int = 0, limits: Limits | None = None, **more: Any
) -> AsyncIterator[tuple[LiveServer, str]]:
    server = LiveServer(hub, PRINCIPALS.get, carry_out, limits=limits, **more)
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve("127.0.0.1", port, bound=bound))
    await asyncio.wait((bound, task), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield server, f"ws://127.0.0.1:{bound.result()}/live"
    finally:
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()


def raw(url: str, **more: Any) -> connect:
    more.setdefault("subprotocols", [Subprotocol("live.v1")])
    return connect(url, compression=None, ping_interval=None, **more)


async def say(connection: ClientConnection, **frame: Any) -> None:
    await connection.send(json.dumps(frame))


async def closed(connection: ClientConnection) -> int:
    """Read to the end; the code that the service closed with."""
    try:
        async with asyncio.timeout(10):
            while True:
                await connection.recv()
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd is not None else 1006


async def eventually(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - counters tell nobody of their changes
            await asyncio.sleep(0.005)


def soon(_: float, most: float) -> float:
    """Come back at once: the tests do not need the jitter."""
    return min(most, 0.01)


def fresh(hub: Hub, mirror: Mirror) -> bool:
    """Whether the screen equals a fresh load."""
    if mirror.chan == "alerts":
        active = hub.alerts.active(parse_where(mirror.where, ALERT_FIELDS))
        return list(mirror.held.values()) == active
    items, _ = hub.items(parse_where(mirror.where))
    return mirror.held == {item["k"]: item for item in items}


def run(story: Awaitable[None]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(whole())


def test_a_reading_reaches_a_screen() -> None:
    async def story() -> None:
        hub = hub_of(river())
        async with serving(hub) as (server, url), LiveClient(url) as live:
            assert live.hello["role"] == "viewer"
            state = await live.subscribe("state", {"kind": ["salinity"]})
            alerts = await live.subscribe("alerts")
            await live.until(lambda: state.pos is not None and alerts.pos is not None)
            assert fresh(hub, state)
            hub.apply(values([0, 4], [3.21, 900.0], T0))
            hub.publish(1, raised(1))
            await live.until(lambda: "v" in state.held["vk-01/salinity_g_l"])
            await live.until(lambda: len(alerts.events) == 1)
            assert fresh(hub, state)
            assert fresh(hub, alerts)
            hub.tick(T0 + 100_000)
            await live.until(lambda: state.held["vk-01/salinity_g_l"]["st"] == "late")
            assert server.counters.clients == 1
            assert server.counters.sent >= 7
        assert server.counters.clients == 0

    run(story())


def test_a_link_that_breaks_comes_back_to_a_fresh_load() -> None:
    async def story() -> None:
        hub = hub_of(river())
        async with serving(hub) as (_, url), LiveClient(url, jitter=soon) as live:
            state = await live.subscribe("state")
            alerts = await live.subscribe("alerts")
            await live.until(lambda: state.pos is not None and alerts.pos is not None)
            for number in range(1, 6):
                await live.drop()
                hub.apply(values([0], float(number), T0 + number))
                hub.publish(number, raised(number))
                await live.until(lambda: live.connects > number)  # noqa: B023 - awaited at once
                await live.until(lambda: fresh(hub, state) and fresh(hub, alerts))
                assert (state.recovered, alerts.recovered) == (True, True)
            assert [event["pos"] for event in alerts.events] == [f"a1.{n}" for n in range(1, 6)]

    run(story())


def test_after_a_restart_alerts_are_recovered_and_state_is_loaded_anew() -> None:
    async def story() -> None:
        hub = hub_of(river())
        hub.apply(values([0], 1.0, T0))
        async with serving(hub) as (server, url):
            port = server.port
            live = LiveClient(url, jitter=soon)
            await live.__aenter__()
            state = await live.subscribe("state")
            alerts = await live.subscribe("alerts")
            hub.publish(1, raised(1))
            await live.until(lambda: len(alerts.events) == 1 and state.pos is not None)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert server.counters.closes == {4001: 1}
        again = Hub("k2", "a1")
        again.configure(river(), values([0], 2.0, T0 + 1))
        again.load_alerts([alert(1), alert(2)], [(1, raised(1)), (2, raised(2))], 2)
        again.tick(T0 + 1)
        async with serving(again, port=port):
            await live.until(lambda: live.connects == 2 and fresh(again, state))
            await live.until(lambda: fresh(again, alerts))
            assert (state.recovered, alerts.recovered) == (False, True)
            assert [event["pos"] for event in alerts.events] == ["a1.1", "a1.2"]
            assert live.closes[0] == 4001
            await live.__aexit__(None, None, None)

    run(story())


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["not json"], 4400),
        ([b"\x00"], 4400),
        (['{"op":"auth","id":1,"token":"stolen"}'], 4401),
        (['{"op":"sub","id":1,"chan":"state"}'], 4401),
        ([], 4408),
        (['{"op":"auth","id":1}'], 4012),
        (['{"op":"auth","id":1}', '{"op":"auth","id":2,"token":"' + "x" * 70_000 + '"}'], 4400),
        (['{"op":"auth","id":1}'] + ['{"op":"pong"}'] * 1000, 4429),
    ],
)
def test_close_codes(frames: list[str | bytes], code: int) -> None:
    async def story() -> None:
        limits = Limits(auth_s=0.2, ping_s=0.1, pong_s=0.2, burst=20, per_s=1)
        async with serving(hub_of(river()), limits=limits) as (server, url), raw(url) as one:
            for frame in frames:
                try:
                    await one.send(frame)
                except ConnectionClosed:
                    break
            assert await closed(one) == code
            await eventually(lambda: server.counters.clients == 0)
            assert server.counters.closes == {code: 1}
            assert server.counters.slow_closes == (code == 4012)

    run(story())


def test_a_client_too_slow_for_alerts_is_closed_with_4008() -> None:
    async def story() -> None:
        hub = hub_of(river())
        limits = Limits(alerts_behind=50)
        async with serving(hub, limits=limits) as (server, url), raw(url, max_queue=2) as one:
            await say(one, op="auth", id=1)
            await say(one, op="sub", id=2, chan="alerts")
            async with LiveClient(url) as live:
                alerts = await live.subscribe("alerts")
                await eventually(lambda: server.counters.received >= 4)
                for number in range(1, 1001):
                    hub.publish(number, raised(number, message_vi="ặ" * 100))
                    if number % 20 == 0:
                        await live.until(lambda: len(alerts.events) == number)  # noqa: B023 - as above
                assert server.counters.closes == {4008: 1}
                assert server.counters.slow_closes == 1
                assert await closed(one) == 4008
                assert live.closes == []

    run(story())


def test_slow_clients_do_not_delay_others() -> None:
    async def story() -> None:
        hub = hub_of(wide(500))
        async with serving(hub) as (server, url):
            stuck = []
            for _ in range(5):
                one = await raw(url, max_queue=1)
                await say(one, op="auth", id=1)
                await say(one, op="sub", id=2, chan="state")
                stuck.append(one)
            await eventually(lambda: server.counters.received == 10)
            held_back = server.counters.sent_bytes
            assert held_back <= 5 * 33_000
            waits = []
            async with LiveClient(url) as live:
                state = await live.subscribe("state", {"station": ["tram-1"]})
                await live.until(lambda: state.pos is not None)
                for number in range(100):
                    began = time.monotonic()
                    hub.apply(values(range(500), float(number), T0 + number))
                    held = state.held["p-00001/salinity_g_l"]
                    await live.until(lambda: held.get("v") == number)  # noqa: B023 - as above
                    waits.append(time.monotonic() - began)
                assert fresh(hub, state)
            waits.sort()
            assert waits[90] < 0.3  # any wait for those who are stuck would be seconds
            # Nothing more was written to those who do not read.
            for one in stuck:
                received = [await asyncio.wait_for(one.recv(), 5) for _ in range(4)]
                assert sum(map(len, received)) <= 32_768
                assert json.loads(received[-1])["op"] == "ping"
                await say(one, op="pong")
                assert json.loads(await asyncio.wait_for(one.recv(), 5))["op"] == "snap"
                one.transport.abort()

    run(story())


def test_frames_of_a_large_snapshot_are_small() -> None:
    async def story() -> None:
        hub = hub_of(wide(3000))
        # The client refuses frames above 64 KiB by itself.
        async with serving(hub) as (server, url), LiveClient(url) as live:
            state = await live.subscribe("state")
            await live.until(lambda: state.pos is not None)
            assert fresh(hub, state)
            assert server.counters.sent_bytes / server.counters.sent < 32_768

    run(story())


def test_a_flood_is_coalesced_and_max_hz_is_kept() -> None:
    async def story() -> None:
        hub = hub_of(river())
        async with serving(hub) as (server, url), LiveClient(url) as live:
            free = await live.subscribe("state", {"device": ["vk-01"]})
            paced = await live.subscribe("state", {"device": ["vk-01"]}, max_hz=5)
            await live.until(lambda: free.pos is not None and paced.pos is not None)
            count, began = 0, time.monotonic()
            while time.monotonic() - began < 1:
                hub.apply(values([0], float(count), T0 + count))
                count += 1
                await asyncio.sleep(0)
            took_s = time.monotonic() - began
            await live.until(lambda: fresh(hub, free) and fresh(hub, paced))
            assert 10 <= free.deltas <= 100 * took_s + 3
            assert 4 <= paced.deltas <= 5 * took_s + 2
            assert free.merged + free.deltas == count
            assert paced.merged + paced.deltas == count
            assert server.counters.merged == free.merged + paced.merged

    run(story())


def test_alone_a_change_goes_out_at_once() -> None:
    async def story() -> None:
        hub = hub_of(river())
        async with serving(hub) as (_, url), LiveClient(url) as live:
            state = await live.subscribe("state")
            await live.until(lambda: state.pos is not None)
            waits = []
            for number in range(20):
                await asyncio.sleep(0.02)
                began = time.monotonic()
                hub.apply(values([0], float(number), T0 + number))
                await live.until(lambda: state.deltas == number + 1)  # noqa: B023 - as above
                waits.append(time.monotonic() - began)
            assert sorted(waits)[10] < 0.05  # a tick of a tenth of a second would show

    run(story())


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/live", {"origin": Origin("http://evil.example")}, 403),
        ("/live", {"origin": Origin("null")}, 403),
        ("/live", {"subprotocols": [Subprotocol("live.v2")]}, 400),
        ("/", {}, 404),
        ("/live/x", {}, 404),
    ],
)
def test_handshakes_that_are_refused(
    path: str, more: dict[str, Any], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with serving(hub_of(river()), origins=Origins.of([], 8080)) as (_, url):
            with pytest.raises(InvalidStatus) as refused:
                await raw(url.removesuffix("/live") + path, **more)
            assert refused.value.response.status_code == status

    run(story())
    # Whoever knocks wrongly fills no log with tracebacks.
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"subprotocols": None},
        {"subprotocols": [Subprotocol("live.v2"), Subprotocol("live.v1")]},
        {"origin": Origin("http://127.0.0.1:8080")},
        {"origin": Origin("https://man-hinh.vn")},
    ],
)
def test_handshakes_that_are_accepted(more: dict[str, Any]) -> None:
    async def story() -> None:
        origins = Origins.of(["https://man-hinh.vn"], 8080)
        async with serving(hub_of(river()), origins=origins) as (_, url), raw(url, **more) as one:
            await say(one, op="auth", id=1)
            assert json.loads(await one.recv())["op"] == "hello"
            assert one.subprotocol == ("live.v1" if more.get("subprotocols", 1) else None)

    run(story())


def test_too_many_clients_are_turned_away() -> None:
    async def story() -> None:
        async with serving(hub_of(river()), clients_max=1) as (_, url), LiveClient(url):
            with pytest.raises(LiveRefusedError, match="4429"):
                await LiveClient(url).__aenter__()

    run(story())


def test_an_officer_acknowledges_over_the_socket() -> None:
    async def story() -> None:
        async with serving(hub_of(river())) as (_, url):
            async with LiveClient(url, token="officer") as live:
                assert live.hello["role"] == "operator"
                ok = await live.call("alert.ack", {"id": "a", "ver": 3, "note": "đã gọi"})
                assert ok["alert"]["who"] == OFFICER.name
                with pytest.raises(LiveAnswerError, match="409"):
                    await live.call("alert.ack", {"id": "a", "ver": 2})
                with pytest.raises(LiveAnswerError, match="400"):
                    await live.call("alert.ack", {"id": "a"})
            async with LiveClient(url) as live:
                with pytest.raises(LiveAnswerError, match="403"):
                    await live.call("alert.ack", {"id": "a", "ver": 3})
            with pytest.raises(LiveRefusedError, match="4401"):
                await LiveClient(url, token="stolen").__aenter__()

    run(story())


def test_a_port_that_is_taken_is_an_error() -> None:
    async def story() -> None:
        hub = hub_of(river())
        async with serving(hub) as (server, _):
            with pytest.raises(OSError, match="in use"):
                async with serving(hub, port=server.port):
                    pass

    run(story())


def test_a_failing_acknowledgement_ends_the_service() -> None:
    async def story() -> None:
        async def broken(principal: Principal, call: AlertCall) -> dict[str, Any] | Refused:
            raise RuntimeError(f"{principal} {call}")

        hub = hub_of(river())
        server = LiveServer(hub, PRINCIPALS.get, broken)
        bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(server.serve("127.0.0.1", 0, bound=bound))
        async with raw(f"ws://127.0.0.1:{await bound}/live") as one:
            await say(one, op="auth", id=1, token="officer")
            await say(one, op="call", id=2, m="alert.ack", p={"id": "a", "ver": 3})
            assert await closed(one) == 4001
        with pytest.raises(ExceptionGroup) as failed:
            await task
        assert failed.group_contains(RuntimeError)

    run(story())


def test_an_answer_for_a_client_that_has_left_wakes_nothing() -> None:
    async def story() -> None:
        asked, done = asyncio.Event(), asyncio.Event()

        async def slowly(_: Principal, __: AlertCall) -> dict[str, Any] | Refused:
            asked.set()
            await done.wait()
            return {}

        limits = Limits(ping_s=0.05, pong_s=0.05)
        server = LiveServer(hub_of(river()), PRINCIPALS.get, slowly, limits=limits)
        bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(server.serve("127.0.0.1", 0, bound=bound))
        async with raw(f"ws://127.0.0.1:{await bound}/live") as one:
            await say(one, op="auth", id=1, token="officer")
            await say(one, op="call", id=2, m="alert.ack", p={"id": "a", "ver": 3})
            await asked.wait()
        await eventually(lambda: server.counters.clients == 0)
        sent = server.counters.sent
        done.set()
        await asyncio.sleep(0.3)  # Long enough for a heartbeat and its missing pong.
        assert server.counters.sent == sent
        assert server.counters.closes == {}
        task.cancel()
        await asyncio.wait((task,))

    run(story())
