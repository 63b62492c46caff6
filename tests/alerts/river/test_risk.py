"""The computed level of disaster risk, which is for reference alone."""

import math

import pytest

from alerts.river.intrusion import Bracket
from alerts.river.risk import LABEL, Risk, computed

FROM_KM = (25.0, 50.0, 90.0)


@pytest.mark.parametrize(
    ("km", "level"), [(2.0, 0), (24.9, 0), (25.0, 1), (49.9, 1), (50.6, 2), (90.0, 3)]
)
def test_the_level_goes_by_the_distance(km: float, level: int) -> None:
    assert computed(Bracket.FIGURE, km, FROM_KM) == Risk(level, at_least=False)


def test_a_lower_bound_gives_a_lower_bound() -> None:
    assert computed(Bracket.BEYOND, 46.0, FROM_KM) == Risk(1, at_least=True)
    assert computed(Bracket.REFUSED, 20.0, FROM_KM) == Risk(0, at_least=True)
    assert computed(Bracket.BEYOND, 91.0, FROM_KM) == Risk(3, at_least=False)


def test_nothing_is_said_of_nothing() -> None:
    assert computed(Bracket.NOTHING, math.nan, FROM_KM) is None
    assert computed(Bracket.FIGURE, 40.0, ()) is None


@pytest.mark.parametrize("risk", [Risk(2, False), Risk(1, True), Risk(0, True), Risk(0, False)])
def test_it_is_never_told_without_its_label(risk: Risk) -> None:
    assert risk.told()["label"] == LABEL
    assert LABEL in risk.told()["text_vi"]


def test_a_bound_is_told_as_one() -> None:
    assert "từ cấp 1 trở lên" in Risk(1, True).told()["text_vi"]
    assert "chưa rõ cấp" in Risk(0, True).told()["text_vi"]
