"""What people read: minutes first, a bound said as one, every reason in both languages."""

import pytest

from alerts.bridge import words
from alerts.bridge.congestion import State
from alerts.bridge.direction import Figure
from alerts.bridge.modes import WORDS_EN, WORDS_VI, Mode


@pytest.mark.parametrize(
    ("figure", "vi", "en"),
    [
        (Figure(11.1, 11.1), "khoảng 11 phút", "about 11 min"),
        (Figure(8.4, 13.6), "8 đến 14 phút", "8 to 14 min"),
        (Figure(21.7, None), "trên 22 phút", "over 22 min"),
        (Figure(3.5, 3.5), "khoảng 4 phút", "about 4 min"),
    ],
)
def test_minutes(figure: Figure, vi: str, en: str) -> None:
    assert (words.minutes_vi(figure), words.minutes_en(figure)) == (vi, en)


@pytest.mark.parametrize(
    ("figure", "vi", "en"),
    [
        (Figure(2.0, 2.0), "2,0 km", "2.0 km"),
        (Figure(2.868, None), "> 2,9 km", "> 2.9 km"),
        (Figure(2.868, 4.868), "2,9 đến 4,9 km", "2.9 to 4.9 km"),
    ],
)
def test_kilometres(figure: Figure, vi: str, en: str) -> None:
    assert (words.km_vi(figure), words.km_en(figure)) == (vi, en)


def test_every_state_mode_and_reason_has_its_words() -> None:
    for known, vi, en in (
        (set(State), words.STATE_VI, words.STATE_EN),
        (set(Mode), WORDS_VI, WORDS_EN),
        (set(words.WHY_VI), words.WHY_VI, words.WHY_EN),
    ):
        assert known == set(vi) == set(en)
