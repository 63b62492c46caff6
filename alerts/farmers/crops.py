"""What is grown, what it bears, and the levels at which somebody can be told. Pure.

Salinity as a whole number of mg/L here, so that a level is a key and no float is compared.
Limits are what a plant or animal tolerates; that is not an advice to irrigate up to them. Where
sources conflict the lower figure stands, marked unverified. Every farmer can choose another.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LEVELS_MG_L: Final = (
    300,
    400,
    450,
    500,
    600,
    800,
    1000,
    1200,
    1500,
    2000,
    2500,
    3000,
    4000,
    5000,
    7000,
    10000,
)
"""The limits that can be followed: each is watched at every place, whoever asks."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One thing that is grown or watered, at one stage.

    vi, en : its name in plain words
    limit_mg_l : one of `LEVELS_MG_L`
    unverified : sources conflict, or a person has yet to look
    """

    id: str
    vi: str
    en: str
    limit_mg_l: int
    source: str
    unverified: bool = False

    @property
    def limit_g_l(self) -> float:
        return self.limit_mg_l / 1000


_DURIAN: Final = "nongnghiep.vn d353660; baomoi.com c48559487"
_SENSITIVE: Final = "bancaydep.com: sensitive group, 0.5 to 1 g/L"
_MEDIUM: Final = "bancaydep.com: medium group, 1 to 2 g/L"
_GO_CONG: Final = "agricultural office of Gò Công Đông, by hanghieugiatot"
_BEN_TRE: Final = "baodongkhoi.vn a112066"
_RICE_YOUNG: Final = "Zeng, California Agriculture 56(6), 2002, p. 189: loss from 1.9 dS/m on"

CROPS: Final[Mapping[str, Crop]] = {
    each.id: each
    for each in (
        Crop("durian", "Sầu riêng", "Durian", 500, _DURIAN),
        Crop("mangosteen", "Măng cụt", "Mangosteen", 500, _DURIAN),
        Crop("rambutan", "Chôm chôm", "Rambutan", 500, _SENSITIVE),
        Crop("longan", "Nhãn", "Longan", 500, _SENSITIVE),
        Crop("avocado", "Bơ", "Avocado", 500, _SENSITIVE),
        Crop("papaya", "Đu đủ", "Papaya", 500, _SENSITIVE),
        Crop("banana", "Chuối", "Banana", 500, f"{_SENSITIVE}; {_GO_CONG}: 2 to 4", True),
        Crop("ornamental-mai", "Mai vàng", "Yellow apricot blossom", 500, _DURIAN),
        Crop("rice-seedling", "Lúa mạ, mới sạ", "Rice, seedling", 1000, _RICE_YOUNG),
        Crop("rice-booting", "Lúa làm đòng, trổ", "Rice, booting", 1000, _RICE_YOUNG),
        Crop("rice", "Lúa, lúc khác", "Rice, other stages", 2000, _BEN_TRE),
        Crop("dragon-fruit", "Thanh long", "Dragon fruit", 1000, _GO_CONG),
        Crop("leafy-vegetables", "Rau ăn lá", "Leafy vegetables", 1000, _GO_CONG),
        Crop("cacao", "Ca cao", "Cacao", 1000, _MEDIUM),
        Crop("pineapple", "Thơm (khóm)", "Pineapple", 1000, _MEDIUM),
        Crop("guava", "Ổi", "Guava", 1000, f"{_MEDIUM}; {_BEN_TRE}: 2 to 3", True),
        Crop("star-apple", "Vú sữa", "Star apple", 1000, f"{_MEDIUM}; {_BEN_TRE}: 2 to 3", True),
        Crop("acerola", "Sơ ri", "Acerola", 1000, f"{_MEDIUM}; {_BEN_TRE}: 2 to 3", True),
        Crop("pomelo", "Bưởi", "Pomelo", 1500, f"{_BEN_TRE}: 1.55; {_GO_CONG}: 2 to 4", True),
        Crop("orange", "Cam, quýt", "Orange, mandarin", 2000, f"{_BEN_TRE}; {_GO_CONG}"),
        Crop("maize", "Bắp", "Maize", 2000, f"{_BEN_TRE}; {_GO_CONG}"),
        Crop("beans", "Đậu", "Beans", 2000, f"{_BEN_TRE}; {_GO_CONG}"),
        Crop("fruit-vegetables", "Cà, ớt, bầu bí", "Tomato, chilli, gourds", 2000, _GO_CONG),
        Crop("lime", "Chanh", "Lime", 2000, _GO_CONG),
        Crop("sugarcane", "Mía", "Sugarcane", 2000, _GO_CONG),
        Crop("mango", "Xoài", "Mango", 4000, f"{_BEN_TRE}: 4 to 5", True),
        Crop("jackfruit", "Mít", "Jackfruit", 4000, f"{_BEN_TRE}: 4 to 5", True),
        Crop("soursop", "Mãng cầu xiêm", "Soursop", 4000, f"{_BEN_TRE}: 4 to 5", True),
        Crop("coconut", "Dừa", "Coconut", 3000, f"{_BEN_TRE}: 3 to 8, below 10", True),
        Crop("poultry", "Gà, vịt uống", "Chickens, ducks drinking", 2000, "baodongkhoi.vn"),
        Crop("pigs", "Heo uống", "Pigs drinking", 4000, "baodongkhoi.vn"),
        Crop("cattle", "Trâu bò, dê uống", "Cattle, goats drinking", 7000, "baodongkhoi.vn"),
        Crop("household", "Nước sinh hoạt", "Household water", 450, "TCVN 5502:2003, chloride"),
    )
}


def level_at_most(limit_mg_l: float) -> int:
    """The level that is watched for a limit: the next one that is not above it.

    Raises ValueError below the lowest.
    """
    place = bisect_right(LEVELS_MG_L, limit_mg_l)
    if place == 0:
        raise ValueError(f"{limit_mg_l} mg/L; the lowest limit is {LEVELS_MG_L[0]} mg/L")
    return LEVELS_MG_L[place - 1]
