"""Words fitted to a form: one part of a short message, a title and a body, or parameters. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from alerts.farmers import gsm7
from alerts.farmers.parcel import Form, Text
from alerts.farmers.texts_detail import FULL, LADDER, TERSE, Detail, first_fitting

PARTS_MAX: Final = 3
"""Of a bulletin or digest in short messages with diacritics; those without have one."""

_SENTENCES: Final = re.compile(r"(?<=[.!?;]) ")


def fitted(say: Callable[[Detail], str], form: Form, parts_max: int = 2) -> Text:
    """The fullest that fits: one part without diacritics; one, or else `parts_max`, with them.

    Nothing is cut within a word: a rung of the ladder says less instead.
    """
    if form is Form.SMS:
        text = first_fitting(lambda detail: gsm7.strip(say(detail)), LADDER, _one_part)
        body = gsm7.strip(say(LADDER[-1])) if text is None else text
        return Text("", body, gsm7.parts(body))
    if form is Form.SMS_UNICODE:
        text = (
            first_fitting(say, (FULL, *TERSE), _one_part)
            or first_fitting(say, LADDER, lambda text: gsm7.parts(text) <= parts_max)
            or say(LADDER[-1])
        )
        return Text("", text, gsm7.parts(text))
    return Text("", say(FULL))


def worded(text: str, form: Form) -> Text:
    """A text that is short enough as it stands, or goes in parts."""
    body = gsm7.strip(text) if form is Form.SMS else text
    short = form in (Form.SMS, Form.SMS_UNICODE)
    return Text("", body, gsm7.parts(body) if short else 1)


def clipped(heading: str, text: str, tail: str, form: Form) -> Text:
    """As many whole sentences as a short message has room for, and where to read on.

    Half a sentence might say the contrary of the whole one.
    """
    for end in (tail, ""):
        for more in beginnings(text):
            said = worded(" ".join(part for part in (f"{heading}.", more, end) if part), form)
            if _short(said, form):
                return said
    names = heading.split()
    for count in range(len(names), 0, -1):
        said = worded(" ".join([*names[:count], "..."]), form)
        if _short(said, form):
            return said
    return worded("...", form)


def beginnings(text: str) -> Iterator[str]:
    """The whole text, then fewer and fewer of its sentences, at last none."""
    sentences = _SENTENCES.split(text) if text else []
    for count in range(len(sentences), -1, -1):
        yield " ".join(sentences[:count])


def params(named: Mapping[str, str], limits: Mapping[str, int]) -> dict[str, str]:
    """Parameters within their limits, cut between words; none of them empty."""
    return {name: _short_words(value, limits[name]) or "-" for name, value in named.items()}


def _short_words(text: str, most: int) -> str:
    words = text.split()
    if len(" ".join(words)) <= most:
        return " ".join(words)
    while words and len(" ".join(words)) > most - 3:
        words.pop()
    return " ".join(words) + "..." if words else ""


def _one_part(text: str) -> bool:
    return len(text) <= gsm7.ONE_SEPTETS and gsm7.parts(text) == 1


def _short(text: Text, form: Form) -> bool:
    return text.parts <= (1 if form is Form.SMS else PARTS_MAX)
