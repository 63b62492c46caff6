"""Rules: what an officer wants to be told of, as he wrote it, checked and made whole.

A rule picks series (`watched`) and asks one thing of each of them (`Ask`). Its `version` is
a hash of its whole content, so that an alert can say for ever which text raised it.
Reading the file is `alerts.rulesfile`; running the rules is `alerts.engine`.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

import msgspec

from alerts.urgency import Urgency
from ingest.registry import Registry, Station
from ingest.series import Series, SeriesTable


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    MAJOR = "major"
    CRITICAL = "critical"


class Ask(StrEnum):
    """The one thing that a rule asks of a series; the name is how the rule's kind is told."""

    ABOVE = "above"
    BELOW = "below"
    RISE = "rise"
    FALL = "fall"
    SAME_TIDE = "same_tide"
    FLAGGED = "flagged"
    DIFFERENCE = "difference"
    DIFFERENCE_BELOW = "difference_below"
    CONGESTION = "congestion"
    INCIDENT = "incident"
    NO_DATA = "no_data"


RATES: Final = (Ask.RISE, Ask.FALL)
DIFFERENCES: Final = (Ask.DIFFERENCE, Ask.DIFFERENCE_BELOW)


class Quality(StrEnum):
    """What a rule may ask of the quality of the samples themselves."""

    SUSPECT = "suspect"
    """Flagged 3 or 4."""
    FAIL = "fail"
    STUCK = "stuck"
    DRY = "dry"


CONGESTION: Final = {"dense": 1, "congested": 2, "jammed": 3}
"""The least `traffic_state` of each word: đông xe, ùn ứ, ùn tắc."""


COUNT: Final = "count"
"""The unit of how many series of a group are beyond a level."""


class GroupBy(StrEnum):
    """What series must have in common to be one group."""

    ALL = "all"
    BRANCH = "branch"
    """The first mouth of the station, in the order of the registry."""
    STATION = "station"
    DIRECTION = "direction"
    """Station and direction."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its defaults filled in, but for those that depend on the series.

    raise_level, clear_level : in the unit of `quantity`; per hour for RISE and FALL, both told
        as positive; the least state for CONGESTION; None for FLAGGED, INCIDENT and NO_DATA
    flagged : for FLAGGED alone
    between : for differences alone: two levels of one device, or two stations; first - second
    at_least, share_above : at most one of them: the rule is about groups of all series that
        it watches, made by `group_by`
    ladder : rules of one ladder on one series are rungs: the highest that holds is told
    hold_gap_s : None means 2 expected intervals of the series
    notify_max_age_s : None means 2 expected intervals, at least 1 h
    no_data_s, no_data_intervals : exactly one of them for NO_DATA, else both None
    never_seen_s : None means the same time as for no data
    km : [from, to) by the smallest distance from a mouth; None takes every station
    km_unknown : stations whose distance isn't known are taken as lying within `km`
    stations, branches, kinds, devices : () takes all
    """

    id: str
    quantity: str
    severity: Severity
    ask: Ask
    raise_level: float | None = None
    clear_level: float | None = None
    for_s: float = 0.0
    clear_for_s: float = 0.0
    hold_gap_s: float | None = None
    rise_window_s: float = 3600.0
    no_data_s: float | None = None
    no_data_intervals: float | None = None
    never_seen_s: float | None = None
    permit: bool = False
    notify_max_age_s: float | None = None
    stations: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    km: tuple[float, float] | None = None
    km_unknown: bool = False
    kinds: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    message_vi: str = ""
    message_en: str = ""
    never_seen_vi: str = ""
    never_seen_en: str = ""
    source: str = ""
    unverified: bool = False
    flagged: Quality | None = None
    between: tuple[str, ...] = ()
    at_least: int | None = None
    share_above: float | None = None
    group_by: GroupBy = GroupBy.ALL
    ladder: str = ""
    version: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", _digest(_versioned(self)))

    @property
    def shared(self) -> bool:
        """Whether it asks how many of a group are beyond its level."""
        return self.at_least is not None or self.share_above is not None

    @property
    def joint(self) -> bool:
        """Whether it rests on several series, and so is asked at instants of a grid."""
        return self.shared or self.ask in DIFFERENCES

    def needed(self, members: int) -> int:
        """How many of a group of so many must be beyond the level."""
        if self.at_least is not None:
            return self.at_least
        assert self.share_above is not None
        # Rounded before it is compared: 0.6 * 5 is a hair more than 3 on some machines.
        return math.floor(round(self.share_above * members, 6)) + 1

    def unit(self, of_series: str) -> str:
        """The unit of value and limit; COUNT where they count the members of a group."""
        if self.ask is Ask.NO_DATA:
            return "s"
        if self.shared:
            return COUNT
        return f"{of_series}/h" if self.ask in RATES else of_series

    def no_data_after_ms(self, expected_ms: int) -> int:
        """How long a series with this expected interval may be silent, ms."""
        assert self.ask is Ask.NO_DATA
        if self.no_data_s is not None:
            return round(self.no_data_s * 1000)
        assert self.no_data_intervals is not None
        return round(self.no_data_intervals * expected_ms)

    def never_seen_after_ms(self, expected_ms: int) -> int:
        """How long a registered series may stay without its first value, ms."""
        if self.never_seen_s is not None:
            return round(self.never_seen_s * 1000)
        return self.no_data_after_ms(expected_ms)

    def hold_gap_ms(self, expected_ms: int) -> int:
        """The longest step between two samples that still proves a hold, ms."""
        return 2 * expected_ms if self.hold_gap_s is None else round(self.hold_gap_s * 1000)

    def notify_max_age_ms(self, expected_ms: int) -> int:
        """How old the newest sample may be for people to be told, ms."""
        if self.notify_max_age_s is not None:
            return round(self.notify_max_age_s * 1000)
        return max(3_600_000, 2 * expected_ms)

    def described(self) -> dict[str, Any]:
        """The rule for people and records: what it says, without what it leaves open.

        Lists and plain values only; a `km` without an upper end has None there.
        """
        said = {
            name: _plain(value)
            for name, value in _content(self).items()
            if value not in (None, (), "")
        }
        if self.km is not None:
            said["km"] = [end if math.isfinite(end) else None for end in self.km]
        if not self.shared:
            del said["group_by"]
        said["version"] = self.version
        return said


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force, in the order of the file, which is also the order of transitions."""

    rules: tuple[Rule, ...] = ()
    urgency: Urgency = field(default_factory=Urgency)
    version: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        assert len({rule.id for rule in self.rules}) == len(self.rules)
        object.__setattr__(self, "version", _digest([rule.version for rule in self.rules]))

    def get(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def watched(rule: Rule, series: SeriesTable, registry: Registry) -> Iterator[Series]:
    """The series that a rule watches, by rising number; retired ones are history alone.

    A rule that names a probe goes on with the one that replaced it, and the other way round.
    """
    devices = {
        registry.root_device(device).id for device in rule.devices if device in registry.devices
    }
    for one in series.entries:
        if one.retired or one.quantity != rule.quantity:
            continue
        station = registry.stations.get(one.station)
        if station is None and one.station:
            continue
        if (
            (not rule.stations or one.station in rule.stations)
            and (not rule.between or one.station in rule.between or one.level in rule.between)
            and (not rule.branches or any(branch in rule.branches for branch in one.branches))
            and (not rule.kinds or one.kind in rule.kinds)
            and (not rule.devices or one.device in devices)
            and (rule.km is None or (station is not None and _within(rule, rule.km, station)))
        ):
            yield one


def _within(rule: Rule, km: tuple[float, float], station: Station) -> bool:
    distance = station.nearest_km
    return rule.km_unknown if distance is None else km[0] <= distance < km[1]


_LATER: Final = ("flagged", "between", "at_least", "share_above", "group_by", "ladder")


def _versioned(rule: Rule) -> dict[str, Any]:
    """What the version is a hash of: keys that came later count only where they are used, so
    that the rules of older files keep their version.
    """
    defaults = {f.name: f.default for f in fields(rule)}
    return {
        name: value
        for name, value in _content(rule).items()
        if name not in _LATER or value != defaults[name]
    }


def _content(rule: Rule) -> dict[str, Any]:
    return {f.name: getattr(rule, f.name) for f in fields(rule) if f.name != "version"}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _digest(content: Any) -> str:
    encoded = msgspec.json.encode(content, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:12]
