"""A session or a token that has ended ends its live sockets: real sockets, real accounts."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from api.auth import AuthStore, Doorkeeper, Lifetime, Principal, TicketOffice
from api.live import server as live
from api.live.frames import AlertCall
from api.live.server import LiveServer
from api.live.terms import Refused
from tests.api.live_feed import hub_of, river

NOW_MS = 1_767_000_000_000
PASSWORD = "con nước rong"


async def nothing(_: Principal, __: AlertCall) -> dict[str, Any] | Refused:
    return {}


async def greeted(url: str, token: str | None) -> ClientConnection:
    connection = await connect(url, subprotocols=["live.v1"])  # type: ignore[list-item]
    shown = {} if token is None else {"token": token}
    await connection.send(json.dumps({"op": "auth", "id": 1, **shown}))
    assert json.loads(await connection.recv())["op"] == "hello"
    return connection


async def closed_with(connection: ClientConnection) -> int:
    async with asyncio.timeout(10):
        await connection.wait_closed()
    assert connection.close_code is not None
    return connection.close_code


ENDS: dict[str, Callable[[AuthStore, str], object]] = {
    "role": lambda accounts, _: accounts.officers.set_role("an", "viewer", NOW_MS),
    "removed": lambda accounts, _: accounts.officers.remove("an"),
    "token revoked": lambda accounts, token: accounts.revoke(token, NOW_MS),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_session_or_a_token_closes_its_sockets_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(live, "RECHECK_S", 0.05)
    accounts = AuthStore(tmp_path / "auth.sqlite")
    keeper = Doorkeeper(accounts, TicketOffice(), anonymous=True)
    accounts.officers.add("an", "operator", PASSWORD, NOW_MS)
    proven = accounts.officers.prove("an", PASSWORD)
    assert proven is not None
    begun = accounts.sessions.begin(proven, Lifetime(), NOW_MS, address="")
    assert begun is not None
    ticket = keeper.tickets.issue(begun[1].principal, NOW_MS)
    token, record = accounts.create("an's program", "operator", NOW_MS)
    lasting, _ = accounts.create("phone", "viewer", NOW_MS)

    async def story() -> None:
        server = LiveServer(
            hub_of(river()),
            lambda shown: keeper.by_token_or_ticket(shown, NOW_MS),
            nothing,
            ended=lambda credentials: keeper.ended(credentials, NOW_MS),
        )
        bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(server.serve("127.0.0.1", 0, bound=bound))
        url = f"ws://127.0.0.1:{await bound}/live"
        officer, program = await greeted(url, ticket), await greeted(url, token)
        others = [await greeted(url, None), await greeted(url, lasting)]
        ENDS[end](accounts, record.id)
        ended = program if end == "token revoked" else officer
        assert await closed_with(ended) == 4401
        for other in {officer, program, *others} - {ended}:
            await other.send(json.dumps({"op": "unsub", "id": 2, "sub": 1}))
            assert json.loads(await other.recv())["op"] == "err"
        serving.cancel()
        await asyncio.wait((serving,))

    with closing(accounts):
        asyncio.run(story())
