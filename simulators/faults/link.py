"""What happens between a device and its broker: nothing comes, or comes later, or for ever not."""

from collections.abc import Iterator

import msgspec

from simulators.faults.fault import Fault, MessageFault, Parameter, Scene, Sent


def stands(fault: Fault, sent_ms: int) -> bool:
    """Whether a message is sent while the fault stands."""
    return fault.from_ms <= sent_ms < fault.to_ms


def moved(sent: Sent, publish_ms: int) -> Sent:
    """The same, arriving at another time."""
    return Sent(sent.sent_ms, msgspec.structs.replace(sent.message, publish_ms=publish_ms))


def _lost(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    del scene
    return (each for each in stream if not stands(fault, each.sent_ms))


def _burst(stream: Iterator[Sent], fault: Fault, scene: Scene) -> Iterator[Sent]:
    del scene
    spacing_ms, held = int(fault.number("spacing_ms")), 0
    for each in stream:
        if stands(fault, each.sent_ms) and not each.message.retain:
            yield moved(each, fault.to_ms + held * spacing_ms)
            held += 1
        else:
            yield each


SILENT_DEATH = MessageFault(
    _lost,
    "the device says nothing more: no sample, no state, no last will",
    "says so by the clock within the rule's time, and keeps what was raised before",
)
GAP = MessageFault(
    _lost,
    "nothing comes, and what was measured meanwhile is lost; `seq` has a hole",
    "raises no data in its time, clears nothing, and lists what is missing",
)
BURST = MessageFault(
    _burst,
    "nothing comes, then everything at once: a gateway that has its link again",
    "stores all of it at its own times; what is over by then is history and calls nobody",
    parameters=(
        Parameter("spacing_ms", 20.0, 0.0, 60_000.0, "ms", "between two of them when they come"),
    ),
    ends=True,
)
