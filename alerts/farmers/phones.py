"""Vietnamese mobile numbers, however they are typed, in the form of E.164. Pure.

No message and no exception here holds more of what was typed than its prefix.
"""

import re
import unicodedata
from typing import Final

COUNTRY: Final = "+84"

MOBILE: Final = frozenset(
    (
        *(f"3{n}" for n in range(2, 10)),  # Viettel
        *("52", "56", "58"),  # Vietnamobile
        *("55", "59"),  # Wintel; Gmobile
        *("70", "76", "77", "78", "79"),  # MobiFone
        *(f"8{n}" for n in range(1, 10)),  # VinaPhone 81-85, 88; Viettel 86; Itel 87; MobiFone 89
        *("90", "91", "92", "93", "94", "96", "97", "98", "99"),
    )
)
"""Two digits after the 0. Circular 22/2014/TT-BTTTT, with the plan of 2018 for moving mobile
numbers to ten digits (decision 798/QĐ-BTTTT), as operators have taken them up since."""

OLD: Final = {
    **{f"16{n}": f"3{n}" for n in range(2, 10)},
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    "186": "56",
    "188": "58",
    "199": "59",
}
"""Prefixes of eleven digits, and what they have been since 2018."""

_LENGTH: Final = 9
"""Digits after the 0 or the +84."""

_SEPARATORS: Final = re.compile(r"[\s.\-()/]+")
ACCEPTED: Final = "a Vietnamese mobile number of 10 digits: 09xx xxx xxx or +84 9xx xxx xxx"
ACCEPTED_VI: Final = "số di động Việt Nam 10 chữ số, dạng 09xx xxx xxx"


class NoPhone(ValueError):  # noqa: N818 - it says what is, not that something is broken
    """Not a number that can be told anything. `vi`: the same in Vietnamese."""

    def __init__(self, why: str, vi: str) -> None:
        super().__init__(f"{why}; accepted is {ACCEPTED}")
        self.vi = f"{vi}; xin nhập {ACCEPTED_VI}"


def parse_phone(typed: str) -> str:
    """`+84…` of a mobile number. Raises NoPhone."""
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed).strip())
    if not text:
        raise NoPhone("there is no number", "chưa có số điện thoại")
    digits = _national(text)
    if digits[:1] == "2":
        raise NoPhone("this is a landline, which takes no messages", "đây là số máy bàn")
    if len(digits) == _LENGTH + 1 and digits[:3] in OLD:
        now = f"0{OLD[digits[:3]]}"
        raise NoPhone(
            f"numbers that begin with 0{digits[:3]} have had ten digits since 2018 and begin "
            f"with {now} now",
            f"đầu số 0{digits[:3]} nay là {now}",
        )
    if len(digits) != _LENGTH:
        many = "số thừa, quá 10 chữ số" if len(digits) > _LENGTH else "số không đủ 10 chữ số"
        raise NoPhone(f"it has {len(digits) + 1} digits instead of 10", many)
    if digits[:2] not in MOBILE:
        raise NoPhone(
            f"no mobile number begins with 0{digits[:2]}", f"không có đầu số 0{digits[:2]}"
        )
    return f"{COUNTRY}{digits}"


def repaired(typed: str) -> str | None:
    """What a spreadsheet made of a number, mended; None where it made nothing of it.

    Excel takes 0912345678 for a figure, and shows 912345678 or 9.12345678E+8.
    """
    text = typed.strip().replace(",", ".").removesuffix(".0")
    if re.fullmatch(r"[0-9](\.[0-9]+)?[eE]\+?0?8", text):
        figure = round(float(text))
        # Only with all its digits: a figure that was shown rounded is another number.
        mantissa = text.lower().partition("e")[0].replace(".", "")
        text = str(figure) if len(mantissa) == _LENGTH else ""
    plain = _SEPARATORS.sub("", text)
    if re.fullmatch(r"[1-9][0-9]{8}", plain) and plain[:2] in MOBILE:
        return f"0{plain}"
    return None


def masked_phone(phone: str) -> str:
    """`09xx xxx 678` of `+84…`: enough for its owner to know it again."""
    national = f"0{phone.removeprefix(COUNTRY)}"
    return f"{national[:2]}xx xxx {national[-3:]}"


def _national(text: str) -> str:
    """The digits after the 0, +84, 0084 or 84."""
    if not re.fullmatch(r"\+?[0-9]{1,20}", text):
        raise NoPhone("it holds more than digits", "số có ký tự lạ")
    if text.startswith("+84"):
        return text[3:].removeprefix("0")
    if text.startswith("+"):
        raise NoPhone("it is of another country", "số không phải của Việt Nam")
    if text.startswith("0084"):
        return text[4:].removeprefix("0")
    if text.startswith("0"):
        return text[1:]
    # 84 is a prefix of VinaPhone too: the country's code has nine digits after it, or 0 and nine.
    if text.startswith("84") and len(text) >= _LENGTH + 2:
        return text[2:].removeprefix("0")
    raise NoPhone("it begins with neither 0 nor 84", "số phải bắt đầu bằng 0 hoặc 84")
