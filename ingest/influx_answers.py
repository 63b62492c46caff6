"""What InfluxDB's answers mean for what was sent: a table, by status alone.

Versions differ in the words of an answer, in its shape, and in what of a batch they have
stored when one line is bad. They agree in what is to be done: docs/historian.md has the table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

import msgspec

DETAIL_MAX = 400


class Verdict(StrEnum):
    """What an answer means for what was sent."""

    STORED = "stored"
    RETRY = "retry"  # the same again, later
    MISCONFIGURED = "misconfigured"  # the points are not at fault: keep them, call a person
    REJECTED = "rejected"  # one point at least will never be taken


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request, in words for a log. `status` is None where no answer came."""

    verdict: Verdict
    detail: str
    retry_after_s: float | None = None
    status: int | None = None


_REJECTED = frozenset({400, 413, 422})
_LATER = frozenset({408, 425, 429})


def judged(status: int, headers: Mapping[str, str], body: bytes | str) -> Answer:
    """The meaning of an answer to a write.

    Only 204 is success: a web page comes with 200, and so do points that nobody stored.
    """
    if status == 204:
        return Answer(Verdict.STORED, "", status=status)
    said = words(body)
    detail = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status in _LATER or status >= 500:
        named = {key.lower(): value for key, value in headers.items()}
        return Answer(Verdict.RETRY, detail, _retry_after_s(named), status)
    if status in _REJECTED:
        return Answer(Verdict.REJECTED, detail, status=status)
    return Answer(Verdict.MISCONFIGURED, f"{_hint(status)} ({detail})", status=status)


def judged_reading(status: int, headers: Mapping[str, str], body: bytes | str) -> Answer:
    """The meaning of an answer to a query other than 200. No point is at fault in one."""
    answer = judged(status, headers, body)
    if answer.verdict is Verdict.RETRY or status in {401, 403, 404}:
        return answer
    said = words(body)
    return Answer(
        Verdict.MISCONFIGURED, f"no query is answered with HTTP {status}: {said}", None, status
    )


def _hint(status: int) -> str:
    """What to mend where the points are not at fault."""
    match status:
        case 401:
            return "the token is missing or unknown: see store.token_file"
        case 403:
            return "the token has no right to this bucket"
        case 404:
            return "no such bucket or organisation, or no InfluxDB from 1.8 on"
    if status < 300:
        return "only 204 says that points are stored: something else than InfluxDB answered"
    if status < 400:
        return "redirections are not followed: name the address that they lead to"
    return "InfluxDB does not answer a write like this"


class _Said(msgspec.Struct):
    """An error of InfluxDB: 1.x says `error`, 2.x and 3 `message`."""

    message: str = ""
    error: str = ""


_SAID = msgspec.json.Decoder(_Said)
_TAG = re.compile(r"<[^<>]*>")  # of a page that some other server sent


def words(body: bytes | str) -> str:
    """What a body says, on one line of at most `DETAIL_MAX` characters."""
    raw = body.encode(errors="replace") if isinstance(body, str) else body
    try:
        said = _SAID.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Said()
    text = raw[: 4 * DETAIL_MAX].decode(errors="replace")
    return short(said.message or said.error or _TAG.sub(" ", text))


def short(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal would obey."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * DETAIL_MAX])
    flat = " ".join(printable.split())
    return flat if len(flat) <= DETAIL_MAX else f"{flat[:DETAIL_MAX]}…"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds (RFC 9110, 10.2.3); a date counts from the answer's own Date."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None  # absent or nonsense; a date without zone beside one with
    return max(0.0, wait.total_seconds())
