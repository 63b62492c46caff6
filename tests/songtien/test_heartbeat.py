"""The heartbeat against real sockets."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from songtien import heartbeat as module
from songtien.heartbeat import Heartbeat
from tests.e2e.running import eventually
from tests.songtien.targets import target

PATH = "/ping/0c5a-secret"


@contextmanager
def beating(url: str, every_s: float = 0.05) -> Iterator[Heartbeat]:
    heart = Heartbeat(url, every_s)
    heart.start()
    try:
        yield heart
    finally:
        heart.stop()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)


def test_it_beats_only_while_it_is_allowed() -> None:
    with target() as server, beating(server.url + PATH) as heart:
        heart.allow(0.5)
        eventually(lambda: heart.sent >= 3, "beats")
        eventually(lambda: time.monotonic() > heart._allowed_until_s, "the word has run out")
        asked = len(server.asked)
        heart.stop()
        assert set(server.asked) == {PATH}
        assert len(server.asked) - asked <= 1
        assert heart.failed == 0


def test_before_the_first_word_there_is_no_beat() -> None:
    with target() as server, beating(server.url + PATH) as heart:
        heart.allow(-1.0)
        heart.stop()
        assert server.asked == []


def test_its_pace_is_that_of_the_settings() -> None:
    with target() as server, beating(server.url, every_s=0.3) as heart:
        begun_s = time.monotonic()
        heart.allow(60.0)
        eventually(lambda: heart.sent == 4, "four beats")
        assert time.monotonic() - begun_s >= 0.85
        assert len(server.asked) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 503])
def test_any_answer_but_success_is_a_failure_and_no_redirect_is_followed(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with target() as server, beating(server.url + PATH) as heart:
        server.status = status
        heart.allow(60.0)
        eventually(lambda: heart.failed >= 3, "failures")
        assert heart.sent == 0
        assert set(server.asked) == {PATH}
        server.status = 204
        eventually(lambda: heart.sent >= 1, "taken again")
    said = [record for record in caplog.records if record.name == "songtien.heartbeat"]
    assert [(r.levelno, getattr(r, "why", None)) for r in said][:1] == [
        (logging.WARNING, f"status {status}")
    ]


@pytest.mark.parametrize("fault", ["nobody", "mute", "garbage", "plain"])
def test_the_url_is_in_no_log_whatever_is_wrong(
    fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", urllib3.Timeout(connect=0.3, read=0.3))
    caplog.set_level(logging.DEBUG)
    with socket.socket() as listener, target() as server:
        listener.bind(("127.0.0.1", 0))
        if fault != "nobody":
            listener.listen(8)
        port = listener.getsockname()[1]
        url = {
            "nobody": f"http://127.0.0.1:{port}{PATH}",
            "mute": f"http://127.0.0.1:{port}{PATH}",
            "garbage": f"http://127.0.0.1:1{PATH}",
            "plain": f"https://127.0.0.1:{server.server_address[1]}{PATH}",
        }[fault]
        with beating(url) as heart:
            heart.allow(60.0)
            eventually(lambda: heart.failed >= 2, "failures")
            assert heart.sent == 0
    assert any("heartbeat" in record.getMessage() for record in caplog.records)
    for record in caplog.records:
        assert "secret" not in str(vars(record))
    assert "secret" not in repr(heart)


def test_it_ends_at_once_though_an_answer_is_waited_for() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with beating(f"http://127.0.0.1:{listener.getsockname()[1]}/") as heart:
            heart.allow(60.0)
            waiting, _ = listener.accept()
            begun_s = time.monotonic()
        assert time.monotonic() - begun_s < 2 * module.STOP_S
        waiting.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_ends_it_against_expectation_is_told() -> None:
    told: list[BaseException] = []
    heart = Heartbeat("http://127.0.0.1:1/", 0.05, told.append)
    heart._asked = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    heart.allow(60.0)
    heart.start()
    eventually(lambda: told, "its death")
    heart.stop()
    assert isinstance(told[0], ZeroDivisionError)
