"""Notices: what happened at a place that those who follow it are told of. Pure.

A notice is of a place and a level, and knows nobody: who hears of it is found when it is stored.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Any, Final

from alerts.farmers.place import Place

ANY_LEVEL: Final = 0
"""Of a notice that is the same for every limit."""


class Kind(StrEnum):
    """What is told."""

    SALT = "salt"
    """A salt spell has begun: too salty for this limit."""
    FRESH = "fresh"
    """The spell is over, and water may be taken."""
    OPEN = "open"
    """A window within a spell: water may be taken now."""
    SHUT = "shut"
    """That window is over."""
    SILENT = "silent"
    """Nothing that can be trusted is measured: not known."""
    HEARD = "heard"
    """It is measured again."""
    BULLETIN = "bulletin"
    """Words of an official bulletin, sent by two officers."""


class Wants(IntFlag):
    """What somebody asked to be told of."""

    SALT = 1
    FRESH = 2
    WINDOWS = 4
    SILENT = 8
    BULLETIN = 16


WANTED: Final[Mapping[Kind, Wants]] = {
    Kind.SALT: Wants.SALT,
    Kind.FRESH: Wants.FRESH,
    Kind.OPEN: Wants.WINDOWS,
    Kind.SHUT: Wants.WINDOWS,
    Kind.SILENT: Wants.SILENT,
    Kind.HEARD: Wants.SILENT,
    Kind.BULLETIN: Wants.BULLETIN,
}

USUAL: Final = Wants.SALT | Wants.FRESH | Wants.SILENT | Wants.BULLETIN
"""What somebody is told of who does not choose: one message for a spell, none for windows."""

CRITICAL: Final = frozenset({Kind.SALT, Kind.SHUT})
"""May pass quiet hours where the person allows it: who goes on taking loses trees."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of a place, once.

    level_mg_l : the limit it is about, of `alerts.farmers.crops.LEVELS_MG_L`, or `ANY_LEVEL`
    at_ms : when it was decided; since_ms : since when it is so, by the readings
    event : the salt spell, silence or bulletin that it belongs to; the same for all its notices
    reach : the reach of the river on which it was measured, "" where that says nothing
    body : what the words need, JSON types alone:
        place_vi        name of the intake
        station         name of the station that told, "" if none
        figure_g_l      newest reading or None; figure_ms, flag (1, 3) of it
        trend           "rising", "falling", "steady" or "" where it isn't known
        until_ms        up to when a permission (OPEN, FRESH) holds without a further reading
        ends_ms         when taking will have to end by yesterday's tide, or None ("tham khảo")
        stop_by_ms      by when who takes must have stopped, or None (SHUT)
        pump            True: fresh, but by pump only (OPEN, FRESH)
        why             of SILENT, and of SHUT where nothing is known any more: "silent",
                        "broken", "maintenance", "suspect", "no-station"
        stands          True: of a spell that was told to others, for who comes later (SALT)
        title, text, issued_ms, issuer, official : of BULLETIN (in Vietnamese, as issued)
    """

    kind: Kind
    place: Place
    level_mg_l: int
    at_ms: int
    since_ms: int
    event: str
    reach: str
    body: dict[str, Any]

    @property
    def key(self) -> str:
        """The same for the same notice after any restart."""
        said = f"{self.kind}|{self.place}|{self.level_mg_l}|{self.event}|{self.at_ms}"
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    @property
    def critical(self) -> bool:
        return self.kind in CRITICAL

    def stored(self) -> dict[str, Any]:
        """As JSON, for the outbox."""
        return {
            "kind": self.kind.value,
            "place": str(self.place),
            "level_mg_l": self.level_mg_l,
            "at": self.at_ms,
            "since": self.since_ms,
            "event": self.event,
            "reach": self.reach,
            "body": self.body,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Notice":
        """The inverse of `stored`."""
        intake, _, side = stored["place"].partition("/")
        return cls(
            Kind(stored["kind"]),
            Place(intake, side),
            stored["level_mg_l"],
            stored["at"],
            stored["since"],
            stored["event"],
            stored["reach"],
            dict(stored["body"]),
        )
