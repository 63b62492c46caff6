"""`kill -9` at 50 random moments of a replay: also while it starts, and while it recovers."""

import random
import secrets
import time

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs, ready_again
from tests.faults.forked import ForkedService
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 50
ROUNDS = 250
PROBES, CAMERAS = 8, 2
STARTING_S = (0.05, 0.6)
"""From the start of a process to its death; it opens its doors after about as long."""
SERVING_S = (0.0, 0.4)
"""From the opening of its doors to its death, in every second life."""
SPREAD_S = 40.0
"""For so long the feed goes on beside the deaths; each life has its share of it."""


def test_fifty_deaths_in_one_replay(serving: Serving, broker: Mosquitto) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails: the same deaths again
    draw = random.Random(seed)
    feed = feeds.river(
        seed,
        end_ms=now_ms() - 60_000,
        rounds=ROUNDS,
        probes=PROBES,
        cameras=CAMERAS,
        poison=0.1,
        reboots=True,
    )
    registry = feeds.registry(PROBES, CAMERAS)
    expected = oracle.content(feed, registry)
    service = serving(PROBES, CAMERAS, ForkedService)
    assert isinstance(service, ForkedService)
    service.start()
    eventually(lambda: service.ready, "ready")
    alive = []
    with Publisher(broker.url, pairs(feed), SPREAD_S) as publisher:
        for _ in range(KILLS):
            service.kill()
            service.launch()
            if draw.random() < 0.5:
                eventually(lambda: service.serving, "serving")
                time.sleep(draw.uniform(*SERVING_S))  # the moment is what is tested
            else:
                time.sleep(draw.uniform(*STARTING_S))
            alive.append(service.serving)
        service.kill()
        begun_s = time.monotonic()
        service.start()
        ready_s = ready_again(service, begun_s)
        eventually(lambda: publisher.done, "all acknowledged by the broker", 60)
    all_stored(service, expected)
    assert sum(alive) > KILLS // 5, "some lives served before they died"
    as_sent(service, expected, undisturbed(feed, registry, begun_ms=now_ms()))
    figures(
        f"seed {seed}: killed {KILLS + 1} times ({sum(alive)} while it served), "
        f"{expected.samples} samples, ready {ready_s:.1f} s after the last start"
    )
