"""The scores that docs/bridges.md tells are those of the recorded series."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import incidents

DOCUMENT = (Path(__file__).parents[2] / "docs/bridges.md").read_text(encoding="utf-8")


def told(name: str) -> list[str]:
    """The cells of a row of the document."""
    row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| {name}"))
    return [cell.strip() for cell in row.split("|")[2:-1]]


def cells(found: incidents.Score) -> list[str]:
    nab = "-" if found.nab is None else f"{found.nab:.1f}"
    delays = ", ".join(f"{each:.0f}" for each in found.delays_min) or "-"
    outside = f"{found.false_alarms} in {found.days:.1f} days"
    a_decision = f"{100 * found.false_alarms / found.decisions:.3f} %"
    return [f"{found.found} of {found.windows}", outside, a_decision, delays, nab]


@pytest.mark.parametrize("quantity", ["occupancy", "speed"])
def test_the_labelled_windows(quantity: str, recorded: Callable[[str], Path]) -> None:
    folder = recorded(f"traffic/{quantity}_6005.csv").parent
    series = incidents.minnesota(folder, quantity, tuned=quantity == "occupancy")
    assert told(f"`{quantity}_6005`") == cells(incidents.score(series, incidents.alarms(series)))


def test_cameras_of_which_nothing_is_labelled(recorded: Callable[[str], Path]) -> None:
    folder = recorded("traffic/telraam_camera_2022h1.csv.gz").parent
    for series in incidents.cameras(folder):
        found = incidents.score(series, incidents.alarms(series))
        assert told(f"`{series.name.partition(',')[0]}`") == cells(found)


def test_simulated_bottlenecks() -> None:
    found, delays = incidents.bottlenecks()
    assert told("simulated bottlenecks") == [*cells(found)[:3], "3 each", "-"]
    assert set(delays) == {3.0}


def test_an_alarm_in_the_window_scores_and_one_after_it_costs() -> None:
    """NAB's standard profile by hand: two alarms, one in the middle of its window, one far off."""
    series = incidents.Recorded("one", False, list(range(1001)), [], [], [], 1, [(400, 500)])
    middle = 2 / (1 + 2.718281828**-2.5) - 1
    first = 2 / (1 + 2.718281828**-5) - 1

    def nab(*begun: int) -> float | None:
        return incidents.score(series, incidents.Alarms(list(begun), series.t_ms)).nab

    assert nab(450) == pytest.approx(50 * (1 + middle / first), abs=0.01)
    assert nab() == 0.0
    assert nab(450, 950) == pytest.approx(50 * (1 + middle / first - 0.11), abs=0.01)
    assert nab(100) == 0.0, "within the probation nothing counts"


def test_the_document_names_the_windows_that_were_looked_at() -> None:
    assert re.search(r"occupancy_6005.*looked at", DOCUMENT)
