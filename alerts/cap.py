"""Alerts as documents of the Common Alerting Protocol 1.2, and the Atom feed that lists them.

CAP: OASIS Standard, 1 July 2010, https://docs.oasis-open.org/emergency/cap/v1.2/. A document
never changes once it is there: an alert that goes on or is over has further ones, which name
those that they replace. Each says the same twice, in Vietnamese and in English.

Pure: the same events and the same registry give the same bytes.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from xml.etree import ElementTree as ET

from alerts.alert import EventType
from alerts.lifecycle import HOLDING, State
from alerts.messages import VIETNAM, local_time
from alerts.notices import ASK as NOTICE
from alerts.outbox import Outgoing
from ingest.reading import Flag
from ingest.registry import Registry

CAP_NS: Final = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM_NS: Final = "http://www.w3.org/2005/Atom"
CAP_TYPE: Final = "application/cap+xml"
ATOM_TYPE: Final = "application/atom+xml"

AROUND_KM: Final = 1.0
"""Radius of the circle that maps draw round a station. What is measured is a point; how far
around it the same holds nobody has said (unverified)."""


class MsgType(StrEnum):
    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who signs: `id` is unique in the world, such as an internet domain; `name` is for people.

    demo : it shows a river that does not exist, so all that it says is an exercise
    """

    id: str
    name: str
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One document. `replaces` are the (identifier, sent) of those before it that are in force."""

    identifier: str
    type: MsgType
    event: Outgoing
    replaces: tuple[tuple[str, str], ...]

    @property
    def sent(self) -> str:
        return cap_time(self.event.at_ms)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a document says in one language."""

    code: str
    language: str
    events: Mapping[str, str]
    silence: str
    fresh: str
    monitoring: str
    over: str
    cleared: str
    proved: str
    suspect: str
    simulated: str
    test: str


_WORDS: Final = (
    _Words(
        code="vi",
        language="vi-VN",
        events={
            "salinity": "Xâm nhập mặn",
            "river": "Xâm nhập mặn",
            "traffic": "Giao thông trên cầu",
            "bridge": "Giao thông trên cầu",
        },
        silence="Mất tín hiệu máy đo",
        fresh="Nước ngọt",
        monitoring="Hệ thống giám sát",
        over="Đã hết",
        cleared="Đã hết từ {at}.",
        proved="Bắt đầu {since}, số đo xác nhận lúc {event}.",
        suspect="Số đo có nghi vấn về chất lượng.",
        simulated="Số liệu mô phỏng, không phải số đo thật.",
        test="Đây là thử nghiệm, không có sự cố.",
    ),
    _Words(
        code="en",
        language="en-US",
        events={
            "salinity": "Saltwater intrusion",
            "river": "Saltwater intrusion",
            "traffic": "Traffic on a bridge",
            "bridge": "Traffic on a bridge",
        },
        silence="Sensor out of contact",
        fresh="Fresh water",
        monitoring="Monitoring system",
        over="Over",
        cleared="Over since {at}.",
        proved="Began {since}, proved by the reading of {event}.",
        suspect="The reading is of suspect quality.",
        simulated="Simulated readings, nothing was measured.",
        test="This is a test, nothing has happened.",
    ),
)

_OF_THE_NETWORK: Final = frozenset({NOTICE, "no_data", "never_seen", "flagged"})
"""What an alert asks when it is about the instruments and not about river or bridge."""

_CATEGORY: Final = {
    "salinity": "Env",
    "river": "Env",
    "traffic": "Transport",
    "bridge": "Transport",
}
_SEVERITY: Final = {
    "critical": "Severe",
    "major": "Moderate",
    "warning": "Minor",
    "info": "Minor",
}
"""Nothing here claims "Extreme", an extraordinary threat to life: that is for people to say."""

_URGENCY: Final = {
    "critical": "Immediate",
    "major": "Expected",
    "warning": "Expected",
    "info": "Future",
}
_PARAMETERS: Final = (
    "rule",
    "rule_version",
    "k",
    "quantity",
    "direction",
    "value",
    "limit",
    "unit",
)

_GOES_ON: Final = frozenset({EventType.RAISED, EventType.EASED})
"""Events that say anew that it holds. What officers do with an alert is no news about the river."""

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cap_time(t_ms: int) -> str:
    """A time as CAP wants it: whole seconds with the offset of Vietnam, never `Z`."""
    seconds = t_ms // 1000
    return datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM).isoformat()


def messages(events: Iterable[Outgoing]) -> list[Message]:
    """The documents of one alert, oldest first, out of its events in order.

    The first has the alert's id for identifier; the n-th has `.n` behind it. What holds again
    after it was cancelled begins anew and replaces nothing.
    """
    found: list[Message] = []
    in_force: tuple[tuple[str, str], ...] = ()
    for event in events:
        holds = State(event.alert["state"]) in HOLDING
        if event.type is EventType.CLEARED and in_force:
            kind = MsgType.CANCEL
        elif holds and not in_force:
            # Whatever it was that made it known: the end of a shelf may be.
            kind = MsgType.ALERT
        elif holds and event.type in _GOES_ON:
            kind = MsgType.UPDATE
        else:
            continue
        identifier = str(event.alert["id"])
        if found:
            identifier = f"{identifier}.{len(found) + 1}"
        found.append(Message(identifier, kind, event, in_force))
        in_force = (
            () if kind is MsgType.CANCEL else (*in_force, (identifier, cap_time(event.at_ms)))
        )
    return found


def document(message: Message, sender: Sender, registry: Registry) -> bytes:
    """The message as XML, valid by the schema of the standard."""
    alert = message.event.alert
    root = ET.Element("alert", {"xmlns": CAP_NS})
    _add(root, "identifier", message.identifier)
    _add(root, "sender", sender.id)
    _add(root, "sent", message.sent)
    _add(root, "status", status(alert, sender))
    _add(root, "msgType", message.type)
    _add(root, "scope", "Public")
    if status(alert, sender) == "Exercise":
        # The standard wants an exercise named here, where no `info` is needed to see it.
        _add(root, "note", " ".join(words.simulated for words in _WORDS))
    if message.replaces:
        named = (f"{sender.id},{identifier},{sent}" for identifier, sent in message.replaces)
        _add(root, "references", " ".join(named))
    for words in _WORDS:
        _info(root, message, sender, registry, words)
    return _bytes(root)


def feed(sent: Sequence[Message], sender: Sender, base_url: str) -> bytes:
    """The messages as an Atom feed, newest first (RFC 4287).

    base_url : where documents stand, with its slash; `alerts.atom` stands there too
    """
    newest = sorted(sent, key=lambda each: each.event.pos, reverse=True)
    root = ET.Element("feed", {"xmlns": ATOM_NS, "xml:lang": "vi-VN"})
    _add(root, "id", _urn(sender, "alerts"))
    _add(root, "title", f"Cảnh báo - {sender.name}")
    updated_ms = max((each.event.at_ms for each in newest), default=0)
    _add(root, "updated", cap_time(updated_ms))
    _add(_add(root, "author"), "name", sender.name)
    own = {"rel": "self", "type": ATOM_TYPE, "href": f"{base_url}alerts.atom"}
    root.append(ET.Element("link", own))
    for message in newest:
        entry = _add(root, "entry")
        _add(entry, "id", _urn(sender, message.identifier))
        _add(entry, "title", _headline(message, _WORDS[0]))
        _add(entry, "updated", message.sent)
        _add(_add(entry, "author"), "name", sender.name)
        href = f"{base_url}{message.identifier}.xml"
        entry.append(ET.Element("link", {"rel": "alternate", "type": CAP_TYPE, "href": href}))
        for term in (status(message.event.alert, sender), message.type.value):
            entry.append(ET.Element("category", {"term": term}))
        _add(entry, "summary", _headline(message, _WORDS[1]))
    return _bytes(root)


def status(alert: Mapping[str, Any], sender: Sender) -> str:
    """Whether it is meant: what is simulated is an exercise, what is about us the system's."""
    if alert.get("test"):
        return "Test"
    if alert.get("sim") or sender.demo:
        return "Exercise"
    return "System" if alert.get("ask") in _OF_THE_NETWORK else "Actual"


def _info(
    root: ET.Element, message: Message, sender: Sender, registry: Registry, words: _Words
) -> None:
    alert, over = message.event.alert, message.type is MsgType.CANCEL
    severity = str(alert["severity"])
    likely = alert.get("suspect") or alert.get("flag") == Flag.SUSPECT
    info = _add(root, "info")
    _add(info, "language", words.language)
    _add(info, "category", _CATEGORY.get(str(alert.get("kind")), "Infra"))
    _add(info, "event", _event(alert, words))
    _add(info, "responseType", _response(alert, over=over))
    _add(info, "urgency", "Past" if over else _URGENCY[severity])
    _add(info, "severity", _SEVERITY[severity])
    _add(info, "certainty", "Likely" if likely else "Observed")
    _pair(info, "eventCode", "songtien.rule", str(alert["rule"]))
    _add(info, "effective", message.sent)
    _add(info, "onset", cap_time(alert["t_since"]))
    _add(info, "senderName", sender.name)
    _add(info, "headline", _headline(message, words))
    _add(info, "description", _description(alert, sender, words, over=over))
    for name in _PARAMETERS:
        if name in alert:
            _pair(info, "parameter", f"songtien.{name}", str(alert[name]))
    _area(info, alert, registry)


def _event(alert: Mapping[str, Any], words: _Words) -> str:
    if alert.get("ask") in ("no_data", "never_seen"):
        return words.silence
    if alert.get("permit"):
        return words.fresh
    return words.events.get(str(alert.get("kind")), words.monitoring)


def _response(alert: Mapping[str, Any], *, over: bool) -> str:
    """The end of a permission is no all-clear."""
    if alert.get("permit"):
        return "Monitor" if over else "Assess"
    return "AllClear" if over else "Monitor"


def _headline(message: Message, words: _Words) -> str:
    said = str(message.event.alert.get(f"message_{words.code}", ""))
    return f"{words.over}: {said}" if message.type is MsgType.CANCEL else said


def _description(alert: Mapping[str, Any], sender: Sender, words: _Words, *, over: bool) -> str:
    since, event = local_time(alert["t_since"]), local_time(alert["t_event"])
    said = [words.proved.format(since=since, event=event)]
    if over and "t_cleared" in alert:
        said.append(words.cleared.format(at=local_time(alert["t_cleared"])))
    if alert.get("suspect"):
        said.append(words.suspect)
    if alert.get("sim") or sender.demo:
        said.append(words.simulated)
    if alert.get("test"):
        said.append(words.test)
    return " ".join(said)


def _area(info: ET.Element, alert: Mapping[str, Any], registry: Registry) -> None:
    """A circle round the station; the name of a mouth where the alert is about all of it."""
    station = registry.stations.get(str(alert.get("station") or ""))
    if station is not None:
        reach = registry.reaches.get(station.reach or "")
        area = _add(info, "area")
        _add(area, "areaDesc", station.name + (f", {reach.name}" if reach else ""))
        _add(area, "circle", f"{station.lat:.4f},{station.lon:.4f} {AROUND_KM:g}")
        _pair(area, "geocode", "songtien.station", station.id)
    elif alert.get("station"):
        # It has left the registry since: its id is all that is known.
        _add(_add(info, "area"), "areaDesc", str(alert["station"]))
    else:
        for branch in alert.get("branch", ()):
            reach = registry.reaches.get(branch)
            area = _add(info, "area")
            _add(area, "areaDesc", reach.name if reach else str(branch))
            _pair(area, "geocode", "songtien.branch", str(branch))


def _urn(sender: Sender, name: str) -> str:
    """A name for ever, which is not a place."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{CAP_NS}:{sender.id}:{name}").urn


def _pair(parent: ET.Element, tag: str, name: str, value: str) -> None:
    found = _add(parent, tag)
    _add(found, "valueName", name)
    _add(found, "value", value)


def _add(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    found = ET.SubElement(parent, tag)
    found.text = _NOT_XML.sub("", str(text))
    return found


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n'.encode()
