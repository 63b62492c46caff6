"""Bulletins to farmers that are still in force, in full: a short message has room for their first
sentences alone, and says to look here. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerts.entries import EVERYWHERE
from alerts.farmers.broadcast import State
from api.farmpage import say
from api.farmpage.html import Markup, h
from api.farmpage.words import words

SHOWN: Final = 3


def in_force(
    found: Sequence[Mapping[str, Any]], intake: str | None, now_ms: int
) -> tuple[Mapping[str, Any], ...]:
    """The newest of those that were sent to farmers of an intake and are valid.

    found : as `alerts.farmers.broadcast.Broadcast.item` gives them, the newest first
    intake : None before one is chosen: those for everywhere
    """
    return tuple(
        each
        for each in found
        if each["state"] == State.SENT
        and now_ms < each["valid_until"]
        and (EVERYWHERE in each["places"] or intake in each["places"])
    )[:SHOWN]


def bulletins(found: Sequence[Mapping[str, Any]], now_ms: int, lang: str) -> Markup | None:
    """Each in the words of who issued it, with when and for how long; None without one."""
    if not found:
        return None
    said = words(lang)
    parts = [h("h2", said("bulletins"))]
    for each in found:
        issued, until = (say.moment(each[name], now_ms, lang) for name in ("issued", "valid_until"))
        parts.append(h("p", h("b", each["title"])))
        parts += [h("p", line) for line in each["text"].splitlines()]
        whence = said("issued").format(each["issuer"], issued, until)
        if each["official"] is not None:
            whence = f"{said('risk').format(each['official'])} {whence}"
        parts.append(h("p", whence, cls="note"))
    return h("section", *parts, id="ban-tin")
