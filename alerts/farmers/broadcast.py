"""Words of an official bulletin to farmers: one officer proposes, another confirms. Pure.

Nothing is told before a second officer has said so: a wrong word reaches thousands of phones
and can't be taken back. Who proposes may withdraw, everybody else may refuse; what nobody
confirms within a day lapses. Entries are those of the journal, validated where they are stepped.

How the text reads on a cheap phone is worked out where it is shown and never kept: stripped of
diacritics, cut to what has room, with the words that say something else then. Officers decide
about these.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from alerts.entries import (
    BULLETIN_MAX_MS,
    DAY_MS,
    EVERYWHERE,
    EnteredOutcome,
    Entering,
    NotTaken,
    Verdict,
    by,
    read,
    refused,
    stale,
    unknown,
)
from alerts.farmers import gsm7, texts
from alerts.farmers.notice import ANY_LEVEL, Kind, Notice
from alerts.farmers.parcel import Form
from alerts.farmers.place import Place, places
from alerts.farmers.second_meaning import second_meanings
from ingest.intakes import Intake
from ingest.reading import EPOCH_2000_MS
from ingest.registry import Registry

CONFIRM_WITHIN_MS: Final = DAY_MS
PROPOSED_MAX: Final = 20
"""That wait for a second officer at once."""

OVER_KEPT: Final = 100
"""That are decided or have lapsed; all of them, for good, stand in `alerts.entry_log`."""

TITLE_MAX: Final = 120
ISSUER_MAX: Final = 120
TEXT_MAX: Final = 600
PLACES_MAX: Final = 500


class State(StrEnum):
    """Where a broadcast stands."""

    PROPOSED = "proposed"
    LAPSED = "lapsed"
    """Nobody has confirmed it in time; by the clock alone."""
    SENT = "sent"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    """What is decided of one that is proposed."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


DECIDED: Final[Mapping[Act, State]] = {
    Act.CONFIRM: State.SENT,
    Act.REFUSE: State.REFUSED,
    Act.WITHDRAW: State.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Words:
    """What is told, in Vietnamese, as issued.

    official : the level of disaster risk that it states (QĐ 18/2021/QĐ-TTg), None without one
    """

    title: str
    text: str
    issuer: str
    issued_ms: int
    official: int | None

    def body(self) -> dict[str, Any]:
        """Of its notices, see `alerts.farmers.notice.Notice`."""
        return {
            "title": self.title,
            "text": self.text,
            "issuer": self.issuer,
            "issued_ms": self.issued_ms,
            "official": self.official,
        }


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One of them. `ver` counts the entries.

    places : ids of intakes, or `EVERYWHERE` alone
    decided_ms, decided_by, why : of what ended it; -1 and "" while nobody has
    """

    id: str
    ver: int
    title: str
    text: str
    issuer: str
    issued_ms: int
    official: int | None
    places: tuple[str, ...]
    valid_until_ms: int
    t_ms: int
    who: str
    note: str
    state: str = State.PROPOSED.value
    decided_ms: int = -1
    decided_by: str = ""
    why: str = ""

    @property
    def words(self) -> Words:
        return Words(self.title, self.text, self.issuer, self.issued_ms, self.official)

    @property
    def until_ms(self) -> int:
        """By when it must be confirmed."""
        return min(self.valid_until_ms, self.t_ms + CONFIRM_WITHIN_MS)

    @property
    def event(self) -> str:
        """The same at all places: who follows two of them is told once."""
        return f"bulletin-{self.id}-{self.t_ms}"

    def state_at(self, now_ms: int) -> State:
        if self.state == State.PROPOSED and now_ms >= self.until_ms:
            return State.LAPSED
        return State(self.state)

    def item(self, now_ms: int) -> dict[str, Any]:
        """As it goes to officers."""
        told: dict[str, Any] = {
            "id": self.id,
            "ver": self.ver,
            "state": self.state_at(now_ms).value,
            "title": self.title,
            "text": self.text,
            "issuer": self.issuer,
            "issued": self.issued_ms,
            "official": self.official,
            "places": list(self.places),
            "valid_until": self.valid_until_ms,
            "confirm_until": self.until_ms,
            "event": self.event,
            "t": self.t_ms,
            **by(self.who, self.note),
        }
        if self.decided_ms >= 0:
            told["decided"] = {"t": self.decided_ms, **by(self.decided_by, self.why)}
        return told


def as_sms(words: Words, site: str, now_ms: int) -> dict[str, Any]:
    """How it reads on the cheapest phone, as it would be sent now.

    site : as in `alerts.farmers.texts`
    cut : not all of the text has room, and its last sentences stand on the page alone
    second : the words that say something else without diacritics, with why in both languages
    """
    sent = texts.bulletin(_notice(words, now_ms), "vi", Form.SMS, site=site, now_ms=now_ms)
    whole = f"{words.issuer}: {words.title}. {' '.join(words.text.split())}"
    return {
        "text": sent.body,
        "length": gsm7.length(sent.body),
        "parts": sent.parts,
        "cut": gsm7.strip(" ".join(words.text.split())) not in sent.body,
        "second": [
            {"words": each.words, "vi": each.why_vi, "en": each.why_en}
            for each in second_meanings(whole)
        ],
    }


def parts(words: Words, form: Form, site: str, now_ms: int) -> int:
    """As many messages as are paid for, for each person."""
    return texts.bulletin(_notice(words, now_ms), "vi", form, site=site, now_ms=now_ms).parts


def _notice(words: Words, now_ms: int) -> Notice:
    anywhere = Place(EVERYWHERE, "river")
    body = words.body()
    return Notice(Kind.BULLETIN, anywhere, ANY_LEVEL, now_ms, words.issued_ms, "", "", body)


# What a body may hold.

_Ms = Annotated[int, Meta(ge=EPOCH_2000_MS, le=4_102_444_800_000)]
_Place = Annotated[str, Meta(min_length=1, max_length=80)]


class Proposed(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of a proposal, whose subject is `EVERYWHERE`."""

    title: Annotated[str, Meta(max_length=TITLE_MAX)]
    text: Annotated[str, Meta(max_length=TEXT_MAX)]
    issuer: Annotated[str, Meta(max_length=ISSUER_MAX)]
    issued: _Ms
    places: Annotated[list[_Place], Meta(min_length=1, max_length=PLACES_MAX)]
    valid_until: _Ms
    official: Annotated[int, Meta(ge=1, le=5)] | None = None


class Decided(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of what is decided of one, whose id is the subject."""

    ver: Annotated[int, Meta(ge=0, le=2**53)]
    act: Act


class Broadcasts:
    """Those that wait, and the last that are over, in the order in which they were proposed.

    Parameters
    ----------
    snapshot : of `snapshot()`
    """

    def __init__(self, snapshot: Mapping[str, Any] | None = None) -> None:
        old = snapshot or {"next": 1, "held": []}
        self._next: int = old["next"]
        held = (Broadcast(**{**one, "places": tuple(one["places"])}) for one in old["held"])
        self._held = {one.id: one for one in held}

    def snapshot(self) -> dict[str, Any]:
        return {"next": self._next, "held": [asdict(one) for one in self._held.values()]}

    def picture(self, now_ms: int) -> list[dict[str, Any]]:
        """All of them for officers, the newest first."""
        return [one.item(now_ms) for one in reversed(self._held.values())]

    def take(self, entering: Entering, registry: Registry, now_ms: int) -> EnteredOutcome:
        """Take an entry; on a confirmation with the notices that follow. Raises NotTaken."""
        if entering.subject == EVERYWHERE:
            return self._propose(entering, registry, now_ms)
        return self._decide(entering, registry, now_ms)

    def _propose(self, entering: Entering, registry: Registry, now_ms: int) -> EnteredOutcome:
        body = read(entering, Proposed)
        proposed = Broadcast(
            "",
            1,
            _line("title", body.title, TITLE_MAX),
            _lines("text", body.text, TEXT_MAX),
            _line("issuer", body.issuer, ISSUER_MAX),
            body.issued,
            body.official,
            _known(body.places, registry.intakes),
            body.valid_until,
            now_ms,
            entering.who,
            entering.note,
        )
        if not now_ms - BULLETIN_MAX_MS <= body.issued <= now_ms:
            raise refused("issued", "a bulletin of the last 45 days is accepted")
        if not now_ms < body.valid_until <= body.issued + BULLETIN_MAX_MS:
            raise refused("valid_until", "after now, and at most 45 days after it was issued")
        waiting = [o for o in self._held.values() if o.state_at(now_ms) is State.PROPOSED]
        for known in waiting:
            if replace(known, id="", t_ms=now_ms) == proposed:
                # A page that got no answer has sent it again.
                return EnteredOutcome(Verdict.DONE, item=known.item(now_ms), again=True)
        if len(waiting) >= PROPOSED_MAX:
            words = f"{PROPOSED_MAX} wait for a second officer; confirm, refuse or withdraw some"
            raise NotTaken(Verdict.NOT_NOW, words)
        proposed = replace(proposed, id=f"b{self._next}")
        self._next += 1
        self._held[proposed.id] = proposed
        self._forget(now_ms)
        return EnteredOutcome(Verdict.DONE, item=proposed.item(now_ms))

    def _decide(self, entering: Entering, registry: Registry, now_ms: int) -> EnteredOutcome:
        body = read(entering, Decided)
        known = self._held.get(entering.subject)
        if known is None:
            raise unknown("broadcast", entering.subject)
        if known.ver != body.ver:
            raise stale(known.item(now_ms))
        if known.state_at(now_ms) is not State.PROPOSED:
            words = f"it is {known.state_at(now_ms).value}; nothing was done"
            raise NotTaken(Verdict.NOT_NOW, words, known.item(now_ms))
        _check_who(body.act, known, entering.who)
        decided = replace(
            known,
            ver=known.ver + 1,
            state=DECIDED[body.act].value,
            decided_ms=now_ms,
            decided_by=entering.who,
            why=entering.note,
        )
        told = notices(decided, registry.intakes) if body.act is Act.CONFIRM else ()
        if body.act is Act.CONFIRM and not told:
            words = "none of its places is in the registry any more; refuse it"
            raise NotTaken(Verdict.NOT_NOW, words, known.item(now_ms))
        self._held[known.id] = decided
        self._forget(now_ms)
        return EnteredOutcome(Verdict.DONE, item=decided.item(now_ms), notices=told)

    def _forget(self, now_ms: int) -> None:
        over = [o.id for o in self._held.values() if o.state_at(now_ms) is not State.PROPOSED]
        for name in over[: max(0, len(over) - OVER_KEPT)]:
            del self._held[name]


def notices(confirmed: Broadcast, intakes: Mapping[str, Intake]) -> tuple[Notice, ...]:
    """One for each place of a broadcast that was confirmed, as of that moment."""
    chosen = {
        name: intake
        for name, intake in intakes.items()
        if EVERYWHERE in confirmed.places or name in confirmed.places
    }
    return tuple(
        Notice(
            Kind.BULLETIN,
            place,
            ANY_LEVEL,
            confirmed.decided_ms,
            confirmed.issued_ms,
            confirmed.event,
            "",
            confirmed.words.body() | {"place_vi": chosen[place.intake].name},
        )
        for place in places(chosen)
    )


def _check_who(act: Act, known: Broadcast, who: str) -> None:
    own = who == known.who
    if act is Act.CONFIRM and own:
        raise refused("who", "you proposed it: another officer confirms it")
    if act is Act.REFUSE and own:
        raise refused("who", "you proposed it: withdraw it")
    if act is Act.WITHDRAW and not own:
        raise refused("who", "another officer proposed it: refuse it")


def _known(asked: Sequence[str], intakes: Mapping[str, Intake]) -> tuple[str, ...]:
    """In the order of their names, each once."""
    if EVERYWHERE in asked:
        if len(set(asked)) > 1:
            raise refused("places", f"{EVERYWHERE!r} stands alone, or intakes by their ids")
        return (EVERYWHERE,)
    for name in asked:
        if name not in intakes:
            accepted = f"{EVERYWHERE!r} or ids of intakes, such as {', '.join(sorted(intakes)[:3])}"
            raise refused("places", f"there is no intake {name!r}; accepted is {accepted}")
    return tuple(sorted(set(asked)))


def _line(name: str, said: str, most: int) -> str:
    text = unicodedata.normalize("NFC", said).strip()
    if not text or not text.isprintable():
        raise refused(name, f"1 to {most} characters in one line are needed")
    return text


def _lines(name: str, said: str, most: int) -> str:
    """Words in several lines, without blank ones."""
    lines = [line.strip() for line in unicodedata.normalize("NFC", said).splitlines()]
    text = "\n".join(line for line in lines if line)
    if not text or not text.replace("\n", "").isprintable():
        raise refused(name, f"1 to {most} characters are needed, none of them a control character")
    return text
