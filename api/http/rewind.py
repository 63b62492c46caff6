"""The past: which of it can be shown, and the `at` by which it is asked for."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented, invalid
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


async def shown(service: Service, at: str) -> Then:
    """What the wall showed at a time that somebody has typed. Raises Problem."""
    at_ms = time_ms("at", at)
    if at_ms > service.now_ms():
        raise invalid("at", f"{at!r} lies ahead; accepted is a time up to now")
    then = await run_in_threadpool(service.then, at_ms)
    if then is None:
        raise Problem("not-found", "this service keeps nothing of the past")
    return then


async def answered(
    request: Request,
    service: Service,
    at: str,
    told: Callable[[Then], Any],
) -> Response:
    """What `told` makes of the wall at a time, as JSON, to be kept for as long as it is true."""
    then = await shown(service, at)
    body = await run_in_threadpool(lambda: encoded(told(then)))
    accepted = request.headers.get("accept-encoding")
    return answer(body, accept_encoding=accepted, headers=kept_for(then))


def kept_for(then: Then) -> dict[str, str]:
    """What was recorded never changes again; what is rebuilt may, with readings that come late.

    Private: who asks decides whether officers' names are in it.
    """
    age = f"max-age={SETTLED_S}" if then.settled else "no-cache"
    return {
        "Cache-Control": f"private, {age}",
        "Vary": "Accept-Encoding, Authorization, Cookie",
    }
