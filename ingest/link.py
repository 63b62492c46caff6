"""What the service needs of whatever brings it messages: `ingest.mqtt.Broker`, or a stand-in."""

from collections.abc import Sequence
from queue import SimpleQueue
from typing import Protocol

from ingest.broker import BrokerAddress
from ingest.publishes import Publish


class Acknowledging(Protocol):
    """The connection on which messages came: an acknowledgement belongs to it."""

    def ack(self, published: Sequence[Publish]) -> None: ...


Delivery = tuple[Acknowledging, list[Publish]]
"""What came in one read, in order."""


class Link(Protocol):
    """A connection that is made anew for as long as it is wanted.

    deliveries : what has come; whoever takes it acknowledges it
    takeover : that another client goes by our id, in words
    trouble : why there is no connection, in words
    """

    address: BrokerAddress
    deliveries: SimpleQueue[Delivery]
    trouble: str | None

    @property
    def connected(self) -> bool: ...

    @property
    def takeover(self) -> str | None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message over; False when there is no connection."""
        ...
