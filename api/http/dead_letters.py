"""What was refused, for the operators who talk to the makers of devices."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.http.access import Operator, ServiceHere
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import documented
from api.http.shapes import DeadLetters

router = APIRouter()

Limit = Annotated[int, Query(ge=1, le=500)]


@router.get(
    "/api/v1/dead-letters",
    tags=["operators"],
    summary="What was refused, newest first",
    response_model=DeadLetters,
    responses={
        200: example(
            {
                "items": [
                    {
                        "id": 17,
                        "t": 1767000000000,
                        "topic": "tiengiang/v1/salinity/vam-kenh/vk-01/obs",
                        "reason": "not_json",
                        "detail": "the payload is not JSON: it ends within a string",
                        "size": 12,
                        "head": '{"v":1,"sam',
                    }
                ],
                "next": None,
            }
        ),
        **documented("unauthorized", "forbidden", "invalid"),
    },
)
async def dead_letters(
    request: Request,
    service: ServiceHere,
    principal: Operator,
    limit: Limit = 100,
    after: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next` of the page before")
    ] = None,
) -> Response:
    """Messages and samples that could not be taken, with the reason and the payload's head."""
    del principal
    found = await run_in_threadpool(service.dead_letters, limit + 1, after)
    shown = found[:limit]
    items = [
        {
            "id": number,
            "t": letter.at_ms,
            "topic": letter.topic,
            "reason": letter.reason,
            "detail": letter.detail,
            "size": letter.size,
            "head": letter.head.decode("utf-8", "backslashreplace"),
        }
        for number, letter in shown
    ]
    following = str(shown[-1][0]) if len(found) > limit else None
    body = encoded({"items": items, "next": following})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))
