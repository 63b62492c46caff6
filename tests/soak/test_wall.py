"""The wall through days of the past in six minutes, and that what is held of it can fail."""

import random
from typing import Any

import pytest

from tests.conftest import MOSQUITTO
from tests.soak import wall
from tests.soak.flat import Course, growing
from tests.soak.wallpage import expected_stations, figure

DAYS = 2.5
"""At 600 times the pace six minutes."""


@pytest.mark.broker
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_six_minutes_at_600_times_the_pace(capsys: pytest.CaptureFixture[str]) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    code = wall.main(["--days", str(DAYS), "--seed", "25"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.count(" 0 differ") == wall.MOMENTS


def _course(samples: list[float], floor: float = 1.0) -> Course:
    return Course("something", "MiB", floor, samples)


def test_what_comes_and_goes_is_flat_and_what_leaks_is_not() -> None:
    draw = random.Random(4)
    saw = [100 + draw.uniform(0, 30) for _ in range(360)]
    assert growing([_course(saw)]) == []
    leaking = [20 + n / 12 + draw.uniform(0, 5) for n in range(360)]
    assert "GROWS" in growing([_course(leaking)])[0]
    small = [2 + n / 360 for n in range(360)]
    assert growing([_course(small)]) == [], "less than the floor"
    filling = [min(50.0 + n, 120.0) for n in range(360)]
    assert growing([_course(filling)]) == [], "what is filled in the first third is kept on purpose"
    assert growing([_course([1.0] * 5)]), "nothing can be said of so few"


def _item(device: str, value: float | None, st: str = "live", q: int = 1) -> dict[str, Any]:
    return {"k": f"{device}/salinity_g_l", "station": "a", "v": value, "st": st, "q": q}


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([_item("x", 3.2)], ("good", "3,20")),
        ([_item("x", 3.2), _item("y", 4.1)], ("good", "4,10")),
        ([_item("x", 3.2), _item("y", 4.1, "late")], ("good", "3,20")),
        ([_item("x", 3.2, q=4), _item("y", 0.1)], ("good", "0,10")),
        ([_item("x", 12.34, "stale", q=4)], ("stale", "12,3")),
        ([_item("x", 0.2, q=9)], ("bad", "0,20")),
        ([_item("x", None, "never")], ("never", "–")),
    ],
)
def test_a_station_is_told_as_its_freshest_and_saltiest_probe(
    items: list[dict[str, Any]], told: tuple[str, str]
) -> None:
    other = {"k": "x/temperature_c", "station": "a", "v": 99.0, "st": "live", "q": 1}
    assert expected_stations([*items, other]) == {"a": told}


def test_figures_are_rounded_as_the_page_rounds_them() -> None:
    assert [figure(v) for v in (0.125, 0.005, 9.994, 9.995, 1.005)] == [
        *("0,13", "0,01", "9,99", "10,0", "1,00"),
    ]
