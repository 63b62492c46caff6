import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ingest.lint import Finding, Severity
from simulators.broker import Broker
from simulators.message import Message
from simulators.recording import write_recording
from songtien.cli_lint import lint
from songtien.lint_input import Framer, Given, LineError
from songtien.lint_report import Place, Report
from tests.conftest import Mosquitto

T = 1_767_000_000_000
TOPIC = "tiengiang/v1/salinity/my-tho/mt-01/obs"
GOOD: dict[str, Any] = {"t": T, "ec_ms_cm": 12.31, "temp_c": 28.4}

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(lint)


def message(*samples: object, **fields: object) -> str:
    return json.dumps({"v": 1, "boot": 1, "seq": 1, "samples": list(samples), **fields})


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def framed(text: str | bytes) -> list[Given]:
    framer = Framer()
    lines = (text if isinstance(text, bytes) else text.encode()).splitlines(keepends=True)
    return [*(given for line in lines for given in framer.line(line)), *framer.end()]


# The forms in which it is given.


def test_one_payload_that_is_right(tmp_path: Path) -> None:
    file = tmp_path / "sample.json"
    file.write_text(message(GOOD))
    result = run(str(file), "--topic", TOPIC)
    assert result.exit_code == 0
    first, last = result.stdout.splitlines()
    assert first == "nothing wrong: 1 message, 1 sample would be taken"
    assert last.startswith("the last one: mt-01, 2025-12-29 09:20:00 UTC")
    assert "salinity derived: 6.59 g/L" in last


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_one_payload_over_any_number_of_lines_is_one(tmp_path: Path, indent: int | None) -> None:
    file = tmp_path / "sample.json"
    file.write_text(json.dumps(json.loads(message({**GOOD, "ec_ms_cm": 12310})), indent=indent))
    result = run(str(file), "--topic", TOPIC)
    assert result.exit_code == 1
    told, summary = result.stdout.splitlines()
    assert told.startswith("line 1: error range: samples[0].ec_ms_cm = 12310: accepted is a number")
    assert told.endswith("from 0 to 200 mS/cm; looks like µS/cm: send 12.31")
    assert summary == "1 message, 1 sample: 1 error, 0 warnings"


def test_a_payload_a_line_on_a_pipe_with_the_line_named() -> None:
    lines = [message(GOOD), message({**GOOD, "t": T + 1, "temp_c": None}, seq=2)]
    result = run("-", "--topic", TOPIC, stdin="\n".join(lines))
    assert result.exit_code == 1
    assert result.stdout.startswith("line 2: warning no-temperature: samples[0].ec_ms_cm = 12.31:")
    assert "2 messages, 2 samples: 0 errors, 1 warning" in result.stdout
    lenient = run("--topic", TOPIC, "--lenient", stdin="\n".join(lines))
    assert lenient.exit_code == 0


def test_what_mosquitto_sub_writes_has_its_topics() -> None:
    text = f"{TOPIC} {message(GOOD)}\n{TOPIC.replace('obs', 'state')} (null)\n"
    assert [given.topic for given in framed(text)] == [TOPIC, TOPIC.replace("obs", "state")]
    assert framed(text)[1].payload == b""
    result = run(stdin=text)
    assert (result.exit_code, result.stdout[:13]) == (0, "nothing wrong")
    result = run(stdin=f"{TOPIC} {message({'t': T})}\n")
    assert result.stdout.startswith("line 1 mt-01/obs: error empty: samples[0] has no quantity")


def test_a_payload_that_was_cut_ends_where_the_next_begins() -> None:
    cut = '{"v":1,"samples":[{"t":1767000000000,'
    found = framed(f"{cut}\n{message(GOOD)}\n")
    assert [(given.line, given.payload.decode()) for given in found] == [
        (1, cut),
        (2, message(GOOD)),
    ]
    assert framed(f"{TOPIC} {{\n{TOPIC} {{}}\n")[0].payload == b"{"
    assert framed("{\n")[0].payload == b"{"


@pytest.mark.parametrize("name", ["feed.jsonl", "feed.jsonl.gz"])
def test_a_recording_brings_topics_and_times(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    late = message({**GOOD, "t": T + 120_000}, seq=2)
    write_recording(
        file,
        {"scenario": "quiet"},
        [],
        [
            Message(T + 1000, TOPIC, message(GOOD).encode(), 1),
            Message(T + 2000, TOPIC, late.encode(), 1, retain=True),
            Message(T + 3000, TOPIC.replace("mt-01", "mt-02"), b"\xff", 1),
        ],
    )
    result = run(str(file))
    assert result.exit_code == 1
    assert [line.split(": ")[:3] for line in result.stdout.splitlines()[:3]] == [
        ["line 3 mt-01/obs", "warning retain", "payload"],
        ["line 3 mt-01/obs", "warning future", "samples[0].t = 1767000120000"],
        ["line 4 mt-02/obs", "error not_json", "payload has 0xff at byte 0"],
    ]
    only = run(str(file), "--topic", "tiengiang/v1/+/+/mt-02/#")
    assert "1 message, 0 samples: 1 error" in only.stdout


def test_a_line_of_a_recording_that_is_none_ends_it() -> None:
    with pytest.raises(LineError, match="line 1"):
        framed('{"at":1,"topic":"a/b"}')
    result = run(stdin=json.dumps({"at": "noon", "topic": TOPIC, "payload": "{}"}))
    assert result.exit_code == 2


def test_a_payload_that_is_wrong_in_its_middle_is_still_one() -> None:
    text = "{\n'v': 1,\n\"samples\": [\n]}\n" + message(GOOD)
    assert [each.line for each in framed(text)] == [1, 5]


@pytest.mark.parametrize(
    "text",
    [b"a/" * 200_000, b"[\n" + b"1,\n" * 60_000, b'{"a":"' + b"\\" * 200_000, b"[[" * 200_000],
    ids=["slashes", "lines", "backslashes", "brackets"],
)
def test_no_line_takes_long_to_be_cut(text: bytes) -> None:
    begun = time.process_time()
    assert framed(text)
    assert time.process_time() - begun < 2.0  # each took minutes when it was read again and again


def test_no_bytes_are_a_payload_too() -> None:
    result = run("--topic", TOPIC, stdin="")
    assert (result.exit_code, "payload of 0 bytes" in result.stdout) == (1, True)


# What is said, and with which code.


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--topic"),
        (("--topic", "tiengiang/v1/#"), "--topic"),
        (("--topic", "a/#/b"), "--topic"),
        (("nowhere.json", "--topic", TOPIC), "FILE"),
        (("--topic", TOPIC, "--duration", "1s"), "--duration"),
        (("--topic", TOPIC, "--messages", "1"), "--messages"),
        (("--broker", "http://x", "--topic", TOPIC), "broker"),
        (("-", "--broker", "mqtt://x", "--topic", TOPIC), "FILE"),
        (("--broker", "mqtt://127.0.0.1:1", "--topic", TOPIC, "--duration", "soon"), "--duration"),
    ],
)
def test_faults_of_usage_end_with_2_in_a_line(arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments, stdin=message(GOOD))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert says in line


def test_more_of_a_kind_than_three_are_counted_and_all_are_told_when_asked_for() -> None:
    lines = "\n".join(message({"t": T + n, "ec_ms_cm": 7999}, seq=n) for n in range(10))
    result = run("--topic", TOPIC, stdin=lines)
    told = result.stdout.splitlines()
    assert len(told) == 5
    assert told[3] == "mt-01: 7 more: error range at samples[].ec_ms_cm"
    assert told[4] == "10 messages, 10 samples: 10 errors, 0 warnings"
    assert len(run("--topic", TOPIC, "--all", stdin=lines).stdout.splitlines()) == 11


def test_folding_is_by_device_and_field() -> None:
    report = Report()
    finding = Finding(Severity.ERROR, "range", "samples[1].temp_c", "99", "too hot")
    places = [Place(n, "line", device) for n in range(5) for device in ("a", "b")]
    told = [report.line(place, finding) for place in places]
    assert [line is not None for line in told] == [True] * 6 + [False] * 4
    assert report.folded() == [
        "a: 2 more: error range at samples[].temp_c",
        "b: 2 more: error range at samples[].temp_c",
    ]
    assert report.wrong(lenient=True)


def test_machines_get_one_object_a_finding_and_nothing_else() -> None:
    result = run("--topic", TOPIC, "--json", stdin=message({"t": T, "ec_ms_cm": 12310}))
    (found,) = map(json.loads, result.stdout.splitlines())
    assert {key: found[key] for key in found if key != "text"} == {
        "line": 1,
        "topic": TOPIC,
        "device": "mt-01",
        "severity": "error",
        "code": "range",
        "where": "samples[0].ec_ms_cm",
        "value": "12310",
    }
    assert result.exit_code == 1
    assert "1 error" in result.stderr


def test_hints_are_told_and_nothing_is_wrong() -> None:
    bare = json.dumps({"v": 1, "samples": [GOOD]})
    result = run("--topic", TOPIC, stdin=bare)
    assert result.exit_code == 0
    assert result.stdout.startswith("line 1: hint no-seq: seq is absent: without it")
    assert "nothing wrong: 1 message, 1 sample would be taken, 1 hint" in result.stdout


def test_a_registry_adds_what_the_whole_shows(tmp_path: Path) -> None:
    registry = Path("songtien/defaults/stations.toml")
    topic = "tiengiang/v1/salinity/xuan-hoa/xh-01/obs"
    result = run(
        "--topic", topic, "--registry", str(registry), stdin=message({"t": T, "temp_c": 28})
    )
    assert result.exit_code == 1
    assert "xh-01: warning announced: salinity_g_l: announced in the registry" in result.stdout
    lines = gzip.compress(message(GOOD).encode())
    (tmp_path / "one.json.gz").write_bytes(lines)
    result = run(str(tmp_path / "one.json.gz"), "--topic", TOPIC, "--root", "delta")
    assert "never hears this" in result.stdout


# A pipe and a broker as they are.

PROGRAM = "import typer; from songtien.cli_lint import lint; typer.run(lint)"


def test_a_named_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # A writer waits for its reader: where there is none it is left behind.
    Thread(target=pipe.write_text, args=(message(GOOD),), daemon=True).start()
    result = run(str(pipe), "--topic", TOPIC)
    assert result.stdout.startswith("nothing wrong: 1 message"), result.output


def test_a_pipe_is_answered_while_it_is_open() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "-", "--topic", TOPIC],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number in (1, 2):
        bad = message({"t": T + number, "ec_ms_cm": 12310}, seq=number)
        process.stdin.write(bad + "\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(f"line {number}: error range")
    rest, _ = process.communicate()
    assert rest == "2 messages, 2 samples: 2 errors, 0 warnings\n"
    assert process.returncode == 1


async def _publish(url: str, *messages: tuple[str, str, int, bool]) -> None:
    async with Broker.of(url).client() as client:
        for topic, payload, qos, retain in messages:
            await client.publish(topic, payload, qos=qos, retain=retain)


@pytest.mark.broker
def test_a_live_topic_is_listened_to(mosquitto: Mosquitto) -> None:
    kept = (TOPIC, message(GOOD), 1, True)
    asyncio.run(_publish(mosquitto.url, kept))
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", PROGRAM, "--broker", mosquitto.url, "--messages", "4"),
            *("--topic", "tiengiang/v1/salinity/my-tho/mt-01/#"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # What was retained comes once it listens.
    first = process.stdout.readline()
    assert first.startswith("message 1 mt-01/obs: warning retain: payload")
    asyncio.run(
        _publish(
            mosquitto.url,
            (TOPIC, message({**GOOD, "t": T + 60_000}, seq=2), 0, False),
            (TOPIC.replace("mt-01", "mt-02"), "{}", 1, False),
            (TOPIC.replace("obs", "state"), '{"s":"up","boot":1}', 1, True),
            (TOPIC, message({**GOOD, "t": 4_000_000_000_000}, seq=3), 1, False),
        )
    )
    rest, errors = process.communicate(timeout=20)
    told = rest.splitlines()
    assert told[0].startswith("message 2 mt-01/obs: warning qos: payload: sent with QoS 0")
    assert told[1].startswith('message 3 mt-01/state: error schema: s = "up"')
    assert told[2].startswith("message 4 mt-01/obs: warning future: samples[0].t")
    assert "4 messages, 3 samples: 1 error, 3 warnings" in rest
    assert (process.returncode, errors) == (1, "")


@pytest.mark.broker
def test_a_live_topic_on_which_nothing_comes_is_told(mosquitto: Mosquitto) -> None:
    result = run("--broker", mosquitto.url, "--topic", TOPIC, "--duration", "0.2s")
    assert result.exit_code == 1
    assert f"no message came on {TOPIC}" in result.stderr


def test_a_broker_that_is_not_there_is_told(free_port: int) -> None:
    result = run("--broker", f"mqtt://127.0.0.1:{free_port}", "--topic", TOPIC)
    assert result.exit_code == 1
    assert result.stderr.startswith("broker: ")
