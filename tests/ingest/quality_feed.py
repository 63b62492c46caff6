"""Feeding `Quality` and writing down what it says, in the shape of the slow twin."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, settings

from ingest.quality import Judged, Quality
from ingest.reading import Batch, Flag, rounds
from ingest.registry import QualityLimits, Registry
from ingest.series import Series, SeriesTable
from tests.naive import quality as naive
from tests.naive.quality import Sample

# On a busy machine the slow twin is slower still; that is no fault of what is tested.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

T0 = 1_767_000_000_000
QUARTER_MS = 900_000
HOUR_MS = 3_600_000
EXPECTED_S = 900.0
Row = tuple[int, Sample]


def table(count: int, expected_s: float = EXPECTED_S) -> SeriesTable:
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
                expected_s=expected_s,
                announced=True,
            )
            for number in range(count)
        ]
    )


def registry(limits: Sequence[QualityLimits]) -> Registry:
    overrides = {
        f"s-{number}": {"salinity_g_l": asdict(each)} for number, each in enumerate(limits)
    }
    return Registry({}, {}, {}, overrides=overrides)


def quality(*limits: QualityLimits) -> Quality:
    return Quality(table(len(limits)), registry(limits))


class Feed:
    """What was said of each reading of each series, in the naive twin's shape."""

    def __init__(self, judge: Quality, series: int) -> None:
        self.judge = judge
        self.seen: list[list[Sample]] = [[] for _ in range(series)]
        self.spoken: list[list[naive.Spoken]] = [[] for _ in range(series)]

    def push(self, rows: Sequence[Row]) -> None:
        """One batch as it comes, each series any number of times."""
        ids = np.array([number for number, _ in rows], dtype=np.int64)
        for index in rounds(ids):
            self._step([rows[at] for at in index])

    def _step(self, rows: Sequence[Row]) -> None:
        batch = Batch.of(
            [number for number, _ in rows],
            [sample.t_ms for _, sample in rows],
            [sample.value for _, sample in rows],
            flag=Flag.FAIL,  # must not be looked at
        )
        judged = self.judge.step(batch, np.array([sample.dry for _, sample in rows], dtype=bool))
        revised = self._revised(judged)
        for at, (number, sample) in enumerate(rows):
            told = (int(judged.flag[at]), int(judged.why[at]))
            self.spoken[number].append(naive.Spoken(told, revised.pop(number, None)))
            self.seen[number].append(sample)
        assert not revised, "a revision without a successor"

    def _revised(self, judged: Judged) -> dict[int, tuple[int, naive.Verdict]]:
        found = {}
        for at in range(len(judged.revised)):
            number = int(judged.revised.series[at])
            times = [sample.t_ms for sample in self.seen[number]]
            index = times.index(int(judged.revised.t_ms[at]))
            assert self.seen[number][index].value == judged.revised.value[at]
            verdict = (int(judged.revised.flag[at]), int(judged.revised.why[at]))
            found[number] = (index, verdict)
        return found

    def decided(self, number: int = 0) -> list[naive.Verdict]:
        """The last word on each reading of a series."""
        verdicts = [spoken.told for spoken in self.spoken[number]]
        for spoken in self.spoken[number]:
            if spoken.revised is not None:
                index, verdict = spoken.revised
                verdicts[index] = verdict
        return verdicts


def at_intervals(
    values: Sequence[float], *, every_ms: int = QUARTER_MS, dry: Sequence[int] = ()
) -> list[Sample]:
    return [Sample(T0 + n * every_ms, value, n in dry) for n, value in enumerate(values)]


def run(samples: Sequence[Sample], limits: QualityLimits) -> Feed:
    feed = Feed(quality(limits), 1)
    for sample in samples:
        feed.push([(0, sample)])
    return feed


def told(samples: Sequence[Sample], limits: QualityLimits) -> list[naive.Verdict]:
    return [spoken.told for spoken in run(samples, limits).spoken[0]]


def of_ioos(result: object) -> list[int]:
    return [int(flag) for flag in np.asarray(result)]


def seconds(samples: Sequence[Sample]) -> list[datetime]:
    # pandas wants them without a zone.
    return [
        datetime.fromtimestamp(sample.t_ms / 1000, tz=UTC).replace(tzinfo=None)
        for sample in samples
    ]


def flags(verdicts: Sequence[naive.Verdict]) -> list[int]:
    return [flag for flag, _ in verdicts]
