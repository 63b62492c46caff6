"""Who asks over HTTP: an `Authorization: Bearer` header, or nobody in particular."""

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.auth import Principal
from api.http.problem import Problem
from api.service import Service

_SCHEME: Final = HTTPBearer(
    auto_error=False,
    description="A token of `songtien token create`. Where the service lets people look "
    'without one (`[auth] anonymous = "viewer"`), only operators need it.',
)


async def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceHere = Annotated[Service, Depends(service_of)]


async def viewer(
    request: Request,
    service: ServiceHere,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
) -> Principal:
    """Anybody who may look.

    The header is read here and not by `HTTPBearer`, which takes a wrong scheme for nothing
    at all: who shows something that isn't valid is told so, not taken for a passer-by.
    """
    header = request.headers.get("authorization")
    if header is None:
        principal = service.doorkeeper.by_token(None, service.now_ms())
        if principal is None:
            raise Problem("unauthorized", "this service shows nothing without a token")
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


Viewer = Annotated[Principal, Depends(viewer)]


async def signed_in(principal: Viewer) -> Principal:
    """Anybody with a token, of whatever role."""
    if principal.anonymous:
        raise Problem("unauthorized", "this needs a token")
    return principal


async def operator(principal: Viewer) -> Principal:
    """An operator or an admin."""
    if principal.anonymous:
        raise Problem("unauthorized", "this needs the token of an operator")
    if not principal.may("operator"):
        raise Problem("forbidden", f"this needs an operator; the token shown is a {principal.role}")
    return principal


async def admin(principal: Viewer) -> Principal:
    """An admin."""
    if principal.anonymous:
        raise Problem("unauthorized", "this needs the token of an admin")
    if not principal.may("admin"):
        raise Problem(
            "forbidden", f"this needs an admin; the token shown is of an {principal.role}"
        )
    return principal


SignedIn = Annotated[Principal, Depends(signed_in)]
Operator = Annotated[Principal, Depends(operator)]
Admin = Annotated[Principal, Depends(admin)]
