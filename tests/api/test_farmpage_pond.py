"""A farmer's pond on the page and as JSON, over a real store with a season of salt."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import anyio
import httpx
import pytest

from api.http import farm_shapes
from api.http.app import create_app
from api.http.season import begin_ms
from api.service import Service
from tests.api.http_service import NOW_MS, World

KEY = "xh-01/salinity_g_l"
HOUR = 3_600_000
DAY = 24 * HOUR
POND = "noi=xuan-hoa/song&cay=durian&thetich=600&bao=5"
JSON = "/api/v1/farmers/pond?place=xuan-hoa/river&crop=durian&volume_m3=600&count=5"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    times = range(NOW_MS - 40 * DAY, NOW_MS, HOUR)
    world.put(KEY, [(t, 2.0 if 10 * DAY < NOW_MS - t < 30 * DAY else 0.1, 1) for t in times])
    yield world
    world.close()


def asked(world: World, *paths: str, service: Service | None = None) -> list[httpx.Response]:
    """One app for all of them."""
    app = create_app(service or world.service())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get(path) for path in paths]

    return anyio.run(ask)


def test_how_long_it_lasts_beside_the_spells_of_the_season(world: World) -> None:
    page, found = asked(world, f"/nong-dan/ao?{POND}", JSON)
    assert page.status_code == 200
    # 5 công of durian at 4.25 m³ and 400 m² that lose 8 mm: 600 / (21.25 + 3.2)
    assert "Ao 600 m³ đủ khoảng 24 ngày, mỗi ngày 24 m³" in page.text
    assert "có 1 đợt mặn quá 0,5 g/l, dài nhất 21 ngày" in page.text
    assert "tham khảo" in page.text
    assert "coi như ao sâu 1,5 m" in page.text
    told = farm_shapes.FarmPondShape.model_validate(found.json())
    assert (told.spells, told.measured, told.sure) == (1, True, True)
    assert 24 < told.lasts_days < 25
    assert told.longest_days is not None
    assert told.longest_days == 21


def test_by_length_width_and_depth_and_ones_own_need(world: World) -> None:
    sides = "noi=xuan-hoa/song&cay=rice&dai=20&rong=15&sau=2,5&moingay=10"
    (page,) = asked(world, f"/nong-dan/ao?{sides}&lang=en")
    assert "A pond of 750 m³ lasts about 60 days" in page.text
    assert "1.5 m" not in page.text


def test_nothing_filled_in_is_the_form(world: World) -> None:
    (page,) = asked(world, "/nong-dan/ao?noi=xuan-hoa&phia=song&cay=durian")
    assert page.status_code == 200
    assert "fault" not in page.text
    assert 'value="durian" selected' in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("noi=xuan-hoa/song&cay=durian&bao=5", "Ghi thể tích ao"),
        ("noi=xuan-hoa/song&cay=durian&thetich=600", "Ghi số công"),
        ("thetich=600&bao=5", "Chọn nơi lấy nước"),
        (f"{POND}&moingay=nhiều", "nhận số từ 0,01 đến 100 000"),
        (f"{POND}&sau=-1", "nhận số từ 0,1 đến 20"),
        (f"{POND}&dai=1e3", "nhận số từ 1 đến 2 000"),
        (f"{POND}&dai=²", "nhận số từ 1 đến 2 000"),
        # A thousand to one and one to another; a comma that was lost.
        ("noi=xuan-hoa/song&cay=pigs&thetich=600&bao=1.000", "không chấm phẩy ở hàng nghìn"),
        ("noi=xuan-hoa/song&cay=durian&thetich=1,500&bao=5", "không chấm phẩy ở hàng nghìn"),
        (f"{POND}&moingay=05", "ghi như 0,5"),
        ("noi=xuan-hoa/song&cay=cỏ&thetich=600&bao=5", "Sầu riêng (durian)"),
    ],
)
def test_what_is_missing_or_wrong_is_said(world: World, query: str, expected: str) -> None:
    (page,) = asked(world, f"/nong-dan/ao?{query}")
    assert page.status_code == 422
    assert expected in page.text


def test_where_nothing_measures_there_is_nothing_to_compare_with(world: World) -> None:
    (page,) = asked(world, f"/nong-dan/ao?{POND.replace('song', 'dong')}")
    assert "nên không so được với các đợt mặn" in page.text
    assert "CHƯA RÕ đủ hay thiếu: không có số đo để so." in page.text
    assert "chưa thấy đợt mặn" not in page.text


def test_what_was_counted_is_said_again(world: World) -> None:
    half, heads, people, small = asked(
        world,
        "/nong-dan/ao?noi=xuan-hoa/song&cay=durian&thetich=1 500&bao=0,5",
        "/nong-dan/ao?noi=xuan-hoa/song&cay=pigs&thetich=600&bao=40",
        "/nong-dan/ao?noi=xuan-hoa/song&cay=household&thetich=600&bao=5&lang=en",
        "/nong-dan/ao?noi=xuan-hoa/song&cay=durian&thetich=10&bao=5",
    )
    assert "Ao 1500 m³" in half.text
    assert "Tính cho 0,5 công, tức 500 m²." in half.text
    assert "Tính cho 40 con." in heads.text
    assert "For 5 people." in people.text
    assert "Ao 10 m³ không đủ một ngày" in small.text


def test_a_station_that_began_within_the_season_says_so(world: World) -> None:
    (page,) = asked(world, f"/nong-dan/ao?{POND}")
    assert re.search(r"Số đo mùa này chỉ có từ ngày \d+/\d+/\d{4}", page.text)


def test_a_past_that_cannot_be_read_is_not_taken_for_a_fresh_one(world: World) -> None:
    def broken(*asked: object) -> NoReturn:
        raise sqlite3.OperationalError(f"disk I/O error at {len(asked)}")

    service = replace(world.service(), windows=broken)
    page, found = asked(world, f"/nong-dan/ao?{POND}", JSON, service=service)
    assert "Chưa đọc được số đo cũ của mùa này." in page.text
    assert "chưa thấy đợt mặn" not in page.text
    assert found.status_code == 503


@pytest.mark.parametrize("wrong", ["volume_m3=0", "count=-1", "place=x/y", "crop=x", "form=1"])
def test_json_says_which_parameter_is_not_accepted(world: World, wrong: str) -> None:
    name = wrong.partition("=")[0]
    query = "&".join(one for one in JSON.partition("?")[2].split("&") if not one.startswith(name))
    (found,) = asked(world, f"/api/v1/farmers/pond?{query}&{wrong}")
    assert found.status_code == 422
    assert found.json()["errors"][0]["name"] == name


def test_the_season_begins_on_the_first_of_november() -> None:
    assert begin_ms(1_767_000_000_000) == 1_761_930_000_000  # 29/12/2025: 1/11/2025 at 0:00
    assert begin_ms(1_761_929_999_999) == 1_730_394_000_000  # a moment before: a year earlier
