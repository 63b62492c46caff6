"""What officers enter beside alerts, in words: what may be said of each, and what is kept.

Used by `alerts.desk`, which holds what has been entered, and by the doors.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from alerts.bridge.modes import Mode
from alerts.farmers.notice import Notice
from ingest.reading import EPOCH_2000_MS

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
BEGUN_MAX_MS: Final = 12 * HOUR_MS
"""Work that began so long ago may still be entered; what has been told meanwhile stays told."""
WINDOW_MAX_MS: Final = 31 * DAY_MS
AHEAD_MAX_MS: Final = 366 * DAY_MS
MODE_MAX_MS: Final = 31 * DAY_MS
"""A mode that nobody takes back would hide a jam for good: all but two-way have an end."""
BULLETIN_MAX_MS: Final = 45 * DAY_MS
WORDS_MAX: Final = 500
NOTE_MAX: Final = 2_000
EVERYWHERE: Final = "*"
"""In place of a branch: a level for the whole region that the bulletin speaks of."""


class What(StrEnum):
    """What can be entered."""

    MAINTENANCE = "maintenance"
    MODE = "bridge-mode"
    RISK = "risk-level"
    INTAKE = "intake"
    CHECK = "check"
    BROADCAST = "broadcast"


class Verdict(StrEnum):
    """What became of an entry."""

    DONE = "done"
    NOT_FOUND = "not_found"
    STALE = "stale"
    """It has changed since the officer saw it; the outcome brings it as it now is."""
    NOT_NOW = "not_now"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entering:
    """What an officer enters. `note` is for operators; what viewers may see is in the body.

    subject : maintenance: a station, or to end a window its id; bridge-mode: a bridge's
        station; risk-level: a reach or `EVERYWHERE`; intake: an intake; check: a station;
        broadcast: `EVERYWHERE` to propose one, or its id
    body : see `Begin` and its siblings; times in ms UTC
    """

    what: str
    subject: str
    body: Mapping[str, Any]
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class EnteredOutcome:
    """`words` say why an entry was not taken; `item` is the thing as it now is, if there is one.

    again : the same entry had been taken before; nothing has changed
    notices : what farmers are to be told because of it
    """

    outcome: Verdict
    words: str = ""
    item: dict[str, Any] | None = None
    again: bool = False
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry that was taken; `item` is the thing as it then was, with who and note."""

    at_ms: int
    what: str
    subject: str
    item: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """For the doors: who and note beside the item, and in it."""
        said = {name: self.item[name] for name in ("who", "note") if name in self.item}
        told = {"t": self.at_ms, "what": self.what, "subject": self.subject, "item": self.item}
        return told | said


def logged(what: str, subject: str, outcome: EnteredOutcome, at_ms: int) -> Logged | None:
    """What the log keeps of an entry: nothing of one that was not taken, or taken before."""
    if outcome.outcome is not Verdict.DONE or outcome.again or outcome.item is None:
        return None
    return Logged(at_ms, what, subject, outcome.item)


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance of a station: in force while from_ms <= now < until_ms.

    ended_ms, ended_by : where an officer has ended it, before it was over or had begun
    """

    id: str
    station: str
    from_ms: int
    to_ms: int
    reason: str
    t_ms: int
    who: str
    note: str
    ended_ms: int | None = None
    ended_by: str = ""

    @property
    def until_ms(self) -> int:
        return self.to_ms if self.ended_ms is None else min(self.to_ms, self.ended_ms)

    def holds(self, now_ms: int) -> bool:
        return self.from_ms <= now_ms < self.until_ms

    def item(self, now_ms: int) -> dict[str, Any]:
        """As it goes to the doors; so are the `item`s of the others."""
        told = {
            "id": self.id,
            "station": self.station,
            "from": self.from_ms,
            "to": self.to_ms,
            "reason": self.reason,
            "holds": self.holds(now_ms),
            "t": self.t_ms,
            **by(self.who, self.note),
        }
        if self.ended_ms is not None:
            told["ended"] = {"t": self.ended_ms, **by(self.ended_by, "")}
        return told


@dataclass(frozen=True, slots=True)
class ModeEntry:
    """How the police let a direction be used, until `until_ms`; two-way where there is none."""

    mode: Mode
    t_ms: int
    until_ms: int
    reason: str
    who: str
    note: str

    def item(self) -> dict[str, Any]:
        return {
            "mode": self.mode.value,
            "t": self.t_ms,
            "until": self.until_ms,
            "reason": self.reason,
            **by(self.who, self.note),
        }


@dataclass(frozen=True, slots=True)
class Bridge:
    """Modes by direction, those that are not two-way; `ver` counts the entries."""

    ver: int = 0
    modes: Mapping[str, ModeEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Official:
    """A disaster-risk level of a bulletin, 1 to 5 (QĐ 18/2021/QĐ-TTg); None: it ends the level.

    branch : a reach, or `EVERYWHERE` in the `region` that the bulletin names
    """

    branch: str
    ver: int
    level: int | None
    region: str
    bulletin: str
    title: str
    issued_ms: int
    valid_until_ms: int
    source: str
    t_ms: int
    who: str
    note: str

    def holds(self, now_ms: int) -> bool:
        return self.level is not None and now_ms < self.valid_until_ms

    def item(self, now_ms: int) -> dict[str, Any]:
        return {
            "branch": None if self.branch == EVERYWHERE else self.branch,
            "ver": self.ver,
            "level": self.level,
            "region": self.region,
            "bulletin": self.bulletin,
            "title": self.title,
            "issued": self.issued_ms,
            "valid_until": self.valid_until_ms,
            "source": self.source,
            "holds": self.holds(now_ms),
            "t": self.t_ms,
            **by(self.who, self.note),
        }


@dataclass(frozen=True, slots=True)
class IntakeState:
    """Whether water is taken at an intake, and how its gate stands (None: nobody has said)."""

    ver: int
    taking: bool
    gate: str | None
    t_ms: int
    who: str
    note: str

    def item(self) -> dict[str, Any]:
        state = {"ver": self.ver, "taking": self.taking, "gate": self.gate, "t": self.t_ms}
        return state | by(self.who, self.note)


# What a body may hold. Fields that are not known are refused: an officer who writes `untill`
# must not be told that it was done.

_Ms = Annotated[int, Meta(ge=EPOCH_2000_MS, le=4_102_444_800_000)]
_Ver = Annotated[int, Meta(ge=0, le=2**53)]
_Words = Annotated[str, Meta(max_length=WORDS_MAX)]


class Begin(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    to: _Ms
    reason: _Words
    begin: _Ms | None = msgspec.field(name="from", default=None)


class End(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    end: Literal["now"]


class Worked(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    ver: _Ver
    mode: Mode
    direction: str | None = None
    until: _Ms | None = None
    reason: _Words = ""


class Bulletin(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    ver: _Ver
    level: Annotated[int, Meta(ge=1, le=5)] | None
    region: _Words
    bulletin: _Words
    title: _Words
    issued: _Ms
    valid_until: _Ms
    source: _Words


class Taken(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    ver: _Ver
    taking: bool
    gate: Literal["open", "closed"] | None = None


class NotTaken(Exception):  # noqa: N818 - not an error of the program: an answer to an officer
    def __init__(self, verdict: Verdict, words: str, item: Mapping[str, Any] | None = None) -> None:
        super().__init__(words)
        self.outcome = EnteredOutcome(verdict, words, None if item is None else dict(item))


Body = TypeVar("Body")


def read(entering: Entering, shape: type[Body]) -> Body:
    try:
        return msgspec.convert(entering.body, shape)
    except msgspec.ValidationError as error:
        raise NotTaken(Verdict.REFUSED, str(error)) from error


def said(name: str, text: str) -> str:
    """One line of words, as everybody's keyboard writes them."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text or not text.isprintable():
        raise refused(name, f"1 to {WORDS_MAX} characters in one line are needed")
    return text


def by(who: str, note: str) -> dict[str, str]:
    """Under the names that are kept from viewers (`api.service.OFFICERS_ONLY`)."""
    return {name: word for name, word in (("who", who), ("note", note)) if word}


def refused(name: str, words: str) -> NotTaken:
    return NotTaken(Verdict.REFUSED, f"{name}: {words}")


def unknown(kind: str, name: str) -> NotTaken:
    return NotTaken(Verdict.NOT_FOUND, f"there is no {kind} {name[:80]!r}")


def stale(item: Mapping[str, Any] | None) -> NotTaken:
    return NotTaken(Verdict.STALE, "it has changed since you saw it; nothing was done", item)
