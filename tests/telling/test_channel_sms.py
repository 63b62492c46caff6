"""SMS through a real gateway of HTTP: what it decodes, what its answers mean, what leaks."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.farmers.parcel import Form, Verdict
from songtien.telling.channels.channel import Channel
from tests.telling.gateways import (
    PHONE,
    WORDS,
    Asked,
    Drip,
    Gateway,
    answer,
    certificate,
    gateway,
    opened,
    parcel,
)

SMS = """
[channel.sms]
kind = "sms"
url = "{url}/send/3c2f?v=2"
timeout_s = 1
sender = "SONGTIEN"
ref = "data.id"
"""
JSON = """
[channel.sms.headers]
Authorization = "Bearer {token}"
[channel.sms.taken]
path = "code"
equals = [100, "ok"]
[channel.sms.body]
apikey = "{token}"
from = "{sender}"
unicode = "{unicode:bool}"
parts = "{parts:number}"
message = { to = ["{phone}", "tel:{phone_local}"], text = "{{{text}}}", id = "{key}" }
"""
OK = answer(200, {"code": 100, "data": {"id": "g-17"}})
TOKEN = "s3cret-of-the-gateway"


def toml(made: Gateway, rest: str = JSON) -> str:
    return SMS.replace("{url}", made.url) + rest


def test_a_message_is_sent_as_the_template_says_and_its_reference_is_kept(tmp_path: Path) -> None:
    with (
        gateway(lambda *_: OK) as made,
        closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel,
    ):
        assert channel.form is Form.SMS
        said = channel.send(parcel(parts=2))
        assert (said.verdict, said.ref) == (Verdict.TAKEN, "g-17")
    (asked,) = made.asked
    assert (asked.method, asked.path) == ("POST", "/send/3c2f?v=2")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.said == {
        "apikey": TOKEN,
        "from": "SONGTIEN",
        "unicode": False,
        "parts": 2,
        "message": {
            "to": ["84912345678", "tel:0912345678"],
            "text": f"{{{WORDS}}}",
            "id": "k-1",
        },
    }


FORM = """
content = "{content}"
method = "{method}"
username = "khu-vuc"
[channel.sms.body]
to = "{phone}"
text = "{text}"
unicode = "{unicode}"
"""


@pytest.mark.parametrize(("content", "method"), [("form", "POST"), ("query", "GET")])
def test_forms_and_queries_decode_to_what_was_meant(
    tmp_path: Path, content: str, method: str
) -> None:
    rest = FORM.replace("{content}", content).replace("{method}", method)
    words = "a&text=giả+%26\n=?#ữ🌊"
    with gateway(lambda *_: OK) as made:
        (tmp_path / "password").write_text("mật khẩu\n", "utf-8")
        rest = f'password_file = "password"\nunicode = true\n{rest}'
        with closing(opened(tmp_path, toml(made, rest))) as channel:
            assert channel.form is Form.SMS_UNICODE
            assert channel.send(parcel(body=words)).verdict is Verdict.TAKEN
    (asked,) = made.asked
    assert asked.method == method
    found = asked.body.decode() if content == "form" else urlsplit(asked.path).query
    fields = dict(parse_qsl(found, keep_blank_values=True, strict_parsing=True))
    fields.pop("v", None)
    assert fields == {"to": "84912345678", "text": words, "unicode": "1"}
    # "khu-vuc:mật khẩu" in UTF-8 (RFC 7617).
    assert asked.headers["authorization"] == "Basic a2h1LXZ1Yzpt4bqtdCBraOG6qXU="


MEANT = """
[channel.{content}]
kind = "sms"
url = "{url}/"
method = "{method}"
content = "{content}"
body = { to = "{phone}", n = "x{key}", text = "<{text}>", on = true }
"""


@pytest.fixture(scope="module")
def standing(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Gateway, dict[str, Channel]]]:
    with gateway() as made, ExitStack() as stack:
        channels = {}
        for content, method in (("json", "POST"), ("form", "POST"), ("query", "GET")):
            text = MEANT.replace("{content}", content).replace("{method}", method)
            folder = tmp_path_factory.mktemp(content)
            channels[content] = opened(folder, text.replace("{url}", made.url))
            stack.callback(channels[content].close)
        yield made, channels


@settings(max_examples=150)
@given(
    st.text(max_size=80),
    st.from_regex(r"[0-9]{9}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), max_size=10),
    st.sampled_from(["json", "form", "query"]),
)
def test_whatever_is_said_the_gateway_decodes_what_was_meant(
    standing: tuple[Gateway, dict[str, Channel]], words: str, digits: str, key: str, content: str
) -> None:
    made, channels = standing
    words = words.encode("utf-8", "ignore").decode()
    assert channels[content].send(parcel(f"+84{digits}", words, key)).verdict is Verdict.TAKEN
    asked = made.asked.pop()
    found = asked.body.decode() if content == "form" else urlsplit(asked.path).query
    fields = asked.said if content == "json" else dict(parse_qsl(found, keep_blank_values=True))
    on = True if content == "json" else "1"
    assert fields == {"to": f"84{digits}", "n": f"x{key}", "text": f"<{words}>", "on": on}


RULES = """
again = [{ path = "code", equals = [99, "busy"] }]
gone = [{ path = "code", equals = 42 }]
closed = [{ path = "code", equals = [101, 103] }, { matches = "(?i)invalid api key" }]
"""


@pytest.mark.parametrize(
    ("said", "verdict", "detail"),
    [
        (OK, Verdict.TAKEN, "status 200"),
        (answer(200, {"code": "ok"}), Verdict.TAKEN, "status 200"),
        (answer(200, {"code": 7}), Verdict.REFUSED, "status 200, not what counts as taken"),
        (answer(200, {"code": 99}), Verdict.AGAIN, "status 200, by a rule"),
        (answer(200, {"code": 42}), Verdict.GONE, "status 200, by a rule"),
        (answer(200, {"code": 103}), Verdict.CLOSED, "status 200, by a rule"),
        (answer(400, b"Invalid API key: " + TOKEN.encode()), Verdict.CLOSED, "by a rule"),
        (answer(400, {"code": 100}), Verdict.REFUSED, "status 400"),
        (answer(400), Verdict.REFUSED, "status 400"),
        (answer(401), Verdict.CLOSED, "status 401"),
        (answer(402), Verdict.CLOSED, "status 402"),
        (answer(302, Location="https://elsewhere.example"), Verdict.CLOSED, "status 302"),
        (answer(429, Retry_After="7"), Verdict.AGAIN, "status 429"),
        (answer(500), Verdict.AGAIN, "status 500"),
        (answer(200, b"<html>"), Verdict.AGAIN, "an answer that can't be read"),
        (answer(200, b"[" * 60_000), Verdict.AGAIN, "an answer that can't be read"),
        (answer(200, b'{"code": 100, "x": "' + b"x" * 70_000 + b'"}'), Verdict.AGAIN, "read"),
        (OK[:-5], Verdict.AGAIN, "an answer that can't be read"),
        (OK[:30], Verdict.AGAIN, "an answer that can't be read"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Verdict.AGAIN, "no answer: BadStatusLine"),
        (None, Verdict.AGAIN, "no answer: RemoteDisconnected"),
    ],
)
def test_what_an_answer_means(
    tmp_path: Path, said: bytes | None, verdict: Verdict, detail: str
) -> None:
    def script(_asked: Asked, _number: int) -> bytes | None:
        return said.replace(b" Said\r\n", b" Said\r\nConnection: close\r\n") if said else None

    with gateway(script) as made:
        text = toml(made, RULES + JSON)
        with closing(opened(tmp_path, text, SMS__TOKEN=TOKEN)) as channel:
            found = channel.send(parcel())
    assert found.verdict is verdict, found
    assert detail in found.detail
    assert len(made.asked) == 1, "nothing is followed, and nothing sent twice"
    if b"Retry-After" in (said or b""):
        assert found.retry_after_s == 7
    for secret in (TOKEN, "912345678", "localhost", "3c2f"):
        assert secret not in repr(found)


def test_an_answer_that_drips_ends_with_the_timeout(tmp_path: Path) -> None:
    """Each byte comes in time, and all of them would take half a minute."""
    with (
        gateway(lambda *_: Drip(OK, 0.3)) as made,
        closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel,
    ):
        begun_s = time.monotonic()
        found = channel.send(parcel())
        assert time.monotonic() - begun_s < 2
    assert (found.verdict, found.detail) == (Verdict.AGAIN, "no answer within 1 s")


def test_nobody_there_and_a_host_that_swallows(tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0), backlog=1) as full:
        made = Gateway(port=full.getsockname()[1])
        with closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel:
            assert channel.send(parcel()).detail == "no answer within 1 s"
    with closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel:
        found = channel.send(parcel())
        assert (found.verdict, found.detail) == (
            Verdict.AGAIN,
            "no answer: ConnectionRefusedError",
        )


def test_connections_are_used_again_and_replaced_where_the_other_side_left(tmp_path: Path) -> None:
    with (
        gateway(lambda *_: OK) as made,
        closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel,
    ):
        for _ in range(3):
            assert channel.send(parcel()).verdict is Verdict.TAKEN
        assert made.connections == 1
        made.script = lambda *_: OK.replace(b" Said\r\n", b" Said\r\nConnection: close\r\n")
        assert channel.send(parcel()).verdict is Verdict.TAKEN
        assert channel.send(parcel()).verdict is Verdict.TAKEN
        assert made.connections == 2


def test_tls_is_verified(tmp_path: Path) -> None:
    ca_file, context = certificate(tmp_path)
    with gateway(lambda *_: OK, context) as made:
        with closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel:
            found = channel.send(parcel())
            assert found.detail == "the server's certificate is not trusted"
            assert found.verdict is Verdict.CLOSED
        assert made.asked == []
        text = toml(made, f'ca_file = "{ca_file}"\n{JSON}')
        with closing(opened(tmp_path, text, SMS__TOKEN=TOKEN)) as channel:
            assert channel.send(parcel()).verdict is Verdict.TAKEN
            assert channel.send(parcel()).verdict is Verdict.TAKEN


@pytest.mark.parametrize("content", ["json", "form", "query"])
def test_half_a_character_does_not_hold_up_the_rest(
    standing: tuple[Gateway, dict[str, Channel]], content: str
) -> None:
    made, channels = standing
    assert channels[content].send(parcel(body="mặn \ud83c !")).verdict is Verdict.TAKEN
    assert "%3F" in made.asked[-1].path + made.asked.pop().body.decode().replace("?", "%3F")


def test_what_is_no_number_never_leaves(tmp_path: Path) -> None:
    with gateway() as made, closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel:
        for address in ("", "0912345678", "+1 555 0100", "+84912345678&to=1", "ten@vidu.vn"):
            assert channel.send(parcel(address)).verdict is Verdict.REFUSED
    assert made.asked == []


def test_nothing_of_a_message_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        gateway(lambda _, number: OK if number == 1 else None) as made,
        closing(opened(tmp_path, toml(made), SMS__TOKEN=TOKEN)) as channel,
    ):
        found = [channel.send(parcel()), channel.send(parcel())]
        told = f"{caplog.text}{found!r}{channel!r}{parcel()!r}"
    assert [each.verdict for each in found] == [Verdict.TAKEN, Verdict.AGAIN]
    for secret in (TOKEN, "912345678", "3c2f", PHONE, WORDS):
        assert secret not in told
