"""InfluxDB away, killed, and the service killed while it copies: in the end all is there, once."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs
from tests.faults.forked import ForkedService
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import undisturbed
from tests.influx.proxy import FaultProxy
from tests.influx.servers import MISSING, InfluxServer

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(240)]

PROBES, CAMERAS = 6, 2
REGISTRY = feeds.registry(PROBES, CAMERAS)
DRAINED_WITHIN_S = 120.0
"""After a long outage it looks for InfluxDB once in up to a minute."""


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxServer]:
    """Not started: the test says when."""
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path / "influx")
    yield server
    server.stop()


def _feed(rounds: int) -> list[feeds.Sent]:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails
    return feeds.river(seed, end_ms=now_ms() - 60_000, rounds=rounds, poison=0.1, reboots=True)


def _drained(service: Service) -> bool:
    found = service.metrics()
    return not found["songtien_historian_backlog_entries"] and (
        found["songtien_historian_last_success_timestamp_seconds"] > 0
    )


def _copied(service: Service, influx: InfluxServer, expected: oracle.Content) -> None:
    """InfluxDB holds what the feed says, and the flags that the store has."""
    kinds = ("salinity", "traffic", "river", "bridge")
    rows = [row for kind in kinds for row in influx.query(f"SELECT * FROM {kind}")]
    points = list(oracle.influx_content(rows))
    sent = {key: value for key, value, _ in points if not oracle.formed(key[0])}
    found = oracle.values_differ(expected.values, sent)
    assert not found, f"InfluxDB: {found}"
    flags = {key: flag for key, (flag, _) in oracle.flags_in(service.data).items()}
    assert {key: flag for key, _, flag in points} == flags
    assert service.counted("historian_points_refused_total") == 0


def test_away_for_the_whole_replay_and_then_back(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    feed = _feed(rounds=150)
    expected = oracle.content(feed, REGISTRY)
    service = serving(PROBES, CAMERAS, STORE__URL=influx.url)
    service.start()
    eventually(lambda: service.ready, "ready without InfluxDB: readings flow")
    with Publisher(broker.url, pairs(feed), 10.0):
        all_stored(service, expected)
    found = service.metrics()
    assert found["songtien_historian_trouble"] == 1
    assert found["songtien_historian_backlog_entries"] > 0
    assert found["songtien_historian_points_written_total"] == 0
    assert service.ready
    influx.start()
    begun_s = time.monotonic()
    eventually(lambda: _drained(service), "all is in InfluxDB", DRAINED_WITHIN_S)
    took_s = time.monotonic() - begun_s
    _copied(service, influx, expected)
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
    figures(
        f"InfluxDB away for the whole replay of {expected.samples} samples: "
        f"all there {took_s:.1f} s after it came back"
    )


def test_both_killed_while_it_copies_through_a_bad_network(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    feed = _feed(rounds=150)
    expected = oracle.content(feed, REGISTRY)
    influx.start()
    proxy = FaultProxy(influx, seed=5)
    try:
        proxy.passing_faults(0.3)
        service = serving(PROBES, CAMERAS, ForkedService, STORE__URL=proxy.url)
        service.start()
        eventually(lambda: service.ready, "ready")
        with Publisher(broker.url, pairs(feed), 20.0) as publisher:
            for _ in range(4):
                written = _written(influx)
                eventually(lambda n=written: _written(influx) > n, "it copies", 60)  # type: ignore[misc]
                influx.kill()
                service.kill()
                influx.start()
                service.start()
                written = _written(influx)
                eventually(lambda n=written: _written(influx) > n, "it copies again", 60)  # type: ignore[misc]
                service.kill()
                service.start()
            eventually(lambda: publisher.done, "acknowledged by the broker", 60)
        all_stored(service, expected)
        proxy.mode("pass")
        eventually(lambda: _drained(service), "all is in InfluxDB", DRAINED_WITHIN_S)
        _copied(service, influx, expected)
        as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
        figures(f"InfluxDB killed 4 times, the service 8 times; the network did {proxy.counts}")
    finally:
        proxy.close()


def _written(influx: InfluxServer) -> int:
    """Points in InfluxDB, by the probes' time of observation."""
    rows = influx.query("SELECT count(salinity_g_l) FROM salinity")
    return int(rows[0]["count"]) if rows else 0
