"""Where and as whom the service meets the outside: addresses, clock, its own topics."""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from alerts.notices import SELF_TEST
from api.asyncapi import bodies
from ingest import topics
from ingest.broker import BrokerAddress, Subscription
from ingest.faults import ConfigError, Fault
from ingest.link import Link
from ingest.mqtt import Broker
from songtien.settings import Mqtt


def clock_ms() -> int:
    """The service's clock: UTC, milliseconds."""
    return time.time_ns() // 1_000_000


Meet = Callable[
    [BrokerAddress, Subscription, Callable[[bool], None], Callable[[BaseException], None]], Link
]
"""Makes the link to the broker: where it is, what is said to it, who is told of a change and
of the death of its thread.
"""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a service has of the world beside its files: the time of day, and the broker."""

    clock_ms: Callable[[], int] = clock_ms
    meet: Meet = Broker


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the service answers."""

    http: str
    live: str
    broker: str


def host_id() -> str:
    """Which server we are, in topics."""
    return re.sub(r"[^a-z0-9-]", "-", socket.gethostname().lower())[:40] or "server"


def broker_address(mqtt: Mqtt) -> BrokerAddress:
    ca_file = None if mqtt.ca_file is None else str(mqtt.ca_file)
    return BrokerAddress(
        mqtt.host,
        mqtt.port,
        mqtt.client_id,
        mqtt.tls,
        mqtt.username,
        mqtt.password,
        ca_file,
        mqtt.protocol,
    )


def bound(section: str, host: str, port: int) -> socket.socket:
    """A listening address, taken before anything else starts: if it is in use, say so now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, as the event loop goes by it: only on a connection of this protocol does it send
    # an answer's head and body at once, and not the body 40 ms later (Nagle's algorithm).
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        accepted = f"an address of this machine and a port that is free ({error.strerror})"
        raise ConfigError(
            [Fault("configuration", f"{section}.host, {section}.port", f"{host}:{port}", accepted)]
        ) from error
    return taken


def server_state(
    state: Literal["ready", "lost"], now_ms: int, client_mark: str, *, demo: bool
) -> bytes:
    """What the service says of itself; the mark is by `ingest.takeovers`."""
    return msgspec.json.encode(bodies.ServerState(state, now_ms, demo, client_mark))


def said_by_us(root: str) -> Callable[[str], bool]:
    """Topics that are not kept: what a server says.

    Its canary and its daily test are, and so prove the way.
    """
    prefixes = (f"{root}/v1/alerts/", f"{root}/v1/advice/")
    server = f"{root}/v1/server/"
    test_alert = topics.alert_topic(root, SELF_TEST.id, SELF_TEST.key)

    def ours(topic: str) -> bool:
        if topic.startswith(server):
            return not topic.endswith(("/canary", "/test"))
        if topic == test_alert:
            return False
        return topic.startswith(prefixes) or topic.endswith("/ack")

    return ours
