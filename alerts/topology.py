"""Silence by topology: what is down together is one alert with a count, not forty.

What it detects: a gateway behind which, or a station at which, nothing is heard any more.
Formula: a gateway (or station) with at least two devices is down when one of them is overdue
by its rule of no data, and each of them has been silent for `LATE_INTERVALS` of its expected
intervals. Devices that were never heard say nothing about one that others came through: they
count only where nothing was ever heard. It is up again as soon as one of them is heard; those
that stay silent one time of no data longer are then told singly.
Units: ms, measured times against the service's clock.
Cost: a device that dies with its gateway is told singly that much later.
Gaps: stations in maintenance and devices that sleep are left out. An alert that is more severe than the one for the
group is told all the same.

Devices go by the first of those that replaced each other, as their series do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from alerts.alert import Alert
from alerts.rules import Ask, Severity
from alerts.situation import Situation
from ingest.reading import IntArray
from ingest.registry import Registry
from ingest.series import SeriesTable

LATE_INTERVALS: Final = 1.5
LEAST_DEVICES: Final = 2
NEVER_SEEN: Final = "never_seen"
RANKS: Final = {each.value: rank for rank, each in enumerate(Severity)}


class Common(StrEnum):
    """What devices have in common; the first that is down suppresses."""

    UPLINK = "uplink"
    STATION = "station"


_UPLINKS: Final = f"songtien/{Common.UPLINK.value}/"


@dataclass(frozen=True, slots=True)
class Group:
    """Devices with something in common: a gateway's account, or a station's id.

    series : int64[n], all series of all devices; `of[i]` is the place of the device of the i-th
    """

    common: Common
    name: str
    devices: tuple[str, ...]
    series: IntArray
    of: IntArray
    expected_ms: IntArray

    @property
    def k(self) -> str:
        return f"songtien/{self.common.value}/{self.name}"

    def latest_ms(self, of_series: IntArray) -> IntArray:
        """int64[devices], the latest of the times of each device's series, at least -1."""
        latest: IntArray = np.full(len(self.devices), -1, dtype=np.int64)
        np.maximum.at(latest, self.of, of_series[self.series])
        return latest


@dataclass(slots=True)
class Down:
    """A group that is down.

    alert, severity : of the alert that stands for it
    members : the devices that it was found out by
    heard_ms : when each device of the group had last been heard then
    """

    k: str
    alert: str
    severity: str
    members: list[str]
    heard_ms: dict[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """`Down.members` and `Down.heard_ms` of a group that has just been found down."""

    members: list[str]
    heard_ms: dict[str, int]


@dataclass(frozen=True, slots=True)
class Covered:
    """Why a silent device is not told singly. release_ms : until when at most; -1 no such time."""

    suppressed: dict[str, str]
    release_ms: int = -1


@dataclass(frozen=True, slots=True)
class _Recovering:
    """A group that came up, until when that counts, and the alert that it had."""

    at_ms: int
    until_ms: int
    alert: str
    severity: str


def is_silence(alert: Alert) -> bool:
    return alert.fixed["ask"] in (Ask.NO_DATA.value, NEVER_SEEN) and "device" in alert.fixed


def patience_ms(alert: Alert) -> int:
    """The time of no data of the rule that raised it."""
    limit_s: float = alert.fixed["limit"]
    return round(limit_s * 1000)


class Topology:
    """Which groups are down, and which alerts of silence they stand for."""

    def __init__(
        self,
        series: SeriesTable,
        registry: Registry,
        snapshot: Mapping[str, Any] | None = None,
    ) -> None:
        old = snapshot or {"down": [], "recovering": []}
        self.down: dict[str, Down] = {one["k"]: Down(**one) for one in old["down"]}
        self._recovering: dict[str, _Recovering] = {
            k: _Recovering(*one) for k, *one in old["recovering"]
        }
        self._silent: dict[str, dict[str, Alert]] = {}
        self.reconfigure(series, registry)

    def reconfigure(self, series: SeriesTable, registry: Registry) -> None:
        self.groups = {group.k: group for group in _groups(series, registry)}
        self._of: dict[str, list[Group]] = {}
        # A gateway stands for more than a station, so it is asked first.
        for group in sorted(self.groups.values(), key=lambda one: one.common is Common.STATION):
            for device in group.devices:
                self._of.setdefault(device, []).append(group)
        self._station = {one.device: one.station for one in series.entries}

    @property
    def anything_down(self) -> bool:
        return bool(self.down)

    def snapshot(self) -> dict[str, Any]:
        return {
            "down": [
                {
                    "k": one.k,
                    "alert": one.alert,
                    "severity": one.severity,
                    "members": one.members.copy(),
                    "heard_ms": one.heard_ms.copy(),
                }
                for one in self.down.values()
            ],
            "recovering": [
                [k, one.at_ms, one.until_ms, one.alert, one.severity]
                for k, one in sorted(self._recovering.items())
            ],
        }

    def silent(self, alert: Alert) -> None:
        """An alert of silence holds."""
        self._silent.setdefault(alert.fixed["device"], {})[alert.id] = alert

    def back(self, alert: Alert) -> None:
        """It no longer does."""
        self._silent.get(alert.fixed["device"], {}).pop(alert.id, None)

    def members(self, group: Group) -> list[Alert]:
        """The alerts of silence of its devices, in the order of the registry."""
        return [
            alert for device in group.devices for alert in self._silent.get(device, {}).values()
        ]

    def groups_of(self, alerts: Iterable[Alert]) -> list[Group]:
        """The groups that alerts of silence belong to: gateways first, by name."""
        found = {
            group.k: group for alert in alerts for group in self._of.get(alert.fixed["device"], ())
        }
        return sorted(found.values(), key=lambda group: (group.common is Common.STATION, group.k))

    def up_again(self, situation: Situation) -> list[tuple[Down, int]]:
        """Groups of which something was heard, with when; -1 where nobody misses them any more."""
        found = []
        for k, down in list(self.down.items()):
            group = self.groups.get(k)
            at_ms = _heard_since(down, group, situation.heard_ms)
            if group is None or at_ms >= 0 or not self.members(group):
                members = [] if group is None else self.members(group)
                longest_ms = max((patience_ms(each) for each in members), default=0)
                now_ms = situation.now_ms
                self._recovering[k] = _Recovering(
                    now_ms, now_ms + longest_ms, down.alert, down.severity
                )
                del self.down[k]
                found.append((down, at_ms))
        return found

    def goes_down(self, group: Group, situation: Situation) -> Found | None:
        """A group that is down, where nobody has said so yet."""
        now_ms = situation.now_ms
        recovering = self._recovering.get(group.k)
        if recovering is not None and now_ms >= recovering.until_ms:
            del self._recovering[group.k]
            recovering = None
        if group.k in self.down or recovering is not None:
            return None
        heard_ms = group.latest_ms(situation.heard_ms)
        known = heard_ms >= 0
        if not known.any():
            known = ~known
        if situation.asleep_ms is not None:  # who sleeps has said so, and proves nothing
            known &= group.latest_ms(situation.asleep_ms) <= now_ms
        late = heard_ms + np.round(LATE_INTERVALS * group.expected_ms).astype(np.int64) <= now_ms
        if not late[known].all():
            return None
        members = [
            group.devices[at]
            for at in np.flatnonzero(known).tolist()
            if self._station.get(group.devices[at]) not in situation.maintenance
        ]
        if len(members) < LEAST_DEVICES or not any(self._silent.get(one) for one in members):
            return None
        if group.common is Common.STATION and all(self._uplink(one) for one in members):
            return None
        return Found(members, dict(zip(group.devices, heard_ms.tolist(), strict=True)))

    def covers(self, alert: Alert, was: Mapping[str, str] | None, now_ms: int) -> Covered | None:
        """What stands for an alert of silence, which `was` suppressed by something or nothing."""
        device, rank = alert.fixed["device"], RANKS[alert.fixed["severity"]]
        for group in self._of.get(device, ()):
            down = self.down.get(group.k)
            if down is not None:
                # What was never heard and has long been told is not down with the others.
                its = device in down.members or not alert.told
                if its and rank <= RANKS[down.severity]:
                    return Covered({"why": group.common.value, "by": down.alert})
        for group in self._of.get(device, ()):
            recovering = self._recovering.get(group.k)
            if group.k in self.down or recovering is None or rank > RANKS[recovering.severity]:
                continue
            suppressed = {"why": group.common.value, "by": recovering.alert}
            release_ms = recovering.at_ms + patience_ms(alert)
            if now_ms < release_ms and (not alert.told or was == suppressed):
                return Covered(suppressed, release_ms)
        return None

    def covers_group(self, down: Down) -> str | None:
        """The alert of the gateway behind which a whole station is."""
        if down.k.startswith(_UPLINKS):
            return None
        uplinks = {self._uplink(device) for device in down.members}
        return next(iter(uplinks)) if len(uplinks) == 1 else None

    def _uplink(self, device: str) -> str | None:
        for group in self._of.get(device, ()):
            down = self.down.get(group.k)
            if group.common is Common.UPLINK and down is not None and device in down.members:
                return down.alert
        return None


def _heard_since(down: Down, group: Group | None, heard_ms: IntArray) -> int:
    """When something of a group was heard that was not known yet; -1 for nothing.

    What a device that has joined it meanwhile said elsewhere is no word through this gateway.
    """
    if group is None:
        return -1
    now = dict(zip(group.devices, group.latest_ms(heard_ms).tolist(), strict=True))
    newer = [at for device, at in now.items() if at > down.heard_ms.setdefault(device, at)]
    return max(newer, default=-1)


def hanging(registry: Registry) -> dict[str, str]:
    """Of each device the last of those that replaced it: whom an officer sends somebody to."""
    successor = {d.replaces: d.id for d in registry.devices.values() if d.replaces is not None}
    hangs = {}
    for device in registry.devices:
        last = device
        while last in successor:
            last = successor[last]
        hangs[device] = last
    return hangs


def _groups(series: SeriesTable, registry: Registry) -> list[Group]:
    """Gateways and stations with at least two devices."""
    hangs = hanging(registry)
    behind: dict[tuple[Common, str], list[str]] = {}
    for device in registry.devices.values():
        if device.replaces is not None:
            continue
        gateway = registry.devices[hangs[device.id]].gateway
        if gateway is not None:
            behind.setdefault((Common.UPLINK, gateway), []).append(device.id)
        behind.setdefault((Common.STATION, device.station), []).append(device.id)
    numbers: dict[str, list[int]] = {}
    for one in series.entries:
        numbers.setdefault(one.device, []).append(one.id)
    return [
        _group(common, name, devices, numbers, registry)
        for (common, name), devices in behind.items()
        if len(devices) >= LEAST_DEVICES
    ]


def _group(
    common: Common,
    name: str,
    devices: Sequence[str],
    numbers: Mapping[str, Sequence[int]],
    registry: Registry,
) -> Group:
    pairs = [(number, at) for at, one in enumerate(devices) for number in numbers.get(one, ())]
    return Group(
        common,
        name,
        tuple(devices),
        np.array([number for number, _ in pairs], dtype=np.int64),
        np.array([at for _, at in pairs], dtype=np.int64),
        np.array([round(registry.devices[one].expected_s * 1000) for one in devices]),
    )
