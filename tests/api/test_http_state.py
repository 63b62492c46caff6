"""/api/v1/state and /api/v1/stations: what phones poll, and what stands where."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth import Doorkeeper, TicketOffice
from api.http.answer import accepts_gzip
from api.http.etag import matches, weak_etag
from api.http.state import KEPT_ANSWERS
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.api.http_service import KEY, NOW_MS, World, get, with_client


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_state_is_what_the_socket_shows(world: World) -> None:
    answer = get(world, "/api/v1/state")
    assert answer.json() == {"pos": "e.1", "items": world.items}
    assert answer.headers["cache-control"] == "public, max-age=30"
    assert answer.headers["etag"].startswith('W/"')
    shut = Doorkeeper(world.tokens, TicketOffice(), anonymous=False)
    private = get(world, "/api/v1/state", world.token("viewer"), doorkeeper=shut)
    assert private.headers["cache-control"] == "private, max-age=30"


def test_unchanged_is_304_until_it_changes(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        first = await client.get("/api/v1/state")
        known = {"If-None-Match": first.headers["etag"]}
        again = await client.get("/api/v1/state", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "public, max-age=30"

        # Another series moved the position; this one is as it was.
        world.position += 1
        again = await client.get("/api/v1/state", headers=known)
        assert again.status_code == 304

        world.position += 1
        world.items = [{**world.items[0], "v": 3.24}]
        changed = await client.get("/api/v1/state", headers=known)
        assert changed.json()["items"][0]["v"] == 3.24
        assert changed.json()["pos"] == "e.3"

    with_client(world, story)


def test_the_tag_is_of_what_was_asked_for(world: World) -> None:
    tag = get(world, "/api/v1/state").headers["etag"]
    other = get(world, "/api/v1/state?station=my-tho", {"If-None-Match": tag})
    assert other.status_code == 200
    assert other.json()["items"] == []


def test_the_same_question_is_worked_out_once(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        for query in ("station=vam-kenh,my-tho", "station=my-tho&station=vam-kenh"):
            for _ in range(3):
                assert len((await client.get(f"/api/v1/state?{query}")).json()["items"]) == 1
        assert world.state_calls == 1
        world.position += 1
        await client.get("/api/v1/state?station=vam-kenh,my-tho")
        assert world.state_calls == 2

    with_client(world, story)


def test_kept_answers_are_bounded(world: World) -> None:
    stations = sorted(world.registry.stations)
    pairs = [f"{a},{b}" for a in stations for b in stations if a < b][: KEPT_ANSWERS + 10]
    assert len(pairs) == KEPT_ANSWERS + 10

    async def story(client: httpx.AsyncClient) -> None:
        for pair in pairs:
            await client.get(f"/api/v1/state?station={pair}")
        for pair in pairs[-KEPT_ANSWERS:]:
            await client.get(f"/api/v1/state?station={pair}")
        assert world.state_calls == len(pairs)
        await client.get(f"/api/v1/state?station={pairs[0]}")
        assert world.state_calls == len(pairs) + 1

    with_client(world, story)


def test_filters_by_kind_and_station(world: World) -> None:
    world.items.append(
        {"k": "cam-01/southbound/flow_veh_h", "st": "never", "station": "rach-mieu-1"}
    )

    def keys(query: str) -> list[str]:
        return [item["k"] for item in get(world, f"/api/v1/state?{query}").json()["items"]]

    assert keys("kind=traffic") == ["cam-01/southbound/flow_veh_h"]
    assert keys("kind=salinity&station=vam-kenh") == [KEY]
    assert keys("kind=traffic&station=vam-kenh") == []
    assert len(keys("kind=traffic,salinity")) == 2


@pytest.mark.parametrize("query", ["kind=wind", "station=atlantis", "station=" + "x" * 5000])
def test_an_unknown_filter_is_told(world: World, query: str) -> None:
    answer = get(world, f"/api/v1/state?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == query.split("=", maxsplit=1)[0]
    assert len(answer.text) < 2000


def test_compressed_for_those_who_take_it(world: World) -> None:
    world.items *= 50

    async def story(client: httpx.AsyncClient) -> None:
        headers = {"Accept-Encoding": "gzip"}
        async with client.stream("GET", "/api/v1/state", headers=headers) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers["content-encoding"] == "gzip"
        plain = await client.get("/api/v1/state", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 5
        assert "Accept-Encoding" in plain.headers["vary"]

    with_client(world, story)


@pytest.mark.parametrize(
    ("accepted", "header"),
    [(True, "gzip"), (True, "br, GZIP;q=0.5"), (False, "gzip;q=0"), (False, "br"), (False, None)],
)
def test_who_takes_gzip(accepted: bool, header: str | None) -> None:
    assert accepts_gzip(header) is accepted


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_tags_are_equal_where_the_content_is(one: bytes, other: bytes) -> None:
    tag = weak_etag(one)
    assert matches(tag, weak_etag(other)) == (one == other)
    assert matches(f'"x", {tag.removeprefix("W/")}', weak_etag(one))
    assert matches("*", tag)
    assert not matches(None, tag)
    assert not matches("", tag)


def test_stations_have_the_shape_of_the_contract(world: World) -> None:
    world.items.append({"k": "vk-01/battery_v", "v": 3.7, "st": "live", "station": "vam-kenh"})
    found = {each["id"]: each for each in get(world, "/api/v1/stations").json()["stations"]}
    assert list(found) == list(world.registry.stations)
    station = found["vam-kenh"]
    assert station["name"] == "Vàm Kênh"
    assert station["kind"] == "salinity"
    assert station["branch"] == "cua-tieu"
    assert station["km_from_mouth"] == {"cua-tieu": 2.0}
    assert (station["lat"], station["lon"]) == (10.274, 106.737)
    device = next(one for one in station["devices"] if one["id"] == "vk-01")
    assert (device["kind"], device["expected_s"]) == ("salinity", 900)
    assert KEY in device["series"]
    assert "vk-01/battery_v" in device["series"]  # not announced, but it has sent some
    assert "vk-01/salinity_probe_g_l" not in device["series"]
    bridge = found["rach-mieu-1"]
    assert bridge["branch"] is None or bridge["branch"]
    assert bridge["directions"]["southbound"]["vi"] == "Mỹ Tho → Bến Tre"


def test_a_device_that_replaced_another_has_its_series(world: World) -> None:
    text = """
[[reach]]
id = "r"
name = "R"
flows_into = []

[[station]]
id = "s"
name = "S"
kind = "salinity"
reach = "r"
lat = 10.3
lon = 106.5
side = "river"
km_from_mouth = {r = 2.0}
source = "a test"
  [[station.device]]
  id = "old"
  expected_s = 900
  measures = ["sal_g_l"]
  [[station.device]]
  id = "new"
  expected_s = 900
  measures = ["sal_g_l"]
  replaces = "old"
"""
    world.registry = parse_registry(text, "stations.toml")
    world.series = SeriesTable.of(world.registry)
    world.items = []
    old, new = get(world, "/api/v1/stations").json()["stations"][0]["devices"]
    assert old["series"] == new["series"] == ["old/salinity_g_l"]
    assert (old["current"], new["current"], new["replaces"]) == (False, True, "old")
    world.put("old/salinity_g_l", [(NOW_MS - 1000, 1.5, 1)])
    answer = get(world, "/api/v1/series/new/salinity_g_l").json()
    assert (answer["key"], answer["points"]) == ("old/salinity_g_l", [[NOW_MS - 1000, 1.5, 1]])


def test_what_is_formed_of_several_devices_is_listed_once_it_has_a_value(world: World) -> None:
    assert get(world, "/api/v1/stations").json()["mouths"] == []
    world.items.append({"k": "cua-tieu/salt_4_max_km", "st": "live", "v": 50.6})
    world.items.append({"k": "rach-mieu-1/southbound/crossing_time_min", "st": "live", "v": 11})
    told = get(world, "/api/v1/stations").json()
    line = {"id": "cua-tieu", "name": "Cửa Tiểu", "series": ["cua-tieu/salt_4_max_km"]}
    assert told["mouths"] == [line]
    [bridge] = [each for each in told["stations"] if each["id"] == "rach-mieu-1"]
    assert bridge["series"] == ["rach-mieu-1/southbound/crossing_time_min"]


def test_stations_as_geojson(world: World) -> None:
    answer = get(world, "/api/v1/stations?format=geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    collection = answer.json()
    assert collection["type"] == "FeatureCollection"
    first = next(each for each in collection["features"] if each["id"] == "vam-kenh")
    assert first["geometry"] == {"type": "Point", "coordinates": [106.737, 10.274]}
    assert first["properties"]["name"] == "Vàm Kênh"
    assert get(world, "/api/v1/stations?format=kml").status_code == 422


def test_what_is_told_follows_the_registry_in_force(world: World) -> None:
    def fewer() -> list[str]:
        stations = dict(list(world.registry.stations.items())[:1])
        devices = {k: d for k, d in world.registry.devices.items() if d.station in stations}
        registry = replace(world.registry, stations=stations, devices=devices)
        answer = get(world, "/api/v1/stations", registry=lambda: registry)
        return [each["id"] for each in answer.json()["stations"]]

    assert fewer() == list(world.registry.stations)[:1]
