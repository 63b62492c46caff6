"""Topic filters of MQTT (3.1.1, 4.7): `+` is any one level, `#` at the end all that follow."""

from collections.abc import Iterable

from ingest.faults import ConfigError, Fault

TOPIC_BYTES_MAX = 65_535


def checked(filters: Iterable[str], option: str) -> list[str]:
    """The filters, or a ConfigError that names each of those that are none."""
    found = list(filters)
    faults = [
        Fault("options", option, each, "accepted is such as a/+/c or a/#, where # comes last")
        for each in found
        if not _is_filter(each)
    ]
    if faults:
        raise ConfigError(faults)
    return found


def is_topic(text: str) -> bool:
    """Whether a message can be published to it."""
    return bool(text) and not set("+#\0") & set(text) and len(text.encode()) <= TOPIC_BYTES_MAX


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic is one that a subscriber to `pattern` hears."""
    wanted, levels = pattern.split("/"), topic.split("/")
    # What begins with $ is the broker's own, and no wildcard in front reaches it.
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(
        want in ("+", level) for want, level in zip(wanted, levels, strict=True)
    )


def _is_filter(text: str) -> bool:
    levels = text.split("/")
    last = len(levels) - 1
    return (
        bool(text)
        and "\0" not in text
        and len(text.encode()) <= TOPIC_BYTES_MAX
        and all(level in ("+", "#") or not set("+#") & set(level) for level in levels)
        and all(level != "#" or place == last for place, level in enumerate(levels))
    )
