"""What the farmer's page asks, as JSON: places, crops, the answer for a limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Query, Request, Response

from alerts.farmers.answer import as_of
from alerts.farmers.crops import CROPS, LEVELS_MG_L, level_at_most
from alerts.farmers.place import Place, parse_place, places
from api.farmers import Answers
from api.http.access import ServiceHere, Viewer
from api.http.answer import JSON, accepts_gzip, compressed, encoded
from api.http.etag import matches, weak_etag
from api.http.farm_shapes import (
    ANSWER_OF,
    CROPS_EXAMPLE,
    PLACES,
    FarmAnswerOfShape,
    FarmCrops,
    FarmPlaces,
)
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.service import Service
from ingest.intakes import Intake

router = APIRouter(tags=["farmers"])

MAX_AGE_S: Final = 30
LIMIT_G_L: Final = (LEVELS_MG_L[0] / 1000, 40.0)


class Body:
    """A document as it is sent, with its tag; compressed when it is first asked for so."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self.etag = weak_etag(plain)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(encoded(document))

    @cached_property
    def gzipped(self) -> bytes:
        return compressed(self.plain)


@dataclass(frozen=True, slots=True)
class PlacesMade:
    """The answers at all places, made once.

    told, intakes : of what they were made
    made_ms, until_ms : between these they hold; until_ms None: nothing in them runs out
    """

    told: Answers
    intakes: Mapping[str, Intake]
    made_ms: int
    until_ms: int | None
    body: Body

    def holds(self, told: Answers, intakes: Mapping[str, Intake], now_ms: int) -> bool:
        # Equal is quick where next to nothing has changed: what is held is the same objects.
        same = self.intakes is intakes and (self.told is told or self.told == told)
        return (
            same and self.made_ms <= now_ms and (self.until_ms is None or now_ms <= self.until_ms)
        )


class PlacesKept:
    """The places as they were asked for last, until an answer changes or runs out. On the loop."""

    def __init__(self) -> None:
        self._made: PlacesMade | None = None

    def get(self, service: Service) -> PlacesMade:
        told, intakes = service.farmers.answers(), service.registry().intakes
        now_ms = service.now_ms()
        if self._made is None or not self._made.holds(told, intakes, now_ms):
            self._made = _places_made(told, intakes, now_ms)
        return self._made


def _places_made(told: Answers, intakes: Mapping[str, Intake], now_ms: int) -> PlacesMade:
    items: list[dict[str, Any]] = [
        {
            "place": str(one),
            "intake": one.intake,
            "name": intakes[one.intake].name,
            "side": one.side,
            "gate": intakes[one.intake].gate is not None,
            "answers": {
                str(level): as_of(answer, now_ms)
                for level, answer in told.get(str(one), {}).items()
            },
        }
        for one in places(intakes)
    ]
    ends = [a["until"] for one in items for a in one["answers"].values() if a["until"] is not None]
    return PlacesMade(told, intakes, now_ms, min(ends, default=None), Body.of({"items": items}))


@router.get(
    "/api/v1/farmers/crops",
    summary="Crops and their limits",
    response_model=FarmCrops,
    responses={
        200: example(CROPS_EXAMPLE),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented("unauthorized", "invalid"),
    },
)
async def crops(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """What each bears at its stage, with the source of the figure; `unverified` where sources
    conflict. It is what plant or animal tolerates, not what to irrigate with.
    """
    del principal
    items = [
        {
            "id": crop.id,
            "vi": crop.vi,
            "en": crop.en,
            "limit_g_l": crop.limit_g_l,
            "source": crop.source,
            "unverified": crop.unverified,
        }
        for crop in CROPS.values()
    ]
    levels = [level / 1000 for level in LEVELS_MG_L]
    return sent(request, service, {"items": items, "levels_g_l": levels}, MAX_AGE_S)


@router.get(
    "/api/v1/farmers/places",
    summary="Places where farmers take water, with the answer for every limit",
    response_model=FarmPlaces,
    responses={
        200: example(PLACES),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented("unauthorized", "invalid"),
    },
)
async def places_(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """A place is an intake with a side of its gate. An answer is a permission only while it is
    `take` (or `pump`, for those who pump) and `until` lies ahead.
    """
    del principal
    kept: PlacesKept = request.app.state.places
    found = kept.get(service)
    return _answered(request, service, found.body, _age_s(found.until_ms, service.now_ms()))


@router.get(
    "/api/v1/farmers/answer",
    summary="May water be taken now, at one place for one limit",
    response_model=FarmAnswerOfShape,
    responses={
        200: example(ANSWER_OF),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented("unauthorized", "not-found", "invalid"),
    },
)
async def answer(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    place: Annotated[str, Query(max_length=130, description="`intake/side`: xuan-hoa/river")],
    crop: Annotated[str | None, Query(max_length=40, description="see /farmers/crops")] = None,
    limit_g_l: Annotated[
        float | None, Query(description="a limit of one's own, in place of the crop's")
    ] = None,
) -> Response:
    """By the nearest watched level that is not above the limit. 404 is no permission. After
    `until` the answer is `unknown`, whoever keeps it.
    """
    del principal
    found = place_of(service, place)
    limit_mg_l = _limit_mg_l(crop, limit_g_l)
    level, now_ms = level_at_most(limit_mg_l), service.now_ms()
    known = service.farmers.answers().get(str(found), {}).get(level)
    if known is None:
        raise Problem("not-found", f"nothing has been decided for {found} yet: do not take")
    told = as_of(known, now_ms) | {
        "place": str(found),
        "crop": crop,
        "limit_asked_g_l": limit_mg_l / 1000,
    }
    return sent(request, service, told, _age_s(told["until"], now_ms))


def place_of(service: Service, text: str) -> Place:
    """The place of that name. Raises a problem."""
    known = places(service.registry().intakes)
    try:
        found = parse_place(text)
    except ValueError as error:
        raise invalid("place", str(error)) from error
    if found not in known:
        listed = ", ".join(map(str, known[:20]))
        raise invalid("place", f"{text!r} is not known; accepted are {listed}")
    return found


def level_of(crop: str | None, limit_g_l: float | None) -> int:
    """The watched level, mg/L, of a crop's limit or one's own. Raises a problem."""
    return level_at_most(_limit_mg_l(crop, limit_g_l))


def _limit_mg_l(crop: str | None, limit_g_l: float | None) -> float:
    if crop is not None and crop not in CROPS:
        raise invalid("crop", f"{crop!r} is not known; accepted are {', '.join(CROPS)}")
    if limit_g_l is None:
        if crop is None:
            raise invalid("crop", "accepted is a crop, or a limit of one's own as limit_g_l")
        return CROPS[crop].limit_mg_l
    low, high = LIMIT_G_L
    if not low <= limit_g_l <= high:
        raise invalid("limit_g_l", f"{limit_g_l:g} is not accepted: {low:g} to {high:g} g/L")
    return round(limit_g_l * 1000, 3)


def _age_s(until_ms: int | None, now_ms: int) -> int:
    """How long an answer may be kept: never beyond what it says itself."""
    if until_ms is None:
        return MAX_AGE_S
    return max(0, min(MAX_AGE_S, (until_ms - now_ms) // 1000))


def sent(
    request: Request, service: Service, document: Mapping[str, Any], max_age_s: int
) -> Response:
    """A document with its tag, or that nothing has changed."""
    return _answered(request, service, Body.of(document), max_age_s)


def _answered(request: Request, service: Service, body: Body, max_age_s: int) -> Response:
    scope = "public" if service.doorkeeper.anonymous else "private"
    headers = {
        "ETag": body.etag,
        "Cache-Control": f"{scope}, max-age={max_age_s}",
        "Vary": f"Accept-Encoding, Authorization{'' if scope == 'public' else ', Cookie'}",
    }
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if accepts_gzip(request.headers.get("accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        return Response(body.gzipped, media_type=JSON, headers=headers)
    return Response(body.plain, media_type=JSON, headers=headers)
