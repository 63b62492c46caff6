"""Where a broker is, and a client of it for what speed does not matter for."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

import aiomqtt

from simulators.packets import TEXT_BYTES_MAX

CALLS_MAX = 64
"""Calls of a client that may be under way."""


def shown(url: str) -> str:
    """An address as it may be told: without the name and the password in it."""
    scheme, _, rest = url.partition("://")
    host = url.rpartition("@")[2]
    return f"{scheme}://{host}" if "@" in rest and scheme.isalpha() else host


class LinkError(aiomqtt.MqttError):
    """A connection can't be had, or has ended; the text says why.

    One of aiomqtt's, so that callers know one error, whichever client it comes from.
    """


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to publish. `ca_file` names the authority of a private broker's certificate."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    @classmethod
    def of(cls, url: str) -> Self:
        """`mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`.

        Raises ValueError, which says what is accepted.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            (parts.hostname or "").encode("idna")  # as a resolver will
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("accepted is mqtt://HOST:1883 or mqtts://HOST:8883")
        tls = parts.scheme == "mqtts"
        username, password = (
            unquote(text) if text else None for text in (parts.username, parts.password)
        )
        if any(len(text.encode()) > TEXT_BYTES_MAX for text in (username, password) if text):
            raise ValueError(
                f"accepted are a name and a password of up to {TEXT_BYTES_MAX:,} bytes"
            )
        return cls(parts.hostname, port or (8883 if tls else 1883), tls, username, password)

    def context(self) -> ssl.SSLContext | None:
        """How the broker proves who it is; None without TLS."""
        return ssl.create_default_context(cafile=self.ca_file) if self.tls else None

    def client(self) -> aiomqtt.Client:
        """To subscribe, or to say a word: what speed does not matter for."""
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=self.username,
            password=self.password,
            tls_context=self.context(),
            timeout=10.0,
            max_inflight_messages=CALLS_MAX,
        )
        client.pending_calls_threshold = 2 * CALLS_MAX
        return client
