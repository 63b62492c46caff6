"""The file, the operator's own system, and what apprise knows, by ntfy."""

import hashlib
import hmac
import json
import logging
import os
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from alerts.farmers.parcel import Form, Verdict
from songtien.telling.channels.by_apprise import AppriseChannel
from tests.telling.gateways import PHONE, WORDS, Drip, Gateway, answer, gateway, opened, parcel

SECRET = "0123456789abcdef-of-a-test"


# The file.


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_file_takes_a_line_for_each_message_and_no_address(tmp_path: Path) -> None:
    text = '[channel.f]\nkind = "file"\npath = "told.jsonl"\n'
    with closing(opened(tmp_path, text)) as channel:
        assert channel.form is Form.SMS
        found = [channel.send(parcel(key=f"k-{n}", parts=n)) for n in (1, 2)]
    assert [each.verdict for each in found] == [Verdict.TAKEN] * 2
    path = tmp_path / "told.jsonl"
    assert [(line["key"], line["text"], line["parts"]) for line in lines(path)] == [
        ("k-1", WORDS, 1),
        ("k-2", WORDS, 2),
    ]
    assert "345678" not in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_shows_addresses_where_that_is_wanted_and_other_forms(tmp_path: Path) -> None:
    text = '[channel.f]\nkind = "file"\npath = "t"\nshow_addresses = true\nform = "long"\n'
    with closing(opened(tmp_path, text)) as channel:
        assert channel.form is Form.LONG
        channel.send(parcel(title="T", template="salt", params={"a": "1"}))
    (line,) = lines(tmp_path / "t")
    assert (line["to"], line["title"], line["params"]) == (PHONE, "T", {"a": "1"})


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    with closing(opened(tmp_path, '[channel.f]\nkind = "file"\npath = "t"\n')) as channel:
        found = channel.send(parcel())
        assert (found.verdict, found.detail) == (
            Verdict.AGAIN,
            "the file can't be written: Is a directory",
        )


# The operator's own system.


def test_a_webhook_is_signed_and_repeats_its_key(tmp_path: Path) -> None:
    with gateway() as made:
        text = f'[channel.own]\nkind = "webhook"\nurl = "{made.url}/in"\ntimeout_s = 2\n'
        with closing(opened(tmp_path, text, OWN__SECRET=SECRET)) as channel:
            for _ in range(2):
                assert channel.send(parcel(critical=True)).verdict is Verdict.TAKEN
            made.script = lambda *_: answer(503, Retry_After="5")
            later = channel.send(parcel())
    assert (later.verdict, later.retry_after_s) == (Verdict.AGAIN, 5)
    first, second, _ = made.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "k-1"
    assert first.said == {
        "v": 1,
        "key": "k-1",
        "to": PHONE,
        "title": "",
        "text": WORDS,
        "critical": True,
        "stop_url": "",
    }
    said = dict(part.split("=", 1) for part in first.headers["x-songtien-signature"].split(","))
    mac = hmac.new(SECRET.encode(), said["t"].encode() + b"." + first.body, hashlib.sha256)
    assert hmac.compare_digest(mac.hexdigest(), said["v1"])


# What apprise knows.


def ntfy(folder: Path, made: Gateway, timeout_s: int = 5) -> AppriseChannel:
    text = f'[channel.ntfy]\nkind = "apprise"\ntimeout_s = {timeout_s}\n'
    target = f"ntfy://an:m4t@localhost:{made.port}/{{topic}}"
    found = opened(folder, text, NTFY__TARGET=target)
    assert isinstance(found, AppriseChannel)
    return found


OK = answer(200, {"id": "x", "event": "message"})


def test_ntfy_takes_a_note_for_a_topic_and_says_no_in_all_its_ways(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One process for all: the library is slow to start."""
    caplog.set_level(logging.DEBUG)
    with gateway(lambda *_: OK) as made, closing(ntfy(tmp_path, made)) as channel:
        sent = parcel("vuon-cua-an_7", title="Nước mặn", stop_url="https://tien.vn/toi/t")
        told = [channel.send(sent)]
        assert told[0].verdict is Verdict.TAKEN
        (asked,) = made.asked
        assert (asked.said["topic"], asked.said["title"]) == ("vuon-cua-an_7", "Nước mặn")
        assert WORDS in asked.said["message"]
        assert "https://tien.vn/toi/t" in asked.said["message"]
        assert asked.headers["authorization"].startswith("Basic ")
        for said, verdict in (
            (answer(429, Retry_After="4"), Verdict.AGAIN),
            (answer(401), Verdict.CLOSED),
            (answer(500), Verdict.AGAIN),
            (answer(302, Location=f"{made.url}/elsewhere"), Verdict.CLOSED),
            (answer(400), Verdict.REFUSED),
            (None, Verdict.AGAIN),
        ):
            made.script = lambda *_, said=said: said
            before = len(made.asked)
            told.append(channel.send(sent))
            assert told[-1].verdict is verdict, told[-1]
            assert len(made.asked) == before + 1, "nothing is followed, and nothing sent twice"
        assert told[1].retry_after_s == 4
        for address in ("", "a/b", "a?x=1", "a@b", "../x", "a" * 65, PHONE):
            assert channel.send(parcel(address)).verdict is Verdict.REFUSED
    for secret in ("m4t", "vuon-cua-an_7", str(made.port)):
        assert secret not in f"{told!r}{caplog.text}"


def test_a_service_of_apprise_that_hangs_ends_with_the_timeout_and_its_process(
    tmp_path: Path,
) -> None:
    with gateway(lambda *_: OK) as made, closing(ntfy(tmp_path, made, 1)) as channel:
        assert channel.send(parcel("topic")).verdict is Verdict.TAKEN
        assert channel._child is not None
        child = channel._child.pid
        made.script = lambda *_: Drip(OK, 0.4)
        begun_s = time.monotonic()
        found = channel.send(parcel("topic"))
        assert time.monotonic() - begun_s < 3
        assert (found.verdict, found.detail) == (Verdict.AGAIN, "no answer within 1 s")
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_url_that_apprise_does_not_know_closes_the_channel(tmp_path: Path) -> None:
    text = '[channel.x]\nkind = "apprise"\n'
    with closing(opened(tmp_path, text, X__TARGET="nosuch://host/{topic}")) as channel:
        assert channel.send(parcel("topic")).verdict is Verdict.CLOSED
