"""A broker of a test's own that is made to misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from simulators import packets
from simulators.broker import Broker

WELCOME = b"\x20\x02\x00\x00"


@dataclass
class Fake:
    """A broker of a test's own: welcomes, collects, and answers only what it is told to."""

    broker: Broker
    welcome: bytes = WELCOME
    received: list[tuple[int, int, bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        buffer = bytearray()
        while piece := await reader.read(65_536):
            buffer += piece
            for packet in packets.packets(buffer):
                self.received.append(packet)
                if packet[0] == 1:
                    writer.write(self.welcome)
            self.changed.set()
        writer.close()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10.0):
            while len(self.received) < count:
                self.changed.clear()
                await self.changed.wait()

    def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)

    def published(self) -> list[tuple[int, int, bytes]]:
        """Flags, packet identifier and payload of each PUBLISH."""
        found = []
        for kind, flags, body in self.received:
            if kind == packets.PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                number = int.from_bytes(body[at : at + 2], "big")
                found.append((flags, number, body[at + 2 :]))
        return found

    def identifiers(self) -> list[int]:
        return [number for _, number, _ in self.published()]


@asynccontextmanager
async def fake(welcome: bytes = WELCOME) -> AsyncIterator[Fake]:
    found: list[Fake] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await found[0].serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found.append(Fake(Broker("127.0.0.1", port), welcome))
    try:
        yield found[0]
    finally:
        if found[0].writer is not None:
            found[0].writer.close()
        server.close()
        await server.wait_closed()
