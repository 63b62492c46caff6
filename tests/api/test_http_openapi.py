"""The OpenAPI document says everything, and says the truth."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from alerts.alert import EventType
from api.http import shapes
from api.http.app import create_app
from api.http.problem import KINDS
from tests.api.http_service import ALERT_ID, KEY, NOW_MS, World, ask, get

PAGES = {
    "/",
    "/docs/http",
    "/docs/async",
    "/docs/{name}",
    "/asyncapi.json",
    "/assets/{path}",
    "/nong-dan",
    "/nong-dan/luc-nay",
    "/nong-dan/ao",
    "/nong-dan/dang-ky",
    "/nong-dan/ma",
    "/nong-dan/sw.js",
    "/nong-dan/toi/{token}",
    "/nong-dan/{rest}",
    "/nong-dan/toi/{token}/{deed}",
    "/{page}/{subject}",
    "/{name}",
}
"""Served to browsers; everything else is documented."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put_alert(EventType.RAISED)
    yield world
    world.close()


def _document(world: World) -> dict[str, Any]:
    document: dict[str, Any] = get(world, "/openapi.json").json()
    return document


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_routes_of_this_version(world: World) -> None:
    assert sorted(_operations(_document(world))) == [
        "DELETE /api/v1/farmers/me",
        "DELETE /api/v1/maintenance/{id}",
        "DELETE /api/v1/session",
        "DELETE /api/v1/sessions/{id}",
        "DELETE /api/v1/subscriptions/{id}",
        "DELETE /api/v1/users/{name}",
        "GET /api/v1/about",
        "GET /api/v1/advice",
        "GET /api/v1/advice/{intake}",
        "GET /api/v1/alerts",
        "GET /api/v1/alerts/{id}",
        "GET /api/v1/audit",
        "GET /api/v1/bridges",
        "GET /api/v1/broadcasts",
        "GET /api/v1/bulletin",
        "GET /api/v1/checks",
        "GET /api/v1/dead-letters",
        "GET /api/v1/desk",
        "GET /api/v1/explain",
        "GET /api/v1/farmers/answer",
        "GET /api/v1/farmers/channels",
        "GET /api/v1/farmers/crops",
        "GET /api/v1/farmers/me",
        "GET /api/v1/farmers/me/export",
        "GET /api/v1/farmers/places",
        "GET /api/v1/farmers/pond",
        "GET /api/v1/gates",
        "GET /api/v1/handover",
        "GET /api/v1/lunar",
        "GET /api/v1/maintenance",
        "GET /api/v1/rewind",
        "GET /api/v1/risk-level",
        "GET /api/v1/river",
        "GET /api/v1/rules",
        "GET /api/v1/series/{key}",
        "GET /api/v1/session",
        "GET /api/v1/sessions",
        "GET /api/v1/state",
        "GET /api/v1/stations",
        "GET /api/v1/stations/{id}/care",
        "GET /api/v1/subscriptions",
        "GET /api/v1/subscriptions/counts",
        "GET /api/v1/subscriptions/{id}",
        "GET /api/v1/subscriptions/{id}/export",
        "GET /api/v1/telling",
        "GET /api/v1/telling/events",
        "GET /api/v1/telling/messages",
        "GET /api/v1/users",
        "GET /api/v1/webhooks",
        "GET /cap/alerts.atom",
        "GET /cap/{id}.xml",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "PATCH /api/v1/farmers/me",
        "POST /api/v1/alerts/{id}/ack",
        "POST /api/v1/alerts/{id}/note",
        "POST /api/v1/alerts/{id}/shelve",
        "POST /api/v1/alerts/{id}/unshelve",
        "POST /api/v1/bridges/{id}/mode",
        "POST /api/v1/broadcasts",
        "POST /api/v1/broadcasts/preview",
        "POST /api/v1/broadcasts/{id}/confirm",
        "POST /api/v1/broadcasts/{id}/refuse",
        "POST /api/v1/broadcasts/{id}/withdraw",
        "POST /api/v1/channels/{name}/inbound",
        "POST /api/v1/channels/{name}/report",
        "POST /api/v1/checks",
        "POST /api/v1/farmers/confirm",
        "POST /api/v1/farmers/me/follows",
        "POST /api/v1/farmers/me/stop",
        "POST /api/v1/farmers/signup",
        "POST /api/v1/intakes/{id}",
        "POST /api/v1/live-ticket",
        "POST /api/v1/maintenance",
        "POST /api/v1/risk-level",
        "POST /api/v1/rules/reload",
        "POST /api/v1/session",
        "POST /api/v1/session/password",
        "POST /api/v1/subscriptions",
        "POST /api/v1/subscriptions/import",
        "POST /api/v1/telling/drop",
        "POST /api/v1/telling/release",
        "POST /api/v1/telling/trial",
        "POST /api/v1/users",
        "POST /api/v1/users/{name}/password",
        "POST /api/v1/users/{name}/role",
    ]


def test_every_route_is_documented_with_examples_and_problems(world: World) -> None:
    document = _document(world)
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in _operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        content = operation["responses"]["200"]["content"]
        first = next(iter(content.values()))
        assert "example" in first or "examples" in first, name
        assert "500" in operation["responses"], name
        for status, response in operation["responses"].items():
            if status in {"200", "304"}:
                continue
            problem = response["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert problem["examples"], (name, status)
            assert all(e["value"]["status"] == int(status) for e in problem["examples"].values())
        if operation.get("parameters") or operation.get("requestBody"):
            assert "422" in operation["responses"], name
        if operation.get("security"):
            assert "401" in operation["responses"], name


def test_nothing_is_served_that_is_not_documented(world: World) -> None:
    documented = set(_document(world)["paths"])
    app = create_app(world.service())
    served = {path.replace(":path}", "}") for path in _paths(app.routes)}
    assert served - documented == PAGES | {"/openapi.json"}


def _paths(routes: Any) -> Iterator[str]:
    """Paths of routes, and of the routers among them."""
    for route in routes:
        if hasattr(route, "path"):
            yield route.path
        else:
            yield from _paths(route.original_router.routes)


def test_fastapi_errors_of_its_own_are_not_promised(world: World) -> None:
    text = get(world, "/openapi.json").text
    assert "HTTPValidationError" not in text
    assert '"Problem"' in text


def test_references_lead_somewhere(world: World) -> None:
    document = _document(world)

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].rsplit("/", 1)[1] in document["components"]["schemas"]
            for each in value.values():
                follow(each)
        elif isinstance(value, list):
            for each in value:
                follow(each)

    follow(document)


SHAPES: dict[str, type[BaseModel]] = {
    "/healthz": shapes.Health,
    "/readyz": shapes.Ready,
    "/api/v1/about": shapes.AboutShape,
    "/api/v1/stations": shapes.Stations,
    "/api/v1/state": shapes.State,
    f"/api/v1/series/{KEY}": shapes.SeriesShape,
    f"/api/v1/series/{KEY}?step=1h": shapes.SeriesShape,
    "/api/v1/alerts": shapes.Alerts,
    f"/api/v1/alerts/{ALERT_ID}": shapes.AlertShape,
    "/api/v1/rules": shapes.Rules,
    "/api/v1/dead-letters": shapes.DeadLetters,
}


@pytest.mark.parametrize("path", SHAPES)
def test_answers_have_the_documented_shape(world: World, path: str) -> None:
    world.put(KEY, [(NOW_MS - 1000, 3.2, 1)])
    world.put_dead_letters(b"{")
    SHAPES[path].model_validate(get(world, path, world.token("operator")).json())


def test_the_ticket_has_the_documented_shape(world: World) -> None:
    answer = ask(world, "POST", "/api/v1/live-ticket", headers=world.token("viewer"))
    shapes.Ticket.model_validate(answer.json())


@pytest.mark.parametrize("name", ["http", "async"])
def test_the_reference_pages_bring_all_they_need(world: World, name: str) -> None:
    page = get(world, f"/docs/{name}")
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("<!doctype", "")  # nothing from elsewhere
    assert "style=" not in page.text
    assert f'src="/docs/{name}.js" type="module"' in page.text
    assert 'href="/docs/docs.css"' in page.text
    parts = {"docs.js", "schema.js", f"{name}.js"}
    for part, kind in {**dict.fromkeys(parts, "text/javascript"), "docs.css": "text/css"}.items():
        found = get(world, f"/docs/{part}")
        assert found.status_code == 200
        assert found.headers["content-type"].startswith(kind)
        assert "http:" not in found.text
        assert "https:" not in found.text
        imported = re.findall(r'from "\./(.+?)"', found.text)
        assert set(imported) <= parts
    assert set(_document(world)["x-problems"]) == set(KINDS)


def test_the_guide_names_every_route(world: World) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
    missing = [path for path in _document(world)["paths"] if path not in guide]
    assert not missing
