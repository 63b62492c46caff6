"""Notices of one kind at one place as one thing to say. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.farmers.notice import ANY_LEVEL, Kind, Notice
from alerts.farmers.person import Person
from alerts.farmers.place import Place
from alerts.farmers.restraint_times import PERMISSIONS
from alerts.farmers.texts_words import one_line

NEAR: Final = 0.8
"""From this share of a limit on a figure is near it, as in the table of decisions."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is said of a place: the limits that it is about, and the newest of its notices.

    levels_mg_l : lowest first; of a notice that has none those that the person follows there
    since_ms : for a danger the earliest of its notices, for a permission the latest
    ends_ms : the earliest, None as soon as one has none; stop_by_ms : the earliest, or at once
    """

    kind: Kind
    place: Place
    levels_mg_l: tuple[int, ...]
    newest: Notice
    since_ms: int
    ends_ms: int | None
    stop_by_ms: int | None
    pump: bool

    @property
    def name(self) -> str:
        return one_line(str(self.newest.body.get("place_vi") or self.place.intake))

    @property
    def figure_g_l(self) -> float | None:
        value = self.newest.body.get("figure_g_l")
        return None if value is None else float(value)

    @property
    def figure_ms(self) -> int | None:
        return self.newest.body.get("figure_ms")

    def told(self, name: str) -> Any:
        return self.newest.body.get(name)


def items(notices: Iterable[Notice], person: Person) -> list[Item]:
    """One for each kind at each place, in order of time."""
    grouped: dict[tuple[Kind, Place], list[Notice]] = {}
    for each in sorted(notices, key=lambda each: (each.at_ms, str(each.place), each.level_mg_l)):
        grouped.setdefault((each.kind, each.place), []).append(each)
    return [_item(kind, place, group, person) for (kind, place), group in grouped.items()]


def _item(kind: Kind, place: Place, group: Sequence[Notice], person: Person) -> Item:
    levels = {each.level_mg_l for each in group} - {ANY_LEVEL}
    if not levels:
        levels = {each.level_mg_l for each in person.follows if each.place == place}
    since = [each.since_ms for each in group]
    ends = [each.body.get("ends_ms") for each in group]
    stops = [each.body.get("stop_by_ms") for each in group]
    return Item(
        kind,
        place,
        tuple(sorted(levels)),
        max(group, key=lambda each: (each.body.get("figure_ms") or 0, each.at_ms, each.key)),
        max(since) if kind in PERMISSIONS else min(since),
        _earliest(ends),
        _earliest(stops),
        any(each.body.get("pump") for each in group),
    )


def _earliest(times: Sequence[int | None]) -> int | None:
    """None as soon as one isn't known."""
    known = [each for each in times if each is not None]
    return min(known) if len(known) == len(times) else None
