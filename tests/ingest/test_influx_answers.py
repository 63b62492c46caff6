import re
from pathlib import Path

import pytest

from ingest.influx_answers import DETAIL_MAX, Answer, Verdict, judged, judged_reading, words

PAGE = b"<html><head><title>It works</title></head><body><h1>It works</h1></body></html>"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (204, b"", Verdict.STORED),
        (200, PAGE, Verdict.MISCONFIGURED),
        (200, b"", Verdict.MISCONFIGURED),
        (201, b"", Verdict.MISCONFIGURED),
        (202, b"", Verdict.MISCONFIGURED),
        (206, b"", Verdict.MISCONFIGURED),
        (301, b"", Verdict.MISCONFIGURED),
        (302, b"", Verdict.MISCONFIGURED),
        (304, b"", Verdict.MISCONFIGURED),
        (307, b"", Verdict.MISCONFIGURED),
        (308, b"", Verdict.MISCONFIGURED),
        # 1.x: some lines stored, others not. 2.x, 3: nothing stored of a batch with a bad line.
        (400, b'{"error":"partial write: unable to parse ... dropped=0"}', Verdict.REJECTED),
        (400, b'{"error":"partial write: field type conflict: ... dropped=1"}', Verdict.REJECTED),
        (400, b'{"error":"partial write: points beyond retention"}', Verdict.REJECTED),
        (400, b'{"code":"invalid","message":"unable to parse"}', Verdict.REJECTED),
        (401, b'{"error":"authorization failed"}', Verdict.MISCONFIGURED),
        (402, b"", Verdict.MISCONFIGURED),
        (403, b'{"error":"not authorized"}', Verdict.MISCONFIGURED),
        (404, b'{"error":"database not found"}', Verdict.MISCONFIGURED),
        (404, b"404 page not found\n", Verdict.MISCONFIGURED),
        (405, b"", Verdict.MISCONFIGURED),
        (407, b"", Verdict.MISCONFIGURED),
        (408, b"", Verdict.RETRY),
        (410, b"", Verdict.MISCONFIGURED),
        (411, b"", Verdict.MISCONFIGURED),
        (413, PAGE, Verdict.REJECTED),
        (415, b"", Verdict.MISCONFIGURED),
        (422, b'{"code":"unprocessable entity","message":"..."}', Verdict.REJECTED),
        (425, b"", Verdict.RETRY),
        (429, b'{"code":"too many requests","message":"..."}', Verdict.RETRY),
        (499, b"", Verdict.MISCONFIGURED),
        (500, b'{"error":"retention policy not found"}', Verdict.RETRY),
        (501, b"", Verdict.RETRY),
        (502, PAGE, Verdict.RETRY),
        (503, b'{"error":"timeout"}', Verdict.RETRY),
        (504, b"", Verdict.RETRY),
        (507, b"", Verdict.RETRY),
        (599, b"", Verdict.RETRY),
    ],
)
def test_every_answer_to_a_write_has_a_meaning(status: int, body: bytes, verdict: Verdict) -> None:
    answer = judged(status, {}, body)
    assert (answer.verdict, answer.status) == (verdict, status)
    assert verdict is Verdict.STORED or str(status) in answer.detail


def test_only_204_is_success() -> None:
    stored = [s for s in range(200, 600) if judged(s, {}, b"").verdict is Verdict.STORED]
    assert stored == [204]


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 40}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 -0000", "Date": "x"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    for status in (429, 503):
        assert judged(status, headers, b"").retry_after_s == wait_s
    assert judged(401, headers, b"").retry_after_s is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error":"one"}', "one"),
        (b'{"code":"invalid","message":"two"}', "two"),
        (b'{"error":"three","data":[{"line":1}]}', "three"),
        ('{"error":"độ mặn"}', "độ mặn"),
        (PAGE, "It works It works"),
        (b"plain\n\ttext\x1b[31m", "plain text [31m"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[1]", "[1]"),
        (b"", ""),
        ("\udcff", "?"),
    ],
)
def test_what_the_server_says_is_one_plain_line(body: bytes | str, told: str) -> None:
    assert words(body) == told


def test_a_long_answer_is_cut() -> None:
    answer = judged(400, {}, b'{"error":"' + b"x" * 1_000_000 + b'"}')
    assert len(answer.detail) < DETAIL_MAX + 20
    assert answer.detail.endswith("…")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.MISCONFIGURED),
        (204, Verdict.MISCONFIGURED),
        (302, Verdict.MISCONFIGURED),
        (400, Verdict.MISCONFIGURED),
        (401, Verdict.MISCONFIGURED),
        (404, Verdict.MISCONFIGURED),
        (413, Verdict.MISCONFIGURED),
        (422, Verdict.MISCONFIGURED),
        (408, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
    ],
)
def test_an_answer_to_a_query_never_blames_a_point(status: int, verdict: Verdict) -> None:
    answer = judged_reading(status, {"Retry-After": "3"}, b"")
    assert (answer.verdict, answer.status) == (verdict, status)
    assert answer.retry_after_s == (3.0 if verdict is Verdict.RETRY else None)


def test_an_answer_is_a_value() -> None:
    assert Answer(Verdict.RETRY, "x", 1.0, 503) == Answer(Verdict.RETRY, "x", 1.0, 503)


TAKEN_FOR = {
    "stored": Verdict.STORED,
    "something that is not InfluxDB": Verdict.MISCONFIGURED,
    "an address to mend": Verdict.MISCONFIGURED,
    "one point at least": Verdict.REJECTED,
    "token, right": Verdict.MISCONFIGURED,
    "busy": Verdict.RETRY,
    "away": Verdict.RETRY,
}


def test_the_table_in_the_document_is_that_of_the_code() -> None:
    text = (Path(__file__).parents[2] / "docs/historian.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?`\dxx`|`\d.*?) \| (.*?) \|", text, re.MULTILINE)
    told: dict[int, Verdict] = {}
    # Single statuses first: "any other" is what they leave.
    for codes, meaning in sorted(rows, key=lambda row: "xx" in row[0]):
        verdict = next(v for words, v in TAKEN_FOR.items() if meaning.startswith(words))
        for code in re.findall(r"\d\w\w", codes):
            for status in range(600) if "xx" in code else [int(code)]:
                if "xx" not in code or status // 100 == int(code[0]):
                    told.setdefault(status, verdict)
    assert set(told) == set(range(200, 600))
    for status, verdict in told.items():
        assert judged(status, {}, b"").verdict is verdict, status
