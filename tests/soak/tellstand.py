"""What the soaks of telling stand on: people in a file, and a screen that is looked at."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from alerts.farmers.notice import USUAL
from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from alerts.farmers.roll import Entry
from api.people.addresses import AddressKind
from api.people.people import People
from tests.e2e.running import Service, eventually, now_ms, obs, salinity_topic
from tests.faults.publishing import Publisher

CHANNEL = "loa"
EVERY_S = 0.1
SHOWN_WITHIN_S = 1.0
"""A reading takes some 10 ms to a screen; a machine that is busy with others takes its time."""


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
