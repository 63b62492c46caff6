"""What mosquitto loses and what it costs, by how often it saves its state (ADR 0009).

    .venv/bin/python -m bench.broker_saves [--kills 6] [--seconds 4]

A session that is away (the service, stopped) is queued for; a publisher sends with QoS 1 as
fast as it is answered, or so many a second; the broker is killed with -9 at a random moment and
started again; what it had acknowledged and no longer has is lost. Rate and delay are taken from
the same publishers without a kill, on an empty queue and behind one that holds a backlog.
"""

import argparse
import random
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from simulators import packets
from songtien.broker import HOST, conf_for, find_mosquitto, mosquitto_conf

TOPIC = "tiengiang/v1/salinity/vam-kenh/vk-01/obs"
HEAD = packets.topic_head(TOPIC)
FILLING = b" " * 150
WINDOW = 100
"""Messages that a sender has out before the first is answered."""

BACKLOG = 50_000
CALM_PER_S = 20.0
"""A few hundred devices that report each minute."""


@dataclass(frozen=True, slots=True)
class Saving:
    """One way of saving: the two settings of mosquitto that decide it."""

    name: str
    on_changes: bool
    interval: int

    def over(self, text: str) -> str:
        words = "true" if self.on_changes else "false"
        text = re.sub(r"(?m)^autosave_on_changes .*", f"autosave_on_changes {words}", text)
        return re.sub(r"(?m)^autosave_interval .*", f"autosave_interval {self.interval}", text)


WAYS = (
    Saving("each change", on_changes=True, interval=1),
    Saving("each 1000 changes", on_changes=True, interval=1000),
    Saving("each second", on_changes=False, interval=1),
    Saving("each 30 s", on_changes=False, interval=30),
)
UNHURRIED = Saving("never by itself", on_changes=False, interval=1800)


class Broker:
    """mosquitto with this project's limits and another way of saving."""

    def __init__(self, directory: Path, saving: Saving) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        self._directory = directory
        shared = mosquitto_conf().parent / "mosquitto" / "common" / "limits.conf"
        conf = conf_for(mosquitto_conf().read_text("utf-8"), self.port, directory)
        conf = re.sub(r"(?m)^include_dir .*", lambda _: shared.read_text("utf-8"), conf)
        self._conf = directory / "mosquitto.conf"
        self._conf.write_text(saving.over(conf), "utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = find_mosquitto()
        if program is None:
            raise SystemExit("mosquitto is not installed")
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._conf)], stderr=log)
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise SystemExit("mosquitto does not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """As it should end: it saves."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait()
        self._process = None


@contextmanager
def running(saving: Saving) -> Iterator[Broker]:
    with tempfile.TemporaryDirectory() as directory:
        broker = Broker(Path(directory), saving)
        broker.start()
        try:
            leave_a_session(broker.port)
            yield broker
        finally:
            broker.kill()


def service_session(port: int) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, "service", clean_session=False)
    client.max_inflight_messages_set(1000)
    client.connect(HOST, port)
    return client


def leave_a_session(port: int) -> None:
    """Subscribe as the service does, and go; wait until a save may hold the session."""
    client = service_session(port)
    done: list[object] = []
    client.on_subscribe = lambda *_: done.append(1)
    client.on_connect = lambda client, *_: client.subscribe("tiengiang/#", qos=1)
    while not done:
        client.loop(0.05)
    client.disconnect()


def collected(port: int) -> set[int]:
    """The numbers of all that the session still has."""
    found: set[int] = set()
    client = service_session(port)
    client.on_message = lambda _c, _u, message: found.add(int(message.payload.split()[0]))
    quiet_at_s = time.monotonic() + 2
    while time.monotonic() < quiet_at_s:
        before = len(found)
        client.loop(0.05)
        if len(found) > before:
            quiet_at_s = time.monotonic() + 1
    client.disconnect()
    return found


class Listening:
    """The service, there: it acknowledges what it hears."""

    def __init__(self, port: int) -> None:
        self._found: set[int] = set()
        self._ended = threading.Event()
        self._client = service_session(port)
        self._client.on_message = lambda _c, _u, message: self._found.add(
            int(message.payload.split()[0])
        )
        self._client.on_disconnect = lambda *_: self._ended.set()
        self._client.reconnect_delay_set(60, 60)
        self._client.loop_start()

    def heard(self) -> set[int]:
        """All that came before the broker's end."""
        self._ended.wait(20)
        self._client.loop_stop()
        return self._found


@dataclass
class Sent:
    """What a publisher has sent: numbers that were acknowledged, and the delays in seconds."""

    acknowledged: list[int]
    acknowledged_at_s: list[float]
    delays_s: list[float]
    seconds: float


def publish(
    port: int,
    seconds: float,
    per_s: float | None,
    kill_at_s: float | None,
    broker: Broker,
    most: int = 10**9,
) -> Sent:
    """Publish for so long, as fast as it is answered or so many a second; kill in between."""
    link = socket.create_connection((HOST, port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(packets.connect("publisher"))
    link.recv(4)
    link.settimeout(0.005)
    sent, out, buffer = Sent([], [], [], seconds), deque[tuple[int, float]](), bytearray()
    number, begun_s = 0, time.monotonic()
    while True:
        now_s = time.monotonic() - begun_s
        if kill_at_s is not None and now_s >= kill_at_s:
            broker.kill()
            break
        if now_s >= seconds or (number >= most and not out):
            break
        due = number + WINDOW - len(out) if per_s is None else int(now_s * per_s)
        due = min(due, number + WINDOW - len(out), most)
        try:
            while number < due:
                body = b"%d %.0f" % (number, now_s) + FILLING
                link.sendall(packets.publish(HEAD, body, packets.identifier(number)))
                out.append((number, time.monotonic()))
                number += 1
            buffer += link.recv(65_536)
        except TimeoutError:
            continue
        take(buffer, out, sent, begun_s)
    # What was answered before the end is in the socket; it counts as acknowledged.
    link.settimeout(2 if kill_at_s is None else 0.2)
    try:
        while out and (more := link.recv(65_536)):
            buffer += more
            take(buffer, out, sent, begun_s)
    except (TimeoutError, ConnectionError):
        pass
    link.close()
    return sent


def take(buffer: bytearray, out: deque[tuple[int, float]], sent: Sent, begun_s: float) -> None:
    for kind, _, _ in packets.packets(buffer):
        assert kind == packets.PUBACK
        number, at_s = out.popleft()
        now_s = time.monotonic()
        sent.acknowledged.append(number)
        sent.acknowledged_at_s.append(now_s - begun_s)
        sent.delays_s.append(now_s - at_s)


def losses(
    saving: Saving, per_s: float | None, kills: int, chance: random.Random, *, away: bool = True
) -> str:
    """Lost of acknowledged over so many kills, and how far back the oldest lost one lay.

    away : the service is; else it listens meanwhile, and what it has heard is not lost
    """
    lost, acknowledged, worst, back_s = 0, 0, 0, 0.0
    for _ in range(kills):
        with running(saving) as broker:
            # The session itself must be on the disk before anything can be lost for it.
            publish(broker.port, 0.2, 20.0, None, broker)
            broker.end()
            broker.start()
            collected(broker.port)
            kill_at_s = chance.uniform(1.0, 3.0)
            listening = None if away else Listening(broker.port)
            sent = publish(broker.port, 10.0, per_s, kill_at_s, broker)
            kept = set() if listening is None else listening.heard()
            broker.start()
            kept |= collected(broker.port)
        gone = [at for at, number in enumerate(sent.acknowledged) if number not in kept]
        lost += len(gone)
        worst = max(worst, len(gone))
        acknowledged += len(sent.acknowledged)
        if gone:
            back_s = max(back_s, kill_at_s - sent.acknowledged_at_s[gone[0]])
    return (
        f"{lost:,} of {acknowledged:,} lost in {kills} kills, at most {worst:,} in one, "
        f"the oldest {back_s:.2f} s before its kill"
    )


def costs(saving: Saving, seconds: float, backlog: int) -> str:
    """Messages a second and the delay of an acknowledgement, behind a queue of so many."""
    with tempfile.TemporaryDirectory() as directory:
        broker = Broker(Path(directory), UNHURRIED)
        broker.start()
        try:
            leave_a_session(broker.port)
            while backlog > 0:
                filled = publish(broker.port, 60.0, None, None, broker, most=backlog)
                backlog -= len(filled.acknowledged)
            broker.end()
            conf = Path(directory) / "mosquitto.conf"
            conf.write_text(saving.over(conf.read_text("utf-8")), "utf-8")
            broker.start()
            sent = publish(broker.port, seconds, None, None, broker)
            calm = publish(broker.port, seconds, CALM_PER_S, None, broker)
        finally:
            broker.kill()
    rate = len(sent.acknowledged) / max(sent.acknowledged_at_s, default=seconds)
    calm_ms = [delay * 1000 for delay in calm.delays_s] or [float("nan")]
    return (
        f"{rate:,.0f} msg/s; at {CALM_PER_S:.0f} msg/s a delay of {statistics.median(calm_ms):.1f} "
        f"ms, at most {max(calm_ms):.0f} ms, {len(calm_ms)} of {CALM_PER_S * seconds:.0f} answered"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=6, help="0: the cost alone")
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
    for saving in WAYS:
        print(f"{saving.name}:")
        print(f"  cost, empty queue: {costs(saving, asked.seconds, 0)}")
        print(f"  cost, {BACKLOG:,} waiting: {costs(saving, asked.seconds, BACKLOG)}")
        if not asked.kills:
            continue
        print(f"  full speed: {losses(saving, None, asked.kills, chance)}")
        print(f"  {CALM_PER_S:.0f} a second: {losses(saving, CALM_PER_S, asked.kills, chance)}")
        there = losses(saving, CALM_PER_S, asked.kills, chance, away=False)
        print(f"  {CALM_PER_S:.0f} a second, the service there: {there}", flush=True)


if __name__ == "__main__":
    main()
