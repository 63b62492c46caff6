"""The farmer's page over a real store: each answer, what has run out, and what is asked wrongly."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from alerts.farmers.answer import OF_ROW
from alerts.farmers.crops import LEVELS_MG_L
from alerts.farmers.wishes import plain
from alerts.river import decision
from alerts.river.advice import words
from api.auth import Doorkeeper, TicketOffice
from api.farmers import Answers, Farmers
from api.farmpage import page
from api.farmpage.asked import Asked
from api.farmpage.verdict import verdict
from api.http import farm_shapes
from api.http.app import create_app
from api.http.nongdan import PAGE_MS
from tests.api.farm_world import (
    KEY,
    MINUTE,
    PLACE,
    QUARTER,
    Farm,
    answer,
    head,
    shown,
    text,
    told,
)
from tests.api.http_service import NOW_MS, get


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Farm]:
    world = Farm(tmp_path)
    times = range(NOW_MS - 200 * QUARTER, NOW_MS, QUARTER)
    world.put(KEY, [(t, 0.2 + (t // QUARTER % 40) / 100, 1) for t in times])
    yield world
    world.close()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (decision.TOO_SALT, "KHÔNG LẤY NƯỚC"),
        (decision.STOP, "NGƯNG LẤY NƯỚC"),
        (decision.MAY_BE_TOO_SALT, "KHÔNG LẤY NƯỚC, CHỜ"),
        (decision.STILL_RISING, "CHƯA LẤY NƯỚC, CHỜ"),
        (decision.NEARLY, "CHƯA LẤY NƯỚC, CHỜ"),
        (decision.GATE_CLOSED, "CHƯA LẤY ĐƯỢC: CỐNG ĐÓNG"),
        (decision.PUMP_ONLY, "NGỌT, CHỈ BƠM ĐƯỢC"),
        (decision.TAKE, "CÓ THỂ LẤY NƯỚC"),
    ],
)
def test_the_first_line_is_the_answer(world: Farm, row: int, expected: str) -> None:
    page = shown(world, answer(row))
    assert page.status_code == 200
    assert head(page.text) == expected
    assert text(page.text).lstrip().startswith(expected)


def test_what_is_not_known_is_said_with_its_reason(world: Farm) -> None:
    unknown = {"until": None, "may_be_g_l": None}
    silent = head(shown(world, answer(decision.SILENT, **unknown)).text)
    assert silent.startswith("CHƯA RÕ: trạm mất tín hiệu từ ")
    assert "không tin được" in head(shown(world, answer(decision.BROKEN, **unknown)).text)
    assert "đáng ngờ" in head(shown(world, answer(decision.DOUBTFUL, **unknown)).text)
    never = answer(decision.SILENT, figure=None, figure_t=None, **unknown)
    assert head(shown(world, never).text) == "CHƯA RÕ: trạm chưa có số đo"
    vi, en = words(decision.SILENT, maintained=True)
    kept_up = answer(decision.SILENT, maintained=True, text_vi=vi, text_en=en, **unknown)
    assert head(shown(world, kept_up).text) == "CHƯA RÕ: trạm đang bảo trì"
    simulated = answer(decision.SILENT, sim=True, **unknown)
    assert "mô phỏng" in head(shown(world, simulated).text)
    assert head(shown(world, None).text) == "CHƯA RÕ: chưa có số đo nào"


def test_an_answer_that_has_run_out_is_not_known(world: Farm) -> None:
    fresh = answer(decision.TAKE)
    assert head(shown(world, fresh).text) == "CÓ THỂ LẤY NƯỚC"
    world.now_ms = fresh["until"] + 1
    page = shown(world, fresh).text
    assert head(page).startswith("CHƯA RÕ: trạm mất tín hiệu từ ")
    assert "CÓ THỂ LẤY" not in page
    assert "Không lấy nếu chưa tự đo." in text(page)
    assert "đang xuống" not in text(page)  # an hour's slope of long ago tells nothing


def test_what_an_answer_becomes_stands_beside_it_unseen(world: Farm) -> None:
    """So that a page left open says it without a word from anybody."""
    page = shown(world, answer(decision.TAKE)).text
    assert f'id="answer" class="a take" data-until="{NOW_MS + 8 * MINUTE}"' in page
    assert '<section id="spent" class="a unknown" hidden>' in page
    assert "CHƯA RÕ" not in text(page)
    assert 'http-equiv="refresh" content="300"' in page


def test_figure_age_trend_since_until_and_end(world: Farm) -> None:
    said = answer(decision.TAKE, ends=NOW_MS + 4 * 3_600_000)
    seen = text(shown(world, said).text)
    for words_ in (
        "Cống Xuân Hòa, ngoài sông",
        "Sầu riêng: mức 0,5 g/l",
        "0,31 g/l",
        "đang xuống",
        "Dưới mức 0,5 g/l",
        "cách đây 12 phút",
        "Lấy được từ ",
        "Tin này dùng đến ",
        "(tham khảo)",
        "Trang này lúc ",
    ):
        assert words_ in seen, words_
    assert "tham khảo" not in text(shown(world, answer(decision.TAKE)).text).split("Mức của")[0]
    english = text(shown(world, said, f"{PLACE}&lang=en").text)
    assert english.lstrip().startswith("WATER MAY BE TAKEN")
    assert "0.31 g/L" in english


def test_behind_the_gate_what_nobody_measures_is_said(world: Farm) -> None:
    nobody = {"station": None, "figure": None, "figure_t": None, "until": None, "may_be_g_l": None}
    world.items.append({"k": KEY, "v": 0.2, "t": NOW_MS - MINUTE, "q": 1, "st": "live"})
    world.items[-1]["station"] = "xuan-hoa"
    query = "noi=xuan-hoa&phia=dong&cay=durian"
    page = shown(world, answer(decision.NO_STATION, **nobody), query).text
    seen = text(page)
    assert head(page) == "CHƯA RÕ"
    assert "Không có trạm đo nước phía trong cống. Tự đo trước khi lấy." in seen
    assert "<figure>" not in page  # the river's curve is of another water
    assert "Số đo ngoài sông không nói được nước trong đồng." in seen
    assert "0,20 g/l" in seen


def test_the_curve_has_its_limit_and_words(world: Farm) -> None:
    page = shown(world, answer(decision.TAKE)).text
    assert "mức của tôi 0,5" in page
    words_ = re.search(r'<title id="dc">(.*?)</title>', page)
    assert words_ is not None
    assert words_[1].startswith("Độ mặn 25 giờ qua: thấp nhất 0,20 g/l")
    assert 'class="d"' in page
    assert 'class="b"' in page


def test_neighbours_with_value_and_age(world: Farm) -> None:
    for key, station, value, ago, flag, state in (
        ("mt-01/salinity_g_l", "my-tho", 0.22, 6, 1, "live"),
        ("dt-01/salinity_g_l", "dong-tam", 0.15, 300, 1, "lost"),
        ("ad-01/salinity_g_l", "an-dinh", 3.9, 9, 3, "live"),
    ):
        t_ms = NOW_MS - ago * MINUTE
        item = {"k": key, "v": value, "t": t_ms, "q": flag, "st": state, "station": station}
        world.items.append(item)
    seen = text(shown(world, answer(decision.TAKE)).text)
    assert "Mỹ Tho (Vườn hoa Lạc Hồng)phía trên 4 km0,22 g/lcách đây 6 phút" in seen
    assert "Đồng Tâmphía trên 6 kmmất tín hiệu từ" in seen
    assert "An Địnhphía biển 4 km3,90 g/lcách đây 9 phút, số đo đáng ngờ" in seen
    assert "Quới Sơnphía biển 4 kmchưa có số đo" in seen
    bad, new = (world.items[-1] | {"q": flag} for flag in (4, 2))
    for item, expected in ((bad, "số đo không tin được"), (new, "3,90 g/l")):
        world.items[-1] = item
        world.now_ms += 10_001
        assert expected in text(shown(world, answer(decision.TAKE)).text)


def bulletin(title: str, **changes: object) -> dict[str, object]:
    """As `alerts.farmers.broadcast.Broadcast.item` gives it, as far as the page looks at it."""
    return {
        "state": "sent",
        "title": title,
        "text": "Mặn vào sâu 55 km.\nTrữ nước <ngọt>.",
        "issuer": "Đài Nam Bộ",
        "issued": NOW_MS - 2 * MINUTE,
        "official": None,
        "places": ["*"],
        "valid_until": NOW_MS + 60 * MINUTE,
    } | changes


def test_a_bulletin_stands_on_the_page_in_full_while_it_is_in_force(world: Farm) -> None:
    world.bulletins = [
        bulletin("Chưa ai duyệt", state="proposed"),
        bulletin("Cho nơi này", places=["vam-giong", "xuan-hoa"], official=2),
        bulletin("Cho nơi khác", places=["vam-giong"]),
        bulletin("Hết hiệu lực", valid_until=NOW_MS),
        bulletin("Cho mọi nơi"),
    ]
    said = answer(decision.TAKE)
    for path in (PLACE, f"/nong-dan/luc-nay?{PLACE}"):
        page = text(shown(world, said, path).text)
        assert "Cấp độ rủi ro thiên tai: 2. Đài Nam Bộ, lúc" in page
        assert "Trữ nước <ngọt>." in page
        assert page.index("Cho nơi này") < page.index("Cho mọi nơi")
        for other in ("Chưa ai duyệt", "Cho nơi khác", "Hết hiệu lực"):
            assert other not in page
    choice = text(shown(world, None, "/nong-dan").text)
    assert "Cho mọi nơi" in choice
    assert "Cho nơi này" not in choice


def test_the_part_that_is_renewed_changes_with_a_bulletin(
    world: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.nongdan.PAGE_MS", 0)
    path, said = f"/nong-dan/luc-nay?{PLACE}", answer(decision.TAKE)
    before = shown(world, said, path)
    world.bulletins = [bulletin("Tin mới")]
    after = shown(world, said, path)
    assert "Tin mới" in text(after.text)
    assert after.headers["etag"] != before.headers["etag"]


def test_nothing_chosen_is_the_choice_and_no_fault(world: Farm) -> None:
    for query in ("", "lang=vi", "cay=durian", "noi=xuan-hoa&phia=song", "fbclid=abc"):
        page = shown(world, answer(decision.TAKE), query)
        assert page.status_code == 200
        assert head(page.text) == "Lấy nước được không?"
    assert 'value="durian" selected' in shown(world, None, "cay=durian").text


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        ("noi=nowhere&cay=durian", "xuan-hoa"),
        ("noi=xuan-hoa&phia=tren&cay=durian", "song, dong"),
        ("noi=dong-tam&phia=dong&cay=durian", "Nhận được: song."),
        ("noi=xuan-hoa&cay=sau-rieng", "durian"),
        ("noi=xuan-hoa&cay=durian&gioihan=nhieu", "0,3 - 40 g/l"),
        ("noi=xuan-hoa&cay=durian&gioihan=0,1", "0,3 - 40 g/l"),
        ("noi=xuan-hoa&cay=durian&gioihan=nan", "0,3 - 40 g/l"),
        ("noi=xuan-hoa&cay=durian&gioihan=1e9", "0,3 - 40 g/l"),
        # A comma that was lost, and a thousand to one that is one to another.
        ("noi=xuan-hoa&cay=durian&gioihan=05", "ghi như 0,5"),
        ("noi=xuan-hoa&cay=durian&gioihan=1.000", "ghi như 0,5"),
        ("noi=xuan-hoa&cay=durian&lang=fr", "vi, en"),
        ("noi=xuan-hoa&cay=durian&gioi_han=0,3", "noi, phia, cay, gioihan, lang"),
        ("noi=xuan-hoa&noi=vam-giong&cay=durian", "chỉ ghi một lần"),
        ("/nong-dan/luc-nay?noi=xuan-hoa", "Chưa hiểu"),
    ],
)
def test_a_wrong_question_says_what_is_accepted(world: Farm, query: str, accepted: str) -> None:
    page = shown(world, answer(decision.TAKE), query)
    assert page.status_code == 422
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert accepted in page.text
    assert "CÓ THỂ" not in page.text
    assert '<form action="/nong-dan"' in page.text  # and the way to ask rightly


def test_what_is_typed_is_never_markup(world: Farm) -> None:
    evil = "%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    for name in ("noi", "phia", "cay", "gioihan", "lang", evil):
        page = shown(world, None, f"noi=xuan-hoa&{name}={evil}&cay=durian")
        assert "<script>" not in page.text
        assert "alert(1)</script>" not in page.text


def test_a_limit_of_ones_own_is_watched_by_the_level_below(world: Farm) -> None:
    levels = {400: answer(decision.TOO_SALT, limit_g_l=0.4), 500: answer(decision.TAKE)}
    at = {"xuan-hoa/river": levels}
    page = told(world, f"/nong-dan?{PLACE}&gioihan=0,45001", at)
    assert head(page.text) == "CHƯA RÕ: chưa có số đo nào"  # of 0.45 nothing is known
    page = told(world, f"/nong-dan?{PLACE}&gioihan=0.44", at)
    assert head(page.text) == "KHÔNG LẤY NƯỚC"
    assert "mức của tôi 0,44 g/l" in text(page.text)
    assert "Trang canh theo mức 0,4 g/l" in text(page.text)
    assert "Coi chừng" not in page.text


def test_a_limit_above_the_crops_is_told_in_the_answer_itself(world: Farm) -> None:
    at = {"xuan-hoa/river": {5000: answer(decision.TAKE, limit_g_l=5.0, figure=1.2)}}
    for path in (f"/nong-dan?{PLACE}", f"/nong-dan/luc-nay?{PLACE}"):
        page = told(world, f"{path}&gioihan=5", at)
        box = page.text.partition('id="answer"')[2].partition("</section>")[0]
        assert "mức bạn đặt, 5 g/l, cao hơn mức của Sầu riêng, 0,5 g/l" in box
        assert "Nước này đã quá mức của Sầu riêng." in box
    # Of a figure that is old or not sound nothing is said of the water as it is now.
    for row in (decision.SILENT, decision.BROKEN):
        unknown = answer(row, limit_g_l=5.0, figure=1.2)
        page = told(world, f"/nong-dan?{PLACE}&gioihan=5", {"xuan-hoa/river": {5000: unknown}})
        assert "mức bạn đặt, 5 g/l" in text(page.text)
        assert "Nước này đã" not in text(page.text)


def test_what_reads_like_the_limit_reaches_it_and_is_not_above(world: Farm) -> None:
    for figure, words_ in ((0.5, "tới mức"), (0.5004, "tới mức"), (0.51, "quá mức")):
        page = text(shown(world, answer(decision.TOO_SALT, figure=figure)).text)
        assert f"Nước mặn {words_} 0,5 g/l." in page
        assert f"{words_.capitalize()} 0,5 g/l." in page
    english = text(shown(world, answer(decision.TOO_SALT, figure=0.5), f"{PLACE}&lang=en").text)
    assert "The water reaches 0.5 g/L." in english
    assert "Reaches 0.5 g/L." in english
    at = {"xuan-hoa/river": {5000: answer(decision.TAKE, limit_g_l=5.0, figure=0.5)}}
    page = text(told(world, f"/nong-dan?{PLACE}&gioihan=5", at).text)
    assert "Nước này đã tới mức của Sầu riêng." in page


def test_kept_for_half_a_minute_and_never_beyond_what_it_says(world: Farm) -> None:
    page = shown(world, answer(decision.TAKE))
    assert page.headers["cache-control"] == "public, max-age=30"
    again = shown(world, answer(decision.TAKE), **{"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    short = shown(world, answer(decision.TAKE, until=NOW_MS + 9_000))
    assert short.headers["cache-control"] == "public, max-age=9"


def test_the_part_that_is_renewed_is_unchanged_while_nothing_happens(world: Farm) -> None:
    path = f"/nong-dan/luc-nay?{PLACE}"
    said = answer(decision.TAKE)
    part = shown(world, said, path)
    assert "<html" not in part.text
    assert part.headers["songtien-now"] == str(NOW_MS)
    world.now_ms += MINUTE
    tag = {"if-none-match": part.headers["etag"]}
    assert shown(world, said, path, **tag).status_code == 304
    assert shown(world, answer(decision.TOO_SALT), path, **tag).status_code == 200


def test_all_of_the_first_view_is_light(world: Farm) -> None:
    page = shown(world, answer(decision.TAKE), **{"accept-encoding": "gzip"})
    assert int(page.headers["content-length"]) < 8_000
    assert page.headers["content-encoding"] == "gzip"


def test_a_service_that_is_not_open_says_so_in_words(world: Farm) -> None:
    world.doorkeeper = Doorkeeper(world.tokens, TicketOffice(), anonymous=False)
    page = get(world, f"/nong-dan?{PLACE}")
    assert page.status_code == 401
    assert "Trang này không mở cho mọi người." in page.text


@pytest.mark.parametrize("row", sorted(OF_ROW))
def test_no_first_line_reads_as_a_permission_without_its_diacritics(row: int) -> None:
    said = verdict(answer(row), "river", NOW_MS, "vi")
    bare = plain(f"{said.head} {said.rest}")
    if row not in (decision.TAKE, decision.PUMP_ONLY):
        assert any(word in bare.split("-") for word in ("khong", "chua", "ngung"))
    assert "dung-lay" not in bare


def test_json_of_places_crops_and_one_answer(world: Farm) -> None:
    levels = {level: answer(decision.TAKE, limit_g_l=level / 1000) for level in LEVELS_MG_L}
    at = {"xuan-hoa/river": levels}
    places = told(world, "/api/v1/farmers/places", at)
    found = farm_shapes.FarmPlaces.model_validate(places.json()).items
    assert [one.place for one in found][:2] == ["xuan-hoa/river", "xuan-hoa/field"]
    assert found[0].answers["500"].answer == "take"
    farm_shapes.FarmCrops.model_validate(told(world, "/api/v1/farmers/crops", at).json())
    asked = "/api/v1/farmers/answer?place=xuan-hoa/river&crop=durian"
    one = told(world, asked, at)
    farm_shapes.FarmAnswerOfShape.model_validate(one.json())
    assert told(world, asked, at, **{"if-none-match": one.headers["etag"]}).status_code == 304
    world.now_ms += 9 * MINUTE
    assert told(world, asked, at).json()["answer"] == "unknown"
    assert told(world, f"{asked}&limit_g_l=0.05", at).status_code == 422
    assert told(world, asked.replace("river", "sea"), at).status_code == 422
    assert told(world, asked.replace("durian", "x"), at).status_code == 422
    nothing = told(world, asked.replace("river", "field"), at)
    assert nothing.status_code == 404


def test_the_answer_stands_while_the_past_cannot_be_read(world: Farm) -> None:
    def broken(*asked: object) -> NoReturn:
        tried.append(asked)
        raise sqlite3.OperationalError("disk I/O error")

    tried: list[object] = []
    farmers = Farmers(answers=lambda: world.places)
    world.app = create_app(replace(world.service(), farmers=farmers, points=broken))
    for _ in range(3):
        page = shown(world, answer(decision.TAKE))
        assert head(page.text) == "CÓ THỂ LẤY NƯỚC"
        assert "Chưa tải được số đo cũ." in page.text
        world.now_ms += 1000
    assert len(tried) == 1  # nobody waits for it again at once


def test_the_past_of_a_station_is_read_once_a_minute_for_all(world: Farm) -> None:
    tried: list[object] = []
    real = world.service()

    def counted(*asked: Any) -> Any:
        tried.append(asked)
        return real.points(*asked)

    farmers = Farmers(answers=lambda: world.places)
    world.app = create_app(replace(real, farmers=farmers, points=counted))
    for crop in ("durian", "rice", "lime", "guava"):
        shown(world, answer(decision.TAKE), f"noi=xuan-hoa&phia=song&cay={crop}")
    assert len(tried) == 1
    world.now_ms += MINUTE
    shown(world, answer(decision.TAKE))
    assert len(tried) == 2


def test_a_fault_of_the_service_is_told_in_words(world: Farm) -> None:
    def broken() -> Answers:
        raise RuntimeError("a fault")

    world.app = create_app(replace(world.service(), farmers=Farmers(answers=broken)))
    page = told(world, f"/nong-dan?{PLACE}", {})
    assert page.status_code == 500
    assert "Trang bị lỗi." in page.text
    assert told(world, "/nong-dan/khong-co", {}).status_code == 404
    assert "Không có trang này." in told(world, "/nong-dan/khong-co", {}).text


def test_a_probe_of_every_second_is_drawn_by_its_highest(world: Farm) -> None:
    times = range(NOW_MS - 24_000_000, NOW_MS - 3_000_000, 1000)
    world.put(KEY, [(t + 1, 0.9 if t == NOW_MS - 9_000_000 else 0.2, 1) for t in times])
    page = shown(world, answer(decision.TAKE)).text
    assert ">0,90</text>" in page
    assert len(page) < 40_000


@pytest.mark.parametrize("query", [PLACE, "lang=en"])
def test_a_page_is_put_together_once_for_all_who_ask(
    world: Farm, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Asked] = []
    draw = page.page

    def counted(asked: Asked, *more: Any) -> str:
        drawn.append(asked)
        return draw(asked, *more)

    monkeypatch.setattr(page, "page", counted)
    bodies = {shown(world, answer(decision.TAKE), query).content for _ in range(5)}
    assert len(bodies) == len(drawn) == 1
    world.now_ms += PAGE_MS
    shown(world, answer(decision.TAKE), query)
    assert len(drawn) == 2
