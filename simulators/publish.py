"""Publish messages to a broker, in order, and claim only what it has acknowledged.

MQTT 3.1.1 with QoS 1. At most `IN_FLIGHT_MAX` messages wait for their PUBACK; after a lost
connection those are sent again, in order, before anything new. A receiver may therefore see
one twice, which the identity of a sample takes care of.
"""

import asyncio
import logging
import math
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

import aiomqtt

from simulators.message import Message

IN_FLIGHT_MAX = 64
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
LOG = logging.getLogger("songtien.publish")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to publish. `ca_file` names the authority of a private broker's certificate."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None

    @classmethod
    def of(cls, url: str) -> Self:
        """`mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`.

        Raises ValueError, which says what is accepted.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("accepted is mqtt://HOST:1883 or mqtts://HOST:8883")
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            port or (8883 if tls else 1883),
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )

    def client(self) -> aiomqtt.Client:
        context = ssl.create_default_context(cafile=self.ca_file) if self.tls else None
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=self.username,
            password=self.password,
            tls_context=context,
            timeout=10.0,
            max_inflight_messages=IN_FLIGHT_MAX,
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT_MAX
        return client


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: counts so far, and the publish time of the newest message."""

    messages: int
    samples: int
    acknowledged: int
    at_ms: int


Wait = Callable[[int], Awaitable[None]]
"""Waits until a message of this `publish_ms` is due."""


async def at_once(publish_ms: int) -> None:
    """The pace `max`: every message is due."""
    del publish_ms


def loop_pace(first_ms: int, speed: float) -> Wait:
    """A pace against the loop's clock: `speed` seconds of the feed in one of ours.

    Times are taken from the start, so that waiting inexactly adds up to nothing.
    """
    started_s: float | None = None

    async def wait(publish_ms: int) -> None:
        nonlocal started_s
        now_s = asyncio.get_running_loop().time()
        if started_s is None:
            started_s = now_s
        ahead_s = started_s + (publish_ms - first_ms) / 1000.0 / speed - now_s
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)

    return wait


def clock_pace(clock_ms: Callable[[], int]) -> Wait:
    """A pace against the time of day: what is in the past is due at once."""

    async def wait(publish_ms: int) -> None:
        ahead_ms = publish_ms - clock_ms()
        if ahead_ms > 0:
            await asyncio.sleep(ahead_ms / 1000.0)

    return wait


class Publisher:
    """Messages out of an iterator, into one connection after another.

    `offered` and `acknowledged` count messages and samples; both are equal when `run`
    returns. The first connection must succeed, a lost one is tried again for `patience_s`;
    with infinite patience neither ends it. `greeting` gives what is said first on every
    connection, such as births; it isn't counted.
    """

    def __init__(
        self,
        broker: Broker,
        messages: Iterable[Message],
        *,
        wait: Wait = at_once,
        patience_s: float = 30.0,
        greeting: Callable[[], list[Message]] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._broker = broker
        self._messages = iter(messages)
        self._wait = wait
        self._patience_s = patience_s
        self._greeting = greeting
        self._progress = progress
        self._unacknowledged: deque[Message] = deque()
        self._at_ms = 0
        self._lost = False
        self._met = False
        self.offered_messages = 0
        self.offered_samples = 0
        self.acknowledged_messages = 0
        self.acknowledged_samples = 0

    async def run(self) -> None:
        """Return when every message is acknowledged; raise MqttError when patience ends."""
        loop = asyncio.get_running_loop()
        lost_s: float | None = None
        delay_s = RETRY_S_MIN
        while True:
            before = self.acknowledged_messages
            error = await self._one_connection()
            if error is None:
                return
            if self.acknowledged_messages > before:
                lost_s, delay_s = None, RETRY_S_MIN
            if lost_s is None:
                lost_s = loop.time()
            if not self._lost:
                self._lost = True
                LOG.warning("%s:%d is lost: %s", self._broker.host, self._broker.port, error)
            never_there = not self._met and math.isfinite(self._patience_s)
            if never_there or loop.time() - lost_s > self._patience_s:
                raise error
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, RETRY_S_MAX)

    async def _one_connection(self) -> aiomqtt.MqttError | None:
        """Publish over one connection; what ended it, or None when all is acknowledged."""
        error: BaseException | None = None
        try:
            async with self._broker.client() as client:
                self._met = True
                if self._lost:
                    self._lost = False
                    LOG.warning("%s:%d is back", self._broker.host, self._broker.port)
                async with asyncio.TaskGroup() as connection:
                    watching = connection.create_task(_until_lost(client))
                    for message in self._greeting() if self._greeting else ():
                        await _put(client, message)
                    await self._over(client)
                    watching.cancel()
        except* aiomqtt.MqttError as ended:
            error = ended
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
        assert error is None or isinstance(error, aiomqtt.MqttError)
        return error

    async def _over(self, client: aiomqtt.Client) -> None:
        """Each send is a task of its own; the first that fails ends them all."""
        room = asyncio.Semaphore(IN_FLIGHT_MAX)
        ahead, self._unacknowledged = self._unacknowledged, deque()
        try:
            async with asyncio.TaskGroup() as sends:
                while ahead or self._take(ahead):
                    await self._wait(ahead[0].publish_ms)
                    await room.acquire()
                    # No await between these two, so that a cancellation loses no message.
                    message = ahead.popleft()
                    self._unacknowledged.append(message)
                    sends.create_task(self._send(client, message, room))
        finally:
            self._unacknowledged.extend(ahead)

    def _take(self, ahead: deque[Message]) -> bool:
        """Move the next message to `ahead`; False when there is none."""
        message = next(self._messages, None)
        if message is None:
            return False
        ahead.append(message)
        self._at_ms = message.publish_ms
        self.offered_messages += 1
        self.offered_samples += message.samples
        return True

    async def _send(
        self, client: aiomqtt.Client, message: Message, room: asyncio.Semaphore
    ) -> None:
        await _put(client, message)
        self._unacknowledged.remove(message)
        self.acknowledged_messages += 1
        self.acknowledged_samples += message.samples
        room.release()
        if self._progress is not None:
            self._progress(
                Progress(
                    self.offered_messages,
                    self.offered_samples,
                    self.acknowledged_messages,
                    self._at_ms,
                )
            )


async def _put(client: aiomqtt.Client, message: Message) -> None:
    """Return at the PUBACK. A slow broker is waited for; a lost one ends the wait otherwise."""
    await client.publish(
        message.topic, message.payload, qos=1, retain=message.retain, timeout=math.inf
    )


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection ends, also while nothing is being sent."""
    async for _ in client.messages:
        pass
