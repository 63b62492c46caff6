"""Through a real broker: everything acknowledged has arrived, also across its restart."""

import asyncio
import logging
from collections.abc import Iterator

import aiomqtt
import pytest

from simulators.message import Message
from simulators.publish import (
    IN_FLIGHT_MAX,
    Broker,
    Progress,
    Publisher,
    clock_pace,
    loop_pace,
)
from tests.conftest import Mosquitto
from tests.simulators.listener import listening


def _messages(count: int, step_ms: int = 10) -> Iterator[Message]:
    for number in range(count):
        topic = f"tiengiang/v1/salinity/s/d-{number % 3}/obs"
        yield Message(1000 + number * step_ms, topic, b"%06d" % number, samples=2)


@pytest.mark.broker
def test_everything_arrives_in_order_and_is_counted(mosquitto: Mosquitto) -> None:
    seen: list[Progress] = []

    async def run() -> None:
        publisher = Publisher(Broker.of(mosquitto.url), _messages(2000), progress=seen.append)
        async with listening(mosquitto.url) as heard:
            await publisher.run()
            await heard.until(lambda: len(heard.messages) >= 2000)
        assert [int(payload) for _, payload, _ in heard.messages] == list(range(2000))
        assert publisher.offered_messages == publisher.acknowledged_messages == 2000
        assert publisher.offered_samples == publisher.acknowledged_samples == 4000

    asyncio.run(run())
    assert seen[-1] == Progress(2000, 4000, 2000, 1000 + 1999 * 10)
    assert max(each.messages - each.acknowledged for each in seen) <= IN_FLIGHT_MAX + 1


@pytest.mark.broker
def test_a_broker_that_dies_and_returns_gets_all_of_it(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "songtien.publish")

    async def run() -> None:
        received: set[int] = set()
        publisher = Publisher(Broker.of(mosquitto.url), _messages(1200), wait=loop_pace(1000, 4.0))
        running = asyncio.create_task(publisher.run())
        async with listening(mosquitto.url) as before:
            await before.until(lambda: len(before.messages) >= 200)
            acknowledged = publisher.acknowledged_messages
            await asyncio.to_thread(mosquitto.kill)
        received |= {int(payload) for _, payload, _ in before.messages}
        await asyncio.to_thread(mosquitto.start)
        async with listening(mosquitto.url) as after:
            await running
            await after.until(lambda: len(after.messages) > 0 and _last(after.messages) == 1199)
        again = [int(payload) for _, payload, _ in after.messages]
        assert 0 < acknowledged < 1200
        assert publisher.acknowledged_messages == 1200
        # Between the restart and our own subscription a few went by unheard.
        assert again == list(range(again[0], 1200))
        assert again[0] <= max(received) + 200

    asyncio.run(run())
    # Once each. The listener's own client may complain of its lost link too.
    lost, back = (r.getMessage() for r in caplog.records if r.name == "songtien.publish")
    assert "is lost" in lost
    assert "is back" in back


def _last(messages: list[tuple[str, bytes, bool]]) -> int:
    return int(messages[-1][1])


@pytest.mark.broker
def test_a_link_that_is_lost_while_nothing_is_sent_is_noticed(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        waiting, go_on = asyncio.Event(), asyncio.Event()

        async def wait(publish_ms: int) -> None:
            if publish_ms > 1000:
                waiting.set()
                await go_on.wait()

        publisher = Publisher(Broker.of(mosquitto.url), _messages(2), wait=wait)
        running = asyncio.create_task(publisher.run())
        await waiting.wait()
        waiting.clear()
        await asyncio.to_thread(mosquitto.kill)
        await asyncio.to_thread(mosquitto.start)
        await asyncio.wait_for(waiting.wait(), timeout=8.0)  # on a connection of its own again
        go_on.set()
        await running
        assert publisher.acknowledged_messages == 2

    asyncio.run(run())
    assert [record.getMessage().split()[-1] for record in caplog.records][-1:] == ["back"]


@pytest.mark.broker
def test_a_greeting_comes_first_on_every_connection(mosquitto: Mosquitto) -> None:
    birth = Message(0, "tiengiang/v1/salinity/s/d-0/state", b'{"s":"ready"}', retain=True)

    async def run() -> None:
        publisher = Publisher(Broker.of(mosquitto.url), _messages(3), greeting=lambda: [birth])
        async with listening(mosquitto.url) as heard:
            await publisher.run()
            await heard.until(lambda: len(heard.messages) >= 4)
        assert heard.messages[0][0].endswith("/state")
        assert publisher.offered_messages == 3
        async with listening(mosquitto.url) as later:
            await later.until(lambda: len(later.messages) >= 1)
        assert later.messages == [(birth.topic, birth.payload, True)]

    asyncio.run(run())


def test_a_broker_that_is_not_there_is_told_at_once(free_port: int) -> None:
    publisher = Publisher(Broker.of(f"mqtt://127.0.0.1:{free_port}"), _messages(3))
    with pytest.raises(aiomqtt.MqttError, match="refused"):
        asyncio.run(publisher.run())
    assert publisher.acknowledged_messages == 0


@pytest.mark.broker
def test_an_error_of_our_own_is_not_taken_for_a_lost_link(mosquitto: Mosquitto) -> None:
    def broken() -> Iterator[Message]:
        yield from _messages(3)
        raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(Publisher(Broker.of(mosquitto.url), broken()).run())
    assert caught.value.subgroup(ZeroDivisionError) is not None


def test_the_pace_is_counted_from_the_start() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        wait = loop_pace(10_000, speed=20.0)
        await wait(10_000)
        begun = loop.time()
        for message_ms in range(10_000, 14_001, 50):
            await wait(message_ms)
        return loop.time() - begun

    # 81 waits; were each one's lateness added up, a millisecond each would show.
    assert 0.199 <= asyncio.run(run()) < 0.4


def test_what_is_past_by_the_clock_does_not_wait() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        wait = clock_pace(lambda: 1_000_000)
        for message_ms in (0, 500_000, 1_000_000, 1_000_050):
            await wait(message_ms)
        return loop.time() - begun

    assert 0.049 <= asyncio.run(run()) < 0.5


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://10.0.0.1", Broker("10.0.0.1", 1883)),
        ("mqtts://b.example", Broker("b.example", 8883, tls=True)),
        ("mqtt://an:b%40c@h:99", Broker("h", 99, username="an", password="b@c")),
    ],
)
def test_urls_of_brokers(url: str, expected: Broker) -> None:
    assert Broker.of(url) == expected


@pytest.mark.parametrize("url", ["127.0.0.1:1883", "http://h", "mqtt://", "mqtt://h:x"])
def test_what_is_no_url_of_a_broker(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://HOST:1883"):
        Broker.of(url)
