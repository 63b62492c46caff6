"""Signing in and out: a password for a session, kept by the browser as an HttpOnly cookie."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from api.auth import AuthError, Principal
from api.auth.officers import Proven
from api.auth.passwords import check_password
from api.auth.principal import as_kept
from api.http.access import COOKIE, ServiceHere, SignedIn, Viewer, check_own_page
from api.http.answer import answer, encoded
from api.http.bodies import OwnPasswordBody, SignInBody
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.shapes import SessionEnd, SessionShape, WhoShape
from api.service import Service

router = APIRouter(tags=["service"])

HASHING_MAX: Final = 2
"""Passwords that are checked at one time: each takes 64 MiB and a processor."""

WAITING_MAX: Final = 16
"""That wait for it; whoever comes then is told to come again."""

PATH: Final = "/api/v1/session"

WRONG: Final = "name or password is wrong"

T = TypeVar("T")


class PasswordChecks:
    """Work that is slow on purpose, on worker threads: a little at a time, and not too much."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(HASHING_MAX)
        self._under_way = 0

    async def run(self, act: Callable[[], T]) -> T:
        """What `act` gives. Raises a problem where too many wait already."""
        if self._under_way >= HASHING_MAX + WAITING_MAX:
            raise Problem("busy", "very many people sign in at this moment")
        self._under_way += 1
        try:
            return await to_thread.run_sync(act, limiter=self._limiter)
        finally:
            self._under_way -= 1


@router.post(
    PATH,
    summary="Sign in",
    response_model=SessionShape,
    responses={
        200: example({"name": "an", "role": "operator", "expires": 1767043200000}),
        **documented("wrong-password", "forbidden", "invalid", "too-many-tries", "busy"),
    },
)
async def sign_in(request: Request, service: ServiceHere, body: SignInBody) -> Response:
    """Sets the cookie `songtien` (HttpOnly, SameSite=Strict), which every route takes in place of
    a token. With all but GET and HEAD a page sends `X-Songtien: 1` beside it, and here too.
    `expires` is when the session ends unless it is used. Failures make the next try wait.
    """
    check_own_page(request, service, browser=False)
    proven = await _proven(request, service, "session.begin", body.name, body.password)
    return await _begun(request, service, proven)


@router.post(
    f"{PATH}/password",
    summary="Give yourself another password",
    response_model=SessionShape,
    responses={
        200: example({"name": "an", "role": "operator", "expires": 1767043200000}),
        **documented(
            "unauthorized", "wrong-password", "forbidden", "invalid", "too-many-tries", "busy"
        ),
    },
)
async def own_password(
    request: Request, service: ServiceHere, principal: SignedIn, body: OwnPasswordBody
) -> Response:
    """For officers in a session, who show the old one. All their sessions end; this browser has
    a new one. Failures make the next try wait, as with signing in.
    """
    if not principal.credential.startswith("session "):
        raise Problem("forbidden", "this is for officers who signed in; a token has no password")
    try:
        check_password(body.password)
    except AuthError as error:
        raise invalid("password", str(error), where="body") from error
    proven = await _proven(request, service, "session.password", principal.name, body.old)
    store, now_ms = service.doorkeeper.tokens, service.now_ms()

    def change() -> bool:
        done = store.officers.set_password(principal.name, body.password, now_ms)
        store.record(principal, "session.password", "done" if done else "not found", now_ms)
        return done

    checks: PasswordChecks = request.app.state.password_checks
    if not await checks.run(change):
        raise Problem("wrong-password", WRONG)
    return await _begun(request, service, replace(proven, changed_ms=now_ms))


async def _proven(
    request: Request, service: Service, what: str, name: str, password: str
) -> Proven:
    """The officer of that name and password; raises a problem. `what` is for the audit."""
    name, address, tries = as_kept(name), address_of(request), service.doorkeeper.tries
    wait_ms = tries.begin(name, address, service.now_ms())
    if wait_ms > 0:
        wait_s = -(-wait_ms // 1000)
        raise Problem(
            "too-many-tries",
            f"too many failed tries; the next may come in {wait_s} s",
            more={"retry_after_s": wait_s},
            headers={"Retry-After": str(wait_s)},
        )
    checks: PasswordChecks = request.app.state.password_checks
    officers = service.doorkeeper.tokens.officers
    try:
        proven = await checks.run(lambda: officers.prove(name, password))
    except Problem:
        tries.not_tried(name, address)
        raise
    if proven is None:
        await _note_failure(service, what, name, address)
        raise Problem("wrong-password", WRONG)
    tries.succeeded(name, address)
    return proven


async def _note_failure(service: Service, act: str, name: str, address: str) -> None:
    """A name that nobody has is not written down: people type passwords there."""
    store = service.doorkeeper.tokens

    def note() -> None:
        role = store.officers.role_of(name)
        who = Principal(name, role) if role is not None else Principal("", "viewer")
        what = f"{act} from {address}"
        outcome = "wrong password" if role is not None else "no such officer"
        store.record(who, what, outcome, service.now_ms())

    await to_thread.run_sync(note)


async def _begun(request: Request, service: Service, proven: Proven) -> Response:
    """A new session, never one that the browser has brought: nobody can plant theirs on it."""
    keeper, address, now_ms = service.doorkeeper, address_of(request), service.now_ms()
    store, brought = keeper.tokens, request.cookies.get(COOKIE)

    def begin() -> tuple[str, Principal, int] | None:
        if brought is not None:
            _end(service, brought)
        found = store.sessions.begin(proven, keeper.lifetime, now_ms, address=address)
        if found is None:
            return None
        secret, record = found
        store.record(record.principal, f"session.begin from {address}", "done", now_ms)
        return secret, record.principal, record.expires_ms

    found = await to_thread.run_sync(begin)
    if found is None:
        raise Problem("wrong-password", WRONG)
    secret, principal, expires_ms = found
    response = answer(
        encoded({"name": principal.name, "role": principal.role, "expires": expires_ms})
    )
    response.set_cookie(
        COOKIE,
        secret,
        max_age=keeper.lifetime.longest_ms // 1000,
        path="/",
        secure=_secure(request, service),
        httponly=True,
        samesite="strict",
    )
    return response


@router.get(
    PATH,
    summary="Who is signed in",
    response_model=WhoShape,
    responses={
        200: example({"name": "an", "role": "operator"}),
        **documented("unauthorized"),
    },
)
async def who(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """The name is empty for somebody who has not signed in, and may look all the same."""
    response = answer(encoded({"name": principal.name, "role": principal.role}))
    if principal.anonymous and COOKIE in request.cookies:
        _forget(response, request, service)
    return response


@router.delete(
    PATH,
    summary="Sign out",
    response_model=SessionEnd,
    responses={200: example({"ended": True}), **documented("forbidden")},
)
async def sign_out(request: Request, service: ServiceHere) -> Response:
    """Ends the session of the cookie, and its live sockets within a few seconds."""
    secret, ended = request.cookies.get(COOKIE), False
    if secret is not None:
        check_own_page(request, service)
        ended = await to_thread.run_sync(_end, service, secret)
    response = answer(encoded({"ended": ended}))
    _forget(response, request, service)
    return response


def _end(service: Service, secret: str) -> bool:
    """End the session of this secret, if there is one. On a worker thread."""
    store, now_ms = service.doorkeeper.tokens, service.now_ms()
    session = store.sessions.of(secret, now_ms)
    if session is None:
        return False
    store.sessions.end(session.id)
    store.record(session.principal, "session.end", "done", now_ms)
    return True


def address_of(request: Request) -> str:
    """Who is at the other end, by the proxy's word where the configuration trusts one."""
    return "" if request.client is None else request.client.host


def _forget(response: Response, request: Request, service: Service) -> None:
    secure = _secure(request, service)
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="strict")


def _secure(request: Request, service: Service) -> bool:
    return service.doorkeeper.secure_cookies or request.url.scheme == "https"
