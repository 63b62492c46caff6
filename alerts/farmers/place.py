"""A farmer's place: an intake, and the side of its gate on which his water lies. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ingest.intakes import SIDES, Intake


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`side` is "river" (outside the gate) or "field" (in the canals behind it)."""

    intake: str
    side: str

    def __str__(self) -> str:
        return f"{self.intake}/{self.side}"


def parse_place(text: str) -> Place:
    """From `intake/side`. Raises ValueError."""
    intake, _, side = text.partition("/")
    if not intake or side not in SIDES:
        raise ValueError(f"{text!r} is no place; accepted is INTAKE/river or INTAKE/field")
    return Place(intake, side)


def places(intakes: Mapping[str, Intake]) -> tuple[Place, ...]:
    """All that can be chosen: behind a gate lies another water than in front of it."""
    return tuple(_places(intakes.values()))


def _places(intakes: Iterable[Intake]) -> Iterable[Place]:
    for intake in intakes:
        for side in SIDES if intake.gate is not None else (intake.side,):
            yield Place(intake.id, side)
