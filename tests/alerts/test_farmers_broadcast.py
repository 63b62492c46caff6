"""A bulletin to farmers: proposed by one officer, told once another has confirmed it."""

from pathlib import Path
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.entries import EVERYWHERE, EnteredOutcome, Entering, Verdict, What
from alerts.farmers import broadcast, texts
from alerts.farmers.broadcast import CONFIRM_WITHIN_MS, OVER_KEPT, PROPOSED_MAX, Words
from alerts.farmers.notice import ANY_LEVEL, Kind, Notice
from alerts.farmers.parcel import Form
from alerts.farmers.person import Person
from alerts.farmers.place import places
from ingest.registry import parse_registry
from ingest.snapshot import pack, unpack

NOW_MS = 1_767_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
REGISTRY = parse_registry(
    (Path(__file__).parents[2] / "songtien/defaults/stations.toml").read_text("utf-8"),
    "stations.toml",
)
INTAKES = sorted(REGISTRY.intakes)
PERSON = Person(1, "sms", "", "vi", "")
BULLETIN: dict[str, Any] = {
    "title": "Tin cảnh báo xâm nhập mặn",
    "text": "Từ ngày 12 đến 16/3 mặn 4 g/l có thể vào sâu 55 km.\nBà con trữ nước ngọt trước.",
    "issuer": "Đài KTTV khu vực Nam Bộ",
    "issued": NOW_MS - HOUR,
    "official": 2,
    "places": [EVERYWHERE],
    "valid_until": NOW_MS + 5 * DAY,
}


def enter(
    desk: Desk, who: str, subject: str, body: dict[str, Any], at_ms: int = NOW_MS, note: str = ""
) -> EnteredOutcome:
    return desk.enter(Entering(What.BROADCAST, subject, body, who, note), REGISTRY, at_ms)


def proposed(desk: Desk, who: str = "An", at_ms: int = NOW_MS, **changes: Any) -> EnteredOutcome:
    return enter(desk, who, EVERYWHERE, BULLETIN | changes, at_ms)


def decided(
    desk: Desk, who: str, act: str, name: str = "b1", ver: int = 1, at_ms: int = NOW_MS
) -> EnteredOutcome:
    return enter(desk, who, name, {"ver": ver, "act": act}, at_ms)


def states(desk: Desk, at_ms: int = NOW_MS) -> dict[str, str]:
    return {one["id"]: one["state"] for one in desk.broadcasts(at_ms)}


def test_nothing_is_told_before_another_officer_confirms_and_then_at_every_place_at_once() -> None:
    desk = Desk()
    first = proposed(desk)
    assert (first.outcome, first.notices) == (Verdict.DONE, ())
    assert first.item is not None
    assert (first.item["id"], first.item["ver"], first.item["state"]) == ("b1", 1, "proposed")
    second = decided(desk, "Bình", "confirm", at_ms=NOW_MS + HOUR)
    told = second.notices
    assert {each.place for each in told} == set(places(REGISTRY.intakes))
    assert len({each.event for each in told}) == 1, "who follows two places is told once"
    assert {(e.kind, e.level_mg_l, e.at_ms) for e in told} == {
        (Kind.BULLETIN, ANY_LEVEL, NOW_MS + HOUR)
    }
    assert told[0].body["text"].startswith("Từ ngày 12 đến 16/3")
    assert [told[0].body[name] for name in ("issuer", "official", "issued_ms")] == [
        "Đài KTTV khu vực Nam Bộ",
        2,
        NOW_MS - HOUR,
    ]
    assert len({each.key for each in told}) == len(told)
    assert [Notice.of(each.stored()) for each in told] == list(told)
    assert second.item is not None
    assert second.item["decided"] == {"t": NOW_MS + HOUR, "who": "Bình"}
    assert (second.item["state"], second.item["ver"]) == ("sent", 2)


def test_only_the_chosen_intakes_are_told_on_both_sides_of_a_gate() -> None:
    desk = Desk()
    gated = next(one for one in REGISTRY.intakes.values() if one.gate is not None)
    proposed(desk, places=[gated.id, gated.id])
    told = decided(desk, "Bình", "confirm").notices
    assert [str(each.place) for each in told] == [f"{gated.id}/river", f"{gated.id}/field"]
    assert told[0].body["place_vi"] == gated.name


def test_nobody_confirms_his_own_and_nobody_withdraws_another_s() -> None:
    desk = Desk()
    proposed(desk)
    own = decided(desk, "An", "confirm")
    assert own.outcome is Verdict.REFUSED
    assert own.words == "who: you proposed it: another officer confirms it"
    assert decided(desk, "An", "refuse").words.startswith("who: ")
    assert decided(desk, "Bình", "withdraw").words.startswith("who: ")
    assert states(desk) == {"b1": "proposed"}
    assert decided(desk, "An", "withdraw").outcome is Verdict.DONE
    assert states(desk) == {"b1": "withdrawn"}


def test_of_two_who_decide_at_once_the_second_is_shown_what_the_first_did() -> None:
    desk = Desk()
    proposed(desk)
    assert decided(desk, "Bình", "refuse").notices == ()
    late = decided(desk, "Chi", "confirm")
    assert (late.outcome, late.notices) == (Verdict.STALE, ())
    assert late.item is not None
    assert late.item["state"] == "refused"
    again = decided(desk, "Chi", "confirm", ver=2)
    assert (again.outcome, again.words) == (Verdict.NOT_NOW, "it is refused; nothing was done")


@pytest.mark.parametrize(
    ("valid_until", "until"),
    [(NOW_MS + 5 * DAY, NOW_MS + CONFIRM_WITHIN_MS), (NOW_MS + 2 * HOUR, NOW_MS + 2 * HOUR)],
)
def test_what_nobody_confirms_within_a_day_or_while_it_is_valid_lapses(
    valid_until: int, until: int
) -> None:
    desk = Desk()
    proposed(desk, valid_until=valid_until)
    assert states(desk, until - 1) == {"b1": "proposed"}
    assert states(desk, until) == {"b1": "lapsed"}
    late = decided(desk, "Bình", "confirm", at_ms=until)
    assert (late.outcome, late.notices) == (Verdict.NOT_NOW, ())
    assert (
        Desk(desk.snapshot())
        .enter(
            Entering(What.BROADCAST, "b1", {"ver": 1, "act": "confirm"}, "Bình"),
            REGISTRY,
            until - 1,
        )
        .notices
    ), "a moment before it was still good"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "hai\ndòng"}, "title"),
        ({"title": "x" * (broadcast.TITLE_MAX + 1)}, "title"),
        ({"text": "x" * (broadcast.TEXT_MAX + 1)}, "text"),
        ({"text": "chuông \x07"}, "text"),
        ({"issuer": ""}, "issuer"),
        ({"issued": NOW_MS + 1}, "issued"),
        ({"issued": NOW_MS - 46 * DAY}, "issued"),
        ({"valid_until": NOW_MS}, "valid_until"),
        ({"valid_until": NOW_MS + 46 * DAY}, "valid_until"),
        ({"places": []}, "places"),
        ({"places": ["nowhere"]}, "places"),
        ({"places": [EVERYWHERE, INTAKES[0]]}, "places"),
        ({"official": 6}, "official"),
        ({"tittle": "x"}, "tittle"),
    ],
)
def test_what_will_not_do_is_refused_by_name_and_changes_nothing(
    changes: dict[str, Any], field: str
) -> None:
    desk = Desk()
    outcome = proposed(desk, **changes)
    assert outcome.outcome is Verdict.REFUSED
    assert field in outcome.words
    assert desk.snapshot() == Desk().snapshot()


def test_what_is_unknown_or_no_decision_is_refused() -> None:
    desk = Desk()
    proposed(desk)
    assert decided(desk, "Bình", "confirm", name="b7").outcome is Verdict.NOT_FOUND
    assert decided(desk, "Bình", "perhaps").outcome is Verdict.REFUSED


def test_the_same_proposal_sent_twice_is_one() -> None:
    desk = Desk()
    proposed(desk)
    again = proposed(desk, at_ms=NOW_MS + 5_000)
    assert again.again
    assert again.item is not None
    assert again.item["id"] == "b1"
    assert proposed(desk, who="Bình").item != again.item
    assert list(states(desk)) == ["b2", "b1"]


def test_no_more_wait_and_no_more_are_kept_than_so_many() -> None:
    desk = Desk()
    for n in range(PROPOSED_MAX):
        assert proposed(desk, title=f"Tin số {n}").outcome is Verdict.DONE
    assert proposed(desk, title="một nữa").outcome is Verdict.NOT_NOW
    for n in range(OVER_KEPT + 30):
        at_ms = NOW_MS + n
        decided(desk, "An", "withdraw", desk.broadcasts(at_ms)[0]["id"], at_ms=at_ms)
        assert proposed(desk, at_ms=at_ms, title=f"Tin {n}").outcome is Verdict.DONE
    assert len(desk.broadcasts(NOW_MS + DAY)) <= OVER_KEPT + PROPOSED_MAX
    assert len(set(states(desk))) == len(desk.broadcasts(NOW_MS))


def test_it_survives_a_checkpoint_and_one_of_before_has_none() -> None:
    desk = Desk()
    proposed(desk)
    proposed(desk, title="Tin thứ hai")
    decided(desk, "Bình", "confirm", "b2")
    again = Desk(unpack(pack(desk.snapshot())))
    assert again.broadcasts(NOW_MS) == desk.broadcasts(NOW_MS)
    assert again.snapshot() == desk.snapshot()
    assert decided(again, "Bình", "confirm").notices
    old = desk.snapshot()
    del old["broadcasts"]
    assert Desk(old).broadcasts(NOW_MS) == []


def test_words_that_nobody_has_confirmed_are_not_in_what_everybody_may_see() -> None:
    desk = Desk()
    proposed(desk)
    assert "xâm nhập mặn" not in str(desk.picture(NOW_MS))


def words(text: str) -> Words:
    return Words("Tin mặn", text, "Đài KTTV", NOW_MS - HOUR, 2)


def test_officers_see_what_is_sent_to_a_cheap_phone_and_what_else_it_says() -> None:
    sms = broadcast.as_sms(words("Bà con đừng lấy nước."), "tien.vn/nong-dan", NOW_MS)
    assert sms["text"].isascii()
    assert "Ba con dung lay nuoc. " in sms["text"]
    assert "tien.vn/nong-dan" in sms["text"]
    assert [each["words"] for each in sms["second"]] == ["dung"]
    assert "dùng" in sms["second"][0]["vi"]
    assert (sms["parts"], sms["cut"]) == (1, False)
    assert sms["length"] == len(sms["text"])


def test_what_has_no_room_in_an_sms_is_said_and_is_read_for_a_second_meaning_too() -> None:
    long = words("Bà con trữ nước ngọt. " * 9 + "Đừng lấy nước.")
    sms = broadcast.as_sms(long, "", NOW_MS)
    assert (sms["parts"], sms["cut"]) == (1, True)
    assert "Dung lay" not in sms["text"]
    assert [each["words"] for each in sms["second"]] == ["dung"]
    assert broadcast.parts(long, Form.SMS, "", NOW_MS) == 1
    assert broadcast.parts(long, Form.SMS_UNICODE, "", NOW_MS) > 1
    assert broadcast.parts(long, Form.LONG, "", NOW_MS) == 1


def test_what_officers_saw_is_what_the_senders_write() -> None:
    desk = Desk()
    proposed(desk)
    told = decided(desk, "Bình", "confirm").notices
    shown = broadcast.as_sms(Words(**_words_of(told[0].body)), "", NOW_MS)
    for notice in told:
        sent = texts.of_notices([notice], PERSON, Form.SMS, site="", now_ms=NOW_MS)
        assert sent.body == shown["text"]


def _words_of(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("title", "text", "issuer", "issued_ms", "official")}


def test_places_that_left_the_registry_are_told_nothing() -> None:
    desk = Desk()
    proposed(desk, places=[INTAKES[0]])
    emptied = parse_registry(_without_intakes(), "stations.toml")
    entering = Entering(What.BROADCAST, "b1", {"ver": 1, "act": "confirm"}, "Bình")
    outcome = desk.enter(entering, emptied, NOW_MS)
    assert (outcome.outcome, outcome.notices) == (Verdict.NOT_NOW, ())
    assert states(desk) == {"b1": "proposed"}


def _without_intakes() -> str:
    path = Path(__file__).parents[2] / "songtien/defaults/stations.toml"
    return path.read_text("utf-8").partition("[[intake]]")[0]
