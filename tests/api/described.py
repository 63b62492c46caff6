"""An AsyncAPI document as a judge of what goes over the wire."""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jsonschema


def closed(node: Any) -> Any:
    """The same with objects of a name that take no field which they do not name."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: closed(value) for name, value in node.items()}
    if node.get("type") == "object" and "title" in node and "properties" in node:
        found.setdefault("additionalProperties", False)
    return found


def pattern_of(channel: Mapping[str, Any]) -> re.Pattern[str]:
    """What topics a channel's address covers, by the patterns of its parameters."""
    parts = re.split(r"\{(\w+)\}", channel["address"])
    levels = [
        re.escape(part)
        if index % 2 == 0
        else f"(?:{channel['parameters'][part]['x-pattern'][1:-1]})"
        for index, part in enumerate(parts)
    ]
    return re.compile("".join(levels))


def frame_name(frame: Mapping[str, Any]) -> str:
    """The name of the message that a frame is."""
    match frame["op"]:
        case "sub":
            return f"sub.{frame['chan']}"
        case "call":
            return f"call.{frame['m']}"
        case "ret":
            return "ret.call" if frame["ok"] else "ret.unsub"
        case "snap":
            return "snap.alerts" if any("ver" in each for each in frame["items"]) else "snap.state"
        case op:
            return str(op)


class Described:
    """The document, and whether messages are as it says; `seen` are the names of those held."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.messages: Mapping[str, Any] = document["components"]["messages"]
        self.seen: set[str] = set()
        self._validators: dict[str, Any] = {}

    @cached_property
    def _topics(self) -> list[tuple[re.Pattern[str], list[str]]]:
        return [
            (pattern_of(channel), list(channel["messages"]))
            for channel in self.document["channels"].values()
            if "parameters" in channel
        ]

    def fits(self, message: str, payload: Any) -> bool:
        return bool(self._validator(message).is_valid(payload))

    def hold(self, message: str, payload: Any) -> None:
        """Fail where a payload is not as the document says, or has what it does not name."""
        faults = [
            f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}"
            for fault in self._validator(message).iter_errors(payload)
        ]
        assert not faults, (message, payload, faults)
        self.seen.add(message)

    def hold_frame(self, text: str) -> dict[str, Any]:
        """The same of a frame as it stands on the wire; gives the frame."""
        frame: dict[str, Any] = json.loads(text)
        self.hold(frame_name(frame), frame)
        return frame

    def hold_published(self, topic: str, payload: str) -> str:
        """The same of a message of a broker; gives its name."""
        found = [names for pattern, names in self._topics if pattern.fullmatch(topic)]
        assert len(found) == 1, topic
        name = found[0][0] if payload or len(found[0]) == 1 else found[0][1]
        self.hold(name, json.loads(payload) if payload else "")
        return name

    def _validator(self, message: str) -> Any:
        if message not in self._validators:
            schema = {
                **closed(self.messages[message]["payload"]),
                "components": {"schemas": closed(self.document["components"]["schemas"])},
            }
            self._validators[message] = jsonschema.Draft7Validator(schema)
        return self._validators[message]
