"""Reading a TOML table with every fault found, each named by its key, value and what is accepted.

A reader never stops at a fault: it notes it and answers a harmless value, so that one run
tells an operator everything that is wrong. Whoever reads must ask `Faults.found` at the end.
"""

import difflib
import re
import tomllib
from collections.abc import Sequence
from typing import Any, TypeGuard

from ingest.faults import ConfigError, Fault
from ingest.toml_lines import Place, lines_of

ID = re.compile(r"[a-z0-9-]{1,40}")
LARGEST = 1e300
ACCEPTED_ID = "1 to 40 characters of a-z, 0-9 and -"


class Faults:
    """The faults of one file, in the order in which they were found.

    With its `text` each fault names the line of its key, or of the table that the key is
    missing from.
    """

    def __init__(self, file: str, text: str | None = None) -> None:
        self.file = file
        self.found: list[Fault] = []
        self._text = text
        self._lines: dict[Place, int] | None = None

    def add(self, key: str, value: object, accepted: str, place: Place = ()) -> None:
        self.found.append(Fault(self.file, key, value, accepted, self.line(place)))

    def line(self, place: Place) -> int | None:
        """The line of a key, or of the table that it is missing from; None without a text."""
        if self._text is None:
            return None
        if self._lines is None:
            self._lines = lines_of(self._text)  # only a file with faults is read twice
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place)

    def raise_if_any(self) -> None:
        if self.found:
            raise ConfigError(self.found)


def load_toml(text: str, file: str) -> dict[str, Any]:
    """Parse TOML; a syntax error becomes a `ConfigError` that names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        number = int(place[1]) if place else 0
        line = f"line {number}" if place else "the end"
        at = text.split("\n")[number - 1].strip()
        raise ConfigError([Fault(file, line, at, f"valid TOML is needed: {error}")]) from error


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The nearest known word as a question, or all of them where none is near."""
    if not known:
        return "none is known"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"accepted are {', '.join(known)}"


class Table:
    """One table of a file, whose keys must be among `accepted`.

    `path` is where it stands, such as `station[vam-kenh]`, or "" for the whole file; `place`
    is the same for `ingest.toml_lines`.
    """

    def __init__(
        self,
        faults: Faults,
        path: str,
        content: dict[str, Any],
        accepted: Sequence[str],
        place: Place = (),
    ) -> None:
        self.faults = faults
        self.path = path
        self.place = place
        self.content = content
        self.accepted = accepted
        for key in content:
            if key not in accepted:
                hint = did_you_mean(key, accepted)
                self.fault(key, f"this key isn't known; {hint}")

    def key(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def fault(self, name: str, accepted: str, value: object = None) -> None:
        """Note a fault of a key; without `value`, what the file says for it."""
        told = self.content.get(name) if value is None else value
        self.faults.add(self.key(name), told, accepted, (*self.place, name))

    def fault_of_all(self, accepted: str) -> None:
        """Note a fault of the table as a whole."""
        self.faults.add(self.path, "", accepted, self.place)

    def has(self, name: str) -> bool:
        return name in self.content

    def _given(self, name: str, accepted: str, *, required: bool) -> object | None:
        assert name in self.accepted, f"{name} is read but not declared as accepted"
        if name not in self.content and required:
            self.fault(name, f"it is missing; accepted is {accepted}")
        return self.content.get(name)

    def optional_text(self, name: str, *, required: bool = False) -> str | None:
        """A text that isn't blank, stripped."""
        value = self._given(name, "a text", required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.fault(name, "accepted is a text that isn't empty")
            return None
        return value.strip()

    def text(self, name: str) -> str:
        return self.optional_text(name, required=True) or ""

    def optional_id(self, name: str, *, required: bool = False) -> str | None:
        value = self._given(name, ACCEPTED_ID, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not ID.fullmatch(value):
            self.fault(name, f"accepted are {ACCEPTED_ID}")
            return None
        return value

    def id(self, name: str) -> str:
        return self.optional_id(name, required=True) or ""

    def choice(self, name: str, options: Sequence[str], default: str | None = None) -> str:
        """One word of `options`; required where there is no default."""
        listed = ", ".join(options)
        value = self._given(name, f"one of {listed}", required=default is None)
        if value is None:
            return default or options[0]
        if not isinstance(value, str) or value not in options:
            self.fault(name, f"accepted is one of {listed}")
            return default or options[0]
        return value

    def optional_number(
        self, name: str, low: float, high: float, unit: str = "", *, required: bool = False
    ) -> float | None:
        """A finite number in [low, high]; true and false are no numbers."""
        accepted = f"a number from {low:.12g} to {high:.12g}{unit and ' '}{unit}"
        value = self._given(name, accepted, required=required)
        if value is None:
            return None
        if not is_number(value) or not low <= float(value) <= high:
            self.fault(name, f"accepted is {accepted}")
            return None
        return float(value)

    def number(self, name: str, low: float, high: float, unit: str = "") -> float:
        found = self.optional_number(name, low, high, unit, required=True)
        return low if found is None else found

    def integer(self, name: str, low: int, high: int) -> int:
        accepted = f"a whole number from {low} to {high}"
        value = self._given(name, accepted, required=True)
        if value is None:
            return low
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault(name, f"accepted is {accepted}")
            return low
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self._given(name, "true or false", required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(name, "accepted is true or false")
            return default
        return value

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of different texts; absent is an empty one."""
        value = self._given(name, "a list of texts", required=required)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fault(name, 'accepted is a list of texts such as ["a", "b"]')
            return ()
        for each in dict.fromkeys(each for each in value if value.count(each) > 1):
            self.fault(name, "accepted is each text once", each)
        return tuple(dict.fromkeys(value))

    def table(self, name: str, accepted: Sequence[str]) -> "Table":
        """The table under a key; absent is an empty one."""
        value = self._given(name, "a table", required=False)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.fault(name, "accepted is a table of keys and values")
            value = {}
        return Table(self.faults, self.key(name), value, accepted, (*self.place, name))

    def tables(self, name: str, accepted: Sequence[str], *, named_by: str = "id") -> "list[Table]":
        """The tables of a list; each path tells the table's own name, else its place from 1."""
        value = self._given(name, "a list of tables", required=False)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.fault(name, f"accepted is a list of tables, each under [[{name}]]")
            return []
        found = []
        for place, content in enumerate(value, 1):
            own = content.get(named_by)
            label = own if isinstance(own, str) and ID.fullmatch(own) else f"#{place}"
            path = f"{self.key(name)}[{label}]"
            spot = (*self.place, name, place - 1)
            found.append(Table(self.faults, path, content, accepted, spot))
        return found


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value of TOML is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -LARGEST < value < LARGEST
