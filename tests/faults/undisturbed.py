"""What the same feed gives a service that nothing ever happens to: flags and alerts.

The same processor, without broker, disk and faults (`songtien.offline`). The oracle says
what must be stored; this says what must have been made of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """flags : (flag, why) by series and time; alerts : what was raised and cleared"""

    flags: dict[Key, tuple[int, int]] = field(default_factory=dict)
    alerts: set[tuple[Any, ...]] = field(default_factory=set)


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
        found.alerts.update(_core(event.type.value, event.alert) for event in outcome.events)
    return found


def _core(kind: str, alert: dict[str, Any]) -> tuple[Any, ...]:
    return (kind, *(alert[name] for name in _CORE), alert.get("t_cleared"))


def alerts_differ(expected: Undisturbed, events: Sequence[dict[str, Any]]) -> Difference:
    """Stored events (`Service.alert_events`) against the undisturbed run's.

    Extra are transitions that should not be, repeated ones, and gaps in an alert's versions.
    What the service says of itself (a disk that runs full) comes of no reading, and is left out.
    An alert that is found late and told afterwards is raised twice: as history, then as news.
    """
    events = [event for event in events if event["alert"]["ask"] != NOTICE]
    held = [event for event in events if event["type"] in ("raised", "cleared")]
    found = {_core(event["type"], event["alert"]) for event in held}
    times = Counter((event["id"], event["type"], event["told"]) for event in held)
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event["id"], []).append(event["alert"]["ver"])
    broken = [(i, v) for i, v in versions.items() if v != list(range(1, len(v) + 1))]
    repeated = [each for each, count in times.items() if count > 1]
    extra = [*sorted(found - expected.alerts, key=repr), *repeated, *broken]
    return Difference(sorted(expected.alerts - found, key=repr), extra, [])
