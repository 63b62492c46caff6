"""Brokers and services for faults: each test has its own, and every process is reaped."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import MOSQUITTO, Mosquitto, _free_port
from tests.e2e.running import Service
from tests.faults import feeds
from tests.faults.smalldisk import SmallDisk

COMMON = Path(__file__).parents[2] / "mosquitto/common"
BROKER = f"include_dir {COMMON}\n"
"""What holds for every broker of this project: killed, it has lost two seconds at most."""

Serving = Callable[..., Service]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto that remembers sessions and queues through its own death."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed: apt-get install mosquitto-clients")
    directory = tmp_path / "mosquitto"
    directory.mkdir()
    running = Mosquitto(directory, _free_port(), BROKER)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A mounted disk of a few megabytes."""
    small = SmallDisk(tmp_path / "disk")
    why = small.mount()
    if why:
        pytest.skip(f"a small tmpfs can't be mounted, as root could: {why}")
    yield small
    small.unmount()


@pytest.fixture
def serving(broker: Mosquitto, tmp_path: Path) -> Iterator[Serving]:
    """`serving(probes=…, cameras=…, **settings)`: a service that is not started yet.

    Its registry has the devices of `feeds.river`. Several may run at once, each in a
    directory of its own; `made_as` is its class. Its doors keep their addresses through all its lives.
    """
    made: list[Service] = []

    def serve(
        probes: int = 6, cameras: int = 2, made_as: type[Service] = Service, **settings: str
    ) -> Service:
        directory = tmp_path / f"service-{len(made)}"
        directory.mkdir()
        (directory / "stations.toml").write_text(feeds.registry(probes, cameras), "utf-8")
        (directory / "rules.toml").write_text(feeds.RULES, "utf-8")
        service = made_as(
            directory,
            {
                "MQTT__URL": broker.url,
                "MQTT__CLIENT_ID": f"service-{len(made)}",
                "DATA__DIR": str(directory / "data"),
                "HTTP__PORT": str(_free_port()),
                "LIVE__PORT": str(_free_port()),
                "REGISTRY__FILE": str(directory / "stations.toml"),
                "RULES__FILE": str(directory / "rules.toml"),
                **settings,
            },
        )
        made.append(service)
        return service

    yield serve
    for service in made:
        service.reap()
