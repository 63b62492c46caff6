"""What the service says over MQTT: acks to gateways, active alerts, advice, its own canary.

On the event loop. Nothing here waits for the broker: without one, what was to be said is
said when it is back, from what is true then.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from alerts.alert import AlertEvent
from alerts.lifecycle import HOLDING, State
from api.asyncapi import bodies
from ingest import topics
from ingest.link import Link
from ingest.registry import Registry
from ingest.sequence import Ack

ACK_EVERY_S = 5.0
"""A gateway's buffer is freed a few seconds later; a message each would double the traffic."""

CANARY_EVERY_S = 10.0
CANARY_FRESH_MS = 30_000
CANARIES_KEPT = 100
"""One that takes longer than so many others is no proof that readings flow."""

OVER = "", b""
"""On a topic whose alert is over: the empty message that takes a retained one down."""


class Announcer:
    """Keeps what is to be said, and says it."""

    def __init__(
        self,
        broker: Link,
        *,
        root: str,
        host: str,
        registry: Callable[[], Registry],
        clock_ms: Callable[[], int],
    ) -> None:
        self._broker = broker
        self._root = root
        self._registry = registry
        self._clock_ms = clock_ms
        self._canary_topic = topics.canary_topic(root, host)
        self._acks: dict[str, Ack] = {}
        self._unsaid: set[str] = set()
        # By topic, the id of its alert and what is said. What is over stays: a link that was
        # lost may have taken the news with it, and topics are no more than rules times series.
        self._alerts: dict[str, tuple[str, bytes]] = {}
        self._advice: dict[str, bytes] = {}
        self._begun_ms = clock_ms()
        self._canaries: deque[int] = deque(maxlen=CANARIES_KEPT)
        self.canary_ms = 0

    def begin(
        self,
        acks: dict[str, Ack],
        alerts: Sequence[dict[str, Any]],
        advice: Mapping[str, dict[str, Any]],
    ) -> None:
        """What is true at the start; alerts that are over are taken down."""
        self._acks.update(acks)
        for intake, body in advice.items():
            self._note_advice(intake, body)
        for alert in alerts:
            self._note(alert)

    def heard(self, canaries: Sequence[int]) -> None:
        """Canaries that came round. Another server's, or an earlier life's, prove nothing."""
        for canary in canaries:
            if canary in self._canaries:
                self.canary_ms = canary

    @property
    def canary_age_ms(self) -> int:
        """Since the newest canary that came all the way round, or since the start."""
        return self._clock_ms() - (self.canary_ms or self._begun_ms)

    def settle(self, acks: dict[str, Ack]) -> None:
        self._acks.update(acks)
        self._unsaid.update(acks)

    def tell(self, events: Sequence[AlertEvent]) -> None:
        """Put active alerts on their topics, and take down those that are over."""
        for event in events:
            if event.told and (topic := self._note(event.alert)) is not None:
                self._broker.publish(topic, self._alerts[topic][1], retain=True)

    def advise(self, advice: Mapping[str, dict[str, Any]]) -> None:
        """Say what holds for intakes from now on; with an empty body, nothing any more."""
        for intake, body in advice.items():
            topic = self._note_advice(intake, body)
            self._broker.publish(topic, self._advice[topic], retain=True)

    def connected(self) -> None:
        """A link is up: say anew what it may have missed."""
        self._unsaid.update(self._acks)
        for topic, (_, body) in self._alerts.items():
            self._broker.publish(topic, body, retain=True)
        for topic, body in self._advice.items():
            self._broker.publish(topic, body, retain=True)
        self._say_canary()

    async def keep_saying(self) -> None:
        """Canary and acks, each at its pace, until cancelled."""
        canary_at = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(ACK_EVERY_S)
            self._say_acks()
            if asyncio.get_running_loop().time() >= canary_at:
                canary_at += CANARY_EVERY_S
                self._say_canary()

    def say_now(self) -> None:
        """Acks and a canary at once, where time has jumped."""
        self._say_acks()
        self._say_canary()

    def _say_canary(self) -> None:
        now_ms = self._clock_ms()
        self._canaries.append(now_ms)
        self._broker.publish(self._canary_topic, str(now_ms).encode())

    def _say_acks(self) -> None:
        if not self._unsaid or not self._broker.connected:
            return
        registry = self._registry()
        for device_id in sorted(self._unsaid):
            device = registry.devices.get(device_id)
            ack = self._acks[device_id]
            if device is not None:
                self._broker.publish(
                    topics.ack_topic(self._root, device.kind, device.station, device.id),
                    msgspec.json.encode(bodies.Ack(ack.boot, ack.seq, ack.missing)),
                )
        self._unsaid.clear()

    def _note_advice(self, intake: str, body: dict[str, Any]) -> str:
        topic = topics.advice_topic(self._root, intake)
        self._advice[topic] = msgspec.json.encode(body) if body else b""
        return topic

    def _note(self, alert: dict[str, Any]) -> str | None:
        """Keep what an alert's topic says now; the topic, or None where it says another.

        What was raised by simulated readings reaches no board and no gate.
        """
        if alert.get("sim"):
            return None
        topic = topics.alert_topic(self._root, alert["rule"], alert["k"])
        if State(alert["state"]) in HOLDING:
            self._alerts[topic] = alert["id"], msgspec.json.encode(alert)
            return topic
        # An old alert that is acknowledged late must not take down the one that holds now.
        if self._alerts.get(topic, OVER)[0] not in ("", alert["id"]):
            return None
        self._alerts[topic] = OVER
        return topic
