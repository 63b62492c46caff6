"""A bulletin to farmers through the processor, and how far it is told by the senders."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.entries import EVERYWHERE
from alerts.farmers import outbox, texts
from alerts.farmers.notice import Kind, Notice, Wants
from alerts.farmers.person import Follow, Person
from alerts.farmers.place import Place
from api.farmers import HeldAsked, MessagesAsked, Reach
from api.people import Wish
from api.people.addresses import AddressKind, NoAddress
from api.people.people import People
from ingest.history import StoreReader
from ingest.journal import Entered
from ingest.store import Store
from songtien.outcome import Outcome
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.deliveries import Deliveries
from songtien.telling.delivery import Delivery
from songtien.telling.overview import Overview
from songtien.telling.telling import Telling, TellingSettings
from tests.e2e.running import eventually, now_ms
from tests.songtien.feed import BEGIN_MS, REGISTRY, River
from tests.songtien.test_entered import INTAKE

HOUR = 3_600_000
BULLETIN: dict[str, Any] = {
    "title": "Tin cảnh báo xâm nhập mặn",
    "text": "Mặn 4 g/l có thể vào sâu 55 km.",
    "issuer": "Đài KTTV khu vực Nam Bộ",
    "issued": BEGIN_MS - HOUR,
    "places": [EVERYWHERE],
    "valid_until": BEGIN_MS + 48 * HOUR,
}


def enter(river: River, at_ms: int, who: str, subject: str, body: dict[str, Any]) -> Outcome:
    entry = Entered("r1", "broadcast", subject, json.dumps(body), who, "")
    return river.step(at_ms, entry)


def test_the_step_of_the_second_officer_brings_the_notices_and_no_other_step_does() -> None:
    river = River(registry=REGISTRY + INTAKE)
    assert enter(river, BEGIN_MS, "An", EVERYWHERE, BULLETIN).notices == []
    checkpoint, position = river.snapshot(), river.position
    confirm = {"ver": 1, "act": "confirm"}
    assert enter(river, BEGIN_MS + 1, "An", "b1", confirm).notices == []
    outcome = enter(river, BEGIN_MS + HOUR, "Bình", "b1", confirm)
    told = outcome.notices
    assert [(each.kind, str(each.place)) for each in told] == [(Kind.BULLETIN, "vuon/river")]
    assert outcome.entered is not None
    assert outcome.entered.item["decided"]["who"] == "Bình"
    assert enter(river, BEGIN_MS + HOUR, "Bình", "b1", confirm).notices == []
    before = river.snapshot()
    river.restart(checkpoint, position)
    assert river.snapshot() == before
    again = River(registry=REGISTRY + INTAKE)
    for _, at_ms, entry in river.log[1:3]:
        again.step(at_ms, entry)
    same = again.step(river.log[3][1], river.log[3][2])
    assert [each.key for each in same.notices] == [each.key for each in told]


HERE, THERE = Place("vuon", "river"), Place("dong", "river")
MINUTE = 60_000


class House:
    """People on a real file, who follow two places; senders that write into a file."""

    def __init__(self, directory: Path, budget: int | None = None) -> None:
        self.written = directory / "told.jsonl"
        self.store = Store(directory / "store.sqlite")
        self.store.prepare(outbox.create)
        self.reader = StoreReader(directory / "store.sqlite")
        self.deliveries = Deliveries(directory / "telling.sqlite")
        self.codes: list[str] = []
        self.people = People(directory, {"sms": AddressKind.PHONE}, self._code)
        own = {"path": self.written, "form": "sms", "show_addresses": False}
        self.settings = ChannelSettings("sms", "file", 1000.0, 1.0, budget, 400, own=own)
        self.telling = Telling(
            TellingSettings(),
            [self.settings],
            self.reader,
            self.people,
            self.deliveries,
            directory / "telling.sqlite",
            words=_words,
            clock_ms=now_ms,
            on_death=_raise,
        )
        self.overview = Overview(
            self.telling,
            [self.settings],
            self.people,
            self.reader,
            self.deliveries.direct,
            people_path=directory / "farmers.sqlite",
            telling_path=directory / "telling.sqlite",
            clock_ms=now_ms,
        )
        self.door = self.overview.door()

    def _code(self, *said: Any) -> None:
        _, _, kind, words, _, _ = said
        if kind == "code":
            self.codes.append(str(words["code"]))

    def joins(self, phone: str, *places: Place, wants: Wants = Wants.BULLETIN) -> None:
        follows = tuple(Follow(each, "durian", 500, wants) for each in places)
        signed = self.people.signup(Wish("sms", phone, follows), "", now_ms())
        self.people.confirm(signed.request, self.codes[-1], now_ms())

    def tell(self, *notices: Notice) -> None:
        audience = outbox.Audience(self.people.path)
        with self.store.transaction() as connection:
            outbox.write(connection, [(each, audience.of(each)) for each in notices])
        audience.close()
        self.telling.wake()

    def close(self) -> None:
        self.telling.stop()
        self.telling.close()
        self.overview.close()
        self.deliveries.close()
        self.people.close()
        self.reader.close()
        self.store.close()


def _words(
    delivery: Delivery, notices: tuple[Notice, ...], person: Person, form: Any, at_ms: int
) -> texts.Text:
    if delivery.direct:
        return texts.trial(delivery.said["lang"], form, at_ms)
    return texts.of_notices(notices, person, form, site="", now_ms=at_ms)


def _raise(error: BaseException) -> None:
    raise error


def bulletin(place: Place, event: str = "bulletin-b1-0") -> Notice:
    body = {"title": "Tin mặn", "text": "Mặn vào sâu.", "issuer": "Đài", "issued_ms": now_ms()}
    at_ms = now_ms() - 2 * MINUTE
    return Notice(Kind.BULLETIN, place, 0, at_ms, at_ms, event, "", body | {"official": None})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.close()


def test_who_follows_two_places_is_told_once_and_all_of_it_is_counted(house: House) -> None:
    house.joins("0912000001", HERE, THERE)
    house.joins("0912000002", HERE)
    house.joins("0912000003", THERE, wants=Wants.SALT)
    assert house.door.reach([EVERYWHERE]) == [Reach("sms", texts.Form.SMS, 2, 400)]
    assert house.door.reach([THERE.intake])[0].people == 1
    house.tell(bulletin(HERE), bulletin(THERE))
    [waits] = house.door.events(20)
    assert (waits["messages"], waits["waiting"], waits["left_s"]) == (3, 3, 0.0)
    assert house.door.overview()["unplanned"] == 3
    house.telling.start()
    eventually(lambda: house.door.overview()["channels"][0]["month"]["sent"] == 2, "both told")
    assert len(house.written.read_text("utf-8").splitlines()) == 2

    found = house.door.overview()
    [channel] = found["channels"]
    assert (channel["waiting"], channel["trouble"], channel["left_s"]) == (0, None, 0.0)
    month = {"sent": 2, "parts": 2, "cost": 800, "delivered": 0, "undelivered": 0}
    assert channel["month"] == month
    [day] = found["days"]
    assert (day["sent"], day["dropped"], day["cost"]) == (2, 1, 800)
    assert found["people"]["active"] == 3
    assert found["subscribers"] == [
        {"place": "dong/river", "people": 2, "crops": {"durian": 2}},
        {"place": "vuon/river", "people": 2, "crops": {"durian": 2}},
    ]
    house.overview.forget()
    [event] = house.door.events(20)
    assert event["places"] == ["dong/river", "vuon/river"]
    far = {"people": 2, "messages": 3, "sent": 2, "dropped": 1, "waiting": 0}
    assert {name: event[name] for name in far} == far
    sent = house.door.messages(MessagesAsked("sent", "sms", None, event["event"], None, 10))
    assert len(sent) == 2
    assert sent[0]["id"] > sent[1]["id"]
    older = MessagesAsked("sent", None, None, None, sent[0]["id"], 10)
    assert [one["id"] for one in house.door.messages(older)] == [sent[1]["id"]]
    [twice] = house.door.messages(MessagesAsked("dropped", None, None, None, None, 10))
    assert twice["why"] == "twice"
    assert "912000" not in str([found, event, sent, twice])


def test_what_the_budget_holds_is_seen_and_goes_when_an_officer_lets_it(tmp_path: Path) -> None:
    house = House(tmp_path, budget=0)
    house.joins("0912000001", HERE)
    house.joins("0912000002", HERE)
    house.tell(bulletin(HERE))
    house.telling.start()

    def held() -> int:
        return int(house.door.overview()["channels"][0]["held"].get("budget", 0))

    eventually(lambda: held() == 2, "both held")
    shown = house.door.messages(MessagesAsked("held", "sms", str(HERE), None, None, 10))
    assert {one["why"] for one in shown} == {"budget"}
    assert house.door.held(HeldAsked(None, "zalo", None, "budget", 9)) == []
    ids = house.door.held(HeldAsked(None, "sms", "bulletin-b1-0", "budget", 9))
    assert sorted(one["id"] for one in shown) == list(ids)
    assert house.door.held(HeldAsked(tuple(ids[:1]), None, None, None, 9)) == ids[:1]
    assert house.door.drop(ids[:1]) == 1
    assert house.door.release(ids) == 1
    eventually(lambda: house.written.exists() and held() == 0, "one told")
    assert len(house.written.read_text("utf-8").splitlines()) == 1
    house.close()


def test_a_trial_reaches_oneself_and_leaves_nobody_behind(house: House) -> None:
    house.telling.start()
    assert house.door.trial("sms", "0912 000 009", "en")
    eventually(house.written.exists, "written")
    line = json.loads(house.written.read_text("utf-8"))
    assert line["text"].isascii()
    assert house.people.counts(now_ms()).active == 0
    house.people.sweep(now_ms() + 2 * HOUR)
    assert house.people.counts(now_ms()).pending == 0
    assert house.people.person(1, now_ms()) is None
    with pytest.raises(NoAddress):
        house.door.trial("sms", "12", "vi")
    with pytest.raises(KeyError):
        house.door.trial("pigeon", "0912000009", "vi")


def test_a_trial_does_not_go_to_who_has_stopped(house: House) -> None:
    house.joins("0912000001", HERE)
    place: Any = None
    assert house.people.stop_from("sms", "0912000001", place, now_ms()) == 1
    assert not house.door.trial("sms", "0912000001", "vi")
