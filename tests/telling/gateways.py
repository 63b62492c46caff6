"""Servers that tests start: HTTP that answers byte by byte as told, TLS of its own, channels."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerts.farmers.parcel import Parcel, Text
from songtien.settings import load_settings
from songtien.telling.channels.channel import Channel
from songtien.telling.channels.kinds import open_channel
from songtien.telling.channels.values import ChannelSettings

PHONE = "+84912345678"
WORDS = "Nước mặn 1,2 g/l tại Xuân Hòa"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Drip:
    """An answer that comes a byte at a time."""

    answer: bytes
    every_s: float


def answer(status: int, body: object = None, **headers: str) -> bytes:
    """A whole answer; `body` is JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    named = {"Content-Length": str(len(raw)), **headers}
    lines = [f"HTTP/1.1 {status} Said", *(f"{k.replace('_', '-')}: {v}" for k, v in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


Script = Callable[[Asked, int], bytes | Drip | None]
"""What is written for a request and its number; None hangs up without an answer."""


@dataclass
class Gateway:
    script: Script = lambda _asked, _number: answer(200)
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://localhost:{self.port}"


@contextmanager
def gateway(script: Script | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    """Run one."""
    made = Gateway(tls=tls) if script is None else Gateway(script, tls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            made.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append(Asked(self.command, self.path, said, body))
            found = made.script(made.asked[-1], len(made.asked))
            if isinstance(found, Drip):
                for at in range(len(found.answer)):
                    self.wfile.write(found.answer[at : at + 1])
                    time.sleep(found.every_s)
            elif found is not None:
                self.wfile.write(found)
            self.close_connection = not isinstance(found, bytes) or b"Connection: close" in found

        do_GET = do_PUT = do_POST  # noqa: N815 - the names that http.server asks for

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[Any, Any]:
            plain, address = super().get_request()
            plain.settimeout(10)
            if made.tls is None:
                return plain, address
            return made.tls.wrap_socket(plain, server_side=True), address

        def handle_error(self, *_: object) -> None:
            """Clients that leave in the middle are what some tests are about."""

    with Server(("localhost", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of localhost that signs itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "ca.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return pem, context


def settings_of(folder: Path, toml: str, **variables: str) -> ChannelSettings:
    """The one channel of a configuration."""
    path = folder / "songtien.toml"
    path.write_text(toml, "utf-8")
    environ = {f"SONGTIEN_CHANNEL__{name}": value for name, value in variables.items()}
    (found,) = load_settings(path, environ).channels
    return found


def opened(folder: Path, toml: str, **variables: str) -> Channel:
    """That channel, ready to send."""
    return open_channel(settings_of(folder, toml, **variables), folder)


def parcel(
    address: str = PHONE, body: str = WORDS, key: str = "k-1", title: str = "", **more: Any
) -> Parcel:
    text = Text(title, body, **{name: more.pop(name) for name in list(more) if name in _TEXT})
    return Parcel(key, address, text, **more)


_TEXT = ("parts", "template", "params")
