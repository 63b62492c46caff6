"""Alerts: what was raised, and an officer taking it; the rules in force."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator

from alerts.alert import Outcome
from alerts.records import STATES, Key
from alerts.rules import Rule, watched
from api.http.access import Operator, ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.shapes import AckBody, Alerts, AlertShape, Rules
from api.http.times import time_ms
from api.service import VERDICTS, NotDurable, acknowledge, as_seen_by
from ingest.registry import Registry
from ingest.series import SeriesTable

router = APIRouter()


def _known_state(state: str) -> str:
    if state not in STATES:
        raise ValueError(f"{state[:40]!r} is not accepted: {', '.join(sorted(STATES))}")
    return state


State = Annotated[
    str,
    AfterValidator(_known_state),
    Query(
        json_schema_extra={"enum": sorted(STATES)},
        description="`active`: unacked, acked or cleared-unacked; `cleared` (or `normal`): over; "
        "`historic`: found too late to be told to anybody",
    ),
]
AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="16 hexadecimal digits")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]

_AFTER: Final = re.compile(r"([0-9]{1,15})\.([0-9a-f]{16})", re.ASCII)

_ALERT: Final[dict[str, Any]] = {
    "id": "5f1a0c9be2d47788",
    "ver": 3,
    "rule": "salinity-4",
    "k": "vk-01/salinity_g_l",
    "severity": "critical",
    "state": "unacked",
    "value": 4.1,
    "limit": 4.0,
    "t_since": 1766999100000,
    "t_event": 1767000000000,
    "t_detected": 1767000000120,
}


@router.get(
    "/api/v1/alerts",
    tags=["alerts"],
    summary="Alerts, newest first",
    response_model=Alerts,
    responses={
        200: example({"items": [_ALERT], "next": None}),
        **documented("unauthorized", "invalid"),
    },
)
async def alerts(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    state: State = "all",
    from_: Annotated[
        str | None,
        Query(alias="from", max_length=64, description="only what was not over before"),
    ] = None,
    to: Annotated[str | None, Query(max_length=64, description="only what began before")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Each with its timeline: every transition, and what proved it. With `from` and `to`: those
    that held at any time between. Names of officers and notes are shown to operators only.
    """
    from_ms = None if from_ is None else time_ms("from", from_)
    to_ms = None if to is None else time_ms("to", to)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise invalid("from", f"{from_ms} is not before to = {to_ms}; from < to is accepted")
    asked = (state, from_ms, to_ms, _key(after), limit)
    page = await run_in_threadpool(service.alerts, asked)
    following = None if page.after is None else f"{page.after[0]}.{page.after[1]}"
    body = encoded({"items": as_seen_by(principal, page.items), "next": following})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


def _key(after: str | None) -> Key | None:
    """Where the page before ended, from the `next` that it gave."""
    if after is None:
        return None
    match = _AFTER.fullmatch(after)
    if match is None:
        raise invalid("after", f"{after!r} is not the `next` of a page")
    return int(match[1]), match[2]


@router.get(
    "/api/v1/alerts/{id}",
    tags=["alerts"],
    summary="One alert, its timeline and its evidence",
    response_model=AlertShape,
    responses={
        200: example(
            {
                **_ALERT,
                "timeline": [{"type": "raised", "at": 1767000000120}],
                "evidence": {"rule_version": "9d2e", "value": 4.1, "flag": 1},
            }
        ),
        **documented("unauthorized", "not-found", "invalid"),
    },
)
async def alert(service: ServiceHere, principal: Viewer, id: AlertId) -> Response:  # noqa: A002
    """Every transition with when, who and why, and what proved it: the version of the rule,
    the values and their flags.
    """
    found = await run_in_threadpool(service.alert, id)
    if found is None:
        raise Problem("not-found", f"there is no alert {id}")
    return answer(encoded(as_seen_by(principal, found)))


@router.post(
    "/api/v1/alerts/{id}/ack",
    tags=["alerts"],
    summary="Acknowledge an alert",
    response_model=AlertShape,
    responses={
        200: example({**_ALERT, "ver": 4, "state": "acked"}),
        **documented("unauthorized", "forbidden", "not-found", "conflict", "too-large", "invalid"),
        **documented("busy"),
    },
)
async def ack(
    service: ServiceHere,
    principal: Operator,
    id: AlertId,  # noqa: A002
    body: AckBody,
) -> Response:
    """An operator takes it; written into the audit. `ver` is that of the alert as you saw it:
    if it has changed since, nothing is done and 409 brings it as it now is.
    """
    try:
        acted = await acknowledge(service, principal, id, body.ver, body.note)
    except NotDurable as error:
        raise Problem("busy", f"nothing was done: {error}") from error
    except TimeoutError as error:
        detail = "it is written down and not carried out yet; look at the alert before you repeat"
        raise Problem("busy", detail) from error
    if acted.outcome is Outcome.DONE:
        return answer(encoded(acted.alert))
    code, words = VERDICTS[acted.outcome]
    # An alert that is over is unknown to those who act; the records still have it.
    known = acted.alert or await run_in_threadpool(service.alert, id)
    if known is None:
        raise Problem("not-found", words)
    if code == 404:
        words = "the alert is over; nothing was done"
    raise Problem("conflict", words, more={"alert": known})


@router.get(
    "/api/v1/rules",
    tags=["alerts"],
    summary="The rules in force",
    response_model=Rules,
    responses={
        200: example(
            {
                "version": "3c1d",
                "rules": [
                    {
                        "id": "salinity-4",
                        "quantity": "salinity_g_l",
                        "severity": "critical",
                        "ask": "above",
                        "raise_level": 4.0,
                        "clear_level": 3.6,
                        "version": "9d2e",
                        "watches": ["xuan-hoa", "my-tho"],
                    }
                ],
            }
        ),
        **documented("unauthorized"),
    },
)
async def rules(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """In the order of the file, defaults filled in, each with its version and source, and in
    `watches` the ids of the stations that it watches in the registry in force.
    """
    del principal
    found, series, registry = service.rules(), service.series(), service.registry()

    def told() -> bytes:
        listed = [
            rule.described() | {"watches": _watches(rule, series, registry)} for rule in found.rules
        ]
        return encoded({"version": found.version, "rules": listed})

    # Every rule meets every series, which is too long for the loop with thousands of them.
    body = await run_in_threadpool(told)
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


def _watches(rule: Rule, series: SeriesTable, registry: Registry) -> list[str]:
    """Ids of the stations (of a mouth, its own) of which a rule watches a series, each once."""
    return list(dict.fromkeys(one.station or one.device for one in watched(rule, series, registry)))
