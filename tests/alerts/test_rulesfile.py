import pytest

from alerts.rules import Ask
from alerts.rulesfile import ASK_KEYS, KEYS, parse_rules
from ingest.faults import ConfigError, Fault
from ingest.registry import parse_registry
from tests.alerts.script import SALINITY_4, STATIONS

REGISTRY = parse_registry(STATIONS, "stations.toml")

GOOD = 'id = "r"\nquantity = "salinity_g_l"\nseverity = "info"\n'


BETWEEN = 'between = ["vam-kenh", "xuan-hoa"]'
BETWEEN_ONE = 'between = ["vam-kenh"]'


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
        ("fall_above_per_h = 1\nclear_below_per_h = 2", "rule[r].clear_below_per_h", "or less"),
        (
            "above_same_tide = 1\nclear_below_same_tide = 2",
            "rule[r].clear_below_same_tide",
            "(1) or less",
        ),
        ("rise_above_per_h = -2", "rule[r].rise_above_per_h", "a number from 0"),
        ("fall_above_per_h = -2", "rule[r].fall_above_per_h", "a number from 0"),
        ("above_same_tide = 1\nrise_window_s = 60", "rule[r].rise_window_s", "doesn't take"),
        ('flagged = "bad"', "rule[r].flagged", "suspect, fail, stuck, dry"),
        ('flagged = "dry"\nclear_below = 1', "rule[r].clear_below", "doesn't take this key"),
        ("difference_above = 1", "rule[r].between", "it is missing"),
        (f"difference_above = 1\n{BETWEEN_ONE}", "rule[r].between", "accepted are two stations"),
        (
            'difference_above = 1\nbetween = ["vam-kenh", "nowhere"]',
            "rule[r].between",
            "aren't both in the registry",
        ),
        (
            f"difference_below = 1\nclear_difference_above = 0\n{BETWEEN}",
            "rule[r].clear_difference_above",
            "(1) or more",
        ),
        (f"raise_above = 1\n{BETWEEN}", "rule[r].between", "doesn't take this key"),
        ("raise_above = 1\nat_least = 0", "rule[r].at_least", "a whole number from 1"),
        ("raise_above = 1\nat_least = 2.5", "rule[r].at_least", "a whole number"),
        ("raise_above = 1\nshare_above = 1", "rule[r].share_above", "less than 1"),
        ("raise_above = 1\nshare_above = 1.5", "rule[r].share_above", "from 0 to 1"),
        ("raise_above = 1\nat_least = 2\nshare_above = 0.5", "rule[r].share_above", "only one"),
        ('raise_above = 1\ngroup_by = "branch"', "rule[r].group_by", "add at_least"),
        (
            'raise_above = 1\nat_least = 2\ngroup_by = "river"',
            "rule[r].group_by",
            "all, branch, station, direction",
        ),
        ("raise_below = 1\nat_least = 2\npermit = true", "rule[r].permit", "permits nothing"),
        ("rise_above_per_h = 1\nat_least = 2", "rule[r].at_least", "doesn't take this key"),
        ('raise_above = 1\nladder = "No!"', "rule[r].ladder", "1 to 40 characters"),
    ],
)
def test_a_fault_names_key_and_what_is_accepted(body: str, key: str, said: str) -> None:
    (fault,) = faults_of(rule_of(body))
    assert (fault.file, fault.key) == ("rules.toml", key)
    assert said in fault.accepted


BRIDGE = '[[rule]]\nid = "r"\nseverity = "info"\n'
RIVER = f'{BRIDGE}quantity = "salt_4_max_km"\nraise_above = 45\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (BRIDGE + 'congestion = "slow"', "rule[r].congestion", "dense, congested, jammed"),
        (BRIDGE + 'congeston = "jammed"', "rule[r].congeston", "did you mean 'congestion'?"),
        (BRIDGE + 'congestion = "jammed"\nincident = true', "rule[r].incident", "only one of"),
        (BRIDGE + "incident = false", "rule[r].incident", "accepted is true"),
        (BRIDGE + 'incident = true\nquantity = "occupancy"', "rule[r].quantity", "no key"),
        (BRIDGE + "raise_above = 1", "rule[r].quantity", "it is missing"),
        (RIVER + "km = [0, 35]", "rule[r].km", "belongs to a mouth"),
        (RIVER + 'stations = ["vam-kenh"]', "rule[r].stations", "branches in its place"),
    ],
)
def test_faults_of_what_is_formed_from_several_devices(text: str, key: str, said: str) -> None:
    (fault,) = faults_of(text)
    assert fault.key == key
    assert said in fault.accepted


def test_a_fault_names_the_line_on_which_it_stands() -> None:
    text = rule_of("raise_above = 4") + rule_of("raise_below = true\nfor_s = -1").replace(
        '"r"', '"s"'
    )
    found = [(fault.key, fault.line) for fault in faults_of(text)]
    assert sorted(found) == [("rule[s].for_s", 11), ("rule[s].raise_below", 10)]
    assert text.split("\n")[9] == "raise_below = true"
    (fault,) = faults_of(rule_of("for_s = 1"))
    assert (fault.key, fault.line) == ("rule[r]", 1)
    assert str(fault).startswith("rules.toml:1: rule[r] = ")


def test_the_tables_of_escalation_are_read_and_refused_with_the_rules() -> None:
    text = "[escalation.critical]\nremind_s = 30\n"
    assert parse_rules(text, "rules.toml").urgency.of("critical").remind_ms == 30_000
    (fault,) = faults_of("[escalation.critical]\nremind_s = 1\n")
    assert (fault.key, fault.line) == ("escalation.critical.remind_s", 2)


def test_words_of_kinds_become_levels_and_texts() -> None:
    text = BRIDGE + 'congestion = "jammed"\nat_least = 2\ngroup_by = "station"'
    (rule,) = parse_rules(text, "rules.toml", REGISTRY).rules
    assert (rule.quantity, rule.raise_level, rule.shared) == ("traffic_state", 3.0, True)
    (rule,) = parse_rules(BRIDGE + 'congestion = "jammed"', "rules.toml", REGISTRY).rules
    assert "ùn tắc" in rule.message_vi
    (rule,) = parse_rules(BRIDGE + "incident = true", "rules.toml", REGISTRY).rules
    assert (rule.quantity, rule.raise_level) == ("incident", None)
    assert rule.described()["ask"] == "incident"


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


VALUES = {
    "flagged": '"dry"',
    "congestion": '"dense"',
    "incident": "true",
    "difference_above": f"60\n{BETWEEN}",
    "difference_below": f"60\n{BETWEEN}",
}


def test_each_kind_takes_its_own_key() -> None:
    for ask, keys in ASK_KEYS.items():
        for key in keys:
            body = f"{key} = {VALUES.get(key, '60')}"
            text = rule_of(body)
            if key in ("congestion", "incident"):
                text = text.replace('quantity = "salinity_g_l"\n', "")
            (rule,) = parse_rules(text, "rules.toml").rules
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
