"""Requests to a gateway as an operator writes them: parsed once, filled by value. Pure.

A value is put into a document that has been parsed, or into a field before it is encoded, and
never into text: whatever somebody's words hold, the gateway decodes what was meant.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

PLACEHOLDERS: Final = (
    "phone",
    "phone_local",
    "text",
    "key",
    "sender",
    "unicode",
    "parts",
    "token",
    "password",
)
SECRET: Final = frozenset({"token", "password"})
IN_HEADERS: Final = SECRET | {"key"}
"""Values that are visible ASCII, so that nobody's words become a header."""

DEPTH_MAX: Final = 8
_TYPED: Final = {"unicode:bool": "unicode", "parts:number": "parts"}
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SECRETIVE = re.compile(
    r"pas+w|pwd|secret|token|credential|api-?_?key|^authorization$|^cookie$|signature",
    re.IGNORECASE,
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


class TemplateError(ValueError):
    """A template that can't be used; the text says what is accepted."""


Piece = tuple[bool, str]
"""Whether it is a placeholder; its name, or the text."""


@dataclass(frozen=True, slots=True)
class Template:
    """One string with places in it. `typed` names the value that stands alone, as it is."""

    pieces: tuple[Piece, ...]
    typed: str = ""

    def filled(self, values: Mapping[str, Any]) -> Any:
        if self.typed:
            return values[self.typed]
        return "".join(_said(values[said]) if placed else said for placed, said in self.pieces)


def _said(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def parse_text(text: str, key: str, *, typed: bool = False) -> Template:
    """A string with `{name}` in it; `{{` and `}}` are braces. Raises TemplateError.

    key : what it is the value of; under one that names a secret only placeholders stand
    typed : `{unicode:bool}` and `{parts:number}` are taken where they stand alone
    """
    if typed and text[:1] == "{" and text[1:-1] in _TYPED and text[-1:] == "}":
        return Template((), _TYPED[text[1:-1]])
    pieces: list[Piece] = []
    at = 0
    for found in _PIECE.finditer(text):
        pieces.append((False, text[at : found.start()]))
        at = found.end()
        if found[0] in ("{{", "}}"):
            pieces.append((False, found[0][0]))
        elif found[1] in PLACEHOLDERS:
            pieces.append((True, found[1]))
        else:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise TemplateError(f"a placeholder of {key} isn't known; accepted are {known}")
    pieces.append((False, text[at:]))
    kept = tuple(piece for piece in pieces if piece[1])
    if _SECRETIVE.search(key) and kept and not any(placed for placed, _ in kept):
        raise TemplateError(
            f"{key} looks like a secret, which doesn't stand in this file: "
            "write {token} or {password}, and name token_file or password_file"
        )
    return Template(kept)


Body = Template | dict[str, "Body"] | list["Body"] | int | float | bool | None


def parse_body(value: object, key: str = "body", depth: int = 0) -> Body:
    """A table of the configuration as a document whose strings are templates."""
    if depth > DEPTH_MAX:
        raise TemplateError(f"accepted is a table of at most {DEPTH_MAX} levels")
    if isinstance(value, str):
        return parse_text(value, key, typed=True)
    if isinstance(value, dict):
        return {str(name): parse_body(each, str(name), depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [parse_body(each, key, depth + 1) for each in value]
    if value is None or isinstance(value, bool | int | float):
        if _SECRETIVE.search(key) and value is not None and not isinstance(value, bool):
            raise TemplateError(f"{key} looks like a secret, which doesn't stand in this file")
        return value
    raise TemplateError("accepted are texts, numbers, true and false, lists and tables")


def parse_headers(value: object) -> dict[str, Template]:
    """Headers beside those that every request has."""
    if not isinstance(value, dict):
        raise TemplateError("accepted is a table of headers")
    found = {}
    for name, each in value.items():
        if not _HEADER_NAME.fullmatch(str(name)):
            raise TemplateError("accepted are names of HTTP headers")
        if not isinstance(each, str) or re.search(r"[^\x20-\x7e]", each):
            raise TemplateError(f"{name}: accepted is a text of visible ASCII characters")
        found[str(name)] = parse_text(each, str(name))
        if not placeholders(found[str(name)]) <= IN_HEADERS:
            known = ", ".join(f"{{{each}}}" for each in sorted(IN_HEADERS))
            raise TemplateError(f"{name}: accepted in headers are {known}")
    return found


def placeholders(body: Body) -> frozenset[str]:
    """All that a document asks for."""
    if isinstance(body, Template):
        asked = frozenset(said for placed, said in body.pieces if placed)
        return asked | {body.typed} if body.typed else asked
    if isinstance(body, dict):
        return frozenset().union(*(placeholders(each) for each in body.values()))
    if isinstance(body, list):
        return frozenset().union(*(placeholders(each) for each in body))
    return frozenset()


def filled(body: Body, values: Mapping[str, Any]) -> Any:
    """The document with values in its places."""
    if isinstance(body, Template):
        return body.filled(values)
    if isinstance(body, dict):
        return {name: filled(each, values) for name, each in body.items()}
    if isinstance(body, list):
        return [filled(each, values) for each in body]
    return body


def encoded(content: str, body: Body, values: Mapping[str, Any]) -> bytes:
    """A filled document as JSON (RFC 8259), or as a form or a query (WHATWG URL, 5)."""
    document = filled(body, values)
    if content == "json":
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    fields = [(name, _said(each)) for name, each in document.items()]
    return urlencode(fields, errors="replace").encode()


def check_flat(body: Body) -> None:
    """Forms and queries know no tables in tables. Raises TemplateError."""
    if not isinstance(body, dict):
        raise TemplateError("accepted is a table")
    if any(isinstance(each, dict | list) or each is None for each in body.values()):
        raise TemplateError("a form and a query take texts, numbers, true and false alone")
