"""A recording through quality control and rules, with all that a judge asks for afterwards.

Each message is an entry of its own, so that what follows is known to be its device's; any cut
into entries gives the same readings and alerts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import numpy as np

from alerts.alert import AlertEvent, EventType
from alerts.rules import RuleSet
from alerts.rulesfile import parse_rules
from ingest.journal import Config, Messages
from ingest.reading import Batch, BoolArray, Flag, FlagArray, IntArray, Why
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable
from simulators.label import Label
from songtien.offline import Offline
from songtien.outcome import Outcome
from songtien.recordings import Piece
from songtien.scoring import NEAR_MS

REFUSED, DUPLICATE, LATE, LINK = "refused", "duplicate", "late", "link"
TRACELESS = ("duplicate", "reorder", "burst")
"""What happens on the way alone: the same samples come, so nothing may be said of the water."""

_SENT_WITHIN_MS = 2000
"""How soon after its newest sample a device is taken to have sent, where that is undone."""

Progress = Callable[[int, int], None]
"""Told the messages taken so far and the arrival of the last, ms UTC."""


@dataclass(slots=True)
class Stood:
    """An alert from its first sample to its end, ms UTC.

    since_ms, event_ms : first and last sample of what raised it
    at_ms : when it was raised, by the arrivals
    until_ms : when it was over, or the end of the recording
    """

    rule: str
    k: str
    ask: str
    since_ms: int
    event_ms: int
    at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a service would have made of a recording.

    rows : the last word on each (series, time), by series, then by time
    decided_ms : int64[N], the arrival since which a row's flag has been bad (3 or 4) or good
    signs : by device, by `REFUSED`, `DUPLICATE`, `LATE` or `LINK`, arrivals in ms, rising
    """

    registry: Registry
    rules: RuleSet
    series: SeriesTable
    rows: Batch
    decided_ms: IntArray
    alerts: tuple[Stood, ...]
    signs: Mapping[str, Mapping[str, IntArray]]
    begun_ms: int
    ended_ms: int

    def of(self, series: Iterable[int]) -> tuple[Batch, IntArray]:
        """Rows of some series in the order of time, and when each was decided."""
        parts = [
            np.arange(*np.searchsorted(self.rows.series, [number, number + 1]))
            for number in sorted(series)
        ]
        at = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        at = at[np.argsort(self.rows.t_ms[at], kind="stable")]
        return self.rows.take(at), self.decided_ms[at]


def bad(flag: FlagArray) -> BoolArray:
    """bool[N]: suspect or failed."""
    return (flag >= Flag.SUSPECT) & (flag <= Flag.FAIL)


@dataclass(slots=True)
class _Kept:
    """What is collected on the way."""

    parts: list[Batch] = field(default_factory=list)
    at_ms: list[int] = field(default_factory=list)
    alerts: dict[str, Stood] = field(default_factory=dict)
    signs: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def take(self, device: str, outcome: Outcome) -> None:
        if len(outcome.rows):
            self.parts.append(outcome.rows)
            self.at_ms.append(outcome.at_ms)
            if (outcome.rows.why & Why.LATE).any():
                self.signs[device, LATE].append(outcome.at_ms)
        for event in outcome.events:
            self._event(event)
        if outcome.duplicate:
            self.signs[device, DUPLICATE].append(outcome.at_ms)
        if outcome.letters:
            self.signs[device, REFUSED].append(outcome.at_ms)
        for name, state in outcome.links.items():
            if state is not None and state.s == "lost":
                self.signs[name, LINK].append(outcome.at_ms)

    def _event(self, event: AlertEvent) -> None:
        alert = event.alert
        if event.type is EventType.RAISED and alert["id"] not in self.alerts:
            self.alerts[alert["id"]] = Stood(
                alert["rule"],
                alert["k"],
                alert["ask"],
                alert["t_since"],
                alert["t_event"],
                event.at_ms,
                -1,
            )
        elif event.type is EventType.CLEARED and alert["id"] in self.alerts:
            self.alerts[alert["id"]].until_ms = alert["t_cleared"]


def run(
    pieces: Iterable[Piece], config: Config, *, root: str, progress: Progress | None = None
) -> Run | None:
    """Run a recording; None where it has no message.

    Raises ConfigError where registry or rules have faults.
    """
    registry = parse_registry(config.registry, "stations.toml")
    offline: Offline | None = None
    kept, count = _Kept(), 0
    begun_ms = ended_ms = 0
    for piece in pieces:
        if not len(piece):
            continue
        if offline is None:
            begun_ms = int(piece.at_ms[0])
            offline = Offline(config, root, begun_ms)
        for at_ms, topic, payload in zip(
            piece.at_ms.tolist(), piece.topics, piece.payloads, strict=True
        ):
            kept.take(device_of(topic), offline.step(at_ms, Messages([topic], [payload])))
        count, ended_ms = count + len(piece), int(piece.at_ms[-1])
        if progress is not None:
            progress(count, ended_ms)
    if offline is None:
        return None
    rows, decided_ms = _last_words(kept.parts, kept.at_ms)
    alerts = sorted(kept.alerts.values(), key=lambda each: (each.since_ms, each.rule, each.k))
    for alert in alerts:
        if alert.until_ms < 0:
            alert.until_ms = ended_ms
    signs: dict[str, dict[str, IntArray]] = {}
    for (device, sign), times in sorted(kept.signs.items()):
        signs.setdefault(device, {})[sign] = np.array(times, dtype=np.int64)
    return Run(
        registry,
        parse_rules(config.rules, "rules.toml", registry),
        SeriesTable.of(registry),
        rows,
        decided_ms,
        tuple(alerts),
        signs,
        begun_ms,
        ended_ms,
    )


def device_of(topic: str) -> str:
    """The device of a topic as of the contract, `…/<device>/<leaf>`; "" where there is none."""
    return topic.rsplit("/", 2)[-2] if topic.count("/") > 1 else ""


def _last_words(parts: list[Batch], at_ms: list[int]) -> tuple[Batch, IntArray]:
    """Each (series, time) once, as it was written last, and since when its flag is bad or good."""
    rows = Batch.concat(parts)
    written = np.repeat(np.array(at_ms, dtype=np.int64), [len(part) for part in parts])
    order = np.lexsort((np.arange(len(rows)), rows.t_ms, rows.series))
    rows, written = rows.take(order), written[order]
    if not len(rows):
        return rows, written
    first = np.r_[True, (np.diff(rows.series) != 0) | (np.diff(rows.t_ms) != 0)]
    is_bad = bad(rows.flag)
    turned = first | np.r_[True, is_bad[1:] != is_bad[:-1]]
    since = np.maximum.accumulate(np.where(turned, np.arange(len(rows)), 0))
    last = np.flatnonzero(np.r_[first[1:], True])
    return rows.take(last), written[since[last]]


# What of a recording is undone, to see what it would have been without.


class _Times(msgspec.Struct):
    t: int = 0
    t1: int = 0


class _Body(msgspec.Struct):
    samples: list[_Times] = []


_BODIES = msgspec.json.Decoder(_Body)


def undone(pieces: Iterable[Piece], labels: Iterable[Label]) -> Piece | None:
    """The devices to which something happened on the way alone, without that; None of none.

    Within the windows of `TRACELESS` labels, repetitions are left out, and a message comes
    when its newest sample was measured. What no such device sent is left out too: flags and
    alerts of a device's own series need nobody else.
    """
    windows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for label in labels:
        if label.label in TRACELESS:
            windows[label.device].append((label.from_ms, label.to_ms + NEAR_MS))
    if not windows:
        return None
    at_ms: list[int] = []
    topics: list[str] = []
    payloads: list[bytes] = []
    seen: set[tuple[str, bytes]] = set()
    for piece in pieces:
        blob, names = piece.blob, piece.names
        bounds = pairwise(piece.bounds.tolist())
        for at, code, (low, high) in zip(
            piece.at_ms.tolist(), piece.codes.tolist(), bounds, strict=True
        ):
            topic, payload = names[code], blob[low:high]
            own = windows.get(device_of(topic))
            if own is None:
                continue
            within = [begin for begin, end in own if begin <= at < end]
            if topic.endswith("/obs"):
                if within and (topic, payload) in seen:
                    continue
                seen.add((topic, payload))
            at_ms.append(_sent_ms(payload, at, min(within)) if within else at)
            topics.append(topic)
            payloads.append(payload)
    order = np.argsort(np.array(at_ms, dtype=np.int64), kind="stable").tolist()
    return Piece.of(
        [at_ms[n] for n in order], [topics[n] for n in order], [payloads[n] for n in order]
    )


def _sent_ms(payload: bytes, at_ms: int, begin_ms: int) -> int:
    """When a message was sent by its newest sample, between `begin_ms` and its arrival."""
    try:
        samples = _BODIES.decode(payload).samples
    except (msgspec.DecodeError, UnicodeDecodeError):
        return at_ms  # Of what nobody can read nothing is known.
    newest = max((max(each.t, each.t1) for each in samples), default=at_ms)
    return min(at_ms, max(newest + _SENT_WITHIN_MS, begin_ms))
