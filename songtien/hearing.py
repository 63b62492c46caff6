"""What a journal entry's messages say: decoded, told apart, refused where they are bad."""

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from alerts.notices import SELF_TEST
from ingest import topics
from ingest.journal import Messages
from ingest.payload import (
    DeviceState,
    SalinitySample,
    TrafficSample,
    decode_meta,
    decode_obs,
    decode_state,
)
from ingest.refusal import UNREADABLE, Reason, Refusal
from ingest.registered import device_of, probe_stream
from ingest.registry import Device, Registry
from ingest.sequence import Order, Sequencer
from ingest.store import DeadLetter
from songtien.outcome import Echo

MessageNumber = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Numbers(msgspec.Struct):
    boot: MessageNumber | None = None
    seq: MessageNumber | None = None


_NUMBERS = msgspec.json.Decoder(_Numbers)


@dataclass(slots=True)
class Part:
    """Samples of messages that can be taken in one go: at most the last closes a gap.

    Columns of probes' samples, in order of arrival, and traffic samples one by one.
    `settled` tells, by number of epoch, which waiting messages are now complete.
    """

    streams: list[str] = field(default_factory=list)
    samples: list[SalinitySample] = field(default_factory=list)
    ready: list[bool] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    origin: list[tuple[str, bytes]] = field(default_factory=list)
    traffic: list[tuple[str, TrafficSample, bool, tuple[str, bytes]]] = field(default_factory=list)
    settled: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Heard:
    """All that the messages of one entry said."""

    parts: list[Part] = field(default_factory=lambda: [Part()])
    received: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    letters: list[DeadLetter] = field(default_factory=list)
    links: list[tuple[str, DeviceState | None]] = field(default_factory=list)
    metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    canaries: list[int] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)

    def refuse(
        self, origin: tuple[str, bytes], refusal: Refusal, at_ms: int, *, counted: bool
    ) -> None:
        """Keep what is refused; `counted` samples stand in the accounting too."""
        topic, payload = origin
        self.letters.append(
            DeadLetter(at_ms, topic, refusal.reason, refusal.detail, len(payload), payload[:4096])
        )
        if counted:
            self.rejected[refusal.reason] += 1


@dataclass(frozen=True, slots=True)
class _Route:
    leaf: str
    device: Device
    root_device: str


class Hearing:
    """Decodes entries against a registry. Topics of its devices are looked up once."""

    def __init__(self, root: str, registry: Registry, sequencer: Sequencer) -> None:
        self._root = root
        self._registry = registry
        self._sequencer = sequencer
        self._routes: dict[str, _Route] = {}
        self._test_alert = topics.alert_topic(root, SELF_TEST.id, SELF_TEST.key)

    def hear(self, entry: Messages, now_ms: int) -> Heard:
        heard = Heard()
        for topic, payload in zip(entry.topics, entry.payloads, strict=True):
            route = self._routes.get(topic) or self._route(topic)
            if isinstance(route, _Route):
                self._device_says(heard, route, (topic, payload), now_ms)
            elif isinstance(route, Refusal):
                # Samples are what is counted; a state or meta of nobody we know is only kept.
                counted = not topic.endswith(("/state", "/meta"))
                heard.received += counted
                heard.refuse((topic, payload), route, now_ms, counted=counted)
            elif route.part == "canary":
                with contextlib.suppress(ValueError):  # another server's, in words of its own
                    heard.canaries.append(int(payload))
            elif route.part == "test" or topic == self._test_alert:
                heard.echoes.append((topic, payload))
        return heard

    def _device_says(
        self, heard: Heard, route: _Route, origin: tuple[str, bytes], now_ms: int
    ) -> None:
        payload = origin[1]
        if route.leaf == "obs":
            self._observations(heard, route, origin, now_ms)
        elif route.leaf == "state":
            state = decode_state(payload)
            if not isinstance(state, Refusal):
                heard.links.append((route.device.id, state))
                if state.s == "ready":  # it may have missed what was settled
                    heard.devices.add(route.device.id)
            elif state.reason is Reason.EMPTY:  # a retained state taken back
                heard.links.append((route.device.id, None))
            else:
                heard.refuse(origin, state, now_ms, counted=False)
        elif route.leaf == "meta":
            meta = decode_meta(payload)
            if not isinstance(meta, Refusal):
                heard.metas[route.device.id] = meta
            elif meta.reason is not Reason.EMPTY:
                heard.refuse(origin, meta, now_ms, counted=False)

    def _observations(
        self, heard: Heard, route: _Route, origin: tuple[str, bytes], now_ms: int
    ) -> None:
        found = decode_obs(origin[1], route.device.kind)
        if isinstance(found, Refusal):
            heard.received += 1
            heard.refuse(origin, found, now_ms, counted=True)
            self._settle_refused(heard, route, origin[1], now_ms)
            return
        heard.received += len(found.samples)
        order, boot, seq = Order.OPEN, found.boot or 0, -1
        if found.seq is not None:
            seq = found.seq
            order = self._sequencer.see(route.device.id, boot, seq, now_ms)
            heard.devices.add(route.device.id)
        epoch = -1
        if order is Order.OPEN and seq >= 0:
            epoch = self._sequencer.number(route.device.id)
        part = heard.parts[-1]
        for sample in found.samples:
            if isinstance(sample, Refusal):
                heard.refuse(origin, sample, now_ms, counted=True)
            elif isinstance(sample, SalinitySample):
                stream = probe_stream(route.device, route.root_device, sample)
                if isinstance(stream, Refusal):
                    heard.refuse(origin, stream, now_ms, counted=True)
                    continue
                part.streams.append(stream)
                part.samples.append(sample)
                part.ready.append(order is not Order.OPEN)
                part.epochs.append(epoch)
                part.seqs.append(seq)
                part.origin.append(origin)
            else:
                ready = order is not Order.OPEN
                part.traffic.append((route.root_device, sample, ready, origin))
        if order is Order.CLOSES_GAP:
            self._close_part(heard, route.device.id)

    def _settle_refused(self, heard: Heard, route: _Route, payload: bytes, now_ms: int) -> None:
        """A refused message is done with too: else its gateway would send it for ever."""
        try:
            numbers = _NUMBERS.decode(payload)
        except UNREADABLE:
            return
        if numbers.seq is not None:
            boot = numbers.boot or 0
            order = self._sequencer.see(route.device.id, boot, numbers.seq, now_ms)
            heard.devices.add(route.device.id)
            if order is Order.CLOSES_GAP:
                self._close_part(heard, route.device.id)

    def _close_part(self, heard: Heard, device: str) -> None:
        number = self._sequencer.number(device)
        heard.parts[-1].settled[number] = self._sequencer.settled(device)
        heard.parts.append(Part())

    def _route(self, topic: str) -> _Route | topics.Own | Refusal:
        found = topics.parse(topic, self._root)
        if not isinstance(found, topics.Topic):
            return found
        device = device_of(self._registry, found)
        if isinstance(device, Refusal):
            # These are as many, and as long, as people make up.
            return device
        route = _Route(found.leaf, device, self._registry.root_device(device.id).id)
        self._routes[topic] = route
        return route
