"""The messages of devices in the order in which they arrive, with what happens on the way.

Samples are computed and encoded in blocks of some thousand; how long a block is shows in no byte.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

import numpy as np

from ingest.registry import Device
from simulators import grid
from simulators.columns import encoded
from simulators.faults import FOREVER_MS, MESSAGES, Fault, Sent, in_order
from simulators.message import Message, Sender
from simulators.world import World

_BLOCK_ROWS_MOST = 4_000
_ROWS_HELD = 200_000
"""About so many samples of all devices are held as text at a time."""

_AT = attrgetter("publish_ms")


def messages(
    world: World,
    *,
    root: str,
    start_ms: int,
    duration_ms: int,
    boot: int | None = None,
    sim: bool = False,
    block_rows: int | None = None,
) -> Iterator[Message]:
    """Messages of all devices over [start, start + duration), in the order in which they arrive.

    A probe sends one message for each of its intervals, a camera one at the end of each of
    its intervals, within a second and a half; `boot` is by default the minute of the start.
    A fault may have one arrive later than the run ends.
    block_rows : samples of a device that are computed together; what is sent does not show it
    """
    devices = world.devices()
    number = start_ms // 60_000 if boot is None else boot
    rows = block_rows or min(_BLOCK_ROWS_MOST, max(10, _ROWS_HELD // max(1, len(devices))))
    lines = [
        _arriving(
            world,
            device,
            Sender(root, device.kind, device.station, device.id, boot=number, sim=sim),
            (start_ms, start_ms + duration_ms),
            rows,
            sim=sim,
        )
        for device in devices
    ]
    return lines[0] if len(lines) == 1 else heapq.merge(*lines, key=_AT)


def _arriving(
    world: World, device: Device, sender: Sender, window: tuple[int, int], rows: int, *, sim: bool
) -> Iterator[Message]:
    """One device's messages as they arrive."""
    faults = in_order(f for f in world.faults if f.device == device.id and f.kind in MESSAGES)
    faults = tuple(f for f in faults if f.from_ms < window[1] and f.to_ms > window[0])
    blocks = _blocks(world, device, window, rows, sim=sim)
    if not faults:
        for block in blocks:
            if len(block.ends) == len(block.texts):
                yield from sender.singles(block.sent_ms, block.texts)
            else:
                for sent_ms, texts in block.moments():
                    yield from sender.said(sent_ms, texts)
        return
    lives = [f for f in faults if f.kind == "reboot"]
    flaps = [f for f in faults if f.kind == "flapping"]
    stream = _numbered(blocks, sender, window, lives, flaps)
    scene = world.scene(device)
    for fault in faults:
        change = MESSAGES[fault.kind].change
        if change is not None:
            stream = change(stream, fault, scene)
    yield from _by_arrival(stream)


@dataclass(frozen=True, slots=True)
class _Block:
    """Samples as JSON, and which of them are sent together: `ends` of them, and when."""

    sent_ms: list[int]
    ends: list[int]
    texts: list[bytes]

    def moments(self) -> Iterator[tuple[int, list[bytes]]]:
        """When the device sends, and the samples that it has by then."""
        begin = 0
        for sent_ms, end in zip(self.sent_ms, self.ends, strict=True):
            yield sent_ms, self.texts[begin:end]
            begin = end


def _blocks(
    world: World, device: Device, window: tuple[int, int], rows: int, *, sim: bool
) -> Iterator[_Block]:
    each_ms = grid.interval_ms(device)
    times = max(1, rows // max(1, len(device.levels), len(device.lanes)))
    for start_ms in range(window[0], window[1], times * each_ms):
        end_ms = min(start_ms + times * each_ms, window[1])
        columns = world.columns(device, start_ms, end_ms)
        if not len(columns):
            continue
        first = np.flatnonzero(np.r_[True, columns.at_ms[1:] != columns.at_ms[:-1]])
        at_ms = columns.at_ms[first]
        sent_ms = at_ms + grid.delay_ms(at_ms, each_ms, world.seed, world.name, device.id)
        ends = [*first[1:].tolist(), len(columns)]
        yield _Block(sent_ms.tolist(), ends, encoded(columns, sim=sim))


def _numbered(
    blocks: Iterator[_Block],
    sender: Sender,
    window: tuple[int, int],
    lives: Sequence[Fault],
    flaps: Sequence[Fault],
) -> Iterator[Sent]:
    """Messages with `boot` and `seq`, and between them what the device's state says.

    A device says its state only where a fault is about it: what is retained would else stand
    at the broker for ever when the run is over.
    """
    said = _life(window, lives, flaps)
    downs = 0  # two that overlap are one: the device is born when the last is over
    waiting = next(said, None)
    moments = chain.from_iterable(block.moments() for block in blocks)
    for sent_ms, texts in chain(moments, [(FOREVER_MS, [])]):
        while waiting is not None and waiting[0] <= sent_ms:
            downs += {"down": 1, "boot": -1}.get(waiting[1], 0)
            yield from _told(*waiting, sender, down=downs > 0)
            waiting = next(said, None)
        if not downs:
            for message in sender.said(sent_ms, texts):
                yield Sent(sent_ms, message)


def _told(at_ms: int, what: str, sender: Sender, *, down: bool) -> Iterator[Sent]:
    if what == "will" or (what == "lost" and not down):
        yield Sent(at_ms, sender.lost(at_ms))
    elif what in ("boot", "birth", "ready") and not down:
        if what == "boot":
            sender.restart()
        yield Sent(at_ms, sender.state(at_ms, "ready"))


def _life(
    window: tuple[int, int], lives: Sequence[Fault], flaps: Sequence[Fault]
) -> Iterator[tuple[int, str]]:
    """What happens to the device itself, in order: birth, down, will, boot; lost, ready."""
    begin_ms, end_ms = window
    found: list[tuple[int, int, str]] = []
    if not (lives or flaps):
        return
    if not any(life.from_ms <= begin_ms < life.to_ms for life in lives):
        found.append((begin_ms, 0, "birth"))
    for life in lives:
        will_ms = life.from_ms + round(life.number("will_after_s") * 1000)
        found.append((max(life.from_ms, begin_ms), 1, "down"))
        if will_ms < life.to_ms:
            found.append((will_ms, 2, "will"))
        found.append((life.to_ms, 3, "boot"))
    for flap in flaps:
        every_ms = round(flap.number("every_s") * 1000)
        for lost_ms in range(flap.from_ms, min(flap.to_ms, end_ms), every_ms):
            found.append((lost_ms, 4, "lost"))
            found.append((min(lost_ms + every_ms // 2, flap.to_ms), 5, "ready"))
    yield from ((at, what) for at, _, what in sorted(found) if begin_ms <= at < end_ms)


def _by_arrival(stream: Iterator[Sent]) -> Iterator[Message]:
    """In the order of arrival; nothing arrives before it is sent."""
    held: list[tuple[int, int, Message]] = []
    for number, (sent_ms, message) in enumerate(stream):
        while held and held[0][0] < sent_ms:
            yield heapq.heappop(held)[2]
        heapq.heappush(held, (message.publish_ms, number, message))
    while held:
        yield heapq.heappop(held)[2]
