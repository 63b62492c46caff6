"""A service for tests of the farmer's page: real store, answers as a test has them."""

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import anyio
import httpx
from fastapi import FastAPI

from alerts.farmers.answer import OF_ROW
from alerts.farmers.crops import LEVELS_MG_L
from alerts.river.advice import WHY, words
from api.farmers import Answers, Farmers
from api.http.app import create_app
from tests.api.http_service import NOW_MS, World

KEY = "xh-01/salinity_g_l"
PLACE = "noi=xuan-hoa&phia=song&cay=durian"
MINUTE = 60_000
QUARTER = 900_000

Answer = dict[str, Any]


@dataclass
class Farm(World):
    """The world with answers and bulletins to farmers."""

    places: Answers = field(default_factory=dict)
    bulletins: list[dict[str, Any]] = field(default_factory=list)
    app: FastAPI | None = None


def answer(row: int, **changes: Any) -> Answer:
    """As `alerts.farmers.answer` gives it."""
    text_vi, text_en = words(row)
    return {
        "answer": OF_ROW[row].value,
        "row": row,
        "why": WHY[row],
        "text_vi": text_vi,
        "text_en": text_en,
        "station": "xuan-hoa",
        "limit_g_l": 0.5,
        "figure": 0.31,
        "figure_t": NOW_MS - 12 * MINUTE,
        "flag": 1,
        "trend": "falling",
        "since": NOW_MS - 3_600_000,
        "until": NOW_MS + 8 * MINUTE,
        "ends": None,
        "may_be_g_l": 0.36,
        "sim": False,
        "t": NOW_MS - MINUTE,
    } | changes


def shown(world: Farm, said: Answer | None, query: str = PLACE, **headers: str) -> httpx.Response:
    """The page while this is the answer at every place and limit."""
    given = {} if said is None else dict.fromkeys(LEVELS_MG_L, said)
    places = dict.fromkeys(("xuan-hoa/river", "xuan-hoa/field"), given)
    path = query if query.startswith("/") else f"/nong-dan?{query}"
    return told(world, path, places, **headers)


def told(world: Farm, path: str, places: Answers, **headers: str) -> httpx.Response:
    """One GET while these are the answers; one app for all of a test."""
    world.places = places
    if world.app is None:
        farmers = Farmers(answers=lambda: world.places, broadcasts=lambda: world.bulletins)
        world.app = create_app(replace(world.service(), farmers=farmers))
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    found: list[httpx.Response] = []

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            found.append(await client.get(path, headers=headers))

    anyio.run(ask)
    return found[0]


class _Text(HTMLParser):
    """What a person reads: not what is hidden, nor what stands in the head."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"meta", "link", "input", "br", "path", "line", "circle", "polyline"}:
            return
        if self._hidden or tag in {"head", "form", "title"} or ("hidden", None) in attrs:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        del tag
        if self._hidden:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def text(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return re.sub(r"\s+", " ", "".join(parser.parts))


def head(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])
