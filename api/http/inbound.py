"""What gateways bring: replies of people (a stop word, a code), and reports of delivery.

A gateway shows the secret of its channel. What is wrong and what is unknown is refused alike, so
that nobody learns here which channels there are.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from alerts.farmers.gateway import UnreadError, at_path, decoded, read_inbound, read_report
from api.farmers import Gateway
from api.http.access import ServiceHere
from api.http.answer import answer, encoded
from api.http.farmer_shapes import TakenShape
from api.http.health import example
from api.http.people import on_worker, people_of
from api.http.problem import Problem, documented, invalid
from api.people.people import People
from api.people.replies import Code, Start, StopAll, StopAt, read_reply
from api.people.terms import ConfirmWhy
from api.service import Service

router = APIRouter(tags=["farmers"])

Name = Annotated[str, Path(max_length=80, description="of the channel")]
_PROBLEMS = documented("unauthorized", "not-found", "invalid", "busy")
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}
TELEGRAM: Final = "telegram"


@router.post(
    "/api/v1/channels/{name}/inbound",
    summary="A reply of somebody who was told",
    response_model=TakenShape,
    responses={200: example({"did": "stopped"}), **_PROBLEMS},
    openapi_extra=_BODY,
)
async def inbound(request: Request, service: ServiceHere, name: Name) -> Response:
    """HUY, HỦY, STOP or DUNG stops all, HUY XUAN HOA one intake; six digits are a code. JSON or a
    form, its fields as the channel's `inbound` names them; Telegram's updates as they are. The
    secret stands in `X-Songtien-Secret`, as a bearer token, as the password of Basic, or in
    `X-Telegram-Bot-Api-Secret-Token`.
    """
    gateway = _gateway(request, service, name)
    document = await _document(request)
    if gateway.kind == TELEGRAM:
        read = _of_telegram(document)
        if read is None:
            return answer(encoded({"did": "nothing"}))
    else:
        if gateway.inbound is None:
            raise Problem("not-found", "this channel takes no replies: it has no `inbound`")
        try:
            read = read_inbound(gateway.inbound, document)
        except UnreadError as error:
            raise invalid("body", str(error), where="body") from error
    people, now_ms = people_of(service), service.now_ms()
    reply = read_reply(read[1], list(service.registry().intakes.values()))
    did = await on_worker(request, lambda: _answered(people, name, read[0], reply, now_ms))
    return answer(encoded({"did": did}))


@router.post(
    "/api/v1/channels/{name}/report",
    summary="Whether a message arrived",
    response_model=TakenShape,
    responses={200: example({"did": "noted"}), **_PROBLEMS},
    openapi_extra=_BODY,
)
async def report(request: Request, service: ServiceHere, name: Name) -> Response:
    """A gateway's delivery report, its fields as the channel's `report` names them; the secret as
    with replies. A message that we don't know is passed over.
    """
    gateway = _gateway(request, service, name)
    if gateway.report is None:
        raise Problem("not-found", "this channel takes no reports: it has no `report`")
    document = await _document(request)
    try:
        ref, delivered = read_report(gateway.report, document)
    except UnreadError as error:
        raise invalid("body", str(error), where="body") from error
    if delivered is None:
        return answer(encoded({"did": "nothing"}))
    now_ms = service.now_ms()
    await on_worker(request, lambda: service.farmers.reported(name, ref, delivered, now_ms))
    return answer(encoded({"did": "noted"}))


def _answered(
    people: People,
    name: str,
    address: str,
    reply: StopAll | StopAt | Code | Start | None,
    now_ms: int,
) -> str:
    """What a reply came to."""
    match reply:
        case StopAll():
            return "stopped" if people.stop_from(name, address, None, now_ms) else "nothing"
        case StopAt():
            return "stopped" if people.stop_from(name, address, reply, now_ms) else "nothing"
        case Code(code):
            found = people.confirm_from(name, address, code, now_ms)
        case Start(asked):
            found = people.start_from(name, address, asked, now_ms)
        case None:
            return "nothing"
    return "confirmed" if found.why is ConfirmWhy.DONE else "nothing"


def _gateway(request: Request, service: Service, name: str) -> Gateway:
    """The gateway that shows its secret. Raises a problem, the same for all that is wrong."""
    gateway = service.farmers.gateways.get(name)
    known = "" if gateway is None else gateway.secret
    # Compared by their hashes, so that time tells neither the secret nor its length.
    right = [hmac.compare_digest(_hash(each), _hash(known)) for each in _shown(request)]
    if gateway is None or not known or not any(right):
        raise Problem(
            "unauthorized",
            "a gateway shows the secret of its channel, as `inbound_secret` has it",
        )
    return gateway


def _shown(request: Request) -> list[str]:
    """Wherever gateways are able to put a secret, but for the address."""
    headers = request.headers
    found = [
        headers.get("x-songtien-secret", ""),
        headers.get("x-telegram-bot-api-secret-token", ""),
    ]
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found.append(value.strip())
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            pair = ""
        found.append(pair.partition(":")[2])
    return found


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def _document(request: Request) -> object:
    try:
        return decoded(request.headers.get("content-type", ""), await request.body())
    except UnreadError as error:
        raise invalid("body", f"{error}; accepted is JSON or a form", where="body") from error


def _of_telegram(update: object) -> tuple[str, str] | None:
    """Chat and text of a message in a private chat; None of everything else."""
    chat, text = at_path(update, ("message", "chat", "id")), at_path(update, ("message", "text"))
    private = at_path(update, ("message", "chat", "type")) == "private"
    if not private or not isinstance(chat, int) or not isinstance(text, str):
        return None
    return str(chat), text
