"""A server of live.v1 that a test leads by the hand: plain websockets, nothing of the service.

What there is to know it keeps itself (`Truth`), and tells as the contract says, or on purpose
otherwise.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.live.model import ACTIVE, Frame
from tests.live.statements import BreachError, Ledger

WAIT_S = 5.0


@dataclass
class Truth:
    """What a server knows: items with a log of their changes, alerts with their events."""

    epoch: str = "e1"
    items: dict[str, Frame] = field(default_factory=dict)
    alerts: dict[str, Frame] = field(default_factory=dict)
    events: list[Frame] = field(default_factory=list)
    _log: list[tuple[list[Frame], list[str]]] = field(default_factory=list)

    @property
    def version(self) -> int:
        return len(self._log)

    def pos(self, version: int | None = None) -> str:
        return f"{self.epoch}.{self.version if version is None else version}"

    def alerts_pos(self, number: int | None = None) -> str:
        return f"a.{len(self.events) if number is None else number}"

    def change(self, *items: Frame, gone: tuple[str, ...] = ()) -> None:
        for item in items:
            merged = {**self.items.get(item["k"], {}), **item}
            self.items[item["k"]] = {n: v for n, v in merged.items() if v is not None}
        for key in gone:
            self.items.pop(key, None)
        self._log.append((list(items), list(gone)))

    def occur(self, kind: str, **alert: Any) -> None:
        whole = {"rule": "salinity-4", "k": "vk-01/salinity_g_l", "severity": "critical", **alert}
        self.events.append({"type": kind, "alert": whole})
        if whole["state"] in ACTIVE:
            self.alerts[whole["id"]] = whole
        else:
            self.alerts.pop(whole["id"], None)

    def begin_anew(self, epoch: str) -> None:
        """Another life of the server: state loses its positions, alerts keep theirs."""
        self.epoch, self._log = epoch, []

    def delta(self, since: int, upto: int | None = None) -> Frame:
        """What brings a client from one version to another: the newest of each key, whole
        where it may be new to the client.
        """
        upto = self.version if upto is None else upto
        merged: dict[str, Frame | None] = {}
        count = 0
        for items, gone in self._log[since:upto]:
            count += len(items)
            for item in items:
                merged[item["k"]] = {**(merged.get(item["k"]) or {}), **item}
            merged |= dict.fromkeys(gone)
        changed = [item for item in merged.values() if item is not None]
        return {
            "op": "delta",
            "from": self.pos(since),
            "pos": self.pos(upto),
            "set": changed,
            "del": [key for key, item in merged.items() if item is None],
            "merged": count - len(changed),
        }

    def event(self, number: int) -> Frame:
        """The event at a position, counted from 1."""
        body = self.events[number - 1]
        since, pos = self.alerts_pos(number - 1), self.alerts_pos(number)
        return {"op": "event", "from": since, "pos": pos, **body}

    def held(self, chan: str) -> dict[str, Frame]:
        return self.items if chan == "state" else self.alerts


class Line:
    """One connection of the client, seen from the server."""

    def __init__(self, connection: ServerConnection, ledger: Ledger) -> None:
        self.connection = connection
        self.pongs = 0
        self.subs: dict[str, int] = {}
        self.asked: asyncio.Queue[Frame] = asyncio.Queue()
        self.gone = asyncio.Event()
        self._last_id = -1
        self._ledger = ledger

    async def read(self) -> None:
        first = True
        try:
            async for text in self.connection:
                frame = json.loads(text)
                self._ledger.expect("C1", not first or frame["op"] == "auth", f"first is {frame}")
                first = False
                if frame["op"] == "pong":
                    self.pongs += 1
                    continue
                rises = isinstance(frame.get("id"), int) and frame["id"] > self._last_id
                self._ledger.expect("C2", rises, f"{frame} after the id {self._last_id}")
                self._last_id = frame.get("id", self._last_id)
                await self.asked.put(frame)
        except ConnectionClosed:
            pass  # However it ended, the scene looks at what came before.
        finally:
            self.gone.set()

    async def say(self, **frame: Any) -> None:
        try:
            await self.connection.send(json.dumps(frame, ensure_ascii=False))
        except ConnectionClosed as end:
            raise BreachError("C17", f"the client has left: {end}") from end

    async def next(self, op: str, chan: str | None = None) -> Frame:
        """The client's next request of a kind; an unsub on the way is granted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                frame = await self.asked.get()
                if frame["op"] == op and chan in (None, frame.get("chan")):
                    return frame
                if frame["op"] == "unsub":
                    await self.say(op="ret", id=frame["id"], ok={})

    async def greet(self, *, ping_s: float = 20) -> Frame:
        auth = await self.next("auth")
        limits = {"subs": 32, "frame": 65536, "max_hz": 20}
        hello = {"role": "viewer", "now": 1767000000000, "ping_s": ping_s, "limits": limits}
        await self.say(op="hello", id=auth["id"], **hello)
        return auth

    async def grant(self, number: int, *, recovered: bool, pos: str, chan: str = "state") -> Frame:
        """Wait for a subscription, and grant it."""
        asked = await self.next("sub", chan)
        self.subs[chan] = number
        await self.say(op="sub_ok", id=asked["id"], sub=number, recovered=recovered, pos=pos)
        return asked

    async def snap(self, truth: Truth, chan: str = "state", *, pages: int = 1) -> None:
        items = [dict(item) for item in truth.held(chan).values()]
        pos = truth.pos() if chan == "state" else truth.alerts_pos()
        size = max(1, -(-len(items) // pages))
        for page in range(pages):
            part = items[page * size : (page + 1) * size]
            more = page < pages - 1
            await self.say(op="snap", sub=self.subs[chan], more=more, pos=pos, items=part)

    async def open(self, truth: Truth, number: int = 1) -> Frame:
        """Greet, grant the state and send it whole."""
        auth = await self.greet()
        await self.grant(number, recovered=False, pos=truth.pos())
        await self.snap(truth)
        return auth

    async def ping(self, pos: dict[str, str] | None = None) -> None:
        """Ping, and wait for the pong: whatever was sent before has been taken."""
        before = self.pongs
        await self.say(op="ping", now=1767000000000, pos=pos or {})
        async with asyncio.timeout(WAIT_S):
            while self.pongs == before and not self.gone.is_set():  # noqa: ASYNC110 - two ends
                await asyncio.sleep(0.002)
        self._ledger.expect("C3", self.pongs > before, "a ping without a pong")

    async def cut(self) -> None:
        self.connection.transport.abort()
        await self.gone.wait()


class Script:
    """Listens, and hands over one connection after another."""

    def __init__(self, ledger: Ledger) -> None:
        self.lines: asyncio.Queue[Line] = asyncio.Queue()
        self.url = ""
        self.ledger = ledger

    @classmethod
    @asynccontextmanager
    async def listening(cls, ledger: Ledger) -> AsyncIterator["Script"]:
        script = cls(ledger)
        async with serve(
            script._accept,
            "127.0.0.1",
            0,
            subprotocols=[Subprotocol("live.v1")],
            compression=None,
            ping_interval=None,
            close_timeout=0.2,
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            script.url = f"ws://127.0.0.1:{port}/live"
            yield script

    async def _accept(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        fits = connection.subprotocol == "live.v1" and "?" not in request.path
        self.ledger.expect("C1", fits, f"{request.path} with {connection.subprotocol}")
        line = Line(connection, self.ledger)
        await self.lines.put(line)
        await line.read()

    async def line(self, within_s: float = WAIT_S) -> Line:
        """The client's next connection."""
        async with asyncio.timeout(within_s):
            return await self.lines.get()
