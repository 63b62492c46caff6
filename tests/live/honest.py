"""A server that keeps the contract, and whose links, restarts and moments are all bad ones."""

import asyncio
import random

from tests.live.script import Line, Truth
from tests.live.statements import BreachError, Ledger

KEYS = [f"p-{number}/salinity_g_l" for number in range(8)]


class Honest:
    """Serves one connection after another; `river_goes_on` changes what there is to tell."""

    def __init__(self, chance: random.Random, ledger: Ledger) -> None:
        self.truth = Truth()
        self.well_behaved = False
        self._chance = chance
        self._ledger = ledger
        self._first_alerts: int | None = None
        self._epochs = 1
        for key in KEYS[:4]:
            self.truth.change({"k": key, "v": 1.0, "st": "live"})

    def river_goes_on(self) -> None:
        """Change something, often between two frames of whoever is being served."""
        chance, truth = self._chance, self.truth
        key = chance.choice(KEYS)
        if chance.random() < 0.2 and key in truth.items:
            truth.change(gone=(key,))
        elif key not in truth.items:
            truth.change({"k": key, "v": round(chance.random(), 4), "st": "live"})
        else:
            truth.change(
                {"k": key, "v": round(chance.random(), 4), "sim": chance.choice([True, None])}
            )
        if chance.random() < 0.4:
            state = chance.choice(["unacked", "acked", "normal", "cleared-unacked"])
            truth.occur("raised", id=f"alert-{chance.randrange(4)}", state=state)
        if chance.random() < 0.05:
            self._epochs += 1
            truth.begin_anew(f"e{self._epochs}")

    def saw_all(self, seen: list[str]) -> bool:
        """Whether these are all events since the alerts were first loaded, once and in order."""
        if self._first_alerts is None:
            return False
        numbers = range(self._first_alerts + 1, len(self.truth.events) + 1)
        return seen == [self.truth.alerts_pos(number) for number in numbers]

    async def serve(self, line: Line) -> None:
        """Serve until the connection ends; faults by chance, unless it is to behave."""
        try:
            await line.greet()
            await asyncio.gather(self._state(line), self._alerts(line))
        except (BreachError, TimeoutError):
            return  # The connection ended: by our fault or by the client's decision.

    async def _fault(self, line: Line) -> bool:
        """Perhaps the cable is cut here. What the client has is then any part of it."""
        if self.well_behaved or self._chance.random() > 0.06:
            return False
        if self._chance.random() < 0.5:
            await line.connection.close(4001, "shutting down")
        else:
            line.connection.transport.abort()
        await line.gone.wait()
        return True

    async def _state(self, line: Line) -> None:
        truth = self.truth
        asked = await line.next("sub", "state")
        epoch, _, number = str(asked.get("pos", "")).rpartition(".")
        recovered = epoch == truth.epoch and int(number) <= truth.version
        at = int(number) if recovered else truth.version
        pos = truth.pos(at)
        await line.say(op="sub_ok", id=asked["id"], sub=1, recovered=recovered, pos=pos)
        if not recovered:
            epoch = truth.epoch
            # Later pages may be newer than their position: the deltas tell it once more.
            for page in range(3):
                if await self._fault(line):
                    return
                items = [i for key, i in truth.items.items() if KEYS.index(key) % 3 == page]
                await line.say(op="snap", sub=1, more=page < 2, pos=pos, items=items)
                await asyncio.sleep(self._chance.random() * 0.01)
        while not line.gone.is_set():
            if await self._fault(line):
                return
            if truth.epoch != epoch:
                await line.say(op="reset", sub=1, why="epoch")
                epoch, at = truth.epoch, truth.version
                items = list(truth.items.values())
                await line.say(op="snap", sub=1, more=False, pos=truth.pos(), items=items)
            if truth.version > at:
                upto = self._chance.randint(at + 1, truth.version)
                delta = truth.delta(at, upto)
                at = upto
                await line.say(sub=1, **delta)
            if self._chance.random() < 0.2:
                await line.say(op="ping", now=1767000000000, pos={"1": truth.pos(at)})
            await asyncio.sleep(self._chance.random() * 0.01)

    async def _alerts(self, line: Line) -> None:
        truth = self.truth
        asked = await line.next("sub", "alerts")
        recovered = "pos" in asked
        at = int(asked["pos"].rpartition(".")[2]) if recovered else len(truth.events)
        pos = truth.alerts_pos(at)
        await line.say(op="sub_ok", id=asked["id"], sub=2, recovered=recovered, pos=pos)
        if not recovered:
            items = list(truth.alerts.values())
            await line.say(op="snap", sub=2, more=False, pos=pos, items=items)
            self._first_alerts = at
        while not line.gone.is_set():
            if await self._fault(line):
                return
            if len(truth.events) > at:
                at += 1
                await line.say(sub=2, **truth.event(at))
            await asyncio.sleep(self._chance.random() * 0.005)
