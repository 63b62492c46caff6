"""How long a farmer's pond lasts, as JSON."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from alerts.farmers import pond as ponds
from alerts.farmers.place import Place
from alerts.farmers.pond import Judged, Pond
from alerts.farmers.pond_needs import NEEDS
from alerts.farmers.pond_spells import spells_of
from api.farmpage.pond import DEEP_M
from api.http.access import ServiceHere, Viewer
from api.http.farm_shapes import POND, FarmPondShape
from api.http.farmers import level_of, place_of, sent
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.season import HOUR_MS, begin_ms, salinity_of, season, station_of
from api.service import Service

router = APIRouter(tags=["farmers"])

MAX_AGE_S: Final = 300
LATE_MS: Final = 48 * HOUR_MS
"""A station whose readings begin so long after the season says nothing of the spells before."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it.

    measured : a station measures this water; unread : its past can't be read now
    complete : all that there was of it could be read
    from_ms : its first reading, where the season had begun days before; else None
    """

    judged: Judged
    measured: bool
    unread: bool
    complete: bool
    from_ms: int | None = None

    @property
    def compared(self) -> bool:
        return self.measured and not self.unread


@router.get(
    "/api/v1/farmers/pond",
    summary="How long a pond lasts, beside the salt spells of the season",
    response_model=FarmPondShape,
    responses={
        200: example(POND),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented("unauthorized", "invalid", "busy"),
    },
)
async def pond(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    place: Annotated[str, Query(max_length=130, description="`intake/side`: xuan-hoa/river")],
    crop: Annotated[str, Query(max_length=40, description="see /farmers/crops")],
    volume_m3: Annotated[float, Query(ge=1, le=1_000_000, description="that can be pumped")],
    count: Annotated[
        float | None,
        Query(gt=0, le=100_000, description="1000 m² that are watered, or heads of animals"),
    ] = None,
    need_m3_day: Annotated[
        float | None, Query(gt=0, le=100_000, description="in place of the crop's need")
    ] = None,
    surface_m2: Annotated[
        float | None, Query(ge=0, le=1_000_000, description="by default of a pond 1.5 m deep")
    ] = None,
    limit_g_l: Annotated[
        float | None, Query(description="a limit of one's own, in place of the crop's")
    ] = None,
) -> Response:
    """For reference, not a forecast: what would have been enough this season so far. Days are
    volume over need, evaporation and seepage; spells are of hourly maxima since 1 November.
    """
    del principal
    found = place_of(service, place)
    level = level_of(crop, limit_g_l)
    if need_m3_day is None:
        if count is None:
            raise invalid("count", "accepted is how much is watered, or need_m3_day")
        need_m3_day = ponds.need_m3_day(crop, count)
    surface = volume_m3 / DEEP_M if surface_m2 is None else surface_m2
    made = Pond(volume_m3, surface, need_m3_day)
    told = await found_of(request, service, found, level, made)
    if told.unread:
        raise Problem("busy", "the readings of this season can't be read now")
    judged = told.judged
    document = {
        "place": str(found),
        "crop": crop,
        "limit_g_l": level / 1000,
        "need_m3_day": need_m3_day,
        "need_source": NEEDS[crop].source,
        "verdict": judged.verdict.value,
        "lasts_days": judged.lasts_days,
        "spells": judged.spells,
        "longest_days": judged.longest_days,
        "usual_days": judged.usual_days,
        "elapsed_days": judged.elapsed_days,
        "sure": judged.sure and told.complete,
        "measured": told.measured,
        "text_vi": ponds.text(judged, made, level, "vi", compared=told.compared),
        "text_en": ponds.text(judged, made, level, "en", compared=told.compared),
    }
    return sent(request, service, document, MAX_AGE_S)


async def found_of(
    request: Request, service: Service, place: Place, level_mg_l: int, pond: Pond
) -> Found:
    """A pond beside the spells of the season at a place."""
    station = station_of(service, place)
    series = None if station is None else salinity_of(service, station)
    read = None if series is None else await season(request, service, series)
    points = () if read is None else read.points
    spells, now_ms = spells_of(points, level_mg_l, HOUR_MS), service.now_ms()
    late = bool(points) and points[0][0] > begin_ms(now_ms) + LATE_MS
    return Found(
        ponds.judge(pond, spells, now_ms),
        measured=series is not None,
        unread=series is not None and read is None,
        complete=read is None or read.complete,
        from_ms=points[0][0] if late else None,
    )
