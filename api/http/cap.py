"""Alerts in the Common Alerting Protocol 1.2: a feed of documents, for displays and partners."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from alerts import cap
from api.http.access import ServiceHere, Viewer
from api.http.answer import answer
from api.http.etag import matches, weak_etag
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.shell import own_url
from api.service import Outside
from ingest.registry import Registry

router = APIRouter()

NEWEST = 200
"""Events whose alerts stand in the feed, beside the alerts that hold."""

Identifier = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{16}(\.[1-9][0-9]{0,5})?$",
        description="an alert's id; `.2` and on for what replaced the first document",
    ),
]

_FEED = """\
<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <entry>
    <title>Xuân Hòa: 4,1 g/l, vượt mức 4 g/l, từ 29/12/2025 06:40</title>
    <updated>2025-12-29T06:40:02+07:00</updated>
    <link rel="alternate" type="application/cap+xml" href="…/cap/5f1a0c9be2d47788.xml" />
  </entry>
</feed>
"""
_DOCUMENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>5f1a0c9be2d47788</identifier>
  <sent>2025-12-29T06:40:02+07:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
</alert>
"""


@router.get(
    "/cap/alerts.atom",
    tags=["alerts"],
    summary="Alerts as an Atom feed of CAP documents",
    response_class=Response,
    responses={200: example(_FEED, cap.ATOM_TYPE), **documented("unauthorized")},
)
async def feed(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """Every document of the alerts that hold and of those of late, newest first. Look at
    `status`: what is simulated is an Exercise, what is about the instruments is System.
    """
    del principal
    own = own_url(request.headers.get("host"), secure=request.url.scheme == "https")

    def made() -> bytes:
        alerts = service.outside.current(NEWEST)
        sent = [message for events in alerts for message in cap.messages(events)]
        return cap.feed(sent, service.outside.sender, f"{own}/cap/")

    body = await run_in_threadpool(made)
    etag = weak_etag(body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return answer(
        body,
        media_type=cap.ATOM_TYPE,
        accept_encoding=request.headers.get("accept-encoding"),
        headers=headers,
    )


@router.get(
    "/cap/{id}.xml",
    tags=["alerts"],
    summary="One CAP document",
    response_class=Response,
    responses={
        200: example(_DOCUMENT, cap.CAP_TYPE),
        **documented("unauthorized", "not-found", "invalid"),
    },
)
async def document(service: ServiceHere, principal: Viewer, id: Identifier) -> Response:  # noqa: A002
    """CAP 1.2, in Vietnamese and English. A document stays as it is; updates and cancels have
    documents of their own, which name it under `references`.
    """
    del principal
    body = await run_in_threadpool(_document, service.outside, service.registry(), id)
    if body is None:
        raise Problem("not-found", f"there is no CAP document {id}")
    return answer(body, media_type=cap.CAP_TYPE)


def _document(outside: Outside, registry: Registry, identifier: str) -> bytes | None:
    for message in cap.messages(outside.of_alert(identifier.partition(".")[0])):
        if message.identifier == identifier:
            return cap.document(message, outside.sender, registry)
    return None
