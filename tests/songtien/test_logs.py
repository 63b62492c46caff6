"""Logs of a command go where its own standard error is, and nowhere once it has ended."""

import io
import json
import logging
from pathlib import Path

import pytest
from typer.testing import CliRunner

from songtien import logs
from songtien.cli import app

INWARD = ("uvicorn", "uvicorn.error", "websockets", "asyncio")


def _set_up() -> tuple[list[logging.Handler], list[int]]:
    """What a command could leave behind."""
    root = logging.getLogger()
    return root.handlers[:], [logging.getLogger(name).level for name in (None, *INWARD)]


def test_a_line_is_json_with_what_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    with logs.to_stderr():
        logging.getLogger("songtien.test").info("nước %s", "mặn", extra={"g_l": 4})
        logging.getLogger("songtien.test").debug("of no interest")
        logging.getLogger("websockets.server").info("its own insides")
    (line,) = map(json.loads, said.getvalue().splitlines())
    del line["at"]
    assert line == {"level": "INFO", "from": "songtien.test", "what": "nước mặn", "g_l": 4}


def test_only_warnings_where_only_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    with logs.to_stderr(logging.WARNING):
        logging.getLogger("songtien.test").info("not told")
        logging.getLogger("songtien.test").warning("told")
    assert [json.loads(line)["what"] for line in said.getvalue().splitlines()] == ["told"]


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_command_that_has_ended_leaves_no_log_behind(command: str, tmp_path: Path) -> None:
    """Its standard error is closed by then: others in this process would write to it."""
    (tmp_path / "file").write_text("no directory")
    words = {
        "serve": ["--config", str(tmp_path / "none.toml")],
        "demo": ["--dir", str(tmp_path / "file")],
    }
    before = _set_up()
    ended = CliRunner().invoke(app, [command, *words[command]])
    assert ended.exit_code != 0
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert _set_up() == before
