"""Alerts: what was raised, and what proved it."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator

from alerts.records import STATES, Key, Page
from alerts.rules import Severity
from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.rewind import Shown, caching, past_of
from api.http.shapes import Alerts, AlertShape
from api.http.times import time_ms
from api.rewind import Then
from api.service import AlertsAsked, Item, Service, as_seen_by

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
Id = Annotated[str | None, Query(max_length=80)]
AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="16 hexadecimal digits")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]

_AFTER: Final = re.compile(r"([0-9]{1,15})\.([0-9a-f]{16})", re.ASCII)

EXAMPLE: Final[dict[str, Any]] = {
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
        200: example({"items": [EXAMPLE], "next": None}),
        **documented("unauthorized", "invalid"),
    },
)
async def alerts(
    request: Request,
    service: Shown,
    principal: Viewer,
    state: State = "all",
    from_: Annotated[
        str | None,
        Query(alias="from", max_length=64, description="only what was not over before"),
    ] = None,
    to: Annotated[str | None, Query(max_length=64, description="only what began before")] = None,
    limit: Limit = 100,
    after: After = None,
    station: Id = None,
    rule: Id = None,
    severity: Severity | None = None,
) -> Response:
    """Each with its timeline: every transition, and what proved it. With `from` and `to`: those
    that held at any time between; with `station`, `rule`, `severity`: those alone. Names of
    officers and notes are shown to operators only. With `at`: those that were active then, each
    with its timeline up to then.
    """
    from_ms = None if from_ is None else time_ms("from", from_)
    to_ms = None if to is None else time_ms("to", to)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise invalid("from", f"{from_ms} is not before to = {to_ms}; from < to is accepted")
    wished = {"station": station, "rule": rule, "severity": severity}
    only = {name: str(value) for name, value in wished.items() if value is not None}
    asked = (state, from_ms, to_ms, _key(after), limit, only)
    then = past_of(request)
    if then is None:
        page = await run_in_threadpool(service.alerts, asked)
    else:
        page = await run_in_threadpool(_active_then, service, then, asked)
    following = None if page.after is None else f"{page.after[0]}.{page.after[1]}"
    body = encoded({"items": as_seen_by(principal, page.items), "next": following})
    return answer(
        body, accept_encoding=request.headers.get("accept-encoding"), headers=caching(request)
    )


def _active_then(service: Service, then: Then, asked: AlertsAsked) -> Page:
    state, from_ms, to_ms, after, limit, only = asked
    if state not in ("all", "active"):
        raise invalid("state", f"{state!r} is not accepted with at: only what was active is known")
    if from_ms is not None or to_ms is not None:
        raise invalid("from" if to_ms is None else "to", "not with at, which is one moment")
    meant = [one for one in then.alerts if all(one.get(name) == only[name] for name in only)]
    found = sorted(((each["t_since"], each["id"], each) for each in meant), reverse=True)
    rest = [each for each in found if after is None or each[:2] < after]
    items = [_up_to(service, alert, then.at_ms) for _, _, alert in rest[:limit]]
    return Page(items, rest[limit - 1][:2] if len(rest) > limit else None)


def _up_to(service: Service, alert: Item, at_ms: int) -> Item:
    """An alert as it was, with what of its timeline was known by then."""
    whole = service.alert(alert["id"]) or {}
    timeline = [entry for entry in whole.get("timeline", ()) if entry["at"] <= at_ms]
    return {**alert, "timeline": timeline, "evidence": whole.get("evidence", {})}


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
                **EXAMPLE,
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
