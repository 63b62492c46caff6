"""What is no fault of a rules file, and can't work all the same."""

import pytest

from alerts.doubts import doubts
from alerts.rulesfile import parse_rules
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.script import STATIONS

QUALITY = """
[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
[quality.occupancy]
fail_min = 0.0
fail_max = 1.0
"""
REGISTRY = parse_registry(QUALITY + STATIONS, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
EVERY = "and vk-01/salinity_g_l comes every 900 s"
SALT = 'quantity = "salinity_g_l"\n'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (SALT + "raise_above = 4\nkm = [500, 501]", "watches no series of these stations"),
        (SALT + 'raise_above = 4\nkinds = ["traffic"]', "watches no series of these stations"),
        (
            SALT + 'difference_above = 1\nbetween = ["vam-kenh", "rach-mieu-1"]',
            "finds no two series to compare",
        ),
        (
            SALT + 'difference_above = 1\nbetween = ["vam-kenh", "xuan-hoa"]\n'
            'stations = ["vam-kenh"]',
            "finds no two series to compare",
        ),
        (
            SALT + "raise_above = 4\nnotify_max_age_s = 0",
            "tells nobody: notify_max_age_s = 0, and every sample is older when it comes",
        ),
        (
            SALT + "raise_above = 4\nat_least = 3",
            "can't be raised: at_least = 3, of 2 series at most",
        ),
        (
            SALT + "raise_above = 4\nfor_s = 600\nhold_gap_s = 300",
            f"can prove no hold: hold_gap_s = 300, {EVERY}",
        ),
        (
            SALT + "rise_above_per_h = 1\nrise_window_s = 600",
            f"can tell no slope: rise_window_s = 600, {EVERY}",
        ),
        (
            SALT + "no_data_s = 600",
            f"is raised between any two samples: no_data_s = 600, {EVERY}",
        ),
        (
            SALT + "raise_above = 4000\nclear_below = 3.6",
            "can't be raised at 4000 g/L: beyond 40 values are failed",
        ),
        (
            SALT + "raise_above = 4\nclear_below = 0",
            "can't be cleared at 0 g/L: below 0 values are failed",
        ),
        (
            SALT + "raise_below = 0\nclear_above = 1",
            "can't be raised at 0 g/L: below 0 values are failed",
        ),
        (
            'quantity = "occupancy"\nraise_above = 60\nclear_below = 0.4',
            "can't be raised at 60: beyond 1 values are failed",
        ),
    ],
)
def test_what_can_not_work_is_told(body: str, said: str) -> None:
    text = f'[[rule]]\nid = "r"\nseverity = "info"\n{body}\n'
    rules = parse_rules(text, "rules.toml", REGISTRY)
    assert doubts(rules, SERIES, REGISTRY) == [f"r {said}"]


@pytest.mark.parametrize(
    "body",
    [
        "raise_above = 4",
        "raise_above = 4\nat_least = 2",
        "raise_above = 4\nshare_above = 0.9",
        "raise_above = 4\nhold_gap_s = 300",
        "raise_above = 4\nfor_s = 600\nhold_gap_s = 900",
        "raise_below = 0.4\nclear_above = 0.5\npermit = true",
        'difference_above = 1\nbetween = ["vam-kenh", "xuan-hoa"]',
        "no_data_intervals = 1",
        'flagged = "stuck"',
    ],
)
def test_what_can_is_not(body: str) -> None:
    text = f'[[rule]]\nid = "r"\nseverity = "info"\n{SALT}{body}\n'
    assert doubts(parse_rules(text, "rules.toml", REGISTRY), SERIES, REGISTRY) == []
