"""What a device says: MQTT messages with rising `seq`, within the limits of the contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ingest.payload import PAYLOAD_BYTES_MAX, SAMPLES_MAX
from ingest.topics import obs_topic, state_topic

_HEAD_BYTES = 128  # for the braces and numbers around the samples


class Message(msgspec.Struct, frozen=True, gc=False):
    """One MQTT message. `publish_ms` is when the device sends it, UTC; `samples` its content.

    A struct, and none of the garbage collector's: a season is millions of them.
    """

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
        self._head = self._of_boot()
        self._mark: dict[str, object] = {"sim": True} if sim else {}

    def obs(self, publish_ms: int, samples: Iterable[Mapping[str, object]]) -> Iterator[Message]:
        """As few messages as the limits allow (500 samples, 64 KiB), in the order given."""
        encode = msgspec.json.encode
        return self.said(publish_ms, (encode({**sample, **self._mark}) for sample in samples))

    def said(self, publish_ms: int, samples: Iterable[bytes]) -> Iterator[Message]:
        """The same of samples that are JSON already (`simulators.columns.encoded`)."""
        held: list[bytes] = []
        size = _HEAD_BYTES
        for encoded in samples:
            if held and (len(held) == SAMPLES_MAX or size + len(encoded) > PAYLOAD_BYTES_MAX):
                yield self.message(publish_ms, held)
                held, size = [], _HEAD_BYTES
            held.append(encoded)
            size += len(encoded) + 1
        if held:
            yield self.message(publish_ms, held)

    def message(self, publish_ms: int, encoded: Sequence[bytes]) -> Message:
        """One message of samples that are JSON already, within the limits."""
        self._seq += 1
        payload = b'%b%d,"samples":[%b]}' % (self._head, self._seq, b",".join(encoded))
        return Message(publish_ms, self._topic, payload, len(encoded))

    def singles(self, publish_ms: Sequence[int], samples: Sequence[bytes]) -> list[Message]:
        """A message for each sample, which all are JSON already and within the limits."""
        head, topic, first = self._head, self._topic, self._seq + 1
        self._seq += len(samples)
        return [
            Message(at, topic, b'%b%d,"samples":[%b]}' % (head, seq, sample), 1)
            for seq, (at, sample) in enumerate(zip(publish_ms, samples, strict=True), first)
        ]

    def restart(self) -> None:
        """A new boot: its number is one higher, and `seq` begins again."""
        self._boot += 1
        self._seq = 0
        self._head = self._of_boot()

    def state(self, publish_ms: int, state: str) -> Message:
        """The retained state: `ready` at birth, `bye` at a clean end."""
        payload = msgspec.json.encode({"s": state, "boot": self._boot, "t": publish_ms})
        return Message(publish_ms, self._state_topic, payload, retain=True)

    def lost(self, publish_ms: int) -> Message:
        """The last will that the broker publishes: made at birth, so that it has no time."""
        payload = msgspec.json.encode({"s": "lost", "boot": self._boot})
        return Message(publish_ms, self._state_topic, payload, retain=True)

    def _of_boot(self) -> bytes:
        return b'{"v":1,"boot":%d,"seq":' % self._boot
