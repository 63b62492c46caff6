"""Through a real broker: everything acknowledged has arrived, also across its restart."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import aiomqtt
import pytest

from ingest.faults import ConfigError
from ingest.publishes import pubacks
from simulators.broker import shown
from simulators.link import Link
from simulators.message import Message
from simulators.publish import (
    IN_FLIGHT_MAX,
    Broker,
    Progress,
    Publisher,
    clock_pace,
    loop_pace,
)
from simulators.run import broker_of
from tests.conftest import Mosquitto
from tests.simulators.fakebroker import fake
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


def test_after_a_loss_what_was_in_flight_is_sent_again_first_in_order_and_marked() -> None:
    async def run() -> None:
        async with fake() as broker:
            publisher = Publisher(broker.broker, _messages(300))
            running = asyncio.create_task(publisher.run())
            await broker.until(1 + IN_FLIGHT_MAX)
            first = broker.published()
            assert [int(payload) for _, _, payload in first] == list(range(IN_FLIGHT_MAX))
            assert {flags for flags, _, _ in first} == {2}
            broker.say(pubacks([1, 2, 4]))
            await broker.until(1 + IN_FLIGHT_MAX + 3)
            assert publisher.acknowledged_messages == 3
            assert broker.writer is not None
            broker.received.clear()
            broker.writer.close()
            await broker.until(1 + IN_FLIGHT_MAX)
            again = broker.published()
            left = [2, *range(4, IN_FLIGHT_MAX + 3)]
            assert [int(payload) for _, _, payload in again] == left
            assert {flags for flags, _, _ in again} == {2 | 8}
            broker.say(pubacks(number for _, number, _ in again))
            await broker.until(1 + 297)
            last = broker.published()[IN_FLIGHT_MAX:]
            assert [int(payload) for _, _, payload in last] == list(range(IN_FLIGHT_MAX + 3, 300))
            assert {flags for flags, _, _ in last} == {2}
            broker.say(pubacks(number for _, number, _ in last))
            await running
            assert publisher.offered_messages == publisher.acknowledged_messages == 300
            assert publisher.offered_samples == publisher.acknowledged_samples == 600

    asyncio.run(run())


def test_a_broker_that_refuses_is_told_at_once_and_why() -> None:
    async def run() -> None:
        async with fake(b"\x20\x02\x00\x05") as broker:
            with pytest.raises(aiomqtt.MqttError, match="refuses: not authorised"):
                await Publisher(broker.broker, _messages(3)).run()

    asyncio.run(run())


def test_patience_ends_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.publish.RETRY_S_MAX", 0.1)

    async def run() -> None:
        async with fake() as broker:
            publisher = Publisher(broker.broker, _messages(3), patience_s=0.3)
            running = asyncio.create_task(publisher.run())
            await broker.until(4)
            assert broker.writer is not None
            broker.welcome = b"\x20\x02\x00\x03"
            broker.writer.close()
            with pytest.raises(aiomqtt.MqttError, match="refuses: it is not available"):
                await asyncio.wait_for(running, 5.0)

    asyncio.run(run())


def test_patience_counts_anew_after_a_connection_that_stood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two readings of a quarter of an hour a broker may be restarted twice."""
    monkeypatch.setattr("simulators.publish.RETRY_S_MAX", 0.1)

    async def run() -> None:
        due = asyncio.Event()

        async def wait(publish_ms: int) -> None:
            del publish_ms
            await due.wait()

        async with fake() as broker:
            publisher = Publisher(broker.broker, _messages(1), wait=wait, patience_s=0.3)
            running = asyncio.create_task(publisher.run())
            for connection in (1, 2):
                await broker.until(connection)
                await asyncio.sleep(0.4)
                assert broker.writer is not None
                broker.writer.close()
            await broker.until(3)
            due.set()
            await broker.until(4)
            broker.say(pubacks([1]))
            await asyncio.wait_for(running, 5.0)
            assert publisher.acknowledged_messages == 1

    asyncio.run(run())


@pytest.mark.broker
def test_a_broker_that_stands_still_for_a_while_gets_each_message_once(
    mosquitto: Mosquitto,
) -> None:
    async def run() -> None:
        assert mosquitto.process is not None
        publisher = Publisher(Broker.of(mosquitto.url), _messages(3000))
        async with listening(mosquitto.url) as heard:
            running = asyncio.create_task(publisher.run())
            await heard.until(lambda: len(heard.messages) > 100)
            os.kill(mosquitto.process.pid, signal.SIGSTOP)
            await asyncio.sleep(0.5)
            os.kill(mosquitto.process.pid, signal.SIGCONT)
            await running
            await heard.until(lambda: len(heard.messages) >= 3000)
        assert [int(payload) for _, payload, _ in heard.messages] == list(range(3000))

    asyncio.run(run())


@pytest.mark.broker
def test_large_payloads_arrive_whole(mosquitto: Mosquitto) -> None:
    large = [Message(0, "t", bytes([number]) * 262_144, samples=1) for number in range(100)]

    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            await Publisher(Broker.of(mosquitto.url), large).run()
            await heard.until(lambda: len(heard.messages) >= 100)
        assert [payload for _, payload, _ in heard.messages] == [each.payload for each in large]

    asyncio.run(run())


@pytest.mark.broker
def test_with_a_name_a_password_and_tls(mosquitto: Mosquitto) -> None:
    openssl, hashed = shutil.which("openssl"), shutil.which("mosquitto_passwd")
    if openssl is None or hashed is None:
        pytest.skip("openssl or mosquitto_passwd is not installed")
    directory = mosquitto.directory
    key, certificate, passwords = directory / "key", directory / "cert", directory / "passwords"
    self_signed = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *self_signed, *names, *files], check=True, capture_output=True)
    subprocess.run([hashed, "-b", "-c", str(passwords), "an", "b@c"], check=True)
    mosquitto.stop()
    mosquitto.extra = (
        f"certfile {certificate}\nkeyfile {key}\nallow_anonymous false\npassword_file {passwords}\n"
    )
    mosquitto.start()
    broker = replace(
        Broker.of(f"mqtts://an:b%40c@127.0.0.1:{mosquitto.port}"), ca_file=str(certificate)
    )

    async def run() -> None:
        publisher = Publisher(broker, _messages(2000))
        await publisher.run()
        assert publisher.acknowledged_messages == 2000
        with pytest.raises(aiomqtt.MqttError, match="not authorised"):
            await Publisher(replace(broker, password="other"), _messages(1)).run()
        with pytest.raises(aiomqtt.MqttError, match="certificate verify failed"):
            await Publisher(replace(broker, ca_file=None), _messages(1)).run()

    asyncio.run(run())


def test_a_message_is_written_before_the_next_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    written_s: list[float] = []
    flush = Link._flush

    def noted(link: Link[object]) -> None:
        if link._out:
            written_s.append(time.monotonic())
        flush(link)

    def slow() -> Iterator[Message]:
        for message in _messages(4, step_ms=300):
            time.sleep(0.2)  # as a scenario whose next hours are drawn
            yield message

    async def run() -> None:
        async with fake() as broker:
            publisher = Publisher(broker.broker, slow(), wait=loop_pace(1000, 1.0))
            running = asyncio.create_task(publisher.run())
            await broker.until(5)
            broker.say(pubacks([1, 2, 3, 4]))
            await running

    monkeypatch.setattr(Link, "_flush", noted)
    asyncio.run(run())
    gaps = [later - earlier for earlier, later in pairwise(written_s)]
    assert gaps == pytest.approx([0.3] * 3, abs=0.1)


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


@pytest.mark.parametrize(
    "url", ["127.0.0.1:1883", "http://h", "mqtt://", "mqtt://h:x", "mqtt://a..b", "mqtt://[::1"]
)
def test_what_is_no_url_of_a_broker(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://HOST:1883"):
        Broker.of(url)


def test_a_password_is_neither_told_nor_shown() -> None:
    long = "secret" * 11_000
    with pytest.raises(ValueError, match="up to 65,535 bytes") as caught:
        Broker.of(f"mqtt://an:{long}@h")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Broker.of("mqtt://an:secret@h"))
    with pytest.raises(ConfigError, match="broker = 'https://h'") as told:
        broker_of("https://an:secret@h", "replay")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mqtt://h:1883", "mqtt://h:1883"),
        ("https://an:se/c@ret://x@h", "https://h"),
        ("an:secret@h", "h"),
        ("an:secret://x@h", "h"),
        ("h:1", "h:1"),
    ],
)
def test_an_address_is_told_without_its_password(url: str, told: str) -> None:
    assert shown(url) == told
