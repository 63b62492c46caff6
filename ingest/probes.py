"""Salinity samples into readings: identity first, then what follows from them.

The identity of a sample is (device, t), with the level where a device has several. The
same again is a duplicate; another value at one identity is a conflict, and the first
durable one stays; new quantities of a known sample are stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.known import Known
from ingest.payload import SalinitySample
from ingest.reading import Batch, BoolArray, FloatArray, IntArray, Why, rounded
from ingest.refusal import Reason, Refusal
from ingest.release import NEVER, rising
from ingest.salinity import INPUTS, derive, dry
from ingest.series import SeriesTable

QUANTITY_OF = {
    "ec_ms_cm": "conductivity_ms_cm",
    "ec25_ms_cm": "conductivity_25_ms_cm",
    "temp_c": "temperature_c",
    "level_m": "water_level_m",
    "depth_m": "depth_m",
    "battery_v": "battery_v",
}
"""What was measured and where it stands. `sal_g_l` stands under one of two names: beside a
salinity derived from conductivity, or as the salinity where there is none."""

SALINITY, PROBE_SALINITY = "salinity_g_l", "salinity_probe_g_l"
DRY_QUANTITIES = (SALINITY, "conductivity_ms_cm", "conductivity_25_ms_cm", PROBE_SALINITY)
"""What a probe in air gets wrong."""


@dataclass(frozen=True, slots=True)
class ProbeRows:
    """Readings that samples gave, and what became of each sample.

    rows : Batch[N]; dry : bool[N]; sample : int64[N], which sample a row is of
    duplicates : how many samples brought nothing new
    refused : sample number -> why
    """

    rows: Batch
    dry: BoolArray
    sample: IntArray
    duplicates: int
    refused: Mapping[int, Refusal]


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """Samples by quantity, N of everything.

    stream, t_ms : int64[N]; value : float64[N] of each quantity that any of them has, NaN for
    none; dry : bool[N]; series_of : of each quantity the series of a stream
    """

    stream: IntArray
    t_ms: IntArray
    value: Mapping[str, FloatArray]
    dry: BoolArray
    series_of: Mapping[str, IntArray]

    def __len__(self) -> int:
        return len(self.t_ms)

    def cut(self, begin: int, end: int) -> "ProbeRun":
        part = slice(begin, end)
        return ProbeRun(
            self.stream[part],
            self.t_ms[part],
            {name: value[part] for name, value in self.value.items()},
            self.dry[part],
            self.series_of,
        )

    def rows(self) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
        """Series, time, value and number of the sample of each reading, sample after sample."""
        if not self.value:
            none = np.empty(0, dtype=np.int64)
            return none, none, none.astype(np.float64), none
        value = np.array(list(self.value.values())).T.ravel()
        there = np.flatnonzero(~np.isnan(value))
        series = np.array([self.series_of[name][self.stream] for name in self.value]).T.ravel()
        sample = there // len(self.value)
        return series[there], self.t_ms[sample], value[there], sample


class Probes:
    """Which samples are known, and the readings that new ones give."""

    def __init__(self, table: SeriesTable, snapshot: Mapping[str, Any] | None = None) -> None:
        streams = [s for s in table.columns if SALINITY in table.columns[s]]
        self.numbers = {stream: number for number, stream in enumerate(streams)}
        self._series = {
            quantity: np.array([table.columns[s][quantity] for s in streams], dtype=np.int64)
            for quantity in (*QUANTITY_OF.values(), SALINITY, PROBE_SALINITY)
        }
        self._newest_ms = np.full(len(streams), NEVER, dtype=np.int64)
        for stream, t_ms in (snapshot or {}).items():
            if stream in self.numbers:
                self._newest_ms[self.numbers[stream]] = t_ms

    def take(
        self,
        streams: Sequence[int],
        samples: Sequence[SalinitySample],
        known: Known,
        *,
        more_follow: bool = False,
    ) -> ProbeRows:
        """Readings of samples in order of arrival; `streams[i]` is the number of a stream.

        `more_follow` : of the same entry, which must find these among the known.
        """
        stream = np.asarray(streams, dtype=np.int64)
        t_ms = np.asarray([sample.t for sample in samples], dtype=np.int64)
        columns = {
            name: np.array([getattr(sample, name) for sample in samples], dtype=np.float64)
            for name in INPUTS
        }
        simulated = np.array([sample.sim for sample in samples], dtype=bool)
        quantities = derive(columns)
        is_dry = dry(columns)
        surely_new = rising(stream, t_ms, self._newest_ms)
        np.maximum.at(self._newest_ms, stream, t_ms)
        duplicates = 0
        refused: dict[int, Refusal] = {}
        if not surely_new.all():
            duplicates, refused = self._compare(
                stream, t_ms, columns, quantities, known, ~surely_new
            )
        rows, dry_rows, of_sample = self._rows(stream, t_ms, quantities, is_dry, simulated)
        if more_follow:
            known.put_values(rows.series.tolist(), rows.t_ms.tolist(), rows.value.tolist())
        return ProbeRows(rows, dry_rows, of_sample, duplicates, refused)

    @property
    def series_of(self) -> Mapping[str, IntArray]:
        """Of each quantity the series of a stream, int64 by the stream's number."""
        return self._series

    def rises(self, stream: IntArray, t_ms: IntArray) -> BoolArray:
        """Which samples are newer than all before them of their stream, and so surely new."""
        return rising(stream, t_ms, self._newest_ms)

    def run(
        self, stream: IntArray, t_ms: IntArray, value: Mapping[str, FloatArray], dry: BoolArray
    ) -> ProbeRun:
        """Samples with the quantities that `salinity.derive` made of them; nothing is kept."""
        there = {name: value[name] for name in self._series if name in value}
        return ProbeRun(stream, t_ms, there, dry, self._series)

    def ran(self, run: ProbeRun) -> None:
        """Take note of samples that were all surely new."""
        np.maximum.at(self._newest_ms, run.stream, run.t_ms)

    def snapshot(self) -> dict[str, Any]:
        return {stream: int(self._newest_ms[n]) for stream, n in self.numbers.items()}

    def _rows(
        self,
        stream: IntArray,
        t_ms: IntArray,
        quantities: Mapping[str, FloatArray],
        is_dry: BoolArray,
        simulated: BoolArray,
    ) -> tuple[Batch, BoolArray, IntArray]:
        parts, dry_parts, sample_parts = [], [], []
        for quantity, series in self._series.items():
            values = quantities[quantity]
            there = np.flatnonzero(~np.isnan(values))
            if not len(there):
                continue
            why = np.where(simulated[there], Why.SIMULATED, 0).astype(np.uint16)
            parts.append(Batch.of(series[stream[there]], t_ms[there], values[there], why=why))
            dry_parts.append(is_dry[there] & (quantity in DRY_QUANTITIES))
            sample_parts.append(there)
        if not parts:
            return Batch.empty(), np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)
        return Batch.concat(parts), np.concatenate(dry_parts), np.concatenate(sample_parts)

    def _compare(
        self,
        stream: IntArray,
        t_ms: IntArray,
        columns: Mapping[str, FloatArray],
        quantities: dict[str, FloatArray],
        known: Known,
        doubtful: BoolArray,
    ) -> tuple[int, dict[int, Refusal]]:
        """Hold doubtful samples against what is known, one by one in order of arrival.

        Blanks in `quantities` what is not to be stored.
        """
        duplicates = 0
        refused: dict[int, Refusal] = {}
        unruly = np.isin(stream, stream[doubtful])
        for i in np.flatnonzero(unruly).tolist():
            stored = self._stored(int(stream[i]), int(t_ms[i]), known) if doubtful[i] else {}
            if stored:
                fresh, clash = against(stored, {n: float(columns[n][i]) for n in INPUTS})
                if clash is not None:
                    refused[i] = clash
                elif not fresh:
                    duplicates += 1
                for quantity, values in quantities.items():
                    values[i] = fresh.get(quantity, np.nan) if clash is None else np.nan
            there = [q for q in self._series if not np.isnan(quantities[q][i])]
            known.put_values(
                [int(self._series[q][stream[i]]) for q in there],
                [int(t_ms[i])] * len(there),
                [float(quantities[q][i]) for q in there],
            )
        return duplicates, refused

    def _stored(self, stream: int, t_ms: int, known: Known) -> dict[str, float]:
        found = {q: known.value(int(s[stream]), t_ms) for q, s in self._series.items()}
        return {quantity: value for quantity, value in found.items() if value is not None}


def against(
    stored: Mapping[str, float], sent: Mapping[str, float]
) -> tuple[dict[str, float], Refusal | None]:
    """The quantities that a sample adds to a known one, or the refusal of one that differs."""
    measured = {
        QUANTITY_OF[name]: round_one(value)
        for name, value in sent.items()
        if name in QUANTITY_OF and not np.isnan(value)
    }
    own = _own_salinity(stored)
    if not np.isnan(sent["sal_g_l"]):
        measured[own] = round_one(sent["sal_g_l"])
    for quantity, value in measured.items():
        if quantity in stored and stored[quantity] != value:
            detail = f"{quantity} = {value}: {stored[quantity]} stands at this time"
            return {}, Refusal(Reason.CONFLICT, detail)
    if all(quantity in stored for quantity in measured):
        return {}, None
    both = {**{q: v for q, v in stored.items() if q != SALINITY}, **measured}
    derived = _derived(both, both.get(PROBE_SALINITY, both.get(SALINITY, np.nan)))
    fresh = {q: v for q, v in derived.items() if q not in stored and not np.isnan(v)}
    if own in stored:
        fresh.pop(PROBE_SALINITY, None)
    return fresh, None


def _own_salinity(stored: Mapping[str, float]) -> str:
    """Under which name the probe's own salinity stands, or would stand, beside these.

    Where it came first it stands as the salinity, also when conductivity has come since.
    """
    if PROBE_SALINITY in stored:
        return PROBE_SALINITY
    derived = _derived(stored, np.nan)[SALINITY]
    derives = not np.isnan(derived) and stored.get(SALINITY, derived) == derived
    return PROBE_SALINITY if derives else SALINITY


def _derived(measured: Mapping[str, float], sal_g_l: float) -> dict[str, float]:
    columns = {name: np.array([measured.get(q, np.nan)]) for name, q in QUANTITY_OF.items()}
    columns["sal_g_l"] = np.array([sal_g_l])
    return {quantity: float(values[0]) for quantity, values in derive(columns).items()}


def round_one(value: float) -> float:
    return float(rounded(np.array([value]))[0])
