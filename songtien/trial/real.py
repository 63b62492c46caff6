"""A service at the machine's own time, behind a broker of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from simulators.message import Message
from simulators.publish import Broker, Publisher, clock_pace
from songtien.broker import demo_broker
from songtien.outside import clock_ms
from songtien.service import Service, running
from songtien.settings import Settings
from songtien.trial.background import Background, ServiceDiedError, cause

MET_S = 30.0


class RealStage:
    """A service, its broker (mosquitto where it is installed, else amqtt) and publishers."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.begun_ms = clock_ms()
        self.broker_url = ""
        self._settings = settings
        self._directory = directory
        self._feeds: list[asyncio.Task[None]] = []
        self._background = Background(self._serving)
        self.service = self._background.service

    @property
    def now_ms(self) -> int:
        return clock_ms()

    def feed(self, messages: Iterator[Message]) -> None:
        """Publish messages, each when it is due; what lies in the past at once."""
        self._background.call(lambda: self._begin(messages))

    def deliver(self, message: Message) -> None:
        """Publish a message; on return the broker has acknowledged it."""
        publisher = Publisher(Broker.of(self.broker_url), [message])
        self._background.call(publisher.run)

    def advance(self, to_ms: int) -> None:
        """Wait until then."""
        while (left_s := (to_ms - clock_ms()) / 1000) > 0:
            self.look()
            time.sleep(min(left_s, 1.0))
        self.look()

    def look(self) -> None:
        """Raise what the service or a feed has died of, if one has."""
        self._background.call(self._look)

    def close(self) -> None:
        try:
            self.look()
        finally:
            self._background.close()

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[Service]:
        async with demo_broker(self._directory / "broker") as broker:
            self.broker_url = broker.url
            host, port = broker.url.removeprefix("mqtt://").split(":")
            protocol = "3.1.1" if broker.kind == "amqtt" else "auto"
            mqtt = replace(self._settings.mqtt, host=host, port=int(port), protocol=protocol)
            async with running(replace(self._settings, mqtt=mqtt)) as service:
                async with asyncio.timeout(MET_S):
                    await service.broker_met.wait()
                try:
                    yield service
                finally:
                    for feed in self._feeds:
                        feed.cancel()
                    await asyncio.gather(*self._feeds, return_exceptions=True)

    async def _begin(self, messages: Iterator[Message]) -> None:
        publisher = Publisher(Broker.of(self.broker_url), messages, wait=clock_pace(clock_ms))
        self._feeds.append(asyncio.create_task(publisher.run(), name="feed of a test"))

    async def _look(self) -> None:
        """Raise what a feed has ended by."""
        for feed in self._feeds:
            if feed.done() and not feed.cancelled() and (error := feed.exception()) is not None:
                raise ServiceDiedError(f"a feed: {cause(error)}") from error
