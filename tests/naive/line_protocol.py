"""The line protocol read one character after the other, as its reference tells it.

docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol: a backslash escapes a comma, an
equals sign or a space in names and tag values (no equals sign in measurements), a quote or a
backslash in strings, and is a backslash anywhere else.
"""

from dataclasses import dataclass

Scalar = float | int | bool | str


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Scalar]
    time: int


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        assert char, f"{self.text!r} ends too early"
        self.at += 1
        return char

    def until(self, ends: str, escapable: str) -> str:
        """A name up to one of `ends`, without its escapes."""
        found = ""
        while self.peek() and self.peek() not in ends:
            char = self.take()
            if char == "\\" and self.peek() and self.peek() in escapable:
                char = self.take()
            found += char
        assert found, f"an empty name at {self.at} of {self.text!r}"
        return found

    def string(self) -> str:
        assert self.take() == '"'
        found = ""
        while self.peek() != '"':
            char = self.take()
            if char == "\\" and self.peek() in {'"', "\\"}:
                char = self.take()
            found += char
        self.take()
        return found


def parse(line: bytes) -> Point:
    text = _Text(line.decode())
    assert "\n" not in text.text
    assert not text.text.startswith("#"), "a comment"
    measurement = text.until(", ", ", ")
    tags: dict[str, str] = {}
    while text.take() == ",":
        key = text.until("=, ", ",= ")
        assert text.take() == "="
        assert key not in tags
        tags[key] = text.until(", ", ",= ")
    fields: dict[str, Scalar] = {}
    more = True
    while more:
        key = text.until("=, ", ",= ")
        assert text.take() == "="
        assert key not in fields
        fields[key] = text.string() if text.peek() == '"' else _number(text.until(", ", ""))
        more = text.take() == ","
    return Point(measurement, tags, fields, int(text.until(" ", "")))


def _number(word: str) -> Scalar:
    if word in {"true", "false"}:
        return word == "true"
    return int(word[:-1]) if word.endswith("i") else float(word)
