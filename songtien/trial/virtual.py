"""A service whose time stands still until a test moves it, and whose broker is its own hand.

Nothing in it is a stand-in but clock and broker: messages go into the journal at the virtual
times at which they come, the pipeline's thread steps them, and the doors answer. MQTT is left
out because it has no time but the machine's.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from queue import SimpleQueue
from typing import Final

from ingest.broker import BrokerAddress, Subscription
from ingest.journal import Entry, Messages, Tick
from ingest.link import Delivery
from ingest.publishes import Publish
from simulators.message import Message
from songtien.outside import Outside
from songtien.service import Service, running
from songtien.settings import Settings
from songtien.trial.background import Background, ServiceDiedError

CHUNK_ENTRIES: Final = 256
SETTLED_S: Final = 120.0
LOOK_S: Final = 1.0


class Clock:
    """The time of day, as a test says it is."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class OwnBroker:
    """A broker without a network: remembers what the service says, hands back what it asked for."""

    trouble: str | None = None
    connected = True
    takeover: str | None = None

    def __init__(
        self,
        address: BrokerAddress,
        said: Subscription,
        on_change: Callable[[bool], None],
        on_death: Callable[[BaseException], None],
    ) -> None:
        del on_death  # it has no thread that could die
        self.address = address
        self.deliveries: SimpleQueue[Delivery] = SimpleQueue()
        self.said: dict[str, bytes] = {}  # the last on each topic
        self._back = {said.own, *said.also}
        self._on_change = on_change

    def start(self) -> None:
        self._on_change(True)

    def stop(self) -> None:
        """Nothing runs here."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        del retain  # whoever asks hears the last in any case
        self.said[topic] = payload
        if topic in self._back:
            self.deliveries.put((self, [(0, 0, topic, payload)]))
        return True

    def ack(self, published: Sequence[Publish]) -> None:
        """Whoever sent it waits for nothing."""


class VirtualStage:
    """A service at a virtual time."""

    def __init__(self, settings: Settings, begun_ms: int) -> None:
        self.begun_ms = begun_ms
        self._clock = Clock(begun_ms)
        self._brokers: list[OwnBroker] = []
        self._feeds: list[tuple[int, int, Message, Iterator[Message]]] = []
        self._number = count()
        world = Outside(self._clock, self._meet)

        def serving() -> AbstractAsyncContextManager[Service]:
            return running(settings, world=world)

        self._background = Background(serving)
        self.service = self._background.service

    @property
    def now_ms(self) -> int:
        return self._clock.now_ms

    def last_said(self, topic: str) -> bytes | None:
        """What the service has last said on a topic over MQTT."""
        return self._brokers[0].said.get(topic)

    def feed(self, messages: Iterator[Message]) -> None:
        """Let messages come, each at its own time; of what lies in the past, now."""
        first = next(messages, None)
        if first is not None:
            heapq.heappush(self._feeds, (first.publish_ms, next(self._number), first, messages))
            if first.publish_ms < self.now_ms:
                self.advance(self.now_ms)

    def deliver(self, message: Message) -> None:
        """Let a message come now."""
        self.service.journal.extend([(self.now_ms, _entry([message]))])
        self._settle(self.service.journal.append(Tick()))

    def advance(self, to_ms: int) -> None:
        """Let time pass, with all that comes meanwhile, until all of it is shown."""
        waiting: list[tuple[int, Entry]] = []
        for at_ms, together in self._due(to_ms):
            waiting.append((max(at_ms, self.now_ms), _entry(together)))
            if len(waiting) == CHUNK_ENTRIES:
                self._hand_over(waiting)
                waiting = []
        self._hand_over([*waiting, (to_ms, Tick())])
        self._settle(self.service.journal.last_position)

    def look(self) -> None:
        """Raise what the service has died of, if it has."""
        self._background.insist()

    def close(self) -> None:
        self._background.close()

    def _meet(
        self,
        address: BrokerAddress,
        said: Subscription,
        on_change: Callable[[bool], None],
        on_death: Callable[[BaseException], None],
    ) -> OwnBroker:
        self._brokers.append(OwnBroker(address, said, on_change, on_death))
        return self._brokers[-1]

    def _due(self, to_ms: int) -> Iterator[tuple[int, list[Message]]]:
        """What comes until then, by time; what comes at one time together."""
        together: list[Message] = []
        together_ms = self.now_ms
        while self._feeds and self._feeds[0][0] <= to_ms:
            at_ms, number, message, rest = self._feeds[0]
            if together and together_ms != at_ms:
                yield together_ms, together
                together = []
            together.append(message)
            together_ms = at_ms
            following = next(rest, None)
            if following is None:
                heapq.heappop(self._feeds)
            else:
                # A feed whose times fall stands still, as the service's own clock does.
                later_ms = max(following.publish_ms, at_ms)
                heapq.heapreplace(self._feeds, (later_ms, number, following, rest))
        if together:
            yield together_ms, together

    def _hand_over(self, entries: Sequence[tuple[int, Entry]]) -> None:
        """Into the journal at their own times; only then does the clock follow, so that nothing
        of a later time can come between.
        """
        self.service.journal.extend(entries)
        self._clock.now_ms = max(self.now_ms, entries[-1][0])
        self.service.pipeline.wake()

    def _settle(self, position: int) -> None:
        """Until what follows from an entry stands on the screens and is said."""
        self.service.pipeline.wake()
        until_s = time.monotonic() + SETTLED_S
        while not self.service.pipeline.wait_told(position, LOOK_S):
            self._background.insist()
            if time.monotonic() > until_s:
                raise ServiceDiedError(f"nothing follows from entry {position}")
        self._background.call(self._shown)

    async def _shown(self) -> None:
        """On the loop, behind the news that the pipeline has posted to it."""
        self.service.screens.tick(self.now_ms)
        self.service.announcer.say_now()


def _entry(messages: Sequence[Message]) -> Messages:
    return Messages([each.topic for each in messages], [each.payload for each in messages])
