"""What the document's channels, messages and operations are put together from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Node = dict[str, Any]

SEND: Final = "send"
RECEIVE: Final = "receive"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of one channel.

    payload : a JSON schema
    examples : what it looks like; tests put each through the codecs
    bindings : what the protocol says of it
    """

    name: str
    title: str
    summary: str
    payload: Mapping[str, Any]
    examples: Sequence[Any]
    answers: bool = False
    """Whether it carries the id of a request."""
    content_type: str = "application/json"
    bindings: Mapping[str, Any] = field(default_factory=dict)

    def node(self) -> Node:
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "contentType": self.content_type,
            "payload": dict(self.payload),
            **({"correlationId": {"$ref": CORRELATION}} if self.answers else {}),
            "examples": [{"payload": each} for each in self.examples],
            **({"bindings": dict(self.bindings)} if self.bindings else {}),
        }


CORRELATION: Final = "#/components/correlationIds/request"


@dataclass(frozen=True, slots=True)
class Operation:
    """What the service does with messages of a channel.

    action : `SEND` or `RECEIVE`, as seen from the service
    messages, replies : names of messages of the same channel
    """

    name: str
    action: str
    title: str
    description: str
    messages: Sequence[str]
    replies: Sequence[str] = ()
    bindings: Mapping[str, Any] = field(default_factory=dict)

    def node(self, channel: str) -> Node:
        listed = f"#/channels/{channel}/messages/"
        node: Node = {
            "action": self.action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "title": self.title,
            "description": self.description,
            "messages": [{"$ref": listed + name} for name in self.messages],
        }
        if self.replies:
            node["reply"] = {
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [{"$ref": listed + name} for name in self.replies],
            }
        if self.bindings:
            node["bindings"] = dict(self.bindings)
        return node


@dataclass(frozen=True, slots=True)
class Channel:
    """A way for messages, on one server.

    more : further members, such as parameters, bindings and extensions
    """

    name: str
    server: str
    address: str
    title: str
    description: str
    messages: Sequence[Message]
    operations: Sequence[Operation]
    more: Mapping[str, Any] = field(default_factory=dict)

    def node(self) -> Node:
        return {
            "address": self.address,
            "title": self.title,
            "description": self.description,
            "servers": [{"$ref": f"#/servers/{self.server}"}],
            "messages": {
                each.name: {"$ref": f"#/components/messages/{each.name}"} for each in self.messages
            },
            **self.more,
        }
