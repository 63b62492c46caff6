"""What people answer to a message: a stop word, a code, or something else. Pure.

Whoever writes HUY wants to hear no more. Where the rest is not understood all is stopped: one
message too few is mended by a new sign-up, one too many costs trust. DUNG alone is another
matter: typed without diacritics it also means "right" and "use", so it stands by itself.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from alerts.farmers.wishes import plain
from ingest.intakes import Intake

READ_MAX: Final = 400
"""Characters of a reply that are looked at."""

STOP: Final = frozenset({"huy", "stop", "unsubscribe"})
ALONE: Final = frozenset({"dung", "dừng", "ngung", "ngừng", "ngưng"})
ALL: Final = frozenset({"", "het", "tat-ca", "tin", "nhan-tin", "tin-nhan", "dang-ky", "all"})
SIDES: Final = {"ngoai-song": "river", "song": "river", "trong-dong": "field", "dong": "field"}


@dataclass(frozen=True, slots=True)
class StopAll:
    """No more of anything."""


@dataclass(frozen=True, slots=True)
class StopAt:
    """No more of an intake. `side` "": of either."""

    intake: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Six digits, which may be a code."""

    code: str


@dataclass(frozen=True, slots=True)
class Start:
    """The link of a chat was pressed; `request` is what it carried."""

    request: str


Reply = StopAll | StopAt | Code | Start | None
"""None: nothing that is answered."""


def read_reply(text: str, intakes: Collection[Intake]) -> Reply:
    """What a reply asks for."""
    text = unicodedata.normalize("NFC", text[:READ_MAX]).strip()
    start = re.fullmatch(r"/start(?:@\w+)? ([A-Za-z0-9_-]{1,64})", text)
    if start is not None:
        return Start(start[1])
    digits = re.sub(r"[\s.-]", "", text)
    if re.fullmatch(r"[0-9]{6}", digits):
        return Code(digits)
    bare = re.sub(r"[^\w\s-]+", " ", text.removeprefix("/").lower()).strip(" -")
    word, _, rest = bare.partition(" ")
    rest = plain(rest).strip("-")
    if word in ALONE and rest in ALL:
        return StopAll()
    if plain(word) not in STOP:
        return None
    return _place(rest, intakes) or StopAll()


def _place(rest: str, intakes: Collection[Intake]) -> StopAt | None:
    """The intake that is named, by its id or name, and a side of its gate."""
    side = ""
    for name, known in SIDES.items():
        if rest.endswith(f"-{name}"):
            rest, side = rest.removesuffix(f"-{name}"), known
            break
    named = [one.id for one in intakes if rest in _names(one)]
    return StopAt(named[0], side) if len(named) == 1 else None


def _names(intake: Intake) -> frozenset[str]:
    name = plain(intake.name)
    short = re.sub(r"^(cong|vam|tram-bom)-", "", name)
    return frozenset({intake.id, name, short})
