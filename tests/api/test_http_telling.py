"""What officers see of messages to people, and bulletins that two of them send."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.farmers.parcel import Form
from api.farmers import Farmers, HeldAsked, MessagesAsked, Reach, Telling
from api.http.telling import AT_ONCE, TRIALS_PER_HOUR
from api.people.addresses import AddressKind, parse_address
from api.service import Item, NotDurable
from tests.api.http_service import NOW_MS, World, ask, get, with_client

HOUR = 3_600_000
BROADCASTS = "/api/v1/broadcasts"
BULLETIN: Item = {
    "title": "Tin cảnh báo xâm nhập mặn",
    "text": "Mặn 4 g/l vào sâu 55 km.\nBà con đừng lấy nước.",
    "issuer": "Đài KTTV khu vực Nam Bộ",
    "issued": NOW_MS - HOUR,
    "places": ["*"],
    "valid_until": "2026-01-02T07:00:00+07:00",
}
PHONE = "0912345678"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


class Messages:
    """Held ones, and what was done to them."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.released: list[int] = []
        self.trials: list[tuple[str, str]] = []
        self.held_now = list(range(1, 8))

    def messages(self, asked: MessagesAsked) -> list[Item]:
        self.asked.append(asked)
        return [{"id": n, "contact": 7, "state": asked.state} for n in range(asked.limit, 0, -1)]

    def held(self, asked: HeldAsked) -> list[int]:
        self.asked.append(asked)
        return self.held_now[: asked.limit]

    def release(self, ids: Sequence[int]) -> int:
        self.released += ids
        return len(ids)

    def trial(self, channel: str, address: str, lang: str) -> bool:
        if channel != "sms":
            raise KeyError(channel)
        self.trials.append((parse_address(AddressKind.PHONE, address), lang))
        return address != "0900000000"

    def farmers(self, world: World) -> Farmers:
        reach = (
            Reach("sms", Form.SMS, 1000, 400),
            Reach("dep", Form.SMS_UNICODE, 10, 400),
            Reach("thu", Form.LONG, 5, 0),
        )
        door = Telling(
            messages=self.messages,
            held=self.held,
            release=self.release,
            reach=lambda places: reach if "*" in places else (),
            trial=self.trial,
        )
        return Farmers(telling=door, broadcasts=lambda: world.desk.broadcasts(world.now_ms))


def post(world: World, url: str, body: Any, name: str = "An") -> httpx.Response:
    token, _ = world.tokens.create(name, "operator", world.now_ms)
    farmers = Messages().farmers(world)
    headers = {"Authorization": f"Bearer {token}"}
    return ask(world, "POST", url, headers=headers, json=body, farmers=farmers)


def test_one_officer_proposes_and_another_confirms_and_all_of_it_is_in_the_audit(
    world: World,
) -> None:
    proposed = post(world, BROADCASTS, BULLETIN)
    assert proposed.status_code == 200
    one = proposed.json()
    assert (one["id"], one["ver"], one["state"]) == ("b1", 1, "proposed")
    assert [each["words"] for each in one["sms"]["second"]] == ["dung"]
    own = post(world, f"{BROADCASTS}/b1/confirm", {"ver": 1})
    assert own.status_code == 403
    assert own.json()["detail"] == "you proposed it: another officer confirms it"
    stale = post(world, f"{BROADCASTS}/b1/confirm", {"ver": 0}, "Bình")
    assert (stale.status_code, stale.json()["item"]["ver"]) == (409, 1)
    done = post(world, f"{BROADCASTS}/b1/confirm", {"ver": 1}, "Bình")
    assert (done.status_code, done.json()["state"]) == (200, "sent")
    again = post(world, f"{BROADCASTS}/b1/refuse", {"ver": 2}, "Chi")
    assert again.status_code == 409
    assert [(line.who, line.what, line.outcome) for line in reversed(world.tokens.audit())] == [
        ("An", "broadcast.propose *", "done"),
        ("An", "broadcast.confirm b1", "refused"),
        ("Bình", "broadcast.confirm b1", "stale"),
        ("Bình", "broadcast.confirm b1", "done"),
        ("Chi", "broadcast.refuse b1", "not_now"),
    ]


def test_an_officer_withdraws_what_he_proposed_and_another_refuses(world: World) -> None:
    post(world, BROADCASTS, BULLETIN)
    post(world, BROADCASTS, BULLETIN | {"title": "Tin thứ hai"})
    assert post(world, f"{BROADCASTS}/b1/withdraw", {"ver": 1}).json()["state"] == "withdrawn"
    refused = post(world, f"{BROADCASTS}/b2/refuse", {"ver": 1, "note": "sai ngày"}, "Bình")
    assert refused.json()["decided"] == {"t": NOW_MS, "who": "Bình", "note": "sai ngày"}
    farmers = Messages().farmers(world)
    shown = get(world, BROADCASTS, world.token("operator"), farmers=farmers).json()["items"]
    assert [(one["id"], one["state"]) for one in shown] == [("b2", "refused"), ("b1", "withdrawn")]
    assert post(world, f"{BROADCASTS}/b9/refuse", {"ver": 1}).status_code == 404


BAD: list[tuple[Item, str]] = [
    ({"places": ["nowhere"]}, "places"),
    ({"places": []}, "places"),
    ({"issued": "gestern"}, "issued"),
    ({"valid_until": NOW_MS - 1}, "valid_until"),
    ({"text": "x" * 601}, "text"),
    ({"levl": 1}, "levl"),
]


def test_what_will_not_do_is_refused_by_the_name_of_its_field(world: World) -> None:
    operator = world.token("operator")

    async def story(client: httpx.AsyncClient) -> None:
        for changes, field in BAD:
            refused = await client.post(BROADCASTS, headers=operator, json=BULLETIN | changes)
            assert refused.status_code == 422, field
            assert refused.json()["errors"][0]["name"].startswith(field)

    with_client(world, story)


DOORS: list[tuple[str, str, Item | None]] = [
    ("GET", "/api/v1/telling", None),
    ("GET", "/api/v1/telling/messages", None),
    ("GET", "/api/v1/telling/events", None),
    ("POST", "/api/v1/telling/release", {"channel": "sms"}),
    ("POST", "/api/v1/telling/drop", {"channel": "sms"}),
    ("POST", "/api/v1/telling/trial", {"channel": "sms", "address": PHONE}),
    ("GET", BROADCASTS, None),
    ("POST", BROADCASTS, BULLETIN),
    ("POST", f"{BROADCASTS}/preview", {}),
    ("POST", f"{BROADCASTS}/b1/confirm", {"ver": 1}),
]


def test_all_of_it_is_for_officers(world: World) -> None:
    viewer = world.token("viewer")

    async def story(client: httpx.AsyncClient) -> None:
        for method, url, body in DOORS:
            assert (await client.request(method, url, json=body)).status_code == 401, url
            seen = await client.request(method, url, headers=viewer, json=body)
            assert seen.status_code == 403, url

    with_client(world, story)


def test_what_nobody_has_confirmed_is_in_no_handover_that_everybody_may_read(
    world: World,
) -> None:
    post(world, BROADCASTS, BULLETIN)
    world.now_ms += 1000
    for_all = get(world, "/api/v1/handover")
    assert for_all.status_code == 200
    assert "xâm nhập mặn" not in for_all.text
    officers = get(world, "/api/v1/handover", world.token("operator")).json()["entered"]
    assert [each["what"] for each in officers] == ["broadcast"]
    post(world, f"{BROADCASTS}/b1/confirm", {"ver": 1}, "Bình")
    world.now_ms += 1000
    told = get(world, "/api/v1/handover").json()["entered"]
    assert [each["item"]["state"] for each in told] == ["sent"]
    assert "Bình" not in str(told)


def test_a_preview_counts_parts_people_and_money_by_channel_and_enters_nothing(
    world: World,
) -> None:
    words = {name: BULLETIN[name] for name in ("title", "text", "issuer", "places")}
    long = words | {"text": "Mặn vào sâu, bà con trữ nước. " * 6}
    shown = post(world, f"{BROADCASTS}/preview", long).json()
    by_name = {one["channel"]: one for one in shown["channels"]}
    assert by_name["sms"]["parts"] == shown["sms"]["parts"] == 1
    assert shown["sms"]["cut"]
    assert by_name["dep"]["parts"] > 1
    assert by_name["thu"] == {"channel": "thu", "people": 5, "parts": 1, "cost": 0}
    assert by_name["sms"]["cost"] == 1000 * 400
    assert shown["people"] == 1015
    assert shown["cost"] == sum(one["cost"] for one in shown["channels"])
    empty = post(world, f"{BROADCASTS}/preview", {})
    assert (empty.status_code, empty.json()["people"]) == (200, 0)
    assert world.desk.broadcasts(NOW_MS) == []
    assert not world.tokens.audit()


def test_a_service_that_tells_nobody_says_so(world: World) -> None:
    operator = world.token("operator")
    shown = get(world, "/api/v1/telling", operator).json()
    assert (shown["channels"], shown["now"]) == ([], NOW_MS)
    assert get(world, "/api/v1/telling/events", operator).json() == {"items": []}
    assert get(world, "/api/v1/telling/messages", operator).json()["items"] == []
    trial = {"channel": "sms", "address": PHONE}
    none = ask(world, "POST", "/api/v1/telling/trial", headers=operator, json=trial)
    assert none.json()["errors"][0]["name"] == "channel"


def test_messages_come_in_pages_by_what_became_of_them(world: World) -> None:
    messages = Messages()
    farmers, operator = messages.farmers(world), world.token("operator")
    url = "/api/v1/telling/messages"
    query = "?state=held&channel=sms&place=xuan-hoa/river&event=e1&limit=2&after=9"
    page = get(world, url + query, operator, farmers=farmers).json()
    assert messages.asked == [MessagesAsked("held", "sms", "xuan-hoa/river", "e1", 9, 3)]
    assert ([one["id"] for one in page["items"]], page["next"]) == ([3, 2], "2")
    for bad in ("?state=lost", "?place=xuan-hoa", "?after=x", "?limit=201"):
        assert get(world, url + bad, operator, farmers=farmers).status_code == 422


def test_what_is_held_is_released_by_number_channel_or_event_and_no_more_at_once_than_so_many(
    world: World,
) -> None:
    messages = Messages()
    farmers, operator = messages.farmers(world), world.token("operator")
    url = "/api/v1/telling/release"
    done = ask(world, "POST", url, headers=operator, json={"channel": "sms"}, farmers=farmers)
    assert done.json() == {"moved": 7, "more": False}
    assert messages.asked == [HeldAsked(None, "sms", None, "budget", AT_ONCE + 1)]
    messages.held_now = list(range(AT_ONCE + 3))
    done = ask(world, "POST", url, headers=operator, json={"event": "e"}, farmers=farmers)
    assert done.json() == {"moved": AT_ONCE, "more": True}
    nothing = ask(world, "POST", url, headers=operator, json={}, farmers=farmers)
    assert nothing.json()["errors"][0]["name"] == "ids"
    assert [(line.what, line.outcome) for line in world.tokens.audit()] == [
        ("telling.release e", f"done {AT_ONCE}"),
        ("telling.release sms", "done 7"),
    ]


def test_a_trial_is_limited_and_its_address_stands_nowhere(world: World) -> None:
    messages = Messages()
    farmers, operator = messages.farmers(world), world.token("operator")
    body = {"channel": "sms", "address": PHONE, "lang": "vi"}
    url = "/api/v1/telling/trial"

    async def story(client: httpx.AsyncClient) -> None:
        for _ in range(TRIALS_PER_HOUR):
            sent = await client.post(url, headers=operator, json=body)
            assert sent.json() == {"sent": True}
        late = await client.post(url, headers=operator, json=body)
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) == 3600
        world.now_ms += HOUR
        assert (await client.post(url, headers=operator, json=body)).status_code == 200
        for changes, name in (
            ({"address": "12"}, "address"),
            ({"address": "0900000000"}, "address"),
            ({"channel": "zalo"}, "channel"),
        ):
            bad = await client.post(url, headers=operator, json=body | changes)
            assert bad.status_code == 422
            assert bad.json()["errors"][0]["name"] == name
            assert body["address"] not in bad.text
            assert changes.get("address", "-") not in bad.json()["detail"]

    with_client(world, story, farmers=farmers)
    assert messages.trials[0] == ("+84912345678", "vi")
    lines = world.tokens.audit()
    assert {line.what for line in lines} == {"telling.trial sms", "telling.trial zalo"}
    assert [line.outcome for line in lines].count("done") == TRIALS_PER_HOUR + 1
    assert "912345678" not in str(lines)


def test_what_could_not_be_written_down_is_not_done(world: World) -> None:
    world.act_raises = NotDurable("no space left on device")
    refused = post(world, BROADCASTS, BULLETIN)
    assert (refused.status_code, "nothing was done" in refused.text) == (503, True)
