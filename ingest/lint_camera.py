"""What a camera's samples say that is taken and probably not meant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ingest.lint_finding import Finding, hint, number, warning
from ingest.lint_mend import LEAVE_OUT, is_sentinel
from ingest.lint_names import unknown_classes
from ingest.payload import TrafficSample

INTERVAL_MS_MIN: Final = 1000
FLOW_VEH_H_MAX: Final = 15_000.0
"""More in one lane are no vehicles: a lane of motorbikes, two and three abreast, has been seen
to carry up to about 10,000 an hour (expert judgement, unverified)."""

SPEED_KM_H_MAX: Final = 130.0
QUEUE_M_MAX: Final = 20_000.0
HOUR_MS: Final = 3_600_000

Sent = Sequence[tuple[str, TrafficSample, Mapping[str, Any]]]
"""Where each sample stands, the sample, and its fields as they were sent."""


def camera_findings(sent: Sent) -> Iterator[Finding]:
    """Doubts about each sample by itself."""
    for where, sample, _ in sent:
        yield from _counts(where, sample)
        yield from _interval(where, sample)
        yield from _speed(where, sample)
        if sample.queue_m is not None and sample.queue_m > QUEUE_M_MAX:
            what = f"looks like a sentinel: {LEAVE_OUT}" if is_sentinel(sample.queue_m) else "m?"
            text = f"a queue of {number(sample.queue_m / 1000)} km: {what}"
            yield warning("unit", f"{where}.queue_m", sample.queue_m, text)
        if sample.occupancy == 1.0:
            text = "exactly 1: one per cent? A share is 0.01; 1 means covered all the time"
            yield hint("unit", f"{where}.occupancy", sample.occupancy, text)


def _counts(where: str, sample: TrafficSample) -> Iterator[Finding]:
    for name in ("count", "cumulative"):
        yield from unknown_classes(getattr(sample, name) or {}, f"{where}.{name}")
    if sample.count is None:
        return
    if sample.cumulative is not None:
        text = "stands beside count, which is taken: send one of the two"
        yield hint("two-counts", f"{where}.cumulative", None, text)
    total = sum(sample.count.values())
    per_hour = total * HOUR_MS / (sample.t1 - sample.t0)
    if per_hour > FLOW_VEH_H_MAX and sample.t1 - sample.t0 >= INTERVAL_MS_MIN:
        text = (
            f"{per_hour:,.0f} vehicles an hour in one lane: totals since the camera's last reset?"
            " Then send them as cumulative"
        )
        yield warning("cumulative-as-count", f"{where}.count", total, text)


def _interval(where: str, sample: TrafficSample) -> Iterator[Finding]:
    length_ms = sample.t1 - sample.t0
    if length_ms < INTERVAL_MS_MIN:
        text = f"{length_ms} ms after t0: were seconds added to milliseconds?"
        yield warning("interval", f"{where}.t1", sample.t1, text)


def _speed(where: str, sample: TrafficSample) -> Iterator[Finding]:
    speed, path = sample.speed_km_h, f"{where}.speed_km_h"
    if speed is None:
        return
    total = None if sample.count is None else sum(sample.count.values())
    if speed > SPEED_KM_H_MAX:
        text = "faster than traffic over a bridge"
        mend = f"; looks like a sentinel: {LEAVE_OUT}" if is_sentinel(speed) else ": km/h?"
        yield warning("unit", path, speed, text + mend)
    elif speed == 0.0 and total == 0:
        text = (
            "the mean of no vehicle reads as traffic that stands: leave it out where none was"
            " counted"
        )
        yield warning("speed-of-none", path, speed, text)
    elif speed == 0.0 and total:
        text = f"{total} vehicles were counted, which then moved: {LEAVE_OUT}"
        yield hint("speed-of-none", path, speed, text)
