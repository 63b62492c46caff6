"""`songtien score`: one object of stable bytes, a table for people, a clear word without labels."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ingest.registry import parse_registry
from simulators.label import Label
from simulators.recording import Writer
from songtien.cli_score import duration, labels_of, score
from tests.songtien.scored import (
    LIMITS,
    REGISTRY,
    SALT,
    SILENT,
    above,
    at,
    calm,
    fault,
    feed,
)

LABELS = [fault("spike", 49, 52), fault("duplicate", 60, 70), above(80, 100)]
EXAMPLES = Path(__file__).parents[2] / "examples"
APP = typer.Typer()
APP.command()(score)


def _said(*words: object) -> Result:
    return CliRunner().invoke(APP, [str(word) for word in words])


def _value(n: int) -> float:
    return calm(n) + (5.0 if n == 50 else 0.0) + (3.0 if 80 <= n < 100 else 0.0)


def _recording(path: Path, labels: list[Label]) -> Path:
    with Writer.to(path) as out:
        out.header({"scenario": "by hand", "seed": 3})
        for label in labels:
            out.label(label)
        for t_ms, topic, payload in feed("p-1", _value, 120):
            out.message(t_ms, topic, payload)
    return path


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    for name, text in (("stations", REGISTRY + LIMITS), ("rules", SALT + SILENT)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return ["--registry", str(tmp_path / "stations.toml"), "--rules", str(tmp_path / "rules.toml")]


def test_one_object_with_the_same_bytes_on_every_run(tmp_path: Path, options: list[str]) -> None:
    path = _recording(tmp_path / "a.jsonl.gz", LABELS)
    first = _said(path, *options, "--json")
    assert first.exit_code == 0, first.output
    content = json.loads(first.stdout)
    assert list(content) == sorted(content)
    assert content["recording"]["scenario"] == "by hand"
    assert content["recording"]["seed"] == 3
    kinds = {each["label"]: each for each in content["kinds"]}
    assert (kinds["spike"]["windows"], kinds["spike"]["hits_fail"]) == (1, 1)
    assert kinds["duplicate"]["traces"] == 0
    rules = {each["rule"]: each for each in content["rules"]}
    assert (rules["salt"]["windows"], rules["salt"]["hits"], rules["salt"]["false"]) == (1, 1, 0)
    # The second probe never says a word, which no label excuses.
    assert rules["silent"]["false"] == 1
    assert content["unscored"] == []
    assert _said(path, *options, "--json").stdout_bytes == first.stdout_bytes


def test_a_table_for_people(tmp_path: Path, options: list[str]) -> None:
    path = _recording(tmp_path / "a.jsonl", LABELS)
    told = _said(path, *options)
    assert told.exit_code == 0, told.output
    assert "spike" in told.stdout
    assert "false events of flags: 0, of failed samples 0" in told.stdout
    assert told.stderr == ""


def test_without_labels_the_fault_says_what_is_accepted(tmp_path: Path, options: list[str]) -> None:
    told = _said(_recording(tmp_path / "a.jsonl", []), *options)
    assert told.exit_code == 2
    assert "a.jsonl: labels" in told.stderr
    assert "accepted is a recording with labels" in told.stderr
    assert told.stdout == ""


def test_labels_without_a_message_are_a_fault(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "a.jsonl"
    with Writer.to(path) as out:
        out.label(LABELS[0])
    told = _said(path, *options)
    assert told.exit_code == 2
    assert "messages" in told.stderr


def test_labels_that_cannot_be_scored_are_told_all_at_once(
    tmp_path: Path, options: list[str]
) -> None:
    """With the wrong registry each of them would be missed, without a word."""
    wrong = [
        fault("spike", 1, 2, device="xh-01"),
        fault("gap", 3, 4, device="xh-01"),
        above(5, 6, station="xuan-hoa"),
        fault("stuck", 8, 7),
        fault("noise", 9, 9),
    ]
    told = _said(_recording(tmp_path / "a.jsonl", wrong), *options)
    assert told.exit_code == 2
    lines = told.stderr.splitlines()
    assert [line.split(": ")[1].split(" = ")[0] for line in lines] == [
        "label.device",
        "label.station",
        "label",
    ]
    assert "--registry" in lines[0]


MAPPING = """
[time]
column = "time"
format = "epoch_ms"
[[device]]
kind = "salinity"
station = "tram"
device = "p-1"
[device.columns]
sal_g_l = "sal"
[device.labels]
column = "seen"
not_in = ["good"]
"""


def test_a_csv_whose_rows_people_rejected(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "gauge.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "sal", "seen"])
        for n in range(120):
            seen = "bad" if 49 <= n < 52 or 110 <= n < 112 else "good"
            rows.writerow([at(n), round(calm(n) + (5.0 if n in (20, 111) else 0.0), 4), seen])
    (tmp_path / "gauge.toml").write_text(MAPPING, encoding="utf-8")
    told = _said(path, *options, "--json")
    assert told.exit_code == 0, told.output
    content = json.loads(told.stdout)
    (human,) = content["kinds"]
    assert (human["label"], human["windows"], human["hits"]) == ("human", 2, 1)
    assert [each["from_ms"] for each in content["false_flags"]] == [at(20)]
    # Nobody says what was true of the water: a probe that only people rejected proves no alert.
    assert content["rules"] == []
    assert set(content["unscored"]) == {"salt", "silent"}


def test_a_csv_without_labels_says_where_they_would_stand(
    tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "gauge.csv").write_text(f"time,sal,seen\n{at(1)},2.0,good\n", encoding="utf-8")
    mapping = MAPPING.partition("[device.labels]")[0]
    (tmp_path / "gauge.toml").write_text(mapping, encoding="utf-8")
    told = _said(tmp_path / "gauge.csv", *options)
    assert told.exit_code == 2
    assert "[device.labels]" in told.stderr


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (600, "10 min"), (10_800, "3.0 h")]
)
def test_durations_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("file", "mapping", "events"),
    [
        ("qc/MainStreet2019.csv.gz", "logan-main-street", 6),
        ("qc/WaterLab2019.csv.gz", "logan-water-lab", 10),
        ("salinity/swmpr_apacpwq_2012_2013.csv.gz", "cat-point", 8),
    ],
)
def test_the_examples_find_the_events_that_people_labelled(
    recorded: Callable[[str], Path], file: str, mapping: str, events: int
) -> None:
    """As many as the published comparison counts."""
    _, labels = labels_of(recorded(file), EXAMPLES / f"{mapping}.toml")
    assert len(labels) == events
    assert {label.label for label in labels} == {"human"}


@pytest.mark.parametrize(
    ("registry", "devices"),
    [("cat-point-stations", ["bd-01"]), ("logan-stations", ["ms-01", "wl-01"])],
)
def test_the_registries_of_the_examples_have_their_devices(
    registry: str, devices: list[str]
) -> None:
    text = (EXAMPLES / f"{registry}.toml").read_text("utf-8")
    assert list(parse_registry(text, registry).devices) == devices
