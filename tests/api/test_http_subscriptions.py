"""Subscriptions as officers see them: pages, one, export, erasing, lists; all of it audited."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.farmers_world import Village
from tests.api.http_service import NOW_MS, ask, get, with_client
from tests.api.people_world import FIELD, PHONE

PATH = "/api/v1/subscriptions"
CSV = (
    "\ufeffHọ tên;Số điện thoại;Nơi;Phía;Cây;Giới hạn;Báo;Giờ yên;Ngôn ngữ;Đồng ý\r\n"
    "Nguyễn Văn An;0912 345 678;Xuân Hòa;ngoài sông;Sầu riêng;;;;;04/01/2025\r\n"
    "Trần Thị Bé;987654321;xuan-hoa;trong đồng;Lúa, lúc khác;1,5;mặn, cửa sổ;21:00-05:00;en;2025-01-04\r\n"
    "Lê Văn Cam;0273 3872 345;xuan-hoa/river;rice;;;;;;04/01/2025\r\n"
    "Phạm Dừa;0333 333 333;xuan-hoa/river;;dua;;;;;\r\n"
).encode()
TYPE = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = Village(tmp_path)
    yield village
    village.close()


def bring(village: Village, raw: bytes = CSV, **how: Any) -> httpx.Response:
    """An operator brings in a list."""
    query = how.pop("query", "channel=sms")
    headers = {**village.world.token(how.pop("role", "operator")), **how.pop("type", TYPE)}
    return ask(
        village.world,
        "POST",
        f"{PATH}/import?{query}",
        headers=headers,
        content=raw,
        farmers=village.farmers,
    )


def test_a_list_is_reported_line_by_line_and_taken(village: Village) -> None:
    expected = [
        {"line": 2, "done": "done", "phone": "09xx xxx 678"},
        {"line": 3, "done": "done", "phone": "09xx xxx 321", "repaired": True},
    ]
    for query, active in (("channel=sms&dry_run=true", 0), ("channel=sms", 2)):
        found = bring(village, query=query)
        assert found.status_code == 200, found.text
        report = found.json()
        assert report["lines"][:2] == expected
        assert [(one["line"], one["field"]) for one in report["lines"][2:]] == [
            (4, "phone"),
            (5, "consent"),
        ]
        assert report["counts"] == {"done": 2, "changed": 0, "already": 0, "refused": 2}
        assert (report["repaired"], report["passed_over"]) == (1, ["Họ tên"])
        assert village.house.people.counts(NOW_MS).active == active
    assert bring(village).json()["counts"]["already"] == 2
    village.house.people.sweep(NOW_MS)
    assert [one.kind for one in village.house.sent] == ["welcome", "welcome"]
    (_, second) = get(
        village.world, PATH, village.world.token("admin"), farmers=village.farmers
    ).json()["items"]
    assert second["quiet"] == {"from": "21:00", "to": "05:00", "urgent_passes": True}
    assert second["lang"] == "en"
    assert (second["origin"], second["consent"]) == ("list", "2025-01-04")
    assert second["officer"] == "the operator"
    (follow,) = second["follows"]
    assert (follow["place"], follow["limit_g_l"]) == ("xuan-hoa/field", 1.5)
    assert follow["notices"] == ["salt", "windows"]


def test_who_stopped_is_not_brought_back_by_a_list(village: Village) -> None:
    village.house.people.stop(village.house.joins(), NOW_MS)
    (line, *_) = bring(village).json()["lines"]
    assert (line["done"], line["field"]) == ("refused", "phone")
    assert "has stopped" in line["detail"]
    assert "đã ngưng nhận tin" in line["detail_vi"]


@pytest.mark.parametrize(
    ("raw", "how", "accepted"),
    [
        (CSV.decode().encode("utf-16"), {}, "UTF-16; accepted is UTF-8"),
        ("số;nơi\n".encode("cp1258", "replace") + b"\xf0\xd2;", {}, "windows-1258"),
        (b"", {}, "empty"),
        (b"phone;place;crop\n", {}, "consent: dong_y, consent"),
        (CSV, {"query": "channel=mail"}, "sms, zalo"),
        (CSV, {"query": "channel=fax"}, "sms, zalo"),
        (CSV, {"type": {"Content-Type": "application/pdf"}}, "text/csv"),
    ],
)
def test_a_list_that_is_not_understood_is_refused_as_a_whole(
    village: Village, raw: bytes, how: dict[str, Any], accepted: str
) -> None:
    found = bring(village, raw, **how)
    assert found.status_code == 422
    (fault,) = found.json()["errors"]
    assert accepted in fault["detail"]
    assert bool(fault.get("detail_vi")) == (fault["name"] == "csv"), "what is wrong with the list"


def test_a_list_may_be_a_megabyte_and_no_other_body(village: Village) -> None:
    head = "phone;place;crop;consent;note\n"
    line = f"0912345678;xuan-hoa/river;durian;2025-01-04;{'x' * 150}\n"
    longest = head + line * ((1_000_000 - len(head)) // len(line))
    assert bring(village, longest.encode()).status_code == 422  # more than 5,000 people
    assert bring(village, longest[:200_000].encode()).status_code == 200
    assert bring(village, b"x" * 1_000_001).status_code == 413
    other = ask(village.world, "POST", "/api/v1/farmers/signup", content=b"x" * 65_537)
    assert other.status_code == 413


def test_pages_one_and_export_are_for_admins_and_audited(village: Village) -> None:
    village.house.joins(PHONE)
    village.house.joins("0987654321", FIELD)
    admin = village.world.token("admin")

    async def story(client: httpx.AsyncClient) -> None:
        first = (await client.get(f"{PATH}?limit=1", headers=admin)).json()
        assert [one["address"] for one in first["items"]] == ["09xx xxx 678"]
        url = f"{PATH}?limit=1&after={first['next']}"
        second = (await client.get(url, headers=admin)).json()
        assert [one["address"] for one in second["items"]] == ["09xx xxx 321"]
        assert second["next"] is None
        at = (await client.get(f"{PATH}?place=xuan-hoa/field", headers=admin)).json()
        assert [one["id"] for one in at["items"]] == [2]
        assert (await client.get(f"{PATH}/1", headers=admin)).json()["state"] == "active"
        export = await client.get(f"{PATH}/1/export", headers=admin)
        assert export.json()["address"] == "+84912345678"
        assert (await client.delete(f"{PATH}/1", headers=admin)).json() == {"done": True}
        for method, url in (("GET", "1"), ("GET", "1/export"), ("DELETE", "1")):
            gone = await client.request(method, f"{PATH}/{url}", headers=admin)
            assert gone.status_code == 404
        await client.get(f"{PATH}?channel=0912345678", headers=admin)

    with_client(village.world, story, farmers=village.farmers)
    lines = [(what.partition(" after")[0], outcome) for _, what, outcome in village.audit()]
    assert lines == [
        ("subscription.list", "done"),
        ("subscription.list", "done"),
        ("subscription.list", "done"),
        ("subscription.see 1", "done"),
        ("subscription.export 1", "done"),
        ("subscription.erase 1", "done"),
        ("subscription.see 1", "not found"),
        ("subscription.export 1", "not found"),
        ("subscription.erase 1", "not found"),
        ("subscription.list", "done"),
    ]
    assert all(who == "the admin" for who, _, _ in village.audit())
    assert "912345678" not in str(village.audit())
    assert village.house.people.counts(NOW_MS).do_not_contact == 1


def test_an_admin_enters_somebody_who_agreed_on_paper(village: Village) -> None:
    admin = village.world.token("admin")
    body = {
        "channel": "sms",
        "phone": PHONE,
        "follows": [{"place": "xuan-hoa/river", "crop": "durian"}],
        "consent": "2025-01-04",
    }

    def add(**change: str) -> httpx.Response:
        return ask(
            village.world,
            "POST",
            PATH,
            headers=admin,
            json={**body, **change},
            farmers=village.farmers,
        )

    assert add().json()["lines"] == [{"line": 1, "done": "done", "phone": "09xx xxx 678"}]
    assert add().json()["counts"]["already"] == 1
    for change, field in (
        ({"phone": "123"}, "phone"),
        ({"consent": "2099-01-01"}, "consent"),
        ({"consent": "2025-02-30"}, "consent"),
        ({"channel": "mail"}, "channel"),
    ):
        found = add(**change)
        assert (found.status_code, found.json()["errors"][0]["name"]) == (422, field)


def test_operators_count_and_see_nobody(village: Village) -> None:
    village.house.joins(PHONE)
    operator = village.world.token("operator")
    found = get(village.world, f"{PATH}/counts", operator, farmers=village.farmers).json()
    assert found["by_place"] == {"xuan-hoa/river": 1}
    assert (found["active"], found["by_channel"]) == (1, {"sms": 1})
    for url in (PATH, f"{PATH}/1", f"{PATH}/1/export"):
        assert get(village.world, url, operator, farmers=village.farmers).status_code == 403
        assert get(village.world, url, farmers=village.farmers).status_code == 401
    for role, status in (("viewer", 403), ("operator", 200), ("admin", 200)):
        assert bring(village, role=role).status_code == status
