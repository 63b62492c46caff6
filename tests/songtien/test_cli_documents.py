"""`songtien asyncapi` prints what a service with this configuration would serve."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from songtien.cli import app


def _printed(*words: str) -> str:
    told = CliRunner().invoke(app, ["asyncapi", *words])
    assert told.exit_code == 0, told.output
    return told.stdout


def test_the_same_configuration_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGTIEN_MQTT__PASSWORD", "not for anybody")
    config = tmp_path / "songtien.toml"
    config.write_text(
        '[mqtt]\nurl = "mqtts://broker.example:8884"\nroot = "ben-tre/river"\nusername = "songtien"\n'
        '[live]\npublic_url = "wss://mekong.example/live"\n'
    )
    text = _printed("--config", str(config))
    assert text == _printed("--config", str(config))
    assert "not for anybody" not in text
    document = json.loads(text)
    live = document["servers"]["live"]
    assert (live["host"], live["protocol"]) == ("mekong.example", "wss")
    broker = document["servers"]["broker"]
    assert (broker["host"], broker["protocol"]) == ("broker.example:8884", "secure-mqtt")
    assert document["channels"]["ack"]["address"].startswith("ben-tre/river/v1/{kind}/")


def test_a_faulty_configuration_is_told_by_line(tmp_path: Path) -> None:
    config = tmp_path / "songtien.toml"
    config.write_text('[mqtt]\nrout = "x"\n')
    told = CliRunner().invoke(app, ["asyncapi", "--config", str(config)])
    assert told.exit_code == 2
    assert "rout" in told.output
