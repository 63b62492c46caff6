"""What surrounds every request: limits, security headers, HEAD, and counting.

Plain ASGI, outside of FastAPI, so that it holds for errors and unknown paths too.
"""

import re
import time
from collections.abc import Callable
from typing import Final

import anyio
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problem
from api.service import About

BODY_MAX_BYTES: Final = 65_536
LONGER_BYTES: Final = {("POST", "/api/v1/subscriptions/import"): 1_000_000}
"""A community's list of people is the one body that is longer. It is read by its route alone,
once it is known who sends it: nobody else has so much kept for him."""

BODY_WITHIN_S: Final = 60.0
"""A body that drips holds its connection no longer. A phone on the slowest line sends 64 KiB."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?")
_FIXED_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self)"),
)


class HttpMeters:
    """Requests by route and status, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "songtien_http_requests",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "songtien_http_request_seconds",
            "Time from a request to the end of its answer.",
            ["route"],
            registry=registry,
            buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0),
        )


def live_url(about: About, host: str | None, *, secure: bool) -> str:
    """Where browsers find the live socket; "" if that can't be told.

    Without a configured address it is the host that the browser itself asked for, at the
    live port. A `Host` that isn't a host name is not repeated to anybody.
    """
    if about.live_url:
        return about.live_url
    match = _HOST.fullmatch(host or "")
    if match is None:
        return ""
    return f"{'wss' if secure else 'ws'}://{match[1]}:{about.live_port}/live"


def own_url(host: str | None, *, secure: bool) -> str:
    """Where the caller finds this service, without a slash at the end; "" if that can't be told."""
    match = _HOST.fullmatch(host or "")
    return "" if match is None else f"{'https' if secure else 'http'}://{match[0]}"


def content_security_policy(about: About, host: str | None, *, secure: bool) -> str:
    """No script, style or connection from elsewhere; no inline script or style at all."""
    live = live_url(about, host, secure=secure)
    origin = "/".join(live.split("/", 3)[:3])
    connect = f" {origin}" if live and not re.search(r"[;,\s]", origin) else ""
    tiles = about.map.tiles_url or ""
    images = f" {'/'.join(tiles.split('/', 3)[:3])}" if tiles.startswith("https://") else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        f"img-src 'self' data:{images}; connect-src 'self'{connect}; manifest-src 'self'; "
        "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class Shell:
    """The outermost ASGI application around the routes."""

    def __init__(self, app: ASGIApp, about: Callable[[], About], meters: HttpMeters) -> None:
        self._app = app
        self._about = about
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"]
        status, started = 500, False
        # HEAD is GET without the body (RFC 9110, 9.3.2). The copy leaves the server's own
        # scope alone: it must know that no body follows.
        inner = {**scope, "method": "GET"} if method == "HEAD" else scope
        headers = self._headers(scope)

        async def send_outwards(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                given = {name.lower() for name, _ in message.get("headers", ())}
                added = [(name, value) for name, value in headers if name not in given]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            longer = LONGER_BYTES.get((method, scope["path"]))
            longest = BODY_MAX_BYTES if longer is None else longer
            bounded = _Bounded(scope, receive, longest)
            try:
                again = bounded if longer is not None else _replayed(await bounded.whole(), receive)
            except problem.Problem as refused:
                refusal = problem.response(
                    refused.kind, refused.detail, scope["path"], headers=refused.headers
                )
                await refusal(inner, receive, send_outwards)
            else:
                await self._app(inner, again, send_outwards)
        except Exception:
            # Said here, where the headers of every answer are added; the server logs it.
            if not started:
                detail = "the service failed at this request; the fault is in its log"
                refusal = problem.response("internal", detail, scope["path"])
                await refusal(inner, receive, send_outwards)
            raise
        finally:
            route = getattr(inner.get("route"), "path", "")
            self._meters.requests.labels(_known(method), route, str(status)).inc()
            self._meters.seconds.labels(route).observe(time.perf_counter() - began)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), None)
        policy = content_security_policy(self._about(), host, secure=scope.get("scheme") == "https")
        return [
            *_FIXED_HEADERS,
            (b"content-security-policy", policy.encode("latin-1")),
            (b"cache-control", b"no-store"),
        ]


def _known(method: str) -> str:
    """A method as a label: whatever a stranger invents must not become a new series."""
    return method if method in _METHODS else "other"


class _Bounded:
    """`receive` of one request. Raises a problem once its body is known to be over the limit, or
    has taken too long.
    """

    def __init__(self, scope: Scope, receive: Receive, longest: int) -> None:
        self._scope = scope
        self._receive = receive
        self._longest = longest
        self._size = 0
        self._whole = False
        self._until_s = time.monotonic() + BODY_WITHIN_S

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        with anyio.move_on_after(max(0.0, self._until_s - time.monotonic())):
            message = await self._receive()
            self._size += len(message.get("body", b""))
            if self._size > self._longest:
                raise self._too_large()
            self._whole = not message.get("more_body", False)
            return message
        raise problem.Problem(
            "too-slow", f"a body comes within {BODY_WITHIN_S:g} s", headers={"Connection": "close"}
        )

    async def whole(self) -> bytes:
        """All of the body."""
        headers = self._scope["headers"]
        length = next((v for k, v in headers if k == b"content-length"), b"")
        if length.isdigit() and int(length) > self._longest:
            raise self._too_large()
        chunked = any(k == b"transfer-encoding" for k, _ in headers)
        if not chunked and (not length or length == b"0"):
            return b""
        parts: list[bytes] = []
        more = True
        while more:
            message = await self()
            if message["type"] != "http.request":
                break  # the caller is gone; what is there is answered, and nobody reads it
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_large(self) -> problem.Problem:
        return problem.Problem("too-large", f"a body has at most {self._longest} bytes")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` as the application expects it, after the body has been read."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
