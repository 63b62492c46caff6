"""The statements of the contract, each tried on a server from outside."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.live.model import Frame, Subscription, selects
from tests.live.statements import BreachError, Ledger
from tests.live.talk import ANSWER_S, ClosedError, Server, Talk, code_of

STALLED = 5
WHERE_FIELDS = ("kind", "station", "branch", "device", "quantity")


@dataclass(frozen=True, slots=True)
class Asked:
    """How far the trial goes.

    watch_s : how long changes are listened for
    auth_s : the time for auth, 10 s by the contract
    pong_s : how long to wait for 4012 after the first ping; None leaves that out
    origin : the service's own, which must be allowed
    restart : restarts the server, where that may be done
    """

    watch_s: float = 5.0
    auth_s: float = 10.0
    pong_s: float | None = None
    origin: str | None = None
    restart: Callable[[], Awaitable[None]] | None = None


async def hold(server: Server, asked: Asked) -> None:
    """Try every statement; what is found is in the server's ledger."""
    ledger = server.ledger
    waiting = [
        asyncio.create_task(_tried(ledger, "8.5", no_auth(server, asked.auth_s))),
        asyncio.create_task(_tried(ledger, "8.2", no_pong(server, asked.pong_s))),
    ]
    for statement, trial in (
        ("F1", coming_in(server)),
        ("F4", requests(server)),
        ("2.2", watching(server, asked.watch_s)),
        ("3.1", filters(server)),
        ("3.2", wrong_filters(server)),
        ("4.1", a_window(server)),
        ("4.4", a_pause(server, asked.watch_s)),
        ("4.3", max_hz(server, asked.watch_s)),
        ("7.1", recovery(server)),
        ("8.3", bad_frames(server)),
        ("8.4", strangers(server)),
        ("8.6", a_flood(server)),
        ("9.1", origins(server, asked.origin)),
        ("9.2", stuck_clients(server)),
    ):
        await _tried(ledger, statement, trial)
    await asyncio.gather(*waiting)
    await _tried(ledger, "5.2", a_restart(server, asked))


async def _tried(ledger: Ledger, statement: str, trial: Awaitable[None]) -> None:
    """A trial that ends early is a breach of what it was about."""
    try:
        await trial
    except BreachError as breach:
        ledger.breach(breach)
    except TimeoutError:
        ledger.breach(BreachError(statement, f"no answer within {ANSWER_S:g} s"))
    except ClosedError as closed:
        ledger.breach(BreachError(statement, f"closed with {closed.code}"))
    except (ConnectionClosed, InvalidHandshake, OSError) as lost:
        ledger.breach(BreachError(statement, f"no connection: {lost}"))


async def coming_in(server: Server) -> None:
    async with server.talk() as talk:
        chosen = talk.connection.subprotocol
        server.ledger.expect("F2", chosen == "live.v1", f"the subprotocol is {chosen}")


async def requests(server: Server) -> None:
    async with server.talk() as talk:
        ledger = server.ledger
        sub = await talk.subscribe("state", colour="blue")
        number = next(n for n, one in talk.model.subs.items() if one is sub)
        answer = await talk.ask(op="unsub", sub=number)
        ledger.expect("F4", answer["op"] == "ret", f"unsub is answered by {answer}")
        await talk.until_silent()
        answer = await talk.ask(op="unsub", sub=number)
        ledger.expect("F4", answer["op"] == "err", f"unsub of no sub is answered by {answer}")
        answer = await talk.ask(op="call", m="no.such.call", p={})
        ledger.expect("F8", answer["op"] == "err", f"no.such.call is answered by {answer}")
        assert talk.model.hello is not None
        code = 403 if talk.model.hello["role"] == "viewer" else 404
        answer = await talk.ask(op="call", m="alert.ack", p={"id": "0" * 16, "ver": 1})
        found = answer.get("code")
        ledger.expect("F8", found == code, f"alert.ack of no alert: {answer}, awaited {code}")
    async with server.talk() as talk:
        await talk.ask(op="call", m="no.such.call", p={})
        await talk.connection.send(json.dumps({"op": "sub", "id": 1, "chan": "state"}))
        said = json.loads(await asyncio.wait_for(talk.connection.recv(), ANSWER_S))
        ledger.expect("F6", said["op"] == "err", f"the id 1 once more is answered by {said['op']}")


async def watching(server: Server, watch_s: float) -> None:
    """Watch for a while; then what is held must be what somebody gets who comes now."""
    ledger = server.ledger
    async with server.talk() as talk:
        state = await talk.subscribe("state")
        alerts = await talk.subscribe("alerts")
        await talk.listen(watch_s)
        for statement, sub in (("2.2", state), ("5.1", alerts)):
            if sub.deltas or sub.events:
                await _equals_fresh(server, talk, sub, statement)
            else:
                ledger.skip(statement, f"nothing changed within {watch_s:g} s")
        if talk.model.further_types:
            ledger.skip("5.1", f"further types: {', '.join(sorted(talk.model.further_types))}")
    for statement in ("6", "2.3"):
        ledger.skip(statement, f"nothing of the kind came within {watch_s:g} s")
    ledger.skip("2.4", "there are no alerts")


async def _equals_fresh(server: Server, talk: Talk, held: Subscription, statement: str) -> None:
    """Hold what is held against a fresh load, at a moment at which neither is changing."""
    ledger = server.ledger
    differing = ""
    for _ in range(20):
        async with server.talk() as fresh:
            loaded = await fresh.subscribe(held.chan, held.where)
            await talk.until_silent(0.1)
            await fresh.until_silent(0.05)
            if held.position == loaded.position or held.held == loaded.held:
                differing = _difference(held.held, loaded.held)
                ledger.expect(statement, not differing, differing)
                return
            differing = _difference(held.held, loaded.held)
    ledger.breach(BreachError(statement, f"never equal to a fresh load: {differing}"))


def _difference(ours: dict[str, Frame], theirs: dict[str, Frame]) -> str:
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            return f"{key}: held {ours.get(key)}, a fresh load gives {theirs.get(key)}"
    return ""


async def filters(server: Server) -> None:
    """A filter gives what a client would pick out of everything."""
    ledger = server.ledger
    async with server.talk() as talk:
        everything = await talk.subscribe("state")
        items = list(everything.held.values())
        wheres = []
        for name in WHERE_FIELDS:
            found = [v for i in items if name in i for v in _many(i[name])]
            values = sorted(set(found))
            if values:
                wheres.append({name: values[:1]})
                wheres.append({name: [*values[:2], "no-such-thing"]})
        if len(wheres) > 2:
            wheres.append({**wheres[0], **wheres[-1]})
        wheres.append({"station": ["no-such-thing"]})
        for where in wheres:
            sub = await talk.subscribe("state", where)
            await talk.until_silent(0.05)
            chosen = {
                key
                for key, item in everything.held.items()
                if all(selects(wanted, item.get(name, [])) for name, wanted in where.items())
            }
            ledger.expect("3.1", set(sub.held) == chosen, f"{where} gives {sorted(sub.held)[:3]}…")
            number = next(n for n, one in talk.model.subs.items() if one is sub)
            await talk.ask(op="unsub", sub=number)


def _many(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def wrong_filters(server: Server) -> None:
    async with server.talk() as talk:
        for chan, where in (
            ("state", {"v": ["1"]}),
            ("state", {"st": ["live"]}),
            ("state", {"severity": ["critical"]}),
            ("state", {"kind": "salinity"}),
            ("alerts", {"state": ["unacked"]}),
        ):
            answer = await talk.ask(op="sub", chan=chan, where=where)
            fits = (answer["op"], answer.get("code")) == ("err", 400)
            server.ledger.expect("3.2", fits, f"{chan} where {where} is answered by {answer}")


async def a_window(server: Server) -> None:
    """Ask for much and read it without a pong: no more than a window may come."""
    async with server.talk() as talk:
        talk.pongs = False
        assert talk.model.hello is not None
        subs = int(talk.model.hello["limits"]["subs"])
        for _ in range(subs):
            await talk.send({"op": "sub", "id": talk.next_id(), "chan": "state"})
        await talk.until_silent()
        ledger = server.ledger
        if talk.received_bytes < talk.model.window_bytes // 2:
            del ledger.occasions["4.1"]
            ledger.skip("4.1", f"all that there is are {talk.received_bytes} bytes")
            return
        gated = bool(talk.model.pings)
        ledger.expect("4.1", gated, f"{talk.received_bytes} bytes, and no ping follows")
        talk.pongs = True
        await talk.send({"op": "pong"})
        await talk.until(lambda: all(one.pages is None for one in talk.model.subs.values()))
        whole = [one.pages is None for one in talk.model.subs.values()]
        ledger.expect("4.1", all(whole), f"{whole.count(False)} snapshots never became whole")


async def a_pause(server: Server, watch_s: float) -> None:
    """Leave pings unanswered while things change; then everything must be the newest."""
    async with server.talk() as talk:
        talk.pongs = False
        for _ in range(int((talk.model.hello or {})["limits"]["subs"]) - 1):
            await talk.send({"op": "sub", "id": talk.next_id(), "chan": "state"})
        await talk.until_silent()
        if not talk.model.pings:
            server.ledger.skip("4.4", "there is too little to fill a window")
            return
        await talk.listen(min(watch_s, 3.0))
        talk.pongs = True
        await talk.send({"op": "pong"})
        await talk.until_silent(0.2)
        sub = min(talk.model.subs.values(), key=lambda one: one.deltas)
        await _equals_fresh(server, talk, sub, "4.4")


async def max_hz(server: Server, watch_s: float) -> None:
    hz = 1.0
    async with server.talk() as talk:
        free = await talk.subscribe("state")
        paced = await talk.subscribe("state", max_hz=hz)
        number = next(n for n, one in talk.model.subs.items() if one is paced)
        await talk.listen(watch_s)
        # One change may come as several deltas at once, so moments are counted, not frames.
        moments: list[float] = []
        for at, frame in talk.heard:
            if frame["op"] == "delta" and frame["sub"] == number:
                moments += [at] if not moments or at - moments[-1] > 0.05 else []
        if free.deltas <= hz * watch_s + 1:
            server.ledger.skip("4.3", f"{free.deltas} deltas came within {watch_s:g} s")
            return
        fits = len(moments) <= hz * watch_s + 1
        server.ledger.expect("4.3", fits, f"{len(moments)} in {watch_s:g} s, asked was {hz:g}/s")


async def recovery(server: Server) -> None:
    """Break the link and come back with what was held, and with positions that nobody gave."""
    ledger = server.ledger
    for chan, statement in (("state", "1.2"), ("alerts", "1.3")):
        async with server.talk() as talk:
            sub = await talk.subscribe(chan)
            position, held = sub.position, dict(sub.held)
        async with server.talk() as talk:
            again = await talk.subscribe(chan, holding=held, pos=position)
            await _equals_fresh(server, talk, again, statement)
            for wrong in ("", "no-such-epoch.1", position + "9" * 12, "\u0663.\u0664"):
                answer = await talk.ask(op="sub", chan=chan, pos=wrong)
                said = answer.get("recovered")
                ledger.expect("7.2", said is False, f"{wrong!r} of {chan} gives {answer}")
                sub = talk.model.subs[answer["sub"]]
                await talk.until(lambda: sub.pages is None)  # noqa: B023 - awaited at once


async def bad_frames(server: Server) -> None:
    deep = "[" * 30_000
    for text in ("not json", "[]", '{"op":"dance","id":2}', '{"op":"sub"}', b"\x00", deep):
        async with server.talk() as talk:
            await talk.connection.send(text)
            code = await talk.ended()
            server.ledger.expect("8.3", code == 4400, f"{text[:20]!r} is answered by {code}")


async def strangers(server: Server) -> None:
    token = {"op": "auth", "id": 1, "token": "nobody-has-this"}
    for frame in (token, {"op": "sub", "id": 1, "chan": "state"}):
        async with server.talk(signed_in=False) as talk:
            await talk.connection.send(json.dumps(frame))
            code = await talk.ended()
            server.ledger.expect("8.4", code == 4401, f"{frame['op']} is answered by {code}")


async def no_auth(server: Server, auth_s: float) -> None:
    began = time.monotonic()
    async with server.talk(signed_in=False) as talk:
        code = await talk.ended(auth_s + ANSWER_S)
        took_s = time.monotonic() - began
        fits = code == 4408 and took_s > auth_s - 1
        server.ledger.expect("8.5", fits, f"{code} after {took_s:.1f} s")


async def no_pong(server: Server, pong_s: float | None) -> None:
    if pong_s is None:
        server.ledger.skip("8.2", "waiting for it was not asked for")
        return
    async with server.talk() as talk:
        talk.pongs = False
        ping_s = (talk.model.hello or {})["ping_s"]
        await talk.until(lambda: bool(talk.model.pings), ping_s + ANSWER_S)
        code = await talk.ended(pong_s)
        server.ledger.expect("8.2", code == 4012, f"{code} within {pong_s:g} s")


async def a_flood(server: Server) -> None:
    async with server.talk() as talk:
        try:
            for number in range(2_000):
                frame = {"op": "unsub", "id": number + 10, "sub": 9_999}
                await talk.connection.send(json.dumps(frame))
            code = await talk.ended()
        except ConnectionClosed as end:
            code = code_of(end)
        server.ledger.expect("8.6", code == 4429, f"2,000 requests at once: {code}")


async def origins(server: Server, own: str | None) -> None:
    ledger = server.ledger
    for origin in ("http://evil.example", "null"):
        try:
            async with server.dial(origin=origin):
                ledger.breach(BreachError("9.1", f"a page of {origin} may connect"))
        except InvalidStatus as refused:
            status = refused.response.status_code
            ledger.expect("9.1", status == 403, f"{origin} is refused with {status}")
    if own is not None:
        async with server.dial(origin=own) as connection:
            ledger.expect("9.1", connection.subprotocol == "live.v1", f"{own} may not connect")


async def stuck_clients(server: Server) -> None:
    """Clients that ask for everything and read nothing; another one's answers stay quick."""
    stuck = []
    for _ in range(STALLED):
        connection = await server.dial()
        talk = Talk(connection, server.ledger)
        token = {} if server.token is None else {"token": server.token}
        await talk.send({"op": "auth", "id": talk.next_id(), **token})
        for _ in range(16):
            await talk.send({"op": "sub", "id": talk.next_id(), "chan": "state"})
        stuck.append(connection)
    try:
        async with server.talk() as talk:
            waits = []
            for _ in range(10):
                began = time.monotonic()
                await talk.ask(op="unsub", sub=9_999)
                waits.append(time.monotonic() - began)
            middle_s = sorted(waits)[5]
            server.ledger.expect("9.2", middle_s < 0.5, f"an answer takes {middle_s:.1f} s")
    finally:
        for connection in stuck:
            connection.transport.abort()


async def a_restart(server: Server, asked: Asked) -> None:
    """Positions of alerts survive; those of state need not, and what comes is whole."""
    ledger = server.ledger
    if asked.restart is None:
        for statement in ("5.2", "8.1"):
            ledger.skip(statement, "restarting it was not allowed")
        return
    async with server.talk() as talk:
        state = await talk.subscribe("state")
        alerts = await talk.subscribe("alerts")
        ending = asyncio.create_task(talk.ended(60))
        await asked.restart()
        code = await ending
        ledger.expect("8.1", code == 4001, f"closed with {code}")
    async with server.talk() as talk:
        again = await talk.subscribe("alerts", holding=dict(alerts.held), pos=alerts.position)
        ledger.expect("5.2", again.recovered, f"{alerts.position} was not recovered")
        await _equals_fresh(server, talk, again, "5.2")
        whole = await talk.subscribe("state", holding=dict(state.held), pos=state.position)
        await _equals_fresh(server, talk, whole, "1.2")
