"""A load against a real broker: what it reports is what was there."""

import asyncio
import os
import resource
import signal
from pathlib import Path

import aiomqtt
import pytest

from ingest.faults import ConfigError
from ingest.registry import parse_registry
from simulators.broker import Broker
from simulators.guard import LiveServiceError
from simulators.load import run_load
from simulators.load_report import LoadProgress, LoadReport
from simulators.message import Message
from simulators.publish import Publisher
from tests.conftest import Mosquitto
from tests.simulators.fakebroker import WELCOME
from tests.simulators.listener import listening


async def _load(
    url: str,
    *,
    devices: int = 200,
    rate: float = 500.0,
    connections: int = 4,
    duration_ms: int = 1000,
    seen: list[LoadProgress] | None = None,
    into_live: bool = True,
    registry_out: Path | None = None,
) -> LoadReport:
    return await run_load(
        url,
        devices=devices,
        rate=rate,
        connections=connections,
        duration_ms=duration_ms,
        root="tiengiang",
        registry_out=registry_out,
        into_live=into_live,
        progress=None if seen is None else seen.append,
    )


@pytest.mark.broker
def test_all_that_is_reported_has_arrived(mosquitto: Mosquitto) -> None:
    seen: list[LoadProgress] = []

    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            report = await _load(mosquitto.url, duration_ms=1500, seen=seen)
            await heard.until(lambda: len(heard.obs()) >= 750)
        assert report.asked_messages == report.offered_messages == 750
        assert report.acknowledged_messages == len(heard.obs()) == 750
        assert len({payload for _, payload in heard.obs()}) == 750
        assert len({topic for topic, _ in heard.obs()}) == 200
        assert (report.opened, report.held, report.lost, report.made_again) == (4, 4, 0, 0)
        assert 0 < report.latency_p50_ms <= report.latency_p99_ms <= report.latency_max_ms
        assert 1.4 <= report.took_s < 3.0
        assert report.memory_bytes > 10_000_000
        assert "750 messages of 200 devices at 500/s over 4 connections" in report.lines()[0]

    asyncio.run(run())
    assert seen[0].connections == 4
    assert 400 <= seen[0].offered <= 750


@pytest.mark.broker
def test_as_many_connections_as_devices(mosquitto: Mosquitto) -> None:
    report = asyncio.run(_load(mosquitto.url, devices=150, connections=150, rate=300.0))
    assert (report.held, report.acknowledged_messages) == (150, 300)


@pytest.mark.broker
def test_a_broker_that_stands_still_shows_in_all_that_was_due_meanwhile(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.load.WINDOW", 1)  # 4 of 1,000 messages would see it

    async def run() -> LoadReport:
        assert mosquitto.process is not None
        pid = mosquitto.process.pid
        async with asyncio.TaskGroup() as group:
            loading = group.create_task(_load(mosquitto.url, rate=400.0, duration_ms=2500))
            await asyncio.sleep(0.8)
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(1.0)
            os.kill(pid, signal.SIGCONT)
        return loading.result()

    report = asyncio.run(run())
    assert report.acknowledged_messages == report.asked_messages == 1000
    assert 800.0 < report.latency_p99_ms <= report.latency_max_ms
    assert report.behind_ms_max > 800.0


@pytest.mark.broker
def test_lost_connections_are_counted_made_again_and_nothing_is_lost(mosquitto: Mosquitto) -> None:
    async def run() -> LoadReport:
        async with asyncio.TaskGroup() as group:
            loading = group.create_task(_load(mosquitto.url, duration_ms=2500))
            await asyncio.sleep(0.8)
            await asyncio.to_thread(mosquitto.kill)
            await asyncio.to_thread(mosquitto.start)
        return loading.result()

    report = asyncio.run(run())
    assert report.acknowledged_messages == report.offered_messages == report.asked_messages == 1250
    assert (report.held, report.lost, report.made_again) == (4, 4, 4)


@pytest.mark.broker
def test_a_broker_that_dies_half_way_is_told_as_it_was(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.load.DRAIN_S", 0.5)

    async def run() -> tuple[LoadReport, int]:
        async with listening(mosquitto.url) as heard, asyncio.TaskGroup() as group:
            loading = group.create_task(_load(mosquitto.url, duration_ms=2000))
            await heard.until(lambda: len(heard.obs()) >= 300)
            assert mosquitto.process is not None
            # What it has not read by now it will never answer.
            os.kill(mosquitto.process.pid, signal.SIGSTOP)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(mosquitto.kill)
        return loading.result(), len(heard.obs())

    report, arrived = asyncio.run(run())
    assert (report.opened, report.held, report.lost, report.made_again) == (4, 0, 4, 0)
    # The broker passes a message on, then answers it, one at a time: it may stop in between.
    assert arrived - 1 <= report.acknowledged_messages < report.offered_messages < 1000
    assert report.asked_messages == 1000
    assert report.took_s < 1.5
    told = "\n".join(report.lines())
    unanswered = report.offered_messages - report.acknowledged_messages
    assert f"FELL BEHIND, {unanswered:,} unanswered" in told
    assert f"{1000 - report.offered_messages:,} were due and never sent" in told


@pytest.mark.broker
def test_connections_that_are_refused_keep_their_devices_back_and_no_others(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.load.OPEN_S", 0.5)
    monkeypatch.setattr("simulators.load.DRAIN_S", 0.3)
    mosquitto.stop()
    mosquitto.extra = "max_connections 5"
    mosquitto.start()
    report = asyncio.run(_load(mosquitto.url, connections=10))
    # mosquitto forgets to count one where another has left.
    assert 5 <= report.opened == report.held <= 7
    assert report.lost == 0
    assert report.offered_messages == report.acknowledged_messages == 50 * report.opened
    assert f"{500 - report.offered_messages} were due and never sent" in "\n".join(report.lines())


def test_a_broker_that_welcomes_and_sends_away_is_not_stormed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulators.load.DRAIN_S", 0.3)
    welcomed = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal welcomed
        await reader.read(100)
        welcomed += 1
        writer.write(WELCOME)
        await writer.drain()
        writer.close()

    async def run() -> LoadReport:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await _load(f"mqtt://127.0.0.1:{port}", connections=1, duration_ms=500)

    report = asyncio.run(run())
    assert 2 <= report.lost <= welcomed <= 6
    assert report.acknowledged_messages == 0


@pytest.mark.broker
def test_what_is_slower_than_asked_says_so(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.load.DRAIN_S", 0.2)
    monkeypatch.setattr("simulators.load.WAITING_MAX", 5000)
    seen: list[LoadProgress] = []

    async def run() -> LoadReport:
        assert mosquitto.process is not None
        async with asyncio.TaskGroup() as group:
            work = _load(mosquitto.url, rate=150_000.0, duration_ms=1500, seen=seen)
            loading = group.create_task(work)
            await asyncio.sleep(0.6)
            os.kill(mosquitto.process.pid, signal.SIGSTOP)
            try:
                return await loading
            finally:
                os.kill(mosquitto.process.pid, signal.SIGCONT)

    report = asyncio.run(run())
    assert not report.kept_up
    assert report.acknowledged_messages <= report.offered_messages < report.asked_messages
    assert report.rate_s < 150_000
    assert seen[-1].behind_ms > 300.0
    told = "\n".join(report.lines())
    assert "FELL BEHIND" in told
    assert "were due and never sent" in told


@pytest.mark.broker
def test_a_live_service_is_refused_unless_told(mosquitto: Mosquitto) -> None:
    ready = Message(0, "tiengiang/v1/server/control-1/state", b'{"s":"ready"}', retain=True)

    async def run() -> None:
        await Publisher(Broker.of(mosquitto.url), [ready]).run()
        with pytest.raises(LiveServiceError):
            await _load(mosquitto.url, into_live=False)
        async with listening(mosquitto.url) as heard:
            report = await _load(mosquitto.url, duration_ms=100)
            await heard.until(lambda: len(heard.obs()) >= report.acknowledged_messages)
        assert all(b'"sim":true' in payload for _, payload in heard.obs())

    asyncio.run(run())


def test_the_registry_alone_needs_no_broker(tmp_path: Path) -> None:
    file = tmp_path / "stations.toml"
    report = asyncio.run(_load("mqtt://nowhere.invalid", duration_ms=0, registry_out=file))
    assert len(parse_registry(file.read_text(), str(file)).devices) == 200
    assert report.offered_messages == 0


def test_no_broker_is_told_at_once(free_port: int) -> None:
    with pytest.raises(aiomqtt.MqttError, match="refused"):
        asyncio.run(_load(f"mqtt://127.0.0.1:{free_port}"))


def test_more_connections_than_files_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(ConfigError, match=r"connections = 5000: accepted are up to 4,032.*ulimit"):
        asyncio.run(_load("mqtt://127.0.0.1", devices=5000, connections=5000))


def test_the_limit_of_files_is_raised_as_far_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    with pytest.raises(aiomqtt.MqttError):
        asyncio.run(_load("mqtt://127.0.0.1:1", connections=150))
    assert asked == [(214, 4096)]


def test_all_that_cannot_be_used_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        asyncio.run(_load("h:1", devices=0, rate=0.0, connections=0, duration_ms=-1))
    said = str(caught.value)
    with pytest.raises(ConfigError, match="duration = 2678400001: accepted is 0 to"):
        asyncio.run(_load("mqtt://h", duration_ms=31 * 86_400_000 + 1))
    for key in ("devices = 0", "rate = 0.0", "connections = 0", "duration = -1", "broker = 'h:1'"):
        assert key in said
