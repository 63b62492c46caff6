"""The deployment without its containers: its broker, its service's file, an InfluxDB."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from songtien.broker import find_mosquitto
from tests.conftest import _free_port
from tests.deploy.copied import ComposeBroker, Person, compose
from tests.e2e.running import SONGTIEN, Service, eventually, now_ms, obs, salinity_topic
from tests.influx.servers import MISSING, InfluxServer

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(find_mosquitto() is None, reason="install mosquitto"),
]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ComposeBroker]:
    made = ComposeBroker(tmp_path / "compose", _free_port())
    made.prepare("vk-01")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def influxdb(tmp_path: Path) -> Iterator[InfluxServer]:
    """One that asks for a token; its user for the service may use the one database."""
    if MISSING:
        pytest.skip(MISSING)
    made = InfluxServer(tmp_path / "influx", auth=True)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def service(broker: ComposeBroker, influxdb: InfluxServer, tmp_path: Path) -> Iterator[Service]:
    """`songtien serve --config deploy/songtien/songtien.toml`, its hosts and places replaced."""
    assert influxdb.token is not None
    broker.secret("influxdb_token").write_text(influxdb.token + "\n")
    file = broker.directory / "deploy/songtien/songtien.toml"
    text = file.read_text("utf-8")
    for old, new in (
        ("mosquitto:1883", f"127.0.0.1:{broker.port}"),
        ("influxdb:8086", f"127.0.0.1:{influxdb.port}"),
        ("/run/secrets", str(broker.directory / "deploy/secrets")),
        ("/var/lib/songtien", str(tmp_path / "data")),
        ('"0.0.0.0"', '"127.0.0.1"'),
        ("port = 8080", "port = 0"),
        ("port = 8081", "port = 0"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    made = Service(tmp_path / "service", {}, [*SONGTIEN, "serve", "--config", str(file)])
    made.start()
    yield made
    made.reap()


def test_a_reading_is_in_influxdb_and_the_simulated_river_is_heard(
    broker: ComposeBroker, influxdb: InfluxServer, service: Service
) -> None:
    eventually(lambda: service.ready, "ready")
    at = now_ms()
    sent = obs({"t": at, "ec_ms_cm": 12.31, "temp_c": 28.4}, boot=1, seq=1)
    device = Person(broker, "vk-01")
    assert device.publish(salinity_topic("vam-kenh", "vk-01"), sent.encode()) == "Success"
    rows = eventually(
        lambda: influxdb.query(
            f"SELECT conductivity_ms_cm FROM salinity WHERE device = 'vk-01' AND time = {at}ms"
        ),
        "the reading is in InfluxDB",
        60.0,
    )
    assert [row["conductivity_ms_cm"] for row in rows] == [12.31]

    before = service.counted("samples_received_total")
    said = compose()["services"]["simulators"]
    command = "\n".join(said["command"])
    for old, new in (
        ("--duration=3650d", "--duration=2h\n--speed=max"),
        ("/run/secrets", str(broker.directory / "deploy/secrets")),
        ("@mosquitto:1883", f"@127.0.0.1:{broker.port}"),
    ):
        assert old in command, old
        command = command.replace(old, new)
    done = subprocess.run(
        [*SONGTIEN, *command.split("\n")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # All were taken by the broker, or `simulate` would not have come back; each was heard.
    counted = int(done.stdout.split(" with ")[1].split()[0].replace(",", ""))
    assert counted > 100
    eventually(
        lambda: service.counted("samples_received_total") - before == counted, "all are heard"
    )
    items = service.get("/api/v1/state", None, station="xuan-hoa").json()["items"]
    assert items
    assert all(item["sim"] for item in items if "v" in item)
    assert service.stop() == 0
