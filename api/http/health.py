"""Is it alive, is it ready, what does it count, what is it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client.exposition import choose_encoder

from api.http.access import ServiceHere, Viewer
from api.http.answer import answer, encoded
from api.http.problem import Problem, documented
from api.http.shapes import AboutShape, Health, Ready
from api.http.shell import live_url

router = APIRouter()


def example(value: Any, media_type: str = "application/json") -> dict[str, Any]:
    """OpenAPI content with one example."""
    return {"content": {media_type: {"example": value}}}


@router.get(
    "/healthz",
    tags=["service"],
    summary="Alive",
    response_model=Health,
    responses={200: example({"status": "alive"}), **documented()},
)
async def healthz() -> Response:
    """The process answers. Says nothing of readings: that is `/readyz`."""
    return answer(encoded({"status": "alive"}))


@router.get(
    "/readyz",
    tags=["service"],
    summary="Ready",
    response_model=Ready,
    responses={200: example({"ready": True}), **documented("not-ready")},
)
async def readyz(service: ServiceHere) -> Response:
    """200 only while readings flow from end to end; else 503 with every reason."""
    reasons = service.not_ready()
    if reasons:
        found = [{"code": reason.code, "detail": reason.detail} for reason in reasons]
        detail = "; ".join(reason.detail for reason in reasons)
        raise Problem("not-ready", detail, more={"ready": False, "reasons": found})
    return answer(encoded({"ready": True}))


_METRICS_EXAMPLE = """\
# HELP songtien_samples_received_total Samples counted at decoding, since the process began.
# TYPE songtien_samples_received_total counter
songtien_samples_received_total 1204.0
songtien_samples_total{outcome="duplicate"} 3.0
songtien_samples_total{outcome="rejected"} 1.0
songtien_samples_total{outcome="stored"} 1198.0
songtien_samples_in_flight 2.0
"""


@router.get(
    "/metrics",
    tags=["service"],
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: example(_METRICS_EXAMPLE, "text/plain"), **documented("unauthorized")},
)
async def metrics(request: Request, principal: Viewer) -> Response:
    """All counters and gauges. The samples' accounting is of one moment:
    received = stored + duplicate + rejected + in flight, in every answer.
    """
    del principal
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    body = await run_in_threadpool(encode, request.app.state.metrics)
    return Response(body, headers={"Content-Type": content_type, "Vary": "Accept"})


@router.get(
    "/api/v1/about",
    tags=["service"],
    summary="Version and defaults",
    response_model=AboutShape,
    responses={
        200: example(
            {
                "name": "songtien",
                "version": "0.1.0",
                "live_url": "ws://127.0.0.1:8081/live",
                "demo": False,
                "anonymous": "viewer",
                "language": "vi",
                "timezone": "Asia/Ho_Chi_Minh",
                "map": {
                    "lat": 10.27,
                    "lon": 106.45,
                    "zoom": 10,
                    "tiles_url": None,
                    "tiles_source": "",
                },
                "now": 1767000000000,
            }
        ),
        **documented(),
    },
)
async def about(request: Request, service: ServiceHere) -> Response:
    """What a client must know first; open to everybody, so that a page can ask for a token."""
    known = service.about
    secure = request.url.scheme == "https"
    return answer(
        encoded(
            {
                "name": "songtien",
                "version": known.version,
                "live_url": live_url(known, request.headers.get("host"), secure=secure),
                "demo": known.demo,
                "anonymous": known.anonymous,
                "language": known.language,
                "timezone": "Asia/Ho_Chi_Minh",
                "map": {
                    "lat": known.map.lat,
                    "lon": known.map.lon,
                    "zoom": known.map.zoom,
                    "tiles_url": known.map.tiles_url,
                    "tiles_source": known.map.tiles_source,
                },
                "now": service.now_ms(),
            }
        )
    )
