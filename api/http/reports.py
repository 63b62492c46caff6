"""What officers' pages read: the lunar date, the board of gates, the shift, the day."""

from datetime import date as Date  # noqa: N812 - `date` is a parameter in the URL
from datetime import timedelta
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Query, Request, Response

from alerts.entries import What
from alerts.reports import bulletin as daily
from alerts.reports import gates as board
from alerts.reports import handover as shift
from alerts.reports import lunar as calendar
from alerts.reports.sources import Sources
from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.kept import Kept
from api.http.problem import documented, invalid
from api.http.report_examples import BULLETIN, GATES, HANDOVER, LUNAR
from api.http.report_shapes import BulletinShape, Gates, HandoverShape, LunarShape
from api.http.series import readers
from api.http.times import time_ms
from api.live.where import EVERYTHING
from api.service import Item, Service, as_seen_by

router = APIRouter(tags=["readings"])

DAY_MS = 86_400_000
FIRST_DAY = Date(2000, 1, 2)
SHIFT_MAX_MS = 7 * DAY_MS
ENTERED_A_DAY = 10_000
EVENTS_COUNTED = 10_000
"""Events and entries beyond those that are shown are counted up to here."""


def sources(service: Service) -> Sources:
    """On the loop: what is in force now, with its past."""
    return Sources(service.registry(), service.series(), service.points, service.windows)


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
    day = daily.local_date(service.now_ms()) if date is None else day_of(date)
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


@router.get(
    "/api/v1/handover",
    summary="The handover of a shift",
    response_model=HandoverShape,
    responses={200: example(HANDOVER), **documented("unauthorized", "invalid")},
)
async def handover(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    from_: Annotated[
        str | None,
        Query(alias="from", max_length=64, description="by default 06:00 or 18:00, the last"),
    ] = None,
    to: Annotated[str | None, Query(max_length=64, description="by default now")] = None,
) -> Response:
    """What happened in [from, to): alerts with who took them, devices lost and back, what
    officers entered, extremes by station, lines of salt, minutes of the bridges; and what is open
    now, what nobody has taken first. `missing` says how much of the expected data never came.
    At most seven days. Names of officers and notes are shown to operators only.
    """
    now_ms = service.now_ms()
    to_ms = now_ms if to is None else time_ms("to", to)
    # At 06:00 sharp it is the night that is handed over, not a day of no length.
    from_ms = shift.shift_start_ms(to_ms - 1) if from_ is None else time_ms("from", from_)
    if from_ms >= min(to_ms, now_ms):
        raise invalid(
            "from", f"{from_ms} is not before to = {to_ms} and now; from < to is accepted"
        )
    if to_ms - from_ms > SHIFT_MAX_MS:
        raise invalid("from", "a shift of at most seven days is accepted")
    known, book = sources(service), service.logbook

    def read() -> Item:
        active = book.active()
        told = shift.Told(
            book.events(from_ms, to_ms, shift.EVENTS_MAX + EVENTS_COUNTED),
            active,
            book.taken([each["id"] for each in active]),
            book.entered(from_ms, to_ms, shift.ENTERED_MAX + EVENTS_COUNTED),
            book.entered_since(),
        )
        return shift.handover(known, told, from_ms, to_ms, now_ms)

    found = await anyio.to_thread.run_sync(read, limiter=readers(request))
    if not principal.may("operator"):
        found["entered"] = [each for each in found["entered"] if _is_for_all(each)]
    return answer(
        encoded(as_seen_by(principal, found)),
        accept_encoding=request.headers.get("accept-encoding"),
    )


def _is_for_all(entered: Item) -> bool:
    """A bulletin to farmers is nobody's word before a second officer has confirmed it."""
    return bool(entered["what"] != What.BROADCAST or entered["item"]["state"] == "sent")


@router.get(
    "/api/v1/bulletin",
    summary="The bulletin of a day",
    response_model=BulletinShape,
    responses={200: example(BULLETIN), **documented("unauthorized", "invalid")},
)
async def bulletin(
    request: Request, service: ServiceHere, principal: Viewer, date: Day = None
) -> Response:
    """Yesterday, unless `date` says otherwise; today as far as it has come (`complete` false). By
    station the highest and lowest, the change against the day before and the same lunar date of
    earlier years; the lines of salt by landmark; gates; minutes of the bridges. Every figure names
    its series and times. It says what was measured, for reference, and forecasts nothing.
    """
    now_ms = service.now_ms()
    today = daily.local_date(now_ms)
    on = today - timedelta(days=1) if date is None else day_of(date)
    if not FIRST_DAY <= on <= today:
        raise invalid("date", f"{on.isoformat()} is not accepted: {FIRST_DAY} to today, {today}")
    kept: Kept = request.app.state.reports
    # One at a time: who comes meanwhile waits for that one, and does not make the same again.
    async with kept.making:
        found = kept.bulletin(on, now_ms)
        if found is None:
            found = await _made(request, service, kept, on, now_ms)
            kept.keep(on, now_ms, found)
    return answer(
        encoded(as_seen_by(principal, found)),
        accept_encoding=request.headers.get("accept-encoding"),
    )


async def _made(request: Request, service: Service, kept: Kept, on: Date, now_ms: int) -> Item:
    known, book, advice = sources(service), service.logbook, service.advice()
    day = daily.Day.of(on, now_ms)

    def made() -> Item:
        during = book.entered(day.from_ms, day.until_ms, ENTERED_A_DAY)
        gatebook = daily.Gatebook(
            book.entered_before(What.INTAKE, day.from_ms),
            [each for each in during if each.what == What.INTAKE],
            advice,
        )
        return daily.bulletin(known, day, gatebook, kept.long_ago(known, now_ms))

    return await anyio.to_thread.run_sync(made, limiter=readers(request))
