"""Signing up for messages: three questions and a code. Pure."""

from collections.abc import Collection, Mapping, Sequence

from alerts.farmers.crops import CROPS
from alerts.farmers.notice import Wants
from alerts.farmers.person import Quiet
from api.farmpage import say
from api.farmpage.asked import Asked
from api.farmpage.filled import NIGHT, Filled
from api.farmpage.frame import Assets, document, field, links, options
from api.farmpage.html import Markup, h
from api.farmpage.page import PATH, place_and_crop
from api.farmpage.signwords import ADDRESSES, CHANNELS, NOTICES, sign_words
from api.farmpage.words import Say, words
from api.people.addresses import AddressKind
from api.people.export import WANT_NAMES
from ingest.intakes import Intake

SIGN_UP = f"{PATH}/dang-ky"
CODE = f"{PATH}/ma"
HOUR_MIN = 60


def sign_up(
    filled: Filled,
    intakes: Mapping[str, Intake],
    channels: Mapping[str, AddressKind],
    assets: Assets,
    push: tuple[str, str] | None = None,
) -> str:
    """The three questions, what is stored, and the button. Without a channel: that there is none.

    channels : those that are offered and take what can be typed, by name
    push : the one that tells browsers themselves, and its key
    """
    tell = sign_words(filled.lang)
    title = h("h1", tell("title"))
    if not channels and push is None:
        none = [title, h("p", tell("none")), back(filled.asked)]
        return document(tell("title"), filled.lang, assets, *none, data_page="sign-up")
    form = h(
        "form",
        h("fieldset", h("legend", tell("where")), _where(filled, channels)) if channels else None,
        h(
            "fieldset",
            h("legend", tell("what")),
            place_and_crop(filled.asked, intakes, words(filled.lang)),
            own_limit(filled.asked),
            other_crops([one.id for one in filled.others], filled.lang),
            h("p", h("b", tell("notices"))),
            notices("tin", filled.wants, filled.lang),
            told_in(filled.told_in or filled.lang, tell("told-in")),
        ),
        h("fieldset", h("legend", tell("when")), quiet_hours(filled.quiet, tell)),
        h("h2", tell("stored")),
        h("p", tell("stored-what")),
        h("p", tell("stored-stop")),
        h("input", type="hidden", name="lang", value=filled.lang),
        h("button", tell("ask-code"), type="submit") if channels else None,
        None if push is None else _push(*push, tell),
        method="post",
        action=SIGN_UP,
    )
    parts = [title, h("p", tell("lead")), faults_of(filled.faults), form, back(filled.asked)]
    return document(tell("title"), filled.lang, assets, *parts, data_page="sign-up")


def code_page(
    request: str,
    until_ms: int | None,
    lang: str,
    assets: Assets,
    faults: Sequence[str] = (),
    *,
    late: bool = False,
) -> str:
    """Where the code goes.

    until_ms : till when it is good; None: that was said before
    late : nothing goes over the channel just now
    """
    tell = sign_words(lang)
    word = "code-late" if late else "code-sent"
    sent = tell(word).format(say.clock(until_ms)) if until_ms is not None else ""
    code = h(
        "input",
        id="ma",
        name="ma",
        inputmode="numeric",
        autocomplete="one-time-code",
        maxlength=12,
        required=True,
    )
    form = h(
        "form",
        h("input", type="hidden", name="yeucau", value=request),
        h("input", type="hidden", name="lang", value=lang),
        field(tell("code"), code, "ma"),
        h("button", tell("done"), type="submit"),
        method="post",
        action=CODE,
    )
    again = links((SIGN_UP if lang == "vi" else f"{SIGN_UP}?lang=en", tell("again")))
    title = tell("code-title")
    parts = [h("h1", title), h("p", sent) if sent else None, faults_of(faults), form, again]
    return document(title, lang, assets, *parts, data_page="code")


def faults_of(faults: Sequence[str]) -> Markup | None:
    """What was not accepted, where it is seen before anything else."""
    if not faults:
        return None
    return h("div", *(h("p", fault) for fault in faults), cls="fault", role="alert")


def back(asked: Asked) -> Markup:
    """The way to the page of the water."""
    query = asked.query()
    return links((f"{PATH}?{query}" if query else PATH, words(asked.lang)("back")))


def notices(name: str, wants: Wants, lang: str) -> Markup:
    """A box to tick for each kind of notice."""
    n = 0 if lang == "vi" else 1
    rows = []
    for want, word in WANT_NAMES.items():
        ticked = h("input", type="checkbox", name=name, value=word, checked=want in wants)
        rows.append(h("label", ticked, NOTICES[word][n], cls="pick"))
    return h("div", *rows)


def quiet_hours(quiet: Quiet | None, tell: Say) -> Markup:
    """Whether and when nothing comes."""
    shown = quiet or NIGHT
    times = []
    for name, word, minute in (("tu", "from", shown.from_min), ("den", "to", shown.to_min)):
        hours = set(range(0, 24 * HOUR_MIN, HOUR_MIN)) | {minute}
        listed = [(_clock(at), _clock(at)) for at in sorted(hours)]
        control = h("select", options(listed, _clock(minute)), id=name, name=name)
        times.append(field(tell(word), control, name))
    urgent = h("input", type="checkbox", name="gap", value="1", checked=shown.urgent_passes)
    on = h("input", type="checkbox", name="yen", value="1", checked=quiet is not None)
    return h(
        "div",
        h("label", on, tell("quiet"), cls="pick"),
        *times,
        h("label", urgent, tell("urgent"), cls="pick"),
    )


def own_limit(asked: Asked) -> Markup:
    """Where a limit of one's own goes."""
    own = "" if asked.own_mg_l is None else say.limit(asked.own_mg_l / 1000, asked.lang)
    control = h("input", id="gioihan", name="gioihan", inputmode="decimal", value=own, maxlength=8)
    return field(words(asked.lang)("own"), control, "gioihan")


def other_crops(chosen: Collection[str], lang: str) -> Markup:
    """Boxes to tick for what else grows at the place, folded until one is: each has its limit.

    chosen : ids of crops
    """
    tell = sign_words(lang)
    rows = []
    for crop in CROPS.values():
        ticked = h(
            "input", type="checkbox", name="caykhac", value=crop.id, checked=crop.id in chosen
        )
        limit = f"{say.limit(crop.limit_g_l, lang)} {say.unit(lang)}"
        rows.append(
            h("label", ticked, f"{crop.vi if lang == 'vi' else crop.en} ({limit})", cls="pick")
        )
    note = h("p", tell("more-crops-note"), cls="note")
    return h("details", h("summary", tell("more-crops")), note, *rows, open=bool(chosen))


def told_in(lang: str, label: str) -> Markup:
    """The question after the language of messages."""
    listed = [("vi", "Tiếng Việt"), ("en", "English")]
    return field(label, h("select", options(listed, lang), id="ngonngu", name="ngonngu"), "ngonngu")


def channel_name(name: str, lang: str) -> str:
    """A channel as people call it."""
    return CHANNELS[name][0 if lang == "vi" else 1] if name in CHANNELS else name


def _where(filled: Filled, channels: Mapping[str, AddressKind]) -> Markup:
    n = 0 if filled.lang == "vi" else 1
    tell = sign_words(filled.lang)
    kinds = set(channels.values())
    label = ADDRESSES[next(iter(kinds))][n] if len(kinds) == 1 else tell("address")
    phone = kinds == {AddressKind.PHONE}
    address = h(
        "input",
        id="diachi",
        name="diachi",
        type="tel" if phone else "text",
        value=filled.address,
        autocomplete="tel" if phone else "off",
        maxlength=254,
        required=True,
    )
    chosen = filled.channel or next(iter(channels))
    if len(channels) == 1:
        return h(
            "div",
            h("input", type="hidden", name="kenh", value=chosen),
            field(label, address, "diachi"),
        )
    rows = []
    for name, kind in channels.items():
        radio = h("input", type="radio", name="kenh", value=name, checked=name == chosen)
        words_ = f"{channel_name(name, filled.lang)} ({ADDRESSES[kind][n].lower()})"
        rows.append(h("label", radio, words_, cls="pick"))
    return h("div", *rows, field(label, address, "diachi"))


def _push(channel: str, key: str, tell: Say) -> Markup:
    """Of browsers that can be told themselves; their script shows it."""
    return h(
        "div",
        h("button", tell("push-ask"), type="button", cls="less"),
        h("p", tell("push-denied"), cls="fault", role="alert", hidden=True),
        cls="push",
        data_channel=channel,
        data_key=key,
        hidden=True,
    )


def _clock(minute: int) -> str:
    return f"{minute // HOUR_MIN:02}:{minute % HOUR_MIN:02}"
