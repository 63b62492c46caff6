"""Lines of salt by landmark: how far a level reaches, and between which stations that is. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from ingest.reading import Batch, Flag, Why
from ingest.registry import Registry
from ingest.series import stations_along

LEVELS_G_L: Final = (1, 4)
FRESH_MS: Final = 2 * 3_600_000
"""A line is formed every quarter of an hour; one that is older says nothing of this moment."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """The stations below and above a place, the nearer to the sea first, and it in words."""

    between: tuple[str, ...]
    text_vi: str
    text_en: str


def short(name: str) -> str:
    """A station's name without what stands in brackets behind it."""
    return name.partition(" (")[0]


def landmark(registry: Registry, mouth: str, km: float, bound: str | None) -> Landmark:
    """Where a distance from a mouth lies, for people who know the places and not the figure.

    bound : "beyond" (the salt reaches further than `km`), "below" (it does not reach it), None
    """
    along = stations_along(registry, mouth)
    lower = [each for each in along if each.km_from_mouth[mouth] <= km]
    upper = [each for each in along if each.km_from_mouth[mouth] > km]
    if bound == "below":
        place = lower[-1] if lower else along[0]
        name = short(place.name)
        return Landmark((place.id,), f"chưa tới {name}", f"not up to {name}")
    if lower and (bound == "beyond" or not upper):
        name = short(lower[-1].name)
        return Landmark((lower[-1].id,), f"quá {name}", f"beyond {name}")
    if not lower:
        name = short(upper[0].name)
        return Landmark((upper[0].id,), f"dưới {name}", f"below {name}")
    a, b = lower[-1], upper[0]
    names = short(a.name), short(b.name)
    if a.km_from_mouth[mouth] == km:
        return Landmark((a.id,), f"tại {names[0]}", f"at {names[0]}")
    vi, en = f"giữa {names[0]} và {names[1]}", f"between {names[0]} and {names[1]}"
    return Landmark((a.id, b.id), vi, en)


def told_line(registry: Registry, mouth: str, km: Batch, sd: Batch, at: int) -> dict[str, Any]:
    """One row of a line's series, with the deviation of the same time where there is one."""
    t_ms, value = int(km.t_ms[at]), float(km.value[at])
    bound = None
    if km.why[at] & Why.BOUND:
        # Salt behind the last station may raise a danger, so it is suspect; fresh water is good.
        bound = "beyond" if km.flag[at] == Flag.SUSPECT else "below"
    place = landmark(registry, mouth, value, bound)
    found = sd.value[sd.t_ms == t_ms]
    return {
        "t": t_ms,
        "km": value,
        "sd_km": float(found[0]) if len(found) and bound is None else None,
        "bound": bound,
        "between": list(place.between),
        "landmark_vi": place.text_vi,
        "landmark_en": place.text_en,
    }


def last_line(
    registry: Registry, mouth: str, km: Batch, sd: Batch, at_ms: int
) -> dict[str, Any] | None:
    """The newest line up to a time; None where the newest is older than two hours."""
    places = (km.t_ms <= at_ms) & (km.t_ms > at_ms - FRESH_MS)
    if not places.any():
        return None
    return told_line(registry, mouth, km, sd, int(places.nonzero()[0][-1]))


def furthest_line(registry: Registry, mouth: str, km: Batch, sd: Batch) -> dict[str, Any] | None:
    """The furthest of those given; a bound that says "not up to" is none where others are."""
    if not len(km):
        return None
    reaches = ~(((km.why & Why.BOUND) != 0) & (km.flag != Flag.SUSPECT))
    ranked = km.value + 1e6 * reaches
    return told_line(registry, mouth, km, sd, int(ranked.argmax()))
