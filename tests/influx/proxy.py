"""What may go wrong between the service and InfluxDB, on demand: an HTTP proxy that fails.

It stands before a real server and passes on what it is not told to spoil. Plain classes
without pytest, for tests of any package.
"""

import gzip
import http.client
import json
import random
import socket
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.influx.servers import SCRATCH, InfluxServer, free_port

JOIN_S = 5.0
UPSTREAM_S = 30.0
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Fault(StrEnum):
    """What the proxy can do to a request. The server has seen those marked with *."""

    UNAVAILABLE = "unavailable"  # 503
    BUSY = "busy"  # 429 with Retry-After
    DROP = "drop"  # the connection ends without an answer
    ACK_LOST = "ack_lost"  # * the same, after the server has stored what was written
    SLOW = "slow"  # * is passed on after `slow_s`, also to a client that has given up
    LATE_ANSWER = "late_answer"  # * is passed on at once, the answer comes after `late_s`
    REDIRECT = "redirect"  # 301 to an address that answers 204 to whatever comes
    HTML = "html"  # 200 with a page, as a wrong server or a hotel's network answers
    REFUSE = "refuse"  # 400, whatever was written
    UNAUTHORISED = "unauthorised"  # 401
    FORBIDDEN = "forbidden"  # 403
    CUT_SHORT = "cut_short"  # * the answer ends in the middle
    NONSENSE = "nonsense"  # what comes back is not HTTP
    STRICT = "strict"  # * as InfluxDB 2: one line that can't be parsed refuses all of them
    POISONED = "poisoned"  # 400 where a line holds one of `poison`, nothing of it is stored


PASSING = (
    Fault.UNAVAILABLE,
    Fault.BUSY,
    Fault.DROP,
    Fault.ACK_LOST,
    Fault.SLOW,
    Fault.LATE_ANSWER,
    Fault.CUT_SHORT,
)
"""After these the same write, sent again, is taken."""

_STATUS = {
    Fault.UNAVAILABLE: (503, {"error": "service unavailable"}),
    Fault.BUSY: (429, {"code": "too many requests", "message": "slow down"}),
    Fault.REFUSE: (400, {"code": "invalid", "message": "refused for the test's sake"}),
    Fault.UNAUTHORISED: (401, {"code": "unauthorized", "message": "unauthorized access"}),
    Fault.FORBIDDEN: (403, {"code": "forbidden", "message": "insufficient permissions"}),
}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def json(cls, status: int, body: object, **headers: str) -> "_Answer":
        told = [("Content-Type", "application/json"), *headers.items()]
        return cls(status, told, json.dumps(body).encode())


class FaultProxy:
    """Passes on to `server` what it isn't told to spoil, from a port that stays its own.

    `counts` : how often each fault struck a write ("pass" for none), and "reads" of all else
    `poison` : what a line must not hold while the fault POISONED is on
    """

    def __init__(self, server: InfluxServer, *, seed: int = 0) -> None:
        self.server = server
        self.port = free_port()
        self.counts: Counter[str] = Counter()
        self.poison: set[bytes] = set()
        self.retry_after_s: float = 1
        self.slow_s = self.late_s = 0.3
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._odds: dict[Fault, float] = {}
        self._times: int | None = None
        self._reads = False
        self.closing = threading.Event()
        self._listening: _Listening | None = None
        self.heal()

    @property
    def url(self) -> str:
        return self.server.url_of(self.server.database, self.port)

    def url_of(self, database: str) -> str:
        return self.server.url_of(database, self.port)

    @property
    def token(self) -> str | None:
        return self.server.token

    def mode(
        self, name: str, probability: float = 1.0, *, times: int | None = None, reads: bool = False
    ) -> None:
        """From now on this fault alone ("pass": none), for the next `times` writes.

        `reads`: queries and pings suffer it too.
        """
        self.modes({} if name == "pass" else {name: probability}, times=times, reads=reads)

    def modes(
        self, odds: dict[str, float], *, times: int | None = None, reads: bool = False
    ) -> None:
        """Several faults, each with its probability; what is left of 1 passes."""
        chosen = {Fault(name): probability for name, probability in odds.items()}
        assert sum(chosen.values()) < 1 + 1e-9, odds
        with self._lock:
            self._odds, self._times, self._reads = chosen, times, reads

    def passing_faults(self, probability: float) -> None:
        """All faults that a retry mends, each as probable as the others."""
        self.modes({name: probability / len(PASSING) for name in PASSING})

    def cut(self) -> None:
        """Connections end and new ones are refused, until `heal`."""
        if self._listening is not None:
            self.closing.set()
            self._listening.end()
            self._listening = None

    def heal(self) -> None:
        if self._listening is None:
            self.closing.clear()
            self._listening = _Listening(self)

    def close(self) -> None:
        self.cut()

    def fault_of(self, *, write: bool) -> Fault | None:
        """What this request suffers; counted."""
        with self._lock:
            fault = self._drawn() if write or self._reads else None
            self.counts["reads" if not write else fault or "pass"] += 1
            return fault

    def _drawn(self) -> Fault | None:
        if self._times == 0:
            return None
        point = self._chance.random()
        for fault, probability in self._odds.items():
            point -= probability
            if point < 0:
                self._times = None if self._times is None else self._times - 1
                return fault
        return None


class _Listening(ThreadingHTTPServer):
    """One life of the proxy's socket."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", proxy.port), _Request)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name="fault-proxy", daemon=True
        )
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client or a server that goes away is what this proxy is for."""

    def end(self) -> None:
        self.shutdown()
        self._thread.join(JOIN_S)
        self.server_close()
        with self._guard:
            for each in self._open:
                _shut(each)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = UPSTREAM_S
    server: _Listening

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The counts say what happened."""

    def do_GET(self) -> None:
        self._serve(write=False)

    def do_POST(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        self._serve(write=path in ("/api/v2/write", "/write"))

    do_HEAD = do_GET  # noqa: N815 - the base's naming

    def _serve(self, *, write: bool) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        fault = proxy.fault_of(write=write)
        if fault in (Fault.DROP, Fault.ACK_LOST):
            if fault == Fault.ACK_LOST:
                self._passed_on(body)
            self._end_with(b"")
            return
        if fault == Fault.NONSENSE:
            self._end_with(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            return
        if fault == Fault.SLOW:
            cut = proxy.closing.wait(proxy.slow_s)
            if cut:
                return  # it never got there
        answer = self._answer_to(fault, body)
        if fault == Fault.LATE_ANSWER:
            proxy.closing.wait(proxy.late_s)
        if fault == Fault.CUT_SHORT:
            self._end_with(f"HTTP/1.1 {answer.status}"[:-1].encode())
            return
        self._send(answer)

    def _end_with(self, last_words: bytes) -> None:
        self.wfile.write(last_words)
        self.close_connection = True
        _shut(self.connection)

    def _answer_to(self, fault: Fault | None, body: bytes) -> _Answer:
        proxy = self.server.proxy
        if fault in _STATUS:
            status, told = _STATUS[fault]
            more = {"Retry-After": f"{proxy.retry_after_s:g}"} if fault == Fault.BUSY else {}
            return _Answer.json(status, told, **more)
        if fault == Fault.REDIRECT:
            ping = f"http://127.0.0.1:{proxy.server.port}/ping"
            return _Answer(301, [("Location", ping)], b"")
        if fault == Fault.HTML:
            return _Answer(200, [("Content-Type", "text/html")], b"<html>Welcome! Log in.</html>")
        if fault == Fault.POISONED and _holds(self._plain(body), proxy.poison):
            return _Answer.json(400, {"code": "invalid", "message": "unable to parse: poisoned"})
        if fault == Fault.STRICT:
            return self._as_influxdb_2(body)
        return self._passed_on(body)

    def _plain(self, body: bytes) -> bytes:
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _as_influxdb_2(self, body: bytes) -> _Answer:
        """Nothing is stored where a line can't be parsed; what can't be stored is a 422.

        1.6.7 stores the good lines of a batch in either case and says 400. So it is asked first,
        in a database which nobody reads.
        """
        parts = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(parts.query)) | {"bucket": SCRATCH}
        tried = self._passed_on(body, f"{parts.path}?{urllib.parse.urlencode(asked)}")
        if tried.status == 400 and b"unable to parse" in tried.body:
            message = json.loads(tried.body)["error"]
            return _Answer.json(400, {"code": "invalid", "message": message})
        answer = self._passed_on(body)
        if answer.status == 400:
            message = json.loads(answer.body)["error"]
            return _Answer.json(422, {"code": "unprocessable entity", "message": message})
        return answer

    def _passed_on(self, body: bytes, path: str | None = None) -> _Answer:
        upstream = http.client.HTTPConnection(
            "127.0.0.1", self.server.proxy.server.port, timeout=UPSTREAM_S
        )
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        try:
            upstream.request(self.command, path or self.path, body or None, headers)
            answer = upstream.getresponse()
            told = [(k, v) for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP]
            return _Answer(answer.status, told, answer.read())
        except (OSError, http.client.HTTPException):
            return _Answer.json(502, {"error": "no server behind the proxy"})
        finally:
            upstream.close()

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("date", "server"):
                self.send_header(name, value)
        # An answer of 204 has no body, and no length of one (RFC 9110, 8.6).
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _holds(body: bytes, poison: Iterable[bytes]) -> bool:
    return any(each in body for each in poison)
