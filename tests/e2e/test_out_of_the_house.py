"""What leaves the house, by a real service: retained topics, CAP and webhooks, through deaths."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alerts.cap import ATOM_NS, CAP_NS
from simulators.publish import Broker
from songtien.settings import DEFAULTS
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.receiver import SECRET, Receiver, receiving
from tests.simulators import listener

pytestmark = pytest.mark.broker

TOPIC = salinity_topic("xuan-hoa", "xh-01")
ALERTS = "tiengiang/v1/alerts/#"
ATOM, CAP = f"{{{ATOM_NS}}}", f"{{{CAP_NS}}}"

RULE = """
[[rule]]
id = "{id}"
quantity = "salinity_g_l"
severity = "critical"
raise_above = 4.0
clear_below = 3.6
for_s = 0
clear_for_s = 0
source = "a test"
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(RULE.format(id="one") + RULE.format(id="two"), "utf-8")
    return file


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as running:
        yield running


@pytest.fixture
def service(
    serving: Serving, rules: Path, receiver: Receiver, broker: Mosquitto
) -> Iterator[Service]:
    """On fixed ports, so that it is the same through its lives."""
    running = serving(
        RULES__FILE=str(rules),
        HTTP__PORT=str(_free_port()),
        LIVE__PORT=str(_free_port()),
        CAP__SENDER="man.example.vn",
        WEBHOOK__DUTY__URL=receiver.url,
        WEBHOOK__DUTY__SECRET=SECRET,
    )
    eventually(lambda: running.ready, "ready")
    yield running
    running.reap()
    for topic in standing(broker):  # the broker serves the next test too
        publish(broker.url, topic, "")


def say(broker: Mosquitto, g_l: float, seq: int) -> None:
    # A quarter of an hour apart: what falls within a second is suspect, and clears nothing.
    sample = {"t": now_ms() - 1_000 - (2 - seq) * 900_000, "sal_g_l": g_l}
    publish(broker.url, TOPIC, obs(sample, boot=9, seq=seq))


def standing(broker: Mosquitto) -> dict[str, dict[str, Any]]:
    """What the broker shows to whoever comes anew, by topic."""
    shown = asyncio.run(listener.standing(broker.url, ALERTS))
    return {topic: json.loads(body) for topic, body in shown.items()}


def topics(broker: Mosquitto) -> set[str]:
    return {topic.split("/")[3] for topic in standing(broker)}


def types(receiver: Receiver) -> list[tuple[str, str]]:
    return [(each.said["alert"]["rule"], each.said["type"]) for each in receiver.received]


def test_a_retained_topic_is_taken_down_when_its_alert_clears(
    service: Service, broker: Mosquitto
) -> None:
    del service
    say(broker, 4.1, 1)
    eventually(lambda: topics(broker) == {"one", "two"}, "both stand")
    found = standing(broker)["tiengiang/v1/alerts/one/xh-01/salinity_g_l"]
    assert (found["state"], found["value"]) == ("unacked", 4.1)
    say(broker, 3.5, 2)
    eventually(lambda: topics(broker) == set(), "taken down")


def test_what_cleared_while_the_service_was_dead_is_taken_down_after_it(
    service: Service, broker: Mosquitto, receiver: Receiver
) -> None:
    say(broker, 4.1, 1)
    eventually(lambda: topics(broker) == {"one", "two"}, "both stand")
    service.kill()
    say(broker, 3.5, 2)
    assert topics(broker) == {"one", "two"}, "nobody is there to take them down"
    service.start()
    eventually(lambda: topics(broker) == set(), "taken down")
    eventually(lambda: len(receiver.received) == 4, "and the all-clear is sent")
    assert sorted(types(receiver)) == sorted(
        [(rule, kind) for rule in ("one", "two") for kind in ("raised", "cleared")]
    )
    assert len(set(receiver.keys())) == 4


@pytest.mark.parametrize("killed", [True, False])
def test_the_topic_of_a_rule_that_is_withdrawn_is_taken_down(
    service: Service, broker: Mosquitto, rules: Path, killed: bool
) -> None:
    say(broker, 4.1, 1)
    eventually(lambda: topics(broker) == {"one", "two"}, "both stand")
    if killed:
        service.kill()
    else:
        assert service.stop() == 0
    rules.write_text(RULE.format(id="two"), "utf-8")
    service.start()
    eventually(lambda: topics(broker) == {"two"}, "the other goes on")
    held = standing(broker)["tiengiang/v1/alerts/two/xh-01/salinity_g_l"]
    assert held["state"] == "unacked"


def test_the_topic_of_a_device_that_has_left_the_registry_is_taken_down(
    service: Service, broker: Mosquitto
) -> None:
    say(broker, 4.1, 1)
    eventually(lambda: topics(broker) == {"one", "two"}, "both stand")
    service.kill()
    whole = (DEFAULTS / "stations.toml").read_text("utf-8")
    blocks = re.split(r"(?m)^(?=\[\[(?:station|reach|intake|bridge)\]\])", whole)
    file = service.directory / "stations.toml"
    file.write_text("".join(each for each in blocks if '"xuan-hoa"' not in each), "utf-8")
    service.settings["REGISTRY__FILE"] = str(file)
    service.start()
    eventually(lambda: topics(broker) == set(), "taken down")


def test_a_clearing_that_died_before_it_was_said_is_said_by_the_next_life(
    service: Service, broker: Mosquitto
) -> None:
    """What the store has, and the broker has not: as if the kill had come between the two."""
    say(broker, 4.1, 1)
    eventually(lambda: topics(broker) == {"one", "two"}, "both stand")
    before = standing(broker)
    say(broker, 3.5, 2)
    eventually(lambda: topics(broker) == set(), "taken down")
    service.kill()
    for topic, alert in before.items():
        asyncio.run(_retain(broker, topic, json.dumps(alert).encode()))
    assert topics(broker) == {"one", "two"}
    service.start()
    eventually(lambda: topics(broker) == set(), "taken down again")


async def _retain(broker: Mosquitto, topic: str, body: bytes) -> None:
    async with Broker.of(broker.url).client() as client:
        await client.publish(topic, body, qos=1, retain=True)


def test_cap_documents_follow_an_alert_through_a_death(
    service: Service, broker: Mosquitto, recorded: Callable[[str], Path]
) -> None:
    schema = xmlschema.XMLSchema(recorded("standards/CAP-v1.2.xsd"))

    def documents() -> list[ET.Element]:
        feed = ET.fromstring(service.get("/cap/alerts.atom").content)
        links = [link.attrib["href"] for link in feed.findall(f"{ATOM}entry/{ATOM}link")]
        found = [service.get("/" + link.split("/", 3)[3]).text for link in links]
        for text in found:
            schema.validate(text)
        return [ET.fromstring(text) for text in found]

    def said(root: ET.Element, name: str) -> str:
        return str(root.findtext(CAP + name))

    assert documents() == []
    say(broker, 4.1, 1)
    eventually(lambda: len(documents()) == 2, "one of each rule")
    raised = documents()[0]
    assert [said(raised, n) for n in ("msgType", "status", "sender")] == [
        "Alert",
        "Actual",
        "man.example.vn",
    ]
    service.kill()
    say(broker, 3.5, 2)
    service.start()
    eventually(lambda: len(documents()) == 4, "and a cancel of each")
    cancel = documents()[0]
    assert said(cancel, "msgType") == "Cancel"
    alert = said(cancel, "identifier").partition(".")[0]
    first = next(d for d in documents() if said(d, "identifier") == alert)
    assert said(cancel, "references") == f"man.example.vn,{alert},{said(first, 'sent')}"


def test_a_receiver_that_refuses_is_listed_for_operators_and_counted(
    service: Service, broker: Mosquitto, receiver: Receiver
) -> None:
    receiver.answers = lambda _request, _number: 503
    say(broker, 4.1, 1)
    eventually(lambda: service.counted("webhook_troubled") == 1, "not taken is counted")
    operator = service.token("operator")
    (shown,) = service.get("/api/v1/webhooks", operator).json()["webhooks"]
    assert (shown["name"], shown["trouble"], shown["pending"]) == ("duty", "status 503", 2)
    assert service.get("/api/v1/webhooks").status_code == 401
    receiver.answers = lambda _request, _number: 200
    eventually(lambda: service.counted("webhook_pending") == 0, "all taken")
    assert SECRET not in service.said()
    assert "of-a-test" not in service.said()
