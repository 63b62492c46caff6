"""Answers: JSON by msgspec, and gzip for those who take it.

Compressing stands here, beside what is answered, and not in a middleware: a middleware
would do it on the event loop, where a large answer delays every live screen.
"""

import gzip
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi import Response

JSON: Final = "application/json"
COMPRESS_FROM_BYTES: Final = 1024
_LEVEL: Final = 5


def encoded(document: Any) -> bytes:
    """JSON, UTF-8."""
    return msgspec.json.encode(document)


def accepts(coding: str, accept_encoding: str | None) -> bool:
    """Whether this content coding is named, and not with weight 0 (RFC 9110, 12.5.3)."""
    for part in (accept_encoding or "").split(","):
        named, _, weight = part.replace(" ", "").partition(";q=")
        if named.lower() == coding:
            return weight not in {"0", "0.0", "0.00", "0.000"}
    return False


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is named, and not with weight 0."""
    return accepts("gzip", accept_encoding)


def compressed(body: bytes) -> bytes:
    """Gzip with stable bytes: the same body gives the same answer."""
    return gzip.compress(body, _LEVEL, mtime=0)


def answer(
    body: bytes,
    *,
    media_type: str = JSON,
    accept_encoding: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response, compressed where it pays and is accepted."""
    found = {"Vary": "Accept-Encoding", **(headers or {})}
    if len(body) >= COMPRESS_FROM_BYTES and accepts_gzip(accept_encoding):
        body = compressed(body)
        found["Content-Encoding"] = "gzip"
    return Response(body, media_type=media_type, headers=found)
