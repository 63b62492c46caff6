"""The rules that come with the service: sound, sourced, and by the distance of the station."""

import math
import unicodedata
from pathlib import Path

import pytest

from alerts.doubts import doubts
from alerts.messages import Facts, render
from alerts.rules import Ask, watched
from alerts.rulesfile import parse_rules
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import XH, Script, t

ROOT = Path(__file__).parents[2]
DEFAULTS = ROOT / "songtien" / "defaults"
TEXT = (DEFAULTS / "rules.toml").read_text(encoding="utf-8")
REGISTRY = parse_registry((DEFAULTS / "stations.toml").read_text(encoding="utf-8"), "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
RULES = parse_rules(TEXT, "rules.toml", REGISTRY)


PROBE = ("probe-dry", "probe-stuck")


def watching(key: str) -> list[str]:
    return [
        rule.id
        for rule in RULES.rules
        if key in {one.key for one in watched(rule, SERIES, REGISTRY)}
    ]


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("vk-01/salinity_g_l", ["salinity-4-coast", *PROBE, "no-data-coast"]),
        (
            "lt-01/salinity_g_l",
            ["salinity-4-coast", "salinity-10-coconut", *PROBE, "no-data-estuary"],
        ),
        (
            "xh-01/salinity_g_l",
            [
                *("salinity-0-5", "salinity-1", "salinity-2", "salinity-4", "salinity-rise"),
                *("salinity-above-same-tide", *PROBE, "no-data"),
            ],
        ),
        (
            "kx-01/salinity_g_l",
            [
                "salinity-4",
                "salinity-0-3-upstream",
                "salinity-0-5-upstream",
                "salinity-1-upstream",
                "salinity-rise-upstream",
                "salinity-above-same-tide",
                *PROBE,
                "no-data-upstream",
            ],
        ),
        ("rach-mieu-1/southbound/traffic_state", ["bridge-congested", "bridge-jammed"]),
        ("rach-mieu-1/southbound/crossing_time_min", ["crossing-30", "crossing-60"]),
        ("rach-mieu-1/southbound/incident", ["bridge-incident"]),
        ("cua-tieu/salt_4_max_km", ["intrusion-4-gates", "intrusion-4-orchards"]),
        ("cam-01/southbound/speed_km_h", []),
        ("cam-01/northbound/flow_veh_h", ["camera-silent"]),
        ("vk-01/temperature_c", []),
    ],
)
def test_the_rules_of_a_series(key: str, rules: list[str]) -> None:
    assert watching(key) == rules


def test_every_rule_can_work_and_names_its_source() -> None:
    assert doubts(RULES, SERIES, REGISTRY) == []
    for rule in RULES.rules:
        assert rule.source, rule.id
        assert ("xpert judgement" in rule.source) == rule.unverified, rule.id


def test_every_device_is_missed_by_one_rule_alone() -> None:
    for one in SERIES.entries:
        if one.quantity in ("salinity_g_l", "flow_veh_h"):
            silent = [r for r in watching(one.key) if "data" in r or "silent" in r]
            assert len(silent) == 1, one.key


def test_silence_is_noticed_after_the_minutes_of_practice() -> None:
    minutes = {
        rule.id: rule.no_data_after_ms(round(one.expected_s * 1000)) / 60_000
        for rule in RULES.rules
        if rule.ask is Ask.NO_DATA
        for one in watched(rule, SERIES, REGISTRY)
    }
    assert minutes == {
        "no-data-coast": 180,
        "no-data-estuary": 120,
        "no-data": 60,
        "no-data-upstream": 45,
        "camera-silent": 10,
    }


def test_texts_are_vietnamese_and_english_and_safe_without_diacritics() -> None:
    facts = Facts("Xuân Hòa", "xh-01", 4.1, 4.0, "g/L", t(0), {"vi": "A → B", "en": "A → B"})
    for rule in RULES.rules:
        texts = (rule.message_vi, rule.never_seen_vi, rule.message_en, rule.never_seen_en)
        vi, never_vi, en, never_en = (render(text, facts, "vi") for text in texts)
        assert unicodedata.is_normalized("NFC", vi)
        assert vi != en
        assert bool(never_vi) == bool(never_en) == (rule.ask is Ask.NO_DATA)
        for text in (vi, never_vi):
            plain = unicodedata.normalize("NFD", text).replace("đ", "d").replace("Đ", "D")
            stripped = "".join(c for c in plain if not unicodedata.combining(c)).lower()
            assert "dung" not in stripped.replace("chiem dung", "")


def test_without_a_known_distance_a_station_gets_the_rules_of_the_gates() -> None:
    rules = [rule.id for rule in RULES.rules if rule.km_unknown]
    assert rules == [
        "salinity-0-5",
        "salinity-1",
        "salinity-2",
        "salinity-4",
        "salinity-rise",
        "salinity-above-same-tide",
        "no-data",
    ]


def test_a_salt_spell_is_one_alert_and_4_g_l_comes_with_each_tide() -> None:
    """Three days of one tide a day at Xuân Hòa, up to 4.6 g/L, then two fresh days."""
    script = Script(TEXT)
    script.at(0)
    for place in range(5 * 144):
        hour = place / 6
        salt = 0.45 + 2.1 * (1 - math.cos(2 * math.pi * hour / 24)) if hour < 72 else 0.3
        script.at(place * 10).reading(round(salt, 4), XH)
    events = [event for event in script.events if event.alert["k"] == XH]
    changes = ("raised", "cleared")
    story = [(e.alert["rule"], e.type.value) for e in events if e.type.value in changes]
    spell = [("salinity-0-5", "raised"), ("salinity-1", "raised"), ("salinity-2", "raised")]
    tide = [("salinity-4", "raised"), ("salinity-4", "cleared")]
    assert story == [
        *spell,
        *tide * 3,
        ("salinity-2", "cleared"),
        ("salinity-1", "cleared"),
        ("salinity-0-5", "cleared"),
    ]
    assert all(event.told for event in events)
    # Below the highest line that holds all is folded away, and nobody is called for it.
    heard = [event.alert["rule"] for event in events if event.notify]
    assert heard[:4] == ["salinity-0-5", "salinity-1", "salinity-2", "salinity-4"]
    assert all(e.alert["suppressed"]["why"] == "rung" for e in events if e.type == "suppressed")
