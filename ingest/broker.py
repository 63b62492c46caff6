"""Where the broker is, and what is said to it and heard from it on each connection."""

from collections.abc import Callable
from dataclasses import dataclass


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
