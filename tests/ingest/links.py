"""Links to brokers under test, and what they bring."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from ingest.broker import BrokerAddress, Subscription
from ingest.link import Delivery
from ingest.mqtt import Broker, Link
from ingest.publishes import Publish

DEADLINE_S = 20.0
ROOT = "r/v1"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def said(host: str) -> Subscription:
    return Subscription(
        f"{ROOT}/#",
        f"{ROOT}/server/{host}/canary",
        f"{ROOT}/server/{host}/state",
        lambda: b"ready",
        lambda: b"lost",
    )


@contextmanager
def connected(
    port: int, client: str, what: Subscription | None = None, protocol: str = "auto"
) -> Iterator[Broker]:
    address = BrokerAddress("127.0.0.1", port, client, protocol=protocol)
    broker = Broker(address, what or said(client))
    broker.start()
    try:
        until(lambda: broker.connected)
        yield broker
    finally:
        broker.stop()


class Inbox:
    """Messages one by one, with the link that brought each; servers' states left out."""

    def __init__(self, deliveries: "SimpleQueue[Delivery]") -> None:
        self._deliveries = deliveries
        self._waiting: list[tuple[Link, Publish]] = []

    def next(self) -> tuple[Link, Publish]:
        until(self._something)
        return self._waiting.pop(0)

    def _something(self) -> bool:
        with suppress(Empty):
            while True:
                link, published = self._deliveries.get_nowait()
                assert isinstance(link, Link)
                self._waiting += [
                    (link, each) for each in published if not each[2].endswith("/state")
                ]
        return bool(self._waiting)
