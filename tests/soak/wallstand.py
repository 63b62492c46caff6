"""A service that knows days of the simulated river, and goes on being fed."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import SONGTIEN, Service, environment, eventually

SCENARIO = "dry-season"
INGESTED_WITHIN_S = 1800.0
LIVE_DAYS = 30
LOOK_S = 1.0


@dataclass
class WallStand:
    """history_samples : so many samples were sent of the past"""

    service: Service
    history_samples: int

    @property
    def rss_mib(self) -> float:
        """The memory that the service's process holds now."""
        process = self.service.process
        assert process is not None
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def standing(directory: Path, hours: float, seed: int) -> Iterator[WallStand]:
    """Broker, service, hours of the past with all devices, and a feed of the present."""
    with ExitStack() as ends:
        home = directory / "mosquitto"
        home.mkdir()
        broker = Mosquitto(home, _free_port(), BROKER)
        broker.start()
        ends.callback(broker.stop)
        service = Service(
            directory / "service",
            {
                "MQTT__URL": broker.url,
                "MQTT__CLIENT_ID": "wall",
                "DATA__DIR": str(directory / "service" / "data"),
                "HTTP__PORT": str(_free_port()),
                "LIVE__PORT": str(_free_port()),
            },
        )
        service.start()
        ends.callback(service.reap)
        eventually(lambda: service.ready, "ready", 60)
        sent = _history(broker.url, hours, seed)
        live = _feed(broker.url, seed, directory)
        ends.callback(live.wait)
        ends.callback(live.terminate)
        eventually(lambda: _is_in(service, sent), "all is in", INGESTED_WITHIN_S)
        yield WallStand(service, sent)


def _is_in(service: Service, sent: int) -> bool:
    found = service.metrics()
    if found["songtien_samples_received_total"] >= sent and not found["songtien_samples_in_flight"]:
        return True
    time.sleep(LOOK_S)  # each look costs the service as much as many samples
    return False


def _history(broker_url: str, hours: float, seed: int) -> int:
    """Hours that end now, as fast as the broker takes them; how many samples they were."""
    duration = f"{round(hours * 3600)}s"
    said = subprocess.run(
        _simulated(broker_url, seed, "--duration", duration, "--speed", "max"),
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=INGESTED_WITHIN_S,
        check=True,
    ).stdout
    return int(said.partition(" messages with ")[2].split()[0].replace(",", ""))


def _feed(broker_url: str, seed: int, directory: Path) -> "subprocess.Popen[bytes]":
    """The present, at the pace of life."""
    command = _simulated(broker_url, seed, "--duration", f"{LIVE_DAYS}d", "--speed", "1")
    with (directory / "feed").open("ab") as said:
        return subprocess.Popen(command, env=environment({}), stdout=said, stderr=said)


def _simulated(broker_url: str, seed: int, *more: str) -> list[str]:
    asked = ["--seed", str(seed), "--into-live", "--broker", broker_url]
    return [*SONGTIEN, "simulate", SCENARIO, *asked, *more]
