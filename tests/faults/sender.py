"""A gateway as the contract wants it: it keeps each message until `ack` has covered it.

    with Gateway(broker.url, messages) as gateway:
        ...  # faults
        eventually(lambda: gateway.settled, "all covered")

It publishes with QoS 1 under MQTT 3.1.1, over one connection after another, and trusts no
broker: a PUBACK frees nothing. What `ack` has not covered is sent again, oldest first and
before anything new, after each reconnect and each time a server says `ready`; what `missing`
lists is sent again when it is listed. Nothing is sent on a connection before a server has
said `ready` there, and by default nothing after it has said `lost`.

Only messages with readable numbers can be covered: to a topic that ends in `/obs`, a JSON
object with an integer `seq` (`boot` is 0 where it is absent). Others, such as poison, are
done with at their PUBACK. Numbers must be of devices that the registry knows.

A device's next boot begins when all of the one before is covered, because `ack` speaks of
the boot that was heard last.

`messages` may be an endless iterator, and is asked for a message right before it is sent
for the first time, so it can note what the store must hold from then on.
"""

import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

IN_FLIGHT_MAX = 100
KEPT_MAX = 20_000
"""A buffer this full takes nothing new: the feed is slowed down to what is covered."""

KEEPALIVE_S = 5
CONNECT_S = 5.0
LOOK_S = 0.02
JOIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A message and how `ack` may cover it; `seq` is None where it can't."""

    number: int
    topic: str
    payload: bytes
    boot: int
    seq: int | None

    @classmethod
    def of(cls, number: int, topic: str, payload: bytes) -> Self:
        boot, seq = numbers(topic, payload)
        return cls(number, topic, payload, boot, seq)

    @property
    def device_topic(self) -> str:
        return self.topic.rpartition("/")[0]


def numbers(topic: str, payload: bytes) -> tuple[int, int | None]:
    """(boot, seq) by which a message is covered; (0, None) where it can't be."""
    with suppress(ValueError, RecursionError):
        body = json.loads(payload)
        if topic.endswith("/obs") and isinstance(body, dict):
            boot, seq = body.get("boot") or 0, body.get("seq")
            if type(boot) is int and type(seq) is int:
                return boot, seq
    return 0, None


class Gateway:
    """Publishes `messages`, (topic, payload) in order, in a thread of its own.

    Parameters
    ----------
    rate_per_s : of new messages; None is as fast as they are acknowledged
    heeds_lost : whether it stores and does not forward while the server is `lost`
    kept_max : messages in its buffer beyond which nothing new is taken
    """

    def __init__(
        self,
        url: str,
        messages: Iterable[tuple[str, bytes]],
        *,
        root: str = "tiengiang",
        client_id: str = "gateway",
        rate_per_s: float | None = None,
        heeds_lost: bool = True,
        kept_max: int = KEPT_MAX,
    ) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 1883
        self._messages = iter(messages)
        self._root = root
        self._client_id = client_id
        self._every_s = 0.0 if rate_per_s is None else 1.0 / rate_per_s
        self._heeds_lost = heeds_lost
        self._kept_max = kept_max
        self.first = 0
        self.again = 0
        self.connections = 0
        self.acks = 0
        self.exhausted = False
        # All below is changed under the lock: by the thread here and by paho's.
        self._changed = threading.Condition()
        self._kept: dict[int, Kept] = {}
        self._due: deque[int] = deque()
        self._held: tuple[str, bytes] | None = None
        self._boots: dict[str, int] = {}
        self._may_send = False
        self._connected = False
        self._over = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)
        assert not self._thread.is_alive(), "the gateway does not end"

    @property
    def settled(self) -> bool:
        """The feed is at its end, and everything is covered."""
        with self._changed:
            return self.exhausted and not self._kept

    @property
    def uncovered(self) -> int:
        """How many messages wait for their `ack` (or, without numbers, for their PUBACK)."""
        with self._changed:
            return len(self._kept)

    @property
    def connected(self) -> bool:
        with self._changed:
            return self._connected and not self._over

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            with suppress(OSError):
                due_s = self._one_connection(due_s)
            self._stop.wait(random.uniform(0.02, 0.2))

    def _one_connection(self, due_s: float) -> float:
        """Send until the connection ends; when the next new message is due."""
        client = self._client()
        with self._changed:
            self._may_send = self._connected = self._over = False
            self._due.clear()
        client.connect(*self._address, KEEPALIVE_S)
        client.loop_start()
        begun_s = time.monotonic()
        in_flight: deque[tuple[paho.MQTTMessageInfo, int]] = deque()
        try:
            while not self._stop.is_set() and not self._over:
                if not self._connected and time.monotonic() - begun_s > CONNECT_S:
                    break
                self._acknowledged(in_flight)
                now_s = time.monotonic()
                message = self._next(now_s >= due_s) if len(in_flight) < IN_FLIGHT_MAX else None
                if message is None:
                    self._wait(in_flight, due_s - now_s)
                    continue
                if message.number == self.first - 1 and self._every_s:
                    due_s = max(due_s + self._every_s, now_s - 1.0)
                said = client.publish(message.topic, message.payload, qos=1)
                if said.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
                in_flight.append((said, message.number))
        finally:
            client.disconnect()
            with suppress(AttributeError):  # paho's thread may end just now by itself
                client.loop_stop()
        return due_s

    def _client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _next(self, due: bool) -> Kept | None:
        """What is to be sent now: again before new."""
        with self._changed:
            if not self._may_send:
                return None
            while self._due:
                message = self._kept.get(self._due.popleft())
                if message is not None:
                    self.again += 1
                    return message
            if not due or len(self._kept) >= self._kept_max:
                return None
            return self._new()

    def _new(self) -> Kept | None:
        if self._held is None:
            self._held = next(self._messages, None)
        if self._held is None:
            self.exhausted = True
            return None
        message = Kept.of(self.first, *self._held)
        if message.seq is not None:
            device = message.device_topic
            other = self._boots.get(device, message.boot) != message.boot
            if other and any(
                each.device_topic == device and each.seq is not None for each in self._kept.values()
            ):
                return None
            self._boots[device] = message.boot
        self._held = None
        self._kept[message.number] = message
        self.first += 1
        return message

    def _acknowledged(self, in_flight: deque[tuple[paho.MQTTMessageInfo, int]]) -> None:
        """Free what the broker has acknowledged and `ack` will never cover."""
        while in_flight and in_flight[0][0].is_published():
            _, number = in_flight.popleft()
            with self._changed:
                message = self._kept.get(number)
                if message is not None and message.seq is None:
                    del self._kept[number]

    def _wait(self, in_flight: deque[tuple[paho.MQTTMessageInfo, int]], due_in_s: float) -> None:
        if len(in_flight) >= IN_FLIGHT_MAX:
            with suppress(ValueError, RuntimeError):
                in_flight[0][0].wait_for_publish(LOOK_S)
            return
        with self._changed:
            self._changed.wait(min(LOOK_S, due_in_s) if due_in_s > 0 else LOOK_S)

    def _on_connect(
        self, client: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if not reason.is_failure:
            client.subscribe(
                [(f"{self._root}/v1/+/+/+/ack", 1), (f"{self._root}/v1/server/+/state", 1)]
            )
        with self._changed:
            self._connected, self._over = not reason.is_failure, reason.is_failure
            self.connections += not reason.is_failure
            self._changed.notify_all()

    def _on_disconnect(self, _c: paho.Client, _u: Any, _f: Any, _r: ReasonCode, _p: Any) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _on_message(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        with self._changed:
            if message.topic.endswith("/ack"):
                self.acks += 1
                self._cover(message.topic.rpartition("/")[0], body)
            elif body["s"] == "ready":
                self._may_send = True
                self._due = deque(self._kept)
            elif self._heeds_lost:
                self._may_send = False
            self._changed.notify_all()

    def _cover(self, device_topic: str, ack: dict[str, Any]) -> None:
        missing = set(ack["missing"])
        for message in list(self._kept.values()):
            if message.device_topic != device_topic or message.boot != ack["boot"]:
                continue
            if message.seq is None or message.seq > ack["seq"]:
                continue
            if message.seq in missing:
                self._due.append(message.number)
            else:
                del self._kept[message.number]
