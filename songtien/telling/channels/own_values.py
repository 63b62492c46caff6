"""What the keys of single kinds of channels take. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerts.farmers.gateway import (
    InboundFields,
    Path,
    ReportFields,
    Rule,
    parse_path,
)
from ingest.tables import did_you_mean
from songtien.accepted import NotAcceptedError, matching
from songtien.telling.channels import template
from songtien.telling.channels.template import TemplateError

ZALO_URL: Final = "https://business.openapi.zalo.me/message/template"
ZALO_OAUTH_URL: Final = "https://oauth.zaloapp.com/v4/oa/access_token"
TEMPLATE_KINDS: Final = (
    "salt",
    "fresh",
    "open",
    "shut",
    "silent",
    "heard",
    "bulletin",
    "digest",
    "code",
    "welcome",
    "stopped",
    "trial",
)
"""What Zalo has a template for; a kind without one is not sent over it."""

SUCCESS: Final = frozenset(range(200, 300))
REGEX_MAX: Final = 200
RULES_MAX: Final = 20
REPEATS_MAX: Final = 2
"""Unbounded repeats of an expression: with more, a text can be found on which it never ends, and
holds up the whole service meanwhile.
"""

_REPEATED_GROUP = re.compile(r"(?<!\\)\)\s*[*+{]")
_REPEAT = re.compile(r"(?<!\\)(?:[*+]|\{[0-9]*,[0-9]*\})")

long_token = matching(r"[\x21-\x7e]{1,4000}", "a token of 1 to 4000 visible ASCII characters")
target = matching(
    r"[a-z][a-z0-9+.-]{1,20}://[\x21-\x7e]{1,1000}",
    "a URL of apprise, with {topic} where a person's address stands",
)


def _known(table: Mapping[str, object], accepted: tuple[str, ...]) -> None:
    for name in table:
        if name not in accepted:
            raise NotAcceptedError(f"{name!r} isn't known; {did_you_mean(name, accepted)}")


def _table(value: object, accepted: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise NotAcceptedError(f"accepted is a table of {', '.join(accepted)}")
    _known(value, accepted)
    return value


def path(value: object) -> Path:
    """A path into a JSON document."""
    if not isinstance(value, str):
        raise NotAcceptedError("accepted is a path of names, such as data.messages[0].id")
    try:
        return parse_path(value)
    except ValueError as error:
        raise NotAcceptedError(str(error)) from error


def _texts(value: object, what: str) -> frozenset[str]:
    """A text, a number, true or false, or a list of them; as gateways write them."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool):
            found.append("true" if each else "false")
        elif isinstance(each, str | int | float):
            found.append(str(each))
        else:
            raise NotAcceptedError(f"{what}: accepted are texts and numbers")
    if not found:
        raise NotAcceptedError(f"{what}: accepted is at least one")
    return frozenset(found)


def _statuses(value: object) -> frozenset[int]:
    found = value if isinstance(value, list) else [value]
    for each in found:
        if isinstance(each, bool) or not isinstance(each, int) or not 100 <= each <= 599:
            raise NotAcceptedError("status: accepted are numbers from 100 to 599")
    return frozenset(found)


def _regex(value: object) -> re.Pattern[str]:
    accepted = f"matches: accepted is a regular expression of up to {REGEX_MAX} characters"
    if not isinstance(value, str) or not 1 <= len(value) <= REGEX_MAX:
        raise NotAcceptedError(accepted)
    if _REPEATED_GROUP.search(value) or len(_REPEAT.findall(value)) > REPEATS_MAX:
        raise NotAcceptedError(f"{accepted} with at most {REPEATS_MAX} repeats, of no group")
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise NotAcceptedError(f"{accepted}: {error}") from error


def rule(value: object) -> Rule:
    """One rule on a gateway's answers."""
    table = _table(value, ("status", "path", "equals", "matches"))
    if not table or ("equals" in table and "path" not in table):
        raise NotAcceptedError("accepted is a table of status, path with equals, matches")
    return Rule(
        _statuses(table["status"]) if "status" in table else frozenset(),
        path(table["path"]) if "path" in table else (),
        _texts(table["equals"], "equals") if "equals" in table else frozenset(),
        _regex(table["matches"]) if "matches" in table else None,
    )


def taken(value: object) -> Rule:
    """What success is: of a rule that names no status, only with one of 200 to 299."""
    found = rule(value)
    return found if found.status else replace(found, status=SUCCESS)


def rules(value: object) -> tuple[Rule, ...]:
    """Some of them."""
    if not isinstance(value, list) or len(value) > RULES_MAX:
        raise NotAcceptedError(f"accepted is a list of up to {RULES_MAX} tables")
    return tuple(rule(each) for each in value)


def report_fields(value: object) -> ReportFields:
    """Where delivery reports say what."""
    table = _table(value, ("ref", "status", "delivered", "failed"))
    if not {"ref", "status", "delivered"} <= set(table):
        raise NotAcceptedError("accepted is a table with ref, status and delivered")
    return ReportFields(
        path(table["ref"]),
        path(table["status"]),
        _texts(table["delivered"], "delivered"),
        _texts(table["failed"], "failed") if "failed" in table else frozenset(),
    )


def inbound_fields(value: object) -> InboundFields:
    """Where replies say who and what."""
    table = _table(value, ("address", "text"))
    if set(table) != {"address", "text"}:
        raise NotAcceptedError("accepted is a table with address and text")
    return InboundFields(path(table["address"]), path(table["text"]))


def headers(value: object) -> dict[str, template.Template]:
    """Headers of a gateway's request."""
    try:
        return template.parse_headers(value)
    except TemplateError as error:
        raise NotAcceptedError(str(error)) from error


def body(value: object) -> template.Body:
    """What a gateway's request says: at least who and what."""
    if not isinstance(value, dict):
        raise NotAcceptedError("accepted is a table, with {phone} and {text} in it")
    try:
        parsed = template.parse_body(value)
    except TemplateError as error:
        raise NotAcceptedError(str(error)) from error
    asked = template.placeholders(parsed)
    if "text" not in asked or not asked & {"phone", "phone_local"}:
        raise NotAcceptedError("accepted is a table with {text}, and {phone} or {phone_local}")
    return parsed


def templates(value: object) -> Mapping[str, str]:
    """Zalo's numbers of approved templates, by what they tell."""
    table = _table(value, TEMPLATE_KINDS)
    if not table:
        raise NotAcceptedError("accepted is a table with at least one template")
    for name, each in table.items():
        if not re.fullmatch(r"[0-9]{1,20}", str(each)) or isinstance(each, bool):
            raise NotAcceptedError(f"{name}: accepted is the number of a template")
    return {name: str(each) for name, each in table.items()}


def hosts(value: object) -> tuple[str, ...]:
    """Names of hosts; `*.example.vn` stands for all below, `host:8443` names a port."""
    accepted = 'accepted is a list of hosts, such as ["ntfy.example.vn", "*.push.apple.com"]'
    if not isinstance(value, list) or len(value) > 100:
        raise NotAcceptedError(accepted)
    for each in value:
        pattern = r"(\*\.)?[0-9A-Za-z-]{1,63}(\.[0-9A-Za-z-]{1,63}){0,8}(:[0-9]{1,5})?"
        if not isinstance(each, str) or not re.fullmatch(pattern, each):
            raise NotAcceptedError(accepted)
    return tuple(each.lower() for each in value)
