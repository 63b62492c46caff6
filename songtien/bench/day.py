"""How long a day takes on a virtual clock: what a test with the fixture `songtien` waits for.

The default registry and rules, the dry season; of one probe, of all probes, of everything. In
each the service is the real one: journal, store and doors; only clock and broker are the test's.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.trial import Trial

FEEDS: Final[Sequence[tuple[str, Sequence[str] | None]]] = (
    ("one probe", ("xh-01",)),
    ("one probe and one camera", ("xh-01", "cam-01")),
    ("all 34 devices", None),
)
WANTED_S: Final = 1.0
"""What a day of a device under test may take."""


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int = 3
    tries: int = 9


@dataclass(frozen=True, slots=True)
class Run:
    """One day of one feed. start_s : from nothing to a service that answers."""

    feed: str
    start_s: float
    day_s: float
    samples: int
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= NOISE_MAX_CORES


def run(size: Size, progress: Callable[[str], None]) -> list[Run]:
    """Days of every feed in turn, until enough of each were quiet."""
    found: list[Run] = []
    while len(found) < size.tries * len(FEEDS) and not all(
        enough(_of(found, name), size.rounds) for name, _ in FEEDS
    ):
        for name, devices in FEEDS:
            found.append(_once(name, devices))
            one = found[-1]
            progress(
                f"{name}: a day in {one.day_s:.2f} s, others {one.others:.2f} cores"
                f"{'' if one.quiet else '; noisy'}"
            )
    return found


def summary(runs: list[Run], wanted: int) -> list[str]:
    lines = []
    for name, _ in FEEDS:
        chosen, of_all = counted(_of(runs, name), wanted)
        days_s = [each.day_s for each in chosen]
        each_ms = [each.day_s / each.samples * 1e3 for each in chosen]
        lines.append(
            f"day of {name}: {told(days_s, '.2f')} s for {chosen[0].samples:,} samples, "
            f"{told(each_ms, '.2f')} ms each; the service begins in "
            f"{told([each.start_s for each in chosen], '.2f')} s; {of_all}"
        )
    return [*lines, f"wanted: a day of a device under test in less than {WANTED_S:g} s"]


def _of(runs: list[Run], feed: str) -> list[Run]:
    return [each for each in runs if each.feed == feed]


def _once(name: str, devices: Sequence[str] | None) -> Run:
    with tempfile.TemporaryDirectory(prefix="songtien-day-") as directory:
        before = Moment.now()
        trial = Trial(Path(directory))
        trial.scenario("dry-season", devices=devices)
        begun_s = time.perf_counter()
        trial.at("24h")
        over_s = time.perf_counter()
        samples = trial.service.pipeline.ledger.read().received
        after = Moment.now()
        trial.close()
    return Run(name, begun_s - before.wall_s, over_s - begun_s, samples, after.others_since(before))
