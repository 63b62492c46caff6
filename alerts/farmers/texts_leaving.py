"""The answer to somebody who stops one place: what stopped, or that nothing did; what goes on. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from alerts.farmers.parcel import Form, Text
from alerts.farmers.place import Place
from alerts.farmers.texts_detail import FULL, Detail
from alerts.farmers.texts_fit import fitted, params
from alerts.farmers.texts_service import STOP_WORD
from alerts.farmers.texts_words import EN, SIDES, Both, language, one_line, shorter
from alerts.farmers.texts_zalo import LABEL, LIMITS

Name = Callable[[str], str]
"""What people call an intake, by its id."""

_TITLE: Final[Both] = ("Đã ngưng tin của một nơi", "Messages of one place stopped")
_NOTHING_TITLE: Final[Both] = ("Không ngưng gì", "Nothing stopped")
_NOTHING: Final[Both] = (
    "Không ngưng gì: bạn không nhận tin của {asked}.",
    "Nothing stopped: you get no messages of {asked}.",
)
_NOTHING_LABEL: Final[Both] = (
    f"Không ngưng gì. Ngưng hết: {STOP_WORD}",
    f"Nothing stopped. All: {STOP_WORD}",
)
_THAT: Final[Both] = ("nơi ấy", "that place")
_LEFT: Final[Both] = ("Đã ngưng tin của {left}.", "No more messages of {left}.")
_STILL: Final[Both] = ("Vẫn nhận tin của {still}.", "You still get those of {still}.")
_ALL: Final[Both] = ("Ngưng hết: nhắn {stop}.", "To stop all: reply {stop}.")
_CHOSEN: Final[Both] = ("nơi đã chọn", "the chosen place")
_NAME_LEAST: Final = 16
"""Characters of the name that the reply was about: it stands on every rung of the ladder."""

_AND: Final[Both] = (" và ", " and ")


def stopped_at(
    left: Sequence[Place], still: Iterable[Place], name: Name, lang: str, form: Form
) -> Text:
    """Says what goes on too: a reply that was read as another place is seen by it.

    left : what stopped, all of one intake
    still : what is followed now; nothing where it is another channel that goes on
    """
    to, goes_on = language(lang), tuple(dict.fromkeys(still))

    def first(detail: Detail) -> str:
        whole = replace(_with_name(detail), places_max=None)
        return _LEFT[to].format(left=_listed(left, name, whole, to))

    label = _label(name(left[0].intake), len(left), len(goes_on), to)
    return _answer(_TITLE, first, label, goes_on, name, to, form)


def nothing_stopped(
    intake: str, side: str, still: Iterable[Place], name: Name, lang: str, form: Form
) -> Text:
    """To who names a place that he does not follow: silence would be taken for a stop.

    side : of its gate, "" where the reply named none
    """
    to, goes_on = language(lang), tuple(dict.fromkeys(still))

    def first(detail: Detail) -> str:
        called = _called(name(intake), _with_name(detail), _THAT[to])
        asked = f"{called}, {SIDES[side][to]}" if side else called
        return _NOTHING[to].format(asked=asked)

    return _answer(_NOTHING_TITLE, first, _NOTHING_LABEL[to], goes_on, name, to, form)


def _answer(
    title: Both,
    first: Callable[[Detail], str],
    label: str,
    goes_on: Sequence[Place],
    name: Name,
    to: int,
    form: Form,
) -> Text:
    """What happened (`first`, or `label` where there is little room), what goes on, what stops."""

    def say(detail: Detail) -> str:
        told = [first(detail)]
        if goes_on:
            told.append(_STILL[to].format(still=_listed(goes_on, name, detail, to)))
        return " ".join([*told, _ALL[to].format(stop=STOP_WORD)])

    if form is Form.ZALO:
        named = params({"ket_qua": label}, LIMITS)
        return Text("", say(FULL), template="stopped", params=named)
    if form is Form.LONG:
        return Text(title[to], say(FULL))
    # As with notices: English loses nothing without diacritics but those of names.
    return fitted(say, Form.SMS if to == EN else form)


def _listed(places: Sequence[Place], name: Name, detail: Detail, lang: int) -> str:
    """`Cống Xuân Hòa, ngoài sông và trong đồng; Cống Vàm Giồng, ngoài sông`, or the first ones
    and how many more there are; where there is no room for a name, how many they are.
    """
    if detail.name_max == 0:
        count = len(places)
        return (f"{count} nơi", f"{count} place{'s' if count > 1 else ''}")[lang]
    most = len(places) if detail.places_max is None else detail.places_max
    sides: dict[str, list[str]] = {}
    for each in places[:most]:
        sides.setdefault(each.intake, []).append(SIDES[each.side][lang])
    told = "; ".join(
        f"{_called(name(intake), detail, _CHOSEN[lang])}, {_AND[lang].join(found)}"
        for intake, found in sides.items()
    )
    more = len(places) - most
    if more <= 0:
        return told
    others = "another place" if more == 1 else f"{more} other places"
    return told + (f" và {more} nơi khác", f" and {others}")[lang]


def _with_name(detail: Detail) -> Detail:
    return replace(detail, name_max=_NAME_LEAST) if detail.name_max == 0 else detail


def _called(name: str, detail: Detail, otherwise: str) -> str:
    name = one_line(name)
    return (name if detail.name_max is None else shorter(name, detail.name_max)) or otherwise


def _label(name: str, left: int, still: int, lang: int) -> str:
    """For a parameter of a template, which has room for a few words."""
    goes = "goes" if still == 1 else "go"
    rest = (f", còn {still} nơi", f", {still} {goes} on")[lang] if still else ""
    head = ("Đã ngưng ", "Stopped ")[lang]
    count = (f"{left} nơi", f"{left} place{'s' if left > 1 else ''}")[lang]
    return f"{head}{shorter(name, LABEL - len(head) - len(rest)) or count}{rest}"
