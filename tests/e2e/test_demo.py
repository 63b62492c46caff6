"""The two ways of starting, and all ways of ending: clean, told, and nobody left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from songtien.broker import find_mosquitto
from songtien.settings import DEFAULTS
from tests.e2e.conftest import Serving
from tests.e2e.running import (
    SONGTIEN,
    START_S,
    STOP_S,
    Service,
    alive,
    descendants,
    environment,
    eventually,
    songtien,
)

# What `songtien demo` is on a machine without mosquitto.
WITHOUT = [
    sys.executable,
    "-c",
    "import songtien.broker as broker; broker._BESIDE = (); from songtien.cli import main; main()",
]


@dataclass
class Demo:
    """A demo in a directory, once; `family` are all processes that it has had."""

    directory: Path
    command: list[str]
    path: str
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    family: set[int] = field(default_factory=set)

    def start(self, *more: str) -> None:
        ports = ["--http-port", "0", "--live-port", "0", "--broker-port", "0"]
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [*self.command, "demo", "--dir", str(self.directory / "data"), *ports, *more],
                env={**environment({}), "PATH": self.path},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> Path:
        return self.directory / "stdout"

    @property
    def err(self) -> Path:
        return self.directory / "stderr"

    def address(self, name: str) -> str | None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.err.read_text()}")
        found = re.search(rf"^ *{name} +(\S+)", self.out.read_text(), re.MULTILINE)
        return None if found is None else found[1]

    def processes(self) -> set[int]:
        assert self.process is not None
        self.family |= descendants(self.process.pid)
        return self.family

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.processes()
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def reap(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.processes()
            self.process.kill()
            self.process.wait(STOP_S)
        for pid in alive(self.family):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    if request.param == "mosquitto":
        if find_mosquitto() is None:
            pytest.skip("mosquitto is not installed: apt-get install mosquitto")
        made = Demo(tmp_path, SONGTIEN, os.environ.get("PATH", ""))
    else:
        pytest.importorskip("amqtt", reason="amqtt is not installed: pip install amqtt")
        empty = tmp_path / "bin"
        empty.mkdir()
        assert shutil.which("mosquitto", path=str(empty)) is None
        made = Demo(tmp_path, WITHOUT, str(empty))
    yield made
    made.reap()


def _newest(url: str) -> dict[str, int]:
    items = httpx.get(f"{url}api/v1/state", timeout=20).json()["items"]
    return {item["k"]: item["t"] for item in items if "t" in item}


def _points(url: str) -> int:
    """Of the last day at the intake, a quarter of an hour apart."""
    return len(httpx.get(f"{url}api/v1/series/xh-01/salinity_g_l", timeout=20).json()["points"])


def _ready(url: str) -> bool:
    return httpx.get(f"{url}readyz", timeout=20).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("demo", ["mosquitto", "amqtt"], indirect=True)
def test_a_demo_moves_and_ends_with_ctrl_c(demo: Demo, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["demo"]
    _one_life(demo, kind)
    _one_life(demo, kind)  # on the data of the first


def _one_life(demo: Demo, kind: str) -> None:
    demo.start()
    url = eventually(lambda: demo.address("screen"), "the addresses", START_S)
    assert f"({kind})" in demo.out.read_text()
    eventually(lambda: _ready(url), "ready", 30)
    before = eventually(lambda: _newest(url), "readings", 30)
    eventually(
        lambda: any(t > before.get(k, 0) for k, t in _newest(url).items()), "the state moves", 30
    )
    assert httpx.get(url, timeout=20).status_code == 200
    eventually(lambda: "25 hours are in" in demo.out.read_text(), "the history is sent", 90)
    eventually(lambda: _points(url) >= 90, "a day of a probe is stored", 30)
    assert len(demo.processes()) >= 1, "the broker is a process of its own"
    assert demo.interrupt() == 0
    said = demo.err.read_text()
    assert "Traceback" not in said
    assert "rror" not in said
    assert "stopped, everything is written" in demo.out.read_text()
    assert not alive(demo.family), "nobody stays behind"


@pytest.mark.parametrize("demo", ["mosquitto"], indirect=True)
def test_the_broker_of_a_killed_demo_does_not_outlive_it(demo: Demo) -> None:
    demo.start()
    eventually(lambda: demo.address("screen"), "the addresses", START_S)
    children = set(demo.processes())
    assert len(children) == 1
    assert demo.process is not None
    demo.process.kill()
    demo.process.wait(STOP_S)
    eventually(lambda: not alive(children), "the broker ends")


@pytest.mark.broker
def test_serve_ends_with_sigterm_and_with_sigint(serving: Serving) -> None:
    service = serving()
    for number in (signal.SIGTERM, signal.SIGINT):
        assert service.process is not None
        pid = service.process.pid
        assert service.stop(number) == 0
        assert service.logged()[-1]["what"] == "stopped, everything is written"
        assert "trace" not in service.said()
        assert not descendants(pid)
        service.start()


@pytest.mark.broker
def test_a_second_service_on_the_same_directory_is_refused(serving: Serving) -> None:
    first = serving()
    own = {
        "REGISTRY__FILE": str(DEFAULTS / "stations.toml"),
        "RULES__FILE": str(DEFAULTS / "rules.toml"),
    }
    second = songtien("serve", settings={**first.settings, **own})
    assert second.returncode == 2
    lines = second.stderr.splitlines()
    assert len(lines) == 1
    assert first.process is not None
    assert str(first.data) in lines[0]
    assert str(first.process.pid) in lines[0]
    assert second.stdout == ""
    eventually(lambda: first.ready, "the first goes on")


GOOD_RULE = """
[[rule]]
id = "{id}"
quantity = "salinity_g_l"
severity = "warning"
raise_above = {level}
clear_below = 1.0
message_vi = "{{station}}: {{value}}"
message_en = "{{station}}: {{value}}"
source = "a test"
"""


def _rules(service: Service) -> dict[str, float]:
    rules = service.get("/api/v1/rules").json()["rules"]
    return {rule["id"]: rule["raise_level"] for rule in rules}


@pytest.mark.broker
def test_sighup_reloads_good_rules_and_refuses_faulty_ones(
    serving: Serving, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(GOOD_RULE.format(id="first", level=2.0))
    service = serving(RULES__FILE=str(rules))
    assert service.process is not None
    assert _rules(service) == {"first": 2.0}

    rules.write_text(
        GOOD_RULE.format(id="first", level=3.0) + GOOD_RULE.format(id="new", level=9.0)
    )
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: _rules(service) == {"first": 3.0, "new": 9.0}, "in force")

    rules.write_text(GOOD_RULE.format(id="first", level='"high"').replace("warning", "loud"))
    service.process.send_signal(signal.SIGHUP)

    def refused() -> str | None:
        lines = [line for line in service.logged() if "not reloaded" in line["what"]]
        return str(lines[-1]["why"]) if lines else None

    why = eventually(refused, "refused")
    assert str(rules) in why
    assert "raise_above" in why
    assert "high" in why
    assert "loud" in why
    assert _rules(service) == {"first": 3.0, "new": 9.0}
    assert service.process.poll() is None

    rules.unlink()
    told = len(service.logged())
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(service.logged()) > told, "refused")
    assert service.logged()[-1]["level"] == "ERROR"
    assert _rules(service) == {"first": 3.0, "new": 9.0}
    assert service.stop() == 0
