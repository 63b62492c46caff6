"""The levels at which the salt spells of a station are told, by its distance from the sea.

One limit for all stations cries wolf: 4 g/L is everyday near a mouth, and comes far too late
for the durian above km 50. The figures are expert judgement, unverified; the limits that
alerts go by are those of the rules' file.
"""

from dataclasses import dataclass
from typing import Final

from ingest.stations import Station


@dataclass(frozen=True, slots=True)
class SpellLevel:
    """A spell begins above `raise_above` and ends below `clear_below`, g/L."""

    raise_above: float
    clear_below: float


_BANDS: Final[tuple[tuple[float, float, tuple[SpellLevel, ...]], ...]] = (
    (15.0, 35.0, (SpellLevel(4.0, 3.6),)),
    (
        35.0,
        50.0,
        (
            SpellLevel(0.5, 0.40),
            SpellLevel(1.0, 0.85),
            SpellLevel(2.0, 1.75),
            SpellLevel(4.0, 3.6),
        ),
    ),
    (
        50.0,
        1000.0,
        (SpellLevel(0.3, 0.24), SpellLevel(0.5, 0.40), SpellLevel(1.0, 0.85)),
    ),
)
"""From km, to below km, levels. Nearer than 15 km from the sea salt water is the usual state."""

LEVELS_MAX: Final = 4


def spell_levels(station: Station) -> tuple[SpellLevel, ...]:
    """The levels of a station, by its distance from the nearest mouth; none on the coast."""
    km = station.nearest_km
    for low, high, levels in _BANDS:
        if km is not None and station.side != "coast" and low <= km < high:
            return levels
    return ()
