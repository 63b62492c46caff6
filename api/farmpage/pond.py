"""My pond: a form, and how long it lasts beside the salt spells of the season. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from alerts.farmers import pond as ponds
from alerts.farmers.pond import Pond
from alerts.farmers.pond_needs import NEEDS, Need
from api.farmpage import say
from api.farmpage.asked import Asked, asked
from api.farmpage.frame import Assets, document, links
from api.farmpage.frame import field as labelled
from api.farmpage.html import Child, Markup, h
from api.farmpage.page import PATH, place_and_crop
from api.farmpage.signup import faults_of
from api.farmpage.words import Say, words
from ingest.intakes import Intake

POND: Final = f"{PATH}/ao"
DEEP_M: Final = 1.5
"""Of a pond of which only the volume is known, for its surface (expert judgement, unverified)."""

CONG_M2: Final = 1000
_NUMBER: Final = re.compile(r"(0|[1-9][0-9]*)?[.,][0-9]+|0|[1-9][0-9]*")
_UNCLEAR: Final = re.compile(r"[1-9][0-9]{0,2}([.,][0-9]{3})+")
_THOUSANDS: Final = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?![0-9]))")

NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "thetich": (1, 1_000_000),
    "dai": (1, 2_000),
    "rong": (1, 2_000),
    "sau": (0.1, 20),
    "bao": (0.01, 100_000),
    "moingay": (0.01, 100_000),
}
"""What is accepted under each name, in m³, m, công (1000 m²) or heads, and m³ a day."""

_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "thetich": ("Ao chứa bao nhiêu m³", "How many m³ the pond holds"),
    "dai": ("Hoặc: dài, m", "Or its length, m"),
    "rong": ("rộng, m", "width, m"),
    "sau": ("sâu (phần bơm được), m", "depth that can be pumped, m"),
    "bao": (
        "Tưới bao nhiêu công (1 công = 1000 m²), hoặc bao nhiêu con, bao nhiêu người",
        "How many công of 1000 m², or how many animals or people",
    ),
    "moingay": (
        "Mỗi ngày dùng bao nhiêu m³, nếu biết",
        "m³ used a day, if you know it",
    ),
}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Ao tôi phải đủ mấy ngày?", "How long does my pond last?"),
    "count": ("Tính", "Work it out"),
    "need-volume": (
        "Ghi thể tích ao, hoặc chiều dài, rộng và sâu.",
        "Give the pond's volume, or its length, width and depth.",
    ),
    "need-count": (
        "Ghi số công, số con, hoặc mỗi ngày dùng bao nhiêu m³.",
        "Give the area or the heads, or how many m³ are used a day.",
    ),
    "need-place": (
        "Chọn nơi lấy nước và cây trồng, vật nuôi.",
        "Choose where you take water, and what you grow or keep.",
    ),
    "number": (
        "{}: nhận số từ {} đến {}, không chấm phẩy ở hàng nghìn, lẻ thì ghi như 0,5.",
        "{}: accepted is a number from {} to {}, without a mark at thousands, fractions like 0.5.",
    ),
    "area": ("Tính cho {} công, tức {} m².", "For {} công, which is {} m²."),
    "head": ("Tính cho {} con.", "For {} animals."),
    "people": ("Tính cho {} người.", "For {} people."),
    "deep": (
        "Chỉ biết thể tích nên coi như ao sâu 1,5 m khi tính bốc hơi.",
        "Only the volume is known: for evaporation it is taken to be 1.5 m deep.",
    ),
    "full": (
        "Tính theo tưới đủ mỗi ngày, {}. Tưới tiết kiệm thì ao dùng được lâu hơn.",
        "By full watering every day, {}. Who saves water lives longer on a pond.",
    ),
    "no-station": (
        "Không có trạm đo nguồn nước này, nên không so được với các đợt mặn.",
        "No station measures this water, so there are no spells to compare with.",
    ),
    "unread": (
        "Chưa đọc được số đo cũ của mùa này. Thử lại sau ít phút.",
        "The readings of this season could not be read. Try again in a few minutes.",
    ),
    "since": (
        "Số đo mùa này chỉ có từ ngày {}: đợt mặn trước đó không tính được.",
        "This season's readings begin on {}: spells before that are not counted.",
    ),
    "part": (
        "Chỉ có một phần số đo của mùa này.",
        "Only a part of this season's readings is there.",
    ),
}


@dataclass(frozen=True, slots=True)
class PondAsked:
    """What is asked of a pond.

    asked : place, crop, own limit; typed : numbers as they were written, by name
    pond : None until all that it takes is there.
    """

    asked: Asked
    typed: Mapping[str, str] = field(default_factory=dict)
    pond: Pond | None = None
    by_volume: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it.

    text : the result in sentences; notes : names of words about what it rests on
    from_ms : the first reading of a season that had begun before, else None
    """

    text: str
    notes: tuple[str, ...] = ()
    from_ms: int | None = None


def pond_asked(given: Mapping[str, str], intakes: Mapping[str, Intake]) -> PondAsked:
    """From the fields of an address, each at most once. Nothing filled in is no fault."""
    general = [(name, text) for name, text in given.items() if name not in NUMBERS]
    found, faults = asked(general, intakes)
    n = 0 if found.lang == "vi" else 1
    typed = {name: given[name].strip() for name in NUMBERS if given.get(name, "").strip()}
    told = list(faults)
    numbers = {}
    for name, text in typed.items():
        number, (low, high) = _number(text), NUMBERS[name]
        if number is None or not low <= number <= high:
            lang = found.lang
            told.append(
                _WORDS["number"][n].format(
                    _LABELS[name][n], say.limit(low, lang), f"{high:,.0f}".replace(",", " ")
                )
            )
        else:
            numbers[name] = number
    if not typed or told:
        return PondAsked(found, typed, faults=tuple(told))
    return _with_pond(found, typed, numbers, n)


def _with_pond(
    found: Asked, typed: Mapping[str, str], numbers: Mapping[str, float], n: int
) -> PondAsked:
    sides = [numbers.get(name) for name in ("dai", "rong", "sau")]
    length, width, depth = sides
    volume, surface = numbers.get("thetich"), None
    if length is not None and width is not None:
        surface = length * width
        if volume is None and depth is not None:
            volume = ponds.volume_m3(length, width, depth)
    need = numbers.get("moingay")
    if need is None and "bao" in numbers and found.crop is not None:
        need = ponds.need_m3_day(found.crop.id, numbers["bao"])
    missing = [
        name
        for name, is_missing in (
            ("need-place", not found.whole),
            ("need-volume", volume is None),
            ("need-count", need is None and found.crop is not None),
        )
        if is_missing
    ]
    if missing or volume is None or need is None:
        return PondAsked(found, typed, faults=tuple(_WORDS[name][n] for name in missing))
    by_volume = surface is None
    made = Pond(volume, volume / DEEP_M if surface is None else surface, need)
    return PondAsked(found, typed, made, by_volume=by_volume)


def pond_page(
    given: PondAsked, intakes: Mapping[str, Intake], told: Told | None, assets: Assets
) -> str:
    """The form, and above it the result where there is one."""
    lang = given.asked.lang
    n = 0 if lang == "vi" else 1
    said, title = words(lang), _WORDS["title"][n]
    parts: list[Child] = [h("h1", title), faults_of(given.faults)]
    if told is not None:
        parts += _result(given, told, n)
    parts += [_form(given, intakes, said, n), _way_back(given.asked, said)]
    return document(title, lang, assets, *parts, data_page="pond")


def _result(given: PondAsked, told: Told, n: int) -> list[Child]:
    first, dot, rest = told.text.partition(". ")
    notes = [_WORDS[name][n] for name in told.notes]
    if told.from_ms is not None:
        notes.append(_WORDS["since"][n].format(say.date(told.from_ms)))
    if given.by_volume:
        notes.append(_WORDS["deep"][n])
    if "moingay" not in given.typed and given.asked.crop is not None:
        notes.insert(0, _of_what(given, n))
        notes.append(_WORDS["full"][n].format(_basis(NEEDS[given.asked.crop.id], n)))
    return [
        h("p", f"{first}{dot}".strip(), cls="result", role="status"),
        h("p", rest) if rest else None,
        *(h("p", note, cls="note") for note in notes),
    ]


def _of_what(given: PondAsked, n: int) -> str:
    """What was counted, said again: a hectare that was meant is ten times the công of it."""
    assert given.asked.crop is not None
    crop, count = given.asked.crop.id, _number(given.typed.get("bao", "")) or 0.0
    shown = f"{count:g}".replace(".", "." if n else ",")
    if NEEDS[crop].per == "area":
        return _WORDS["area"][n].format(shown, f"{count * CONG_M2:,.0f}".replace(",", " "))
    return _WORDS["people" if crop == "household" else "head"][n].format(shown)


def _basis(need: Need, n: int) -> str:
    if n:
        return need.source
    return "ước lượng, chưa kiểm chứng" if need.unverified else need.source.partition(":")[0]


def _form(given: PondAsked, intakes: Mapping[str, Intake], said: Say, n: int) -> Markup:
    own = given.asked.own_mg_l
    kept = [("lang", given.asked.lang)] if n else []
    if own is not None:
        kept.append(("gioihan", f"{own / 1000:g}"))
    fields = [
        labelled(
            label[n],
            h(
                "input",
                id=name,
                name=name,
                inputmode="decimal",
                maxlength=12,
                value=given.typed.get(name, ""),
            ),
            name,
        )
        for name, label in _LABELS.items()
    ]
    return h(
        "form",
        place_and_crop(given.asked, intakes, said),
        *fields,
        *(h("input", type="hidden", name=name, value=value) for name, value in kept),
        h("button", _WORDS["count"][n], type="submit"),
        method="get",
        action=POND,
    )


def _way_back(found: Asked, said: Say) -> Markup:
    query = found.query()
    return links((f"{PATH}?{query}" if query else PATH, said("back")))


def _number(text: str) -> float | None:
    """As people write it: a comma or a point before the fraction, a space at thousands.

    "1.000" is a thousand to one and one to another, "05" a comma that was lost: a pond that is
    worked out with the wrong one lasts ten or a thousand times too long. So neither is taken.
    """
    written = _THOUSANDS.sub("", text)
    if len(written) > 12 or _UNCLEAR.fullmatch(written) or not _NUMBER.fullmatch(written):
        return None
    return float(written.replace(",", "."))
