"""What all benchmarks do with their rounds: which of them count, and how a figure is told."""

import statistics
from collections.abc import Sequence
from typing import Protocol, TypeVar


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
    return rounds, f"{len(rounds)} rounds, NOISY of {len(rounds)}"


def told(values: Sequence[float], form: str) -> str:
    """The median with its range."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"
