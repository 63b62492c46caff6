"""What the routes about subscriptions share: who is kept, what is followed, what was refused."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

import anyio
from anyio import to_thread
from fastapi import Request

from alerts.farmers import reasons
from alerts.farmers.person import Follow, Quiet
from alerts.farmers.place import Place, places
from alerts.farmers.wishes import BadWish, read_follow, read_quiet, read_wants
from api.http.farmer_shapes import FollowBody, QuietBody
from api.http.problem import Problem, invalid
from api.people.export import VIETNAM, follow_shape, quiet_shape
from api.people.people import People
from api.people.terms import FOLLOWS_MAX, Stored
from api.service import Service

AT_ONCE: Final = 4
"""Worker threads that look into the file of people at a time: it is written by one at a time."""

T = TypeVar("T")

log = logging.getLogger(__name__)

FOLLOW: Final[dict[str, Any]] = {
    "place": "xuan-hoa/river",
    "crop": "durian",
    "crop_vi": "Sầu riêng",
    "crop_en": "Durian",
    "limit_g_l": 0.5,
    "notices": ["salt", "fresh", "silent", "bulletin"],
}
ME: Final[dict[str, Any]] = {
    "channel": "sms",
    "address": "09xx xxx 678",
    "lang": "vi",
    "quiet": {"from": "21:00", "to": "05:00", "urgent_passes": True},
    "follows": [FOLLOW],
    "created": 1767000000000,
    "confirmed": 1767000060000,
}


def people_of(service: Service) -> People:
    """Those who are kept. Raises a problem where nobody is."""
    if service.farmers.people is None:
        raise Problem("not-found", "this service tells nobody: no channel is configured")
    return service.farmers.people


async def on_worker(request: Request, act: Callable[[], T]) -> T:
    """What `act` gives, from a worker thread. Raises a problem where the disk refuses."""
    limiter: anyio.CapacityLimiter = request.app.state.people_callers
    try:
        return await to_thread.run_sync(act, limiter=limiter)
    except sqlite3.OperationalError as error:
        log.warning("what is kept of people can't be read or written", extra={"why": str(error)})
        raise Problem("busy", "what is kept of people can't be read or written now") from None


def places_of(service: Service) -> tuple[Place, ...]:
    """All that can be followed."""
    return places(service.registry().intakes)


def today_of(service: Service) -> date:
    """Vietnam's day."""
    return datetime.fromtimestamp(service.now_ms() / 1000, UTC).astimezone(VIETNAM).date()


def follows_of(service: Service, bodies: Sequence[FollowBody]) -> tuple[Follow, ...]:
    """What is asked for. Raises a problem that names the field."""
    known = places_of(service)
    found = []
    for n, body in enumerate(bodies):
        try:
            wants = read_wants(body.notices or ())
            found.append(read_follow(body.place, body.crop, body.limit_g_l, wants, known))
        except BadWish as error:
            raise invalid(f"follows.{n}.{error.field}", error.accepted, where="body") from error
    return tuple(found)


def quiet_of(body: QuietBody | None) -> Quiet | None:
    """Raises a problem."""
    if body is None:
        return None
    try:
        return read_quiet(body.from_, body.to, urgent_passes=body.urgent_passes)
    except BadWish as error:
        raise invalid("quiet", error.accepted, where="body") from error


def too_many() -> Problem:
    reason = reasons.TOO_MANY.say(n=FOLLOWS_MAX)
    return invalid("follows", reason.en, vi=reason.vi, where="body")


def me_shape(stored: Stored) -> dict[str, Any]:
    """What is stored about a person, as that person sees it."""
    return {
        "channel": stored.channel,
        "address": stored.masked,
        "lang": stored.lang,
        "quiet": quiet_shape(stored.quiet),
        "follows": [follow_shape(one) for one in stored.follows],
        "created": stored.created_ms,
        "confirmed": stored.confirmed_ms,
    }


def subscription_shape(stored: Stored) -> dict[str, Any]:
    """The same as officers see it."""
    return {
        "id": stored.id,
        **me_shape(stored),
        "state": stored.state,
        "origin": stored.origin,
        "officer": stored.officer,
        "consent": stored.consent,
    }
