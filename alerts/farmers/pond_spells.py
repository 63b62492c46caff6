"""Salt spells of a season so far, out of a place's history: how long a pond had to last. Pure.

What it detects: the stretches in which water at a place could not be counted on, for one limit.
Formula: a spell begins with the first figure of at least the limit, good or suspect. It ends
when good figures of `CALM_MS` = 25 h, none more than 0.8 of the limit, lie behind: the two high
waters of a day differ. What is measured hourly shows windows within a spell too: the first
figure of at most 0.8 of the limit after its begin.
Units: ms, g/L.
Cost: a spell is longer by the 25 h in which nobody could know yet that it was over.
Gaps: a hole of more than `HOLE_MS` may hide a high water: the 25 h begin anew after it, and what
touches it is not sure. So it is where a suspect figure alone keeps a spell going.
Reference: `alerts.river.spells`, `alerts.farmers.vigil`, which find the same as it happens.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from alerts.river.decision import near_g_l
from ingest.reading import Flag

CALM_MS: Final = 90_000_000
HOLE_MS: Final = 3 * 3_600_000
"""As in `alerts.river.spells` (expert judgement, unverified)."""

Point = tuple[int, float, int]
"""Begin of the time that a figure stands for, ms; its highest salinity, g/L; its flag."""


@dataclass(frozen=True, slots=True)
class Spell:
    """end_ms : None while it goes on; window_ms : when water first was fresh within it, or None.

    sure : no hole lies before its begin, within it or at its end
    """

    begin_ms: int
    end_ms: int | None
    top_g_l: float
    window_ms: int | None = None
    sure: bool = True


def spells_of(points: Iterable[Point], level_mg_l: int, step_ms: int) -> list[Spell]:
    """The salt spells of a limit, oldest first.

    points : rising in time, none twice; what failed or is missing isn't among them, or has its
        flag and is a hole
    step_ms : what a point stands for: an hour, or a day of daily maxima, which show no windows
    """
    limit_g_l = level_mg_l / 1000
    near = near_g_l(limit_g_l)
    found: list[Spell] = []
    inside: Spell | None = None
    calm_ms: int | None = None
    until_ms: int | None = None
    hole = False
    for t_ms, value_g_l, flag in points:
        if flag not in (Flag.PASS, Flag.SUSPECT):
            continue
        after_hole = until_ms is not None and t_ms - until_ms > HOLE_MS
        if after_hole:
            calm_ms, hole = None, True
        until_ms = t_ms + step_ms
        calm = flag == Flag.PASS and value_g_l <= near
        if value_g_l >= limit_g_l:
            if inside is None:
                inside = Spell(t_ms, None, value_g_l, sure=not hole)
            inside = replace(inside, top_g_l=max(inside.top_g_l, value_g_l))
        calm_ms = (t_ms if calm_ms is None else calm_ms) if calm else None
        if inside is not None:
            inside = _within(inside, t_ms, step_ms, calm=calm, unsure=after_hole)
            inside = replace(inside, sure=inside.sure and (calm or flag == Flag.PASS))
        if calm_ms is not None and until_ms - calm_ms >= CALM_MS:
            hole = False
            if inside is not None:
                found.append(replace(inside, end_ms=until_ms))
                inside = None
    return found if inside is None else [*found, inside]


def _within(spell: Spell, t_ms: int, step_ms: int, *, calm: bool, unsure: bool) -> Spell:
    """What a point of an open spell adds to it."""
    shows_windows = step_ms < CALM_MS // 2
    if calm and shows_windows and spell.window_ms is None:
        spell = replace(spell, window_ms=t_ms)
    return replace(spell, sure=False) if unsure else spell
