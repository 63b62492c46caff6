"""Telegram against a real server: verdicts, lengths, and a token that is nowhere seen."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from alerts.farmers.parcel import Verdict
from songtien.telling.channels.channel import Channel
from tests.telling.gateways import Gateway, answer, gateway, opened, parcel

TOKEN = "123456:AAE-token_of_a_test"
OK = answer(200, {"ok": True, "result": {"message_id": 41}})


def no(code: int, description: str, **more: object) -> bytes:
    said = {"ok": False, "error_code": code, "description": description, **more}
    return answer(code, said)


@contextmanager
def bot(folder: Path, said: bytes | None) -> Iterator[tuple[Gateway, Channel]]:
    with gateway(lambda *_: said) as made:
        text = f'[channel.tele]\nkind = "telegram"\nurl = "{made.url}/"\ntimeout_s = 2\n'
        with closing(opened(folder, text, TELE__TOKEN=TOKEN)) as channel:
            yield made, channel


def test_a_message_reaches_the_chat(tmp_path: Path) -> None:
    with bot(tmp_path, OK) as (made, channel):
        sent = parcel("987654", title="Nước mặn", stop_url="https://tien.vn/nong-dan/toi/t")
        said = channel.send(sent)
    assert (said.verdict, said.ref) == (Verdict.TAKEN, "41")
    (asked,) = made.asked
    assert asked.path == f"/bot{TOKEN}/sendMessage"
    assert asked.said["chat_id"] == 987654
    assert asked.said["text"].split("\n\n") == [
        "Nước mặn",
        sent.text.body,
        "https://tien.vn/nong-dan/toi/t",
    ]
    assert "parse_mode" not in asked.said, "words are words, never markup"


def test_what_is_too_long_is_cut_between_words(tmp_path: Path) -> None:
    with bot(tmp_path, OK) as (made, channel):
        channel.send(parcel("1", "nước 🌊 " * 900))
    text = made.asked[0].said["text"]
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.endswith(("nước…", "🌊…"))


@pytest.mark.parametrize(
    ("said", "verdict", "after_s"),
    [
        (
            no(429, "Too Many Requests: retry after 9", parameters={"retry_after": 9}),
            Verdict.AGAIN,
            9,
        ),
        (no(403, "Forbidden: bot was blocked by the user"), Verdict.GONE, None),
        (no(400, "Bad Request: chat not found"), Verdict.GONE, None),
        (no(400, "Bad Request: message text is empty"), Verdict.REFUSED, None),
        (no(401, "Unauthorized"), Verdict.CLOSED, None),
        (no(404, "Not Found"), Verdict.CLOSED, None),
        (no(502, "Bad Gateway"), Verdict.AGAIN, None),
        (answer(200, b"<html>"), Verdict.AGAIN, None),
        (answer(302, Location="http://elsewhere.example"), Verdict.CLOSED, None),
        (None, Verdict.AGAIN, None),
    ],
)
def test_what_an_answer_means_and_that_the_token_is_in_none(
    tmp_path: Path,
    said: bytes | None,
    verdict: Verdict,
    after_s: float | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with bot(tmp_path, said) as (made, channel):
        found = channel.send(parcel("987654"))
    assert (found.verdict, found.retry_after_s) == (verdict, after_s)
    assert len(made.asked) == 1
    for secret in (TOKEN, "987654", "blocked"):
        assert secret not in f"{found!r}{caplog.text}"


def test_what_is_no_chat_never_leaves(tmp_path: Path) -> None:
    with bot(tmp_path, OK) as (made, channel):
        for address in ("", "@channel", "1/../2", "1e5"):
            assert channel.send(parcel(address)).verdict is Verdict.REFUSED
    assert made.asked == []
