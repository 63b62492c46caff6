"""The command line from outside: exit codes, one line for each fault, help with examples."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner, Result

from ingest.faults import ConfigError, Fault
from songtien import datadir
from songtien.cli import COMMANDS, app
from songtien.pipeline import JournalGapError
from songtien.processor import StateError
from songtien.terminal import AT_THE_BROKER, BROKEN, UNFIT, faults_told

DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of these tests is written beside the checkout, nor read from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("SONGTIEN_"):
            monkeypatch.delenv(name)


def songtien(*words: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(words), env=env, input=stdin)


def lines(result: Result) -> list[str]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.stderr.splitlines()


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    found: Mapping[str, object] = getattr(group, "commands", {})
    for name, command in found.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


EVERY_HELP = [
    *commands(get_command(app)),
    (),
    ("rules",),
    ("user",),
    ("token",),
]


@pytest.mark.parametrize("path", EVERY_HELP, ids=" ".join)
def test_help_of_every_command_has_an_example_of_it(path: tuple[str, ...]) -> None:
    shown = songtien(*path, "--help")
    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    assert " ".join(("Example: songtien", *path)) in words


def test_the_contract_s_commands_are_there() -> None:
    named = set(commands(get_command(app)))
    assert named >= {("demo",), ("serve",), ("simulate",), ("replay",), ("rules", "check")}
    assert named >= {("user", "add"), ("token", "create")}


def test_the_first_sentences_in_the_list_are_those_of_the_commands() -> None:
    found = get_command(app).commands  # type: ignore[attr-defined]
    said = {name: command.get_short_help_str(1000) for name, command in found.items()}
    assert said == {name: sentence for name, (_, sentence) in COMMANDS.items()}


@pytest.mark.parametrize("words", [["--version"], ["--help"], [], ["simulat"]], ids=" ".join)
def test_what_needs_no_command_imports_none(words: list[str]) -> None:
    script = """
import sys
from songtien.cli import app
try:
    app(sys.argv[1:])
finally:
    print([m for m in sys.modules if m.split(".")[0] in {"numpy", "asyncio", "ingest"}])
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert ended.stdout.splitlines()[-1] == "[]"


def test_errors_that_are_told_by_their_names_exist() -> None:
    for name in (*UNFIT, *BROKEN, *AT_THE_BROKER):
        module, _, error = name.partition(":")
        assert issubclass(getattr(import_module(module), error), Exception), name


def test_version_and_no_words_at_all() -> None:
    assert songtien("--version").output.strip()[0].isdigit()
    assert "Commands:" in songtien().output


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("serve", "--config", "none.toml"), "none.toml: --config = 'none.toml'"),
        (("serve", "--config", "bad.toml"), "bad.toml: mqtt.foo = 1: this key isn't known"),
        (("rules", "check", "latin.toml"), "options: FILE = 'latin.toml': a file in UTF-8"),
        (("rules", "check", "."), ""),
        (("rules", "check", "broken.toml"), "broken.toml: the end = '[[rule'"),
        (
            ("rules", "check", "empty.toml", "--registry", "latin.toml"),
            "options: --registry = 'latin.toml': a file in UTF-8",
        ),
        (("simulate", "nowhere", "--out", "x"), "simulate: scenario = 'nowhere'"),
        (("simulate", "quiet", "--speed", "0", "--out", "x"), "options: --speed = '0'"),
        (("simulate", "quiet", "--duration", "3y", "--out", "x"), "options: --duration = '3y'"),
        (
            ("simulate", "quiet", "--broker", "tcp://h"),
            "simulate: broker = 'tcp://h': accepted is mqtt://HOST:1883 or mqtts://HOST:8883",
        ),
        (("simulate", "quiet", "--root", "#"), ""),
        (
            ("simulate", "quiet", "--broker", "mqtt://h", "--password-file", "empty.toml"),
            "options: --broker = 'mqtt://h': beside --password-file mqtt://NAME@HOST",
        ),
        (("demo", "--http-port", "65536"), ""),
        (("replay", "latin.toml"), "replay: FILE = 'latin.toml': accepted is a recording"),
        (("replay", "empty.toml", "--mapping", "latin.toml"), "recording: mapping"),
        (("token", "create", "--role", "king", "--name", "x"), "role = 'king'"),
        (("token", "create", "--role", "viewer", "--name", "x", "--ttl", "5"), "options: --ttl"),
        (("user", "add", "an"), "password: at least"),
        (("nosuch",), ""),
    ],
)
def test_what_is_wrong_in_words_or_files_is_one_line_and_2(
    words: tuple[str, ...], fault: str
) -> None:
    Path("bad.toml").write_text("[mqtt]\nfoo = 1\n")
    Path("latin.toml").write_bytes(b"\xff\xfe")
    Path("broken.toml").write_text("[[rule")
    Path("empty.toml").write_text("")
    result = songtien(*words, stdin="short\n")
    assert result.exit_code == 2
    told = lines(result)
    if fault:
        assert len(told) == 1, told
        assert told[0].startswith(fault)


def test_every_fault_of_a_rules_file_has_its_line() -> None:
    Path("rules.toml").write_text('[[rule]]\nid = "X Y"\nquantity = "salinty_g_l"\n')
    result = songtien("rules", "check", "rules.toml")
    assert result.exit_code == 2
    told = lines(result)
    assert len(told) > 2
    assert {line.split(": ")[0] for line in told} == {f"rules.toml:{n}" for n in (1, 2, 3)}


def test_rules_without_fault_are_counted() -> None:
    Path("rules.toml").write_text("")
    result = songtien("rules", "check", "rules.toml")
    assert (result.exit_code, result.stdout) == (0, "rules.toml: 0 rules, no fault\n")


def test_a_rule_for_no_series_is_listed_and_is_no_fault() -> None:
    Path("rules.toml").write_text(
        '[[rule]]\nid = "salt"\nquantity = "salinity_g_l"\nseverity = "info"\n'
        'raise_above = 4.0\nkinds = ["traffic"]\n'
    )
    result = songtien("rules", "check", "rules.toml")
    assert result.exit_code == 0
    told = result.stdout.splitlines()
    assert told[1:] == ["  salt watches no series of these stations"]


def test_what_fails_though_the_words_are_right_is_one_line_and_1(free_port: int) -> None:
    nobody = f"mqtt://127.0.0.1:{free_port}"
    result = songtien("simulate", "quiet", "--duration", "1m", "--broker", nobody)
    assert (result.exit_code, len(lines(result))) == (1, 1)
    assert lines(result)[0].startswith("broker: ")
    result = songtien("simulate", "quiet", "--duration", "1m", "--out", "no/such/directory")
    assert (result.exit_code, len(lines(result))) == (1, 1)
    assert "no/such/directory" in lines(result)[0]


def test_a_data_directory_in_use_is_told_and_2(tmp_path: Path) -> None:
    with datadir.held(tmp_path / "data"):
        result = songtien("serve", env={"SONGTIEN_DATA__DIR": str(tmp_path / "data")})
    assert result.exit_code == 2
    assert f"process {os.getpid()} is using this one" in lines(result)[-1]


def test_a_store_that_is_none_is_told_and_1(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_text("these are not the pages of a database")
    result = songtien("serve", env={"SONGTIEN_DATA__DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert lines(result)[-1] == "data directory: file is not a database"


def test_files_of_another_version_are_told_and_2(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    result = songtien("serve", env={"SONGTIEN_DATA__DIR": str(tmp_path)})
    assert result.exit_code == 2
    assert "schema version 99" in lines(result)[-1]


def test_a_token_is_printed_once_alone_and_stored_as_a_hash(tmp_path: Path) -> None:
    env = {"SONGTIEN_DATA__DIR": str(tmp_path / "data")}
    result = songtien("token", "create", "--role", "viewer", "--name", "x", "--ttl", "1d", env=env)
    assert result.exit_code == 0
    (token,) = result.stdout.split()
    for file in (tmp_path / "data").iterdir():
        assert token.encode() not in file.read_bytes()


def test_an_officer_is_added_with_a_password_from_standard_input(tmp_path: Path) -> None:
    env = {"SONGTIEN_DATA__DIR": str(tmp_path / "data")}
    words = ("user", "add", "an", "--role", "operator")
    result = songtien(*words, env=env, stdin="a long enough password\n")
    assert (result.exit_code, result.stdout) == (0, "an may sign in as operator\n")
    again = songtien(*words, env=env, stdin="a long enough password\n")
    assert (again.exit_code, len(lines(again))) == (2, 1)


def test_faults_inside_groups_are_told_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """The service's parts run in a group; what one of them finds comes wrapped."""
    fault = ConfigError([Fault("a", "b", 1, "c"), Fault("a", "d", 2, "e")])

    def told(error: BaseException) -> int:
        try:
            with faults_told():
                raise error
        except typer.Exit as ended:
            return ended.exit_code

    assert told(ExceptionGroup("tasks", [ExceptionGroup("more", [fault])])) == 2
    assert capsys.readouterr().err == "a: b = 1: c\na: d = 2: e\n"


def test_files_that_do_not_belong_together_are_told_and_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for error in (JournalGapError(3, 9), StateError("checkpoint of version 1, not 2")):
        with pytest.raises(typer.Exit) as ended, faults_told():
            raise error
        assert ended.value.exit_code == 1
        assert capsys.readouterr().err == f"{error}\n"


def test_what_nobody_expected_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError), faults_told():
        raise ZeroDivisionError


@contextmanager
def served(directory: Path, port: int, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    env = {
        **os.environ,
        "SONGTIEN_DATA__DIR": str(directory / "data"),
        "SONGTIEN_MQTT__URL": f"mqtt://127.0.0.1:{port}",
        "SONGTIEN_HTTP__PORT": "0",
        "SONGTIEN_LIVE__PORT": "0",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", "from songtien.cli import main; main()", "serve"],
        env=env,
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_with_0_and_everything_written(
    tmp_path: Path, free_port: int, number: signal.Signals
) -> None:
    with served(tmp_path, free_port) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"serving"' in line:
                break
        process.send_signal(number)
        _, rest = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
        assert "everything is written" in rest.splitlines()[-1]
        assert "Traceback" not in rest


@pytest.mark.parametrize("door", ["HTTP", "LIVE"])
def test_a_port_in_use_is_told_and_2(tmp_path: Path, free_port: int, door: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with served(tmp_path, free_port, **{f"SONGTIEN_{door}__PORT": str(port)}) as process:
            _, told = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in told.splitlines()[-1]
    assert "Traceback" not in told
