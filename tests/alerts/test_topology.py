"""A gateway or a station that is down as a whole, as scripts in time."""

from typing import Any

from alerts.topology import LATE_INTERVALS
from ingest.reading import Batch, Flag
from tests.alerts.script import Script, t

PROBES = 6


def registry(gateways: dict[int, str], at_one_station: tuple[int, ...] = ()) -> str:
    """Six probes, each at a station of its own but for some of them; a sample in ten minutes."""
    text = '[[reach]]\nid = "song"\nname = "Sông"\n'
    stations: dict[str, list[int]] = {}
    for n in range(PROBES):
        name = "tram-chung" if n in at_one_station else f"tram-{n}"
        stations.setdefault(name, []).append(n)
    for name, probes in stations.items():
        text += f"""
[[station]]
id = "{name}"
name = "Trạm {name.removeprefix("tram-")}"
kind = "salinity"
reach = "song"
km_from_mouth = {{ song = {40 + probes[0]} }}
lat = 10.3
lon = 106.4
source = "test"
"""
        for n in probes:
            gateway = f'gateway = "{gateways[n]}"' if n in gateways else ""
            text += f"""
[[station.device]]
id = "p-{n}"
expected_s = 600
measures = ["sal_g_l"]
{gateway}
"""
    return text


SILENT = """
[[rule]]
id = "silent"
quantity = "salinity_g_l"
severity = "warning"
no_data_s = 2700
"""

EVERYBODY = tuple(range(PROBES))
ONE_GATEWAY = registry(dict.fromkeys(EVERYBODY, "gw-1"))
UPLINK, STATION = "songtien-uplink-down", "songtien-station-down"


def hear(script: Script, when: float, probes: tuple[int, ...] = EVERYBODY) -> Script:
    """A sample of each of the probes, together."""
    script.at(when)
    numbers = [script.series.by_key[f"p-{n}/salinity_g_l"] for n in probes]
    return script._entry(
        Batch.of(numbers, [t(when)] * len(numbers), [1.0] * len(numbers), Flag.PASS)
    )


def tick_to(script: Script, until: float, step: float = 1) -> Script:
    """Time passes, looked at once a minute."""
    now = (script.now_ms - t(0)) / 60_000
    while now + step <= until:
        now += step
        script.at(now).tick()
    return script


def said(script: Script, *, told: bool = True) -> list[tuple[str, str, str]]:
    """(type, rule, device or group) of the events so far."""
    return [
        (e.type.value, e.alert["rule"].removeprefix("songtien-"), _of(e.alert))
        for e in script.events
        if e.told == told
    ]


def _of(alert: dict[str, Any]) -> str:
    name: str = alert["k"].removesuffix("/salinity_g_l")
    return name


def test_a_gateway_that_is_down_is_one_alert_with_a_count() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    assert said(script) == [("raised", "uplink-down", "songtien/uplink/gw-1")]
    event = next(e for e in script.events if e.told)
    assert event.at_ms == t(45), "when the first of them fell due"
    assert event.notify
    alert = event.alert
    assert (alert["count"], alert["t_since"], alert["severity"]) == (6, t(0), "major")
    assert alert["members"] == [f"p-{n}" for n in EVERYBODY]
    assert alert["message_vi"] == (
        "Mất kết nối gateway gw-1: 6 thiết bị không gửi số liệu từ 29/12/2025 16:20."
        " Chưa rõ mặn hay ngọt"
    )
    assert set(event.evidence) == {"cause", "heard", "due"}
    by = {"why": "uplink", "by": alert["id"]}
    kept = [e for e in script.events if not e.told]
    assert [(e.type.value, e.alert["suppressed"], e.alert["historic"]) for e in kept] == [
        ("raised", by, True)
    ] * 6
    assert [a["rule"] for a in script.book.alerts()] == [UPLINK]


def test_when_one_is_heard_it_is_up_and_who_stays_silent_is_told_singly() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    hear(script, 61, (0, 1, 2))
    assert said(script)[1:] == [("cleared", "uplink-down", "songtien/uplink/gw-1")]
    cleared = script.events[-1].alert
    assert (cleared["t_cleared"], cleared["state"]) == (t(61), "cleared-unacked")
    script.restart()
    before = len(script.events)
    hear(script, 81, (0, 1, 2, 3))
    tick_to(hear(script, 100, (0, 1, 2, 3)), 130)
    late = script.events[before:]
    assert [(e.type.value, _of(e.alert), e.told, e.at_ms) for e in late] == [
        ("cleared", "p-3", False, t(81)),
        ("raised", "p-4", True, t(106)),
        ("raised", "p-5", True, t(106)),
    ]
    assert late[1].evidence["cause"] == "over"
    assert late[1].notify


def test_one_probe_alone_is_told_as_ever() -> None:
    script = hear(Script(SILENT, ONE_GATEWAY), 0)
    for when in range(10, 70, 10):
        hear(script, when, (1, 2, 3, 4, 5))
    assert said(script) == [("raised", "silent", "p-0")]


def test_devices_that_measure_at_other_times_go_down_together() -> None:
    """The last samples lie up to an interval apart; the first that is due speaks for all."""
    script = hear(Script(SILENT, ONE_GATEWAY), 0, (0,))
    for n in range(1, PROBES):
        hear(script, 1.5 * n, (n,))
    tick_to(script, 60, step=0.5)
    assert [e.at_ms for e in script.events if e.told] == [t(45)]
    assert script.events[-1].alert["suppressed"]["why"] == "uplink"


def test_one_that_was_heard_a_moment_ago_keeps_it_up_until_it_is_late_itself() -> None:
    script = hear(Script(SILENT, ONE_GATEWAY), 0)
    for when in (10, 20, 30, 40):
        hear(script, when, (5,))
    tick_to(script, 50)
    assert said(script) == [("raised", "silent", f"p-{n}") for n in range(5)]
    tick_to(script, 90)
    assert 40 + LATE_INTERVALS * 10 == 55
    assert said(script)[5:] == [
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
        *[("suppressed", "silent", f"p-{n}") for n in range(5)],
    ], "found out when it falls due itself"
    hear(script, 95)
    assert {e.type.value for e in script.events[-7:]} == {"cleared"}
    assert [e.notify for e in script.events[-7:]] == [True] * 5 + [False, True], "who heard of it"


def test_never_heard_at_all_is_one_alert_since_the_registration() -> None:
    script = tick_to(Script(SILENT, ONE_GATEWAY).at(0), 50)
    assert said(script) == [("raised", "uplink-down", "songtien/uplink/gw-1")]
    assert next(e for e in script.events if e.told).alert["t_since"] == t(0)


def test_what_was_never_installed_says_nothing_about_the_others() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0, (0,)), 44)
    for when in (44, 54, 64):
        hear(script, when, (0,))
    assert said(script) == [("raised", "silent", f"p-{n}") for n in range(1, 6)]
    before = len(script.events)
    tick_to(script, 115)
    assert [(e.type.value, _of(e.alert), e.told) for e in script.events[before:]] == [
        ("raised", "p-0", True)
    ]


def test_a_station_of_two_probes_is_one_alert() -> None:
    script = hear(Script(SILENT, registry({}, at_one_station=(0, 1))), 0)
    for when in range(10, 60, 10):
        hear(script, when, (2, 3, 4, 5))
    (event,) = [e for e in script.events if e.told]
    alert = event.alert
    assert (alert["rule"], alert["k"]) == (STATION, "songtien/station/tram-chung")
    assert (alert["station"], alert["count"], alert["severity"]) == ("tram-chung", 2, "warning")
    assert alert["branch"] == ["song"]
    assert alert["kind"] == "salinity"
    assert alert["message_vi"].startswith("Trạm chung: cả trạm mất tín hiệu, 2 thiết bị")


def test_a_gateway_speaks_for_a_station_behind_it() -> None:
    stations = registry(dict.fromkeys(EVERYBODY, "gw-1"), at_one_station=(0, 1))
    script = tick_to(hear(Script(SILENT, stations), 0), 60)
    assert said(script) == [("raised", "uplink-down", "songtien/uplink/gw-1")]


def test_a_station_that_was_down_before_its_gateway_is_folded_under_it() -> None:
    stations = registry(dict.fromkeys(EVERYBODY, "gw-1"), at_one_station=(0, 1))
    script = hear(Script(SILENT, stations), 0)
    for when in range(10, 70, 10):
        hear(script, when, (2, 3, 4, 5))
    tick_to(script, 120)
    assert said(script) == [
        ("raised", "station-down", "songtien/station/tram-chung"),
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
        ("suppressed", "station-down", "songtien/station/tram-chung"),
    ]
    hear(script, 130, (2,))
    types = [e.type.value for e in script.events if e.told][3:]
    assert types == ["cleared", "unsuppressed"], "the station is still down, and is told again"


def test_gateways_are_down_apart() -> None:
    gateways = {n: f"gw-{n % 2}" for n in EVERYBODY}
    script = hear(Script(SILENT, registry(gateways)), 0)
    for when in range(10, 60, 10):
        hear(script, when, (0, 2, 4))
    assert said(script) == [("raised", "uplink-down", "songtien/uplink/gw-1")]


def test_a_more_severe_alert_is_told_all_the_same() -> None:
    rules = SILENT + SILENT.replace('"silent"', '"worst"').replace('"warning"', '"critical"')
    rules += 'devices = ["p-3"]\n'
    script = tick_to(hear(Script(rules, ONE_GATEWAY), 0), 60)
    (alert,) = [e.alert for e in script.events if e.told]
    assert (alert["rule"], alert["severity"]) == (UPLINK, "critical"), "as severe as its worst"
    late = rules.replace("no_data_s = 2700\ndevices", "no_data_s = 3600\ndevices")
    script = tick_to(hear(Script(late, ONE_GATEWAY), 0), 70)
    assert said(script) == [
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
        ("raised", "worst", "p-3"),
    ]


def test_stations_in_maintenance_are_left_out() -> None:
    script = hear(Script(SILENT, registry({0: "gw-1", 1: "gw-1"})), 0)
    script.maintenance = {"tram-0": "bt-1"}
    for when in range(10, 60, 10):
        hear(script, when, (2, 3, 4, 5))
    assert said(script) == [("raised", "silent", "p-1")], "one alone is no gateway"


def test_who_sleeps_has_said_so() -> None:
    script = hear(Script(SILENT, registry({0: "gw-1", 1: "gw-1"})), 0)
    script.asleep_ms[script.series.by_key["p-1/salinity_g_l"]] = t(600)
    for when in range(10, 60, 10):
        hear(script, when, (2, 3, 4, 5))
    assert said(script) == [("raised", "silent", "p-0")]


def test_it_goes_down_again_after_a_moment() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    hear(script, 61)
    tick_to(script, 106)
    assert said(script) == [
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
        ("cleared", "uplink-down", "songtien/uplink/gw-1"),
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
    ]
    since = [e.alert["t_since"] for e in script.events if e.told and e.type == "raised"]
    assert since == [t(0), t(61)]


def test_a_moment_of_one_probe_does_not_bring_forty_alerts() -> None:
    """It came up for one sample and is down again when patience with the others ends."""
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    hear(script, 61, (0,))
    tick_to(script, 110)
    assert [each for each in said(script) if each[1] == "silent"] == []
    assert said(script)[-1] == ("raised", "uplink-down", "songtien/uplink/gw-1")


def test_a_registry_that_no_longer_has_the_gateway_ends_it() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    apart = Script(SILENT, registry({}))
    script.book.reconfigure(apart.rules, apart.series, apart.registry)
    script.tick()
    assert script.events[-7].type == "cleared"
    assert script.events[-7].evidence == {"cause": "withdrawn"}
    assert [(e.type.value, e.told) for e in script.events[-6:]] == [("raised", True)] * 6


def test_rules_that_leave_end_it() -> None:
    script = tick_to(hear(Script(SILENT, ONE_GATEWAY), 0), 60)
    script.configure("")
    assert said(script)[-1][0] == "cleared"
    assert script.book.alerts()[0]["state"] == "cleared-unacked"
    script.restart().configure(SILENT)
    assert said(script)[-1] == ("raised", "uplink-down", "songtien/uplink/gw-1")
    assert script.book.alerts()[-1]["ver"] == 3, "the same silence: the same alert, opened anew"


def test_while_a_backlog_comes_in_it_is_not_down_again() -> None:
    """What was measured hours ago is a sign of life all the same: somebody sends it now."""
    first = SILENT + 'devices = ["p-0", "p-1", "p-2", "p-3", "p-4"]\n'
    slow = SILENT.replace('"silent"', '"slow"').replace("2700", "5400") + 'devices = ["p-5"]\n'
    script = tick_to(hear(Script(first + slow, ONE_GATEWAY), 0), 85)
    script.at(85).reading(1.0, "p-0/salinity_g_l", observed=5)
    tick_to(script, 99)
    assert said(script) == [
        ("raised", "uplink-down", "songtien/uplink/gw-1"),
        ("cleared", "uplink-down", "songtien/uplink/gw-1"),
    ]
    assert script.events[-1].alert["rule"] == "slow", "due, and given as long again"
    hear(script, 100)
    assert not any(each[1] in ("silent", "slow") for each in said(script))
