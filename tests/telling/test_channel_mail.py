"""E-mail against real SMTP servers: with and without TLS and sign-in, refusing, slow, dying."""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.farmers.parcel import Form, Verdict
from tests.telling.gateways import WORDS, certificate, opened, parcel

TO = "an@vidu.vn"
PASSWORD = "m4t-khau-that"
STOP = "https://tien.vn/nong-dan/toi/t0ken"


class Box:
    """What arrived, and what is answered: `rcpt` and `data` are replies of SMTP."""

    def __init__(self) -> None:
        self.rcpt = "250 OK"
        self.data: str | Callable[[], str] = "250 OK"
        self.mail = "250 OK"
        self.taken: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.sessions: set[int] = set()
        self.slow_s = 0.0
        self.dies = False

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd asks for
        self, _server: SMTP, session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        self.sessions.add(id(session))
        envelope.mail_from = address
        await asyncio.sleep(self.slow_s)
        return self.mail

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Envelope
    ) -> str:
        if self.dies:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "250 never heard"
        raw = envelope.original_content or b""
        found = message_from_bytes(raw, policy=policy.SMTP)
        assert isinstance(found, EmailMessage)
        self.taken.append(found)
        self.envelopes.append(envelope)
        return self.data if isinstance(self.data, str) else self.data()


def _knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
    right = isinstance(said, LoginPassword) and said.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


@contextmanager
def post(
    folder: Path, security: str = "none", *, login: bool = False, offered: bool = True
) -> Iterator[tuple[Box, str]]:
    """A server, and the channel's configuration for it. `offered`: whether it has STARTTLS."""
    box = Box()
    ca_file, context = certificate(folder)
    more: dict[str, Any] = {}
    if security == "starttls" and offered:
        more = {"tls_context": context, "require_starttls": True}
    if login:
        more |= {"authenticator": _knows, "auth_required": True}
        more |= {"auth_require_tls": security == "starttls"}
    implicit: ssl.SSLContext | None = context if security == "tls" else None
    server = Controller(
        box, hostname="127.0.0.1", port=0, ssl_context=implicit, ready_timeout=10, **more
    )
    server.port = _free()
    server.start()
    text = (
        f'[channel.mail]\nkind = "email"\nhost = "localhost"\nport = {server.port}\n'
        f'security = "{security}"\nfrom_address = "bao-man@example.vn"\n'
        f'from_name = "Báo mặn, Gò Công"\ntimeout_s = 2\nca_file = "{ca_file}"\n'
    )
    if login:
        text += 'username = "bao-man"\n'
    try:
        yield box, text
    finally:
        server.stop()


def _free() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


# The library of the test warns of what the test is about.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [False, True])
def test_a_message_arrives_as_it_was_meant(tmp_path: Path, security: str, login: bool) -> None:
    with post(tmp_path, security, login=login) as (box, text):
        secrets = {"MAIL__PASSWORD": PASSWORD} if login else {}
        with closing(opened(tmp_path, text, **secrets)) as channel:
            assert channel.form is Form.LONG
            for key in ("k-1", "k-2"):
                sent = parcel(TO, f"{WORDS}\n.\n..\nhết", key, "Nước mặn", stop_url=STOP)
                said = channel.send(sent)
                assert (said.verdict, said.detail) == (Verdict.TAKEN, "accepted")
    first, second = box.taken
    assert len(box.sessions) == 1, "one connection for both"
    assert (first["Subject"], first["To"]) == ("Nước mặn", TO)
    assert first["From"] == '"Báo mặn, Gò Công" <bao-man@example.vn>'
    assert first["List-Unsubscribe"] == f"<{STOP}>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (first["Message-ID"], second["Message-ID"]) == (
        "<k-1@example.vn>",
        "<k-2@example.vn>",
    )
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_content_type() == "text/plain"
    assert first.get_content_charset() == "utf-8"
    words = first.get_content().replace("\r\n", "\n")
    assert words == f"{WORDS}\n.\n..\nhết\n\n{STOP}\n"
    assert said.ref == "k-2@example.vn"


def test_a_password_is_never_sent_where_there_is_no_starttls(tmp_path: Path) -> None:
    with (
        post(tmp_path, "starttls", login=True, offered=False) as (box, text),
        closing(opened(tmp_path, text, MAIL__PASSWORD=PASSWORD)) as channel,
    ):
        found = channel.send(parcel(TO))
    assert (found.verdict, box.taken) == (Verdict.CLOSED, [])
    assert "STARTTLS" in found.detail


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_closes_the_channel(
    tmp_path: Path, security: str
) -> None:
    with post(tmp_path, security) as (box, text):
        unknown = "\n".join(line for line in text.splitlines() if not line.startswith("ca_file"))
        with closing(opened(tmp_path, unknown)) as channel:
            found = channel.send(parcel(TO))
    assert (found.verdict, found.detail) == (
        Verdict.CLOSED,
        "the server's certificate is not trusted",
    )
    assert box.taken == []


def test_a_wrong_password_closes_the_channel(tmp_path: Path) -> None:
    with (
        post(tmp_path, "starttls", login=True) as (_, text),
        closing(opened(tmp_path, text, MAIL__PASSWORD="another")) as channel,
    ):
        found = channel.send(parcel(TO))
    assert (found.verdict, found.detail) == (Verdict.CLOSED, "signing in: 535")


@pytest.mark.parametrize(
    ("what", "reply", "verdict", "detail"),
    [
        ("rcpt", f"550 5.1.1 <{TO}> no such user", Verdict.GONE, "the recipient: 550 5.1.1"),
        ("rcpt", "550 not here", Verdict.REFUSED, "the recipient: 550"),
        ("rcpt", "450 4.2.0 greylisted", Verdict.AGAIN, "the recipient: 450 4.2.0"),
        ("rcpt", "452 4.2.2 full", Verdict.AGAIN, "the recipient: 452 4.2.2"),
        ("mail", "550 5.7.1 not your address", Verdict.CLOSED, "the sender: 550 5.7.1"),
        ("mail", "421 4.3.2 going down", Verdict.AGAIN, "the sender: 421 4.3.2"),
        ("data", "554 5.7.1 spam", Verdict.REFUSED, "the message: 554 5.7.1"),
        ("data", "451 4.3.0 later", Verdict.AGAIN, "the message: 451 4.3.0"),
    ],
)
def test_what_a_reply_means_and_that_the_next_one_is_sent(
    tmp_path: Path, what: str, reply: str, verdict: Verdict, detail: str
) -> None:
    with post(tmp_path) as (box, text), closing(opened(tmp_path, text)) as channel:
        setattr(box, what, reply)
        found = channel.send(parcel(TO))
        setattr(box, what, "250 OK")
        after = channel.send(parcel("b@vidu.vn", key="k-2"))
    assert (found.verdict, found.detail) == (verdict, detail)
    assert TO not in repr(found)
    assert after.verdict is Verdict.TAKEN
    assert box.taken[-1]["To"] == "b@vidu.vn"


def test_a_server_that_dies_in_the_middle_is_tried_again_with_the_same_id(tmp_path: Path) -> None:
    with post(tmp_path) as (box, text), closing(opened(tmp_path, text)) as channel:
        box.dies = True
        found = channel.send(parcel(TO))
        box.dies = False
        assert channel.send(parcel(TO)).verdict is Verdict.TAKEN
    assert (found.verdict, found.detail) == (
        Verdict.AGAIN,
        "no answer: SMTPServerDisconnected",
    )
    assert box.taken[-1]["Message-ID"] == "<k-1@example.vn>"


def test_a_slow_server_ends_with_the_timeout(tmp_path: Path) -> None:
    with post(tmp_path) as (box, text), closing(opened(tmp_path, text)) as channel:
        box.slow_s = 4
        begun_s = time.monotonic()
        found = channel.send(parcel(TO))
        assert time.monotonic() - begun_s < 3
    assert found.verdict is Verdict.AGAIN
    assert box.taken == []


def test_a_connection_that_was_closed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    with post(tmp_path) as (box, text), closing(opened(tmp_path, text)) as channel:
        box.data = "421 4.3.2 bye"
        assert channel.send(parcel(TO)).verdict is Verdict.AGAIN
        box.data = "250 OK"
        assert channel.send(parcel(TO)).verdict is Verdict.TAKEN
        assert len(box.sessions) == 2


def test_nobody_there(tmp_path: Path) -> None:
    with post(tmp_path) as (_, text):
        pass
    with closing(opened(tmp_path, text)) as channel:
        found = channel.send(parcel(TO))
    assert (found.verdict, found.detail) == (Verdict.AGAIN, "no answer: ConnectionRefusedError")


@pytest.mark.parametrize(
    "address",
    ["", "an", "an@vidu.vn\r\nBcc: x@y.vn", "a b@vidu.vn", "an@vidu.vn,x@y.vn", "<an@vidu.vn>"],
)
def test_what_is_no_address_never_leaves(tmp_path: Path, address: str) -> None:
    with post(tmp_path) as (box, text), closing(opened(tmp_path, text)) as channel:
        assert channel.send(parcel(address)).verdict is Verdict.REFUSED
        assert box.sessions == set()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Box, Any]]:
    folder = tmp_path_factory.mktemp("mail")
    with post(folder) as (box, text), closing(opened(folder, text)) as channel:
        yield box, channel


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=200),
    st.text(max_size=60),
    st.text(max_size=40),
    st.sampled_from(["", STOP, "https://x.vn/a>\r\nBcc: b@c.vn", "javascript:x"]),
)
def test_whatever_is_said_nothing_becomes_a_header(
    standing: tuple[Box, Any], title: str, words: str, key: str, stop: str
) -> None:
    box, channel = standing
    title, words, key = (each.encode("utf-8", "ignore").decode() for each in (title, words, key))
    assert channel.send(parcel(TO, words, key, title, stop_url=stop)).verdict is Verdict.TAKEN
    found, envelope = box.taken[-1], box.envelopes[-1]
    assert envelope.rcpt_tos == [TO]
    known = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
    known |= {"Content-Type", "Content-Transfer-Encoding"}
    known |= {"List-Unsubscribe", "List-Unsubscribe-Post"} if stop == STOP else set()
    assert set(found.keys()) == known
    said = found.get_content().replace("\r\n", "\n").rstrip("\n")
    meant = words.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert said.startswith(meant)


def test_nothing_of_a_message_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # The server of the test has a log of its own, in which all is told.
    for name in ("mail", "mail.log", "mail.debug", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        post(tmp_path, "starttls", login=True) as (box, text),
        closing(opened(tmp_path, text, MAIL__PASSWORD=PASSWORD)) as channel,
    ):
        found = [channel.send(parcel(TO))]
        box.rcpt = f"550 5.1.1 {TO}"
        found.append(channel.send(parcel(TO)))
    assert [each.verdict for each in found] == [Verdict.TAKEN, Verdict.GONE]
    for secret in (TO, PASSWORD, WORDS):
        assert secret not in f"{caplog.text}{found!r}"
