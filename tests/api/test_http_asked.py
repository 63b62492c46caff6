"""A parameter that a route does not know is refused by name, on every route of the API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel, Field

from api.http import problem
from api.http.asked import known_query
from tests.api.http_service import KEY, World, ask, client_of, get


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_a_misspelt_parameter_is_refused_with_what_was_probably_meant(world: World) -> None:
    answer = get(world, f"/api/v1/series/{KEY}?form=2026-03-01T00:00Z&step=1h")
    assert answer.status_code == 422
    told = answer.json()
    assert told["type"] == "/docs/http#problem-invalid"
    (fault,) = told["errors"]
    assert (fault["in"], fault["name"]) == ("query", "form")
    assert "did you mean format or from? accepted are agg, " in fault["detail"]
    assert "step" in fault["detail"]


def test_where_there_are_none_that_is_said(world: World) -> None:
    answer = get(world, "/api/v1/about?x=1")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "x: there is no such parameter; none is accepted here"


def test_many_are_named_shortly(world: World) -> None:
    answer = get(world, "/api/v1/about?" + "&".join(f"{'x' * 900}{n}=1" for n in range(50)))
    assert answer.status_code == 422
    assert len(answer.content) < 2000


@pytest.mark.anyio
async def test_every_route_refuses_what_it_does_not_document(world: World) -> None:
    async with client_of(world) as client:
        document = (await client.get("/openapi.json")).json()
        seen = 0
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if not path.startswith("/api/v1/"):
                    continue
                seen += 1
                assert "422" in operation["responses"], path
                names = [
                    each["name"]
                    for each in operation.get("parameters", ())
                    if each["in"] == "query"
                ]
                await _asked(client, method, path, names)
        assert seen > 25


async def _asked(client: httpx.AsyncClient, method: str, path: str, names: list[str]) -> None:
    filled = path.replace("{key}", KEY).replace("{id}", "1").replace("{intake}", "xuan-hoa")
    answer = await client.request(method, filled, params={"no-such-thing": "1"})
    # Somebody whom the door does not know at all may be told that instead.
    assert answer.status_code in {401, 403, 422}, (method, path)
    if answer.status_code == 422:
        assert "no-such-thing" in answer.text
    answer = await client.request(method, filled, params=dict.fromkeys(names, "1"))
    assert "there is no such parameter" not in answer.text, (method, path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_other_paths_take_what_they_like(world: World) -> None:
    for path in ("/healthz?x=1", "/docs/http?x=1", "/openapi.json?v=2"):
        assert get(world, path).status_code == 200
    assert get(world, "/api/v1/none?x=1").status_code == 404
    assert ask(world, "PUT", "/api/v1/state?x=1").status_code == 405


class _Page(BaseModel):
    limit: int = 3
    after: Annotated[str, Field(alias="next")] = ""


async def _at(at: str | None = None) -> str | None:
    return at


@pytest.mark.anyio
async def test_names_are_known_from_dependencies_and_models_too() -> None:
    router = APIRouter()

    @router.get("/api/v1/things")
    async def things(
        page: Annotated[_Page, Query()], at: Annotated[str | None, Depends(_at)]
    ) -> tuple[int, str | None]:
        return page.limit, at

    app = FastAPI(dependencies=[Depends(known_query)])
    app.include_router(router)
    problem.install(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/api/v1/things?limit=5&next=a&at=b")).json() == [5, "b"]
        for name in ("after", "page", "form"):
            assert (await client.get(f"/api/v1/things?{name}=1")).status_code == 422
