"""What a device says: MQTT messages with rising `seq`, within the limits of the contract."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from ingest.payload import PAYLOAD_BYTES_MAX, SAMPLES_MAX
from ingest.topics import obs_topic, state_topic

_HEAD_BYTES = 128  # for the braces and numbers around the samples


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message. `publish_ms` is when the device sends it, UTC; `samples` its content."""

    publish_ms: int
    topic: str
    payload: bytes
    samples: int = 0
    retain: bool = False


class Sender:
    """One device on the wire: its topic, its boot, and the seq of its next message."""

    def __init__(
        self, root: str, kind: str, station: str, device: str, *, boot: int, sim: bool = False
    ) -> None:
        self._topic = obs_topic(root, kind, station, device)
        self._state_topic = state_topic(root, kind, station, device)
        self._boot = boot
        self._seq = 0
        self._mark: dict[str, object] = {"sim": True} if sim else {}

    def obs(self, publish_ms: int, samples: Iterable[Mapping[str, object]]) -> Iterator[Message]:
        """As few messages as the limits allow (500 samples, 64 KiB), in the order given."""
        held: list[bytes] = []
        size = _HEAD_BYTES
        for sample in samples:
            encoded = msgspec.json.encode({**sample, **self._mark})
            if held and (len(held) == SAMPLES_MAX or size + len(encoded) > PAYLOAD_BYTES_MAX):
                yield self._message(publish_ms, held)
                held, size = [], _HEAD_BYTES
            held.append(encoded)
            size += len(encoded) + 1
        if held:
            yield self._message(publish_ms, held)

    def state(self, publish_ms: int, state: str) -> Message:
        """The retained state: `ready` at birth, `bye` at a clean end."""
        payload = msgspec.json.encode({"s": state, "boot": self._boot, "t": publish_ms})
        return Message(publish_ms, self._state_topic, payload, retain=True)

    def _message(self, publish_ms: int, encoded: list[bytes]) -> Message:
        self._seq += 1
        head = f'{{"v":1,"boot":{self._boot},"seq":{self._seq},"samples":['.encode()
        return Message(publish_ms, self._topic, head + b",".join(encoded) + b"]}", len(encoded))
