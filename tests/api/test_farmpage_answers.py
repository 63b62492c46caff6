"""The farmer's page over a real store: each answer, what has run out, and what is asked wrongly."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from alerts.farmers.answer import OF_ROW
from alerts.river import decision
from alerts.river.advice import WHY, words
from api.farmers import Farmers
from tests.api.http_service import NOW_MS, World, get

KEY = "xh-01/salinity_g_l"
PLACE = "noi=xuan-hoa&phia=song&cay=durian"
MINUTE = 60_000
QUARTER = 900_000

Answer = dict[str, Any]


def answer(row: int, **changes: Any) -> Answer:
    """As `alerts.farmers.answer` gives it."""
    text_vi, text_en = words(row)
    return {
        "answer": OF_ROW[row].value,
        "row": row,
        "why": WHY[row],
        "text_vi": text_vi,
        "text_en": text_en,
        "station": "xuan-hoa",
        "limit_g_l": 0.5,
        "figure": 0.31,
        "figure_t": NOW_MS - 12 * MINUTE,
        "flag": 1,
        "trend": "falling",
        "since": NOW_MS - 3_600_000,
        "until": NOW_MS + 8 * MINUTE,
        "ends": None,
        "may_be_g_l": 0.36,
        "sim": False,
        "t": NOW_MS - MINUTE,
    } | changes


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    times = range(NOW_MS - 200 * QUARTER, NOW_MS, QUARTER)
    world.put(KEY, [(t, 0.2 + (t // QUARTER % 40) / 100, 1) for t in times])
    yield world
    world.close()


def shown(world: World, said: Answer | None, query: str = PLACE, **headers: str) -> Any:
    """The page while this is the answer at every place and limit."""
    given = {} if said is None else dict.fromkeys((500, 1000, 2000), said)
    places = dict.fromkeys(("xuan-hoa/river", "xuan-hoa/field"), given)
    return get(
        world,
        f"/nong-dan?{query}",
        headers=headers,
        farmers=Farmers(answers=lambda: places),
    )


class _Text(HTMLParser):
    """What a person reads: not what is hidden, nor what stands in the head."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"meta", "link", "input", "br", "path", "line", "circle", "polyline"}:
            return
        if self._hidden or tag in {"head", "form", "title"} or ("hidden", None) in attrs:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        del tag
        if self._hidden:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def text(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return re.sub(r"\s+", " ", "".join(parser.parts))


def head(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (decision.TOO_SALT, "KHÔNG LẤY NƯỚC"),
        (decision.STOP, "NGƯNG LẤY NƯỚC"),
        (decision.MAY_BE_TOO_SALT, "KHÔNG LẤY NƯỚC, CHỜ"),
        (decision.STILL_RISING, "CHƯA LẤY NƯỚC, CHỜ"),
        (decision.NEARLY, "CHƯA LẤY NƯỚC, CHỜ"),
        (decision.GATE_CLOSED, "CHƯA LẤY ĐƯỢC: CỐNG ĐÓNG"),
        (decision.PUMP_ONLY, "NGỌT, CHỈ BƠM ĐƯỢC"),
        (decision.TAKE, "CÓ THỂ LẤY NƯỚC"),
    ],
)
def test_the_first_line_is_the_answer(world: World, row: int, expected: str) -> None:
    page = shown(world, answer(row))
    assert page.status_code == 200
    assert head(page.text) == expected
    assert text(page.text).lstrip().startswith(expected)


def test_what_is_not_known_is_said_with_its_reason(world: World) -> None:
    unknown = {"until": None, "may_be_g_l": None}
    silent = head(shown(world, answer(decision.SILENT, **unknown)).text)
    assert silent.startswith("CHƯA RÕ: trạm mất tín hiệu từ ")
    assert "không tin được" in head(shown(world, answer(decision.BROKEN, **unknown)).text)
    assert "đáng ngờ" in head(shown(world, answer(decision.DOUBTFUL, **unknown)).text)
    never = answer(decision.SILENT, figure=None, figure_t=None, **unknown)
    assert head(shown(world, never).text) == "CHƯA RÕ: trạm chưa có số đo"
    vi, en = words(decision.SILENT, maintained=True)
    kept_up = answer(decision.SILENT, text_vi=vi, text_en=en, **unknown)
    assert head(shown(world, kept_up).text) == "CHƯA RÕ: trạm đang bảo trì"
    simulated = answer(decision.SILENT, sim=True, **unknown)
    assert "mô phỏng" in head(shown(world, simulated).text)
    assert head(shown(world, None).text) == "CHƯA RÕ: chưa có số đo nào"
