"""May I take water now? The part of the page that is renewed. Pure.

Everything in it that depends on the time alone stands in elements with `data-t`, so that the
page's script can tell ages without asking for them anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from api.farmpage import curve, say
from api.farmpage.asked import Asked
from api.farmpage.bulletins import bulletins
from api.farmpage.curve import Day
from api.farmpage.html import Child, Markup, h
from api.farmpage.neighbours import Neighbour
from api.farmpage.verdict import Verdict, spent, verdict
from api.farmpage.words import Say, words
from ingest.intakes import Intake
from ingest.reading import Flag

_SIGNS: Final[Mapping[str, str]] = {
    "take": "M5 17l8 8L27 8",
    "pump": "M16 4v16m-8-8l8-8 8 8M6 27h20",
    "wait": "M10 6v20M22 6v20",
    "no": "M6 6l20 20M26 6L6 26",
    "unknown": "M10 11c0-8 13-8 13 0 0 5-7 5-7 10m0 5v2",
}
"""Beside the words, for who can't read them in the sun; drawn, since old phones lack the letters."""

_TRENDS: Final[Mapping[str, str]] = {
    "rising": "M8 1l7 14H1z",
    "falling": "M8 15L1 1h14z",
    "steady": "M1 5h14v6H1z",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is told of one place.

    answer : as of `now_ms`, see `alerts.farmers`; None: nothing decided yet
    station : name of the station that tells
    day : None where no station measures this water
    day_fault : its past could not be read
    bulletins : that are in force here
    """

    now_ms: int
    intake: Intake
    answer: Mapping[str, Any] | None
    station: str = ""
    day: Day | None = None
    day_fault: bool = False
    around: Sequence[Neighbour] = ()
    bulletins: Sequence[Mapping[str, Any]] = ()


def now(asked: Asked, seen: Seen) -> Markup:
    """The answer, its figure, its past, the day, the neighbours."""
    said = words(asked.lang)
    assert asked.place is not None
    found = verdict(seen.answer, asked.place.side, seen.now_ms, asked.lang)
    found = replace(found, why=(*found.why, *_high(asked, seen.answer, said)))
    return h(
        "div",
        _answers(seen, found, asked.lang),
        _mine(asked, seen.intake, said),
        _figure(seen, asked.lang, said),
        _course(seen, asked.lang, said),
        _day(seen, asked, said),
        _around(seen, asked, said),
        bulletins(seen.bulletins, seen.now_ms, asked.lang),
        h("p", *_filled(said("page-at"), _time("at", seen.now_ms, say.clock(seen.now_ms)))),
        id="now",
        data_now=seen.now_ms,
    )


def _answers(seen: Seen, found: Verdict, lang: str) -> Markup:
    """What holds, and beside it, unseen, what it becomes when it has run out."""
    answer = seen.answer or {}
    until = answer.get("until") if found.kind != "unknown" else None
    parts = [_answer(found, "answer", data_until=until)]
    if until is not None:
        later = spent(answer.get("figure_t"), seen.now_ms, lang)
        parts.append(_answer(later, "spent", hidden=True))
    return h("div", *parts, role="status")


def _answer(found: Verdict, name: str, **attributes: int | bool | None) -> Markup:
    stroke = h("path", d=_SIGNS[found.kind], fill="none", stroke="currentColor", stroke_width=5)
    sign = h("svg", stroke, viewBox="0 0 32 32", width=28, height=28, aria_hidden="true")
    rest = h("span", f": {found.rest}") if found.rest else None
    why = [h("p", sentence) for sentence in found.why]
    head = h("h1", sign, found.head, rest)
    return h("section", head, *why, id=name, cls=f"a {found.kind}", **attributes)


def _high(asked: Asked, answer: Mapping[str, Any] | None, said: Say) -> list[str]:
    """A limit above the crop's, as 5 for 0,5, makes a permission of water that kills it: it is
    said in the answer itself.
    """
    if not asked.high:
        return []
    assert asked.crop is not None
    name = asked.crop.vi if asked.lang == "vi" else asked.crop.en
    own, limit = (
        say.limit(each / 1000, asked.lang) for each in (asked.limit_mg_l, asked.crop.limit_mg_l)
    )
    told = [said("own-high").format(own, name, limit)]
    # A figure that is old or not sound says nothing of the water as it is now.
    figure = None if answer is None or answer["answer"] == "unknown" else answer["figure"]
    if figure is not None and figure >= asked.crop.limit_g_l:
        at = say.reaches(figure, asked.crop.limit_g_l)
        told.append(said("at-crop" if at else "over-crop").format(name))
    return told


def _mine(asked: Asked, intake: Intake, said: Say) -> Markup:
    assert asked.place is not None
    assert asked.crop is not None
    side = f", {said(asked.place.side)}" if intake.gate is not None else ""
    limit = say.limit(asked.limit_mg_l / 1000, asked.lang)
    word = "limit" if asked.own_mg_l is None else "own-limit"
    crop = asked.crop.vi if asked.lang == "vi" else asked.crop.en
    watched = None
    if asked.level_mg_l != asked.limit_mg_l:
        level = say.limit(asked.level_mg_l / 1000, asked.lang)
        watched = h("span", said("watched-by").format(level), cls="note")
    mine = f"{crop}: {said(word).format(limit)}"
    return h("p", h("b", f"{intake.name}{side}"), h("br"), mine, watched, cls="mine")


def _figure(seen: Seen, lang: str, said: Say) -> Markup | None:
    answer = seen.answer or {}
    value, t_ms = answer.get("figure"), answer.get("figure_t")
    if value is None or t_ms is None:
        return None
    unsure = answer["answer"] == "unknown"
    parts: list[Child] = [h("b", say.figure(value, lang)), f" {say.unit(lang)} "]
    trend = answer.get("trend") or ""
    if not unsure and trend in _TRENDS:
        arrow = h("path", d=_TRENDS[trend])
        mark = h("svg", arrow, viewBox="0 0 16 16", width=14, height=14, aria_hidden="true")
        parts.append(h("span", mark, said(trend), cls="trend"))
    at = say.moment(t_ms, seen.now_ms, lang)
    notes: list[Child] = [said("measured").format(at), ", ", _age(t_ms, seen.now_ms, lang)]
    if not unsure:
        limit = answer["limit_g_l"]
        word = "below" if value < limit else "reaches" if say.reaches(value, limit) else "above"
        against = said(word).format(say.limit(limit, lang))
        notes.insert(0, h("span", f"{against}. ", cls="against"))
    if seen.station and seen.station != seen.intake.name:
        notes.append(f", {said('by').format(seen.station)}")
    if answer.get("flag") == Flag.SUSPECT:
        notes.append(f", {said('doubtful')}")
    if answer.get("sim"):
        notes.append(f", {said('simulated')}")
    return h(
        "div",
        h("p", *parts, cls="old" if unsure else "value"),
        h("p", *notes, "."),
        cls="figure",
    )


def _course(seen: Seen, lang: str, said: Say) -> Markup | None:
    """When it changed, for how long it holds, and what the tide of the day before says."""
    answer = seen.answer
    if answer is None or answer["answer"] == "unknown":
        return None
    told = []
    for name in ("ends", "since", "until"):
        if answer.get(name) is not None:
            at = say.moment(answer[name], seen.now_ms, lang)
            word = f"since-{answer['answer']}" if name == "since" else name
            told.append(h("span", said(word).format(at), cls=name))
    return h("p", *(Markup(f"{each} ") for each in told), cls="course") if told else None


def _day(seen: Seen, asked: Asked, said: Say) -> Markup | None:
    if seen.day_fault:
        return h("p", said("unreadable-curve"), cls="note")
    if seen.day is None:
        return None
    return curve.drawn(seen.day, asked.limit_mg_l / 1000, asked.lang)


def _around(seen: Seen, asked: Asked, said: Say) -> Markup | None:
    if not seen.around:
        return None
    rows = [_neighbour(each, seen.now_ms, asked.lang, said) for each in seen.around]
    assert asked.place is not None
    behind = asked.place.side == "field" and seen.day is None
    note = h("p", said("outside-why"), cls="note") if behind else None
    title = said("outside") if behind else said("around")
    return h("section", h("h2", title), note, h("ul", *rows, cls="around"))


def _neighbour(found: Neighbour, now_ms: int, lang: str, said: Say) -> Markup:
    km = say.figure(abs(found.up_km), lang, 0 if abs(found.up_km) >= 1 else 1)
    far = said("up" if found.up_km > 0 else "down").format(km) if found.up_km else ""
    name = h("span", h("b", found.name), h("small", far) if far else None, cls="who")
    return h("li", name, h("span", *_reading(found, now_ms, lang, said), cls="what"))


def _reading(found: Neighbour, now_ms: int, lang: str, said: Say) -> list[Child]:
    if found.t_ms is None or found.g_l is None:
        return [h("small", said("no-figure"))]
    if found.state in ("stale", "lost"):
        at = say.moment(found.t_ms, now_ms, lang)
        return [h("small", said("silent-since").format(at))]
    # The newest one is often not evaluated yet: it is shown, and permits nothing.
    if found.flag in (Flag.FAIL, Flag.MISSING):
        return [h("small", said("bad-figure"))]
    doubtful = f", {said('doubtful')}" if found.flag == Flag.SUSPECT else ""
    figure = f"{say.figure(found.g_l, lang)} {say.unit(lang)}"
    return [h("b", figure), h("small", _age(found.t_ms, now_ms, lang), doubtful)]


def _age(t_ms: int, now_ms: int, lang: str) -> Markup:
    return _time("age", t_ms, say.age(t_ms, now_ms, lang))


def _time(cls: str, t_ms: int, text: str) -> Markup:
    return h("time", text, cls=cls, data_t=t_ms)


def _filled(text: str, inside: Markup) -> list[Child]:
    before, _, after = text.partition("{}")
    return [before, inside, after]
