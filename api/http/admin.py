"""For admins: officers, where they are signed in, and the audit."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from api.auth import AuthError, Principal
from api.auth.officers import OfficerRecord
from api.auth.principal import as_kept
from api.auth.sessions import credential_of
from api.http.access import Admin, ServiceHere
from api.http.answer import answer, encoded
from api.http.bodies import OfficerBody, PasswordBody, RoleBody
from api.http.health import example
from api.http.problem import Problem, documented, invalid
from api.http.session import PasswordChecks
from api.http.shapes import Audit, Officers, OfficerShape, SessionEnd, SessionList
from api.service import Service

router = APIRouter(tags=["admins"])

Name = Annotated[str, InPath(description="of the officer", max_length=200)]

_OFFICER = {
    "name": "an",
    "role": "operator",
    "created": 1767000000000,
    "changed": 1767000000000,
    "sessions": 1,
}
_PROBLEMS = documented("unauthorized", "forbidden", "not-found", "invalid", "busy")


def _document(record: OfficerRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "role": record.role,
        "created": record.created_ms,
        "changed": record.changed_ms,
        "sessions": record.sessions,
    }


@router.get(
    "/api/v1/users",
    summary="Officers",
    response_model=Officers,
    responses={200: example({"items": [_OFFICER]}), **documented("unauthorized", "forbidden")},
)
async def users(service: ServiceHere, principal: Admin) -> Response:
    """By name, with where they are signed in as a count."""
    del principal
    officers = service.doorkeeper.tokens.officers
    found = await to_thread.run_sync(officers.list, service.now_ms())
    return answer(encoded({"items": [_document(one) for one in found]}))


@router.post(
    "/api/v1/users",
    summary="Add an officer",
    response_model=OfficerShape,
    responses={200: example({**_OFFICER, "sessions": 0}), **_PROBLEMS},
)
async def add(
    request: Request, service: ServiceHere, principal: Admin, body: OfficerBody
) -> Response:
    """Who may sign in from now on."""
    officers = service.doorkeeper.tokens.officers

    def act() -> bool:
        officers.add(body.name, body.role, body.password, service.now_ms())
        return True

    what = f"user.add {as_kept(body.name)} {body.role}"
    await _changed(request, service, principal, what, act)
    return await _officer(service, body.name)


@router.post(
    "/api/v1/users/{name}/password",
    summary="Give an officer another password",
    response_model=OfficerShape,
    responses={200: example({**_OFFICER, "sessions": 0}), **_PROBLEMS},
)
async def password(
    request: Request, service: ServiceHere, principal: Admin, name: Name, body: PasswordBody
) -> Response:
    """Ends all sessions of the officer, who signs in anew."""
    officers = service.doorkeeper.tokens.officers
    await _changed(
        request,
        service,
        principal,
        f"user.password {name}",
        lambda: officers.set_password(name, body.password, service.now_ms()),
    )
    return await _officer(service, name)


@router.post(
    "/api/v1/users/{name}/role",
    summary="Give an officer another role",
    response_model=OfficerShape,
    responses={200: example({**_OFFICER, "sessions": 0}), **_PROBLEMS},
)
async def role(
    request: Request, service: ServiceHere, principal: Admin, name: Name, body: RoleBody
) -> Response:
    """Ends all sessions of the officer. Nobody changes a role of their own: that is how the last
    admin would go.
    """
    _refuse_self(principal, name)
    officers = service.doorkeeper.tokens.officers
    await _changed(
        request,
        service,
        principal,
        f"user.role {name} {body.role}",
        lambda: officers.set_role(name, body.role, service.now_ms()),
    )
    return await _officer(service, name)


@router.delete(
    "/api/v1/users/{name}",
    summary="Remove an officer",
    response_model=SessionEnd,
    responses={200: example({"ended": True}), **_PROBLEMS},
)
async def remove(request: Request, service: ServiceHere, principal: Admin, name: Name) -> Response:
    """Ends all sessions of the officer. What the audit says of them stays. Nobody removes
    themselves.
    """
    _refuse_self(principal, name)
    officers = service.doorkeeper.tokens.officers
    await _changed(
        request, service, principal, f"user.remove {name}", lambda: officers.remove(name)
    )
    return answer(encoded({"ended": True}))


@router.get(
    "/api/v1/sessions",
    summary="Where officers are signed in",
    response_model=SessionList,
    responses={
        200: example(
            {
                "items": [
                    {
                        "id": "5f1a0c9be2d4",
                        "name": "an",
                        "role": "operator",
                        "address": "10.0.0.9",
                        "begun": 1767000000000,
                        "used": 1767000060000,
                        "expires": 1767043260000,
                        "own": False,
                    }
                ]
            }
        ),
        **documented("unauthorized", "forbidden"),
    },
)
async def sessions(service: ServiceHere, principal: Admin) -> Response:
    """Those that live, the newest first; `own` is the one that asks."""
    found = await to_thread.run_sync(service.doorkeeper.tokens.sessions.list, service.now_ms())
    items = [
        {
            "id": one.id,
            "name": one.name,
            "role": one.role,
            "address": one.address,
            "begun": one.begun_ms,
            "used": one.used_ms,
            "expires": one.expires_ms,
            "own": credential_of(one.id) == principal.credential,
        }
        for one in found
    ]
    return answer(encoded({"items": items}))


@router.delete(
    "/api/v1/sessions/{id}",
    summary="End a session",
    response_model=SessionEnd,
    responses={200: example({"ended": True}), **_PROBLEMS},
)
async def end_session(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    id: Annotated[str, InPath(max_length=64)],  # noqa: A002 - the name in the URL
) -> Response:
    """Its live sockets are closed within a few seconds."""
    store = service.doorkeeper.tokens
    await _changed(
        request,
        service,
        principal,
        f"session.end {id}",
        lambda: store.sessions.end(id) is not None,
        unknown="there is no such session",
    )
    return answer(encoded({"ended": True}))


@router.get(
    "/api/v1/audit",
    summary="Who did what",
    response_model=Audit,
    responses={
        200: example(
            {
                "items": [
                    {
                        "id": 812,
                        "t": 1767000000000,
                        "who": "an",
                        "role": "operator",
                        "what": "alert.ack 5f1a0c9be2d47788 ver 3",
                        "outcome": "done",
                    }
                ],
                "next": None,
            }
        ),
        **documented("unauthorized", "forbidden", "invalid"),
    },
)
async def audit(
    request: Request,
    service: ServiceHere,
    principal: Admin,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[
        int | None, Query(ge=1, le=2**62, description="`next` of the page before")
    ] = None,
) -> Response:
    """The newest first. `who` is empty where somebody failed to sign in by a name that there
    isn't.
    """
    del principal
    store = service.doorkeeper.tokens
    found = await to_thread.run_sync(store.audit, limit + 1, after)
    shown = found[:limit]
    items = [
        {
            "id": line.id,
            "t": line.at_ms,
            "who": line.who,
            "role": line.role,
            "what": line.what,
            "outcome": line.outcome,
        }
        for line in shown
    ]
    following = str(shown[-1].id) if len(found) > limit else None
    body = encoded({"items": items, "next": following})
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


async def _changed(
    request: Request,
    service: Service,
    principal: Principal,
    what: str,
    act: Callable[[], bool],
    *,
    unknown: str = "there is no officer of that name",
) -> None:
    """Do it on a worker thread, beside those who sign in, and write it into the audit."""
    store = service.doorkeeper.tokens

    def audited() -> bool:
        outcome = "refused"
        try:
            done = act()
            outcome = "done" if done else "not found"
        finally:
            store.record(principal, what, outcome, service.now_ms())
        return done

    checks: PasswordChecks = request.app.state.password_checks
    with _faults_named():
        done = await checks.run(audited)
    if not done:
        raise Problem("not-found", unknown)


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except AuthError as error:
        named = re.match(r"[a-z]+", str(error))
        assert named is not None
        raise invalid(named[0], str(error), where="body") from error


async def _officer(service: Service, name: str) -> Response:
    officers = service.doorkeeper.tokens.officers
    found = await to_thread.run_sync(officers.find, name, service.now_ms())
    if found is None:
        raise Problem("not-found", "the officer was removed meanwhile")
    return answer(encoded(_document(found)))


def _refuse_self(principal: Principal, name: str) -> None:
    if principal.credential.startswith("session ") and principal.name == as_kept(name):
        raise Problem("forbidden", "nobody does this to themselves: ask another admin")
