"""The service's clock stepped back and forth under it, as by a bad time server or battery.

libfaketime answers the process when it asks the kernel for the time of day, with the offset
that stands in a file; its monotonic clock goes on as it was. https://github.com/wolfcw/libfaketime
"""

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import SONGTIEN, Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs, readings_in, ready_again
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow]

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
ROUNDS = 120
REGISTRY = feeds.registry(6, 2)
STEPS_S = (1200, -1200, 0)
"""Offsets from the true time, one after the other."""


def test_stepped_back_and_forth(serving: Serving, broker: Mosquitto, tmp_path: Path) -> None:
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed: apt-get install faketime")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    feed = feeds.river(21, end_ms=now_ms() - 60_000, rounds=ROUNDS, poison=0.1)
    expected = oracle.content(feed, REGISTRY)
    service = serving()
    faked = [
        f"LD_PRELOAD={LIBRARIES[0]}",
        f"FAKETIME_TIMESTAMP_FILE={offset}",
        "FAKETIME_CACHE_DURATION=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "NO_FAKE_STAT=1",
    ]
    service.command = ["env", *faked, *SONGTIEN, "serve"]
    service.start()
    eventually(lambda: service.ready, "ready")
    parts = len(STEPS_S) + 1
    cuts = [len(feed) * n // parts for n in range(parts + 1)]
    took_s: list[float] = []
    for part, step_s in enumerate((0, *STEPS_S)):
        if part:
            offset.write_text(f"{step_s:+d}")
            stepped_s = time.monotonic()
            eventually(lambda step_s=step_s: _has_time(service, step_s), "the clock has stepped")  # type: ignore[misc]
            took_s.append(ready_again(service, stepped_s))
        _send(service, broker, feed[cuts[part] : cuts[part + 1]])
    all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
    figures(f"clock {STEPS_S} s: ready again after {max(took_s):.1f} s at most")


def _has_time(service: Service, offset_s: int) -> bool:
    """By the Date that its HTTP server writes, which it renews once a second."""
    told_s = parsedate_to_datetime(service.get("/healthz").headers["date"]).timestamp()
    return abs(told_s - time.time() - offset_s) < 10


def _send(service: Service, broker: Mosquitto, feed: list[feeds.Sent]) -> None:
    before = readings_in(service.data)
    with Publisher(broker.url, pairs(feed), 0.5) as publisher:
        eventually(lambda: publisher.done, "acknowledged by the broker")
        eventually(lambda: readings_in(service.data) > before, "stored")
