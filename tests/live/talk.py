"""One connection to a server from outside, every frame of which passes the strict model."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.live.model import FRAME_BYTES_MAX, Frame, Model, Subscription
from tests.live.statements import BreachError, Ledger

ANSWER_S = 5.0
SILENT_S = 0.3
"""A server that has said nothing for so long has said what it had to say."""


class ClosedError(Exception):
    """The connection ended while something was still awaited."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Talk:
    """Requests, answers and subscriptions on one connection. It answers pings, unless told not."""

    def __init__(self, connection: ClientConnection, ledger: Ledger) -> None:
        self.connection = connection
        self.model = Model(seen=ledger.occasions)
        self.pongs = True
        self.received_bytes = 0
        self.heard: list[tuple[float, Frame]] = []
        self._last_id = 0
        self._ledger = ledger

    async def send(self, frame: Frame, holding: dict[str, Frame] | None = None) -> None:
        try:
            await self.connection.send(self.model.sends(frame, holding))
        except ConnectionClosed as end:
            raise ClosedError(code_of(end)) from end

    async def hear(self, within_s: float = ANSWER_S) -> Frame:
        """The next frame. Raises TimeoutError, ClosedError, BreachError."""
        try:
            async with asyncio.timeout(within_s):
                text = await self.connection.recv()
        except ConnectionClosed as end:
            raise ClosedError(code_of(end)) from end
        frame = self.model.takes(text)
        self.received_bytes += len(text)
        self.heard.append((time.monotonic(), frame))
        if frame["op"] == "ping" and self.pongs:
            await self.send({"op": "pong"})
        return frame

    async def ask(self, holding: dict[str, Frame] | None = None, **frame: Any) -> Frame:
        """Send a request, and give its answer."""
        number = self.next_id()
        await self.send({"id": number, **frame}, holding)
        deadline = time.monotonic() + ANSWER_S
        while number not in self.model.answers:
            await self.hear(max(0.0, deadline - time.monotonic()))
        return self.model.answers[number]

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    async def subscribe(
        self,
        chan: str,
        where: dict[str, list[str]] | None = None,
        *,
        holding: dict[str, Frame] | None = None,
        **more: Any,
    ) -> Subscription:
        """Subscribe, and come back when what is held is whole."""
        answer = await self.ask(holding, op="sub", chan=chan, where=where or {}, **more)
        if answer["op"] != "sub_ok":
            raise BreachError("F4", f"sub is answered by {answer}")
        sub = self.model.subs[answer["sub"]]
        await self.until(lambda: sub.pages is None)
        return sub

    async def until(self, holds: Callable[[], bool], within_s: float = ANSWER_S) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            await self.hear(max(0.0, deadline - time.monotonic()))

    async def listen(self, for_s: float) -> None:
        """Hear whatever comes for a time."""
        deadline = time.monotonic() + for_s
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                await self.hear(left_s)
            except TimeoutError:
                return

    async def until_silent(self, silent_s: float = SILENT_S) -> None:
        while True:
            try:
                await self.hear(silent_s)
            except TimeoutError:
                return

    async def ended(self, within_s: float = ANSWER_S) -> int | None:
        """The code that the server closes with; None where it does not close."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as end:
            return code_of(end)
        except TimeoutError:
            return None


def code_of(end: ConnectionClosed) -> int:
    return end.rcvd.code if end.rcvd is not None else 1006


class Server:
    """The server that is held to the contract: where it is, and how to come in."""

    def __init__(self, url: str, token: str | None, ledger: Ledger) -> None:
        self.url = url
        self.token = token
        self.ledger = ledger

    def dial(self, *, origin: str | None = None) -> connect:
        return connect(
            self.url,
            origin=None if origin is None else Origin(origin),
            subprotocols=[Subprotocol("live.v1")],
            compression=None,
            ping_interval=None,
            max_size=FRAME_BYTES_MAX,
            open_timeout=ANSWER_S,
        )

    @asynccontextmanager
    async def talk(self, *, signed_in: bool = True) -> AsyncIterator[Talk]:
        """A connection; whatever it breaks of the contract is noted when it is left."""
        async with self.dial() as connection:
            talk = Talk(connection, self.ledger)
            if signed_in:
                token: Frame = {} if self.token is None else {"token": self.token}
                await talk.ask(op="auth", **token)
            yield talk
            connection.transport.abort()
