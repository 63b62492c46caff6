"""The topics of devices, and what the service itself says to the broker, as channels."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from api.asyncapi import examples
from api.asyncapi.parts import RECEIVE, SEND, Channel, Message, Node, Operation
from api.asyncapi.words import ref
from ingest import topics
from ingest.payload import PAYLOAD_BYTES_MAX, SAMPLES_MAX
from ingest.refusal import ID_PATTERN
from ingest.topics import KINDS

QOS: Final = 1
BINDING: Final = "0.2.0"
SERIES_PATTERN: Final = r"[^/+#]+(/[^/+#]+){1,2}"

_ID: Final = f"`{ID_PATTERN}`"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A level of a topic. `pattern` is the whole of it; AsyncAPI 3.0 has no place for one."""

    description: str
    pattern: str
    example: str
    enum: tuple[str, ...] = ()

    def node(self) -> Node:
        return {
            "description": self.description,
            "examples": [self.example],
            "x-pattern": f"^{self.pattern}$",
            **({"enum": list(self.enum)} if self.enum else {}),
        }


PARAMETERS: Final[Mapping[str, Parameter]] = {
    "kind": Parameter("what the device measures", "|".join(KINDS), KINDS[0], KINDS),
    "station": Parameter(f"id of a registered station: {_ID}", ID_PATTERN, "vam-kenh"),
    "device": Parameter(f"id of a registered device: {_ID}", ID_PATTERN, "vk-01"),
    "host": Parameter(f"which server it is: {_ID}", ID_PATTERN, "tram-chinh"),
    "rule": Parameter(f"id of a rule: {_ID}", ID_PATTERN, "salinity-4"),
    "series": Parameter(
        "the key of the series, of two or three levels", SERIES_PATTERN, "vk-01/salinity_g_l"
    ),
    "intake": Parameter(f"id of an intake: {_ID}", ID_PATTERN, "xuan-hoa"),
}

OBS_WORDS: Final = (
    f"1 to {SAMPLES_MAX} samples, in UTF-8, at most {PAYLOAD_BYTES_MAX:,} bytes. `null` is the same "
    "as leaving a field out; there is no NaN and no sentinel. Unknown fields are passed over. A "
    "bad sample is refused with its reason and takes none of the others with it; a sample without "
    "any quantity is refused."
)


@dataclass(frozen=True, slots=True)
class _Topic:
    """One leaf, or one of the service's own topics.

    template : as `ingest.topics` makes it, with the names of levels in braces
    action : from the service's point of view
    """

    name: str
    template: str
    action: str
    retained: bool
    title: str
    description: str
    messages: tuple[Message, ...]


def channels(root: str) -> Iterator[Channel]:
    """The channels under a root, such as `tiengiang`."""
    for one in (*_of_devices(root), *_of_the_service(root)):
        levels = [name for name in PARAMETERS if f"{{{name}}}" in one.template]
        yield Channel(
            name=one.name,
            server="broker",
            address=one.template,
            title=one.title,
            description=one.description,
            messages=one.messages,
            operations=[
                Operation(
                    one.name,
                    one.action,
                    one.title,
                    f"QoS {QOS}, {'retained' if one.retained else 'not retained'}.",
                    [message.name for message in one.messages],
                    bindings={
                        "mqtt": {"qos": QOS, "retain": one.retained, "bindingVersion": BINDING}
                    },
                )
            ],
            more={"parameters": {name: PARAMETERS[name].node() for name in levels}},
        )


def _levels(topic: str, root: str, *names: str) -> str:
    """A topic in which ids stood for levels, with the levels in braces."""
    parts = topic.removeprefix(f"{root}/").split("/")
    return "/".join([root, *(f"{{{part}}}" if part in names else part for part in parts)])


def _device(topic: Callable[[str, str, str, str], str], root: str, kind: str | None = None) -> str:
    """The topic of one leaf, of devices of one kind or of both."""
    made = topic(root, kind or KINDS[0], "station", "device")
    shown = _levels(made, root, "station", "device")
    return shown if kind else shown.replace(f"/{KINDS[0]}/", "/{kind}/")


def _of_devices(root: str) -> Iterator[_Topic]:
    for kind, struct, example, title in (
        ("salinity", "SalinityObservations", examples.SALINITY, "Readings of a probe"),
        ("traffic", "TrafficObservations", examples.TRAFFIC, "Counts of a camera"),
    ):
        message = Message(f"obs.{kind}", title, OBS_WORDS, ref(struct), example)
        template = _device(topics.obs_topic, root, kind)
        words = "What a device measured. QoS 0 is taken too, and then nothing stands behind it."
        yield _Topic(f"obs.{kind}", template, RECEIVE, False, title, words, (message,))
    yield _Topic(
        "deviceState",
        _device(topics.state_topic, root),
        RECEIVE,
        True,
        "The link of a device",
        "Birth, last will, sleep and farewell; set `lost` as the last will. An empty message takes "
        "the state back.",
        (
            Message(
                "device.state",
                "Link of a device",
                "Apart from the age of its values: a device can be connected and silent.",
                ref("DeviceState"),
                examples.STATE,
            ),
        ),
    )
    yield _Topic(
        "deviceMeta",
        _device(topics.meta_topic, root),
        RECEIVE,
        True,
        "What a device is",
        "Model, serial number, units, expected interval, position, datum of levels, which "
        "conductivity it sends.",
        (
            Message(
                "device.meta",
                "What a device is",
                "Any object. It is stored with the device and not interpreted.",
                {"type": "object"},
                examples.META,
            ),
        ),
    )
    yield _Topic(
        "ack",
        _device(topics.ack_topic, root),
        SEND,
        False,
        "What a gateway may forget",
        "To devices that send `seq`, a few seconds behind, again after a device's `ready`, and for "
        "all whenever the service connects.",
        (
            Message(
                "ack",
                "Acknowledgement",
                "Counting begins with the first `seq` heard of a boot.",
                ref("Ack"),
                examples.ACK,
            ),
        ),
    )


def _of_the_service(root: str) -> Iterator[_Topic]:
    at = {"type": "integer", "description": "a time of the service's clock, ms since 1970 UTC"}
    empty = {"type": "string", "maxLength": 0}
    yield _Topic(
        "serverState",
        _levels(topics.server_state_topic(root, "host"), root, "host"),
        SEND,
        True,
        "Whether the service listens",
        "`ready` is said when the subscription stands, so nothing is lost of what is sent upon it.",
        (
            Message(
                "server.state",
                "State of the service",
                "While it is `lost`, gateways keep their samples.",
                ref("ServerState"),
                examples.SERVER_STATE,
            ),
        ),
    )
    for part, topic, title, words in (
        ("canary", topics.canary_topic, "Canary", "It must come back to the service."),
        ("test", topics.self_test_topic, "Daily test", "Begins the service's test of itself."),
    ):
        message = Message(f"server.{part}", title, "For the service alone.", at, examples.CANARY)
        template = _levels(topic(root, "host"), root, "host")
        yield _Topic(f"server{part.title()}", template, SEND, False, title, words, (message,))
    yield _Topic(
        "alerts",
        _levels(topics.alert_topic(root, "rule", "series"), root, "rule", "series"),
        SEND,
        True,
        "The alert that holds",
        "For boards and other programs. That there is none permits nothing. What simulated "
        "readings raised does not come here. One with `test` true is the daily test of this way: "
        "pass over it.",
        (
            Message(
                "alert",
                "Alert",
                "Whole, with each change of it.",
                ref("Alert"),
                [examples.ALERT],
            ),
            _gone("alert.over", "Alert over", "The alert no longer holds.", empty),
        ),
    )
    yield _Topic(
        "advice",
        _levels(topics.advice_topic(root, "intake"), root, "intake"),
        SEND,
        True,
        "May water be taken now?",
        "Valid until its `until` and not after. A controller that has no valid advice does not "
        "open.",
        (
            Message(
                "advice",
                "Advice",
                "Each time that it changes.",
                ref("Advice"),
                examples.ADVICE,
            ),
            _gone(
                "advice.over", "No advice", "The intake is no more; nothing is permitted.", empty
            ),
        ),
    )


def _gone(name: str, title: str, summary: str, empty: Node) -> Message:
    return Message(
        name,
        title,
        f"An empty message, retained. {summary}",
        empty,
        examples.EMPTY,
        content_type="application/octet-stream",
    )


def subscription(root: str) -> str:
    """What the service subscribes to."""
    return topics.subscription(root)
