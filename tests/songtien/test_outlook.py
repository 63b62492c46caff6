"""The numbers of a replay's progress."""

import math

import pytest

from simulators.publish import Progress
from simulators.run import Plan
from songtien.outlook import WINDOW_S, Outlook

T_MS = 1_767_000_000_000


def _progress(acknowledged: int, at_ms: int = T_MS) -> Progress:
    return Progress(acknowledged + 5, 0, acknowledged, at_ms)


def test_at_full_speed_by_messages() -> None:
    outlook = Outlook(Plan(20_000, T_MS, T_MS + 10, math.inf))
    assert outlook.words(_progress(0), 100.0) == "0 %, 0 of 20,000 messages"
    said = outlook.words(_progress(8_200), 105.0)
    assert said == "41 %, 8,200 of 20,000 messages, 1,640/s, 0:00:08 left"
    assert outlook.words(_progress(20_000), 109.0).startswith("100 %")


def test_the_rate_is_that_of_the_last_seconds() -> None:
    outlook = Outlook(Plan(1_000_000, T_MS, T_MS + 10, math.inf))
    for second in range(100):
        outlook.words(_progress(second * 1000), float(second))
    for second in range(100, 115):
        said = outlook.words(_progress(99_000 + (second - 99) * 3), float(second))
    assert WINDOW_S < 15
    assert ", 3.0/s, " in said


def test_paced_by_the_clock_of_the_feed() -> None:
    outlook = Outlook(Plan(96, T_MS, T_MS + 86_400_000, 60.0))
    outlook.words(_progress(0, T_MS), 0.0)
    said = outlook.words(_progress(24, T_MS + 21_600_000), 360.0)
    assert said == "25 %, 24 of 96 messages, 0.1/s, 0:18:00 left"


@pytest.mark.parametrize("speed", [1.0, math.inf])
def test_without_an_end_nothing_is_left(speed: float) -> None:
    outlook = Outlook(Plan(None, T_MS, None, speed))
    outlook.words(_progress(0), 0.0)
    assert outlook.words(_progress(50), 1.0) == "50 messages, 50/s"


def test_one_message_is_all_of_it() -> None:
    outlook = Outlook(Plan(1, T_MS, T_MS, 1.0))
    assert outlook.words(_progress(1), 0.0) == "100 %, 1 of 1 messages, 0:00:00 left"
