"""The network between service and broker: cut, stopped, and swallowing everything.

The gateway is on the broker's side, and goes on: what the service misses waits in its
session at the broker.
"""

import secrets
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, is_ready, pairs, ready_again
from tests.faults.sender import Gateway
from tests.faults.undisturbed import undisturbed
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.slow]

PROBES, CAMERAS = 6, 2
ROUNDS = 60
RATE_PER_S = 120.0


@pytest.fixture
def relay(broker: Mosquitto) -> Iterator[Relay]:
    """The cable between service and broker."""
    cable = Relay(broker.port)
    yield cable
    cable.close()


def _through(
    serving: Serving,
    broker: Mosquitto,
    relay: Relay,
    fault: Callable[[Service, Gateway, int], None],
    rounds: int = ROUNDS,
) -> str:
    """Feed a service behind the relay while faults happen; what was measured, in words."""
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails
    feed = feeds.river(
        seed,
        end_ms=now_ms() - 60_000,
        rounds=rounds,
        probes=PROBES,
        cameras=CAMERAS,
        poison=0.1,
    )
    registry = feeds.registry(PROBES, CAMERAS)
    expected = oracle.content(feed, registry)
    service = serving(PROBES, CAMERAS, MQTT__URL=f"mqtt://127.0.0.1:{relay.port}")
    service.start()
    eventually(lambda: service.ready, "ready")
    with Gateway(broker.url, pairs(feed), rate_per_s=RATE_PER_S, heeds_lost=False) as gateway:
        fault(service, gateway, len(feed))
        eventually(lambda: gateway.settled, "all covered", 60)
    all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, registry, begun_ms=now_ms()))
    duplicates = service.metrics()["songtien_samples_total/duplicate"]
    return f"{expected.samples} samples, {duplicates:.0f} duplicates"


def test_cut_and_healed_several_times(serving: Serving, broker: Mosquitto, relay: Relay) -> None:
    ready_s: list[float] = []

    def cut(service: Service, gateway: Gateway, count: int) -> None:
        for share in (0.1, 0.3, 0.5, 0.7):
            eventually(lambda share=share: gateway.first >= share * count, f"{share} sent", 60)  # type: ignore[misc]
            before = gateway.first
            relay.cut()
            eventually(lambda: not is_ready(service), "not ready while it is cut")
            eventually(lambda n=before: gateway.first > n + 20, "the gateway goes on", 30)  # type: ignore[misc]
            relay.mend()
            ready_s.append(ready_again(service, time.monotonic()))

    said = _through(serving, broker, relay, cut)
    assert relay.connections == 1 + len(ready_s)
    figures(f"cut {len(ready_s)} times: {said}, ready after {max(ready_s):.1f} s at most")


def test_stopped_for_a_while_nothing_has_happened(
    serving: Serving, broker: Mosquitto, relay: Relay
) -> None:
    def stop(service: Service, gateway: Gateway, count: int) -> None:
        eventually(lambda: gateway.first >= 0.3 * count, "some sent", 60)
        relay.hold()
        before = gateway.first
        eventually(lambda: gateway.first > before + 200, "the gateway goes on", 30)
        relay.mend()
        ready_again(service, time.monotonic())

    said = _through(serving, broker, relay, stop)
    assert relay.connections == 1, "no link was given up"
    figures(f"stopped once: {said}")


@pytest.mark.parametrize("heals", ["at-once", "noticed-first"])
def test_a_way_that_forgets_its_connections(
    serving: Serving, broker: Mosquitto, relay: Relay, heals: str
) -> None:
    """Half open: neither end is told anything, and what is sent is swallowed."""
    ready_s: list[float] = []
    noticed_s: list[float] = []

    def swallow(service: Service, gateway: Gateway, count: int) -> None:
        eventually(lambda: gateway.first >= 0.3 * count, "some sent", 60)
        begun_s = time.monotonic()
        relay.swallow()
        eventually(lambda: relay.swallowed_bytes > 1_000, "messages are swallowed")
        mended_s = time.monotonic()
        if heals == "at-once":
            relay.mend()  # for new connections: the one before stays half open
        eventually(lambda: not is_ready(service), "it is noticed", 30)
        noticed_s.append(time.monotonic() - begun_s)
        if heals == "noticed-first":
            mended_s = time.monotonic()
            relay.mend()
        ready_s.append(ready_again(service, mended_s))

    said = _through(serving, broker, relay, swallow)
    figures(
        f"half open, healed {heals}: noticed after {noticed_s[0]:.1f} s, "
        f"ready after {ready_s[0]:.1f} s, {said}"
    )
