"""The live socket's shell: connections, tasks and time around the protocol's `Session`.

One task fans out to all clients. It never waits for any of them: what is in flight to a
client is bounded by the session's window, so a write goes to the connection's buffer and
returns. When it is quiet a change goes out at once; after a round the next one waits
`ROUND_MS`, or longer if the round took long, so that a flood is coalesced, not chased.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from api.auth import Principal
from api.live.frames import FRAME_BYTES_MAX, SUBPROTOCOL, AlertCall
from api.live.hub import Hub
from api.live.origin import Origins
from api.live.session import Session
from api.live.terms import (
    BAD_FRAME,
    NO_PONG,
    NOT_AUTHORISED,
    TOO_MANY,
    TOO_SLOW,
    Instant,
    Limits,
    Order,
    Refused,
    SignIn,
)
from api.live.wire import Wire, connections_log
from api.rewind import Playing, RewindError, Rewinds

PATH = "/live"
ROUND_MS = 10
"""Between two rounds of fan-out: about 100 deltas a second for each client, at most."""

SLICE_MS = 5
"""A round lets others run after this long, however many clients it has yet to visit."""

TOGETHER = 8
"""Clients that are visited at one reading of the clock."""

REST = 1.0
"""A round is followed by a rest of its own length times this: fan-out takes half the loop."""

TIMERS_MS = 256
"""Heartbeats that are due within it are looked after together, at its end."""

GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it, less their whole part, lie evenly between 0 and 1 however many there are."""

CLOSE_S = 3
BROKEN = 1011
"""Something of ours went wrong, with this client alone (RFC 6455, 7.4.1)."""

CLIENTS_MAX = 20_000
READ_FRAMES_MAX = 4
READ_BYTES_MAX = 2 * FRAME_BYTES_MAX
"""Above it a message isn't even read (1009); between this and the frame limit: 4400."""

RECHECK_S = 2.0
"""How soon a session that was ended, or a token that was revoked, ends its connections."""

Authenticate = Callable[[str | None], Principal | None]
Ended = Callable[[frozenset[str]], frozenset[str]]
CarryOut = Callable[[Principal, AlertCall], Awaitable[dict[str, Any] | Refused]]

log = logging.getLogger(__name__)


def now() -> Instant:
    return Instant(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


@dataclass(slots=True)
class Counters:
    """What the live socket counts, for metrics. `clients` is a gauge, the rest only rises.

    merged : updates of state that were overwritten before they were sent
    slow_closes : clients closed as too slow or for want of a pong
    closes : by code, those that the service began
    """

    clients: int = 0
    accepted: int = 0
    refused: int = 0
    received: int = 0
    sent: int = 0
    sent_bytes: int = 0
    merged: int = 0
    slow_closes: int = 0
    closes: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True, eq=False)
class _Client:
    connection: Wire
    session: Session
    timer: asyncio.TimerHandle | None = None
    timer_ms: int = 0
    closing: bool = False
    past: Playing | None = None
    player: "asyncio.Task[None] | None" = None


class LiveServer:
    """Serves `live.v1` from a hub.

    authenticate : whose token or ticket it is, or who comes without; called on the loop
    carry_out : does to an alert what an operator asks, and answers once it is durable
    origins : which pages may connect from a browser
    rewinds : opens the past for those who ask for it; None turns them away
    ended : which of these `Principal.credential` are good no longer; called on a worker thread
    """

    def __init__(
        self,
        hub: Hub,
        authenticate: Authenticate,
        carry_out: CarryOut,
        *,
        origins: Origins | None = None,
        limits: Limits | None = None,
        clients_max: int = CLIENTS_MAX,
        clock: Callable[[], Instant] = now,
        rewinds: Rewinds | None = None,
        ended: Ended | None = None,
    ) -> None:
        self.counters = Counters()
        self.port = 0
        self._hub = hub
        self._authenticate = authenticate
        self._carry_out_order = carry_out
        self._origins = origins or Origins(frozenset())
        self._limits = limits or Limits()
        self._timers_mask = TIMERS_MS - 1 if self._limits.ping_s * 1000 > 10 * TIMERS_MS else 0
        self._clients_max = clients_max
        self._clock = clock
        self._rewinds = rewinds
        self._ended = ended
        # In the order of their coming, as they lie in memory: what a round of fan-out waits for.
        self._clients: dict[_Client, None] = {}
        self._changed = asyncio.Event()
        self._tasks: asyncio.TaskGroup
        self._stopping = False

    async def serve(
        self, host: str, port: int, *, bound: "asyncio.Future[int] | None" = None
    ) -> None:
        """Serve until cancelled, then close every client with 4001.

        bound : gets the port once clients may come; port 0 takes a free one

        Raises
        ------
        OSError
            The address can't be bound.
        """
        server = await self._listen(host, port)
        self.port = next(iter(server.sockets)).getsockname()[1]
        deaf = self._hub.listen(self._changed.set)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                if bound is not None and not bound.done():
                    bound.set_result(self.port)
                if self._ended is not None:
                    self._tasks.create_task(self._recheck(self._ended), name="live recheck")
                await self._fan_out()
        finally:
            deaf()
            await self._stop(server)

    async def _listen(self, host: str, port: int) -> Server:
        return await serve(
            self._handle,
            host,
            port,
            create_connection=Wire,
            process_request=self._admit,
            select_subprotocol=_subprotocol,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            # Deflating costs five times what sending does, and nothing could be shared.
            compression=None,
            # The protocol has pings of its own, which a page can see and answer.
            ping_interval=None,
            close_timeout=CLOSE_S,
            max_size=READ_BYTES_MAX,
            max_queue=READ_FRAMES_MAX,
            server_header=None,
            logger=connections_log,
        )

    async def _stop(self, server: Server) -> None:
        """Close all, each with 4001 but those that were being closed for a reason of theirs."""
        self._stopping = True
        server.close(close_connections=False)
        for client in self._clients:
            if client.timer is not None:
                client.timer.cancel()
            client.session.shut_down()
        closing = {asyncio.create_task(self._close(each)) for each in self._clients}
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_S + 1)
        for client in list(self._clients):
            client.connection.transport.abort()
        await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a handshake, before it costs anything."""
        if urlsplit(request.path).path.rstrip("/") != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, f"The live socket is at {PATH}.\n")
        origin, host = _header(request.headers, "Origin"), _header(request.headers, "Host")
        if not self._origins.allow(origin, host):
            self.counters.refused += 1
            return connection.respond(
                HTTPStatus.FORBIDDEN, "Pages of this origin may not connect.\n"
            )
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        """Serve one client. An unexpected error ends this client (1011) and is logged by the
        library: what a client sends must not be able to end the service.
        """
        assert isinstance(connection, Wire)
        if self._stopping or len(self._clients) >= self._clients_max:
            self.counters.closes[TOO_MANY] += 1
            await connection.close(TOO_MANY, "too many clients")
            return
        # Thousands that come back together are not to be pinged together ever after.
        phase = self.counters.accepted * GOLDEN % 1
        client = _Client(connection, Session(self._hub, self._clock(), self._limits, phase))
        self._clients[client] = None
        self.counters.accepted += 1
        self.counters.clients = len(self._clients)
        try:
            self._flush(client)
            connection.take = lambda text: self._receive(client, text)
            async for message in connection:
                self._receive(client, message)
        except ConnectionClosed:
            pass  # However it ended, the client comes back with its positions or does not.
        finally:
            client.closing = True
            self._clients.pop(client, None)
            self.counters.clients = len(self._clients)
            if client.timer is not None:
                client.timer.cancel()
            if client.player is not None:
                client.player.cancel()

    def _receive(self, client: _Client, message: str | bytes) -> None:
        self.counters.received += 1
        client.session.receive(message, self._clock())
        self._carry_out(client)
        self._flush(client)

    def _carry_out(self, client: _Client) -> None:
        for ask in client.session.take_asks():
            match ask:
                case SignIn():
                    principal = self._authenticate(ask.token)
                    if principal is None or ask.wanted is None:
                        client.session.signed_in(ask, principal, self._clock())
                    else:
                        client.player = asyncio.create_task(
                            self._show_past(client, ask, principal), name="live past"
                        )
                case Order():
                    self._tasks.create_task(self._obey(client, ask), name="live call")

    async def _show_past(self, client: _Client, ask: SignIn, principal: Principal) -> None:
        """Play the past to one client, until it goes. What goes wrong ends this client alone."""
        assert ask.wanted is not None
        if self._rewinds is None:
            client.session.turn_away(BAD_FRAME, "at: this service shows the present alone")
            self._flush(client)
            return
        try:
            client.past = await self._rewinds.open(ask.wanted)
            client.session.signed_in(ask, principal, self._moment(client), client.past)
            self._flush(client)
            await client.past.play(lambda: self._flush(client))
        except RewindError as error:
            client.session.turn_away(error.code, str(error))
            self._flush(client)
        except Exception:
            log.exception("the past can't be shown on")
            client.session.turn_away(BROKEN, "the past can't be shown on")
            self._flush(client)
        finally:
            if client.past is not None:
                client.past.close()

    def _moment(self, client: _Client) -> Instant:
        moment = self._clock()
        if client.past is None:
            return moment
        return Instant(moment.mono_ms, client.past.now_ms())

    async def _obey(self, client: _Client, ask: Order) -> None:
        client.session.answered(ask, await self._carry_out_order(ask.principal, ask.call))
        self._flush(client)

    async def _recheck(self, ended: Ended) -> None:
        """Close those whose session or token is good no longer, wherever it was ended."""
        while True:
            await asyncio.sleep(RECHECK_S)
            shown = {
                client: client.session.principal.credential
                for client in self._clients
                if client.session.principal is not None and client.session.principal.credential
            }
            over = await asyncio.to_thread(ended, frozenset(shown.values())) if shown else ()
            for client in (client for client, credential in shown.items() if credential in over):
                client.session.turn_away(NOT_AUTHORISED, "signed out, or the token was revoked")
                self._flush(client)

    async def _fan_out(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            began_ms = sliced_ms = self._clock().mono_ms
            for number, client in enumerate(list(self._clients)):
                if number % TOGETHER == 0:
                    moment = self._clock()
                    if moment.mono_ms - sliced_ms >= SLICE_MS:
                        await asyncio.sleep(0)
                        moment = self._clock()
                        sliced_ms = moment.mono_ms
                self._flush(client, moment)
            took_ms = self._clock().mono_ms - began_ms
            await asyncio.sleep(max(ROUND_MS, took_ms * REST) / 1000)

    def _flush(self, client: _Client, moment: Instant | None = None) -> None:
        """Send what the client's session has to send now; never waits."""
        if client.closing:
            return
        if moment is None or client.past is not None:
            moment = self._moment(client)
        session = client.session
        merged = session.merged
        texts = session.pull(moment)
        if texts:
            counters = self.counters
            counters.sent += len(texts)
            counters.sent_bytes += client.connection.write(texts)
            counters.merged += session.merged - merged
        if session.closing is not None:
            self._tasks.create_task(self._close(client), name="live close")
            return
        due_ms = session.deadline_ms | self._timers_mask
        if session.paced:
            due_ms = min(due_ms, session.due_ms())
        # A timer that fires before its time is left alone: to move it costs more.
        if not moment.mono_ms < client.timer_ms <= due_ms:
            self._set_timer(client, due_ms, moment.mono_ms)

    def _close(self, client: _Client) -> Coroutine[Any, Any, None]:
        close = client.session.closing
        assert close is not None
        if not client.closing:
            client.closing = True
            self.counters.closes[close.code] += 1
            self.counters.slow_closes += close.code in (TOO_SLOW, NO_PONG)
        return client.connection.close(close.code, close.reason)

    def _set_timer(self, client: _Client, due_ms: int, now_ms: int) -> None:
        """Have the client flushed at `due_ms`, and not when it was to be before."""
        if client.timer is not None:
            client.timer.cancel()
        client.timer_ms = due_ms
        delay_s = max(0, due_ms - now_ms) / 1000
        client.timer = asyncio.get_running_loop().call_later(delay_s, self._flush, client)


def _header(headers: Headers, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else (",".join(values) or None)


def _subprotocol(_: object, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Take `live.v1`; without any offer too, for tools; never another version."""
    if SUBPROTOCOL in offered:
        return Subprotocol(SUBPROTOCOL)
    if not offered:
        return None
    raise InvalidHandshake(f"the subprotocol is {SUBPROTOCOL}")
