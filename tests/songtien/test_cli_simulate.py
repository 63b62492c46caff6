"""`songtien simulate` from the command line: lists, files, labels, pictures, loads, faults."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simulators.recording import read
from simulators.scenario import SCENARIOS
from songtien.cli import app
from tests.conftest import Mosquitto

Songtien = Callable[..., Result]

OWN = """
about = "half a day with a stuck probe"
start = 2024-03-10
duration = "3h"

[[fault]]
kind = "stuck"
device = "xh-01"
from = "1h"
to = "2h"
"""


@pytest.fixture
def songtien(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Songtien:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, ["simulate", *words])

    return call


def test_without_a_scenario_it_lists_what_there_is(songtien: Songtien) -> None:
    result = songtien()
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    assert all(each.about in line for each, line in zip(SCENARIOS.values(), lines, strict=True))
    assert "simulate: scenario = None: it is missing" in result.stderr


@pytest.mark.parametrize("duration", ["0s", "99999999d"])
def test_a_duration_that_nobody_can_play_is_refused(songtien: Songtien, duration: str) -> None:
    result = songtien("quiet", "--out", "a.jsonl", "--duration", duration)
    assert result.exit_code == 2, result.output
    assert "duration = " in result.stderr
    assert "accepted is more than nothing, and up to 3660 days" in result.stderr
    assert not Path("a.jsonl").exists()


def test_a_recording_that_is_there_is_written_over_only_when_told(songtien: Songtien) -> None:
    storm = Path("storm.jsonl")
    storm.write_text("a storm\n")
    words = ("quiet", "--duration", "10m", "--out", "storm.jsonl", "--labels", "storm.jsonl")
    result = songtien(*words)
    assert result.exit_code == 2
    for name in ("--out", "--labels"):
        assert f"options: {name} = 'storm.jsonl': it is there already" in result.stderr
    assert storm.read_text() == "a storm\n"
    assert songtien(*words[:-2], "--force").exit_code == 0
    assert read(storm).header["scenario"] == "quiet"


def test_a_file_of_ones_own_is_written_with_header_and_labels(songtien: Songtien) -> None:
    Path("my.toml").write_text(OWN)
    result = songtien("my.toml", "--out", "a.jsonl.gz", "--labels", "b.jsonl", "--seed", "4")
    assert result.exit_code == 0, result.output
    begin = 1_710_003_600_000
    written, beside = read(Path("a.jsonl.gz")), read(Path("b.jsonl"))
    head = {"scenario": "my", "seed": 4, "from": begin, "to": begin + 3 * 3_600_000}
    assert dict(written.header) == dict(beside.header) == head
    assert written.labels == beside.labels
    (stuck,) = [each for each in written.labels if each.label == "stuck"]
    assert (stuck.device, stuck.quantity) == ("xh-01", "salinity_g_l")
    assert (stuck.from_ms, stuck.to_ms) == (begin + 3_600_000, begin + 7_200_000)
    of_probe = [m for m in written.messages if "/xh-01/" in m.topic]
    values = [json.loads(m.payload)["samples"][0]["ec_ms_cm"] for m in of_probe]
    assert len(values) == 18
    assert len(set(values[6:12])) == 1
    assert list(beside.messages) == []


def test_the_same_words_give_the_same_bytes_and_durations_may_be_given(songtien: Songtien) -> None:
    for name in ("a", "b"):
        assert songtien("rough-week", "--duration", "2h", "--out", name).exit_code == 0
    assert Path("a").read_bytes() == Path("b").read_bytes()
    header = json.loads(Path("a").read_bytes().split(b"\n")[0])
    assert header["to"] - header["from"] == 7_200_000


def test_a_picture_alone_sends_nothing(songtien: Songtien) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    result = songtien("quiet", "--duration", "6h", "--plot", "q.svg", "--labels", "l.jsonl")
    assert result.exit_code == 0, result.output
    assert Path("q.svg").read_bytes().startswith(b"<?xml")
    assert read(Path("l.jsonl")).header["scenario"] == "quiet"
    assert "acknowledged" not in result.output


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("quite", "--out", "x"), "simulate: scenario = 'quite': did you mean 'quiet'?"),
        (("bad.toml", "--out", "x"), "bad.toml:2: river.depth = 5: this key isn't known"),
        (("none.toml", "--out", "x"), "none.toml: the file = "),
        (("quiet", "--rate", "5"), "options: --rate = '5.0': it is an option of simulate load"),
        (("load", "--out", "x"), "options: --out = 'x': it is an option of a scenario"),
        (("load", "--rate", "5"), "options: --devices = None: it is missing"),
        (("quiet", "--out", "x", "--broker", "mqtt://a:b@h"), "options: --broker = 'mqtt://h'"),
        (
            ("load", "--devices", "1", "--rate", "1", "--connections", "0"),
            "load: connections = 0: accepted is 1",
        ),
    ],
)
def test_what_is_wrong_is_a_line_and_2(
    songtien: Songtien, words: tuple[str, ...], fault: str
) -> None:
    Path("bad.toml").write_text('about = "x"\nriver.depth = 5\nstart = 2024-01-01\n')
    result = songtien(*words)
    assert result.exit_code == 2
    told = result.stderr.splitlines()
    assert len(told) == 1
    assert told[0].startswith(fault)


@pytest.mark.broker
def test_labels_stand_beside_what_is_published(songtien: Songtien, mosquitto: Mosquitto) -> None:
    Path("my.toml").write_text(OWN)
    result = songtien(
        "my.toml", "--broker", mosquitto.url, "--speed", "max", "--labels", "beside.jsonl"
    )
    assert result.exit_code == 0, result.output
    said = read(Path("beside.jsonl"))
    (stuck,) = [each for each in said.labels if each.label == "stuck"]
    assert stuck.from_ms == said.header["from"] + 3_600_000
    assert "acknowledged" in result.stdout


@pytest.mark.broker
def test_a_load_says_what_was_acknowledged(songtien: Songtien, mosquitto: Mosquitto) -> None:
    result = songtien(
        *("load", "--broker", mosquitto.url, "--devices", "50", "--rate", "200"),
        *("--connections", "2", "--duration", "1s", "--registry-out", "load.toml"),
    )
    assert result.exit_code == 0, result.output
    assert "200 messages of 50 devices" in result.stdout
    assert Path("load.toml").read_text().count("[[station.device]]") == 50
