"""What all benchmarks do with their rounds: which of them count, and how a figure is told."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from songtien.bench.machine import NOISE_MAX_CORES


class Round(Protocol):
    """One round of the contenders; `quiet` where others left the machine to them."""

    @property
    def quiet(self) -> bool: ...


R = TypeVar("R", bound=Round)


def enough(rounds: Sequence[Round], wanted: int) -> bool:
    """Whether so many were quiet."""
    return sum(each.quiet for each in rounds) >= wanted


def counted(rounds: Sequence[R], wanted: int) -> tuple[Sequence[R], str]:
    """The quiet ones where there are enough, else all; and how many of how many, in words."""
    quiet = [each for each in rounds if each.quiet]
    if enough(rounds, wanted):
        return quiet, f"{len(quiet)} quiet rounds of {len(rounds)}"
    return rounds, f"all {len(rounds)} rounds, NOISY"


def told(values: Sequence[float], form: str) -> str:
    """The median with its range."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


@dataclass(frozen=True, slots=True)
class Taken:
    """One contender's round. Processor times in µs for each unit; `others` in cores."""

    rate_s: float
    contender_us: float
    server_us: float
    others: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Both contenders, one after the other: the plainest that does the same, and ours."""

    peer: Taken
    ours: Taken

    @property
    def ratio(self) -> float:
        return self.ours.rate_s / self.peer.rate_s

    @property
    def quiet(self) -> bool:
        return max(self.peer.others, self.ours.others) <= NOISE_MAX_CORES


@dataclass(frozen=True, slots=True)
class Contest:
    """What pairs are of, in words: who both are, what served them, what was counted."""

    name: str
    ours: str
    peer: str
    server: str
    unit: str

    def line(self, number: int, pair: Pair) -> str:
        """One round."""

        def of(who: str, taken: Taken) -> str:
            return (
                f"{who} {taken.rate_s:,.0f}/s, {taken.contender_us:.1f} µs "
                f"({self.server} {taken.server_us:.1f})"
            )

        return (
            f"round {number}: ratio {pair.ratio:.2f}; {of(self.ours, pair.ours)}; "
            f"{of(self.peer, pair.peer)}; others {pair.peer.others:.2f}, {pair.ours.others:.2f} "
            f"cores{'' if pair.quiet else '; noisy'}"
        )

    def summary(self, pairs: Sequence[Pair], wanted: int) -> str:
        """The medians with their ranges, of the quiet rounds where there are enough."""
        chosen, of_all = counted(pairs, wanted)

        def both(name: str, form: str) -> str:
            ours = told([getattr(pair.ours, name) for pair in chosen], form)
            return f"{ours} of {told([getattr(pair.peer, name) for pair in chosen], form)}"

        return (
            f"{self.name}: {told([pair.ratio for pair in chosen], '.2f')} of {self.peer}; "
            f"{both('rate_s', ',.0f')} {self.unit}s/s; processor time "
            f"{both('contender_us', '.1f')} µs/{self.unit}, the {self.server}'s "
            f"{both('server_us', '.1f')}; {of_all}"
        )
