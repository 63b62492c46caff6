"""`songtien channel test`: one message, and what its gateway made of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.farmers.parcel import Parcel
from songtien.cli import app
from songtien.telling.channels.file import FileChannel
from tests.telling.gateways import answer, gateway

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> str:
    Path("songtien.toml").write_text(text, "utf-8")
    return "songtien.toml"


def run(*words: str) -> tuple[int, str]:
    found = RUNNER.invoke(app, ["channel", "test", *words, "--config", "songtien.toml"])
    return found.exit_code, " ".join(found.output.split())


SMS = """
[channel.sms]
kind = "sms"
url = "{url}"
ref = "id"
[channel.sms.body]
to = "{phone}"
text = "{text}"
"""


def test_what_is_taken_is_told_with_its_reference(tmp_path: Path) -> None:
    with gateway(lambda *_: answer(200, {"id": "g-1"})) as made:
        written(SMS.replace("{url}", made.url))
        assert run("sms", "--to", "0912 345 678") == (0, "taken: status 200, reference g-1")
    (asked,) = made.asked
    assert asked.said["to"] == "84912345678"
    assert asked.said["text"].startswith("TIN THU luc ")
    assert (tmp_path / "data").is_dir()


def test_what_is_not_taken_is_an_exit_code(tmp_path: Path) -> None:
    del tmp_path
    with gateway(lambda *_: answer(401)) as made:
        written(SMS.replace("{url}", made.url))
        assert run("sms", "--to", "0912345678") == (1, "closed: status 401")


def test_a_file_is_written_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    written('[channel.f]\nkind = "file"\npath = "told.jsonl"\n')
    assert run("f", "--to", "0912345678", "--lang", "en")[0] == 0
    assert json.loads((tmp_path / "told.jsonl").read_text("utf-8"))["text"].startswith("A TRIAL")


def test_an_address_may_come_by_standard_input(tmp_path: Path) -> None:
    written('[channel.f]\nkind = "file"\npath = "told.jsonl"\nshow_addresses = true\n')
    words = ["channel", "test", "f", "--to", "-", "--config", "songtien.toml"]
    assert RUNNER.invoke(app, words, input="0912 345 678\n").exit_code == 0
    assert json.loads((tmp_path / "told.jsonl").read_text("utf-8"))["to"] == "+84912345678"
    assert RUNNER.invoke(app, words, input="").exit_code == 2


def test_a_channel_that_breaks_says_nothing_of_whom_it_was_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(self: FileChannel, parcel: Parcel) -> None:
        del self
        raise KeyError(parcel.address)

    monkeypatch.setattr(FileChannel, "send", broken)
    written('[channel.f]\nkind = "file"\npath = "told.jsonl"\n')
    code, told = run("f", "--to", "0912345678")
    assert code == 1
    assert told.startswith("again: the channel failed: KeyError in ")
    assert "345678" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("smss", "--to", "0912345678"), "NAME = 'smss': did you mean 'sms'?"),
        (("sms", "--to", "0712"), "--to = '(hidden)'"),
        (("sms", "--to", "+1 555 0100"), "--to = '(hidden)'"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_sent(words: tuple[str, ...], said: str) -> None:
    written(SMS.replace("{url}", "http://127.0.0.1:9"))
    code, told = run(*words)
    assert code == 2
    assert said in told
    assert not any(number in told for number in ("0712", "555"))
