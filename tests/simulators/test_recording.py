"""Recordings in files: what was written is read, whole or up to where a file is cut."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.faults import ConfigError
from simulators import recording
from simulators.label import Label
from simulators.message import Message
from simulators.recording import Gap, Writer, is_recording, read, write_messages, write_recording

ROOT = Path(__file__).parent.parent.parent
T_MS = 1_767_000_000_000
LABELS = (
    Label(label="stuck", from_ms=T_MS, to_ms=T_MS + 1, device="xh-01", quantity="salinity_g_l"),
    Label(label="above", from_ms=T_MS, to_ms=T_MS + 9, station="xuan-hoa", level=4.0),
)


def _message(number: int, payload: bytes = b"{}") -> Message:
    return Message(T_MS + number, f"r/v1/salinity/vam-kenh/vk-{number % 3}/obs", payload)


@given(
    st.lists(
        st.builds(
            Message,
            st.integers(0, 253_402_300_799_999),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode),
            retain=st.booleans(),
        ),
        max_size=20,
    ),
    st.sampled_from(["a.jsonl", "a.jsonl.gz"]),
    st.integers(1, 100),
)
def test_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory, sent: list[Message], name: str, chunk_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    count, _ = write_recording(path, {"seed": 1}, LABELS, sent)
    found = read(path, chunk_bytes=chunk_bytes)
    assert list(found.messages) == sent
    assert (found.header, found.labels, found.reach.cut) == ({"seed": 1}, LABELS, "")
    assert found.reach.lines == count + 3 == len(sent) + 3


def test_lines_are_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Writer.to(path) as writer:
        writer.header({"scenario": "quiet"})
        writer.label(LABELS[0])
        writer.message(T_MS, "r/v1/a", "mặn".encode())
        writer.gap(Gap(gap="connection lost", from_ms=T_MS, to_ms=T_MS + 5))
        writer.message(T_MS + 5, "r/v1/a", b"\xff\n", retain=True)
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [
        {"songtien": "recording", "v": 1, "scenario": "quiet"},
        {
            "label": "stuck",
            "from": T_MS,
            "to": T_MS + 1,
            "device": "xh-01",
            "quantity": "salinity_g_l",
        },
        {"at": T_MS, "topic": "r/v1/a", "payload": "mặn"},
        {"gap": "connection lost", "from": T_MS, "to": T_MS + 5},
        {"at": T_MS + 5, "topic": "r/v1/a", "payload_base64": "/wo=", "retain": True},
    ]
    found = read(path)
    assert [message.payload for message in found.messages] == ["mặn".encode(), b"\xff\n"]
    assert found.reach.gaps == [Gap(gap="connection lost", from_ms=T_MS, to_ms=T_MS + 5)]


def test_the_same_gives_the_same_bytes_whenever_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [_message(number) for number in range(100)]
    write_recording(tmp_path / "a.jsonl.gz", {}, LABELS, sent)
    monkeypatch.setattr("time.time", lambda: 1.0)
    write_recording(tmp_path / "b.jsonl.gz", {}, LABELS, sent)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_an_older_file_has_messages_alone_and_fields_to_come_are_passed_over(
    tmp_path: Path,
) -> None:
    old, newer = tmp_path / "old.jsonl", tmp_path / "newer.jsonl"
    write_messages(old, [_message(1), _message(2)])
    assert list(read(old).messages) == [_message(1), _message(2)]
    assert (read(old).header, read(old).labels) == ({}, ())
    newer.write_text(
        '{"songtien":"recording","v":1,"wind":"NE"}\n'
        '{"label":"stuck","from":1,"to":2,"sure":0.5}\n\n'
        '{"at":1,"topic":"a","payload":"b","qos":1}'
    )
    found = read(newer)
    assert found.labels == (Label(label="stuck", from_ms=1, to_ms=2),)
    assert list(found.messages) == [Message(1, "a", b"b")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"at":1,"topic":"a"}', "line 3 = .*no payload; accepted is"),
        ('{"at":"1","topic":"a","payload":""}', "line 3 = .*at.*accepted is"),
        ('{"at":1,"topic":"a","payload_base64":"?"}', "line 3 = .*accepted is"),
        ('{"at":1,"topic":"a","payload":"b"', "line 3 = .*accepted is"),
        ("[1]", "line 3 = .*accepted is"),
        ('{"at":1,"topic":"a","payload":"b","x":' + "[" * 5000, "line 3 = .*accepted is"),
        ('{"gap":"x","from":1}', "line 3 = .*to.*accepted is"),
        ('{"label":"late","from":1,"to":2}', "line 3 = .*before the first message"),
        ('{"songtien":"recording","v":1}', "line 3 = .*before the first message"),
    ],
)
def test_a_line_that_is_nothing_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"songtien":"recording","v":1}\n{"at":1,"topic":"a","payload":"b"}\n' + text)
    with pytest.raises(ConfigError, match=told):
        list(read(path).messages)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"x":' + "[" * 5000, "line 1 = .*accepted is"),
        ('{"songtien":"recording","v":2}\n', "line 1 = .*newer"),
        ('{"songtien":"recording"}\n', "line 1 = .*newer"),
        ('{"label":"x","from":1,"to":2}\n{"songtien":"recording","v":1}\n', "line 2 = .*one head"),
        ('{"label":"x","from":1}\n', "line 1 = .*to"),
    ],
)
def test_a_head_that_cannot_be_used_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        read(path)


@pytest.mark.parametrize("name", ["cut.jsonl", "cut.jsonl.gz"])
def test_a_cut_file_is_read_up_to_the_cut_if_asked_to(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sent = [_message(number, os.urandom(200)) for number in range(2000)]
    write_recording(path, {}, LABELS, sent)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigError, match="accepted is"):
        list(read(path).messages)
    found = read(path, whole=False, chunk_bytes=50_000)
    came = list(found.messages)
    assert came == sent[: len(came)]
    assert 900 < len(came) < 1100
    assert found.reach.cut
    assert found.reach.lines == len(came) + 3


def test_a_file_with_a_broken_middle_is_read_up_to_there_if_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl.gz"
    write_messages(path, [_message(number, os.urandom(200)) for number in range(2000)])
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    found = read(path, whole=False)
    assert 500 < len(list(found.messages)) < 1100
    assert found.reach.cut


WRITES_AND_WAITS = """
import sys
from pathlib import Path
from simulators.recording import Writer
with Writer.to(Path(sys.argv[1])) as writer:
    writer.header({})
    for number in range(3000):
        writer.message(number, "a/b", b'{"n":%d}' % number)
    writer.flush()
    for number in range(3000, 3010):
        writer.message(number, "a/b", b"{}")
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["killed.jsonl", "killed.jsonl.gz"])
def test_killed_after_a_flush_all_before_it_is_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_AND_WAITS, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == b"written\n"
        os.kill(writing.pid, signal.SIGKILL)
    found = read(path, whole=False)
    assert [message.publish_ms for message in found.messages][:3000] == list(range(3000))
    assert found.reach.lines >= 3001


def test_what_it_is_is_seen_by_its_beginning(tmp_path: Path) -> None:
    plain, packed, table = tmp_path / "a.txt", tmp_path / "b.bin", tmp_path / "c.jsonl"
    write_messages(plain, [_message(1)])
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    table.write_text("t,s\n1,2\n")
    assert is_recording(plain)
    assert is_recording(packed)
    assert not is_recording(table)
    assert not is_recording(tmp_path / "none")
    assert list(read(packed).messages) == [_message(1)]


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LINE_BYTES_MAX", 1000)
    path = tmp_path / "endless.jsonl"
    path.write_bytes(b'{"at":1,"topic":"a","payload":"' + b"x" * 5000)
    with pytest.raises(ConfigError, match="lines of at most 1000 bytes"):
        list(read(path, chunk_bytes=100).messages)


PAGE = (ROOT / "docs" / "recording.md").read_text("utf-8")


def test_the_page_shows_a_recording_and_a_reader_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (reader,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "storm.jsonl.gz"
    path.write_bytes(gzip.compress(example.encode()))
    found = read(path)
    messages = list(found.messages)
    assert (len(found.labels), len(messages), len(found.reach.gaps)) == (1, 3, 1)
    monkeypatch.chdir(tmp_path)
    exec(reader, {})
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{m.publish_ms} {m.topic} {m.payload!r}" for m in messages]
    with Writer.to(tmp_path / "again.jsonl") as writer:
        writer.header(found.header)
        writer.label(found.labels[0])
        for message in messages[:2]:
            writer.message(
                message.publish_ms, message.topic, message.payload, retain=message.retain
            )
        writer.gap(found.reach.gaps[0])
        writer.message(messages[2].publish_ms, messages[2].topic, messages[2].payload)
    assert (tmp_path / "again.jsonl").read_text("utf-8") == example
