"""Rules: the engine beside a plain loop that gives the same transitions, and the memory's speed.

Every series gets a sample in every step. In one contest the value of one series in a hundred
is a new one, in the other every value is. The loop is the plainest that is not slow on
purpose: a list of pairs for each series, slots, local names, the usual case first. Both give
the same transitions, compared field by field outside of what is timed.

The third contest holds the engine at 1,000,000 pairs against the time in which this machine
reads the 14 bytes that each pair's state takes in a dense layout (level, since, and six bits
and pieces), measured in the same round.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

import numpy as np

from alerts.engine import Engine
from alerts.rules import Ask, Rule, RuleSet, Severity
from alerts.transition import Cause, Change, Transition
from ingest.reading import Batch, Flag, IntArray, rounded
from ingest.registry import Registry, parse_registry
from ingest.series import Series, SeriesTable
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.bench.stand import BenchError

STEP_MS: Final = 900_000
START_MS: Final = 1_767_000_000_000
BYTES_A_PAIR: Final = 14
SPAN_G_L: Final = 20.0
"""Levels are spread evenly over so much; values walk about within it."""


T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Scene:
    """A contest: so many series and rules, and the share of values that are new in a step."""

    name: str
    n_series: int
    n_rules: int
    changed: float
    loop: bool
    steps: int


SCENES: Final = (
    Scene("1,000 series x 100 rules, 1 % changed", 1_000, 100, 0.01, loop=True, steps=20),
    Scene("1,000 series x 100 rules, all changed", 1_000, 100, 1.0, loop=True, steps=20),
    Scene("100,000 series x 10 rules, 1 % changed", 100_000, 10, 0.01, loop=False, steps=20),
)


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int
    tries: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One round of a scene, ns for each pair: the engine, and what it is held against."""

    scene: Scene
    ours_ns: float
    other_ns: float
    transitions: int
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= NOISE_MAX_CORES

    @property
    def ratio(self) -> float:
        """How often faster than the loop; or how many times the memory's time."""
        if self.scene.loop:
            return self.other_ns / self.ours_ns
        return self.ours_ns / self.other_ns


def table_of(n_series: int) -> tuple[SeriesTable, Registry]:
    """Series by themselves, without the stations and devices that are not asked for here."""
    registry = parse_registry("", "stations.toml")
    entries = [
        Series(
            id=number,
            key=f"s{number}/salinity_g_l",
            stream=f"s{number}",
            station="",
            device=f"s{number}",
            kind="salinity",
            branches=(),
            quantity="salinity_g_l",
            unit="g/L",
            direction=None,
            level=None,
            expected_s=STEP_MS / 1000,
            announced=False,
        )
        for number in range(n_series)
    ]
    return SeriesTable(entries), registry


def rules_of(count: int) -> RuleSet:
    """Levels evenly spread, half above and half below, every other one with a hold."""
    rules = []
    for number in range(count):
        level = round(SPAN_G_L * (number + 0.5) / count, 3)
        below = number % 2 == 1
        hold_s = 0.0 if number % 4 < 2 else 1800.0
        rules.append(
            Rule(
                id=f"r{number}",
                quantity="salinity_g_l",
                severity=Severity.INFO,
                ask=Ask.BELOW if below else Ask.ABOVE,
                raise_level=level,
                clear_level=round(level * (1.1 if below else 0.9), 4),
                for_s=hold_s,
                clear_for_s=hold_s,
            )
        )
    return RuleSet(tuple(rules))


def feed(scene: Scene, steps: int) -> Iterator[Batch]:
    """Values that walk about at random, as salinity does from one sample to the next."""
    chance = np.random.default_rng(20260101)
    value = chance.uniform(0, SPAN_G_L, scene.n_series)
    series = np.arange(scene.n_series)
    for number in range(steps):
        new = chance.random(scene.n_series) < scene.changed
        walked = np.clip(value + chance.normal(0, 0.1, scene.n_series), 0, SPAN_G_L)
        value = rounded(np.where(new, walked, value))
        flag = np.where(chance.random(scene.n_series) < 0.005, Flag.SUSPECT, Flag.PASS)
        t_ms = np.full(scene.n_series, START_MS + number * STEP_MS)
        yield Batch.of(series, t_ms, value, flag)


class _Pair:
    """State of one rule on one series, in the loop."""

    __slots__ = (
        "active",
        "clear_level",
        "first",
        "hold_ms",
        "last_ms",
        "pending_ms",
        "raise_level",
        "rule",
        "samples",
        "sign",
        "worst",
    )

    def __init__(self, rule: Rule) -> None:
        assert rule.raise_level is not None
        assert rule.clear_level is not None
        self.rule = rule
        self.sign = -1.0 if rule.ask is Ask.BELOW else 1.0
        self.raise_level = rule.raise_level * self.sign
        self.clear_level = rule.clear_level * self.sign
        self.hold_ms = round(rule.for_s * 1000)
        self.active = False
        self.pending_ms = -1
        self.last_ms = 0
        self.samples = 0
        self.worst = 0
        self.first = 0.0


class Loop:
    """The plain loop: rules above and below with holds, hysteresis, gaps and suspect values."""

    def __init__(self, rules: RuleSet, n_series: int) -> None:
        self._pairs = [[_Pair(rule) for rule in rules.rules] for _ in range(n_series)]
        self._ordinal = [0] * n_series
        self._gap_ms = 2 * STEP_MS

    def step(self, batch: Batch) -> list[Transition]:
        found: list[Transition] = []
        rows = zip(
            batch.series.tolist(),
            batch.t_ms.tolist(),
            batch.value.tolist(),
            batch.flag.tolist(),
            strict=True,
        )
        for series, t_ms, value, flag in rows:
            self._ordinal[series] += 1
            for pair in self._pairs[series]:
                y = value * pair.sign
                if pair.active:
                    proves = y < pair.clear_level and flag != Flag.SUSPECT
                else:
                    proves = y > pair.raise_level
                if proves:
                    if self._proved(pair, t_ms, value, flag):
                        found.append(self._turned(pair, series, t_ms, value, flag))
                else:
                    pair.pending_ms = -1
        return found

    def _proved(self, pair: _Pair, t_ms: int, value: float, flag: int) -> bool:
        if pair.pending_ms < 0 or t_ms - pair.last_ms > self._gap_ms:
            pair.pending_ms = t_ms
            pair.samples = 1
            pair.worst = flag
            pair.first = value
        else:
            pair.samples += 1
            pair.worst = max(pair.worst, flag)
        pair.last_ms = t_ms
        return t_ms - pair.pending_ms >= pair.hold_ms

    def _turned(self, pair: _Pair, series: int, t_ms: int, value: float, flag: int) -> Transition:
        since_ms, pair.pending_ms = pair.pending_ms, -1
        pair.active = not pair.active
        rule = pair.rule
        return Transition(
            kind=Change.RAISED if pair.active else Change.CLEARED,
            rule=rule.id,
            series=series,
            t_since_ms=since_ms,
            t_event_ms=t_ms,
            value=value,
            flag=flag,
            limit=rule.raise_level if pair.active else rule.clear_level,
            at_ms=-1,
            cause=Cause.LEVEL,
            worst_flag=pair.worst,
            why=0,
            samples=pair.samples,
            first_value=pair.first,
            reading=value,
            ordinal=self._ordinal[series],
        )


class _Contest:
    """Both contenders of a scene, warm, with the feed before them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        table, registry = table_of(scene.n_series)
        rules = rules_of(scene.n_rules)
        self._engine = Engine(rules, table, registry)
        self._loop = Loop(rules, scene.n_series) if scene.loop else None
        warm = 4
        self._batches = feed(scene, 1_000_000)
        for batch in islice(self._batches, warm):
            self._engine.step(batch)
            if self._loop is not None:
                self._loop.step(batch)

    def round(self) -> Taken:
        """The same steps by one and then by the other; the medians of the steps."""
        begin = Moment.now()
        batches = list(islice(self._batches, self.scene.steps))
        ours_s, ours = _timed(self._engine.step, batches)
        if self._loop is not None:
            other_s, theirs = _timed(self._loop.step, batches)
            if ours != theirs:
                raise BenchError(f"{self.scene.name}: the loop and the engine differ")
        else:
            other_s, _ = _timed(_read, [self.scene.n_series * self.scene.n_rules] * len(batches))
        others = Moment.now().others_since(begin)
        pairs = self.scene.n_series * self.scene.n_rules
        changes = sum(map(len, ours))
        return Taken(self.scene, ours_s / pairs * 1e9, other_s / pairs * 1e9, changes, others)


def _timed(work: Callable[[T], R], given: Sequence[T]) -> tuple[float, list[R]]:
    """The median time of a step, s, and what the steps gave."""
    times, found = [], []
    for each in given:
        begin = time.perf_counter()
        answer = work(each)
        times.append(time.perf_counter() - begin)
        found.append(answer)
    return statistics.median(times), found


_HELD: dict[int, IntArray] = {}


def _read(pairs: int) -> int:
    """Read the state of so many pairs once, as quickly as NumPy can."""
    size = pairs * BYTES_A_PAIR // 8
    return int(np.bitwise_or.reduce(_HELD.setdefault(size, np.ones(size, dtype=np.int64))))


def run(
    size: Size, progress: Callable[[str], None], scenes: Sequence[Scene] = SCENES
) -> list[list[Taken]]:
    """The rounds of each scene. Raises BenchError where both differ in what they tell."""
    contests = [_Contest(scene) for scene in scenes]
    found: list[list[Taken]] = [[] for _ in contests]
    for number in range(1, size.tries + 1):
        for contest, taken in zip(contests, found, strict=True):
            if not enough(taken, size.rounds):
                taken.append(contest.round())
                progress(f"round {number}: {_line(taken[-1])}")
    return found


def _line(taken: Taken) -> str:
    against = "the loop" if taken.scene.loop else "reading the memory"
    return (
        f"{taken.scene.name}: ratio {taken.ratio:.1f}; {taken.ours_ns:.2f} ns a pair, {against} "
        f"{taken.other_ns:.2f}; {taken.transitions} transitions; others {taken.others:.2f} cores"
        f"{'' if taken.quiet else '; noisy'}"
    )


def summary(found: Sequence[Sequence[Taken]], wanted: int) -> list[str]:
    """A line for each scene: medians with their ranges."""
    lines = []
    for rounds in found:
        chosen, of_all = counted(rounds, wanted)
        scene = rounds[0].scene
        ratio = told([each.ratio for each in chosen], ".1f")
        ours = told([each.ours_ns for each in chosen], ".2f")
        other = told([each.other_ns for each in chosen], ".2f")
        what = (
            f"{ratio} times as fast as a plain loop with the same transitions"
            if scene.loop
            else f"{ratio} times the time to read {BYTES_A_PAIR} bytes a pair"
        )
        lines.append(f"rules, {scene.name}: {what}; {ours} ns a pair of {other}; {of_all}")
    return lines
