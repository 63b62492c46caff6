"""What somebody asks the page, read off its address; and what is wrong with it, in words. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from alerts.farmers.crops import CROPS, LEVELS_MG_L, Crop, level_at_most
from alerts.farmers.place import Place, places
from api.farmpage.say import LANGS
from ingest.intakes import Intake

SIDES: Final[Mapping[str, str]] = {"song": "river", "dong": "field"}
"""A side of the gate as it stands in an address."""

NAMED: Final[Mapping[str, str]] = {side: word for word, side in SIDES.items()}
LIMIT_G_L: Final = (LEVELS_MG_L[0] / 1000, 40.0)
_LIMIT: Final = re.compile(r"0?[.,][0-9]{1,6}|[1-9][0-9]?([.,][0-9]{1,2})?")
"""A limit as it is meant. "05" is a comma that was lost, and ten times too much; "1.000" may be a
thousand."""

NAMES: Final = ("noi", "phia", "cay", "gioihan", "lang")
SHARED: Final = ("fbclid", "gclid", "zarsrc", "utm_")
"""What others append to a link that is passed on; it changes nothing."""

SHOWN_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks.

    place, crop : None until one is chosen
    own_mg_l : a limit of one's own, as given
    """

    lang: str = "vi"
    place: Place | None = None
    crop: Crop | None = None
    own_mg_l: float | None = None

    @property
    def whole(self) -> bool:
        return self.place is not None and self.crop is not None

    @property
    def limit_mg_l(self) -> float:
        """The limit that counts: one's own, else the crop's."""
        assert self.crop is not None
        return self.crop.limit_mg_l if self.own_mg_l is None else self.own_mg_l

    @property
    def high(self) -> bool:
        """One's own limit is above what the crop bears: a comma that was forgotten, maybe."""
        return self.crop is not None and self.limit_mg_l > self.crop.limit_mg_l

    @property
    def level_mg_l(self) -> int:
        """The level by which it is watched, at most the limit."""
        return level_at_most(self.limit_mg_l)

    def query(self, **changes: str) -> str:
        """As it stands in an address, behind `?`."""
        found: dict[str, str] = {}
        if self.place is not None:
            found |= {"noi": self.place.intake, "phia": NAMED[self.place.side]}
        if self.crop is not None:
            found["cay"] = self.crop.id
        if self.own_mg_l is not None:
            found["gioihan"] = f"{self.own_mg_l / 1000:g}".replace(".", ",")
        if self.lang != "vi":
            found["lang"] = self.lang
        return urlencode(found | changes)


def asked(
    given: Sequence[tuple[str, str]], intakes: Mapping[str, Intake]
) -> tuple[Asked, tuple[str, ...]]:
    """What is asked, and a sentence for each thing that is not accepted.

    What is not accepted is left out of what is asked, so that the rest can still be shown.
    """
    first = dict(reversed(given))
    lang = first.get("lang", "vi")
    found = Asked(lang if lang in LANGS else "vi")
    faults = _strange(given, first, found.lang)
    if lang not in LANGS:
        faults.append(_fault("lang", lang, "vi, en", found.lang))
    found, place_faults = _with_place(found, first, intakes)
    crop = first.get("cay", "")
    if crop and crop not in CROPS:
        faults.append(_fault("cay", crop, _crops(found.lang), found.lang))
    own_mg_l, limit_fault = _limit_mg_l(first.get("gioihan", ""), found.lang)
    whole = replace(found, crop=CROPS.get(crop), own_mg_l=own_mg_l)
    return whole, (*faults, *place_faults, *limit_fault)


def _strange(given: Sequence[tuple[str, str]], first: Mapping[str, str], lang: str) -> list[str]:
    names = [name for name, _ in given]
    accepted = ", ".join(NAMES)
    faults = [
        _fault(name, first[name], accepted, lang, unknown=True)
        for name in dict.fromkeys(names)
        if name not in NAMES and not name.startswith(SHARED)
    ]
    twice = [name for name in NAMES if names.count(name) > 1]
    said = "chỉ ghi một lần" if lang == "vi" else "accepted once"
    return [*faults[:3], *(f"{name}: {said}." for name in twice)]


def _with_place(
    found: Asked, first: Mapping[str, str], intakes: Mapping[str, Intake]
) -> tuple[Asked, list[str]]:
    """A place is `noi=xuan-hoa&phia=song`, or both in one as the form sends it."""
    name, _, joined_side = first.get("noi", "").partition("/")
    side = joined_side or first.get("phia", "")
    if not name:
        return found, []
    if name not in intakes:
        return found, [_fault("noi", name, _named(intakes.values()), found.lang)]
    if side and side not in SIDES:
        return found, [_fault("phia", side, ", ".join(SIDES), found.lang)]
    place = Place(name, SIDES[side] if side else intakes[name].side)
    if place not in places(intakes):
        accepted = NAMED[intakes[name].side]
        return found, [_fault("phia", side, accepted, found.lang)]
    return replace(found, place=place), []


def _crops(lang: str) -> str:
    return ", ".join(f"{c.vi if lang == 'vi' else c.en} ({c.id})" for c in CROPS.values())


def _named(intakes: Iterable[Intake]) -> str:
    return ", ".join(f"{one.name} ({one.id})" for one in intakes)


def _limit_mg_l(text: str, lang: str) -> tuple[float | None, list[str]]:
    written = text.strip().replace(",", ".")
    if not written:
        return None, []
    low, high = LIMIT_G_L
    value = float(written) if _LIMIT.fullmatch(written) else -1.0
    if not low <= value <= high:
        between = f"{low:g} - {high:g} g/l"
        accepted = f"{between}, written like 0.5"
        if lang == "vi":
            accepted = f"{between.replace('.', ',')}, ghi như 0,5"
        return None, [_fault("gioihan", text, accepted, lang)]
    return round(value * 1000, 3), []


def _fault(name: str, value: str, accepted: str, lang: str, *, unknown: bool = False) -> str:
    shown = value[:SHOWN_MAX]
    if lang == "vi":
        if unknown:
            return f"Không có ô tên “{name[:SHOWN_MAX]}”. Nhận được: {accepted}."
        return f"{WORDS_VI[name]} không nhận “{shown}”. Nhận được: {accepted}."
    if unknown:
        return f"There is no “{name[:SHOWN_MAX]}”. Accepted: {accepted}."
    return f"{name}: “{shown}” is not accepted. Accepted: {accepted}."


WORDS_VI: Final[Mapping[str, str]] = {
    "noi": "Nơi lấy nước",
    "phia": "Phía cống",
    "cay": "Cây trồng, vật nuôi",
    "gioihan": "Mức mặn",
    "lang": "Ngôn ngữ",
}
