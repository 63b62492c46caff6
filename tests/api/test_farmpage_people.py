"""Signing up by plain forms, over real people on disk: code, what is stored, stop, export, erase."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from alerts.farmers.crops import CROPS
from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from api.auth import Doorkeeper, TicketOffice
from api.farmers import Farmers, Telling
from api.http.app import create_app
from api.people.addresses import AddressKind
from api.people.people import People
from api.people.terms import ChangeWhy
from tests.api.http_service import NOW_MS, World

PHONE = "0912 345 678"
KEY = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
BROWSER = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/abc",
    "keys": {"p256dh": KEY, "auth": "tBHItJI5svbpez7KI4CCXg"},
}
ASK = {
    "diachi": PHONE,
    "noi": "xuan-hoa/song",
    "cay": "durian",
    "gioihan": "",
    "tin": ["salt", "fresh"],
    "yen": "1",
    "tu": "21:00",
    "den": "05:00",
    "gap": "1",
    "lang": "vi",
}


@dataclass
class Messages:
    """What was to be sent to one person: (channel, kind, said)."""

    sent: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(
        self, contact: int, channel: str, kind: str, said: Mapping[str, Any], key: str, now_ms: int
    ) -> None:
        del contact, key, now_ms
        self.sent.append((channel, kind, said))

    @property
    def code(self) -> str:
        return str(next(said["code"] for _, kind, said in reversed(self.sent) if kind == "code"))


@dataclass
class Town:
    """A service with people, and its messages."""

    world: World
    messages: Messages
    app: FastAPI
    held_up: set[str] = field(default_factory=set)

    def ask(self, *asked: tuple[str, str, dict[str, Any]], **headers: str) -> list[httpx.Response]:
        """Requests one after another, against one app."""
        found: list[httpx.Response] = []

        async def tell() -> None:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            base_url = "http://localhost:8080"
            async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
                for method, path, form in asked:
                    data = form if method == "POST" else None
                    found.append(await client.request(method, path, data=data, headers=headers))

        anyio.run(tell)
        return found

    def sent(self, path: str, **how: Any) -> httpx.Response:
        """What is no form of the page."""

        async def tell() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.post(path, **how)

        return anyio.run(tell)

    def post(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        return self.ask(("POST", path, form), **headers)[0]

    def signed_up(self, **changes: Any) -> str:
        """The path of somebody's own page."""
        asked = self.post("/nong-dan/dang-ky", ASK | changes)
        assert asked.status_code == 200, asked.text
        request = re.search(r'name="yeucau" value="([^"]+)"', asked.text)
        assert request is not None
        shown = {"yeucau": request[1], "ma": self.messages.code, "lang": "vi"}
        done = self.post("/nong-dan/ma", shown)
        assert done.status_code == 303
        return str(done.headers["location"]).partition("?")[0]

    def stored(self, path: str) -> str:
        return self.ask(("GET", path, {}))[0].text


@contextmanager
def living(directory: Path, channels: Mapping[str, AddressKind]) -> Iterator[Town]:
    world, messages = World(directory), Messages()
    people = People(directory, channels, messages)
    keys = {name: KEY for name, kind in channels.items() if kind is AddressKind.WEBPUSH}
    held_up: set[str] = set()
    telling = Telling(held_up=held_up.__contains__)
    farmers = Farmers(people=people, push_keys=keys, telling=telling)
    app = create_app(replace(world.service(), farmers=farmers))
    yield Town(world, messages, app, held_up)
    people.close()
    world.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with living(tmp_path, {"sms": AddressKind.PHONE}) as town:
        yield town


def test_signing_up_by_plain_forms(town: Town) -> None:
    page = town.ask(("GET", "/nong-dan/dang-ky?noi=xuan-hoa&phia=song&cay=durian", {}))[0].text
    assert 'value="xuan-hoa/song" selected' in page
    assert 'value="durian" selected' in page
    stored, button = page.index("Lưu gì về bạn"), page.index('<button type="submit"')
    assert stored < page.index("HUY") < button  # said before anything is sent

    path = town.signed_up()
    page = town.stored(path)
    assert "Cống Xuân Hòa, ngoài sông: Sầu riêng" in page
    assert "912 345 678" not in page  # masked
    assert "345" not in re.sub(r"/toi/[^\"?]+", "", page)
    assert [kind for _, kind, _ in town.messages.sent] == ["code", "welcome"]


def test_what_is_filled_in_wrongly_comes_back_with_its_faults(town: Town) -> None:
    wrong = town.post("/nong-dan/dang-ky", ASK | {"diachi": "12"})
    assert wrong.status_code == 422
    assert "Số hoặc địa chỉ chưa đúng" in wrong.text
    assert 'value="12"' in wrong.text
    nothing = town.post("/nong-dan/dang-ky", {"lang": "vi"})
    assert nothing.status_code == 422
    for sentence in ("Chọn nơi lấy nước.", "Chọn cây trồng", "Chọn ít nhất một loại tin."):
        assert sentence in nothing.text
    assert town.messages.sent == []


def test_a_code_that_may_come_late_is_not_said_to_be_on_its_way(town: Town) -> None:
    (page,) = town.ask(("POST", "/nong-dan/dang-ky", ASK))
    assert "Mã 6 số đã gửi đi" in page.text
    town.held_up.add("sms")
    said = (("0987 654 321", "vi", "có thể tới muộn"), ("0987 654 322", "en", "may come late"))
    for number, lang, late in said:
        form = ASK | {"diachi": number, "lang": lang}
        (page,) = town.ask(("POST", "/nong-dan/dang-ky", form))
        assert late in page.text
        assert "đã gửi đi" not in page.text
        assert "on its way" not in page.text
        assert "sms" not in page.text.lower()


def test_a_second_code_at_once_is_too_soon(town: Town) -> None:
    asked = town.ask(*[("POST", "/nong-dan/dang-ky", ASK)] * 2)
    assert [each.status_code for each in asked] == [200, 429]
    assert int(asked[1].headers["retry-after"]) > 0
    assert "Thử lại sau" in asked[1].text


def test_a_wrong_code_can_be_mended_and_is_not_tried_for_ever(town: Town) -> None:
    asked = town.post("/nong-dan/dang-ky", ASK)
    request = re.findall(r'name="yeucau" value="([^"]+)"', asked.text)[0]
    wrong = "000000" if town.messages.code != "000000" else "000001"
    tries = [
        town.post("/nong-dan/ma", {"yeucau": request, "ma": wrong, "lang": "vi"}) for _ in range(6)
    ]
    assert {each.status_code for each in tries} == {422}
    assert "Còn 4 lần" in tries[0].text
    assert "Làm lại từ đầu" in tries[5].text
    late = town.post("/nong-dan/ma", {"yeucau": request, "ma": town.messages.code})
    assert late.status_code == 422


def test_what_is_stored_is_changed_exported_stopped_and_erased(town: Town) -> None:
    path = town.signed_up()
    key = "xuan-hoa/river durian"
    form = {"ai0": key, "gioihan0": "0,4", "tin0": ["salt", "silent"], "ngonngu": "en"}
    changed = town.post(f"{path}/doi", form)
    assert changed.status_code == 303
    exported = town.post(f"{path}/tai", {})
    assert exported.headers["content-disposition"].startswith("attachment")
    found = exported.json()
    assert found["follows"][0]["limit_g_l"] == 0.4
    assert found["follows"][0]["notices"] == ["salt", "silent"]
    assert found["quiet"] is None  # its box was not ticked
    assert found["language"] == "en"
    assert found["address"] == "09xx xxx 678"
    assert "345678" not in exported.text

    stopped = town.post(f"{path}/ngung", {})
    assert stopped.status_code == 200
    assert "Đã ngưng nhắn tin" in stopped.text
    gone = town.ask(("GET", path, {}), ("POST", f"{path}/tai", {}), ("POST", f"{path}/xoa", {}))
    assert [each.status_code for each in gone] == [404, 404, 404]
    town.world.now_ms += 86_400_000
    assert town.post(f"{town.signed_up()}/xoa", {}).status_code == 200


ONE_CLICK = {
    "application/x-www-form-urlencoded": "List-Unsubscribe=One-Click",
    "multipart/form-data; boundary=x": (
        '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    ),
}


@pytest.mark.parametrize("kind", ONE_CLICK)
def test_a_mail_program_stops_with_one_click_and_by_looking_stops_nobody(
    town: Town, kind: str
) -> None:
    path = town.signed_up()
    looked = town.ask(("GET", path, {}), ("HEAD", path, {}), ("POST", path, {"anything": "else"}))
    assert [each.status_code for each in looked] == [200, 200, 422]
    done = town.sent(path, content=ONE_CLICK[kind], headers={"content-type": kind})
    assert done.status_code == 200  # and no redirect, as RFC 8058 asks
    assert town.ask(("GET", path, {}))[0].status_code == 404


def test_who_has_the_link_stops_also_where_the_service_is_not_open(town: Town) -> None:
    path = town.signed_up()
    keeper = Doorkeeper(town.world.tokens, TicketOffice(), anonymous=False)
    town.app.state.service = replace(town.app.state.service, doorkeeper=keeper)
    assert town.post("/nong-dan/dang-ky", ASK | {"diachi": "0987654321"}).status_code == 401
    wish: dict[str, Any] = {"channel": "sms", "address": "0987654321"}
    wish["follows"] = [{"place": "xuan-hoa/river", "crop": "durian"}]
    assert town.sent("/api/v1/farmers/signup", json=wish).status_code == 401
    assert len(town.messages.sent) == 2
    assert "09xx xxx 678" in town.stored(path)
    assert town.post(f"{path}/ngung", {}).status_code == 200


def test_a_limit_above_the_crops_is_pointed_at(town: Town) -> None:
    path = town.signed_up(gioihan="5")
    warning = "mức bạn đặt, 5 g/l, cao hơn mức của Sầu riêng, 0,5 g/l"
    (page,) = town.ask(("GET", path, {}))
    assert warning in page.text
    assert 'href="/nong-dan?noi=xuan-hoa&amp;phia=song&amp;cay=durian&amp;gioihan=5"' in page.text
    form = {"ai0": "xuan-hoa/river durian", "tin0": ["salt"], "gioihan0": "05"}
    refused = town.post(f"{path}/doi", form)
    assert refused.status_code == 422
    assert "ghi như 0,5" in refused.text
    assert town.post(f"{path}/doi", form | {"gioihan0": "0,5"}).status_code == 303
    (page,) = town.ask(("GET", path, {}))
    assert warning not in page.text


def test_the_last_place_is_not_dropped_by_mistake(town: Town) -> None:
    path = town.signed_up()
    form = {"ai0": "xuan-hoa/river durian", "tin0": ["salt"], "bo0": "1"}
    refused = town.post(f"{path}/doi", form)
    assert refused.status_code == 422
    assert "Phải còn ít nhất một nơi" in refused.text


def test_one_code_confirms_several_crops_each_with_its_limit(town: Town) -> None:
    more = {"caykhac": ["rice", "pomelo", "durian", "rice"], "gioihan": "0,4"}
    path = town.signed_up(**more)
    found = town.post(f"{path}/tai", {}).json()["follows"]
    assert {one["crop"]: one["limit_g_l"] for one in found} == {
        "durian": 0.4,
        "rice": 2,
        "pomelo": 1.5,
    }
    assert {tuple(one["notices"]) for one in found} == {("salt", "fresh")}
    assert [kind for _, kind, _ in town.messages.sent] == ["code", "welcome"]


def test_a_crop_that_is_not_known_and_too_many_of_them_come_back_ticked(town: Town) -> None:
    wrong = town.post("/nong-dan/dang-ky", ASK | {"caykhac": ["rice", "<b>"]})
    assert wrong.status_code == 422
    assert "không nhận “&lt;b&gt;”" in wrong.text
    assert 'name="caykhac" value="rice" checked' in wrong.text
    assert "<details open>" in wrong.text
    many = town.post("/nong-dan/dang-ky", ASK | {"caykhac": list(CROPS)[1:11]})
    assert many.status_code == 422
    assert "nhiều nhất 10 nơi và cây" in many.text
    assert town.messages.sent == []


def test_the_language_of_messages_is_asked_for_and_that_of_the_page_stays(town: Town) -> None:
    (vi, en) = town.ask(("GET", "/nong-dan/dang-ky", {}), ("GET", "/nong-dan/dang-ky?lang=en", {}))
    assert '<option value="vi" selected>Tiếng Việt' in vi.text
    assert '<option value="en" selected>English' in en.text
    asked = town.post("/nong-dan/dang-ky", ASK | {"ngonngu": "en"})
    request = re.findall(r'name="yeucau" value="([^"]+)"', asked.text)[0]
    shown = {"yeucau": request, "ma": town.messages.code, "lang": "vi"}
    location = town.post("/nong-dan/ma", shown).headers["location"]
    assert {said["lang"] for _, _, said in town.messages.sent} == {"en"}
    page = town.stored(location)
    assert "Những gì lưu về bạn" in page
    assert '<option value="en" selected>English' in page


ADD = {"noi": "vam-giong/song", "cay": "rice", "tin": ["salt", "silent"], "lang": "vi"}


def test_a_place_is_added_without_a_code_and_told_of_as_it_is_now(town: Town) -> None:
    path = town.signed_up()
    town.messages.sent.clear()
    added = town.post(f"{path}/them", ADD | {"gioihan": "1,5", "caykhac": ["pomelo"]})
    assert (added.status_code, added.headers["location"]) == (303, f"{path}?tin=them&lang=vi")
    page = town.stored(added.headers["location"])
    assert "Nơi ấy có thể đang trong đợt mặn: xem nước lúc này ở bên dưới." in page
    found = town.post(f"{path}/tai", {}).json()["follows"]
    assert {(one["place"], one["crop"], one["limit_g_l"]) for one in found} == {
        ("xuan-hoa/river", "durian", 0.5),
        ("vam-giong/river", "rice", 1.5),
        ("vam-giong/river", "pomelo", 1.5),
    }
    assert town.messages.sent == []
    people = town.app.state.service.farmers.people
    people.sweep(NOW_MS)  # once a minute: several that are added together are one message
    people.sweep(NOW_MS)
    assert town.messages.sent == [("sms", "welcome", {"lang": "vi"})]


def test_a_place_that_left_the_registry_leads_to_the_choice_of_another(town: Town) -> None:
    path = town.signed_up()
    gone = [
        Follow(Place("gone", "river"), "rice", 2000),
        Follow(Place("dong-tam", "field"), "rice", 2000),
    ]
    people = town.app.state.service.farmers.people
    assert people.add(path.rpartition("/")[2], gone, NOW_MS) is ChangeWhy.DONE
    links = re.findall(r'<a href="([^"]+)" class="go"', town.stored(path))
    assert len(links) == 4  # one leads away from the page
    for link in links:
        assert town.ask(("GET", html.unescape(link), {}))[0].status_code == 200, link


def test_what_is_there_already_keeps_its_own_limit(town: Town) -> None:
    path = town.signed_up(gioihan="0,4")
    again = ADD | {"noi": "xuan-hoa/song", "cay": "durian"}
    refused = town.post(f"{path}/them", again)
    assert refused.status_code == 422
    assert "Nơi và cây này đã có" in refused.text
    assert '<details id="them" open>' in refused.text
    assert town.post(f"{path}/them", again | {"caykhac": ["rice"]}).status_code == 303
    found = town.post(f"{path}/tai", {}).json()["follows"]
    assert {one["crop"]: one["limit_g_l"] for one in found} == {"durian": 0.4, "rice": 2}


def test_what_is_added_wrongly_comes_back_with_its_faults(town: Town) -> None:
    path = town.signed_up()
    nothing = town.post(f"{path}/them", {"lang": "vi"})
    assert nothing.status_code == 422
    for sentence in ("Chọn nơi lấy nước.", "Chọn cây trồng", "Chọn ít nhất một loại tin."):
        assert sentence in nothing.text
    many = town.post(f"{path}/them", ADD | {"caykhac": list(CROPS)[:11]})
    assert many.status_code == 422
    assert "nhiều nhất 10 nơi và cây" in many.text
    assert 'value="vam-giong/song" selected' in many.text
    assert len(town.post(f"{path}/tai", {}).json()["follows"]) == 1
    assert town.post("/nong-dan/toi/abc/them", ADD).status_code == 404
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert town.post(f"{path}/them", ADD, **elsewhere).status_code == 403


def test_who_adds_and_drops_without_an_end_is_told_when_to_come_again(town: Town) -> None:
    path = town.signed_up()
    drop = {"ai0": "vam-giong/river rice", "bo0": "1"}
    for _ in range(10):
        assert town.post(f"{path}/them", ADD).status_code == 303
        assert town.post(f"{path}/doi", drop).status_code == 303
    late = town.post(f"{path}/them", ADD)
    assert (late.status_code, late.headers["retry-after"]) == (429, "3600")
    assert "Thử lại sau 1 giờ" in late.text
    town.world.now_ms += 3_600_000
    assert town.post(f"{path}/them", ADD).status_code == 303


def test_what_was_changed_elsewhere_meanwhile_is_left_as_it_is(town: Town) -> None:
    path = town.signed_up()
    form = {"ai0": "vam-giong/river rice", "tin0": ["bulletin"], "gioihan0": "4"}
    assert town.post(f"{path}/doi", form).status_code == 303
    found = town.post(f"{path}/tai", {}).json()["follows"][0]
    assert (found["limit_g_l"], found["notices"]) == (0.5, ["salt", "fresh"])


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
)
def test_forms_of_other_sites_do_nothing(town: Town, headers: dict[str, str]) -> None:
    path = town.signed_up()
    for asked in (f"{path}/ngung", f"{path}/doi", "/nong-dan/dang-ky", "/nong-dan/ma"):
        refused = town.post(asked, ASK, **headers)
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("text/html")
    assert town.ask(("GET", path, {}))[0].status_code == 200


def test_own_forms_count_behind_a_proxy_that_speaks_https(town: Town) -> None:
    path = town.signed_up()
    own = {"origin": "https://localhost:8080"}
    assert town.post(f"{path}/ngung", {}, **own).status_code == 200


def test_pages_with_a_token_are_kept_by_nobody(town: Town) -> None:
    path = town.signed_up()
    for page in town.ask(("GET", path, {}), ("POST", f"{path}/tai", {})):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "strict-origin"
        assert page.headers["x-robots-tag"] == "noindex"


def test_without_a_channel_it_says_so_and_reading_stays(tmp_path: Path) -> None:
    with living(tmp_path, {}) as town:
        page, looked = town.ask(("GET", "/nong-dan/dang-ky", {}), ("GET", "/nong-dan", {}))
    assert "Trang này chưa gửi tin nhắn" in page.text
    assert "<form" not in page.text
    assert looked.status_code == 200


def test_what_is_no_form_is_refused_in_words(town: Town) -> None:
    strange = {"content-type": "application/json"}
    refused = town.ask(("POST", "/nong-dan/ma", {}), **strange)[0]
    assert refused.status_code == 422
    many = {f"x{n}": "1" for n in range(200)}
    assert town.post("/nong-dan/ma", many).status_code == 422
    nowhere = town.post("/nong-dan/toi/abc/gi-do", {})
    assert nowhere.status_code == 404
    assert nowhere.headers["content-type"].startswith("text/html")
    assert town.world.now_ms == NOW_MS


def test_a_browser_itself_is_told_where_the_service_can(tmp_path: Path) -> None:
    both = {"sms": AddressKind.PHONE, "push": AddressKind.WEBPUSH}
    with living(tmp_path, both) as town:
        page = town.ask(("GET", "/nong-dan/dang-ky", {}))[0].text
        assert f'data-channel="push" data-key="{KEY}" hidden' in page
        assert 'name="kenh" value="sms"' in page  # the one that can be typed is chosen
        path = town.signed_up(kenh="push", diachi=json.dumps(BROWSER))
        assert "fcm.googleapis.com" in town.stored(path)
        wrong = town.post("/nong-dan/dang-ky", ASK | {"kenh": "push", "diachi": '{"a":1}'})
        assert wrong.status_code == 422
        assert "{&quot;a" not in wrong.text  # nobody types such a thing


def test_the_worker_may_work_for_the_whole_page(town: Town) -> None:
    assert town.ask(("GET", "/nong-dan/sw.js", {}))[0].status_code == 404  # not built
    pages = town.world.directory / "pages"
    pages.mkdir()
    (pages / "farm-sw.js").write_text("1")
    found = town.ask(("GET", "/nong-dan/sw.js", {}))[0]
    assert found.headers["service-worker-allowed"] == "/nong-dan"
    assert found.headers["content-type"].startswith("text/javascript")
