"""The page `/nong-dan` as a whole: choosing, the answer, what else there is. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from alerts.farmers.crops import CROPS
from alerts.farmers.place import places
from api.farmpage import say
from api.farmpage.asked import NAMED, Asked
from api.farmpage.frame import Assets, document, field, links, options
from api.farmpage.html import Child, Markup, h
from api.farmpage.now import Seen, now
from api.farmpage.words import Say, words
from ingest.intakes import Intake

PATH: Final = "/nong-dan"
_OFFICE_VI: Final = "ngành nông nghiệp Gò Công Đông"


def page(
    asked: Asked,
    intakes: Mapping[str, Intake],
    seen: Seen | None,
    assets: Assets,
    everywhere: Markup | None = None,
) -> str:
    """With `seen` the answer first; without, the choice, and what is told to everybody."""
    said = words(asked.lang)
    if seen is None:
        parts: list[Child] = [h("h1", said("title")), chooser(asked, intakes, said)]
        parts += [everywhere, _onward(asked, said)]
        return document(said("title"), asked.lang, assets, *parts, data_page="choose")
    return document(
        said("title"),
        asked.lang,
        assets,
        now(asked, seen),
        h("p", *_offline(said), id="offline", hidden=True, role="alert"),
        _onward(asked, said, chosen=True),
        h("section", h("h2", said("choose")), chooser(asked, intakes, said), id="chon"),
        _sources(asked, said),
        moves=True,
        data_page="now",
        data_query=asked.query(),
        data_from=f"{PATH}/luc-nay?{asked.query()}",
    )


def refusal(
    asked: Asked, faults: Sequence[str], intakes: Mapping[str, Intake], assets: Assets
) -> str:
    """What was not accepted and what is, with the choice below."""
    said = words(asked.lang)
    listed = h("ul", *(h("li", fault) for fault in faults))
    form = chooser(asked, intakes, said)
    return document(
        said("wrong"), asked.lang, assets, h("h1", said("wrong")), listed, form, data_page="wrong"
    )


def chooser(asked: Asked, intakes: Mapping[str, Intake], said: Say) -> Markup:
    """The form of two selects and a limit."""
    if not intakes:
        return h("p", said("unknown-place"))
    own = "" if asked.own_mg_l is None else say.limit(asked.own_mg_l / 1000, asked.lang)
    limit = h("input", id="gioihan", name="gioihan", inputmode="decimal", value=own, maxlength=8)
    kept = h("input", type="hidden", name="lang", value=asked.lang) if asked.lang != "vi" else None
    return h(
        "form",
        place_and_crop(asked, intakes, said),
        field(said("own"), limit, "gioihan"),
        kept,
        h("button", said("look"), type="submit"),
        h("p", said("remembered"), cls="note js", hidden=True),
        action=PATH,
        method="get",
    )


def place_and_crop(asked: Asked, intakes: Mapping[str, Intake], said: Say) -> Markup:
    """Both selects, nothing chosen before somebody has."""
    chosen = "" if asked.place is None else f"{asked.place.intake}/{NAMED[asked.place.side]}"
    none = ("", said("none"))
    where = [
        (f"{one.intake}/{NAMED[one.side]}", _place_name(intakes[one.intake], one.side, said))
        for one in places(intakes)
    ]
    what = [
        (crop.id, f"{crop.vi if asked.lang == 'vi' else crop.en} ({_limit(crop.limit_g_l, asked)})")
        for crop in CROPS.values()
    ]
    crop_id = "" if asked.crop is None else asked.crop.id
    return Markup(
        field(
            said("place"),
            h("select", options([none, *where], chosen), id="noi", name="noi", required=True),
            "noi",
        )
        + field(
            said("crop"),
            h("select", options([none, *what], crop_id), id="cay", name="cay", required=True),
            "cay",
        )
    )


def _place_name(intake: Intake, side: str, said: Say) -> str:
    return intake.name if intake.gate is None else f"{intake.name}: {said(side)}"


def _limit(limit_g_l: float, asked: Asked) -> str:
    return f"{say.limit(limit_g_l, asked.lang)} {say.unit(asked.lang)}"


def _offline(said: Say) -> list[Child]:
    before, _, after = said("offline").partition("{}")
    return [before, h("time"), after]


def _onward(asked: Asked, said: Say, *, chosen: bool = False) -> Markup:
    query = asked.query()
    behind = f"?{query}" if query else ""
    other = "en" if asked.lang == "vi" else "vi"
    found = [("#chon", said("choose-other"))] if chosen else []
    found += [
        (f"{PATH}/dang-ky{behind}", said("tell-me")),
        (f"{PATH}/ao{behind}", said("my-pond")),
        (f"{PATH}?{asked.query(lang=other)}", said("other-language")),
    ]
    return links(*found)


def _sources(asked: Asked, said: Say) -> Markup:
    assert asked.crop is not None
    name = asked.crop.vi if asked.lang == "vi" else asked.crop.en
    limit = say.limit(asked.crop.limit_g_l, asked.lang)
    source = asked.crop.source if asked.lang == "en" else _source_vi(asked.crop.source)
    told = [said("source").format(name, limit, source), said("tolerates")]
    if asked.crop.unverified:
        told.insert(1, said("unverified"))
    return h("footer", h("p", " ".join(told)), h("p", said("disclaimer")))


def _source_vi(source: str) -> str:
    """Names of sources alone: what they say stands in English."""
    names = (one.partition(": ")[0] for one in source.split("; "))
    return "; ".join(_OFFICE_VI if "Gò Công Đông" in name else name for name in names)
