"""What officers' pages read: the lunar date, the board of gates, the shift, the day."""

from datetime import date as Date  # noqa: N812 - `date` is a parameter in the URL
from datetime import timedelta
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Query, Request, Response

from alerts.reports import gates as board
from alerts.reports import lunar as calendar
from alerts.reports.sources import LOCAL_OFFSET_MS, Sources
from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import documented, invalid
from api.http.report_examples import GATES, LUNAR
from api.http.report_shapes import Gates, LunarShape
from api.live.where import EVERYTHING
from api.service import Item, Service, as_seen_by

router = APIRouter(tags=["readings"])

EPOCH = Date(1970, 1, 1)
DAY_MS = 86_400_000


def readers(request: Request) -> anyio.CapacityLimiter:
    """Reports share with histories how many may read at a time."""
    limiter = request.app.state.history_readers
    assert isinstance(limiter, anyio.CapacityLimiter)
    return limiter


def sources(service: Service) -> Sources:
    """On the loop: what is in force now, with its past."""
    return Sources(service.registry(), service.series(), service.points, service.windows)


def local_date(t_ms: int) -> Date:
    """The day that it is in Vietnam."""
    return EPOCH + timedelta(days=(t_ms + LOCAL_OFFSET_MS) // DAY_MS)


def start_ms(day: Date) -> int:
    """When a day begins in Vietnam."""
    return (day - EPOCH).days * DAY_MS - LOCAL_OFFSET_MS


def day_of(text: str) -> Date:
    try:
        return Date.fromisoformat(text)
    except ValueError:
        raise invalid(
            "date", f"{text!r} is not accepted: a day of Vietnam, as 2026-03-02"
        ) from None


Day = Annotated[
    str | None,
    Query(max_length=10, pattern=r"^\d{4}-\d{2}-\d{2}$", description="a day of Vietnam"),
]


@router.get(
    "/api/v1/lunar",
    summary="A day by Vietnam's lunar calendar, and the same day of other years",
    response_model=LunarShape,
    responses={200: example(LUNAR), **documented("unauthorized", "invalid")},
)
async def lunar(
    service: ServiceHere,
    principal: Viewer,
    date: Day = None,
    years: Annotated[int, Query(ge=0, le=60, description="how many years to go back")] = 10,
) -> Response:
    """Today, unless `date` says otherwise. Spring tides and Tết go by the moon: the same lunar
    date of an earlier year compares like with like. Computed from the sun and the moon, UTC+7.
    """
    del principal
    day = local_date(service.now_ms()) if date is None else day_of(date)
    try:
        told = calendar.lunar_of(day).told()
    except calendar.OutOfRange as error:
        raise invalid("date", str(error)) from None
    same = [each.told() for each in calendar.same_dates(day, years)]
    return answer(encoded({"date": day.isoformat(), "lunar": told, "same": same}))


@router.get(
    "/api/v1/gates",
    summary="The board of gates: both sides of each intake, and its fresh water",
    response_model=Gates,
    responses={200: example(GATES), **documented("unauthorized")},
)
async def gates(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """Of each intake the newest salinity and level outside and inside, the head where both have
    one zero, the advice, what its crew entered, when the water outside was below the limit in the
    last 25 h, and when it is likely to be next, by the same tide of the day before and for
    reference alone. What nothing measures is null, with the reason.
    """
    now_ms, known, items = service.now_ms(), sources(service), newest(service)
    advice, states = service.advice(), service.desk()["intakes"]

    def read() -> Item:
        return {"now": now_ms, "gates": board.board(known, items, advice, states, now_ms)}

    found = await anyio.to_thread.run_sync(read, limiter=readers(request))
    return answer(
        encoded(as_seen_by(principal, found)),
        accept_encoding=request.headers.get("accept-encoding"),
    )


def newest(service: Service) -> dict[str, Any]:
    """The items of the screens, by key."""
    items: list[dict[str, Any]] = msgspec.json.decode(service.items_json(EVERYTHING))
    return {item["k"]: item for item in items}
