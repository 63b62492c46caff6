"""HTML as text: one builder, and one place where what comes from elsewhere is escaped. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Final


class Markup(str):
    """HTML already: what `h` made. A plain `str` is never taken for it."""

    __slots__ = ()


Child = str | Iterable["Child"] | None
"""Text, which is escaped; `Markup`, which is not; several of them; None is nothing."""

VOID: Final = frozenset({"input", "link", "meta", "br"})
DRAWN: Final = frozenset({"line", "circle", "path", "polyline"})
"""Of SVG: closed in themselves."""


def h(tag: str, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. `cls`, `for_` and `data_x` write `class`, `for` and `data-x`.

    An attribute of None or False is left out, one of True stands without a value.
    """
    named = "".join(
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in VOID:
        return Markup(f"<{tag}{named}>")
    if tag in DRAWN:
        return Markup(f"<{tag}{named}/>")
    return Markup(f"<{tag}{named}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Markup:
    """Children one after another, escaped where they are plain text."""
    return Markup("".join(map(_text, children)))


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child, quote=True)
    return "".join(map(_text, child))


def _attribute(name: str, value: str | float) -> str:
    written = "class" if name == "cls" else name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value), quote=True)}"'
