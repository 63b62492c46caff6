"""What officers do and enter by HTTP: shelving and notes, maintenance, modes, levels, intakes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from alerts.alert import EventType
from alerts.bridge.modes import Mode
from api.http import bodies, shapes
from api.service import Item, NotDurable
from tests.api.http_service import ALERT_ID, KEY, NOW_MS, World, ask, get

HOUR = 3_600_000
ALERT = f"/api/v1/alerts/{ALERT_ID}"
WINDOWS = "/api/v1/maintenance"
MODE = "/api/v1/bridges/rach-mieu-1/mode"
LEVEL = "/api/v1/risk-level"
INTAKE = "/api/v1/intakes/xuan-hoa"
RELOAD = "/api/v1/rules/reload"

WINDOW: Item = {"station": "vam-kenh", "to": NOW_MS + 2 * HOUR, "reason": "thay đầu dò"}
CLOSED: Item = {
    "ver": 0,
    "mode": "closed",
    "direction": "northbound",
    "until": NOW_MS + HOUR,
    "reason": "điều tiết một chiều",
}
BULLETIN: Item = {
    "ver": 0,
    "branch": "cua-tieu",
    "level": 2,
    "region": "Tiền Giang",
    "bulletin": "XNM-12/2026",
    "title": "Tin cảnh báo xâm nhập mặn",
    "issued": NOW_MS - HOUR,
    "valid_until": NOW_MS + 48 * HOUR,
    "source": "Đài Khí tượng Thủy văn khu vực Nam Bộ",
}
TAKING: Item = {"ver": 0, "taking": True, "gate": "open"}
SHELVE: Item = {"ver": 1, "until": NOW_MS + HOUR, "reason": "đang thay đầu dò"}

DEEDS = [
    ("POST", f"{ALERT}/shelve", SHELVE),
    ("POST", f"{ALERT}/unshelve", {"ver": 1}),
    ("POST", f"{ALERT}/note", {"ver": 1, "note": "đã gọi người trực trạm"}),
    ("POST", WINDOWS, WINDOW),
    ("POST", MODE, CLOSED),
    ("POST", LEVEL, BULLETIN),
    ("POST", INTAKE, TAKING),
    ("DELETE", f"{WINDOWS}/m1", None),
    ("POST", RELOAD, None),
]
"""Each deed of an officer, in an order in which all can be done (but for the alert's `ver`)."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put_alert(EventType.RAISED)
    yield world
    world.close()


def _post(world: World, url: str, body: Any, role: str = "operator") -> Any:
    return ask(world, "POST", url, headers=world.token(role), json=body)


def test_an_officer_shelves_notes_and_takes_off_the_shelf(world: World) -> None:
    shelved = _post(world, f"{ALERT}/shelve", SHELVE | {"until": "2025-12-29T17:20:00+07:00"})
    assert shelved.status_code == 200
    assert shelved.json()["shelved_until"] == NOW_MS + HOUR
    assert _post(world, f"{ALERT}/note", {"ver": 2, "note": "đã gọi"}).json()["ver"] == 3
    assert _post(world, f"{ALERT}/unshelve", {"ver": 3}).json()["ver"] == 4
    stale = _post(world, f"{ALERT}/note", {"ver": 3, "note": "muộn"})
    assert stale.status_code == 409
    assert stale.json()["alert"]["ver"] == 4
    assert [(line.what, line.outcome) for line in reversed(world.tokens.audit())] == [
        (f"alert.shelve {ALERT_ID} ver 1 until {NOW_MS + HOUR}", "done"),
        (f"alert.note {ALERT_ID} ver 2", "done"),
        (f"alert.unshelve {ALERT_ID} ver 3", "done"),
        (f"alert.note {ALERT_ID} ver 3", "stale"),
    ]


def test_why_an_alert_is_shelved_is_everybody_s_and_who_shelved_it_is_not(world: World) -> None:
    _post(world, f"{ALERT}/shelve", SHELVE)
    text = get(world, ALERT).text
    assert "đang thay đầu dò" in text
    assert "the operator" not in text
    assert "the operator" in get(world, ALERT, world.token("operator")).text


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"until": NOW_MS + HOUR}, "reason"),
        ({"until": NOW_MS + HOUR, "reason": "  "}, "reason"),
        ({"until": NOW_MS + HOUR, "reason": "x" * 501}, "reason"),
        ({"until": "mai", "reason": "x"}, "until"),
        ({"until": NOW_MS + 1, "reason": "x"}, "until"),
        ({"reason": "x"}, "until"),
    ],
)
def test_shelving_needs_an_end_and_a_reason(world: World, body: Item, name: str) -> None:
    answer = _post(world, f"{ALERT}/shelve", {"ver": 1, **body})
    assert answer.status_code == 422
    assert [(e["in"], e["name"].partition(".")[0]) for e in answer.json()["errors"]][:1] == [
        ("body", name)
    ]
    assert "shelved_until" not in world.alerts[ALERT_ID]


def test_a_window_is_entered_listed_and_ended(world: World) -> None:
    entered = _post(world, WINDOWS, WINDOW | {"note": "gọi anh Ba"})
    assert entered.status_code == 200
    shapes.WindowShape.model_validate(entered.json())
    (listed,) = get(world, WINDOWS).json()["items"]
    assert (listed["id"], listed["reason"], listed["holds"]) == ("m1", "thay đầu dò", True)
    assert {"who", "note"} & set(listed) == set(), "not for a viewer"
    (known,) = get(world, WINDOWS, world.token("operator")).json()["items"]
    assert (known["who"], known["note"]) == ("the operator", "gọi anh Ba")
    assert get(world, f"{WINDOWS}?station=my-tho").json()["items"] == []
    operator = world.token("operator")
    ended = ask(world, "DELETE", f"{WINDOWS}/m1", headers=operator)
    assert ended.json()["ended"]["t"] == NOW_MS
    again = ask(world, "DELETE", f"{WINDOWS}/m1", headers=operator)
    assert again.status_code == 409
    assert again.json()["item"]["id"] == "m1"
    assert ask(world, "DELETE", f"{WINDOWS}/m9", headers=operator).status_code == 404
    assert [(line.what, line.outcome) for line in reversed(world.tokens.audit())] == [
        ("maintenance vam-kenh", "done"),
        ("maintenance m1", "done"),
        ("maintenance m1", "not_now"),
        ("maintenance m9", "not_found"),
    ]


def test_a_mode_is_entered_by_version(world: World) -> None:
    first = _post(world, MODE, CLOSED)
    shapes.ModesShape.model_validate(first.json())
    assert first.json()["modes"]["northbound"]["mode"] == "closed"
    second = _post(world, MODE, CLOSED | {"mode": "two-way"})
    assert second.status_code == 409
    assert second.json()["item"]["ver"] == 1
    assert _post(world, MODE, {"ver": 1, "mode": "two-way"}).json()["modes"] == {}


def test_the_modes_of_the_door_are_those_of_the_bridges() -> None:
    field = bodies.ModeBody.model_fields["mode"]
    assert set(get_args(field.annotation)) == set(Mode)


def test_a_level_is_entered_with_its_bulletin(world: World) -> None:
    entered = _post(world, LEVEL, BULLETIN | {"valid_until": "2025-12-31T00:00:00Z"})
    shapes.LevelShape.model_validate(entered.json())
    (listed,) = get(world, LEVEL).json()["items"]
    assert (listed["branch"], listed["level"], listed["holds"]) == ("cua-tieu", 2, True)
    everywhere = {name: value for name, value in BULLETIN.items() if name != "branch"}
    assert _post(world, LEVEL, everywhere).json()["branch"] is None
    ended = _post(world, LEVEL, everywhere | {"ver": 1, "level": None})
    assert ended.json()["holds"] is False


def test_what_is_said_of_an_intake_is_seen_at_the_desk(world: World) -> None:
    assert _post(world, INTAKE, TAKING).json()["ver"] == 1
    _post(world, MODE, CLOSED)
    found = get(world, "/api/v1/desk").json()
    shapes.DeskShape.model_validate(found)
    assert found["intakes"]["xuan-hoa"]["gate"] == "open"
    assert found["bridges"]["rach-mieu-1"]["ver"] == 1
    assert "the operator" not in get(world, "/api/v1/desk").text


@pytest.mark.parametrize(
    ("url", "body", "code", "name"),
    [
        (WINDOWS, WINDOW | {"to": NOW_MS}, 422, "to"),
        (WINDOWS, WINDOW | {"to": "mai"}, 422, "to"),
        (WINDOWS, WINDOW | {"from": NOW_MS - 99 * HOUR}, 422, "from"),
        (WINDOWS, WINDOW | {"reason": "\n"}, 422, "reason"),
        (WINDOWS, WINDOW | {"untill": 1}, 422, "untill"),
        (WINDOWS, WINDOW | {"station": "nowhere"}, 404, None),
        (MODE, CLOSED | {"mode": "half"}, 422, "mode"),
        (MODE, CLOSED | {"until": None}, 422, "until"),
        (MODE, CLOSED | {"direction": "up"}, 422, "direction"),
        (MODE, CLOSED | {"ver": "0"}, 422, "ver"),
        (MODE.replace("rach-mieu-1", "vam-kenh"), CLOSED, 404, None),
        (LEVEL, BULLETIN | {"level": 6}, 422, "level"),
        (LEVEL, BULLETIN | {"branch": "nowhere"}, 404, None),
        (LEVEL, BULLETIN | {"issued": NOW_MS + 1}, 422, "issued"),
        (LEVEL, BULLETIN | {"title": ""}, 422, "title"),
        (INTAKE, TAKING | {"taking": 1}, 422, "taking"),
        (INTAKE, TAKING | {"gate": "ajar"}, 422, "gate"),
        (INTAKE.replace("xuan-hoa", "nowhere"), TAKING, 404, None),
    ],
)
def test_what_is_not_accepted_is_named(
    world: World, url: str, body: Item, code: int, name: str | None
) -> None:
    before = world.desk.snapshot()
    answer = _post(world, url, body)
    assert answer.status_code == code
    assert answer.headers["content-type"] == "application/problem+json"
    if name is not None:
        assert answer.json()["errors"][0]["name"].partition(".")[0] == name
        assert answer.json()["errors"][0]["in"] == "body"
    assert world.desk.snapshot() == before


@pytest.mark.parametrize(("method", "url", "body"), DEEDS, ids=[url for _, url, _ in DEEDS])
def test_deeds_are_for_officers(world: World, method: str, url: str, body: Any) -> None:
    assert ask(world, method, url, json=body).status_code == 401
    viewer = ask(world, method, url, headers=world.token("viewer"), json=body)
    assert viewer.status_code == 403
    if url == RELOAD:
        assert _post(world, url, None).status_code == 403, "it needs an admin"
    assert world.tokens.audit() == ()


@pytest.mark.parametrize(
    ("raised", "words", "outcome"),
    [
        (NotDurable("the disk is full"), "nothing was done", "not done"),
        (TimeoutError(), "written down and not carried out yet", "written down"),
    ],
)
@pytest.mark.parametrize(("method", "url", "body"), DEEDS, ids=[url for _, url, _ in DEEDS])
def test_what_is_not_done_now_is_told_and_audited(
    world: World, method: str, url: str, body: Any, raised: Exception, words: str, outcome: str
) -> None:
    world.act_raises = raised
    answer = ask(world, method, url, headers=world.token("admin"), json=body)
    assert answer.status_code == 503
    assert words in answer.json()["detail"]
    assert [line.outcome for line in world.tokens.audit()] == [outcome]


def test_an_admin_reloads_and_faults_are_told(world: World) -> None:
    done = _post(world, RELOAD, None, "admin")
    assert done.json() == {"reloaded": True}
    world.faults = ["rules.toml:3: rule[0].severity = 'x': info, warning, major, critical"]
    refused = _post(world, RELOAD, None, "admin")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"in": "file", "name": "", "detail": world.faults[0]}]
    assert [line.outcome for line in reversed(world.tokens.audit())] == ["done", "refused"]


# What is formed from many readings.


def test_the_river_and_the_bridges_are_shown_as_they_are_formed(world: World) -> None:
    lines = [{"level_g_l": 4, "basis": "max_25h", "km": 50.6}]
    world.river = {"now": NOW_MS, "mouths": {"cua-tieu": {"lines": lines}}, "stations": {}}
    directions = [{"direction": "northbound", "state": 2}]
    world.bridges = {
        "bridges": [
            {"id": "rach-mieu-1", "directions": directions},
            {"id": "rach-mieu-2", "directions": []},
        ]
    }
    _post(world, MODE, CLOSED)
    river, bridges = (get(world, f"/api/v1/{name}").json() for name in ("river", "bridges"))
    shapes.RiverShape.model_validate(river)
    shapes.BridgesShape.model_validate(bridges)
    assert river == world.river
    old, new = bridges["bridges"]
    assert (old["directions"], old["ver"]) == (directions, 1)
    assert old["modes"]["northbound"]["reason"] == CLOSED["reason"]
    assert "who" not in old["modes"]["northbound"], "names are for operators"
    assert (new["station"], new["ver"], new["modes"]) == ("rach-mieu-2", 0, {})


def test_advice_that_is_not_there_is_no_permission(world: World) -> None:
    world.advice = {"xuan-hoa": {"take": True, "until": NOW_MS + HOUR, "why": "fresh"}}
    one = get(world, "/api/v1/advice/xuan-hoa").json()
    told = world.advice["xuan-hoa"] | {"intake": "xuan-hoa", "state": None}
    assert one == told
    _post(world, INTAKE, TAKING)
    listed = get(world, "/api/v1/advice").json()
    shapes.Advices.model_validate(listed)
    assert [(one["intake"], one["state"]["ver"]) for one in listed["items"]] == [("xuan-hoa", 1)]
    missing = get(world, "/api/v1/advice/nowhere")
    assert missing.status_code == 404
    assert "do not open" in missing.json()["detail"]


def test_why_a_rule_did_not_hold_is_asked_by_rule_series_and_time(world: World) -> None:
    told: Item = {"rule": "salinity-4", "series": KEY, "at": NOW_MS, "holds": False}
    world.explained["salinity-4", KEY, NOW_MS] = told
    url = f"/api/v1/explain?rule=salinity-4&series={KEY}"
    assert get(world, url).json() == told, "now, where no time is asked for"
    assert get(world, f"{url}&at={NOW_MS}").json() == told
    assert get(world, f"{url}&at={NOW_MS + 1}").status_code == 404
    assert get(world, f"{url}&at=x").status_code == 422
    assert get(world, url.replace("salinity-4", "none")).status_code == 404
    near = get(world, url.replace("salinity_g_l", "salinity"))
    assert near.status_code == 404
    assert KEY in near.json()["did_you_mean"]
