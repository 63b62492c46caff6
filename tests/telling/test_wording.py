"""Each kind of delivery has words in each form."""

import pytest

from alerts.farmers.notice import Kind
from alerts.farmers.parcel import Form
from alerts.farmers.person import Follow, Person
from alerts.farmers.place import Place
from songtien.farming import called, standing
from songtien.telling.wording import wording
from tests.alerts.river.test_advisor import PUMP, registry
from tests.telling.world import MINUTE_MS, THERE, World, notice


@pytest.mark.parametrize("form", Form)
def test_everything_that_is_sent_has_words(world: World, form: Form) -> None:
    world.words = wording("tien.vn/nong-dan")
    world.channel.form = form
    direct = world.deliveries.direct
    direct(1, "sms", "code", {"code": "483920", "lang": "vi"}, "c", world.now_ms)
    direct(1, "sms", "welcome", {"lang": "vi"}, "w", world.now_ms)
    direct(1, "sms", "stopped", {"lang": "vi"}, "s", world.now_ms)
    direct(1, "sms", "trial", {"lang": "en"}, "t", world.now_ms)
    world.tell(*(notice(Kind.SALT, place=place) for place in (THERE,)), people=[2])
    world.tell(notice(Kind.SILENT), notice(Kind.OPEN, place=THERE), people=[3])
    world.minutes(2)
    assert {state for state, _ in world.states()} == {"sent"}
    by_key = {each.key: each.text for each in world.channel.parcels}
    assert len(by_key) == 6
    code = by_key["c"]
    assert "483920" in code.body + str(code.params)
    if form is Form.SMS:
        assert all(each.body.isascii() and len(each.body) <= 160 for each in by_key.values())
        salt = next(e.text.body for e in world.channel.parcels if e.address.endswith("02"))
        assert "KHONG LAY" in salt.upper()
    assert world.now_ms >= 2 * MINUTE_MS


def test_who_signs_up_in_a_salt_spell_is_told_of_it(world: World) -> None:
    here = Place("a", "river")
    follows = [Follow(here, "durian", 500), Follow(here, "longan", 500), Follow(here, "rice", 2000)]
    follows.append(Follow(Place("gone", "river"), "durian", 500))
    person = Person(1, "sms", "", "vi", "token", None, tuple(follows))
    told: dict[int, dict[str, int | None]] = {
        500: {"spell": world.now_ms - MINUTE_MS},
        2000: {"spell": None},
    }
    answers = {"a/river": told, "gone/river": told}
    [salt] = standing(answers, registry(PUMP), person)
    assert (salt.kind, salt.place, salt.level_mg_l) == (Kind.SALT, here, 500)
    assert standing({}, registry(PUMP), person) == ()

    world.channel.form = Form.SMS
    world.words = wording("tien.vn/nong-dan", lambda _: (salt,))
    world.deliveries.direct(1, "sms", "welcome", {"lang": "vi"}, "w", world.now_ms)
    world.minutes(2)
    [parcel] = world.channel.parcels
    assert "KHONG LAY NUOC tai Cong A, ngoai song: dang co dot man vuot muc 0,5" in parcel.text.body
    assert "nhan HUY" in parcel.text.body
    assert parcel.text.parts == 1
    assert parcel.text.warns


def test_who_stopped_one_place_is_told_which_and_what_goes_on(world: World) -> None:
    world.channel.form = Form.SMS
    world.words = wording("", name=lambda intake: f"Cống {intake.title()}")
    left = {"lang": "vi", "left": ["xuan-hoa/river"]}
    world.deliveries.direct(1, "sms", "stopped", left, "s", world.now_ms)
    world.minutes(2)
    [parcel] = world.channel.parcels
    assert "Da ngung tin cua Cong Xuan-Hoa, ngoai song. Van nhan tin cua" in parcel.text.body
    assert parcel.text.body.endswith("Ngung het: nhan HUY.")


def test_who_named_another_place_is_told_that_nothing_stopped(world: World) -> None:
    world.channel.form = Form.SMS
    world.words = wording("", name=lambda intake: f"Cống {intake.title()}")
    asked = {"lang": "vi", "asked": "dong-tam", "side": ""}
    world.deliveries.direct(1, "sms", "stopped", asked, "s", world.now_ms)
    world.minutes(2)
    [parcel] = world.channel.parcels
    assert "Khong ngung gi: ban khong nhan tin cua Cong Dong-Tam. Van nhan" in parcel.text.body
    assert "Xuan-Hoa, ngoai song" in parcel.text.body
    assert parcel.text.body.endswith("Ngung het: nhan HUY.")


def test_an_intake_that_left_the_registry_is_called_by_its_id() -> None:
    assert called(registry(PUMP), "gone") == "gone"
    assert called(registry(PUMP), "a") != "a"
