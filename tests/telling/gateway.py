"""A gateway over HTTP as the tests need one: it remembers, and answers well, late, wrongly or not.

A request whose answer is lost was accepted all the same: the message goes out.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOST = -1
"""In place of a status: accepted, and the connection is closed without a word."""

DEAD = -2
"""Closed without a word, and not accepted."""

Answered = int | tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Request:
    """One request. `accepted`: the message goes out to a person."""

    key: str
    to: str
    text: str
    at_s: float
    accepted: bool


@dataclass
class Gateway:
    """`answers(key, number)` is a status, a status with headers, LOST or DEAD; 200 by default."""

    answers: Callable[[str, int], Answered] = lambda _key, _number: 200
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send/of-a-test"

    @property
    def accepted(self) -> list[Request]:
        with self.lock:
            return [each for each in self.requests if each.accepted]

    def keys(self) -> list[str]:
        return [each.key for each in self.accepted]

    def times(self) -> Counter[str]:
        """How often each key was accepted."""
        return Counter(self.keys())

    def take(self, key: str, said: dict[str, Any]) -> Answered:
        with self.lock:
            self.busy += 1
            number = len(self.requests) + self.busy
        answer = self.answers(key, number)
        status = answer[0] if isinstance(answer, tuple) else answer
        accepted = status == LOST or 200 <= status < 300
        with self.lock:
            self.busy -= 1
            self.requests.append(Request(key, said["to"], said["text"], time.monotonic(), accepted))
        return answer


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    """Run it on its port, or on a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return  # the sender has died in the middle: this was no request
            answer = gateway.take(self.headers["Idempotency-Key"], json.loads(body))
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            if status in (LOST, DEAD):
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A sender that was killed in the middle is what some tests are about."""

    with Server(("127.0.0.1", gateway.port), Handler) as server:
        gateway.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
