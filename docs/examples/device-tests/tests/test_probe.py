"""What the firmware sends arrives as what the instrument showed."""

import pytest
from ingest.lint import Context, Lint
from ingest.registry import parse_registry

from firmware import Shown

TOPIC = "tiengiang/v1/salinity/xuan-hoa/px-01/obs"


def test_the_format_is_right(bench, pytestconfig):
    """The same as `songtien lint --registry stations.toml`, on what the probe sends in a day."""
    bench.run(hours=24)
    text = (pytestconfig.rootpath / "stations.toml").read_text(encoding="utf-8")
    lint = Lint("tiengiang", parse_registry(text, "stations.toml"))
    found = [each for payload in bench.sent for each in lint.hear(TOPIC, payload, Context())]
    found += [each for _, each in lint.finish()]
    assert [str(each) for each in found] == []
    assert lint.taken == 144


def test_the_units_are_right(bench, songtien):
    bench.water = Shown(ec_us_cm=12_310.0, temp_c=28.4, battery_mv=3710)
    bench.run(hours=1)
    songtien.expect("px-01/salinity_g_l", v=pytest.approx(6.59, abs=0.01), q=1, st="live")
    songtien.expect("px-01/battery_v", v=3.71)


def test_salt_is_told(bench, songtien):
    bench.run(hours=2)
    songtien.expect(no_alert="salinity-4")
    bench.water = Shown(ec_us_cm=8_300.0, temp_c=28.4, battery_mv=3710)
    bench.run(hours=1)
    alert = songtien.expect(alert="salinity-4", k="px-01/salinity_g_l", severity="critical")
    assert alert["value"] > 4.0


def test_a_broken_thermistor_makes_no_salinity_and_no_fault(bench, songtien):
    bench.water = Shown(ec_us_cm=8_300.0, temp_c=None, battery_mv=3710)
    bench.run(hours=1)
    songtien.expect("px-01/conductivity_ms_cm", v=8.3)
    songtien.expect("px-01/salinity_g_l", st="never")
    songtien.expect(no_alert="salinity-4")


def test_nothing_is_lost_where_the_link_is(bench, songtien):
    bench.run(hours=1)
    bench.link = False
    bench.run(hours=6)
    songtien.expect(alert="no-data", k="px-01/salinity_g_l")
    bench.link = True
    bench.run(hours=1)
    songtien.expect("px-01/salinity_g_l", st="live")
    kept = songtien.get("/api/v1/series/px-01/salinity_g_l")
    assert len(kept["points"]) == 8 * 6
    # The service has it all, so a gateway could free its buffer.
    songtien.after("1m").expect(said=TOPIC.replace("obs", "ack"), boot=1, seq=12, missing=[])
