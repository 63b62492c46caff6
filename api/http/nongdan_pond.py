"""How long a farmer's pond lasts, as a page of plain words."""

from fastapi import APIRouter, Request, Response

from alerts.farmers import pond as ponds
from api.farmpage.pond import Told, pond_asked, pond_page
from api.http.access import ServiceHere, Viewer
from api.http.nongdan import FarmRoute, assets_of, html
from api.http.pond import found_of

router = APIRouter(include_in_schema=False, route_class=FarmRoute)


@router.get("/nong-dan/ao")
async def pond_html(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """The form, and with it filled in the result."""
    del principal
    intakes = service.registry().intakes
    given = pond_asked(dict(request.query_params), intakes)
    place, pond, told = given.asked.place, given.pond, None
    if pond is not None and place is not None:
        level = given.asked.level_mg_l
        found = await found_of(request, service, place, level, pond)
        notes = (
            ("no-station", not found.measured),
            ("unread", found.unread),
            ("part", not found.complete),
        )
        lang = given.asked.lang
        text = ponds.text(found.judged, pond, level, lang, compared=found.compared)
        told = Told(text, tuple(name for name, holds in notes if holds), found.from_ms)
    page = pond_page(given, intakes, told, assets_of(service.pages))
    return html(request, page, status=422 if given.faults else 200)
