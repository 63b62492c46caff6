"""A feed without a broker: the same alerts however it is cut, and time by its arrivals."""

import json

import pytest

from ingest.faults import ConfigError
from ingest.journal import Config
from songtien.offline import Arrival, alert_events, outcomes

ROOT = "tiengiang"
T0 = 1_767_000_000_000
REGISTRY = """
[[reach]]
id = "song"
name = "Sông"
flows_into = []
[[station]]
id = "tram"
name = "Trạm"
kind = "salinity"
reach = "song"
km_from_mouth = { song = 40 }
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-1"
expected_s = 60
measures = ["sal_g_l"]
[[station.device]]
id = "p-2"
expected_s = 60
measures = ["sal_g_l"]
"""
RULES = """
[[rule]]
id = "salt"
quantity = "salinity_g_l"
severity = "critical"
raise_above = 4.0
clear_below = 3.6
for_s = 60
clear_for_s = 60
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"

[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
no_data_s = 300
message_vi = "{station}: {since}"
message_en = "{station}: {since}"
never_seen_vi = "{station}: {since}"
never_seen_en = "{station}: {since}"
source = "a test"
"""
CONFIG = Config(REGISTRY, RULES, 30.0)
TOPIC = f"{ROOT}/v1/salinity/tram/p-1/obs"


def _feed() -> list[Arrival]:
    """An hour, one sample a minute, ten of them salt in each quarter."""
    feed = []
    for minute in range(60):
        t_ms = T0 + minute * 60_000
        sample = {"t": t_ms, "sal_g_l": 5.0 if minute % 15 < 10 else 3.0}
        body = json.dumps({"v": 1, "boot": 1, "seq": minute, "samples": [sample]}).encode()
        feed.append((t_ms + 500, TOPIC, body))
    return feed


def _by_value(feed: list[Arrival]) -> list[tuple[str, str, int, int]]:
    return [
        (e.type.value, e.alert["id"], e.alert["t_since"], e.alert.get("t_cleared", -1))
        for e in alert_events(feed, CONFIG, root=ROOT)
        if e.alert["rule"] == "salt"
    ]


def test_alerts_are_raised_and_cleared_on_observed_time() -> None:
    events = _by_value(_feed())
    assert [kind for kind, *_ in events] == ["raised", "cleared"] * 4
    since = [t_since - T0 for kind, _, t_since, _ in events if kind == "raised"]
    assert since == [quarter * 900_000 for quarter in range(4)]
    cleared = [t_cleared - T0 for kind, *_, t_cleared in events if kind == "cleared"]
    assert cleared == [quarter * 900_000 + 11 * 60_000 for quarter in range(4)]


@pytest.mark.parametrize("together", [2, 7, 60])
def test_any_cut_gives_the_same_value_alerts(together: int) -> None:
    feed = _feed()
    late = [
        (feed[min(n // together * together + together - 1, 59)][0], topic, payload)
        for n, (_, topic, payload) in enumerate(feed)
    ]
    assert _by_value(late) == _by_value(feed)


def test_what_has_been_seen_is_known_later() -> None:
    feed = _feed()
    again = [
        (feed[-1][0] + 1_000 + n, topic, payload) for n, (_, topic, payload) in enumerate(feed)
    ]
    found = list(outcomes(feed + again, CONFIG, root=ROOT))
    assert sum(outcome.stored for outcome in found) == 60
    assert sum(outcome.duplicate for outcome in found) == 60
    assert _by_value(feed + again) == _by_value(feed)


def test_silence_is_judged_by_the_arrivals_and_from_the_beginning() -> None:
    silent = [
        (e.alert["k"], e.at_ms)
        for e in alert_events(_feed(), CONFIG, root=ROOT, begun_ms=T0 - 100_000)
        if e.alert["rule"] == "silent"
    ]
    assert silent == [("p-2/salinity_g_l", T0 - 100_000 + 300_000)]


def test_faults_of_the_rules_are_told_before_anything_is_heard() -> None:
    broken = Config(REGISTRY, RULES.replace("raise_above = 4.0", "raise_above = 3.0"), 30.0)
    with pytest.raises(ConfigError, match="clear_below"):
        next(outcomes(_feed(), broken, root=ROOT))


def test_nothing_in_nothing_out() -> None:
    assert list(outcomes([], CONFIG, root=ROOT)) == []
