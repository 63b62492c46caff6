"""docs/rules.md says all that the code accepts and gives."""

from pathlib import Path

import pytest

from alerts import urgency
from alerts.lifecycle import diagram
from alerts.messages import PLACEHOLDERS
from alerts.notices import HISTORIAN_BEHIND, SELF_TEST, Said
from alerts.rules import CONGESTION, Ask, GroupBy, Quality, Severity
from alerts.rulesfile import KEYS, parse_rules
from alerts.transition import Cause
from tests.alerts.script import SALINITY_4, SPEED, VK, Script

DOC = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained(key: str) -> None:
    rows = [line for line in DOC.splitlines() if line.startswith("| `")]
    assert any(f"`{key}`" in row.split("|")[1] for row in rows)


def test_every_word_that_the_file_takes_is_named() -> None:
    for word in (*Severity, *Cause, *Ask, *Quality, *CONGESTION, *GroupBy):
        assert f"`{word}`" in DOC
    for name in PLACEHOLDERS:
        assert "`{" + name + "}`" in DOC


def test_the_diagram_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in DOC


def test_every_field_of_an_alert_is_explained() -> None:
    fields = DOC.split("## Fields of an alert")[1]
    script = Script(SALINITY_4.replace("900", "0"))
    script.at(0).reading(5.0, VK)
    script.at(15).reading(1.0, VK)
    slow = SALINITY_4.replace("salinity_g_l", "speed_km_h").replace("4.0", "9").replace("3.6", "8")
    bridge = Script(slow)
    bridge.at(0).reading(10.0, SPEED)
    said = Said(HISTORIAN_BEHIND.id, True, 901.0, 900.0, 1, "mend this")
    notices = script.book.notice(said, 1) + script.book.notice(Said(SELF_TEST.id, True, 1, 1, 1), 1)
    for event in (*script.events, *bridge.events, *notices):
        for name in (*event.alert, *event.evidence):
            assert f"`{name}`" in fields, name


def test_the_example_is_a_rules_file() -> None:
    example = DOC.split("```toml\n")[1].split("```")[0]
    assert [rule.id for rule in parse_rules(example, "rules.toml").rules] == ["salinity-4"]


def test_there_is_an_example_of_each_kind() -> None:
    example = DOC.split("## Examples")[1].split("```toml\n")[1].split("```")[0]
    rules = parse_rules(example, "rules.toml").rules
    assert {rule.ask for rule in rules} == set(Ask)
    assert any(rule.at_least for rule in rules)
    assert any(rule.share_above for rule in rules)
    assert any(rule.ladder for rule in rules)


@pytest.mark.parametrize("key", urgency.KEYS)
def test_every_key_of_the_other_tables_is_explained(key: str) -> None:
    assert any(line.startswith(f"| `{key}` |") for line in DOC.splitlines())
