"""Conditional requests: weak entity tags (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib


def weak_etag(content: bytes) -> str:
    """A tag of what was answered; equal content, equal tag, also after a restart.

    Weak, since the same content may leave compressed or not.
    """
    return f'W/"{hashlib.sha256(content).hexdigest()[:24]}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller has it already, by weak comparison."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    wanted = etag.removeprefix("W/")
    return any(tag.strip().removeprefix("W/") == wanted for tag in if_none_match.split(","))
