"""The quality tests that need at most two neighbours: gross range, dry, gap, spike, rate.

Each takes columns of N rows and returns `uint8[N]`, how bad each row is: 0 not evaluated,
1 pass, 2 suspect, 3 fail. In this order the worst of several tests is their maximum, and
"not evaluated" is left only where no test spoke; `FLAG_OF_RANK` turns a rank into QARTOD's
number. A limit of NaN is a test not asked for; a limit of 0 is a limit.

QARTOD: Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data,
version 2.0 (U.S. Integrated Ocean Observing System, 2016), here "the manual".

Costs in false alarms are those of Cat Point, Apalachicola Bay: two years of 15 min in a bay
where wind and river fight, 70,000 samples judged by people (NOAA NERRS); events within 12 h of
each other are one. `python -m bench.quality_events` measures them.
"""

import numpy as np
from numpy.typing import NDArray

from ingest.reading import BoolArray, Flag, FlagArray, FloatArray, IntArray

RankArray = NDArray[np.uint8]

SILENT, PASS, SUSPECT, FAIL = range(4)
FLAG_OF_RANK: FlagArray = np.array(
    [Flag.NOT_EVALUATED, Flag.PASS, Flag.SUSPECT, Flag.FAIL], dtype=np.uint8
)

HOUR_MS = 3_600_000


def rank(asked: BoolArray, suspect: BoolArray, fail: BoolArray) -> RankArray:
    """Fail above suspect above pass, and silent where the test was not asked for."""
    found = asked.astype(np.uint8)
    found[suspect & asked] = SUSPECT
    found[fail & asked] = FAIL
    return found


def gross_range(
    value: FloatArray,
    fail_min: FloatArray,
    fail_max: FloatArray,
    suspect_min: FloatArray,
    suspect_max: FloatArray,
) -> RankArray:
    """Values that the sensor or the place can't give (the manual's test 4).

    Formula: fail where value < fail_min or value > fail_max; suspect likewise within it.
    The bounds themselves pass.
    Units: all in the quantity's own unit, float64[N].
    Cost: no delay. False alarms only where the suspect range is narrower than the station's
    season: a record tide is suspect at worst, and a suspect value may still raise an alert.
    Gaps: none of its business, it looks at one value alone.
    Reference: the manual, test 4; the same as ioos_qc's `gross_range_test`.
    """
    asked = ~(
        np.isnan(fail_min) & np.isnan(fail_max) & np.isnan(suspect_min) & np.isnan(suspect_max)
    )
    fail = (value < fail_min) | (value > fail_max)
    suspect = (value < suspect_min) | (value > suspect_max)
    return rank(asked, suspect, fail)


def dry(is_dry: BoolArray) -> RankArray:
    """A probe in air or fouled, which reads as fresh water: the most dangerous of all faults.

    Formula: fail where the caller says dry: conductivity at 25 °C under 0.08 mS/cm, or less
    than 0.2 m of water over the probe. The fresh Tiền has 0.15 to 0.25 mS/cm.
    Units: bool[N].
    Cost: no delay, no false alarm in the two years; 7 of the 7 samples under 0.2 m had been
    labelled out of water. Five of them read 0.3 to 0.4, as fresh as a farmer could wish for,
    with 0.55 mS/cm or more: a probe without a depth sensor would have passed. Water that
    really holds less than 0.08 mS/cm (rain over the probe) fails for as long as it lasts.
    Gaps: none of its business. Where it is not dry it stays silent: a wet probe is no
    evidence that a value is right.
    Reference: YSI EXO manual and USGS TM 1-D3 (Wagner and others, 2006): a conductivity cell
    out of water reads near zero. Both limits are this project's judgement.
    """
    return np.where(is_dry, FAIL, SILENT).astype(np.uint8)


def gap(since_ms: IntArray, gap_ms: IntArray) -> BoolArray:
    """A sample after silence: true where there was more than `gap_ms` without any sample.

    Formula: since_ms > gap_ms, since_ms being the time from the series' sample before.
    Units: ms, int64[N].
    Cost: none. It worsens no flag, because what came after the silence is not worse for it;
    it is kept as evidence, and spike and rate do not look across it.
    Gaps: a series' first sample follows no gap (the caller says so).
    Reference: the manual, test 1, which asks whether the newest sample has come. That
    question needs a clock, and the no-data alert puts it.
    """
    return since_ms > gap_ms


def spike_at_release(
    value: FloatArray,
    previous: FloatArray,
    near: BoolArray,
    suspect: FloatArray,
    fail: FloatArray,
) -> RankArray:
    """A jump that may be a spike or the first sample of a new level: suspect at most.

    Formula: suspect where |value - previous| > suspect, or > fail.
    Units: all in the quantity's unit, float64[N]; near bool[N], whether `previous` exists and
    no gap lies between.
    Cost: no delay, and every true step of the water larger than the limit is suspect for one
    interval, until `spike_decided` lifts it: at 2 g/L one sample in 42.
    Gaps: silent across one, and on a series' first sample.
    Reference: half of the manual's test 6. ioos_qc leaves the newest sample unknown, so
    that in a stream every value would be unknown when it is needed.
    """
    jump = np.abs(value - previous)
    asked = near & ~(np.isnan(suspect) & np.isnan(fail))
    over = (jump > suspect) | (jump > fail)
    return rank(asked, over, np.zeros_like(over))


def spike_decided(
    middle: FloatArray,
    before: FloatArray,
    after: FloatArray,
    asked: BoolArray,
    *,
    suspect: FloatArray,
    fail: FloatArray,
) -> RankArray:
    """One sample that stands out of its two neighbours.

    Formula: |middle - (before + after) / 2| against `suspect` and `fail`, strictly greater.
    Units: all in the quantity's unit, float64[N]; asked bool[N], whether both neighbours
    exist with no gap on either side.
    Cost: one interval of delay; 216 false events in two years at 2 g/L, 32 at 5. A spike of height h moves its neighbours by h / 2 too: over
    twice the limit they are flagged with it, as the definition has it. A spike of two equal
    samples is seen at half its height.
    Gaps: not asked; what `spike_at_release` said then stands.
    Reference: the manual, test 6; ioos_qc's `spike_test(method="average")`.
    """
    distance = np.abs(middle - (before + after) / 2)
    return rank(asked, distance > suspect, distance > fail)


def rate_of_change(
    value: FloatArray,
    previous: FloatArray,
    since_ms: IntArray,
    near: BoolArray,
    *,
    suspect_per_h: FloatArray,
    fail_per_h: FloatArray,
) -> RankArray:
    """A change faster than tide and flood can make it.

    Formula: |value - previous| / hours between them, strictly greater than a limit.
    Units: quantity's unit per hour, float64[N]; since_ms int64[N], not cut to seconds.
    Cost: no delay. At 5 g/L/h one sample in 17 is over, at 10 one in 67: hence limits by
    distance, and suspect rather than fail wherever a tide brings a sharp front past the
    probe (4.3 g/L/h was seen on the Tiền). The sample after a spike is flagged with it.
    Gaps: silent across one, and on a series' first sample.
    Reference: the manual, test 7, whose default of 3 standard deviations over 25 h flags in
    quiet water what is normal at springs; fixed limits by distance from the sea instead.
    """
    per_h = np.abs(value - previous) / (since_ms / HOUR_MS)
    asked = near & ~(np.isnan(suspect_per_h) & np.isnan(fail_per_h))
    return rank(asked, per_h > suspect_per_h, per_h > fail_per_h)
