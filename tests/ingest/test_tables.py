"""Reading TOML tables: faults are gathered, what is answered for them is harmless."""

import pytest

from ingest.faults import ConfigError, Fault
from ingest.tables import Faults, Table, did_you_mean, load_toml


def table(text: str, *accepted: str) -> Table:
    return Table(Faults("f"), "", load_toml(text, "f"), accepted)


def test_faults_are_gathered_and_raised_together() -> None:
    read = table('a = "x"\nb = 3\ncc = 1', "a", "b", "c")
    assert read.optional_number("a", 0, 1) is None
    assert read.boolean("b", default=True) is True
    with pytest.raises(ConfigError) as raised:
        read.faults.raise_if_any()
    assert [fault.key for fault in raised.value.faults] == ["cc", "a", "b"]
    assert str(raised.value).count("\n") == 2


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    read = table("a = 1\nb = 2.5", "a", "b")
    assert (read.integer("a", 1, 2), read.number("b", 0, 3)) == (1, 2.5)
    read.faults.raise_if_any()


def test_bounds_are_included() -> None:
    read = table("low = 0\nhigh = 1\nover = 1.001", "low", "high", "over")
    assert [read.optional_number(name, 0, 1, "m") for name in ("low", "high", "over")] == [
        0,
        1,
        None,
    ]
    assert read.faults.found == [Fault("f", "over", 1.001, "accepted is a number from 0 to 1 m")]


def test_a_key_that_is_read_must_have_been_declared() -> None:
    with pytest.raises(AssertionError, match="not declared"):
        table("", "a").text("b")


def test_tables_of_a_list_are_called_by_their_id_or_their_place() -> None:
    read = table('[[t]]\nid = "one"\n[[t]]\nid = "Not An Id"\n[[t]]', "t")
    assert [each.path for each in read.tables("t", ("id",))] == ["t[one]", "t[#2]", "t[#3]"]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a = 1\n  b = = 2", "line 2", "b = = 2"),
        ("a = [", "the end", "a = ["),
        ("a=1\na=2", "the end", "a=2"),
    ],
)
def test_a_syntax_error_tells_where(text: str, key: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_toml(text, "f")
    (fault,) = raised.value.faults
    assert (fault.key, fault.value) == (key, value)


def test_did_you_mean() -> None:
    assert did_you_mean("speed", ("speed_s", "colour")) == "did you mean 'speed_s'?"
    assert did_you_mean("xyz", ("speed_s", "colour")) == "accepted are speed_s, colour"
    assert did_you_mean("xyz", ()) == "none is known"
