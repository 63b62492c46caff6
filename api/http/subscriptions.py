"""Farmers' subscriptions as officers see them: pages, one, its export, its end, a list brought in.

Addresses are masked but in an export. Every look of an officer is written into the audit.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from alerts.farmers.phones import NoPhone, parse_phone
from alerts.farmers.place import parse_place
from alerts.farmers.roll import BadRoll, Done, Entry, Line, Roll, read_roll, shape
from api.auth import Principal
from api.http.access import Admin, Operator, ServiceHere
from api.http.answer import answer, encoded
from api.http.farmer_shapes import (
    AddBody,
    CountsShape,
    DoneShape,
    ExportShape,
    ReportShape,
    SubscriptionShape,
    SubscriptionsShape,
)
from api.http.health import example
from api.http.people import (
    ME,
    follows_of,
    on_worker,
    people_of,
    places_of,
    quiet_of,
    subscription_shape,
    today_of,
)
from api.http.problem import Problem, documented, invalid
from api.people.addresses import AddressKind
from api.people.people import People
from api.people.roster import PAGE_MAX, Filters
from api.service import Service

router = APIRouter()

PATH = "/api/v1/subscriptions"
_ONE = {
    "id": 12,
    **ME,
    "state": "active",
    "origin": "list",
    "officer": "an",
    "consent": "2026-01-04",
}
_PROBLEMS = documented("unauthorized", "forbidden", "not-found", "invalid", "busy")
_NONE = "there is no subscription of this number"
Number = Annotated[int, Path(ge=1, le=2**53, description="of the subscription")]

T = TypeVar("T")


@router.get(
    PATH,
    tags=["admins"],
    summary="Farmers' subscriptions",
    response_model=SubscriptionsShape,
    responses={200: example({"items": [_ONE], "next": None}), **_PROBLEMS},
)
async def page(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    place: Annotated[str | None, Query(max_length=80, description="`intake/side`")] = None,
    channel: Annotated[str | None, Query(max_length=80)] = None,
    state: Literal["pending", "active", "leaving", "trial"] | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before")] = 0,
) -> Response:
    """By number, addresses masked. Audited."""
    people, now_ms = people_of(service), service.now_ms()
    try:
        at = None if place is None else parse_place(place)
    except ValueError as error:
        raise invalid("place", str(error)) from error
    filters = Filters(at, channel, state)
    what = f"subscription.list after {after} place {place or '*'} channel {channel or '*'}"
    found = await _audited(
        request,
        service,
        principal,
        what,
        lambda: people.roster.page(filters, after, limit + 1, now_ms),
    )
    shown = found[:limit]
    following = str(shown[-1].id) if len(found) > limit else None
    body = encoded({"items": [subscription_shape(one) for one in shown], "next": following})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    f"{PATH}/counts",
    tags=["operators"],
    summary="How many follow what",
    response_model=CountsShape,
    responses={
        200: example(
            {
                "active": 812,
                "pending": 3,
                "do_not_contact": 14,
                "by_place": {"xuan-hoa/river": 640},
                "by_channel": {"sms": 790, "zalo": 22},
                "ever": {"confirmed": 300, "imported": 540, "stopped": 14},
            }
        ),
        **documented("unauthorized", "forbidden", "not-found", "busy"),
    },
)
async def counts(request: Request, service: ServiceHere, principal: Operator) -> Response:
    """How many, never who. `do_not_contact`: who stopped, as keyed hashes alone."""
    del principal
    people, now_ms = people_of(service), service.now_ms()
    found = await on_worker(request, lambda: people.counts(now_ms))
    return answer(
        encoded(
            {
                "active": found.active,
                "pending": found.pending,
                "do_not_contact": found.do_not_contact,
                "by_place": dict(found.by_place),
                "by_channel": dict(found.by_channel),
                "ever": dict(found.ever),
            }
        )
    )


@router.post(
    PATH,
    tags=["admins"],
    summary="Enter somebody who agreed on paper",
    response_model=ReportShape,
    responses={
        200: example(
            {
                "dry_run": False,
                "counts": {"done": 1, "changed": 0, "already": 0, "refused": 0},
                "repaired": 0,
                "passed_over": [],
                "lines": [{"line": 1, "done": "done", "phone": "09xx xxx 678"}],
            }
        ),
        **_PROBLEMS,
    },
)
async def add(request: Request, service: ServiceHere, principal: Admin, body: AddBody) -> Response:
    """As a list of one line: active at once, and welcomed with how to stop. Who has stopped is
    refused, and begins again by the page alone. Audited.
    """
    people, now_ms = people_of(service), service.now_ms()
    _by_phone(people, body.channel, where="body")
    try:
        phone, consent = parse_phone(body.phone), date.fromisoformat(body.consent)
    except NoPhone as error:
        raise invalid("phone", str(error), where="body") from error
    except ValueError as error:
        raise invalid("consent", "accepted is a day, YYYY-MM-DD", where="body") from error
    if consent > today_of(service):
        raise invalid("consent", "accepted is a day that is not ahead", where="body")
    follows, quiet = follows_of(service, body.follows), quiet_of(body.quiet)
    entry = Entry(1, phone, follows, quiet, body.lang, consent.isoformat())

    def act() -> dict[str, Any]:
        roll = Roll((entry,), ())
        return _taken(people, roll, body.channel, principal, now_ms, dry_run=False)

    found = await _audited(request, service, principal, "subscription.add", act)
    return answer(encoded(found))


@router.post(
    f"{PATH}/import",
    tags=["operators"],
    summary="Bring in a community's list",
    response_model=ReportShape,
    responses={
        200: example(
            {
                "dry_run": True,
                "counts": {"done": 1, "changed": 0, "already": 0, "refused": 1},
                "repaired": 1,
                "passed_over": ["Họ tên"],
                "lines": [
                    {"line": 2, "done": "done", "phone": "09xx xxx 678", "repaired": True},
                    {
                        "line": 3,
                        "done": "refused",
                        "phone": "03xx xxx 321",
                        "field": "consent",
                        "detail": "the day on which this person agreed, DD/MM/YYYY",
                        "detail_vi": "ghi ngày người này đồng ý, theo ngày/tháng/năm",
                    },
                ],
            }
        ),
        **_PROBLEMS,
        **documented("too-large"),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "so_dien_thoai;noi;cay;dong_y\n"
                    "0912xxxxxx;xuan-hoa/river;durian;04/01/2026\n",
                }
            },
        }
    },
)
async def bring_in(
    request: Request,
    service: ServiceHere,
    principal: Operator,
    channel: Annotated[str, Query(max_length=80, description="one that takes phone numbers")],
    *,
    dry_run: Annotated[bool, Query(description="the report alone; nothing is changed")] = False,
) -> Response:
    """UTF-8, with commas, semicolons or tabs, at most 5,000 people and 1 MB; the columns stand in
    docs/subscriptions.md. A line that isn't understood is refused with what is accepted; the
    others are taken, and welcomed with how to stop. Nobody who has stopped is brought back.
    Audited.
    """
    people, now_ms = people_of(service), service.now_ms()
    _by_phone(people, channel)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/csv", "text/plain", "application/vnd.ms-excel"):
        raise invalid("content-type", "accepted is text/csv", where="header")
    raw, known, today = await request.body(), places_of(service), today_of(service)

    def act() -> bytes:
        roll = read_roll(raw, known, today)
        return encoded(_taken(people, roll, channel, principal, now_ms, dry_run=dry_run))

    what = f"subscription.import {channel}{' dry run' if dry_run else ''}"
    try:
        found = await _audited(request, service, principal, what, act)
    except BadRoll as error:
        raise invalid("csv", str(error), where="body", vi=error.vi) from error
    return answer(found, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    f"{PATH}/{{id}}",
    tags=["admins"],
    summary="One subscription",
    response_model=SubscriptionShape,
    responses={200: example(_ONE), **_PROBLEMS},
)
async def one(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    id: Number,  # noqa: A002 - the name in the URL
) -> Response:
    """The address masked. Audited."""
    people, now_ms = people_of(service), service.now_ms()
    what = f"subscription.see {id}"
    found = await _audited(request, service, principal, what, lambda: people.roster.one(id, now_ms))
    if found is None:
        raise Problem("not-found", _NONE)
    return answer(encoded(subscription_shape(found)))


@router.get(
    f"{PATH}/{{id}}/export",
    tags=["admins"],
    summary="Everything that is stored about a person",
    response_model=ExportShape,
    responses={
        200: example({"number": 12, "channel": "sms", "address": "+84…", "follows": ME["follows"]}),
        **_PROBLEMS,
    },
)
async def export(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    id: Number,  # noqa: A002 - the name in the URL
) -> Response:
    """For a person who asks on paper: with the address in full. Audited."""
    people, now_ms = people_of(service), service.now_ms()
    what = f"subscription.export {id}"
    found = await _audited(request, service, principal, what, lambda: people.export_of(id, now_ms))
    if found is None:
        raise Problem("not-found", _NONE)
    return answer(encoded(found))


@router.delete(
    f"{PATH}/{{id}}",
    tags=["admins"],
    summary="Erase a person",
    response_model=DoneShape,
    responses={200: example({"done": True}), **_PROBLEMS},
)
async def erase(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    id: Number,  # noqa: A002 - the name in the URL
    *,
    keep_away: Annotated[
        bool,
        Query(description="a keyed hash stays, so that no list brings the person back"),
    ] = True,
) -> Response:
    """All that is stored of this address, on every channel, at once. Audited."""
    people, now_ms = people_of(service), service.now_ms()
    found = await _audited(
        request,
        service,
        principal,
        f"subscription.erase {id}",
        lambda: people.roster.erase(id, now_ms, remembered=keep_away),
    )
    if not found:
        raise Problem("not-found", _NONE)
    return answer(encoded({"done": True}))


def _taken(
    people: People, roll: Roll, channel: str, principal: Principal, now_ms: int, *, dry_run: bool
) -> dict[str, Any]:
    """Bring in a list, and its report."""
    taken = people.roster.take(roll.entries, channel, principal.name, now_ms, dry_run=dry_run)
    lines: list[Line] = sorted([*roll.refused, *taken], key=lambda line: line.line)
    counted = Counter(line.done for line in lines)
    return {
        "dry_run": dry_run,
        "counts": {done.value: counted[done] for done in Done},
        "repaired": sum(line.repaired for line in lines),
        "passed_over": list(roll.passed_over),
        "lines": [shape(line) for line in lines],
    }


def _by_phone(people: People, channel: str, where: str = "query") -> None:
    named = sorted(n for n, kind in people.channels.items() if kind is AddressKind.PHONE)
    if channel not in named:
        detail = f"accepted are channels for phone numbers: {', '.join(named) or 'there is none'}"
        raise invalid("channel", detail, where=where)


async def _audited(
    request: Request, service: Service, principal: Principal, what: str, act: Callable[[], T]
) -> T:
    """Do it on a worker thread, and write into the audit that this officer did."""
    tokens, now_ms = service.doorkeeper.tokens, service.now_ms()
    # Whatever an officer typed as a filter: no number of a person gets into the audit by it.
    line = re.sub(r"[0-9][0-9 .-]{6,}[0-9]", "…", what)

    def audited() -> T:
        outcome = "refused"
        try:
            found = act()
            outcome = "not found" if found is None or found is False else "done"
        finally:
            tokens.record(principal, line, outcome, now_ms)
        return found

    return await on_worker(request, audited)
