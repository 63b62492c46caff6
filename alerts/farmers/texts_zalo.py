"""Parameters of Zalo's templates (ZNS), which are approved beforehand. Pure.

An operator has one template approved for each kind and gives its number in the channel's
settings; its text is Zalo's to approve, what changes in it are these parameters, named without
diacritics as Zalo asks. A value is at most as long as its type allows: "custom label" 30,
"address" and "product" 200; a paragraph has at most 400 characters and ten parameters.
Source: Zalo's types of parameters, as `ZNSParamType` of the package redai-zalo-sdk lists them;
infobip.com/docs/zalo (400 characters).

    noi        address   where, with the side of the gate; several places one after the other
    muc        label     the limit
    cay        label     the crops it is of
    do_man     label     the figure with its time
    tu         label     since when
    xu_huong   label     rising or falling
    den        label     until when ("khoảng 18:00 (tham khảo)"), or by when to stop
    ghi_chu    address   what else has to be said: measure again, a suspect reading
    tin        address   of a digest and a bulletin: its words
    ma, so_noi, ket_qua, luc   label   of messages that answer a person
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.farmers import texts_notices as notices_words
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Text
from alerts.farmers.restraint_times import PERMISSIONS
from alerts.farmers.texts_detail import FULL, LADDER, Detail, first_fitting
from alerts.farmers.texts_fit import beginnings, params
from alerts.farmers.texts_items import Item, items
from alerts.farmers.texts_notices import (
    FIRST,
    HEADS,
    PUMP_ONLY,
    SILENCES,
    Telling,
    is_old,
    stop_word,
    tails,
)
from alerts.farmers.texts_words import TRENDS, Both, clock, crops, figure, limit, listed, unit

LABEL: Final = 30
ADDRESS: Final = 200

LIMITS: Final = {
    "noi": ADDRESS,
    "muc": LABEL,
    "cay": LABEL,
    "do_man": LABEL,
    "tu": LABEL,
    "xu_huong": LABEL,
    "den": LABEL,
    "ghi_chu": ADDRESS,
    "tin": ADDRESS,
    "ma": LABEL,
    "so_noi": LABEL,
    "ket_qua": LABEL,
    "luc": LABEL,
}

_UNKNOWN: Final[Both] = ("chưa rõ", "not known")
SUSPECT_REMARK: Final[Both] = ("Số liệu đáng ngờ.", "The reading is suspect.")


def of_notices(kind: Kind | None, notices: Sequence[Notice], to: Telling) -> Text:
    """Kind : None for a digest."""
    if kind is None:
        # The site stands on the template's button, where it can be pressed.
        text = _digest(notices, to)
        return Text("", text, template="digest", params=params({"tin": text}, LIMITS))
    said = items(notices, to.person)
    text = notices_words.of_kind(kind, notices, to, replace(FULL, site=False))
    named = _named(kind, said, to)
    return Text("", text, template=kind.value, params=params(named, LIMITS))


def bulletin(notice: Notice, to: Telling) -> Text:
    heading, text = notices_words.bulletin(notice, to)
    begun = next(each for each in beginnings(text) if len(each) <= ADDRESS)
    named = {"tin": heading, "ghi_chu": begun or to.say(FIRST)}
    return Text("", f"{heading}. {text}".strip(), template="bulletin", params=params(named, LIMITS))


def _named(kind: Kind, said: Sequence[Item], to: Telling) -> dict[str, str]:
    one = said[0]
    unknown = to.say(_UNKNOWN)
    named = {
        "noi": "; ".join(notices_words.place(each, to, FULL) for each in said),
        "do_man": _measured(said, to) or unknown,
        "tu": clock(one.since_ms, to.now_ms),
        "ghi_chu": _remark(kind, said, to),
    }
    if kind in (Kind.SILENT, Kind.HEARD):
        return named
    levels = sorted({level for each in said for level in each.levels_mg_l})
    names = [
        name
        for each in said
        for level in each.levels_mg_l
        for name in crops(to.person, each.place, level, to.lang)
    ]
    trend = "" if is_old(one, to) else one.told("trend")
    return named | {
        "muc": _span(levels, to),
        "cay": _crops(list(dict.fromkeys(names)), to) or unknown,
        "xu_huong": to.say(TRENDS[trend]) if trend in TRENDS else unknown,
        "den": _until(kind, said, to) or unknown,
    }


def _digest(notices: Sequence[Notice], to: Telling) -> str:
    def say(detail: Detail) -> str:
        return notices_words.digest(notices, to, detail)

    # The site stands on the template's button, where it can be pressed.
    fits = first_fitting(say, LADDER[1:], lambda text: len(text) <= ADDRESS)
    return fits or say(LADDER[-1])


def _measured(said: Sequence[Item], to: Telling) -> str:
    """The figure with its time, or the range of those of several places."""
    values = sorted(
        each.figure_g_l
        for each in said
        if each.figure_g_l is not None and each.told("why") not in ("broken", "suspect")
    )
    if not values:
        return ""
    levels = said[0].levels_mg_l
    told = dict.fromkeys(figure(value, levels, to.lang) for value in (values[0], values[-1]))
    text = f"{'-'.join(told)} {unit(to.lang)}"
    if len(said) > 1 or said[0].figure_ms is None:
        return text
    return text + (" lúc ", " at ")[to.lang] + clock(said[0].figure_ms, to.now_ms)


def _crops(names: Sequence[str], to: Telling) -> str:
    """As many as there is room for."""
    told = (listed(names, most, to.lang) for most in range(len(names), 0, -1))
    return next((each for each in told if len(each) <= LABEL), "")


def _span(levels_mg_l: Sequence[int], to: Telling) -> str:
    if not levels_mg_l:
        return to.say(_UNKNOWN)
    ends = dict.fromkeys((levels_mg_l[0], levels_mg_l[-1]))
    return f"{'-'.join(limit(each, to.lang) for each in ends)} {unit(to.lang)}"


def _until(kind: Kind, said: Sequence[Item], to: Telling) -> str:
    if kind is Kind.SHUT:
        return stop_word(said, to)
    ends = [each.ends_ms for each in said if each.ends_ms is not None]
    if kind not in PERMISSIONS or len(ends) < len(said):
        return ""
    at = clock(min(ends), to.now_ms)
    return (f"khoảng {at} (tham khảo)", f"about {at} (for reference)")[to.lang]


def _remark(kind: Kind, said: Sequence[Item], to: Telling) -> str:
    """What else has to be said; never empty, for Zalo takes no empty value."""
    silence = SILENCES.get(str(said[0].told("why") or ""))
    forbids = kind in (Kind.SALT, Kind.SHUT)
    pump = any(each.pump for each in said)
    suspect = any(each.told("flag") == 3 for each in said)
    remarks = [
        f"{to.say(silence)[:1].upper()}{to.say(silence)[1:]}." if silence is not None else "",
        to.say(SUSPECT_REMARK) if suspect and said[0].told("why") != "suspect" else "",
        f"{to.say(PUMP_ONLY)}." if pump else "",
        f"{to.say(HEADS[Kind.SALT])}." if forbids else "",
        *tails(kind, said, to, replace(FULL, site=False)),
    ]
    return " ".join(each for each in remarks if each)
