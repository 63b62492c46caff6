"""One connection to a broker that is listened over: messages in in bulk, PUBACKs out in bulk.

A client library takes some 100 µs of Python for each message; a broker that is faster than its
listener drops what it can't hold for it (mosquitto beyond `max_queued_messages`, 1,000 by
itself), and a recorder that misses messages without knowing it is none. So the packets are cut
out of large reads here, as a publisher's are put together in `simulators.link`.

MQTT 5.0 (OASIS 2019) and 3.1.1 (OASIS 2014): 3.1 CONNECT, 3.2 CONNACK, 3.3 PUBLISH, 3.4 PUBACK,
3.8 SUBSCRIBE, 3.9 SUBACK, 3.12 PINGREQ, 3.14 DISCONNECT. QoS 1, a clean session.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from ingest.publishes import pubacks
from simulators import packets
from simulators.broker import Broker
from simulators.link import CLOSE_S, CONNECT_S, LinkError

Said = tuple[str, bytes, bool]
"""(topic, payload, whether it is retained)"""

RECEIVE_MAXIMUM: Final = 65_535
"""Messages that a broker may send before we have acknowledged any (MQTT 5, 3.1.2.11.3). By
itself mosquitto sends 20 and drops what comes to more than 1,000 behind them."""

CONNECT_V5_S: Final = 3.0
"""A broker that knows 3.1.1 alone may say nothing at all to a CONNECT of MQTT 5, as amqtt does."""

DISCONNECT: Final = 14
_QOS_1, _RETAIN_AS_PUBLISHED = 0x01, 0x08


class RefusedError(Exception):
    """The broker is there and does not let us hear what was asked for."""


class Ear(asyncio.Protocol):
    """A connection that hears some topics: `open`, `listen`, `close`; `over` says why it ended.

    v5 : MQTT 5, which tells what was sent to be retained; else 3.1.1
    """

    def __init__(self, *, v5: bool) -> None:
        self._heard: Callable[[Sequence[Said]], None] | None = None
        self._held: list[Said] = []
        self._held_mids: list[int] = []
        self._v5 = v5
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._welcome: asyncio.Future[None] = loop.create_future()
        self._granted: asyncio.Future[bytes] = loop.create_future()
        self.over: asyncio.Future[LinkError] = loop.create_future()
        self._received = bytearray()
        self._names: dict[bytes, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._alive, self._asked = True, False
        self._keepalive_s = 0.0

    async def open(self, broker: Broker, topics: Sequence[str], keepalive_s: float) -> None:
        """Connect and subscribe. Raises `LinkError`, or `RefusedError` for the topics."""
        self._keepalive_s = keepalive_s
        within_s = CONNECT_V5_S if self._v5 else CONNECT_S
        try:
            async with asyncio.timeout(within_s):
                await self._loop.create_connection(
                    lambda: self, broker.host, broker.port, ssl=broker.context()
                )
                assert self._transport is not None
                self._transport.write(_connect(broker, round(keepalive_s), v5=self._v5))
                await self._welcome
                self._transport.write(_subscribe(topics, v5=self._v5))
                codes = await self._granted
        except TimeoutError:
            self._end("it does not answer")
            raise LinkError(f"it does not answer within {within_s:g} s") from None
        except OSError as error:
            raise LinkError(str(error)) from error
        except BaseException:
            self._end("not wanted any more")
            raise
        for topic, code in zip(topics, codes, strict=False):
            if code >= packets.REFUSED_FROM:
                self._end("refused")
                raise RefusedError(f"it does not let us hear {topic} (code {code})")
        self._timer = self._loop.call_later(keepalive_s / 2.0, self._look)

    def listen(self, heard: Callable[[Sequence[Said]], None]) -> None:
        """Hand over what each read brings, in order; it is acknowledged once that returns."""
        self._heard = heard
        held, self._held = self._held, []
        mids, self._held_mids = self._held_mids, []
        self._hand_over(held, mids)

    async def close(self) -> None:
        """Take leave of the broker."""
        if not self.over.done() and self._transport is not None:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.over), CLOSE_S)
        self._end("closed")

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._alive = True
        self._received += data
        said: list[Said] = []
        mids: list[int] = []
        try:
            for kind, flags, body in packets.packets(self._received):
                if kind == packets.PUBLISH:
                    self._cut(flags, body, said, mids)
                else:
                    self._answered(kind, body)
        except (packets.MalformedError, IndexError, UnicodeDecodeError) as error:
            self._end(f"it sends what isn't MQTT: {error}")
        if self._heard is None:
            # What is retained comes right behind the SUBACK.
            self._held += said
            self._held_mids += mids
        else:
            self._hand_over(said, mids)

    def eof_received(self) -> None:
        self._end("it has closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error) if error else "it has closed the connection")

    # Within.

    def _hand_over(self, said: list[Said], mids: list[int]) -> None:
        assert self._heard is not None
        if said:
            self._heard(said)
        if mids and not self.over.done():
            assert self._transport is not None
            self._transport.write(pubacks(mids))

    def _cut(self, flags: int, body: bytes, said: list[Said], mids: list[int]) -> None:
        after = 2 + (body[0] << 8 | body[1])
        raw = body[2:after]
        topic = self._names.get(raw)
        if topic is None:
            if len(self._names) > 100_000:
                self._names.clear()
            topic = self._names[raw] = raw.decode()
        if flags & 2:
            mids.append(body[after] << 8 | body[after + 1])
            after += 2
        if self._v5:
            length = body[after]
            after += 1
            if length:
                after = _behind(body, after - 1)
        said.append((topic, body[after:], bool(flags & 1)))

    def _answered(self, kind: int, body: bytes) -> None:
        if kind == packets.CONNACK and not self._welcome.done():
            if body[1]:
                words = packets.REFUSALS.get(body[1], f"code {body[1]}")
                self._end(f"it refuses: {words}")
            else:
                self._welcome.set_result(None)
        elif kind == packets.SUBACK and not self._granted.done():
            self._granted.set_result(body[_behind(body, 2) if self._v5 else 2 :])
        elif kind == DISCONNECT:
            self._end(f"it sends us away (code {body[0] if body else 0})")
        elif kind != packets.PINGRESP:
            self._end(f"it sends a packet of kind {kind}, which nobody asked for")

    def _look(self) -> None:
        """Twice in a keepalive: ask a broker that is quiet, give up one that doesn't answer."""
        if self._alive:
            self._alive = self._asked = False
        elif self._asked:
            self._end(f"it has not answered for {self._keepalive_s / 2.0:g} s")
            return
        if not self._asked and self._transport is not None:
            # Also to a broker that sends: it wants to hear from us.
            self._asked = True
            self._transport.write(packets.PINGREQ)
        self._timer = self._loop.call_later(self._keepalive_s / 2.0, self._look)

    def _end(self, reason: str) -> None:
        """Only the first reason counts."""
        if self.over.done():
            return
        error = LinkError(reason)
        self.over.set_result(error)
        for waiting in (self._welcome, self._granted):
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # nobody need have asked
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()


def _connect(broker: Broker, keepalive_s: int, *, v5: bool) -> bytes:
    return packets.connect(
        username=broker.username,
        password=broker.password,
        keepalive_s=keepalive_s,
        level=5 if v5 else 4,
        properties=b"\x03\x21" + RECEIVE_MAXIMUM.to_bytes(2, "big") if v5 else b"",
    )


def _subscribe(topics: Sequence[str], *, v5: bool) -> bytes:
    options = _QOS_1 | _RETAIN_AS_PUBLISHED if v5 else _QOS_1
    return packets.subscribe(topics, options, b"\x00" if v5 else b"")


def _behind(body: bytes, at: int) -> int:
    """Where what follows a list of properties begins (MQTT 5, 2.2.2)."""
    length, shift = 0, 0
    while True:
        byte = body[at]
        length |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return at + length
