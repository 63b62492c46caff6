"""One connection to a broker that is published over: packets out in bulk, PUBACKs in in bulk.

A client library does a dozen things for each message that need not be done for each: a future,
a lock, a call into the kernel, a wake-up of another thread. Here what is put within one turn of
the event loop is one write, and what has been acknowledged since is one read. QoS 1 alone, clean
sessions, nothing is subscribed to (docs/adr/0017-a-publisher-of-our-own.md).
"""

import asyncio
import os
import re
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Self, TypeVar

from simulators import packets
from simulators.broker import Broker, LinkError

__all__ = ["CLOSE_S", "CONNECT_S", "KEEPALIVE_S", "WRITE_BYTES", "Link", "LinkError"]

CONNECT_S = 10.0
CLOSE_S = 2.0
KEEPALIVE_S = 60
WRITE_BYTES = 65_536
"""What is put beyond this waits until it is written: a window of large messages is not copied
into memory."""

_TOPICS_MAX = 200_000
_WELCOME = packets.CONNACK << 4
_ANSWER_BYTES_MAX = 65_536  # nobody has anything to say to a publisher that is longer

T = TypeVar("T")


class Link(asyncio.Protocol, Generic[T]):
    """A connection that publishes at QoS 1.

    `in_flight` holds what was given for each message that waits for its PUBACK, in the order
    in which they were put. `acknowledged` is called with what each read frees, in the order in
    which the broker said it.
    """

    def __init__(
        self,
        window: int,
        acknowledged: Callable[[Sequence[T]], None],
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        if not 1 <= window <= packets.PACKET_IDS:
            raise ValueError(f"window = {window}: accepted are 1 to {packets.PACKET_IDS}")
        self.in_flight: dict[int, T] = {}
        self._window = window
        self._acknowledged = acknowledged
        self._keepalive_s = keepalive_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._welcome: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[LinkError] = self._loop.create_future()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._received = bytearray()
        self._heard, self._asked = False, False
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._writable = True
        self._number = 0
        self._heads: dict[str, bytes] = {}

    @classmethod
    async def open(
        cls,
        broker: Broker,
        window: int,
        acknowledged: Callable[[Sequence[T]], None],
        *,
        keepalive_s: float = KEEPALIVE_S,
        context: ssl.SSLContext | None = None,
    ) -> Self:
        """A connection that the broker has welcomed. Raises `LinkError`.

        context : by default the broker's own; reading certificates takes time
        """
        link = cls(window, acknowledged, keepalive_s)
        tls = (context or broker.context()) if broker.tls else None
        hello = packets.connect(
            username=broker.username,
            password=broker.password,
            keepalive_s=max(1, round(keepalive_s)),
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                await link._loop.create_connection(lambda: link, broker.host, broker.port, ssl=tls)
                assert link._transport is not None
                link._transport.write(hello)
                await link._welcome
        except TimeoutError:
            link._end("it does not answer")
            raise LinkError(f"it does not answer within {CONNECT_S:g} s") from None
        except OSError as error:
            raise LinkError(_told(error)) from error
        except BaseException:
            link._end("not wanted any more")
            raise
        link._timer = link._loop.call_later(keepalive_s / 2.0, link._look)
        return link

    @property
    def room(self) -> bool:
        """Whether a message may be put without waiting."""
        return (
            len(self.in_flight) < self._window and self._writable and self._out_bytes < WRITE_BYTES
        )

    def put(
        self, topic: str, payload: bytes, given: T, *, retain: bool = False, dup: bool = False
    ) -> None:
        """Publish; it is written when the caller next gives way to the event loop.

        Whoever puts looks at `room` first. Raises ValueError for a topic or a size that MQTT
        can't carry.
        """
        head = self._heads.get(topic)
        if head is None:
            if len(self._heads) >= _TOPICS_MAX:
                self._heads.clear()
            head = self._heads[topic] = packets.topic_head(topic)
        number = self._number % packets.PACKET_IDS + 1
        while number in self.in_flight:
            number = number % packets.PACKET_IDS + 1
        packet = packets.publish(head, payload, number, retain=retain, dup=dup)
        self._number = number
        self.in_flight[number] = given
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packet)
        self._out_bytes += len(packet)

    async def until_room(self) -> None:
        """Return when a message may be put. Raises `LinkError` when the connection ends."""
        if not self.room:
            self._flush()
        while not self.room:
            await self._changed()

    async def until_acknowledged(self) -> None:
        """Return when nothing is in flight. Raises `LinkError` when the connection ends."""
        while self.in_flight:
            await self._changed()

    async def until_over(self) -> LinkError:
        """Why the connection has ended, once it has."""
        return await asyncio.shield(self._over)

    async def close(self) -> None:
        """Take leave; what was put is written before, what is in flight isn't waited for."""
        if not self._over.done() and self._transport is not None:
            self._flush()
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.until_over(), CLOSE_S)
        self._end("closed")

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(WRITE_BYTES)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._received:
            self._received += data
            data = bytes(self._received)
            self._received.clear()
        taken = 0
        if self._welcome.done():
            numbers, taken = packets.pubacks(data)
            if numbers:
                self._free(numbers)
        if taken < len(data):
            self._received += data[taken:]
            self._read_others()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    def eof_received(self) -> None:
        self._end("it has closed the connection")

    def connection_lost(self, error: Exception | None) -> None:
        self._end(_told(error) if error else "it has closed the connection")

    # Within.

    def _read_others(self) -> None:
        """All that isn't a run of PUBACKs, at most one packet in a thousand."""
        if not self._welcome.done() and self._received[0] != _WELCOME:
            self._end(f"it does not speak MQTT: it begins with {bytes(self._received[:4]).hex()}")
            return
        try:
            for kind, _, body in packets.packets(self._received):
                if kind == packets.CONNACK:
                    self._welcomed(body)
                elif kind == packets.PUBACK and len(body) == 2:
                    self._free([int.from_bytes(body, "big")])
                elif kind not in (packets.PINGRESP, packets.PUBLISH):
                    # amqtt 0.12 tells all that is retained to whoever connects: it isn't for us.
                    self._end(f"it sends a packet of kind {kind}, which nobody asked for")
        except packets.MalformedError as error:
            self._end(f"it sends what isn't MQTT: {error}")
        if len(self._received) > _ANSWER_BYTES_MAX:
            self._end("it sends what isn't MQTT: a packet without end")

    def _welcomed(self, body: bytes) -> None:
        code = body[1] if len(body) == 2 else -1
        if self._welcome.done():
            self._end("it welcomes a second time")
        elif code == 0:
            self._welcome.set_result(None)
        else:
            self._end(f"it refuses: {packets.REFUSALS.get(code, f'answer {body[:8].hex()}')}")

    def _free(self, numbers: list[int]) -> None:
        """What is acknowledged and not in flight was acknowledged before: it counts for nothing."""
        in_flight = self.in_flight
        freed = [in_flight.pop(number) for number in numbers if number in in_flight]
        self._wake()
        if freed:
            self._acknowledged(freed)

    def _flush(self) -> None:
        if self._out and self._transport is not None and not self._over.done():
            out, self._out, self._out_bytes = self._out, [], 0
            self._transport.write(b"".join(out))
            self._wake()

    async def _changed(self) -> None:
        """Something was acknowledged, written or lost. One at a time waits for it."""
        if self._over.done():
            raise self._over.result()
        self._waiter = self._loop.create_future()
        await self._waiter
        if self._over.done():
            raise self._over.result()

    def _wake(self) -> None:
        if self._waiter is not None:
            waiter, self._waiter = self._waiter, None
            if not waiter.done():
                waiter.set_result(None)

    def _look(self) -> None:
        """Twice in a keepalive: ask whether it is there, give up one that says nothing at all."""
        if self._heard:
            self._heard = self._asked = False
        elif self._asked:
            self._end(f"it has not answered for {self._keepalive_s / 2.0:g} s")
            return
        if not self._asked:
            # Also where it speaks: it wants to hear from us (3.1.2.10).
            self._asked = True
            assert self._transport is not None
            self._transport.write(packets.PINGREQ)
        self._timer = self._loop.call_later(self._keepalive_s / 2.0, self._look)

    def _end(self, reason: str) -> None:
        """Only the first reason counts."""
        if self._over.done():
            return
        error = LinkError(reason)
        self._over.set_result(error)
        if not self._welcome.done():
            self._welcome.set_exception(error)
            self._welcome.exception()  # whoever opens may have given up: nobody need ask
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._wake()


def _told(error: BaseException) -> str:
    """Errors of the system in its own words; asyncio's name the addresses in their place."""
    numbers = sorted({int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))})
    return ", ".join(map(os.strerror, numbers)) or str(error) or type(error).__name__
