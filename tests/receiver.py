"""A receiver of webhooks: a small HTTP server that remembers what came and answers as told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

SECRET = "0123456789abcdef-of-a-test"


@dataclass(frozen=True)
class Received:
    """One request. `said` is its body, `headers` by lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


@dataclass
class Receiver:
    """`answers(request, number)` is a status, or a status with headers; 200 by default."""

    port: int = 0
    answers: Callable[[Received, int], int | tuple[int, dict[str, str]]] = lambda _r, _n: 200
    received: list[Received] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/of-a-test"

    def take(self, request: Received) -> int | tuple[int, dict[str, str]]:
        with self._lock:
            self.received.append(request)
            number = len(self.received)
        return self.answers(request, number)

    def keys(self) -> list[str]:
        with self._lock:
            return [each.key for each in self.received]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Run it on its port, or on a free one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return  # the sender has died in the middle: this was no request
            said = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(Received(self.path, said, body))
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A sender that was killed in the middle is what some tests are about."""

    with Server(("127.0.0.1", receiver.port), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
