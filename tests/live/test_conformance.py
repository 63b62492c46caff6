"""Our server held to the contract from outside: in this process with changes at every moment,
and a service that runs already, if SONGTIEN_LIVE_URL names its socket."""

import asyncio
import os
import random
from typing import Any

import pytest

from api.live.hub import Hub
from api.live.origin import Origins
from api.live.terms import Limits
from ingest.reading import Batch
from ingest.series import SeriesTable
from tests.api.live_feed import T0, raised, series, values
from tests.api.test_live_server import serving
from tests.live.points import Asked, hold
from tests.live.statements import SERVER, Ledger, Verdict
from tests.live.talk import Server

QUICK = Limits(auth_s=2, ping_s=0.5, pong_s=4)
COUNT = 120


def table(count: int = COUNT) -> SeriesTable:
    kinds = ("salinity_g_l", "temperature_c", "flow_veh_h")
    return SeriesTable(
        [
            series(
                i,
                f"p-{i:03d}/{'southbound/' if i % 3 == 2 else ''}{kinds[i % 3]}",
                f"tram-{i % 10}",
                (("ham-luong",), ("cua-dai", "cua-tieu"))[i % 2],
                announced=i % 20 != 7,
            )
            for i in range(count)
        ]
    )


def hub_of(epoch: str, published: list[dict[str, Any]]) -> Hub:
    hub = Hub(epoch, "a1")
    hub.configure(table(), values(range(0, COUNT, 2), 1.5))
    events = list(enumerate(published, 1))
    hub.load_alerts([event["alert"] for event in published], events, len(events))
    hub.tick(T0)
    return hub


async def change(hub: Hub, published: list[dict[str, Any]]) -> None:
    """The river goes on: values, ages, links, alerts, at no moment at rest for long."""
    chance = random.Random(7)
    number = 0
    while True:
        number += 1
        chosen = chance.sample(range(COUNT), 40)
        hub.apply(values(chosen, chance.uniform(0, 30), T0 + number))
        if number % 3 == 0:
            hub.tick(T0 + number * 20_000)
        if number % 4 == 0:
            hub.set_links({f"p-{chance.randrange(COUNT):03d}": {"s": "lost"}})
        if number % 5 == 0:
            published.append(raised(len(published) + 1))
            hub.publish(len(published), published[-1])
        if number % 7 == 0:
            hub.set_maintenance(frozenset({f"p-{chance.randrange(COUNT):03d}"}))
        if number % 10 == 0:
            hub.configure(table(COUNT + number // 10), Batch.empty())
        # Bursts with rests between them, in which a client can be held against a fresh load.
        await asyncio.sleep(0.02 if number % 5 else 0.5)


def test_our_server_holds_every_statement() -> None:
    ledger = Ledger(SERVER)

    async def story() -> None:
        published = [raised(1)]
        hubs = [hub_of("k1", published)]
        running: list[Any] = []
        port = 0

        async def begin() -> str:
            nonlocal port
            life = serving(hubs[-1], port=port, limits=QUICK, origins=Origins.of([], 8080))
            server, url = await life.__aenter__()
            port = server.port
            running[:] = [life, asyncio.create_task(change(hubs[-1], published))]
            return url

        async def end() -> None:
            running[1].cancel()
            await asyncio.wait((running[1],))
            await running[0].__aexit__(None, None, None)

        async def restart() -> None:
            await end()
            hubs.append(hub_of("k2", published))
            await begin()

        url = await begin()
        try:
            asked = Asked(2.0, 2.0, 6.0, "http://127.0.0.1:8080", restart)
            await hold(Server(url, None, ledger), asked)
        finally:
            await end()

    asyncio.run(story())
    found = {one: ledger.verdict(one) for one in SERVER}
    assert {one: why for one, (verdict, why) in found.items() if verdict is not Verdict.HELD} == {}


@pytest.mark.skipif("SONGTIEN_LIVE_URL" not in os.environ, reason="SONGTIEN_LIVE_URL is not set")
def test_a_running_server_breaks_no_statement() -> None:
    ledger = Ledger(SERVER)
    server = Server(os.environ["SONGTIEN_LIVE_URL"], os.environ.get("SONGTIEN_TOKEN"), ledger)
    asyncio.run(hold(server, Asked(watch_s=5)))
    assert ledger.broken == {}
