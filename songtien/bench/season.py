"""How long a season's recording takes through quality control and rules: `songtien backtest`.

Half a year of a hundred probes at a quarter of an hour, each with its own second of the quarter
and its own delay on the way, as `songtien simulate --out` would have recorded them: a message a
sample, 1.7 million of them. The salt rises to the middle of the season and goes, with spring and
neap tides, so that the default rules raise and clear some thousand alerts. What is timed is all
of the command: reading, decoding, flags, rules, the life of alerts, and writing the log.
"""

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.journal import Config
from songtien.ahead import arrivals
from songtien.backtest import Tally, alert_log, line
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.settings import DEFAULTS

ROOT: Final = "tiengiang"
BEGIN_MS: Final = 1_701_363_600_000  # midnight of 1 December 2023 in Vietnam
STEP_MS: Final = 900_000
HOUR_MS: Final = 3_600_000.0
KM_FIRST, KM_LAST = 3.0, 62.0
BUDGET_S: Final = 10.0
"""What a season may take."""


@dataclass(frozen=True, slots=True)
class Size:
    stations: int = 100
    days: int = 182
    rounds: int = 3
    tries: int = 9


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `log` is a digest of the alert log: the same in each of them."""

    wall_s: float
    cpu_s: float
    messages: int
    events: int
    log: str
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= NOISE_MAX_CORES


def run(size: Size, progress: Callable[[str], None]) -> list[Run]:
    """Make the recording once and run it until enough rounds were quiet."""
    rules = (DEFAULTS / "rules.toml").read_text("utf-8")
    config = Config(registry_text(size.stations), rules, 30.0)
    found: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="songtien-season-") as name:
        file = Path(name) / "season.jsonl"
        with file.open("wb") as recording:
            recording.writelines(messages(size))
        progress(f"{size.stations} stations, {size.days} days: {file.stat().st_size:,} bytes")
        while len(found) < size.tries and not enough(found, size.rounds):
            found.append(_once(file, Path(name) / "alerts.jsonl", config))
            one = found[-1]
            progress(
                f"round {len(found)}: {one.wall_s:.1f} s, processor {one.cpu_s:.1f} s, others "
                f"{one.others:.2f} cores{'' if one.quiet else '; noisy'}"
            )
    return found


def _once(file: Path, out: Path, config: Config) -> Run:
    tally, before = Tally(), Moment.now()
    with out.open("wb") as written:
        for event in alert_log(arrivals(file, root=ROOT), config, root=ROOT, tally=tally):
            written.write(line(event))
    after = Moment.now()
    with out.open("rb") as log:
        found = digest(log)
    return Run(
        after.wall_s - before.wall_s,
        after.ours_s - before.ours_s,
        tally.messages,
        tally.events,
        found,
        after.others_since(before),
    )


def digest(lines: Iterable[bytes]) -> str:
    """What tells one log from another."""
    found = hashlib.sha256()
    for each in lines:
        found.update(each)
    return found.hexdigest()[:16]


def summary(runs: list[Run], wanted: int) -> str:
    chosen, of_all = counted(runs, wanted)
    wall_s = [each.wall_s for each in chosen]
    one = runs[0]
    same = "the same log each time" if len({each.log for each in runs}) == 1 else "LOGS DIFFER"
    return (
        f"season: {told(wall_s, '.1f')} s (wanted: under {BUDGET_S:.0f}), processor time "
        f"{told([each.cpu_s for each in chosen], '.1f')} s; {one.messages:,} messages, "
        f"{told([each.wall_s / each.messages * 1e6 for each in chosen], '.1f')} µs each; "
        f"{one.events:,} alert events, {same} ({one.log}); {of_all}"
    )


def registry_text(stations: int) -> str:
    """That many stations of one probe along an arm, with the limits of the default registry.

    The arm is closed at its mouth: no line of salt is formed along it.
    """
    parts = ['[[reach]]\nid = "arm"\nname = "Arm"\nflows_into = []\nclosed = true\n']
    parts.extend(
        f'[[station]]\nid = "s-{n:03d}"\nname = "s-{n:03d}"\nkind = "salinity"\nreach = "arm"\n'
        f"km_from_mouth = {{ arm = {_km(n, stations):.1f} }}\nlat = 10.3\nlon = 106.6\n"
        'source = "generated"\n'
        f'[[station.device]]\nid = "p-{n:03d}"\nexpected_s = {STEP_MS // 1000}\n'
        'measures = ["ec_ms_cm", "temp_c", "depth_m", "level_m", "battery_v"]\n'
        for n in range(stations)
    )
    text = (DEFAULTS / "stations.toml").read_text("utf-8")
    return "\n".join(parts) + text[text.index("[quality.salinity_g_l]") :]


def messages(size: Size) -> Iterator[bytes]:
    """The lines of the recording, in order of arrival but for a second or so."""
    offsets = sorted((n * 7919 % 900 * 1000, n) for n in range(size.stations))
    for k in range(size.days * 86_400_000 // STEP_MS):
        found = []
        for offset_ms, n in offsets:
            t_ms = BEGIN_MS + k * STEP_MS + offset_ms
            at_ms = t_ms + 200 + (n * 37 + k * 91) % 1300
            topic = f"{ROOT}/v1/salinity/s-{n:03d}/p-{n:03d}/obs"
            payload = json.dumps(_payload(n, k, t_ms, size))
            found.append((at_ms, f'{{"at":{at_ms},"topic":"{topic}","payload":{payload}}}\n'))
        found.sort()
        yield "".join(text for _, text in found).encode()


def _km(n: int, stations: int) -> float:
    return KM_FIRST + (KM_LAST - KM_FIRST) * n / max(1, stations - 1)


def _payload(n: int, k: int, t_ms: int, size: Size) -> str:
    hours, km = t_ms / HOUR_MS, _km(n, size.stations)
    into = (t_ms - BEGIN_MS) / (size.days * 86_400_000.0)
    season = 0.5 - 0.5 * math.cos(2 * math.pi * into)
    tide = (
        math.sin(2 * math.pi * hours / 12.42 + km / 15)
        + 0.4 * math.sin(2 * math.pi * hours / 24.84)
        + 0.3 * math.sin(2 * math.pi * hours / (24 * 14.77))
    )
    salinity = 0.12 + 25.0 * season * math.exp(-km / 22.0) * (1 + 0.4 * tide)
    noise = (n * 7919 + k * 104_729) % 100 / 1e4
    ec = max(0.2, 1.75 * salinity) + noise
    return (
        f'{{"v":1,"boot":17,"seq":{k},"samples":[{{"t":{t_ms},"ec_ms_cm":{ec:.4f},'
        f'"temp_c":{28.4 + noise:.3f},"depth_m":1.2,"level_m":{2.31 + 0.4 * tide:.3f},'
        '"battery_v":3.71}]}'
    )
