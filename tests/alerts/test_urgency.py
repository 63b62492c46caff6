"""How soon people are reminded: the tables of a rules file."""

import pytest

from alerts.rules import Severity
from alerts.urgency import DEFAULTS, KEYS, SEVERITIES, TABLE, Pace, Urgency, read_urgency
from ingest.tables import Faults, Table, load_toml


def read(text: str) -> tuple[Urgency, list[str]]:
    faults = Faults("rules.toml")
    found = read_urgency(Table(faults, "", load_toml(text, "rules.toml"), (TABLE,)))
    return found, [str(fault) for fault in faults.found]


def test_without_tables_the_defaults_hold() -> None:
    found, faults = read("")
    assert faults == []
    assert found == Urgency()
    assert found.of(Severity.CRITICAL) == Pace(600_000, (900_000, 1_800_000))
    assert found.of(Severity.MAJOR) == Pace(1_800_000, (3_600_000,))
    assert found.of(Severity.WARNING) == Pace(14_400_000)
    assert found.of(Severity.INFO) == Pace()


def test_the_severities_are_those_of_rules() -> None:
    assert tuple(Severity) == SEVERITIES
    assert set(DEFAULTS) == set(Severity)
    assert KEYS == ("remind_s", "escalate_s")


def test_what_a_table_leaves_out_keeps_its_default() -> None:
    found, faults = read("[escalation.critical]\nremind_s = 60\n[escalation.warning]\n")
    assert faults == []
    assert found.of("critical") == Pace(60_000, (900_000, 1_800_000))
    assert found.of("warning") == DEFAULTS["warning"]


def test_none_and_never_can_be_said() -> None:
    found, faults = read("[escalation.critical]\nremind_s = 0\nescalate_s = []")
    assert (found.of("critical"), faults) == (Pace(), [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("remind_s", "5"),
        ("remind_s", "false"),
        ("remind_s", '"600"'),
        ("escalate_s", "900"),
        ("escalate_s", "[1800, 900]"),
        ("escalate_s", "[900, 900]"),
        ("escalate_s", "[1]"),
        ("escalate_s", "[true]"),
        ("escalate_s", "[nan]"),
        ("escalate_s", str(list(range(20, 31)))),
    ],
)
def test_faults_name_the_key_and_what_is_accepted(key: str, value: str) -> None:
    _, (fault,) = read(f"[escalation.major]\n{key} = {value}")
    assert fault.startswith(f"rules.toml: escalation.major.{key} = ")
    assert "accepted" in fault


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[escalation.urgent]\nremind_s = 60", "escalation.urgent"),
        ("[escalation.major]\nrepeat_s = 60", "escalation.major.repeat_s"),
        ("escalation = 3", "escalation"),
    ],
)
def test_unknown_tables_and_keys_are_faults(text: str, key: str) -> None:
    _, faults = read(text)
    assert faults[0].startswith(f"rules.toml: {key} = ")
