"""What the service does with a river in front of the probe, and with what a probe does wrong."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_a_day_of_a_dry_season(songtien):
    songtien.scenario("dry-season", devices=["px-01"])
    songtien.at("24h")
    songtien.expect("px-01/salinity_g_l", v=lambda v: 0.1 < v < 20.0, q=1, st="live")


def test_a_probe_that_is_stuck_is_found(songtien):
    songtien.scenario(
        "dry-season", songtien.fault("stuck", "px-01", "12h", "24h"), devices=["px-01"]
    )
    songtien.at("14h").expect("px-01/salinity_g_l", q=1)
    songtien.at("16h").expect("px-01/salinity_g_l", q=3)  # flat_suspect_s: three hours
    songtien.at("19h").expect("px-01/salinity_g_l", q=4)  # flat_fail_s: six


def test_what_a_logger_has_recorded(songtien):
    """A table as loggers write it, with a mapping beside it: field-test.toml."""
    songtien.replay(HERE / "field-test.csv")
    songtien.at("2026-03-02T12:00+07:00")
    songtien.expect("px-01/salinity_g_l", v=pytest.approx(2.28, abs=0.05), q=1)
    songtien.expect(no_alert="salinity-4")
    songtien.at("18:00")
    songtien.expect(alert="salinity-4", k="px-01/salinity_g_l")
