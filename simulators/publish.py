"""Publish messages to a broker, in order, and claim only what it has acknowledged.

MQTT 3.1.1 with QoS 1. At most `IN_FLIGHT_MAX` messages wait for their PUBACK; after a lost
connection those are sent again, in order and marked as such, before anything new. A receiver
may therefore see one twice, which the identity of a sample takes care of.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from simulators.broker import Broker, LinkError
from simulators.link import Link
from simulators.message import Message

__all__ = ["Broker", "Progress", "Publisher", "Wait", "at_once", "clock_pace", "loop_pace"]

IN_FLIGHT_MAX = 256
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
LOG = logging.getLogger("songtien.publish")


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
    connection, such as births; it isn't counted. `progress` is told after each read of
    acknowledgements, of one or of hundreds.
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
        self._ahead: Message | None = None
        self._again: deque[Message] = deque()
        self._at_ms = 0
        self._lost = False
        self._met = False
        self._stood_s = 0.0
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
            if self.acknowledged_messages > before or self._stood_s > RETRY_S_MAX:
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

    async def _one_connection(self) -> LinkError | None:
        """Publish over one connection; what ended it, or None when all is acknowledged."""
        self._stood_s = 0.0
        try:
            link = await Link[Message | None].open(self._broker, IN_FLIGHT_MAX, self._acknowledged)
        except LinkError as error:
            return error
        self._met = True
        if self._lost:
            self._lost = False
            LOG.warning("%s:%d is back", self._broker.host, self._broker.port)
        ended: LinkError | None = None
        loop = asyncio.get_running_loop()
        opened_s = loop.time()
        try:
            async with asyncio.TaskGroup() as connection:
                watching = connection.create_task(_until_lost(link))
                await self._over(link)
                watching.cancel()
        except* LinkError as errors:
            ended = _first(errors)
        finally:
            self._stood_s = loop.time() - opened_s
            unheard = [message for message in link.in_flight.values() if message is not None]
            self._again.extendleft(reversed(unheard))
            await link.close()
        return ended

    async def _over(self, link: Link[Message | None]) -> None:
        """All that is left. Between a look at the room and `put` nobody else has a turn."""
        for message in self._greeting() if self._greeting else ():
            await link.until_room()
            link.put(message.topic, message.payload, None, retain=message.retain)
        while self._again:
            await link.until_room()
            message = self._again.popleft()
            link.put(message.topic, message.payload, message, retain=message.retain, dup=True)
        paced = self._wait is not at_once
        while (next_one := self._take()) is not None:
            await self._wait(next_one.publish_ms)
            if not link.room:
                await link.until_room()
            link.put(next_one.topic, next_one.payload, next_one, retain=next_one.retain)
            self._ahead = None
            if paced:
                # It is written now: to make the next one may take a while.
                await asyncio.sleep(0)
        await link.until_acknowledged()

    def _take(self) -> Message | None:
        """The message that is next to be sent, which stays `_ahead` until it is."""
        if self._ahead is None:
            message = self._ahead = next(self._messages, None)
            if message is not None:
                self._at_ms = message.publish_ms
                self.offered_messages += 1
                self.offered_samples += message.samples
        return self._ahead

    def _acknowledged(self, freed: Sequence[Message | None]) -> None:
        counted = [message for message in freed if message is not None]
        self.acknowledged_messages += len(counted)
        self.acknowledged_samples += sum([message.samples for message in counted])
        if counted and self._progress is not None:
            self._progress(
                Progress(
                    self.offered_messages,
                    self.offered_samples,
                    self.acknowledged_messages,
                    self._at_ms,
                )
            )


async def _until_lost(link: Link[Message | None]) -> None:
    """Raise `LinkError` when the connection ends, also while nothing is being sent."""
    raise await link.until_over()


def _first(errors: BaseExceptionGroup[LinkError]) -> LinkError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, LinkError)
    return error
