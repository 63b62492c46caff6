"""A community's list of farmers as CSV: read line by line, with a report line by line. Pure.

A line that isn't understood is refused with its field and what is accepted; the others stand.
No report holds a number: phones are shown masked, and what was typed elsewhere is not repeated.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from alerts.farmers import reasons
from alerts.farmers.person import Follow, Quiet
from alerts.farmers.phones import NoPhone, masked_phone, parse_phone, repaired
from alerts.farmers.place import Place
from alerts.farmers.reasons import Reason, grouped
from alerts.farmers.wishes import (
    BadWish,
    plain,
    read_follow,
    read_lang,
    read_quiet,
    read_wants,
)

BYTES_MAX: Final = 1_000_000
LINES_MAX: Final = 5000
_CELL_MAX: Final = 200
_CONSENT_FROM: Final = date(2020, 1, 1)

COLUMNS: Final[Mapping[str, str]] = {
    "so-dien-thoai": "phone",
    "dien-thoai": "phone",
    "sdt": "phone",
    "phone": "phone",
    "noi": "place",
    "cong": "place",
    "place": "place",
    "intake": "place",
    "phia": "side",
    "side": "side",
    "cay": "crop",
    "cay-trong": "crop",
    "crop": "crop",
    "gioi-han": "limit_g_l",
    "limit-g-l": "limit_g_l",
    "bao": "notices",
    "notices": "notices",
    "gio-yen": "quiet",
    "quiet": "quiet",
    "ngon-ngu": "lang",
    "lang": "lang",
    "dong-y": "consent",
    "consent": "consent",
}
"""Names of columns, without diacritics and capitals, and what they are."""

NEEDED: Final = ("phone", "place", "crop", "consent")

_ENCODINGS: Final = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class Done(StrEnum):
    """What came of a line."""

    DONE = "done"
    CHANGED = "changed"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """The report of one line. `line` counts from 1, the heading among them.

    shown : the phone number, masked; "" where there is none that could be read
    field : of REFUSED, what is wrong; reason : and what is accepted. Else what is pointed at
    repaired : the number had lost its leading zero in a spreadsheet
    """

    line: int
    done: Done
    shown: str = ""
    field: str = ""
    reason: Reason | None = None
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that was understood. `consent`: YYYY-MM-DD."""

    line: int
    phone: str = field(repr=False)
    follows: tuple[Follow, ...]
    quiet: Quiet | None
    lang: str
    consent: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Roll:
    """What a file holds."""

    entries: tuple[Entry, ...]
    refused: tuple[Line, ...]
    passed_over: tuple[str, ...] = ()


class BadRoll(ValueError):  # noqa: N818 - it says what is, not that something is broken
    """The file as a whole can't be read; says why and what is accepted. `vi`: in Vietnamese."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.en)
        self.vi = reason.vi


def read_roll(raw: bytes, places: Collection[Place], today: date) -> Roll:
    """Read a list. Raises BadRoll; what is wrong with a line alone stands in `refused`."""
    text = _text(raw)
    rows = _rows(text)
    heading = next(rows, None)
    if heading is None:
        raise BadRoll(reasons.EMPTY)
    columns, passed_over = _columns(heading[1])
    entries: list[Entry] = []
    refused: list[Line] = []
    for number, cells in rows:
        if len(entries) + len(refused) >= LINES_MAX:
            raise BadRoll(reasons.MANY_LINES.say(n=LINES_MAX))
        try:
            entries.append(_entry(number, dict(zip(columns, cells, strict=False)), places, today))
        except _LineError as error:
            refused.append(error.line)
    return Roll(tuple(entries), tuple(refused), passed_over)


class _LineError(Exception):
    def __init__(self, line: Line) -> None:
        super().__init__(line.field)
        self.line = line


def _text(raw: bytes) -> str:
    if len(raw) > BYTES_MAX:
        raise BadRoll(reasons.MANY_BYTES.say(n=grouped(BYTES_MAX)))
    utf16 = raw[:2] in _ENCODINGS or b"\x00" in raw[:200]
    if utf16:
        raise BadRoll(reasons.UTF16)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRoll(reasons.OLD_CODE) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers."""
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        delimiter, text = first[4], "\n" + text.split("\n", 1)[-1]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error:
        raise BadRoll(reasons.QUOTE.say(line=begin)) from None


def _columns(heading: list[str]) -> tuple[list[str], tuple[str, ...]]:
    found, passed_over = [], []
    for name in heading:
        known = COLUMNS.get(plain(name), "")
        if known and known in found:
            raise BadRoll(reasons.TWICE.say(column=Reason(known, _names(known)[0])))
        if not known:
            passed_over.append(_column_name(name))
        found.append(known)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        named = {name: _names(name) for name in missing}
        en = "; ".join(f"{name}: {', '.join(names)}" for name, names in named.items())
        vi = "; ".join(f"{names[0]} (hoặc {', '.join(names[1:])})" for names in named.values())
        raise BadRoll(reasons.MISSING.say(columns=Reason(en, vi)))
    return found, tuple(name for name in passed_over if name)


def _names(column: str) -> list[str]:
    return [name.replace("-", "_") for name, known in COLUMNS.items() if known == column]


def _column_name(name: str) -> str:
    """Of a column that is passed over; where the heading is missing it may be a number."""
    return "…" if re.search(r"[0-9]{4}", name) else name.strip()[:40]


def _entry(number: int, cells: Mapping[str, str], places: Collection[Place], today: date) -> Entry:
    typed = cells.get("phone", "")
    shown, mended = "", repaired(typed)
    named = {name: cell.strip() for name, cell in cells.items() if name}

    def refused(name: str, reason: Reason) -> _LineError:
        return _LineError(Line(number, Done.REFUSED, shown, name, reason, mended is not None))

    long = next((name for name, cell in named.items() if len(cell) > _CELL_MAX), None)
    if long is not None:
        raise refused(long, reasons.LONG.say(n=_CELL_MAX))
    try:
        phone = parse_phone(typed.strip().lstrip("'") if mended is None else mended)
    except NoPhone as error:
        raise refused("phone", Reason(str(error), error.vi)) from None
    shown = masked_phone(phone)
    try:
        follow, quiet, lang = _wish(named, places)
    except BadWish as error:
        raise refused(error.field, error.reason) from None
    consent = _date(named.get("consent", ""))
    if consent is None or not _CONSENT_FROM <= consent <= today:
        raise refused("consent", reasons.CONSENT)
    return Entry(number, phone, (follow,), quiet, lang, consent.isoformat(), mended is not None)


def _wish(cells: Mapping[str, str], places: Collection[Place]) -> tuple[Follow, Quiet | None, str]:
    limit = _limit(cells.get("limit_g_l", ""))
    wants = read_wants(re.split(r"[;,+/|]", cells.get("notices", "")))
    side = cells.get("side", "")
    # A line may have fewer cells than the heading names.
    place, crop = cells.get("place", ""), cells.get("crop", "")
    place = place if "/" in place or not side else f"{place}/{side}"
    follow = read_follow(place, crop, limit, wants, places)
    lang = read_lang(cells.get("lang", ""))
    quiet = cells.get("quiet", "")
    if not quiet:
        return follow, None, lang
    start, dash, end = quiet.replace("–", "-").partition("-")
    if not dash:
        raise BadWish("quiet", reasons.QUIET)
    return follow, read_quiet(start, end), lang


def _limit(text: str) -> float | None:
    if not text:
        return None
    # "05" is a comma that was lost, and "1.500" may be a thousand and a half of milligrams.
    figure = r"0?[.,][0-9]{1,3}|[1-9][0-9]?(?:[.,][0-9]{1,2})?"
    match = re.fullmatch(rf"({figure})\s*(?:g/[lL]|‰)?", text)
    if match is None:
        raise BadWish("limit_g_l", reasons.LIMIT)
    return float(match[1].replace(",", "."))


def _date(text: str) -> date | None:
    for pattern, order in (
        (r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", (0, 1, 2)),
        (r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", (2, 1, 0)),
    ):
        match = re.fullmatch(pattern, text)
        if match is not None:
            figures = [int(part) for part in match.groups()]
            try:
                return date(*(figures[place] for place in order))
            except ValueError:
                return None
    return None


def shape(line: Line) -> dict[str, Any]:
    """As JSON; `detail_vi` says the same as `detail`."""
    found: dict[str, Any] = {"line": line.line, "done": line.done.value, "phone": line.shown}
    if line.field:
        found["field"] = line.field
    if line.reason is not None:
        found["detail"], found["detail_vi"] = line.reason.en, line.reason.vi
    if line.repaired:
        found["repaired"] = True
    return found
