"""From publish to screen: the service's live socket beside mosquitto's own websocket listener.

One process publishes 100 messages a second at QoS 1 and holds both subscribers, so there is
one clock and both are told of the same messages in the same seconds. The service's way is
the durable one: journal, flags, rules, store, and only then the socket.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from ingest.topics import subscription
from simulators import packets
from songtien.bench import feed, machine
from songtien.bench.rounds import counted, enough, told
from songtien.bench.stand import BenchError, Broker, Service, broker, service
from songtien.broker import HOST

ARRIVE_S = 10.0
WARM_UP = 200
FRAME_BYTES_MAX = 1 << 20
MEDIAN_MORE_MS, P99_MORE_MS = 20.0, 60.0

Tell = Callable[[str], None]
Key = tuple[str, int]
"""(device, t): a message."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a round, at `rate` messages a second from devices that take turns."""

    devices: int = 100
    rate: float = 100.0
    seconds: float = 10.0
    rounds: int = 5
    tries: int = 15


@dataclass(frozen=True, slots=True)
class Delays:
    """From the write to the broker's socket until both had it, ms. `others` in cores."""

    screen: tuple[float, float]
    broker: tuple[float, float]
    messages: int
    others: float

    @property
    def more(self) -> tuple[float, float]:
        return self.screen[0] - self.broker[0], self.screen[1] - self.broker[1]

    @property
    def quiet(self) -> bool:
        return self.others <= machine.NOISE_MAX_CORES


@dataclass(slots=True)
class _Seen:
    """When each message was written, and when each subscriber had it: perf_counter, s."""

    sent: dict[Key, float] = field(default_factory=dict)
    by_broker: dict[Key, float] = field(default_factory=dict)
    by_screen: dict[Key, float] = field(default_factory=dict)

    def complete(self) -> bool:
        return len(self.by_broker) == len(self.by_screen) == len(self.sent)


def run(size: Size, tell: Tell) -> list[Delays]:
    """Rounds until enough were quiet, or all tries were made."""
    with (
        tempfile.TemporaryDirectory(prefix="songtien-bench-") as name,
        broker(Path(name) / "broker") as holding,
        service(Path(name) / "service", holding.port, size.devices) as serving,
    ):
        return asyncio.run(_rounds(size, holding, serving, tell))


def summary(rounds: Sequence[Delays], wanted: int) -> str:
    """The medians with their ranges, of the quiet rounds where there are enough."""
    chosen, of_all = counted(rounds, wanted)
    parts = []
    for at, (which, more_ms) in enumerate((("median", MEDIAN_MORE_MS), ("p99", P99_MORE_MS))):
        parts.append(
            f"{which} {told([each.screen[at] for each in chosen], '.1f')} ms on the screen, "
            f"{told([each.broker[at] for each in chosen], '.1f')} by the broker alone, "
            f"{told([each.more[at] for each in chosen], '.1f')} more (at most {more_ms:g})"
        )
    return f"latency: {'; '.join(parts)}; {of_all}"


async def _rounds(size: Size, holding: Broker, serving: Service, tell: Tell) -> list[Delays]:
    seen, found, seq = _Seen(), list[Delays](), 0
    async with (
        connect(
            f"ws://{HOST}:{holding.ws_port}/mqtt",
            subprotocols=[Subprotocol("mqtt")],
            compression=None,
        ) as beside,
        connect(
            serving.live_url, subprotocols=[Subprotocol("live.v1")], max_size=FRAME_BYTES_MAX
        ) as live,
        asyncio.TaskGroup() as group,
    ):
        await _join_broker(beside)
        await _join_live(live)
        readers = [
            group.create_task(_read_broker(beside, seen)),
            group.create_task(_read_live(live, seen)),
        ]
        publishing = await _publisher(holding.port)
        seq = await _publish(publishing, size, WARM_UP, seq, seen)
        await _arrived(seen)
        for number in range(size.tries):
            for column in (seen.sent, seen.by_broker, seen.by_screen):
                column.clear()
            begin = machine.Moment.now()
            seq = await _publish(publishing, size, round(size.rate * size.seconds), seq, seen)
            await _arrived(seen)
            found.append(_delays(seen, machine.Moment.now().others_since(begin)))
            tell(_line(number + 1, found[-1]))
            if enough(found, size.rounds):
                break
        publishing.close()
        for reader in readers:
            reader.cancel()
    return found


def _delays(seen: _Seen, others: float) -> Delays:
    def quantiles(arrived: dict[Key, float]) -> tuple[float, float]:
        spent_ms = sorted((arrived[key] - at) * 1000 for key, at in seen.sent.items())
        return statistics.median(spent_ms), spent_ms[int(0.99 * (len(spent_ms) - 1))]

    return Delays(quantiles(seen.by_screen), quantiles(seen.by_broker), len(seen.sent), others)


def _line(number: int, round_: Delays) -> str:
    (median, p99), (median_0, p99_0) = round_.screen, round_.broker
    return (
        f"round {number}: screen p50 {median:.1f} p99 {p99:.1f} ms; broker alone p50 "
        f"{median_0:.1f} p99 {p99_0:.1f} ms; {round_.messages} messages on both; others "
        f"{round_.others:.2f} cores" + ("" if round_.quiet else "; noisy")
    )


async def _publisher(port: int) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(packets.connect("songtien-bench-publisher"))
    await reader.readexactly(4)
    return writer


async def _publish(
    publishing: asyncio.StreamWriter, size: Size, count: int, first: int, seen: _Seen
) -> int:
    """Write `count` messages, as even as sensors are: at random within their turn."""
    chance = random.Random(first)  # noqa: S311 - a schedule, the same in each run
    begin = time.perf_counter()
    for number in range(first, first + count):
        due = begin + (number - first + chance.random()) / size.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        device, seq = number % size.devices, number // size.devices
        t_ms = time.time_ns() // 1_000_000
        packet = packets.publish(
            packets.topic_head(feed.topic(device)),
            feed.payload(device, seq, t_ms),
            packets.identifier(number),
        )
        seen.sent[feed.device(device), t_ms] = time.perf_counter()
        publishing.write(packet)
    return first + count


async def _arrived(seen: _Seen) -> None:
    deadline = time.monotonic() + ARRIVE_S
    while not seen.complete():
        if time.monotonic() > deadline:
            raise BenchError(
                f"of {len(seen.sent)} messages {len(seen.by_broker)} came by the broker and "
                f"{len(seen.by_screen)} on the screen"
            )
        await asyncio.sleep(0.01)


async def _join_broker(beside: ClientConnection) -> None:
    await beside.send(packets.connect("songtien-bench-screen"))
    await _answer(beside, packets.CONNACK)
    await beside.send(packets.subscribe([subscription(feed.ROOT)], 0))
    await _answer(beside, packets.SUBACK)


async def _answer(beside: ClientConnection, kind: int) -> None:
    piece = await beside.recv()
    assert isinstance(piece, bytes)
    assert piece[0] >> 4 == kind


async def _read_broker(beside: ClientConnection, seen: _Seen) -> None:
    buffer = bytearray()
    async for piece in beside:
        assert isinstance(piece, bytes)
        buffer += piece
        for kind, flags, body in packets.packets(buffer):
            if kind == packets.PUBLISH:
                topic, payload = packets.published(flags, body)
                if topic.endswith("/obs"):
                    message = json.loads(payload)
                    key = topic.split("/")[-2], message["samples"][0]["t"]
                    seen.by_broker[key] = time.perf_counter()


async def _join_live(live: ClientConnection) -> None:
    await live.send('{"op":"auth","id":1}')
    await live.send('{"op":"sub","id":2,"chan":"state","where":{}}')
    while True:
        frame = json.loads(await live.recv())
        if frame["op"] == "ping":  # a large snapshot waits for pongs on its way
            await live.send('{"op":"pong"}')
        if frame["op"] == "snap" and not frame["more"]:
            return


async def _read_live(live: ClientConnection, seen: _Seen) -> None:
    async for text in live:
        frame: dict[str, Any] = json.loads(text)
        if frame["op"] == "ping":
            await live.send('{"op":"pong"}')
        for item in frame.get("set", ()):
            name, _, quantity = item["k"].partition("/")
            if quantity == "salinity_g_l" and "t" in item:
                seen.by_screen[name, item["t"]] = time.perf_counter()
