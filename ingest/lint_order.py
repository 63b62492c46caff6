"""What only a sequence of a device's messages shows: order, gaps, times, what stands already.

Identity is judged by the service's own functions (`ingest.probes.against`, `ingest.lanes.clash`);
what is kept of each device is bounded.
"""

import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from ingest.lanes import LaneBody, body_of, clash, merged
from ingest.lint_finding import Finding, Severity, errors, hint, number, warning
from ingest.payload import SalinitySample, TrafficSample
from ingest.probes import PROBE_SALINITY, QUANTITY_OF, SALINITY, against
from ingest.reading import FUTURE_TOLERANCE_MS
from ingest.refusal import Refusal
from ingest.salinity import INPUTS

K = TypeVar("K")
V = TypeVar("V")

SEQS_KEPT: Final = 10_000
SAMPLES_KEPT: Final = 10_000
"""How many of a device, or of a series, are held against what comes: a week of minutes. Each
sample is some 700 bytes, and a recording of a season has a hundred series."""

BOOTS_IN_A_ROW: Final = 3
HOUR_MS: Final = 3_600_000
OFF_HOUR_MS: Final = 5 * 60_000
"""So near to whole hours a clock's error is one of the time zone."""

RISES: Final = 10
"""After so many counts in a row of which none fell they look like totals since a reset."""

LATE: Final = 1.5
"""Expected intervals after which a value is called late (docs/contract/devices.md)."""

_FIELD_OF: Final = {
    **{quantity: name for name, quantity in QUANTITY_OF.items()},
    SALINITY: "sal_g_l",
    PROBE_SALINITY: "sal_g_l",
}
"""A conflict is of quantities; whoever sends knows fields."""


@dataclass(slots=True)
class _Boot:
    number: int
    first: int
    last: int
    seen: OrderedDict[int, int] = field(default_factory=OrderedDict)


@dataclass(slots=True)
class Order:
    """The messages of one device by `boot` and `seq`."""

    boots: list[_Boot] = field(default_factory=list)
    short_boots: int = 0
    told: set[str] = field(default_factory=set)

    def message(self, boot: int | None, seq: int | None, payload: bytes) -> Iterator[Finding]:
        """What is wrong with a message's numbers after those before it."""
        yield from self._absent(boot, seq)
        if seq is None:
            return
        number_, crc = boot or 0, zlib.crc32(payload)
        here = next((each for each in self.boots if each.number == number_), None)
        if here is None:
            yield from self._begins(number_)
            here = _Boot(number_, seq, seq)
            self.boots = [*self.boots[-1:], here]
        elif here is not self.boots[-1]:
            text = f"a message of the boot before, after boot {self.boots[-1].number} had begun"
            yield hint("late-boot", "boot", boot, text)
        else:
            self.short_boots = 0
        yield from self._follows(here, seq, crc)
        here.last = max(here.last, seq)
        here.seen[seq] = crc
        if len(here.seen) > SEQS_KEPT:
            here.seen.popitem(last=False)

    def in_order(self, boot: int | None, seq: int | None) -> bool:
        """Whether a message that is still to be taken is the newest of its device."""
        if seq is None or not self.boots:
            return True
        newest = self.boots[-1]
        return (boot or 0) != newest.number or seq > newest.last

    def _absent(self, boot: int | None, seq: int | None) -> Iterator[Finding]:
        if seq is None and "seq" not in self.told:
            self.told.add("seq")
            text = (
                "without it each reading waits half a minute before it is flagged and can alert,"
                " lost messages are not noticed, and there is no ack for a gateway's buffer"
            )
            yield hint("no-seq", "seq", None, f"is absent: {text}")
        if seq is not None and boot is None and "boot" not in self.told:
            self.told.add("boot")
            text = "a restart, when seq begins anew, looks like messages that come again"
            yield hint("no-boot", "boot", None, f"is absent: {text}")

    def _begins(self, boot: int) -> Iterator[Finding]:
        if not self.boots:
            return
        before = self.boots[-1]
        if boot < before.number:
            text = (
                f"fell from {before.number}: a new epoch begins and acks follow it. Keep the number"
                " where a restart does not lose it"
            )
            yield warning("boot-fell", "boot", boot, text)
            return
        self.short_boots = self.short_boots + 1 if len(before.seen) == 1 else 0
        if self.short_boots == BOOTS_IN_A_ROW:
            text = "rises with each message: it counts starts of the device, seq counts messages"
            yield warning("boot-per-message", "boot", boot, text)

    def _follows(self, here: _Boot, seq: int, crc: int) -> Iterator[Finding]:
        known = here.seen.get(seq)
        if known == crc:
            yield hint("again", "seq", seq, "the same message again, as QoS 1 may: nothing is lost")
        elif known is not None:
            text = (
                "stood before with other content: seq rises by one with each message, and after a"
                " restart boot must rise. A gateway's ack would be of the wrong message"
            )
            yield warning("seq-twice", "seq", seq, text)
        elif seq > here.last + 1:
            missing = seq - here.last - 1
            which = f"{here.last + 1}" if missing == 1 else f"{here.last + 1} to {seq - 1}"
            text = f"{which} of boot {here.number} did not come: {missing} lost, or not yet sent"
            yield warning("seq-gap", "seq", seq, text)
        elif seq < here.first:
            text = (
                f"fell below {here.first}, with which boot {here.number} began: after a restart"
                " boot must rise"
            )
            yield warning("seq-fell", "seq", seq, text)
        elif seq < here.last:
            text = f"came after {here.last}: out of order, and its samples may decide nothing"
            yield hint("seq-order", "seq", seq, text)


@dataclass(slots=True)
class Series:
    """What stands of one stream of a probe, or of one lane of a camera."""

    newest_ms: int | None = None
    probe: OrderedDict[tuple[int, float | None], dict[str, float]] = field(
        default_factory=OrderedDict
    )
    lane: OrderedDict[tuple[int, int], LaneBody] = field(default_factory=OrderedDict)
    length_ms: int | None = None
    rises: int = 0
    counted: Mapping[str, int] | None = None
    totals: Mapping[str, int] | None = None

    def probe_sample(
        self,
        where: str,
        sample: SalinitySample,
        quantities: Mapping[str, float],
        *,
        levels_known: bool,
    ) -> tuple[bool, Finding | None]:
        """Whether a sample brings anything new, and what is wrong with it at its identity.

        quantities : what is derived of it, without what is absent
        levels_known : a registry says whether the device has several depths
        """
        key: tuple[int, float | None] = (sample.t, None)
        stored = self.probe.get(key)
        if stored is None:
            _keep(self.probe, key, dict(quantities))
            return True, None
        measured = {name: getattr(sample, name) for name in INPUTS}
        sent = {n: float("nan") if v is None else float(v) for n, v in measured.items()}
        fresh, refused = against(stored, sent)
        if refused is None:
            stored.update(fresh)
            return bool(fresh), None if fresh else _again(where)
        depth_m = stored.get("depth_m")
        if not levels_known and None not in (depth_m, sample.depth_m) and depth_m != sample.depth_m:
            return self._other_depth(where, sample, quantities, depth_m)
        return False, _conflict(refused, where)

    def _other_depth(
        self,
        where: str,
        sample: SalinitySample,
        quantities: Mapping[str, float],
        depth_m: float | None,
    ) -> tuple[bool, Finding | None]:
        key = (sample.t, sample.depth_m)
        if key in self.probe:
            return False, _again(where)
        _keep(self.probe, key, dict(quantities))
        text = (
            f"a sample of the same time stands at {number(depth_m or 0.0)} m: taken if the registry"
            " gives the device levels at several depths, else refused as conflict"
        )
        return True, hint("levels", f"{where}.depth_m", sample.depth_m, text)

    def lane_sample(self, where: str, sample: TrafficSample) -> tuple[bool, Finding | None]:
        """The same for a lane's interval."""
        key, body = (sample.t1, sample.t0), body_of(sample)
        stands = self.lane.get(key)
        if stands is None:
            _keep(self.lane, key, body)
            return True, None
        refused = clash(stands, body)
        if refused is not None:
            return False, _conflict(refused, where)
        both = merged(stands, body)
        if both == stands:
            return False, _again(where)
        self.lane[key] = both
        return True, None

    def time(
        self, where: str, t_ms: int, expected_s: float | None, *, in_order: bool
    ) -> Iterator[Finding]:
        """A new sample's time after those before it; what is sent out of order proves nothing."""
        newest = self.newest_ms
        self.newest_ms = t_ms if newest is None else max(newest, t_ms)
        if newest is None or t_ms == newest or not in_order:
            return
        step_s = (t_ms - newest) / 1000.0
        if step_s < 0:
            text = (
                f"{span(-step_s)} before the newest one sent: it is kept with flag 2 and decides"
                " nothing. Send what was buffered first, oldest first; or did the clock step back?"
            )
            yield warning("time-back", where, t_ms, text)
        elif expected_s is not None and step_s > LATE * expected_s:
            text = f"{span(step_s)} after the one before; registered is one each {span(expected_s)}"
            yield warning("interval", where, t_ms, text)
        elif expected_s is not None and step_s < expected_s / LATE:
            text = f"{span(step_s)} after the one before; registered is one each {span(expected_s)}"
            yield hint("interval", where, t_ms, text)

    def counts(self, where: str, sample: TrafficSample) -> Iterator[Finding]:
        """Counters that are sent as counts, and resets; of samples in order of time."""
        if sample.count is not None:
            yield from self._rising(where, sample.count)
        if sample.cumulative:
            before, self.totals = self.totals, sample.cumulative
            fell = before is not None and sum(sample.cumulative.values()) < sum(before.values())
            if fell:
                text = "fell: reset. What passed between the last total and the reset is not known"
                yield hint("counter-reset", f"{where}.cumulative", None, text)

    def length(
        self, where: str, sample: TrafficSample, expected_s: float | None
    ) -> Iterator[Finding]:
        """The length of a lane's interval against the registered one, else the one before."""
        before, self.length_ms = self.length_ms, sample.t1 - sample.t0
        told = f"an interval of {span(self.length_ms / 1000)}"
        if expected_s is not None and self.length_ms != round(expected_s * 1000):
            text = f"{told}; registered is {span(expected_s)}"
            yield warning("interval", where, sample.t1, text)
        elif expected_s is None and before not in (None, self.length_ms):
            text = f"{told} after one of {span((before or 0) / 1000)}"
            yield hint("interval", where, sample.t1, text)

    def _rising(self, where: str, count: Mapping[str, int]) -> Iterator[Finding]:
        before, self.counted = self.counted, count
        if before is None:
            return
        falls = any(count.get(name, 0) < value for name, value in before.items())
        rose = sum(count.values()) > sum(before.values())
        self.rises = 0 if falls else self.rises + rose
        if self.rises == RISES:
            text = (
                f"risen {RISES} times and never fallen: totals since the camera's last reset? Then"
                " send them as cumulative"
            )
            yield warning("cumulative-as-count", f"{where}.count", sum(count.values()), text)


def future(where: str, t_ms: int, now_ms: int | None) -> Iterator[Finding]:
    """A time that is more ahead of the clock than the service takes for an error of its own."""
    if now_ms is None or t_ms <= now_ms + FUTURE_TOLERANCE_MS:
        return
    ahead_ms = t_ms - now_ms
    text = (
        f"{span(ahead_ms / 1000)} in the future: kept as suspect, never the newest value, no rule"
        f" sees it. {zone(ahead_ms) or 'Is its clock set?'}"
    )
    yield warning("future", where, t_ms, text)


def zone(ahead_ms: int) -> str:
    """The time zone that a clock's error is probably one of."""
    hours = round(ahead_ms / HOUR_MS)
    if not 1 <= abs(hours) <= 14 or abs(ahead_ms - hours * HOUR_MS) > OFF_HOUR_MS:
        return ""
    if hours == 7:
        return "Seven hours: Vietnam's time (UTC+7) was sent, and UTC is what counts"
    return f"{abs(hours)} whole hours {'ahead' if hours > 0 else 'behind'}: another time zone?"


def span(seconds: float) -> str:
    """A length of time in the unit that fits."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds, 3))} s"


def _again(where: str) -> Finding:
    return hint("duplicate", where, None, "the same sample again: counted, nothing else")


def _conflict(refused: Refusal, where: str) -> Finding:
    (found,) = errors(refused, where)
    path, _, name = found.where.rpartition(".")
    path = f"{path}.{_FIELD_OF.get(name, name)}"
    text = f"{found.text}: the first stays. Is the same time given to two measurements?"
    return Finding(Severity.ERROR, found.code, path, found.value, text)


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > SAMPLES_KEPT:
        kept.popitem(last=False)
