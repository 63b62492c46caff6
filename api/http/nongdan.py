"""The farmer's page: HTML for the cheapest phone, which needs neither a script nor a socket."""

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from alerts.farmers.answer import as_of
from alerts.river.picture import SAME_TIDE_MS
from api.farmpage import bulletins, curve, neighbours, page, plain
from api.farmpage.asked import Asked, asked
from api.farmpage.curve import Day, Point
from api.farmpage.frame import Assets
from api.farmpage.html import Markup
from api.farmpage.now import Seen, now
from api.http.access import ServiceHere, Viewer
from api.http.answer import accepts_gzip, compressed
from api.http.etag import matches, weak_etag
from api.http.problem import KINDS, Problem
from api.http.season import salinity_of
from api.http.series import readers
from api.live.where import parse_where
from api.service import Service
from ingest.reading import FUTURE_TOLERANCE_MS
from ingest.series import Series

MAX_AGE_S: Final = 30
KEPT_PAGES_MAX: Final = 512
PAGE_MS: Final = 10_000
"""A page is put together once in so long, whoever asks: on the day the river turns salty that is
tens of thousands."""

CURVE_MS: Final = 60_000
TRY_MS: Final = 10_000
OLD_CURVE_MS: Final = 900_000
CURVE_WAIT_S: Final = 4.0
"""The answer does not wait longer than this for its curve."""

POINTS_MAX: Final = 20_000
STEP_MS: Final = 300_000
GAP_INTERVALS: Final = 3
HTML: Final = "text/html; charset=utf-8"
MANIFEST: Final = "farm.json"

log = logging.getLogger(__name__)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class FarmRoute(APIRoute):
    """A route whose refusals are pages in plain words, never JSON."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def in_words(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                status = KINDS[problem.kind].status
                return refused(request, status, headers=problem.headers)
            except RequestValidationError:
                return refused(request, 422)
            except Exception:
                log.exception("a page for farmers failed")
                return refused(request, 500)

        return in_words


router = APIRouter(include_in_schema=False, route_class=FarmRoute)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it leaves, in both encodings. `till_ms`: what it says is good until then."""

    made_ms: int
    key: object
    etag: str
    plain: bytes
    gzipped: bytes
    till_ms: int | None


@dataclass(slots=True)
class Kept:
    """Pages and curves of the last moments. On the event loop alone; bounded."""

    pages: OrderedDict[tuple[str, Asked], Page] = field(default_factory=OrderedDict)
    curves: dict[str, tuple[int, tuple[Point, ...]]] = field(default_factory=dict)
    tried_ms: dict[str, int] = field(default_factory=dict)
    reading: dict[str, anyio.Lock] = field(default_factory=dict)

    def page(self, name: str, asked: Asked, key: object, now_ms: int) -> Page | None:
        found = self.pages.get((name, asked))
        if found is None or found.key != key or not 0 <= now_ms - found.made_ms < PAGE_MS:
            return None
        return found

    def curve(self, key: str, now_ms: int, at_most_ms: int) -> tuple[Point, ...] | None:
        """The readings of a series that are not older than this."""
        made_ms, points = self.curves.get(key, (now_ms - at_most_ms, ()))
        return points if 0 <= now_ms - made_ms < at_most_ms else None

    def may_try(self, key: str, now_ms: int) -> bool:
        """Where it could not be read a moment ago nobody waits for it again at once."""
        return not 0 <= now_ms - self.tried_ms.get(key, now_ms - TRY_MS) < TRY_MS

    def keep(self, name: str, asked: Asked, made: Page) -> None:
        self.pages[name, asked] = made
        self.pages.move_to_end((name, asked))
        while len(self.pages) > KEPT_PAGES_MAX:
            self.pages.popitem(last=False)


@router.get("/nong-dan")
async def farm_page(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """May I take water now? Without a place and a crop, the choice of them."""
    del principal
    return await _answered(request, service, "page")


@router.get("/nong-dan/luc-nay")
async def farm_now(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """The part of the page that grows old, for its script to put in place of the one it has."""
    del principal
    return await _answered(request, service, "now")


async def _answered(request: Request, service: Service, name: str) -> Response:
    intakes = service.registry().intakes
    asked_, faults = asked(request.query_params.multi_items(), intakes)
    assets = assets_of(service.pages)
    if faults or (name == "now" and not asked_.whole):
        body = page.refusal(asked_, faults, intakes, assets)
        return html(request, body, status=422)
    kept: Kept = request.app.state.farm
    answer, now_ms = answer_for(service, asked_), service.now_ms()
    key = (answer, id(service.registry()), assets)
    found = kept.page(name, asked_, key, now_ms)
    if found is None:
        seen = await _seen(request, service, asked_, answer, now_ms) if asked_.whole else None
        told = None if seen else _told_everywhere(service, asked_, now_ms)
        found = kept.page(name, asked_, key, now_ms)  # by somebody who asked at the same time
        if found is None:
            found = _made(
                name,
                asked_,
                seen,
                page.page(asked_, intakes, seen, assets, told),
                key,
                now_ms,
            )
            kept.keep(name, asked_, found)
    return _sent(request, service, found)


def _made(
    name: str, asked_: Asked, seen: Seen | None, whole: str, key: object, now_ms: int
) -> Page:
    answer = (seen and seen.answer) or {}
    if name == "page" or seen is None:
        body = whole.encode()
        etag = weak_etag(body)
    else:
        body = now(asked_, seen).encode()
        # Ages and the clock are told by the script itself: a page of which nothing else has
        # changed is the same.
        etag = weak_etag(msgspec.json.encode([asked_.query(), answer, _settled(seen)]))
    return Page(now_ms, key, etag, body, compressed(body), answer.get("until"))


def _settled(seen: Seen) -> list[object]:
    day = [] if seen.day is None else list(seen.day.today[-1:])
    around = [[one.name, one.g_l, one.t_ms, one.flag, one.state] for one in seen.around]
    told = list(seen.bulletins)
    return [seen.station, day, seen.day_fault, around, told, seen.now_ms // CURVE_MS // 10]


def _told_everywhere(service: Service, asked_: Asked, now_ms: int) -> Markup | None:
    found = bulletins.in_force(service.farmers.broadcasts(), None, now_ms)
    return bulletins.bulletins(found, now_ms, asked_.lang)


def _sent(request: Request, service: Service, found: Page) -> Response:
    now_ms = service.now_ms()
    left_s = MAX_AGE_S if found.till_ms is None else (found.till_ms - now_ms) // 1000
    scope = "public" if service.doorkeeper.anonymous else "private"
    headers = {
        "ETag": found.etag,
        "Cache-Control": f"{scope}, max-age={max(0, min(MAX_AGE_S, left_s))}",
        "Vary": f"Accept-Encoding, Authorization{'' if scope == 'public' else ', Cookie'}",
        "Songtien-Now": str(now_ms),
    }
    if matches(request.headers.get("if-none-match"), found.etag):
        return Response(status_code=304, headers=headers)
    if accepts_gzip(request.headers.get("accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        return Response(found.gzipped, media_type=HTML, headers=headers)
    return Response(found.plain, media_type=HTML, headers=headers)


def answer_for(service: Service, asked_: Asked) -> Mapping[str, Any] | None:
    """The answer as of now, with the limit that was asked for and not the level that is watched.

    None where a place or a crop is yet to be chosen, and where nothing has been decided.
    """
    if not asked_.whole:
        return None
    level = service.farmers.answers().get(str(asked_.place), {}).get(asked_.level_mg_l)
    return None if level is None else as_of(level, service.now_ms())


async def _seen(
    request: Request,
    service: Service,
    asked_: Asked,
    answer: Mapping[str, Any] | None,
    now_ms: int,
) -> Seen:
    registry = service.registry()
    assert asked_.place is not None
    intake = registry.intakes[asked_.place.intake]
    station_id = None if answer is None else answer["station"]
    series = None if station_id is None else salinity_of(service, station_id)
    points = None if series is None else await _points(request, service, series, now_ms)
    day: Day | None = None
    if series is not None and points is not None:
        limits = registry.limits(series.station, series.quantity)
        gap_s = limits.gap_s or GAP_INTERVALS * series.expected_s
        day = curve.day(points, now_ms, round(gap_s * 1000))
    # Behind a gate where nothing measures, what is outside is shown as what it is.
    beside = station_id or (intake.stations[0] if intake.stations else "")
    near = neighbours.near(registry, beside)
    if station_id is None and beside in registry.stations:
        near = [(registry.stations[beside], 0.0), *near]
    station = registry.stations.get(station_id or "")
    return Seen(
        now_ms,
        intake,
        answer,
        station="" if station is None else station.name,
        day=day,
        day_fault=series is not None and points is None,
        around=neighbours.told(near, _items(service, [one.id for one, _ in near])),
        bulletins=bulletins.in_force(service.farmers.broadcasts(), intake.id, now_ms),
    )


def _items(service: Service, stations: Sequence[str]) -> list[dict[str, Any]]:
    if not stations:
        return []
    where = parse_where({"station": sorted(stations), "kind": ["salinity"]})
    found: list[dict[str, Any]] = msgspec.json.decode(service.items_json(where))
    return found


async def _points(
    request: Request, service: Service, series: Series, now_ms: int
) -> tuple[Point, ...] | None:
    """The last 50 hours of a series, a minute old at most where they can be read; None: not."""
    kept: Kept = request.app.state.farm
    key = series.key
    with anyio.move_on_after(CURVE_WAIT_S):
        async with kept.reading.setdefault(key, anyio.Lock()):
            # Somebody who asked at the same time may have it, or have failed.
            if kept.curve(key, now_ms, CURVE_MS) is None and kept.may_try(key, now_ms):
                kept.tried_ms[key] = now_ms
                found = await anyio.to_thread.run_sync(
                    _read, service, series, now_ms, limiter=readers(request), abandon_on_cancel=True
                )
                if found is not None:
                    kept.curves[key] = now_ms, found
    return kept.curve(key, now_ms, OLD_CURVE_MS)


def _read(service: Service, series: Series, now_ms: int) -> tuple[Point, ...] | None:
    from_ms = now_ms - curve.SPAN_MS - SAME_TIDE_MS
    to_ms = now_ms + FUTURE_TOLERANCE_MS
    try:
        rows, _ = service.points(series, from_ms, to_ms, POINTS_MAX + 1)
        if len(rows) <= POINTS_MAX:
            columns = (rows.t_ms.tolist(), rows.value.tolist(), rows.flag.tolist())
            return tuple(zip(*columns, strict=True))
        # Of a probe that sends every second the highest of each step is what matters.
        steps, _ = service.windows(series, from_ms, to_ms, STEP_MS, 0)
    except sqlite3.Error:
        return None
    flags = [1 if good == n else 3 for good, n in zip(steps.n_good, steps.n, strict=True)]
    return tuple(zip(steps.start_ms.tolist(), steps.high.tolist(), flags, strict=True))


def assets_of(pages: Path) -> Assets:
    """What `web/build.mjs` wrote for these pages; nothing where it has not been built."""
    try:
        return msgspec.json.decode((pages / MANIFEST).read_bytes(), type=Assets)
    except (OSError, msgspec.DecodeError):
        return Assets()


def html(
    request: Request,
    body: str,
    *,
    status: int = 200,
    max_age_s: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page; one without `max_age_s` is kept by nobody."""
    content = body.encode()
    cached = {} if max_age_s is None else {"Cache-Control": f"public, max-age={max_age_s}"}
    found = {"Vary": "Accept-Encoding", **cached, **(headers or {})}
    if max_age_s is not None:
        found["ETag"] = weak_etag(content)
        if matches(request.headers.get("if-none-match"), found["ETag"]):
            return Response(status_code=304, headers=found)
    if accepts_gzip(request.headers.get("accept-encoding")):
        content, found["Content-Encoding"] = compressed(content), "gzip"
    return Response(content, status_code=status, media_type=HTML, headers=found)


def refused(request: Request, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal that isn't about what was asked, in one sentence."""
    service: Service = request.app.state.service
    lang = "en" if request.query_params.get("lang") == "en" else "vi"
    body = plain.refusal(status, lang, assets_of(service.pages))
    return html(request, body, status=status, headers=headers)
