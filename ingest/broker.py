"""Where the broker is, and what is said to it and heard from it on each connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from ingest.publishes import Publish


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it. `password` is never logged.

    protocol : "5", "3.1.1", or "auto": 5, and 3.1.1 where the broker refuses it
    """

    host: str
    port: int
    client_id: str
    tls: bool = False
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    protocol: str = "auto"

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"BrokerAddress({self})"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to say and hear on each connection.

    own : a topic of ours to hear back; without it the connection is of no use
    also : others of ours to hear back; a broker that grants none of them does not end it
    mark : tells our client id in what is said on `state_topic` (`ingest.takeovers`)
    """

    topics: str
    own: str
    state_topic: str
    ready: Callable[[], bytes]
    lost: Callable[[], bytes]
    also: tuple[str, ...] = ()
    mark: str = ""


class Acknowledging(Protocol):
    """The connection on which messages came: an acknowledgement belongs to it."""

    def ack(self, published: Sequence[Publish]) -> None: ...


Delivery = tuple[Acknowledging, list[Publish]]
"""What came in one read, in order."""


class Link(Protocol):
    """What the service needs of a broker: `ingest.mqtt.Broker`, or a stand-in without time.

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
