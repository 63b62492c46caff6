"""Names beside the bars of a row: where each has room, and which bars share one."""

from collections.abc import Sequence
from dataclasses import dataclass

_CHARACTER = 1 / 130
"""Of a panel's width, that a character of a name takes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in days from the left edge, or some that have one name for them all."""

    low: float
    high: float
    name: str

    def reach(self, span: float) -> float:
        """Where the name ends that stands behind it, in a panel of `span` days."""
        return self.high + span * _CHARACTER * (len(self.name) + 1)

    def before(self, span: float) -> float:
        """Where the name begins that stands before it."""
        return self.low + self.high - self.reach(span)

    def side(self, span: float) -> str:
        """Where its name has room."""
        if self.reach(span) <= span:
            return "right"
        return "left" if self.before(span) >= 0.0 else "inside"

    def and_then(self, other: "Bar") -> "Bar":
        names = dict.fromkeys((*self.name.split(", "), *other.name.split(", ")))
        return Bar(self.low, max(self.high, other.high), ", ".join(names))


def clusters(bars: Sequence[Bar], span: float) -> list[Bar]:
    """Bars of one row that are closer than their names would be, each device named once."""
    found: list[Bar] = []
    for each in sorted(bars, key=lambda bar: (bar.low, bar.high, bar.name)):
        one = each
        while found and (
            found[-1].reach(span) > one.low
            or (one.side(span) == "left" and found[-1].reach(span) > one.before(span))
        ):
            one = found.pop().and_then(one)
        found.append(one)
    return found
