"""The disk under the data directory is full, and then it isn't: a small file system of its own."""

import time
from dataclasses import dataclass

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, messages_in, pairs, readings_in, ready_again
from tests.faults.publishing import Publisher
from tests.faults.sender import Gateway
from tests.faults.smalldisk import SmallDisk
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ROUNDS = 150
HELD_S = 6.0
"""Longer than from one `ack` to the next, and a few of its attempts to write."""

REGISTRY = feeds.registry(6, 2)


@dataclass(frozen=True)
class Half:
    """A service on a small disk that has stored the first half of a feed."""

    service: Service
    feed: list[feeds.Sent]
    rest: list[feeds.Sent]
    expected: oracle.Content


@pytest.fixture
def half(disk: SmallDisk, serving: Serving, broker: Mosquitto) -> Half:
    feed = feeds.river(31, end_ms=now_ms() - 60_000, rounds=ROUNDS, poison=0.1)
    first, rest = feed[: len(feed) // 3], feed[len(feed) // 3 :]
    service = serving(DATA__DIR=str(disk.path / "data"))
    service.start()
    eventually(lambda: service.ready, "ready")
    with Publisher(broker.url, pairs(first), 0.0):
        all_stored(service, oracle.content(first, REGISTRY))
    return Half(service, feed, rest, oracle.content(feed, REGISTRY))


def _refuses(service: Service) -> bool:
    """The journal does: while only the store is full, messages are still taken and kept."""
    reasons = service.get("/readyz").json().get("reasons", ())
    return any(reason["code"] == "journal" for reason in reasons)


def _stays_full(service: Service, disk: SmallDisk) -> None:
    """Fill it, until the journal refuses and the service itself has given back nothing for long.

    It does at first, where it empties one of its logs: that room is real, and is taken. What it
    says of itself is small, and may later still fit into what the journal's file has already.
    """
    disk.fill()
    eventually(lambda: _refuses(service), "it says that the journal refuses", 30)
    last_s = time.monotonic()

    def quiet() -> bool:
        nonlocal last_s
        if disk.fill() or not _refuses(service):
            last_s = time.monotonic()
        return time.monotonic() > last_s + HELD_S

    eventually(quiet, "nothing comes free any more", 60)


def _as_undisturbed(half: Half) -> None:
    all_stored(half.service, half.expected)
    as_sent(half.service, half.expected, undisturbed(half.feed, REGISTRY, begun_ms=now_ms()))


def test_a_full_disk_acknowledges_nothing_and_freed_it_goes_on(
    half: Half, disk: SmallDisk, broker: Mosquitto
) -> None:
    """The gateway's buffer stays as full as the disk, and empties when there is room again."""
    service = half.service
    with Gateway(broker.url, pairs(half.rest)) as gateway:
        _stays_full(service, disk)
        assert service.get("/healthz").status_code == 200
        eventually(lambda: gateway.exhausted, "all is sent", 30)
        # What was stored before has its `ack` by now.
        uncovered, acks, taken = gateway.uncovered, gateway.acks, messages_in(service.data)
        assert uncovered
        held_s = time.monotonic() + HELD_S
        eventually(lambda: time.monotonic() > held_s, "it is full for a while longer")
        assert messages_in(service.data) == taken, "nothing was taken"
        assert gateway.uncovered == uncovered, "nothing was acknowledged"
        service.metrics()  # asserts that the accounting is exact
        freed_s = disk.free()
        ready_s = ready_again(service, freed_s)
        eventually(lambda: gateway.settled, "the gateway has nothing left to send", 60)
        assert gateway.acks > acks
    _as_undisturbed(half)
    figures(f"disk full: ready {ready_s:.1f} s after there was room")


def test_killed_on_a_full_disk_it_starts_when_there_is_room_and_has_everything(
    half: Half, disk: SmallDisk, broker: Mosquitto
) -> None:
    """Each message is sent once, so what had been acknowledged in vain would be missing."""
    service = half.service
    disk.fill()
    with Publisher(broker.url, pairs(half.rest), 0.0) as publisher:
        eventually(lambda: publisher.done, "the broker has everything")
        eventually(lambda: _refuses(service), "it says that the journal refuses", 30)
    service.kill()
    disk.fill()
    stored = readings_in(service.data)
    service.launch()
    assert service.process is not None
    assert service.process.wait(30) == 1, "it can't begin, and says so"
    service.process = None
    assert "full" in service.said().splitlines()[-1]
    assert "Traceback" not in service.said()
    assert readings_in(service.data) == stored
    disk.free()
    service.start()
    eventually(lambda: service.ready, "ready")
    _as_undisturbed(half)
