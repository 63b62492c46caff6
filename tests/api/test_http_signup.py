"""Signing up over HTTP, and what people do with what is stored about them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.farmers_world import Village
from tests.api.http_service import NOW_MS, ask, get, with_client
from tests.api.people_world import DIGITS

FOLLOWS = [{"place": "xuan-hoa/river", "crop": "durian"}]
BODY: dict[str, Any] = {"channel": "sms", "address": "0912 345 678", "follows": FOLLOWS}
SIGNUP, CONFIRM = "/api/v1/farmers/signup", "/api/v1/farmers/confirm"
ME = "/api/v1/farmers/me"


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = Village(tmp_path)
    yield village
    village.close()


async def joined(client: httpx.AsyncClient, village: Village, **body: Any) -> dict[str, str]:
    """Headers of somebody who signed up."""
    asked = await client.post(SIGNUP, json={**BODY, **body})
    assert asked.status_code == 200, asked.text
    shown = {"request": asked.json()["request"], "code": village.house.code}
    confirmed = await client.post(CONFIRM, json=shown)
    assert confirmed.status_code == 200, confirmed.text
    return {"Authorization": f"Farmer {confirmed.json()['token']}"}


def test_sign_up_look_change_export_and_stop(village: Village) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        asked = await client.post(SIGNUP, json=BODY)
        assert asked.json()["by"] == "code"
        assert asked.json()["until"] == NOW_MS + 600_000
        me = await joined(client, village, address="0987654321", lang="en")
        seen = (await client.get(ME, headers=me)).json()
        assert seen["address"] == "09xx xxx 321"
        assert seen["follows"][0]["limit_g_l"] == 0.5
        assert seen["follows"][0]["notices"] == ["salt", "fresh", "silent", "bulletin"]

        change = {
            "follows": [
                {
                    "place": "xuan-hoa/field",
                    "crop": "Lúa, lúc khác",
                    "limit_g_l": 1.7,
                    "notices": ["salt", "windows"],
                }
            ],
            "quiet": {"from": "21:00", "to": "05:00", "urgent_passes": False},
        }
        changed = await client.patch(ME, headers=me, json=change)
        assert changed.status_code == 200, changed.text
        (follow,) = changed.json()["follows"]
        assert (follow["crop"], follow["limit_g_l"]) == ("rice", 1.5)
        assert follow["notices"] == ["salt", "windows"]
        assert changed.json()["quiet"] == change["quiet"]
        changed = await client.patch(ME, headers=me, json={"lang": "vi"})
        assert changed.json()["quiet"] == change["quiet"]
        changed = await client.patch(ME, headers=me, json={"quiet": None})
        assert (changed.json()["quiet"], changed.json()["lang"]) == (None, "vi")

        stored = await client.get(f"{ME}/export", headers=me)
        assert stored.json()["address"] == "09xx xxx 321"
        assert "attachment" in stored.headers["content-disposition"]
        assert stored.headers["cache-control"] == "no-store"
        stopped = await client.post(f"{ME}/stop", headers=me)
        assert stopped.json() == {"done": True}
        assert (await client.get(ME, headers=me)).status_code == 401

    with_client(village.world, story, farmers=village.farmers)
    assert village.house.people.counts(NOW_MS).do_not_contact == 1


def test_several_are_followed_by_one_code_and_more_without_one(village: Village) -> None:
    two = [*FOLLOWS, {"place": "xuan-hoa/river", "crop": "rice"}]
    more = [{"place": "xuan-hoa/field", "crop": "rice", "limit_g_l": 1.5}]

    async def story(client: httpx.AsyncClient) -> None:
        me = await joined(client, village, follows=two)
        village.house.sent.clear()
        added = await client.post(f"{ME}/follows", headers=me, json={"follows": more})
        assert added.status_code == 200, added.text
        found = [(one["place"], one["crop"], one["limit_g_l"]) for one in added.json()["follows"]]
        assert sorted(found) == [
            ("xuan-hoa/field", "rice", 1.5),
            ("xuan-hoa/river", "durian", 0.5),
            ("xuan-hoa/river", "rice", 2),
        ]
        newer = [{**more[0], "limit_g_l": 1}]
        again = await client.post(f"{ME}/follows", headers=me, json={"follows": newer})
        assert len(again.json()["follows"]) == 3  # of the same place and crop the newer limit
        crops = ["longan", "papaya", "banana", "lime", "maize", "mango", "guava", "cacao"]
        many = [{"place": "xuan-hoa/river", "crop": crop} for crop in crops]
        refused = await client.post(f"{ME}/follows", headers=me, json={"follows": many})
        assert refused.status_code == 422
        [fault] = refused.json()["errors"]
        assert fault["name"] == "follows"
        assert "than 10 places" in fault["detail"]
        assert "quá 10 nơi và cây" in fault["detail_vi"]
        assert (await client.post(f"{ME}/follows", json={"follows": more})).status_code == 401

    with_client(village.world, story, farmers=village.farmers)
    assert village.house.sent == []
    village.house.people.sweep(NOW_MS)
    assert [one.kind for one in village.house.sent] == ["welcome"]


def test_what_is_followed_anew_is_bounded_by_the_hour_however_it_is_sent(village: Village) -> None:
    def ways(n: int) -> tuple[str, str]:
        return ("PATCH", ME) if n % 2 else ("POST", f"{ME}/follows")

    async def story(client: httpx.AsyncClient) -> None:
        me = await joined(client, village)
        for n in range(10):
            method, path = ways(n)
            crop = ("rice", "lime")[n // 2 % 2] if n % 2 else "maize"
            follows = [*FOLLOWS, {"place": "xuan-hoa/field", "crop": crop}]
            done = await client.request(method, path, headers=me, json={"follows": follows})
            assert done.status_code == 200, (n, done.text)
        for n in range(2):
            method, path = ways(n)
            new = [*FOLLOWS, {"place": "xuan-hoa/field", "crop": "pomelo"}]
            late = await client.request(method, path, headers=me, json={"follows": new})
            assert (late.status_code, late.headers["retry-after"]) == (429, "3600")
        # What drops or changes and brings nothing new goes on.
        less = await client.patch(ME, headers=me, json={"follows": FOLLOWS})
        assert less.status_code == 200

    with_client(village.world, story, farmers=village.farmers)


def test_erasing_leaves_nothing_and_a_form_stops_too(village: Village) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        me = await joined(client, village)
        assert (await client.delete(ME, headers=me)).json() == {"done": True}
        assert (await client.delete(ME, headers=me)).status_code == 401
        village.world.now_ms += 3_600_000
        token = (await joined(client, village))["Authorization"].partition(" ")[2]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        stopped = await client.post(f"{ME}/stop", headers=form, content=f"token={token}")
        assert stopped.json() == {"done": True}

    with_client(village.world, story, farmers=village.farmers)
    counts = village.house.people.counts(NOW_MS)
    assert (counts.active, counts.do_not_contact) == (0, 1)
    assert (counts.ever["erased"], counts.ever["stopped"]) == (1, 1)


@pytest.mark.parametrize(
    ("change", "field", "accepted"),
    [
        ({"channel": "fax"}, "channel", "accepted are chat, mail, sms, zalo"),
        ({"address": "0273 3872 345"}, "address", "landline"),
        ({"address": "0168 234 5678"}, "address", "begin with 038 now"),
        ({"follows": []}, "follows", "at least 1"),
        ({"follows": FOLLOWS * 11}, "follows", "at most 10"),
        ({"follows": [{"place": "nowhere", "crop": "rice"}]}, "follows.0.place", "xuan-hoa/field"),
        ({"follows": [{**FOLLOWS[0], "crop": "tea"}]}, "follows.0.crop", "durian"),
        ({"follows": [{**FOLLOWS[0], "limit_g_l": 0.1}]}, "follows.0.limit_g_l", "0.3"),
        ({"follows": [{**FOLLOWS[0], "notices": ["x"]}]}, "follows.0.notices", "windows"),
        ({"quiet": {"from": "25:00", "to": "05:00"}}, "quiet", "21:00"),
        ({"quiet": {"from": "5", "to": "05:00"}}, "quiet", "differ"),
        ({"lang": "fr"}, "lang", "'vi' or 'en'"),
        ({"phone": "0912345678"}, "phone", "not permitted"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_accepted(
    village: Village, change: dict[str, Any], field: str, accepted: str
) -> None:
    found = ask(village.world, "POST", SIGNUP, json={**BODY, **change}, farmers=village.farmers)
    assert found.status_code == 422
    assert found.headers["content-type"] == "application/problem+json"
    (fault,) = found.json()["errors"]
    assert fault["name"] == field
    assert accepted in fault["detail"]
    assert village.house.sent == []


def test_a_wrong_code_says_how_many_tries_are_left(village: Village) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        asked = (await client.post(SIGNUP, json=BODY)).json()["request"]
        wrong = f"{(int(village.house.code) + 1) % 10**6:06}"
        shown = {"request": asked, "code": wrong}
        for left in (4, 3, 2, 1):
            found = await client.post(CONFIRM, json=shown)
            assert (found.status_code, found.json()["tries_left"]) == (422, left)
        assert "over" in (await client.post(CONFIRM, json=shown)).json()["detail"]
        right = {"request": asked, "code": village.house.code}
        assert (await client.post(CONFIRM, json=right)).status_code == 422

    with_client(village.world, story, farmers=village.farmers)


def test_who_asks_too_often_is_told_when_to_come_again(village: Village) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.post(SIGNUP, json=BODY)).status_code == 200
        found = await client.post(SIGNUP, json=BODY)
        assert (found.status_code, found.headers["retry-after"]) == (429, "60")
        village.world.now_ms += 60_000
        assert (await client.post(SIGNUP, json=BODY)).status_code == 200

    with_client(village.world, story, farmers=village.farmers)
    assert len(village.house.sent) == 2


def test_very_many_are_told_to_come_later(tmp_path: Path) -> None:
    village = Village(tmp_path, {"codes_per_hour": 1})

    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.post(SIGNUP, json=BODY)).status_code == 200
        found = await client.post(SIGNUP, json={**BODY, "address": "0987654321"})
        assert (found.status_code, found.headers["retry-after"]) == (503, "900")

    with_client(village.world, story, farmers=village.farmers)
    village.close()


def test_where_the_disk_refuses_people_come_later_and_no_log_says_who(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    file = village.house.people._file
    file._connection.execute("PRAGMA query_only=ON")
    answer = ask(village.world, "POST", SIGNUP, json=BODY, farmers=village.farmers)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    form = "kenh=sms&diachi=0912345678&noi=xuan-hoa/song&cay=durian&tin=salt"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    page = ask(
        village.world,
        "POST",
        "/nong-dan/dang-ky",
        headers=kind,
        content=form.encode(),
        farmers=village.farmers,
    )
    assert page.status_code == 503
    assert "Đợi ít phút rồi thử lại" in page.text
    assert "can't be read or written" in caplog.text
    assert DIGITS not in caplog.text


def test_a_chat_is_given_a_link_in_place_of_a_code(village: Village) -> None:
    body = {**BODY, "channel": "chat", "address": ""}
    found = ask(village.world, "POST", SIGNUP, json=body, farmers=village.farmers).json()
    assert found["by"] == "link"
    assert found["until"] == NOW_MS + 3_600_000


def test_a_token_is_shown_as_one_and_never_in_the_address(village: Village) -> None:
    for headers in ({}, {"Authorization": "Farmer"}, {"Authorization": "Farmer x"}):
        found = get(village.world, ME, headers, farmers=village.farmers)
        assert found.status_code == 401
        assert found.headers["www-authenticate"].startswith("Farmer")
    found = get(village.world, f"{ME}?token=x", farmers=village.farmers)
    assert found.status_code in (401, 422)
    # An officer's token is none of a farmer's.
    officer = village.world.token("admin")
    assert get(village.world, ME, officer, farmers=village.farmers).status_code == 401


def test_without_a_channel_nobody_signs_up(village: Village) -> None:
    assert ask(village.world, "POST", SIGNUP, json=BODY).status_code == 404
    assert get(village.world, "/api/v1/farmers/channels").json()["channels"] == []
    found = get(village.world, "/api/v1/farmers/channels", farmers=village.farmers)
    assert {"name": "sms", "takes": "phone"} in found.json()["channels"]
    tag = {"If-None-Match": found.headers["etag"]}
    again = get(village.world, "/api/v1/farmers/channels", tag, farmers=village.farmers)
    assert again.status_code == 304


def test_no_answer_and_no_log_repeats_a_number(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []

    async def story(client: httpx.AsyncClient) -> None:
        me = await joined(client, village)
        for changed in (
            {},
            {"address": f"0{DIGITS}9"},
            {"address": f"+1{DIGITS}"},
            {"address": 912345678},
            {"address": ["0912345678"]},
            {"channel": "mail"},
            {"channel": "chat", "address": f"-{DIGITS}"},
        ):
            found = await client.post(SIGNUP, json={**BODY, **changed})
            said.append(found.text)
            assert found.status_code in (422, 429), changed
        said.append((await client.get(ME, headers=me)).text)
        said.append((await client.get("/metrics")).text)

    with_client(village.world, story, farmers=village.farmers)
    text = "\n".join([*said, caplog.text])
    assert DIGITS not in text
    assert "912 345 678" not in text
    assert village.house.code not in text
