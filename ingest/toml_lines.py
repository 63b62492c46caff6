"""On which line of a TOML text each key stands, which the reader of the standard library
forgets. Only for texts that it has accepted: what is wrong here is its to tell.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

Place = tuple[str | int, ...]
"""Where something stands: keys, and places in lists of tables from 0."""

_KEY: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([A-Za-z0-9_-]+))\s*')
_SKIPPED: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)
"""Strings and comments, in which brackets and line ends mean nothing."""


def lines_of(text: str) -> dict[Place, int]:
    """The line, from 1, of each table header and key; keys of inline tables stand with theirs.

    A table that several headers make is told by the first of them.
    """
    found: dict[Place, int] = {}
    table: Place = ()
    sizes: dict[Place, int] = {}
    for line, statement in _statements(text):
        if statement.startswith("[["):
            table = _inside(_keys(statement[2:]), sizes)
            sizes[table] = sizes.get(table, 0) + 1
            table = (*table, sizes[table] - 1)
            said = table
        elif statement.startswith("["):
            table = said = _inside(_keys(statement[1:]), sizes)
        else:
            said = (*table, *_keys(statement))
        for depth in range(1, len(said) + 1):
            found.setdefault(said[:depth], line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Headers and assignments with the line on which they begin, without blanks and comments."""
    skipped = {match.start(): match.end() for match in _SKIPPED.finditer(text)}
    ends = [at for at, mark in enumerate(text) if mark == "\n"]
    begin, depth, at = 0, 0, 0
    while at <= len(text):
        if at in skipped:
            at = skipped[at]
            continue
        mark = text[at] if at < len(text) else "\n"
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        elif mark == "\n" and depth == 0:
            statement = text[begin:at]
            stripped = statement.strip()
            if stripped and not stripped.startswith("#"):
                blank = len(statement) - len(statement.lstrip())
                yield bisect_left(ends, begin + blank) + 1, stripped
            begin = at + 1
        at += 1


def _keys(statement: str) -> list[str]:
    """The dotted key at the beginning."""
    keys: list[str] = []
    at = 0
    while (match := _KEY.match(statement, at)) is not None:
        keys.append(next(group for group in match.groups() if group is not None))
        at = match.end()
        if statement[at : at + 1] != ".":
            break
        at += 1
    return keys


def _inside(keys: Sequence[str], sizes: dict[Place, int]) -> Place:
    """Keys of a header below a list of tables belong to the list's last table."""
    place: Place = ()
    for number, key in enumerate(keys):
        place = (*place, key)
        if number < len(keys) - 1 and place in sizes:
            place = (*place, sizes[place] - 1)
    return place
