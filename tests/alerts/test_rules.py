from alerts.rules import COUNT, Ask, Rule, Severity, watched
from alerts.rulesfile import parse_rules
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import STATIONS

MORE = """
[[reach]]
id = "ham-luong"
name = "Hàm Luông"

[[station]]
id = "rach-bun"
name = "Rạch Bùn"
kind = "salinity"
lat = 10.3602
lon = 106.7759
side = "coast"
source = "test"
[[station.device]]
id = "rb-01"
expected_s = 900
measures = ["sal_g_l"]

[[station]]
id = "far"
name = "Không rõ"
kind = "salinity"
lat = 10.1
lon = 106.2
side = "field"
source = "test"
[[station.device]]
id = "fa-01"
expected_s = 900
measures = ["sal_g_l"]
[[station.device]]
id = "fa-02"
expected_s = 900
measures = ["sal_g_l"]
replaces = "fa-01"
"""

REGISTRY = parse_registry(STATIONS + MORE, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)

PINNED = "6c6dc7d2ff02"


def picked(body: str) -> list[str]:
    text = (
        '[[rule]]\nid = "r"\nquantity = "salinity_g_l"\nseverity = "info"\nraise_above = 4\n' + body
    )
    (rule,) = parse_rules(text, "rules.toml", REGISTRY).rules
    return [one.key.partition("/")[0] for one in watched(rule, SERIES, REGISTRY)]


def test_a_rule_picks_by_quantity_alone() -> None:
    assert picked("") == ["vk-01", "xh-01", "rb-01", "fa-01"]
    assert picked('stations = ["*"]') == picked("")


def test_a_rule_picks_by_station_branch_kind_and_device() -> None:
    assert picked('stations = ["xuan-hoa", "far"]') == ["xh-01", "fa-01"]
    assert picked('branches = ["cua-tieu"]') == ["vk-01", "xh-01"]
    assert picked('kinds = ["salinity"]') == picked("")
    assert picked('kinds = ["traffic"]') == []
    assert picked('devices = ["vk-01"]') == ["vk-01"]
    assert picked('devices = ["vk-01"]\nstations = ["xuan-hoa"]') == []


def test_a_rule_for_either_of_two_probes_watches_their_series() -> None:
    assert picked('devices = ["fa-01"]') == ["fa-01"]
    assert picked('devices = ["fa-02"]') == ["fa-01"]


def test_km_is_from_inclusive_to_exclusive() -> None:
    assert picked("km = [2, 42]") == ["vk-01"]
    assert picked("km = [2.1, 42.1]") == ["xh-01"]
    assert picked("km = [0, 2]") == ["rb-01"]
    assert picked("km = [0, inf]") == ["vk-01", "xh-01", "rb-01"]


def test_stations_of_unknown_distance_go_where_the_rule_says() -> None:
    assert picked("km = [40, inf]\nkm_unknown = true") == ["xh-01", "fa-01"]


def test_retired_series_are_not_watched() -> None:
    table = SeriesTable.of(REGISTRY, known_keys=["gone-01/salinity_g_l"])
    rule = Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 1.0, 1.0)
    keys = [one.key for one in watched(rule, table, REGISTRY)]
    assert "gone-01/salinity_g_l" not in keys
    assert "vk-01/salinity_g_l" in keys


def test_the_version_changes_with_any_content_and_with_nothing_else() -> None:
    rule = Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6)
    assert rule.version == Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6).version
    others = [
        Rule("s", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6),
        Rule("r", "salinity_g_l", Severity.MAJOR, Ask.ABOVE, 4.0, 3.6),
        Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.5),
        Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6, source="x"),
    ]
    assert len({rule.version, *(other.version for other in others)}) == 5
    assert len(rule.version) == 12


def test_keys_that_came_later_leave_the_version_of_older_rules_alone() -> None:
    """Pinned: a rule that stays as it is must not look like another one after an update."""
    assert Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6).version == PINNED
    assert (
        Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 4.0, 3.6, ladder="s").version != PINNED
    )


def test_the_series_of_a_mouth_are_watched_by_its_branch() -> None:
    text = (
        '[[rule]]\nid = "r"\nquantity = "salt_4_max_km"\nseverity = "info"\n'
        'raise_above = 45\nbranches = ["cua-tieu"]\n'
    )
    (rule,) = parse_rules(text, "rules.toml", REGISTRY).rules
    assert [one.key for one in watched(rule, SERIES, REGISTRY)] == ["cua-tieu/salt_4_max_km"]


def test_how_many_of_a_group_a_share_is() -> None:
    def needed(share: float, members: int) -> int:
        rule = Rule("r", "salinity_g_l", Severity.INFO, Ask.ABOVE, 1.0, 1.0, share_above=share)
        return rule.needed(members)

    assert [needed(0.5, n) for n in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]
    assert [needed(0.6, n) for n in (5, 10)] == [4, 7]
    assert needed(0.0, 5) == 1


def test_units_of_what_is_told() -> None:
    def unit(ask: Ask, at_least: int | None = None) -> str:
        return Rule("r", "salinity_g_l", Severity.INFO, ask, 1.0, 1.0, at_least=at_least).unit(
            "g/L"
        )

    assert [unit(ask) for ask in (Ask.ABOVE, Ask.FALL, Ask.SAME_TIDE)] == ["g/L", "g/L/h", "g/L"]
    assert unit(Ask.ABOVE, at_least=2) == COUNT


def test_defaults_that_depend_on_the_interval() -> None:
    rule = Rule("r", "salinity_g_l", Severity.INFO, Ask.NO_DATA, no_data_intervals=4.5)
    assert rule.no_data_after_ms(600_000) == 2_700_000
    assert rule.never_seen_after_ms(600_000) == 2_700_000
    assert rule.hold_gap_ms(600_000) == 1_200_000
    assert rule.notify_max_age_ms(600_000) == 3_600_000
    assert rule.notify_max_age_ms(3_600_000) == 7_200_000
    given = Rule(
        "r",
        "salinity_g_l",
        Severity.INFO,
        Ask.NO_DATA,
        no_data_s=60,
        never_seen_s=90,
        hold_gap_s=1.5,
        notify_max_age_s=2,
    )
    assert given.no_data_after_ms(600_000) == 60_000
    assert given.never_seen_after_ms(600_000) == 90_000
    assert given.hold_gap_ms(600_000) == 1_500
    assert given.notify_max_age_ms(600_000) == 2_000


def test_a_rule_describes_itself_in_plain_values() -> None:
    rule = Rule(
        "r",
        "salinity_g_l",
        Severity.INFO,
        Ask.ABOVE,
        4.0,
        3.6,
        km=(35.0, float("inf")),
        stations=("a",),
    )
    told = rule.described()
    assert (told["km"], told["stations"], told["version"]) == ([35.0, None], ["a"], rule.version)
    assert (type(told["severity"]), type(told["ask"])) == (str, str)
    assert "no_data_s" not in told


def test_a_rule_is_found_by_its_id() -> None:
    text = '[[rule]]\nid = "used"\nquantity = "salinity_g_l"\nseverity = "info"\nraise_above = 4\n'
    rules = parse_rules(text, "rules.toml", REGISTRY)
    assert rules.get("used") is rules.rules[0]
    assert rules.get("none") is None
