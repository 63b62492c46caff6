"""The service's test of itself, the whole way: a real broker, a real target of heartbeats."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.journal import Config, Journal
from songtien.settings import DEFAULTS
from tests.conftest import MOSQUITTO, Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import (
    Service,
    eventually,
    figures,
    now_ms,
    obs,
    publish,
    salinity_topic,
)
from tests.simulators.listener import listening
from tests.songtien.targets import Target, target

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ALERT = "tiengiang/v1/alerts/songtien-self-test/songtien/self-test"
TEST, FAILED = "songtien-self-test", "songtien-self-test-failed"
DENIED = f"""user songtien
topic readwrite #
topic deny {ALERT}
"""


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto that a test may stop, with another configuration when it starts again."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    directory = tmp_path / "mosquitto"
    directory.mkdir()
    running = Mosquitto(directory, _free_port(), BROKER)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def beaten() -> Iterator[Target]:
    with target() as server:
        yield server


@pytest.fixture
def service(own_broker: Mosquitto, beaten: Target, tmp_path: Path) -> Iterator[Service]:
    """One whose data directory is an hour old and whose daily test has been due since."""
    (tmp_path / "heartbeat").write_text(f"{beaten.url}/ping/0c5a\n")
    data = tmp_path / "data"
    data.mkdir()
    journal = Journal(data / "journal.sqlite", lambda: now_ms() - 3_600_000)
    stations, rules = (DEFAULTS / name for name in ("stations.toml", "rules.toml"))
    journal.append(Config(stations.read_text("utf-8"), rules.read_text("utf-8"), 30.0))
    journal.close()
    due = datetime.now(UTC) + timedelta(hours=7, minutes=-1)
    made = Service(
        tmp_path,
        {
            "MQTT__URL": own_broker.url,
            "MQTT__USERNAME": "songtien",
            "DATA__DIR": str(data),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            "WATCH__SELF_TEST_AT": due.strftime("%H:%M"),
            "WATCH__HEARTBEAT_URL_FILE": str(tmp_path / "heartbeat"),
            "WATCH__HEARTBEAT_S": "1",
        },
    )
    yield made
    made.reap()


def told(service: Service) -> list[tuple[str, str]]:
    """(type, rule) of what the service has said of itself, in order; not of its devices."""
    try:
        events = service.alert_events()
    except sqlite3.OperationalError:  # the store is not made yet
        return []
    return [
        (event["type"], event["alert"]["rule"])
        for event in events
        if event["alert"]["ask"] == "notice" and "members" not in event["alert"]
    ]


def passed(service: Service) -> bool:
    return service.metrics()["songtien_self_test_last_success_timestamp_seconds"] > 0


def once_each(service: Service) -> None:
    """Every alert of the service itself: raised once, cleared once at most, no version twice."""
    lives: dict[str, list[dict[str, Any]]] = {}
    for event in service.alert_events():
        if event["alert"]["ask"] == "notice":
            lives.setdefault(event["id"], []).append(event)
    for life in lives.values():
        times = Counter(event["type"] for event in life)
        assert times["raised"] == 1
        assert times["cleared"] <= 1
        assert [event["alert"]["ver"] for event in life] == list(range(1, len(life) + 1))


def block(broker: Mosquitto, *, denied: bool) -> None:
    """Start the broker again with, or without, the alert's topic forbidden to everybody."""
    broker.stop()
    rules = broker.directory / "acl"
    rules.write_text(DENIED)
    rules.chmod(0o600)
    # Without a bound, mosquitto 2.0.11 hangs up on whoever publishes what it denies.
    bound = "max_queued_messages 100000\n"
    broker.extra = BROKER + bound + (f"acl_file {rules}\n" if denied else "")
    broker.start()


def test_a_test_passes_the_whole_way_and_the_heart_beats(
    service: Service, own_broker: Mosquitto, beaten: Target
) -> None:
    async def heard() -> list[bytes]:
        """What stands on the alert's topic, from the start of the service to its test."""
        async with listening(own_broker.url, ALERT) as screen:
            await asyncio.to_thread(service.start)
            await screen.until(lambda: len(screen.messages) >= 2)
            return [body for _, body, _ in screen.messages]

    bodies = asyncio.run(heard())
    alert = json.loads(bodies[0])
    assert (alert["test"], alert["severity"], alert["state"]) == (True, "info", "unacked")
    assert alert["message_vi"].startswith("Kiểm tra hằng ngày")
    assert bodies[1:] == [b""]
    eventually(lambda: passed(service), "passed")
    eventually(lambda: len(beaten.asked) >= 3, "heartbeats")
    assert set(beaten.asked) == {"/ping/0c5a"}
    assert told(service) == [("raised", TEST), ("cleared", TEST)]
    took_ms = service.alert_events()[-1]["alert"]["t_cleared"] - alert["t_since"]
    assert took_ms < 10_000
    assert service.get("/api/v1/alerts", state="active").json()["items"] == []
    kept = service.get(f"/api/v1/alerts/{alert['id']}").json()
    assert [entry["type"] for entry in kept["timeline"]] == ["raised", "cleared"]
    assert service.metrics()["songtien_heartbeats_failed_total"] == 0

    own_broker.stop()
    eventually(lambda: not service.ready, "not ready")
    eventually(lambda: _pauses(beaten), "no heartbeat while it is not ready", 30)
    own_broker.start()
    eventually(lambda: service.ready, "ready again", 60)
    resumed = len(beaten.asked)
    eventually(lambda: len(beaten.asked) > resumed, "the heart beats again")

    assert service.stop() == 0
    service.start()
    eventually(lambda: service.ready, "ready")
    beats = len(beaten.asked)
    eventually(lambda: len(beaten.asked) >= beats + 2, "what has passed counts after a restart")
    assert passed(service)
    assert told(service) == [("raised", TEST), ("cleared", TEST)]
    assert "0c5a" not in service.stderr.read_text()
    figures(f"the way of a test alert took {took_ms} ms from due to cleared")


def _pauses(beaten: Target) -> bool:
    """Whether three seconds, of a heart that beats every second, bring nothing."""
    before = len(beaten.asked)
    try:
        eventually(lambda: len(beaten.asked) > before, "a beat", within_s=3.0)
    except AssertionError:
        return True
    return False


def test_an_alert_that_reaches_nobody_stops_the_heart_and_is_told(
    service: Service, own_broker: Mosquitto, beaten: Target
) -> None:
    block(own_broker, denied=True)
    service.start()
    eventually(lambda: ("raised", TEST) in told(service), "the test alert is raised", 30)
    eventually(lambda: ("raised", FAILED) in told(service), "told", 90)
    (failed,) = (
        item
        for item in service.get("/api/v1/alerts", state="active").json()["items"]
        if item["rule"] == FAILED
    )
    assert "did not reach its recipient" in failed["detail"]
    assert service.ready, "readings do flow"
    assert service.metrics()["songtien_self_test_failed"] == 1
    eventually(lambda: _pauses(beaten), "no heartbeat", 30)

    service.kill()
    service.start()
    eventually(lambda: service.ready, "ready")
    assert _pauses(beaten), "nor in the next life"
    block(own_broker, denied=False)
    eventually(lambda: passed(service), "a new link, a new test", 120)
    beats = len(beaten.asked)
    eventually(lambda: len(beaten.asked) > beats, "the heart beats")
    assert told(service).count(("raised", FAILED)) == 1
    eventually(lambda: told(service)[-1] == ("cleared", FAILED), "and that is told", 10)
    once_each(service)


def test_a_historian_that_refuses_is_told_of_once_and_over_a_kill(
    service: Service, own_broker: Mosquitto
) -> None:
    behind, trouble = "songtien-historian-behind", "songtien-historian-trouble"
    with target() as influx:
        influx.status = 401
        address = influx.url.replace("http:", "influxdb:")
        service.settings |= {
            "STORE__URL": f"{address}/river?org=tg",
            "WATCH__BEHIND_S": "10",
            "WATCH__SELF_TEST_AT": "",
        }
        service.start()
        eventually(lambda: service.ready, "ready")
        topic = salinity_topic("xuan-hoa", "xh-01")
        publish(own_broker.url, topic, obs({"t": now_ms(), "sal_g_l": 0.1}))
        eventually(lambda: told(service) == [("raised", behind)], "behind", 30)
        both = [("raised", behind), ("raised", trouble)]
        eventually(lambda: told(service) == both, "trouble that lasts", 90)
        active = service.get("/api/v1/alerts", state="active").json()["items"]
        (alert,) = (item for item in active if item["rule"] == trouble)
        assert "401" in alert["detail"]
        assert alert["detail"] in alert["message_vi"]
        service.kill()
        service.start()
        eventually(lambda: service.metrics()["songtien_historian_trouble"] == 1, "trouble", 30)
        assert told(service) == both
    service.kill()
    del service.settings["STORE__URL"]
    service.start()
    cleared = {("cleared", behind), ("cleared", trouble)}
    eventually(lambda: set(told(service)[2:]) == cleared, "without a historian they are over")
    once_each(service)


@pytest.mark.parametrize("after", ["message", "raised", "entry"])
def test_killed_within_a_test_each_transition_is_told_once(
    service: Service, own_broker: Mosquitto, beaten: Target, after: str
) -> None:
    """The alert reaches nobody, so that the test waits there; then it is killed."""
    block(own_broker, denied=True)
    service.start()

    def entries() -> int:
        with closing(sqlite3.connect(service.data / "journal.sqlite")) as connection:
            rows = connection.execute("SELECT body FROM entry").fetchall()
        return sum(body.startswith(b"r\x97\xa6notice") for (body,) in rows)

    sign = {
        "message": lambda: service.ready,
        "entry": lambda: entries() > 0,
        "raised": lambda: ("raised", TEST) in told(service),
    }[after]
    eventually(sign, after, 60)
    service.kill()
    own_broker.stop()
    block(own_broker, denied=False)
    service.start()
    eventually(lambda: passed(service), "passed after all", 60)
    eventually(lambda: len(beaten.asked) > 0, "the heart beats")
    assert told(service)[-2:] == [("raised", TEST), ("cleared", TEST)]
    once_each(service)

    async def standing() -> list[bytes]:
        async with listening(own_broker.url, "tiengiang/v1/#") as screen:
            await screen.until(lambda: any(t.endswith("/state") for t, _, _ in screen.messages))
            return [body for topic, body, _ in screen.messages if topic == ALERT and body]

    assert asyncio.run(standing()) == [], "nothing is left on the topic"
