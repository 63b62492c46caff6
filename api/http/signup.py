"""Signing up for messages: what can be chosen, a code, and its confirmation. For everybody."""

from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.etag import matches, weak_etag
from api.http.farmer_shapes import (
    ChannelsShape,
    ConfirmBody,
    ConfirmedShape,
    SignedUpShape,
    SignupBody,
)
from api.http.health import example
from api.http.people import follows_of, on_worker, people_of, quiet_of, too_many
from api.http.problem import Problem, documented, invalid
from api.http.session import address_of
from api.people.export import WANT_NAMES
from api.people.terms import FOLLOWS_MAX, ConfirmWhy, SignedUp, SignupWhy, Wish

router = APIRouter(tags=["farmers"])

CACHE_S = 300


@router.get(
    "/api/v1/farmers/channels",
    summary="How people can be told, and of what",
    response_model=ChannelsShape,
    responses={
        200: example(
            {
                "channels": [{"name": "sms", "takes": "phone"}],
                "notices": ["salt", "fresh", "windows", "silent", "bulletin"],
                "follows_max": 10,
            }
        ),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented(),
    },
)
async def channels(request: Request, service: ServiceHere) -> Response:
    """What `takes` an address of which kind; none where nobody can sign up. Changes with the
    configuration alone.
    """
    people = service.farmers.people
    known = {} if people is None else people.channels
    body = encoded(
        {
            "channels": [{"name": name, "takes": kind.value} for name, kind in known.items()],
            "notices": list(WANT_NAMES.values()),
            "follows_max": FOLLOWS_MAX,
        }
    )
    tag = weak_etag(body)
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={CACHE_S}"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})
    return answer(body, headers=headers)


@router.post(
    "/api/v1/farmers/signup",
    summary="Ask to be told",
    response_model=SignedUpShape,
    responses={
        200: example({"by": "code", "request": "VZ3o…", "until": 1767000600000}),
        **documented("unauthorized", "not-found", "invalid", "too-many-tries", "busy"),
    },
)
async def signup(
    request: Request, service: ServiceHere, principal: Viewer, body: SignupBody
) -> Response:
    """Sends a code of six digits, good for ten minutes, to where somebody wants to be told. The
    answer is the same for numbers that are known and that are not. `by` is "link" with Telegram
    and an empty address: the bot is started with `request`, and no code is needed. At most 3 codes
    an hour and 5 a day go to one number, and one a day to one whose owner has stopped.
    """
    del principal
    people, client, now_ms = people_of(service), address_of(request), service.now_ms()
    wish = Wish(
        body.channel,
        body.address,
        follows_of(service, body.follows),
        quiet_of(body.quiet),
        body.lang,
    )
    found = await on_worker(request, lambda: people.signup(wish, client, now_ms))
    if found.why not in (SignupWhy.SENT, SignupWhy.START):
        _refuse(found)
    by = "code" if found.why is SignupWhy.SENT else "link"
    return answer(encoded({"by": by, "request": found.request, "until": found.until_ms}))


def _refuse(found: SignedUp) -> NoReturn:
    match found.why:
        case SignupWhy.NO_CHANNEL:
            raise _said("channel", found)
        case SignupWhy.BAD_ADDRESS:
            raise _said("address", found)
        case SignupWhy.TOO_SOON | SignupWhy.BUSY:
            wait_s = found.retry_after_s
            few = found.why is SignupWhy.TOO_SOON
            detail = "codes go to one number, and from one place, a few times an hour; "
            detail = detail if few else "very many ask for a code at this hour; "
            raise Problem(
                "too-many-tries" if few else "busy",
                f"{detail}the next may be asked for in {wait_s} s",
                more={"retry_after_s": wait_s},
                headers={"Retry-After": str(wait_s)},
            )
        case _:
            raise too_many()


def _said(field: str, found: SignedUp) -> Problem:
    fault: dict[str, Any] = {"in": "body", "name": field, "detail": found.detail}
    fault["detail_vi"] = found.detail_vi
    return Problem("invalid", f"{field}: {found.detail}", more={"errors": [fault]})


@router.post(
    "/api/v1/farmers/confirm",
    summary="Show the code that came",
    response_model=ConfirmedShape,
    responses={
        200: example({"token": "p6bq…"}),
        **documented("not-found", "invalid", "busy"),
    },
)
async def confirm(request: Request, service: ServiceHere, body: ConfirmBody) -> Response:
    """From here on messages come. `token` is for `/api/v1/farmers/me`, and stands in the link by
    which messages are stopped; who was told already keeps theirs, and follows both. A code is
    tried five times.
    """
    people, now_ms = people_of(service), service.now_ms()
    found = await on_worker(request, lambda: people.confirm(body.request, body.code, now_ms))
    if found.why is ConfirmWhy.WRONG:
        detail = f"this is not the code that was sent; {found.tries_left} tries are left"
        fault = {"in": "body", "name": "code", "detail": detail}
        more = {"errors": [fault], "tries_left": found.tries_left}
        raise Problem("invalid", f"code: {detail}", more=more)
    if found.why is ConfirmWhy.OVER:
        raise invalid("code", "it is over, or was tried too often; ask for a new one", where="body")
    if found.why is ConfirmWhy.TOO_MANY_FOLLOWS:
        raise too_many()
    return answer(encoded({"token": found.token}))
