"""What the quality tests find of what people labelled, beside plain ioos_qc, and what they cost.

    SONGTIEN_DATA=... python -m bench.quality_events

People reject long blocks, so events are counted and never single samples. A labelled event is
an unbroken run of labelled samples; it is found if a flag falls into it. Flags no more than 12 h
apart are one event, and that is false if no sample of it lies within an hour of a label.
For Cat Point the limits are those of the published comparison; for the rivers round figures,
chosen among some fifty on these same series so that ioos_qc comes near the published row. So what
counts is the difference between the two programs, which run with the same limits in the same run.
"""

import csv
import gzip
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from ioos_qc import qartod

from ingest.quality import Quality
from ingest.reading import Batch, BoolArray, Flag, FlagArray, FloatArray, IntArray
from ingest.registry import QualityLimits, Registry
from ingest.salinity import dry
from ingest.series import Series, SeriesTable
from songtien import scoring

QUARTER_MS = 900_000

ESTUARY = QualityLimits(
    fail_min=0.0,
    fail_max=40.0,
    suspect_min=1.0,
    suspect_max=36.0,
    spike_suspect=2.0,
    spike_fail=5.0,
    rate_suspect_per_h=16.0,
    rate_fail_per_h=32.0,
    flat_suspect_s=10800,
    flat_fail_s=21600,
    flat_tolerance=0.05,
)
RIVER = QualityLimits(
    fail_min=0.0,
    fail_max=2000.0,
    suspect_min=50.0,
    suspect_max=1500.0,
    spike_suspect=8.0,
    spike_fail=15.0,
    rate_suspect_per_h=40.0,
    rate_fail_per_h=60.0,
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One series as people judged it: t_ms int64[N], value float64[N], dry and labelled bool[N].

    `published` is the recall and the number of false events that plain QARTOD tests are known
    to reach.
    """

    name: str
    t_ms: IntArray
    value: FloatArray
    dry: BoolArray
    labelled: BoolArray
    limits: QualityLimits
    published: tuple[float, int]


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def times(texts: Sequence[str]) -> IntArray:
    return np.array(texts, dtype="datetime64[ms]").astype(np.int64)


def river(folder: Path, name: str, published: tuple[float, int]) -> Labelled:
    """Conductivity of a mountain river, µS/cm; the sentinels 7999 and -9999 stay in."""
    rows = rows_of(folder / "qc" / f"{name}.csv.gz")
    value = np.array([float(row["cond"]) for row in rows])
    return Labelled(
        name,
        times([row["datetime"] for row in rows]),
        value,
        dry({"ec25_ms_cm": value / 1000}),
        np.array([row["cond_qual"] != "NULL" for row in rows]),
        RIVER,
        published,
    )


def cat_point(folder: Path) -> Labelled:
    """Salinity of a tidal bay, psu, without its missing samples; labels suspect and rejected."""
    rows = rows_of(folder / "salinity" / "swmpr_apacpwq_2012_2013.csv.gz")
    rows = [row for row in rows if row["sal"]]
    return Labelled(
        "Cat Point",
        times([row["datetimestamp"] for row in rows]),
        np.array([float(row["sal"]) for row in rows]),
        dry(
            {
                "ec25_ms_cm": np.array([float(row["spcond"] or "nan") for row in rows]),
                "depth_m": np.array([float(row["depth"] or "nan") for row in rows]),
            }
        ),
        np.array([row["f_sal"].startswith(("<-3>", "<1>")) for row in rows]),
        ESTUARY,
        (0.75, 38),
    )


def score(series: Labelled, flagged: BoolArray) -> tuple[float, int]:
    """Share of the labelled events that are found, and the number of false events."""
    windows = scoring.windows_of(series.t_ms, series.labelled)
    samples = scoring.Samples(series.t_ms, flagged, series.t_ms)
    found = scoring.find(samples, windows, windows)
    return float(found.hit.mean()), len(scoring.false_events(samples, windows))


def by_ioos_qc(series: Labelled) -> FlagArray:
    """The worst flag of ioos_qc's four tests."""
    limits, value = series.limits, series.value
    time_utc = series.t_ms.astype("datetime64[ms]")
    found = [
        qartod.gross_range_test(
            value, (limits.fail_min, limits.fail_max), (limits.suspect_min, limits.suspect_max)
        ),
        qartod.spike_test(value, limits.spike_suspect, limits.spike_fail),
        qartod.rate_of_change_test(
            value,
            time_utc,
            (limits.rate_suspect_per_h or 0.0) / 3600,
            (limits.rate_fail_per_h or 0.0) / 3600,
        ),
    ]
    if limits.flat_tolerance is not None:
        found.append(
            qartod.flat_line_test(
                value, time_utc, limits.flat_suspect_s, limits.flat_fail_s, limits.flat_tolerance
            )
        )
    worst: FlagArray = np.max([np.asarray(flags) for flags in found], axis=0)
    return worst


def table(count: int) -> SeriesTable:
    return SeriesTable(
        [
            Series(
                id=number,
                key=f"p-{number}/salinity_g_l",
                stream=f"p-{number}",
                station=f"s-{number}",
                device=f"p-{number}",
                kind="salinity",
                branches=(),
                quantity="salinity_g_l",
                unit="g/L",
                direction=None,
                level=None,
                expected_s=900.0,
                announced=True,
            )
            for number in range(count)
        ]
    )


def quality(limits: Sequence[QualityLimits]) -> Quality:
    stated = {f"s-{number}": {"salinity_g_l": asdict(each)} for number, each in enumerate(limits)}
    return Quality(table(len(limits)), Registry({}, {}, {}, overrides=stated))


def streamed(series: Sequence[Labelled]) -> tuple[list[FlagArray], list[FlagArray]]:
    """All series through `Quality` one sample at a time: flags as told, and as decided."""
    judge = quality([each.limits for each in series])
    told = [np.zeros(len(each.t_ms), dtype=np.uint8) for each in series]
    decided = [np.zeros(len(each.t_ms), dtype=np.uint8) for each in series]
    for n in range(max(len(each.t_ms) for each in series)):
        rows = [number for number, each in enumerate(series) if n < len(each.t_ms)]
        batch = Batch.of(
            rows, [series[row].t_ms[n] for row in rows], [series[row].value[n] for row in rows]
        )
        judged = judge.step(batch, np.array([series[row].dry[n] for row in rows]))
        for at, row in enumerate(rows):
            told[row][n] = decided[row][n] = judged.flag[at]
        for at, row in enumerate(judged.revised.series.tolist()):
            where = np.searchsorted(series[row].t_ms, judged.revised.t_ms[at])
            decided[row][where] = judged.revised.flag[at]
    return told, decided


TESTS_ALONE = {
    "spike 2 / 5": QualityLimits(spike_suspect=2.0, spike_fail=5.0),
    "rate 5 / 10 an hour": QualityLimits(rate_suspect_per_h=5.0, rate_fail_per_h=10.0),
    "flat 0.05, 3 / 6 h": QualityLimits(
        flat_suspect_s=10800, flat_fail_s=21600, flat_tolerance=0.05
    ),
}


def events(folder: Path) -> None:
    series = [
        river(folder, "MainStreet2019", (0.83, 56)),
        river(folder, "WaterLab2019", (0.60, 0)),
        cat_point(folder),
    ]
    wet = [replace(each, dry=np.zeros_like(each.dry)) for each in series]
    alone = [replace(wet[-1], limits=limits) for limits in TESTS_ALONE.values()]
    told, decided = streamed([*wet, *series, *alone])
    each_has = len(series)
    print(f"{'event recall / false events':40}" + "".join(f"{each.name:>16}" for each in series))
    report("published, plain QARTOD by ioos_qc", [each.published for each in series])
    for level in (Flag.FAIL, Flag.SUSPECT):
        for name, flags in (
            ("ioos_qc", [by_ioos_qc(each) for each in series]),
            ("as told at release", told[:each_has]),
            ("as decided by the successor", decided[:each_has]),
            ("as decided, with dry", decided[each_has : 2 * each_has]),
        ):
            report(f"{level.name.lower()}: {name}", scores(series, flags, level))
    print(f"\n{'Cat Point, one test alone':40}{'suspect':>16}{'fail':>16}{'suspect, told':>16}")
    for n, name in enumerate(TESTS_ALONE, 2 * each_has):
        found = [
            *scores(wet[-1:], [decided[n]], Flag.SUSPECT),
            *scores(wet[-1:], [decided[n]], Flag.FAIL),
            *scores(wet[-1:], [told[n]], Flag.SUSPECT),
        ]
        report(name, found)


def scores(
    series: Sequence[Labelled], flags: Sequence[FlagArray], level: Flag
) -> list[tuple[float, int]]:
    """Scores of the flags of `level` and worse."""
    return [
        score(each, (found >= level) & (found <= Flag.FAIL))
        for each, found in zip(series, flags, strict=True)
    ]


def report(name: str, scored: Sequence[tuple[float, int]]) -> None:
    print(f"{name:40}" + "".join(f"{recall:>10.2f} /{false:>4}" for recall, false in scored))


def microseconds(call: Callable[[int], object], times_run: int) -> FloatArray:
    spent = []
    for n in range(times_run):
        start = time.perf_counter()
        call(n)
        spent.append((time.perf_counter() - start) * 1e6)
    return np.array(spent)


def costs() -> None:
    print(f"\n{'cost of one call, µs':24}{'median':>10}{'p99':>10}{'per reading':>14}")
    rng = np.random.default_rng(1)
    samples = 300
    for width in (1, 100, 1000):
        phase = rng.random(width)
        tide = 3 + 2 * np.sin(np.arange(samples)[:, None] / 8 + phase)
        for water, values in (
            ("tide", np.round(tide + 0.02 * rng.random((samples, width)), 4)),
            ("flat", np.round(3 + 0.04 * rng.random((samples, width)), 4)),
        ):
            judge = quality([ESTUARY] * width)
            dry = np.zeros(width, dtype=np.bool_)
            ids = np.arange(width)
            batches = [
                Batch.of(ids, np.full(width, n * QUARTER_MS), values[n]) for n in range(samples)
            ]
            spent = microseconds(lambda n, j=judge, b=batches, d=dry: j.step(b[n], d), samples)  # type: ignore[misc]
            median = float(np.median(spent))
            print(
                f"{f'width {width}, {water}':24}{median:10.0f}{np.percentile(spent, 99):10.0f}"
                f"{median / width:14.2f}"
            )


def main() -> None:
    folder = Path(os.environ.get("SONGTIEN_DATA", "../shared/data"))
    if (folder / "qc").is_dir():
        warnings.simplefilter("ignore")  # ioos_qc divides by what it has masked.
        events(folder)
    else:
        print(f"no labelled series in {folder}: set SONGTIEN_DATA to measure events")
    costs()


if __name__ == "__main__":
    main()
