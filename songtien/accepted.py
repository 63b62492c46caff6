"""What values of the configuration may be, as functions that take them or say what they take. Pure."""

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from ingest.tables import is_number


class NotAcceptedError(Exception):
    """A value that a key doesn't take; the text says what it takes."""


def number_of(text: str) -> object:
    """A number where the text is one; else the text, which is then refused as it stands."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def list_of(text: str) -> object:
    return [each.strip() for each in text.split(",") if each.strip()]


def truth_of(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


def matching(pattern: str, accepted: str) -> Callable[[object], str]:
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise NotAcceptedError(f"accepted is {accepted}")
        return value

    return parse


def integer(low: int, high: int, what: str = "") -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise NotAcceptedError(f"accepted is a whole number from {low} to {high}{what}")
        return value

    return parse


def seconds(low: float, high: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if not is_number(value) or not low <= float(value) <= high:
            raise NotAcceptedError(f"accepted is a number from {low:g} to {high:g} s")
        return float(value)

    return parse


def choice(*options: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise NotAcceptedError(f"accepted is one of {', '.join(options)}")
        return value

    return parse


def true_or_false(value: object) -> bool:
    if not isinstance(value, bool):
        raise NotAcceptedError("accepted is true or false")
    return value


def url_parts(value: str) -> SplitResult | None:
    """The parts of a URL with a host and, if any, a port from 1 to 65535; else None."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or port == 0 or re.search(r"[\s\x00-\x1f]", value):
        return None
    return parts


def web_url(value: object) -> str:
    """Http or https, with no name and password in it."""
    parts = url_parts(value) if isinstance(value, str) else None
    if not isinstance(value, str) or parts is None or parts.scheme not in ("http", "https"):
        raise NotAcceptedError("accepted is http://… or https://…")
    if "@" in parts.netloc:
        raise NotAcceptedError("accepted is http://… or https://… without a name and a password")
    return value


file_path = matching(r"[^\x00]*[^\x00\s][^\x00]*", "the path of a file")
host_name = matching(r"[0-9A-Za-z.:_-]+", "a host's name or address, such as 127.0.0.1 or 0.0.0.0")
port_number = integer(0, 65535, "; 0 takes a free port")
short_text = matching(r"[^\x00-\x1f\x7f]{1,200}", "a text of 1 to 200 characters")
visible_token = matching(r"[\x21-\x7e]{1,1000}", "a token of 1 to 1000 visible ASCII characters")
signing_secret = matching(
    r"[\x21-\x7e]{16,1000}", "a secret of 16 to 1000 visible ASCII characters"
)
