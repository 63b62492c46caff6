"""What officers enter beside alerts: maintenance, bridge modes, official levels, intakes."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from alerts.entries import EVERYWHERE, EnteredOutcome, Verdict, What
from api.auth import Principal
from api.http.access import Operator, ServiceHere, Viewer
from api.http.acts import PROBLEMS, told_if_not_done
from api.http.answer import answer, encoded
from api.http.bodies import BulletinBody, IntakeBody, ModeBody, WindowBody
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.rewind import Shown, caching
from api.http.shapes import DeskShape, IntakeShape, Levels, LevelShape, ModesShape, Windows
from api.http.shapes import WindowShape as WindowAnswer
from api.http.times import time_ms
from api.service import ENTERED, Item, Service, as_seen_by, take_entry

router = APIRouter()

Name = Annotated[str, Path(max_length=80)]

_WINDOW: Final[Item] = {
    "id": "m17",
    "station": "vam-kenh",
    "from": 1767000000000,
    "to": 1767007200000,
    "reason": "thay đầu dò",
    "holds": True,
    "t": 1767000000000,
}
_MODES: Final[Item] = {
    "station": "rach-mieu-1",
    "ver": 3,
    "modes": {
        "northbound": {
            "mode": "closed",
            "t": 1767000000000,
            "until": 1767003600000,
            "reason": "điều tiết một chiều",
        }
    },
}
_LEVEL: Final[Item] = {
    "branch": "cua-tieu",
    "ver": 1,
    "level": 2,
    "region": "Tiền Giang",
    "bulletin": "XNM-12/2026",
    "title": "Tin cảnh báo xâm nhập mặn",
    "issued": 1766990000000,
    "valid_until": 1767850000000,
    "source": "Đài Khí tượng Thủy văn khu vực Nam Bộ",
    "holds": True,
    "t": 1767000000000,
}
_INTAKE: Final[Item] = {"ver": 5, "taking": True, "gate": "open", "t": 1767000000000}


@router.get(
    "/api/v1/desk",
    tags=["operators"],
    summary="All that officers have entered",
    response_model=DeskShape,
    responses={
        200: example(
            {
                "maintenance": [_WINDOW],
                "bridges": {"rach-mieu-1": _MODES},
                "risk": [_LEVEL],
                "intakes": {"xuan-hoa": _INTAKE},
            }
        ),
        **documented("unauthorized", "invalid"),
    },
)
async def desk(request: Request, service: Shown, principal: Viewer) -> Response:
    """Windows, modes, levels and intakes with their versions. Reasons are for everybody, names
    of officers and notes for operators.
    """
    body = encoded(as_seen_by(principal, service.desk()))
    return answer(body, headers=caching(request))


@router.get(
    "/api/v1/maintenance",
    tags=["operators"],
    summary="Maintenance windows",
    response_model=Windows,
    responses={
        200: example({"items": [_WINDOW]}),
        **documented("unauthorized", "invalid"),
    },
)
async def windows(
    service: ServiceHere,
    principal: Viewer,
    station: Annotated[str | None, Query(max_length=80, description="id of a station")] = None,
) -> Response:
    """Those to come, those in force (`holds`), and the last 200 that are over; by their
    beginning. `ended` stands where an officer has ended one before its time.
    """
    found = service.desk()["maintenance"]
    items = [one for one in found if station is None or one["station"] == station]
    return answer(encoded(as_seen_by(principal, {"items": items})))


@router.post(
    "/api/v1/maintenance",
    tags=["operators"],
    summary="Enter a maintenance window",
    response_model=WindowAnswer,
    responses={200: example(_WINDOW), **PROBLEMS},
)
async def begin(service: ServiceHere, principal: Operator, body: WindowBody) -> Response:
    """While it is in force alerts of the station are kept and nobody is called; what still holds
    at its end is told then. At most 31 days; one that overlaps lengthens it. Audited.
    """
    entry: Item = {"to": _time("to", body.to), "reason": body.reason}
    if body.from_ is not None:
        entry["from"] = _time("from", body.from_)
    return await entered(service, principal, What.MAINTENANCE, body.station, entry, body.note)


@router.delete(
    "/api/v1/maintenance/{id}",
    tags=["operators"],
    summary="End a maintenance window now",
    response_model=WindowAnswer,
    responses={
        200: example({**_WINDOW, "holds": False, "ended": {"t": 1767003600000}}),
        **PROBLEMS,
    },
)
async def end(
    service: ServiceHere,
    principal: Operator,
    id: Annotated[str, Path(pattern=r"^m[0-9]{1,15}$")],  # noqa: A002 - the name in the URL
) -> Response:
    """It stays in the list for a while, marked as ended. Audited; 409 where it is over already."""
    return await entered(service, principal, What.MAINTENANCE, id, {"end": "now"}, "")


@router.post(
    "/api/v1/bridges/{id}/mode",
    tags=["operators"],
    summary="Say how the police let a bridge be used",
    response_model=ModesShape,
    responses={200: example(_MODES), **PROBLEMS},
)
async def mode(
    service: ServiceHere,
    principal: Operator,
    id: Name,  # noqa: A002
    body: ModeBody,
) -> Response:
    """One direction, or all: `two-way`, `one-way` (in batches), `closed`, `xa-tram` (the toll
    station stands open). All but two-way end by themselves at `until`, at most 31 days ahead. A
    closed direction is shown as such, and its standing cars are no jam. Audited, versioned.
    """
    entry: Item = {
        "ver": body.ver,
        "mode": body.mode,
        "direction": body.direction,
        "until": None if body.until is None else _time("until", body.until),
        "reason": body.reason,
    }
    return await entered(service, principal, What.MODE, id, entry, body.note)


@router.get(
    "/api/v1/risk-level",
    tags=["readings"],
    summary="Official disaster-risk levels",
    response_model=Levels,
    responses={200: example({"items": [_LEVEL]}), **documented("unauthorized")},
)
async def levels(service: ServiceHere, principal: Viewer) -> Response:
    """As bulletins state them and an officer has entered them, 1 to 5; `holds` says which are in
    force. Nothing here is computed.
    """
    return answer(encoded(as_seen_by(principal, {"items": service.desk()["risk"]})))


@router.post(
    "/api/v1/risk-level",
    tags=["operators"],
    summary="Enter the level of a bulletin",
    response_model=LevelShape,
    responses={200: example(_LEVEL), **PROBLEMS},
)
async def level(service: ServiceHere, principal: Operator, body: BulletinBody) -> Response:
    """Of a branch, or of the whole region; it holds until `valid_until`, or until a bulletin
    that ends it (`level` null). Audited, versioned.
    """
    entry: Item = body.model_dump(exclude={"branch", "note"}) | {
        "issued": _time("issued", body.issued),
        "valid_until": _time("valid_until", body.valid_until),
    }
    branch = EVERYWHERE if body.branch is None else body.branch
    return await entered(service, principal, What.RISK, branch, entry, body.note)


@router.post(
    "/api/v1/intakes/{id}",
    tags=["operators"],
    summary="Say whether water is taken at an intake",
    response_model=IntakeShape,
    responses={200: example(_INTAKE), **PROBLEMS},
)
async def intake(
    service: ServiceHere,
    principal: Operator,
    id: Name,  # noqa: A002
    body: IntakeBody,
) -> Response:
    """And how its gate stands; advice to stop is for those who take. Audited, versioned."""
    entry = body.model_dump(exclude={"note"})
    return await entered(service, principal, What.INTAKE, id, entry, body.note)


def _time(name: str, value: int | str) -> int:
    return time_ms(name, str(value), where="body")


async def entered(
    service: Service, principal: Principal, what: What, subject: str, body: Item, note: str
) -> Response:
    """Carry an entry out, and tell what became of it."""
    with told_if_not_done():
        found = await take_entry(service, principal, what, subject, body, note)
    return told(found)


def told(found: EnteredOutcome) -> Response:
    """What became of an entry, in the words of the desk."""
    if found.outcome is Verdict.DONE:
        return answer(encoded(found.item))
    code = ENTERED[found.outcome]
    if code == 404:
        raise Problem("not-found", found.words)
    if code == 422:
        name, _, detail = found.words.partition(": ")
        raise invalid(name, detail, where="body") if detail else Problem("invalid", found.words)
    more: dict[str, Any] = {} if found.item is None else {"item": found.item}
    raise Problem("conflict", found.words, more=more)
