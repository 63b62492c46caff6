"""What officers do to alerts: acknowledge, shelve, note."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from alerts.alert import Act, Action, Outcome
from api.auth import Principal
from api.http.access import Operator, ServiceHere
from api.http.alerts import EXAMPLE, AlertId
from api.http.answer import answer, encoded
from api.http.bodies import AckBody, NoteBody, ShelveBody
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.shapes import AlertShape
from api.http.times import time_ms
from api.service import NOT_YET, OVER, VERDICTS, NotDurable, Service, carry_out

router = APIRouter(tags=["alerts"])

PROBLEMS = documented(
    "unauthorized", "forbidden", "not-found", "conflict", "too-large", "invalid", "busy"
)


@contextmanager
def told_if_not_done() -> Iterator[None]:
    """What could not be written down, or is not carried out yet, is a problem to come back with."""
    try:
        yield
    except NotDurable as error:
        raise Problem("busy", f"nothing was done: {error}") from error
    except TimeoutError as error:
        raise Problem("busy", NOT_YET) from error


@router.post(
    "/api/v1/alerts/{id}/ack",
    summary="Acknowledge an alert",
    response_model=AlertShape,
    responses={200: example({**EXAMPLE, "ver": 4, "state": "acked"}), **PROBLEMS},
)
async def ack(
    service: ServiceHere,
    principal: Operator,
    id: AlertId,  # noqa: A002 - the name in the URL
    body: AckBody,
) -> Response:
    """An operator takes it; written into the audit. `ver` is that of the alert as you saw it:
    if it has changed since, nothing is done and 409 brings it as it now is.
    """
    return await _done(service, principal, Act.ACK, id, body.ver, body.note)


@router.post(
    "/api/v1/alerts/{id}/shelve",
    summary="Shelve an alert until a time",
    response_model=AlertShape,
    responses={
        200: example(
            {
                **EXAMPLE,
                "ver": 4,
                "shelved_until": 1767007200000,
                "shelved_why": "đang thay đầu dò, số liệu không tin được",
            }
        ),
        **PROBLEMS,
    },
)
async def shelve(
    service: ServiceHere,
    principal: Operator,
    id: AlertId,  # noqa: A002
    body: ShelveBody,
) -> Response:
    """Until `until` nobody is called because of it; it goes on living, and clears by itself.
    Everybody may see the reason, operators who gave it. Versions and audit as with `ack`.
    """
    until_ms = time_ms("until", str(body.until), where="body")
    if not body.reason.strip():
        raise invalid("reason", "shelving needs a reason in words", where="body")
    return await _done(service, principal, Act.SHELVE, id, body.ver, body.reason, until_ms)


@router.post(
    "/api/v1/alerts/{id}/unshelve",
    summary="Take an alert off the shelf",
    response_model=AlertShape,
    responses={200: example({**EXAMPLE, "ver": 5}), **PROBLEMS},
)
async def unshelve(
    service: ServiceHere,
    principal: Operator,
    id: AlertId,  # noqa: A002
    body: AckBody,
) -> Response:
    """Before its time is over. Versions and audit as with `ack`."""
    return await _done(service, principal, Act.UNSHELVE, id, body.ver, body.note)


@router.post(
    "/api/v1/alerts/{id}/note",
    summary="Add a note to an alert",
    response_model=AlertShape,
    responses={200: example({**EXAMPLE, "ver": 4}), **PROBLEMS},
)
async def note(
    service: ServiceHere,
    principal: Operator,
    id: AlertId,  # noqa: A002
    body: NoteBody,
) -> Response:
    """Words for the colleagues, in the timeline; operators alone see them. Nothing else changes
    but `ver`. Versions and audit as with `ack`.
    """
    return await _done(service, principal, Act.NOTE, id, body.ver, body.note)


async def _done(
    service: Service,
    principal: Principal,
    act: Act,
    alert: str,
    ver: int,
    words: str,
    until_ms: int | None = None,
) -> Response:
    with told_if_not_done():
        action = Action(act, alert, ver, principal.name, words or None, until_ms)
        acted = await carry_out(service, principal, action)
    if acted.outcome is Outcome.DONE:
        return answer(encoded(acted.alert))
    code, why = VERDICTS[acted.outcome]
    if code == 422:
        words_of = "reason" if act is Act.SHELVE else "note"
        name = "until" if acted.outcome is Outcome.NO_END else words_of
        raise invalid(name, why, where="body")
    # An alert that is over is unknown to those who act; the records still have it.
    known = acted.alert or await run_in_threadpool(service.alert, alert)
    if known is None:
        raise Problem("not-found", why)
    raise Problem("conflict", OVER if code == 404 else why, more={"alert": known})
