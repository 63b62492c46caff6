import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ingest import influx as module
from ingest.influx import Influx, InfluxAddress, Unavailable, Verdict, parse_url
from ingest.registry import parse_registry
from ingest.series import Series, SeriesTable
from tests.ingest.registry_text import REACHES, RIVER

TABLE = SeriesTable.of(parse_registry(f"{REACHES}{RIVER}", "stations.toml"))
SERIES: Series = TABLE.entries[TABLE.by_key["mt-01/salinity_g_l"]]
TOKEN = "songtien:hunter2-hunter2"
PASSWORD = "hunter2-hunter2"
NOW_MS = 1_767_000_000_123
PAGE = b"<html><body>Welcome</body></html>"
T = (500, 300)

Said = tuple[int, Mapping[str, str], bytes]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """A server that answers with what a function says; None ends the connection."""

    answer: Callable[[Request], Said | None]
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def influx(self, token: str | None = TOKEN) -> Influx:
        return Influx(
            InfluxAddress("127.0.0.1", self.port, False, "river", "o"), token, timeout_ms=T
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Scripted

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = parse_qs(parts.query, keep_blank_values=True)
        request = Request(self.command, parts.path, query, dict(self.headers), body)
        self.script.requests.append(request)
        said = self.script.answer(request)
        if said is None:
            self.close_connection = True
            return
        status, headers, sent = said
        self.send_response(status)
        if status != 204 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(sent)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_GET = _serve  # noqa: N815 - http.server's name
    do_POST = _serve  # noqa: N815 - the same

    def log_message(self, *_: Any) -> None:
        """Tests say what they want to."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that ends the connection early is one of the cases."""


Serve = Callable[[Callable[[Request], Said | None]], Scripted]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start small servers; they end with the test."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread, Scripted]] = []

    def start(answer: Callable[[Request], Said | None]) -> Scripted:
        script = Scripted(answer)
        handler = type("Handler", (_Handler,), {"script": script})
        server = _Server(("127.0.0.1", 0), handler)
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread, script))
        return script

    yield start
    for server, thread, script in running:
        script.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _rows(*values: list[Any], name: str = "salinity_g_l") -> Said:
    series = {"name": "x", "columns": ["time", name, f"{name}_q"], "values": values}
    body = {"results": [{"statement_id": 0, "series": [series] if values else []}]}
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


# Where it is.


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("influxdb://db:8086/river?org=o", ("db", 8086, False, "river", "o")),
        ("influxdb://db/river?org=o", ("db", 8086, False, "river", "o")),
        ("influxdbs://db.example:443/river?org=o", ("db.example", 443, True, "river", "o")),
        ("influxdb://db:8086/river/week?org=o", ("db", 8086, False, "river/week", "o")),
        ("influxdb://[::1]:8086/river?org=o", ("::1", 8086, False, "river", "o")),
        ("influxdb://db:8086/s%C3%B4ng%20a?org=B%20C", ("db", 8086, False, "sông a", "B C")),
    ],
)
def test_an_address_is_read_and_said_again(url: str, address: tuple[Any, ...]) -> None:
    found = parse_url(url)
    assert found == InfluxAddress(*address)
    assert parse_url(str(found)) == found


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://db:8086/river?org=o",
        "influxdb://db:8086/river",
        "influxdb://db:8086/?org=o",
        "influxdb://db:8086?org=o",
        "influxdb:///river?org=o",
        "influxdb://db:0/river?org=o",
        "influxdb://db:99999/river?org=o",
        "influxdb://db:x/river?org=o",
        "influxdb://db:8086/a/b/c?org=o",
        "influxdb://db:8086/a/?org=o",
        "influxdb://db:8086/a%0Ab?org=o",
        "influxdb://db:8086/river?org=",
        "influxdb://db:8086/river?org=o&org=p",
        "influxdb://db:8086/river?org=o&token=hunter2",
        "influxdb://db:8086/river?org=o#x",
        "influxdb://me:hunter2@db:8086/river?org=o",
        "influxdb://d b/river?org=o",
        "influxdb://[::1/river?org=hunter2",
    ],
)
def test_another_address_is_refused_with_what_is_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="influxdb://HOST:8086/BUCKET") as refused:
        parse_url(url)
    assert "hunter2" not in str(refused.value)


# Writing.


def test_a_write_is_one_request_of_all_lines(serve: Serve) -> None:
    server = serve(lambda _: (204, {}, b""))
    influx = server.influx()
    answer = influx.write([b"m v=1 1", "độ v=2 2".encode()])
    influx.close()
    assert (answer.verdict, answer.status) == (Verdict.STORED, 204)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/api/v2/write")
    assert request.query == {"org": ["o"], "bucket": ["river"], "precision": ["ms"]}
    assert request.body == b"m v=1 1\n" + "độ v=2 2".encode()
    assert request.headers["Authorization"] == f"Token {TOKEN}"


def test_nothing_to_write_asks_nobody(serve: Serve) -> None:
    server = serve(lambda _: None)
    influx = server.influx()
    assert influx.write([]).verdict is Verdict.STORED
    influx.close()
    assert server.requests == []


def test_without_a_token_none_is_sent(serve: Serve) -> None:
    server = serve(lambda _: (204, {}, b""))
    influx = server.influx(None)
    influx.write([b"m v=1 1"])
    influx.close()
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("said", "verdict", "told"),
    [
        ((200, {}, PAGE), Verdict.MISCONFIGURED, "Welcome"),
        ((200, {}, b"\xff\xfe"), Verdict.MISCONFIGURED, "only 204"),
        ((301, {"Location": "/there"}, b""), Verdict.MISCONFIGURED, "redirection"),
        ((307, {"Location": "/there"}, b""), Verdict.MISCONFIGURED, "redirection"),
        ((401, {}, b'{"error":"authorization failed"}'), Verdict.MISCONFIGURED, "token"),
        ((404, {}, b"404 page not found\n"), Verdict.MISCONFIGURED, "page not found"),
        ((400, {}, b'{"message":"bad line"}'), Verdict.REJECTED, "bad line"),
        ((413, {}, PAGE), Verdict.REJECTED, "Welcome"),
        ((503, {"Retry-After": "7"}, b"{}"), Verdict.RETRY, "503"),
        ((503, {}, b"\xff caf\xe9"), Verdict.RETRY, "503"),
        ((503, {}, b""), Verdict.RETRY, "503"),
        ((503, {}, b"x" * 5_000_000), Verdict.RETRY, "xxx"),
        ((204, {"Retry-After": "soon"}, b""), Verdict.STORED, ""),
        (None, Verdict.RETRY, "closed connection"),
        (
            (503, {"Content-Length": "100", "Connection": "close"}, b"half"),
            Verdict.RETRY,
            "IncompleteRead",
        ),
    ],
)
def test_each_answer_of_a_server_has_its_verdict(
    serve: Serve, said: Said | None, verdict: Verdict, told: str
) -> None:
    server = serve(lambda _: said)
    influx = server.influx()
    answer = influx.write([b"m v=1 1"])
    influx.close()
    assert answer.verdict is verdict
    assert told in answer.detail
    assert answer.retry_after_s == (7.0 if told == "503" and said and said[1] else None)
    assert len(server.requests) == 1, "neither repeated nor sent elsewhere"


def test_a_slow_answer_is_given_up_and_may_have_been_stored(serve: Serve) -> None:
    def answer(_: Request) -> Said:
        server.over.wait(10)
        return 204, {}, b""

    server = serve(answer)
    influx = server.influx()
    answer_ = influx.write([b"m v=1 1"])
    influx.close()
    assert (answer_.verdict, answer_.status) == (Verdict.RETRY, None)
    assert "timed out" in answer_.detail


def test_nobody_there_is_a_reason_to_try_again(free_port: int) -> None:
    influx = Influx(InfluxAddress("127.0.0.1", free_port, False, "b", "o"), None, timeout_ms=T)
    answer = influx.write([b"m v=1 1"])
    influx.close()
    assert answer.verdict is Verdict.RETRY
    assert "refused" in answer.detail
    assert "0x" not in answer.detail, "the same words each time, so that a log can fold them"


def test_what_speaks_no_http_is_a_reason_to_try_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"\x00\x01 I am no web server\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        address = InfluxAddress("127.0.0.1", listener.getsockname()[1], False, "b", "o")
        influx = Influx(address, None, timeout_ms=T)
        answer = influx.write([b"m v=1 1"])
        influx.close()
        thread.join()
    assert answer.verdict is Verdict.RETRY


def test_tls_with_a_server_that_has_none_is_misconfigured(serve: Serve) -> None:
    server = serve(lambda _: (204, {}, b""))
    influx = Influx(InfluxAddress("127.0.0.1", server.port, True, "b", "o"), TOKEN, timeout_ms=T)
    answer = influx.write([b"m v=1 1"])
    with pytest.raises(Unavailable) as away:
        influx.version()
    influx.close()
    assert answer.verdict is away.value.answer.verdict is Verdict.MISCONFIGURED
    assert "TLS" in answer.detail


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew(serve: Serve) -> None:
    server = serve(lambda _: (204, {"Connection": "close"}, b""))
    influx = server.influx()
    for _ in range(3):
        assert influx.write([b"m v=1 1"]).verdict is Verdict.STORED
    influx.close()


# Reading.


def test_points_come_as_a_batch(serve: Serve) -> None:
    server = serve(lambda _: _rows([1000, 3.2, 1], [2000, 3.4, 3]))
    influx = server.influx()
    found = influx.points(SERIES, 0, 5000, 100)
    influx.close()
    assert found.series.tolist() == [SERIES.id] * 2
    assert found.t_ms.tolist() == [1000, 2000]
    assert found.value.tolist() == [3.2, 3.4]
    assert found.flag.tolist() == [1, 3]
    assert found.why.tolist() == [0, 0]
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/query")
    assert request.query["db"] == ["river"]
    assert request.query["epoch"] == ["ms"]
    assert "rp" not in request.query
    assert request.headers["Authorization"] == f"Token {TOKEN}"


def test_a_bucket_with_a_policy_is_read_as_both(serve: Serve) -> None:
    server = serve(lambda _: _rows())
    influx = Influx(InfluxAddress("127.0.0.1", server.port, False, "river/week", "o"), None)
    assert len(influx.points(SERIES, 0, 5000, 100)) == 0
    influx.close()
    assert (server.requests[0].query["db"], server.requests[0].query["rp"]) == (["river"], ["week"])


def test_many_points_come_in_pages_of_bounded_size(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 3)
    stored = [[t, t / 10, 1] for t in range(10)]

    def answer(request: Request) -> Said:
        query = request.query["q"][0]
        asked = re.search(
            r"time >= (\d+)ms AND time < (\d+)ms ORDER BY time ASC LIMIT (\d+)", query
        )
        assert asked is not None
        low, high, limit = map(int, asked.groups())
        assert limit <= 3
        return _rows(*[row for row in stored if low <= row[0] < high][:limit])

    server = serve(answer)
    influx = server.influx()
    assert influx.points(SERIES, 0, 100, 1000).t_ms.tolist() == list(range(10))
    assert influx.points(SERIES, 2, 9, 1000).t_ms.tolist() == list(range(2, 9))
    assert influx.points(SERIES, 0, 100, 7).t_ms.tolist() == list(range(7))
    asked = len(server.requests)
    assert len(influx.points(SERIES, 0, 100, 0)) == len(influx.points(SERIES, 9, 9, 5)) == 0
    assert len(server.requests) == asked
    influx.close()


@pytest.mark.parametrize(
    ("said", "verdict", "told"),
    [
        ((503, {"Retry-After": "7"}, b"{}"), Verdict.RETRY, "503"),
        ((401, {}, b'{"error":"authorization failed"}'), Verdict.MISCONFIGURED, "token"),
        ((400, {}, b'{"error":"error parsing query"}'), Verdict.MISCONFIGURED, "parsing"),
        ((301, {"Location": "/there"}, b""), Verdict.MISCONFIGURED, "301"),
        ((204, {}, b""), Verdict.MISCONFIGURED, "204"),
        ((200, {}, PAGE), Verdict.MISCONFIGURED, "no answer of InfluxDB"),
        (
            (200, {}, b'{"results":[{"error":"database not found: river"}]}'),
            Verdict.MISCONFIGURED,
            "database not found",
        ),
        ((200, {}, b" " * 5_000_000), Verdict.MISCONFIGURED, "longer than"),
        (None, Verdict.RETRY, "closed connection"),
        (
            (200, {"Content-Length": "100", "Connection": "close"}, b'{"results":['),
            Verdict.RETRY,
            "IncompleteRead",
        ),
    ],
)
def test_what_cannot_be_read_is_unavailable(
    serve: Serve, said: Said | None, verdict: Verdict, told: str
) -> None:
    server = serve(lambda _: said)
    influx = server.influx()
    with pytest.raises(Unavailable, match=told) as away:
        influx.points(SERIES, 0, 1, 1)
    influx.close()
    assert away.value.answer.verdict is verdict
    assert len(server.requests) == 1


def test_the_version_is_what_ping_says(serve: Serve) -> None:
    said: list[Said] = [
        (204, {"X-Influxdb-Version": "1.6.7~rc0"}, b""),
        (200, {"X-Influxdb-Version": "v2.7\x1b[31m"}, b""),
        (204, {}, b""),
        (500, {}, b""),
    ]
    server = serve(lambda _: said.pop(0))
    influx = server.influx()
    assert influx.version() == "1.6.7~rc0"
    assert influx.version() == "v2.7 [31m"
    with pytest.raises(Unavailable, match="no version"):
        influx.version()
    with pytest.raises(Unavailable, match="500"):
        influx.version()
    influx.close()


# The canary.


def _canary(serve: Serve, wrote: Said, read: Said | None) -> tuple[module.Answer, Scripted]:
    server = serve(lambda request: wrote if request.method == "POST" else read)
    influx = server.influx()
    answer = influx.canary(NOW_MS)
    influx.close()
    return answer, server


def test_a_canary_is_stored_when_it_is_read_back_as_it_was(serve: Serve) -> None:
    back = _rows([NOW_MS, NOW_MS / 1000, 1], name="at_s")
    answer, server = _canary(serve, (204, {}, b""), back)
    assert answer.verdict is Verdict.STORED
    wrote, read = server.requests
    assert wrote.body == b"songtien_canary at_s=1767000000.123,at_s_q=1i 1767000000123"
    assert f"time >= {NOW_MS}ms AND time < {NOW_MS + 1}ms" in read.query["q"][0]


@pytest.mark.parametrize(
    ("wrote", "read", "verdict", "told"),
    [
        ((204, {}, b""), _rows(name="at_s"), Verdict.MISCONFIGURED, "'river'"),
        (
            (204, {}, b""),
            _rows([NOW_MS, 1.0, 1], name="at_s"),
            Verdict.MISCONFIGURED,
            "'river'",
        ),
        (
            (204, {}, b""),
            _rows([NOW_MS - 1, NOW_MS / 1000, 1], name="at_s"),
            Verdict.MISCONFIGURED,
            "'river'",
        ),
        ((204, {}, b""), (404, {}, b""), Verdict.MISCONFIGURED, "404"),
        ((204, {}, b""), (400, {}, b""), Verdict.MISCONFIGURED, "400"),
        ((204, {}, b""), (503, {}, b""), Verdict.RETRY, "503"),
        ((204, {}, b""), None, Verdict.RETRY, "closed"),
        ((401, {}, b""), None, Verdict.MISCONFIGURED, "401"),
        ((200, {}, PAGE), None, Verdict.MISCONFIGURED, "200"),
        ((422, {}, b""), None, Verdict.REJECTED, "422"),
    ],
)
def test_a_canary_that_does_not_come_back_says_where_it_was_lost(
    serve: Serve, wrote: Said, read: Said | None, verdict: Verdict, told: str
) -> None:
    answer, _ = _canary(serve, wrote, read)
    assert answer.verdict is verdict
    assert told in answer.detail


# Secrets.


def test_no_secret_is_ever_said(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    repeated = f'{{"error":"unknown token {TOKEN}, password {PASSWORD}"}}'.encode()
    server = serve(lambda _: (401, {"X-Said": TOKEN}, repeated))
    influx = server.influx()
    with pytest.raises(Unavailable) as away:
        influx.points(SERIES, 0, 1, 1)
    with pytest.raises(Unavailable) as silent:
        influx.version()
    said = [repr(influx), str(influx), repr(influx.write([b"m v=1 1"])), str(silent.value)]
    said += [repr(away.value), str(away.value), repr(influx.canary(NOW_MS)), str(influx.address)]
    influx.close()
    assert all(PASSWORD not in text for text in said)
    assert caplog.records
    assert all(PASSWORD not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("token", ["", "two words", "a\nb", "ключ-hunter2", "hunter2\r\nX: y"])
def test_a_token_that_no_header_carries_is_refused_unsaid(token: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        Influx(InfluxAddress("h", 1, False, "b", "o"), token)
    assert "hunter2" not in str(refused.value)


# Several threads.


def test_readers_do_not_wait_for_the_writer(serve: Serve) -> None:
    reading = threading.Event()

    def answer(request: Request) -> Said:
        if request.method == "POST":
            assert reading.wait(5)
            return 204, {}, b""
        reading.set()
        return _rows([1000, 3.2, 1])

    server = serve(answer)
    address = InfluxAddress("127.0.0.1", server.port, False, "river", "o")
    influx = Influx(address, None, timeout_ms=(1000, 10_000))
    answers: list[module.Answer] = []
    writer = threading.Thread(target=lambda: answers.append(influx.write([b"m v=1 1"])))
    writer.start()
    for _ in range(5):
        assert np.array_equal(influx.points(SERIES, 0, 5000, 10).t_ms, [1000])
    writer.join(10)
    influx.close()
    assert [answer.verdict for answer in answers] == [Verdict.STORED]
