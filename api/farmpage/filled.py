"""What somebody filled in: a form of the page, read into a wish or refused in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.farmers import wishes
from alerts.farmers.crops import level_at_most
from alerts.farmers.notice import USUAL, Wants
from alerts.farmers.person import Follow, Quiet
from api.farmpage.asked import Asked, asked
from api.farmpage.signwords import sign_words
from api.people.export import WANT_NAMES
from api.people.terms import Changes, Stored, Wish
from ingest.intakes import Intake

Form = Mapping[str, Sequence[str]]
"""By name all that was sent under it."""

NIGHT = Quiet(21 * 60, 5 * 60)
"""What is proposed: from nine in the evening to five in the morning."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it stands, to be shown again with its faults; without arguments: its defaults."""

    asked: Asked = field(default_factory=Asked)
    channel: str = ""
    address: str = field(default="", repr=False)
    wants: Wants = USUAL
    quiet: Quiet | None = NIGHT
    faults: tuple[str, ...] = ()

    @property
    def lang(self) -> str:
        return self.asked.lang

    def wish(self) -> Wish:
        """Of a form without faults."""
        assert self.asked.place is not None
        assert self.asked.crop is not None
        follow = Follow(self.asked.place, self.asked.crop.id, self.asked.level_mg_l, self.wants)
        return Wish(self.channel, self.address, (follow,), self.quiet, self.lang)


def first(form: Form, name: str) -> str:
    """The first value under a name, "" where there is none."""
    return next(iter(form.get(name, ())), "").strip()


def filled(form: Form, intakes: Mapping[str, Intake], channels: Sequence[str]) -> Filled:
    """The form of signing up."""
    pairs = [(name, first(form, name)) for name in ("noi", "phia", "cay", "gioihan", "lang")]
    asked_, faults = asked([(name, text) for name, text in pairs if text], intakes)
    say = sign_words(asked_.lang)
    told = list(faults)
    if asked_.place is None and not faults:
        told.append(say("fill-place"))
    if asked_.crop is None and not faults:
        told.append(say("fill-crop"))
    wants, quiet = _wants(form, "tin"), _quiet(form)
    if not wants:
        told.append(say("fill-notices"))
    if isinstance(quiet, wishes.BadWish):
        told.append(say("fill-quiet"))
        quiet = NIGHT
    channel = first(form, "kenh") or (channels[0] if len(channels) == 1 else "")
    if channel not in channels:
        told.append(say("fill-channel"))
    return Filled(asked_, channel, first(form, "diachi"), wants, quiet, tuple(told))


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
    language = first(form, "ngonngu")
    if language not in ("vi", "en"):
        language = stored.lang
    return (
        Changes(tuple(follows), quiet, quiet_off=quiet is None, lang=language),
        tuple(dict.fromkeys(faults)),
    )


def followed(follow: Follow) -> str:
    """By which a form names what it is about."""
    return f"{follow.place} {follow.crop}"


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
