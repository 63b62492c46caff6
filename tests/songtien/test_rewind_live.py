"""The past over the live socket: at any time, at any pace, into the present, and turned away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from alerts import records
from api.auth import Principal
from api.live.mirror import Mirror, Verdict
from api.live.server import LiveServer
from api.live.terms import Refused
from ingest.reading import Batch, Flag
from ingest.store import Store
from songtien.rewind.rewinds import RewindService
from songtien.rewind.scene import Change
from tests.songtien.feed import BEGIN_MS
from tests.songtien.past import Past, alert, pictures, shown

SECOND, MINUTE = 1_000, 60_000
AT_ONCE = 2
KEY = "mt-01/salinity_g_l"

Frame = dict[str, Any]


def value(past: Past, number: float) -> Change:
    return Change(Batch.of([0], [past.now_ms], [number], Flag.PASS))


def told(past: Past, number: int, state: str) -> Change:
    past.position += 1
    event = {"type": "raised", "at": past.now_ms, "alert": {**alert(number, state), "t_since": 1}}
    return Change(events=[(past.position, event)])


class Screen:
    """A client that is shown something."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.hello: Frame = {}
        self.now_ms = 0
        self.mirrors: dict[int, Mirror] = {}

    async def frame(self) -> Frame:
        frame: Frame = json.loads(await asyncio.wait_for(self.connection.recv(), 10))
        if frame["op"] == "ping":
            self.now_ms = frame["now"]
            await self.connection.send('{"op":"pong"}')
        elif frame.get("sub") in self.mirrors and frame["op"] != "sub_ok":
            assert self.mirrors[frame["sub"]].feed(frame) is not Verdict.GAP
        return frame

    async def ask(self, **frame: Any) -> Frame:
        await self.connection.send(json.dumps(frame))
        while (found := await self.frame()).get("id") != frame["id"]:
            pass
        return found

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await self.frame()


def run(
    tmp_path: Path, test: Callable[[Past, "Callable[..., Any]", RewindService], Awaitable[None]]
) -> None:
    async def live() -> None:
        past = Past(tmp_path)
        store = Store(tmp_path / "store.sqlite")
        store.prepare(records.create)
        store.close()
        with past.recording() as recorder:
            rewinds = RewindService(past.timeline, past.screens, recorder, at_once_max=AT_ONCE)
            officer = Principal("an", "operator")
            server = LiveServer(past.screens.hub, lambda _token: officer, _never, rewinds=rewinds)
            bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            serving = asyncio.create_task(server.serve("127.0.0.1", 0, bound=bound))
            port = await bound

            @asynccontextmanager
            async def screen(**auth: Any) -> AsyncIterator[Screen]:
                async with connect(f"ws://127.0.0.1:{port}/live", subprotocols=["live.v1"]) as link:  # type: ignore[list-item]
                    found = Screen(link)
                    found.hello = await found.ask(op="auth", id=1, **auth)
                    yield found

            try:
                await test(past, screen, rewinds)
            finally:
                serving.cancel()
                await asyncio.wait([serving])
                rewinds.close()

    asyncio.run(live())


async def _never(_principal: Principal, _call: object) -> dict[str, Any] | Refused:
    raise AssertionError("nothing is done in the past")


async def left(rewinds: RewindService, playing: int) -> None:
    """Until the service has noticed that clients are gone."""
    async with asyncio.timeout(5):
        while rewinds.playing > playing:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)


async def mirrored(screen: Screen, chan: str) -> Mirror:
    answer = await screen.ask(op="sub", id=10 + len(screen.mirrors), chan=chan)
    mirror = Mirror(chan, None, None)
    mirror.subscribed(answer)
    screen.mirrors[answer["sub"]] = mirror
    return mirror


def test_at_six_hundred_times_the_pace_it_ends_as_the_present_is(tmp_path: Path) -> None:
    """And goes on with the present at its own pace, whatever comes there."""

    async def test(past: Past, screen: Callable[..., Any], rewinds: RewindService) -> None:
        for n in range(90):
            past.now_ms += MINUTE
            past.show(value(past, n / 10))
            if n % 10 == 0:
                past.show(told(past, n // 10, "unacked" if n % 20 else "normal"))
        async with screen(at=BEGIN_MS + 30 * MINUTE, speed=600) as client:
            assert client.hello["now"] == BEGIN_MS + 30 * MINUTE
            assert client.hello["rewind"] == {
                "at": BEGIN_MS + 30 * MINUTE,
                "speed": 600,
                "source": "recorded",
            }
            state, alerts = await mirrored(client, "state"), await mirrored(client, "alerts")
            await client.until(lambda: state.held.get(KEY, {}).get("v") == 2.9)
            assert state.held[KEY]["st"] == "live"
            await client.until(lambda: client.now_ms >= past.now_ms)
            past.now_ms += MINUTE
            past.show(Change(parts=past.screens.parts))
            past.show(value(past, 77.0))
            past.show(told(past, 40, "unacked"))
            await client.until(lambda: state.held[KEY]["v"] == 77.0 and f"{40:016x}" in alerts.held)
            present = shown(past.screens, past.now_ms)
            assert sorted(state.held.values(), key=lambda item: item["k"]) == present["items"]
            expected = {each["id"]: each for each in present["alerts"]}
            assert alerts.held == expected
            await client.until(lambda: client.now_ms == past.now_ms)
        await left(rewinds, 0)
        assert len(past.screens.followers) == 1  # the recorder's

    run(tmp_path, test)


def test_at_speed_nothing_it_stands_still_and_nothing_can_be_done(tmp_path: Path) -> None:
    async def test(past: Past, screen: Callable[..., Any], _rewinds: RewindService) -> None:
        past.show(value(past, 1.5))
        past.now_ms += 20 * MINUTE
        past.show(value(past, 2.5))
        async with screen(at="2025-12-29T16:20:30+07", speed=0) as client:
            state = await mirrored(client, "state")
            await client.until(lambda: KEY in state.held)
            first_ms = client.hello["now"]
            call = {"id": alert(1, "unacked")["id"], "ver": 1}
            answer = await client.ask(op="call", id=90, m="alert.ack", p=call)
            assert (answer["op"], answer["code"]) == ("err", 409)
            client.now_ms = 0
            await client.until(lambda: client.now_ms > 0)
            assert client.now_ms == first_ms == BEGIN_MS + 30 * SECOND
            assert state.held[KEY]["v"] == 1.5

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("auth", "code", "words"),
    [
        ({"at": "gestern"}, 4400, "RFC 3339"),
        ({"at": [1]}, 4400, "RFC 3339"),
        ({"at": True}, 4400, "RFC 3339"),
        ({"at": BEGIN_MS, "speed": 601}, 4400, "0 (stands still) to 600"),
        ({"at": BEGIN_MS, "speed": -1}, 4400, "0 (stands still) to 600"),
        ({"at": BEGIN_MS, "speed": "fast"}, 4400, "0 (stands still) to 600"),
        ({"speed": 2}, 4400, "with at"),
        ({"at": BEGIN_MS + MINUTE}, 4400, "ahead"),
    ],
)
def test_nonsense_is_turned_away_in_words(
    tmp_path: Path, auth: dict[str, Any], code: int, words: str
) -> None:
    async def test(_past: Past, screen: Callable[..., Any], rewinds: RewindService) -> None:
        with pytest.raises(ConnectionClosed) as closed:
            async with screen(**auth):
                pass
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        assert words in closed.value.rcvd.reason
        assert rewinds.playing == 0

    run(tmp_path, test)


def test_more_than_may_play_are_turned_away_until_one_leaves(tmp_path: Path) -> None:
    async def test(_past: Past, screen: Callable[..., Any], rewinds: RewindService) -> None:
        async with screen(at=BEGIN_MS, speed=0):
            async with screen(at=BEGIN_MS, speed=0):
                with pytest.raises(ConnectionClosed) as closed:
                    async with screen(at=BEGIN_MS):
                        pass
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4429
            await left(rewinds, 1)
            async with screen(at=BEGIN_MS, speed=0) as third:
                assert third.hello["rewind"]["speed"] == 0

    run(tmp_path, test)


def test_one_moment_of_it_for_http(tmp_path: Path) -> None:
    async def test(past: Past, _screen: Callable[..., Any], rewinds: RewindService) -> None:
        past.show(value(past, 1.5))
        past.show(Change(pictures=pictures(4)))
        past.show(told(past, 1, "unacked"))
        past.remember()
        past.now_ms += 30 * MINUTE
        past.show(Change(pictures=pictures(5)))
        past.show(told(past, 1, "normal"))
        past.now_ms += SECOND
        # So near to the present it is written first.
        now = await asyncio.to_thread(rewinds.then, past.now_ms)
        assert (list(now.alerts), now.river) == ([], pictures(5).river)
        at_ms, expected = past.moments[-1]
        then = await asyncio.to_thread(rewinds.then, at_ms + 100)
        assert then.settled
        assert then.source == "recorded"
        assert list(then.alerts) == expected["alerts"]
        assert then.river == pictures(4).river
        reach = await asyncio.to_thread(rewinds.reach)
        assert [begin for begin, _ in reach.recorded] == [BEGIN_MS]

    run(tmp_path, test)
