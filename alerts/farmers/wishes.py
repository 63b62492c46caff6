"""What people write when they say what they want to be told of: read, or refused with what is
accepted. Pure; JSON, forms and lists of communities share it.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

from alerts.farmers import reasons
from alerts.farmers.crops import CROPS, LEVELS_MG_L, level_at_most
from alerts.farmers.notice import USUAL, Wants
from alerts.farmers.person import Follow, Quiet
from alerts.farmers.place import Place
from alerts.farmers.reasons import Reason, figure

WANTED: Final = {
    "salt": Wants.SALT,
    "man": Wants.SALT,
    "fresh": Wants.FRESH,
    "ngot": Wants.FRESH,
    "windows": Wants.WINDOWS,
    "cua-so": Wants.WINDOWS,
    "silent": Wants.SILENT,
    "mat-tin-hieu": Wants.SILENT,
    "bulletin": Wants.BULLETIN,
    "ban-tin": Wants.BULLETIN,
}

_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3])(?:[:hH.]([0-5][0-9])?)?")
LIMIT_MIN_G_L: Final = LEVELS_MG_L[0] / 1000
LIMIT_MAX_G_L: Final = LEVELS_MG_L[-1] / 1000


class BadWish(ValueError):  # noqa: N818 - it says what is, not that something is broken
    """A field that isn't understood, and what is accepted; `reason`: in both languages."""

    def __init__(self, field: str, reason: Reason) -> None:
        super().__init__(f"{field}: {reason.en}")
        self.field = field
        self.accepted = reason.en
        self.reason = reason


SIDES: Final = {
    "ngoai-song": "river",
    "ngoai": "river",
    "song": "river",
    "trong-dong": "field",
    "trong": "field",
    "dong": "field",
    "sau-cong": "field",
}
"""As people write them, plain."""


def plain(text: str) -> str:
    """Lower case without diacritics, words joined by "-": "Măng  cụt" is "mang-cut"."""
    low = unicodedata.normalize("NFD", text.strip().lower().replace("đ", "d"))
    bare = "".join(c for c in low if not unicodedata.combining(c))
    return re.sub(r"[\s_-]+", "-", bare)


def read_follow(
    place: str,
    crop: str,
    limit_g_l: float | None,
    wants: Wants,
    known: Collection[Place],
) -> Follow:
    """A place, a crop, and its limit or one's own. Raises BadWish."""
    found = read_place(place, known)
    grown = read_crop(crop)
    if limit_g_l is None:
        return Follow(found, grown, CROPS[grown].limit_mg_l, wants)
    if not LIMIT_MIN_G_L <= limit_g_l <= LIMIT_MAX_G_L:
        low, high = figure(LIMIT_MIN_G_L), figure(LIMIT_MAX_G_L)
        raise BadWish("limit_g_l", reasons.LIMIT_RANGE.say(low=low, high=high))
    # A float of a decimal fraction may lie a hair below the level that it means.
    return Follow(found, grown, level_at_most(round(limit_g_l * 1000, 3)), wants)


def read_place(text: str, known: Collection[Place]) -> Place:
    """`intake/side`, or the intake alone where it has but one side. Raises BadWish."""
    intake, _, side = plain(text).partition("/")
    intake = _named(intake, {one.intake for one in known})
    side = SIDES.get(side, side)
    near = [one for one in sorted(known) if one.intake == intake and side in ("", one.side)]
    if len(near) != 1:
        shown = near or sorted(known)
        raise BadWish("place", reasons.PLACE.say(places=", ".join(map(str, shown[:40]))))
    return near[0]


def _named(text: str, intakes: Collection[str]) -> str:
    """The one intake whose id stands in what people call it: "cong-xuan-hoa" is "xuan-hoa"."""
    if text in intakes:
        return text
    found = [each for each in intakes if f"-{each}-" in f"-{text}-"]
    return found[0] if len(found) == 1 else text


def read_crop(text: str) -> str:
    """The id of a crop, by its id or either of its names. Raises BadWish."""
    asked = plain(text)
    for crop in CROPS.values():
        if asked in (crop.id, plain(crop.vi), plain(crop.en)):
            return crop.id
    # "Lúa, lúc khác" has a comma of its own.
    named = Reason(", ".join(CROPS), "; ".join(each.vi for each in CROPS.values()))
    raise BadWish("crop", reasons.CROP.say(crops=named))


def read_wants(names: Iterable[str]) -> Wants:
    """What to be told of; the usual where nothing is named. Raises BadWish."""
    asked = [plain(name) for name in names if name.strip()]
    found = Wants(0)
    for name in asked:
        if name not in WANTED:
            raise BadWish("notices", reasons.NOTICES)
        found |= WANTED[name]
    return found if asked else USUAL


def read_quiet(from_text: str, to_text: str, *, urgent_passes: bool = True) -> Quiet:
    """Hours of the day: "21:00", "21h30", "5". Raises BadWish."""
    start, end = _minute(from_text), _minute(to_text)
    if start == end:
        raise BadWish("quiet", reasons.QUIET_SAME)
    return Quiet(start, end, urgent_passes)


def read_lang(text: str) -> str:
    """Raises BadWish."""
    asked = {"": "vi", "viet": "vi", "tieng-viet": "vi", "english": "en", "anh": "en"}
    lang = asked.get(plain(text), plain(text))
    if lang not in ("vi", "en"):
        raise BadWish("lang", reasons.LANG)
    return lang


def _minute(text: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise BadWish("quiet", reasons.QUIET_CLOCK)
    return int(match[1]) * 60 + int(match[2] or 0)
