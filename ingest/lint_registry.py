"""What devices send against what the registry says of them."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from ingest import topics
from ingest.lint_finding import Finding, errors, hint, warning
from ingest.lint_order import span, zone
from ingest.payload import TrafficSample
from ingest.refusal import Refusal
from ingest.registry import Device, Registry
from ingest.tables import did_you_mean

LAG_MS_MAX: Final = 10 * 60_000
MESSAGES_MIN: Final = 3
"""Of so many messages even the freshest sample is old before a clock is called slow."""


def unregistered(
    refusal: Refusal, topic: topics.Topic, registry: Registry | None
) -> Iterator[Finding]:
    """A device that the registry does not have, or has elsewhere."""
    assert registry is not None
    near = ""
    if topic.device not in registry.devices:
        near = f"; {did_you_mean(topic.device, tuple(registry.devices))}"
    for finding in errors(refusal, "topic"):
        yield replace(finding, where="topic", value=topic.device, text=f"{finding.text}{near}")


_MEASURED: Final[Mapping[str, tuple[str, ...]]] = {
    "count": ("flow_veh_h", "flow_pcu_h"),
    "cumulative": ("flow_veh_h", "flow_pcu_h"),
    "speed_km_h": ("speed_km_h",),
    "occupancy": ("occupancy",),
    "queue_m": ("queue_m",),
}
_FOLLOWING: Final = ("flow_pcu_h", "density_pcu_km", "level_of_service")
"""Quantities of the registry that follow from others, which are told in their place."""


def quantities_of(sample: TrafficSample) -> set[str]:
    """The quantities that a camera's sample is measured for."""
    found = {
        quantity
        for name, quantities in _MEASURED.items()
        if getattr(sample, name) is not None
        for quantity in quantities
    }
    if sample.count is not None and not any(sample.count.values()):
        found.add("speed_km_h")  # no vehicle has none, and it is rightly left out
    return found


def announced(device: Device | None, sent: AbstractSet[str]) -> Iterator[Finding]:
    """What the registry announces of a device against the quantities of what it has sent."""
    if device is None or not sent:
        return
    promised = device.announced
    absent = promised - sent - set(_FOLLOWING)
    ecs = ("conductivity_ms_cm", "conductivity_25_ms_cm")
    for one, other in (ecs, ecs[::-1]):
        if one in absent and other in sent - promised:
            text = (
                f"the registry announces {one}, and {other} was sent instead: which of the two"
                " does the probe send?"
            )
            yield warning("announced", one, None, text)
            absent -= {one}
    for quantity in sorted(absent):
        text = "announced in the registry (measures), and never sent"
        yield warning("announced", quantity, None, text)
    for quantity in sorted(sent - promised - {*_FOLLOWING, *ecs}):
        text = "sent, and not announced in the registry (measures): shown once a value has come"
        yield hint("announced", quantity, None, text)


def slow(lag_ms: int | None, messages: int) -> Iterator[Finding]:
    """A clock that is behind: even the freshest sample was old when it came."""
    if lag_ms is None or lag_ms <= LAG_MS_MAX or messages < MESSAGES_MIN:
        return
    why = zone(-lag_ms) or "the device's clock is behind, or it sends late"
    text = f"even the freshest sample was {span(lag_ms / 1000)} old when it came: {why}"
    yield warning("clock-behind", "samples[].t", None, text)
