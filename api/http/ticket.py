"""One-use tickets: how a browser that has signed in opens the live socket."""

from fastapi import APIRouter, Request, Response

from api.auth import TICKET_TTL_MS
from api.http.access import ServiceHere, SignedIn
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.shapes import Ticket
from api.http.shell import live_url

router = APIRouter()


@router.post(
    "/api/v1/live-ticket",
    tags=["service"],
    summary="A one-use ticket for the live socket",
    response_model=Ticket,
    responses={
        200: example(
            {
                "ticket": "ticket_Zk3…",
                "expires": 1767000030000,
                "live_url": "ws://127.0.0.1:8081/live",
            }
        ),
        **documented("unauthorized", "forbidden", "busy"),
    },
)
async def live_ticket(request: Request, service: ServiceHere, principal: SignedIn) -> Response:
    """Shown as `token` in the socket's `auth`, within 30 s and once: a browser cannot send a
    header when it opens a socket. It carries the role of whoever asks, and ends with the session
    or the token that was shown here.
    """
    now_ms = service.now_ms()
    ticket = service.doorkeeper.tickets.issue(principal, now_ms)
    if ticket is None:
        raise Problem("busy", "too many tickets are out; they run out within 30 s")
    secure = request.url.scheme == "https"
    return answer(
        encoded(
            {
                "ticket": ticket,
                "expires": now_ms + TICKET_TTL_MS,
                "live_url": live_url(service.about, request.headers.get("host"), secure=secure),
            }
        )
    )
