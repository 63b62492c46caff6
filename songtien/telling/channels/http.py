"""One HTTP request at a time to a host that an operator has named.

Nothing is logged, redirects are not followed, proxies of the environment are not asked, and
everything that is waited for ends with one deadline, however slowly an answer drips.
"""

import http.client
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from alerts.farmers.gateway import BODY_MAX
from alerts.webhook import retry_after_s

IDLE_MAX_S: Final = 20.0
"""An unused connection is not kept longer: the other side may have forgotten it by then."""

AGENT: Final = f"songtien/{version('songtien')}"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. `cut`: it ended before its end, or went on beyond what is read."""

    status: int
    body: bytes = field(repr=False)
    retry_after_s: float | None
    cut: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """`why` in words, without what was asked for."""

    why: str


class _Deadline(socket.socket):
    """Ends every wait for bytes at one moment; `TimeoutError` after it."""

    until_s: float

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s)
        return super().recv_into(*args, **kwargs)


class _TlsDeadline(ssl.SSLSocket):
    """The same over TLS."""

    until_s: float

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s)
        return super().recv_into(*args, **kwargs)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are verified, against the system's authorities or those of a file."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Requests:
    """Asks one host after another, and keeps the connection to the last one for a while.

    Parameters
    ----------
    timeout_s : for everything from the name's resolution on, which alone keeps its own time
    ca_file : authorities in place of the system's
    """

    def __init__(self, timeout_s: float, ca_file: Path | None = None) -> None:
        self._timeout_s = timeout_s
        self._context = tls_context(ca_file)
        self._context.sslsocket_class = _TlsDeadline
        self._kept: http.client.HTTPConnection | None = None
        self._kept_for: tuple[str, str] | None = None
        self._used_s = 0.0

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Said | Unanswered:
        """One answer, or why there is none."""
        until_s = time.monotonic() + self._timeout_s
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = self._connection(parts.scheme, parts.netloc, until_s)
            said = {"User-Agent": AGENT, **headers}
            encoded = {name: value.encode() for name, value in said.items()}
            connection.request(method, target, body, encoded)
            return self._answer(connection)
        except TimeoutError:
            self.close()
            return Unanswered(f"no answer within {self._timeout_s:g} s")
        except (http.client.HTTPException, OSError, ValueError) as error:
            # Texts of these errors name what was asked for.
            self.close()
            return Unanswered(f"no answer: {type(error).__name__}")

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _answer(self, connection: http.client.HTTPConnection) -> Said:
        answer = connection.getresponse()
        asked_s = retry_after_s(answer.headers.get("retry-after"), time.time())
        try:
            body = answer.read(BODY_MAX + 1)
            cut = len(body) > BODY_MAX or bool(answer.length)
        except (http.client.HTTPException, OSError, ValueError):
            body, cut = b"", True
        if cut or not answer.isclosed():
            self.close()
        self._used_s = time.monotonic()
        return Said(answer.status, body[:BODY_MAX], asked_s, cut)

    def _connection(self, scheme: str, netloc: str, until_s: float) -> http.client.HTTPConnection:
        kept = self._kept
        if kept is not None and self._kept_for == (scheme, netloc) and self._alive(kept):
            assert isinstance(kept.sock, _Deadline | _TlsDeadline)
            kept.sock.until_s = until_s
            kept.sock.settimeout(self._timeout_s)
            return kept
        self.close()
        made = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = made(netloc)
        connection.sock = self._connected(connection.host, connection.port, scheme, until_s)
        self._kept, self._kept_for = connection, (scheme, netloc)
        return connection

    def _alive(self, connection: http.client.HTTPConnection) -> bool:
        if connection.sock is None or time.monotonic() - self._used_s > IDLE_MAX_S:
            return False
        # What can be read before anything was asked is an end, or nothing that belongs there.
        looked = select.poll()
        looked.register(connection.sock, select.POLLIN)
        return not looked.poll(0)

    def _connected(self, host: str, port: int, scheme: str, until_s: float) -> socket.socket:
        failed: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            plain = _Deadline(family, kind, protocol)
            plain.until_s = until_s
            try:
                plain.settimeout(left_s)
                plain.connect(address)
                return self._wrapped(plain, host, until_s) if scheme == "https" else plain
            except OSError as error:
                plain.close()
                failed = error
        raise failed

    def _wrapped(self, plain: socket.socket, host: str, until_s: float) -> ssl.SSLSocket:
        plain.settimeout(max(0.001, until_s - time.monotonic()))
        wrapped = self._context.wrap_socket(plain, server_hostname=host)
        assert isinstance(wrapped, _TlsDeadline)
        wrapped.until_s = until_s
        return wrapped
