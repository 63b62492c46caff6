"""The newest value of every series: what thousands of phones poll."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.http.access import Viewer
from api.http.answer import COMPRESS_FROM_BYTES, JSON, accepts_gzip, compressed, encoded
from api.http.etag import matches, weak_etag
from api.http.health import example
from api.http.problem import documented, invalid
from api.http.rewind import Shown, caching, past_of
from api.http.shapes import State
from api.live.where import parse_where
from api.service import Service

router = APIRouter()

MAX_AGE_S: Final = 30
FILTER_MAX: Final = 200
KEPT_ANSWERS: Final = 64
KINDS: Final = ("salinity", "traffic", "river", "bridge")

_EXAMPLE: Final = {
    "pos": "k3f9.88200",
    "items": [
        {
            "k": "vk-01/salinity_g_l",
            "v": 3.21,
            "t": 1766999990000,
            "q": 1,
            "st": "live",
            "station": "vam-kenh",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was at `pos`, in both encodings."""

    pos: str
    etag: str
    plain: bytes
    gzipped: bytes | None


class Answers:
    """The answers to the questions asked last, each until the position moves on.

    Bounded by number; the one asked longest ago goes first.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Kept] = OrderedDict()

    def get(self, service: Service, stations: tuple[str, ...], kinds: tuple[str, ...]) -> Kept:
        question = (stations, kinds)
        kept = self._kept.pop(question, None)
        if kept is None or kept.pos != service.items_pos():
            kept = _fresh(service, stations, kinds)
        self._kept[question] = kept
        if len(self._kept) > KEPT_ANSWERS:
            self._kept.popitem(last=False)
        return kept


def _fresh(service: Service, stations: tuple[str, ...], kinds: tuple[str, ...]) -> Kept:
    asked = {"station": list(stations), "kind": list(kinds)}
    where = parse_where({name: wanted for name, wanted in asked.items() if wanted})
    pos, listed = service.items_pos(), service.items_json(where)
    # The tag is of the items alone: the position also moves when other series change.
    plain = b'{"pos":' + encoded(pos) + b',"items":' + listed + b"}"
    gzipped = compressed(plain) if len(plain) >= COMPRESS_FROM_BYTES else None
    return Kept(pos, weak_etag(listed), plain, gzipped)


@router.get(
    "/api/v1/state",
    tags=["readings"],
    summary="Newest values",
    response_model=State,
    responses={
        200: example(_EXAMPLE),
        304: {"description": "Unchanged since the answer whose `ETag` was sent along"},
        **documented("unauthorized", "invalid"),
    },
)
async def state(
    request: Request,
    service: Shown,
    principal: Viewer,
    station: Annotated[
        list[str] | None, Query(description="only these stations; repeat it or join by commas")
    ] = None,
    kind: Annotated[
        list[str] | None,
        Query(description="`salinity`, `traffic`, `river`, `bridge`; repeat it or join by commas"),
    ] = None,
) -> Response:
    """The snapshot, as the live socket's channel `state` gives it. Send the `ETag` of the last
    answer as `If-None-Match`: nothing has changed, 304 without a body.
    """
    del principal
    known = service.registry().stations
    stations = _filter("station", station, known)
    kinds = _filter("kind", kind, dict.fromkeys(KINDS))
    answers = request.app.state.answers
    assert isinstance(answers, Answers)
    past = past_of(request)
    kept = (
        answers.get(service, stations, kinds) if past is None else _fresh(service, stations, kinds)
    )
    scope = "public" if service.doorkeeper.anonymous else "private"
    headers = {
        "ETag": kept.etag,
        "Cache-Control": f"{scope}, max-age={MAX_AGE_S}",
        "Vary": f"Accept-Encoding, Authorization{'' if scope == 'public' else ', Cookie'}",
        **caching(request),
    }
    if matches(request.headers.get("if-none-match"), kept.etag):
        return Response(status_code=304, headers=headers)
    if kept.gzipped is not None and accepts_gzip(request.headers.get("accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        return Response(kept.gzipped, media_type=JSON, headers=headers)
    return Response(kept.plain, media_type=JSON, headers=headers)


def _filter(name: str, given: list[str] | None, known: Any) -> tuple[str, ...]:
    """Sorted, so that the same question in another order is the same question."""
    wanted = sorted({one for text in given or () for one in text.split(",") if one})
    if len(wanted) > FILTER_MAX:
        raise invalid(name, f"{len(wanted)} are too many; at most {FILTER_MAX} are accepted")
    for one in wanted:
        if one not in known:
            listed = ", ".join(sorted(known)[:20])
            raise invalid(name, f"{one[:80]!r} is not known; accepted are {listed} …")
    return tuple(wanted)
