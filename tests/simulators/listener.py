"""A subscriber that keeps everything a broker gives it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt
import msgspec

from simulators.publish import Broker

PATIENCE_S = 30.0


@dataclass
class Heard:
    """Messages in the order in which they came: (topic, payload, retained)."""

    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def obs(self) -> list[tuple[str, bytes]]:
        return [(t, p) for t, p, _ in self.messages if t.endswith("/obs")]

    def samples(self, device: str) -> list[dict[str, object]]:
        return [
            sample
            for topic, payload in self.obs()
            if topic.split("/")[-2] == device
            for sample in msgspec.json.decode(payload)["samples"]
        ]

    def states(self, device: str) -> list[str]:
        return [
            msgspec.json.decode(payload)["s"]
            for topic, payload, _ in self.messages
            if topic.endswith(f"/{device}/state")
        ]

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until `done` holds; it is asked after each message."""
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def listening(url: str, topic: str = "#") -> AsyncIterator[Heard]:
    """Everything published from now on, and what was retained before."""
    heard = Heard()
    async with Broker.of(url).client() as client:
        await client.subscribe(topic, qos=1)
        task = asyncio.create_task(_keep(client, heard))
        yield heard
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def standing(url: str, topic: str) -> dict[str, bytes]:
    """What the broker shows to whoever comes anew, by topic.

    It is all: a message of our own, asked for last, comes behind what was kept.
    """
    last = f"asked/{secrets.token_hex(8)}"
    found: dict[str, bytes] = {}
    async with asyncio.timeout(PATIENCE_S), Broker.of(url).client() as client:
        await client.subscribe([(topic, 1), (last, 1)])
        await client.publish(last, b"all", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if str(message.topic) == last:
                break
            found[str(message.topic)] = message.payload
    return {name: body for name, body in found.items() if body}


async def _keep(client: aiomqtt.Client, heard: Heard) -> None:
    async for message in client.messages:
        assert isinstance(message.payload, bytes)
        heard.messages.append((str(message.topic), message.payload, bool(message.retain)))
        heard.changed.set()
