"""An event that 5,000 of 50,000 people follow, by a real service, broker and gateway.

    python -m tests.soak.telling --people 50000 --follow 5000 --rate 100

Each is told once, no faster than the gateway is to be asked, and officers see how far it is.
Meanwhile a probe reports ten times a second: its readings must reach a screen as ever. Exit code
1 otherwise.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from alerts.farmers.notice import USUAL
from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from alerts.farmers.roll import Entry
from api.people.addresses import AddressKind
from api.people.people import People
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.faults.publishing import Publisher
from tests.soak.soak import tell
from tests.telling.gateway import Gateway, serving

CHANNEL = "loa"
EVERY_S = 0.1
SHOWN_WITHIN_S = 1.0
"""A reading takes some 10 ms to a screen; a machine that is busy with others takes its time."""

GROWS_MIB = 100.0
LOOK_S = 1.0
MINUTE_MS = 60_000


@dataclass
class Screen:
    """When readings of one probe were sent, and how long they took to a screen, by phase."""

    service: Service
    broker_url: str
    phase: str = "at rest"
    late_s: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Feed and look until the block is left; a value tells when it was sent."""
        end = threading.Event()
        threads = [threading.Thread(target=run, args=(end,)) for run in (self._feed, self._look)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            end.set()
            for each in threads:
                each.join()

    def _feed(self, end: threading.Event) -> None:
        self._sent: dict[float, tuple[float, str]] = {}
        topic, number = salinity_topic("vam-kenh", "vk-01"), 0
        while not end.wait(EVERY_S):
            number += 1
            value = round(1.0 + number / 10_000, 4)
            sample = {"t": now_ms(), "sal_g_l": value}
            self._sent[value] = time.monotonic(), self.phase
            said = [(topic, obs(sample, boot=1, seq=number).encode())]
            with Publisher(self.broker_url, said, 0.0) as publisher:
                eventually(lambda: publisher.done or end.is_set(), "taken")

    def _look(self, end: threading.Event) -> None:
        with connect(self.service.live_url, subprotocols=[Subprotocol("live.v1")]) as socket:
            where = {"station": ["vam-kenh"]}
            socket.send(json.dumps({"op": "auth", "id": 1}))
            socket.send(json.dumps({"op": "sub", "id": 2, "chan": "state", "where": where}))
            while not end.is_set():
                try:
                    said = json.loads(socket.recv(EVERY_S))
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return
                if said["op"] == "ping":
                    socket.send('{"op":"pong"}')
                for item in said.get("set", ()):
                    sent_s, phase = self._sent.pop(item.get("v"), (0.0, ""))
                    if phase:
                        self.late_s.setdefault(phase, []).append(time.monotonic() - sent_s)


def populate(directory: Path, people: int, follow: int) -> None:
    """People in the file of a service that does not run; the event's are spread over them."""
    directory.mkdir(parents=True, mode=0o700)
    event = (Follow(Place("xuan-hoa", "river"), "durian", 500, USUAL),)
    others = (Follow(Place("xuan-hoa", "river"), "rice", 4000, USUAL),)
    entries = [
        Entry(n, f"+849{n:08d}", event if n * follow % people < follow else others, None, "vi", "")
        for n in range(people)
    ]
    told = People(directory, {CHANNEL: AddressKind.PHONE}, lambda *_: True)
    with closing(told):
        told.roster.take(entries, CHANNEL, "soak", now_ms(), dry_run=False)


def memory_mib(service: Service) -> float:
    assert service.process is not None
    text = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def soak(directory: Path, people: int, follow: int, rate_per_s: float) -> list[str]:
    """What was wrong."""
    with ExitStack() as ends:
        (directory / "mosquitto").mkdir()
        broker = Mosquitto(directory / "mosquitto", _free_port(), BROKER)
        broker.start()
        ends.callback(broker.stop)
        gateway = ends.enter_context(serving(Gateway()))
        settings = {
            "MQTT__URL": broker.url,
            "DATA__DIR": str(directory / "data"),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            "FARMERS__GROUP_S": "5",
            f"CHANNEL__{CHANNEL.upper()}__KIND": "webhook",
            f"CHANNEL__{CHANNEL.upper()}__URL": gateway.url,
            f"CHANNEL__{CHANNEL.upper()}__SECRET": "0123456789abcdef-of-a-test",
            f"CHANNEL__{CHANNEL.upper()}__RATE_PER_S": str(rate_per_s),
        }
        populate(directory / "data", people, follow)
        service = Service(directory / "service", settings)
        ends.callback(service.reap)
        service.start()
        eventually(lambda: service.ready, "ready", 60)
        screen = Screen(service, broker.url)
        with screen.watching():
            eventually(lambda: len(screen.late_s.get("at rest", ())) >= 50, "shown", 60)
            before_mib = memory_mib(service)
            looks = _event(service, broker, screen, follow / rate_per_s)
        wrong = _told_once(gateway, follow, rate_per_s)
        wrong += _as_ever(screen, memory_mib(service) - before_mib)
        if sorted(looks, reverse=True) != looks or len(set(looks)) < min(5, follow / rate_per_s):
            wrong.append(f"officers did not see how far it was: {looks}")
        if service.stop() != 0:
            wrong.append("it did not end well")
    return wrong


def _event(service: Service, broker: Mosquitto, screen: Screen, expected_s: float) -> list[int]:
    """Salt at an intake; what officers are shown of those that wait, until none does."""
    token, topic = service.token("operator"), salinity_topic("xuan-hoa", "xh-01")
    screen.phase = "while told"
    for seq, (g_l, ago_ms) in enumerate(((1.2, 10 * MINUTE_MS), (1.3, 3000)), 1):
        publish(broker.url, topic, obs({"t": now_ms() - ago_ms, "sal_g_l": g_l}, boot=9, seq=seq))
    begun_s, looks = time.monotonic(), list[int]()

    def events() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.get("/api/v1/telling/events", token).json()["items"]
        return [each for each in found if each["kind"] == "salt"]

    eventually(events, "officers see the event", 60)
    while not looks or looks[-1]:
        [event] = events()
        looks.append(event["waiting"] + event["put_off"])
        if time.monotonic() - begun_s > 60 + 4 * expected_s:
            break
        time.sleep(LOOK_S)
    tell(f"all told after {time.monotonic() - begun_s:.0f} s; {expected_s:.0f} s by the rate alone")
    return looks


def _told_once(gateway: Gateway, follow: int, rate_per_s: float) -> list[str]:
    # A list is welcomed meanwhile, behind what warns.
    warned = [each for each in gateway.accepted if not each.key.startswith("welcome-")]
    times = Counter(each.to for each in warned)
    wrong = []
    if len(times) != follow or set(times.values()) != {1}:
        wrong.append(f"{len(times)} of {follow} were told, {len(warned)} times in all")
    if len(warned) < 2:
        return wrong
    took_s = warned[-1].at_s - warned[0].at_s
    tell(f"{len(warned) / took_s:.0f} warnings/s of {rate_per_s:g}")
    if len(warned) / took_s > 1.05 * rate_per_s:
        wrong.append("faster than the gateway is to be asked")
    return wrong


def _as_ever(screen: Screen, grown_mib: float) -> list[str]:
    wrong = []
    for phase, late_s in screen.late_s.items():
        last = sorted(late_s)[int(0.99 * len(late_s))]
        tell(f"readings to a screen {phase}: {len(late_s)}, p99 {1000 * last:.0f} ms")
        if last > SHOWN_WITHIN_S:
            wrong.append(f"a reading took {last:.1f} s to a screen {phase}")
    tell(f"memory grew by {grown_mib:.0f} MiB")
    if grown_mib > GROWS_MIB:
        wrong.append(f"memory grew by {grown_mib:.0f} MiB")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--follow", type=int, default=5_000)
    parser.add_argument("--rate", type=float, default=100.0)
    asked = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    wrong = soak(directory, asked.people, asked.follow, asked.rate)
    for each in wrong:
        tell(f"WRONG {each}")
    if wrong:
        tell(f"logs are kept in {directory}")
    else:
        shutil.rmtree(directory)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
