"""What is stored about one person, with what he can do about it. Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from alerts.farmers.crops import CROPS
from alerts.farmers.notice import USUAL
from alerts.farmers.person import Follow
from alerts.farmers.place import places
from api.farmpage import say
from api.farmpage.asked import Asked
from api.farmpage.filled import Filled, followed
from api.farmpage.frame import Assets, document, field, links
from api.farmpage.html import Markup, h
from api.farmpage.page import PATH, place_and_crop
from api.farmpage.signup import (
    channel_name,
    faults_of,
    notices,
    other_crops,
    own_limit,
    quiet_hours,
    told_in,
)
from api.farmpage.signwords import sign_words
from api.farmpage.words import Say, words
from api.people.export import ALSO_EN, ALSO_VI
from api.people.terms import Stored
from ingest.intakes import Intake


def path_of(token: str, deed: str = "") -> str:
    """Where the holder of a token sees what is stored, or does something about it."""
    return f"{PATH}/toi/{quote(token, safe='')}{f'/{deed}' if deed else ''}"


def mine(
    stored: Stored,
    token: str,
    lang: str,
    intakes: Mapping[str, Intake],
    assets: Assets,
    *,
    said: str = "",
    faults: Sequence[str] = (),
    adding: Filled | None = None,
) -> str:
    """Everything that is stored, forms to add and to change, buttons to stop, export and erase.

    said : of `api.farmpage.signwords`, what has just been done
    adding : a place or crop that was not added, to be mended
    """
    tell = sign_words(lang)
    behind = "" if lang == "vi" else "?lang=en"
    also = ALSO_VI if lang == "vi" else ALSO_EN
    parts = [
        h("h1", tell("mine")),
        h("p", h("b", tell(said)), role="status") if said else None,
        faults_of(faults),
        faults_of(_high(stored, lang, intakes)),
        h("p", tell("mine-keep"), cls="note"),
        _facts(stored, lang, tell),
        _more(stored, token, lang, intakes, adding),
        _form(stored, token, lang, intakes, tell),
        h("h2", tell("also")),
        h("ul", *(h("li", one) for one in also)),
        _button(path_of(token, "tai") + behind, tell("export"), "less"),
        h("h2", tell("stop")),
        h("p", tell("stop-note")),
        _button(path_of(token, "ngung") + behind, tell("stop"), ""),
        h("h2", tell("erase")),
        h("p", tell("erase-note")),
        _button(path_of(token, "xoa") + behind, tell("erase"), "grave"),
        links((PATH + behind, words(lang)("back"))),
    ]
    return document(tell("mine"), lang, assets, *parts, data_page="mine")


def _high(stored: Stored, lang: str, intakes: Mapping[str, Intake]) -> list[str]:
    """Limits above what the crop bears: 5 that was meant to be 0,5 would tell nobody in time."""
    told = []
    for follow in stored.follows:
        crop = CROPS.get(follow.crop)
        if crop is not None and follow.level_mg_l > crop.limit_mg_l:
            intake = intakes.get(follow.place.intake)
            place = follow.place.intake if intake is None else intake.name
            own, limit = (
                say.limit(each / 1000, lang) for each in (follow.level_mg_l, crop.limit_mg_l)
            )
            warning = words(lang)("own-high").format(
                own, crop.vi if lang == "vi" else crop.en, limit
            )
            told.append(f"{place}: {warning[0].lower()}{warning[1:]}")
    return told


def _facts(stored: Stored, lang: str, tell: Say) -> Markup:
    came = tell("by-list" if stored.origin == "list" else "by-self")
    if stored.consent:
        came += f", {tell('consent').format(stored.consent)}"
    signed_up = say.date(stored.confirmed_ms or stored.created_ms)
    state = [h("dd", tell("leaving"))] if stored.state == "leaving" else []
    return h(
        "dl",
        h("dt", tell("sent-to")),
        h("dd", f"{channel_name(stored.channel, lang)}: {stored.masked}"),
        h("dt", tell("since")),
        h("dd", f"{signed_up}, {came}"),
        *state,
    )


def _more(
    stored: Stored, token: str, lang: str, intakes: Mapping[str, Intake], adding: Filled | None
) -> Markup:
    """One more place or crop, folded until it is asked for; its notices begin as the others are."""
    tell = sign_words(lang)
    usual = stored.follows[0].wants if stored.follows else USUAL
    shown = adding or Filled(Asked(lang), wants=usual)
    form = h(
        "form",
        place_and_crop(shown.asked, intakes, words(lang)),
        own_limit(shown.asked),
        other_crops([one.id for one in shown.others], lang),
        h("p", h("b", tell("notices"))),
        notices("tin", shown.wants, lang),
        h("input", type="hidden", name="lang", value=lang),
        h("button", tell("add"), type="submit"),
        method="post",
        action=path_of(token, "them"),
    )
    return h("details", h("summary", tell("more")), form, id="them", open=adding is not None)


def _form(
    stored: Stored, token: str, lang: str, intakes: Mapping[str, Intake], tell: Say
) -> Markup:
    places = [_follow(n, each, lang, intakes, tell) for n, each in enumerate(stored.follows)]
    return h(
        "form",
        *places,
        h("p", tell("by-steps"), cls="note"),
        h("fieldset", h("legend", tell("when")[3:]), quiet_hours(stored.quiet, tell)),
        told_in(stored.lang, tell("language")),
        h("input", type="hidden", name="lang", value=lang),
        h("button", tell("change"), type="submit"),
        method="post",
        action=path_of(token, "doi"),
    )


def _follow(n: int, follow: Follow, lang: str, intakes: Mapping[str, Intake], tell: Say) -> Markup:
    intake = intakes.get(follow.place.intake)
    name = follow.place.intake if intake is None else intake.name
    side = words(lang)(follow.place.side) if intake is None or intake.gate is not None else ""
    crop = CROPS.get(follow.crop)
    grown = follow.crop if crop is None else crop.vi if lang == "vi" else crop.en
    limit = h(
        "input",
        id=f"gioihan{n}",
        name=f"gioihan{n}",
        inputmode="decimal",
        maxlength=8,
        value=say.limit(follow.level_mg_l / 1000, lang),
    )
    drop = h("input", type="checkbox", name=f"bo{n}", value="1")
    return h(
        "fieldset",
        h("legend", f"{name}{f', {side}' if side else ''}: {grown}"),
        h("input", type="hidden", name=f"ai{n}", value=followed(follow)),
        field(tell("limit"), limit, f"gioihan{n}"),
        notices(f"tin{n}", follow.wants, lang),
        h("p", h("a", tell("look"), href=_water(follow, lang, intakes), cls="go")),
        h("label", drop, tell("drop"), cls="pick"),
    )


def _water(follow: Follow, lang: str, intakes: Mapping[str, Intake]) -> str:
    """The page of the water itself: a spell that goes on may have begun before somebody came."""
    crop = CROPS.get(follow.crop)
    known = follow.place in places(intakes) and crop is not None
    own = float(follow.level_mg_l) if crop and follow.level_mg_l != crop.limit_mg_l else None
    asked = Asked(lang, follow.place, crop, own) if known else Asked(lang)
    return f"{PATH}?{asked.query()}"


def _button(action: str, text: str, cls: str) -> Markup:
    button = h("button", text, type="submit", cls=cls or None)
    return h("form", button, method="post", action=action)
