"""Fresh water at a gate: windows of the past, the next by the same tide, sides and head."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reports.gates import Fresh, board, fresh_windows, likely_window, sides
from alerts.reports.sources import Sources
from alerts.river.picture import SAME_TIDE_MS
from ingest.archive import Whence
from ingest.reading import Batch
from ingest.registry import Registry, parse_registry
from ingest.rollups import Sums
from ingest.series import SeriesTable

NOW_MS = 1_767_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DEFAULTS = (Path(__file__).parents[3] / "songtien/defaults/stations.toml").read_text("utf-8")


def rows(*each: tuple[int, float, int]) -> Batch:
    t_ms, value, flag = zip(*each, strict=True) if each else ((), (), ())
    return Batch.of([0] * len(each), t_ms, value, flag)


def test_windows_by_hand() -> None:
    told = rows(
        *((0, 3.0, 1), (10, 1.9, 1), (20, 0.4, 1), (30, 1.0, 3)),  # a suspect one ends it
        *((40, 1.5, 1), (50, 2.0, 1), (60, 1.0, 1)),  # the limit itself is not below it
        *((91, 0.9, 1), (95, 0.8, 1)),  # so does a hole
    )
    assert fresh_windows(told, 2.0, 30) == [
        Fresh(10, 20, 0.4, 20, 2, goes_on=False),
        Fresh(40, 40, 1.5, 40, 1, goes_on=False),
        Fresh(60, 60, 1.0, 60, 1, goes_on=False),
        Fresh(91, 95, 0.8, 95, 2, goes_on=True),
    ]
    assert fresh_windows(rows(), 2.0, 30) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([1, 3, 4])),
        max_size=25,
    )
)
def test_windows_equal_a_search_for_longest_runs(steps: list[tuple[int, float, int]]) -> None:
    samples, at = [], 0
    for step, value, flag in steps:
        at += step
        samples.append((at, value, flag))

    def holds(begin: int, end: int) -> bool:
        part = samples[begin : end + 1]
        near = all(b[0] - a[0] <= 30 for a, b in itertools.pairwise(part))
        return near and all(flag == 1 and value < 2.0 for _, value, flag in part)

    n = len(samples)
    slow = [
        (samples[i][0], samples[j][0])
        for i in range(n)
        for j in range(i, n)
        if holds(i, j) and (i == 0 or not holds(i - 1, j)) and (j == n - 1 or not holds(i, j + 1))
    ]
    found = fresh_windows(rows(*samples), 2.0, 30)
    assert [(each.from_ms, each.to_ms) for each in found] == slow


def tide(hours: float, *, now: float = 1.0) -> Batch:
    """Every 10 min of the last 30 h: a tide that repeats, `now` times as salt in the last 3 h."""
    times = range(NOW_MS - int(hours * HOUR), NOW_MS + 1, 10 * MINUTE)
    made = []
    for t in times:
        angle = 2 * math.pi * (t - NOW_MS) / (SAME_TIDE_MS / 2)
        value = 2.0 - 1.5 * math.sin(angle)
        made.append((t, value * (now if t > NOW_MS - 3 * HOUR else 1.0), 1))
    return rows(*made)


def test_the_next_window_by_the_same_tide() -> None:
    """Falling from now on: at most 1.6 (0.8 of 2) from sin >= 0.267 on, half a period less twice
    the 0.53 h until then, less half an hour.
    """
    found, why = likely_window(tide(30), 2.0, NOW_MS)
    assert why is None
    assert found is not None
    period_h = SAME_TIDE_MS / 2 / HOUR
    first_h = math.asin(0.4 / 1.5) / (2 * math.pi) * period_h
    last_h = period_h / 2 - first_h
    assert (found["from"] - NOW_MS) / HOUR == pytest.approx(first_h, abs=1 / 6)
    assert (found["to"] - NOW_MS) / HOUR == pytest.approx(last_h - 0.5, abs=1 / 6)
    assert found["min_g_l"] == pytest.approx(0.5, abs=0.02)
    assert found["basis_vi"].startswith("tham khảo")


def test_nothing_is_told_where_the_day_before_does_not_fit() -> None:
    assert likely_window(tide(30, now=1.25), 2.0, NOW_MS) == (None, "not-fitting")
    assert likely_window(tide(20), 2.0, NOW_MS) == (None, "not-fitting")
    assert likely_window(rows(), 2.0, NOW_MS) == (None, "not-fitting")
    assert likely_window(tide(30), 2.0, NOW_MS + 2 * HOUR) == (None, "not-fitting")


def test_a_hole_of_the_day_before_hides_what_came_in_it() -> None:
    whole = tide(30)
    t_h = (whole.t_ms - (NOW_MS - SAME_TIDE_MS)) / HOUR
    holed = whole.take(~((t_h > 0.3) & (t_h < 1.6)))
    assert likely_window(holed, 2.0, NOW_MS) == (None, "not-known")


def test_no_fresh_water_is_said() -> None:
    assert likely_window(tide(30), 0.5, NOW_MS) == (None, "no-fresh-water")


GATE = """
[[reach]]
id = "song"
name = "Sông"
flows_into = []

[[station]]
id = "ngoai"
name = "Ngoài"
kind = "salinity"
reach = "song"
km_from_mouth = { song = 40.0 }
lat = 10.3
lon = 106.4
side = "river"
gate = "cong"
[[station.device]]
id = "n-1"
expected_s = 600
measures = ["sal_g_l", "level_m"]

[[station]]
id = "trong"
name = "Trong"
kind = "salinity"
lat = 10.31
lon = 106.41
side = "field"
gate = "cong"
[[station.device]]
id = "t-1"
expected_s = 600
measures = ["sal_g_l", "level_m"]

[[intake]]
id = "cong"
name = "Cống"
stations = ["ngoai"]
inside = "trong"
gate = "cong"
limit_g_l = 2.0
lift = "gravity"
"""


def told(text: str, items: dict[str, Any], history: Batch | None = None) -> dict[str, Any]:
    registry: Registry = parse_registry(text, "stations.toml")

    def points(*_: object) -> tuple[Batch, Whence]:
        return rows() if history is None else history, Whence()

    def windows(*_: object) -> Any:
        return Sums.of_rows(()).windows(), Whence()

    sources = Sources(registry, SeriesTable.of(registry), points, windows)
    (found,) = board(sources, items, {}, {}, NOW_MS)
    return found


def level(key: str, value: float, age_ms: int = 0, flag: int = 1) -> dict[str, Any]:
    return {"k": key, "v": value, "t": NOW_MS - age_ms, "q": flag, "st": "live", "device": key[:3]}


OUTER, INNER = "n-1/water_level_m", "t-1/water_level_m"
OFFSET = GATE + "head_offset_m = 0.25\n"


@pytest.mark.parametrize(
    ("text", "outer", "inner", "m", "why"),
    [
        (OFFSET, level(OUTER, 1.3), level(INNER, 0.9), 0.65, None),
        (GATE, level(OUTER, 1.3), level(INNER, 0.9), None, "zeros-unknown"),
        (OFFSET, level(OUTER, 1.3, 30 * MINUTE + 1), level(INNER, 0.9), None, "no-recent-level"),
        (OFFSET, level(OUTER, 1.3), level(INNER, 0.9, flag=3), None, "no-recent-level"),
        (OFFSET, level(OUTER, 1.3), {}, None, "no-recent-level"),
    ],
)
def test_the_head_is_told_where_both_levels_have_one_zero(
    text: str, outer: dict[str, Any], inner: dict[str, Any], m: float | None, why: str | None
) -> None:
    head = told(text, {OUTER: outer, INNER: inner})["head"]
    assert (head["m"], head["why"]) == (m, why)


def test_both_sides_with_reasons_for_what_is_missing() -> None:
    found = told(GATE, {"n-1/salinity_g_l": level("n-1/salinity_g_l", 1.2)})
    outside, inside = found["outside"]["salinity"], found["inside"]["salinity"]
    assert (outside["value"], outside["device"], outside["st"]) == (1.2, "n-1", "live")
    assert (inside["value"], inside["why"], inside["station"]) == (None, "never", "trong")
    lone = GATE.replace('inside = "trong"\n', "").replace('gate = "cong"\n[[station', "[[station")
    found = told(lone, {})
    assert found["inside"]["salinity"]["why"] == "not-measured"
    assert found["head"]["why"] == "no-inner-gauge"


def test_stations_at_the_gate_are_found_though_the_intake_does_not_name_them() -> None:
    registry = parse_registry(GATE.replace('inside = "trong"\n', ""), "stations.toml")
    sources = Sources(registry, SeriesTable.of(registry), lambda *_: 1 / 0, lambda *_: 1 / 0)  # type: ignore[arg-type]
    assert sides(sources, registry.intakes["cong"]) == (["ngoai"], ["trong"])


def test_windows_are_of_25_hours_and_name_their_series() -> None:
    old = (NOW_MS - 25 * HOUR - 1, 0.3, 1)
    found = told(GATE, {}, rows(old, (NOW_MS - HOUR, 0.5, 1)))
    assert [each["from"] for each in found["windows"]] == [NOW_MS - HOUR]
    assert found["windows_key"] == "n-1/salinity_g_l"


def test_the_registry_that_comes_with_the_program_has_a_board() -> None:
    registry = parse_registry(DEFAULTS, "stations.toml")
    series = SeriesTable.of(registry)
    sources = Sources(
        registry,
        series,
        lambda *_: (rows(), Whence()),
        lambda *_: (Sums.of_rows(()).windows(), Whence()),
    )
    found = board(sources, {}, {}, {}, NOW_MS)
    assert [each["intake"] for each in found] == list(registry.intakes)
    assert all(each["windows_key"] for each in found)
