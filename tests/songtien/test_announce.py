"""What is said over MQTT, against a broker that writes down what it is given."""

import json
from typing import Any

from alerts.alert import AlertEvent, EventType
from ingest.broker import BrokerAddress, Subscription
from ingest.mqtt import Broker
from ingest.registry import parse_registry
from ingest.sequence import Ack
from songtien.announce import CANARIES_KEPT, Announcer
from tests.songtien.feed import REGISTRY, ROOT

TOPIC = "tiengiang/v1/alerts/salinity-4/mt-01/salinity_g_l"
ACK = "tiengiang/v1/salinity/my-tho/mt-01/ack"
CANARY = "tiengiang/v1/server/here/canary"


class Paper(Broker):
    """Keeps what brokers keep: all that was said, and the retained messages by topic."""

    def __init__(self) -> None:
        super().__init__(
            BrokerAddress("nowhere", 1, "test"), Subscription("#", "own", "state", bytes, bytes)
        )
        self.up = True
        self.said: list[tuple[str, bytes]] = []
        self.retained: dict[str, bytes] = {}

    @property
    def connected(self) -> bool:
        return self.up

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if self.up:
            self.said.append((topic, payload))
            if retain:
                self.retained[topic] = payload
        return self.up


class Clock:
    ms = 1_767_000_000_000

    def __call__(self) -> int:
        return self.ms


def announcer(broker: Broker, clock: Clock | None = None) -> Announcer:
    registry = parse_registry(REGISTRY, "stations.toml")
    return Announcer(
        broker, root=ROOT, host="here", registry=lambda: registry, clock_ms=clock or Clock()
    )


def alert(state: str, number: str = "a") -> dict[str, Any]:
    return {"id": number, "rule": "salinity-4", "k": "mt-01/salinity_g_l", "state": state}


def event(kind: EventType, state: str, number: str = "a", *, told: bool = True) -> AlertEvent:
    return AlertEvent(kind, alert(state, number), 0, told)


def test_an_active_alert_stands_on_its_topic_and_is_taken_down_when_it_clears() -> None:
    broker = Paper()
    says = announcer(broker)
    says.tell([event(EventType.RAISED, "unacked")])
    assert json.loads(broker.retained[TOPIC])["state"] == "unacked"
    says.tell([event(EventType.ACKED, "acked")])
    assert json.loads(broker.retained[TOPIC])["state"] == "acked"
    says.tell([event(EventType.CLEARED, "normal")])
    assert broker.retained[TOPIC] == b""


def test_an_alert_that_nobody_is_told_of_is_not_said() -> None:
    broker = Paper()
    announcer(broker).tell([event(EventType.RAISED, "unacked", told=False)])
    assert broker.said == []


def test_an_old_alert_acknowledged_late_does_not_take_down_the_one_that_holds() -> None:
    broker = Paper()
    says = announcer(broker)
    says.tell([event(EventType.RAISED, "unacked", "old")])
    says.tell([event(EventType.CLEARED, "cleared-unacked", "old")])
    says.tell([event(EventType.RAISED, "unacked", "new")])
    says.tell([event(EventType.NOTED, "cleared-unacked", "old")])
    says.tell([event(EventType.ACKED, "normal", "old")])
    assert json.loads(broker.retained[TOPIC])["id"] == "new"
    says.tell([event(EventType.CLEARED, "cleared-unacked", "new")])
    assert broker.retained[TOPIC] == b""


def test_what_a_lost_link_missed_is_said_when_it_is_back() -> None:
    broker = Paper()
    says = announcer(broker)
    says.tell([event(EventType.RAISED, "unacked", "first")])
    broker.up = False
    says.tell([event(EventType.CLEARED, "cleared-unacked", "first")])
    broker.up = True
    says.connected()
    assert broker.retained[TOPIC] == b""

    broker.up = False
    says.tell([event(EventType.RAISED, "unacked", "second")])
    broker.up = True
    broker.retained.clear()  # the broker has lost its memory too
    says.connected()
    assert json.loads(broker.retained[TOPIC])["id"] == "second"


def test_a_clearing_that_a_dying_link_swallowed_is_said_again() -> None:
    broker = Paper()
    says = announcer(broker)
    says.tell([event(EventType.RAISED, "unacked")])
    retained = dict(broker.retained)
    says.tell([event(EventType.CLEARED, "cleared-unacked")])
    broker.retained = retained  # handed to paho, and never sent
    says.connected()
    assert broker.retained[TOPIC] == b""


def test_a_start_says_what_holds_and_takes_down_what_is_over() -> None:
    broker = Paper()
    broker.retained[TOPIC] = b"said before the service was killed"
    says = announcer(broker)
    says.begin({}, [alert("cleared-unacked", "old")], {})
    says.connected()
    assert broker.retained[TOPIC] == b""

    for alerts in ([alert("cleared-unacked", "old"), alert("unacked", "new")],) * 2:
        says = announcer(broker)
        says.begin({}, alerts, {})
        says.connected()
        assert json.loads(broker.retained[TOPIC])["id"] == "new"
        alerts.reverse()


ADVICE = "tiengiang/v1/advice/xuan-hoa"


def test_advice_stands_on_its_topic_until_there_is_another_or_no_such_intake() -> None:
    broker = Paper()
    says = announcer(broker)
    says.advise({"xuan-hoa": {"take": True, "until": 1, "why": "fresh"}})
    assert json.loads(broker.retained[ADVICE])["take"] is True
    broker.up = False
    says.advise({"xuan-hoa": {"take": False, "until": 2, "why": "too-salt"}})
    broker.up = True
    says.connected()
    assert json.loads(broker.retained[ADVICE])["take"] is False
    says.advise({"xuan-hoa": {}})
    assert broker.retained[ADVICE] == b""


def test_a_start_says_the_advice_that_stands() -> None:
    broker = Paper()
    broker.retained[ADVICE] = b"said before the service was killed"
    says = announcer(broker)
    says.begin({}, [], {"xuan-hoa": {"take": False, "until": 2, "why": "too-salt"}})
    says.connected()
    assert json.loads(broker.retained[ADVICE])["why"] == "too-salt"


def test_acks_are_said_once_each_at_a_pace_and_again_on_a_new_link() -> None:
    broker = Paper()
    says = announcer(broker)
    says.settle({"mt-01": Ack(3, 10, ())})
    says.settle({"mt-01": Ack(3, 12, (11,)), "gone-01": Ack(1, 1, ())})
    assert broker.said == []
    says._say_acks()
    says._say_acks()
    assert broker.said == [(ACK, b'{"boot":3,"seq":12,"missing":[11]}')]
    broker.said.clear()
    says.connected()
    says._say_acks()
    assert (ACK, b'{"boot":3,"seq":12,"missing":[11]}') in broker.said


def test_acks_wait_for_a_link() -> None:
    broker = Paper()
    broker.up = False
    says = announcer(broker)
    says.settle({"mt-01": Ack(3, 10, ())})
    says._say_acks()
    broker.up = True
    says._say_acks()
    assert [topic for topic, _ in broker.said] == [ACK]


def test_only_a_canary_of_this_life_proves_that_readings_flow() -> None:
    broker, clock = Paper(), Clock()
    says = announcer(broker, clock)
    says.connected()
    said = int(dict(broker.said)[CANARY])
    clock.ms += 5_000
    says.heard([9_999_999_999_999, said - 1])  # another server's, and one of an earlier life
    assert says.canary_ms == 0
    says.heard([said])
    assert (says.canary_ms, says.canary_age_ms) == (said, 5_000)


def test_a_canary_that_took_for_ever_proves_nothing() -> None:
    broker, clock = Paper(), Clock()
    says = announcer(broker, clock)
    for _ in range(CANARIES_KEPT + 1):
        clock.ms += 10_000
        says.connected()
    says.heard([Clock.ms + 10_000])
    assert says.canary_ms == 0


def test_a_clock_that_steps_back_leaves_no_canary_fresh_for_ever() -> None:
    broker, clock = Paper(), Clock()
    says = announcer(broker, clock)
    says.connected()
    says.heard([clock.ms])
    clock.ms -= 3_600_000
    says.connected()
    says.heard([clock.ms])
    clock.ms += 40_000
    assert says.canary_age_ms == 40_000


def test_an_alert_of_simulated_readings_reaches_no_board() -> None:
    paper = Paper()
    said = announcer(paper)
    simulated = AlertEvent(EventType.RAISED, {**alert("unacked"), "sim": True}, 0, told=True)
    said.tell([simulated])
    assert paper.said == []
    said.tell([event(EventType.RAISED, "unacked")])
    assert TOPIC in paper.retained
