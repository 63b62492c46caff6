"""What two sets of rules make of one recording."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from songtien.cli import app
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe

MINUTE = 60_000
VALUES = [3.0, 4.2, 4.6, 4.7, 3.0, 3.0, 3.0, 3.7, 3.8, 3.9, 3.0, 3.0, 3.0]
"""One spell above 4 (from minute 10), one between 3.6 and 4 (from minute 70)."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "feed.jsonl"
    lines = []
    for n, value in enumerate(VALUES):
        t_ms = BEGIN_MS + n * 10 * MINUTE
        topic, body = probe("mt-01", t_ms, seq=n, sal_g_l=value)
        lines.append(json.dumps({"at": t_ms + 500, "topic": topic, "payload": body.decode()}))
    file.write_text("\n".join(lines) + "\n")
    (tmp_path / "stations.toml").write_text(REGISTRY)
    (tmp_path / "a.toml").write_text(RULES)
    return file


def _diff(recording: Path, b: str, *more: str) -> Result:
    here = recording.parent
    (here / "b.toml").write_text(b)
    words = ["rules", "diff", str(here / "a.toml"), str(here / "b.toml"), str(recording)]
    return CliRunner().invoke(app, [*words, "--registry", str(here / "stations.toml"), *more])


def test_the_same_rules_differ_in_nothing(recording: Path) -> None:
    done = _diff(recording, RULES)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "no alert differs")
    assert "salinity-4: 1 in A, 1 in B" in done.stdout


def test_a_lower_limit_begins_earlier_and_finds_more(recording: Path) -> None:
    lower = RULES.replace("raise_above = 4.0", "raise_above = 3.5").replace("3.6", "3.2")
    found = json.loads(_diff(recording, lower, "--json").stdout)
    assert [row["rule"] for row in found["rules"]] == ["salinity-4", "silent"]
    assert found["rules"][0] == {"rule": "salinity-4", "a": 1, "b": 2}
    assert found["only_a"] == []
    assert [row["t_since"] for row in found["only_b"]] == [BEGIN_MS + 70 * MINUTE]
    # The spell above 4 begins at the same sample: 3.5 was passed by the same step.
    assert found["moved"] == []


def test_a_higher_limit_moves_the_begin(recording: Path) -> None:
    done = _diff(recording, RULES.replace("raise_above = 4.0", "raise_above = 4.5"), "--json")
    found = json.loads(done.stdout)
    ((pair,),) = (found["moved"],)
    assert pair["a"]["t_since"] == BEGIN_MS + 10 * MINUTE
    assert pair["b"]["t_since"] == BEGIN_MS + 20 * MINUTE


def test_the_same_alert_otherwise(recording: Path) -> None:
    quicker = RULES.replace("clear_for_s = 900", "clear_for_s = 0")
    done = _diff(recording, quicker.replace('"critical"', '"major"'))
    marks = [text[0] for text in done.stdout.splitlines() if text[0] in "-+<>"]
    assert marks == ["<", ">"]
    assert "critical" in done.stdout
    assert "major" in done.stdout


def test_faults_name_the_file(recording: Path) -> None:
    done = _diff(recording, RULES.replace("raise_above", "raise_abov"))
    assert done.exit_code == 2
    assert all("b.toml" in text for text in done.stderr.splitlines())
