"""The test stand: a broker and a service as real processes, each with a directory of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from songtien.bench import feed
from songtien.broker import HOST, conf_for, find_mosquitto, mosquitto_conf

START_S = 30.0
STOP_S = 30.0
LOOK_S = 0.05
_SERVE = "from songtien.cli import main; main()"

T = TypeVar("T")


class BenchError(Exception):
    """The bench can't be run here, or what it ran did not do its work."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running mosquitto. `ws_port` is that of its own websocket listener."""

    port: int
    ws_port: int
    log: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def subscribed(self, client: str) -> None:
        """Return once a client of that name has subscribed; the broker's log tells it."""
        until(lambda: f" {client} " in self.log.read_text("utf-8"), f"{client} to subscribe")

    def says(self, topic: str) -> int:
        """A number that the broker says of itself: each second, where it has changed."""
        command = [client("mosquitto_sub"), "-h", HOST, "-p", str(self.port), "-t", topic]
        command += ["-W", "2"]
        # It ends with a code that says so: time was over.
        said = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - ours
        if not said.stdout:
            raise BenchError(f"the broker says nothing on {topic}: {said.stderr}")
        return int(said.stdout.split()[-1])


@dataclass(frozen=True, slots=True)
class Service:
    """A running `songtien serve`."""

    http_url: str
    live_url: str
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def metrics(self) -> dict[str, float]:
        """Name, with labels as they stand, to value."""
        found = {}
        for line in self._get("metrics").splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def samples(self, outcome: str) -> int:
        return int(self.metrics()[f'songtien_samples_total{{outcome="{outcome}"}}'])

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.http_url + path, timeout=START_S) as answer:  # noqa: S310 - our own
            text: str = answer.read().decode()
        return text


def until(look: Callable[[], T | None], what: str, within_s: float = START_S) -> T:
    """What `look` gives once it is true."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise BenchError(f"waited {within_s:g} s in vain for {what}")
        time.sleep(LOOK_S)
    return found


@contextmanager
def running(command: Sequence[str], log: Path, **more: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that ends with the block, and with us."""
    tied = [sys.executable, "-m", "songtien.tied", str(os.getpid()), *command]
    with log.open("wb") as out:
        process = subprocess.Popen(tied, **{"stdout": out, "stderr": out, **more})  # noqa: S603 - ours
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def broker(directory: Path) -> Iterator[Broker]:
    """A mosquitto with this project's mosquitto.conf and a websocket listener."""
    mosquitto = needed(find_mosquitto(), "mosquitto")
    directory.mkdir(parents=True)
    port, ws_port = free_port(), free_port()
    conf = conf_for(mosquitto_conf().read_text("utf-8"), port, directory)
    own = f"log_type subscribe\nsys_interval 1\nlistener {ws_port} {HOST}\nprotocol websockets\n"
    (directory / "mosquitto.conf").write_text(conf + own, "utf-8")
    log = directory / "broker.log"
    with running([mosquitto, "-c", str(directory / "mosquitto.conf")], log) as process:
        until(lambda: _listens(port, process) and _listens(ws_port, process), "the broker")
        yield Broker(port, ws_port, log, process)


@contextmanager
def service(directory: Path, port: int, devices: int) -> Iterator[Service]:
    """`songtien serve` on a new data directory and a generated registry."""
    directory.mkdir(parents=True)
    registry = directory / "stations.toml"
    registry.write_text(feed.registry_text(devices), "utf-8")
    said = {
        "MQTT__URL": f"mqtt://{HOST}:{port}",
        "MQTT__ROOT": feed.ROOT,
        "DATA__DIR": str(directory / "data"),
        "HTTP__PORT": "0",
        "LIVE__PORT": "0",
        "REGISTRY__FILE": str(registry),
    }
    env = {name: text for name, text in os.environ.items() if not name.startswith("SONGTIEN_")}
    env |= {f"SONGTIEN_{name}": text for name, text in said.items()}
    log = directory / "service.log"
    command = [sys.executable, "-c", _SERVE, "serve"]
    with running(command, log, env=env, cwd=directory) as process:
        told = until(lambda: _serving(log, process), "the service to serve")
        found = Service(told["http"], told["live"], process)
        until(lambda: _ready(found), "the service to be ready")
        yield found


def needed(path: str | None, name: str) -> str:
    if path is None:
        raise BenchError(
            f"{name} isn't installed (Debian: apt install mosquitto mosquitto-clients)"
        )
    return path


def client(name: str) -> str:
    """The path of a program of mosquitto-clients."""
    return needed(shutil.which(name), name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise BenchError(f"mosquitto ended at once with code {process.returncode}")
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _serving(log: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any] | None:
    text = log.read_text("utf-8")
    if process.poll() is not None:
        raise BenchError(f"songtien serve ended with code {process.returncode}:\n{text}")
    for line in text.split("\n")[:-1]:
        if line.startswith("{"):
            said: dict[str, Any] = json.loads(line)
            if said["what"] == "serving":
                return said
    return None


def _ready(found: Service) -> bool:
    request = urllib.request.Request(found.http_url + "readyz")  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=START_S):  # noqa: S310 - our own
            return True
    except urllib.error.HTTPError:
        return False
