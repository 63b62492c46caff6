"""What each kind of notice says, in Vietnamese and English, in as much detail as there is room. Pure.

What forbids says KHÔNG, NGƯNG or CHƯA, and nothing turns round once its diacritics are gone
(`alerts.farmers.second_meaning`, which the tests ask of every text).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.person import Person
from alerts.farmers.restraint_times import PERMISSIONS, UNSECONDED_MS
from alerts.farmers.texts_detail import Detail
from alerts.farmers.texts_items import NEAR, Item, items
from alerts.farmers.texts_words import (
    CROPS_MAX,
    DECIMALS_MAX,
    SIDES,
    TRENDS,
    Both,
    clock,
    crops,
    figure,
    limit,
    listed,
    one_line,
    shorter,
    unit,
)
from ingest.reading import Flag

HEADS: Final[dict[Kind, Both]] = {
    Kind.SALT: ("KHÔNG LẤY NƯỚC", "DO NOT TAKE WATER"),
    Kind.FRESH: ("CÓ THỂ LẤY NƯỚC", "WATER MAY BE TAKEN"),
    Kind.OPEN: ("LÚC NÀY CÓ THỂ LẤY NƯỚC", "WATER MAY BE TAKEN FOR NOW"),
    Kind.SHUT: ("NGƯNG LẤY NƯỚC", "STOP TAKING WATER"),
    Kind.SILENT: ("CHƯA RÕ", "NOT KNOWN"),
    Kind.HEARD: ("ĐÃ CÓ SỐ LIỆU LẠI", "MEASURED AGAIN"),
    Kind.BULLETIN: ("BẢN TIN", "BULLETIN"),
}

PUMP_ONLY: Final[Both] = ("NGỌT, CHỈ BƠM ĐƯỢC", "FRESH, BY PUMP ONLY")
OFFICIAL: Final[Both] = ("BẢN TIN CHÍNH THỨC", "OFFICIAL BULLETIN")
DIGEST: Final[Both] = ("TÓM TẮT", "SUMMARY")
DIGEST_TODAY: Final[Both] = ("TÓM TẮT HÔM NAY", "TODAY IN SHORT")

AGAIN: Final[Both] = ("Đo lại trước khi lấy.", "Measure again before taking it.")
AGAIN_PUMP: Final[Both] = ("Đo lại trước khi bơm.", "Measure again before pumping.")
FIRST: Final[Both] = ("Đo trước khi lấy.", "Measure before taking any.")
NOT_UNMEASURED: Final[Both] = (
    "KHÔNG LẤY NƯỚC nếu chưa đo.",
    "DO NOT TAKE WATER without measuring.",
)
NOT_ABOVE: Final[Both] = ("KHÔNG LẤY NƯỚC vượt mức", "DO NOT TAKE WATER above a limit")
NOT_FROM: Final[Both] = (
    "KHÔNG LẤY NƯỚC tới hoặc vượt mức",
    "DO NOT TAKE WATER at or above a limit",
)
OTHERS: Final[Both] = (
    "Nơi khác cùng đoạn sông: đo trước khi lấy.",
    "Elsewhere on this reach: measure before taking.",
)

SILENCES: Final[dict[str, Both]] = {
    "silent": ("trạm mất tín hiệu", "no signal from the station"),
    "broken": ("số liệu của trạm không tin được", "the station's readings are not sound"),
    "maintenance": ("trạm đang bảo trì", "the station is in maintenance"),
    "suspect": ("số liệu đáng ngờ", "the readings are suspect"),
    "no-station": ("không còn trạm đo", "no station measures here any more"),
}

LATE_MS: Final = 2 * 3_600_000
"""What is older is never told as if it were of now (expert judgement, unverified)."""

OLD_FIGURE_MS: Final = UNSECONDED_MS
"""An older figure never stands without its time, and which way it went is over."""

ABOVE: Final[Both] = ("vượt mức", "above")
REACHES: Final[Both] = ("tới mức", "reaches")
BELOW: Final[Both] = ("dưới mức", "below")
_NEAR: Final[Both] = ("gần tới mức", "near")
_MAY_REACH: Final[Both] = ("có thể tới mức", "may reach")
_LIMIT: Final[Both] = ("mức", "limit")

_TERSE: Final[dict[Both, Both]] = {
    ABOVE: ("quá", "above"),
    REACHES: REACHES,
    BELOW: ("dưới", "below"),
    _NEAR: ("gần", "near"),
    _MAY_REACH: ("có thể tới", "may reach"),
    _LIMIT: _LIMIT,
}

_SUSPECT: Final[Both] = (" (số liệu đáng ngờ)", " (suspect reading)")
_PUMP: Final[Both] = ("chỉ bơm được", "by pump only")
_OVER: Final[Both] = ("đã hết đợt mặn", "the salt spell is over")
_GOES_ON: Final[Both] = ("vẫn còn đợt mặn", "the salt spell goes on")
_SALINITY: Final[Both] = ("mặn", "salinity")
_STANDS: Final[Both] = ("đang có đợt mặn", "a salt spell")
_CHOSEN: Final[Both] = ("nơi đã chọn", "your place")


@dataclass(frozen=True, slots=True)
class Telling:
    """To whom it is said, in which language, when, and with what address of the page."""

    person: Person
    lang: int
    site: str
    now_ms: int

    def say(self, both: Both) -> str:
        return both[self.lang]


def of_kind(kind: Kind, notices: Sequence[Notice], to: Telling, detail: Detail) -> str:
    """Notices of one kind, not BULLETIN, as one text."""
    said = items(notices, to.person)
    head = heading(kind, said, to)
    if detail.name_max == 0:
        text = f"{head} {_nowhere(len(said), to)}: {_facts(said[0], to, detail)}."
    elif len(said) == 1:
        where = place(said[0], to, detail)
        at = " " if detail.terse else (" tại ", " at ")[to.lang]
        text = f"{head}{at}{where}: {_facts(said[0], to, detail)}."
    else:
        most = detail.places_max or len(said)
        pump = not all(one.pump for one in said)
        each = [
            f"{place(one, to, detail)}: {_facts(one, to, detail, pump=pump)}" for one in said[:most]
        ]
        each += _more_places(len(said) - most, to)
        text = f"{head}. {'; '.join(each)}."
    return " ".join([text, *tails(kind, said, to, detail)])


def digest(notices: Sequence[Notice], to: Telling, detail: Detail) -> str:
    """Notices of several kinds, by place, what is to be done in each."""
    said = items(notices, to.person)
    by_place: dict[str, list[Item]] = {}
    for one in said:
        by_place.setdefault("" if one.kind is Kind.BULLETIN else str(one.place), []).append(one)
    head = to.say(DIGEST_TODAY if _all_today(said, to) else DIGEST)
    groups = list(by_place.values())
    # What forbids comes first, and is what remains where there is room for little.
    groups.sort(key=lambda group: group[-1].kind not in (Kind.SALT, Kind.SHUT, Kind.SILENT))
    if detail.name_max == 0:
        text = _in_brief(groups, to)
    else:
        most = detail.places_max or len(groups)
        told = [_of_place(group, to, detail) for group in groups[:most]]
        told += _more_places(len(groups) - most, to)
        text = "; ".join(told) + "."
    return " ".join([f"{head}: {text}", to.say(FIRST), *_site(to, detail)])


def bulletin(notice: Notice, to: Telling) -> tuple[str, str]:
    """Heading and words, each in one line."""
    body = notice.body
    head = to.say(OFFICIAL if body.get("official") else HEADS[Kind.BULLETIN])
    issued_ms = body.get("issued_ms")
    at = "" if issued_ms is None else clock(int(issued_ms), to.now_ms)
    by = one_line(str(body.get("issuer") or ""))
    title = one_line(str(body.get("title") or ""))
    heading = " ".join(part for part in (head, by, at) if part)
    text = one_line(str(body.get("text") or ""))
    return f"{heading}: {title}" if title else heading, text


def place(item: Item, to: Telling, detail: Detail) -> str:
    """`Cống Xuân Hòa, ngoài sông`; the side always stands, it is another water."""
    name = item.name if detail.name_max is None else shorter(item.name, detail.name_max)
    return f"{name or to.say(_CHOSEN)}, {to.say(SIDES[item.place.side])}"


def limits(item: Item, to: Telling, detail: Detail) -> str:
    """`0,5 g/l (sầu riêng) và 1 g/l (lúa)`, or from the lowest to the highest."""
    levels = item.levels_mg_l
    if not levels:
        return ""
    if not detail.levels and len(levels) > 1:
        low, high = limit(levels[0], to.lang), limit(levels[-1], to.lang)
        return f"{low}-{high} {unit(to.lang)}"
    told = []
    for level in levels:
        named = crops(to.person, item.place, level, to.lang)
        text = limit(level, to.lang)
        text += "" if detail.terse else f" {unit(to.lang)}"
        most = min(detail.crops_max, CROPS_MAX)
        told.append(f"{text} ({listed(named, most, to.lang)})" if named and most else text)
    return (" và ", " and ")[to.lang].join(told)


def measured(item: Item, to: Telling, detail: Detail) -> str:
    """`mặn 0,62 g/l lúc 14:20`; "" without a figure."""
    value, at_ms = item.figure_g_l, item.figure_ms
    if value is None or not detail.figure:
        return ""
    text = f"{figure(value, item.levels_mg_l, to.lang)} {unit(to.lang)}"
    # What is permitted by a figure of no time is a rumour.
    timed = detail.time or item.kind in PERMISSIONS or is_old(item, to)
    if at_ms is not None and timed:
        text += (" lúc ", " at ")[to.lang] + clock(at_ms, to.now_ms)
    if item.told("flag") == Flag.SUSPECT:
        text += to.say(_SUSPECT)
    return text if detail.terse else ("mặn ", "salinity ")[to.lang] + text


def is_old(item: Item, to: Telling) -> bool:
    """Whether its figure says nothing of now."""
    return item.figure_ms is not None and to.now_ms - item.figure_ms > OLD_FIGURE_MS


def since(item: Item, to: Telling, detail: Detail) -> str:
    late = detail.terse and to.now_ms - item.since_ms > LATE_MS
    # Beside a permission stands the time of its figure, which says more.
    if not detail.since and (not late or (item.kind in PERMISSIONS and item.figure_ms)):
        return ""
    return (" từ ", " since ")[to.lang] + clock(item.since_ms, to.now_ms)


def relations(item: Item) -> list[tuple[Both, Item]]:
    """How the water stands to the limits, no more than is known: each relation with its limits."""
    if item.kind in PERMISSIONS:
        return [(BELOW, item)]
    if not item.levels_mg_l:
        return [(ABOVE if item.kind is Kind.SALT else _LIMIT, item)]
    grouped: dict[Both, list[int]] = {}
    for level in item.levels_mg_l:
        grouped.setdefault(_relation(item, level / 1000), []).append(level)
    return [(how, replace(item, levels_mg_l=tuple(levels))) for how, levels in grouped.items()]


def _relation(item: Item, limit_g_l: float) -> Both:
    value = item.figure_g_l
    if value is not None and round(value, DECIMALS_MAX) == limit_g_l:
        return REACHES  # as the figure reads beside it
    if item.kind is Kind.SALT or (value is not None and value >= limit_g_l):
        return ABOVE
    if item.kind is Kind.HEARD:
        return _LIMIT
    return _NEAR if value is not None and value >= NEAR * limit_g_l else _MAY_REACH


def _facts(item: Item, to: Telling, detail: Detail, *, pump: bool = False) -> str:
    """`pump`: the heading does not say yet that there is only pumping."""
    if item.kind is Kind.SILENT or (item.kind is Kind.SHUT and item.told("why")):
        return _silence(item, to, detail)
    trend = str(item.told("trend") or "")
    parts = [
        to.say(_PUMP) if item.pump and pump else "",
        to.say(_OVER) if item.kind is Kind.FRESH and detail.around else "",
        to.say(_GOES_ON) if item.kind is Kind.OPEN and detail.around else "",
        since(item, to, detail).strip() if item.kind is Kind.HEARD else "",
        measured(item, to, detail),
        to.say(TRENDS[trend]) if detail.around and trend in TRENDS and not is_old(item, to) else "",
        _against(item, to, detail),
        _ends(item, to, detail) if detail.ends else "",
    ]
    return ", ".join(part for part in parts if part)


def _against(item: Item, to: Telling, detail: Detail) -> str:
    """`vượt mức 0,5 g/l (sầu riêng) từ 14:05`, of several relations one after the other."""
    told = []
    for how, part in relations(item):
        of = limits(part, to, detail)
        # Since when it is so can only be said of what is so.
        so = how in (ABOVE, REACHES, BELOW) and item.kind is not Kind.HEARD
        begun = since(item, to, detail) if so else ""
        told.append(f"{to.say(_TERSE[how] if detail.terse else how)} {of}{begun}" if of else begun)
    text = ", ".join(each.strip() for each in told if each)
    bare = item.figure_g_l is None or not detail.figure
    if not bare or not item.levels_mg_l:
        return text
    return f"{to.say(_STANDS if item.told('stands') else _SALINITY)} {text}"


def _silence(item: Item, to: Telling, detail: Detail) -> str:
    why = str(item.told("why") or "silent")
    text = to.say(SILENCES.get(why, SILENCES["silent"])) + since(item, to, detail)
    value = item.figure_g_l
    # What can't be trusted is not told, and what was measured last is told as the last.
    if value is None or why in ("broken", "suspect") or not detail.figure:
        return text
    said = f"{figure(value, item.levels_mg_l, to.lang)} {unit(to.lang)}"
    if detail.time and item.figure_ms is not None:
        said += (" lúc ", " at ")[to.lang] + clock(item.figure_ms, to.now_ms)
    return f"{text}, {('số cuối', 'last')[to.lang]} {said}"


def _ends(item: Item, to: Telling, detail: Detail) -> str:
    if item.ends_ms is None or item.kind not in PERMISSIONS:
        return ""
    at = clock(item.ends_ms, to.now_ms)
    about = "" if detail.terse else ("khoảng ", "about ")[to.lang]
    return (f"đến {about}{at} (tham khảo)", f"until {about}{at} (for reference)")[to.lang]


def heading(kind: Kind, said: Sequence[Item], to: Telling) -> str:
    if kind is Kind.SHUT:
        return f"{to.say(HEADS[kind])} {stop_word(said, to)}"
    if kind in PERMISSIONS and all(one.pump for one in said):
        return to.say(PUMP_ONLY)
    return to.say(HEADS[kind])


def stop_word(said: Sequence[Item], to: Telling) -> str:
    """By when who takes must have stopped."""
    stops = [one.stop_by_ms for one in said if one.stop_by_ms is not None]
    if len(stops) < len(said) or min(stops) <= to.now_ms:
        return ("LIỀN", "AT ONCE")[to.lang]
    return ("trước ", "before ")[to.lang] + clock(min(stops), to.now_ms)


def tails(kind: Kind, said: Sequence[Item], to: Telling, detail: Detail) -> list[str]:
    told = []
    if kind in PERMISSIONS:
        told.append(to.say(AGAIN_PUMP if all(one.pump for one in said) else AGAIN))
    elif kind is Kind.SILENT:
        told.append(to.say(NOT_UNMEASURED))
    elif kind is Kind.HEARD:
        hows = {how for one in said for how, _ in relations(one)}
        if not hows & {ABOVE, REACHES}:
            told.append(to.say(FIRST))
        elif hows <= {ABOVE, REACHES}:
            told.append(f"{to.say(HEADS[Kind.SALT])}.")
        else:
            told.append(f"{to.say(NOT_FROM if REACHES in hows else NOT_ABOVE)}.")
    elif kind is Kind.SALT and detail.others and _follows_others(said, to):
        told.append(to.say(OTHERS))
    return [*told, *_site(to, detail)]


def _follows_others(said: Sequence[Item], to: Telling) -> bool:
    """Of another place on the same reach he is told later, or with the day's summary."""
    told = {one.place for one in said}
    reaches = any(one.newest.reach for one in said)
    return reaches and any(each.place not in told for each in to.person.follows)


def _site(to: Telling, detail: Detail) -> list[str]:
    if not to.site or not detail.site:
        return []
    return [("Xem ", "See ")[to.lang] + to.site]


def _nowhere(count: int, to: Telling) -> str:
    if count == 1:
        return (f"tại {_CHOSEN[0]}", f"at {_CHOSEN[1]}")[to.lang]
    return (f"tại {count} nơi đã chọn", f"at {count} of your places")[to.lang]


def _more_places(count: int, to: Telling) -> list[str]:
    if count <= 0:
        return []
    others = "another place" if count == 1 else f"{count} other places"
    return [(f"và {count} nơi khác", f"and {others}")[to.lang]]


def _all_today(said: Sequence[Item], to: Telling) -> bool:
    return all(len(clock(one.newest.at_ms, to.now_ms)) == 5 for one in said)


def _of_place(group: Sequence[Item], to: Telling, detail: Detail) -> str:
    if not detail.around and group[-1].kind is Kind.HEARD:
        # Of a silence that is over its end says enough.
        group = [one for one in group if one.kind is not Kind.SILENT]
    told = [_clause(one, to, detail) for one in group]
    if group[0].kind is Kind.BULLETIN:
        return ", ".join(told)
    return f"{place(group[0], to, detail)}: {', '.join(told)}"


def _clause(item: Item, to: Telling, detail: Detail) -> str:
    kind = item.kind
    if kind is Kind.BULLETIN:
        return bulletin(item.newest, to)[0]
    if kind is Kind.SILENT:
        return f"{to.say(HEADS[kind])}, {_silence(item, to, detail)}"
    if kind is Kind.HEARD:
        said = ("có số liệu lại", "measured again")[to.lang] + since(item, to, detail)
        value = measured(item, to, detail)
        return f"{said}, {value}" if value else said
    return f"{heading(kind, [item], to)}, {_facts(item, to, detail)}"


def _in_brief(groups: Sequence[Sequence[Item]], to: Telling) -> str:
    count = len(groups)
    text = (f"{count} tin về các nơi đã chọn", f"{count} items on your places")[to.lang]
    if any(one.kind in (Kind.SALT, Kind.SHUT) for group in groups for one in group):
        text += (", có nơi KHÔNG LẤY NƯỚC", ", DO NOT TAKE WATER at some")[to.lang]
    return f"{text}."
