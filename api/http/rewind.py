"""The past: which of it can be shown, and the `at` by which it is asked for."""

from dataclasses import replace
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.series import readers
from api.http.shapes import RewindShape
from api.http.times import time_ms
from api.rewind import Then
from api.service import Service

router = APIRouter(tags=["readings"])

SETTLED_S: Final = 3600

At = Annotated[
    str | None,
    Query(max_length=64, description="as it was shown then; see `GET /api/v1/rewind`"),
]


@router.get(
    "/api/v1/rewind",
    summary="How far back the past can be shown",
    response_model=RewindShape,
    responses={
        200: example(
            {
                "now": 1772399400000,
                "recorded": [
                    {"from": 1772236800000, "to": 1772323199000},
                    {"from": 1772323260000, "to": 1772399398000},
                ],
                "rebuilt_from": 1766999100000,
            }
        ),
        **documented("unauthorized"),
    },
)
async def rewind(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """`recorded`: of these stretches it is known what the wall showed; between two of them the
    service was down, or could not write. Before them the wall is rebuilt from stored readings,
    back to `rebuilt_from`. Send a time as `at` to the routes that take one, or in the first
    frame on the live socket, which plays on from there.
    """
    del principal
    reach = await run_in_threadpool(service.reach)
    body = encoded(reach.told())
    headers = {"Cache-Control": "no-store"}
    return answer(body, accept_encoding=request.headers.get("accept-encoding"), headers=headers)


async def shown(
    request: Request, service: ServiceHere, principal: Viewer, at: At = None
) -> Service:
    """The service as it was at `at`, for whoever may look; as it is without one."""
    del principal  # that somebody may look is known before anything is read for him
    if at is None:
        return service
    at_ms = time_ms("at", at)
    if at_ms > service.now_ms():
        raise invalid("at", f"{at!r} lies ahead; accepted is a time up to now")
    # Reading a moment takes long: who waits for it leaves the worker threads to the rest.
    then = await to_thread.run_sync(service.then, at_ms, limiter=readers(request))
    if then is None:
        raise Problem("not-found", "this service keeps nothing of the past")
    request.state.then = then
    return _as_it_was(service, then)


Shown = Annotated[Service, Depends(shown)]
"""The service, or with `?at=` what it showed then: nothing that reads it knows the difference."""


def past_of(request: Request) -> Then | None:
    """The moment that is asked for; None for the present."""
    return getattr(request.state, "then", None)


def caching(request: Request) -> dict[str, str]:
    """For how long an answer holds, where it is of the past.

    What was recorded never changes again; what is rebuilt may, with readings that come late.
    Private: who asks decides whether officers' names are in it.
    """
    then = past_of(request)
    if then is None:
        return {}
    age = f"max-age={SETTLED_S}" if then.settled else "no-cache"
    return {
        "Cache-Control": f"private, {age}",
        "Vary": "Accept-Encoding, Authorization, Cookie",
    }


def _as_it_was(service: Service, then: Then) -> Service:
    return replace(
        service,
        now_ms=lambda: then.at_ms,
        registry=lambda: then.registry,
        series=lambda: then.series,
        rules=lambda: then.rules,
        items_json=then.items_json,
        items_pos=lambda: then.items_pos,
        river=lambda: then.river,
        bridges=lambda: then.bridges,
        advice=lambda: then.advice,
        desk=lambda: then.desk,
    )
