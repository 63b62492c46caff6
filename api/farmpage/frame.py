"""What stands around every page for farmers: head, heading, foot. Pure."""

from dataclasses import dataclass

from api.farmpage.html import Child, Markup, h, joined
from api.farmpage.words import words

REFRESH_S = 300
"""A page without a script is loaded anew, so that an old answer does not stay on the glass."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses of stylesheet and script, "" where the pages have not been built."""

    css: str = ""
    js: str = ""


def document(
    title: str,
    lang: str,
    assets: Assets,
    *content: Child,
    moves: bool = False,
    **data: str | None,
) -> str:
    """A whole page. `moves`: what it says grows old. `data` are attributes of the body."""
    refresh = h("noscript", h("meta", http_equiv="refresh", content=REFRESH_S)) if moves else None
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width,initial-scale=1"),
        h("title", title),
        h("link", rel="icon", href="data:,"),
        h("link", rel="stylesheet", href=assets.css) if assets.css else None,
        h("script", src=assets.js, defer=True) if assets.js else None,
        refresh,
    )
    body = h("body", h("main", *content), data_ages=words(lang)("ages"), **data)
    return f"<!doctype html>{h('html', head, body, lang=lang)}"


def links(*found: tuple[str, str]) -> Markup:
    """Ways on, as large as a thumb: (address, words)."""
    return h("nav", *(h("a", text, href=href, cls="go") for href, text in found))


def options(found: list[tuple[str, str]], chosen: str) -> Markup:
    """Of a select: (value, words)."""
    return joined(
        *(h("option", text, value=value, selected=value == chosen) for value, text in found)
    )


def field(label: str, control: Markup, name: str) -> Markup:
    """A control under its words."""
    return h("p", h("label", label, for_=name), control, cls="field")
