"""What holds an alert back: maintenance, a closed direction, a gateway or station that is down,
a higher rung.

An alert is suppressed by one thing at a time, in this order: its station is in maintenance, of
a group the stations of all that were beyond the level; its
direction of a bridge is closed, so that nothing it says of the traffic means anything; the
alert of its gateway or its whole station stands for it (`alerts.topology`); a higher rung of
its ladder is told on the same series. What was told before goes on being shown, folded; what
was not is told when nothing holds it back any more, if it still holds then.
"""

from collections.abc import Mapping
from typing import Any

from alerts import particulars
from alerts.alert import Alert, AlertEvent, EventType, alert_id
from alerts.clocks import Ring
from alerts.ledger import Ledger, event, many
from alerts.notices import STATION_DOWN, UPLINK_DOWN
from alerts.situation import Situation
from alerts.topology import RANKS, Common, Down, Found, Group, Topology, hanging, is_silence
from ingest.registry import Registry
from ingest.series import SeriesTable

_RELEASES = frozenset({Ring.RELEASE})


class Suppression:
    """Who holds whom back, over the alerts of a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        series: SeriesTable,
        registry: Registry,
        snapshot: Mapping[str, Any] | None = None,
    ) -> None:
        self._ledger = ledger
        self._topology = Topology(series, registry, None if snapshot is None else snapshot["down"])
        self._aside = {} if snapshot is None else dict(snapshot["aside"])
        for alert in ledger.holding.values():
            self.raised(alert)
        self.reconfigure(series, registry)
        self._reconfigured = False  # a restart looks at nobody anew

    def reconfigure(self, series: SeriesTable, registry: Registry) -> None:
        self._registry = registry
        self._station_of = {one.key: one.station for one in series.entries}
        self._hangs = hanging(registry)
        self._topology.reconfigure(series, registry)
        self._reconfigured = True

    def snapshot(self) -> dict[str, Any]:
        return {"down": self._topology.snapshot(), "aside": dict(self._aside)}

    def raised(self, alert: Alert) -> None:
        if is_silence(alert):
            self._topology.silent(alert)

    def cleared(self, alert: Alert) -> None:
        if is_silence(alert):
            self._topology.back(alert)

    @property
    def anything_down(self) -> bool:
        """Whether something is down as a whole, or was until just now."""
        return self._topology.anything_down

    def step(
        self, fresh: Mapping[str, Alert], situation: Situation
    ) -> tuple[dict[str, Alert], list[AlertEvent]]:
        """What goes down or comes up with the alerts that are new; gives whom that touches."""
        touched, events = self._put_aside(situation), list[AlertEvent]()
        if self._reconfigured:
            # A device may hang elsewhere now, where nothing is down.
            touched |= self._behind(None)
            self._reconfigured = False
        for down, heard_ms in self._topology.up_again(situation):
            events.append(self._come_up(down, heard_ms, situation.now_ms))
            touched |= self._behind(self._topology.groups.get(down.k))
        touched |= many(self._released(situation.now_ms))
        waiting = [each for each in (*fresh.values(), *touched.values()) if is_silence(each)]
        for group in self._topology.groups_of(waiting):
            found = self._topology.goes_down(group, situation)
            if found is not None:
                events.append(self._go_down(group, found, situation.now_ms))
                touched |= self._behind(group)
        return touched, events

    def hold_back(self, alert: Alert, situation: Situation) -> None:
        """Set what holds an alert back that is not on its ladder, and for how long."""
        was, release_ms = alert.suppressed, -1
        windows = [situation.maintenance.get(each, "") for each in self._stations(alert)]
        direction = _direction(alert)
        alert.suppressed = None
        if all(windows):
            alert.suppressed = {"why": "maintenance", "by": windows[0]}
        elif direction in situation.closed:
            alert.suppressed = {"why": "closed", "by": direction}
        elif is_silence(alert):
            covered = self._topology.covers(alert, was, situation.now_ms)
            if covered is not None:
                alert.suppressed, release_ms = dict(covered.suppressed), covered.release_ms
        elif alert.rule == STATION_DOWN.id and alert.fixed["k"] in self._topology.down:
            by = self._topology.covers_group(self._topology.down[alert.fixed["k"]])
            alert.suppressed = None if by is None else {"why": Common.UPLINK.value, "by": by}
        self._ledger.clocks.release_at(alert, release_ms)

    def _stations(self, alert: Alert) -> list[str]:
        """Where it was measured: of a group where its members were beyond the level."""
        members = alert.fixed.get("members") or ()
        found = {self._station_of[key] for key in members if key in self._station_of}
        return sorted(found) or [alert.fixed.get("station", "")]

    def by_rung(self, alert: Alert) -> dict[str, str] | None:
        higher = self._ledger.higher(alert) if alert.ladder and alert.told else None
        return None if higher is None else {"why": "rung", "by": higher.id}

    def weigh(self, alert: Alert, situation: Situation) -> list[AlertEvent]:
        """Say so if something else holds an alert back than before, or nothing any more."""
        was = alert.suppressed
        self.hold_back(alert, situation)
        if alert.suppressed is None:
            alert.suppressed = self.by_rung(alert)
        if alert.suppressed == was:
            return []
        self._ledger.changed(alert, situation.now_ms)
        if alert.suppressed is not None:
            kind = EventType.SUPPRESSED
        elif was is not None and was["why"] == "rung":
            kind = EventType.EASED
        else:
            kind = EventType.UNSUPPRESSED
        evidence = {"cause": "beside", "was": was, "is": alert.suppressed}
        found = {name: value for name, value in evidence.items() if value is not None}
        return [event(kind, alert, situation.now_ms, evidence=found)]

    def _put_aside(self, situation: Situation) -> dict[str, Alert]:
        """Alerts of places that are maintained or closed from now on, or no longer."""
        closed = dict.fromkeys(sorted(situation.closed), "")
        old, new = self._aside, {**situation.maintenance, **closed}
        if old == new:
            return {}
        changed = {place for place in {**old, **new} if old.get(place) != new.get(place)}
        self._aside = new
        return many(
            [
                each
                for each in self._ledger.holding.values()
                if not changed.isdisjoint([*self._stations(each), _direction(each)])
            ]
        )

    def _released(self, now_ms: int) -> list[Alert]:
        released = []
        while (due := self._ledger.clocks.take(now_ms, _RELEASES)) is not None:
            due[2].release_ms = -1
            released.append(due[2])
        return released

    def _behind(self, group: Group | None) -> dict[str, Alert]:
        """The alerts that a group stands for, or stood for."""
        if group is None:  # of whatever the registry had before
            held = self._ledger.holding.values()
            return many([alert for alert in held if alert.suppressed is not None])
        others = [
            self._ledger.open[down.alert]
            for down in self._topology.down.values()
            if down.k != group.k
        ]
        return many([*self._topology.members(group), *others])

    def _come_up(self, down: Down, heard_ms: int, now_ms: int) -> AlertEvent:
        held = self._ledger.open[down.alert]
        cause = {"cause": "data_back", "t_event": heard_ms}
        if heard_ms < 0:  # nobody watches its devices any more
            cause, heard_ms = {"cause": "withdrawn"}, now_ms
        self._ledger.clear(held, heard_ms, now_ms)
        return event(EventType.CLEARED, held, now_ms, evidence=cause)

    def _go_down(self, group: Group, found: Found, now_ms: int) -> AlertEvent:
        rule = UPLINK_DOWN if group.common is Common.UPLINK else STATION_DOWN
        silent = self._topology.members(group)
        severities = [rule.severity.value, *(each.fixed["severity"] for each in silent)]
        severity = max(severities, key=lambda each: RANKS[each])
        since_ms = max(found.heard_ms[each] for each in found.members)
        if since_ms < 0:  # nothing was ever heard: since they were registered
            since_ms = max(each.fixed["t_since"] for each in silent)
        hang = [self._hangs[each] for each in found.members]
        fixed = particulars.of_group(rule, group, hang, severity, since_ms, now_ms, self._registry)
        key = alert_id(rule.id, group.k, since_ms)
        alert = self._ledger.raise_own(rule.id, key, fixed, now_ms)
        down = Down(group.k, alert.id, severity, found.members, found.heard_ms)
        self._topology.down[group.k] = down
        rests_on = particulars.of_down(down, silent)
        return event(EventType.RAISED, alert, now_ms, evidence=rests_on)


def _direction(alert: Alert) -> str:
    """The direction whose traffic an alert tells of, as `station/direction`; "" for others.

    A camera that is silent is one whether the direction is open or not.
    """
    direction = None if is_silence(alert) else alert.fixed.get("direction")
    return f"{alert.fixed['station']}/{direction}" if direction else ""
