"""A check of what devices send: what the service would refuse, and what is probably not meant.

`lint` looks at one message, `Lint` at a sequence of them. What is refused is decided by the
functions with which the service decides it (`ingest.payload`, `ingest.registered`,
`ingest.probes.against`, `ingest.lanes.clash`), so there is an error exactly where the
service would count a rejected sample; what to do about it is said here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from ingest import topics
from ingest.lanes import Lanes
from ingest.lint_camera import camera_findings
from ingest.lint_fields import (
    ENVELOPE_FIELDS,
    document_of,
    each_sample,
    numbers_of,
    refused_message,
)
from ingest.lint_finding import Finding, Severity, errors, warning
from ingest.lint_last import Last
from ingest.lint_link import (
    meta_findings,
    sending_findings,
    sends_ec25,
    state_findings,
    topic_findings,
)
from ingest.lint_names import unknown_fields
from ingest.lint_order import Order, Series, future
from ingest.lint_probe import derived, probe_findings
from ingest.lint_registry import announced, quantities_of, slow, unregistered
from ingest.payload import Observations, SalinitySample, TrafficSample, decode_obs
from ingest.refusal import Refusal
from ingest.registered import device_of, probe_stream
from ingest.registry import Device, Registry

__all__ = ["Context", "Finding", "Lint", "Severity", "lint"]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a message beside its topic and its bytes.

    registry : holds it against the registered devices, where there is one
    at_ms : when it arrived, ms UTC; now_ms : a time after which nothing can have been
    measured, the arrival where it is known
    retain, qos : as it was sent; None where nobody knows
    """

    root: str = "tiengiang"
    registry: Registry | None = None
    at_ms: int | None = None
    now_ms: int | None = None
    retain: bool | None = None
    qos: int | None = None


def lint(topic: str, payload: bytes, context: Context) -> list[Finding]:
    """What is wrong with one message by itself, in the order of its fields."""
    return Lint(context.root, context.registry).hear(topic, payload, context)


@dataclass(slots=True)
class _Sender:
    """What is remembered of one device."""

    order: Order = field(default_factory=Order)
    sent: set[str] = field(default_factory=set)
    registered: Device | None = None
    ec25: bool = False
    messages: int = 0
    lag_ms_min: int | None = None


class Lint:
    """A sequence of messages. What `hear` finds is of one message after those before it.

    messages, samples, taken, duplicates : how many there were, and would become of them;
    passed_over : messages on topics that the service writes itself
    last : the newest sample that would be taken
    """

    def __init__(self, root: str = "tiengiang", registry: Registry | None = None) -> None:
        self._root = root
        self._registry = registry
        self._lanes = None if registry is None else Lanes(registry, 0)
        self._senders: dict[str, _Sender] = {}
        self._streams: dict[str, Series] = {}
        self.messages = self.samples = self.taken = self.duplicates = self.passed_over = 0
        self.last: Last | None = None

    def hear(self, topic: str, payload: bytes, context: Context) -> list[Finding]:
        """What is wrong with the next message."""
        found = topics.parse(topic, self._root)
        if isinstance(found, topics.Own) or (
            isinstance(found, topics.Topic) and found.leaf == "ack"
        ):
            self.passed_over += 1
            return []
        self.messages += 1
        if isinstance(found, Refusal):
            return list(topic_findings(topic, found, self._root))
        device = None if self._registry is None else device_of(self._registry, found)
        if isinstance(device, Refusal):
            # Nothing of it is taken, and its fields can be right or wrong all the same.
            alone = replace(context, root=self._root, registry=None)
            return [*unregistered(device, found, self._registry), *lint(topic, payload, alone)]
        sender = self._senders.setdefault(found.device, _Sender())
        sender.registered = device
        told = list(
            sending_findings(found.leaf, len(payload), retain=context.retain, qos=context.qos)
        )
        document = document_of(payload)
        if found.leaf == "obs":
            told.extend(self._obs(found, sender, payload, document, context))
        elif found.leaf == "state":
            told.extend(state_findings(payload, document, context.now_ms))
        else:
            told.extend(meta_findings(payload, document))
            sender.ec25 = isinstance(document, Mapping) and sends_ec25(document)
        return sorted(told, key=lambda finding: finding.sample)

    def finish(self) -> list[tuple[str, Finding]]:
        """What only the whole shows, with the device that it is of; in order of devices."""
        return [
            (name, finding)
            for name, sender in sorted(self._senders.items())
            for finding in chain(
                announced(sender.registered, sender.sent), slow(sender.lag_ms_min, sender.messages)
            )
        ]

    def _obs(
        self, topic: topics.Topic, sender: _Sender, payload: bytes, document: Any, context: Context
    ) -> Iterator[Finding]:
        found = decode_obs(payload, topic.kind)
        boot, seq = numbers_of(document)
        if isinstance(found, Refusal):
            yield from refused_message(found, payload, document)
            if isinstance(document, Mapping) and "t" not in document and "t0" not in document:
                yield from unknown_fields(document, ENVELOPE_FIELDS, "")
            if seq is not None:  # settled like any other, so it is one of the sequence
                yield from sender.order.message(boot, seq, payload)
            return
        sent = document if isinstance(document, Mapping) else {"samples": [{}] * len(found.samples)}
        yield from unknown_fields(sent, ENVELOPE_FIELDS, "")
        in_order = sender.order.in_order(found.boot, found.seq)
        yield from sender.order.message(found.boot, found.seq, payload)
        yield from each_sample(found, sent, topic.kind)
        yield from self._samples(topic, sender, found, sent, context, in_order=in_order)

    def _samples(
        self,
        topic: topics.Topic,
        sender: _Sender,
        found: Observations[Any],
        document: Mapping[str, Any],
        context: Context,
        *,
        in_order: bool,
    ) -> Iterator[Finding]:
        self.samples += len(found.samples)
        sender.messages += 1
        good = [
            (f"samples[{index}]", sample, document["samples"][index])
            for index, sample in enumerate(found.samples)
            if not isinstance(sample, Refusal)
        ]
        if not good:
            return
        if context.at_ms is not None and in_order:
            newest_ms = max(s.t if topic.kind == "salinity" else s.t1 for _, s, _ in good)
            lag_ms = context.at_ms - newest_ms
            before = sender.lag_ms_min
            sender.lag_ms_min = lag_ms if before is None else min(before, lag_ms)
        if topic.kind == "salinity":
            yield from self._probe(topic, sender, good, context, in_order=in_order)
        else:
            yield from self._camera(topic, sender, good, context, in_order=in_order)

    def _probe(
        self,
        topic: topics.Topic,
        sender: _Sender,
        good: list[tuple[str, SalinitySample, Mapping[str, Any]]],
        context: Context,
        *,
        in_order: bool,
    ) -> Iterator[Finding]:
        quantities = derived([sample for _, sample, _ in good])
        yield from probe_findings(good, quantities)
        device = sender.registered
        for index, (where, sample, _) in enumerate(good):
            values = {n: float(v[index]) for n, v in quantities.items() if not np.isnan(v[index])}
            stream: str | Refusal = topic.device
            if self._registry is not None and device is not None:
                root_device = self._registry.root_device(device.id).id
                stream = probe_stream(device, root_device, sample)
            if isinstance(stream, Refusal):
                yield from errors(stream, where)
                continue
            series = self._of_stream(stream)
            new, finding = series.probe_sample(
                where, sample, values, levels_known=device is not None
            )
            yield from self._judged(new, finding)
            yield from future(f"{where}.t", sample.t, context.now_ms)
            if finding is not None and finding.severity is Severity.ERROR:
                continue
            sender.sent.update(values)
            expected_s = None if device is None else device.expected_s
            if new:
                self.last = Last(topic.device, sample, values)
                yield from series.time(f"{where}.t", sample.t, expected_s, in_order=in_order)
            if sender.ec25 and sample.ec_ms_cm is not None and sample.ec25_ms_cm is None:
                text = "meta says that it is compensated to 25 °C: then send it as ec25_ms_cm"
                yield warning("ec25-as-ec", f"{where}.ec_ms_cm", sample.ec_ms_cm, text)

    def _camera(
        self,
        topic: topics.Topic,
        sender: _Sender,
        good: list[tuple[str, TrafficSample, Mapping[str, Any]]],
        context: Context,
        *,
        in_order: bool,
    ) -> Iterator[Finding]:
        yield from camera_findings(good)
        device = sender.registered
        for where, sample, _ in good:
            root_device = topic.device
            if self._registry is not None and self._lanes is not None and device is not None:
                root_device = self._registry.root_device(device.id).id
                unknown = self._lanes.unknown(root_device, sample)
                if unknown is not None:
                    yield from errors(unknown, where)
                    continue
            series = self._of_stream(f"{root_device}/{sample.dir}/{sample.lane}")
            new, finding = series.lane_sample(where, sample)
            yield from self._judged(new, finding)
            yield from future(f"{where}.t1", sample.t1, context.now_ms)
            if finding is not None and finding.severity is Severity.ERROR:
                continue
            sender.sent.update(quantities_of(sample))
            if not new:
                continue
            self.last = Last(topic.device, sample, {})
            expected_s = None if device is None else device.expected_s
            if in_order:
                yield from series.counts(where, sample)
            yield from series.time(f"{where}.t1", sample.t1, expected_s, in_order=in_order)
            yield from series.length(f"{where}.t1", sample, expected_s)

    def _of_stream(self, stream: str) -> Series:
        return self._streams.setdefault(stream, Series())

    def _judged(self, new: bool, finding: Finding | None) -> Iterator[Finding]:  # noqa: FBT001 - what a series said
        if finding is not None:
            yield finding
        if new:
            self.taken += 1
        elif finding is None or finding.severity is not Severity.ERROR:
            self.duplicates += 1
