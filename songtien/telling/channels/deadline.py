"""Sockets on which every wait for bytes ends at one moment, however slowly they drip."""

import socket
import ssl
import time
from pathlib import Path
from typing import Any


class PlainSocket(socket.socket):
    """`TimeoutError` after `until_s` of the monotonic clock."""

    until_s: float

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(left_s(self.until_s))
        return super().recv_into(*args, **kwargs)


class TlsSocket(ssl.SSLSocket):
    """The same over TLS."""

    until_s: float

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(left_s(self.until_s))
        return super().recv_into(*args, **kwargs)


def left_s(until_s: float) -> float:
    """So much time is left; `TimeoutError` where none is."""
    found = until_s - time.monotonic()
    if found <= 0:
        raise TimeoutError
    return found


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are verified, against the system's authorities or those of a file."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    return context


def connected(host: str, port: int, until_s: float) -> PlainSocket:
    """The first address that answers. The name's resolution alone keeps its own time."""
    failed = OSError("no address")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        plain = PlainSocket(family, kind, protocol)
        plain.until_s = until_s
        try:
            plain.settimeout(left_s(until_s))
            plain.connect(address)
            # The body of a request must not wait until its headers are acknowledged (RFC 1122,
            # 4.2.3.2): that would be 40 ms for each message.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failed = error
        else:
            return plain
    raise failed


def wrapped(plain: PlainSocket, context: ssl.SSLContext, host: str) -> TlsSocket:
    """TLS on it, until the same moment."""
    try:
        plain.settimeout(left_s(plain.until_s))
        found = context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
    until(found, plain.until_s)
    assert isinstance(found, TlsSocket)
    return found


def until(used: socket.socket | None, until_s: float) -> None:
    """Let a connection be used until another moment."""
    assert isinstance(used, PlainSocket | TlsSocket)
    used.until_s = until_s
    used.settimeout(left_s(until_s))
