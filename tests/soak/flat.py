"""Whether something stays as large as it is: a course of samples, and its last third."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

SHARE = 0.10
LEAST = 6
"""Of fewer samples nothing can be said, and that is not flat."""


@dataclass(slots=True)
class Course:
    """Samples of one figure in the order of time.

    floor : by so much, in its unit, it may grow whatever its size
    """

    name: str
    unit: str
    floor: float
    samples: list[float] = field(default_factory=list)

    @property
    def thirds(self) -> tuple[float, float, float]:
        """The median of each third of the time."""
        a, b = len(self.samples) // 3, 2 * len(self.samples) // 3
        parts = (self.samples[:a], self.samples[a:b], self.samples[b:])
        first, second, third = (statistics.median(part) for part in parts)
        return first, second, third

    @property
    def flat(self) -> bool:
        """The last third is no more than `SHARE`, and a floor, above the second.

        The first fills what is kept on purpose.
        """
        if len(self.samples) < LEAST:
            return False
        _, second, third = self.thirds
        return third <= second * (1 + SHARE) or third <= second + self.floor

    def told(self) -> str:
        if len(self.samples) < LEAST:
            return f"{self.name:34} {len(self.samples)} samples, {LEAST} are needed"
        first, second, third = self.thirds
        return (
            f"{self.name:34} {first:9.1f} {second:9.1f} {third:9.1f} {self.unit:4} "
            f"at most {max(self.samples):.1f}{'' if self.flat else '  GROWS'}"
        )


def growing(courses: Sequence[Course]) -> list[str]:
    """Those that are not flat, as one line each."""
    return [course.told() for course in courses if not course.flat]
