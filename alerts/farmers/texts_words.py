"""Names, figures and times as farmers read them, long or short. Pure.

Figures have a decimal comma in Vietnamese; times are those of Vietnam, the day only where it is
not today's.
"""

from collections.abc import Sequence
from typing import Final

from alerts.farmers.crops import CROPS
from alerts.farmers.person import Person
from alerts.farmers.place import Place
from alerts.messages import local_time

Both = tuple[str, str]
"""Vietnamese and English."""

VI: Final = 0
EN: Final = 1

SIDES: Final[dict[str, Both]] = {
    "river": ("ngoài sông", "river side"),
    "field": ("trong đồng", "field side"),
}

TRENDS: Final[dict[str, Both]] = {
    "rising": ("đang lên", "rising"),
    "falling": ("đang xuống", "falling"),
    "steady": ("ổn định", "steady"),
}

_CALLED: Final[dict[str, Both]] = {
    "avocado": ("cây bơ", "avocado"),
    "beans": ("đậu phộng, đậu xanh", "beans"),
    "coconut": ("cây dừa", "coconut"),
    "guava": ("cây ổi", "guava"),
    "longan": ("cây nhãn", "longan"),
    "mango": ("cây xoài", "mango"),
    "pomelo": ("cây bưởi", "pomelo"),
    "rice": ("lúa", "rice"),
    "rice-booting": ("lúa làm đòng", "rice at booting"),
    "rice-seedling": ("lúa mạ", "rice seedlings"),
}
"""Where a crop's name alone reads as another word without its diacritics ("bo" is bơ and bò), or
within a list as several crops ("lúa, lúc khác")."""

DECIMALS_MAX: Final = 3
CROPS_MAX: Final = 3


def language(lang: str) -> int:
    """The place of a language in `Both`; whoever did not choose reads Vietnamese."""
    return EN if lang == "en" else VI


def one_line(text: str) -> str:
    return " ".join(text.split())


def clock(t_ms: int, now_ms: int) -> str:
    """`14:20`, or `14:20 12/03` of another day."""
    at, now = local_time(t_ms), local_time(now_ms)
    return at[-5:] if at[:10] == now[:10] else f"{at[-5:]} {at[:5]}"


def figure(value_g_l: float, level_mg_l: Sequence[int], lang: int) -> str:
    """Two decimals, more where it would otherwise read like a limit that it isn't."""
    limits = [each / 1000 for each in level_mg_l if each / 1000 != value_g_l]
    places = 2
    while places < DECIMALS_MAX and any(
        round(value_g_l, places) == round(limit, places) for limit in limits
    ):
        places += 1
    text = f"{value_g_l:.{places}f}".rstrip("0")
    return _in(f"{text}0" if text.endswith(".") else text, lang)


def limit(level_mg_l: int, lang: int) -> str:
    return _in(f"{level_mg_l / 1000:g}", lang)


def unit(lang: int) -> str:
    return "g/L" if lang == EN else "g/l"


def crops(person: Person, place: Place, level_mg_l: int, lang: int) -> tuple[str, ...]:
    """What somebody grows at a place whose limit this is."""
    named = (
        each.crop
        for each in person.follows
        if each.place == place and each.level_mg_l == level_mg_l
    )
    return tuple(crop_name(each, lang) for each in dict.fromkeys(named) if each in CROPS)


def crop_name(crop: str, lang: int) -> str:
    """Within a sentence, and not to be mistaken for another one without diacritics."""
    known = CROPS[crop]
    name = _CALLED.get(crop, (known.vi, known.en))[lang]
    return name[:1].lower() + name[1:]


def listed(names: Sequence[str], most: int, lang: int) -> str:
    """`sầu riêng, chuối`, or the first ones and how many more there are."""
    if len(names) <= most:
        return ", ".join(names)
    more = len(names) - most
    rest = (f"{more} loại khác", f"{more} others")[lang]
    return ", ".join([*names[:most], rest])


def shorter(name: str, most: int) -> str:
    """A place's name in at most so many characters, cut between words; "" if nothing is left.

    What stands in brackets falls first, then words from the front, where it says what kind of
    place it is: its own name stands last, and begins with a capital ("Trạm bơm nước thô Đồng Tâm").
    """
    words = one_line(name.partition("(")[0] or name).split()
    cut = False
    while words and (len(" ".join(words)) > most or (cut and words[0].islower())):
        words, cut = words[1:], True
    return " ".join(words)


def _in(number: str, lang: int) -> str:
    return number if lang == EN else number.replace(".", ",")
