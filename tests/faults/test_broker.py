"""The broker killed under load: with what it has saved, and without any of it.

The service's session may be gone then, message ids start again, and what the broker has
acknowledged is lost; the gateway sends what `ack` has not covered.
"""

import secrets
import time

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs, ready_again
from tests.faults.sender import Gateway
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow]

PROBES, CAMERAS = 6, 2
ROUNDS = 60
KILLED_AT = (0.2, 0.5, 0.8)
"""Shares of the feed that are on their way when the broker dies."""

RATE_PER_S = 120.0


@pytest.mark.parametrize("kept", [True, False], ids=["state-kept", "state-gone"])
def test_killed_under_load(serving: Serving, broker: Mosquitto, kept: bool) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails
    feed = feeds.river(
        seed,
        end_ms=now_ms() - 60_000,
        rounds=ROUNDS,
        probes=PROBES,
        cameras=CAMERAS,
        poison=0.1,
    )
    registry = feeds.registry(PROBES, CAMERAS)
    expected = oracle.content(feed, registry)
    _log_subscriptions(broker)
    service = serving(PROBES, CAMERAS)
    service.start()
    eventually(lambda: service.ready, "ready")
    ready_s = []
    with Gateway(broker.url, pairs(feed), rate_per_s=RATE_PER_S) as gateway:
        for share in KILLED_AT:
            eventually(lambda share=share: gateway.first >= share * len(feed), f"{share} sent", 60)  # type: ignore[misc]
            before = _subscriptions(broker, service)
            broker.kill()
            if not kept:
                (broker.directory / "mosquitto.db").unlink(missing_ok=True)
            broker.start()
            begun_s = time.monotonic()
            eventually(lambda n=before: _subscriptions(broker, service) > n, "subscribed anew", 30)  # type: ignore[misc]
            ready_s.append(ready_again(service, begun_s))
        eventually(lambda: gateway.settled, "all covered", 60)
        assert gateway.again, "something was sent again"
        sent = gateway.first, gateway.again, gateway.connections
    assert sent[0] == len(feed)
    all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, registry, begun_ms=now_ms()))
    counted = service.metrics()
    figures(
        f"state {'kept' if kept else 'gone'}, killed {len(KILLED_AT)} times: {sent[0]} messages, "
        f"{sent[1]} sent again over {sent[2]} connections, {expected.samples} samples, "
        f"{counted['songtien_samples_total/duplicate']:.0f} duplicates, "
        f"ready after {max(ready_s):.1f} s at most"
    )


def _log_subscriptions(broker: Mosquitto) -> None:
    broker.stop()
    broker.extra += "log_type subscribe\nlog_type notice\nlog_type error\nlog_type warning\n"
    broker.start()


def _subscriptions(broker: Mosquitto, service: Service) -> int:
    log = (broker.directory / "mosquitto.log").read_text()
    return log.count(f"{service.settings['MQTT__CLIENT_ID']} 1 {feeds.ROOT}/v1/#")
