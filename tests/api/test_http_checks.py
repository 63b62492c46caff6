"""Hand checks by HTTP: entered, corrected, beside the probe, and what they come to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.http import check_shapes as shapes
from api.service import Item, NotDurable
from tests.api.http_service import NOW_MS, World, ask, get

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CHECKS = "/api/v1/checks"
VISIT: Item = {
    "station": "xuan-hoa",
    "t": NOW_MS - HOUR,
    "salinity_g_l": 1.2,
    "level_m": 1.1,
    "cleaned": True,
    "crew": "tổ cống",
    "note": "có rong",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def post(world: World, role: str = "operator", **changes: Any) -> Any:
    return ask(world, "POST", CHECKS, headers=world.token(role), json=VISIT | changes)


def listed(world: World, query: str = "", role: str = "operator") -> list[Item]:
    answer = get(world, f"{CHECKS}{query}", world.token(role))
    assert answer.status_code == 200, answer.text
    shapes.Checks.model_validate(answer.json())
    items: list[Item] = answer.json()["items"]
    return items


def care(world: World, station: str = "xuan-hoa") -> Item:
    answer = get(world, f"/api/v1/stations/{station}/care")
    assert answer.status_code == 200, answer.text
    shapes.CareShape.model_validate(answer.json())
    found: Item = answer.json()
    return found


def test_a_check_stands_beside_what_the_probe_said(world: World) -> None:
    answer = post(world)
    assert answer.status_code == 200, answer.text
    shapes.CheckTaken.model_validate(answer.json())
    assert answer.json()["values"] == {"salinity_g_l": 1.2, "water_level_m": 1.1}
    # It comes later, from a device that kept it: the comparison is made when it is asked for.
    world.put(
        "xh-01/salinity_g_l",
        [
            (NOW_MS - HOUR - 10 * MINUTE, 9.0, 1),
            (NOW_MS - HOUR - 2 * MINUTE, 1.05, 3),
            (NOW_MS - HOUR + 8 * MINUTE, 9.0, 1),
        ],
    )
    (item,) = listed(world)
    salinity, level = item["values"]
    assert salinity == {
        "quantity": "salinity_g_l",
        "unit": "g/L",
        "hand": 1.2,
        "key": "xh-01/salinity_g_l",
        "probe": 1.05,
        "probe_t": NOW_MS - HOUR - 2 * MINUTE,
        "flag": 3,
        "simulated": False,
        "difference": -0.15,
        "why": None,
    }
    assert (level["quantity"], level["probe"], level["why"]) == (
        "water_level_m",
        None,
        "no-reading",
    )
    assert (item["who"], item["crew"], item["note"]) == ("the operator", "tổ cống", "có rong")


def test_a_reading_further_away_than_an_interval_says_nothing(world: World) -> None:
    post(world)
    world.put("xh-01/salinity_g_l", [(NOW_MS - HOUR - 10 * MINUTE - 1, 1.0, 1)])
    assert listed(world)[0]["values"][0]["why"] == "no-reading"
    world.put("xh-01/salinity_g_l", [(NOW_MS - HOUR + 10 * MINUTE, 1.0, 1)])
    assert listed(world)[0]["values"][0]["difference"] == -0.2


def test_at_the_bottom_a_lone_probe_is_not_compared(world: World) -> None:
    post(world, depth="bottom")
    assert listed(world)[0]["values"][0]["why"] == "no-probe-at-this-depth"


def test_names_are_for_operators(world: World) -> None:
    post(world)
    (item,) = listed(world, role="viewer")
    assert not {"who", "crew", "note"} & set(item)


def test_who_may_enter_and_what_is_written_down(world: World) -> None:
    assert ask(world, "POST", CHECKS, json=VISIT).status_code == 401
    assert post(world, "viewer").status_code == 403
    assert post(world).status_code == 200
    assert world.tokens.audit(10)[0].what == "check xuan-hoa"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"salinity_g_l": 45.1}, "salinity_g_l"),
        ({"salinity_g_l": "1,2"}, "salinity_g_l"),
        ({"t": NOW_MS - 31 * DAY - 1}, "t"),
        ({"t": NOW_MS + 2 * MINUTE}, "t"),
        ({"t": "yesterday"}, "t"),
        ({"depth": "middle"}, "depth"),
        ({"salinty_g_l": 1.0}, "salinty_g_l"),
        ({"replaces": "17"}, "replaces"),
        ({"salinity_g_l": None, "level_m": None, "cleaned": False}, "values"),
    ],
)
def test_bad_input_names_the_field(world: World, changes: Item, name: str) -> None:
    answer = post(world, **changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == name
    assert listed(world) == []


def test_unknown_stations_and_pages(world: World) -> None:
    assert post(world, station="nowhere").status_code == 404
    assert get(world, f"{CHECKS}?station=nowhere").status_code == 404
    assert get(world, "/api/v1/stations/nowhere/care").status_code == 404
    assert get(world, f"{CHECKS}?after=x").status_code == 422
    assert get(world, f"{CHECKS}?from=2000000000000&to=1700000000000").status_code == 422


def test_a_full_disk_is_told(world: World) -> None:
    world.act_raises = NotDurable("disk full")
    assert post(world).status_code == 503


def test_a_correction_stands_beside_what_it_corrects(world: World) -> None:
    post(world)
    assert post(world, salinity_g_l=2.1, replaces="c1").json()["id"] == "c2"
    second = post(world, salinity_g_l=2.2, replaces="c1")
    assert (second.status_code, second.json()["item"]["id"]) == (409, "c2")
    assert [(one["id"], one["replaces"], one["replaced_by"]) for one in listed(world)] == [
        ("c2", "c1", None),
        ("c1", None, "c2"),
    ]
    world.put("xh-01/salinity_g_l", [(NOW_MS - HOUR, 2.1, 1)])
    assert care(world)["difference"]["id"] == "c2"


def test_a_corrected_check_counts_no_more_though_it_is_the_newest(world: World) -> None:
    post(world)
    world.put("xh-01/salinity_g_l", [(NOW_MS - 2 * HOUR, 1.2, 1), (NOW_MS - HOUR, 9.0, 1)])
    assert care(world)["state"] == "far-apart"
    post(world, t=NOW_MS - 2 * HOUR, replaces="c1")
    found = care(world)
    assert (found["state"], found["checked"]["id"], found["cleaned"]["id"]) == (
        "trusted",
        "c2",
        "c2",
    )


def test_pages_by_station_and_time(world: World) -> None:
    for number in range(5):
        post(world, t=NOW_MS - number * DAY)
    post(world, station="my-tho")
    query = f"?station=xuan-hoa&from={NOW_MS - 4 * DAY + 1}&limit=3"
    first = get(world, f"{CHECKS}{query}").json()
    assert [one["t"] for one in first["items"]] == [NOW_MS - n * DAY for n in range(3)]
    rest = get(world, f"{CHECKS}{query}&after={first['next']}").json()
    assert ([one["t"] for one in rest["items"]], rest["next"]) == ([NOW_MS - 3 * DAY], None)


@pytest.mark.parametrize(
    ("probe", "days", "state"),
    [
        (1.3, 3, "trusted"),
        (1.3, 15, "ageing"),
        (1.3, 30.9, "old"),
        (1.0, 3, "apart"),
        (2.0, 3, "far-apart"),
        (2.0, 30.9, "far-apart"),
    ],
)
def test_trust_decays_and_ends_with_a_wrong_probe(
    world: World, probe: float, days: float, state: str
) -> None:
    t_ms = int(NOW_MS - days * DAY)
    world.put("xh-01/salinity_g_l", [(t_ms, probe, 1)])
    post(world, t=t_ms)
    found = care(world)
    assert found["state"] == state
    assert found["checked"]["days"] == days
    assert found["cleaned"]["id"] == found["checked"]["id"]
    assert found["calibrated"] is None
    assert found["difference"]["difference"] == pytest.approx(probe - 1.2)


def test_only_a_comparison_earns_trust(world: World) -> None:
    post(world, t=NOW_MS - 20 * DAY, level_m=None)
    found = care(world)
    assert (found["state"], found["checked"]["days"], found["difference"]) == ("never", 20.0, None)
    assert found["text_vi"] == (
        "Đo đối chứng cách đây 20 ngày. Chưa lần nào so được độ mặn đo tay với số máy. "
        "Vệ sinh cách đây 20 ngày. Chưa biết máy đo đúng đến đâu."
    )
    world.put("xh-01/salinity_g_l", [(NOW_MS - 20 * DAY, 1.2, 1)])
    assert care(world)["state"] == "ageing"
    post(world, t=NOW_MS - DAY, salinity_g_l=None, temperature_c=29.0, cleaned=False)
    found = care(world)
    assert (found["state"], found["checked"]["days"]) == ("ageing", 1.0)
    assert (found["difference"]["id"], found["difference"]["days"]) == ("c1", 20.0)
    assert found["text_vi"].startswith(
        "Đo đối chứng cách đây 1 ngày. Lần so với số máy gần nhất cách đây 20 ngày. "
    )
    assert "Last compared with the probe 20 days ago." in found["text_en"]


def test_care_in_words(world: World) -> None:
    never = care(world)
    assert (never["state"], never["checked"], never["difference"]) == ("never", None, None)
    assert never["text_vi"] == "Chưa có đo đối chứng: chưa biết máy đo đúng đến đâu."
    world.put("xh-01/salinity_g_l", [(NOW_MS - 2 * DAY, 1.0, 1)])
    post(world, t=NOW_MS - 2 * DAY)
    assert care(world)["text_vi"] == (
        "Đo đối chứng cách đây 2 ngày. Máy thấp hơn đo tay 0,20 g/l. Vệ sinh cách đây 2 ngày. "
        "Số so sánh là của trước khi vệ sinh. Lệch vừa: vệ sinh đầu dò rồi đo lại."
    )
    assert care(world)["text_en"] == (
        "Checked by hand 2 days ago. The probe read 0.20 g/L lower. Cleaned 2 days ago. "
        "The comparison is of before it was cleaned. Moderately apart: clean the probe and check "
        "again."
    )
    post(world, t=NOW_MS - DAY, salinity_g_l=None, level_m=None, calibrated=True, cleaned=False)
    assert care(world)["calibrated"]["days"] == 1.0
    assert care(world)["checked"]["days"] == 2.0
