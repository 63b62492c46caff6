"""What a garden, a field or animals need of a pond in a day of the dry season. Pure.

Formula: ETc = Kc ET0 (Allen et al., FAO Irrigation and Drainage Paper 56, 1998, eq. 58); 1 mm
on 1000 m² is 1 m³. Kc is that of the middle of the season in its Table 12. ET0 = 5 mm/day, the
upper end of the months in the delta (Dinh Giang et al., Evaluating Reference Crop
Evapotranspiration ... in the Vietnamese Mekong Delta, Journal of Climate Change: 3.5 to 5.0).
That is full watering: who saves water lives longer on a pond, and gives his own figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ET0_MM_DAY: Final = 5.0


@dataclass(frozen=True, slots=True)
class Need:
    """m3_day : of 1000 m² ("area") or of one animal or person ("head")."""

    m3_day: float
    per: str
    source: str
    unverified: bool = False


_FAO: Final = "FAO-56, Table 12"
_LIKE: Final = "expert judgement, unverified: as other evergreen fruit trees"
_HEAD: Final = "expert judgement, unverified"


def _crop(kc: float, of: str) -> Need:
    return Need(kc * ET0_MM_DAY, "area", f"{_FAO}: {of}, Kc {kc:g}")


def _tree(kc: float = 0.85) -> Need:
    return Need(kc * ET0_MM_DAY, "area", f"{_LIKE}, Kc {kc:g}", unverified=True)


def _heads(litres_day: float) -> Need:
    return Need(litres_day / 1000, "head", f"{_HEAD}: {litres_day:g} L", unverified=True)


NEEDS: Final[Mapping[str, Need]] = {
    "durian": _tree(),
    "mangosteen": _tree(),
    "rambutan": _tree(),
    "longan": _tree(),
    "guava": _tree(),
    "star-apple": _tree(),
    "acerola": _tree(),
    "mango": _tree(),
    "jackfruit": _tree(),
    "soursop": _tree(),
    "papaya": _tree(1.0),
    "ornamental-mai": _tree(0.7),
    "dragon-fruit": _tree(0.5),
    "avocado": _crop(0.85, "avocado, no ground cover"),
    "banana": _crop(1.1, "banana, first year"),
    "cacao": _crop(1.05, "cacao"),
    "pineapple": _crop(0.5, "pineapple, with grass cover"),
    "pomelo": _crop(0.65, "citrus, 70 % canopy"),
    "orange": _crop(0.65, "citrus, 70 % canopy"),
    "lime": _crop(0.65, "citrus, 70 % canopy"),
    "coconut": _crop(1.0, "palm trees"),
    "leafy-vegetables": _crop(1.05, "small vegetables"),
    "fruit-vegetables": _crop(1.15, "tomato"),
    "maize": _crop(1.2, "maize"),
    "beans": _crop(1.15, "beans, groundnut"),
    "sugarcane": _crop(1.25, "sugar cane"),
    "rice-seedling": _crop(1.05, "rice, at the start"),
    "rice-booting": _crop(1.2, "rice"),
    "rice": _crop(1.2, "rice"),
    "poultry": _heads(0.3),
    "pigs": _heads(15),
    "cattle": _heads(50),
    "household": _heads(80),
}
"""By crop of `alerts.farmers.crops`."""
