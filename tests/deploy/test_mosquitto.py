"""The broker of docker-compose.yml as a real mosquitto: who may come in, and say and hear what."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from songtien.broker import find_mosquitto
from tests.conftest import _free_port
from tests.deploy.copied import ComposeBroker, Person, copied, credentials
from tests.e2e.running import Service, eventually, now_ms, obs, salinity_topic, songtien

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(find_mosquitto() is None, reason="install mosquitto"),
]

TAKEN = "Success", "No matching subscribers"
REFUSED = "Not authorized"
"""Reason code 135 of MQTT 5."""

OWN = "tiengiang/v1/salinity/vam-kenh/vk-01"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeBroker]:
    """The committed configuration and access list, with two devices and a viewer."""
    running = ComposeBroker(tmp_path_factory.mktemp("compose"), _free_port())
    running.prepare("vk-01", "xh-01", "viewer")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[ComposeBroker]:
    """One that a test may change before it starts it."""
    made = ComposeBroker(tmp_path / "compose", _free_port())
    made.prepare("vk-01", "xh-01", "viewer")
    yield made
    made.stop()


def test_nobody_comes_in_without_a_name_and_its_password(broker: ComposeBroker) -> None:
    assert Person(broker, "vk-01").answer == "Success"
    assert Person(broker, None).answer == "Not authorized"
    assert Person(broker, "vk-01", "wrong").answer == "Not authorized"
    assert Person(broker, "vk-01", broker.passwords["xh-01"]).answer == "Not authorized"
    assert Person(broker, "unknown", "wrong").answer == "Not authorized"


SAID = [
    ("vk-01", f"{OWN}/obs", True),
    ("vk-01", f"{OWN}/state", True),
    ("vk-01", f"{OWN}/meta", True),
    ("vk-01", f"{OWN}/ack", False),
    ("vk-01", "tiengiang/v1/salinity/xuan-hoa/xh-01/obs", False),
    ("vk-01", "tiengiang/v1/salinity/vam-kenh/xh-01/obs", False),
    ("vk-01", "tiengiang/v1/alerts/salinity-4/vk-01/obs", False),
    ("vk-01", "tiengiang/v1/alerts/salinity-4/vk-01/salinity_g_l", False),
    ("vk-01", "tiengiang/v1/advice/cua-tieu", False),
    ("vk-01", "tiengiang/v1/server/songtien/state", False),
    ("vk-01", "tiengiang/v1/server/vk-01/obs", False),
    ("vk-01", "other/vk-01/obs", False),
    ("songtien", "tiengiang/v1/server/songtien/state", True),
    ("songtien", "tiengiang/v1/server/songtien/canary", True),
    ("songtien", "tiengiang/v1/alerts/salinity-4/vk-01/salinity_g_l", True),
    ("songtien", "tiengiang/v1/alerts/flow/cam-01/southbound/flow_veh_h", True),
    ("songtien", "tiengiang/v1/advice/cua-tieu", True),
    ("songtien", f"{OWN}/ack", True),
    ("songtien", f"{OWN}/obs", False),
    ("viewer", f"{OWN}/obs", False),
    ("viewer", "tiengiang/v1/salinity/vam-kenh/viewer/obs", False),
    ("viewer", "tiengiang/v1/alerts/salinity-4/vk-01/salinity_g_l", False),
    ("health", f"{OWN}/obs", False),
    ("health", "tiengiang/v1/salinity/vam-kenh/health/obs", False),
    ("simulator", f"{OWN}/obs", True),
    ("simulator", "tiengiang/v1/server/songtien/state", False),
    ("simulator", "tiengiang/v1/alerts/salinity-4/vk-01/salinity_g_l", False),
]


def test_each_says_what_is_theirs_and_nobody_hears_the_rest(broker: ComposeBroker) -> None:
    options = broker.secret("mqtt_health").read_text().split()
    broker.passwords["health"] = options[options.index("-P") + 1]
    listener = Person(broker, "viewer")
    assert listener.subscribe("tiengiang/#") == "Granted QoS 1"
    for name, topic, allowed in SAID:
        sender = Person(broker, name)
        answer = sender.publish(topic, name.encode())
        sender.leave()
        assert answer in TAKEN if allowed else answer == REFUSED, (name, topic, answer)
    allowed_ones = [(topic, name.encode()) for name, topic, allowed in SAID if allowed]
    # The last word comes after all that should not have come.
    assert Person(broker, "songtien").publish("tiengiang/v1/advice/end") in TAKEN
    assert listener.hears(len(allowed_ones) + 1) == [
        *allowed_ones,
        ("tiengiang/v1/advice/end", b"{}"),
    ]


def test_a_device_hears_its_own_acks_and_whether_the_service_is_there(
    broker: ComposeBroker,
) -> None:
    device, health = Person(broker, "vk-01"), Person(broker, "simulator")
    device.subscribe("#")
    health.subscribe("#")
    service = Person(broker, "songtien")
    service.publish("tiengiang/v1/salinity/xuan-hoa/xh-01/ack", b"another's")
    service.publish("tiengiang/v1/alerts/salinity-4/vk-01/salinity_g_l", b"an alert")
    Person(broker, "xh-01").publish("tiengiang/v1/salinity/xuan-hoa/xh-01/obs", b"another's")
    service.publish(f"{OWN}/ack", b"mine")
    service.publish("tiengiang/v1/server/songtien/state", b"ready")
    server = ("tiengiang/v1/server/songtien/state", b"ready")
    assert device.hears(2) == [(f"{OWN}/ack", b"mine"), server]
    assert health.hears(1) == [server]


def test_the_health_check_of_the_container_signs_in(broker: ComposeBroker) -> None:
    """The very command of docker-compose.yml, with its port and place."""
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto_sub is not installed: apt-get install mosquitto-clients")
    options = broker.secret("mosquitto_sub")
    shutil.copy(broker.secret("mqtt_health"), options)
    said = (broker.directory / "docker-compose.yml").read_text()
    command = next(line for line in said.splitlines() if "mosquitto_sub -E" in line)
    text = command.split('"')[1].replace("/run/secrets", str(options.parent))
    text = text.replace("mosquitto_sub ", f"mosquitto_sub -p {broker.port} ")

    def code() -> int:
        return subprocess.run(["sh", "-c", text], check=False, timeout=20).returncode

    assert code() == 0
    options.write_text("-u health\n-P wrong\n")
    assert code() != 0


def test_a_password_that_is_replaced_or_taken_away_holds_after_a_hangup(
    own_broker: ComposeBroker,
) -> None:
    own_broker.start()
    old = own_broker.passwords["vk-01"]
    made = credentials(own_broker.directory, "device", "vk-01")
    new = made.stdout.split()[1]
    assert credentials(own_broker.directory, "remove", "xh-01").returncode == 0
    assert own_broker.process is not None
    own_broker.process.send_signal(signal.SIGHUP)

    def in_force() -> bool:
        return Person(own_broker, "vk-01", new).answer == "Success"

    eventually(in_force, "the new password is taken")
    assert Person(own_broker, "vk-01", old).answer == "Not authorized"
    assert Person(own_broker, "xh-01").answer == "Not authorized"
    assert Person(own_broker, "songtien").answer == "Success"


def test_an_access_list_from_the_registry_binds_devices_and_gateways(
    own_broker: ComposeBroker, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[2] / "songtien/defaults/stations.toml").read_text("utf-8")
    for name in ("vk-01", "xh-01"):
        text = text.replace(f'id = "{name}"\n', f'id = "{name}"\ngateway = "gw-1"\n', 1)
    stations = tmp_path / "stations.toml"
    stations.write_text(text, "utf-8")
    written = songtien("broker-acl", "--registry", str(stations))
    assert written.returncode == 0, written.stderr
    accounts = songtien("broker-acl", "--registry", str(stations), "--accounts").stdout.split()
    assert "gw-1" in accounts
    assert not {"vk-01", "xh-01"} & set(accounts)
    own_broker.directory.joinpath("mosquitto/acl").write_text(written.stdout, "utf-8")
    made = credentials(own_broker.directory, "device", "gw-1", "mt-01")
    own_broker.passwords |= dict(line.split("\t") for line in made.stdout.splitlines())
    own_broker.start()

    gateway, device = Person(own_broker, "gw-1"), Person(own_broker, "mt-01")
    assert gateway.publish(f"{OWN}/obs") in TAKEN
    assert gateway.publish("tiengiang/v1/salinity/xuan-hoa/xh-01/state") in TAKEN
    assert gateway.publish("tiengiang/v1/salinity/my-tho/mt-01/obs") == REFUSED
    assert gateway.publish("tiengiang/v1/salinity/my-tho/vk-01/obs") == REFUSED
    assert device.publish("tiengiang/v1/salinity/my-tho/mt-01/obs") in TAKEN
    assert device.publish("tiengiang/v1/salinity/xuan-hoa/mt-01/obs") == REFUSED
    # It has a password from before; there is nothing that it may say with it.
    assert Person(own_broker, "vk-01").publish(f"{OWN}/obs") == REFUSED
    gateway.subscribe("#")
    service = Person(own_broker, "songtien")
    service.publish("tiengiang/v1/salinity/my-tho/mt-01/ack", b"another's")
    service.publish(f"{OWN}/ack", b"mine")
    assert gateway.hears(1) == [(f"{OWN}/ack", b"mine")]


def test_an_account_may_not_be_called_as_a_part_of_the_deployment(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "songtien/defaults/stations.toml").read_text("utf-8")
    stations = tmp_path / "stations.toml"
    stations.write_text(text.replace('id = "vk-01"\n', 'id = "vk-01"\ngateway = "songtien"\n', 1))
    refused = songtien("broker-acl", "--registry", str(stations))
    assert refused.returncode == 2
    assert "account = 'songtien'" in refused.stderr
    where = copied(tmp_path / "compose")
    kept = (where / "deploy/secrets/mqtt_users").read_text()
    refused = credentials(where, "device", "vk-01", "songtien")
    assert refused.returncode == 2
    assert "songtien: this name is taken" in refused.stderr
    assert (where / "deploy/secrets/mqtt_users").read_text() == kept


# The service.


def service_at(broker: ComposeBroker, directory: Path, **settings: str) -> Service:
    said = {
        "MQTT__URL": f"mqtt://127.0.0.1:{broker.port}",
        "MQTT__USERNAME": "songtien",
        "MQTT__PASSWORD_FILE": str(broker.secret("mqtt_songtien")),
        "DATA__DIR": str(directory / "data"),
        "HTTP__PORT": "0",
        "LIVE__PORT": "0",
        "INGEST__REORDER_S": "0",
        **settings,
    }
    return Service(directory, said)


def test_a_reading_goes_all_the_way_and_its_ack_comes_back(
    own_broker: ComposeBroker, tmp_path: Path
) -> None:
    own_broker.start()
    service = service_at(own_broker, tmp_path / "service")
    service.start()
    try:
        eventually(lambda: service.ready, "ready with a name and a password")
        device, other = Person(own_broker, "vk-01"), Person(own_broker, "xh-01")
        device.subscribe(f"{OWN}/ack")
        at = now_ms()
        sample = {"t": at, "ec_ms_cm": 12.31, "temp_c": 28.4}
        # Another's, with the same name in front: refused at the broker, unknown to the service.
        forged = obs({"t": at, "ec_ms_cm": 1.0, "temp_c": 28.4}, boot=1, seq=1)
        assert other.publish(salinity_topic("vam-kenh", "vk-01"), forged.encode()) == REFUSED
        sent = obs(sample, boot=1, seq=1)
        assert device.publish(salinity_topic("vam-kenh", "vk-01"), sent.encode()) == "Success"
        eventually(lambda: service.readings("vk-01/conductivity_ms_cm"), "the reading is stored")
        assert service.readings("vk-01/conductivity_ms_cm")[at][0] == 12.31
        assert service.counted("samples_received_total") == 1
        topic, ack = device.hears(1)[0]
        assert (topic, json.loads(ack)["seq"]) == (f"{OWN}/ack", 1)
        assert service.stop() == 0
    finally:
        service.reap()


def test_a_service_with_a_wrong_password_says_so(own_broker: ComposeBroker, tmp_path: Path) -> None:
    own_broker.start()
    own_broker.secret("mqtt_songtien").write_text("wrong\n")
    service = service_at(own_broker, tmp_path / "service")
    service.start()
    try:
        eventually(lambda: "Not authorized" in service.get("/readyz").text, "not authorised")
        assert not service.ready
        assert "wrong" not in service.said()
    finally:
        service.reap()


# TLS, with an authority that lives as long as the test.


def openssl(directory: Path, *words: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    subprocess.run([program, *words], cwd=directory, check=True, capture_output=True, timeout=60)


def authority(directory: Path, name: str) -> Path:
    """A certificate authority: NAME.key and NAME.crt, the latter's path."""
    directory.mkdir(parents=True, exist_ok=True)
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-days", "2", "-subj", f"/CN={name}", "-addext", "keyUsage=keyCertSign,cRLSign"]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    openssl(directory, "req", *kind, *subject, *files)
    return directory / f"{name}.crt"


def server_certificate(directory: Path, by: Path) -> None:
    """server.crt and server.key for localhost."""
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    asked = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]
    openssl(directory, "req", *kind, *asked)
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signer = ["-CA", str(by), "-CAkey", str(by.with_suffix(".key")), "-CAcreateserial"]
    what = ["-in", "server.csr", "-out", "server.crt", "-days", "2", "-extfile", "names"]
    openssl(directory, "x509", "-req", *what, *signer)


@pytest.fixture
def tls_broker(own_broker: ComposeBroker) -> ComposeBroker:
    own_broker.conf, own_broker.tls_port = "compose-tls.conf", _free_port()
    certs = own_broker.directory / "deploy" / "certs"
    server_certificate(certs, authority(certs, "authority"))
    own_broker.start()
    return own_broker


def test_the_service_over_tls(tls_broker: ComposeBroker, tmp_path: Path) -> None:
    url = f"mqtts://localhost:{tls_broker.tls_port}"
    ca = str(tls_broker.directory / "deploy/certs/authority.crt")
    service = service_at(tls_broker, tmp_path / "service", MQTT__URL=url, MQTT__CA_FILE=ca)
    service.start()
    try:
        eventually(lambda: service.ready, "ready over TLS")
        # Devices beside it: the listener in the clear still asks for a password.
        assert Person(tls_broker, None).answer == "Not authorized"
        assert Person(tls_broker, "vk-01").publish(f"{OWN}/obs", b"?") == "Success"
        assert service.stop() == 0
    finally:
        service.reap()


def test_a_broker_that_another_authority_signed_is_refused_in_words(
    tls_broker: ComposeBroker, tmp_path: Path
) -> None:
    other = authority(tmp_path / "other", "stranger")
    url = f"mqtts://localhost:{tls_broker.tls_port}"
    service = service_at(tls_broker, tmp_path / "service", MQTT__URL=url, MQTT__CA_FILE=str(other))
    service.start()
    try:
        eventually(
            lambda: "certificate verify failed" in service.get("/readyz").text,
            "why there is no broker",
        )
        assert not service.ready
    finally:
        service.reap()
