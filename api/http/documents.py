"""The documents of both doors, and the pages that draw them: nothing comes from elsewhere."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.asyncapi import document
from api.asyncapi.document import Place
from api.http.access import ServiceHere
from api.http.answer import answer
from api.http.shell import live_url

router = APIRouter(include_in_schema=False)

REFERENCE: Final = StaticFiles(directory=Path(__file__).parent / "reference")
PARTS: Final = frozenset({"docs.css", "docs.js", "schema.js", "http.js", "async.js"})
PLACES_KEPT: Final = 8

# By where the service was asked: the same text for all who ask at the same address.
_text: Final = lru_cache(maxsize=PLACES_KEPT)(document.text)


@router.get("/asyncapi.json")
async def asyncapi(request: Request, service: ServiceHere) -> Response:
    """The AsyncAPI document. Where nobody may look without a token, it doesn't name the broker."""
    about = service.about
    secure = request.url.scheme == "https"
    place = Place(
        version=about.version,
        live_url=live_url(about, request.headers.get("host"), secure=secure),
        broker_url=about.broker_url if service.doorkeeper.anonymous else "",
        root=about.root,
    )
    accepted = request.headers.get("accept-encoding")
    return await run_in_threadpool(lambda: answer(_text(place), accept_encoding=accepted))


@router.get("/docs/http")
async def of_http(request: Request) -> Response:
    """A page that draws itself from /openapi.json."""
    return await _part("http.html", request)


@router.get("/docs/async")
async def of_live_and_devices(request: Request) -> Response:
    """A page that draws itself from /asyncapi.json."""
    return await _part("async.html", request)


@router.get("/docs/{name}")
async def part(request: Request, name: str) -> Response:
    """A script or the style of both pages."""
    if name not in PARTS:
        raise HTTPException(404)
    return await _part(name, request)


async def _part(name: str, request: Request) -> Response:
    response = await REFERENCE.get_response(name, request.scope)
    response.headers["Cache-Control"] = "no-cache"
    return response
