"""`songtien record` and `replay` as processes: signals, exit codes, what stands where."""

import gzip
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.journal import Journal, Messages
from simulators.message import Message
from simulators.recording import read, write_recording
from songtien.cli import app
from songtien.settings import DEFAULTS
from tests.conftest import Mosquitto

ROOT = Path(__file__).parent.parent.parent
SONGTIEN = [sys.executable, "-c", "from songtien.cli import main; main()"]
TOPIC = "tiengiang/v1/salinity/vam-kenh/vk-01/obs"
T_MS = 1_767_000_000_000
PATIENCE_S = 30.0


def _told(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, " ".join(done.output.split())


def _await(path: Path, count: int) -> None:
    """Wait until a recorder has so many lines on the disk."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if path.exists() and sum(map(len, read(path, whole=False).blocks)) >= count:
            return
        time.sleep(0.05)
    pytest.fail(f"{path} has not got {count} messages")


def _publish(broker: Mosquitto, payload: str) -> None:
    words = ["mosquitto_pub", "-p", str(broker.port), "-t", TOPIC, "-m", payload, "-q", "1", "-r"]
    subprocess.run(words, check=True, timeout=PATIENCE_S)


@pytest.mark.broker
def test_ctrl_c_ends_a_recording_with_a_whole_file(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    _publish(mosquitto, "{}")
    words = [*SONGTIEN, "record", str(path), "--broker", mosquitto.url]
    with subprocess.Popen(words, cwd=ROOT, stdout=-1, stderr=-1) as recording:
        _await(path, 1)
        recording.send_signal(signal.SIGINT)
        said = recording.communicate(timeout=PATIENCE_S)
    assert (recording.returncode, said[0]) == (0, b"")
    assert said[1] == b"1 messages with 2 bytes recorded\n"
    assert gzip.decompress(path.read_bytes()).count(b"\n") == 2


@pytest.mark.broker
def test_to_standard_output_until_terminated(mosquitto: Mosquitto) -> None:
    _publish(mosquitto, "salt")
    words = [*SONGTIEN, "record", "-", "--broker", mosquitto.url]
    with subprocess.Popen(words, cwd=ROOT, stdout=-1, stderr=-1) as recording:
        assert recording.stdout is not None
        head, message = recording.stdout.readline(), recording.stdout.readline()
        recording.send_signal(signal.SIGTERM)
        rest = recording.communicate(timeout=PATIENCE_S)
    assert (recording.returncode, rest[0]) == (0, b"")
    assert head.startswith(b'{"songtien":"recording","v":1,"from":')
    assert message.endswith(b'"payload":"salt","retain":true}\n')


@pytest.mark.broker
def test_for_a_time(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    _publish(mosquitto, "salt")
    words = ("record", str(path), "--broker", mosquitto.url, "--duration", "0.3s")
    assert _told(*words) == (0, "1 messages with 4 bytes recorded")


def test_a_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    away = ("--broker", "mqtt://127.0.0.1:1")
    code, told = _told("record", str(path), *away)
    assert (code, path.read_text()) == (2, "mine")
    assert "--force" in told
    assert _told("record", str(path), *away, "--force")[0] == 1
    assert path.read_text() == "mine"  # as long as there is nothing to hear
    assert _told("record", str(tmp_path / "b"), *away, "--topic", "a/#/b")[0] == 2
    assert _told("record", str(tmp_path / "b"), *away, "--from", "2026-03-01")[0] == 2
    assert not (tmp_path / "b").exists()


def test_what_a_service_has_heard(tmp_path: Path) -> None:
    directory, path = tmp_path / "data", tmp_path / "a.jsonl.gz"
    assert _told("record", str(path), "--from-data", str(tmp_path))[0] == 2
    directory.mkdir()
    now_ms = iter(range(T_MS, T_MS + 10_000, 1000))
    journal = Journal(directory / "journal.sqlite", lambda: next(now_ms))
    for number in range(5):
        journal.append(Messages([TOPIC, "other/x"], [b"%d" % number, b""]))
    journal.close()
    words = ("record", str(path), "--from-data", str(directory), "--from", str(T_MS + 1000))
    assert "--from and --to beside --from-data" in _told(*words, "--duration", "1h")[1]
    code, told = _told(*words, "--to", str(T_MS + 4000))
    assert (code, told) == (0, "3 messages recorded")
    assert [m.payload for m in read(path).messages] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--zone", "UTC"), "--zone = 'UTC': accepted beside --column"),
        (("--where", "a=b"), "--where = ['a=b']: accepted beside --column"),
        (("--time-column", "t"), "--time-column = 't': accepted beside --column"),
        (("--column", "sal_g_l=s", "--device", "mt-01"), "--station = '': it is missing"),
        (
            (
                *("--column", "sal_g_l=s", "--device", "mt-01"),
                *("--station", "my-tho"),
                "--mapping",
            ),
            "a mapping or --column, not both",
        ),
    ],
)
@pytest.mark.parametrize("command", ["replay", "backtest"])
def test_an_option_that_would_do_nothing_is_told(
    tmp_path: Path, command: str, options: tuple[str, ...], told: str
) -> None:
    table, mapping = tmp_path / "a.csv", tmp_path / "a.toml"
    table.write_text("t,s\n")
    mapping.write_text("")
    words = [command, str(table), *options]
    words += [str(mapping)] if options[-1] == "--mapping" else []
    words += ["--rules", str(DEFAULTS / "rules.toml")] if command == "backtest" else []
    code, said = _told(*words)
    assert code == 2
    assert told in said


@pytest.mark.broker
def test_progress_is_told_on_a_terminal_and_nothing_on_a_pipe(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    sent = [Message(T_MS + 150 * n, TOPIC, b"{}") for n in range(12)]
    write_recording(path, {}, (), sent)
    words = ["replay", str(path), "--broker", mosquitto.url, "--root", "test"]
    done = CliRunner().invoke(app, [*words, "--speed", "max"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("12 messages with 0 samples acknowledged in")
    ours, its = pty.openpty()
    wide = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(
        [*SONGTIEN, *words], cwd=ROOT, stdout=-1, stderr=its, env=wide
    ) as replaying:
        os.close(its)
        shown = b""
        while replaying.poll() is None:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert replaying.returncode == 0
    assert re.search(rb"a\.jsonl: \d+ %, \d+ of 12 messages, [\d.]+/s, 0:00:0\d left", shown)


@pytest.mark.broker
def test_a_part_of_a_cut_recording_under_another_root(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_recording(path, {}, (), [Message(T_MS + n, TOPIC, b"{}") for n in range(10)])
    path.write_bytes(path.read_bytes()[:-5])
    words = ("replay", str(path), "--broker", mosquitto.url, "--speed", "max", "--root", "test")
    code, told = _told(*words, "--from", str(T_MS + 2), "--to", str(T_MS + 8), "--device", "vk-01")
    assert code == 0
    assert told.startswith("6 messages")
    assert "left out, not chosen: 3" in told
    assert "is cut off (the last line is not whole)" in told
    assert _told(*words, "--filter", "a/#/b")[0] == 2
    assert _told(*words, "--from", "soon")[0] == 2
    assert _told(*words, "--loop", "2")[0] == 2
