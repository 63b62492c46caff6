"""Who asks over HTTP: an `Authorization: Bearer` header, a session's cookie, or nobody."""

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.auth import Principal
from api.http.problem import Problem
from api.live.origin import split_origin
from api.service import Service

COOKIE: Final = "songtien"
OWN_HEADER: Final = "x-songtien"
"""A page of elsewhere can't send a header of its own without being asked for first, and is not
let by then. Forms, images and links can't send one at all.
"""

_SCHEME: Final = HTTPBearer(
    auto_error=False,
    description="A token of `songtien token create`. Where the service lets people look "
    'without one (`[auth] anonymous = "viewer"`), only operators need it.',
)
_COOKIE_SCHEME: Final = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description="The session of an officer who has signed in with `POST /api/v1/session`. Beside "
    "it a page sends `X-Songtien: 1` with all that is not GET or HEAD.",
)


async def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceHere = Annotated[Service, Depends(service_of)]


async def viewer(
    request: Request,
    service: ServiceHere,
    _token: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
    _cookie: Annotated[str | None, Security(_COOKIE_SCHEME)],
) -> Principal:
    """Anybody who may look.

    The header is read here and not by `HTTPBearer`, which takes a wrong scheme for nothing
    at all: who shows something that isn't valid is told so, not taken for a passer-by. A
    cookie is sent by the browser whether or not its session is over, so that one is nobody.
    """
    header = request.headers.get("authorization")
    secret = request.cookies.get(COOKIE)
    if header is None:
        found = None if secret is None else await _in_session(request, service, secret)
        principal = found or service.doorkeeper.nobody()
        if principal is None:
            raise Problem("unauthorized", "this service shows nothing to people not signed in")
        return principal
    scheme, _, token = header.partition(" ")
    found = None
    if scheme.lower() == "bearer":
        found = await run_in_threadpool(
            service.doorkeeper.by_token, token.strip(), service.now_ms()
        )
    if found is None:
        raise Problem(
            "unauthorized",
            "the token shown is unknown, expired or revoked, or not shown as `Bearer …`",
            headers={"WWW-Authenticate": 'Bearer realm="songtien", error="invalid_token"'},
        )
    return found


async def _in_session(request: Request, service: Service, secret: str) -> Principal | None:
    if request.method not in {"GET", "HEAD"}:
        check_own_page(request, service)
    return await run_in_threadpool(service.doorkeeper.by_session, secret, service.now_ms())


def check_own_page(request: Request, service: Service, *, browser: bool = True) -> None:
    """Raise a problem unless a page of the service's own asks (against forged requests, CSRF).

    browser : whether it must be a browser, which says of which page a request comes
    """
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if request.headers.get(OWN_HEADER) != "1":
        raise Problem("forbidden", "this needs the header `X-Songtien: 1` beside the cookie")
    if site is not None:  # no script can say this, and none can leave it out
        own = site == "same-origin"
    elif origin is not None:
        page = split_origin(origin.lower())
        scheme, host = origin.partition(":")[0], request.headers.get("host", "")
        ours = (f"{scheme}://{host}".lower(), *service.doorkeeper.origins)
        own = page is not None and page in map(split_origin, ours)
    else:
        own = not browser
    if not own:
        raise Problem("forbidden", "a cookie counts for pages of this service alone")


Viewer = Annotated[Principal, Depends(viewer)]


async def signed_in(principal: Viewer) -> Principal:
    """Anybody with a session or a token, of whatever role."""
    if principal.anonymous:
        raise Problem("unauthorized", "this is for people who have signed in")
    return principal


async def operator(principal: Viewer) -> Principal:
    """An operator or an admin."""
    return _with_role(principal, "operator")


async def admin(principal: Viewer) -> Principal:
    """An admin."""
    return _with_role(principal, "admin")


def _with_role(principal: Principal, role: str) -> Principal:
    if principal.anonymous:
        raise Problem("unauthorized", f"this needs an {role}: sign in, or show a token")
    if not principal.may(role):
        raise Problem("forbidden", f"this needs an {role}, and you are known as {principal.role}")
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]
Operator = Annotated[Principal, Depends(operator)]
Admin = Annotated[Principal, Depends(admin)]
