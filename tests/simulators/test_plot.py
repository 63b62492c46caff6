"""A picture of a scenario: the same bytes each time, in a file that a document can carry."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.faults import ConfigError
from ingest.registry import parse_registry
from simulators.estuary import River, Spell
from simulators.label import Label
from simulators.plot import (
    Drawing,
    figure_of,
    furthest_km,
    matplotlib_figures,
    plot_scenario,
)
from simulators.road.traffic import Incident, Rain, Traffic
from simulators.world import World
from songtien.settings import DEFAULTS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_709_485_200_000  # 2024-03-04 in Vietnam
REGISTRY = parse_registry((DEFAULTS / "stations.toml").read_text("utf-8"), "stations.toml")
LABELS = [
    Label(label="stuck", from_ms=START_MS + HOUR_MS, to_ms=START_MS + 9 * HOUR_MS, device="xh-01"),
    Label(label="gap", from_ms=START_MS, to_ms=START_MS + HOUR_MS, device="cam-01"),
    *(
        Label(
            label="spike",
            from_ms=START_MS + n * HOUR_MS // 4,
            to_ms=START_MS + n * HOUR_MS // 4 + 60_000,
            device="xh-01" if n % 5 else "vg-01",
        )
        for n in (4, 5, 7, 8, 20, 44, 46)
    ),
    Label(label="above", from_ms=START_MS, to_ms=START_MS + HOUR_MS, station="xuan-hoa", level=4.0),
]


def _world(discharge_m3_s: float = 2500.0) -> World:
    river = River(
        discharge_m3_s=discharge_m3_s, spells=(Spell(START_MS, START_MS + 12 * HOUR_MS, 0.4),)
    )
    incident = Incident("rach-mieu-1", "southbound", START_MS, START_MS + HOUR_MS, 1.0, 0.3)
    traffic = Traffic(incidents=(incident,), rains=(Rain(START_MS, START_MS + 3 * HOUR_MS),))
    return World(REGISTRY, "test", 1, river, traffic)


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[..., bytes]:
    pytest.importorskip("matplotlib")

    def draw(name: str = "a.png", discharge_m3_s: float = 2500.0) -> bytes:
        path = tmp_path / name
        plot_scenario(_world(discharge_m3_s), START_MS, DAY_MS // 2, path, LABELS)
        return path.read_bytes()

    return draw


def test_no_legend_lies_over_a_panel_and_no_name_over_another() -> None:
    agg = pytest.importorskip("matplotlib.backends.backend_agg")
    with matplotlib_figures() as figures:
        figure = figure_of(figures, Drawing(_world(), START_MS, DAY_MS // 2, LABELS))
        agg.FigureCanvasAgg(figure).draw()
        panels = [axis.get_window_extent() for axis in figure.axes]
        legends = [axis.get_legend() for axis in figure.axes if axis.get_legend()]
        assert len(legends) == 4
        for box in (legend.get_window_extent() for legend in legends):
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert not any(box.y0 < panel.y1 - 1 and box.y1 > panel.y0 + 1 for panel in panels)
        texts = figure.axes[-1].texts
        names = sorted((text.xy[1], text.get_window_extent().x0, text.get_text()) for text in texts)
        ends = sorted((text.xy[1], text.get_window_extent().x1) for text in texts)
        for (row, end), (next_row, begin, _) in zip(ends, names[1:], strict=False):
            assert row < next_row or end < begin
        assert [name for row, _, name in names if row == 2] == ["xh-01, vg-01", "vg-01", "xh-01"]


def test_what_happens_on_the_bridge_is_told_apart_without_its_colour() -> None:
    pytest.importorskip("matplotlib")
    with matplotlib_figures() as figures:
        figure = figure_of(figures, Drawing(_world(), START_MS, DAY_MS // 2, LABELS))
        legend = next(axis.get_legend() for axis in figure.axes if "flow" in axis.get_ylabel())
        shades = dict(zip([t.get_text() for t in legend.texts], legend.legend_handles, strict=True))
        assert shades["rain"].get_hatch()
        assert not shades["incident"].get_hatch()


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_the_same_world_gives_the_same_bytes_and_no_date(
    drawn: Callable[..., bytes], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drawn(name)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert drawn(name) == first
    assert first.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
    assert b"dc:date" not in first
    assert b"Software" not in first


def test_another_river_is_another_picture_and_it_is_light(drawn: Callable[..., bytes]) -> None:
    first = drawn()
    assert first != drawn(discharge_m3_s=4000.0)
    assert len(first) < 150_000


def test_a_style_of_the_user_changes_nothing(drawn: Callable[..., bytes]) -> None:
    mpl = pytest.importorskip("matplotlib")
    first = drawn()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20}):
        assert drawn() == first
        assert mpl.rcParams["font.size"] == 20


def test_a_name_that_is_neither_png_nor_svg_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"accepted is \.png or \.svg"):
        plot_scenario(_world(), START_MS, DAY_MS, tmp_path / "a.pdf")


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"songtien\[plot\]"):
        plot_scenario(_world(), START_MS, DAY_MS, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_how_far_a_level_reaches_lies_between_two_points() -> None:
    km = np.array([0.0, 10.0, 20.0])
    salt = np.array([[8.0, 1.0, 9.0, 9.0], [4.0, 0.5, 2.0, 9.0], [0.0, 0.2, 5.0, 9.0]])
    assert furthest_km(km, salt, 4.0).tolist() == pytest.approx(
        [10.0, np.nan, 20.0, 20.0], nan_ok=True
    )
    assert furthest_km(km, salt, 2.0)[0] == pytest.approx(15.0)


@given(st.lists(st.floats(0.0, 30.0), min_size=2, max_size=12), st.floats(0.1, 20.0))
def test_how_far_a_level_reaches_as_by_a_plain_loop(profile: list[float], level: float) -> None:
    km = np.arange(len(profile), dtype=np.float64)
    expected = np.nan
    for n, value in enumerate(profile):
        if value >= level:
            behind = profile[n + 1] if n + 1 < len(profile) else value
            part = (value - level) / (value - behind) if behind < value else 0.0
            expected = n + min(max(part, 0.0), 1.0) if n + 1 < len(profile) else float(n)
    found = furthest_km(km, np.array(profile)[:, None], level)[0]
    assert found == pytest.approx(expected, nan_ok=True)
