"""Real processes of the program under test, and what can be seen of them from outside."""

import json
import logging
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from songtien.cli import app

SONGTIEN = [str(Path(sys.executable).with_name("songtien"))]
START_S = 60.0
STOP_S = 30.0
"""Generous: a busy machine of continuous integration is slow, and none of it is waited out."""

OUTCOMES = ("stored", "duplicate", "rejected")

T = TypeVar("T")

log = logging.getLogger("e2e")


def eventually(look: Callable[[], T | None], what: str, within_s: float = 20.0) -> T:
    """What `look` gives once it is true; fails when the deadline has passed."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}; last seen: {found!r}")
        time.sleep(0.02)


def figures(text: str) -> None:
    """What was measured, for whoever asks: pytest -o log_cli=true -o log_cli_level=INFO."""
    log.info(text)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The machine's own, without settings of the program but these.

    The daily test is off where a test does not ask for it: it would come once a day.
    """
    own = {k: v for k, v in os.environ.items() if not k.startswith("SONGTIEN_")}
    own["SONGTIEN_WATCH__SELF_TEST_AT"] = ""
    return own | {f"SONGTIEN_{name}": value for name, value in settings.items()}


def songtien(
    *words: str,
    settings: Mapping[str, str] | None = None,
    within_s: float = 120.0,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*SONGTIEN, *words],
        env=environment(settings or {}),
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        input=stdin,
    )


def set_up(*words: str, settings: Mapping[str, str], stdin: str = "") -> str:
    """Run a command that only prepares a test, in this process: its start would take seconds.

    Gives what it prints; fails where it does.
    """
    kept = environment(settings)
    own = {name: kept.get(name) for name in {*os.environ, *kept} if name.startswith("SONGTIEN_")}
    ended = CliRunner().invoke(app, list(words), env=own, input=stdin)
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout


def publish(broker_url: str, topic: str, payload: str | bytes) -> None:
    """`mosquitto_pub`, QoS 1: on return the broker has acknowledged it."""
    port = broker_url.rpartition(":")[2]
    body = payload.encode() if isinstance(payload, str) else payload
    command = ["mosquitto_pub", "-p", port, "-q", "1", "-t", topic, "-s" if body else "-n"]
    subprocess.run(command, input=body, check=True, timeout=20)


def salinity_topic(station: str, device: str) -> str:
    return f"tiengiang/v1/salinity/{station}/{device}/obs"


def obs(*samples: Mapping[str, object], boot: int | None = None, seq: int | None = None) -> str:
    numbers = {} if seq is None else {"boot": boot, "seq": seq}
    return json.dumps({"v": 1, **numbers, "samples": samples})


@dataclass
class Service:
    """`songtien serve` in a directory of its own, which outlives its lives."""

    directory: Path
    settings: dict[str, str]
    command: list[str] = field(default_factory=lambda: [*SONGTIEN, "serve"])
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    http_url: str = ""
    live_url: str = ""
    _read_from: int = 0
    _tokens: dict[str, str] = field(default_factory=dict)
    _passwords: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> Path:
        return Path(self.settings["DATA__DIR"])

    @property
    def stderr(self) -> Path:
        return self.directory / "stderr"

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        assert self.process is None, "it runs already"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._read_from = self.stderr.stat().st_size if self.stderr.exists() else 0
        with self.stderr.open("ab") as err, (self.directory / "stdout").open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=environment(self.settings),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def start(self) -> None:
        """Start, and come back when both doors are open."""
        self.launch()
        told = eventually(self._serving, f"serving; {self.stderr}", START_S)
        self.http_url, self.live_url = told["http"], told["live"]

    def _serving(self) -> dict[str, Any] | None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.said()}")
        return next((line for line in self.logged() if line["what"] == "serving"), None)

    def said(self) -> str:
        """All that this life has said on standard error."""
        return self.stderr.read_bytes()[self._read_from :].decode()

    def logged(self) -> list[dict[str, Any]]:
        """Whole lines of the log of this life."""
        lines = self.said().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def kill(self) -> None:
        """The end that nobody is told of."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_S)
        self.process = None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(STOP_S)
        self.process = None
        return code

    def reap(self) -> None:
        """Whatever became of the test."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_S)
            self.process = None

    def token(self, role: str) -> str:
        """A bearer token of that role, made by the command line the first time."""
        if role not in self._tokens:
            self._tokens[role] = self._made_token(role)
        return self._tokens[role]

    def officer(self, role: str) -> tuple[str, str]:
        """Name and password of an officer of that role, added by the command line the first time.

        The name is that of the role.
        """
        if role not in self._passwords:
            self._passwords[role] = secrets.token_urlsafe(12)
            password = self._passwords[role] + "\n"
            set_up("user", "add", role, "--role", role, settings=self.settings, stdin=password)
        return role, self._passwords[role]

    def _made_token(self, role: str) -> str:
        words = ("token", "create", "--role", role, "--name", role)
        return set_up(*words, settings=self.settings).strip()

    def get(self, path: str, token: str | None = None, /, **query: str | int) -> httpx.Response:
        return self._ask("GET", path, token, params=query)

    def post(self, path: str, token: str | None = None, **body: object) -> httpx.Response:
        return self._ask("POST", path, token, json=body)

    def _ask(self, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = self.http_url.rstrip("/") + path
        return httpx.request(method, url, headers=headers, timeout=20.0, **more)

    @property
    def ready(self) -> bool:
        return self.get("/readyz").status_code == 200

    def metrics(self) -> dict[str, float]:
        """By name, with the one label's value behind a slash; the accounting is asserted."""
        found = {}
        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                label = "/".join(sample.labels.values())
                found[f"{sample.name}/{label}" if label else sample.name] = sample.value
        settled = sum(found[f"songtien_samples_total/{outcome}"] for outcome in OUTCOMES)
        in_flight = found["songtien_samples_in_flight"]
        assert found["songtien_samples_received_total"] == settled + in_flight
        return found

    def counted(self, name: str) -> int:
        return int(self.metrics().get(f"songtien_{name}", 0))

    @contextmanager
    def store(self) -> Iterator[sqlite3.Connection]:
        """The store's file, read beside the service or after it."""
        uri = f"{(self.data / 'store.sqlite').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=20)) as connection:
            yield connection

    def readings(self, key: str) -> dict[int, tuple[float, int, int]]:
        """t -> (value, flag, why) of a series, from the file."""
        with self.store() as connection:
            rows = connection.execute(
                "SELECT t, value, flag, why FROM reading WHERE series ="
                " (SELECT id FROM series WHERE key = ?) ORDER BY t",
                (key,),
            ).fetchall()
        return {t: (value, flag, why) for t, value, flag, why in rows}

    def alert_events(self) -> list[dict[str, Any]]:
        """Every stored event of every alert, by position."""
        with self.store() as connection:
            rows = connection.execute(
                "SELECT pos, alert, type, told, body, evidence FROM alert_event ORDER BY pos"
            ).fetchall()
        return [
            {
                "pos": pos,
                "id": alert,
                "type": kind,
                "told": bool(told),
                "alert": json.loads(body),
                "evidence": json.loads(evidence),
            }
            for pos, alert, kind, told, body, evidence in rows
        ]


def descendants(pid: int) -> set[int]:
    """Processes below a process, by the parents that /proc tells."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended while we looked
        match = re.fullmatch(r"(\d+) \(.*\) \S (\d+) .*", text.strip(), re.DOTALL)
        assert match is not None
        parents[int(match[1])] = int(match[2])
    found: set[int] = set()
    ahead = {pid}
    while ahead:
        ahead = {child for child, parent in parents.items() if parent in ahead} - found
        found |= ahead
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; one that waits for its parent to notice its end is dead."""
    return {pid for pid in pids if _state(pid) not in {"", "Z", "X"}}


def _state(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(") ")[2][:1]
