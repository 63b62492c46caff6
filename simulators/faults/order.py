"""What the way does to the order of messages: twice, out of order, late."""

from collections.abc import Iterator

import numpy as np

from simulators.faults.fault import Fault, MessageFault, Parameter, Scene, Sent
from simulators.faults.link import moved, stands
from simulators.grid import share

BEHIND_MS = 50


def struck(each: Sent, fault: Fault, scene: Scene) -> bool:
    """Whether a message of samples is one of the share that the fault strikes."""
    if not stands(fault, each.sent_ms) or each.message.retain:
        return False
    return drawn(each, fault, scene, "struck") < fault.number("share")


def drawn(each: Sent, fault: Fault, scene: Scene, what: str) -> float:
    """A uniform draw from [0, 1) that belongs to the moment at which it was sent."""
    moment = np.array([each.sent_ms], dtype=np.int64)
    return float(share(moment, scene.seed, *scene.names(fault, what))[0])


def _twice(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    after_ms = round(fault.number("after_s") * 1000)
    for each in stream:
        yield each
        if struck(each, fault, scene):
            yield moved(each, each.message.publish_ms + after_ms)


def _swapped(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    held: Sent | None = None
    for each in stream:
        if held is None and struck(each, fault, scene):
            held = each
            continue
        yield each
        if held is not None and not each.message.retain:
            yield moved(held, max(each.message.publish_ms, held.message.publish_ms) + BEHIND_MS)
            held = None
    if held is not None:
        yield held


def _late(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    del scene
    delay_ms = round(fault.number("delay_s") * 1000)
    for each in stream:
        if stands(fault, each.sent_ms) and not each.message.retain:
            yield moved(each, each.message.publish_ms + delay_ms)
        else:
            yield each


LATE = MessageFault(
    _late,
    "each message comes `delay_s` after it was sent: a slow way, a modem that sends by the hour",
    "stores it at its own time and shows its age",
    parameters=(Parameter("delay_s", 1800.0, 0.0, 31_557_600.0, "s", "how much later"),),
)
REORDER = MessageFault(
    _swapped,
    "a message comes behind the one that was sent after it",
    "stores, flags and raises the same as in order, within the reorder window",
    parameters=(Parameter("share", 0.3, 0.0, 1.0, "", "share of the messages held back"),),
)
DUPLICATE = MessageFault(
    _twice,
    "a message comes twice, as QoS 1 allows (MQTT 5, 4.3.2)",
    "stores it once, counts the second as a duplicate, and raises no alert twice",
    parameters=(
        Parameter("share", 0.5, 0.0, 1.0, "", "share of the messages that come twice"),
        Parameter("after_s", 5.0, 0.0, 86_400.0, "s", "how much later the second comes"),
    ),
)
