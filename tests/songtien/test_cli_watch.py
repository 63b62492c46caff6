"""`songtien watch` as a process of its own, on a real service."""

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from songtien.cli import app
from songtien.trial import Trial
from songtien.trial.choices import Choices
from songtien.watch_words import word
from tests.e2e.running import SONGTIEN, environment
from tests.relay import Relay

WITHIN_S = 30.0
KEY = "xh-01/salinity_g_l"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def watch(*words: str, **more: str) -> Said:
    """The command in this process, to its end."""
    found = CliRunner().invoke(app, ["watch", *words], env={"COLUMNS": "140", **more})
    return Said(found.exit_code, found.stdout, found.stderr)


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    trial = Trial(tmp_path_factory.mktemp("river"))
    trial.scenario("dry-season", devices=["xh-01"])
    trial.at("8h")
    yield trial
    trial.close()


def test_once_shows_what_there_is(river: Trial) -> None:
    said = watch(river.http_url, "--once", "--lang", "vi")
    assert (said.code, said.err) == (0, "")
    newest = river.expect(KEY)
    figure = f"{newest['v']:.2f}".replace(".", ",") + " g/l"
    row = next(line for line in said.out.splitlines() if "Độ mặn  " in line and figure in line)
    assert word(f"st_{newest['st']}", "vi") in row
    assert "\x1b[" not in said.out


def test_once_as_lines_equals_what_http_gives(river: Trial) -> None:
    said = watch(river.http_url, "--once", "--json", "--where", "quantity=salinity_g_l")
    assert said.code == 0
    lines = [json.loads(line) for line in said.out.splitlines()]
    items = {one["item"]["k"]: one["item"] for one in lines if one["said"] == "item"}
    state = {one["k"]: one for one in river.get("/api/v1/state")["items"]}
    assert items == {k: one for k, one in state.items() if one["quantity"] == "salinity_g_l"}
    alerts = watch(river.http_url, "--once", "--json", "--where", "severity=critical")
    assert all(json.loads(line)["said"] == "alert" for line in alerts.out.splitlines())


@contextmanager
def watching(*words: str, **more: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*SONGTIEN, "watch", *words],
        env=environment({}) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", **wanted: Any) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if wanted.items() <= told.items():
            return told
    raise AssertionError(f"ended with {process.wait()}: {wanted} never came")


def test_lines_go_on_through_a_broken_link(songtien: Trial, free_port: int) -> None:
    cable = Relay(free_port)
    through = {
        "live.public_url": f"ws://127.0.0.1:{cable.port}/live",
        "live.port": str(free_port),
    }
    songtien.choices = Choices(settings=through)
    songtien.scenario("dry-season", devices=["xh-01"])
    songtien.at("8h")
    try:
        with watching(songtien.http_url, "--json", "--where", "device=xh-01") as process:
            until(process, said="link", up=True)
            cable.cut()
            lost = until(process, said="link", up=False)
            assert lost["why"]
            songtien.at("9h")
            cable.mend()
            until(process, said="item", item=songtien.expect(KEY))
            process.terminate()
            assert process.wait(WITHIN_S) == 0
    finally:
        cable.close()


def test_the_table_on_a_terminal_says_when_the_link_is_down(songtien: Trial) -> None:
    songtien.at("06:00")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*SONGTIEN, "watch", songtien.http_url, "--lang", "en"],
        env=environment({}) | {"TERM": "xterm", "COLUMNS": "140", "LINES": "30"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        try:
            assert "receiving live" in _screen(master, "receiving live")
            songtien.close()
            assert "LINK LOST since" in _screen(master, "LINK LOST since")
            process.terminate()
            _drained(master)
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
            os.close(master)


def _screen(terminal: int, wanted: str) -> str:
    """What has been drawn until it holds what is wanted."""
    drawn, text, deadline = b"", "", time.monotonic() + WITHIN_S
    while wanted not in text:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} never came: {text[-500:]}"
        drawn += os.read(terminal, 65_536)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.decode(errors="ignore"))
    return text


def _drained(terminal: int) -> None:
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return  # the process has closed its end


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["river"], 2, "'river' is no address of a service"),
        (["ftp://river"], 2, "http://HOST[:PORT]"),
        (["--where", "v=1"], 2, "kind, station, branch, device, quantity, severity, rule"),
        (["--lang", "fr"], 2, "vi, en"),
        (["--token-file", "/no/such/file"], 2, "--token-file"),
    ],
)
def test_usage_is_told_in_a_line(words: list[str], code: int, told: str) -> None:
    said = watch(*words, "--once")
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_without_a_terminal_it_asks_how_to_tell() -> None:
    said = watch()
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "--once" in said.err


def test_a_service_that_is_down(free_port: int) -> None:
    said = watch(f"http://127.0.0.1:{free_port}", "--once")
    assert said.code == 1
    assert "does not answer" in said.err
    with watching(f"http://127.0.0.1:{free_port}", "--json") as process:
        assert process.stderr is not None
        for _ in range(2):
            assert "trying again in" in process.stderr.readline()


@pytest.mark.songtien(settings={"auth.anonymous": "none"})
def test_tokens(songtien: Trial, tmp_path: Path) -> None:
    songtien.at("06:00")
    said = watch(songtien.http_url, "--once")
    assert said.code == 2
    assert "--token-file" in said.err
    said = watch(songtien.http_url, "--once", SONGTIEN_TOKEN="stolen")
    assert said.code == 2
    assert "does not take this token" in said.err
    file = tmp_path / "token"
    file.write_text(songtien.token("viewer") + "\n")
    assert watch(songtien.http_url, "--once", "--token-file", str(file)).code == 0


def test_what_is_no_service_of_ours_is_told(river: Trial) -> None:
    said = watch(f"{river.http_url}no/such", "--once")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "404" in said.err
