"""Scenes that hold a client to the contract, each against a server led by hand."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.live.honest import Honest
from tests.live.model import Frame
from tests.live.script import WAIT_S, Line, Script, Truth
from tests.live.statements import BreachError, Ledger

VK, XH = "vk-01/salinity_g_l", "xh-01/salinity_g_l"
BACKOFF_S = (1, 2, 4, 8, 16, 32, 60, 60)
STATE = {"s": {"chan": "state"}}
BOTH = {"s": {"chan": "state"}, "a": {"chan": "alerts"}}


class Client:
    """The client under trial: a process that speaks as tests/live/subject.py says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.waits: list[float] = []
        self._process = process
        self._told: asyncio.Queue[Frame] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def started(cls, command: list[str]) -> AsyncIterator["Client"]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, limit=2**20
        )
        client = cls(process)
        try:
            yield client
        finally:
            client._reading.cancel()
            process.kill()
            await process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if told["said"] == "wait":
                self.waits.append(told["most_s"])
            else:
                await self._told.put(told)

    async def _order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def begin(self, script: Script, wishes: dict[str, Any], token: str | None = None) -> Line:
        await self._order(do="begin", url=script.url, token=token, wishes=wishes)
        return await script.line(20)

    async def tell(self) -> Frame:
        await self._order(do="tell")
        async with asyncio.timeout(20):
            return await self._told.get()

    async def shows(
        self, statement: str, ledger: Ledger, fits: Callable[[Frame], bool], words: str
    ) -> None:
        """Wait until what the client tells fits."""
        told: Frame = {}
        try:
            async with asyncio.timeout(WAIT_S):
                while not fits(told := await self.tell()):  # noqa: ASYNC110 - it tells when asked
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise BreachError(statement, f"{words}; it tells {str(told)[:300]}") from None
        ledger.saw(statement)

    async def holds(self, statement: str, ledger: Ledger, items: dict[str, Frame]) -> None:
        wanted = json.loads(json.dumps(items))
        words = f"held should be {wanted}"
        await self.shows(statement, ledger, lambda told: told["held"]["s"] == wanted, words)


Scene = Callable[[Script, Client], Awaitable[None]]


def item(key: str, v: float, **more: Any) -> Frame:
    return {"k": key, "v": v, "t": 1000, "q": 1, "st": "live", **more}


def river() -> Truth:
    truth = Truth()
    truth.change(item(VK, 3.2, link={"s": "ready"}), item(XH, 0.4))
    return truth


async def pages(script: Script, client: Client) -> None:
    """C4, C1: pages take effect together, also when the first try is cut in the middle."""
    truth = river()
    line = await client.begin(script, STATE, token="secret")
    auth = await line.greet()
    script.ledger.expect("C1", auth.get("token") == "secret", f"auth is {auth}")
    await line.grant(1, recovered=False, pos=truth.pos())
    await line.say(op="snap", sub=1, more=True, pos=truth.pos(), items=[item(VK, 9.9)])
    await line.ping()
    told = await client.tell()
    script.ledger.expect("C4", told["held"]["s"] == {}, f"after one page of two: {told}")
    await line.cut()
    line = await script.line()
    await line.greet()
    asked = await line.grant(4, recovered=False, pos=truth.pos())
    script.ledger.expect("C4", "pos" not in asked, f"with half a snapshot it asks {asked}")
    await line.snap(truth, pages=2)
    await client.holds("C4", script.ledger, truth.items)


async def merging(script: Script, client: Client) -> None:
    """C5, C11, C12, C7."""
    truth, ledger = river(), script.ledger
    line = await client.begin(script, STATE)
    await line.open(truth)
    truth.change({"k": VK, "v": 3.3, "link": None}, item("new/salinity_g_l", 1.0))
    truth.change(gone=(XH,))
    await line.say(sub=1, **truth.delta(1), colour="blue")
    await client.holds("C5", ledger, truth.items)
    await line.say(op="weather", sub=1, rain=True)
    await line.say(op="weather")
    await line.ping({"1": truth.pos(), "99": "x.1"})
    truth.change({"k": VK, "v": 3.4})
    await line.say(sub=1, **truth.delta(truth.version - 1))
    await client.holds("C11", ledger, truth.items)
    # The last delta is lost without a trace: the next ping says so.
    position = truth.pos()
    truth.change({"k": VK, "v": 3.5})
    await line.say(op="ping", now=1, pos={"1": truth.pos()})
    asked = await line.next("sub")
    ledger.expect("C7", asked.get("pos") == position, f"it asks {asked}, it has {position}")
    # What still comes of the old one is not to be taken, though it would fit.
    await line.say(op="delta", sub=1, set=[item(VK, 66.0)], **{"from": position}, pos="x.9")
    await line.say(op="sub_ok", id=asked["id"], sub=2, recovered=True, pos=position)
    await line.say(op="delta", sub=1, set=[item(VK, 77.0)], **{"from": position}, pos="x.9")
    await line.say(sub=2, **truth.delta(truth.version - 1))
    await client.holds("C12", ledger, truth.items)


async def gaps(script: Script, client: Client) -> None:
    """C6, C8, C13."""
    truth, ledger = river(), script.ledger
    line = await client.begin(script, STATE)
    await line.open(truth)
    position, before = truth.pos(), dict(truth.items)
    for v in (3.3, 3.4):
        truth.change({"k": VK, "v": v})
    await line.say(sub=1, **truth.delta(truth.version - 1))
    asked = await line.next("sub")
    ledger.expect("C6", asked.get("pos") == position, f"it asks {asked}, it has {position}")
    told = await client.tell()
    ledger.expect("C6", told["held"]["s"] == before, "a delta that does not follow was applied")
    await line.say(op="sub_ok", id=asked["id"], sub=2, recovered=True, pos=position)
    await line.say(sub=2, **truth.delta(truth.version - 2))
    await client.holds("C6", ledger, truth.items)
    truth.begin_anew("e2")
    truth.change(item(XH, 7.0), gone=(VK,))
    await line.say(op="reset", sub=2, why="epoch")
    await line.ping()
    told = await client.tell()
    ledger.expect("C8", told["held"]["s"] == {}, f"after reset {told['held']['s']} is held")
    line.subs["state"] = 2
    await line.snap(truth)
    truth.change({"k": XH, "v": 7.5})
    await line.say(sub=2, **truth.delta(truth.version - 1))
    await client.holds("C8", ledger, truth.items)
    await line.say(op="reset", sub=2, why="overflow")
    await line.say(op="snap", sub=2, more=True, pos="e2.50", items=[item(VK, 55.0)])
    await line.say(op="snap", sub=2, more=False, pos="e2.51", items=[item(XH, 7.6)])
    try:
        await line.grant(3, recovered=False, pos=truth.pos())
    except TimeoutError:
        raise BreachError("C13", "pages of two positions are taken for one snapshot") from None
    await line.snap(truth)
    await client.holds("C13", ledger, truth.items)


async def coming_back(script: Script, client: Client) -> None:
    """C9, and a delta that was cut off before its pong."""
    truth, ledger = river(), script.ledger
    line = await client.begin(script, STATE)
    await line.open(truth)
    truth.change({"k": VK, "v": 5.0})
    await line.say(sub=1, **truth.delta(truth.version - 1))
    await line.say(op="ping", now=1, pos={"1": truth.pos()})
    await line.cut()
    truth.change(item("new/salinity_g_l", 1.0))
    line = await script.line()
    await line.greet()
    asked = await line.next("sub")
    known = (truth.pos(truth.version - 1), truth.pos(truth.version - 2))
    if asked.get("pos") not in known:
        raise BreachError("C9", f"it asks {asked}, it has one of {known}")
    since = int(asked["pos"].rpartition(".")[2])
    await line.say(op="sub_ok", id=asked["id"], sub=5, recovered=True, pos=asked["pos"])
    await line.say(sub=5, **truth.delta(since))
    await client.holds("C9", ledger, truth.items)
    await line.cut()
    truth.begin_anew("e9")
    truth.change(gone=(VK,))
    line = await script.line()
    await line.greet()
    await line.grant(5, recovered=False, pos=truth.pos())
    told = await client.tell()
    ledger.expect("C9", told["link"] != "up" or VK in told["held"]["s"], "nothing is held")
    await line.snap(truth)
    await client.holds("C9", ledger, truth.items)


async def alerts(script: Script, client: Client) -> None:
    """C10."""
    truth, ledger = river(), script.ledger
    truth.occur("raised", id="x", state="unacked", shelved_until=9)
    line = await client.begin(script, BOTH)
    await line.greet()
    await line.grant(1, recovered=False, pos=truth.pos())
    await line.grant(2, recovered=False, pos=truth.alerts_pos(), chan="alerts")
    await line.snap(truth)
    await line.snap(truth, "alerts")
    truth.occur("acked", id="x", state="acked")
    truth.occur("raised", id="y", state="unacked")
    truth.occur("unheard-of", id="z", state="cleared-unacked")
    for number in (2, 3, 4):
        await line.say(sub=2, **truth.event(number))
    await line.say(sub=2, **truth.event(3))
    await line.grant(6, recovered=True, pos=truth.alerts_pos(4), chan="alerts")
    truth.occur("cleared", id="y", state="normal")
    await line.ping()
    await line.cut()
    line = await script.line()
    await line.greet()
    asked = await line.next("sub", "alerts")
    ledger.expect("C10", asked.get("pos") == "a.4", f"it asks {asked}, it has a.4")
    await line.say(op="sub_ok", id=asked["id"], sub=3, recovered=True, pos="a.4")
    await line.say(sub=3, **truth.event(5))
    seen = ["a.2", "a.3", "a.4", "a.5"]

    def fits(told: Frame) -> bool:
        return bool(told["held"]["a"] == truth.alerts and told["seen"].get("a") == seen)

    await client.shows("C10", ledger, fits, f"held should be {truth.alerts}, seen {seen}")


async def closes(script: Script, client: Client) -> None:
    """C14: every way of ending but those that say stop is come back from, ever more slowly."""
    ledger = script.ledger
    line = await client.begin(script, STATE)
    client.waits.clear()
    began = asyncio.get_running_loop().time()
    for number, code in enumerate((4001, 4008, 4012, 4099, 1011, None, None)):
        if code is None:
            await line.cut()
        else:
            await line.connection.close(code, "come back")
        most_s = BACKOFF_S[number]
        try:
            line = await script.line(most_s + WAIT_S)
        except TimeoutError:
            raise BreachError("C14", f"it does not come back after {code or 'a cut'}") from None
        ledger.saw("C14")
    took_s = asyncio.get_running_loop().time() - began
    told = client.waits
    if told:
        ledger.expect("C14", told == list(BACKOFF_S[: len(told)]), f"it waits up to {told} s")
    else:
        ledger.expect("C14", took_s > 1, f"it came back seven times in {took_s:.1f} s")


async def stops(script: Script, client: Client) -> None:
    """C15."""
    for code in (4400, 4401, 4403, 4408, 4429, 4499):
        line = await client.begin(script, STATE)
        await line.connection.close(code, "no")

        def fits(told: Frame, code: int = code) -> bool:
            return (told["link"], told["code"]) == ("stopped", code)

        await client.shows("C15", script.ledger, fits, f"after {code} it should stop and say so")
        script.ledger.expect("C15", script.lines.empty(), f"it came back after {code}")


async def silence(script: Script, client: Client) -> None:
    """C16: a server that greets and then says nothing, as over a cable that was cut."""
    line = await client.begin(script, STATE)
    await line.greet(ping_s=0.2)
    try:
        again = await script.line()
    except TimeoutError:
        raise BreachError("C16", "it waits for ever") from None
    script.ledger.saw("C16")
    await again.greet()


async def mixtures(script: Script, client: Client) -> None:
    """C17: an honest server on a bad day, several times over."""
    for seed in range(6):
        honest = Honest(random.Random(seed), script.ledger)
        line = await client.begin(script, BOTH)
        begun = asyncio.create_task(honest.serve(line))
        for _ in range(25):
            while not script.lines.empty():
                begun = asyncio.create_task(honest.serve(await script.line()))
            honest.river_goes_on()
            await asyncio.sleep(0.004)
        honest.well_behaved = True
        truth = honest.truth

        def fits(told: Frame, honest: Honest = honest) -> bool:
            wanted = {"s": honest.truth.items, "a": honest.truth.alerts}
            return bool(told["held"] == wanted and honest.saw_all(told["seen"].get("a", [])))

        async def go_on(honest: Honest = honest) -> None:
            while True:
                await honest.serve(await script.line(60))

        later = asyncio.create_task(go_on())
        try:
            words = f"seed {seed}: held should be {truth.items}, {truth.alerts}"
            await client.shows("C17", script.ledger, fits, words)
        finally:
            for task in (begun, later):
                task.cancel()
            await asyncio.wait((begun, later))


SCENES: dict[str, Scene] = {
    "C4": pages,
    "C5": merging,
    "C6": gaps,
    "C9": coming_back,
    "C10": alerts,
    "C14": closes,
    "C15": stops,
    "C16": silence,
    "C17": mixtures,
}


async def hold_client(command: list[str], ledger: Ledger) -> None:
    """Try every statement on the client that the command starts."""
    for statement, scene in SCENES.items():
        async with Client.started(command) as client, Script.listening(ledger) as script:
            try:
                await scene(script, client)
            except BreachError as breach:
                ledger.breach(breach)
            except TimeoutError:
                ledger.breach(BreachError(statement, f"nothing came within {WAIT_S:g} s"))
