"""A start with very much that waits: rows of the outbox, and deliveries.

    python -m tests.soak.telling --waiting 100000

Three starts of one service: with nothing, with so many rows of the outbox that were never planned
(each of another person), and with as many deliveries that wait for a gateway that is away. Neither
of these may make it ready later than the first did, readings must reach a screen as ever while the
rows are planned, and memory stays bounded. Exit code 1 otherwise.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alerts.farmers import outbox
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.place import Place
from ingest.store import Store
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import Service, eventually, now_ms
from tests.soak.soak import tell
from tests.soak.tellstand import CHANNEL, SHOWN_WITHIN_S, Screen, memory_mib, populate

LATER_S = 2.0
"""By the clock and by the processor's time both: the one alone tells of a busy machine, and in the
other there is what was planned meanwhile."""

GROWS_MIB = 100.0
SEEN = 50
AGO_MS = 60_000
PLANNED_WITHIN_S = 600.0


@dataclass
class Life:
    """What one start took.

    ready_s, cpu_s : until it was ready, by the clock and of the processor
    high_mib : the most memory; rows_per_s : what was planned
    """

    ready_s: float = 0.0
    cpu_s: float = 0.0
    high_mib: float = 0.0
    rows_per_s: float = 0.0


def started_with(directory: Path, waiting: int) -> list[str]:
    """What was wrong."""
    with ExitStack() as ends:
        (directory / "mosquitto").mkdir()
        broker = Mosquitto(directory / "mosquitto", _free_port(), BROKER)
        broker.start()
        ends.callback(broker.stop)
        name = CHANNEL.upper()
        settings = {
            "MQTT__URL": broker.url,
            "DATA__DIR": str(directory / "data"),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            "FARMERS__GROUP_S": "5",
            f"CHANNEL__{name}__KIND": "webhook",
            f"CHANNEL__{name}__URL": f"http://127.0.0.1:{_free_port()}/",
            f"CHANNEL__{name}__SECRET": "0123456789abcdef-of-a-test",
            f"CHANNEL__{name}__BUDGET_PER_MONTH": str(10 * waiting),
        }
        populate(directory / "data", waiting, waiting)
        # A welcome to each is another load, which comes some hundred a minute.
        with closing(sqlite3.connect(directory / "data" / "farmers.sqlite")) as people, people:
            people.execute("UPDATE contact SET owed = ''")
        service = Service(directory / "service", settings)
        ends.callback(service.reap)
        screen = Screen(service, broker.url)
        # The very first start is another matter: there is no session at the broker, and no file.
        _life(service, screen, "on an empty directory", 0)
        first = _life(service, screen, "with nothing", 0)
        _write(directory / "data" / "store.sqlite", waiting)
        planning = _life(service, screen, f"with {waiting} rows of the outbox", waiting)
        queued = _life(service, screen, f"with {waiting} deliveries", waiting)
    return _wrong(first, planning, queued, screen)


def _life(service: Service, screen: Screen, phase: str, waiting: int) -> Life:
    """Start, wait until nothing is to be planned, look at readings, and stop."""
    life, screen.phase = Life(), phase
    begun_s = time.monotonic()
    service.start()
    eventually(lambda: service.ready, f"ready {phase}", 60)
    life.ready_s, life.cpu_s = time.monotonic() - begun_s, _cpu_s(service)
    left = _unplanned(service)
    with screen.watching(), _memory(service, life):
        eventually(lambda: _unplanned(service) == 0, f"all planned {phase}", PLANNED_WITHIN_S)
        taken_s = time.monotonic() - begun_s - life.ready_s
        eventually(lambda: _queued(service) >= waiting, f"all made {phase}", PLANNED_WITHIN_S)
        planned_s = time.monotonic() - begun_s - life.ready_s
        eventually(lambda: len(screen.late_s.get(phase, ())) >= SEEN, f"shown {phase}", 60)
    if left:
        life.rows_per_s = waiting / planned_s
        tell(f"{left} rows were to be taken when it was ready; taken after {taken_s:.0f} s, "
             f"planned after {planned_s:.0f} s")  # fmt: skip
    if service.stop() != 0:
        raise AssertionError(f"it did not end well {phase}")
    return life


def _unplanned(service: Service) -> int:
    return round(service.metrics()["songtien_telling_unplanned"])


def _queued(service: Service) -> int:
    return round(service.metrics()[f"songtien_telling_waiting/{CHANNEL}"])


def _cpu_s(service: Service) -> float:
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _memory(service: Service, life: Life) -> Iterator[None]:
    end = threading.Event()

    def look() -> None:
        while not end.wait(0.2):
            life.high_mib = max(life.high_mib, memory_mib(service))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _write(store_file: Path, waiting: int) -> None:
    """What a service has told nobody of that was killed, or whose disk was full, at that moment."""
    at_ms = now_ms() - AGO_MS
    body = {"place_vi": "Cống Xuân Hòa", "figure_g_l": 1.2, "figure_ms": at_ms, "flag": 1}
    salt = Notice(
        Kind.SALT, Place("xuan-hoa", "river"), 500, at_ms, at_ms - AGO_MS, "soak", "", body
    )
    followers = [(person, CHANNEL) for person in range(1, waiting + 1)]
    with closing(Store(store_file)) as store, store.transaction() as connection:
        outbox.write(connection, [(salt, followers)])


def _wrong(first: Life, planning: Life, queued: Life, screen: Screen) -> list[str]:
    wrong = []
    names = ("with nothing", "with rows of the outbox", "with deliveries")
    for name, life in zip(names, (first, planning, queued), strict=True):
        tell(
            f"ready {life.ready_s:.1f} s after its start {name}, {life.cpu_s:.1f} s of the "
            f"processor; at most {life.high_mib:.0f} MiB"
        )
        if min(life.ready_s - first.ready_s, life.cpu_s - first.cpu_s) > LATER_S:
            wrong.append(f"the start was delayed {name}: {life.ready_s:.1f} s")
        if life.high_mib > first.high_mib + GROWS_MIB:
            wrong.append(f"{life.high_mib - first.high_mib:.0f} MiB more {name}")
    tell(f"{planning.rows_per_s:.0f} rows planned a second")
    for phase, late_s in screen.late_s.items():
        last = sorted(late_s)[int(0.99 * len(late_s))]
        tell(f"readings to a screen {phase}: {len(late_s)}, p99 {1000 * last:.0f} ms")
        if last > SHOWN_WITHIN_S:
            wrong.append(f"a reading took {last:.1f} s to a screen {phase}")
    return wrong
