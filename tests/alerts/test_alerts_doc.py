"""docs/alerts.md says what the code does."""

import re
from pathlib import Path

from alerts.alert import EventType
from alerts.lifecycle import State, diagram
from alerts.notices import STATION_DOWN, UPLINK_DOWN
from alerts.rules import Ask
from alerts.rulesfile import parse_rules
from alerts.shelves import LONGEST_MS, SHORTEST_MS
from alerts.topology import Common
from alerts.urgency import DEFAULTS

DOC = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)


def test_the_picture_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in DOC
    for state in State:
        assert f"\n| {state.value} (" in DOC


def test_every_event_and_every_reason_is_told() -> None:
    events = DOC.split("## The events of its timeline")[1]
    for kind in EventType:
        assert f"`{kind.value}`" in events
    for why in (*Common, "maintenance", "closed", "rung"):
        assert f"`{why}`" in DOC
    assert f"(`{UPLINK_DOWN.id}`, `{STATION_DOWN.id}`)" in DOC


def test_every_kind_of_rule_has_an_example_that_is_one() -> None:
    rules = parse_rules(BLOCKS[1], "rules.toml").rules
    shown = {rule.ask for rule in rules}
    # The counterpart of a difference above is told by the same keys.
    assert shown == set(Ask) - {Ask.DIFFERENCE_BELOW}
    assert any(rule.shared for rule in rules)
    assert any(rule.ladder for rule in rules)


def test_the_pace_is_that_of_the_code() -> None:
    urgency = parse_rules(BLOCKS[0], "rules.toml").urgency
    assert urgency.of("critical").escalate_ms == (600_000, 1_200_000, 3_600_000)
    rows = dict(
        re.findall(r"\n\| `(\w+)` \| ([^|]+) \| [^|]+ \|", DOC.split("## Who is called")[1])
    )
    for severity, pace in DEFAULTS.items():
        minutes = pace.remind_ms // 60_000
        said = f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"
        assert rows[severity] == (said if minutes else "never")
        for level_ms in pace.escalate_ms:
            row = next(line for line in DOC.splitlines() if line.startswith(f"| `{severity}` |"))
            assert f"{level_ms // 60_000} min" in row


def test_the_bounds_of_a_shelf_are_told() -> None:
    assert (SHORTEST_MS, LONGEST_MS) == (60_000, 7 * 86_400_000)
    assert "one minute to seven days ahead" in DOC
