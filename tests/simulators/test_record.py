"""What a broker says, into a file, with a real mosquitto."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiomqtt
import pytest

from ingest.journal import Journal, Messages, Tick
from simulators import record
from simulators.broker import Broker
from simulators.message import Message
from simulators.publish import Publisher
from simulators.record import Recorder, journal_messages
from simulators.recording import Writer, read
from tests.conftest import Mosquitto

OBS = "r/v1/salinity/vam-kenh/vk-01/obs"
PATIENCE_S = 20.0


class Clock:
    """Goes on by a millisecond each time it is asked, and back when it is told."""

    def __init__(self) -> None:
        self.now_ms = 1_767_000_000_000

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - counts have no event
            await asyncio.sleep(0.01)


async def _recorded(
    path: Path,
    broker: Mosquitto,
    during: Callable[[Recorder], Awaitable[None]],
    *topics: str,
    clock: Clock | None = None,
) -> Recorder:
    recorder = Recorder(
        Broker.of(broker.url),
        topics or ("r/v1/#",),
        lambda: Writer.to(path),
        clock_ms=clock or Clock(),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(recorder.run(stop))
    # It has subscribed once a retained message has come.
    await _until(lambda: recorder.heard.messages > 0 or running.done())
    if not running.done():
        await during(recorder)
    stop.set()
    await running
    return recorder


async def _publish(broker: Mosquitto, *messages: Message) -> None:
    await Publisher(Broker.of(broker.url), messages).run()


READY = Message(0, "r/v1/salinity/vam-kenh/vk-01/state", b'{"s":"ready"}', retain=True)


@pytest.mark.broker
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_byte_for_byte_in_order_with_times_that_never_fall(
    mosquitto: Mosquitto, tmp_path: Path, name: str
) -> None:
    payloads = [b"", b"\xff\x00\n", "mặn".encode(), b'{"v":1}', *(b"%d" % i for i in range(500))]
    clock = Clock()

    async def run() -> None:
        await _publish(mosquitto, READY)

        async def during(recorder: Recorder) -> None:
            await _publish(mosquitto, *(Message(0, OBS, payload) for payload in payloads[:250]))
            await _until(lambda: recorder.heard.messages == 251)
            clock.now_ms -= 3_600_000
            rest = [Message(0, OBS, payload) for payload in payloads[250:]]
            await _publish(mosquitto, *rest, Message(0, "other/v1/x", b"unheard"))
            await _until(lambda: recorder.heard.messages == len(payloads) + 1)

        await _recorded(tmp_path / name, mosquitto, during, clock=clock)

    asyncio.run(run())
    found = read(tmp_path / name)
    came = list(found.messages)
    assert found.header == {"from": came[0].publish_ms - 1, "topics": ["r/v1/#"]}
    assert (came[0].topic, came[0].payload, came[0].retain) == (READY.topic, READY.payload, True)
    assert [(m.topic, m.payload, m.retain) for m in came[1:]] == [(OBS, p, False) for p in payloads]
    times = [message.publish_ms for message in came]
    assert times == sorted(times)


@pytest.mark.broker
def test_what_was_sent_to_be_retained_is_told_from_the_rest(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async def run() -> None:
        await _publish(mosquitto, READY)

        async def during(recorder: Recorder) -> None:
            await _publish(mosquitto, READY, Message(0, OBS, b"{}"))
            await _until(lambda: recorder.heard.messages == 3)

        await _recorded(tmp_path / "a.jsonl", mosquitto, during)

    asyncio.run(run())
    assert [m.retain for m in read(tmp_path / "a.jsonl").messages] == [True, True, False]


@pytest.mark.broker
def test_a_lost_broker_is_tried_again_and_the_gap_is_noted(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async def run() -> None:
        await _publish(mosquitto, READY)

        async def during(recorder: Recorder) -> None:
            await asyncio.to_thread(mosquitto.kill)
            await asyncio.to_thread(mosquitto.start)
            await _publish(mosquitto, READY)
            await _until(lambda: recorder.heard.messages == 2)
            await asyncio.to_thread(mosquitto.kill)
            await _until(lambda: recorder._lost_ms is not None)

        recorder = await _recorded(tmp_path / "a.jsonl", mosquitto, during)
        assert recorder.heard.gaps == 2

    asyncio.run(run())
    found = read(tmp_path / "a.jsonl")
    first, second = list(found.messages)
    gap, last = found.reach.gaps
    assert first.publish_ms == gap.from_ms < gap.to_ms < second.publish_ms == last.from_ms
    assert gap.gap == "connection lost"


@pytest.mark.broker
def test_what_is_too_large_for_a_line_is_left_out_and_counted(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "PAYLOAD_BYTES_MAX", 20)
    after = Message(0, "r/v1/a", b"x" * 20)

    async def run() -> None:
        await _publish(mosquitto, READY)

        async def during(recorder: Recorder) -> None:
            await _publish(mosquitto, Message(0, "r/v1/a", b"x" * 21), after)
            await _until(lambda: recorder.heard.messages == 2)

        recorder = await _recorded(tmp_path / "a.jsonl", mosquitto, during)
        assert (recorder.heard.too_large, recorder.heard.payload_bytes) == (1, 13 + 20)

    asyncio.run(run())
    assert [m.payload for m in read(tmp_path / "a.jsonl").messages] == [READY.payload, b"x" * 20]


@pytest.mark.broker
def test_without_a_broker_no_file_is_left(mosquitto: Mosquitto, tmp_path: Path) -> None:
    mosquitto.stop()

    async def run() -> None:
        with pytest.raises(aiomqtt.MqttError):
            await _recorded(tmp_path / "a.jsonl", mosquitto, lambda _: asyncio.sleep(0))

    asyncio.run(run())
    assert not (tmp_path / "a.jsonl").exists()


def test_topics_that_a_broker_does_not_let_us_hear(tmp_path: Path, free_port: int) -> None:
    """By the bytes of MQTT 5: mosquitto agrees to all, and then gives nothing."""

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x20\x03\x00\x00\x00")
        subscribe = await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x90\x04" + subscribe[:2] + b"\x00\x87")
        await reader.read()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(refusing, "127.0.0.1", free_port):
            recorder = Recorder(
                Broker("127.0.0.1", free_port),
                ["secret/#"],
                lambda: Writer.to(tmp_path / "a.jsonl"),
                clock_ms=Clock(),
            )
            with pytest.raises(aiomqtt.MqttError, match="secret/#"):
                await recorder.run(asyncio.Event())

    asyncio.run(run())
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.broker
def test_a_full_disk_ends_it(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FLUSH_S", 0.01)

    async def run() -> None:
        await _publish(mosquitto, READY)
        recorder = Recorder(
            Broker.of(mosquitto.url),
            ["r/#"],
            lambda: Writer.to(Path("/dev/full")),
            clock_ms=Clock(),
        )
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(OSError, match="No space left"):
                await recorder.run(asyncio.Event())

    asyncio.run(run())


def test_a_journal_gives_what_arrived_in_a_time(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "journal.sqlite", clock)
    for number in range(100):
        journal.append(Messages([OBS, OBS], [b"%d" % number, b"\xff"]))
        journal.append(Tick())
    found = list(journal_messages(tmp_path))
    assert [m.payload for m in found[::2]] == [b"%d" % number for number in range(100)]
    assert {m.payload for m in found[1::2]} == {b"\xff"}
    begin_ms, end_ms = found[20].publish_ms, found[40].publish_ms
    assert list(journal_messages(tmp_path, from_ms=begin_ms, to_ms=end_ms)) == found[20:40]
    journal.close()


def test_a_broker_of_the_older_protocol_alone_is_heard(tmp_path: Path, free_port: int) -> None:
    """By the bytes of MQTT 3.1.1: to MQTT 5 it hangs up without a word, as older brokers do."""
    path = tmp_path / "a.jsonl"

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.readexactly((await reader.readexactly(2))[1])
        if hello[6] == 4:
            writer.write(b"\x20\x02\x00\x00")
            subscribe = await reader.readexactly((await reader.readexactly(2))[1])
            said = b"\x33\x07\x00\x01a\x00\x07hi" + b"\x30\x05\x00\x02mu\xff"
            writer.write(b"\x90\x03" + subscribe[:2] + b"\x01" + said)
            assert await reader.readexactly(4) == b"\x40\x02\x00\x07"
            await reader.read()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(old, "127.0.0.1", free_port):
            broker = Broker("127.0.0.1", free_port)
            recorder = Recorder(broker, ["#"], lambda: Writer.to(path), clock_ms=Clock())
            stop = asyncio.Event()
            running = asyncio.create_task(recorder.run(stop))
            await _until(lambda: recorder.heard.messages == 2)
            stop.set()
            await running

    asyncio.run(run())
    came = list(read(path).messages)
    assert [(m.topic, m.payload, m.retain) for m in came] == [
        ("a", b"hi", True),
        ("mu", b"\xff", False),
    ]


def test_a_broker_that_falls_silent_is_given_up(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "KEEPALIVE_S", 0.2)
    path = tmp_path / "a.jsonl"

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x20\x03\x00\x00\x00")
        subscribe = await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x90\x04" + subscribe[:2] + b"\x00\x01")
        await reader.read()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(silent, "127.0.0.1", free_port):
            broker = Broker("127.0.0.1", free_port)
            recorder = Recorder(broker, ["#"], lambda: Writer.to(path), clock_ms=Clock())
            stop = asyncio.Event()
            running = asyncio.create_task(recorder.run(stop))
            await _until(lambda: recorder.heard.gaps == 2)
            stop.set()
            await running

    asyncio.run(run())
    found = read(path)
    assert list(found.messages) == []
    assert len(found.reach.gaps) >= 2
