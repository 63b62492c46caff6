"""What is formed from many readings: the river as a whole, the bridges, advice to intakes."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.rewind import Shown, caching
from api.http.shapes import Advices, AdviceShape, BridgesShape, RiverShape
from api.service import Item, as_seen_by

router = APIRouter(tags=["readings"])

_ADVICE: Item = {
    "intake": "xuan-hoa",
    "t": 1767000000000,
    "take": False,
    "until": None,
    "why": "over-limit",
    "text_vi": "KHÔNG LẤY NƯỚC: 1,20 g/l lúc 14:30",
    "text_en": "Do not take water: 1.20 g/L at 14:30",
    "state": {"ver": 5, "taking": False, "gate": "closed", "t": 1766990000000},
}


@router.get(
    "/api/v1/river",
    summary="How far the salt reaches",
    response_model=RiverShape,
    responses={
        200: example(
            {
                "now": 1767000000000,
                "mouths": {
                    "cua-tieu": {
                        "t": 1766999700000,
                        "lines": [{"level_g_l": 4, "basis": "max_25h", "km": 50.6, "sd_km": 1.2}],
                    }
                },
                "stations": {},
            }
        ),
        **documented("unauthorized", "invalid"),
    },
)
async def river(request: Request, service: Shown, principal: Viewer) -> Response:
    """By mouth and level: the distance, now and as the maximum of 25 h, with its uncertainty and
    the stations that were used and left out, and why; or that no stations bracket it. By
    station: the salt spell, and the change against the same tide.
    """
    body = encoded(as_seen_by(principal, service.river()))
    return answer(
        body, accept_encoding=request.headers.get("accept-encoding"), headers=caching(request)
    )


@router.get(
    "/api/v1/bridges",
    summary="How long a bridge takes",
    response_model=BridgesShape,
    responses={
        200: example(
            {
                "bridges": [
                    {
                        "id": "rach-mieu-1",
                        "directions": [
                            {
                                "direction": "southbound",
                                "minutes": {"from": 10, "to": 12},
                                "state": 2,
                            }
                        ],
                        "station": "rach-mieu-1",
                        "ver": 3,
                        "modes": {},
                    }
                ]
            }
        ),
        **documented("unauthorized", "invalid"),
    },
)
async def bridges(request: Request, service: Shown, principal: Viewer) -> Response:
    """By bridge and direction: minutes, state in words, queue, and bans in force. `modes` is how
    the police let it be used, as an officer has entered it, and `ver` the version to enter with.
    """
    entered = service.desk()["bridges"]
    found = [
        {**one, **entered.get(one["id"], {"station": one["id"], "ver": 0, "modes": {}})}
        for one in service.bridges().get("bridges", ())
    ]
    body = encoded(as_seen_by(principal, {"bridges": found}))
    return answer(
        body, accept_encoding=request.headers.get("accept-encoding"), headers=caching(request)
    )


@router.get(
    "/api/v1/advice",
    summary="May water be taken now, at each intake",
    response_model=Advices,
    responses={
        200: example({"items": [_ADVICE]}),
        **documented("unauthorized", "invalid"),
    },
)
async def advice(request: Request, service: Shown, principal: Viewer) -> Response:
    """The newest advice of each intake. It is a permission only while `take` is true and `until`
    lies ahead; an intake that is not listed has none. `state` is what was last entered of it.
    """
    states = service.desk()["intakes"]
    items = [_with_state(name, one, states) for name, one in service.advice().items()]
    body = encoded(as_seen_by(principal, {"items": items}))
    return answer(
        body, accept_encoding=request.headers.get("accept-encoding"), headers=caching(request)
    )


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
    told = _with_state(intake, found, service.desk()["intakes"])
    return answer(encoded(as_seen_by(principal, told)))


def _with_state(name: str, advice: Item, states: Mapping[str, Item]) -> Item:
    return {**advice, "intake": name, "state": states.get(name)}
