"""The bulletin's parts: gates by what was entered, the day's borders, words."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.entries import Logged
from alerts.reports import words
from alerts.reports.bulletin import Day, gate_minutes, local_date, start_ms
from alerts.reports.sources import DAY_MS

ON = date(2025, 12, 29)
BEGIN = 1_766_941_200_000  # 00:00 in Vietnam
MINUTE = 60_000
DAY = Day.of(ON, BEGIN + 3 * DAY_MS)


def entry(at_ms: int, gate: str | None, *, taking: bool = False) -> Logged:
    return Logged(at_ms, "intake", "xuan-hoa", {"gate": gate, "taking": taking})


def test_days_are_those_of_vietnam() -> None:
    assert start_ms(ON) == BEGIN
    assert local_date(BEGIN) == ON
    assert local_date(BEGIN - 1) == date(2025, 12, 28)
    assert (DAY.until_ms, DAY.over) == (BEGIN + DAY_MS, True)
    today = Day.of(ON, BEGIN + MINUTE)
    assert (today.until_ms, today.over) == (BEGIN + MINUTE, False)


def test_a_gate_by_hand() -> None:
    """Closed since yesterday, opened at 02:00 and water taken from 02:30 to 05:00, closed at 06:00."""
    entries = [
        entry(BEGIN - 5 * MINUTE, "closed"),
        entry(BEGIN + 120 * MINUTE, "open"),
        entry(BEGIN + 150 * MINUTE, "open", taking=True),
        entry(BEGIN + 300 * MINUTE, "open"),
        entry(BEGIN + 360 * MINUTE, "closed"),
    ]
    assert gate_minutes(entries, DAY) == {
        "taking_min": 150.0,
        "open_min": 240.0,
        "closed_min": 1200.0,
        "unknown_min": 0.0,
    }
    assert gate_minutes([], DAY)["unknown_min"] == 1440.0


@given(
    st.lists(
        st.tuples(st.integers(-50, 150), st.sampled_from(["open", "closed", None]), st.booleans()),
        max_size=8,
    ),
    st.integers(0, 100),
)
def test_a_gate_equals_minute_by_minute(
    drawn: list[tuple[int, str | None, bool]], minutes: int
) -> None:
    day = Day.of(ON, BEGIN + minutes * MINUTE)
    drawn.sort(key=lambda each: each[0])
    entries = [entry(BEGIN + at * MINUTE, gate, taking=taking) for at, gate, taking in drawn]
    slow = {"taking_min": 0.0, "open_min": 0.0, "closed_min": 0.0, "unknown_min": 0.0}
    for minute in range(minutes):
        gate, taking = next(((g, t) for at, g, t in reversed(drawn) if at <= minute), (None, False))
        slow[f"{gate or 'unknown'}_min"] += 1
        slow["taking_min"] += taking
    assert gate_minutes(entries, day) == slow


def test_words_of_maxima() -> None:
    def top(
        name: str,
        value: float,
        flag: int,
        change: float | None,
        share: float = 1,
        before: float = 1,
    ) -> dict[str, Any]:
        told = None if change is None else {"g_l": change, "before_share": before}
        high = {"value": value, "t": 0, "flag": flag}
        return {"name": name, "max": high, "change": told, "share": share}

    assert words.maxima([]) == ("Không có số liệu mặn.", "No salinity data.")
    stations: list[dict[str, Any]] = [
        top("Mỹ Tho (Vườn hoa Lạc Hồng)", 1.4, 1, 0.25),
        top("Xuân Hòa", 4.93, 3, -1.0),
        top("Xoài Hột", 0.16, 1, 0.001),
        {"name": "Đồng Tâm", "max": None, "change": None, "share": 0.0},
        top("An Định", 2.0, 1, -2.5, share=0.29),
        top("Vàm Giồng", 5.0, 1, 4.0, before=0.5),
    ]
    assert words.maxima(stations) == (
        (
            "Độ mặn cao nhất (g/l): Mỹ Tho 1,40, tăng 0,25; Xuân Hòa 4,93 (đáng ngờ), giảm 1,00; "
            "Xoài Hột 0,16; An Định 2,00 (chỉ có 29 % số liệu); Vàm Giồng 5,00."
        ),
        (
            "Highest salinity (g/L): Mỹ Tho 1.40, up 0.25; Xuân Hòa 4.93 (suspect), down 1.00; "
            "Xoài Hột 0.16; An Định 2.00 (from 29 % of the data only); Vàm Giồng 5.00."
        ),
    )


@pytest.mark.parametrize(
    ("bound", "vi"),
    [
        (None, "giữa A và B, khoảng 50,6 km từ cửa sông."),
        (
            "beyond",
            "giữa A và B, trên 50,6 km từ cửa sông (phía thượng lưu không đủ số liệu để nói rõ hơn).",
        ),
        ("below", "giữa A và B, dưới 50,6 km từ cửa sông."),
    ],
)
def test_words_of_a_line(bound: str | None, vi: str) -> None:
    line = {"bound": bound, "km": 50.6, "landmark_vi": "giữa A và B", "landmark_en": "between"}
    told = words.line({"level_g_l": 4, "name": "Cửa Tiểu", "line": line})
    assert told is not None
    assert told[0] == f"Ranh mặn 4 g/l cao nhất 25 giờ qua, Cửa Tiểu: {vi}"
    assert words.line({"line": None}) is None


def test_what_is_missing_is_never_rounded_away() -> None:
    assert words.data_share({"share": 0.9996})[1] == "99 % of the expected data came."
    assert words.data_share({"share": 1.0})[1] == "100 % of the expected data came."
