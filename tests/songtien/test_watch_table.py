"""What `songtien watch` draws, by its text: what it says must not depend on colour."""

import re
from typing import Any

import pytest
from rich.console import Console

from ingest.reading import QUANTITIES
from songtien.watch_table import Down, Shown, duration, screen, value
from songtien.watch_words import WORDS, Lang

NOW_MS = 1_767_000_000_000
NAMES = {"vam-kenh": "Vàm Kênh"}


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "k": f"vk-{number:02d}/salinity_g_l",
        "v": 3.21,
        "t": NOW_MS - 45_000,
        "q": 1,
        "st": "live",
        "station": "vam-kenh",
        "device": f"vk-{number:02d}",
        "quantity": "salinity_g_l",
        "unit": "g/L",
        **more,
    }


def alert(number: int, severity: str, state: str) -> dict[str, Any]:
    return {
        "id": f"{number:016x}",
        "rule": "salinity-4",
        "k": "vk-01/salinity_g_l",
        "severity": severity,
        "state": state,
        "t_since": NOW_MS - 60_000,
        "message_vi": f"Cảnh báo {number}",
        "message_en": f"Alert {number}",
    }


def drawn(
    items: list[dict[str, Any]],
    alerts: list[dict[str, Any]],
    height: int | None = None,
    lang: Lang = "en",
    down: Down | None = None,
) -> list[str]:
    console = Console(width=110, no_color=True, force_terminal=False)
    shown = Shown("http://river", items, alerts, NAMES, NOW_MS, lang, down is None, down)
    with console.capture() as captured:
        console.print(screen(shown, height))
    return captured.get().rstrip("\n").split("\n")


def test_a_figure_has_its_place_unit_quality_age_and_state() -> None:
    text = "\n".join(drawn([item(1, q=3, st="late")], []))
    for word in ("Vàm Kênh", "Salinity", "3.21 g/L", "suspect", "45s", "late", "no active alerts"):
        assert word in text


def test_in_vietnamese_with_a_decimal_comma() -> None:
    text = "\n".join(drawn([item(1)], [alert(1, "critical", "unacked")], lang="vi"))
    for word in ("Độ mặn", "3,21 g/l", "đạt", "trực tiếp", "Cảnh báo 1", "rất nghiêm trọng"):
        assert word in text
    assert all(len(both) == 2 for both in WORDS.values())


def test_old_figures_stand_in_brackets_and_a_broken_link_is_said_with_its_time() -> None:
    assert "(3.21 g/L)" in "\n".join(drawn([item(1, st="stale")], []))
    lines = drawn([item(1)], [], down=Down(NOW_MS - 60_000, "cut", 4.2))
    assert lines[0].startswith("LINK LOST since 29/12/2025 16:19:00 +07, trying again in 4 s")
    assert "(3.21 g/L)" in "\n".join(lines)
    never = drawn([], [], down=Down(None, "refused", 1))
    assert never[0].startswith("NOT CONNECTED to http://river yet")


def test_what_nobody_has_taken_stands_on_top_then_the_gravest() -> None:
    alerts = [
        alert(1, "info", "unacked"),
        alert(2, "critical", "acked"),
        alert(3, "critical", "unacked"),
    ]
    text = "\n".join(drawn([], alerts))
    assert text.index("Alert 3") < text.index("Alert 1") < text.index("Alert 2")


@pytest.mark.parametrize("height", [12, 24, 40])
@pytest.mark.parametrize(("figures", "count"), [(3, 1), (60, 2), (60, 40), (2, 60)])
def test_it_fits_the_terminal_and_counts_the_rest(height: int, figures: int, count: int) -> None:
    items = [item(number) for number in range(figures)]
    alerts = [alert(number, "major", "unacked") for number in range(count)]
    lines = drawn(items, alerts, height)
    assert len(lines) <= height
    shown = sum("Salinity" in line for line in lines)
    told = sum(bool(re.search(r"Alert \d", line)) for line in lines)
    rest = [int(line.split()[2]) for line in lines if "more" in line]
    assert shown + told + sum(rest) == figures + count
    assert min(shown, told) >= 1


def test_every_quantity_has_its_words() -> None:
    assert set(QUANTITIES) <= set(WORDS)


def test_bounds_and_ages() -> None:
    assert value(item(1, v=46.0, bound="above"), "en") == "> 46.00 g/L"
    assert value({"k": "x"}, "en") == ""
    assert value({"k": "x", "v": 1234.5, "unit": "1"}, "en") == "1234"
    assert [duration(s) for s in (-5, 45, 720, 11_100, 200_000)] == [
        "0s",
        "45s",
        "12m",
        "3h05",
        "2d",
    ]
