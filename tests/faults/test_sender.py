"""The gateway of the fault tests, against a server that says what we want it to."""

import json
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import Mosquitto
from tests.e2e.running import eventually
from tests.faults.sender import Gateway, numbers

pytestmark = pytest.mark.broker

DEVICE = "tiengiang/v1/salinity/tram-0/p-0"
STATE = "tiengiang/v1/server/here/state"


class Server:
    """Hears all `obs`, and says `ready`, `lost` and `ack` on demand."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[int, int | None]] = []
        self.other: list[bytes] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("tiengiang/v1/+/+/+/obs", qos=1)
        self.client.loop_start()

    def _on_message(self, _c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        found = numbers(message.topic, payload)
        if found[1] is None:
            self.other.append(payload)
        else:
            self.heard.append(found)

    def says(self, state: str) -> None:
        self.client.publish(STATE, json.dumps({"s": state}), qos=1, retain=True)

    def ack(self, boot: int, seq: int, *missing: int) -> None:
        body = {"boot": boot, "seq": seq, "missing": missing}
        self.client.publish(f"{DEVICE}/ack", json.dumps(body), qos=1)

    def awaits(self, *wanted: tuple[int, int]) -> None:
        eventually(lambda: self.heard == list(wanted), f"heard {wanted}, not {self.heard}")
        self.heard.clear()


@pytest.fixture
def server(mosquitto: Mosquitto) -> Iterator[Server]:
    speaking = Server(mosquitto.port)
    yield speaking
    speaking.client.disconnect()
    speaking.client.loop_stop()


def _feed(*wanted: tuple[int, int]) -> list[tuple[str, bytes]]:
    return [
        (f"{DEVICE}/obs", json.dumps({"v": 1, "boot": b, "seq": s, "samples": []}).encode())
        for b, s in wanted
    ]


ONE_TO_FIVE = tuple((1, seq) for seq in range(1, 6))


def test_it_keeps_until_ack_and_sends_again_upon_ready(
    mosquitto: Mosquitto, server: Server
) -> None:
    with Gateway(mosquitto.url, _feed(*ONE_TO_FIVE)) as gateway:
        eventually(lambda: gateway.connected, "connected")
        assert gateway.first == 0, "nobody has said that he is ready"
        server.says("ready")
        server.awaits(*ONE_TO_FIVE)
        assert not gateway.settled
        server.ack(1, 3)
        eventually(lambda: gateway.uncovered == 2, "three are covered")
        server.says("ready")
        server.awaits((1, 4), (1, 5))
        server.ack(2, 5)
        server.ack(1, 5, 4)
        server.awaits((1, 4))
        assert gateway.uncovered == 1, "what is missing is kept; another boot is not meant"
        server.ack(1, 5)
        eventually(lambda: gateway.settled, "all covered")
        assert (gateway.first, gateway.again) == (5, 3)


def test_it_sends_again_on_the_next_connection_and_waits_while_lost(
    mosquitto: Mosquitto, server: Server
) -> None:
    mosquitto.stop()
    mosquitto.extra = "persistence true"
    mosquitto.start()
    eventually(server.client.is_connected, "the server is back")
    server.client.subscribe("tiengiang/v1/+/+/+/obs", qos=1)
    server.says("ready")
    with Gateway(mosquitto.url, _feed(*ONE_TO_FIVE)) as gateway:
        server.awaits(*ONE_TO_FIVE)
        server.says("lost")
        eventually(lambda: not gateway._may_send, "heard")
        mosquitto.stop()
        mosquitto.start()
        eventually(lambda: gateway.connections == 2 and gateway.connected, "connected again")
        eventually(server.client.is_connected, "the server is back")
        server.client.subscribe("tiengiang/v1/+/+/+/obs", qos=1)
        assert gateway.again == 0
        server.says("ready")
        server.awaits(*ONE_TO_FIVE)


def test_poison_is_done_with_when_the_broker_has_it(mosquitto: Mosquitto, server: Server) -> None:
    poison = [(f"{DEVICE}/obs", b"{"), (f"{DEVICE}/obs", b'{"seq":"1"}'), (f"{DEVICE}/x", b"{}")]
    server.says("ready")
    with Gateway(mosquitto.url, [*poison, *_feed((1, 1))]) as gateway:
        server.awaits((1, 1))
        eventually(lambda: gateway.uncovered == 1, "the numbered one alone is kept")
        eventually(lambda: server.other == [b"{", b'{"seq":"1"}'], "poison was sent too")


def test_the_next_boot_waits_for_the_one_before(mosquitto: Mosquitto, server: Server) -> None:
    server.says("ready")
    with Gateway(mosquitto.url, _feed((1, 1), (1, 2), (4, 1))) as gateway:
        server.awaits((1, 1), (1, 2))
        server.ack(1, 2)
        server.awaits((4, 1))
        server.ack(4, 1)
        eventually(lambda: gateway.settled, "all covered")
