"""The order of a device's messages: `boot` and `seq`, gaps in them, and what is settled.

`seq` rises by one with each message of a boot. It serves order, gaps and the
acknowledgement to gateways, never identity: a device whose boot falls starts anew and
loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

GAP_PATIENCE_MS = 60_000
"""A missing message is waited for so long; then it is passed and listed."""

MISSING_MAX = 1000
BEYOND_MAX = 10_000
"""A device that leaps by more open numbers than this has its gap passed at once."""

EPOCHS_KEPT = 2
"""Boots remembered per device: a late message of the boot before is not a new boot."""


class Order(Enum):
    """How a message stands to those before it in its boot."""

    OPEN = auto()  # something before it is missing, or it came again
    CONTIGUOUS = auto()
    CLOSES_GAP = auto()  # contiguous, and messages that were waiting now are too


@dataclass(slots=True)
class Epoch:
    """One boot of one device. All numbers up to `settled` are in, or listed as missing."""

    boot: int
    settled: int
    number: int
    beyond: set[int] = field(default_factory=set)
    gap_since_ms: int | None = None
    missing: list[int] = field(default_factory=list)

    def absorb(self, now_ms: int) -> None:
        while self.settled + 1 in self.beyond:
            self.settled += 1
            self.beyond.discard(self.settled)
        if not self.beyond:
            self.gap_since_ms = None
        elif self.gap_since_ms is None:
            self.gap_since_ms = now_ms

    def pass_gap(self, now_ms: int) -> None:
        first = min(self.beyond)
        skipped = range(max(self.settled + 1, first - MISSING_MAX), first)
        self.missing = [*self.missing, *skipped][-MISSING_MAX:]
        self.settled = first - 1
        self.gap_since_ms = None
        self.absorb(now_ms)


@dataclass(frozen=True, slots=True)
class Ack:
    """What is settled of a device's boot: its gateway may free its buffer up to `seq`."""

    boot: int
    seq: int
    missing: tuple[int, ...]


class Sequencer:
    """The epochs of all devices. Python per message: a dictionary look-up is the work."""

    def __init__(self, snapshot: Mapping[str, Any] | None = None) -> None:
        self._epochs: dict[str, list[Epoch]] = {}
        self._gaps: dict[tuple[str, int], int] = {}
        state = snapshot or {"epochs": {}, "begun": 0}
        self._begun: int = state["begun"]
        for device, rows in state["epochs"].items():
            self._epochs[device] = [
                Epoch(boot, settled, number, set(beyond), gap, list(missing))
                for boot, settled, number, beyond, gap, missing in rows
            ]
            for epoch in self._epochs[device]:
                self._note_gap(device, epoch)

    def see(self, device: str, boot: int, seq: int, now_ms: int) -> Order:
        """Take note of a message."""
        epochs = self._epochs.setdefault(device, [])
        for place, epoch in enumerate(epochs):
            if epoch.boot == boot:
                if place:
                    epochs.insert(0, epochs.pop(place))
                return self._within(device, epoch, seq, now_ms)
        epochs.insert(0, Epoch(boot, seq, self._begun))
        self._begun += 1
        for forgotten in epochs[EPOCHS_KEPT:]:
            self._gaps.pop((device, forgotten.boot), None)
        del epochs[EPOCHS_KEPT:]
        return Order.CONTIGUOUS

    def _within(self, device: str, epoch: Epoch, seq: int, now_ms: int) -> Order:
        if seq == epoch.settled + 1:
            epoch.settled = seq
            if not epoch.beyond:
                return Order.CONTIGUOUS
            epoch.gap_since_ms = None
            epoch.absorb(now_ms)
            self._note_gap(device, epoch)
            return Order.CLOSES_GAP
        if seq > epoch.settled:
            epoch.beyond.add(seq)
            if epoch.gap_since_ms is None:
                epoch.gap_since_ms = now_ms
            if len(epoch.beyond) > BEYOND_MAX:
                epoch.pass_gap(now_ms)
            self._note_gap(device, epoch)
        elif seq in epoch.missing:
            epoch.missing.remove(seq)
        return Order.OPEN

    def unbroken(self, device: str) -> tuple[int, int] | None:
        """Boot and last number of a device heard without a gap; None for any other."""
        epochs = self._epochs.get(device)
        if not epochs or epochs[0].beyond:
            return None
        return epochs[0].boot, epochs[0].settled

    def run_on(self, device: str, seq: int) -> None:
        """Take note of an unbroken device's messages up to a number, each after the other."""
        self._epochs[device][0].settled = seq

    def number(self, device: str) -> int:
        """The number of the epoch that was heard last, by which its readings find it again.

        No two epochs ever have the same.
        """
        return self._epochs[device][0].number

    def settled(self, device: str) -> int:
        """Up to which number nothing is open in the epoch that was heard last."""
        return self._epochs[device][0].settled

    def ack(self, device: str) -> Ack | None:
        """The acknowledgement of the boot that was heard last; None without numbers."""
        epochs = self._epochs.get(device)
        if not epochs:
            return None
        return Ack(epochs[0].boot, epochs[0].settled, tuple(epochs[0].missing))

    def acks(self) -> dict[str, Ack]:
        found = {device: self.ack(device) for device in self._epochs}
        return {device: ack for device, ack in found.items() if ack is not None}

    def next_due_ms(self) -> int | None:
        """When the oldest open gap will have been waited for long enough."""
        return min(self._gaps.values(), default=None)

    def advance(self, now_ms: int) -> list[str]:
        """Pass the gaps that are due; returns their devices."""
        due = sorted(key for key, at_ms in self._gaps.items() if at_ms <= now_ms)
        for device, boot in due:
            epoch = next(epoch for epoch in self._epochs[device] if epoch.boot == boot)
            epoch.pass_gap(now_ms)
            self._note_gap(device, epoch)
        return [device for device, _ in due]

    def snapshot(self) -> dict[str, Any]:
        return {
            "epochs": {
                device: [
                    [
                        e.boot,
                        e.settled,
                        e.number,
                        sorted(e.beyond),
                        e.gap_since_ms,
                        list(e.missing),
                    ]
                    for e in epochs
                ]
                for device, epochs in self._epochs.items()
            },
            "begun": self._begun,
        }

    def _note_gap(self, device: str, epoch: Epoch) -> None:
        key = (device, epoch.boot)
        if epoch.gap_since_ms is None:
            self._gaps.pop(key, None)
        else:
            self._gaps[key] = epoch.gap_since_ms + GAP_PATIENCE_MS
