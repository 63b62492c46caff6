"""What is stored about a person, for that person: seen, changed, exported, stopped, erased.

The token stands in the `Authorization` header or in a form, never in an address: those end in
the log files of whatever lies between.
"""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import APIKeyHeader

from api.http.access import ServiceHere
from api.http.answer import answer, encoded
from api.http.farmer_shapes import ChangeBody, DoneShape, ExportShape, FollowsBody, MeShape
from api.http.health import example
from api.http.people import ME, follows_of, me_shape, on_worker, people_of, quiet_of, too_many
from api.http.problem import Problem, documented
from api.people.terms import Changes, ChangeWhy

router = APIRouter(tags=["farmers"])

PATH = "/api/v1/farmers/me"
FORM = "application/x-www-form-urlencoded"
_SCHEME = APIKeyHeader(
    name="Authorization",
    scheme_name="Farmer",
    auto_error=False,
    description="`Farmer …` with the token of `/api/v1/farmers/confirm`, which also stands in the "
    "link of each message.",
)


async def farmer_token(request: Request, _shown: Annotated[str | None, Security(_SCHEME)]) -> str:
    """What was shown as a token, known or not. Raises a problem where nothing was."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "farmer" and token.strip():
        return token.strip()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind == FORM:
        text = (await request.body()).decode("utf-8", "replace")
        try:
            found = dict(parse_qsl(text, max_num_fields=20)).get("token", "")
        except ValueError:
            found = ""
        if found:
            return found
    raise _nobody("show the token of your link as `Authorization: Farmer …`")


Token = Annotated[str, Depends(farmer_token)]
_PROBLEMS = documented("unauthorized", "not-found", "invalid", "busy")
_ADDING = documented("unauthorized", "not-found", "invalid", "too-many-tries", "busy")


def _nobody(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Farmer realm="songtien"'}
    return Problem("unauthorized", detail, headers=headers)


def _unknown() -> Problem:
    return _nobody("nothing is stored under this token: stopped, erased, or never there")


@router.get(
    PATH,
    summary="What is stored about me",
    response_model=MeShape,
    responses={200: example(ME), **_PROBLEMS},
)
async def me(request: Request, service: ServiceHere, token: Token) -> Response:
    """The address is masked."""
    people, now_ms = people_of(service), service.now_ms()
    stored = await on_worker(request, lambda: people.by_token(token, now_ms))
    if stored is None:
        raise _unknown()
    return answer(encoded(me_shape(stored)))


@router.patch(
    PATH,
    summary="Follow something else, or be told otherwise",
    response_model=MeShape,
    responses={200: example(ME), **_ADDING},
)
async def change(
    request: Request, service: ServiceHere, token: Token, body: ChangeBody
) -> Response:
    """What is left out stays. `follows` replaces all that was followed, so what it leaves out is
    dropped; what it brings anew is told of as with `…/follows`. `quiet: null` takes quiet hours
    away.
    """
    people, now_ms = people_of(service), service.now_ms()
    changes = Changes(
        None if body.follows is None else follows_of(service, body.follows),
        quiet_of(body.quiet),
        "quiet" in body.model_fields_set and body.quiet is None,
        body.lang,
    )
    found = await on_worker(request, lambda: people.change(token, changes, now_ms))
    await _refuse(request, service, token, found)
    return await me(request, service, token)


@router.post(
    f"{PATH}/follows",
    summary="Follow more, without another code",
    response_model=MeShape,
    responses={200: example(ME), **_ADDING},
)
async def add(request: Request, service: ServiceHere, token: Token, body: FollowsBody) -> Response:
    """Beside what is followed already: up to 10 places and crops together. Of a place and crop that
    is followed already the newer limit and notices count. A message within minutes tells how much
    is followed, and of a salt spell that goes on there. At most 10 times an hour and 20 a day.
    """
    people, now_ms = people_of(service), service.now_ms()
    follows = follows_of(service, body.follows)
    found = await on_worker(request, lambda: people.add(token, follows, now_ms))
    await _refuse(request, service, token, found)
    return await me(request, service, token)


async def _refuse(request: Request, service: ServiceHere, token: str, found: ChangeWhy) -> None:
    """Raise a problem for all but DONE."""
    if found is ChangeWhy.DONE:
        return
    if found is ChangeWhy.UNKNOWN:
        raise _unknown()
    if found is not ChangeWhy.TOO_SOON:
        raise too_many()
    people, now_ms = people_of(service), service.now_ms()
    wait_s = await on_worker(request, lambda: people.add_wait_s(token, now_ms))
    raise Problem(
        "too-many-tries",
        f"much was added lately; more can be added in {wait_s} s",
        more={"retry_after_s": wait_s},
        headers={"Retry-After": str(wait_s)},
    )


@router.delete(
    PATH,
    summary="Erase everything about me",
    response_model=DoneShape,
    responses={200: example({"done": True}), **_PROBLEMS},
)
async def erase(request: Request, service: ServiceHere, token: Token) -> Response:
    """Nothing stays, not even what keeps a community's list from bringing the number back; to be
    left alone for good, stop.
    """
    people, now_ms = people_of(service), service.now_ms()
    if not await on_worker(request, lambda: people.erase(token, now_ms)):
        raise _unknown()
    return answer(encoded({"done": True}))


@router.post(
    f"{PATH}/stop",
    summary="Stop all messages",
    response_model=DoneShape,
    responses={200: example({"done": True}), **_PROBLEMS},
)
async def stop(request: Request, service: ServiceHere, token: Token) -> Response:
    """The address is erased at once, on all channels. A keyed hash of it stays with the date, so
    that no list brings it back. Also takes a form with the field `token`.
    """
    people, now_ms = people_of(service), service.now_ms()
    if not await on_worker(request, lambda: people.stop(token, now_ms)):
        raise _unknown()
    return answer(encoded({"done": True}))


@router.get(
    f"{PATH}/export",
    summary="Everything that is stored about me",
    response_model=ExportShape,
    responses={
        200: example({"number": 12, **ME}),
        **_PROBLEMS,
    },
)
async def export(request: Request, service: ServiceHere, token: Token) -> Response:
    """In words, with what became of the messages. The address is masked: a token may have come
    into other hands with its link. An admin gives it in full.
    """
    people, now_ms = people_of(service), service.now_ms()
    found = await on_worker(request, lambda: people.export(token, now_ms))
    if found is None:
        raise _unknown()
    return answer(
        encoded(found),
        headers={"Content-Disposition": 'attachment; filename="toi.json"'},
    )
