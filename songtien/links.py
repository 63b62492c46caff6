"""What devices say of their own link, and until when nobody misses what they measure."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from ingest.payload import DeviceState
from ingest.reading import IntArray
from ingest.registry import Registry
from ingest.series import SeriesTable


class Links:
    """The last word of each device.

    states : by device
    asleep_ms : int64[S], the time before which the silence of a series says nothing
    """

    def __init__(self, snapshot: Mapping[str, Any] | None = None) -> None:
        words = {} if snapshot is None else snapshot
        self.states = {device: msgspec.convert(s, DeviceState) for device, s in words.items()}
        self.asleep_ms: IntArray = np.empty(0, dtype=np.int64)

    def configure(self, registry: Registry, series: SeriesTable, listening_ms: int) -> None:
        """Put a registry in force. listening_ms : since when we listen without a break."""
        self._registry, self._series, self._listening_ms = registry, series, listening_ms
        self._successor = {d.replaces: d.id for d in registry.devices.values() if d.replaces}
        # After a start the broker first hands over what has waited for us: nobody is called
        # silent before we have listened for a moment.
        self.asleep_ms = np.full(len(series), listening_ms, dtype=np.int64)
        for device in self.states:  # in any order: a snapshot does not keep it
            self._note_sleep(device)

    def take(self, device: str, state: DeviceState | None) -> bool:
        """Take a device's word, None where it was taken back; whether it counts."""
        known = self.states.get(device)
        if state is None:
            self.states.pop(device, None)
        elif state.s == "lost" and known is not None and (state.boot or 0) < (known.boot or 0):
            return False  # the last will of an older life
        else:
            self.states[device] = state
        self._note_sleep(device)
        return True

    def snapshot(self) -> dict[str, Any]:
        return {device: msgspec.to_builtins(state) for device, state in self.states.items()}

    def _note_sleep(self, device: str) -> None:
        registry = self._registry
        if device not in registry.devices:
            return
        root = registry.root_device(device).id
        state, member = None, root
        while member:  # of those that replaced each other, the last that has said anything
            state, member = self.states.get(member, state), self._successor.get(member, "")
        until_ms = (state.until or 0) if state is not None and state.s == "sleeping" else 0
        for stream, _, _ in registry.devices[root].streams():
            for series in self._series.columns.get(stream, {}).values():
                self.asleep_ms[series] = max(until_ms, self._listening_ms)
