"""Topics and samples held against the registry: whose they are, or why nobody's."""

from ingest.payload import SalinitySample
from ingest.refusal import Reason, Refusal
from ingest.registry import Device, Registry
from ingest.topics import Topic


def device_of(registry: Registry, topic: Topic) -> Device | Refusal:
    """The device that speaks on a topic."""
    device = registry.devices.get(topic.device)
    if device is None:
        text = f"device = {topic.device!r}: accepted are devices that the registry names"
        return Refusal(Reason.UNKNOWN_DEVICE, text)
    if (device.station, device.kind) != (topic.station, topic.kind):
        return Refusal(
            Reason.UNKNOWN_DEVICE,
            f"device {device.id} is registered under {device.kind}/{device.station}, "
            f"not {topic.kind}/{topic.station}",
        )
    return device


def probe_stream(device: Device, root_device: str, sample: SalinitySample) -> str | Refusal:
    """The stream of a sample: the device's, or that of the level nearest to its depth.

    `root_device` is the first of its chain of `replaces`, whose series it goes on writing.
    """
    if not device.levels:
        return root_device
    depth_m = sample.depth_m
    if depth_m is None:
        accepted = ", ".join(f"{level.id} at {level.depth_m} m" for level in device.levels)
        return Refusal(
            Reason.SCHEMA, f"depth_m is absent: the device measures at several depths ({accepted})"
        )
    nearest = min(device.levels, key=lambda level: abs(level.depth_m - depth_m))
    return f"{root_device}/{nearest.id}"
