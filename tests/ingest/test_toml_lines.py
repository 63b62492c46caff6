"""The line of each key, in all the ways in which TOML lets one write it."""

from pathlib import Path

import pytest

from ingest.tables import Faults, Table, load_toml
from ingest.toml_lines import lines_of

TEXT = '''# a comment [with] "marks
a = 1 # [not a table]
[[rule]]
id = "r" # "
list = [
  1, # ]
  "]",
]
text = """
[no]
x = 1
"""
after = 2

[[rule]]
"quoted key".b = 1
  [rule.sub]
  z = 'a"b'
  [[rule.device]]
  q = { a = [1,
  2] }
  [[rule.device]]
  q = 1
[escalation.critical]
remind_s = 1'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("a",), 2),
        (("rule", 0), 3),
        (("rule", 0, "id"), 4),
        (("rule", 0, "list"), 5),
        (("rule", 0, "text"), 9),
        (("rule", 0, "after"), 13),
        (("rule", 1), 15),
        (("rule", 1, "quoted key"), 16),
        (("rule", 1, "quoted key", "b"), 16),
        (("rule", 1, "sub"), 17),
        (("rule", 1, "sub", "z"), 18),
        (("rule", 1, "device", 0, "q"), 20),
        (("rule", 1, "device", 1), 22),
        (("rule", 1, "device", 1, "q"), 23),
        (("escalation", "critical"), 24),
        (("escalation", "critical", "remind_s"), 25),
    ],
)
def test_each_key_stands_on_its_line(place: tuple[str | int, ...], line: int) -> None:
    load_toml(TEXT, "f")
    assert lines_of(TEXT)[place] == line


def test_what_is_in_strings_and_comments_is_no_key() -> None:
    found = lines_of(TEXT)
    assert ("no",) not in found
    assert ("rule", 0, "x") not in found


@pytest.mark.parametrize("name", ["rules.toml", "stations.toml"])
def test_every_key_of_the_files_that_come_with_the_service_is_found(name: str) -> None:
    text = (Path(__file__).parents[2] / "songtien" / "defaults" / name).read_text(encoding="utf-8")
    found, lines = lines_of(text), text.split("\n")
    for kind, tables in load_toml(text, name).items():
        for number, table in enumerate(tables if isinstance(tables, list) else []):
            for key in table:
                assert (kind, number, key) in found
    for place, line in found.items():
        if isinstance(place[-1], str):
            assert place[-1] in lines[line - 1]


def test_a_fault_names_the_line_of_its_key_or_of_the_table_that_lacks_it() -> None:
    faults = Faults("f", TEXT)
    top = Table(faults, "", load_toml(TEXT, "f"), ("a", "rule", "escalation"))
    rules = top.tables("rule", ("id", "list", "text", "after", "device", "sub", "quoted key"))
    rules[0].integer("after", 5, 9)
    rules[1].text("id")
    rules[1].tables("device", ("q",))[1].boolean("q", default=True)
    rules[1].fault_of_all("something else")
    assert [fault.line for fault in faults.found] == [13, 15, 23, 15]
    assert str(faults.found[0]).startswith("f:13: rule[r].after = 2: ")


def test_without_the_text_no_line_is_named() -> None:
    faults = Faults("f")
    Table(faults, "", {"a": 1}, ())
    assert str(faults.found[0]).startswith("f: a = 1: ")
