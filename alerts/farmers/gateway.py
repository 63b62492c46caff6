"""What gateways answer, report and pass on, read by rules that an operator writes. Pure.

Nothing here trusts its input: sizes are bounded, and what cannot be read is said to be so
without repeating it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from alerts.farmers.parcel import Answer, Verdict

BODY_MAX: Final = 65_536
"""Bytes that are read of an answer, a report or a reply."""

MATCHED_MAX: Final = 1_024
"""Characters that an operator's regular expression is tried on."""

FIELDS_MAX: Final = 200
REF_MAX: Final = 200
ADDRESS_MAX: Final = 200
TEXT_MAX: Final = 2_000
_STEP = re.compile(r"([^.\[\]\s]{1,60})((?:\[[0-9]{1,4}\])*)")
_INDEX = re.compile(r"[0-9]+")

Step = str | int
Path = tuple[Step, ...]


class UnreadError(ValueError):
    """What a gateway sent can't be used; names the field and what is accepted, no content."""


def parse_path(text: str) -> Path:
    """`data.messages[0].id` as its steps; a number alone also counts into a list. ValueError."""
    steps: list[Step] = []
    for part in text.split("."):
        found = _STEP.fullmatch(part)
        if found is None:
            raise ValueError("accepted is a path of names, such as data.messages[0].id")
        steps.append(found[1])
        steps.extend(int(each) for each in _INDEX.findall(found[2]))
    return tuple(steps)


def at_path(body: object, path: Path) -> object:
    """What stands there; None where nothing does."""
    for step in path:
        if isinstance(body, Mapping):
            body = body.get(step)
        elif isinstance(body, list):
            body = _item(body, step)
        else:
            return None
    return body


def _item(items: list[object], step: Step) -> object:
    if isinstance(step, str):
        if not (step.isascii() and step.isdecimal()) or len(step) > 4:
            return None
        step = int(step)
    return items[step] if step < len(items) else None


def as_text(value: object) -> str | None:
    """A string, number or truth as a gateway's document writes it; None for all else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) else None


def from_json(body: bytes) -> object:
    """A JSON document. Raises UnreadError, also for one that is too deep or too large."""
    if len(body) > BODY_MAX:
        raise UnreadError(f"more than {BODY_MAX} bytes")
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadError("no JSON") from error
    return found


def decoded(content_type: str, body: bytes, query: str = "") -> object:
    """A report or a reply: JSON, a form, or the query of a GET. Raises UnreadError.

    query : of the URL, still encoded; read where there is no body
    """
    if not body:
        return _fields(query)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        if len(body) > BODY_MAX:
            raise UnreadError(f"more than {BODY_MAX} bytes")
        return _fields(body.decode("utf-8", "replace"))
    return from_json(body)


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError as error:
        raise UnreadError(f"more than {FIELDS_MAX} fields") from error


@dataclass(frozen=True, slots=True)
class Rule:
    """Holds where all that it names holds; one that names nothing holds never.

    status : of HTTP
    path, equals : a JSON answer has one of these texts there
    matches : searched in the first characters of the answer
    """

    status: frozenset[int] = frozenset()
    path: Path = ()
    equals: frozenset[str] = frozenset()
    matches: re.Pattern[str] | None = None

    def holds(self, status: int, body: bytes) -> bool:
        if not (self.status or self.path or self.matches):
            return False
        if self.status and status not in self.status:
            return False
        if self.path:
            try:
                said = as_text(at_path(from_json(body), self.path))
            except UnreadError:
                return False
            if said is None or (self.equals and said not in self.equals):
                return False
        if self.matches is None:
            return True
        # Four bytes at most for a character, and one that was cut is of no matter.
        text = body[: 4 * MATCHED_MAX].decode("utf-8", "replace")[:MATCHED_MAX]
        return self.matches.search(text) is not None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a gateway's answers mean. `taken` alone decides on success; the first that holds wins.

    ref : where the gateway's own name for the message stands
    """

    taken: Rule = Rule(status=frozenset(range(200, 300)))
    again: tuple[Rule, ...] = ()
    gone: tuple[Rule, ...] = ()
    closed: tuple[Rule, ...] = ()
    ref: Path = ()


_CLOSED: Final = frozenset({401, 402, 403, 404, 405})
_AGAIN: Final = frozenset({408, 425, 429})


def of_status(status: int) -> Verdict:
    """What a status of HTTP means where no rule of the operator's says otherwise.

    A wrong address, key or method hits every message alike, and so closes the channel rather
    than lose them one by one. A redirect is not followed: it leads where nobody configured.
    """
    if 200 <= status < 300:
        return Verdict.TAKEN
    if status in _AGAIN or status >= 500:
        return Verdict.AGAIN
    if status in _CLOSED or 300 <= status < 400:
        return Verdict.CLOSED
    return Verdict.REFUSED


def answer_of(
    rules: Rules,
    status: int,
    body: bytes,
    retry_after_s: float | None = None,
    *,
    cut: bool = False,
) -> Answer:
    """What an answer means, by the operator's rules, then by its status.

    cut : it ended before its end, so what does not stand in it may have been said
    """
    ordered = ((Verdict.CLOSED, rules.closed), (Verdict.GONE, rules.gone))
    for verdict, any_of in (*ordered, (Verdict.AGAIN, rules.again)):
        if any(rule.holds(status, body) for rule in any_of):
            asked_s = retry_after_s if verdict is Verdict.AGAIN else None
            return Answer(verdict, f"status {status}, by a rule", "", asked_s)
    if rules.taken.holds(status, body):
        return Answer(Verdict.TAKEN, f"status {status}", _ref(rules.ref, body))
    verdict = of_status(status)
    if verdict is not Verdict.TAKEN:
        asked_s = retry_after_s if verdict is Verdict.AGAIN else None
        return Answer(verdict, f"status {status}", "", asked_s)
    if cut or (rules.taken.path and not _is_json(body)):
        return Answer(Verdict.AGAIN, f"status {status}, an answer that can't be read")
    return Answer(Verdict.REFUSED, f"status {status}, not what counts as taken")


def _is_json(body: bytes) -> bool:
    try:
        from_json(body)
    except UnreadError:
        return False
    return True


def _ref(path: Path, body: bytes) -> str:
    if not path:
        return ""
    try:
        said = as_text(at_path(from_json(body), path))
    except UnreadError:
        return ""
    return said if said is not None and len(said) <= REF_MAX else ""


@dataclass(frozen=True, slots=True)
class ReportFields:
    """Where a delivery report says what.

    failed : texts of messages that will not arrive; without any, all but `delivered` are such
    """

    ref: Path
    status: Path
    delivered: frozenset[str]
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InboundFields:
    """Where a reply says who and what."""

    address: Path
    text: Path


def read_report(fields: ReportFields, body: object) -> tuple[str, bool | None]:
    """The gateway's name for a message, and whether it arrived; None: it is on its way still.

    body : of `decoded`. Raises UnreadError.
    """
    ref = as_text(at_path(body, fields.ref))
    if not ref or len(ref) > REF_MAX:
        raise UnreadError(f"{_written(fields.ref)}: accepted is a text of 1 to {REF_MAX}")
    status = as_text(at_path(body, fields.status))
    if status is None:
        raise UnreadError(f"{_written(fields.status)}: accepted is a text or a number")
    if status in fields.delivered:
        return ref, True
    return ref, False if status in fields.failed or not fields.failed else None


def read_inbound(fields: InboundFields, body: object) -> tuple[str, str]:
    """Who replied (as the gateway writes him) and what, without blanks around it.

    body : of `decoded`. Raises UnreadError.
    """
    address = as_text(at_path(body, fields.address))
    if not address or len(address) > ADDRESS_MAX:
        raise UnreadError(f"{_written(fields.address)}: accepted is an address")
    text = as_text(at_path(body, fields.text))
    if text is None or len(text) > TEXT_MAX:
        raise UnreadError(f"{_written(fields.text)}: accepted is a text of up to {TEXT_MAX}")
    return address.strip(), text.strip()


def _written(path: Path) -> str:
    return ".".join(str(step) for step in path)
