"""People who asked to be told: what they do for themselves, on a real file."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from alerts.farmers.notice import Kind, Notice, Wants
from alerts.farmers.outbox import Audience
from alerts.farmers.person import Follow, Quiet
from alerts.farmers.place import Place
from alerts.farmers.roll import Done, Entry, read_roll
from api.people import Changes, ChangeWhy, ConfirmWhy, SignupWhy, Wish
from api.people.limits import ANSWERS_PER_HOUR
from api.people.people import LEAVING_MS, People
from api.people.replies import StopAt
from api.people.roster import Filters
from api.people.signing import CODE_MS
from api.people.vault import VaultError, key_line
from tests.api.people_world import DIGITS, FIELD, NOW_MS, PHONE, RIVER, Household

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Household]:
    house = Household(tmp_path)
    yield house
    house.close()


def followers(house: Household, place: Place = RIVER.place, level: int = 500) -> list[int]:
    """Whom the outbox would tell of salt."""
    audience = Audience(house.directory / "farmers.sqlite")
    notice = Notice(Kind.SALT, place, level, NOW_MS, NOW_MS, "e", "", {})
    found = [contact for contact, _ in audience.of(notice)]
    audience.close()
    return found


def test_nobody_is_told_before_the_code_comes_back(house: Household) -> None:
    request = house.asks()
    assert [(one.kind, one.channel) for one in house.sent] == [("code", "sms")]
    assert followers(house) == []
    pending = house.people.person(house.sent[0].contact, NOW_MS)
    assert pending is not None
    assert (pending.address, pending.follows, pending.stop_token) == ("+84912345678", (), "")

    confirmed = house.people.confirm(request, f" {house.code[:3]} {house.code[3:]}", NOW_MS + 1)
    assert confirmed.why is ConfirmWhy.DONE
    contact = house.sent[0].contact
    assert followers(house) == [contact]
    person = house.people.person(contact, NOW_MS + 1)
    assert person is not None
    assert (person.address, person.follows) == ("+84912345678", (RIVER,))
    assert person.stop_token == confirmed.token
    assert [one.kind for one in house.sent] == ["code", "welcome"]
    stored = house.people.by_token(confirmed.token, NOW_MS)
    assert stored is not None
    assert (stored.masked, stored.state, stored.origin) == ("09xx xxx 678", "active", "self")


def test_one_whose_address_does_not_exist_any_more_is_erased(house: Household) -> None:
    house.people.confirm(house.asks(), house.code, NOW_MS)
    (contact,) = followers(house)
    house.people.gone(contact, NOW_MS)
    house.people.gone(contact, NOW_MS)
    assert followers(house) == []
    assert house.people.person(contact, NOW_MS) is None
    assert house.people.counts(NOW_MS).active == 0


def test_a_code_is_good_once_for_ten_minutes_and_five_tries(house: Household) -> None:
    request = house.asks()
    code = house.code
    wrong = f"{(int(code) + 1) % 10**6:06}"
    left = [house.people.confirm(request, wrong, NOW_MS).tries_left for _ in range(4)]
    assert left == [4, 3, 2, 1]
    house.again()
    assert house.people.confirm(request, wrong, NOW_MS).why is ConfirmWhy.OVER
    assert house.people.confirm(request, code, NOW_MS).why is ConfirmWhy.OVER

    request = house.asks("0987654321")
    late = house.people.confirm(request, house.code, NOW_MS + CODE_MS)
    assert late.why is ConfirmWhy.OVER
    assert house.people.confirm(request, house.code, NOW_MS + CODE_MS - 1).why is ConfirmWhy.DONE
    assert house.people.confirm(request, house.code, NOW_MS + 2).why is ConfirmWhy.OVER
    assert house.people.confirm("nobody's", house.code, NOW_MS).why is ConfirmWhy.OVER


def test_a_newer_code_makes_the_older_one_void(house: Household) -> None:
    first = house.asks()
    code = house.code
    house.asks(now_ms=NOW_MS + MINUTE_MS)
    assert house.people.confirm(first, code, NOW_MS + MINUTE_MS).why is ConfirmWhy.OVER


def test_what_is_not_confirmed_is_erased(house: Household) -> None:
    house.asks()
    contact = house.sent[0].contact
    assert house.people.person(contact, NOW_MS + CODE_MS) is None
    house.people.sweep(NOW_MS + CODE_MS)
    with sqlite3.connect(house.directory / "farmers.sqlite") as connection:
        for table in ("contact", "follow", "code"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM asked").fetchone() == (1,)
        house.people.sweep(NOW_MS + DAY_MS)
        assert connection.execute("SELECT count(*) FROM asked").fetchone() == (0,)
    connection.close()


def test_the_answer_is_the_same_for_numbers_that_are_known(house: Household) -> None:
    unknown = house.people.signup(Wish("sms", "0987654321", (RIVER,)), "", NOW_MS)
    token = house.joins()
    known = house.people.signup(Wish("sms", PHONE, (FIELD,)), "", NOW_MS + HOUR_MS)
    assert (known.why, known.detail, known.retry_after_s) == (unknown.why, "", 0)
    assert known.until_ms - NOW_MS - HOUR_MS == unknown.until_ms - NOW_MS
    assert len(known.request) == len(unknown.request)
    # Until the code comes back nothing has changed for who is told already.
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert stored.follows == (RIVER,)


def test_who_signs_up_again_follows_both_by_the_same_token(house: Household) -> None:
    token = house.joins()
    again = house.joins("+84 912.345.678", FIELD, now_ms=NOW_MS + HOUR_MS, lang="en")
    assert again == token
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert set(stored.follows) == {RIVER, FIELD}
    assert stored.lang == "en"
    # There may be a salt spell at the place that is new, whose begin was told before.
    assert [one.kind for one in house.sent] == ["code", "welcome", "code", "welcome"]
    assert len({one.key for one in house.sent}) == 4
    house.joins(PHONE, FIELD, now_ms=NOW_MS + 3 * HOUR_MS, lang="en")
    assert [one.kind for one in house.sent[4:]] == ["code"]  # nothing that is new
    assert house.people.counts(NOW_MS).active == 1


def test_together_with_what_is_followed_there_is_a_limit(house: Household) -> None:
    many = [Follow(RIVER.place, crop, 500) for crop in ("durian", "longan", "papaya", "banana")]
    more = [Follow(FIELD.place, crop, 500) for crop in ("durian", "longan", "papaya", "banana")]
    house.joins(PHONE, *many, *more)
    wish = Wish(
        "sms", PHONE, tuple(Follow(RIVER.place, c, 2000) for c in ("lime", "rice", "mango"))
    )
    request = house.people.signup(wish, "", NOW_MS + HOUR_MS).request
    found = house.people.confirm(request, house.code, NOW_MS + HOUR_MS)
    assert found.why is ConfirmWhy.TOO_MANY_FOLLOWS
    eleven = Wish("sms", "0987654321", (*many, *more, *wish.follows))
    assert house.people.signup(eleven, "", NOW_MS).why is SignupWhy.TOO_MANY_FOLLOWS


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Wish("fax", PHONE, (RIVER,)), SignupWhy.NO_CHANNEL),
        (Wish("sms", "0273 3872 345", (RIVER,)), SignupWhy.BAD_ADDRESS),
        (Wish("sms", PHONE, ()), SignupWhy.NO_FOLLOWS),
    ],
)
def test_a_wish_that_is_refused_sends_nothing(house: Household, wish: Wish, why: SignupWhy) -> None:
    found = house.people.signup(wish, "1.2.3.4", NOW_MS)
    assert found.why is why
    assert found.request == ""
    assert house.sent == []


def test_codes_to_a_number_come_ever_slower(house: Household) -> None:
    def asked(now_ms: int) -> int:
        found = house.people.signup(Wish("sms", PHONE, (RIVER,)), "", now_ms)
        assert (found.why is SignupWhy.SENT) == (found.retry_after_s == 0)
        return found.retry_after_s

    start = NOW_MS
    assert asked(start) == 0
    assert asked(start) == 60
    assert asked(start + 59_999) == 1
    assert asked(start + MINUTE_MS) == 0
    assert asked(start + MINUTE_MS) == 300
    house.again()  # a restart forgives nothing
    assert asked(start + 6 * MINUTE_MS) == 0
    assert asked(start + 30 * MINUTE_MS) == 30 * 60
    assert asked(start + HOUR_MS) == 0
    assert asked(start + 2 * HOUR_MS) == 0
    assert asked(start + 3 * HOUR_MS) == 21 * 3600
    assert asked(start + DAY_MS) == 0
    # A clock that was set back keeps nobody waiting for longer than the rules say.
    assert asked(start - 300 * DAY_MS) <= DAY_MS // 1000
    assert len(house.sent) == 6


def test_a_mailbox_by_many_names_is_one(house: Household) -> None:
    def asked(address: str) -> SignupWhy:
        return house.people.signup(Wish("mail", address, (RIVER,)), "", NOW_MS).why

    assert asked("Ten+a@vidu.vn") is SignupWhy.SENT
    assert asked("ten+b@vidu.vn") is SignupWhy.TOO_SOON
    assert asked("ten@vidu.vn") is SignupWhy.TOO_SOON
    assert asked("ten2@vidu.vn") is SignupWhy.SENT


def test_codes_from_one_place_and_in_all_have_a_limit(tmp_path: Path) -> None:
    house = Household(tmp_path, {"codes_per_hour": 62})

    def asked(client: str, n: int, now_ms: int = NOW_MS) -> SignupWhy:
        wish = Wish("sms", f"09{n:08}", (RIVER,))
        return house.people.signup(wish, client, now_ms).why

    found = [asked("2001:db8::1", 10_000_000 + n) for n in range(60)]
    assert set(found) == {SignupWhy.SENT}
    # A /48 is what anybody has for nothing.
    assert asked("2001:db8:0:ffff::2", 10_000_100) is SignupWhy.TOO_SOON
    assert asked("2001:db8:1::1", 10_000_101) is SignupWhy.SENT
    assert asked("1.2.3.4", 10_000_102) is SignupWhy.SENT
    assert asked("1.2.3.4", 10_000_103) is SignupWhy.BUSY
    assert asked("2001:db8::2", 10_000_100, NOW_MS + HOUR_MS) is SignupWhy.SENT
    house.close()


def test_what_is_followed_and_how_can_be_changed(house: Household) -> None:
    token = house.joins()
    quiet = Quiet(21 * 60, 5 * 60, urgent_passes=False)
    windows = Follow(FIELD.place, "rice", 1500, Wants.SALT | Wants.WINDOWS)
    changes = Changes((windows,), quiet, lang="en")
    assert house.people.change(token, changes, NOW_MS) is ChangeWhy.DONE
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert (stored.follows, stored.quiet, stored.lang) == ((windows,), quiet, "en")
    assert followers(house) == []
    assert len(followers(house, FIELD.place, 1500)) == 1

    assert house.people.change(token, Changes(quiet_off=True), NOW_MS) is ChangeWhy.DONE
    stored = house.people.by_token(token, NOW_MS)
    assert stored is not None
    assert (stored.follows, stored.quiet) == ((windows,), None)
    assert house.people.change(token, Changes(()), NOW_MS) is ChangeWhy.NO_FOLLOWS
    assert house.people.change("x" * 43, Changes(), NOW_MS) is ChangeWhy.UNKNOWN


def test_stopping_erases_at_once_whatever_the_channel(house: Household) -> None:
    token = house.joins()
    house.joins(channel="zalo", now_ms=NOW_MS + HOUR_MS)
    first, second = sorted({one.contact for one in house.sent})
    assert house.people.stop(token, NOW_MS + HOUR_MS)
    assert not house.people.stop(token, NOW_MS + HOUR_MS)
    assert house.people.person(first, NOW_MS) is None
    assert house.people.person(second, NOW_MS) is None
    assert house.people.by_token(token, NOW_MS) is None
    assert house.people.export(token, NOW_MS) is None
    assert followers(house) == []
    counts = house.people.counts(NOW_MS)
    assert (counts.active, counts.do_not_contact, counts.ever["stopped"]) == (0, 1, 1)


def test_an_id_is_never_given_to_anybody_else(house: Household) -> None:
    house.people.erase(house.joins(), NOW_MS)
    house.joins("0987654321")
    ids = [one.contact for one in house.sent if one.kind == "code"]
    assert ids[1] > ids[0]


def test_people_begun_anew_get_no_number_that_others_had(house: Household) -> None:
    """The key was lost, and the file thrown away; what the senders keep stands under numbers."""
    house.joins()
    house.people.close()
    for path in house.directory.iterdir():
        path.unlink()
    house.options["ids_after"] = house.sent[-1].contact
    house.people = house.opened()
    house.joins("0987654321")
    assert house.sent[-1].contact > house.sent[0].contact
    house.again()
    house.joins("0987654322")
    assert len({one.contact for one in house.sent}) == 3


def test_a_stop_word_is_answered_once_under_another_id(house: Household) -> None:
    house.joins(lang="en")
    contact = house.sent[0].contact
    assert house.people.stop_from("sms", "84912345678", None, NOW_MS) == 1
    last = house.sent[-1]
    assert (last.kind, last.channel, last.said) == ("stopped", "sms", {"lang": "en"})
    assert last.contact != contact
    assert house.people.person(contact, NOW_MS) is None
    leaving = house.people.person(last.contact, NOW_MS)
    assert leaving is not None
    assert (leaving.address, leaving.follows) == ("+84912345678", ())
    assert house.people.stop_from("sms", "84912345678", None, NOW_MS) == 0
    assert house.people.stop_from("sms", "0987654321", None, NOW_MS) == 0
    assert house.people.stop_from("sms", "no number", None, NOW_MS) == 0
    assert house.people.stop_from("no channel", PHONE, None, NOW_MS) == 0
    assert house.sent[-1] is last
    assert house.people.person(last.contact, NOW_MS + LEAVING_MS) is None
    house.people.sweep(NOW_MS + LEAVING_MS)
    assert house.people._file.rows("SELECT * FROM contact") == []


def test_a_stop_word_may_be_for_one_place(house: Household) -> None:
    house.joins(PHONE, RIVER, FIELD)
    contact = house.sent[0].contact
    assert house.people.stop_from("sms", PHONE, StopAt("xuan-hoa", "river"), NOW_MS) == 1
    # He still follows another place: he is told what stopped, under his own number.
    [answer] = house.sent[2:]
    assert (answer.kind, answer.contact, answer.channel) == ("stopped", contact, "sms")
    assert answer.said == {"lang": "vi", "left": ["xuan-hoa/river"]}
    # A gateway that brings the reply twice has it answered once.
    assert house.people.stop_from("sms", PHONE, StopAt("xuan-hoa", "river"), NOW_MS + 1) == 0
    assert house.sent[-1] is answer
    person = house.people.person(contact, NOW_MS)
    assert person is not None
    assert person.follows == (FIELD,)
    assert house.people.stop_from("sms", PHONE, StopAt("xuan-hoa"), NOW_MS + 1) == 1
    assert (house.sent[-1].kind, house.sent[-1].said) == ("stopped", {"lang": "vi"})
    assert house.people.person(contact, NOW_MS) is None


def test_who_names_a_place_that_he_does_not_follow_is_told_that_nothing_stopped(
    house: Household,
) -> None:
    house.joins(PHONE, RIVER)
    contact = house.sent[0].contact

    def says(at: StopAt, now_ms: int = NOW_MS, phone: str = PHONE) -> int:
        assert house.people.stop_from("sms", phone, at, now_ms) == 0
        return len(house.sent) - 2

    assert says(StopAt("vam-giong")) == 1
    answer = house.sent[-1]
    assert (answer.kind, answer.contact, answer.channel) == ("stopped", contact, "sms")
    assert answer.said == {"lang": "vi", "asked": "vam-giong", "side": ""}
    person = house.people.person(contact, NOW_MS)
    assert person is not None
    assert person.follows == (RIVER,)
    # The same again within the hour, a gateway's repetition or a phone that replies by itself.
    assert says(StopAt("vam-giong"), NOW_MS + 1) == 1
    assert says(StopAt("xuan-hoa", "field"), NOW_MS + 2) == 2
    assert house.sent[-1].said["side"] == "field"
    assert max(says(StopAt(f"cong-{n}"), NOW_MS + n) for n in range(3, 12)) == ANSWERS_PER_HOUR
    later = NOW_MS + HOUR_MS
    assert says(StopAt("vam-giong"), later) == ANSWERS_PER_HOUR + 1
    # Nobody is pestered who is not known, or has only been sent a code that a stranger asked for.
    assert says(StopAt("vam-giong"), later, "0987654321") == ANSWERS_PER_HOUR + 1
    house.asks("0987654321", now_ms=later)
    count = len(house.sent)
    says(StopAt("vam-giong"), later, "0987654321")
    assert len(house.sent) == count


def test_who_follows_over_two_channels_is_answered_where_he_wrote(house: Household) -> None:
    house.joins(PHONE, RIVER, channel="zalo")
    house.joins(PHONE, RIVER, FIELD, now_ms=NOW_MS + HOUR_MS)
    sms = house.sent[-1].contact
    assert house.people.stop_from("sms", PHONE, StopAt("xuan-hoa", "river"), NOW_MS) == 2
    assert (house.sent[-1].contact, house.sent[-1].channel) == (sms, "sms")
    assert house.people.stop_from("fax", PHONE, StopAt("xuan-hoa"), NOW_MS) == 0


def test_who_never_asked_and_answers_stop_is_forgotten(house: Household) -> None:
    """A stranger typed his number: there is a code under way, and nothing else."""
    request = house.asks()
    assert house.people.stop_from("sms", PHONE, None, NOW_MS) == 1
    assert [one.kind for one in house.sent] == ["code"]
    assert house.people.confirm(request, house.code, NOW_MS).why is ConfirmWhy.OVER
    assert house.people.counts(NOW_MS).do_not_contact == 1


def test_a_stop_word_is_remembered_when_the_code_is_over(house: Household) -> None:
    house.asks()
    later = NOW_MS + HOUR_MS
    house.people.sweep(later)
    assert house.people.stop_from("sms", PHONE, None, later) == 0
    assert house.people.counts(later).do_not_contact == 1
    assert house.people.stop_from("sms", "0987654321", None, later) == 0
    assert house.people.counts(later).do_not_contact == 1


def test_who_said_stop_is_sent_one_code_a_day_whoever_asks(house: Household) -> None:
    def codes(at_ms: int) -> int:
        """Codes that reach him: the senders ask who it is."""
        request = house.asks(now_ms=at_ms)
        wrong = house.people.confirm(request, "x", at_ms)
        assert wrong.why is ConfirmWhy.WRONG, "the answers are those of everybody"
        return sum(
            house.people.person(one.contact, at_ms) is not None
            for one in house.sent
            if (one.kind, one.at_ms) == ("code", at_ms)
        )

    assert codes(NOW_MS) == 1
    house.people.stop_from("sms", PHONE, None, NOW_MS)
    assert codes(NOW_MS + HOUR_MS) == 1
    house.people.stop_from("sms", PHONE, None, NOW_MS + HOUR_MS)
    assert codes(NOW_MS + 2 * HOUR_MS) == 0
    assert codes(NOW_MS + 3 * HOUR_MS) == 0
    house.people.sweep(NOW_MS + 2 * DAY_MS)
    assert codes(NOW_MS + 2 * DAY_MS) == 1
    # Who has come back is asked again as everybody is.
    later = NOW_MS + 6 * DAY_MS
    house.people.sweep(later)
    house.joins(now_ms=later)
    assert codes(later + HOUR_MS) == 1
    assert codes(later + 2 * HOUR_MS) == 1


def test_a_code_may_come_back_as_a_message(house: Household) -> None:
    house.asks()
    assert house.people.confirm_from("sms", "0987654321", house.code, NOW_MS).why is ConfirmWhy.OVER
    found = house.people.confirm_from("sms", "+84912345678", house.code, NOW_MS)
    assert found.why is ConfirmWhy.DONE


def test_a_chat_begins_with_its_link_and_once(house: Household) -> None:
    wish = Wish("chat", "", (RIVER,), lang="en")
    found = house.people.signup(wish, "1.2.3.4", NOW_MS)
    assert found.why is SignupWhy.START
    assert house.sent == []
    assert house.people.confirm(found.request, "000000", NOW_MS).why is ConfirmWhy.OVER
    start = house.people.start_from
    assert start("sms", PHONE, found.request, NOW_MS).why is ConfirmWhy.OVER
    assert start("chat", "-100123", found.request, NOW_MS).why is ConfirmWhy.OVER
    assert start("chat", "4455667788", "x", NOW_MS).why is ConfirmWhy.OVER
    assert start("chat", "4455667788", found.request, NOW_MS + HOUR_MS).why is ConfirmWhy.OVER
    assert start("chat", "4455667788", found.request, NOW_MS + 1).why is ConfirmWhy.DONE
    assert start("chat", "99887766", found.request, NOW_MS + 1).why is ConfirmWhy.OVER
    (welcome,) = house.sent
    person = house.people.person(welcome.contact, NOW_MS)
    assert person is not None
    assert (person.address, person.lang, person.follows) == ("4455667788", "en", (RIVER,))


def test_everything_stored_is_exported_in_words(house: Household) -> None:
    house.people.close()
    house.options["kept"] = lambda contact: [{"told": f"message of {contact}"}]
    house.people = house.opened()
    token = house.joins(quiet=Quiet(1290, 300))
    found = house.people.export(token, NOW_MS)
    assert found is not None
    # The link may have come into other hands.
    assert found["address"] == "09xx xxx 678"
    on_paper = house.people.export_of(1, NOW_MS)
    assert on_paper == found | {"address": "+84912345678"}
    assert found["quiet"] == {"from": "21:30", "to": "05:00", "urgent_passes": True}
    assert found["follows"][0]["crop_vi"] == "Sầu riêng"
    assert found["follows"][0]["limit_g_l"] == 0.5
    assert found["messages"] == [{"told": "message of 1"}]
    assert found["confirmed"] == "2025-12-29T16:20:00+07:00"


def test_after_erasing_no_byte_of_somebody_is_in_the_files(house: Household) -> None:
    stays = house.joins("0987 654 321")
    token = house.joins("0912 345 678", RIVER, now_ms=NOW_MS + 1)
    ((finger, address, sealed),) = house.people._file.rows(
        "SELECT finger, address, token FROM contact WHERE id = (SELECT max(id) FROM contact)"
    )
    before = house.bytes()
    assert all(part in before for part in (finger, address, sealed))
    assert house.people.erase(token, NOW_MS)
    house.people.sweep(NOW_MS + DAY_MS + 1)
    after = house.bytes()
    assert not any(part in after for part in (finger, address, sealed))
    assert house.people.by_token(stays, NOW_MS) is not None


def test_a_reader_at_that_moment_puts_it_off_to_the_next_sweep(house: Household) -> None:
    token = house.joins()
    ((address,),) = house.people._file.rows("SELECT address FROM contact")
    reader = sqlite3.connect(house.directory / "farmers.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM contact").fetchone()
    assert house.people.erase(token, NOW_MS)
    assert address in house.bytes()
    reader.execute("COMMIT")
    reader.close()
    house.people.sweep(NOW_MS)
    assert address not in house.bytes()


def test_a_number_stands_in_no_file_no_log_and_no_error(
    house: Household, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = house.joins()
    said = [repr(house.people.by_token(token, NOW_MS)), repr(house.people.person(1, NOW_MS))]
    said.append(repr(Wish("sms", PHONE, ())))
    said.extend(
        repr(house.people.signup(Wish("sms", typed, (RIVER,)), "", NOW_MS))
        for typed in ("091234567", "0912345678x", "0951234567", "9912345678", "+1912345678")
    )
    said.append(repr(house.people.signup(Wish("sms", PHONE, (RIVER,)), "", NOW_MS)))
    raw = f"phone;place;crop;consent\n{PHONE};xuan-hoa/river;durian;\n".encode()
    said.append(repr(read_roll(raw, {RIVER.place}, date(2026, 1, 1))))
    house.people.stop_from("sms", PHONE, None, NOW_MS)
    said.append(caplog.text)
    text = "\n".join(said)
    for form in ("912345", "912 345", "345678", "345 678", token):
        assert form not in text, form
    for form in (DIGITS, "912 345 678", token, house.sent[0].said["code"]):
        assert form.encode() not in house.bytes(), form


def test_the_files_are_for_the_service_alone(house: Household) -> None:
    house.joins()
    modes = {path.name: path.stat().st_mode & 0o777 for path in house.directory.iterdir()}
    assert modes.keys() >= {"farmers.sqlite", "farmers.key", "farmers.sqlite-wal"}
    assert set(modes.values()) == {0o600}
    key = house.directory / "farmers.key"
    key.chmod(0o644)  # as editors leave it
    house.again()
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_gone_is_said_and_not_replaced(house: Household) -> None:
    house.joins()
    house.people.close()
    key = house.directory / "farmers.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(VaultError, match=r"farmers\.key: no such file"):
        house.opened()
    assert not key.exists()
    key.write_text(key_line())
    with pytest.raises(VaultError, match="no key of the key file opens"):
        house.opened()
    key.write_text(kept)
    house.people = house.opened()


def test_a_key_is_rotated_and_links_and_stop_words_still_work(house: Household) -> None:
    token = house.joins()
    house.joins("0987654321")
    assert house.people.stop_from("sms", "0987654321", None, NOW_MS) == 1
    house.people.close()
    key = house.directory / "farmers.key"
    old = key.read_text()
    key.write_text(key_line() + old)
    house.people = house.opened()
    # Sealed anew: the old key is needed no more, but for those who had stopped before.
    assert house.people.by_token(token, NOW_MS) is not None
    assert [line.done for line in taken(house, "0987654321")] == [Done.REFUSED]
    ids = {
        bytes(row[0])
        for row in house.people._file.rows("SELECT substr(address, 2, 4) FROM contact")
    }
    assert ids == {bytes.fromhex(key.read_text()[:8])}
    house.people.close()
    key.write_text(key.read_text().splitlines()[0])
    house.people = house.opened()
    assert house.people.by_token(token, NOW_MS) is not None
    assert house.people.stop_from("sms", PHONE, None, NOW_MS) == 1


def entry(phone: str, line: int = 2, follow: Follow = RIVER, **other: object) -> Entry:
    digits = f"+84{phone.replace(' ', '')[1:]}"
    return Entry(line, digits, (follow,), None, "vi", "2026-01-01", **other)  # type: ignore[arg-type]


def taken(house: Household, *phones: str, dry_run: bool = False) -> list:  # type: ignore[type-arg]
    entries = [entry(phone, n) for n, phone in enumerate(phones, 2)]
    return house.people.roster.take(entries, "sms", "an", NOW_MS, dry_run=dry_run)


def test_a_list_is_taken_once_and_welcomed(house: Household) -> None:
    assert [line.done for line in taken(house, PHONE, "0987654321", dry_run=True)] == ["done"] * 2
    assert house.people.counts(NOW_MS).active == 0
    lines = taken(house, PHONE, "0987654321")
    assert [(line.line, line.done, line.shown) for line in lines] == [
        (2, "done", "09xx xxx 678"),
        (3, "done", "09xx xxx 321"),
    ]
    assert len(followers(house)) == 2
    assert house.sent == []
    house.again()
    house.people.sweep(NOW_MS)
    house.people.sweep(NOW_MS)
    assert [one.kind for one in house.sent] == ["welcome"] * 2
    assert [line.done for line in taken(house, PHONE, "0987654321")] == ["already"] * 2
    changed = house.people.roster.take([entry(PHONE, 2, FIELD)], "sms", "an", NOW_MS, dry_run=False)
    assert [line.done for line in changed] == ["changed"]
    # There may be a salt spell at the place that is new, whose begin was told before.
    house.again()
    house.people.sweep(NOW_MS)
    assert [one.kind for one in house.sent] == ["welcome"] * 3
    assert house.sent[2].contact == house.sent[0].contact
    (one, _) = house.people.roster.page(Filters(), 0, 10, NOW_MS)
    assert (one.origin, one.officer, one.consent) == ("list", "an", "2026-01-01")
    assert set(one.follows) == {RIVER, FIELD}


def test_a_limit_above_the_crops_is_pointed_at(house: Household) -> None:
    high = [entry(PHONE, 2, Follow(RIVER.place, "durian", 5000, RIVER.wants))]
    (line,) = house.people.roster.take(high, "sms", "an", NOW_MS, dry_run=True)
    assert (line.done, line.field) == ("done", "limit_g_l")
    assert line.reason is not None
    assert "5 g/L, above the 0.5 of Durian" in line.reason.en
    assert "5 g/l cao hơn mức 0,5 g/l của cây (Sầu riêng)" in line.reason.vi
    low = [entry(PHONE, 2, Follow(RIVER.place, "durian", 400, RIVER.wants))]
    (line,) = house.people.roster.take(low, "sms", "an", NOW_MS, dry_run=True)
    assert (line.field, line.reason) == ("", None)


def test_a_list_brings_nobody_back_and_changes_nobodys_choice(house: Household) -> None:
    house.joins("0987654321", FIELD)
    house.people.stop(house.joins(), NOW_MS)
    lines = taken(house, PHONE, "0987654321", "0333 333 333")
    assert [(line.done, line.field) for line in lines] == [
        ("refused", "phone"),
        ("already", "phone"),
        ("done", ""),
    ]
    assert house.people.counts(NOW_MS).by_place == {"xuan-hoa/river": 1, "xuan-hoa/field": 1}
    # Whoever shows a code wants to be told again.
    house.joins(now_ms=NOW_MS + HOUR_MS)
    assert house.people.counts(NOW_MS).do_not_contact == 0


def test_pages_are_masked_and_filtered(house: Household) -> None:
    taken(house, *(f"0987 654 {n:03}" for n in range(5)))
    house.joins(PHONE, FIELD)
    roster = house.people.roster
    first = roster.page(Filters(place=RIVER.place), 0, 3, NOW_MS)
    rest = roster.page(Filters(place=RIVER.place), first[-1].id, 3, NOW_MS)
    assert [one.masked for one in (*first, *rest)] == [f"09xx xxx {n:03}" for n in range(5)]
    assert [one.follows for one in roster.page(Filters(place=FIELD.place), 0, 9, NOW_MS)] == [
        (FIELD,)
    ]
    assert roster.page(Filters(channel="zalo"), 0, 9, NOW_MS) == []
    assert roster.erase(first[0].id, NOW_MS, remembered=True)
    assert not roster.erase(first[0].id, NOW_MS, remembered=True)
    assert roster.one(first[0].id, NOW_MS) is None
    assert [line.done for line in taken(house, "0987654000")] == ["refused"]


def test_fifty_thousand_people_are_taken_in_seconds(house: Household) -> None:
    began = time.perf_counter()
    for part in range(10):
        entries = [entry(f"09{10_000_000 + part * 5000 + n}", n) for n in range(5000)]
        lines = house.people.roster.take(entries, "sms", "an", NOW_MS, dry_run=False)
        assert {line.done for line in lines} == {Done.DONE}
    assert time.perf_counter() - began < 60
    assert len(followers(house)) == 50_000
    began = time.perf_counter()
    assert house.people.person(40_000, NOW_MS) is not None
    assert time.perf_counter() - began < 0.5


def test_many_threads_at_once_make_one_subscription(house: Household) -> None:
    tokens = []
    request = house.asks()
    code = house.code

    def confirm() -> None:
        tokens.append(house.people.confirm(request, code, NOW_MS).why)

    threads = [threading.Thread(target=confirm) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tokens) == ["done"] + ["over"] * 7
    assert house.people.counts(NOW_MS).active == 1


def test_a_newer_files_schema_is_refused(tmp_path: Path) -> None:
    house = Household(tmp_path)
    house.close()
    with sqlite3.connect(tmp_path / "farmers.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(Exception, match="99"):
        Household(tmp_path)


def test_the_key_file_may_be_given(tmp_path: Path) -> None:
    key = tmp_path / "secret"
    with pytest.raises(VaultError, match="no such file"):
        People(tmp_path, {}, lambda *_: None, key_file=key)
    handle = os.open(key, os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("# of this year\n" + key_line())
    People(tmp_path, {}, lambda *_: None, key_file=key).close()
    assert not (tmp_path / "farmers.key").exists()
