"""The pure parts of the farmer's page: escaping, the curve, times in words, its address."""

import pytest

from alerts.river.picture import SAME_TIDE_MS
from api.farmpage import curve, say
from api.farmpage.asked import asked
from api.farmpage.html import Markup, h, joined
from ingest.intakes import Intake
from ingest.reading import Flag

NOW_MS = 1_767_000_000_000  # 16:20 in Vietnam
QUARTER = 900_000
HOUR = 3_600_000
GAP = 2_700_000
XUAN_HOA = Intake(
    "xuan-hoa", "Cống Xuân Hòa", ("xuan-hoa",), "river", 2.0, "gravity", 1.0, gate="g"
)
DONG_TAM = Intake("dong-tam", "Đồng Tâm", ("dong-tam",), "river", 0.45, "pump", 1.0)
INTAKES = {one.id: one for one in (XUAN_HOA, DONG_TAM)}


def test_text_is_escaped_and_markup_is_not() -> None:
    evil = "<b>&\"'"
    assert h("p", evil) == "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"
    assert h("a", href=evil) == '<a href="&lt;b&gt;&amp;&quot;&#x27;"></a>'
    assert h("p", Markup("<br>"), [evil, None]).startswith("<p><br>&lt;b&gt;")
    assert joined("<", h("i", "<")) == "&lt;<i>&lt;</i>"


def test_attributes() -> None:
    assert h("input", cls="a", for_="b", data_x=1, hidden=True, value=None) == (
        '<input class="a" for="b" data-x="1" hidden>'
    )
    assert h("input", checked=False, value="") == '<input value="">'


def day(*points: curve.Point) -> curve.Day:
    return curve.day(points, NOW_MS, GAP)


def test_the_tide_of_the_day_before_lies_where_it_comes_again() -> None:
    found = day((NOW_MS - SAME_TIDE_MS - HOUR, 0.7, 1), (NOW_MS - HOUR, 0.5, 1))
    assert found.today == ((NOW_MS - HOUR, 0.5, 1),)
    assert found.before == ((NOW_MS - HOUR, 0.7, 1),)


def test_a_line_ends_at_a_hole_and_bad_readings_are_left_out() -> None:
    times = [NOW_MS - n * QUARTER for n in range(20, 0, -1) if not 8 <= n <= 12]
    bad = [(NOW_MS - 8 * QUARTER, 9.0, int(Flag.FAIL))]
    found = day(*sorted([*((t, 0.3, 1) for t in times), *bad]))
    assert [len(run) for run in curve.runs(found.today, GAP)] == [8, 7]
    assert found.refused == 1
    words = curve.described(found, 0.5, "vi")
    assert "Mất số đo 1 lần." in words
    assert "Bỏ 1 số đo hỏng." in words
    assert "9,00" not in words


def test_suspect_readings_are_marked_and_said() -> None:
    points = [(NOW_MS - n * QUARTER, 0.3, 3 if n == 4 else 1) for n in range(8, 0, -1)]
    drawn = curve.drawn(day(*points), 0.5, "vi")
    assert drawn.count('class="s"') == 1
    assert "đáng ngờ" in drawn
    assert 'class="s"' not in curve.drawn(day((NOW_MS, 0.3, 2)), 0.5, "vi")


def test_many_readings_make_no_longer_a_drawing_and_hide_no_peak() -> None:
    points = [(NOW_MS - n * 10_000, 0.2, 1) for n in range(9000, 0, -1)]
    points[4000] = (points[4000][0], 0.83, 1)
    drawn = curve.drawn(day(*points), 0.5, "vi")
    assert len(drawn) < 6_000
    assert ">0,83</text>" in drawn
    line = drawn.split('class="d" points="')[1].partition('"')[0]
    heights = sorted(int(pair.split(",")[1]) for pair in line.split())
    assert heights[0] < curve.TOP + 5 < heights[1]  # the one that was high, at the top


def test_nothing_measured_is_a_sentence() -> None:
    assert curve.drawn(day(), 0.5, "vi") == (
        '<p class="note">Không có số đo dùng được trong 25 giờ qua.</p>'
    )


@pytest.mark.parametrize("value", [0.0, 0.01, 5.0, 40.0])
@pytest.mark.parametrize("limit", [0.3, 10.0])
def test_everything_lies_within_the_drawing(value: float, limit: float) -> None:
    drawn = curve.drawn(day((NOW_MS - HOUR, value, 1), (NOW_MS, value, 1)), limit, "en")
    for part in drawn.split('points="')[1:]:
        for pair in part.partition('"')[0].split():
            x, y = map(int, pair.split(","))
            assert 0 <= x <= curve.WIDTH
            assert curve.TOP <= y <= curve.FOOT


@pytest.mark.parametrize(
    ("ago_ms", "vi", "en"),
    [
        (-5_000, "vừa xong", "just now"),
        (59_999, "vừa xong", "just now"),
        (60_000, "cách đây 1 phút", "1 min ago"),
        (3_599_999, "cách đây 59 phút", "59 min ago"),
        (47 * HOUR, "cách đây 47 giờ", "47 h ago"),
        (48 * HOUR, "cách đây 2 ngày", "2 days ago"),
    ],
)
def test_ages(ago_ms: int, vi: str, en: str) -> None:
    assert say.age(NOW_MS - ago_ms, NOW_MS, "vi") == vi
    assert say.age(NOW_MS - ago_ms, NOW_MS, "en") == en


def test_a_time_of_another_day_has_its_date() -> None:
    assert say.moment(NOW_MS, NOW_MS, "vi") == "16:20"
    assert say.moment(NOW_MS - 17 * HOUR, NOW_MS, "vi") == "23:20 ngày 28/12"


def test_what_is_asked_stands_in_an_address_and_comes_back() -> None:
    given = [("noi", "xuan-hoa/dong"), ("cay", "durian"), ("gioihan", "0,45"), ("lang", "en")]
    found, faults = asked(given, INTAKES)
    assert faults == ()
    assert found.query() == "noi=xuan-hoa&phia=dong&cay=durian&gioihan=0%2C45&lang=en"
    assert found.level_mg_l == 450
    again, _ = asked([("noi", "xuan-hoa"), ("phia", "dong"), *given[1:]], INTAKES)
    assert again == found


def test_where_there_is_no_gate_there_is_one_side() -> None:
    found, faults = asked([("noi", "dong-tam")], INTAKES)
    assert (str(found.place), faults) == ("dong-tam/river", ())
    assert asked([("noi", "dong-tam"), ("phia", "dong")], INTAKES)[1]
