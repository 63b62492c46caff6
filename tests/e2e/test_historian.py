"""A real service with a real InfluxDB beside it: copied whole, read back, missed without harm."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.influx.servers import MISSING, InfluxServer

KEY = "vk-01/salinity_g_l"
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path_factory.mktemp("influx"), auth=True)
    server.start()
    yield server
    server.stop()


def historian(server: InfluxServer) -> dict[str, str]:
    return {"STORE__URL": server.url, "STORE__TOKEN": server.token or ""}


def ready(service: Service) -> Service:
    """Subscribed: what is said from here on is heard."""
    eventually(lambda: service.ready, "ready", 30)
    return service


def say(
    broker: Mosquitto,
    *times_ms: int,
    sal_g_l: float = 2.5,
    device: tuple[str, str] = ("vam-kenh", "vk-01"),
) -> None:
    # Never quite the same: what is would be taken for a probe that is stuck.
    samples = [
        {"t": t, "sal_g_l": sal_g_l + n % 7 / 20, "temp_c": 28.4, "battery_v": 3.7}
        for n, t in enumerate(times_ms)
    ]
    # The first of a boot is in order, so nothing waits for what might come before it.
    text = obs(*samples, boot=times_ms[0] // 1000, seq=1)
    publish(broker.url, salinity_topic(*device), text)


def drained(service: Service, points: int) -> None:
    """All that was said is in InfluxDB."""

    def all_there() -> bool:
        found = service.metrics()
        written = found.get("songtien_historian_points_written_total", 0)
        return written >= points and not found["songtien_historian_backlog_entries"]

    eventually(all_there, f"drained; {service.metrics()}", 20)


def history(service: Service, from_ms: int, to_ms: int, **asked: str) -> dict[str, Any]:
    answer = service.get(f"/api/v1/series/{KEY}", **{"from": from_ms, "to": to_ms}, **asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def test_a_reading_becomes_a_point_with_its_quantities_and_flags(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    service = ready(serving(**historian(influx)))
    at_ms = now_ms() - MINUTE_MS
    say(broker, at_ms, device=("xuan-hoa", "xh-01"))
    drained(service, 1)
    (row,) = influx.query(f"SELECT * FROM salinity WHERE time = {at_ms}ms")
    values = {name: value for name, value in row.items() if value is not None}
    assert values.pop("time") == at_ms
    assert values == {
        "device": "xh-01",
        "station": "xuan-hoa",
        "salinity_g_l": 2.5,
        "salinity_g_l_q": 1,
        "temperature_c": 28.4,
        "temperature_c_q": 1,
        "battery_v": 3.7,
        "battery_v_q": 1,
    }
    metrics = service.metrics()
    assert metrics["songtien_historian_info/1.6.7~rc0"] == 1
    assert metrics["songtien_historian_trouble"] == 0
    assert metrics["songtien_historian_last_success_timestamp_seconds"] * 1000 >= at_ms
    assert influx.token is not None
    for text in (service.said(), service.get("/metrics").text):
        assert influx.token.partition(":")[2] not in text


def test_a_service_that_lost_its_directory_reads_its_history_from_influxdb(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    first = ready(serving(**historian(influx)))
    old = [now_ms() - n * 15 * MINUTE_MS for n in range(40, 0, -1)]
    say(broker, *old, sal_g_l=1.5)
    drained(first, len(old))
    first.stop()
    shutil.rmtree(first.data)
    second = ready(serving(**historian(influx)))
    now = now_ms()
    say(broker, now, sal_g_l=1.75)
    eventually(lambda: second.counted("readings_written_total") > 0, "stored", 10)
    found = history(second, old[0], now + 1)
    assert [point[0] for point in found["points"]] == [*old, now]
    assert (found["source"], found["complete"]) == ("both", True)
    hours = history(second, old[0], now + 1, step="1h", agg="mean,count")
    assert sum(point[2] for point in hours["points"]) == len(old) + 1
    assert hours["source"] == "both"

    influx.stop()
    try:
        answer = history(second, old[0], now + 1)
        assert [point[0] for point in answer["points"]] == [now]
        assert answer["complete"] is False
        ((begin, end),) = answer["missing"]
        assert begin == old[0]
        assert now - MINUTE_MS < end <= now + 1
        recent = history(second, now, now + 1)
        assert (recent["complete"], recent["source"]) == (True, "local")
        assert second.ready, "readings flow all the same"
        late = now - 5 * MINUTE_MS
        say(broker, late, sal_g_l=1.6)
        eventually(lambda: second.metrics()["songtien_historian_trouble"] == 1, "it says so", 20)
    finally:
        influx.start()
    drained(second, 1)
    eventually(
        lambda: bool(influx.query(f"SELECT * FROM salinity WHERE time = {late}ms")),
        "what came meanwhile is there",
        60,
    )
    assert history(second, old[0], now + 1)["complete"] is True


def test_a_store_that_was_alone_is_copied_whole_once_a_historian_is_named(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    alone = ready(serving())
    long_ago = now_ms() - 40 * DAY_MS
    times = [long_ago + n * MINUTE_MS for n in range(500)]
    say(broker, *times)
    eventually(lambda: alone.counted("samples_total/stored") == 500, "stored", 20)
    alone.stop()
    alone.settings |= historian(influx)
    alone.start()
    drained(alone, 500)
    query = f"SELECT count(salinity_g_l) FROM salinity WHERE time >= {times[0]}ms AND time < now() - 39d"
    assert influx.query(query)[0]["count"] == 500


def test_a_wrong_token_is_told_and_everything_is_kept(
    serving: Serving, broker: Mosquitto, influx: InfluxServer
) -> None:
    service = ready(serving(STORE__URL=influx.url, STORE__TOKEN="songtien:wrong-secret"))
    say(broker, now_ms() - MINUTE_MS)
    eventually(lambda: service.metrics()["songtien_historian_trouble"] == 1, "it says so", 20)
    assert service.ready
    assert service.metrics()["songtien_historian_points_refused_total"] == 0
    (line,) = (line for line in service.logged() if "InfluxDB does not take" in line["what"])
    assert "401" in line["trouble"]
    assert "wrong-secret" not in service.said()
    service.stop()
    service.settings |= historian(influx)
    service.start()
    drained(service, 1)
