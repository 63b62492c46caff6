"""The lunar date, gates, the shift and the day by HTTP, over a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from pydantic import BaseModel

from alerts.alert import EventType
from alerts.reports import handover as shift
from alerts.reports.lunar import same_dates
from api.http import report_shapes as shapes
from api.service import Item
from ingest.archive import Archive
from ingest.influx import Unavailable
from ingest.influx_answers import Answer, Verdict
from ingest.reading import Batch
from ingest.series import Series
from tests.api.http_service import NOW_MS, World, ask, get, with_client

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY_MS = 24 * HOUR
TODAY = 1_766_941_200_000  # 2025-12-29 00:00 in Vietnam; it is 16:20
YESTERDAY = TODAY - DAY_MS
SALT = "xh-01/salinity_g_l"
MINUTES = "rach-mieu-1/southbound/crossing_time_min"


SHAPES: dict[str, type[BaseModel]] = {
    "bulletin": shapes.BulletinShape,
    "handover": shapes.HandoverShape,
    "gates": shapes.Gates,
    "lunar": shapes.LunarShape,
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.store.begun(NOW_MS - 30 * DAY_MS)
    yield world
    world.close()


def told(world: World, path: str, role: str = "operator", **changes: Any) -> Item:
    answer = get(world, f"/api/v1/{path}", world.token(role), **changes)
    assert answer.status_code == 200, answer.text
    document: Item = answer.json()
    SHAPES[path.partition("?")[0]].model_validate(document)
    return document


def of(items: list[Item], **asked: Any) -> Item:
    (found,) = [each for each in items if all(each[name] == v for name, v in asked.items())]
    return found


def test_the_lunar_date(world: World) -> None:
    today = told(world, "lunar")
    assert (today["date"], today["lunar"]["text_vi"]) == (
        "2025-12-29",
        "mùng 10 tháng 11 năm Ất Tỵ",
    )
    assert len(today["same"]) == 10
    tet = told(world, "lunar?date=2026-02-17&years=2")
    assert [tet["lunar"][name] for name in ("day", "month", "year", "leap")] == [1, 1, 2026, False]
    assert [each["date"] for each in tet["same"]] == ["2025-01-29", "2024-02-10"]


@pytest.mark.parametrize(
    "query",
    [
        *("lunar?date=2026-02-30", "lunar?date=1967-01-01", "lunar?date=heute", "lunar?years=61"),
        *("bulletin?date=2025-12-30", "bulletin?date=1999-01-01", "bulletin?date=2025-13-01"),
        *(f"handover?from={NOW_MS}", f"handover?from={NOW_MS - 8 * DAY_MS}", "handover?to=x"),
        f"handover?from={NOW_MS + HOUR}&to={NOW_MS + 2 * HOUR}",
    ],
)
def test_bad_input_is_named(world: World, query: str) -> None:
    answer = get(world, f"/api/v1/{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] in query


# The day.


def test_maxima_of_a_day_by_hand(world: World) -> None:
    world.put(
        SALT,
        [
            *((YESTERDAY - DAY_MS, 2.5, 1), (YESTERDAY - 1, 2.01, 1)),
            *((YESTERDAY, 1.0, 1), (YESTERDAY + HOUR, 2.31, 3), (YESTERDAY + 2 * HOUR, 2.2, 1)),
            *((YESTERDAY + 3 * HOUR, 9.0, 4), (TODAY - 1, 0.4, 2), (TODAY, 7.0, 1)),
        ],
    )
    document = told(world, "bulletin")
    assert (document["date"], document["complete"], document["simulated"]) == (
        "2025-12-28",
        True,
        False,
    )
    station = of(document["stations"], station="xuan-hoa")
    assert station["max"] == {"value": 2.31, "t": YESTERDAY + HOUR, "hour": None, "flag": 3}
    assert station["min"] == {"value": 0.4, "t": TODAY - 1, "hour": None, "flag": 2}
    assert station["good_max"]["value"] == 2.2
    assert (station["n"], station["n_good"], station["expected"]) == (4, 2, 144)
    assert station["share"] == 0.0278
    assert station["change"] == {
        "g_l": -0.19,
        "before_g_l": 2.5,
        "before_t": YESTERDAY - DAY_MS,
        "before_share": 0.0139,
    }
    assert (station["key"], station["from"], station["to"]) == (SALT, YESTERDAY, TODAY)
    nothing = of(document["stations"], station="my-tho")
    assert (nothing["max"], nothing["n"], nothing["change"]) == (None, 0, None)
    assert "Cống Xuân Hòa 2,31 (đáng ngờ) (chỉ có 2 % số liệu)" in document["text_vi"]
    assert "không phải bản tin dự báo" in document["text_vi"]


def test_today_is_as_far_as_it_has_come(world: World) -> None:
    world.put(SALT, [(YESTERDAY, 3.0, 1), (TODAY + HOUR, 1.0, 1)])
    document = told(world, "bulletin?date=2025-12-29")
    station = of(document["stations"], station="xuan-hoa")
    assert (document["complete"], station["to"], station["expected"]) == (False, NOW_MS, 98)
    assert station["change"] is None  # the maximum may still come
    assert "chưa đủ ngày" in document["text_vi"]


def test_a_day_equals_a_plain_loop(world: World) -> None:
    rng = np.random.default_rng(7)
    raw: dict[str, list[tuple[int, float, int]]] = {}
    keys = ["vk-01/salinity_g_l", SALT, "mt-01/salinity_g_l", "tb-01/salinity_g_l"]
    for key in keys:
        t_ms = np.unique(rng.integers(YESTERDAY - DAY_MS, TODAY + HOUR, 300))
        raw[key] = [
            (int(t), round(float(rng.random()), 4), int(rng.choice([1, 2, 3, 4, 9]))) for t in t_ms
        ]
        world.put(key, raw[key])
    document = told(world, "bulletin")

    def best(key: str, begin: int) -> list[tuple[int, float, int]]:
        return [each for each in raw[key] if begin <= each[0] < begin + DAY_MS and each[2] <= 3]

    for key in keys:
        station = of(document["stations"], key=key)
        day = best(key, YESTERDAY)
        top = max(day, key=lambda each: (each[1], -each[0]))
        low = min(day, key=lambda each: (each[1], each[0]))
        assert (station["max"]["t"], station["max"]["value"], station["max"]["flag"]) == top
        assert (station["min"]["t"], station["min"]["value"], station["min"]["flag"]) == low
        assert (station["n"], station["n_good"]) == (len(day), sum(f == 1 for *_, f in day))
        before = max(value for _, value, _ in best(key, YESTERDAY - DAY_MS))
        assert station["change"]["g_l"] == pytest.approx(top[1] - before, abs=1e-9)


class Far:
    """A historian with one reading on a day of last year, or one that is away."""

    def __init__(self, at_ms: int, *, away: bool = False) -> None:
        self.at_ms, self.away, self.asked = at_ms, away, 0

    def points(self, series: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        assert limit > 0
        self.asked += 1
        if self.away:
            raise Unavailable(Answer(Verdict.RETRY, "no route to host"))
        held = series.key == SALT and from_ms <= self.at_ms < to_ms
        return Batch.of([series.id], [self.at_ms], [3.3], 1) if held else Batch.empty()


def test_the_same_lunar_date_of_last_year_comes_from_the_historian(world: World) -> None:
    last_year = same_dates(date(2025, 12, 28), 1)[0].on
    at_ms = (last_year - date(1970, 1, 1)).days * DAY_MS + 5 * HOUR
    archive = Archive(world.reader, Far(at_ms))
    document = told(world, "bulletin", points=archive.points, windows=archive.windows)
    same = of(document["stations"], station="xuan-hoa")["same_period"]
    assert (same[0]["date"], same[0]["max_g_l"], same[0]["n"]) == (last_year.isoformat(), 3.3, 1)
    assert same[0]["from"] <= at_ms < same[0]["to"]
    assert [each["max_g_l"] for each in same[1:]] == [None] * 9
    assert document["complete"]


def test_a_historian_that_is_away_is_waited_for_once(world: World) -> None:
    """Each wait may take seconds; of ten years and thirty stations there would be hundreds."""
    far = Far(0, away=True)
    archive = Archive(world.reader, far)
    document = told(world, "bulletin", points=archive.points, windows=archive.windows)
    assert not document["complete"]
    assert far.asked <= 2


def test_what_is_forgotten_is_told_by_its_hours(world: World) -> None:
    rows = [(YESTERDAY + n * 10 * MINUTE, 1.0 + (n == 70), 1) for n in range(144)]
    world.put(SALT, rows)
    world.put(MINUTES, [(YESTERDAY + n * MINUTE, 5.0 + n, 1) for n in range(60)])
    while world.store.roll_up(10_000):
        pass
    world.store.put_series([each.key for each in world.series.entries])
    assert world.store.forget_before(NOW_MS, 2**60, 1_000) == len(rows) + 60
    document = told(world, "bulletin")
    station = of(document["stations"], station="xuan-hoa")
    hour = (YESTERDAY + 700 * MINUTE) // HOUR * HOUR
    top = {"value": 2.0, "t": None, "hour": hour, "flag": None}
    assert station["max"] == top
    assert (station["n"], station["n_good"], station["share"]) == (144, 144, 1.0)
    # Whether they were simulated has gone with them.
    assert (station["simulated"], document["simulated"]) == (None, None)
    road = of(document["bridges"], key=MINUTES)
    assert (road["n"], road["worst"]["value"], road["worst"]["t"]) == (60, 64.0, None)
    assert (road["median_min"], road["at_least"]) == (None, None)
    assert [each["for_min"] for each in road["over"]] == [None] * 3
    assert "Mỹ Tho → Bến Tre: lâu nhất 64 phút trong khoảng 00:00 đến 01:00" in document["text_vi"]
    gate = of(document["gates"], intake="xuan-hoa")
    assert (gate["max_g_l"], gate["fresh_min"]) == (2.0, None)

    night = told(world, f"handover?from={YESTERDAY}&to={TODAY}")
    assert of(night["extremes"], station="xuan-hoa")["max"] == top
    assert not night["complete"]
    # Nobody knows any more when it was silent, but that it was heard.
    assert "xh-01" not in {each["device"] for each in night["devices"]}
    assert "mt-01" in {each["device"] for each in night["devices"]}
    assert night["missing"]["n"] >= 144


def test_of_a_bridge_that_nobody_measured_it_is_not_said_that_it_was_free(world: World) -> None:
    road = of(told(world, "bulletin")["bridges"], key=MINUTES)
    assert (road["n"], road["worst"], road["at_least"], road["simulated"]) == (0, None, None, False)
    assert [each["for_min"] for each in road["over"]] == [None] * 3


def test_what_comes_while_it_is_read_does_not_look_forgotten(world: World) -> None:
    archive, times = Archive(world.reader), iter(range(TODAY, NOW_MS, MINUTE))

    def windows(series: Series, *asked: int) -> Any:
        if series.key == SALT:
            world.put(SALT, [(next(times), 1.0, 1)])
        return archive.windows(series, *asked)

    station = of(told(world, "bulletin?date=2025-12-29", windows=windows)["stations"], key=SALT)
    assert station["max"] == {"value": 1.0, "t": TODAY, "hour": None, "flag": 1}


def test_at_midnight_the_day_has_begun_and_nothing_is_known_of_it(world: World) -> None:
    world.put(SALT, [(TODAY - 1, 3.0, 1)])
    world.now_ms = TODAY
    today = told(world, "bulletin?date=2025-12-29")
    station = of(today["stations"], key=SALT)
    assert (station["max"], station["expected"], today["complete"]) == (None, 0, False)
    yesterday = told(world, "bulletin")
    assert (yesterday["date"], yesterday["complete"]) == ("2025-12-28", True)
    assert of(yesterday["stations"], key=SALT)["max"]["t"] == TODAY - 1


def test_lines_and_bridges_of_a_day(world: World) -> None:
    world.put("cua-tieu/salt_1_max_km", [(YESTERDAY - 60_000, 42.5, 1), (TODAY - MINUTE, 43.1, 1)])
    world.put("cua-tieu/salt_1_max_sd_km", [(TODAY - MINUTE, 1.1, 1)])
    world.put(MINUTES, [(YESTERDAY + n * MINUTE, 34.0 if n < 6 else 5.0, 1) for n in range(60)])
    world.put("cam-01/southbound/count_car", [(YESTERDAY + n * MINUTE, 10.0, 1) for n in range(60)])
    document = told(world, "bulletin")
    line = of(document["lines"], mouth="cua-tieu", level_g_l=1)
    assert (line["line"]["km"], line["line"]["sd_km"], line["change_km"]) == (43.1, 1.1, 0.6)
    assert line["line"]["between"] == ["xuan-hoa", "my-tho"]
    assert "giữa Cống Xuân Hòa và Mỹ Tho, khoảng 43,1 km từ cửa sông" in document["text_vi"]
    road = of(document["bridges"], station="rach-mieu-1", direction="southbound")
    assert (road["median_min"], road["worst"]["value"], road["worst"]["t"]) == (
        5.0,
        34.0,
        YESTERDAY,
    )
    assert [each["for_min"] for each in road["over"]] == [6.0, 6.0, 0.0]
    assert road["vehicles"] == {"car": 600}
    assert road["vehicles_keys"] == ["cam-01/southbound/count_car"]


def test_gates_of_a_day_by_what_their_crews_entered(world: World) -> None:
    for hour, gate, taking in ((-30, "closed", False), (2, "open", True), (8, "closed", False)):
        world.now_ms = YESTERDAY + hour * HOUR
        ver = world.desk.picture(0)["intakes"].get("xuan-hoa", {"ver": 0})["ver"]
        body = {"ver": ver, "taking": taking, "gate": gate}
        headers = world.token("operator")
        assert ask(world, "POST", "/api/v1/intakes/xuan-hoa", headers=headers, json=body).is_success
    world.now_ms = NOW_MS
    world.put(SALT, [(YESTERDAY + n * 10 * MINUTE, 1.0 + (n > 12) * 2, 1) for n in range(144)])
    day = of(told(world, "bulletin")["gates"], intake="xuan-hoa")
    spent = [day[f"{name}_min"] for name in ("taking", "open", "closed", "unknown")]
    assert spent == [360.0, 360.0, 1080.0, 0.0]
    assert (day["fresh_min"], day["max_g_l"], day["advice"]) == (120.0, 3.0, None)


def test_a_bulletin_is_kept_for_a_moment_and_not_for_longer(world: World) -> None:
    async def story(client: Any) -> None:
        async def top() -> Any:
            document = (await client.get("/api/v1/bulletin?date=2025-12-29")).json()
            return of(document["stations"], station="xuan-hoa")["max"]

        assert await top() is None
        world.put(SALT, [(TODAY, 1.0, 1)])
        world.now_ms = NOW_MS + 9_999
        assert await top() is None
        world.now_ms = NOW_MS + 10_000
        assert (await top())["value"] == 1.0

    with_client(world, story)


def test_those_who_ask_at_once_cost_one(world: World) -> None:
    archive, asked = Archive(world.reader), list[str]()

    def points(series: Series, *span: int) -> Any:
        asked.append(series.key)
        return archive.points(series, *span)

    async def story(client: Any) -> None:
        answers = []

        async def ask_it() -> None:
            answers.append((await client.get("/api/v1/bulletin")).content)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask_it)
        assert len(set(answers)) == 1

    with_client(world, story, points=points)
    # The station by itself, and for its gate.
    assert asked.count(SALT) == 2


def test_what_an_operator_had_made_names_nobody_to_viewers(world: World) -> None:
    world.advice = {"xuan-hoa": {"take": False, "who": "an", "crew": "tổ cống", "note": "gọi"}}
    operator = world.token("operator")

    async def story(client: Any) -> None:
        for headers, seen in ((operator, True), ({}, False), (operator, True)):
            answer = await client.get("/api/v1/bulletin?date=2025-12-29", headers=headers)
            gate = of(answer.json()["gates"], intake="xuan-hoa")
            assert set(gate["advice"]) == ({"take", "who", "crew", "note"} if seen else {"take"})

    with_client(world, story)


# The shift.


def test_the_shift_as_it_was(world: World) -> None:
    raised = world.put_alert(EventType.RAISED)
    world.put_alert(EventType.ACKED, "an", id=raised["id"], state="acked", ver=2)
    world.put_alert(EventType.RAISED, id="00000000000000aa", severity="major", rule="other")
    world.put_alert(EventType.RAISED, id="00000000000000bb", historic=True)
    entry = {"station": "xuan-hoa", "t": NOW_MS - HOUR, "cleaned": True, "crew": "tổ cống"}
    headers = world.token("operator")
    assert ask(world, "POST", "/api/v1/checks", headers=headers, json=entry).is_success
    until = f"handover?to={NOW_MS + 1}"
    document = told(world, until)
    assert (document["shift"], document["from"]) == ("day", TODAY + 6 * HOUR)
    assert [each["type"] for each in document["events"]] == ["raised", "acked", "raised"]
    assert [each.get("who") for each in document["events"]] == [None, "an", None]
    assert document["counts"]["raised"] == {"critical": 1, "major": 1, "warning": 0, "info": 0}
    assert (document["counts"]["acked"], document["counts"]["unacked"]) == (1, 1)
    assert [each["id"][-2:] for each in document["open"]] == ["aa", raised["id"][-2:]]
    assert document["open"][1]["taken"] == {"t": NOW_MS, "who": "an"}
    (check,) = document["entered"]
    assert (check["what"], check["subject"], check["who"]) == ("check", "xuan-hoa", "the operator")
    assert document["text_vi"].startswith("Ca ngày từ 29/12/2025 06:00 đến 16:20: 2 cảnh báo mới")
    seen = told(world, until, "viewer")
    text = str(seen)
    assert not any(name in text for name in ("'who'", "'note'", "'crew'", "tổ cống", "'an'"))
    assert seen["open"][1]["taken"] == {"t": NOW_MS}


def test_the_daily_test_happened_and_counts_for_nothing(world: World) -> None:
    world.put_alert(EventType.RAISED, test=True)
    document = told(world, f"handover?to={NOW_MS + 1}")
    assert [each["test"] for each in document["events"]] == [True]
    assert (document["open"], document["counts"]["open"]) == ([], 0)
    assert set(document["counts"]["raised"].values()) == {0}
    assert "0 cảnh báo mới" in document["text_vi"]


def test_entries_that_are_left_out_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "ENTERED_MAX", 1)
    headers = world.token("operator")
    for station in ("xuan-hoa", "my-tho", "dong-tam"):
        entry = {"station": station, "t": NOW_MS - HOUR, "cleaned": True}
        assert ask(world, "POST", "/api/v1/checks", headers=headers, json=entry).is_success
    document = told(world, f"handover?to={NOW_MS + 1}")
    assert [each["subject"] for each in document["entered"]] == ["xuan-hoa"]
    assert document["entered_left_out"] == 2


def test_at_six_sharp_the_night_is_handed_over(world: World) -> None:
    world.put(SALT, [(YESTERDAY + 19 * HOUR, 3.0, 1)])
    world.now_ms = TODAY + 6 * HOUR
    document = told(world, "handover")
    assert (document["from"], document["to"]) == (YESTERDAY + 18 * HOUR, TODAY + 6 * HOUR)
    assert document["shift"] == "night"
    assert "Mặn cao nhất 3,00 g/l tại Cống Xuân Hòa, lúc 19:00." in document["text_vi"]
    longer = told(world, f"handover?from={YESTERDAY}")
    assert longer["shift"] == "asked"
    assert "tại Cống Xuân Hòa, lúc 28/12/2025 19:00." in longer["text_vi"]


def test_devices_lost_and_back_and_extremes_of_the_shift(world: World) -> None:
    begin = TODAY + 6 * HOUR
    times = [begin - 10 * MINUTE, begin + 2 * HOUR, *range(begin + 2 * HOUR, NOW_MS, 10 * MINUTE)]
    world.put(SALT, [(t, 1.0 + (t == begin + 3 * HOUR), 1) for t in dict.fromkeys(times)])
    world.put("mt-01/salinity_g_l", [(begin + HOUR, 0.4, 1)])
    document = told(world, "handover")
    xuan_hoa = of(document["devices"], device="xh-01")
    assert (xuan_hoa["from"], xuan_hoa["to"], xuan_hoa["minutes"], xuan_hoa["back"]) == (
        *(begin - 10 * MINUTE, begin + 2 * HOUR, 120.0),
        True,
    )
    lost = [e for e in document["devices"] if e["device"] == "mt-01"]
    assert [(e["from"], e["back"]) for e in sorted(lost, key=lambda e: e["back"])] == [
        (begin + HOUR, False),
        (None, True),
    ]
    never = of(document["devices"], device="vk-01")
    assert (never["from"], never["to"], never["minutes"]) == (None, None, 620.0)
    station = of(document["extremes"], station="xuan-hoa")
    assert (station["max"]["value"], station["max"]["t"]) == (2.0, begin + 3 * HOUR)
    assert document["missing"]["share"] < 0.1
    assert document["missing"]["worst"][0]["n"] == 0


def test_lines_of_the_shift_at_its_beginning_furthest_and_end(world: World) -> None:
    begin = TODAY + 6 * HOUR
    rows = [(begin - MINUTE, 42.0, 1), (begin + HOUR, 45.0, 1), (NOW_MS - MINUTE, 43.0, 1)]
    world.put("cua-tieu/salt_4_km", rows)
    line = of(told(world, "handover")["lines"], mouth="cua-tieu", level_g_l=4, basis="now")
    assert [line[name]["km"] for name in ("begin", "max", "end")] == [42.0, 45.0, 43.0]
    other = of(told(world, "handover")["lines"], mouth="cua-tieu", level_g_l=4, basis="max_25h")
    assert (other["begin"], other["max"], other["end"]) == (None, None, None)


# Gates.


def test_the_board_of_gates(world: World) -> None:
    world.items = [
        *({"k": SALT, "v": 1.2, "t": NOW_MS, "q": 1, "st": "live", "station": "xuan-hoa"},),
        {"k": "xh-01/water_level_m", "v": 0.4, "t": NOW_MS, "q": 1, "st": "late"},
    ]
    world.advice = {"xuan-hoa": {"intake": "xuan-hoa", "take": False, "text_vi": "KHÔNG LẤY NƯỚC"}}
    body = {"ver": 0, "taking": False, "gate": "closed", "note": "gọi anh Ba"}
    headers = world.token("operator")
    assert ask(world, "POST", "/api/v1/intakes/xuan-hoa", headers=headers, json=body).is_success
    world.put(SALT, [(NOW_MS - n * 10 * MINUTE, 2.0 - 0.1 * (n < 5), 1) for n in range(20)])
    document = told(world, "gates")
    assert [each["intake"] for each in document["gates"]] == list(world.registry.intakes)
    gate = of(document["gates"], intake="xuan-hoa")
    assert (gate["outside"]["salinity"]["value"], gate["outside"]["level"]["st"]) == (1.2, "late")
    assert gate["inside"]["salinity"]["why"] == "not-measured"
    assert gate["head"]["why"] == "no-inner-gauge"
    assert gate["advice"]["text_vi"] == "KHÔNG LẤY NƯỚC"
    assert (gate["state"]["gate"], gate["state"]["who"]) == ("closed", "the operator")
    (window,) = gate["windows"]
    assert (window["from"], window["to"], window["n"]) == (NOW_MS - 40 * MINUTE, NOW_MS, 5)
    assert (window["goes_on"], gate["next"], gate["next_why"]) == (True, None, "not-fitting")
    assert "who" not in of(told(world, "gates", "viewer")["gates"], intake="xuan-hoa")["state"]


def test_nobody_unknown_reads_where_looking_needs_a_token(world: World) -> None:
    closed = replace(world.doorkeeper, anonymous=False)
    for path in ("gates", "handover", "bulletin", "lunar", "checks", "stations/xuan-hoa/care"):
        assert get(world, f"/api/v1/{path}", doorkeeper=closed).status_code == 401
