"""What is to be replayed: which part of a recording or a table, where to, in which passes.

A recording of messages is read twice and never held: once to know how long it is and that all of it can be read,
before anything is sent, and once to send it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from ingest.topics import KINDS, obs_topic
from simulators import replay
from simulators.filters import is_topic, matches
from simulators.mapping import Target
from simulators.message import Message
from simulators.recorded import Recorded, Track
from simulators.recording import Reach, read
from simulators.retime import Change, changed, counters

PACED_CHUNK_BYTES: Final = 2**17
"""Read together while others wait for their time: decoding it takes a millisecond or two."""

SERVICE_PARTS: Final = ("server", "alerts", "advice")
STEP_MS: Final = 1000
"""Between two passes, where no device has said anything twice."""

NOT_CHOSEN: Final = "not chosen"
OWN: Final = "said by a service"
NO_TOPIC: Final = "no topic to publish to"
UNMARKED: Final = "can't be marked as simulated"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages of a recording are replayed, and where to.

    filters : topic filters, of which one must match the recorded topic; none is all
    station, device : of the recorded topic
    from_ms, to_ms : what came in [from, to)
    everything : also what a service said: its state, alerts and advice, and acknowledgements
    root : in place of the recorded one; None keeps it
    sim : samples are marked as simulated, and what can't be marked is left out
    """

    filters: tuple[str, ...] = ()
    station: str | None = None
    device: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    everything: bool = False
    root: str | None = None
    sim: bool = False

    def holds(self, at_ms: int) -> bool:
        return (self.from_ms is None or at_ms >= self.from_ms) and (
            self.to_ms is None or at_ms < self.to_ms
        )


@dataclass(frozen=True, slots=True)
class Feed:
    """One pass, and how to play it.

    messages : how many a pass has
    first_ms, last_ms : times of the first and the last message, ms UTC; None where there is none
    step_ms : how long after the last one the next pass begins: as often as a device speaks
    roots : where it is published to
    play : (shift in ms, number of the pass from 0) -> messages in the order of their times
    left_out : what is not sent, by reason
    """

    messages: int
    first_ms: int | None
    last_ms: int | None
    step_ms: int
    roots: tuple[str, ...]
    play: Callable[[int, int], Iterator[Message]]
    left_out: Mapping[str, int] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A recorded topic: why it is left out (empty: it is not), where it goes, who speaks."""

    why: str
    topic: str
    root: str = ""
    leaf: str = ""
    device: str = ""


@dataclass(slots=True)
class _Device:
    """What a device said: how often it sent samples, from when to when, and which numbers."""

    first_ms: int = 0
    last_ms: int = 0
    messages: int = 0
    boots: tuple[int, int] | None = None
    seqs: tuple[int, int] | None = None

    def speaks(self, at_ms: int) -> None:
        """A message with samples. States come when they like, and retained ones first of all."""
        if not self.messages:
            self.first_ms = at_ms
        self.last_ms = at_ms
        self.messages += 1

    def note(self, payload: bytes) -> None:
        said = counters(payload)
        if said is not None and said.boot is not None:
            self.boots = _with(self.boots, said.boot)
        elif said is not None and said.seq is not None:
            self.seqs = _with(self.seqs, said.seq)

    def change(self, shift_ms: int, number: int, now_s: int | None, *, sim: bool) -> Change:
        """Numbers that go on rising from pass to pass: of boots, or of messages without one."""
        boot = seq = 0
        if self.boots is not None:
            low, high = self.boots
            boot = (0 if now_s is None else now_s - low) + number * (high - low + 1)
        elif self.seqs is not None:
            low, high = self.seqs
            seq = number * (high - low + 1)
        return Change(shift_ms, boot, seq, sim)


@dataclass(slots=True)
class _Way:
    """A message of the recording on its way: what is left out is counted where it is asked for."""

    choice: Choice
    topics: dict[str, _Heard] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def chosen(self, messages: Iterator[Message]) -> Iterator[tuple[int, Message, _Heard]]:
        """The messages to send with their times, which stand still where they would fall."""
        at_ms = 0
        for message in messages:
            at_ms = max(at_ms, message.publish_ms)
            heard = self.topics.get(message.topic)
            if heard is None:
                heard = self.topics[message.topic] = _heard(message.topic, self.choice)
            if heard.why or not self.choice.holds(at_ms):
                self.left_out[heard.why or NOT_CHOSEN] += 1
            elif self.choice.sim and (
                heard.leaf != "obs" or changed("obs", message.payload, Change()) is None
            ):
                # A state would change what is known of the real device, and unreadable bytes
                # would stand among its own.
                self.left_out[UNMARKED] += 1
            else:
                yield at_ms, message, heard


def feed_of(
    path: Path, choice: Choice, *, now_s: int | None = None, repeated: bool = False
) -> Feed:
    """Look through a recording from front to end.

    now_s : where boots begin anew, as of devices started then, in seconds; None keeps them
    repeated : there will be several passes
    Raises ConfigError with file and line for what can't be read; what is cut off is played up
    to there, and `reach` says so.
    """
    way = _Way(choice)
    devices: dict[str, _Device] = {}
    numbered = now_s is not None or repeated
    found = read(path, whole=False)
    count, first_ms, last_ms = 0, None, None
    for at_ms, message, heard in way.chosen(found.messages):
        count += 1
        first_ms = at_ms if first_ms is None else first_ms
        last_ms = at_ms
        if heard.device:
            device = devices.setdefault(heard.device, _Device())
            if heard.leaf == "obs":
                device.speaks(at_ms)
            if numbered:
                device.note(message.payload)

    def play(shift_ms: int, number: int) -> Iterator[Message]:
        return _played(path, choice, devices, now_s, shift_ms, number)

    return Feed(
        count,
        first_ms,
        last_ms,
        _step_ms(devices),
        tuple(sorted({heard.root for heard in way.topics.values() if not heard.why} - {""})),
        play,
        dict(way.left_out),
        found.reach,
    )


def table_feed(recorded: Recorded, choice: Choice, *, root: str, batch: int, boot: int) -> Feed:
    """The rows of a table as messages. Each pass is a boot of its own.

    batch : rows in a message; boot : of the first pass
    """
    tracks = tuple(
        _part(track, choice) for track in recorded.tracks if _speaks(track.target, choice, root)
    )
    part = replace(recorded, tracks=tracks)
    not_chosen = _rows(recorded.tracks) - _rows(tracks)
    span = replay.span_ms(part)

    def play(shift_ms: int, number: int) -> Iterator[Message]:
        return replay.messages(
            part, root=root, shift_ms=shift_ms, batch=batch, boot=boot + number, sim=choice.sim
        )

    steps = [
        int(track.t_ms[-1] - track.t_ms[0]) / (len(track.t_ms) - 1)
        for track in tracks
        if len(track.t_ms) > 1
    ]
    return Feed(
        sum(-(-len(track.t_ms) // batch) for track in tracks),
        None if span is None else span[0],
        None if span is None else span[1],
        _usual(steps),
        (root,),
        play,
        {NOT_CHOSEN: not_chosen} if not_chosen else {},
    )


def _rows(tracks: Iterable[Track]) -> int:
    return sum(len(track.t_ms) for track in tracks)


def _speaks(target: Target, choice: Choice, root: str) -> bool:
    topic = obs_topic(root, target.kind, target.station, target.device)
    return (
        (not choice.filters or any(matches(each, topic) for each in choice.filters))
        and choice.station in (None, target.station)
        and choice.device in (None, target.device)
    )


def _part(track: Track, choice: Choice) -> Track:
    """The rows in the chosen time. A camera's sample comes at the end of its interval."""
    ends = track.t_ms + track.target.interval_ms
    low = 0 if choice.from_ms is None else int(np.searchsorted(ends, choice.from_ms))
    high = len(ends) if choice.to_ms is None else int(np.searchsorted(ends, choice.to_ms))
    return replace(
        track,
        t_ms=track.t_ms[low:high],
        columns={name: values[low:high] for name, values in track.columns.items()},
        labelled=None if track.labelled is None else track.labelled[low:high],
    )


def _played(
    path: Path,
    choice: Choice,
    devices: Mapping[str, _Device],
    now_s: int | None,
    shift_ms: int,
    number: int,
) -> Iterator[Message]:
    changes = {
        name: device.change(shift_ms, number, now_s, sim=choice.sim)
        for name, device in devices.items()
    }
    nothing = Change()
    found = read(path, whole=False, chunk_bytes=PACED_CHUNK_BYTES)
    for at_ms, message, heard in _Way(choice).chosen(found.messages):
        payload, samples = message.payload, 0
        change = changes.get(heard.device, nothing)
        if change != nothing:
            after = changed(heard.leaf, payload, change)
            payload, samples = after if after is not None else (payload, 0)
        elif heard.leaf == "obs":
            said = counters(payload)
            samples = len(said.samples) if said is not None else 0
        yield Message(at_ms + shift_ms, heard.topic, payload, samples, message.retain)


def _heard(topic: str, choice: Choice) -> _Heard:
    """What a recorded topic is: where no device speaks by the grammar, it has neither leaf nor
    device, and its payloads pass as they are.
    """
    root, between, rest = topic.partition("/v1/")
    levels = rest.split("/")
    speaks = bool(between) and len(levels) == 4 and levels[0] in KINDS
    if not is_topic(topic):
        return _Heard(NO_TOPIC, topic)
    if not choice.everything and (
        (speaks and levels[3] == "ack") or (between and levels[0] in SERVICE_PARTS)
    ):
        return _Heard(OWN, topic)
    wanted = (
        (not choice.filters or any(matches(each, topic) for each in choice.filters))
        and choice.station in (None, levels[1] if speaks else "")
        and choice.device in (None, levels[2] if speaks else "")
    )
    if not wanted:
        return _Heard(NOT_CHOSEN, topic)
    if choice.root is not None:
        topic = f"{choice.root}/v1/{rest}" if between else _first_level(topic, choice.root)
        root = choice.root
    if not speaks or levels[3] not in ("obs", "state"):
        return _Heard("", topic, root if between else "")
    return _Heard("", topic, root, levels[3], topic.rpartition("/")[0])


def _first_level(topic: str, root: str) -> str:
    return f"{root}/{topic.partition('/')[2]}" if "/" in topic else f"{root}/{topic}"


def _step_ms(devices: Mapping[str, _Device]) -> int:
    """How often a device usually speaks."""
    steps = [
        (device.last_ms - device.first_ms) / (device.messages - 1)
        for device in devices.values()
        if device.messages > 1
    ]
    return _usual(steps)


def _usual(steps: list[float]) -> int:
    return max(1, round(median(steps))) if steps else STEP_MS


def _with(pair: tuple[int, int] | None, number: int) -> tuple[int, int]:
    return (number, number) if pair is None else (min(pair[0], number), max(pair[1], number))
