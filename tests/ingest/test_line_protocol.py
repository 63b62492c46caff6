import gzip
import json
import math
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ingest import line_protocol as lp
from ingest.influx import Influx, Verdict, parse_url
from ingest.influxql import identifier
from tests.influx.servers import MISSING, InfluxServer
from tests.naive import line_protocol as naive

REFUSED = {
    "72fe529da6084a44692fe27cc2f105d1": "tag value is empty",
    # Readers differ in what a backslash before a space is. The corpus says: a backslash.
    "7c0c4a665d3581854019e2c01c485f56": "a backslash at the end, or before",
    "9ce4e716b8ba198c7a6a16cf12c8c1e3": "a backslash at the end, or before",
}
"""Points of the corpus that are not written, and why."""

NAMES = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(',= \\"#_i%{}é€𝄞')), max_size=12
)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(lp.INT_MIN, lp.INT_MAX),
    st.booleans(),
)
SCALARS = st.one_of(NUMBERS, NAMES)
# Mostly accepted: without line ends, empty names and what begins with an underscore.
PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])
GOOD = st.text(
    st.one_of(PRINTABLE, st.sampled_from(',= \\"#i%é€𝄞')), min_size=1, max_size=8
).filter(lambda text: text[0] != "_" and text[-1] != "\\" and "\\\\" not in text)
GOOD_SCALARS = st.one_of(NUMBERS, GOOD, st.just(""))
TIMES = st.integers(lp.TIME_MIN, lp.TIME_MAX)


@pytest.fixture(scope="module")
def corpus(recorded: Callable[[str], Path]) -> dict[str, Any]:
    """github.com/influxdata/line-protocol-corpus"""
    with gzip.open(recorded("standards/line_protocol_corpus.json.gz")) as file:
        found = json.load(file)
    assert isinstance(found, dict)
    return found


def _written(point: dict[str, Any]) -> bytes:
    return lp.line(
        point["name"],
        {tag["key"]: tag["value"] for tag in point["tags"]},
        {field["key"]: _scalar(field["value"]) for field in point["fields"]},
        point["time"],
    )


def _scalar(said: dict[str, Any]) -> lp.Scalar:
    ((kind, value),) = said.items()
    found = float(value) if kind == "float" else value
    assert isinstance(found, float | int | str)
    return found


def test_the_corpus_is_encoded_to_the_byte(corpus: dict[str, Any]) -> None:
    refused = {}
    for key, vector in corpus["encode"].items():
        try:
            written = _written(vector["input"]["point"])
        except ValueError as error:
            refused[key] = str(error)
            continue
        assert written.decode() == vector["output"]["result"], key
    assert set(refused) == set(REFUSED)
    assert all(REFUSED[key] in refused[key] for key in REFUSED)


@pytest.mark.parametrize(
    ("name", "tags", "fields", "time", "told"),
    [
        ("", {}, {"a": 1}, 0, "measurement is empty"),
        ("#m", {}, {"a": 1}, 0, "comment"),
        ("_m", {}, {"a": 1}, 0, "underscore"),
        ("m\n", {}, {"a": 1}, 0, r"'\n'"),
        ("m\\", {}, {"a": 1}, 0, "backslash"),
        ("m\\ n", {}, {"a": 1}, 0, "backslash"),
        ("m\ud800", {}, {"a": 1}, 0, "measurement"),
        ("m", {"": "v"}, {"a": 1}, 0, "tag key is empty"),
        ("m", {"time": "v"}, {"a": 1}, 0, "reserved"),
        ("m", {"_field": "v"}, {"a": 1}, 0, "underscore"),
        ("m", {"k": ""}, {"a": 1}, 0, "tag value is empty"),
        ("m", {"k": "a\\"}, {"a": 1}, 0, "tag value"),
        ("m", {"k": "a\\,b"}, {"a": 1}, 0, "tag value"),
        ("m", {"k": "a\\\\b"}, {"a": 1}, 0, "tag value"),
        ("m", {"k": "a\r"}, {"a": 1}, 0, "tag value"),
        ("m", {"k": "a\u2028b"}, {"a": 1}, 0, "tag value"),
        ("m", {"k": "\udcff"}, {"a": 1}, 0, "tag value"),
        ("m", {}, {}, 0, "no field"),
        ("m", {}, {"": 1}, 0, "field key is empty"),
        ("m", {}, {"time": 1}, 0, "reserved"),
        ("m", {}, {"_a": 1}, 0, "underscore"),
        ("m", {}, {"a\x00": 1}, 0, "field key"),
        ("m", {"a": "b"}, {"a": 1}, 0, "both a tag and a field"),
        ("m", {}, {"a": math.nan}, 0, "not finite"),
        ("m", {}, {"a": -math.inf}, 0, "not finite"),
        ("m", {}, {"a": 2**63}, 0, "64 bits"),
        ("m", {}, {"a": -(2**63) - 1}, 0, "64 bits"),
        ("m", {}, {"a": "x\ny"}, 0, r"'\n'"),
        ("m", {}, {"a": "\ud800"}, 0, "field value"),
        ("m", {}, {"a": 1}, lp.TIME_MAX + 1, "time"),
        ("m", {}, {"a": 1}, lp.TIME_MIN - 1, "time"),
        ("m", {}, {"a": 1}, 1.5, "time"),
        ("m", {}, {"a": 1}, True, "time"),
    ],
)
def test_what_the_protocol_cannot_carry_is_refused_by_name(
    name: str, tags: dict[str, str], fields: dict[str, lp.Scalar], time: Any, told: str
) -> None:
    with pytest.raises(ValueError, match=f"(?s).*{told.replace(chr(92), chr(92) * 2)}"):
        lp.line(name, tags, fields, time)


@given(
    st.one_of(GOOD, NAMES),
    st.one_of(st.dictionaries(GOOD, GOOD, max_size=4), st.dictionaries(NAMES, NAMES, max_size=2)),
    st.one_of(
        st.dictionaries(GOOD, GOOD_SCALARS, min_size=1, max_size=4),
        st.dictionaries(NAMES, SCALARS, min_size=1, max_size=2),
    ),
    TIMES,
)
@example("m", {}, {"a": -0.0, "b": 5e-324, "c": 1e16, "d": 1.7976931348623157e308}, 0)
@example("m,=\\x", {"k=\\y": '"\\z"'}, {" ": '\\"\\\\'}, -1)
def test_what_is_accepted_is_read_back_as_it_was(
    name: str, tags: dict[str, str], fields: dict[str, lp.Scalar], time: int
) -> None:
    try:
        written = lp.line(name, tags, fields, time)
    except ValueError:
        return
    read = naive.parse(written)
    assert read == naive.Point(name, tags, fields, time)
    # 1 == 1.0 == True, which a server holds to be three types.
    assert [type(v) for v in read.fields.values()] == [type(v) for v in fields.values()]


def test_most_of_what_could_be_meant_is_accepted() -> None:
    written = lp.line("độ mặn, g/l", {"trạm": "Vàm Kênh = 1"}, {"giá trị": "12\\34"}, 5)
    assert written.decode() == 'độ\\ mặn\\,\\ g/l,trạm=Vàm\\ Kênh\\ \\=\\ 1 giá\\ trị="12\\\\34" 5'


def test_points_of_the_corpus_survive_being_written(corpus: dict[str, Any]) -> None:
    survived = 0
    for vector in corpus["decode"].values():
        for point in vector["output"].get("result", []):
            try:
                written = _written(point)
            except (ValueError, KeyError, TypeError):
                continue  # bytes that are no text, and what is refused
            tags = {tag["key"]: tag["value"] for tag in point["tags"]}
            fields = {field["key"]: _scalar(field["value"]) for field in point["fields"]}
            said = naive.Point(point["name"], tags, fields, point["time"])
            assert naive.parse(written) == said
            survived += 1
    assert survived > 150


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_in_bulk_are_the_shortest_that_read_back(values: list[float]) -> None:
    words = lp.floats(values)
    assert [float(word) for word in words] == values
    assert words == [repr(value).removesuffix(".0") for value in values]


def test_tags_stand_by_rising_key() -> None:
    assert lp.head("m", {"b": "2", "a": "1", "B": "0"}) == "m,B=0,a=1,b=2"


def test_a_body_has_a_line_to_a_point() -> None:
    assert lp.body([b"a b=1 1", b"c d=2 2"]) == b"a b=1 1\nc d=2 2"
    assert lp.body([]) == b""


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[InfluxServer, Influx]]:
    if MISSING:
        pytest.skip(MISSING)
    server = InfluxServer(tmp_path_factory.mktemp("influx"))
    try:
        server.start()
        influx = Influx(parse_url(server.url), server.token)
        yield server, influx
        influx.close()
    finally:
        server.stop()


_numbers = count()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    GOOD,
    st.dictionaries(GOOD, GOOD, max_size=3),
    st.dictionaries(GOOD, GOOD_SCALARS, min_size=1, max_size=3),
    st.integers(1_767_000_000_000, 1_767_000_100_000),
)
@example(
    'a"b\\c', {"k'": "v\\w"}, {'"': 0.1 + 0.2, "i": lp.INT_MAX, "s": '\\"\\'}, 1_767_000_000_001
)
def test_a_real_server_gives_back_what_was_accepted(
    influxd: tuple[InfluxServer, Influx],
    name: str,
    tags: dict[str, str],
    fields: dict[str, lp.Scalar],
    time: int,
) -> None:
    server, influx = influxd
    name = f"{next(_numbers)} {name}"  # no example is to meet the types of another
    try:
        written = lp.line(name, tags, fields, time)
    except ValueError:
        assume(False)
        return
    assert influx.write([written]).verdict is Verdict.STORED
    (found,) = server.query(f"SELECT * FROM {identifier(name)} GROUP BY *")
    # A large float comes as JSON with all its digits before the point: an integer to Python.
    read = {k: float(v) if isinstance(fields.get(k), float) else v for k, v in found.items()}
    assert read == {"time": time, **tags, **fields}
    assert server.alive
