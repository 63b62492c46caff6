"""Errors as RFC 9457 problem documents: every one of them, whoever raised it.

`type` points into this service's own reference page, where each kind is explained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"
REFERENCE: Final = "/docs/http"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title and what the caller may do about it."""

    status: int
    title: str
    advice: str


KINDS: Final[Mapping[str, Kind]] = {
    "unauthorized": Kind(
        401,
        "Sign in first",
        "Sign in, or send `Authorization: Bearer …` with a token that is valid.",
    ),
    "wrong-password": Kind(
        401, "Name or password is wrong", "Try again; an admin can give you another password."
    ),
    "forbidden": Kind(403, "Not allowed", "Ask as somebody whose role allows it; see `detail`."),
    "not-found": Kind(404, "Not found", "Look at `did_you_mean` where it is given."),
    "method-not-allowed": Kind(405, "Method not allowed", "Use a method of the `Allow` header."),
    "not-acceptable": Kind(
        406, "No such format", "Ask with `Accept` for one of the formats in `available`."
    ),
    "too-slow": Kind(408, "Too slow", "Send it again over a better line, or in parts."),
    "conflict": Kind(
        409,
        "Somebody was faster",
        "Look at it as it now is (`alert` or `item`), and act again with its `ver` if need be.",
    ),
    "too-large": Kind(413, "Too large", "Send a shorter body; `detail` says how long it may be."),
    "invalid": Kind(422, "Not understood", "Mend what `errors` names."),
    "too-many-points": Kind(
        422, "Too many points", "Ask for a shorter range, or for aggregates with `step`."
    ),
    "too-many-tries": Kind(429, "Too many tries", "Come back after `Retry-After` seconds."),
    "internal": Kind(
        500, "Internal error", "Nothing on your side; the service's log has the cause."
    ),
    "busy": Kind(503, "Not now", "Come back after `Retry-After` seconds."),
    "not-ready": Kind(503, "Readings do not flow", "Look at `reasons`."),
}

_BY_STATUS: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    422: "invalid",
    429: "too-many-tries",
    500: "internal",
    503: "busy",
}


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An error for the caller. `more` are RFC 9457 extension members."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.more = dict(more or {})
        self.headers = dict(headers or {})


def invalid(
    name: str, detail: str, *, where: str = "query", kind: str = "invalid", vi: str = ""
) -> Problem:
    """A parameter that isn't accepted; `detail` says its value and what is accepted.

    vi : the same in Vietnamese, where people who are no programmers read it
    """
    fault = {"in": where, "name": name, "detail": detail}
    if vi:
        fault["detail_vi"] = vi
    return Problem(kind, f"{name}: {detail}", more={"errors": [fault]})


def response(
    kind: str,
    detail: str,
    instance: str,
    *,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """The problem document, with its status. `status` overrides the kind's own."""
    known = KINDS[kind]
    document = {
        "type": f"{REFERENCE}#problem-{kind}",
        "title": known.title,
        "status": status or known.status,
        "detail": detail,
        "instance": instance,
        **(more or {}),
    }
    extra = dict(headers or {})
    if document["status"] == 401:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="songtien"')
    if kind == "busy":
        extra.setdefault("Retry-After", "5")
    return Response(
        msgspec.json.encode(document),
        status_code=status or known.status,
        media_type=MEDIA_TYPE,
        headers=extra,
    )


def install(app: FastAPI) -> None:
    """Turn every refusal of the app into a problem document; bugs are `api.http.shell`'s."""
    app.add_exception_handler(Problem, _from_problem)
    app.add_exception_handler(HTTPException, _from_http)
    app.add_exception_handler(RequestValidationError, _from_validation)


async def _from_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return response(
        error.kind, error.detail, request.url.path, more=error.more, headers=error.headers
    )


async def _from_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    kind = _BY_STATUS.get(error.status_code, "invalid" if error.status_code < 500 else "internal")
    details = {
        404: f"there is nothing at {path}; what there is stands at {REFERENCE}",
        405: f"{request.method} is not for {path}",
    }
    detail = details.get(error.status_code) or (
        error.detail or HTTPStatus(error.status_code).phrase
    )
    return response(kind, detail, path, headers=error.headers, status=error.status_code)


async def _from_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = []
    for fault in error.errors():
        where, *names = fault["loc"]
        name = ".".join(str(name) for name in names) or str(where)
        detail = str(fault["msg"]).removeprefix("Value error, ")
        if fault["type"] == "json_invalid":  # its place is a number of a character, no name
            name, detail = str(where), f"{detail} at character {name}"
        faults.append({"in": str(where), "name": name, "detail": detail})
    summary = "; ".join(f"{fault['name']}: {fault['detail']}" for fault in faults)
    return response("invalid", summary, request.url.path, more={"errors": faults})


def documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for the kinds of problem that a route may answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, "internal"):
        known = KINDS[kind]
        entry = found.setdefault(
            known.status,
            {
                "description": known.title,
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][kind] = {
            "summary": known.advice,
            "value": {
                "type": f"{REFERENCE}#problem-{kind}",
                "title": known.title,
                "status": known.status,
                "detail": known.advice,
                "instance": "/…",
            },
        }
    return found


SCHEMA: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "description": "RFC 9457 problem details; further members depend on the kind.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"type": "string"},
                    "name": {"type": "string"},
                    "detail": {"type": "string"},
                    "detail_vi": {"type": "string"},
                },
            },
        },
        "did_you_mean": {"type": "array", "items": {"type": "string"}},
        "reasons": {"type": "array", "items": {"type": "object"}},
        "alert": {"type": "object"},
        "item": {"type": "object"},
        "retry_after_s": {"type": "integer"},
        "available": {"type": "array", "items": {"type": "string"}},
    },
}
