"""Texts as the short message service carries them: its alphabet, and the parts that are paid. Pure.

Formula: a message in GSM 7-bit is one part up to 160 septets and goes in parts of 153 beyond; a
character of the extension table takes two septets. One character outside of both tables turns
the whole text into UCS-2: one part up to 70 code units, parts of 67 beyond; what lies outside
of the Basic Multilingual Plane takes two. Neither is split in its middle.
Source: 3GPP TS 23.038 (6.2.1, 6.2.1.1: the tables), TS 23.040 (9.2.3.24.1: concatenation).
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")

ONE_SEPTETS: Final = 160
PART_SEPTETS: Final = 153
ONE_UNITS: Final = 70
PART_UNITS: Final = 67

_AS: Final = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "±": "+-",
        "×": "x",
        "÷": "/",
        "→": "->",
        "←": "<-",
        "–": "-",
        "—": "-",
        "−": "-",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "•": "-",
        "·": "-",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "‘": "'",
        "’": "'",
        "‚": "'",
        "´": "'",
        "`": "'",
        "…": "...",
        "⁄": "/",
        "₫": "d",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
        "μ": "u",
        "\t": " ",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)

_PER_MILLE: Final = re.compile(r"[ \u00a0\u202f]*‰")
"""Of the water, a thousandth is a gram in a litre as near as it is measured."""


class Coding(StrEnum):
    """The alphabet in which the network carries a text."""

    GSM_7 = "gsm-7"
    UCS_2 = "ucs-2"


def strip(text: str) -> str:
    """A text without diacritics, of the characters of GSM 7-bit alone.

    "‰" becomes " g/l". What has no counterpart becomes "?", what is not seen falls away.
    """
    plain = _PER_MILLE.sub(" g/l", text).translate(_AS)
    # Compatibility forms too: a wide digit, a ligature, a space that doesn't break.
    plain = unicodedata.normalize("NFKD", plain).translate(_AS)
    return "".join(map(_carried, plain))


def _carried(character: str) -> str:
    if character in BASIC or character in EXTENSION:
        return character
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cc", "Cf"):
        return ""
    return " " if category == "Zs" else "?"


def coding(text: str) -> Coding:
    carried = all(character in BASIC or character in EXTENSION for character in text)
    return Coding.GSM_7 if carried else Coding.UCS_2


def length(text: str) -> int:
    """Septets, or code units where the text is carried as UCS-2."""
    return sum(_sizes(text))


def parts(text: str) -> int:
    """As many messages as the network carries, and counts; at least 1."""
    one, part = (
        (ONE_SEPTETS, PART_SEPTETS) if coding(text) is Coding.GSM_7 else (ONE_UNITS, PART_UNITS)
    )
    if length(text) <= one:
        return 1
    full, room = 0, 0
    for size in _sizes(text):
        if size > room:
            full, room = full + 1, part
        room -= size
    return full


def _sizes(text: str) -> Iterable[int]:
    if coding(text) is Coding.GSM_7:
        return (2 if character in EXTENSION else 1 for character in text)
    return (2 if ord(character) > 0xFFFF else 1 for character in text)
