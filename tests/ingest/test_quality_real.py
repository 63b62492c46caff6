"""Real series that people judged: equal to ioos_qc on them, and the probe that came up for air."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ioos_qc import qartod
from numpy.typing import NDArray

from bench.quality_events import Labelled, cat_point, quality, river
from ingest.reading import Batch, Flag, FlagArray, FloatArray
from ingest.registry import QualityLimits

FOLDER = Path(os.environ.get("SONGTIEN_DATA", "../shared/data"))
PIECES = 128
SPIKE = QualityLimits(spike_suspect=2.0, spike_fail=5.0, gap_s=1e9)
# A third of a thousandth: met exactly by no change, since per hour and per second round apart.
RATE = QualityLimits(rate_suspect_per_h=8 + 1 / 3000, rate_fail_per_h=16 + 1 / 3000, gap_s=1e9)
FLAT = QualityLimits(flat_suspect_s=3600, flat_fail_s=10800, flat_tolerance=0.05, gap_s=1e9)


@pytest.fixture(scope="module", params=["MainStreet2019", "WaterLab2019", "Cat Point"])
def labelled(request: pytest.FixtureRequest) -> Labelled:
    if not (FOLDER / "qc").is_dir():
        pytest.skip("no labelled series: set SONGTIEN_DATA to the folder that holds them")
    name: str = request.param
    return cat_point(FOLDER) if name == "Cat Point" else river(FOLDER, name, (0.0, 0))


def decided(series: Labelled, limits: QualityLimits) -> FlagArray:
    """The last word on each of PIECES equal pieces of the series, side by side: [PIECES, N]."""
    length = len(series.t_ms) // PIECES
    t_ms = series.t_ms[: PIECES * length].reshape(PIECES, length)
    value = series.value[: PIECES * length].reshape(PIECES, length)
    dry = series.dry[: PIECES * length].reshape(PIECES, length)
    judge = quality([limits] * PIECES)
    flags = np.zeros((PIECES, length), dtype=np.uint8)
    for n in range(length):
        batch = Batch.of(np.arange(PIECES), t_ms[:, n], value[:, n])
        judged = judge.step(batch, dry[:, n])
        revised = judged.revised
        assert (revised.t_ms == t_ms[revised.series, n - 1]).all()
        flags[:, n] = judged.flag
        flags[revised.series, n - 1] = revised.flag
    return flags


def pieces(series: Labelled) -> list[tuple[NDArray[np.datetime64], FloatArray]]:
    length = len(series.t_ms) // PIECES
    return [
        (series.t_ms[low : low + length].astype("datetime64[ms]"), series.value[low : low + length])
        for low in range(0, PIECES * length, length)
    ]


def wet(series: Labelled) -> Labelled:
    """ioos_qc knows no dry probe; here every sample is a neighbour."""
    return replace(series, dry=np.zeros_like(series.dry))


def test_spike_and_rate_of_change_equal_ioos_qc(labelled: Labelled) -> None:
    spikes = decided(wet(labelled), SPIKE)
    rates = decided(wet(labelled), RATE)
    for n, (time_utc, value) in enumerate(pieces(labelled)):
        spike = qartod.spike_test(value, SPIKE.spike_suspect, SPIKE.spike_fail)
        np.testing.assert_array_equal(spikes[n, 1:-1], np.asarray(spike)[1:-1])
        rate = qartod.rate_of_change_test(
            value,
            time_utc,
            (RATE.rate_suspect_per_h or 0) / 3600,
            (RATE.rate_fail_per_h or 0) / 3600,
        )
        np.testing.assert_array_equal(rates[n, 1:], np.asarray(rate)[1:])


def test_flat_line_equals_ioos_qc_where_the_series_is_regular(labelled: Labelled) -> None:
    flat = decided(wet(labelled), FLAT)
    compared = 0
    for n, (time_utc, value) in enumerate(pieces(labelled)):
        if (np.diff(time_utc) == np.timedelta64(900, "s")).all():
            compared += 1
            theirs = qartod.flat_line_test(value, time_utc, 3600, 10800, 0.05)
            np.testing.assert_array_equal(flat[n], np.asarray(theirs))
    assert compared > PIECES // 2


def test_a_probe_that_came_up_for_air_fails_though_it_read_as_fresh_water() -> None:
    """At Cat Point the sonde was lifted out twice: 0.3 psu, which a farmer would irrigate with."""
    if not (FOLDER / "salinity").is_dir():
        pytest.skip("no labelled series: set SONGTIEN_DATA to the folder that holds them")
    series = cat_point(FOLDER)
    limits = QualityLimits(fail_min=0.0, fail_max=40.0)
    assert series.dry.sum() == 7
    assert series.labelled[series.dry].all()  # and no sample that people took for good
    assert series.value[series.dry].max() < 0.5
    for at in np.flatnonzero(series.dry):
        row = Batch.of([0], series.t_ms[[at]], series.value[[at]])
        assert quality([limits]).step(row, series.dry[[at]]).flag[0] == Flag.FAIL
        assert quality([limits]).step(row, np.array([False])).flag[0] == Flag.PASS
