"""The grammar of MQTT topics: who speaks, and of what.

    {root}/v1/{kind}/{station}/{device}/{leaf}   devices: obs, state, meta; to them: ack
    {root}/v1/server/{host}/state                a server's own state
    {root}/v1/server/{host}/canary               its proof that readings flow end to end
    {root}/v1/server/{host}/test                 the beginning of its daily test
    {root}/v1/alerts/{rule}/{series…}            what it tells
    {root}/v1/advice/{intake}

The root may hold slashes. `parse` is a pure function of its arguments, so that a caller
can remember what it gave.
"""

from dataclasses import dataclass
from typing import Literal

from ingest.refusal import Reason, Refusal, is_id, shown

Kind = Literal["salinity", "traffic"]
Leaf = Literal["obs", "state", "meta", "ack"]
OwnPart = Literal["state", "canary", "test", "alerts", "advice"]

SERVER_PARTS: tuple[OwnPart, ...] = ("state", "canary", "test")
KINDS: tuple[Kind, ...] = ("salinity", "traffic")
LEAVES: tuple[Leaf, ...] = ("obs", "state", "meta", "ack")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of one device. `ack` is said by a server; the others by the device."""

    kind: Kind
    station: str
    device: str
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Own:
    """A topic that servers write and hear themselves: nothing to ingest.

    `host` is the server's for `state`, `canary` and `test`, else empty.
    """

    part: OwnPart
    host: str = ""


def parse(topic: str, root: str) -> Topic | Own | Refusal:
    """Say what `topic` under `root` is; the refusal says which part is wrong."""
    prefix = f"{root}/v1/"
    if not topic.startswith(prefix):
        return _refusal(topic, f"accepted are topics under {prefix}")
    head, *rest = topic[len(prefix) :].split("/")
    if head in KINDS:
        return _device_topic(topic, head, rest)
    if head == "server":
        return _server_topic(topic, rest)
    if head == "alerts" and rest:
        return Own("alerts")
    if head == "advice" and rest:
        return Own("advice")
    return _refusal(topic, f"accepted after {prefix} is one of {', '.join(KINDS)}")


def obs_topic(root: str, kind: str, station: str, device: str) -> str:
    return _of_device(root, kind, station, device, "obs")


def state_topic(root: str, kind: str, station: str, device: str) -> str:
    return _of_device(root, kind, station, device, "state")


def meta_topic(root: str, kind: str, station: str, device: str) -> str:
    return _of_device(root, kind, station, device, "meta")


def ack_topic(root: str, kind: str, station: str, device: str) -> str:
    return _of_device(root, kind, station, device, "ack")


def server_state_topic(root: str, host: str) -> str:
    return f"{root}/v1/server/{_id(host)}/state"


def canary_topic(root: str, host: str) -> str:
    return f"{root}/v1/server/{_id(host)}/canary"


def self_test_topic(root: str, host: str) -> str:
    return f"{root}/v1/server/{_id(host)}/test"


def alert_topic(root: str, rule: str, series_key: str) -> str:
    """Where the active alert of a rule on a series stands, such as `vk-01/salinity_g_l`."""
    return f"{root}/v1/alerts/{_id(rule)}/{series_key}"


def advice_topic(root: str, intake: str) -> str:
    return f"{root}/v1/advice/{_id(intake)}"


def subscription(root: str) -> str:
    """The filter that covers all of a root."""
    return f"{root}/v1/#"


def _device_topic(topic: str, kind: Kind, rest: list[str]) -> Topic | Refusal:
    if len(rest) != 3:
        return _refusal(topic, f"accepted after {kind}/ is {{station}}/{{device}}/{{leaf}}")
    station, device, leaf = rest
    for name, value in (("station", station), ("device", device)):
        if not is_id(value):
            return _bad_id(name, value)
    if leaf not in LEAVES:
        text = f"leaf = {shown(repr(leaf))}: accepted is one of {', '.join(LEAVES)}"
        return Refusal(Reason.TOPIC, text)
    return Topic(kind, station, device, leaf)


def _server_topic(topic: str, rest: list[str]) -> Own | Refusal:
    found = next((part for part in SERVER_PARTS if rest[1:] == [part]), None)
    if found is None:
        return _refusal(
            topic, "accepted after server/ is {host}/state, {host}/canary or {host}/test"
        )
    if not is_id(rest[0]):
        return _bad_id("host", rest[0])
    return Own(found, rest[0])


def _bad_id(name: str, value: str) -> Refusal:
    accepted = "accepted is an id of 1 to 40 characters a-z, 0-9 and -"
    return Refusal(Reason.TOPIC, f"{name} = {shown(repr(value))}: {accepted}")


def _refusal(topic: str, accepted: str) -> Refusal:
    return Refusal(Reason.TOPIC, f"topic = {shown(repr(topic))}: {accepted}")


def _of_device(root: str, kind: str, station: str, device: str, leaf: Leaf) -> str:
    if kind not in KINDS:
        raise ValueError(f"kind = {kind!r}: accepted is one of {', '.join(KINDS)}")
    return f"{root}/v1/{kind}/{_id(station)}/{_id(device)}/{leaf}"


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError(f"id = {text!r}: accepted are 1 to 40 characters a-z, 0-9 and -")
    return text
