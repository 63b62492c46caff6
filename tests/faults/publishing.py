"""A device that trusts its broker: each message once with QoS 1, and never again."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

JOIN_S = 60.0
TICK_S = 0.05


class Publisher:
    """Publishes messages in order, spread over `spread_s`, on a thread of its own.

    What the service then lacks it has lost by itself: nobody sends anything twice.
    """

    def __init__(self, url: str, messages: Sequence[tuple[str, bytes]], spread_s: float) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 1883
        self._messages = messages
        self._spread_s = spread_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged = 0
        self.done = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)
        assert not self._thread.is_alive(), "the publisher does not end"

    def _run(self) -> None:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(100)
        client.on_publish = self._on_publish
        client.connect(*self._address)
        client.loop_start()
        begun_s = time.monotonic()
        sent = 0
        try:
            while sent < len(self._messages) and not self._stop.is_set():
                share = (time.monotonic() - begun_s) / self._spread_s if self._spread_s else 1.0
                due = min(len(self._messages), int(share * len(self._messages)) + 1)
                for topic, payload in self._messages[sent:due]:
                    client.publish(topic, payload, qos=1)
                sent = due
                self._stop.wait(TICK_S)
            while self.acknowledged < sent and not self._stop.is_set():
                self._stop.wait(TICK_S)
            self.done = self.acknowledged == len(self._messages)
        finally:
            client.disconnect()
            client.loop_stop()

    def _on_publish(self, *_: Any) -> None:
        self.acknowledged += 1
