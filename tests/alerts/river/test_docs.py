"""docs/river.md says what the code does: rows, words, limits, levels."""

import json
import re
from pathlib import Path

from alerts.river import bands, cells, decision, intrusion, recent
from alerts.river.advice import WHY, Found, body
from alerts.river.decision import Facts
from ingest.intakes import Intake

PAGE = (Path(__file__).parents[3] / "docs" / "river.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_each_row_of_the_table_stands_with_its_word() -> None:
    rows = {
        int(n): why for n, why in re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    }
    assert rows == dict(WHY)


def test_levels_of_spells_are_those_of_the_code() -> None:
    for low, high, levels in bands._BANDS:
        told = ", ".join(
            f"{each.raise_above:g} / {each.clear_below:.2f}".removesuffix("0")
            if each.raise_above == 4.0
            else f"{each.raise_above:g} / {each.clear_below:.2f}"
            for each in levels
        )
        where = f"{low:g} to {high:g}" if high < 1000 else f"over {low:g}"
        assert f"| {where} | {told} |" in PAGE


def test_limits_are_those_of_the_code() -> None:
    assert f"more than {intrusion.GAP_KM_MAX:g} km apart" in WORDS
    assert f"sample in {cells.HOURS_NEEDED} of the {cells.DAY_HOURS} hours" in WORDS
    assert (
        f"S > {decision.NEAR:g} L, or held for less than {decision.HELD_H * 60:g} minutes" in WORDS
    )
    assert f"rising over {decision.STOP_RISE_G_L_H:g} g/L/h" in WORDS
    assert f"rising over {decision.RISING_G_L_H:g} g/L/h, or less than" in WORDS
    assert f"less than {decision.HIGH_WATER_H:g} h after high water" in WORDS
    assert f"head under {decision.HEAD_M:g} m" in WORDS
    assert f"fallen by {recent.TURNED_M:g} m" in WORDS
    assert f"within {recent.FIT_SHARE * 100:g} %" in WORDS


def test_the_example_has_the_fields_of_an_advice() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    intake = Intake("xuan-hoa", "Cống Xuân Hòa", ("xuan-hoa",), "river", 2.0, "gravity", 1.0)
    facts = Facts(2.0, 0.3, 1, 0.1, 0.25, 1.0)
    told = body(intake, Found(12, "xuan-hoa", facts, 1_771_999_200_000), 1_771_999_800_000)
    assert json.loads(example).keys() == told.keys()
