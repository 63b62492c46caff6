"""Hand checks of probes (đo đối chứng): entering them, reading them, and what they come to."""

import re
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from alerts.entries import What
from alerts.entry_log import ChecksKey
from alerts.reports.care import beside_probe, care
from alerts.reports.sources import DAY_MS
from api.http.access import Operator, ServiceHere, Viewer
from api.http.acts import PROBLEMS
from api.http.answer import answer, encoded
from api.http.bodies import CheckBody
from api.http.check_shapes import CareShape, Checks, CheckTaken
from api.http.desk import entered
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.report_examples import CARE, CHECK
from api.http.reports import sources
from api.http.series import readers
from api.http.times import time_ms
from api.service import Item, Service, as_seen_by
from ingest.reading import FUTURE_TOLERANCE_MS

router = APIRouter()

SHOWN_DAYS: Final = 92
CARE_CHECKS: Final = 200
"""So many of the newest checks are looked through for the last that cleaned or calibrated."""

QUANTITIES: Final = {
    "salinity_g_l": "salinity_g_l",
    "conductivity_ms_cm": "conductivity_ms_cm",
    "conductivity_25_ms_cm": "conductivity_25_ms_cm",
    "temperature_c": "temperature_c",
    "level_m": "water_level_m",
}
"""A field of the body -> the quantity of the series that it stands beside."""

_AFTER: Final = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})", re.ASCII)


@router.post(
    "/api/v1/checks",
    tags=["operators"],
    summary="Enter a hand check of a probe",
    response_model=CheckTaken,
    responses={
        200: example({**CHECK, "values": {"salinity_g_l": 1.2}}),
        **PROBLEMS,
    },
)
async def enter(service: ServiceHere, principal: Operator, body: CheckBody) -> Response:
    """What a crew measured by hand beside a probe, before it cleaned anything. Also hours or days
    later, up to 31 days. The same entry twice is one; another that names it (`replaces`) corrects
    it, once. Audited.
    """
    said = {field: getattr(body, field) for field in QUANTITIES}
    entry: Item = {
        "t": time_ms("t", str(body.t), where="body"),
        "depth": body.depth,
        "values": {QUANTITIES[field]: v for field, v in said.items() if v is not None},
        "cleaned": body.cleaned,
        "calibrated": body.calibrated,
        "crew": body.crew,
        "replaces": body.replaces,
    }
    return await entered(service, principal, What.CHECK, body.station, entry, body.note)


@router.get(
    "/api/v1/checks",
    tags=["readings"],
    summary="Hand checks, newest first",
    response_model=Checks,
    responses={
        200: example({"items": [CHECK], "next": None}),
        **documented("unauthorized", "not-found", "invalid"),
    },
)
async def checks(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    station: Annotated[str | None, Query(max_length=80, description="id of a station")] = None,
    from_: Annotated[
        str | None, Query(alias="from", max_length=64, description="by default 92 days before `to`")
    ] = None,
    to: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[
        str | None, Query(max_length=40, description="`next` of the page before")
    ] = None,
) -> Response:
    """Each value beside the probe's own of that time, the nearest within an interval, with the
    difference: probe minus hand. A check that was corrected stays and says by which
    (`replaced_by`). Crews, officers and notes are shown to operators only.
    """
    if station is not None:
        _known(service, station)
    now_ms = service.now_ms()
    to_ms = now_ms + FUTURE_TOLERANCE_MS + 1 if to is None else time_ms("to", to)
    from_ms = to_ms - SHOWN_DAYS * DAY_MS if from_ is None else time_ms("from", from_)
    if from_ms >= to_ms:
        raise invalid("from", f"{from_ms} is not before to = {to_ms}; from < to is accepted")
    asked = (station, from_ms, to_ms, _key(after), limit)
    known = sources(service)

    def read() -> Item:
        page = service.logbook.checks(asked)
        following = None if page.after is None else f"{page.after[0]}.{page.after[1]}"
        return {"items": [beside_probe(known, each) for each in page.items], "next": following}

    found = await anyio.to_thread.run_sync(read, limiter=readers(request))
    return answer(
        encoded(as_seen_by(principal, found)),
        accept_encoding=request.headers.get("accept-encoding"),
    )


@router.get(
    "/api/v1/stations/{id}/care",
    tags=["readings"],
    summary="When a station was last checked and cleaned, and what that means",
    response_model=CareShape,
    responses={200: example(CARE), **documented("unauthorized", "not-found", "invalid")},
)
async def care_of(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    id: Annotated[str, Path(max_length=80)],  # noqa: A002 - the name in the URL
) -> Response:
    """Days since the last hand check, cleaning and calibration, the last difference of salinity,
    and in words how far the probe can be trusted. Its limits are expert judgement, unverified.
    """
    _known(service, id)
    now_ms, known = service.now_ms(), sources(service)

    def read() -> Item:
        page = service.logbook.checks((id, 0, now_ms + FUTURE_TOLERANCE_MS + 1, None, CARE_CHECKS))
        return care(known, id, page.items, now_ms)

    found = await anyio.to_thread.run_sync(read, limiter=readers(request))
    return answer(encoded(as_seen_by(principal, found)))


def _known(service: Service, station: str) -> None:
    if station not in service.registry().stations:
        raise Problem("not-found", f"there is no station {station!r}; /api/v1/stations lists them")


def _key(after: str | None) -> ChecksKey | None:
    if after is None:
        return None
    match = _AFTER.fullmatch(after)
    if match is None:
        raise invalid("after", f"{after!r} is not the `next` of a page")
    return int(match[1]), int(match[2])
