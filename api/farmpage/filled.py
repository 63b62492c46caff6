"""What somebody filled in: a form of the page, read into a wish or refused in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.farmers import wishes
from alerts.farmers.crops import Crop, level_at_most
from alerts.farmers.notice import USUAL, Wants
from alerts.farmers.person import Follow, Quiet
from api.farmpage.asked import Asked, asked
from api.farmpage.signwords import sign_words
from api.people.export import WANT_NAMES
from api.people.terms import LANGS, Changes, Stored, Wish
from ingest.intakes import Intake

Form = Mapping[str, Sequence[str]]
"""By name all that was sent under it."""

NIGHT = Quiet(21 * 60, 5 * 60)
"""What is proposed: from nine in the evening to five in the morning."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it stands, to be shown again with its faults; without arguments: its defaults.

    others : crops at the same place beside the one of `asked`, each by its own limit
    told_in : the language of messages, "" for that of the page
    """

    asked: Asked = field(default_factory=Asked)
    others: tuple[Crop, ...] = ()
    told_in: str = ""
    channel: str = ""
    address: str = field(default="", repr=False)
    wants: Wants = USUAL
    quiet: Quiet | None = NIGHT
    faults: tuple[str, ...] = ()

    @property
    def lang(self) -> str:
        return self.asked.lang

    def follows(self) -> tuple[Follow, ...]:
        """Of a form without faults: the crop with its limit or one's own, and the others."""
        place, crop = self.asked.place, self.asked.crop
        assert place is not None
        assert crop is not None
        others = (Follow(place, one.id, one.limit_mg_l, self.wants) for one in self.others)
        return (Follow(place, crop.id, self.asked.level_mg_l, self.wants), *others)

    def wish(self) -> Wish:
        """Of a form without faults."""
        told_in = self.told_in or self.lang
        return Wish(self.channel, self.address, self.follows(), self.quiet, told_in)


def first(form: Form, name: str) -> str:
    """The first value under a name, "" where there is none."""
    return next(iter(form.get(name, ())), "").strip()


def filled(form: Form, intakes: Mapping[str, Intake], channels: Sequence[str]) -> Filled:
    """The form of signing up."""
    found = _what(form, intakes)
    say = sign_words(found.lang)
    told = list(found.faults)
    quiet = _quiet(form)
    if isinstance(quiet, wishes.BadWish):
        told.append(say("fill-quiet"))
        quiet = NIGHT
    channel = first(form, "kenh") or (channels[0] if len(channels) == 1 else "")
    if channel not in channels:
        told.append(say("fill-channel"))
    return replace(
        found,
        told_in=_told_in(form, ""),
        channel=channel,
        address=first(form, "diachi"),
        quiet=quiet,
        faults=tuple(told),
    )


def more(
    form: Form, stored: Stored, intakes: Mapping[str, Intake]
) -> tuple[Filled, tuple[Follow, ...]]:
    """The form of one more place or crop, and what of it is not followed yet.

    What is followed already is changed where it stands, so that nobody's own limit is lost.
    """
    found = _what(form, intakes)
    if found.faults:
        return found, ()
    had = {followed(one) for one in stored.follows}
    new = tuple(one for one in found.follows() if followed(one) not in had)
    if not new:
        return replace(found, faults=(sign_words(found.lang)("fill-new"),)), ()
    return found, new


def changes(form: Form, stored: Stored, lang: str) -> tuple[Changes, tuple[str, ...]]:
    """The form of what is stored: each place by its number in `stored.follows`."""
    say = sign_words(lang)
    faults: list[str] = []
    follows = []
    for n, follow in enumerate(stored.follows):
        if first(form, f"ai{n}") != followed(follow):  # changed elsewhere since it was shown
            follows.append(follow)
            continue
        if first(form, f"bo{n}"):
            continue
        wants = _wants(form, f"tin{n}")
        if not wants:
            faults.append(say("fill-notices"))
            continue
        limit = first(form, f"gioihan{n}")
        asked_, wrong = asked([("gioihan", limit), ("lang", lang)], {})
        faults.extend(wrong)
        if not wrong:
            level = follow.level_mg_l
            if asked_.own_mg_l is not None:
                level = level_at_most(min(asked_.own_mg_l, wishes.LIMIT_MAX_G_L * 1000))
            follows.append(Follow(follow.place, follow.crop, level, wants))
    quiet = _quiet(form)
    if isinstance(quiet, wishes.BadWish):
        faults.append(say("fill-quiet"))
        quiet = stored.quiet
    language = _told_in(form, stored.lang)
    return (
        Changes(tuple(follows), quiet, quiet_off=quiet is None, lang=language),
        tuple(dict.fromkeys(faults)),
    )


def followed(follow: Follow) -> str:
    """By which a form names what it is about."""
    return f"{follow.place} {follow.crop}"


def _what(form: Form, intakes: Mapping[str, Intake]) -> Filled:
    """A place, what grows there, and which notices; with its faults."""
    pairs = [(name, first(form, name)) for name in ("noi", "phia", "cay", "gioihan", "lang")]
    asked_, faults = asked([(name, text) for name, text in pairs if text], intakes)
    say = sign_words(asked_.lang)
    told = list(faults)
    if asked_.place is None and not faults:
        told.append(say("fill-place"))
    if asked_.crop is None and not faults:
        told.append(say("fill-crop"))
    others: list[Crop] = []
    for text in dict.fromkeys(form.get("caykhac", ())):
        also, wrong = asked([("cay", text), ("lang", asked_.lang)], {})
        told.extend(wrong)
        if also.crop not in (None, asked_.crop):
            others.append(also.crop)
    wants = _wants(form, "tin")
    if not wants:
        told.append(say("fill-notices"))
    return Filled(asked_, tuple(others), wants=wants, faults=tuple(dict.fromkeys(told)))


def _told_in(form: Form, otherwise: str) -> str:
    found = first(form, "ngonngu")
    return found if found in LANGS else otherwise


def _wants(form: Form, name: str) -> Wants:
    found = Wants(0)
    for want, word in WANT_NAMES.items():
        if word in form.get(name, ()):
            found |= want
    return found


def _quiet(form: Form) -> Quiet | wishes.BadWish | None:
    if not first(form, "yen"):
        return None
    try:
        return wishes.read_quiet(
            first(form, "tu"), first(form, "den"), urgent_passes=bool(first(form, "gap"))
        )
    except wishes.BadWish as error:
        return error
