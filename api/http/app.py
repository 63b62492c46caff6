"""The HTTP door: one FastAPI application over a `Service`."""

from typing import Any

import anyio
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from api.http import (
    acts,
    admin,
    alerts,
    broadcasts,
    cap,
    checks,
    dead_letters,
    desk,
    documents,
    farmers,
    health,
    inbound,
    me,
    nongdan,
    nongdan_people,
    nongdan_pond,
    pages,
    people,
    pictures,
    pond,
    problem,
    reports,
    rewind,
    rules,
    season,
    series,
    session,
    signup,
    state,
    stations,
    subscriptions,
    telling,
    ticket,
    webhooks,
)
from api.http.asked import PREFIX, known_query
from api.http.kept import Kept
from api.http.metrics import registry_of
from api.http.shell import HttpMeters, Shell
from api.service import Service

_DESCRIPTION = """\
Salinity in the mouths of the Tiền River and traffic on the Rạch Miễu bridges.

Times in answers are milliseconds since 1970, UTC; times in questions are that, or RFC 3339.
Every error is a problem document (RFC 9457). Values carry QARTOD's quality flags: 1 pass,
2 not evaluated, 3 suspect, 4 fail, 9 missing. New fields may appear in any answer.
"""


def create_app(service: Service) -> FastAPI:
    """The application. It starts no task and opens no file; whoever made `service` runs it."""
    app = FastAPI(
        title="songtien",
        version=service.about.version,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(known_query)],
    )
    app.state.service = service
    app.state.metrics = registry_of(service.accounting)
    app.state.answers = state.Answers()
    app.state.password_checks = session.PasswordChecks()
    app.state.reports = Kept()
    app.state.trials = telling.Trials()
    app.state.people_callers = anyio.CapacityLimiter(people.AT_ONCE)
    app.state.farm = nongdan.Kept()
    app.state.places = farmers.PlacesKept()
    app.state.seasons = season.Seasons()
    app.state.history_readers = anyio.CapacityLimiter(series.READERS_MAX)
    # What thousands of phones ask stands first: a route is found by trying them in this order.
    for part in (
        nongdan,
        state,
        farmers,
        health,
        stations,
        series,
        alerts,
        acts,
        rules,
        desk,
        pictures,
        rewind,
        checks,
        reports,
        cap,
        dead_letters,
        webhooks,
        telling,
        broadcasts,
        ticket,
        session,
        admin,
        signup,
        me,
        subscriptions,
        inbound,
        documents,
        pond,
        nongdan_pond,
        nongdan_people,
        pages,
    ):
        app.include_router(part.router)
    problem.install(app)
    app.add_middleware(Shell, about=lambda: service.about, meters=HttpMeters(app.state.metrics))
    # FastAPI's own place for a document that is more than it generates.
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1, with the kinds of problems beside the routes."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[
                {"name": "readings", "description": "Stations, newest values, history."},
                {"name": "alerts", "description": "Rules, and what they raised."},
                {"name": "farmers", "description": "May water be taken; messages to farmers."},
                {"name": "operators", "description": "For operators alone."},
                {"name": "admins", "description": "Officers, their sessions, the audit."},
                {"name": "service", "description": "Health, metrics, sign-in."},
            ],
        )
        for path, methods in found["paths"].items():
            for operation in methods.values() if path.startswith(PREFIX) else ():
                # A name in the query that no route knows is refused by all of them.
                for status, refusal in problem.documented("invalid").items():
                    operation["responses"].setdefault(str(status), refusal)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = dict(problem.SCHEMA)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        found["x-problems"] = {
            name: {"status": kind.status, "title": kind.title, "advice": kind.advice}
            for name, kind in problem.KINDS.items()
        }
        app.openapi_schema = found
    return app.openapi_schema
