"""A title and a body, for mail, chats and push: all that is known, and where to look. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Text
from alerts.farmers.texts_detail import FULL
from alerts.farmers.texts_items import items
from alerts.farmers.texts_notices import Telling, bulletin, digest, heading, of_kind, place
from alerts.farmers.texts_words import Both, one_line

TITLE_MAX: Final = 120

_BY: Final[Both] = ("Trạm đo: {}.", "Measured by {}.")
_MORE: Final[Both] = ("Xem thêm: {}", "More: {}")


def long_notices(kind: Kind | None, notices: Sequence[Notice], to: Telling) -> Text:
    """Kind : None for a digest."""
    whole = replace(FULL, site=False)
    said = items(notices, to.person)
    if kind is None:
        text = digest(notices, to, whole)
        title = text.partition(":")[0]
    else:
        text = of_kind(kind, notices, to, whole)
        where = "; ".join(place(each, to, whole) for each in said)
        title = f"{heading(kind, said, to)}: {where}"
    stations = dict.fromkeys(one_line(str(each.told("station") or "")) for each in said)
    named = ", ".join(name for name in stations if name)
    lines = [text, to.say(_BY).format(named) if named else "", more(to.site, to.lang)]
    return Text(_title(title), "\n\n".join(line for line in lines if line))


def long_bulletin(notice: Notice, to: Telling) -> Text:
    """The bulletin whole, in the lines in which it was written."""
    title, _ = bulletin(notice, to)
    text = str(notice.body.get("text") or "").strip()
    return Text(
        _title(title), "\n\n".join(part for part in (title, text, more(to.site, to.lang)) if part)
    )


def more(site: str, lang: int) -> str:
    """The address as a link that can be pressed; "" if there is none."""
    if not site:
        return ""
    return _MORE[lang].format(site if "://" in site else f"https://{site}")


def _title(text: str) -> str:
    words = one_line(text).split()
    if len(" ".join(words)) <= TITLE_MAX:
        return " ".join(words)
    while words and len(" ".join(words)) > TITLE_MAX - 3:
        words.pop()
    return " ".join(words) + "..."
