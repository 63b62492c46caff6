"""Messages to people, for officers: how it stands, what is held, trials."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from alerts.farmers.place import parse_place
from api.auth import Principal
from api.farmers import HeldAsked, MessagesAsked, Telling
from api.http.access import Operator, ServiceHere
from api.http.acts import PROBLEMS
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.series import readers
from api.http.telling_shapes import (
    EVENT,
    MESSAGE,
    TELLING,
    Events,
    HeldBody,
    Messages,
    Moved,
    TellingShape,
    TrialBody,
    TrialTaken,
)
from api.people.addresses import NoAddress
from api.service import Item, Service

router = APIRouter(tags=["operators"])

States = Literal["waiting", "sent", "delivered", "undelivered", "held", "put-off", "dropped"]
AT_ONCE: Final = 5_000
"""Held messages that one request moves."""

TRIALS_PER_HOUR: Final = 6
OFFICERS_MAX: Final = 200
HOUR_MS: Final = 3_600_000

_SEEN: Final = documented("unauthorized", "forbidden", "invalid")


class Trials:
    """How often an officer sends trial messages: each costs money, and reaches somebody."""

    def __init__(self) -> None:
        self._by_name: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_ms(self, name: str, now_ms: int) -> int:
        """Until the next one; 0: it is counted, and may go now."""
        sent = self._by_name.setdefault(name, deque(maxlen=TRIALS_PER_HOUR))
        self._by_name.move_to_end(name)
        if len(self._by_name) > OFFICERS_MAX:
            self._by_name.popitem(last=False)
        if len(sent) == TRIALS_PER_HOUR and 0 <= now_ms - sent[0] < HOUR_MS:
            return sent[0] + HOUR_MS - now_ms
        sent.append(now_ms)
        return 0


@router.get(
    "/api/v1/telling",
    summary="Messages to people: channels, days, subscribers",
    response_model=TellingShape,
    responses={200: example(TELLING), **_SEEN},
)
async def telling(request: Request, service: ServiceHere, principal: Operator) -> Response:
    """Of each channel its state, what waits and is held, and what this month has cost; what was
    sent, delivered and not on each of the last 31 days; how many follow which place. Counts alone.
    """
    del principal
    found = await on_worker(request, service.farmers.telling.overview)
    channels = [_channel(each) for each in found["channels"]]
    body = encoded({**found, "channels": channels, "now": service.now_ms()})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    "/api/v1/telling/messages",
    summary="Messages by their state, newest first",
    response_model=Messages,
    responses={200: example({"items": [MESSAGE], "next": None}), **_SEEN},
)
async def messages(
    request: Request,
    service: ServiceHere,
    principal: Operator,
    state: Annotated[States, Query(description="what became of them")] = "undelivered",
    channel: Annotated[str | None, Query(max_length=80)] = None,
    place: Annotated[str | None, Query(max_length=90, description="INTAKE/SIDE")] = None,
    event: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next` of the page before")
    ] = None,
) -> Response:
    """People are numbers here. `held` and `put-off` are notices that restraint keeps back,
    `dropped` those that are told no more; the others are messages of one or several notices.
    """
    del principal
    if place is not None:
        try:
            parse_place(place)
        except ValueError as error:
            raise invalid("place", str(error)) from None
    asked = MessagesAsked(state, channel, place, event, after, limit + 1)
    found = await on_worker(request, lambda: service.farmers.telling.messages(asked))
    shown = found[:limit]
    following = str(shown[-1]["id"]) if len(found) > limit else None
    body = encoded({"items": shown, "next": following})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.get(
    "/api/v1/telling/events",
    summary="The newest notices, and how far each is told",
    response_model=Events,
    responses={200: example({"items": [EVENT]}), **_SEEN},
)
async def events(
    request: Request,
    service: ServiceHere,
    principal: Operator,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Response:
    """Of the last seven days, those that anybody hears of; a bulletin to several places is one."""
    del principal
    found = await on_worker(request, lambda: service.farmers.telling.events(limit))
    body = encoded({"items": found})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.post(
    "/api/v1/telling/release",
    summary="Let go what the budget holds",
    response_model=Moved,
    responses={200: example({"moved": 40, "more": False}), **PROBLEMS},
)
async def release(
    request: Request, service: ServiceHere, principal: Operator, body: HeldBody
) -> Response:
    """Beyond the budget; what has become too old or untrue is dropped then. What is held for
    another reason stays. At most 5,000 at once. Audited.
    """
    return await _moved(request, service, principal, "release", body, _telling(service).release)


@router.post(
    "/api/v1/telling/drop",
    summary="Tell nobody what is held",
    response_model=Moved,
    responses={200: example({"moved": 40, "more": False}), **PROBLEMS},
)
async def drop(
    request: Request, service: ServiceHere, principal: Operator, body: HeldBody
) -> Response:
    """It can't be taken back. At most 5,000 at once. Audited."""
    return await _moved(request, service, principal, "drop", body, _telling(service).drop)


@router.post(
    "/api/v1/telling/trial",
    summary="Send a trial message to oneself",
    response_model=TrialTaken,
    responses={
        200: example({"sent": True}),
        **documented("unauthorized", "forbidden", "invalid", "too-many-tries"),
    },
)
async def trial(
    request: Request, service: ServiceHere, principal: Operator, body: TrialBody
) -> Response:
    """It goes before all else, and its address is forgotten within the hour. At most six an hour.
    Audited, without the address.
    """
    trials: Trials = request.app.state.trials
    wait_ms = trials.wait_ms(principal.name, service.now_ms())
    if wait_ms:
        retry_s = -(-wait_ms // 1000)
        raise Problem(
            "too-many-tries",
            f"{TRIALS_PER_HOUR} trials within an hour; the next in {retry_s} s",
            more={"retry_after_s": retry_s},
            headers={"Retry-After": str(retry_s)},
        )
    outcome = "refused"
    try:
        with _refused_by_name():
            sent = await on_worker(
                request, lambda: _telling(service).trial(body.channel, body.address, body.lang)
            )
        if not sent:
            raise invalid("address", "its owner has stopped all messages", where="body")
        outcome = "done"
    finally:
        await _audit(service, principal, f"telling.trial {body.channel[:40]}", outcome)
    return answer(encoded({"sent": True}))


async def _moved(
    request: Request,
    service: Service,
    principal: Principal,
    deed: str,
    body: HeldBody,
    move: Callable[[Sequence[int]], int],
) -> Response:
    if body.ids is None and body.channel is None and body.event is None:
        raise invalid("ids", "ids, a channel or an event is needed", where="body")
    ids = None if body.ids is None else tuple(body.ids)
    # Of those that wait for a digest or for their turn none is let go by an officer.
    why = "budget" if deed == "release" else None
    asked = HeldAsked(ids, body.channel, body.event, why, AT_ONCE + 1)

    def act() -> tuple[int, bool]:
        found = _telling(service).held(asked)
        return move(found[:AT_ONCE]), len(found) > AT_ONCE

    which = f"{body.channel or ''} {body.event or ''}".strip()[:120]
    outcome = "refused"
    try:
        moved, more = await on_worker(request, act)
        outcome = f"done {moved}"
    finally:
        await _audit(service, principal, f"telling.{deed} {which}".strip(), outcome)
    return answer(encoded({"moved": moved, "more": more}))


Found = TypeVar("Found")


async def on_worker(request: Request, ask: Callable[[], Found]) -> Found:
    return await anyio.to_thread.run_sync(ask, limiter=readers(request))


async def _audit(service: Service, principal: Principal, what: str, outcome: str) -> None:
    tokens, now_ms = service.doorkeeper.tokens, service.now_ms()
    await anyio.to_thread.run_sync(tokens.record, principal, what, outcome, now_ms)


def _telling(service: Service) -> Telling:
    return service.farmers.telling


@contextmanager
def _refused_by_name() -> Iterator[None]:
    """What the address was stands in no answer."""
    try:
        yield
    except KeyError:
        raise invalid(
            "channel", "there is no such channel; /api/v1/telling lists them", where="body"
        ) from None
    except NoAddress as error:
        raise invalid("address", str(error), where="body") from None


def _channel(found: Mapping[str, Any]) -> Item:
    """As it goes on the wire."""
    renamed = {"again_ms": "again", "oldest_ms": "oldest", "last_success_ms": "last_success"}
    shown = {renamed.get(name, name): value for name, value in found.items()}
    shown["again"] = shown.get("again") or None
    return shown
