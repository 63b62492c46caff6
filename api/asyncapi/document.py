"""The AsyncAPI 3.0 document of a service: the live socket, and the topics of devices.

Made from the types that decode and encode, from the limits that hold and from the grammar of
topics, so that it can't say anything else than they. The same service gives the same bytes.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from api.asyncapi import devices, live
from api.asyncapi.parts import Channel, Node
from api.asyncapi.schemas import components
from api.live.frames import SUBPROTOCOL

VERSION: Final = "3.0.0"
_DESCRIPTION: Final = """\
Salinity in the mouths of the Tiền River and traffic on the Rạch Miễu bridges, as it moves: the \
live socket of the screens, and the MQTT topics of devices, gateways, boards and gates. What is \
asked for stands in the [HTTP API](/docs/http).

Operations are as the service sees them: it *receives* what devices and clients send, and *sends* \
the rest. Times are milliseconds since 1970, UTC. Meanings change only under another version (`v2` \
in the topic, `live.v2` on the socket); fields may be added."""
_TAGS: Final = {
    "live": "The live socket of screens.",
    "broker": "Devices, gateways, boards and gates, over MQTT.",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service is.

    live_url : of the live socket, `ws://…/live` or `wss://…/live`; "" where it can't be told
    broker_url : `mqtt://HOST:PORT` or `mqtts://…`, without a name or password; "" likewise
    root : of the topics
    """

    version: str
    live_url: str
    broker_url: str
    root: str


def document(place: Place) -> Node:
    """The document, as plain objects."""
    channels = [live.channel(), *devices.channels(place.root)]
    messages = [message for each in channels for message in each.messages]
    return {
        "asyncapi": VERSION,
        "id": "urn:songtien:v1",
        "info": {
            "title": "songtien",
            "version": place.version,
            "description": _DESCRIPTION,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
            "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        },
        "defaultContentType": "application/json",
        "servers": {"live": _live(place.live_url), "broker": _broker(place)},
        "channels": {each.name: each.node() for each in channels},
        "operations": dict(_operations(channels)),
        "components": {
            "messages": {each.name: each.node() for each in messages},
            "schemas": components(),
            "correlationIds": {
                "request": {
                    "description": "The answer carries the `id` of its request.",
                    "location": "$message.payload#/id",
                }
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "In the frame `auth`, never in the URL: a token of `songtien "
                    "token create`, or a ticket of `POST /api/v1/live-ticket`, good once. Where "
                    "people may look without one, only officers need it.",
                },
                "password": {
                    "type": "userPassword",
                    "description": "Where the broker asks for one: of a device or its gateway, "
                    "which may write under its own topics alone.",
                },
            },
        },
    }


def text(place: Place) -> bytes:
    """The document as JSON, indented, with an end of line."""
    return msgspec.json.format(msgspec.json.encode(document(place)), indent=1) + b"\n"


def _operations(channels: list[Channel]) -> Any:
    for channel in channels:
        for operation in channel.operations:
            yield operation.name, operation.node(channel.name)


def _live(url: str) -> Node:
    """The socket's server; the path belongs to the channel."""
    parts = urlsplit(url or "ws://{host}/live")
    prefix = parts.path.removesuffix(live.channel().address)
    node: Node = {
        "host": parts.netloc,
        **({"pathname": prefix} if prefix else {}),
        "protocol": parts.scheme,
        "title": "The live socket",
        "description": f"WebSocket, subprotocol `{SUBPROTOCOL}`; `live_url` of "
        "`GET /api/v1/about`.",
        "tags": [{"name": "live"}],
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }
    if not url:
        node["variables"] = {"host": {"description": "host and port of the live socket"}}
    return node


def _broker(place: Place) -> Node:
    parts = urlsplit(place.broker_url or "mqtt://{broker}")
    node: Node = {
        "host": parts.netloc.rpartition("@")[2],
        "protocol": "secure-mqtt" if parts.scheme == "mqtts" else "mqtt",
        "protocolVersion": "5",
        "title": "The broker",
        "description": f"MQTT 5, or 3.1.1. All topics are under `{place.root}/v1/`; the service "
        f"subscribes to `{devices.subscription(place.root)}` and passes over what it says itself.",
        "tags": [{"name": "broker"}],
        "security": [{"$ref": "#/components/securitySchemes/password"}],
    }
    if not place.broker_url:
        node["variables"] = {"broker": {"description": "host and port of the broker"}}
    return node
