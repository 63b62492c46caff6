"""Each benchmark runs one very short round and prints a line with its result."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from songtien.bench import drain, influx, rewind
from songtien.bench.stand import BenchError
from tests.conftest import MOSQUITTO
from tests.influx.servers import MISSING

SONGTIEN = str(Path(sys.executable).with_name("songtien"))

pytestmark = [pytest.mark.slow, pytest.mark.broker]


def bench(*words: str) -> str:
    if MOSQUITTO is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto or mosquitto_sub is missing: apt-get install mosquitto{,-clients}")
    return ran(*words)


def ran(*words: str) -> str:
    run = subprocess.run(
        [SONGTIEN, "bench", *words], capture_output=True, text=True, timeout=110, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.startswith("round 1: ")
    return run.stdout


def test_latency_of_a_second() -> None:
    told = bench("latency", "--rounds", "1", "--seconds", "1")
    assert re.search(r"latency: median \d+\.\d .* ms on the screen.*; p99 \d", told)


def test_ingest_of_a_few_thousand() -> None:
    told = bench("ingest", "--rounds", "1", "--messages", "2000", "--devices", "100")
    ratio = re.search(r"ingest: (\d+\.\d\d) .* of mosquitto_sub -q 1", told)
    assert ratio is not None, told
    assert float(ratio[1]) > 0


def test_drain_of_a_few_thousand() -> None:
    if MISSING:
        pytest.skip(MISSING)
    told = ran("drain", "--rounds", "1", "--points", "3000", "--devices", "100")
    ratio = re.search(r"drain: (\d+\.\d\d) .* of posting prepared lines", told)
    assert ratio is not None, told
    assert float(ratio[1]) > 0


def test_a_day_of_a_test() -> None:
    told = subprocess.run(
        [SONGTIEN, "bench", "day", "--rounds", "1", "--tries", "1"],
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    ).stdout
    assert re.search(r"day of one probe: \d+\.\d\d .* s for 144 samples", told)


def test_replay_of_a_few_thousand() -> None:
    told = bench("replay", "--rounds", "1", "--tries", "1", "--messages", "2000", "--seconds", "1")
    ratio = re.search(r"replay: (\d+\.\d\d) .* of mosquitto_pub -q 1 -l; \d", told)
    assert ratio is not None, told
    assert float(ratio[1]) > 0
    assert re.search(r"pace at 1x: late by \d.* at the median, .* at p99, .* at worst", told)


def test_river_of_two_days() -> None:
    assert "samples as columns" in ran("river", "--rounds", "1", "--tries", "1", "--days", "2")


def test_rewind_of_ten_minutes_again_and_again() -> None:
    told: list[str] = []
    found = rewind.run(rewind.Size(days=0.05, stepped_ms=600_000, opened=3), told.append)
    assert told[1].endswith(" 2 stretches")  # what was stepped, and all that was laid down
    assert found.bytes_day > 100_000
    assert 0 < found.written_cpu_s < found.day_cpu_s
    record, opened, played = rewind.summary(found)
    assert re.match(r"record: \d\.\d\d MB a day; writing takes \d", record)
    assert re.match(r"opened at 3 random times of 0.05 days: first snapshot after 0\.\d", opened)
    assert re.search(r"played at 600 times the pace: \d+\.\d % of one core", played)


def test_fanout_to_a_few_dozen() -> None:
    sizes = ("--clients", "60", "--seconds", "2", "--pause", "3")
    told = ran("fanout", "--rounds", "1", "--tries", "1", *sizes)
    ratio = re.search(r"fan-out: (\d+\.\d\d) .* of websockets.broadcast", told)
    assert ratio is not None, told
    assert float(ratio[1]) > 0
    assert re.search(r"beside 50 that never read: p99 \d", told)
    assert re.search(r"after 3 s without reading the newest is shown in \d\.\d\d", told)


def test_what_the_drain_needs_is_told_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "_PATH", str(tmp_path))
    with pytest.raises(
        BenchError, match=r"influxd isn't installed \(Debian: apt install influxdb\)"
    ):
        drain.run(drain.Size(devices=10, points=1000), tell=pytest.fail)


def test_a_name_that_is_none() -> None:
    run = subprocess.run(
        [SONGTIEN, "bench", "speed"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "latency, ingest, drain" in run.stderr
