"""How long a season of simulated probes takes: as columns, and as a recording in a file.

Half a year of a hundred probes at a quarter of an hour, as `songtien simulate --out` would write
them: 1.7 million samples, each with its noise, and each a message.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.registry import parse_registry
from simulators.recording import write_recording
from simulators.scenario import SCENARIOS
from simulators.simulate import Played, played
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.bench.season import registry_text

COLUMNS_BUDGET_S: Final = 5.0
FILE_BUDGET_S: Final = 20.0
"""What they may take."""

BLOCK_MS: Final = 40 * 86_400_000
"""Columns are asked for so much at a time: some 4,000 samples of a device."""


@dataclass(frozen=True, slots=True)
class Size:
    stations: int = 100
    days: int = 182
    rounds: int = 3
    tries: int = 9


@dataclass(frozen=True, slots=True)
class Run:
    """One run: seconds by the clock, for columns and for the file, and what came out."""

    columns_s: float
    file_s: float
    samples: int
    file_bytes: int
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= NOISE_MAX_CORES


def run(size: Size, progress: Callable[[str], None]) -> list[Run]:
    """Both in turn, until enough rounds were quiet."""
    registry = parse_registry(registry_text(size.stations), "stations.toml")
    season = played(SCENARIOS["dry-season"], registry, 1, duration_ms=size.days * 86_400_000)
    found: list[Run] = []
    while len(found) < size.tries and not enough(found, size.rounds):
        found.append(_once(season))
        one = found[-1]
        progress(
            f"round {len(found)}: columns {one.columns_s:.1f} s, file {one.file_s:.1f} s, others "
            f"{one.others:.2f} cores{'' if one.quiet else '; noisy'}"
        )
    return found


def _once(season: Played) -> Run:
    before = Moment.now()
    samples = _columns(season)
    between = Moment.now()
    with tempfile.TemporaryDirectory(prefix="songtien-river-") as name:
        file = Path(name) / "season.jsonl"
        count, _ = write_recording(
            file, season.header, season.labels(), season.messages(root="tiengiang")
        )
        written = file.stat().st_size
    after = Moment.now()
    assert count == samples, "as many messages as samples of one level"
    return Run(
        between.wall_s - before.wall_s,
        after.wall_s - between.wall_s,
        samples,
        written,
        after.others_since(before),
    )


def _columns(season: Played) -> int:
    samples = 0
    end_ms = season.start_ms + season.duration_ms
    for device in season.world.devices():
        for start_ms in range(season.start_ms, end_ms, BLOCK_MS):
            columns = season.world.columns(device, start_ms, min(start_ms + BLOCK_MS, end_ms))
            samples += len(columns)
    return samples


def summary(runs: list[Run], wanted: int) -> str:
    chosen, of_all = counted(runs, wanted)
    one = runs[0]
    return (
        f"river: {one.samples:,} samples as columns {told([r.columns_s for r in chosen], '.1f')} s "
        f"(wanted: under {COLUMNS_BUDGET_S:.0f}), with labels and messages into a file of "
        f"{one.file_bytes / 1e6:,.0f} MB {told([r.file_s for r in chosen], '.1f')} s "
        f"(wanted: under {FILE_BUDGET_S:.0f}); {of_all}"
    )
