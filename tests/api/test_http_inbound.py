"""What gateways bring: stop words, codes, chats' links, reports; each with its secret."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.people import SignupWhy, Wish
from api.people.replies import Code, Reply, Start, StopAll, StopAt, read_reply
from ingest.intakes import Intake
from tests.api.farmers_world import HEADERS, SECRET, Village
from tests.api.http_service import NOW_MS, ask, with_client
from tests.api.people_world import FIELD, PHONE, RIVER

INTAKES = [
    Intake(each, name, (), "river", 0.5, "gravity", 1.0)
    for each, name in (("xuan-hoa", "Cống Xuân Hòa"), ("vam-giong", "Cống Vàm Giồng"))
]


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = Village(tmp_path)
    yield village
    village.close()


def bring(
    village: Village, body: Any, name: str = "sms", headers: Any = HEADERS, what: str = "inbound"
) -> httpx.Response:
    url = f"/api/v1/channels/{name}/{what}"
    return ask(village.world, "POST", url, headers=headers, json=body, farmers=village.farmers)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("HUY", StopAll()),
        ("huy.", StopAll()),
        ("  Hủy!  ", StopAll()),
        ("HỦY", StopAll()),
        ("Hu\u0309y", StopAll()),
        ("HUỶ", StopAll()),
        ("Stop", StopAll()),
        ("STOP ALL", StopAll()),
        ("/huy", StopAll()),
        ("HUY TIN", StopAll()),
        ("huy dang ky", StopAll()),
        ("DUNG", StopAll()),
        ("Dừng", StopAll()),
        ("Ngưng nhận tin", StopAll()),
        ("HUY XUAN HOA", StopAt("xuan-hoa")),
        ("hủy cống Xuân Hòa", StopAt("xuan-hoa")),
        ("HUY vam giong", StopAt("vam-giong")),
        ("HUY XUAN HOA trong đồng", StopAt("xuan-hoa", "field")),
        ("HUY XUANHOAAA", StopAll()),
        ("Đúng", None),
        ("Dung roi", None),
        ("dùng nước được không", None),
        ("Đừng", None),
        ("chưa huy", None),
        ("", None),
        ("123456", Code("123456")),
        ("123 456", Code("123456")),
        ("1234567", None),
        ("/start abc_DEF-1", Start("abc_DEF-1")),
        ("/start", None),
    ],
)
def test_replies_are_read_as_people_write_them(text: str, reply: Reply) -> None:
    assert read_reply(text, INTAKES) == reply


def test_a_stop_word_stops_and_is_answered_once(village: Village) -> None:
    village.house.joins(PHONE, RIVER, FIELD)
    body = {"from": "84912345678", "text": "Huy xuan hoa trong dong"}
    assert bring(village, body).json() == {"did": "stopped"}
    assert village.house.people.counts(NOW_MS).by_place == {"xuan-hoa/river": 1}
    body["text"] = "HỦY"
    assert bring(village, body).json() == {"did": "stopped"}
    assert bring(village, body).json() == {"did": "nothing"}
    kinds = [one.kind for one in village.house.sent]
    assert kinds == ["code", "welcome", "stopped", "stopped"]
    assert [one.said.get("left") for one in village.house.sent[2:]] == [["xuan-hoa/field"], None]


def test_a_place_that_is_not_followed_is_answered_once_and_stops_nothing(
    village: Village,
) -> None:
    village.house.joins(PHONE, FIELD)
    body = {"from": "84912345678", "text": "HUY XUAN HOA ngoai song"}
    for _ in range(2):
        assert bring(village, body).json() == {"did": "nothing"}
    assert village.house.people.counts(NOW_MS).active == 1
    [answer] = village.house.sent[2:]
    assert answer.said == {"lang": "vi", "asked": "xuan-hoa", "side": "river"}
    assert bring(village, body | {"from": "84987654321"}).json() == {"did": "nothing"}
    assert village.house.sent[-1] is answer


def test_a_form_does_as_well_and_a_code_confirms(village: Village) -> None:
    village.house.asks()
    text = f"from=%2B84912345678&text={village.house.code}"
    headers = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}
    found = ask(
        village.world,
        "POST",
        "/api/v1/channels/sms/inbound",
        headers=headers,
        content=text.encode(),
        farmers=village.farmers,
    )
    assert found.json() == {"did": "confirmed"}
    assert village.house.people.counts(NOW_MS).active == 1


def test_telegram_starts_with_the_link_and_stops(village: Village) -> None:
    wish = Wish("chat", "", (RIVER,))
    signed = village.house.people.signup(wish, "", NOW_MS)
    assert signed.why is SignupWhy.START
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}

    def says(text: str, kind: str = "private") -> Any:
        chat = {"id": 4455667788, "type": kind}
        update = {"update_id": 1, "message": {"chat": chat, "text": text}}
        return bring(village, update, "chat", headers).json()["did"]

    assert says(f"/start {signed.request}", "group") == "nothing"
    assert says(f"/start {signed.request}") == "confirmed"
    assert says("chào bạn") == "nothing"
    assert says("/huy", "group") == "nothing"
    assert says("/huy") == "stopped"
    assert bring(village, {"edited_message": {}}, "chat", headers).json() == {"did": "nothing"}
    assert [one.kind for one in village.house.sent] == ["welcome", "stopped"]


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"gateway:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def test_a_gateway_shows_its_secret_where_it_can(village: Village) -> None:
    body = {"from": "84912345678", "text": "x"}
    wrong: list[tuple[str, dict[str, str]]] = [
        ("sms", {}),
        ("sms", {"X-Songtien-Secret": "x"}),
        ("sms", {"X-Songtien-Secret": ""}),
        ("sms", basic("x")),
        ("sms", {"Authorization": "Basic %"}),
        ("fax", HEADERS),
        ("open", {}),
        ("open", {"X-Songtien-Secret": ""}),
    ]

    async def story(client: httpx.AsyncClient) -> None:
        for headers in (HEADERS, basic(SECRET), {"Authorization": f"Bearer {SECRET}"}):
            url = "/api/v1/channels/sms/inbound"
            assert (await client.post(url, headers=headers, json=body)).status_code == 200
        for name, headers in wrong:
            for what in ("inbound", "report"):
                url = f"/api/v1/channels/{name}/{what}"
                found = await client.post(url, headers=headers, json=body)
                assert found.status_code == 401, (name, headers)
                assert "secret of its channel" in found.json()["detail"]

    with_client(village.world, story, farmers=village.farmers)


@pytest.mark.parametrize(
    ("status", "did", "noted"),
    [("DELIVRD", "noted", True), ("UNDELIV", "noted", False), ("ACCEPTD", "nothing", None)],
)
def test_delivery_reports_are_handed_on(
    village: Village, status: str, did: str, noted: bool | None
) -> None:
    found = bring(village, {"id": "m-1", "status": status}, what="report")
    assert found.json() == {"did": did}
    expected = [] if noted is None else [("sms", "m-1", noted, NOW_MS)]
    assert village.reports == expected


def test_what_cannot_be_read_is_refused_without_being_repeated(village: Village) -> None:
    for what, body in (
        ("inbound", {"from": ["0912345678"], "text": "HUY"}),
        ("inbound", {"from": "0912345678"}),
        ("report", {"status": "DELIVRD"}),
        ("report", ["0912345678"]),
    ):
        found = bring(village, body, what=what)
        assert found.status_code == 422
        assert "912345678" not in found.text
    assert bring(village, {}, "zalo").status_code == 404
    assert bring(village, {}, "zalo", what="report").status_code == 404
