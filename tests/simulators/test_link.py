"""The edges of the protocol, against a broker that is made to misbehave; and a real one."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from ingest.publishes import pubacks
from simulators.broker import Broker, LinkError
from simulators.link import WRITE_BYTES, Link
from tests.conftest import Mosquitto
from tests.simulators.fakebroker import WELCOME, Fake, fake


@dataclass
class Freed:
    """What was acknowledged, a list for each call."""

    calls: list[list[int]] = field(default_factory=list)

    def __call__(self, numbers: object) -> None:
        assert isinstance(numbers, list)
        self.calls.append(numbers)

    def all(self) -> list[int]:
        return [number for call in self.calls for number in call]


Play = Callable[[Fake, "Link[int]", Freed], Awaitable[None]]


def play(scene: Play, window: int = 8, keepalive_s: float = 60.0) -> None:
    async def run() -> None:
        freed = Freed()
        async with fake() as broker:
            link = await Link[int].open(broker.broker, window, freed, keepalive_s=keepalive_s)
            try:
                await asyncio.wait_for(scene(broker, link, freed), 10.0)
            finally:
                await link.close()

    asyncio.run(run())


def _put(link: Link[int], numbers: range, size: int = 10) -> None:
    for number in numbers:
        link.put(f"t/{number % 2}", bytes(size), number)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"\x20\x02\x00\x01", "it refuses: it does not speak MQTT 3.1.1"),
        (b"\x20\x02\x00\x03", "it refuses: it is not available"),
        (b"\x20\x02\x00\x04", "it refuses: bad user name or password"),
        (b"\x20\x02\x00\x05", "it refuses: not authorised"),
        (b"\x20\x02\x00\x77", "it refuses: answer 0077"),
        (b"\x20\x01\x00", "it refuses: answer 00"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak MQTT: it begins with 48545450"),
        (b"\x40\x02\x00\x01", "does not speak MQTT"),
    ],
)
def test_who_is_not_welcome_is_told_why(answer: bytes, told: str) -> None:
    async def run() -> None:
        async with fake(answer) as broker:
            with pytest.raises(LinkError, match=told):
                await Link[int].open(broker.broker, 8, Freed())

    asyncio.run(run())


def test_a_broker_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.link.CONNECT_S", 0.1)

    async def run() -> None:
        async with fake(b"") as broker:
            with pytest.raises(LinkError, match="does not answer within"):
                await Link[int].open(broker.broker, 8, Freed())

    asyncio.run(run())


def test_what_is_put_at_once_is_one_write_and_freed_by_its_number() -> None:
    async def scene(broker: Fake, link: Link[int], freed: Freed) -> None:
        _put(link, range(8))
        assert not link.room
        await broker.until(9)
        assert broker.identifiers() == [1, 2, 3, 4, 5, 6, 7, 8]
        broker.say(pubacks([3, 1, 99, 3]))  # out of order, unknown, and once more
        await link.until_room()
        assert freed.all() == [2, 0]
        assert list(link.in_flight.values()) == [1, 3, 4, 5, 6, 7]

    play(scene)


def test_answers_that_come_in_pieces_and_among_others() -> None:
    async def scene(broker: Fake, link: Link[int], freed: Freed) -> None:
        _put(link, range(5))
        await broker.until(6)
        answer = pubacks([1, 2]) + b"\xd0\x00" + pubacks([3, 4, 5])
        for at in range(len(answer)):
            broker.say(answer[at : at + 1])
            await asyncio.sleep(0.002)
        await link.until_acknowledged()
        assert freed.all() == [0, 1, 2, 3, 4]

    play(scene)


def test_what_a_broker_tells_that_nobody_asked_for_is_passed_over() -> None:
    """amqtt 0.12 tells what is retained to everybody who connects."""

    async def scene(broker: Fake, link: Link[int], freed: Freed) -> None:
        _put(link, range(2))
        await broker.until(3)
        broker.say(b"\x31\x05\x00\x01txx" + pubacks([1]) + b"\x31\x05\x00\x01tyy" + pubacks([2]))
        await link.until_acknowledged()
        assert freed.all() == [0, 1]

    play(scene)


def test_numbers_begin_again_and_pass_over_those_in_flight() -> None:
    async def scene(broker: Fake, link: Link[int], freed: Freed) -> None:
        _put(link, range(2))
        link._number = 65_533
        _put(link, range(2, 5))
        await broker.until(6)
        assert broker.identifiers() == [1, 2, 65_534, 65_535, 3]
        broker.say(pubacks([3, 65_535]))
        await link.until_room()
        assert freed.all() == [4, 3]

    play(scene, window=5)


def test_a_broker_that_closes_is_told_to_who_waits_and_who_does_not() -> None:
    async def scene(broker: Fake, link: Link[int], freed: Freed) -> None:
        _put(link, range(3))
        await broker.until(4)
        assert broker.writer is not None
        broker.writer.close()
        with pytest.raises(LinkError, match="closed the connection"):
            await link.until_acknowledged()
        assert "closed" in str(await link.until_over())
        assert list(link.in_flight.values()) == [0, 1, 2]  # for the next connection
        assert freed.calls == []

    play(scene)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (WELCOME, "welcomes a second time"),
        (b"\xd0\xff\xff\xff\xff\xff", "isn't MQTT"),
        (b"\x82\x05\x00\x01txx", "kind 8, which nobody asked for"),
        (b"\x30\xff\xff\x7f" + bytes(70_000), "without end"),
        (b"\x40\x01\x01", "kind 4, which nobody asked for"),
    ],
)
def test_a_broker_that_talks_nonsense_is_left(said: bytes, told: str) -> None:
    async def scene(broker: Fake, link: Link[int], _freed: Freed) -> None:
        await broker.until(1)
        broker.say(said)
        assert told in str(await link.until_over())

    play(scene)


def test_a_broker_that_is_quiet_is_asked_and_one_that_stays_quiet_is_lost() -> None:
    async def scene(broker: Fake, link: Link[int], _freed: Freed) -> None:
        await broker.until(2)
        assert broker.received[-1][0] == 12  # PINGREQ
        broker.say(b"\xd0\x00")
        await broker.until(3)
        assert "has not answered" in str(await link.until_over())

    play(scene, keepalive_s=0.2)


def test_a_broker_that_speaks_all_the_time_hears_from_us_all_the_same() -> None:
    async def scene(broker: Fake, _link: Link[int], _freed: Freed) -> None:
        while len(broker.received) < 3:  # CONNECT and two PINGREQ, without a word between
            broker.say(pubacks([99]))
            await asyncio.sleep(0.02)
        assert [kind for kind, _, _ in broker.received] == [1, 12, 12]

    play(scene, keepalive_s=0.2)


def test_a_welcome_in_pieces_is_a_welcome() -> None:
    async def run() -> None:
        async with fake(b"") as broker:
            opening = asyncio.create_task(Link[int].open(broker.broker, 8, Freed()))
            await broker.until(1)
            for at in range(4):
                broker.say(b"\x20\x02\x00\x00"[at : at + 1])
                await asyncio.sleep(0.002)
            await (await opening).close()

    asyncio.run(run())


def test_who_does_not_read_is_not_written_to_without_end() -> None:
    async def scene(broker: Fake, link: Link[int], _freed: Freed) -> None:
        assert broker.writer is not None
        transport = broker.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
        put = 0
        for _ in range(200):
            if link.room:
                link.put("t", bytes(256_000), put)
                put += 1
            await asyncio.sleep(0)
        assert link._transport is not None
        assert link._transport.get_write_buffer_size() <= WRITE_BYTES + 2 * 256_100
        assert put < 100  # the rest waits, though the window has room
        transport.resume_reading()
        await link.until_room()
        await broker.until(1 + put)
        assert all(len(body) == 256_005 for kind, _, body in broker.received if kind == 3)

    play(scene, window=1000)


def test_taking_leave_says_so() -> None:
    async def scene(broker: Fake, link: Link[int], _freed: Freed) -> None:
        _put(link, range(2))
        await link.close()
        await broker.until(4)
        assert [kind for kind, _, _ in broker.received] == [1, 3, 3, 14]

    play(scene)


@pytest.mark.broker
def test_a_real_broker_refuses_a_password_in_words(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    passwords = mosquitto.directory / "passwords"
    passwords.write_text("")
    passwords.chmod(0o600)
    mosquitto.extra = f"password_file {passwords}"
    mosquitto.start()

    async def run() -> None:
        broker = Broker("127.0.0.1", mosquitto.port, username="an", password="wrong")
        with pytest.raises(LinkError, match="refuses: not authorised"):
            await Link[int].open(broker, 8, Freed())

    asyncio.run(run())


@pytest.mark.broker
def test_a_real_broker_that_stands_still_is_lost_and_one_that_goes_on_is_not(
    mosquitto: Mosquitto,
) -> None:
    async def run() -> None:
        broker = Broker("127.0.0.1", mosquitto.port)
        freed = Freed()
        link = await Link[int].open(broker, 100, freed, keepalive_s=2.0)
        assert mosquitto.process is not None
        os.kill(mosquitto.process.pid, signal.SIGSTOP)
        try:
            _put(link, range(100))
            with pytest.raises(LinkError, match="has not answered for 1 s"):
                await asyncio.wait_for(link.until_room(), 5.0)
            assert freed.calls == []
        finally:
            os.kill(mosquitto.process.pid, signal.SIGCONT)
        link = await Link[int].open(broker, 100, freed)
        _put(link, range(100), size=256_000)
        await asyncio.wait_for(link.until_acknowledged(), 10.0)
        assert freed.all() == list(range(100))
        await link.close()

    asyncio.run(run())
