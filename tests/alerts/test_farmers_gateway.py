"""What gateways answer, report and pass on, read by an operator's rules."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.farmers.gateway import (
    BODY_MAX,
    MATCHED_MAX,
    InboundFields,
    ReportFields,
    Rule,
    Rules,
    UnreadError,
    answer_of,
    as_text,
    at_path,
    decoded,
    from_json,
    of_status,
    parse_path,
    read_inbound,
    read_report,
)
from alerts.farmers.parcel import Verdict

DOCUMENT = {"data": {"items": [{"id": 7}, {"id": None}], "0": "x"}, "ok": True, "price": 1.5}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("data.items[0].id", 7),
        ("data.items.0.id", 7),
        ("data.items[1].id", None),
        ("data.items[2].id", None),
        ("data.items.x", None),
        ("data.0", "x"),
        ("ok", True),
        ("ok.more", None),
        ("nothing.at.all", None),
    ],
)
def test_a_path_leads_to_what_stands_there(path: str, found: object) -> None:
    assert at_path(DOCUMENT, parse_path(path)) == found


@pytest.mark.parametrize("text", ["", ".", "a..b", "[0]", "a[b]", "a[-1]", "a b", "a[0", "x" * 61])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a path of names"):
        parse_path(text)


def test_texts_are_as_gateways_write_them() -> None:
    values: tuple[object, ...] = (True, False, 100, 1.5, "a", None, [], {})
    said = [as_text(each) for each in values]
    assert said == ["true", "false", "100", "1.5", "a", None, None, None]


def test_a_rule_holds_where_all_of_it_does_and_an_empty_one_never() -> None:
    assert not Rule().holds(200, b"{}")
    both = Rule(frozenset({200}), ("code",), frozenset({"100"}), re.compile("id"))
    assert both.holds(200, b'{"code": 100, "id": 1}')
    assert not both.holds(201, b'{"code": 100, "id": 1}')
    assert not both.holds(200, b'{"code": 101, "id": 1}')
    assert not both.holds(200, b'{"code": 100}')
    assert not both.holds(200, b"code 100 id")
    assert Rule(path=("code",)).holds(500, b'{"code": 0}'), "whatever it is"


def test_an_expression_sees_the_beginning_alone() -> None:
    rule = Rule(matches=re.compile("z"))
    assert rule.holds(200, b"\xff" * (MATCHED_MAX - 1) + b"z")
    assert not rule.holds(200, "ữ".encode() * MATCHED_MAX + b"z")


def test_what_closes_goes_before_what_is_taken() -> None:
    code = {name: Rule(path=("code",), equals=frozenset({name})) for name in "abc"}
    rules = Rules(closed=(code["a"],), gone=(code["b"],), again=(code["c"],))
    said = [answer_of(rules, 200, b'{"code": "%s"}' % name, 9.0) for name in (b"a", b"b", b"c")]
    assert [each.verdict for each in said] == [Verdict.CLOSED, Verdict.GONE, Verdict.AGAIN]
    assert [each.retry_after_s for each in said] == [None, None, 9.0]


def test_a_reference_that_is_none_is_none() -> None:
    rules = Rules(ref=("id",))
    bodies = (b'{"id": 7}', b'{"id": null}', b"not json", b'{"id": "' + b"x" * 300 + b'"}')
    assert [answer_of(rules, 200, body).ref for body in bodies] == ["7", "", "", ""]


@given(st.integers(100, 599))
def test_every_status_has_a_meaning_and_only_2xx_is_taken(status: int) -> None:
    assert (of_status(status) is Verdict.TAKEN) == (200 <= status < 300)


@given(st.binary(max_size=300), st.integers(100, 599), st.booleans())
def test_whatever_is_answered_nothing_breaks_and_nothing_of_it_is_repeated(
    body: bytes, status: int, cut: bool
) -> None:
    rules = Rules(Rule(path=("a", 0)), (Rule(matches=re.compile("x")),), ref=("b",))
    said = answer_of(rules, status, body, cut=cut)
    assert re.fullmatch(r"status [0-9]{3}(, [a-z ',]+)?", said.detail)


@pytest.mark.parametrize(
    ("kind", "body", "query", "found"),
    [
        ("application/json; charset=utf-8", b'{"a": 1}', "", {"a": 1}),
        ("", b'{"a": 1}', "a=2", {"a": 1}),
        ("application/x-www-form-urlencoded", b"a=m%E1%BA%B7n+1&b=", "", None),
        ("", b"", "a=2&a=3", {"a": "3"}),
    ],
)
def test_reports_and_replies_in_all_their_shapes(
    kind: str, body: bytes, query: str, found: Any
) -> None:
    assert decoded(kind, body, query) == (found or {"a": "mặn 1", "b": ""})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 60_000),
        ("application/json", b'"' + b"x" * BODY_MAX + b'"'),
        ("application/x-www-form-urlencoded", b"a" * (BODY_MAX + 1)),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 300)),
    ],
)
def test_what_is_too_much_or_no_document_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(UnreadError):
        decoded(kind, body)


REPORT = ReportFields(("id",), ("status",), frozenset({"5", "delivered"}))


@pytest.mark.parametrize(
    ("failed", "status", "delivered"),
    [
        ((), 5, True),
        ((), "delivered", True),
        ((), 4, False),
        (("4",), 4, False),
        (("4",), 3, None),
    ],
)
def test_a_report_says_whether_it_arrived(
    failed: tuple[str, ...], status: object, delivered: bool | None
) -> None:
    fields = ReportFields(REPORT.ref, REPORT.status, REPORT.delivered, frozenset(failed))
    assert read_report(fields, {"id": "g-1", "status": status}) == ("g-1", delivered)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "id"), ({"id": ""}, "id"), ({"id": "x" * 201}, "id"), ({"id": 1}, "status"), ([], "id")],
)
def test_a_report_that_lacks_something_names_the_field(body: object, field: str) -> None:
    with pytest.raises(UnreadError, match=f"^{field}: accepted is"):
        read_report(REPORT, body)


def test_a_reply_says_who_and_what() -> None:
    fields = InboundFields(("from",), ("messages", 0, "text"))
    body = {"from": 84912345678, "messages": [{"text": "  HUY \n"}]}
    assert read_inbound(fields, body) == ("84912345678", "HUY")


def test_a_reply_that_is_none_is_refused_without_repeating_it() -> None:
    fields = InboundFields(("from",), ("text",))
    for body in (
        {"text": "HUY"},
        {"from": "0912345678"},
        {"from": "0912345678", "text": "x" * 2001},
    ):
        with pytest.raises(UnreadError) as caught:
            read_inbound(fields, body)
        assert "0912345678" not in str(caught.value)


def test_numbers_beyond_all_bounds_are_read_or_refused() -> None:
    assert from_json(b"1e5") == 100_000
    for body in (b"1" * 5000, b"1e999"):
        try:
            from_json(body)
        except UnreadError:
            continue
