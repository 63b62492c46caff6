"""The service that tests hold: fed, moved in time, asked. A virtual clock unless it says so."""

import json
import re
import threading
import urllib.request
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from alerts import notices, particulars
from alerts.alert import alert_body
from ingest.journal import Config
from simulators import scenario as scenarios
from simulators.message import Message
from simulators.scenario import SCENARIOS
from songtien.offline import alert_events
from songtien.settings import DEFAULTS
from songtien.trial import Trial
from songtien.trial.background import ServiceDiedError
from songtien.trial.choices import Choices
from songtien.trial.expecting import ALERT_FIELDS
from tests.conftest import MOSQUITTO

PROBE = "xh-01"
SALT = "xh-01/salinity_g_l"
HOUR_MS = 3_600_000
RAISED = b'"type":"raised"'


def _sample(t_ms: int, ec25_ms_cm: float) -> dict[str, object]:
    return {
        "v": 1,
        "samples": [{"t": t_ms, "ec25_ms_cm": ec25_ms_cm, "temp_c": 28.0, "depth_m": 2.0}],
    }


def test_a_day_comes_and_is_on_every_door(songtien: Trial) -> None:
    songtien.scenario("dry-season", devices=[PROBE])
    assert songtien.now_ms == SCENARIOS["dry-season"].start_ms
    songtien.at("24h")
    assert songtien.now_ms == SCENARIOS["dry-season"].start_ms + 24 * HOUR_MS
    newest = songtien.expect(SALT, q=1, st="live")
    assert songtien.now_ms - newest["t"] <= 600_000
    raised = songtien.expect(alert="salinity-1", k=SALT)
    assert raised["t_since"] < raised["t_event"] < songtien.now_ms
    points = songtien.get(
        f"/api/v1/series/{SALT}?from={songtien.now_ms - 24 * HOUR_MS}&to={songtien.now_ms}"
    )["points"]
    assert len(points) == 144
    assert songtien.get("/readyz") == {"ready": True}
    assert songtien.expect(said=f"tiengiang/v1/salinity/xuan-hoa/{PROBE}/ack")["seq"] == 144


def test_what_is_not_so_is_told_with_what_is(songtien: Trial) -> None:
    songtien.scenario("quiet", devices=[PROBE])
    songtien.at("06:00")
    songtien.at("06:00")  # it is now
    songtien.expect(no_alert="salinity-4", k=SALT)
    with pytest.raises(AssertionError) as failed:
        songtien.expect(SALT, v=lambda v: v > 4.0, q=1)
    told = str(failed.value)
    assert told.startswith("at 2024-10-07T06:00:00+07:00: expected series xh-01/salinity_g_l with")
    assert "k='xh-01/salinity_g_l', v=0." in told
    with pytest.raises(AssertionError, match="there is none at all"):
        songtien.expect(refused="clock")
    with pytest.raises(
        AssertionError, match="with rule='salinity-4', k='vk-01/salinity_g_l'; there is\n  k='vk-01"
    ):
        songtien.expect(alert="salinity-4", k="vk-01/salinity_g_l")
    with pytest.raises(AssertionError, match="k='xh-01/temperature_c'"):
        songtien.expect("xh-01/salt")


def test_the_same_feed_gives_the_same_bytes_however_time_is_cut(tmp_path: Path) -> None:
    logs = []
    for n, stops in enumerate((["6h"], ["1h", "1h", "2.5h", "6h"])):
        trial = Trial(tmp_path / str(n))
        trial.scenario("bad-day", devices=[PROBE, "mh-01", "cam-01"])
        for stop in stops:
            trial.at(stop)
        logs.append(trial.alert_log())
        trial.close()
    assert logs[0] == logs[1]
    assert logs[0].count(RAISED) > 3


def test_it_raises_what_the_recording_raises_without_a_service(songtien: Trial) -> None:
    start_ms = SCENARIOS["bad-day"].start_ms
    songtien.scenario("bad-day", devices=[PROBE])
    songtien.at("9h")
    config = Config(
        (DEFAULTS / "stations.toml").read_text(), (DEFAULTS / "rules.toml").read_text(), 30.0
    )
    world = SCENARIOS["bad-day"].world(songtien.service.screens.parts.registry, 1, start_ms)
    feed = scenarios.messages(world, root="tiengiang", start_ms=start_ms, duration_ms=9 * HOUR_MS)
    arrivals = [(m.publish_ms, m.topic, m.payload) for m in feed if f"/{PROBE}/" in m.topic]
    alone = alert_events(arrivals, config, root="tiengiang", begun_ms=start_ms)
    expected = {e.alert["id"] for e in alone if e.alert["k"] == SALT}
    assert {each["id"] for each in songtien.alerts() if each["k"] == SALT} == expected
    assert expected


@pytest.mark.songtien(start="2026-03-02T08:00+07:00")
def test_one_message_and_the_passing_of_time(songtien: Trial) -> None:
    songtien.send(PROBE, {**_sample(songtien.now_ms, 8.0), "boot": 1, "seq": 1})
    songtien.expect(SALT, v=pytest.approx(4.4, abs=0.3), t=songtien.now_ms, st="live")
    songtien.after("5m").expect(no_alert="no-data", k=SALT)
    songtien.at("12:00").expect(SALT, st="lost")
    songtien.expect(alert="no-data", k=SALT, state="unacked")


def test_what_is_refused_is_counted_by_its_reason(songtien: Trial) -> None:
    songtien.send(PROBE, b"{not json")
    songtien.expect(refused="not_json", n=1)
    songtien.send("tiengiang/v1/salinity/xuan-hoa/nobody/obs", _sample(songtien.now_ms, 1.0))
    songtien.expect(refused="unknown_device", n=1)
    with pytest.raises(AssertionError, match="reason='not_json', n=1"):
        songtien.expect(refused="clock", n=1)


def test_an_officer_acknowledges_at_the_virtual_time(songtien: Trial) -> None:
    songtien.scenario("dry-season", devices=[PROBE])
    songtien.at("24h")
    alert = songtien.expect(alert="salinity-1", k=SALT)
    request = urllib.request.Request(
        f"{songtien.http_url}api/v1/alerts/{alert['id']}/ack",
        data=json.dumps({"ver": alert["ver"], "note": "called"}).encode(),
        headers={
            "Authorization": f"Bearer {songtien.token('operator')}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    acked = songtien.expect(alert="salinity-1", k=SALT, state=lambda s: s in ("acked", "normal"))
    assert [each["at"] for each in acked["timeline"] if each["type"] == "acked"] == [
        songtien.now_ms
    ]


def test_an_alert_that_can_never_be_is_not_expected_to_be_absent(songtien: Trial) -> None:
    with pytest.raises(ValueError, match="'salinty-4' is no rule: did you mean 'salinity-4'"):
        songtien.expect(no_alert="salinty-4")
    with pytest.raises(ValueError, match="'xh-1/salinity_g_l' is no series: did you mean 'xh-01"):
        songtien.expect(no_alert="salinity-4", k="xh-1/salinity_g_l")
    with pytest.raises(ValueError, match="no field 'serverity': did you mean 'severity'"):
        songtien.expect(no_alert="*", serverity="critical")
    songtien.expect(no_alert="songtien-disk-low", k="songtien/disk", severity="major")


def test_every_field_that_an_alert_may_have_can_be_asked_for(songtien: Trial) -> None:
    makers = (particulars.of_rule, particulars.of_group, particulars._texts, notices.fixed)
    written = "".join(getsource(each) for each in (*makers, alert_body))
    assert set(re.findall(r'^ +"(\w+)": ', written, re.MULTILINE)) - {"name", "since"} <= (
        ALERT_FIELDS
    )
    songtien.scenario("dry-season", devices=[PROBE])
    songtien.at("24h")
    assert {name for alert in songtien.alerts() for name in alert} <= ALERT_FIELDS


def _bursts(*_: object) -> Message:
    raise RuntimeError("a pump has burst")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_service_dies_of_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Trial(tmp_path)
    trial.expect(SALT, st="never")
    monkeypatch.setattr(type(trial.service.pipeline.processor), "step", _bursts)
    with pytest.raises(ServiceDiedError, match="RuntimeError: a pump has burst"):
        trial.send(PROBE, _sample(trial.now_ms, 8.0))
    with pytest.raises(ServiceDiedError, match="RuntimeError: a pump has burst"):
        trial.expect(no_alert="salinity-4")
    with pytest.raises(ServiceDiedError, match="RuntimeError: a pump has burst"):
        trial.close()


@pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"
)
def test_what_a_feed_at_the_real_time_ends_by_is_told(tmp_path: Path) -> None:
    trial = Trial(tmp_path, Choices(clock="real"))
    trial.expect(SALT, st="never")
    assert trial._stage is not None
    trial._stage.feed(map(_bursts, [1]))
    with pytest.raises(ServiceDiedError, match="a feed: RuntimeError: a pump has burst"):
        trial.expect(SALT, q=1)
    with pytest.raises(ServiceDiedError, match="a feed: RuntimeError: a pump has burst"):
        trial.close()


def test_services_in_one_test_do_not_meet_and_leave_nothing_running(tmp_path: Path) -> None:
    before = threading.active_count()
    made = [Trial(tmp_path / name) for name in ("one", "other")]
    for n, each in enumerate(made):
        each.at(f"202{n}-03-02T08:00+07:00")
    made[0].send(PROBE, _sample(made[0].now_ms, 8.0))
    made[0].expect(SALT, st="live")
    made[1].expect(SALT, st="never")
    assert made[0].http_url != made[1].http_url
    made[0].close()
    made[1].expect(SALT, st="never")
    made[1].close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"clock": "vrtual"}, "accepted is 'virtual' or 'real'"),
        ({"start": "06:00"}, "accepted is a date with its zone"),
        ({"start": "6h"}, "accepted is a date with its zone"),
        ({"start": "soon"}, "accepted is a time of day"),
        ({"start": 1.5e12}, "accepted is a time of day"),
        ({"clock": "real", "start": "2026-03-02T08:00+07:00"}, "a real clock begins now"),
    ],
)
def test_a_choice_that_cannot_be_is_told(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Choices(**said)


def test_a_recording_that_is_cut_off_is_told(songtien: Trial, tmp_path: Path) -> None:
    file = tmp_path / "feed.jsonl"
    topic = f"tiengiang/v1/salinity/xuan-hoa/{PROBE}/obs"
    line = json.dumps({"at": 1_600_000_000_500, "topic": topic, "payload": "{}"})
    file.write_text(f"{line}\n{line[:20]}")
    with pytest.warns(UserWarning, match=r"feed.jsonl is cut off: the last line is not whole"):
        songtien.replay(file)


def test_time_only_passes_and_what_is_asked_is_named(songtien: Trial) -> None:
    songtien.at("2024-03-05T00:00+07:00")
    with pytest.raises(ValueError, match="lies before now, 2024-03-05T00:00:00"):
        songtien.at("2024-03-04T23:00+07:00")
    with pytest.raises(ValueError, match="'soon': accepted is a time of day"):
        songtien.at("soon")
    with pytest.raises(ValueError, match="'xh-99' is no device of the registry: ad-01"):
        songtien.send("xh-99", b"")
    with pytest.raises(ValueError, match="xh-99: no device of the registry"):
        songtien.scenario("quiet", devices=["xh-99"])
    with pytest.raises(TypeError, match="expect takes one of series, alert"):
        songtien.expect(SALT, alert="salinity-4")
    with pytest.raises(TypeError, match="a virtual clock has no broker"):
        _ = songtien.broker_url


@pytest.mark.songtien(clock="real")
@pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"
)
def test_at_the_real_time_it_comes_through_a_broker(songtien: Trial) -> None:
    assert songtien.broker_url.startswith("mqtt://127.0.0.1:")
    songtien.scenario("dry-season", devices=[PROBE], since="2h")
    songtien.expect(SALT, q=1, t=lambda t: songtien.now_ms - t < 1_200_000)
    now_ms = songtien.now_ms
    songtien.send("vk-01", _sample(now_ms, 40.0))
    songtien.expect("vk-01/salinity_g_l", t=now_ms, v=lambda v: v > 20)


def test_a_recording_comes_at_its_own_times(songtien: Trial, tmp_path: Path) -> None:
    begun_ms = SCENARIOS["quiet"].start_ms
    feed = [
        {
            "at": begun_ms + n * 600_000,
            "topic": f"tiengiang/v1/salinity/xuan-hoa/{PROBE}/obs",
            "payload": json.dumps(_sample(begun_ms + n * 600_000 - 500, 8.0 + n)),
        }
        for n in range(3)
    ]
    file = tmp_path / "feed.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in feed))
    songtien.replay(file)
    assert songtien.now_ms == begun_ms
    songtien.at("10m").expect(SALT, t=begun_ms + 600_000 - 500)
    songtien.at("1h").expect(SALT, t=begun_ms + 1_200_000 - 500)
    csv = tmp_path / "hand.csv"
    csv.write_text("time,salt\n2024-10-07T03:00:00+07:00,4.5\n2024-10-07T03:10:00+07:00,5.5\n")
    csv.with_suffix(".toml").write_text(
        '[[device]]\nkind = "salinity"\nstation = "my-tho"\ndevice = "mt-01"\n'
        '[device.columns]\nsal_g_l = "salt"\n[time]\ncolumn = "time"\n'
    )
    songtien.replay(csv)
    songtien.at("03:05").expect("mt-01/salinity_g_l", v=4.5)
    songtien.at("03:10").expect("mt-01/salinity_g_l", v=5.5)


@pytest.mark.songtien(start="2024-03-10T09:00+07:00")
def test_what_lies_in_the_past_is_there_at_once(songtien: Trial) -> None:
    songtien.scenario("dry-season", devices=[PROBE], since="6h")
    begun_ms = songtien.now_ms - 6 * HOUR_MS
    songtien.expect(SALT, st="live", t=lambda t: t > songtien.now_ms - 600_000)
    points = songtien.get(f"/api/v1/series/{SALT}?from={begun_ms}&to={songtien.now_ms}")["points"]
    assert len(points) == 36


def test_what_goes_wrong_with_a_probe_is_seen_when_it_does(songtien: Trial) -> None:
    stuck = songtien.fault("stuck", "vk-01", "6h", "18h")
    songtien.scenario("dry-season", stuck, devices=["vk-01"])
    songtien.at("5h").expect("vk-01/salinity_g_l", q=1)
    songtien.at("17h").expect("vk-01/salinity_g_l", q=lambda q: q >= 3)
    with pytest.raises(ValueError, match="kind 'stock': accepted are fouling"):
        songtien.scenario("quiet", songtien.fault("stock", PROBE, "6h"))


def test_a_recording_moved_to_now_takes_its_samples_with_it(
    songtien: Trial, tmp_path: Path
) -> None:
    songtien.at("2026-03-02T08:00+07:00")
    file = tmp_path / "feed.jsonl"
    sample = _sample(1_600_000_000_000, 8.0)
    line = {
        "at": 1_600_000_000_500,
        "topic": f"tiengiang/v1/salinity/xuan-hoa/{PROBE}/obs",
        "payload": json.dumps(sample),
    }
    file.write_text(json.dumps(line) + "\n")
    songtien.replay(file, rebase=True)
    songtien.after("1s").expect(SALT, t=songtien.now_ms - 1000 - 500)
