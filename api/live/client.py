"""A client of live.v1 that keeps mirrors of what it subscribed to, through every reconnect.

For tests, benchmarks and tools; the reference of what the contract asks of a client.
"""

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.live.frames import FRAME_BYTES_MAX, SUBPROTOCOL
from api.live.mirror import Frame, Mirror, Verdict

BACKOFF_S_MAX = 60.0
STEADY_S = 10.0
"""A link that held this long begins its backoff anew."""

OFFSETS_KEPT = 8
"""Words of the service's time that are remembered: the fastest of them is nearest to it."""

GREETING_S = 10.0
SILENCE_PINGS = 2.5
"""Without any frame for this many of the service's ping intervals the link is dead."""

CATCH_UP_S = 1.0

log = logging.getLogger(__name__)


class LiveRefusedError(Exception):
    """The service said stop (close codes 4400 to 4499): a person has to do something."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class LiveAnswerError(Exception):
    """The service's answer to a request was an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Link:
    """How the link is.

    code, why : of a lost one; 1006 where nobody said why
    wait_s : until it is tried again
    """

    up: bool
    code: int = 0
    why: str = ""
    wait_s: float = 0.0


class LiveClient:
    """`async with LiveClient(url, token=…) as live: mirror = await live.subscribe("state")`.

    connects : how often it has connected
    closes : close codes seen, oldest first (1006: the link broke)
    jitter : draws the seconds to wait from (0, most)
    told : is told whenever the link is there or lost
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        origin: str | None = None,
        subprotocols: Sequence[str] = (SUBPROTOCOL,),
        jitter: Callable[[float, float], float] = random.uniform,
        told: Callable[[Link], None] = lambda _: None,
    ) -> None:
        self.hello: Frame = {}
        self.connects = 0
        self.closes: list[int] = []
        self._url = url
        self._token = token
        self._origin = None if origin is None else Origin(origin)
        self._subprotocols = [Subprotocol(name) for name in subprotocols]
        self._jitter = jitter
        self._told = told
        self._connection: ClientConnection | None = None
        self._last_id = 0
        self._heard = 0
        self._link = Link(up=False)
        self._offsets_ms: deque[float] = deque(maxlen=OFFSETS_KEPT)
        self._mirrors: list[Mirror] = []
        self._by_sub: dict[int, Mirror] = {}
        self._asked: dict[int, Mirror] = {}
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(ready), name="live client")
        await asyncio.wait((ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            ready.cancel()
            self._task.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and error is None:
            self._task.result()

    def now_ms(self) -> int:
        """The service's clock (UTC) as far as it is known here; ours before it has spoken.

        A frame can only be late, never early: the largest difference is nearest to the truth.
        """
        if not self._offsets_ms:
            return time.time_ns() // 1_000_000
        return round(time.monotonic() * 1000 + max(self._offsets_ms))

    async def run(self) -> None:
        """Run until cancelled, also while the service cannot be reached; in place of `async with`.

        Raises LiveRefusedError, LiveAnswerError where a wish is not accepted, and InvalidStatus.
        """
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        await self._run(asyncio.get_running_loop().create_future())

    def wish(
        self, chan: str, where: dict[str, list[str]] | None = None, *, max_hz: float | None = None
    ) -> Mirror:
        """What to subscribe to whenever the link is there; to be said before `run`."""
        mirror = Mirror(chan, where, max_hz)
        self._mirrors.append(mirror)
        return mirror

    async def subscribe(
        self,
        chan: str,
        where: dict[str, list[str]] | None = None,
        *,
        max_hz: float | None = None,
        pos: str | None = None,
    ) -> Mirror:
        """Subscribe, and wait for the answer; `until` waits for what is to be seen.

        Raises LiveAnswerError where the service does not accept it.
        """
        mirror = Mirror(chan, where, max_hz)
        mirror.pos = pos
        answer = self._future(number := self._next_id())
        self._asked[number] = mirror
        await self._send(mirror.request(number))
        await self._result(answer)
        self._mirrors.append(mirror)
        return mirror

    async def call(self, method: str, parameters: Frame) -> Frame:
        """Call, and give the `ok` of the answer. Raises LiveAnswerError, ConnectionError."""
        answer = self._future(number := self._next_id())
        await self._send({"op": "call", "id": number, "m": method, "p": parameters})
        ok: Frame = (await self._result(answer))["ok"]
        return ok

    async def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until something holds that depends on what has been received."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: holds() or self._task.done())
        if not holds():
            self._task.result()

    async def news(self, heard: int) -> int:
        """Wait until more has come, or the link has changed, than `heard`; gives the new count."""
        async with self._news:
            await self._news.wait_for(lambda: self._heard > heard)
        return self._heard

    async def drop(self) -> None:
        """Break the link as a bad network does; the client comes back by itself."""
        if self._connection is not None:
            self._connection.transport.abort()
            await self._connection.wait_closed()

    # The connection's life.

    async def _run(self, ready: "asyncio.Future[None]") -> None:
        fails = 0
        while True:
            began_s = time.monotonic()
            try:
                async with connect(
                    self._url,
                    origin=self._origin,
                    subprotocols=self._subprotocols,
                    compression=None,
                    ping_interval=None,
                    max_size=FRAME_BYTES_MAX,
                ) as self._connection:
                    await self._serve(self._connection, ready)
            except (ConnectionClosed, InvalidMessage, OSError, TimeoutError, ValueError) as lost:
                self._lost(lost)
            except InvalidStatus as refused:
                # A server that is on its way down says 503: it comes back, and so do we.
                if refused.response.status_code < 500:
                    raise
                self._lost(refused)
            finally:
                self._connection = None
            # A server that greets and ends at once is not hurried for that.
            fails = 0 if time.monotonic() - began_s >= STEADY_S else fails
            wait_s = self._jitter(0.0, min(BACKOFF_S_MAX, 2.0**fails))
            fails += 1
            self._link = replace(self._link, wait_s=wait_s)
            self._told(self._link)
            await self._tell()
            await asyncio.sleep(wait_s)

    def _lost(self, lost: Exception) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the link was lost before the answer"))
        self._answers.clear()
        self._asked.clear()
        for mirror in self._mirrors:
            mirror.suspended()
        code = 1006
        if isinstance(lost, ConnectionClosed) and lost.rcvd is not None:
            code = lost.rcvd.code
        self.closes.append(code)
        if isinstance(lost, ConnectionClosed) and lost.rcvd is not None and 4400 <= code < 4500:
            raise LiveRefusedError(code, lost.rcvd.reason)
        self._link = Link(up=False, code=code, why=str(lost) or type(lost).__name__)
        log.info("live link lost (%s), coming back", code)

    async def _serve(self, connection: ClientConnection, ready: "asyncio.Future[None]") -> None:
        self._last_id = 1
        self._by_sub.clear()
        token = {} if self._token is None else {"token": self._token}
        await self._send({"op": "auth", "id": 1, **token})
        async with asyncio.timeout(GREETING_S):
            greeting = json.loads(await connection.recv())
        if greeting["op"] != "hello":
            raise LiveAnswerError(greeting.get("code", 0), str(greeting.get("msg", "no hello")))
        self.hello = greeting
        self._hear_time(greeting["now"])
        self.connects += 1
        self._told(Link(up=True))
        for mirror in self._mirrors:
            await self._ask_for(mirror)
        if not ready.done():
            ready.set_result(None)
        silence_s = SILENCE_PINGS * self.hello["ping_s"]
        while True:
            frame = json.loads(await _heard(connection, silence_s))
            await self._take(frame)
            await self._tell()

    async def _take(self, frame: Frame) -> None:
        op = frame["op"]
        if op in ("snap", "delta", "event", "reset"):
            mirror = self._by_sub.get(frame["sub"])
            if mirror is not None and mirror.feed(frame) is Verdict.GAP:
                await self._again(frame["sub"], mirror)
        elif op == "ping":
            await self._send({"op": "pong"})
            self._hear_time(frame["now"])
            for sub, pos in frame["pos"].items():
                mirror = self._by_sub.get(int(sub))
                if mirror is not None and not mirror.agrees(pos):
                    await self._again(int(sub), mirror)
        elif op in ("sub_ok", "ret", "err"):
            asked = self._asked.pop(frame["id"], None)
            if asked is not None and op == "sub_ok":
                asked.subscribed(frame)
                self._by_sub[frame["sub"]] = asked
            answer = self._answers.pop(frame["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(frame)
            elif asked is not None and op == "err":
                # What was held cannot be kept true any more, and nobody waits to hear of it.
                raise LiveAnswerError(frame["code"], frame["msg"])

    async def _again(self, sub: int, mirror: Mirror) -> None:
        del self._by_sub[sub]
        await self._send({"op": "unsub", "id": self._next_id(), "sub": sub})
        await self._ask_for(mirror)

    async def _ask_for(self, mirror: Mirror) -> None:
        number = self._next_id()
        self._asked[number] = mirror
        await self._send(mirror.request(number))

    async def _send(self, frame: Frame) -> None:
        if self._connection is None:
            raise ConnectionError("there is no link")
        await self._connection.send(json.dumps(frame))

    async def _tell(self) -> None:
        async with self._news:
            self._heard += 1
            self._news.notify_all()

    def _hear_time(self, now_ms: int) -> None:
        self._offsets_ms.append(now_ms - time.monotonic() * 1000)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _future(self, number: int) -> "asyncio.Future[Frame]":
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        return answer

    async def _result(self, answer: "asyncio.Future[Frame]") -> Frame:
        await asyncio.wait((answer, self._task), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self._task.result()
        frame: Any = answer.result()
        if frame["op"] == "err":
            raise LiveAnswerError(frame["code"], frame["msg"])
        result: Frame = frame
        return result


async def _heard(connection: ClientConnection, silence_s: float) -> str | bytes:
    """The next frame; TimeoutError where none comes in that time.

    A process that was stopped finds its time over before it has read what came meanwhile, so
    there is a little more for that.
    """
    for patience_s in (silence_s, CATCH_UP_S):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                return await connection.recv()
    raise TimeoutError
