"""Alerts that need attention, and the last events of all: the channel `alerts`.

Lossless and ordered: a subscriber's position is that of the last event it has, and what it
lacks is read from the events kept here. So there is no queue for it, and a slow one costs
nothing until it is too slow.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from alerts.notices import ASK
from api.auth import Principal
from api.live.frames import EventBody, encode
from api.live.where import Facets, Where
from api.service import as_seen_by

EVENTS_MAX = 10_000
"""Events kept in memory; who lacks more loads the alerts afresh."""

TRIMMED_AT = EVENTS_MAX + EVENTS_MAX // 10
ACTIVE_STATES = frozenset({"unacked", "acked", "cleared-unacked"})

Alert = dict[str, Any]
FacetsOfKey = Callable[[str], Facets]

_VIEWER = Principal("", "viewer")


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event at its position. The alert is encoded when first asked for, once for officers
    and once for those who may not see an officer's name or note.
    """

    position: int
    body: EventBody
    facets: Facets
    encoded: dict[bool, msgspec.Raw] = field(default_factory=dict)

    def alert(self, *, officer: bool) -> msgspec.Raw:
        found = self.encoded.get(officer)
        if found is None:
            found = msgspec.Raw(encode_alert(self.body.alert, officer=officer))
            self.encoded[officer] = found
        return found


def encode_alert(alert: Alert, *, officer: bool) -> bytes:
    return encode(alert if officer else as_seen_by(_VIEWER, alert))


class AlertLog:
    """The active alerts and the newest events, positions rising (gaps are no fault)."""

    def __init__(self, epoch: str, facets_of_key: FacetsOfKey) -> None:
        self.epoch = epoch
        self.loads = 0
        self.last = 0
        self._facets_of_key = facets_of_key
        self._floor = 0
        self._active: dict[str, Alert] = {}
        self._positions: list[int] = []
        self._events: list[KeptEvent] = []

    def load(
        self,
        alerts: Sequence[Alert],
        events: Sequence[tuple[int, Mapping[str, Any]]],
        position: int,
    ) -> None:
        """Begin with what is stored: active alerts, the newest events, the last position."""
        self.loads += 1
        self.last = position
        self._active = {a["id"]: a for a in alerts if a.get("state") in ACTIVE_STATES}
        kept = [self._kept(at, event) for at, event in events[-EVENTS_MAX:]]
        self._events = kept
        self._positions = [event.position for event in kept]
        assert self._positions == sorted(set(self._positions))
        assert not kept or self._positions[-1] <= position
        self._floor = self._positions[0] - 1 if kept else position

    def publish(self, position: int, event: Mapping[str, Any]) -> None:
        """Take the next event: `type`, the whole `alert`, and maybe `at`, `who`, `note`."""
        assert position > self.last
        kept = self._kept(position, event)
        self.last = position
        self._positions.append(position)
        self._events.append(kept)
        alert = kept.body.alert
        if alert["state"] in ACTIVE_STATES:
            self._active[alert["id"]] = alert
        else:
            self._active.pop(alert["id"], None)
        if len(self._events) >= TRIMMED_AT:
            gone = len(self._events) - EVENTS_MAX
            self._floor = self._positions[gone - 1]
            del self._positions[:gone], self._events[:gone]

    def position(self, number: int) -> str:
        return f"{self.epoch}.{number}"

    def number_of(self, position: str) -> int | None:
        """The position from which a subscriber can go on; None where it can't."""
        epoch, _, number = position.rpartition(".")
        if epoch != self.epoch or not (number.isascii() and number.isdecimal()):
            return None
        if len(number) > 18 or not self._floor <= int(number) <= self.last:
            return None
        return int(number)

    def holds_all_after(self, number: int) -> bool:
        """Whether every event after the position is still kept."""
        return number >= self._floor

    def count_after(self, number: int) -> int:
        return len(self._positions) - bisect_right(self._positions, number)

    def next_after(self, number: int, where: Where) -> KeptEvent | None:
        """The first event after the position that the filter selects."""
        for index in range(bisect_right(self._positions, number), len(self._events)):
            if where.matches(self._events[index].facets):
                return self._events[index]
        return None

    @property
    def count(self) -> int:
        """How many alerts are active; also for other threads than the one that changes them."""
        return len(self._active)

    def active(self, where: Where) -> list[Alert]:
        """The active alerts that the filter selects, oldest first."""
        return [a for a in self._active.values() if where.matches(self._facets(a))]

    def _kept(self, position: int, event: Mapping[str, Any]) -> KeptEvent:
        body = msgspec.convert(dict(event), EventBody)
        return KeptEvent(position, body, self._facets(body.alert))

    def _facets(self, alert: Alert) -> Facets:
        # What the service says of itself belongs to no series, whatever its key looks like.
        own = alert.get("ask") == ASK
        return {
            **(_facets_of_many(alert) if own else self._facets_of_key(alert["k"])),
            "severity": (alert["severity"],),
            "rule": (alert["rule"],),
        }


def _facets_of_many(alert: Alert) -> Facets:
    """Of an alert that stands for several devices; a notice stands for none."""
    stations = [alert["station"]] if "station" in alert else alert.get("stations", ())
    kinds = (alert["kind"],) if "kind" in alert else ()
    found = {
        "kind": kinds,
        "station": tuple(stations),
        "branch": tuple(alert.get("branch", ())),
        "device": tuple(alert.get("members", ())),
    }
    return {name: values for name, values in found.items() if values}
