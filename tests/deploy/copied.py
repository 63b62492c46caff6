"""The deployment's files in a directory of a test's own, with secrets made for it."""

import itertools
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import yaml  # type: ignore[import-untyped]
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from songtien.broker import find_mosquitto

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "Dockerfile", "mosquitto", "deploy")
WITHIN_S = 15.0
_NUMBERS = itertools.count()


def copied(directory: Path, *words: str) -> Path:
    """A copy of what `docker compose up` reads; `words` are for deploy/credentials.py."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        source = ROOT / name
        if source.is_dir():
            kept_out = shutil.ignore_patterns("mqtt_*", "influxdb_*", "grafana_*", "certs")
            shutil.copytree(source, directory / name, ignore=kept_out)
        else:
            shutil.copy(source, directory / name)
    made = credentials(directory, *words)
    assert made.returncode == 0, made.stderr
    return directory


def credentials(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(directory / "deploy/credentials.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def compose() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@dataclass
class ComposeBroker:
    """The broker of docker-compose.yml without its container: its own files, other places."""

    directory: Path
    port: int
    conf: str = "compose.conf"
    tls_port: int = 0
    passwords: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def prepare(self, *accounts: str) -> None:
        """Secrets, and a password for each of these."""
        copied(self.directory, "demo")
        made = credentials(self.directory, "device", *accounts)
        assert made.returncode == 0, made.stderr
        self.passwords = dict(line.split("\t") for line in made.stdout.splitlines())
        for name in ("songtien", "simulator"):
            self.passwords[name] = self.secret(f"mqtt_{name}").read_text().strip()

    def secret(self, name: str) -> Path:
        return self.directory / "deploy" / "secrets" / name

    def start(self) -> None:
        program = find_mosquitto()
        assert program is not None
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        own = self.directory / "mosquitto"
        # What docker-compose.yml mounts where, undone.
        places = {
            "/mosquitto/data/": f"{data}/",
            "/mosquitto/certs/": f"{self.directory / 'deploy/certs'}/",
            "/run/secrets/": f"{self.directory / 'deploy/secrets'}/",
        }
        for name in ("access", "common", "acl"):
            places[f"/mosquitto/{name}"] = f"{own / name}"
        pattern = re.compile("|".join(map(re.escape, places)))
        access = own / "access" / "access.conf"
        access.write_text(_replaced(pattern, places, access.read_text()))
        text = _replaced(pattern, places, (own / self.conf).read_text())
        text = text.replace("listener 1883\n", f"listener {self.port} 127.0.0.1\n")
        text = text.replace("listener 8883\n", f"listener {self.tls_port} 127.0.0.1\n")
        conf = self.directory / "broker.conf"
        conf.write_text(f"{text}\nuser {getuser()}\n")
        with (self.directory / "broker.log").open("ab") as log:
            self.process = subprocess.Popen([program, "-c", str(conf)], stdout=log, stderr=log)
        deadline_s = time.monotonic() + WITHIN_S
        while not all(_listens(port) for port in (self.port, self.tls_port) if port):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline_s, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(WITHIN_S)
            self.process = None

    def log(self) -> str:
        return (self.directory / "broker.log").read_text()


def _replaced(pattern: "re.Pattern[str]", places: dict[str, str], text: str) -> str:
    return pattern.sub(lambda found: places[found[0]], text)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Person:
    """Somebody at a broker, speaking MQTT 5; everything waits for the broker's answer."""

    def __init__(
        self, broker: ComposeBroker, name: str | None, password: str | None = None
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answer = ""
        self._answers: dict[int, str] = {}
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, f"test-{next(_NUMBERS)}", protocol=paho.MQTTv5
        )
        if name is not None:
            self._client.username_pw_set(name, password or broker.passwords[name])
        self._client.on_connect = self._on_connect
        self._client.on_message = lambda _c, _u, m: self.heard.append((m.topic, bytes(m.payload)))
        self._client.on_publish = lambda _c, _u, mid, reason, _p: self._answers.update(
            {mid: str(reason)}
        )
        self._client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._answers.update(
            {mid: str(reasons[0])}
        )
        nothing_kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        self._client.connect("127.0.0.1", broker.port, properties=nothing_kept)
        self._until(lambda: bool(self.answer))

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self.answer = str(reason)

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> str:
        """The reason code of its PUBACK, in words."""
        mid = self._client.publish(topic, payload, qos=1, retain=retain).mid
        self._until(lambda: mid in self._answers)
        return self._answers[mid]

    def subscribe(self, topic: str) -> str:
        _, mid = self._client.subscribe(topic, qos=1)
        assert mid is not None
        self._until(lambda: mid in self._answers)
        return self._answers[mid]

    def hears(self, count: int) -> list[tuple[str, bytes]]:
        """What came, once so many are there."""
        self._until(lambda: len(self.heard) >= count)
        return self.heard

    def leave(self) -> None:
        self._client.disconnect()

    def _until(self, done: Any) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not done():
            assert time.monotonic() < deadline_s, (self.answer, self._answers, self.heard)
            self._client.loop(0.05)
