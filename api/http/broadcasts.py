"""Bulletins to farmers: an officer proposes, another confirms."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from alerts.entries import EVERYWHERE, Verdict, What
from alerts.farmers import broadcast
from alerts.farmers.broadcast import Act, Words
from api.auth import Principal
from api.http.access import Operator, ServiceHere
from api.http.acts import PROBLEMS, told_if_not_done
from api.http.answer import answer, encoded
from api.http.desk import told
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.telling import on_worker
from api.http.telling_shapes import (
    BROADCAST,
    SMS,
    BroadcastBody,
    Broadcasts,
    BroadcastShape,
    DecideBody,
    PreviewBody,
    PreviewShape,
)
from api.http.times import time_ms
from api.service import Item, Service, take_entry

router = APIRouter(tags=["operators"])


@router.get(
    "/api/v1/broadcasts",
    summary="Bulletins to farmers",
    response_model=Broadcasts,
    responses={200: example({"items": [BROADCAST]}), **documented("unauthorized", "forbidden")},
)
async def broadcasts(service: ServiceHere, principal: Operator) -> Response:
    """The newest first: those that wait for a second officer, and the last 100 that are over."""
    del principal
    items = [_with_sms(service, each) for each in service.farmers.broadcasts()]
    return answer(encoded({"items": items}))


@router.post(
    "/api/v1/broadcasts",
    summary="Propose a bulletin to farmers",
    response_model=BroadcastShape,
    responses={200: example(BROADCAST), **PROBLEMS},
)
async def propose(service: ServiceHere, principal: Operator, body: BroadcastBody) -> Response:
    """Nothing is told before another officer confirms it, within 24 h. `sms` is how it reads on a
    cheap phone: look at `second`, the words that say something else without diacritics. Audited.
    """
    entry: Item = body.model_dump(exclude={"note"}) | {
        "issued": _time("issued", body.issued),
        "valid_until": _time("valid_until", body.valid_until),
    }
    return await _entered(service, principal, EVERYWHERE, entry, body.note, "propose")


@router.post(
    "/api/v1/broadcasts/preview",
    summary="How a bulletin reads, whom it reaches and what it costs",
    response_model=PreviewShape,
    responses={
        200: example(
            {
                "sms": SMS,
                "people": 4920,
                "cost": 1968000,
                "channels": [{"channel": "sms", "people": 4920, "parts": 1, "cost": 1968000}],
            }
        ),
        **documented("unauthorized", "forbidden", "invalid"),
    },
)
async def preview(
    request: Request, service: ServiceHere, principal: Operator, body: PreviewBody
) -> Response:
    """Nothing is entered. People are counted as they follow now, each once."""
    del principal
    now_ms, site = service.now_ms(), service.farmers.site
    issued_ms = now_ms if body.issued is None else _time("issued", body.issued)
    words = Words(body.title, body.text, body.issuer, issued_ms, body.official)
    intakes = service.registry().intakes
    known = [each for each in body.places if each == EVERYWHERE or each in intakes]
    reached = await on_worker(
        request, lambda: service.farmers.telling.reach(known) if known else ()
    )
    channels: list[Item] = []
    for one in reached:
        parts = broadcast.parts(words, one.form, site, now_ms)
        cost = one.people * parts * one.cost_per_part
        channels.append(
            {"channel": one.channel, "people": one.people, "parts": parts, "cost": cost}
        )
    found = {
        "sms": broadcast.as_sms(words, site, now_ms),
        "people": sum(one.people for one in reached),
        "cost": sum(one["cost"] for one in channels),
        "channels": channels,
    }
    return answer(encoded(found))


Id = Annotated[str, Path(pattern=r"^b[0-9]{1,15}$")]


@router.post(
    "/api/v1/broadcasts/{id}/confirm",
    summary="Confirm a bulletin, as a second officer",
    response_model=BroadcastShape,
    responses={200: example({**BROADCAST, "ver": 2, "state": "sent"}), **PROBLEMS},
)
async def confirm(
    service: ServiceHere,
    principal: Operator,
    id: Id,  # noqa: A002 - the name in the URL
    body: DecideBody,
) -> Response:
    """From that moment on it is told to all who follow its places. Not by who proposed it (403);
    409 where it is not as you read it, or is over. Audited.
    """
    return await _decided(service, principal, id, body, Act.CONFIRM)


@router.post(
    "/api/v1/broadcasts/{id}/refuse",
    summary="Refuse a bulletin, as a second officer",
    response_model=BroadcastShape,
    responses={200: example({**BROADCAST, "ver": 2, "state": "refused"}), **PROBLEMS},
)
async def refuse(
    service: ServiceHere,
    principal: Operator,
    id: Id,  # noqa: A002
    body: DecideBody,
) -> Response:
    """It is told to nobody; `note` says why. Audited."""
    return await _decided(service, principal, id, body, Act.REFUSE)


@router.post(
    "/api/v1/broadcasts/{id}/withdraw",
    summary="Withdraw a bulletin that you proposed",
    response_model=BroadcastShape,
    responses={200: example({**BROADCAST, "ver": 2, "state": "withdrawn"}), **PROBLEMS},
)
async def withdraw(
    service: ServiceHere,
    principal: Operator,
    id: Id,  # noqa: A002
    body: DecideBody,
) -> Response:
    """Before another officer has confirmed it. Audited."""
    return await _decided(service, principal, id, body, Act.WITHDRAW)


async def _decided(
    service: Service, principal: Principal, name: str, body: DecideBody, act: Act
) -> Response:
    entry: Item = {"ver": body.ver, "act": act.value}
    return await _entered(service, principal, name, entry, body.note, act.value)


async def _entered(
    service: Service, principal: Principal, subject: str, body: Item, note: str, deed: str
) -> Response:
    with told_if_not_done():
        found = await take_entry(service, principal, What.BROADCAST, subject, body, note, deed)
    if found.outcome is Verdict.REFUSED and found.words.startswith("who: "):
        raise Problem("forbidden", found.words.removeprefix("who: "))
    item = found.item
    return told(found if item is None else replace(found, item=_with_sms(service, item)))


def _with_sms(service: Service, item: Item) -> Item:
    """With how it reads on a cheap phone, which depends on where the page is."""
    names = ("title", "text", "issuer", "issued", "official")
    words = Words(*(item[name] for name in names))
    return item | {"sms": broadcast.as_sms(words, service.farmers.site, service.now_ms())}


def _time(name: str, value: int | str) -> int:
    return time_ms(name, str(value), where="body")
