"""One HTTP request at a time to a host that an operator has named.

Nothing is logged, redirects are not followed, proxies of the environment are not asked, and
everything that is waited for ends with one deadline, however slowly an answer drips.
"""

import http.client
import json
import select
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alerts.farmers.gateway import BODY_MAX
from alerts.farmers.parcel import Answer, Verdict
from alerts.webhook import retry_after_s
from songtien.telling.channels import deadline

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
    """`why` in words, without what was asked for. `closed`: somebody has to look."""

    why: str
    closed: bool = False

    def answer(self, doing: str = "") -> Answer:
        """As an answer of a channel; `doing` what, where it was not sending."""
        verdict = Verdict.CLOSED if self.closed else Verdict.AGAIN
        return Answer(verdict, f"{doing}: {self.why}" if doing else self.why)


def as_json(document: object) -> bytes:
    """As UTF-8; half of a character, which has no encoding, is told as a question mark."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


class Requests:
    """Asks one host after another, and keeps the connection to the last one for a while.

    Parameters
    ----------
    timeout_s : for all of one request, without the resolution of the name
    ca_file : authorities in place of the system's
    """

    def __init__(self, timeout_s: float, ca_file: Path | None = None) -> None:
        self._timeout_s = timeout_s
        self._context = deadline.tls_context(ca_file)
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
        except ssl.SSLCertVerificationError:
            self.close()
            return Unanswered("the server's certificate is not trusted", closed=True)
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
            deadline.until(kept.sock, until_s)
            return kept
        self.close()
        made = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = made(netloc)
        plain = deadline.connected(connection.host, connection.port, until_s)
        connection.sock = (
            deadline.wrapped(plain, self._context, connection.host) if scheme == "https" else plain
        )
        self._kept, self._kept_for = connection, (scheme, netloc)
        return connection

    def _alive(self, connection: http.client.HTTPConnection) -> bool:
        if connection.sock is None or time.monotonic() - self._used_s > IDLE_MAX_S:
            return False
        # What can be read before anything was asked is an end, or nothing that belongs there.
        looked = select.poll()
        looked.register(connection.sock, select.POLLIN)
        return not looked.poll(0)
