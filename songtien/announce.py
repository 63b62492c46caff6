"""What the service says over MQTT: acks to gateways, active alerts, and its own canary.

On the event loop. Nothing here waits for the broker: without one, what was to be said is
said when it is back, from what is true then.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from alerts.alert import AlertEvent
from alerts.lifecycle import HOLDING, State
from ingest import topics
from ingest.mqtt import Broker
from ingest.registry import Registry
from ingest.sequence import Ack

log = logging.getLogger(__name__)

ACK_EVERY_S = 5.0
"""A gateway's buffer is freed a few seconds later; a message each would double the traffic."""

CANARY_EVERY_S = 10.0
CANARY_FRESH_MS = 30_000


class Announcer:
    """Keeps what is to be said, and says it."""

    def __init__(
        self,
        broker: Broker,
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
        self._alerts: dict[str, bytes] = {}
        self._taken_down: set[str] = set()
        self._begun_ms = clock_ms()
        self.canary_ms = 0

    def begin(self, acks: dict[str, Ack], alerts: Sequence[dict[str, Any]]) -> None:
        """What is true at the start."""
        self._acks.update(acks)
        for alert in alerts:
            if State(alert["state"]) in HOLDING:
                self._alerts[self._topic(alert)] = msgspec.json.encode(alert)

    def heard(self, canaries: Sequence[int]) -> None:
        self.canary_ms = max(self.canary_ms, *canaries)

    @property
    def canary_age_ms(self) -> int:
        """Since the newest canary that came all the way round, or since the start."""
        return self._clock_ms() - max(self.canary_ms, self._begun_ms)

    def settle(self, acks: dict[str, Ack]) -> None:
        self._acks.update(acks)
        self._unsaid.update(acks)

    def tell(self, events: Sequence[AlertEvent]) -> None:
        """Put active alerts on their topics, and take down those that are over."""
        for event in events:
            if not event.told:
                continue
            topic = self._topic(event.alert)
            if State(event.alert["state"]) in HOLDING:
                self._alerts[topic] = msgspec.json.encode(event.alert)
            else:
                self._alerts.pop(topic, None)
            said = self._broker.publish(topic, self._alerts.get(topic, b""), retain=True)
            if not said and topic not in self._alerts:
                self._taken_down.add(topic)

    def connected(self) -> None:
        """A link is up: say anew what it may have missed."""
        self._unsaid.update(self._acks)
        gone = dict.fromkeys(self._taken_down - self._alerts.keys(), b"")
        for topic, body in (self._alerts | gone).items():
            self._broker.publish(topic, body, retain=True)
        self._taken_down.clear()
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

    def _say_canary(self) -> None:
        self._broker.publish(self._canary_topic, str(self._clock_ms()).encode())

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
                    msgspec.json.encode(
                        {"boot": ack.boot, "seq": ack.seq, "missing": list(ack.missing)}
                    ),
                )
        self._unsaid.clear()

    def _topic(self, alert: dict[str, Any]) -> str:
        return topics.alert_topic(self._root, alert["rule"], alert["k"])
