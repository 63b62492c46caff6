"""What is formed from many readings: the river as a whole, the bridges, advice to intakes."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.shapes import Advices, AdviceShape, BridgesShape, RiverShape
from api.service import Item, as_seen_by

router = APIRouter(tags=["readings"])

_ADVICE: Item = {
    "take": False,
    "until": None,
    "why": "over-limit",
    "text_vi": "KHÔNG LẤY NƯỚC: 1,20 g/l lúc 14:30",
    "text_en": "Do not take water: 1.20 g/L at 14:30",
}


@router.get(
    "/api/v1/river",
    summary="How far the salt reaches",
    response_model=RiverShape,
    responses={
        200: example(
            {
                "mouths": {
                    "cua-tieu": {
                        "4": {"basis": "max_25h", "km": 50.6, "sd_km": 1.2, "t": 1767000000000}
                    }
                }
            }
        ),
        **documented("unauthorized"),
    },
)
async def river(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """By mouth and level: the distance, now and as the maximum of 25 h, with its uncertainty and
    the stations that were used and left out, and why; or that no stations bracket it. By
    station: the salt spell, and the change against the same tide.
    """
    body = encoded(as_seen_by(principal, service.river()))
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    "/api/v1/bridges",
    summary="How long a bridge takes",
    response_model=BridgesShape,
    responses={
        200: example(
            {
                "bridges": {
                    "rach-mieu-1": {
                        "southbound": {"state": 2, "crossing_time_min": 11.0, "queue_km": 2.0}
                    }
                }
            }
        ),
        **documented("unauthorized"),
    },
)
async def bridges(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """By bridge and direction: minutes, state in words, queue, how the police let it be used,
    and bans in force.
    """
    body = encoded(as_seen_by(principal, service.bridges()))
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    "/api/v1/advice",
    summary="May water be taken now, at each intake",
    response_model=Advices,
    responses={
        200: example({"items": {"cong-xuan-hoa": _ADVICE}}),
        **documented("unauthorized"),
    },
)
async def advice(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """The newest advice of each intake. It is a permission only while `take` is true and `until`
    lies ahead; an intake that is not listed has none.
    """
    body = encoded(as_seen_by(principal, {"items": dict(service.advice())}))
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    "/api/v1/advice/{intake}",
    summary="May water be taken now, at one intake",
    response_model=AdviceShape,
    responses={200: example(_ADVICE), **documented("unauthorized", "not-found", "invalid")},
)
async def advice_of(
    service: ServiceHere, principal: Viewer, intake: Annotated[str, Path(max_length=80)]
) -> Response:
    """As in the list. 404 is no permission."""
    found = service.advice().get(intake)
    if found is None:
        raise Problem("not-found", f"there is no advice for {intake!r}: do not open")
    return answer(encoded(as_seen_by(principal, found)))
