"""Brokers and services of tests that go all the way; every process is reaped."""

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import MOSQUITTO, Mosquitto, _free_port
from tests.e2e.running import Service

BROKER = """max_inflight_messages 1000
set_tcp_nodelay true
message_size_limit 120000
persistence true
"""
"""As in this project's mosquitto.conf, but for a save to the disk after every change: what
these tests measure is the service."""

Serving = Callable[..., Service]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A mosquitto for the tests of one module, which remembers sessions and queues."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed: apt-get install mosquitto-clients")
    directory = tmp_path_factory.mktemp("mosquitto")
    running = Mosquitto(directory, _free_port(), BROKER)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def serving(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`serving(**settings)`: a service on the module's broker, started; the one before ends.

    Each has a session of its own at the broker, and all are reaped at the end.
    """
    made: list[Service] = []

    def serve(**settings: str) -> Service:
        for before in made:
            before.reap()
        directory = tmp_path_factory.mktemp("service")
        said = {
            "MQTT__URL": broker.url,
            "MQTT__CLIENT_ID": f"service-{len(made)}",
            "DATA__DIR": str(directory / "data"),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            **settings,
        }
        service = Service(directory, said)
        made.append(service)
        service.start()
        return service

    yield serve
    for service in made:
        service.reap()
