"""The demo's broker, as a real process: mosquitto and amqtt."""

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from songtien import broker
from songtien.broker import BrokerError, conf_for, demo_broker, find_mosquitto, mosquitto_conf

KINDS = [
    pytest.param(
        "mosquitto",
        marks=[
            pytest.mark.broker,
            pytest.mark.skipif(find_mosquitto() is None, reason="install mosquitto"),
        ],
    ),
    "amqtt",
]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def gone(pid: int, within_s: float = 10.0) -> bool:
    deadline_s = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < deadline_s:
        select_nothing(0.02)
    return not alive(pid)


def select_nothing(wait_s: float) -> None:
    """One round of polling."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(wait_s)
        with pytest.raises(TimeoutError):
            silent.recv(1)


def said_and_heard(port: int, count: int) -> list[bytes]:
    """Publish with QoS 1 and subscribe, both as MQTT 3.1.1; what came, in order."""
    heard: list[bytes] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)

    def on_connect(client: paho.Client, *_: object) -> None:
        client.subscribe("a/#", qos=1)

    def on_subscribe(client: paho.Client, *_: object) -> None:
        for at in range(count):
            client.publish("a/b", b"%d" % at, qos=1)

    def on_message(_c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        heard.append(bytes(message.payload))

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect("127.0.0.1", port)
    deadline_s = time.monotonic() + 20
    while len(heard) < count and time.monotonic() < deadline_s:
        client.loop(0.1)
    client.disconnect()
    client.loop(0.1)
    return heard


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_inside_the_block_and_is_gone_after_it(kind: str, tmp_path: Path) -> None:
    async def run() -> tuple[int, int]:
        async with demo_broker(tmp_path / "broker", 0, kind) as running:
            assert (running.kind, running.url) == (kind, f"mqtt://127.0.0.1:{running.port}")
            heard = await asyncio.to_thread(said_and_heard, running.port, 50)
            assert heard == [b"%d" % at for at in range(50)]
            return running.process.pid, running.port

    pid, port = asyncio.run(run())
    assert not alive(pid)
    assert not listens(port)
    log = (tmp_path / "broker" / "broker.log").read_text("utf-8")
    assert "Traceback" not in log
    if kind == "amqtt":
        assert log == ""


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_gone_when_the_block_is_cancelled(kind: str, tmp_path: Path) -> None:
    pids: list[int] = []

    async def hold(serves: asyncio.Event) -> None:
        async with demo_broker(tmp_path, 0, kind) as running:
            pids.append(running.process.pid)
            serves.set()
            await asyncio.Event().wait()

    async def run() -> None:
        serves = asyncio.Event()
        task = asyncio.create_task(hold(serves))
        await asyncio.wait_for(serves.wait(), 20)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert gone(pids[0])


PARENT = """
import asyncio, sys
from pathlib import Path
from songtien.broker import demo_broker

async def main():
    async with demo_broker(Path(sys.argv[1]), 0, sys.argv[2]) as running:
        print(running.process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties children on Linux alone")
@pytest.mark.parametrize("signals", [["KILL"], ["INT", "INT"], ["TERM", "TERM"]])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_however_the_parent_dies(
    kind: str, signals: list[str], tmp_path: Path
) -> None:
    top = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(top)},
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        for each in signals:
            parent.send_signal(signal.Signals[f"SIG{each}"])
        parent.wait(20)
        assert gone(pid)
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_is_taken_is_told(kind: str, tmp_path: Path) -> None:
    async def run(port: int) -> None:
        async with demo_broker(tmp_path, port, kind):
            pass

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BrokerError, match="can't be had"):
            asyncio.run(run(other.getsockname()[1]))


def test_without_any_broker_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    async def run() -> None:
        async with demo_broker(tmp_path):
            pass

    with pytest.raises(BrokerError, match=r"apt install mosquitto.*songtien\[broker\]"):
        asyncio.run(run())


def test_a_broker_that_does_not_start_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: "/bin/ls")

    async def run() -> None:
        async with demo_broker(tmp_path):
            pass

    with pytest.raises(BrokerError, match=r"(?s)ended at once with code.*broker.log ends with:"):
        asyncio.run(run())


def test_the_demo_changes_the_place_alone(tmp_path: Path) -> None:
    text = mosquitto_conf().read_text("utf-8")
    before, after = text.splitlines(), conf_for(text, 12345, tmp_path).splitlines()
    changed = {(old, new) for old, new in zip(before, after, strict=False) if old != new}
    shared = mosquitto_conf().parent / "mosquitto" / "common"
    assert (shared / "limits.conf").is_file()
    assert changed == {
        ("listener 1883 127.0.0.1", "listener 12345 127.0.0.1"),
        ("include_dir mosquitto/common", f"include_dir {shared}"),
    }
    assert f"persistence_location {tmp_path}/" in after


@pytest.mark.broker
@pytest.mark.skipif(find_mosquitto() is None, reason="install mosquitto")
def test_what_mosquitto_has_saved_outlives_its_violent_death(tmp_path: Path) -> None:
    """With the file as it is committed, but for its place: saved within a second or two."""
    path = find_mosquitto()
    assert path is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = conf_for(mosquitto_conf().read_text("utf-8"), port, tmp_path)
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(text, "utf-8")
    saved = tmp_path / "mosquitto.db"

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([path, "-c", str(conf)], stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while not listens(port) and time.monotonic() < deadline_s:
            select_nothing(0.02)
        return process

    def client() -> paho.Client:
        return paho.Client(
            CallbackAPIVersion.VERSION2, client_id="absent", clean_session=False, manual_ack=True
        )

    def until(client: paho.Client, done: list[object], count: int = 1) -> None:
        deadline_s = time.monotonic() + 20
        while len(done) < count and time.monotonic() < deadline_s:
            client.loop(0.05)
        assert len(done) >= count

    heard: list[object] = []
    mosquitto = start()
    try:
        absent = client()
        absent.on_subscribe = lambda *_: heard.append("subscribed")
        absent.on_connect = lambda client, *_: client.subscribe("a/#", qos=1)
        absent.connect("127.0.0.1", port)
        until(absent, heard)
        absent.disconnect()
        acknowledged: list[object] = []
        sender = paho.Client(CallbackAPIVersion.VERSION2)
        sender.on_publish = lambda *_: acknowledged.append("acknowledged")
        sender.connect("127.0.0.1", port)
        for at in range(100):
            sender.publish("a/b", b"%d" % at, qos=1)
        until(sender, acknowledged, 100)
        since_ns = time.time_ns()
        deadline_s = time.monotonic() + 20
        while not saved.exists() or saved.stat().st_mtime_ns < since_ns:
            assert time.monotonic() < deadline_s, "the broker doesn't save"
            sender.loop(0.05)
        assert time.time_ns() - since_ns < 5e9
        mosquitto.kill()
        mosquitto.wait(10)
        sender.loop(0.1)
        mosquitto = start()
        heard.clear()
        again = client()
        again.on_message = lambda _c, _u, message: heard.append(message.payload)
        again.connect("127.0.0.1", port)
        until(again, heard, 100)
        assert heard[:100] == [b"%d" % at for at in range(100)]
        again.disconnect()
    finally:
        mosquitto.kill()
        mosquitto.wait(10)
