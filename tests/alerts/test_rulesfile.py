import pytest

from alerts.rules import Ask
from alerts.rulesfile import ASK_KEYS, KEYS, parse_rules
from ingest.faults import ConfigError, Fault
from ingest.registry import parse_registry
from tests.alerts.script import SALINITY_4, STATIONS

REGISTRY = parse_registry(STATIONS, "stations.toml")

GOOD = 'id = "r"\nquantity = "salinity_g_l"\nseverity = "info"\n'


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_rules(text, "rules.toml", REGISTRY)
    return caught.value.faults


def keys_of(text: str) -> list[str]:
    return [fault.key for fault in faults_of(text)]


def rule_of(body: str) -> str:
    return f"[[rule]]\n{GOOD}{body}\n"


def test_the_example_of_the_contract() -> None:
    (rule,) = parse_rules(SALINITY_4, "rules.toml", REGISTRY).rules
    assert (rule.id, rule.ask, rule.severity) == ("salinity-4", Ask.ABOVE, "critical")
    assert (rule.raise_level, rule.clear_level) == (4.0, 3.6)
    assert (rule.for_s, rule.clear_for_s, rule.hold_gap_s) == (0.0, 900.0, None)
    assert rule.stations == ()


def test_no_rules_are_rules() -> None:
    assert parse_rules("", "rules.toml").rules == ()


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        ("raise_abov = 4", "rule[r].raise_abov", "did you mean 'raise_above'?"),
        ('raise_above = "4"', "rule[r].raise_above", "a number"),
        ('raise_above = "4"\nclear_below = 3', "rule[r].raise_above", "a number"),
        ("raise_above = true", "rule[r].raise_above", "a number"),
        ("raise_above = nan", "rule[r].raise_above", "a number"),
        ("raise_above = 4\nclear_below = 4.1", "rule[r].clear_below", "(4) or less"),
        ("raise_below = 4\nclear_above = 3.9", "rule[r].clear_above", "(4) or more"),
        ("rise_above_per_h = 1\nclear_below_per_h = 2", "rule[r].clear_below_per_h", "or less"),
        ("raise_above = 4\nraise_below = 1", "rule[r].raise_below", "only one of"),
        ("no_data_s = 4\nno_data_intervals = 1", "rule[r].no_data_intervals", "only one of"),
        ("for_s = 1", "rule[r]", "it asks for nothing"),
        ("raise_above = 4\nclear_above = 5", "rule[r].clear_above", "doesn't take this key"),
        ("raise_above = 4\npermit = true", "rule[r].permit", "doesn't take this key"),
        ("no_data_s = 60\nfor_s = 1", "rule[r].for_s", "doesn't take this key"),
        ("raise_above = 4\nfor_s = -1", "rule[r].for_s", "a number from 0"),
        ("no_data_s = 0", "rule[r].no_data_s", "a number from 1"),
        ("raise_below = 4\npermit = 1", "rule[r].permit", "true or false"),
        ('raise_above = 4\nstations = ["vam-keng"]', "rule[r].stations", "'vam-kenh'?"),
        ("raise_above = 4\nstations = []", "rule[r].stations", "would pick nothing"),
        ('raise_above = 4\nstations = "*"', "rule[r].stations", "a list"),
        ('raise_above = 4\nbranches = ["cua-tieo"]', "rule[r].branches", "'cua-tieu'?"),
        ('raise_above = 4\ndevices = ["vk-02"]', "rule[r].devices", "'vk-01'?"),
        ('raise_above = 4\nkinds = ["salt"]', "rule[r].kinds", "salinity"),
        ("raise_above = 4\nkm = [50, 35]", "rule[r].km", "from < to"),
        ("raise_above = 4\nkm = [50]", "rule[r].km", "from < to"),
        ("raise_above = 4\nkm = [0, nan]", "rule[r].km", "from < to"),
        ("raise_above = 4\nkm_unknown = true", "rule[r].km_unknown", "add km"),
        ('raise_above = 4\nmessage_vi = "{valu}"', "rule[r].message_vi", "{valu}"),
        ('raise_above = 4\nmessage_en = "{value:.1f}"', "rule[r].message_en", "{value}"),
        ('raise_above = 4\nmessage_en = "{value"', "rule[r].message_en", "brace"),
        ('raise_above = 4\nmessage_en = "{}"', "rule[r].message_en", "{}"),
        ("raise_above = 4\nmessage_en = 4", "rule[r].message_en", "a text"),
    ],
)
def test_a_fault_names_key_and_what_is_accepted(body: str, key: str, said: str) -> None:
    (fault,) = faults_of(rule_of(body))
    assert (fault.file, fault.key) == ("rules.toml", key)
    assert said in fault.accepted


def test_every_fault_is_told_at_once() -> None:
    text = """
[[rule]]
id = "Bad Id"
quantity = "salinity"
severity = "fatal"
raise_above = "x"

[[rule]]
quantity = "salinity_g_l"
severity = "info"

[[rules]]
id = "z"
"""
    assert sorted(keys_of(text)) == [
        "rule[#1].id",
        "rule[#1].quantity",
        "rule[#1].raise_above",
        "rule[#1].severity",
        "rule[#2]",
        "rule[#2].id",
        "rules",
    ]


def test_ids_are_unique() -> None:
    assert keys_of(rule_of("raise_above = 1") * 2) == ["rule[r].id"]


def test_what_is_no_toml_is_one_fault() -> None:
    (fault,) = faults_of("[[rule]]\nid = \n")
    assert fault.key == "line 2"


def test_each_kind_takes_its_own_key() -> None:
    for ask, keys in ASK_KEYS.items():
        for key in keys:
            (rule,) = parse_rules(rule_of(f"{key} = 60"), "rules.toml").rules
            assert rule.ask is ask
            assert rule.message_vi
            assert rule.message_en


def test_without_a_clear_level_the_raise_level_serves() -> None:
    (rule,) = parse_rules(rule_of("raise_above = 4"), "rules.toml").rules
    assert rule.clear_level == 4.0


def test_without_a_registry_names_are_taken_as_they_are() -> None:
    text = rule_of('raise_above = 4\nstations = ["elsewhere"]\ndevices = ["x"]\nbranches = ["y"]')
    (rule,) = parse_rules(text, "rules.toml").rules
    assert (rule.stations, rule.devices, rule.branches) == (("elsewhere",), ("x",), ("y",))


def test_no_key_is_listed_twice() -> None:
    assert len(set(KEYS)) == len(KEYS)
