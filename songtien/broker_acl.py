"""mosquitto's access list out of a registry: each account, and the topics that are its own."""

from collections.abc import Iterator
from typing import Final

from ingest import topics
from ingest.faults import ConfigError, Fault
from ingest.registry import Device, Registry

SERVICE: Final = "songtien"
VIEWER: Final = "viewer"
OWN_NAMES: Final = (SERVICE, VIEWER, "health", "simulator")
"""Accounts of the deployment itself (docs/deployment.md); no device may be called so."""

_HEAD: Final = """\
# Written by `songtien broker-acl` out of the registry; write it anew when stations change.
# Nobody may do what stands nowhere here.
"""


def accounts(registry: Registry, file: str) -> dict[str, list[Device]]:
    """By account, the devices that it may write for: a gateway's, or the device's own.

    Raises `ConfigError` where an account has the name of a part of the deployment.
    """
    found: dict[str, list[Device]] = {}
    for device in registry.devices.values():
        found.setdefault(device.gateway or device.id, []).append(device)
    taken = f"another name than {', '.join(OWN_NAMES)}, which are accounts of the deployment"
    faults = [Fault(file, "account", name, taken) for name in found if name in OWN_NAMES]
    if faults:
        raise ConfigError(faults)
    return dict(sorted(found.items()))


def access_list(registry: Registry, root: str, file: str) -> str:
    """The access list as mosquitto reads it; raises as `accounts` does."""
    lines = [_HEAD, *_of_service(root), *_of_viewer(root)]
    for account, devices in accounts(registry, file).items():
        lines += ["", f"user {account}", f"topic read {root}/v1/server/+/state"]
        for device in devices:
            lines += _of_device(root, device)
    return "\n".join(lines) + "\n"


def _of_service(root: str) -> Iterator[str]:
    yield f"user {SERVICE}"
    yield f"topic read {root}/v1/#"
    for topic in ("server/+/+", "alerts/#", "advice/+", *(f"{k}/+/+/ack" for k in topics.KINDS)):
        yield f"topic write {root}/v1/{topic}"


def _of_viewer(root: str) -> Iterator[str]:
    yield ""
    yield f"user {VIEWER}"
    yield f"topic read {root}/v1/#"


def _of_device(root: str, device: Device) -> Iterator[str]:
    place = device.kind, device.station, device.id
    for topic in (topics.obs_topic, topics.state_topic, topics.meta_topic):
        yield f"topic write {topic(root, *place)}"
    yield f"topic read {topics.ack_topic(root, *place)}"
