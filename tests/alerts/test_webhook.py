"""Webhooks without a network: who hears of what, the signature, and what an answer makes of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import EventType
from alerts.outbox import Outgoing
from alerts.rules import Severity
from alerts.webhook import (
    Again,
    Answer,
    Delivered,
    GivenUp,
    Pace,
    Trial,
    Verdict,
    Wanted,
    answer_of,
    backoff_s,
    headers,
    idempotency_key,
    payload,
    signature,
    wants,
)
from tests.receiver import SECRET

GUIDE = Path(__file__).parents[2] / "docs/webhooks.md"
ALL = Wanted(frozenset(), Severity.INFO, simulated=True)
T_MS = 1_767_000_000_120


def event(kind: str = "raised", **changes: Any) -> Outgoing:
    alert = {"id": "5f1a0c9be2d47788", "severity": "major", "rule": "salinity-4"} | changes
    return Outgoing(812, EventType(kind), T_MS, alert)


@pytest.mark.parametrize(
    ("wanted", "heard", "unheard"),
    [
        (Wanted(frozenset(), Severity.MAJOR, simulated=False), event(), event(severity="warning")),
        (
            Wanted(frozenset(), Severity.MAJOR, simulated=False),
            event(severity="critical"),
            event(sim=True),
        ),
        (
            Wanted(frozenset({"raised"}), Severity.INFO, simulated=False),
            event(severity="info"),
            event("cleared"),
        ),
        (
            Wanted(frozenset({"cleared"}), Severity.INFO, simulated=True),
            event("cleared", sim=True),
            event(),
        ),
    ],
)
def test_a_receiver_hears_of_what_it_wants(
    wanted: Wanted, heard: Outgoing, unheard: Outgoing
) -> None:
    assert wants(wanted, heard)
    assert not wants(wanted, unheard)
    assert wants(ALL, unheard)


def test_names_and_words_of_officers_are_not_sent() -> None:
    body = payload(event(who="Lan", note="gọi 0900", shelved_why="gọi 0900", value=4.1))
    assert b"Lan" not in body
    assert b"0900" not in body
    assert b'"value":4.1' in body


def test_the_signature_is_the_documented_one_and_the_documented_receiver_takes_it() -> None:
    (receiver,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    known: dict[str, Any] = {}
    exec(receiver, known)
    genuine = known["genuine"]
    body = payload(event(message_vi="Độ mặn vượt mức"))
    said = headers(event(), SECRET, 1_767_000_000, body)
    header = said["X-Songtien-Signature"]
    assert said["Idempotency-Key"] == "5f1a0c9be2d47788-812" == idempotency_key(event())
    assert genuine(SECRET, header, body, 1_767_000_010)
    assert not genuine(SECRET, header, body, 1_767_000_400), "an old one played back"
    assert not genuine(SECRET, header, body + b" ", 1_767_000_010), "not whole"
    assert not genuine("another-secret-0123", header, body, 1_767_000_010), "not from us"
    # OpenSSL: printf '1.{}' | openssl dgst -sha256 -hmac key
    assert signature("key", 1, b"{}") == (
        "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.TAKEN),
        (204, Verdict.TAKEN),
        (301, Verdict.REFUSED),
        (307, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (401, Verdict.REFUSED),
        (408, Verdict.AGAIN),
        (410, Verdict.REFUSED),
        (422, Verdict.REFUSED),
        (425, Verdict.AGAIN),
        (429, Verdict.AGAIN),
        (500, Verdict.AGAIN),
        (503, Verdict.AGAIN),
    ],
)
def test_what_a_status_means(status: int, verdict: Verdict) -> None:
    assert answer_of(status, {}, 0.0).verdict is verdict


@pytest.mark.parametrize(
    ("said", "after_s"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Mon, 29 Dec 2025 09:20:30 GMT", 30.0),
        ("Mon, 29 Dec 2025 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("9" * 100, None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, after_s: float | None) -> None:
    assert answer_of(503, {"retry-after": said}, 1_767_000_000.0).retry_after_s == after_s


PACE = Pace()
AGAIN = Answer(Verdict.AGAIN, "status 503")
REFUSED = Answer(Verdict.REFUSED, "status 422")


def test_what_is_taken_is_done_with() -> None:
    assert Trial(T_MS, PACE).answered(Answer(Verdict.TAKEN, ""), T_MS, 0.5) == Delivered()


def test_a_refusal_is_heard_a_few_times_and_then_given_up() -> None:
    trial = Trial(T_MS, PACE)
    for _ in range(PACE.refusals_max - 1):
        assert isinstance(trial.answered(REFUSED, T_MS, 0.5), Again)
    assert trial.answered(REFUSED, T_MS, 0.5) == GivenUp("refused 5 times: status 422")


def test_one_that_is_away_is_tried_again_for_a_day() -> None:
    trial = Trial(T_MS, PACE)
    for _ in range(1_000):
        assert isinstance(trial.answered(AGAIN, T_MS + 86_399_999, 0.5), Again)
    assert trial.answered(AGAIN, T_MS + 86_400_000, 0.5) == GivenUp(
        "too old after 1001 tries: status 503"
    )


def test_a_receiver_that_asks_to_be_left_alone_is_for_an_hour_at_most() -> None:
    for asked_s, waited_s in ((120.0, 120.0), (1e9, 3600.0), (0.0, 1.0)):
        answer = Answer(Verdict.AGAIN, "", asked_s)
        assert Trial(T_MS, PACE).answered(answer, T_MS, 0.0) == Again(waited_s)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_a_bound_and_are_spread_over_all_of_it(failed: int, chance: float) -> None:
    wait_s = backoff_s(failed, chance, PACE)
    assert PACE.first_s <= wait_s <= PACE.longest_s
    assert backoff_s(failed, 0.0, PACE) == PACE.first_s
    ceiling_s = backoff_s(failed, 1.0, PACE)
    assert ceiling_s == min(PACE.longest_s, 2.0 ** min(failed + 1, 16))
