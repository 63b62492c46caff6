"""Links to brokers: a real mosquitto, and one of ours that knows MQTT 3.1.1 alone."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from queue import Empty

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from ingest import mqtt
from ingest.broker import BrokerAddress
from ingest.mqtt import Broker, Link
from tests.conftest import Mosquitto
from tests.ingest.links import DEADLINE_S, ROOT, Inbox, connected, said, until


@pytest.mark.broker
def test_an_old_acknowledgement_never_reaches_a_new_connection(mosquitto: Mosquitto) -> None:
    with connected(mosquitto.port, "service") as service:
        inbox = Inbox(service.deliveries)
        with connected(mosquitto.port, "device") as device:
            device.publish(f"{ROOT}/a", b"before")
            old, before = inbox.next()
        mosquitto.stop()  # it has no memory: message ids begin again
        until(lambda: not service.connected)
        mosquitto.start()
        until(lambda: service.connected)
        with connected(mosquitto.port, "device") as device:
            device.publish(f"{ROOT}/a", b"behind")
            new, behind = inbox.next()
            assert new is not old
            assert behind[0] == before[0]
            old.ack([before])
            # Were it acknowledged, it would not come again.
            new.close()
            until(lambda: service.connected)
            newest, again = inbox.next()
            assert (again[2], again[3]) == (behind[2], behind[3])
            newest.ack([again])
            newest.close()
            until(lambda: service.connected)
            device.publish(f"{ROOT}/a", b"last")
            assert inbox.next()[1][3] == b"last"


@pytest.mark.broker
def test_what_was_not_acknowledged_comes_again_in_order_after_a_restart(
    mosquitto: Mosquitto,
) -> None:
    mosquitto.stop()
    mosquitto.extra = "persistence true\nmax_inflight_messages 1000"
    mosquitto.start()
    with connected(mosquitto.port, "service") as service:
        inbox = Inbox(service.deliveries)
        with connected(mosquitto.port, "device") as device:
            for n in range(20):
                device.publish(f"{ROOT}/a", str(n).encode())
            found = [inbox.next() for _ in range(20)]
        for link, published in found[:5]:
            link.ack([published])
        # Its answer to something later proves that the broker has had the acks.
        service.publish(f"{ROOT}/server/service/canary", b"canary")
        assert inbox.next()[1][2].endswith("/canary")
        mosquitto.stop()
        until(lambda: not service.connected)
        for link, published in found[5:]:
            link.ack([published])
        mosquitto.start()
        again = [inbox.next()[1][3] for _ in range(15 + 1)]
        assert [body for body in again if body != b"canary"] == [
            str(n).encode() for n in range(5, 20)
        ]


@pytest.mark.broker
def test_acks_reach_the_wire_in_the_order_in_which_they_are_given(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    mosquitto.extra = "log_type all"
    mosquitto.start()
    with connected(mosquitto.port, "service") as service:
        inbox = Inbox(service.deliveries)
        with connected(mosquitto.port, "device") as device:
            for n in range(50):
                device.publish(f"{ROOT}/a", str(n).encode())
            found = [inbox.next() for _ in range(50)]
        for link, published in found:
            link.ack([published])
        mids = [published[0] for _, published in found]
        log = mosquitto.directory / "mosquitto.log"

        def acknowledged() -> list[int]:
            heard = re.findall(r"Received PUBACK from service \(Mid: (\d+)", log.read_text())
            return [int(mid) for mid in heard if int(mid) in mids]

        until(lambda: len(acknowledged()) >= len(mids))
        assert acknowledged() == mids


@pytest.mark.broker
def test_a_canary_comes_round_and_other_words_of_ours_do_not(mosquitto: Mosquitto) -> None:
    with connected(mosquitto.port, "service") as service:
        service.publish(f"{ROOT}/alerts/x", b"alert")
        service.publish(f"{ROOT}/server/service/canary", b"1")
        heard = []

        def came_round() -> bool:
            with suppress(Empty):
                _, published = service.deliveries.get_nowait()
                heard.extend(published)
            return any(topic.endswith("/canary") for _, _, topic, _ in heard)

        until(came_round)
        assert f"{ROOT}/alerts/x" not in [topic for _, _, topic, _ in heard]


@pytest.mark.broker
def test_further_words_of_ours_are_heard_back_where_they_are_asked_for(
    mosquitto: Mosquitto,
) -> None:
    also = (f"{ROOT}/server/service/test", f"{ROOT}/alerts/x")
    canary = f"{ROOT}/server/service/canary"
    address = BrokerAddress("127.0.0.1", mosquitto.port, "service")
    service = Broker(address, replace(said("service"), also=also))
    service.start()
    try:
        until(lambda: service.connected)
        for topic in (*also, f"{ROOT}/alerts/y", canary):
            service.publish(topic, b"1")
        heard: list[str] = []

        def came_round() -> bool:
            with suppress(Empty):
                heard.extend(topic for _, _, topic, _ in service.deliveries.get_nowait()[1])
            return canary in heard

        until(came_round)
        assert [topic for topic in heard if not topic.endswith("/state")] == [*also, canary]
    finally:
        service.stop()


@pytest.mark.broker
def test_the_server_says_ready_and_lost(mosquitto: Mosquitto) -> None:
    topic = f"{ROOT}/server/service/state"
    with connected(mosquitto.port, "watcher") as watcher:
        heard: list[bytes] = []

        def note() -> list[bytes]:
            with suppress(Empty):
                while True:
                    link, published = watcher.deliveries.get_nowait()
                    heard.extend(body for _, _, name, body in published if name == topic)
                    link.ack(published)
            return heard

        with connected(mosquitto.port, "service") as service:
            until(lambda: note() == [b"ready"])
            link = service._link
            assert link is not None
            # The cable is cut: the last will.
            assert link._client.stream is not None
            link._client.stream._socket.shutdown(socket.SHUT_RDWR)
            until(lambda: b"lost" in note())
            until(lambda: note().count(b"ready") == 2)
        until(lambda: note()[-1] == b"lost")  # a last word of its own


@pytest.mark.broker
def test_a_broker_that_was_away_at_the_start_is_spoken_to_in_mqtt_5(mosquitto: Mosquitto) -> None:
    """What isn't there says nothing of what it knows; no falling back because of that."""
    mosquitto.stop()
    mosquitto.extra = "log_type all"
    broker = Broker(BrokerAddress("127.0.0.1", mosquitto.port, "service"), said("service"))
    broker.start()
    tries: list[str | None] = []

    def failed_twice() -> bool:
        if broker.trouble not in (None, "not yet connected") and len(tries) < 2:
            tries.append(broker.trouble)
            broker.trouble = "not yet connected"
        return len(tries) == 2

    until(failed_twice)
    mosquitto.start()
    until(lambda: broker.connected)
    log = (mosquitto.directory / "mosquitto.log").read_text()
    assert "as service (p5," in log
    assert "as service (p2," not in log
    broker.stop()


def test_a_broker_that_is_not_there_is_told_and_stopping_does_not_wait(free_port: int) -> None:
    told: list[bool] = []
    address = BrokerAddress("127.0.0.1", free_port, "service")
    broker = Broker(address, said("service"), told.append)
    broker.start()
    until(lambda: "refused" in (broker.trouble or ""))
    assert not broker.connected
    assert not broker.publish("x", b"")
    begun = time.monotonic()
    broker.stop()
    assert time.monotonic() - begun < 5
    assert told == []


def test_a_password_is_never_shown() -> None:
    address = BrokerAddress("h", 1, "c", username="u", password="pässword")
    assert "pässword" not in f"{address} {address!r}"
    assert str(BrokerAddress("h", 8883, "c", tls=True)) == "mqtts://h:8883"


class OldBroker:
    """Knows MQTT 3.1.1 alone: hangs up on a CONNECT of another version, else serves.

    Brings two messages to each connection, under the same message ids.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.levels: list[int] = []
        self.acked: list[list[int]] = []
        self.connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(DEADLINE_S)

    def hang_up(self) -> None:
        if self.connection is not None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self.connection, _ = self._listener.accept()
                with self.connection, suppress(OSError, EOFError):
                    self._converse(self.connection)

    def _converse(self, peer: socket.socket) -> None:
        _, connect = self._packet(peer)
        self.levels.append(connect[6])
        if connect[6] != MQTTProtocolVersion.MQTTv311:
            return
        acked: list[int] = []
        self.acked.append(acked)
        peer.sendall(b"\x20\x02\x00\x00")
        while True:
            kind, body = self._packet(peer)
            mid = int.from_bytes(body[:2], "big")
            if kind == 0x82:
                peer.sendall(b"\x90\x03" + body[:2] + b"\x01")
                for number in (1, 2):
                    text = bytes([0, 5]) + b"r/v1x" + bytes([0, number]) + b"hello"
                    peer.sendall(bytes([0x32, len(text)]) + text)
            elif kind & 0xF0 == 0x30:
                length = int.from_bytes(body[:2], "big")
                peer.sendall(b"\x40\x02" + body[2 + length : 4 + length])
            elif kind == 0x40:
                acked.append(mid)

    def _packet(self, peer: socket.socket) -> tuple[int, bytes]:
        kind, length, shift = self._read(peer, 1)[0], 0, 0
        while True:
            byte = self._read(peer, 1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, self._read(peer, length)

    def _read(self, peer: socket.socket, length: int) -> bytes:
        found = b""
        while len(found) < length:
            piece = peer.recv(length - len(found))
            if not piece:
                raise EOFError
            found += piece
        return found


@pytest.fixture
def old_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[OldBroker]:
    monkeypatch.setattr(mqtt, "BACKOFF_MAX_S", 0.1)
    broker = OldBroker()
    yield broker
    broker.close()


def test_a_broker_that_hangs_up_on_mqtt_5_is_spoken_to_in_3_1_1(old_broker: OldBroker) -> None:
    with connected(old_broker.port, "service") as service:
        assert old_broker.levels == [5, 4]
        inbox = Inbox(service.deliveries)
        link, first = inbox.next()
        assert first == (1, 1, "r/v1x", b"hello")
        link.ack([first, inbox.next()[1]])
        until(lambda: old_broker.acked == [[1, 2]])
        old_broker.hang_up()
        until(lambda: len(old_broker.levels) == 3)
        until(lambda: service.connected)
        assert old_broker.levels == [5, 4, 4]  # it is known by now


def test_no_ack_of_an_ended_link_is_on_the_wire_of_the_next(old_broker: OldBroker) -> None:
    with connected(old_broker.port, "service") as service:
        inbox = Inbox(service.deliveries)
        old, first = inbox.next()
        inbox.next()
        old_broker.hang_up()
        until(old.ended.is_set)
        until(lambda: len(old_broker.acked) == 2)
        new, again = inbox.next()
        assert (new is not old, again) == (True, first)
        old.ack([first])
        _, second = inbox.next()
        new.ack([second])
        until(lambda: old_broker.acked[1] == [2])
        assert old_broker.acked[0] == []


def test_a_link_that_connects_while_the_service_stops_is_closed(old_broker: OldBroker) -> None:
    """Else stopping would wait in vain for a link that nobody ends."""
    broker = Broker(BrokerAddress("127.0.0.1", old_broker.port, "service"), said("service"))
    connect = broker._connect

    def late(protocol: MQTTProtocolVersion) -> tuple[Link | None, str, bool]:
        link, why, answered = connect(protocol)
        if link is not None:
            broker._thread.stop()
        return link, why, answered

    broker._connect = late  # type: ignore[method-assign]
    broker.start()
    until(lambda: not broker._thread.alive)
    assert broker._link is not None
    assert broker._link.ended.is_set()
