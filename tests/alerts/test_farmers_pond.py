"""How long a pond lasts, and how long it would have had to, by cases worked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.farmers.crops import CROPS
from alerts.farmers.pond import Judged, Pond, Verdict, judge, need_m3_day, text, volume_m3
from alerts.farmers.pond_needs import NEEDS
from alerts.farmers.pond_spells import CALM_MS, HOLE_MS, Point, Spell, spells_of
from alerts.farmers.second_meaning import second_meanings
from alerts.river.decision import near_g_l

H = 3_600_000
D = 24 * H
LEVEL = 500


def hours(*runs: tuple[int, float], flag: int = 1) -> list[Point]:
    """So many hours of each figure, one after the other."""
    values = [value for count, value in runs for _ in range(count)]
    return [(place * H, value, flag) for place, value in enumerate(values)]


def test_a_spell_ends_when_25_hours_lie_behind() -> None:
    found = spells_of(hours((30, 0.2), (10, 0.7), (24, 0.3)), LEVEL, H)
    assert [(each.begin_ms, each.end_ms) for each in found] == [(30 * H, None)]
    (over,) = spells_of(hours((30, 0.2), (10, 0.7), (25, 0.3)), LEVEL, H)
    assert (over.begin_ms, over.end_ms) == (30 * H, 65 * H)
    assert over.top_g_l == 0.7
    assert over.sure


def test_the_limit_is_salt_and_near_it_is_no_calm() -> None:
    assert [each.begin_ms for each in spells_of(hours((30, 0.2), (1, 0.5)), LEVEL, H)] == [30 * H]
    assert spells_of(hours((30, 0.2), (1, 0.499)), LEVEL, H) == []
    near = hours((30, 0.2), (1, 0.6), (24, 0.4), (1, 0.41), (24, 0.4))
    assert spells_of(near, LEVEL, H)[0].end_ms is None


def test_salt_that_comes_with_the_second_high_water_is_the_same_spell() -> None:
    tides = [(1, 0.7), (23, 0.2)] * 4 + [(25, 0.2)]
    (one,) = spells_of(hours((30, 0.1), *tides), LEVEL, H)
    assert one.begin_ms == 30 * H
    assert one.window_ms == 31 * H


def test_a_hole_makes_a_spell_longer_and_unsure() -> None:
    before = hours((30, 0.1), (2, 0.7), (10, 0.2))
    after = [(t_ms + (42 + 4) * H, value, flag) for t_ms, value, flag in hours((25, 0.2))]
    (one,) = spells_of([*before, *after], LEVEL, H)
    assert one.end_ms == (42 + 4 + 25) * H
    assert not one.sure
    short = [(t_ms - H, value, flag) for t_ms, value, flag in after]
    (same,) = spells_of([*before, *short], LEVEL, H)
    assert same.end_ms == (32 + 25) * H, "three hours hide no high water"
    assert same.sure


def test_a_spell_that_begins_after_a_hole_may_have_begun_before() -> None:
    points = [*hours((30, 0.1)), *((t + 40 * H, v, f) for t, v, f in hours((2, 0.7), (25, 0.1)))]
    assert [each.sure for each in spells_of(points, LEVEL, H)] == [False]


def test_a_suspect_figure_begins_a_spell_and_ends_none() -> None:
    salt = [*hours((30, 0.1)), (30 * H, 0.8, 3), *hours((60, 0.1))[31:]]
    (one,) = spells_of(salt, LEVEL, H)
    assert (one.begin_ms, one.end_ms, one.sure) == (30 * H, 56 * H, False)
    calm = [*hours((30, 0.1), (1, 0.8)), *hours((90, 0.1), flag=3)[31:]]
    assert spells_of(calm, LEVEL, H)[0].end_ms is None


def test_what_failed_is_a_hole() -> None:
    points = [*hours((30, 0.1), (1, 0.8)), *hours((90, 0.1), flag=4)[31:]]
    (one,) = spells_of(points, LEVEL, H)
    assert one.end_ms is None


def test_daily_maxima_need_two_calm_days_and_show_no_window() -> None:
    days = [(day * D, value, 1) for day, value in enumerate([0.1, 0.1, 0.9, 0.3, 0.8, 0.2, 0.2])]
    (one,) = spells_of(days, LEVEL, D)
    assert (one.begin_ms, one.end_ms, one.window_ms) == (2 * D, 7 * D, None)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 30),
            st.sampled_from([0.1, 0.39, 0.4, 0.41, 0.5, 0.9]),
            st.sampled_from([1, 1, 1, 3, 4]),
            st.integers(0, 5),
        ),
        max_size=20,
    )
)
def test_equals_the_slow_twin(runs: list[tuple[int, float, int, int]]) -> None:
    """Asked anew at every hour: was any of it salt, and did 25 h of calm follow?"""
    points: list[Point] = []
    t_ms = 0
    for count, value, flag, hole in runs:
        for _ in range(count):
            points.append((t_ms, value, flag))
            t_ms += H
        t_ms += hole * H
    told = [each for each in points if each[2] in (1, 3)]
    begun, spells = -1, []
    for last in range(len(told)):
        if begun < 0 and told[last][1] >= LEVEL / 1000:
            begun = told[last][0]
        if begun >= 0 and _calm(told[: last + 1]):
            spells.append((begun, told[last][0] + H))
            begun = -1
    if begun >= 0:
        spells.append((begun, -1))
    found = spells_of(points, LEVEL, H)
    assert [(e.begin_ms, -1 if e.end_ms is None else e.end_ms) for e in found] == spells


def _calm(told: list[Point]) -> bool:
    end_ms = told[-1][0] + H
    for place in range(len(told) - 1, -1, -1):
        t_ms, value, flag = told[place]
        if flag != 1 or value > near_g_l(LEVEL / 1000):
            return False
        if end_ms - t_ms >= CALM_MS:
            return True
        if place and t_ms - told[place - 1][0] - H > HOLE_MS:
            return False
    return False


def days(*lengths: float, gap: float = 5) -> list[Spell]:
    spells, at = [], 0.0
    for length in lengths:
        spells.append(Spell(round(at * D), round((at + length) * D), 1.0))
        at += length + gap
    return spells


DURIAN_POND = Pond(volume_m3(20, 10, 2.5), 200, need_m3_day("durian", 8))


def test_a_pond_worked_by_hand() -> None:
    """500 m³; 8 công of durian at 0.85 x 5 mm take 34 m³, 8 mm off 200 m² are 1.6: 14.04 days."""
    assert DURIAN_POND.need_m3_day == pytest.approx(34)
    assert DURIAN_POND.loss_m3_day == pytest.approx(1.6)
    assert DURIAN_POND.lasts_days == pytest.approx(500 / 35.6)


@pytest.mark.parametrize(
    ("lengths", "verdict"),
    [
        ((3, 5, 11.7), Verdict.ENOUGH),
        ((3, 5, 11.71), Verdict.USUAL),
        ((3, 14, 20), Verdict.USUAL),
        ((3, 15, 20), Verdict.SHORT),
        ((), Verdict.UNKNOWN),
    ],
)
def test_the_verdict_is_against_the_longest_with_a_reserve(
    lengths: tuple[float, ...], verdict: Verdict
) -> None:
    judged = judge(DURIAN_POND, days(*lengths), 100 * D)
    assert judged.verdict is verdict


def test_what_lies_behind_of_a_spell_is_not_lived_through_again() -> None:
    now_ms = 100 * D
    going_on = [*days(20), Spell(now_ms - 9 * D, None, 1.0)]
    judged = judge(DURIAN_POND, going_on, now_ms)
    assert (judged.elapsed_days, judged.ahead_days) == (9, 11)
    assert judged.verdict is Verdict.ENOUGH
    longer = [*days(5), Spell(now_ms - 9 * D, None, 1.0)]
    assert judge(DURIAN_POND, longer, now_ms).verdict is Verdict.UNKNOWN


def test_the_words_are_plain_and_for_reference() -> None:
    spells = [*days(3, 15, 20), Spell(90 * D, None, 1.2, window_ms=92 * D, sure=False)]
    judged = judge(DURIAN_POND, spells, 93 * D)
    assert text(judged, DURIAN_POND, LEVEL, "vi") == (
        "Ao 500 m³ đủ khoảng 14 ngày, mỗi ngày 36 m³ (trong đó bốc hơi và thấm 1,6). "
        "Mùa này có 4 đợt mặn quá 0,5 g/l, dài nhất 20 ngày, thường 9 ngày. Đợt này đã 3 ngày. "
        "Trong đợt mặn, thường sau 2 ngày mới có lúc nước ngọt. "
        "ĐỦ nếu đợt mặn dài như thường, THIẾU 3 ngày nếu dài như đợt dài nhất mùa này. "
        "Có lúc mất số liệu: đợt mặn có thể đã dài hơn. Chỉ để tham khảo, không phải dự báo."
    )
    english = text(judged, DURIAN_POND, LEVEL, "en")
    assert "3 days SHORT for one like the longest" in english
    assert english.endswith("For reference, not a forecast.")
    assert "chưa thấy đợt mặn" in text(judge(DURIAN_POND, [], 0), DURIAN_POND, LEVEL, "vi")


@given(
    st.floats(0.1, 1e6),
    st.floats(0, 1e6),
    st.floats(0.001, 1e5),
    st.lists(st.floats(0.1, 90)),
)
def test_any_pond_is_judged_in_words(
    volume: float, surface: float, need: float, lengths: list[float]
) -> None:
    pond = Pond(volume, surface, need)
    judged: Judged = judge(pond, days(*lengths), 10_000 * D)
    assert judged.lasts_days * (need + pond.loss_m3_day) <= volume * (1 + 1e-9)
    for lang in ("vi", "en"):
        assert "tham khảo" in text(judged, pond, LEVEL, lang) or lang == "en"


@pytest.mark.parametrize("name", ["volume_m3", "surface_m2", "need_m3_day", "loss_mm_day"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_no_pond_has_is_refused_by_name(name: str, value: float) -> None:
    usual = {"volume_m3": 1.0, "surface_m2": 1.0, "need_m3_day": 1.0, "loss_mm_day": 1.0}
    with pytest.raises(ValueError, match=name):
        Pond(**(usual | {name: value}))


def test_every_crop_has_a_need_and_every_need_a_source() -> None:
    assert set(NEEDS) == set(CROPS)
    assert all(
        each.source and each.m3_day > 0 and each.per in ("area", "head") for each in NEEDS.values()
    )
    assert need_m3_day("cattle", 10) == pytest.approx(0.5)


def test_no_verdict_reads_as_another_without_diacritics() -> None:
    for lengths in ((1,), (3, 14, 20), (3, 15, 20), ()):
        judged = judge(DURIAN_POND, days(*lengths), 100 * D)
        found = second_meanings(text(judged, DURIAN_POND, LEVEL, "vi"))
        assert [each.words for each in found] == []
