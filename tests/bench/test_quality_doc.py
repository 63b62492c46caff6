"""The figures of docs/quality.md are those that its command measures."""

from pathlib import Path

import pytest

from bench import quality_doc
from simulators.scenario import SCENARIOS

TEXT = quality_doc.DOCUMENT.read_text("utf-8")


def test_three_hours_measured_again_are_as_written() -> None:
    found = quality_doc.measured(quality_doc.SHORT, Path())
    assert found == quality_doc.written(TEXT, quality_doc.SHORT)


def test_every_shipped_scenario_and_the_recorded_series_have_their_figures() -> None:
    for name in (*SCENARIOS, quality_doc.RECORDED):
        assert quality_doc.written(TEXT, name).count("\n") > 3, name


def test_a_figure_is_replaced_where_it_stands_and_nowhere_else() -> None:
    text = "a\n<!-- measured: x -->\n\nold\n\n<!-- end -->\n<!-- measured: y -->\n\nkept\n<!-- end -->\n"
    found = quality_doc.replaced(text, "x", "new\n")
    assert quality_doc.written(found, "x") == "new\n"
    assert quality_doc.written(found, "y") == "kept"
    with pytest.raises(ValueError, match="substring not found"):
        quality_doc.written(text, "z")
