"""What the same feed gives a service that nothing ever happens to: flags and alerts.

The same processor, without broker, disk and faults (`songtien.offline`). The oracle says
what must be stored; this says what must have been made of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.alert import AlertEvent
from alerts.notices import ASK as NOTICE
from ingest.journal import Config
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from songtien.offline import outcomes
from tests.faults.feeds import ROOT, RULES, Sent
from tests.faults.oracle import Difference, Key

REORDER_S = 30.0
TOGETHER = 10
"""Messages of one moment; any number gives the same."""

_CORE = ("id", "rule", "k", "t_since", "t_event", "value", "limit", "flag", "suspect")


@dataclass(slots=True)
class Undisturbed:
    """flags : (flag, why) by series and time; alerts : what was raised and cleared, how often"""

    flags: dict[Key, tuple[int, int]] = field(default_factory=dict)
    alerts: Counter[tuple[Any, ...]] = field(default_factory=Counter)


def undisturbed(
    feed: Iterable[Sent], registry: str, *, begun_ms: int, rules: str = RULES
) -> Undisturbed:
    """Run the feed, a few messages a moment from `begun_ms` on."""
    found = Undisturbed()
    keys = [series.key for series in SeriesTable.of(parse_registry(registry, "registry")).entries]
    arrivals = ((begun_ms + n // TOGETHER, sent.topic, sent.payload) for n, sent in enumerate(feed))
    config = Config(registry, rules, REORDER_S)
    for outcome in outcomes(arrivals, config, root=ROOT, begun_ms=begun_ms):
        rows = outcome.rows
        columns = (rows.series, rows.t_ms, rows.flag, rows.why)
        for series, t_ms, flag, why in zip(*(c.tolist() for c in columns), strict=True):
            found.flags[keys[series], t_ms] = flag, why
        found.alerts.update(transitions(outcome.events))
    return found


def transitions(events: Iterable[AlertEvent]) -> Counter[tuple[Any, ...]]:
    """What samples made of the alerts, and how often."""
    return Counter(
        _core(event.type.value, event.alert, event.evidence)
        for event in events
        if _by_samples(event.type.value, event.evidence)
    )


def _core(kind: str, alert: dict[str, Any], evidence: dict[str, Any]) -> tuple[Any, ...]:
    proof = (evidence.get(name) for name in ("cause", "t_event", "value"))
    return (kind, *(alert[name] for name in _CORE), alert.get("t_cleared"), *proof)


def _by_samples(kind: str, evidence: dict[str, Any]) -> bool:
    """Whether an event says what samples did, and not what the clock made of them.

    An alert that is found late and told afterwards is raised twice: as history, then as news.
    """
    return kind in ("raised", "cleared", "eased") and evidence.get("cause") not in (
        "found_late",
        "over",
    )


def alerts_differ(expected: Undisturbed, events: Sequence[dict[str, Any]]) -> Difference:
    """Stored events (`Service.alert_events`) against the undisturbed run's.

    Extra are transitions that should not be, repeated ones, and gaps in an alert's versions
    (the changes of an alert that flaps stand in its timeline alone, and leave its version).
    What the service says of itself (a disk that runs full) comes of no reading, and is left out.
    """
    events = [event for event in events if event["alert"]["ask"] != NOTICE]
    found = Counter(
        _core(event["type"], event["alert"], event["evidence"])
        for event in events
        if _by_samples(event["type"], event["evidence"])
    )
    late = [e for e in events if e["type"] == "raised" and e["evidence"]["cause"] == "found_late"]
    repeated = [key for key, count in Counter(e["id"] for e in late).items() if count > 1]
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event["id"], []).append(event["alert"]["ver"])
    broken = [
        (key, seen)
        for key, seen in versions.items()
        if sorted(set(seen)) != list(range(1, max(seen) + 1)) or seen != sorted(seen)
    ]
    missing, extra = expected.alerts - found, found - expected.alerts
    return Difference(sorted(missing, key=repr), [*sorted(extra, key=repr), *repeated, *broken], [])
