"""The alert log of a recording: the same bytes on any machine, however it is cut."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from alerts.farmers.notice import Notice
from ingest.faults import ConfigError
from ingest.journal import Config
from simulators import scenario
from simulators.recording import write_messages
from songtien.backtest import Tally, alert_log, line, notice_line
from songtien.cli import app
from songtien.configuration import registry_of
from songtien.recordings import Piece, arrivals
from songtien.settings import DEFAULTS

ROOT = "tiengiang"
HOUR_MS = 3_600_000
CONFIG = Config(
    (DEFAULTS / "stations.toml").read_text("utf-8"),
    (DEFAULTS / "rules.toml").read_text("utf-8"),
    30.0,
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evening of a bad day, as `songtien simulate --out` writes it."""
    path = tmp_path_factory.mktemp("recording") / "bad-day.jsonl"
    chosen = scenario.SCENARIOS["bad-day"]
    world = chosen.world(registry_of(None), 1, chosen.start_ms)
    feed = scenario.messages(
        world, root=ROOT, start_ms=chosen.start_ms + 18 * HOUR_MS, duration_ms=3 * HOUR_MS
    )
    write_messages(path, feed)
    return path


@pytest.fixture(scope="module")
def log(recording: Path) -> bytes:
    return _log(arrivals(recording, root=ROOT))


def _log(pieces: Iterable[Piece]) -> bytes:
    return b"".join(map(line, alert_log(pieces, CONFIG, root=ROOT)))


def _run(
    recording: Path, *more: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    words = [
        sys.executable,
        "-c",
        "from songtien.cli import main; main()",
        "backtest",
        str(recording),
    ]
    words += ["--rules", str(DEFAULTS / "rules.toml"), *more]
    return subprocess.run(
        words, env={**os.environ, **(env or {})}, capture_output=True, timeout=120, check=False
    )


def _features() -> str:
    """All that NumPy would use of this processor beyond its baseline."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    assert isinstance(found, list)
    return " ".join(found)


def test_the_log_tells_alerts_with_their_evidence(log: bytes) -> None:
    events = [json.loads(text) for text in log.splitlines()]
    assert len(events) > 20
    assert {event["type"] for event in events} >= {"raised", "cleared"}
    raised = next(event for event in events if event["type"] == "raised" and event["told"])
    assert raised["alert"]["t_detected"] == raised["at"]
    assert raised["evidence"]["rule"]["id"] == raised["alert"]["rule"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
        {"NPY_DISABLE_CPU_FEATURES": _features(), "TZ": "Asia/Ho_Chi_Minh"},
    ],
    ids=["seed-1-c", "seed-2-new-york", "no-avx2"],
)
def test_the_same_bytes_whatever_the_machine(
    recording: Path, log: bytes, env: dict[str, str]
) -> None:
    done = _run(recording, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout == log


@pytest.mark.parametrize("length", [1, 7, 100_000])
def test_the_same_bytes_however_the_recording_is_cut(
    recording: Path, log: bytes, length: int
) -> None:
    pieces = [
        piece.cut(at, at + length)
        for piece in arrivals(recording, root=ROOT)
        for at in range(0, len(piece), length)
    ]
    assert _log(pieces) == log


def test_what_farmers_would_have_been_told_is_the_same_however_it_is_cut(
    recording: Path, log: bytes, tmp_path: Path
) -> None:
    def told(pieces: Iterable[Piece]) -> tuple[bytes, bytes]:
        notices: list[Notice] = []
        events = alert_log(pieces, CONFIG, root=ROOT, noticed=notices.append)
        return b"".join(map(line, events)), b"".join(map(notice_line, notices))

    pieces = list(arrivals(recording, root=ROOT))
    whole = told(pieces)
    cut = told(piece.cut(at, at + 7) for piece in pieces for at in range(0, len(piece), 7))
    assert whole == cut
    assert whole[0] == log, "and alerts are as ever"
    found = [json.loads(each) for each in whole[1].splitlines()]
    assert {each["kind"] for each in found} >= {"salt"}
    assert all(each["key"] and each["place"] for each in found)
    out = tmp_path / "alerts.jsonl"
    assert _run(recording, "--out", str(out), "--notices", str(tmp_path / "n")).returncode == 0
    assert (tmp_path / "n").read_bytes() == whole[1]


def test_a_packed_recording_is_the_same_and_the_file_is_whole_or_absent(
    recording: Path, log: bytes, tmp_path: Path
) -> None:
    packed, written = tmp_path / "day.jsonl.gz", tmp_path / "alerts.jsonl"
    packed.write_bytes(gzip.compress(recording.read_bytes()))
    done = _run(packed, "--out", str(written))
    assert (done.returncode, done.stdout) == (0, b"")
    assert written.read_bytes() == log
    assert b"samples taken" in done.stderr
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(packed.read_bytes()[:-2000])
    broken = _run(cut, "--out", str(tmp_path / "broken.jsonl"))
    assert broken.returncode == 2
    assert len(broken.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("broken*"))


def test_a_line_that_is_no_message_is_named(recording: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(recording.read_bytes() + b'{"at":1,"topic":2}\n')
    count = recording.read_bytes().count(b"\n")
    with pytest.raises(ConfigError, match=f"line {count + 1} = .*accepted is"):
        list(arrivals(bad, root=ROOT))


def test_time_stands_still_where_arrivals_fall(tmp_path: Path) -> None:
    file = tmp_path / "back.jsonl"
    file.write_text(
        "".join(json.dumps({"at": at, "topic": "t", "payload": ""}) + "\n" for at in (5, 3, 7))
    )
    assert [at for piece in arrivals(file, root=ROOT) for at in piece.at_ms.tolist()] == [5, 5, 7]


def test_what_nobody_knows_is_counted(recording: Path) -> None:
    tally = Tally()
    pieces = arrivals(recording, root=ROOT)
    list(alert_log(pieces, CONFIG, root="elsewhere", tally=tally))
    assert tally.stored == 0
    assert sum(tally.rejected.values()) + tally.received > 0


CSV = "time,sal\n" + "".join(
    f"2024-03-12T{h:02d}:{m:02d}+07:00,{2.0 + 0.25 * abs(12 - h):.2f}\n"
    for h in range(24)
    for m in (0, 15, 30, 45)
)


def test_a_csv_with_its_mapping_or_with_options(tmp_path: Path) -> None:
    file = tmp_path / "gauge.csv"
    file.write_text(CSV)
    options = ["--station", "my-tho", "--device", "mt-01", "--column", "sal_g_l=sal:psu"]
    by_options = _songtien("backtest", str(file), "--rules", _rules(), *options)
    assert by_options.exit_code == 0, by_options.stderr
    (tmp_path / "gauge.toml").write_text(
        '[time]\ncolumn = "time"\n[[device]]\nkind = "salinity"\nstation = "my-tho"\n'
        'device = "mt-01"\n[device.columns]\nsal_g_l = { column = "sal", unit = "psu" }\n'
    )
    by_mapping = _songtien("backtest", str(file), "--rules", _rules())
    assert by_mapping.stdout == by_options.stdout
    raised = [json.loads(text) for text in by_options.stdout.splitlines()]
    assert {event["alert"].get("device") for event in raised if event["type"] == "raised"} >= {
        "mt-01"
    }


def test_a_mapping_is_refused_beside_messages(recording: Path) -> None:
    done = _songtien("backtest", str(recording), "--rules", _rules(), "--station", "my-tho")
    assert done.exit_code == 2
    assert "RECORDING" in done.stderr or "options" in done.stderr


def test_faults_of_the_rules_are_one_line_each(recording: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nid = "x"\nquantity = "salinty_g_l"\nseverity = "info"\n')
    done = _songtien("backtest", str(recording), "--rules", str(rules))
    assert done.exit_code == 2
    assert all(str(rules) in text for text in done.stderr.splitlines())


def _rules() -> str:
    return str(DEFAULTS / "rules.toml")


def _songtien(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))
